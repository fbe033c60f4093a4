"""First passages: the engine against a replay in numpy, against exact laws, and bit for bit.

Statistical tests have fixed seeds; each says how often another seed would fail.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import escapade as ea
from escapade import _core
from escapade.passage import ALIVE, LOST, Boundary, FirstPassage
from escapade.schemes import get as get_scheme

MODEST = settings(derandomize=True, deadline=None, max_examples=15)
BROWNIAN = ea.models.OrnsteinUhlenbeck(0.0, 0.0, 1.0)  # dx = dW
NETWORK = ea.models.DiagonalNetwork(depth=1, width=2, T=0.1)
BRIDGE_STREAM = 3


def batch(
    model: ea.models.Model,
    scheme: str,
    boundaries: list[Boundary],
    n: int,
    x0: Any,
    dt: float,
    **kwargs: Any,
) -> FirstPassage:
    start = np.broadcast_to(np.asarray(x0, dtype=np.float64), (n, *model.particle_shape))
    kwargs.setdefault("ids", np.arange(n, dtype=np.uint64))
    kwargs.setdefault("seed", 2**50 + 3)
    return FirstPassage(model, scheme, boundaries, start, dt=dt, **kwargs)


def ends(lower: float, upper: float, test: str = "bridge") -> list[Boundary]:
    return [replace(b, test=test) for b in ea.Interval(lower, upper).boundaries()]


# -- against a replay ------------------------------------------------------------------------------


def paths(
    model: ea.models.Model, scheme: str, n: int, x0: Any, dt: float, steps: int
) -> np.ndarray:
    """States of an ensemble after each step in the coordinate of the scheme, float64."""
    ens = ea.Ensemble(model, n, x0, seed=2**50 + 3, noise="float64")
    ens.run(steps=1, dt=dt, scheme=scheme, on_bad="ignore")
    ens = ea.Ensemble(model, n, x0, seed=2**50 + 3, noise="float64")
    out = []
    for _ in range(steps):
        ens.run(steps=1, dt=dt, scheme=scheme, on_bad="ignore")
        out.append(np.array(ens.state))
    return np.array(out)


def replay(
    model: ea.models.Model,
    scheme: str,
    boundaries: list[Boundary],
    states: np.ndarray,
    start: np.ndarray,
    dt: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Times and sides by the definition, one particle and step after the other."""
    n = start.shape[0]
    time, side = np.full(n, np.nan), np.full(n, ALIVE)
    unit = get_scheme(scheme).coordinate == "lamperti"
    for i in range(n):
        before = start[i]
        for k, row in enumerate(states):
            after, met = row[i], []
            for b, at in enumerate(boundaries):
                d, d2 = (float(at.distance(np.atleast_1d(v))) for v in (before, after))
                if at.test == "endpoint":
                    met += [(1.0, b)] if d2 <= 0 else []
                    continue
                noise = np.ones(1) if unit else np.atleast_1d(model.diffusion(before))
                if model.vector:
                    x = np.asarray(before)
                    normal = {
                        "coordinate": np.eye(len(x))[at.coordinate],
                        "half_space": np.asarray(at.vector),
                        "ball": (x - (at.vector or 0)) / np.linalg.norm(x - (at.vector or 0)),
                    }[at.kind]
                    noise = normal @ noise
                v = float(np.sum(noise**2)) * dt
                w = _core.philox([i, 0, (4 * k + b) & 0xFFFFFFFF, BRIDGE_STREAM << 24], [3, 2**18])
                u = (2 * ((w[0] | w[1] << 32) >> 12) + 1) * 2.0**-53
                p = np.exp(-2 * d * d2 / v) if d2 > 0 else 1.0
                if u >= p:
                    continue
                z = box_muller(w[2], w[3])
                met.append((fraction(d, d2, v, u / p, z), b))
            if met:
                share, b = min(met)
                time[i], side[i] = (k + share) * dt, b
                break
            before = after
    return time, side


