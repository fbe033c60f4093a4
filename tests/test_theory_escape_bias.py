"""Exact mean first-passage times of discretised chains: tables, closed forms, simulation."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from escape_exact import mean_time
from hypothesis import given, settings
from hypothesis import strategies as st

from escapade import exact, models, theory
from escapade.exact import Diffusion
from escapade.theory import _chain_solver as solver

POWER_LAW = models.PowerLaw(1.0, 0.2, 0.5, 1.0), 0.0, 1.0, 27.568177145229367
TO_TOP = models.DoubleWell(2.0, 1.0), -1.0, 0.0, 10**0.36234481448792194
BEYOND = models.DoubleWell(2.0, 1.0), -1.0, 0.8, 10**0.6902148173788323
EULER, LAMPERTI, HEUN = "euler-maruyama", "lamperti-euler", "lamperti-heun"

# relative bias in %, as printed; the column of Heun and bridge has a test of its own
TABLE = [
    (POWER_LAW, EULER, "endpoint", [67.007, 49.916, 35.875, 25.481, 18.023]),
    (POWER_LAW, EULER, "bridge", [-10.897, -5.179, -2.488, -1.201, -0.582]),
    (POWER_LAW, EULER, "shift", [-25.176, -13.423, -6.988, -3.584, -1.822]),
    (POWER_LAW, LAMPERTI, "endpoint", [55.197, 45.068, 33.886, 24.642, 17.658]),
    (POWER_LAW, LAMPERTI, "bridge", [-22.369, -12.301, -6.509, -3.368, -1.720]),
    (POWER_LAW, HEUN, "shift", [0.932, 0.210, 0.050, 0.015, 0.006]),
    (TO_TOP, EULER, "endpoint", [17.393, 15.223, 11.730, 8.668, 6.287]),
    (TO_TOP, EULER, "bridge", [-9.502, -3.847, -1.667, -0.753, -0.351]),
    (TO_TOP, LAMPERTI, "bridge", [-9.502, -3.847, -1.667, -0.753, -0.351]),
    (TO_TOP, EULER, "shift", [-8.646, -3.472, -1.512, -0.689, -0.324]),
    (TO_TOP, HEUN, "shift", [-0.686, -0.036, 0.026, 0.020, 0.012]),
    (BEYOND, EULER, "endpoint", [-2.98, -0.29, 0.41, 0.54, 0.49]),
    (BEYOND, EULER, "bridge", [-5.51, -2.19, -0.99, -0.47, -0.23]),
]
PRINTED_HEUN_BRIDGE = [
    (POWER_LAW, [0.458, 0.138, 0.038, 0.010, 0.002]),
    (TO_TOP, [-0.790, -0.106, -0.015, -0.002, 0.0]),
    (BEYOND, [-0.633, -0.077, -0.009, -0.001, 0.0]),
]


def steps(problem: Any) -> list[float]:
    first = 0.2 if problem is POWER_LAW else 0.02
    return [first / 2**i for i in range(5)]


def bias(problem: Any, dt: float, scheme: str, test: str) -> float:
    process, start, upper, exact = problem
    mean = theory.chain_passage_time(
        process, dt, start=start, upper=upper, scheme=scheme, test=test
    )
    return 100 * (mean / exact - 1)


@pytest.mark.parametrize(("problem", "scheme", "test", "want"), TABLE)
def test_table(problem: Any, scheme: str, test: str, want: list[float]) -> None:
    digits = 2 if problem is BEYOND else 3
    for dt, value in zip(steps(problem), want, strict=True):
        assert abs(bias(problem, dt, scheme, test) - value) < 1.02 * 10**-digits


@pytest.mark.parametrize(("problem", "printed"), PRINTED_HEUN_BRIDGE)
def test_heun_with_bridge(
    problem: Any, printed: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed column took the time within a step from a constant drift; then it is met.

    The bridge to where Heun's step ends, which a simulation draws, differs by O(dt^3) of it.
    """
    real = [bias(problem, dt, HEUN, "bridge") for dt in steps(problem)]
    fine = slice(1, None) if problem is POWER_LAW else slice(0, 3)
    orders = np.diff(np.log2(np.abs(real[fine])))
    assert (orders < -1.8).all()
    assert np.abs(np.array(real) - printed).max() < 0.035

    spent, rule = solver._spent, solver._normal_rule

    def frozen(chain: Any, y: Any, gaps: Any, weight: Any, cuts: Any) -> Any:
        f = chain.process.drift
        drift = 0.5 * (f(y) + f(y + f(y) * chain.dt))
        at = chain.process._replace(drift=lambda x: np.broadcast_to(drift, x.shape[::-1]).T)
        euler = chain._replace(process=at, heun=False)
        low, high = (
            np.clip((end - y - drift * chain.dt) / math.sqrt(chain.dt), -8.6, 8.6)
            for end in (chain.lower, chain.upper)
        )
        z, weight = rule(low, high, 8)
        after = (y + drift * chain.dt)[:, None] + math.sqrt(chain.dt) * z
        return spent(_Stepped(euler, drift), y, solver._gaps(chain, y, after), weight, (low, high))

    monkeypatch.setattr(solver, "_spent", frozen)
    for dt, value in zip(steps(problem), printed, strict=True):
        assert abs(bias(problem, dt, HEUN, "bridge") - value) < 1.02e-3


