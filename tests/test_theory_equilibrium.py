"""Noise equilibrium: exponential symmetries, matrix factorisation, the scale-invariant loss.

The simulated check uses 4.5 standard errors (7e-6 of all seeds fail per number) and a fixed seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, linalg, optimize

from escapade import theory

MODEST = settings(derandomize=True, deadline=None, max_examples=60)
SX, SE = np.diag([1.0, 0.25]), np.diag([0.09, 0.81])


def problem(seed: int, n: int) -> tuple[Any, Any, Any]:
    """A random symmetric A with eigenvalues of both signs, a covariance, a point."""
    rng = np.random.default_rng(seed)
    mu = rng.uniform(0.2, 2.0, n) * np.where(np.arange(n) % 2, 1.0, -1.0)
    turn = np.linalg.qr(rng.normal(size=(n, n)))[0]
    root = rng.normal(size=(n, n))
    return (turn * mu) @ turn.T, root @ root.T, rng.normal(size=n)


def rate(lam: float, A: Any, Sigma: Any, T: float, gamma: float, theta: Any) -> float:
    """The charge rate on the orbit, from the matrices there."""
    mu, n = np.linalg.eigh(A)
    back, point = (n * np.exp(-lam * mu)) @ n.T, (n * np.exp(lam * mu)) @ n.T @ theta
    return theory.charge_rate(back @ Sigma @ back, A, T, gamma, point)


@MODEST
@given(st.integers(0, 10**6), st.integers(2, 5), st.floats(0.01, 5.0), st.floats(0.0, 2.0))
def test_the_equilibrium_is_the_only_root(seed: int, n: int, T: float, gamma: float) -> None:
    A, Sigma, theta = problem(seed, n)
    found = theory.noise_equilibrium(A, Sigma, T, gamma, theta)
    size = T * float(np.sum(np.abs(np.linalg.eigvalsh(A)))) * float(np.trace(Sigma))
    size += 4 * gamma * float(np.sum(theta**2))
    assert abs(rate(found, A, Sigma, T, gamma, theta)) < 1e-10 * max(
        size * math.exp(4.0 * abs(found)), 1e-300
    )
    rates = [rate(found + x, A, Sigma, T, gamma, theta) for x in (-0.5, -0.05, 0.05, 0.5)]
    assert rates == sorted(rates, reverse=True) and rates[1] > 0.0 > rates[2]
    # on the orbit it is at the same place
    moved = linalg.expm(0.3 * A) @ theta
    back = linalg.expm(-0.3 * A)
    again = theory.noise_equilibrium(A, back @ Sigma @ back, T, gamma, moved)
    assert again + 0.3 == pytest.approx(found, abs=1e-9)


def test_rescaling_of_two_scalars() -> None:
    """(u, w) -> (e^l u, e^-l w): equilibrium where both gradients have the same variance."""
    A, Sigma = np.diag([1.0, -1.0]), np.diag([4.0, 0.25])
    assert theory.noise_equilibrium(A, Sigma) == pytest.approx(0.25 * math.log(16.0), rel=1e-14)
    assert theory.noise_equilibrium(A, np.eye(2)) == 0.0
    assert theory.charge([3.0, 2.0], A) == 5.0
    assert theory.charge_rate(Sigma, A, 0.1, 0.2, [3.0, 2.0]) == pytest.approx(0.375 - 4.0)


def test_one_sided_noise_has_no_finite_equilibrium() -> None:
    A, Sigma = np.diag([1.0, -1.0]), np.diag([1.0, 0.0])
    assert theory.noise_equilibrium(A, Sigma) == math.inf
    assert theory.noise_equilibrium(-A, Sigma) == -math.inf
    assert theory.noise_equilibrium(np.eye(2), np.eye(2)) == math.inf  # scale symmetry
    held = theory.noise_equilibrium(np.eye(2), np.eye(2), 0.5, 0.1, [1.0, 0.0])
    # 2 T e^(-2 l) = 4 gamma e^(2 l)
    assert held == pytest.approx(0.25 * math.log(2 * 0.5 / (4 * 0.1)), rel=1e-13)


@MODEST
@given(st.lists(st.floats(0.1, 5.0), min_size=2, max_size=5), st.integers(0, 10**6))
def test_rescaling_balance_is_a_noise_equilibrium(powers: list[float], seed: int) -> None:
    p = np.array(powers)
    share = theory.rescaling_balance(p)
    assert share.sum() == pytest.approx(1.0) and np.allclose(share / p, share[0] / p[0])
    rng = np.random.default_rng(seed)
    mu = rng.normal(size=p.size)
    mu -= p * (mu @ p) / (p @ p)  # generators of the symmetry leave prod theta_i^p_i alone
    theta = np.sqrt(share)
    Sigma = np.outer(p / theta, p / theta)
    scale = float(np.abs(mu) @ np.diag(Sigma))
    assert theory.charge_rate(Sigma, np.diag(mu), 1.0) == pytest.approx(0.0, abs=1e-12 * scale)


def test_the_balance_of_u_squared_w() -> None:
    """(u^2 w x - y)^2: u^2 - 2 w^2 decays, so u^2 = 2 w^2."""
    share = theory.rescaling_balance([2.0, 1.0])
    assert share[0] == pytest.approx(2 * share[1])


# -- matrix factorisation ----------------------------------------------------------------------------


def rotation(angle: float) -> Any:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def test_numbers_of_the_matrix_factorisation() -> None:
    """The teacher was an orthogonal matrix; one number fixes its angle, the others must follow."""

    def sharpness(angle: float) -> float:
        return theory.trace_hessian(*theory.matrix_equilibrium(rotation(angle), SX, SE), SX)

    angle = optimize.brentq(lambda t: sharpness(t) - 10.851, 0.7, 1.5)
    V = rotation(angle)
    U, W = theory.matrix_equilibrium(V, SX, SE)
    assert np.allclose(U @ W, V)
    assert np.sum(U * U) == pytest.approx(2.379, abs=2e-3)
    assert np.sum(W * W) == pytest.approx(1.784, abs=2e-3)
    assert theory.trace_hessian(*theory.gd_balanced(V), SX) == pytest.approx(10.0, abs=1e-9)
    assert theory.flattest_trace_hessian(V, SX) == pytest.approx(9.487, abs=5e-4)
    # isotropic label noise: the equilibrium is the flattest minimum
    even = theory.matrix_equilibrium(V, SX, 0.36 * np.eye(2))
    assert theory.trace_hessian(*even, SX) == pytest.approx(9.487, abs=5e-4)


def teacher(seed: int, dy: int, dx: int) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(seed)

    def covariance(n: int) -> Any:
        root = rng.normal(size=(n, n))
        return root @ root.T + 0.1 * np.eye(n)

    return rng.normal(size=(dy, dx)), covariance(dx), covariance(dy), rng


@MODEST
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
def test_factors_and_their_properties(seed: int, dy: int, dx: int) -> None:
    V, sx, se, rng = teacher(seed, dy, dx)
    equilibrium = theory.matrix_equilibrium(V, sx, se)
    flat, balanced = theory.flattest_point(V, sx), theory.gd_balanced(V)
    for U, W in (equilibrium, flat, balanced):
        assert np.allclose(U @ W, V, atol=1e-9)
    assert theory.noise_mismatch(*equilibrium, sx, se) < 1e-10
    charge_rate = theory.matrix_charge_rate(*equilibrium, sx, se, 0.1)
    scale = 0.4 * np.trace(sx) * np.linalg.norm(equilibrium.U.T @ se @ equilibrium.U)
    assert np.max(np.abs(charge_rate)) < 1e-10 * scale
    U, W = balanced
    assert np.allclose(U.T @ U, W @ W.T)
    U, W = flat
    assert np.allclose(np.trace(sx) * U.T @ U, dy * W @ sx @ W.T)
    least = theory.flattest_trace_hessian(V, sx)
    assert theory.trace_hessian(*flat, sx) == pytest.approx(least, rel=1e-10)
    # no other point of the orbit is flatter
    d = U.shape[1]
    for _ in range(3):
        B = np.eye(d) + 0.4 * rng.normal(size=(d, d))
        other = theory.trace_hessian(U @ np.linalg.inv(B), B @ W, sx)
        assert other >= least * (1 - 1e-9)
    assert theory.trace_hessian(*equilibrium, sx) >= least * (1 - 1e-9)
    assert theory.trace_hessian(*balanced, sx) >= least * (1 - 1e-9)
    even = theory.matrix_equilibrium(V, sx, 0.3 * np.eye(dy))
    assert theory.trace_hessian(*even, sx) == pytest.approx(least, rel=1e-9)


def test_trace_of_the_hessian_by_differences() -> None:
    V, sx, _, rng = teacher(3, 2, 3)
    U, W = rng.normal(size=(2, 2)), rng.normal(size=(2, 3))

    def loss(theta: Any) -> float:
        R = theta[:4].reshape(2, 2) @ theta[4:].reshape(2, 3) - V
        return float(np.trace(R @ sx @ R.T))

    theta, h = np.concatenate([U.ravel(), W.ravel()]), 1e-3
    units = h * np.eye(theta.size)
    second = [loss(theta + e) - 2 * loss(theta) + loss(theta - e) for e in units]
    assert theory.trace_hessian(U, W, sx) == pytest.approx(sum(second) / h**2, rel=1e-6)


def test_charge_rate_of_the_matrices_by_the_noise_of_samples() -> None:
    """Against E of the Ito terms with samples of x and eps; 4.5 standard errors."""
    V, sx, se, rng = teacher(4, 2, 3)
    U, W = theory.gd_balanced(V)
    n = 200_000
    x = rng.multivariate_normal(np.zeros(3), sx, n)
    e = rng.multivariate_normal(np.zeros(2), se, n)
    G = -2 * e[:, :, None] * x[:, None, :]  # gradient by U W at the minimum
    gu, gw = G @ W.T, U.T @ G
    terms = np.einsum("nia,nib->nab", gu, gu) - np.einsum("nai,nbi->nab", gw, gw)
    want, error = terms.mean(0), terms.std(0) / math.sqrt(n)
    got = theory.matrix_charge_rate(U, W, sx, se, 1.0)
    assert np.all(np.abs(got - want) < 4.5 * error)
    assert not np.all(np.abs(1.2 * got - want) < 4.5 * error)


def test_rank_one_decays_at_one_rate() -> None:
    assert theory.matrix_balance_rate(0.0005, 20, 0.5) == pytest.approx(0.01)
    rng = np.random.default_rng(8)
    u, w, d = rng.normal(size=(4, 1)), rng.normal(size=(1, 4)), 4
    got = theory.matrix_charge_rate(u, w, np.eye(d), 0.09 * np.eye(d), 0.2)[0, 0]
    charge = float(np.sum(u * u) - np.sum(w * w))
    assert got == pytest.approx(-theory.matrix_balance_rate(0.2, d, 0.3) * charge)
    decayed = theory.matrix_charge_rate(u, w, np.eye(d), 0.09 * np.eye(d), 0.0, 0.1)[0, 0]
    assert decayed == pytest.approx(-0.4 * charge)


def test_flattest_point_of_the_warm_up_experiment() -> None:
    V = np.zeros((20, 20))
    V[0, 0] = 1.0
    assert theory.flattest_trace_hessian(V, np.eye(20)) == pytest.approx(80.0)


# -- scale invariance --------------------------------------------------------------------------------


@MODEST
@given(st.floats(0.2, 2.0), st.floats(0.01, 1.0), st.floats(0.1, 2.0), st.floats(0.0, 1.0))
def test_radius_and_phase_solve_their_equations(
    r0: float, T: float, s: float, gamma: float
) -> None:
    t = np.array([0.0, 0.3, 2.0])

    def slope(_: float, y: Any) -> Any:  # of r^4 and of the variance of the angle
        return [2 * T * s * s - 8 * gamma * y[0], T * s * s / y[0]]

    path = integrate.solve_ivp(slope, (0, 2), [r0**4, 0.0], t_eval=t, rtol=1e-10, atol=1e-13).y
    assert np.allclose(theory.scale_radius(t, r0, T, s, gamma) ** 4, path[0], rtol=1e-8)
    assert np.allclose(theory.phase_variance(t, r0, T, s, gamma), path[1], rtol=1e-7, atol=1e-11)


def test_scale_invariance_by_simulation() -> None:
    """Heavy use of the Ito correction: the radius grows although every gradient is tangential."""
    rng = np.random.default_rng(11)
    n, T, s, h, steps = 4000, 0.3, 0.8, 0.002, 500
    z, phase = np.full(n, 1.0 + 0j), np.zeros(n)
    for _ in range(steps):
        step = 1j * z / np.abs(z) ** 2 * math.sqrt(T * h) * s * rng.normal(size=n)
        phase += np.angle((z + step) / z)
        z = z + step
    t = steps * h
    fourth = np.mean(np.abs(z) ** 4)
    assert fourth == pytest.approx(theory.scale_radius(t, 1.0, T, s) ** 4, rel=0.01)
    want = theory.phase_variance(t, 1.0, T, s)
    assert abs(np.var(phase) / want - 1) < 4.5 * math.sqrt(2 / n)
    assert abs(np.var(phase) / (T * s * s * t) - 1) > 4.5 * math.sqrt(2 / n)  # frozen radius


def test_stationary_radius_and_angle() -> None:
    T, s, gamma, kappa = 0.5, 0.8, 0.1, 0.4
    r = theory.equilibrium_radius(T, s, gamma)
    assert r**4 == pytest.approx(T * s * s / (4 * gamma))
    assert theory.scale_radius(100.0, 3.0, T, s, gamma) == pytest.approx(r)
    law = theory.phase_law(kappa, T, s, gamma)
    x, step = np.linspace(-3, 3, 61), 1e-5
    slope = (law.logpdf(x + step) - law.logpdf(x - step)) / (2 * step)
    drift, noise = -kappa * np.sin(x) / r**2, T * s * s / r**4
    assert np.allclose(slope, 2 * drift / noise, atol=1e-6)  # zero flux
    assert theory.phase_law(0.0, T, s, gamma).pdf(1.0) == pytest.approx(1 / (2 * math.pi))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.charge([1.0, 2.0], [[1.0, 2.0], [0.0, 1.0]]), "A must be symmetric"),
        (lambda: theory.charge([1.0], np.eye(2)), "theta must have 2 entries"),
        (lambda: theory.charge([1.0], [[1.0, 2.0]]), "A must be square"),
        (lambda: theory.charge([1.0], [[math.nan]]), "A must be finite"),
        (lambda: theory.charge([1.0], [1.0]), "A must be a non-empty 2-D"),
        (
            lambda: theory.noise_equilibrium(np.eye(2), -np.eye(2)),
            "Sigma must be positive semidefinite, got an eigenvalue -1",
        ),
        (lambda: theory.noise_equilibrium(np.eye(2), np.eye(3)), "Sigma must have the shape of A"),
        (lambda: theory.noise_equilibrium(np.eye(2), np.eye(2), 1.0, 0.1), "theta must be given"),
        (lambda: theory.charge_rate(np.eye(2), np.eye(2), 1.0, 0.1), "theta must be given"),
        (lambda: theory.noise_equilibrium(np.zeros((2, 2)), np.eye(2)), "every point is at rest"),
        (lambda: theory.noise_equilibrium(np.eye(2), np.zeros((2, 2))), "every point is at rest"),
        (lambda: theory.rescaling_balance([1.0, -1.0]), "powers must be greater than 0, got -1.0"),
        (lambda: theory.matrix_equilibrium(np.eye(2), SX, np.zeros((2, 2))), "Se must be positive"),
        (lambda: theory.matrix_equilibrium(np.eye(2), np.eye(3), SE), "Sx must have shape .2, 2"),
        (lambda: theory.trace_hessian(np.eye(2), np.eye(3), SX), "U and W must have shapes"),
        (lambda: theory.equilibrium_radius(0.1, 1.0, 0.0), "gamma must be greater than 0"),
        (lambda: theory.scale_radius(1.0, [1.0, 0.0], 1.0, 1.0), "r0 must be .* at index 1"),
        (lambda: theory.phase_law(-1.0, 1.0, 1.0, 1.0), "kappa must be at least 0"),
        (lambda: theory.matrix_balance_rate(0.1, 0, 1.0), "size must be at least 1"),
    ],
)
def test_refusals(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
