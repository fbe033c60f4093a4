"""Diagonal linear networks: temperatures, phases, tails, moments and passage times."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, linalg, special

import escapade as ea
from escapade import data, laws, theory

GAUSS, BINARY = data.gaussian(1.0, 1.0), data.binary(1.0, 0.8)
MODEST = settings(derandomize=True, deadline=None, max_examples=40)
SMALL = st.floats(0.05, 2.0)


def law_of(depth: int, T: float, m: data.DataMoments, gamma: float = 0.0) -> laws.Law:
    return ea.models.BalancedNetwork(depth, 1, T, m, gamma).stationary()


def test_temperatures_of_standard_data() -> None:
    assert theory.critical_temperature(GAUSS) == pytest.approx(1 / 3)
    assert theory.critical_temperature(BINARY, 0.36) == pytest.approx(1.0)
    assert theory.t_star(GAUSS) == pytest.approx((4 + math.sqrt(42)) / (4 * 13), rel=1e-12)
    assert theory.t_star(GAUSS) == pytest.approx(0.20155, abs=5e-6)
    for T, want in ((0.1, 0.82), (0.2, 0.133), (0.25, 0.042), (0.3, 0.0056), (0.33, 5e-5)):
        assert theory.relaxation_rate(GAUSS, T) == pytest.approx(want, rel=0.02)
    assert theory.log_drift_slope(GAUSS, 0.5) == pytest.approx(-2.0)
    assert theory.modified_law_critical_temperature(GAUSS) == pytest.approx(0.25)
    assert theory.modified_law_tail_exponent(GAUSS) == pytest.approx(-4.25)
    assert theory.modified_law_tail_exponent(BINARY) == -math.inf


def test_the_same_formulas_are_in_laws() -> None:
    assert theory.critical_temperature(GAUSS, 0.1) == laws.critical_temperature(1.0, 3.0, 0.1)
    assert theory.t_star(GAUSS) == laws.t_star(1.0, 1.0, 2.0, 2.0, 3.0)
    assert theory.depth1_mode(GAUSS, 0.1) == laws.depth1_mode(0.1, 1.0, 1.0, 2.0, 2.0, 3.0)
    assert theory.relaxation_rate(GAUSS, 0.1) == laws.relaxation_rate(0.1, 1.0, 3.0)
    got = theory.depth0_euler_maruyama_variance(GAUSS, 0.1, 0.05)
    assert got == laws.depth0_euler_maruyama_variance(0.1, 0.05, 1.0, 1.0, 2.0, 2.0, 3.0)
    k = data.interpolating(0.9)
    got = theory.absorption_probability(k, 0.8, 0.4)
    assert got == pytest.approx(laws.absorption_probability(0.4, 0.9, 0.8, 2.0, 1.0), rel=1e-14)


def test_functions_run_over_sweeps_and_arrays() -> None:
    s = np.array([0.5, 1.0, 2.0])
    sweep, T = data.gaussian(1.0, s), np.array([[0.01], [0.02]])
    got = theory.relaxation_rate(sweep, T)
    assert got.shape == (2, 3)
    assert got[1, 2] == theory.relaxation_rate(data.gaussian(1.0, 2.0), 0.02)
    assert np.allclose(theory.critical_temperature(sweep), 1 / (2 + s * s))
    square = data.gaussian([[0.5], [1.0]], s)
    got = theory.balance_rate(square, 0.1, 0.0, [1.0, 2.0, 3.0])
    assert got[1, 2] == theory.balance_rate(square[1, 2], 0.1, 0.0, 3.0)
    assert np.allclose(theory.tail_exponent(0, GAUSS, [0.1, 0.2]), [-7.0, -4.5])
    with pytest.raises(ValueError, match=r"T of shape \(2,\) and data of shape \(3,\)"):
        theory.relaxation_rate(sweep, [0.1, 0.2])


def test_phases() -> None:
    names = {T: theory.phase(GAUSS, T).name for T in (0.0, 0.1, 0.15, 0.25, 0.34, 2.0)}
    assert list(names.values()) == ["III", "III", "IIb", "IIa", "Ia", "Ia"]
    assert theory.phase(GAUSS, 0.15).roman == "II" and theory.phase(GAUSS, 0.15).has_peak
    assert "diverges" in theory.phase(GAUSS, 0.25).text and not theory.phase(GAUSS, 0.25).has_peak
    sharp = data.gaussian(1.0, 0.5)  # s^2 < 8 k^2/21: the formal peak outlives Tc
    assert theory.phase(sharp, 1.01 * theory.critical_temperature(sharp)).name == "Ib"
    assert theory.phase(data.binary(1.0, 1.0), 0.5).name == "IIa"
    assert theory.phase(data.gaussian(-1.0, 1.0), 1e-9).roman == "I"
    with pytest.raises(ValueError, match="depth must be 1, got 2: only depth 1 has phases"):
        theory.phase(GAUSS, 0.1, depth=2)
    with pytest.raises(ValueError, match="must not be interpolated"):
        theory.phase(data.interpolating(), 0.1)
    assert theory.phase(data.interpolating(), 0.1, gamma=0.1).name == "III"
    with pytest.raises(ValueError, match="single data set, got a sweep"):
        theory.phase(data.gaussian(1.0, [1.0, 2.0]), 0.1)


@MODEST
@given(st.floats(0.2, 2.0), st.floats(0.5, 2.0), st.floats(0.02, 0.98))
def test_a_phase_says_what_the_law_does(k: float, s: float, share: float) -> None:
    m = data.gaussian(k, s)
    t_c = theory.critical_temperature(m)
    assume(abs(3.0 * share - 1.0) > 1e-3 and abs(share * t_c / theory.t_star(m) - 1.0) > 1e-3)
    found = theory.phase(m, share * t_c)
    law = law_of(1, share * t_c, m)
    rising = law.logpdf(1e-9) < law.logpdf(1e-6)
    assert rising == (found.name == "III")
    assert found.has_peak == any(mode > 0.0 for mode in law.modes())


def test_tail_exponents() -> None:
    assert theory.tail_exponent(1) == -3.5 and theory.tail_exponent(2) == -4.0
    assert theory.tail_exponent(10**6) == pytest.approx(-5.0, abs=1e-5)
    assert theory.tail_exponent(3, BINARY, 0.1) == -math.inf
    for depth, T, gamma in (
        (0, 0.1, 0.0),
        (0, 0.7, 0.3),
        (1, 0.1, 0.0),
        (1, 0.2, 0.1),
        (3, 0.5, 0.0),
    ):
        law = law_of(depth, T, GAUSS, gamma)
        far, h = 1e6, 1e-2
        slope = (law.logpdf(far * math.exp(h)) - law.logpdf(far * math.exp(-h))) / (2 * h)
        want = theory.tail_exponent(depth, GAUSS, T, gamma)
        assert slope == pytest.approx(want, abs=1e-4)
        assert theory.moment_range(depth, GAUSS, T, gamma)[1] == pytest.approx(-want - 1)


def test_moment_range_is_that_of_the_law() -> None:
    for T in (0.05, 0.1, 0.3):
        low, high = theory.moment_range(1, GAUSS, T)
        assert low == pytest.approx(0.5 - 1 / (6 * T)) and high == 2.5
        law = law_of(1, T, GAUSS)
        assert math.isfinite(law.moment(2)) and math.isinf(law.moment(3))
    assert theory.moment_range(2, GAUSS, 1.0) == (-math.inf, 3.0)
    assert theory.moment_range(0, GAUSS, 0.1) == (-1.0, pytest.approx(6.0))
    assert theory.moment_range(1, BINARY, 0.1)[1] == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.tail_exponent(0), "data and T must be given for depth 0"),
        (lambda: theory.tail_exponent(1, GAUSS), "both or neither"),
        (lambda: theory.tail_exponent(1, GAUSS, 0.4), "T must be less than Tc .* 0.333"),
        (lambda: theory.tail_exponent(2, GAUSS, 0.4, 0.1), "gamma must be 0 .* depth >= 2"),
        (lambda: theory.tail_exponent(1, data.interpolating(), 0.1), "noise everywhere"),
        (lambda: theory.tail_exponent(-1), "depth must be at least 0"),
        (lambda: theory.moment_range(1, GAUSS, 0.4), "T must be less than Tc"),
        (lambda: theory.relaxation_rate(GAUSS, 0.4), "T must be less than Tc"),
        (lambda: theory.log_drift_slope(GAUSS, 0.1), "T must be at least Tc"),
        (lambda: theory.absorption_probability(GAUSS, 0.1, 0.5), "must be interpolated"),
        (lambda: theory.exact_loss(data.moments(1, 1, 2, 2, 3), 1.0, 1.0), "known ey2"),
        (lambda: theory.exact_loss(GAUSS, 2.0, 1.0), r"at least mean\*\*2"),
        (lambda: theory.balance_rate(GAUSS, -1.0), "T must be at least 0"),
        (lambda: theory.mean_first_passage(1, GAUSS, 0.0, start=1, stop=2), "T must be greater"),
        (lambda: theory.mean_first_passage(1, GAUSS, 0.1, start=1, stop=0), "stop must be greater"),
        (
            lambda: theory.mean_first_passage(1, data.interpolating(), 0.1, start=0.1, stop=0.2),
            "noise in every state",
        ),
    ],
)
def test_refusals(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_data_of_another_kind_are_refused() -> None:
    calls: list[Callable[[Any], object]] = [
        theory.critical_temperature,
        lambda d: theory.phase(d, 0.1),
        lambda d: theory.saddle_phase(d, 0.1),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="data must be DataMoments"):
            call("gaussian")


@MODEST
@given(SMALL, st.floats(0.2, 2.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(-5.0, 5.0))
def test_the_bound_of_the_balance_rate_holds_in_every_state(
    k: float, s: float, T: float, gamma: float, v: float
) -> None:
    m = data.gaussian(k, s)
    bound, there = theory.balance_rate(m, T, gamma), theory.balance_rate(m, T, gamma, v)
    assert there >= bound - 1e-12 * abs(there)
    least = m.alpha2 / m.alpha1
    assert theory.balance_rate(m, T, gamma, least) == pytest.approx(bound, rel=1e-9)
    b = data.binary(k, s)
    assert theory.balance_rate(b, T, gamma, v) == theory.balance_rate(b, T, gamma)
    assert theory.balance_rate(b, T, gamma) == pytest.approx(4 * (T * s * s + gamma))


@pytest.mark.parametrize(
    ("T", "loss"),
    [(0.01, 1.02073), (0.1, 1.27532), (0.2, 1.54774), (0.3, 1.86318), (0.33, 1.98525)],
)
def test_loss_of_the_depth_1_law(T: float, loss: float) -> None:
    law = law_of(1, T, GAUSS)
    got = theory.exact_loss(GAUSS, law.moment(1), law.moment(2))
    assert got == pytest.approx(loss, rel=1e-5)
    both = theory.exact_loss(GAUSS, [law.moment(1), 0.0], [law.moment(2), 0.0])
    assert both[0] == got and both[1] == 2.0  # E y^2, the loss after a collapse


def test_the_modified_law_is_normalisable_below_its_critical_temperature() -> None:
    """Its density starts like v^(beta2/(2 alpha3 T) - 3/2 - beta2^2/(2 alpha3)) (eq. A.52)."""
    for m in (GAUSS, data.gaussian(0.3, 2.0)):
        t_c = theory.modified_law_critical_temperature(m)
        for T, normalisable in ((0.999 * t_c, True), (1.001 * t_c, False)):
            power = m.beta2 / (2 * m.alpha3 * T) - 1.5 - m.beta2**2 / (2 * m.alpha3)
            assert (power > -1.0) == normalisable


# -- mean first passage -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("T", "gamma", "want"), [(0.2, 0.2, 20.87), (0.3, 0.15, 23.77), (0.3, 0.1, 62.91)]
)
def test_collapse_times_of_depth_2(T: float, gamma: float, want: float) -> None:
    got = theory.mean_first_passage(2, GAUSS, T, gamma, start=1.0, stop=0.02**3)
    assert got == pytest.approx(want, abs=5.1e-3)


def finite_differences(
    depth: int, m: data.DataMoments, T: float, gamma: float, start: float, stop: float, width: int
) -> float:
    """Solve ``a T' + b^2/2 T'' = -1`` in ``z = ln v`` on two grids and extrapolate."""
    e, layers = 2 * depth / (depth + 1), depth + 1
    K = 2 * layers * width ** (1 - e)
    wall = 1e7 if m.alpha1 else 60.0  # the noise of binary data grows more slowly: a nearer wall
    far = math.log(wall) if stop < start else math.log(1e-7)

    def solve(n: int) -> float:
        z = np.linspace(math.log(stop), far, n + 1)
        h, v = z[1] - z[0], np.exp(z)
        q = m.alpha1 * v * v - 2 * m.alpha2 * v + m.alpha3
        a = -K * v ** (e - 1) * (m.beta1 * v - m.beta2) - 2 * gamma * layers
        a = a - K * K / 2 / layers * v ** (2 * e - 2) * T * q
        half = K * K * v ** (2 * e - 2) * T * q / 2
        # conservative form: (e^phi T')' = -e^phi/half, with phi' = a/half
        slope = a / half
        bands = np.zeros((3, n + 1))
        bands[1, 0] = 1.0
        up = np.exp(0.25 * h * (slope[1:-1] + slope[2:]))
        down = np.exp(-0.25 * h * (slope[1:-1] + slope[:-2]))
        bands[0, 2:] = up
        bands[2, : n - 1] = down
        bands[1, 1:-1] = -up - down
        bands[1, n], bands[2, n - 1] = 1.0, -1.0
        right = np.concatenate([[0.0], -h * h / half[1:-1], [0.0]])
        times = linalg.solve_banded((1, 1), bands, right)
        return float(np.interp(math.log(start) * np.sign(h), z * np.sign(h), times))

    coarse, fine = solve(40_000), solve(80_000)
    return (4 * fine - coarse) / 3