class _Stepped:
    """A chain with the drift frozen at every state."""

    def __init__(self, chain: Any, drift: Any) -> None:
        self._chain, self._drift = chain, drift

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def step(self, y: Any, z: Any) -> Any:
        return y + self._drift[:, None] * self._chain.dt + math.sqrt(self._chain.dt) * z


def one(x: Any) -> Any:
    return np.ones(np.shape(x))


@pytest.mark.parametrize("scheme", theory.chain_passage.CHAIN_SCHEMES)
@pytest.mark.parametrize(("mu", "dt"), [(1.0, 0.5), (0.3, 0.1), (2.0, 0.003)])
def test_the_bridge_is_exact_for_brownian_motion_with_drift(
    scheme: str, mu: float, dt: float
) -> None:
    process = Diffusion(lambda x: mu * one(x), one)
    got = theory.chain_passage_time(process, dt, start=0.2, upper=1.7, scheme=scheme)
    assert got == pytest.approx(1.5 / mu, rel=1e-7)
    down = Diffusion(lambda x: -mu * one(x), one)
    got = theory.chain_passage_time(down, dt, start=-0.2, lower=-1.7, scheme=scheme)
    assert got == pytest.approx(1.5 / mu, rel=1e-7)
    naive = theory.chain_passage_time(
        process, dt, start=0.2, upper=1.7, scheme=scheme, test="endpoint"
    )
    assert naive > 1.01 * 1.5 / mu


def test_an_interval() -> None:
    brown = Diffusion(lambda x: 0.0 * x, lambda x: 2.0)
    for start in (0.0, 0.9):
        got = theory.chain_passage_time(
            brown, 1e-3, start=start, lower=-1.0, upper=1.0, scheme=EULER
        )
        assert got == pytest.approx((1 - start**2) / 4, rel=1e-7)
    # what the literature measured for end points on (-1, 1), noise 1, dt 0.04, 0.01, 0.0025
    unit = Diffusion(lambda x: 0.0, one)
    for dt, want in ((0.04, 1.255), (0.01, 1.124), (0.0025, 1.063)):
        got = theory.chain_passage_time(
            unit, dt, start=0.0, lower=-1.0, upper=1.0, scheme=EULER, test="endpoint"
        )
        assert got == pytest.approx(want, abs=0.007)
        assert got == pytest.approx((1 + theory.SHIFT * math.sqrt(dt)) ** 2, rel=1e-2)
    exact = theory.power_law_exit_time(1.0, 0.2, 0.5, 1.0)
    fine = theory.chain_passage_time(POWER_LAW[0], 0.01, start=0.0, lower=-1.0, upper=1.0)
    assert fine == pytest.approx(exact, rel=1e-4)