def box_muller(radius: int, angle: int) -> float:
    """The first normal of two words, as core/normal.hpp makes it, in double."""
    r = np.sqrt(-np.log((radius + 1) * 2.0**-32))
    t = np.int32(np.uint32((angle << 2 | 2) & 0xFFFFFFFF)) * 2.0**-32
    c, s = np.cos(t * np.pi / 2), np.sin(t * np.pi / 2)
    return float(r * (c - s)) * (-1 if angle & 0x80000000 else 1)


def fraction(d: float, d2: float, v: float, u: float, z: float) -> float:
    """Michael, Schucany and Haas in their own form: mean d/|d2|, shape d^2/v."""
    mean, shape = d / abs(d2), d * d / v
    y = z * z
    x = mean + mean**2 * y / (2 * shape)
    x -= mean / (2 * shape) * np.sqrt(4 * mean * shape * y + (mean * y) ** 2)
    x = x if u <= mean / (mean + x) else mean**2 / x
    return x / (1 + x)


@pytest.mark.parametrize("test", ["bridge", "endpoint"])
@pytest.mark.parametrize("scheme", ["euler-maruyama", "milstein", "lamperti-heun"])
def test_engine_equals_the_replay_of_a_scalar_model(scheme: str, test: str) -> None:
    model, n, dt, steps = ea.models.PowerLaw(1.0, 0.2, 0.5), 150, 0.1, 60
    coordinate = get_scheme(scheme).coordinate
    given = ends(-0.9, 0.7, test)
    told = batch(model, scheme, given, n, 0.1, dt, noise="float64").run(steps)
    states = paths(model, scheme, n, 0.1, dt, steps)
    start, met = np.full(n, 0.1), given
    if coordinate == "lamperti":
        name, rows = model._call
        y = _core.map_coordinate(name, rows, coordinate, False, np.array([0.1, -0.9, 0.7]))
        start = np.full(n, y[0])
        met = [replace(b, level=float(v)) for b, v in zip(given, y[1:], strict=True)]
    time, side = replay(model, scheme, met, states, start, dt)
    assert np.array_equal(told.side, side)
    assert 20 < np.count_nonzero(side >= 0) < n
    np.testing.assert_allclose(told.time, time, rtol=2e-5)  # z of the engine is a float


@pytest.mark.parametrize("test", ["bridge", "endpoint"])
def test_engine_equals_the_replay_of_a_vector_model(test: str) -> None:
    n, dt, steps = 60, 0.05, 60
    x0 = np.array([0.7, 0.5, 0.2, 0.1])
    ball, plane = ea.Ball([0.0, 0.1, 0.0, 0.0], 1.6), ea.HalfSpace([1.0, -2.0, 0.5, 0.0], 0.05)
    region = ball & plane & ea.Interval(-0.1, coordinate=3)
    given = [replace(b, test=test) for b in region.boundaries()]
    told = batch(NETWORK, "euler-maruyama", given, n, x0, dt, noise="float64").run(steps)
    states = paths(NETWORK, "euler-maruyama", n, x0, dt, steps)
    time, side = replay(NETWORK, "euler-maruyama", given, states, np.tile(x0, (n, 1)), dt)
    assert np.array_equal(told.side, side)
    assert len({*side}) >= 3
    np.testing.assert_allclose(told.time, time, rtol=2e-5)
    for b, at in enumerate(given):
        out = told.x[side == b]
        if test == "bridge":
            np.testing.assert_allclose(at.distance(out), 0.0, atol=1e-12)  # on the surface
        else:
            assert np.all(at.distance(out) <= 0.0)


def test_a_plane_across_an_axis_is_that_coordinate() -> None:
    plane = list(ea.HalfSpace([0.0, 3.0, 0.0, 0.0], 2.7).boundaries())
    axis = list(ea.Interval(upper=plane[0].level, coordinate=1).boundaries())
    a, b = (batch(NETWORK, "euler-maruyama", s, 500, 0.5, 0.05).run(200) for s in (plane, axis))
    assert np.array_equal(a.time, b.time, equal_nan=True)
    assert 50 < np.count_nonzero(a.side == 0)