@pytest.mark.parametrize(
    ("depth", "m", "T", "gamma", "start", "stop", "width"),
    [
        (1, GAUSS, 0.1, 0.0, 1.0, 0.2, 1),
        (1, GAUSS, 0.1, 0.05, 0.3, 1.5, 2),
        (1, BINARY, 0.4, 0.0, 1.0, 0.1, 1),
        (1, GAUSS, 0.5, 0.0, 1.0, 0.01, 1),
        (2, GAUSS, 0.2, 0.2, 1.0, 0.05, 1),
        (3, data.gaussian(0.5, 1.0), 0.3, 0.0, 0.1, 0.6, 2),
    ],
)
def test_passage_times_by_finite_differences(
    depth: int, m: data.DataMoments, T: float, gamma: float, start: float, stop: float, width: int
) -> None:
    got = theory.mean_first_passage(depth, m, T, gamma, start=start, stop=stop, width=width)
    want = finite_differences(depth, m, T, gamma, start, stop, width)
    assert got == pytest.approx(want, rel=2e-5)


def test_passage_times_of_depth_0() -> None:
    """Binary inputs: an Ornstein-Uhlenbeck process; its passage time by the classical integral."""
    m, T = data.binary(0.0, 1.0), 0.25  # dv = -2 v dt + 2 sqrt(T) dW: variance T, rate 2
    got = theory.mean_first_passage(0, m, T, start=0.0, stop=1.0)

    def inner(x: float) -> float:
        return math.sqrt(math.pi) * special.erfcx(-x)

    want = 0.5 * integrate.quad(inner, 0.0, 1.0 / math.sqrt(2 * T), epsrel=1e-12)[0]
    assert got == pytest.approx(want, rel=1e-9)
    mirror = theory.mean_first_passage(0, m, T, start=0.0, stop=-1.0)
    assert mirror == pytest.approx(want, rel=1e-9)
    up = theory.mean_first_passage(0, GAUSS, 0.2, 0.1, start=0.3, stop=2.0)
    flipped = data.gaussian(-1.0, 1.0)
    down = theory.mean_first_passage(0, flipped, 0.2, 0.1, start=-0.3, stop=-2.0)
    assert up == pytest.approx(down, rel=1e-9)