def test_from_a_shallow_well_into_a_deep_one() -> None:
    """``2 V`` has a barrier of 4 seen from the start and of 54 seen from the end of the passage."""

    def drift(x: Any) -> Any:
        return -4 * 13.0 * x * (x * x - 1) + 14.0

    want = mean_time(drift, one, -2.5, -0.82, 0.9)
    got = theory.chain_passage_time(Diffusion(drift, one), 1e-4, start=-0.82, upper=0.9)
    assert got == pytest.approx(want, rel=1e-4)
    near = theory.chain_passage_time(
        Diffusion(drift, one), 1e-4, start=-0.82, upper=0.9, reach=-2.0
    )
    assert near == pytest.approx(got, rel=1e-8)


def test_euler_against_a_matrix_on_a_fine_grid() -> None:
    """Simpson's rule on 1500 points, which share nothing with the collocation."""
    dt, x = 0.1, np.linspace(-1.0, 1.5, 1501)

    def noise(x: Any) -> Any:
        return np.sqrt(0.2 + 0.5 * x * x)

    scale = noise(x)[:, None] * math.sqrt(dt)
    kernel = np.exp(-0.5 * ((x - (x - x**3 * dt)[:, None]) / scale) ** 2)
    simpson = np.where(np.arange(x.size) % 2, 4.0, 2.0) * (x[1] - x[0]) / 3
    simpson[[0, -1]] *= 0.5
    kernel *= simpson / (scale * math.sqrt(2 * math.pi))
    want = dt * np.linalg.solve(np.eye(x.size) - kernel, np.ones(x.size))[600]
    got = theory.chain_passage_time(
        Diffusion(lambda x: -(x**3), noise),
        dt,
        start=0.0,
        lower=-1.0,
        upper=1.5,
        scheme=EULER,
        test="endpoint",
    )
    assert got == pytest.approx(want, rel=1e-7)


@pytest.mark.parametrize(
    ("model", "start", "upper"),
    [
        (models.PowerLaw(1.0, 0.2, 0.5, 1.0, 0.2), 0.0, 1.0),
        (models.TwoParabolaWell(), -0.8, 0.1),
        (models.BalancedNetwork(1, 1, 0.1), 0.3, 0.9),
    ],
)
def test_heun_and_bridge_tend_to_the_diffusion(model: Any, start: float, upper: float) -> None:
    want = exact.mean_exit_time(model, start, b=upper)
    got = theory.chain_passage_time(model, 1e-3, start=start, upper=upper)
    assert got == pytest.approx(want, rel=1e-5)
    rough = theory.chain_passage_time(model, 1e-3, start=start, upper=upper, scheme=EULER)
    assert abs(rough / want - 1.0) > 1e-4  # it can tell


@settings(derandomize=True, deadline=None, max_examples=15)
@given(
    st.floats(0.2, 3.0),
    st.floats(0.1, 1.0),
    st.floats(0.01, 0.1),
    st.sampled_from(["bridge", "shift", "endpoint"]),
    st.sampled_from(theory.chain_passage.CHAIN_SCHEMES),
)
def test_mirror_images_and_scales(
    theta: float, sigma: float, dt: float, test: str, scheme: str
) -> None:
    up = models.OrnsteinUhlenbeck(theta, 0.3, sigma)
    down = models.OrnsteinUhlenbeck(theta, -0.3, sigma)
    kind = {"scheme": scheme, "test": test}
    got = theory.chain_passage_time(up, dt, start=0.3, upper=0.3 + sigma, **kind)
    mirror = theory.chain_passage_time(down, dt, start=-0.3, lower=-0.3 - sigma, **kind)
    assert mirror == pytest.approx(got, rel=1e-7)
    unit = models.OrnsteinUhlenbeck(theta, 0.0, 1.0)
    scaled = theory.chain_passage_time(unit, dt, start=0.0, upper=1.0, **kind)
    assert scaled == pytest.approx(got, rel=1e-6)