# -- exact laws ------------------------------------------------------------------------------------


def test_first_passage_of_brownian_motion_has_its_exact_law() -> None:
    """One boundary and constant noise: the bridge is exact for any step.

    T = 1/Z^2 for a boundary at distance 1. KS at p = 1e-3: fails for one seed in a thousand.
    """
    n = 40_000
    done = batch(BROWNIAN, "euler-maruyama", ends(-np.inf, 1.0), n, 0.0, 0.25).run(40)
    t = done.time[~np.isnan(done.time)]
    law = stats.levy
    assert abs(t.size / n - law.cdf(10.0)) < 3.3 * np.sqrt(0.25 / n)
    shares = law.cdf(t) / law.cdf(10.0)
    assert stats.kstest(shares, "uniform").pvalue > 1e-3
    assert np.all(done.x[done.side == 0] == 1.0)
    # negative controls: without the bridge, and with times at the ends of steps
    missed = batch(BROWNIAN, "euler-maruyama", ends(-np.inf, 1.0, "endpoint"), n, 0.0, 0.25).run(40)
    late = np.count_nonzero(~np.isnan(missed.time)) / n
    assert late < law.cdf(10.0) - 10 * np.sqrt(0.25 / n)
    rounded = law.cdf(np.ceil(t / 0.25) * 0.25) / law.cdf(10.0)
    assert stats.kstest(rounded, "uniform").pvalue < 1e-6


def test_exit_of_brownian_motion_from_an_interval() -> None:
    """E T = 1 - x^2 and P(right) = (1 + x)/2; |z| < 3.3 each: one seed in 500 fails."""
    n, x0 = 40_000, 0.3
    done = batch(BROWNIAN, "euler-maruyama", ends(-1.0, 1.0), n, x0, 0.01).run()
    t = done.time
    assert abs(t.mean() - (1 - x0**2)) < 3.3 * t.std() / np.sqrt(n)
    right = np.mean(done.side == 1)
    assert abs(right - (1 + x0) / 2) < 3.3 * np.sqrt(0.25 / n)
    late = batch(BROWNIAN, "euler-maruyama", ends(-1.0, 1.0, "endpoint"), n, x0, 0.01).run().time
    assert late.mean() > (1 - x0**2) + 10 * t.std() / np.sqrt(n)  # negative control


def test_a_reflecting_end() -> None:
    """Brownian motion on (0, 1), reflected at 0: E T = 1 - x^2, exact for constant noise.

    |z| < 3.3: one seed in 1000 fails.
    """
    n, x0 = 40_000, 0.4
    region = ea.Interval(0.0, 1.0, reflect="lower")
    done = batch(BROWNIAN, "euler-maruyama", list(region.boundaries()), n, x0, 0.0025).run()
    t = done.time
    assert set(done.side.tolist()) == {1}
    assert abs(t.mean() - (1 - x0**2)) < 3.3 * t.std() / np.sqrt(n)
    free = batch(BROWNIAN, "euler-maruyama", ends(0.0, 1.0), n, x0, 0.0025).run()
    assert free.time.mean() < (1 - x0**2) - 10 * t.std() / np.sqrt(n)  # negative control


def test_shift_moves_the_level_by_the_mean_overshoot() -> None:
    model, dt = ea.models.PowerLaw(1.0, 0.2, 0.5), 0.05
    noise = float(model.diffusion(1.0))
    level = 1.0 - 0.58259715793901 * noise * np.sqrt(dt)
    a = batch(model, "euler-maruyama", ends(-np.inf, 1.0, "shift"), 300, 0.0, dt).run()
    b = batch(model, "euler-maruyama", ends(-np.inf, level, "endpoint"), 300, 0.0, dt).run()
    assert np.array_equal(a.time, b.time)


# -- counting --------------------------------------------------------------------------------------


