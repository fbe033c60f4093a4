"""One step and a few: the engine against numpy, and the moments of a step against the equation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from models_table import CASES, PAIRS, STEPS, Case, allowed_fraction, maps, one_step
from numpy.polynomial.hermite_e import hermegauss

import escapade as ea

N = 1_000_000
SUBSTEP_BLOCKS = 1 << 16
SMALLEST_SUBSTEP = 1 / (1 << 17)  # of dt


def each_pair(test: Any) -> Any:
    return pytest.mark.parametrize(("label", "scheme"), PAIRS)(test)


# -- the same normals, number by number ------------------------------------------------------------


def start_points(case: Case, n: int) -> np.ndarray:
    low, high = min(case.starts), max(case.starts)
    return np.linspace(low, high, n)


def follow(
    case: Case, scheme: str, x: np.ndarray, z: np.ndarray, h: float, seed: int, noise: str
) -> np.ndarray:
    """Return ``x`` after ``len(z)`` steps, in numpy, substeps of adaptive schemes included."""
    to, back = maps(case, scheme)
    step, adaptive = STEPS[scheme], ea.schemes.get(scheme).adaptive
    reach = 1.0  # at the smallest substep v moves by a factor e at most, in any coordinate
    if ea.schemes.get(scheme).coordinate == "lamperti" and adaptive:
        reach = 0.25 / math.sqrt(case.model.params["T"] * case.model.params["data"].alpha3)
    per_block = 4 if noise == "float32" else 2
    y = to(x)
    with np.errstate(all="ignore"):
        for k, normals in enumerate(z):
            left = np.ones_like(y)
            draws, used = normals, 0
            while np.any(left > 0):
                if adaptive:
                    allowed = np.maximum(allowed_fraction(case, back(y)), SMALLEST_SUBSTEP)
                    take = np.minimum(allowed, left)
                else:
                    take = left
                moved = step(case, y, np.sqrt(take * h) * draws, take * h)
                if adaptive:
                    limited = y + np.clip(moved - y, -reach, reach)
                    moved = np.where(take <= SMALLEST_SUBSTEP, limited, moved)
                if case.positive and not adaptive:
                    moved = np.where(back(moved) > 0, moved, np.nan)
                y = np.where(left > 0, moved, y)
                left = left - take
                left = np.where(left > SMALLEST_SUBSTEP / 2, left, 0.0)
                block = k * SUBSTEP_BLOCKS + used // per_block
                pool = ea._core.normals(y.size, per_block, seed, 2, block=block, noise=noise)
                draws, used = pool[used % per_block].astype(float), used + 1
    return back(y)


@pytest.mark.parametrize("noise", ["float64", "float32"])
@pytest.mark.parametrize("steps", [1, 6])
@each_pair
def test_engine_equals_numpy(label: str, scheme: str, steps: int, noise: str) -> None:
    """Deterministic: one step and six, from 1000 starts. Particles that leave v > 0 are nan in both."""
    case, n, seed, h = CASES[label], 1000, 11, 8 * CASES[label].dt
    x = start_points(case, n)
    ens = ea.Ensemble(case.model, n, x, seed=seed, noise=noise)
    ens.run(steps=steps, dt=h, scheme=scheme, on_bad="ignore")
    z = ea._core.normals(n, steps, seed, noise=noise).astype(float)
    expected = follow(case, scheme, x, z, h, seed, noise)
    assert np.mean(np.isnan(expected)) < 0.05
    # excursions to large v over tens of substeps multiply rounding errors by up to 1e4
    rtol = 1e-9 if ea.schemes.get(scheme).adaptive else 2e-13
    thrown = np.abs(expected) > 1e6  # an explicit scheme's runaways multiply rounding errors too
    assert np.mean(thrown) < 0.02
    np.testing.assert_allclose(ens.x[thrown], expected[thrown], rtol=1e-9)
    scale = np.nanmax(np.abs(expected[~thrown]))
    np.testing.assert_allclose(ens.x[~thrown], expected[~thrown], rtol=rtol, atol=2e-14 * scale)


def test_substeps_are_compared_too() -> None:
    """The comparison above must include steps that adaptive schemes cut."""
    for label, scheme in PAIRS:
        if ea.schemes.get(scheme).adaptive and label in ("network 1", "network 2 wide"):
            case = CASES[label]
            x = np.linspace(0.3, 6.0, 1000)
            h = 8 * case.dt
            ens = ea.Ensemble(case.model, x.size, x, seed=5, noise="float64")
            ens.run(steps=3, dt=h, scheme=scheme)
            assert ens.report().substeps_per_step > 0.5
            z = ea._core.normals(x.size, 3, 5, noise="float64")
            expected = follow(case, scheme, x, z, h, 5, "float64")
            np.testing.assert_allclose(ens.x, expected, rtol=1e-9)


@each_pair
def test_coarsened_step_equals_numpy(label: str, scheme: str) -> None:
    """Deterministic: one step with coarsen=5 has the sum of five draws as its increment."""
    if scheme == "exact":
        with pytest.raises(ValueError, match="coarsen must be 1 for scheme 'exact'"):
            ea.Ensemble(CASES[label].model, 2, 1.0).run(steps=1, dt=0.1, scheme=scheme, coarsen=5)
        return
    case, n, seed, h = CASES[label], 256, 3, 4 * CASES[label].dt
    x = np.full(n, case.starts[1])  # no start from here is cut by an adaptive scheme
    assert not ea.schemes.get(scheme).adaptive or allowed_fraction(case, x)[0] == 1
    ens = ea.Ensemble(case.model, n, x, seed=seed, noise="float64")
    ens.run(steps=1, dt=h, scheme=scheme, coarsen=5)
    z = ea._core.normals(n, 5, seed, noise="float64").sum(axis=0) / math.sqrt(5)
    np.testing.assert_allclose(ens.x, one_step(case, scheme, x, z, h), rtol=2e-13, atol=1e-14)


# -- moments of one step (Kramers and Moyal) -------------------------------------------------------

NODES, WEIGHTS = hermegauss(120)
KEEP = np.abs(NODES) < 8.5
NODES, WEIGHTS = NODES[KEEP], WEIGHTS[KEEP] / WEIGHTS[KEEP].sum()


def gauss(values: np.ndarray) -> float:
    """Return the expectation over the normal at which ``values`` is known at ``NODES``."""
    return float(np.sum(WEIGHTS * values))


def exact_moments(case: Case, scheme: str, x: float, h: float, highest: int) -> np.ndarray:
    """Return E (x' - x)^k, k = 0 .. highest, of one step of the scheme from ``x``."""
    d = one_step(case, scheme, np.full(NODES.size, x), NODES, h) - x
    return np.array([gauss(d**k) for k in range(highest + 1)])


def z_scores(d: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return z-scores of the first four moments of ``d``, whose exact moments to 8 are given."""
    measured = np.array([np.mean(d**k) for k in range(1, 5)])
    spread = np.sqrt((expected[2::2] - expected[1:5] ** 2) / d.size)
    return (measured - expected[1:5]) / spread


@each_pair
def test_moments_of_a_step(label: str, scheme: str) -> None:
    """Moments 1 to 4 of a million steps from each start, against those of the scheme, exactly.

    Bound |z| < 5 for 12 moments: fails for 7e-6 of all seeds, per model and scheme; 4e-4 in all.
    The bound that counts is the next test's, which ties these moments to drift and noise.
    """
    case = CASES[label]
    for i, x in enumerate(case.starts):
        if ea.schemes.get(scheme).adaptive:
            assert allowed_fraction(case, np.array(x)) == 1
        ens = ea.Ensemble(case.model, N, x, seed=100 + i, noise="float64")
        ens.run(steps=1, dt=case.dt, scheme=scheme)
        z = z_scores(ens.x - x, exact_moments(case, scheme, x, case.dt, 8))
        assert np.all(np.abs(z) < 5), (x, z)


@each_pair
def test_first_and_second_moment_are_drift_and_noise(label: str, scheme: str) -> None:
    """E dx/h -> a, E dx^2/h -> b^2, E |dx|^3/h -> 0, E dx^4/h -> 0 as h -> 0: no chance involved.

    Errors of the first two fall like h: after one Richardson step like h^2.
    """
    case = CASES[label]
    for x in case.starts:
        a, b2 = float(case.a(np.array(x))), float(case.b(np.array(x))) ** 2
        h = case.dt / 64
        coarse, fine = (exact_moments(case, scheme, x, g, 4) / g for g in (h, h / 2))
        first, second = (2 * fine - coarse)[1:3]
        scale = abs(a) + b2 / (abs(x) + 1)
        assert abs(first - a) < 1e-6 * scale + 2e-9, (x, first, a)
        assert abs(second - b2) < 1e-6 * b2 + 1e-9, (x, second, b2)
        assert abs(fine[3]) < 0.6 * abs(coarse[3]) + 1e-12
        assert abs(fine[4]) < 0.6 * abs(coarse[4])
        assert abs(fine[4] / (h / 2) - 3 * b2**2) < 0.02 * 3 * b2**2


def drift_and_noise(case: Case, scheme: str, x: float, h: float, seed: int) -> np.ndarray:
    """Return estimates of a and b^2 from a million steps, and their standard errors.

    The noise at the left end, b dW, has mean 0 and is subtracted from the step: what is left has a
    variance of order h^2, so the drift is known to a part in a thousand.
    """
    ens = ea.Ensemble(case.model, N, x, seed=seed, noise="float64")
    ens.run(steps=1, dt=h, scheme=scheme)
    dw = math.sqrt(h) * ea._core.normals(N, 1, seed, noise="float64")[0]
    sign = 1.0
    if ea.schemes.get(scheme).coordinate == "lamperti":
        sign = case.lamperti[2]
    d = ens.x - x
    rest = (d - sign * float(case.b(np.array(x))) * dw) / h
    square = d**2 / h
    return np.array([[v.mean(), v.std() / math.sqrt(N)] for v in (rest, square)])


def extrapolated(case: Case, scheme: str, x: float, seed: int) -> np.ndarray:
    """Return a and b^2 of the engine's step as h -> 0, and their standard errors."""
    coarse = drift_and_noise(case, scheme, x, case.dt, seed)
    fine = drift_and_noise(case, scheme, x, case.dt / 2, seed)  # with the same normals
    return np.array([2 * fine[:, 0] - coarse[:, 0], 2 * fine[:, 1] + coarse[:, 1]])


@each_pair
def test_engine_step_has_the_ito_drift_and_noise(label: str, scheme: str) -> None:
    """Straight from the engine: estimates of a and b^2 at h and h/2, extrapolated to h = 0.

    The standard error is an upper bound, 3 to 7 parts in a thousand. Bound 4.5 of them, and 1e-4 or
    h^2 |a|^3 (taming) for what is left of order h^2; fails for less than 4e-5 of all seeds per
    model and scheme.
    """
    case = CASES[label]
    for i, start in enumerate(case.starts):
        x = np.array(start)
        exact = np.array([case.a(x), case.b(x) ** 2], dtype=float)
        value, error = extrapolated(case, scheme, start, 7 + i)
        allowed = (
            4.5 * error + 1e-4 * (1 + abs(exact[0]) + exact[1]) + case.dt**2 * abs(exact[0]) ** 3
        )
        assert np.all(np.abs(value - exact) < allowed), (start, value, exact, error)


@pytest.mark.parametrize("label", ["PowerLaw", "network 1", "GeometricBrownianMotion", "Pitchfork"])
def test_control_a_stratonovich_reading_is_rejected(label: str) -> None:
    """Negative control: with the noise-induced drift b b'/2 left in, the same test must fail."""
    case, x = CASES[label], CASES[label].starts[2]
    wrong = float(case.a(np.array(x)) + case.bb(np.array(x)) / 2)
    for scheme in case.schemes:
        value, error = extrapolated(case, scheme, x, 9)
        allowed = 4.5 * error[0] + 1e-4 * (1 + abs(wrong) + float(case.b(np.array(x))) ** 2)
        assert abs(value[0] - wrong) > 2 * allowed


@pytest.mark.parametrize("error", [0.98, 1.02])
def test_control_noise_off_by_two_percent_is_rejected(error: float) -> None:
    """Negative control for the test of moments: 2% in sigma_H must fail it."""
    case = CASES["PowerLaw"]
    p = case.model.params
    wrong = ea.models.PowerLaw(**{**p, "sigma_H": error * p["sigma_H"]})
    x = case.starts[0]
    ens = ea.Ensemble(wrong, N, x, seed=4, noise="float64")
    ens.run(steps=1, dt=case.dt, scheme="milstein")
    z = z_scores(ens.x - x, exact_moments(case, "milstein", x, case.dt, 8))
    assert abs(z[1]) > 8