def test_simulation_in_numpy() -> None:
    """Euler-Maruyama with end points and with bridge, 2e4 paths: 4 standard errors (1e-4 of seeds)."""
    rng, dt, n = np.random.default_rng(11), 0.05, 20_000
    for test in ("endpoint", "bridge"):
        u, times, alive = np.zeros(n), np.zeros(n), np.arange(n)
        while alive.size:
            a = 0.2 + 0.5 * u * u
            v = u - u * dt + np.sqrt(a * dt) * rng.standard_normal(u.size)
            times[alive] += dt
            out = v >= 1.0
            if test == "bridge":
                gap = np.maximum(1.0 - v, 0.0) * (1.0 - u)
                out |= rng.random(u.size) < np.exp(-2.0 * gap / (a * dt))
                z = rng.wald((1.0 - u) / np.abs(1.0 - v), (1.0 - u) ** 2 / (a * dt))
                times[alive[out]] += dt * (z / (1.0 + z) - 1.0)[out]
            u, alive = v[~out], alive[~out]
        process, start, upper, exact = POWER_LAW
        want = theory.chain_passage_time(
            process, dt, start=start, upper=upper, scheme=EULER, test=test
        )
        error = times.std() / math.sqrt(n)
        assert abs(times.mean() - want) < 4 * error
        if test == "endpoint":
            assert abs(times.mean() - exact) > 10 * error  # it can tell


def test_predicted_bias() -> None:
    assert theory.SHIFT == pytest.approx(
        float(-mpmath.zeta(0.5) / mpmath.sqrt(2 * mpmath.pi)), 1e-16
    )
    assert theory.SHIFT == pytest.approx(0.58259715793901, abs=1e-14)
    # |T'(B)| = s'(B) M(B) of the power law, kappa = 3
    z = np.linspace(-4000.0, 1.0, 4_000_001)
    density = (1 + 2.5 * z * z) ** -3 * 2 / 0.2
    slope = (1 + 2.5) ** 2 * float(((density[1:] + density[:-1]) * 0.5 * np.diff(z)).sum())
    got = theory.endpoint_bias(0.05, math.sqrt(0.7), slope, POWER_LAW[3])
    assert got == pytest.approx(0.358, abs=6e-4)
    small = [bias(POWER_LAW, dt, HEUN, "endpoint") / 100 for dt in (4e-3, 1e-3)]
    rough = [theory.endpoint_bias(dt, math.sqrt(0.7), slope, POWER_LAW[3]) for dt in (4e-3, 1e-3)]
    assert np.abs(np.array(small) / rough - 1).max() < 0.1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dt": 0.0}, ValueError, "dt must be greater than 0"),
        ({"start": 1.0}, ValueError, "start must lie strictly between"),
        ({"upper": math.inf}, ValueError, "of which one is finite"),
        ({"process": models.LossCoupledWell()}, ValueError, "a coordinate in which its noise is 1"),
        ({"process": models.BalancedNetwork(), "lower": -1.0}, ValueError, "lower must lie within"),
        ({"test": "none"}, ValueError, "test must be one of"),
        ({"scheme": "milstein"}, ValueError, "scheme must be one of"),
        ({"process": 3}, TypeError, "process must be a model"),
        ({"process": Diffusion(lambda x: -x, lambda x: 2.0)}, ValueError, "diffusion 1"),
        ({"process": Diffusion(lambda x: -x, lambda x: 0.0 * x)}, ValueError, "must have noise"),
        ({"process": Diffusion(lambda x: -one(x), one)}, ValueError, "must return from infinity"),
        ({"process": models.DoubleWell([1.0, 2.0], 1.0)}, ValueError, "sweep"),
        ({"dt": 1.0, "start": 0.8, "test": "shift"}, ValueError, "within the shifted ends"),
        (
            {"process": models.DoubleWell(40.0, 1.0), "dt": 1e-3, "start": -1.0},
            ValueError,
            "at most 1e9 steps",
        ),
        ({"reach": 0.5}, ValueError, "reach must lie beyond start"),
    ],
)
def test_bad_input(change: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"process": POWER_LAW[0], "dt": 0.01, "start": 0.0, "upper": 1.0}
    with pytest.raises(error, match=message):
        theory.chain_passage_time(**{**arguments, **change})
