"""Rare events: what results depend on, what is refused, what is a bound."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import escapade as ea
from escapade import passage
from escapade.passage import Interval, replicates
from escapade.passage.clock import ids_of
from escapade.passage.cycles import Replicas, resample

POWER_LAW = ea.models.PowerLaw(H=1.0, sigma_g=0.05, sigma_H=0.2, eta=1.0)
REGION = Interval(upper=2.0)
HOW: dict[str, Any] = {"dt": 0.1, "n": 100, "replicates": 6, "seed": 11}
METHODS = [passage.splitting, passage.ams]


def problem(**more: Any) -> Any:
    return passage.prepare(POWER_LAW, 0.0, REGION, **{"n": 1, "dt": 0.1, "seed": 11, **more})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "more", [{}, {"level": np.arctan, "n": 24, "replicates": 4}, {"test": "endpoint"}]
)
def test_bits_do_not_depend_on_layout(
    method: Any, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    how = {**HOW, **more}
    whole = method(POWER_LAW, 0.0, REGION, threads=1, **how)
    again = method(POWER_LAW, 0.0, REGION, threads=3, **how)
    fewer = method(POWER_LAW, 0.0, REGION, **{**how, "replicates": 3})
    other = method(POWER_LAW, 0.0, REGION, **{**how, "seed": 12})
    monkeypatch.setattr(replicates, "_AT_ONCE", 1)  # one replicate after the other
    single = method(POWER_LAW, 0.0, REGION, **how)
    for r in (again, single):
        assert np.array_equal(whole.rates, r.rates)
        assert whole.levels == r.levels
        assert whole.particle_steps == r.particle_steps
    assert np.array_equal(whole.rates[:3], fewer.rates)
    assert not np.any(whole.rates == other.rates)
    assert len(set(whole.rates.tolist())) > 1


def test_numbers_of_particles_are_disjoint() -> None:
    p = problem(first_id=5)
    first = [int(ids_of(p, r, s, 1)[0]) for r in (0, 1, 2**17 - 1) for s in (1, 2, 2**18 - 1)]
    assert len(set(first)) == len(first)
    assert np.min(np.diff(sorted(first))) >= 2**28
    assert min(first) >= 2**28 + 5 and max(first) < 2**63
    with pytest.raises(RuntimeError, match="no numbers are left"):
        ids_of(p, 1, 2**18, 1)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(1, 50))
def test_resampling_is_even(sizes: list[int], n: int) -> None:
    """Each of m members is chosen n/m times, rounded up or down; empty pools are left out."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    pools = Replicas(problem(), list(range(1, len(sizes) + 1)), n)
    pools.ids()
    rows, chosen = resample(pools, owner, n)
    assert rows.tolist() == [r for r, m in enumerate(sizes) if m]
    assert np.array_equal(owner[chosen], np.repeat(rows, n))
    for r in rows:
        often = np.bincount(chosen, minlength=len(owner))[owner == r]
        assert often.min() >= n // sizes[r] and often.max() <= -(-n // sizes[r])