def test_counts_against_a_replay() -> None:
    model, n, dt, steps = ea.models.OrnsteinUhlenbeck(1.0, 0.0, 1.0), 200, 0.05, 400
    levels = [
        Boundary("coordinate", 0.5, 1.0, action="count", test="endpoint"),
        Boundary("coordinate", -0.3, -1.0, action="rearm", test="endpoint"),
    ]
    told = batch(model, "euler-maruyama", levels, n, 0.0, dt, noise="float64").run(steps)
    states = paths(model, "euler-maruyama", n, 0.0, dt, steps)
    counts, armed = np.zeros(n, int), np.ones(n, bool)
    before = np.zeros(n)
    for x in states:
        up, down = (before < 0.5) & (x >= 0.5), (before > -0.3) & (x <= -0.3)
        counts += up & armed
        armed = (armed & ~up) | down
        before = x
    assert np.array_equal(told.counts, counts)
    assert counts.max() > 3
    once = batch(model, "euler-maruyama", levels[:1], n, 0.0, dt, noise="float64").run(steps)
    assert once.counts.sum() > told.counts.sum()  # a single level counts every return


def test_crossings_of_a_double_well() -> None:
    """Passages from -1 to 1 and back take 2 * 5.129285 on average; the start adds a share of 1/t.

    |z| < 3.3 after that share, +.25/(t rate), is taken off: one seed in 1000 fails.
    """
    well = ea.models.DoubleWell(h=2.0, T=1.0)
    found = ea.crossings(well, -1.0, -1.0, 1.0, n=2000, t=200.0, dt=0.005, seed=1)
    expected = (200.0 / (2 * 5.129285) + 0.25) / 200.0
    assert abs(found.rate - expected) < 3.3 * found.rate_stderr
    low, high = found.rate_interval
    assert low < expected < high
    none = ea.crossings(well, -1.0, -1.0, 5.0, n=10, t=1.0, dt=0.005, seed=1)
    assert none.rate_interval[0] == 0.0 < none.rate_interval[1]


# -- bits ------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def back_to_the_first_isa(restore_isa: None) -> None:
    """Tests below switch instruction sets."""


CASES = [
    (ea.models.PowerLaw(1.0, 0.2, 0.5), "lamperti-heun", 0.1, ends(-1.0, 1.2)),
    (ea.models.PowerLaw(1.0, 0.2, 0.5), "platen", 0.1, ends(-1.0, 1.2)),
    (ea.models.BalancedNetwork(1, 2, 0.15), "adaptive-lamperti-heun", 0.8, ends(0.5, 1.2)),
    (NETWORK, "euler-maruyama", 0.6, list(ea.Ball(np.zeros(4), 1.4).boundaries())),
    (NETWORK, "adaptive-milstein", 0.6, list(ea.Ball(np.zeros(4), 1.4).boundaries())),
    (ea.models.DoubleWell(1.0, 0.5), "lamperti-heun", -0.9, ends(-1.6, 0.5)),
]


@pytest.mark.parametrize("case", range(len(CASES)))
@pytest.mark.parametrize(
    ("dtype", "noise"), list(itertools.product(("float64", "float32"), ("float32", "float64")))
)
def test_same_bits_however_it_is_run(case: int, dtype: str, noise: str) -> None:
    model, scheme, x0, boundaries = CASES[case]
    n, dt = 1500, 0.05
    kind = {"dtype": dtype, "noise": noise}

    def outcome(done: FirstPassage) -> list[np.ndarray]:
        return [done.time, done.side, done.x]

    whole = outcome(batch(model, scheme, boundaries, n, x0, dt, threads=1, **kind).run(300))
    assert 100 < np.count_nonzero(whole[1] >= 0)
    for isa in _core.supported_isas():
        _core.set_isa(isa)
        cut = batch(model, scheme, boundaries, n, x0, dt, threads=2, **kind)
        for end in (1, 7, 16, 100, 101, 300):
            cut.run(end)
        for a, b in zip(whole, outcome(cut), strict=True):
            assert a.tobytes() == b.tobytes(), isa


