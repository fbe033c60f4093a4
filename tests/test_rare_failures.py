"""Rare events where they go wrong: no well, a bad start, lost particles, too few particles."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import escapade as ea
from escapade import passage
from escapade._interrupt import Interrupts
from escapade.passage import Interval, methods
from escapade.passage.clock import Clock
from escapade.passage.cycles import Replicas
from escapade.passage.errors import NoEscapeError
from escapade.passage.fleming_viot import _Cloning
from escapade.passage.methods import choose, rare_rate

POWER_LAW = ea.models.PowerLaw(H=1.0, sigma_g=0.05, sigma_H=0.2, eta=1.0)
REGION = Interval(upper=2.0)
RATE = ea.exact.escape_rate(POWER_LAW, None, 2.0)  # 2.34e-7
METHODS = [passage.splitting, passage.ams]
FREE = ea.models.OrnsteinUhlenbeck(0.0, 0.0, 1.0)
HOW: dict[str, Any] = {"dt": 0.1, "n": 200, "replicates": 10, "seed": 3}


def prepared(model: Any, x0: Any, region: Any, **more: Any) -> Any:
    return passage.prepare(model, x0, region, **{"n": 1000, "dt": 0.05, "seed": 1, **more})


def problem(x0: Any = 0.0) -> Any:
    return prepared(POWER_LAW, x0, REGION, n=200)


# -- what would go on for ever ---------------------------------------------------------------------


def test_level_must_grow_to_the_boundary() -> None:
    for method in METHODS:
        with pytest.raises(
            ValueError, match=r"level must grow on the way out: it is .* at most -2"
        ):
            method(POWER_LAW, 0.0, REGION, level=np.negative, **HOW)


@pytest.mark.parametrize(
    ("region", "x0"),
    [
        (passage.Ball([0.0, 0.0], 3.0), [0.0, 0.0]),
        (passage.HalfSpace([1.0, 1.0], 2.0), [0.0, 0.0]),
        (Interval(-3.0, 3.0, coordinate=1), [0.0, 0.0]),
    ],
)
def test_level_must_grow_to_a_surface(region: Any, x0: Any) -> None:
    """Distances from where the boundary is nearest would not do either."""
    model = ea.models.MultivariatePowerLaw()
    with pytest.raises(ValueError, match="level must grow on the way out"):
        passage.splitting(model, x0, region, level=lambda x: -np.sum(x**2, axis=1), **HOW)


@pytest.mark.parametrize("method", METHODS)
def test_core_must_be_where_particles_come(method: Any) -> None:
    with pytest.raises(ValueError, match=r"core must lie where particles come: .*got -1000000"):
        method(POWER_LAW, 0.0, REGION, core=-1e6, **HOW)
    with pytest.raises(ValueError, match="core must lie where particles come"):
        two = Interval(-2.0, 2.0)  # too high for the leg to the lower end
        method(POWER_LAW, 0.0, two, core=1.9, **HOW)


@pytest.mark.parametrize("method", METHODS)
def test_without_a_well_there_is_an_error(method: Any) -> None:
    with pytest.raises(ValueError, match=r"core \(or x0\) must lie in a well that particles come"):
        method(FREE, 0.0, Interval(upper=1.0), **HOW)
    if method is passage.splitting:
        with pytest.raises(ValueError, match="must lie in a well that particles come back to"):
            method(FREE, 0.0, Interval(upper=1.0), level=np.copy, **{**HOW, "n": 50})


# -- starts outside the well -----------------------------------------------------------------------


@pytest.mark.parametrize("x0", [1.5, 1.9])
def test_bad_start_leads_to_the_rate_of_the_well(x0: float) -> None:
    """4 standard errors and 0.5 per cent of bias of dt (failures: 2e-3)."""
    look = passage.pilot_rate(problem(x0), 30.0)
    assert not look.direct and 0.1 < look.rate / RATE < 10.0
    assert choose(problem(x0), 30.0)[0] == "splitting"
    result = passage.splitting_rate(problem(x0), n=1000, replicates=20)
    assert abs(result.rate - RATE) < 4.0 * result.stderr + 0.005 * RATE, str(result)
    assert any("outside the well" in w for w in result.warnings)


def test_frequent_escapes_are_still_direct() -> None:
    """Negative control of the last test, with a well that does not keep particles."""
    wide = ea.models.PowerLaw(H=1.0, sigma_g=0.2, sigma_H=0.5, eta=1.0)
    method, _, rate = choose(prepared(wide, 0.0, Interval(-1, 1)), 30.0)
    assert method == "direct" and rate is not None and 0.06 < rate < 0.12  # 0.08, 20 escapes: 22 %


def test_centre_of_a_ball_is_not_outside() -> None:
    model = ea.models.MultivariatePowerLaw()
    how: dict[str, Any] = {**HOW, "replicates": 2, "dt": 0.05}
    for x0, outside in (([0.0, 0.0], False), ([1.2, 0.0], True)):
        result = passage.splitting(model, x0, passage.Ball([0, 0], 1.4), **how)
        assert any("outside the well" in w for w in result.warnings) == outside, result.warnings


# -- steep drift, discrete time --------------------------------------------------------------------


def test_levels_where_few_rise_in_a_step() -> None:
    """OU far out, 9e-39: within 4 standard errors of 20 replicates; dt makes 5 per cent."""
    model = ea.models.OrnsteinUhlenbeck(1.0, 0.0, math.sqrt(0.1))
    region = Interval(-3.0, 3.0)
    exact = ea.exact.escape_rate(model, -3.0, 3.0)
    result = passage.splitting(model, 0.0, region, dt=0.02, n=1000, replicates=20, seed=1)
    assert abs(result.rate - exact) < 4.0 * result.stderr + 0.05 * exact, str(result)
    assert result.stderr < 0.5 * result.rate
    for p in (
        prepared(model, 0.0, region),
        prepared(ea.models.MultivariatePowerLaw(), [0.0, 0.0], passage.Ball([0, 0], 3.0)),
        prepared(
            ea.models.DiagonalNetwork(1, 1, T=0.05).sgd(eta=0.05),
            [1.0, 1.0],
            Interval(upper=2.2),
            dt=None,
        ),
    ):
        assert passage.splitting_rate(p, n=500, replicates=2).rate > 0.0
        assert choose(p, 30.0)[0] == "splitting"


@pytest.mark.parametrize("kind", ["levels", "else"])
def test_choose_answers_where_the_pilot_run_fails(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from escapade.passage import pilot
    from escapade.passage.survey import NoLevelsError

    def fails(*_: Any, **__: Any) -> Any:
        raise NoLevelsError("they crowd") if kind == "levels" else ValueError("they crowd")

    monkeypatch.setattr(pilot, "survey", fails)
    method, why, rate = choose(problem(), 30.0)
    assert method == ("ams" if kind == "levels" else "direct")
    assert "they crowd" in why and rate is not None and rate > RATE


# -- lost particles --------------------------------------------------------------------------------


def test_lost_particles_are_no_escapes() -> None:
    """A slice counts those who met the boundary, and replaces the lost as well."""
    model, n = ea.models.BalancedNetwork(1, 1, 0.3), 1000
    p = prepared(model, 0.5, REGION, n=n, dt=0.1, scheme="euler-maruyama")
    side = p.batch(p.start(n), Replicas(p, [1], n).ids()).run(16).side
    assert np.sum(side == passage.LOST) > 100 and np.sum(side >= 0) > 10
    with Interrupts() as stop:
        cloning = _Cloning(p, Clock(stop), n, 16)
        assert cloning._slice() == np.sum(side >= 0)
        assert cloning.lost == np.sum(side == passage.LOST)
    assert np.all(np.isfinite(cloning.x)) and len(cloning.x) == n
    result = passage.fleming_viot_rate(p, 20.0, n=n)
    assert result.n_lost > 100 and result.rate < 0.6
    assert any("were lost (not finite)" in w for w in result.warnings)
    fine = passage.fleming_viot(POWER_LAW, 0.0, Interval(upper=0.3), 5.0, dt=0.1, n=100, seed=1)
    assert fine.n_lost == 0 and not any("lost" in w for w in fine.warnings)


def test_a_level_function_may_return_its_states() -> None:
    """Peaks are not written into them."""
    how = {**HOW, "replicates": 4, "n": 50}
    same = passage.splitting(POWER_LAW, 0.0, REGION, level=lambda x: x, **how)
    copy = passage.splitting(POWER_LAW, 0.0, REGION, level=np.copy, **how)
    assert np.array_equal(same.rates, copy.rates)


# -- intervals, bounds and errors ------------------------------------------------------------------


def test_intervals_where_few_replicates_make_the_mean() -> None:
    """SGD network, 1.4e-5 by direct runs: n = 1000 finds 2e-9, and says that it may be far too small.

    Intervals of 95 per cent, 10 seeds: more than 3 fail in 0.1 per cent; those of t alone fail in most.
    """
    model = ea.models.DiagonalNetwork(1, 1, T=0.05).sgd(eta=0.05)
    misses = by_t = 0
    for seed in range(10):
        result = passage.ams(model, [1.0, 1.0], Interval(upper=2.2), n=1000, seed=seed)
        low, high = result.interval()
        misses += not low < 1.4e-5 < high
        by_t += result.rate + 2.26 * result.stderr < 1.4e-5
        if high == math.inf:
            assert low == pytest.approx(0.05 * result.rate)
            assert result.mean_time_interval == (0.0, pytest.approx(1.0 / low))
            assert any("no upper end" in w for w in result.warnings)
    assert misses <= 3 and by_t > 3, (misses, by_t)


def test_bounds_agree() -> None:
    """-log(1 - confidence) over the exposure everywhere, and no standard error."""
    none = passage.splitting(POWER_LAW, 0.0, REGION, levels=[0.3], **HOW)
    cloned = passage.fleming_viot(POWER_LAW, 0.0, REGION, 20.0, dt=0.1, n=100, seed=1)
    for found in (none, cloned):
        sure = dataclasses.replace(found, confidence=0.99)  # type: ignore[type-var]
        assert found.rate_interval == (0.0, found.bound) == found.interval()
        assert sure.interval() == (0.0, sure.bound) == found.interval(0.99)
        assert sure.bound / found.bound == pytest.approx(math.log(0.01) / math.log(0.05))
        for name in ("rate", "stderr"):
            with pytest.raises(NoEscapeError):
                getattr(found, name)
    assert cloned.bound == pytest.approx(-math.log(0.05) / (cloned.n * cloned.t))
    exposure = 10 * 200 * none.cycle_time
    assert none.bound == pytest.approx(-math.log(0.05) / exposure * none.tries[0][0])
    assert "(95 %): nobody escaped" in str(none)
    assert "(99 %): nobody" in str(dataclasses.replace(none, confidence=0.99))
    early = dataclasses.replace(none, rates=none.rates[:0])
    assert "time was up" in str(early) and "nobody" not in str(early).splitlines()[0]


def test_what_a_result_says() -> None:
    result = passage.splitting(POWER_LAW, 0.0, REGION, **HOW)
    assert result.mean_time_stderr / result.mean_time == pytest.approx(result.stderr / result.rate)
    assert "one over the mean time 2.3" in str(result) or "one over the mean time 2.4" in str(
        result
    )
    law = passage.splitting(POWER_LAW, np.linspace(-0.01, 0.01, 200), REGION, **HOW)
    assert "exact 2.34" in str(law) and "nan" not in str(law)
    assert isinstance(result.warnings, tuple)
    half = dataclasses.replace(result, confidence=0.5)
    assert half.interval() == result.interval(0.5) and "(50 %" in str(half)


# -- what escape() asks for ------------------------------------------------------------------------


def test_n_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for n, used in ((6000, 6000), (100, 100), (None, 5000)):
        more = {"replicates": 2}
        assert rare_rate("splitting", problem(), n, None, None, False, more).n == used
    monkeypatch.setattr(methods, "pilot_rate", None)  # nothing runs before n is checked
    with pytest.raises(ValueError, match="n must be at least 20, got 5"):
        choose(problem(), 30.0, 5)