def test_resampling_is_unbiased() -> None:
    """Mean over 4000 stages of how often a member is chosen, 4 sd (3 members: 2e-4)."""
    pools = Replicas(problem(), [1], 2)
    often = np.zeros(3)
    for _ in range(4000):
        pools.ids()
        often += np.bincount(resample(pools, np.zeros(3, dtype=np.intp), 2)[1], minlength=3)
    assert np.all(np.abs(often / 4000 - 2 / 3) < 4 * math.sqrt(2 / 9 / 4000))


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"n": 5}, ValueError, "n must be at least 20"),
        ({"n": 50.0}, TypeError, "n must be an integer"),
        ({"replicates": 1}, ValueError, "replicates must be at least 2"),
        ({"until": 0.0}, ValueError, "until must be greater than 0"),
        ({"max_seconds": -1}, ValueError, "max_seconds must be greater than 0"),
        ({"progress": 1}, TypeError, "progress must be True or False"),
        ({"level": "height"}, ValueError, "level must be one of"),
        ({"level": lambda x: x[:3]}, ValueError, "level must return 500 finite numbers"),
        ({"level": lambda x: x + np.nan}, ValueError, "some that are not finite"),
        ({"level": np.zeros_like}, ValueError, "level must tell states apart"),
        ({"core": 2.5}, ValueError, "core must lie inside"),
        ({"burn_in": -1}, ValueError, "burn_in must be at least 0"),
        ({"max_seconds": 1e-6}, TimeoutError, "max_seconds=1e-06 was over before the pilot run"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_bad_arguments(method: Any, more: dict[str, Any], error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        method(POWER_LAW, 0.0, REGION, **{**HOW, **more})


@pytest.mark.parametrize(
    ("levels", "region", "words"),
    [
        ([0.5, 0.4], REGION, "levels must be monotone"),
        ([0.5, 2.5], REGION, "levels must be monotone"),
        ([], REGION, "levels must be monotone"),
        ([-0.5], REGION, "levels must begin outside the core"),
        ([0.5, 1.0], Interval(lower=-2.0), "levels must be monotone|begin outside"),
        ([0.5], Interval(-2.0, 2.0), "levels must be left to the pilot run"),
    ],
)
def test_bad_levels(levels: list[float], region: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        passage.splitting(POWER_LAW, 0.0, region, levels=levels, **HOW)


def test_bad_arguments_of_one_method() -> None:
    with pytest.raises(ValueError, match="k must be at least 1 and at most 99"):
        passage.ams(POWER_LAW, 0.0, REGION, k=100, **HOW)
    with pytest.raises(ValueError, match="level must be a function or 'coordinate'"):
        passage.splitting(
            ea.models.ScaleInvariant(gamma=0.025),
            [1.0, 0.0],
            passage.HalfSpace([-1, 0], -0.5),
            level="committor",
            **HOW,
        )
    with pytest.raises(TypeError, match="problem must be a Problem"):
        passage.splitting_rate(3)  # type: ignore[arg-type]


def test_nobody_passes_is_a_bound() -> None:
    result = passage.splitting(POWER_LAW, 0.0, REGION, levels=[0.3], **HOW)
    assert result.bound is not None and 2.3e-7 < result.bound < 0.1
    assert result.interval() == (0.0, result.bound)
    with pytest.raises(ValueError, match="only an upper bound"):
        _ = result.rate
    assert any("upper bound" in w for w in result.warnings)
    assert "rate <" in str(result)


def test_time_is_up_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the run is stopped in the middle of the stages."""
    from escapade.passage import splitting_rate
    from escapade.passage.clock import Stopped
    from escapade.passage.ladder import Ladder

    run, calls = Ladder.run, [0]

    def stops(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] > 60:
            raise Stopped
        return run(self, *args, **kwargs)

    whole = splitting_rate(problem(), n=100, replicates=6)
    monkeypatch.setattr(Ladder, "run", stops)
    for limit in range(45, 62):
        calls[0] = 60 - limit
        try:
            result = splitting_rate(problem(), n=100, replicates=6)
        except TimeoutError:
            continue
        if result.bound is not None:
            assert result.bound > 0.5 * whole.rate and len(result.rates) == 0
            break
    else:
        pytest.fail("no run was stopped in the middle")


def test_until_makes_more_replicates() -> None:
    result = passage.splitting(POWER_LAW, 0.0, REGION, until=0.05, **HOW)
    assert result.stderr <= 0.05 * result.rate
    assert len(result.rates) > 6 and len(result.rates) % 6 == 0
    first = passage.splitting(POWER_LAW, 0.0, REGION, **HOW)
    assert np.array_equal(result.rates[:6], first.rates)
    assert dataclasses.is_dataclass(result) and result.mean_time == 1.0 / result.rate
    low, high = result.interval(0.999)  # a share of 1e-3 of other seeds fails
    assert low < ea.exact.escape_rate(POWER_LAW, None, 2.0) < high


def test_warnings_of_small_runs() -> None:
    result = passage.ams(POWER_LAW, 0.0, REGION, **{**HOW, "n": 20, "replicates": 4})
    assert any("skewed" in w for w in result.warnings)
    off = passage.splitting(POWER_LAW, 1.5, REGION, **HOW)
    assert any("outside the well" in w for w in off.warnings) and abs(off.core) < 0.1


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_a_run() -> None:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        passage.splitting(POWER_LAW, 0.0, REGION, dt=0.001, n=50_000, seed=1)
    timer.join()


@settings(max_examples=5, deadline=None)
@given(st.floats(0.6, 2.5), st.sampled_from([-1.0, 1.0]), st.integers(0, 2**64 - 1))
def test_pilot_is_rough_but_right(b: float, sign: float, seed: int) -> None:
    """Within a factor of 4 of splitting (0.1 on a side), for both ends and any seed."""
    region = Interval(upper=b) if sign > 0 else Interval(lower=-b)
    p = (
        problem(seed=seed, dt=0.05)
        if region is REGION
        else passage.prepare(POWER_LAW, 0.0, region, n=1, dt=0.05, seed=seed)
    )
    look = passage.pilot_rate(p, 30.0, n=500)
    result = passage.splitting_rate(p, n=300, replicates=10)
    assert 0.25 < look.rate / result.rate < 4.0
    assert not look.bounded and 0.2 < look.relaxation_time < 30.0