def test_passage_times_without_end() -> None:
    assert theory.mean_first_passage(1, GAUSS, 0.34, start=0.1, stop=0.2) == math.inf
    assert theory.mean_first_passage(2, GAUSS, 0.1, 0.1, start=0.1, stop=0.2) == math.inf
    assert theory.mean_first_passage(2, GAUSS, 0.1, start=1.0, stop=1e-9) == math.inf  # overflow
    assert theory.mean_first_passage(1, GAUSS, 0.1, start=0.7, stop=0.7) == 0.0
    long = theory.mean_first_passage(1, GAUSS, 1.0, start=1e-100, stop=1e-300)
    slope = theory.log_drift_slope(GAUSS, 1.0)  # far down ln v is a random walk with drift
    assert long == pytest.approx(-200 * math.log(10.0) / slope, rel=1e-9)
    near = theory.mean_first_passage(1, GAUSS, 0.3333, start=1e-3, stop=0.1)
    assert 1e3 < near < math.inf


@pytest.mark.parametrize("start", [1e-4, 1e-3])
def test_passage_times_on_a_steep_rise(start: float) -> None:
    """Uphill the noise is weak beside the drift: almost the time of gradient descent, not inf."""
    k = 4 * 2 * 100 ** (1 - 1.5)
    z = np.linspace(math.log(start), math.log(2 * start), 20_001)
    time = 1.0 / (k * np.exp(0.5 * z) * (GAUSS.beta2 - GAUSS.beta1 * np.exp(z)))
    want = float(((time[1:] + time[:-1]) * 0.5 * np.diff(z)).sum())
    got = theory.mean_first_passage(3, GAUSS, 3e-3, start=start, stop=2 * start, width=100)
    assert got == pytest.approx(want, rel=5e-3)


def test_passage_times_over_hopeless_barriers() -> None:
    assert theory.mean_first_passage(10, GAUSS, 1e-4, start=0.2, stop=3e-6) == math.inf
    with pytest.raises(ValueError, match="the noise too weak"):
        theory.mean_first_passage(10, GAUSS, 1e-7, start=1e-6, stop=1e-3)


@MODEST
@given(
    st.sampled_from([0, 1, 2, 4]),
    st.floats(0.02, 0.25),
    st.lists(st.floats(0.1, 2.0), min_size=3, max_size=3, unique=True),
    st.booleans(),
)
def test_passage_times_add_up(depth: int, T: float, points: list[float], up: bool) -> None:
    a, b, c = sorted(points, reverse=not up)

    def passage(start: float, stop: float) -> float:
        return theory.mean_first_passage(depth, GAUSS, T, start=start, stop=stop)

    whole = passage(a, c)
    assume(whole < 1e200)
    assert whole == pytest.approx(passage(a, b) + passage(b, c), rel=1e-8)
