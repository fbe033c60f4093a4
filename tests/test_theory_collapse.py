"""Collapse by mirror symmetry: exponents, thresholds, exactly known processes, DCS, rubbish."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

import escapade as ea
from escapade import data, laws, theory

MODEST = settings(derandomize=True, deadline=None, max_examples=40)


@pytest.mark.parametrize("c", [0.0, 0.5, 1.0, 2.0, 4.0])
def test_exponent_of_sgd_against_mpmath(c: float) -> None:
    """E ln|1 - eta h| for normal h with 1 - eta E h = c eta sd."""
    eta, sd = 0.3, 2.0
    h_mean = (1.0 - c * eta * sd) / eta
    with mpmath.workdps(30):

        def density(z: Any) -> Any:
            return mpmath.npdf(z) * mpmath.log(abs(c + z))

        want = mpmath.quad(density, [-12, -c - 1, -c]) + mpmath.quad(density, [-c, -c + 1, 2, 12])
        want = float(want + mpmath.log(eta * sd))
    assert theory.lyapunov_sgd(eta, h_mean, sd) == pytest.approx(want, rel=1e-10, abs=1e-11)
    shifted = theory.lyapunov_sgd(eta, h_mean - 0.4, sd, gamma=0.2)
    assert shifted == pytest.approx(want, rel=1e-10, abs=1e-11)


def test_exponents_of_the_sde_and_its_temperature() -> None:
    assert theory.lyapunov_sde(-0.5, 2.0, 0.1, 0.05) == pytest.approx(0.5 - 0.1 - 0.1)
    assert theory.collapse_temperature(-0.5, 2.0, 0.05) == pytest.approx(0.4)
    assert theory.lyapunov_sde(-0.5, 2.0, 0.4, 0.05) == pytest.approx(0.0, abs=1e-15)
    assert theory.collapse_temperature(0.5, 2.0) == 0.0
    assert theory.collapse_temperature(-0.5, 0.0) == math.inf
    assert theory.collapse_temperature(0.5, 0.0) == 0.0
    got = theory.collapse_temperature([-0.5, 0.5], [[1.0], [0.0]])
    assert np.array_equal(got, [[1.0, 0.0], [math.inf, 0.0]])


def test_the_sum_of_a_network_collapses_as_its_curvature_says() -> None:
    """s = u + w has h = -2 x y: the SDE exponent of A2, and T_c."""
    m = data.gaussian(1.0, 1.0)
    for T in (0.1, 0.5):
        got = theory.lyapunov_sde(-2 * m.beta2, 4 * m.alpha3, T)
        assert got == pytest.approx(theory.symmetric_sum_exponents(m, T).plus)
    got = theory.collapse_temperature(-2 * m.beta2, 4 * m.alpha3)
    assert got == pytest.approx(theory.critical_temperature(m))


@MODEST
@given(st.floats(0.02, 0.4), st.floats(0.2, 3.0), st.floats(0.0, 0.05))
def test_collapse_rate_of_normal_curvature(share: float, sd: float, gamma: float) -> None:
    mean = -share * sd
    rate = theory.collapse_eta(mean, sd, gamma)
    full = mean + 2 * gamma
    if full >= 0.0:
        assert rate == (0.0, 0.0)
        return
    if full > -1e-6:  # to second order exact
        assert rate.exact == pytest.approx(rate.second_order, rel=1e-5)
        return
    assert rate.second_order == pytest.approx(-2 * full / (full**2 + sd**2))
    if math.isnan(rate.exact):  # the signal is too strong
        assert share > 0.3
        assert np.all(theory.lyapunov_sgd(np.geomspace(1e-3, 1e3, 400) / sd, mean, sd, gamma) > 0)
        return
    assert abs(theory.lyapunov_sgd(rate.exact, mean, sd, gamma)) < 1e-11
    assert theory.lyapunov_sgd(0.9 * rate.exact, mean, sd, gamma) > 0.0
    assert theory.lyapunov_sgd(1.05 * rate.exact, mean, sd, gamma) < 0.0


def test_a_strong_signal_never_collapses() -> None:
    assert math.isnan(theory.collapse_eta(-1.0, 1.0).exact)
    assert math.isnan(theory.collapse_eta_samples([-1.0, -0.5]).exact)
    assert theory.collapse_eta_samples([1.0, 0.5]) == (0.0, 0.0)


@MODEST
@given(st.floats(0.02, 1.0), st.lists(st.floats(0.02, 1.0), min_size=1, max_size=5))
def test_collapse_rate_of_samples(up: float, beyond: list[float]) -> None:
    h = [up, *(-up - b for b in beyond)]  # some curvature is positive, the mean is not
    rate = theory.collapse_eta_samples(h)
    assert abs(theory.lyapunov_sgd_samples(rate.exact, h)) < 1e-9
    assert np.all(theory.lyapunov_sgd_samples(rate.exact * np.linspace(0.05, 0.95, 9), h) > 0.0)


def test_samples_of_curvature() -> None:
    h = [1.0, -2.0, 0.5]
    want = np.mean(np.log(np.abs(1 - 0.3 * (np.array(h) + 0.2))))
    assert theory.lyapunov_sgd_samples(0.3, h, 0.1) == pytest.approx(want)
    assert theory.lyapunov_sgd_samples([0.3, 1.0], h)[1] == -math.inf


def test_weight_decay_threshold() -> None:
    """A duplicated neuron: the mirror is the difference of the two weights."""
    O = np.array([[1.0], [-1.0]]) / math.sqrt(2)  # noqa: E741
    H = np.array([[1.0, 3.0], [3.0, 1.0]])  # eigenvalue -2 along O
    assert theory.weight_decay_threshold(H, O) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    H, O = root + root.T, np.linalg.qr(rng.normal(size=(4, 2)))[0]  # noqa: E741
    gamma = theory.weight_decay_threshold(H, O)
    assert np.linalg.eigvalsh(O.T @ (H + 2 * gamma * np.eye(4)) @ O)[0] == pytest.approx(
        0, abs=1e-12
    )


# -- processes known exactly -------------------------------------------------------------------------


@MODEST
@given(st.floats(-1.0, 1.0), st.floats(0.1, 2.0), st.floats(0.1, 50.0), st.floats(1e-6, 2.0))
def test_collapse_probability_is_the_log_normal_law(
    mu: float, sigma: float, t: float, eps: float
) -> None:
    law = stats.lognorm(sigma * math.sqrt(t), scale=0.7 * math.exp((mu - sigma**2 / 2) * t))
    got = theory.collapse_probability(eps, 0.7, mu, sigma, t)
    assert got == pytest.approx(law.cdf(eps), rel=1e-9, abs=1e-300)
    third = theory.moment_growth_rate(3.0, mu, sigma)
    want = 3 * (mu - sigma**2 / 2) + 4.5 * sigma**2
    assert third == pytest.approx(want, abs=1e-12)


def test_paths_collapse_while_the_mean_grows() -> None:
    mu, sigma = 0.1, 1.0
    assert theory.moment_growth_rate(1.0, mu, sigma) > 0.0
    got = theory.collapse_probability(1e-6, 1.0, mu, sigma, [10.0, 100.0, 1000.0])
    assert np.all(np.diff(got) > 0.0) and got[-1] > 1 - 1e-9


def test_pitchfork() -> None:
    shape, scale = theory.pitchfork_square_law(1.0, 2.0, 0.8)
    law = laws.Pitchfork(1.0, 2.0, 0.8)
    z = np.array([0.2, 0.6, 1.1])
    assert np.allclose(law.cdf(z), special.gammainc(shape, z**2 / scale))
    got = theory.pitchfork_relaxation_rate(1.0, 0.8)
    assert got == laws.pitchfork_relaxation_rate(1.0, 0.8)
    with pytest.raises(ValueError, match=r"mu must be greater than sigma\^2/2 = 0\.5"):
        theory.pitchfork_square_law(0.5, 1.0, 1.0)


# -- DCS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("s", "alpha"), [(1.3, 0.4), (-0.8, 0.3), (0.2, 0.5), (0.0, 0.1)])
def test_weight_decay_on_a_product_is_a_soft_threshold(s: float, alpha: float) -> None:
    def loss(p: Any) -> float:
        return float((p[0] * p[1] - s) ** 2 + alpha * (p[0] ** 2 + p[1] ** 2))

    starts = [(0.9, 0.8), (0.9, -0.8)]
    best = min((optimize.minimize(loss, x, tol=1e-14) for x in starts), key=lambda r: r.fun)
    want = theory.soft_threshold(s, alpha)
    assert best.x[0] * best.x[1] == pytest.approx(want, abs=1e-5)


def test_weight_decay_on_factors_thresholds_singular_values() -> None:
    rng = np.random.default_rng(2)
    M = rng.normal(size=(3, 2))
    gamma = float(np.mean(np.linalg.svd(M, compute_uv=False)))  # between the two

    def loss(p: Any) -> float:
        U, W = p[:6].reshape(3, 2), p[6:].reshape(2, 2)
        return float(np.sum((U @ W - M) ** 2) + gamma * np.sum(p * p))

    found = optimize.minimize(loss, rng.normal(size=10), tol=1e-14).x
    product = found[:6].reshape(3, 2) @ found[6:].reshape(2, 2)
    want = theory.singular_value_threshold(M, gamma)
    assert np.allclose(product, want, atol=1e-5)
    assert np.linalg.matrix_rank(want) == 1


@MODEST
@given(st.floats(-5.0, 5.0), st.floats(0.0, 3.0), st.floats(-5.0, 5.0))
def test_the_soft_threshold_minimises(x: float, alpha: float, other: float) -> None:
    def loss(v: float) -> float:
        return (v - x) ** 2 + 2 * alpha * abs(v)

    assert loss(theory.soft_threshold(x, alpha)) <= loss(other) + 1e-12


def test_reparametrised_quadratic_loss_is_soft_thresholded() -> None:
    """min |theta - t|^2 + alpha (|u|^2 + |w|^2): O^T theta = soft(O^T t, alpha), the rest is t."""
    rng = np.random.default_rng(4)
    O, target, alpha = np.linalg.qr(rng.normal(size=(4, 2)))[0], rng.normal(size=4), 0.4  # noqa: E741
    theta = theory.dcs_reparametrise(O)

    def loss(p: Any) -> float:
        gap = theta(p[:2], p[2:4], p[4:]) - target
        return float(gap @ gap + alpha * np.sum(p[:4] ** 2))

    runs = [optimize.minimize(loss, rng.normal(size=8), tol=1e-14) for _ in range(6)]
    best = min(runs, key=lambda r: r.fun).x
    got = theta(best[:2], best[2:4], best[4:])
    want = target + O @ (theory.soft_threshold(O.T @ target, alpha) - O.T @ target)
    assert np.allclose(got, want, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: theory.weight_decay_threshold(np.eye(2), np.ones((2, 1))),
            "O must have orthonorm",
        ),
        (lambda: theory.weight_decay_threshold(np.eye(3), np.eye(2)), "same number of rows"),
        (lambda: theory.lyapunov_sde(0.0, -1.0, 0.1), "h_var must be at least 0"),
        (lambda: theory.lyapunov_sgd(0.1, 0.0, 0.0), "h_sd must be greater than 0"),
        (lambda: theory.lyapunov_sgd_samples(0.1, []), "h must be a non-empty 1-D"),
        (lambda: theory.collapse_probability(0.0, 1, 0, 1, 1), "eps must be greater than 0"),
        (lambda: theory.collapse_probability([0.1, 0.2], [1, 2, 3], 0, 1, 1), "do not broadcast"),
        (lambda: theory.moment_growth_rate(1, 0, -1), "sigma must be at least 0"),
        (
            lambda: theory.dcs_reparametrise(np.eye(2))([1.0], [1.0, 2.0], [1.0, 2.0]),
            "u must have 2",
        ),
        (lambda: theory.soft_threshold(1.0, -1.0), "alpha must be at least 0"),
        (lambda: theory.singular_value_threshold([1.0], 0.1), "M must be a non-empty 2-D"),
    ],
)
def test_refusals(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# -- rubbish --------------------------------------------------------------------------------------

RUBBISH = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.floats(),
    st.integers(-3, 10**400),
    st.lists(st.floats(), max_size=3),
    st.just(np.eye(2)),
    st.just(np.array([["a"]])),
    st.sampled_from([data.gaussian(1, 1), data.binary([1.0, 2.0], 1), data.interpolating(1)]),
)
FUNCTIONS = {name: getattr(theory, name) for name in theory.__all__ if name[0].islower()}


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(derandomize=True, deadline=None, max_examples=60)
@given(arguments=st.lists(RUBBISH, min_size=1, max_size=4))
def test_rubbish_raises_only_value_or_type_error(name: str, arguments: list[Any]) -> None:
    with contextlib.suppress(ValueError, TypeError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflow to inf is an answer
        FUNCTIONS[name](*arguments)


def test_theory_is_listed() -> None:
    assert "theory" in ea.__all__ and sorted(theory.__all__) == sorted(set(theory.__all__))
    for name in theory.__all__:
        assert getattr(theory, name).__doc__
