"""Saddles: exponents of SGD and its SDE at the origin, phases, traps; the two-point local maximum.

The sampled checks compare at 4.5 standard errors (7e-6 of all seeds fail per number) and have fixed
seeds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize

from escapade import data, theory

GAUSS = data.gaussian(1.0, 1.0)
MODEST = settings(derandomize=True, deadline=None, max_examples=40)


@pytest.mark.parametrize("c", [0.0, 1e-3, 0.5, 1.0, 2.0, 4.0, 8.9, 9.1, 30.0, 1e8])
def test_mean_log_of_a_normal(c: float) -> None:
    if c <= 30.0:
        square = mpmath.mpf(c) ** 2
        with mpmath.workdps(400):
            series = square / 2 * mpmath.hyp2f2(1, 1, 1.5, 2, -square / 2)
            want = float(series - (mpmath.euler + mpmath.log(2)) / 2)
    else:
        want = math.log(c)
    assert theory.mean_log_abs_normal(c) == pytest.approx(want, rel=1e-13, abs=1e-14)
    assert theory.mean_log_abs_normal(-c) == theory.mean_log_abs_normal(c)


def test_exponents_of_the_sde() -> None:
    for T in (0.1, 1 / 3, 1.0):
        plus, minus = theory.symmetric_sum_exponents(GAUSS, T)
        assert plus == pytest.approx(2 - 6 * T) and minus == pytest.approx(-2 - 6 * T)
    got = theory.symmetric_sum_exponents(GAUSS, 0.1, gamma=0.3)
    assert got.plus == pytest.approx(2 - 0.6 - 0.6)


@pytest.mark.parametrize(("k", "s"), [(1.0, 1.0), (0.1, 1.0), (-0.7, 0.2), (0.5, 1e-3), (1.0, 0.0)])
@pytest.mark.parametrize("eta", [0.05, 0.3, 1.5])
def test_exponents_of_sgd_on_gaussian_data_by_sampling(k: float, s: float, eta: float) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=1_000_000)
    xy = x * (k * x + s * rng.normal(size=x.size))
    got = theory.symmetric_sum_exponents(data.gaussian(k, s), eta=eta, gamma=0.1)
    for sign, value in zip((1, -1), got, strict=True):
        logs = np.log(np.abs(1 - 0.2 * eta + sign * 2 * eta * xy))
        assert abs(logs.mean() - value) < 4.5 * logs.std() / 1000
        assert abs(logs.mean() - value - 0.02) > 4.5 * logs.std() / 1000  # it can tell


def test_exponents_of_sgd_by_high_precision_quadrature() -> None:
    """Without label noise the logarithm is singular inside the range of integration."""
    k, s, eta = 1.0, 0.0, 0.1
    with mpmath.workdps(20):
        edge = mpmath.sqrt(1 / (2 * eta * k))

        def density(x: object) -> object:
            return mpmath.exp(-x * x / 2) * mpmath.log(abs(1 - 2 * eta * k * x * x))

        parts = [mpmath.quad(density, [0, 1, edge]), mpmath.quad(density, [edge, 4, 8, 20])]
        want = float(2 * sum(parts) / mpmath.sqrt(2 * mpmath.pi))
    got = theory.symmetric_sum_exponents(data.gaussian(k, s), eta=eta)
    assert got.minus == pytest.approx(want, rel=1e-9)


def test_exponents_of_sgd_on_other_data() -> None:
    x, y = np.array([1.0, -2.0, 0.5]), np.array([0.3, -1.0, 2.0])
    got = theory.symmetric_sum_exponents(data.from_samples(x, y), eta=0.2)
    assert got.plus == pytest.approx(np.mean(np.log(1 + 0.4 * x * y)), rel=1e-14)
    dead = theory.symmetric_sum_exponents(data.from_samples([1.0, -1.0], [1.0, 2.0]), eta=0.5)
    assert dead.minus == -math.inf
    # binary: one normal variable
    got = theory.symmetric_sum_exponents(data.binary(0.5, 0.8), eta=0.3)
    want = theory.lyapunov_sgd(0.6, -0.5, 0.8)  # 1 - eta h with h = -x y
    assert got.plus == pytest.approx(want, rel=1e-12)
    exact = theory.symmetric_sum_exponents(data.binary(0.5, 0.0), eta=0.3)
    assert exact.plus == pytest.approx(math.log(1.3)) and exact.minus == pytest.approx(
        math.log(0.7)
    )


def test_low_signal_makes_sgd_collapse_and_high_signal_does_not() -> None:
    weak = data.gaussian(0.1, 1.0)

    def plus(eta: float) -> float:
        return theory.symmetric_sum_exponents(weak, eta=eta).plus

    low, high = optimize.brentq(plus, 0.03, 0.3), optimize.brentq(plus, 0.3, 2.0)
    assert low == pytest.approx(0.091674, abs=1e-6) and high == pytest.approx(0.646071, abs=1e-6)
    assert abs(plus(0.09167)) <= 1e-5 and abs(plus(0.64607)) <= 1e-5
    for eta in np.geomspace(5e-3, 3, 61).tolist():
        assert (plus(eta) < 0.0) == (low < eta < high)
    assert theory.critical_temperature(weak) == pytest.approx(0.0980, abs=5e-5)
    assert theory.modified_law_critical_temperature(weak) == pytest.approx(0.0971, abs=5e-5)
    strong = [theory.symmetric_sum_exponents(GAUSS, eta=e).plus for e in np.geomspace(5e-3, 3, 61)]
    assert min(strong) > 0.0  # the transition of the SDE at 1/3 is not there


@MODEST
@given(st.floats(0.1, 2.0), st.floats(0.0, 2.0), st.floats(1e-5, 1e-4))
def test_small_steps_give_the_sde(k: float, s: float, eta: float) -> None:
    m = data.gaussian(k, s)
    sgd = theory.symmetric_sum_exponents(m, eta=eta)
    # E ln|1 +- 2 eta xy| = +-2 eta beta2 - 2 eta^2 (alpha3 + beta2^2) + O(eta^3)
    for sign, value in zip((1, -1), sgd, strict=True):
        want = sign * 2 * eta * m.beta2 - 2 * eta**2 * (m.alpha3 + m.beta2**2)
        assert value == pytest.approx(want, abs=4e4 * eta**3 + 1e-13)


def test_saddle_phases() -> None:
    assert theory.saddle_phase(GAUSS, 0.3).name == "Ib"
    assert theory.saddle_phase(GAUSS, 0.34).name == "III"
    assert theory.saddle_phase(data.gaussian(-1.0, 1.0), 0.3).name == "Ib"  # mirrored
    # two values of xy: 1 +- 2 eta xy are (1 +- 2 eta p), all exponents elementary
    x = [1.0, 1.0]
    assert theory.saddle_phase(data.from_samples(x, [3.0, -1.0]), eta=0.01).name == "Ib"
    assert theory.saddle_phase(data.from_samples(x, [3.0, -1.0]), eta=0.15).name == "Ib"
    assert theory.saddle_phase(data.from_samples(x, [3.0, -1.0]), eta=0.22).name == "Ia"
    assert theory.saddle_phase(data.from_samples(x, [3.0, -1.0]), eta=0.45).name == "II"
    assert theory.saddle_phase(data.from_samples(x, [1.5, -1.3]), eta=0.1).name == "III"
    assert theory.saddle_phase(data.from_samples(x, [3.0, -1.0]), eta=3.0).name == "IV"
    assert theory.saddle_phase(data.from_samples(x, [2.0, -1.0]), eta=0.5).name == "II"
    found = theory.saddle_phase(data.from_samples(x, [2.0, -1.0]), eta=0.5)
    assert "wrong sign" in found.text and found.exponents.plus == -math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.symmetric_sum_exponents(GAUSS), "one of T .* and eta"),
        (lambda: theory.symmetric_sum_exponents(GAUSS, 0.1, 0.1), "one of T .* and eta"),
        (lambda: theory.symmetric_sum_exponents(GAUSS, eta=0.1, batch=2), "batch must be 1, got 2"),
        (
            lambda: theory.symmetric_sum_exponents(data.moments(1, 1, 2, 2, 3), eta=0.1),
            "have a law",
        ),
        (lambda: theory.saddle_phase(GAUSS, eta=0.0), "eta must be greater than 0"),
        (lambda: theory.local_maximum_window(0.3), "a must be less than 0, got 0.3"),
        (lambda: theory.two_point_lyapunov(-0.3, -1.0), "lam must be at least 0"),
        (lambda: theory.two_point_log_law(-0.3, 0.1, -1), "n must be at least 0"),
        (lambda: theory.trap_threshold(GAUSS, -0.1), "T must be at least 0"),
    ],
)
def test_refusals(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_traps() -> None:
    assert theory.trap_threshold(GAUSS, 0.5) == pytest.approx(2 / 3)  # .667
    assert theory.trap_threshold(GAUSS, 0.0) == math.inf
    assert theory.trap_exponent(GAUSS, 0.5, 2 / 3) == pytest.approx(0.0, abs=1e-15)
    assert np.allclose(theory.trap_exponent(GAUSS, 0.5, [0.4, 1.0, -1.0]), [0.32, -1.0, -1.0])


# -- the two-point local maximum ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "sde", "second", "exact"),
    [(-0.3, 0.2268, 0.2230, 0.2308), (-0.9, 0.428, 0.391, 0.474)],
)
def test_window_of_the_local_maximum(a: float, sde: float, second: float, exact: float) -> None:
    window = theory.local_maximum_window(a)
    assert theory.local_maximum_sde(a) == pytest.approx(sde, abs=6e-4)
    assert theory.local_maximum_second_order(a) == pytest.approx(second, abs=6e-4)
    assert window.low == pytest.approx(exact, abs=6e-4)
    curvature = [1.0, a - 1.0]
    found = theory.collapse_eta_samples(curvature)
    assert found.exact == pytest.approx(window.low, rel=1e-9)
    assert found.second_order == pytest.approx(theory.local_maximum_second_order(a), rel=1e-12)
    got = theory.collapse_temperature(np.mean(curvature), np.var(curvature))
    assert got == pytest.approx(theory.local_maximum_sde(a))


@MODEST
@given(st.floats(-5.0, -0.01), st.floats(0.01, 3.0))
def test_the_window_is_where_the_exponent_is_negative(a: float, lam: float) -> None:
    low, high = theory.local_maximum_window(a)
    assume(min(abs(lam - low), abs(lam - high)) > 1e-9)
    assert (theory.two_point_lyapunov(a, lam) < 0.0) == (low < lam < high)
    for edge in (low, high):
        assert theory.two_point_lyapunov(a, edge) == pytest.approx(0.0, abs=1e-12)


@MODEST
@given(st.floats(-3.0, 0.9), st.floats(0.0, 3.0), st.integers(0, 8))
def test_the_law_of_the_logarithm_by_enumeration(a: float, lam: float, n: int) -> None:
    assume(min(abs(1 - lam), abs(1 + lam * (1 - a))) > 1e-6)
    law = theory.two_point_log_law(a, lam, n)
    steps = [math.log(abs(1 - lam)), math.log(abs(1 + lam * (1 - a)))]
    paths = np.array([sum(p) for p in itertools.product(steps, repeat=n)])
    assert np.sum(law.probabilities) == pytest.approx(1.0)
    assert law.mean() == pytest.approx(np.mean(paths), abs=1e-12)
    assert law.mean() == pytest.approx(n * theory.two_point_lyapunov(a, lam), abs=1e-12)
    for x in np.linspace(-10.0, 10.0, 21) + 1e-7:
        assert law.cdf(x) == pytest.approx(np.mean(paths <= x), abs=1e-12)


def test_one_step_may_kill() -> None:
    assert theory.two_point_lyapunov(-0.3, 1.0) == -math.inf
    law = theory.two_point_log_law(-0.3, 1.0, 3)
    assert law.values[0] == -math.inf and law.cdf(-1e300) == pytest.approx(7 / 8)
    assert law.values[-1] == pytest.approx(3 * math.log(2.3)) and law.mean() == -math.inf