@MODEST
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=40, unique=True), st.integers(0, 5))
def test_a_particle_does_not_know_its_company(ids: list[int], case: int) -> None:
    model, scheme, x0, boundaries = CASES[case]
    given = np.array(ids, dtype=np.uint64)
    together = batch(model, scheme, boundaries, len(ids), x0, 0.05, ids=given).run(200)
    for i in {0, len(ids) // 2, len(ids) - 1}:
        alone = batch(model, scheme, boundaries, 1, x0, 0.05, ids=given[i : i + 1]).run(200)
        assert alone.time.tobytes() == together.time[i : i + 1].tobytes()
        assert alone.x.tobytes() == together.x[i : i + 1].tobytes()


# -- the rest --------------------------------------------------------------------------------------


def test_peaks_are_the_closest_values_at_ends_of_steps() -> None:
    model, n, dt = ea.models.PowerLaw(1.0, 0.2, 0.5), 100, 0.1
    for scheme, sign in (("euler-maruyama", 1.0), ("lamperti-heun", -1.0)):
        far = [Boundary("coordinate", 50.0 * sign, sign, test="endpoint")]
        told = batch(model, scheme, far, n, 0.1, dt, noise="float64", peak_of=0).run(30)
        ens = ea.Ensemble(model, n, 0.1, seed=2**50 + 3, noise="float64")
        best = np.full(n, -np.inf)
        for _ in range(30):
            ens.run(steps=1, dt=dt, scheme=scheme)
            best = np.maximum(best, sign * ens.x)
        np.testing.assert_allclose(told.highest, sign * best, rtol=1e-13)


def test_lost_particles_are_told_and_no_more_followed() -> None:
    model = ea.models.BalancedNetwork(1, 1, 0.3)  # v < 0 is outside its domain
    done = batch(model, "euler-maruyama", ends(-np.inf, 2.0), 300, 0.5, 0.1).run(500)
    lost = done.side == LOST
    assert 10 < np.count_nonzero(lost)
    assert np.all(np.isnan(done.time[lost]))
    assert done.alive == 300 - np.count_nonzero(lost) - np.count_nonzero(done.side >= 0)


def test_retired_particles_are_out_at_the_time_they_were_taken() -> None:
    done = batch(BROWNIAN, "euler-maruyama", ends(-np.inf, 50.0), 10, 0.0, 0.5).run(4)
    who = done.slots[[2, 5]]
    x = done.living[[2, 5]]
    done.retire([2, 5], 7)
    assert done.alive == 8 and np.array_equal(done.x[who], x)
    assert np.all(done.side[who] == 7) and np.all(done.time[who] == 2.0)
    done.run(8)
    assert np.array_equal(done.x[who], x)
    with pytest.raises(IndexError):
        done.retire([8], 0)


def test_work_counts_the_steps_of_the_living() -> None:
    done = batch(BROWNIAN, "euler-maruyama", ends(-1.0, 1.0), 5000, 0.0, 0.01).run()
    lived = np.ceil(done.time / 0.01).sum()
    assert lived <= done.particle_steps < 1.3 * lived  # taken out after each block of 16 steps


def test_a_lost_particle_hides_nobody() -> None:
    """Particle 0 is lost at once; those in the same lane of later packs still meet the boundary."""
    model, n = ea.models.BalancedNetwork(1, 1, 0.1), 256
    x0 = np.full(n, 1.0)
    x0[0] = -1.0  # outside the domain: nan after a step
    start = FirstPassage(
        model,
        "euler-maruyama",
        ends(-np.inf, 1.05, "endpoint"),
        x0,
        dt=0.01,
        seed=3,
        ids=np.arange(n, dtype=np.uint64),
    ).run(400)
    alone = FirstPassage(
        model,
        "euler-maruyama",
        ends(-np.inf, 1.05, "endpoint"),
        x0[1:],
        dt=0.01,
        seed=3,
        ids=np.arange(1, n, dtype=np.uint64),
    ).run(400)
    assert start.side[0] == LOST
    assert np.array_equal(start.time[1:], alone.time, equal_nan=True)
    assert np.count_nonzero(alone.side == 0) > 100
