"""The slow flow of matrix factorisation along its minima: identities, and an independent simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from escapade import theory


def covariance(rng: np.random.Generator, size: int) -> np.ndarray:
    root = rng.normal(size=(size, size + 2))
    return root @ root.T / size


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)),
    seed=st.integers(0, 2**32),
)
def test_it_stays_on_the_minima_and_obeys_the_law_of_balance(sizes, seed) -> None:
    """d(U W)/dt = 0, and the symmetric part is the law of balance of arXiv:2402.07193."""
    dy, d, dx = sizes
    d = max(d, min(dy, dx))
    rng = np.random.default_rng(seed)
    U, W = rng.normal(size=(dy, d)), rng.normal(size=(d, dx))
    Sx, Se = covariance(rng, dx), covariance(rng, dy)
    if np.linalg.matrix_rank(U) < dy and np.linalg.matrix_rank(W) < dx:
        return
    dU, dW = theory.matrix_slow_drift(U, W, Sx, Se)
    size = np.abs(dU).max() + np.abs(dW).max()
    assert np.abs(dU @ W + U @ dW).max() < 1e-7 * (1 + size)
    charge = dU.T @ U + U.T @ dU - dW @ W.T - W @ dW.T
    assert charge == pytest.approx(
        theory.matrix_charge_rate(U, W, Sx, Se, 1.0), rel=1e-7, abs=1e-8 * (1 + size)
    )


def test_it_is_the_second_order_return_of_the_gradient_flow() -> None:
    """Kick a minimum by small normal noise, follow the loss's gradient flow back, and average."""
    rng = np.random.default_rng(3)
    dy, d, dx = 2, 2, 2
    U, W = rng.normal(size=(dy, d)), rng.normal(size=(d, dx))
    Sx, Se = covariance(rng, dx), covariance(rng, dy)
    V, h = U @ W, 1e-3
    Lx, Le = np.linalg.cholesky(Sx), np.linalg.cholesky(Se)

    def flow(_: float, z: np.ndarray) -> np.ndarray:
        u, w = z[:4].reshape(2, 2), z[4:].reshape(2, 2)
        G = 2 * (u @ w - V) @ Sx
        return np.concatenate([-(G @ w.T).ravel(), -(u.T @ G).ravel()])

    total = np.zeros(8)
    # the covariance of the noise 2 Le Z Lx^T by its axes, either sign: exact to this order
    for i in range(dy):
        for j in range(dx):
            for sign in (1.0, -1.0):
                # eight kicks: their mean square is the covariance h^2 4 Se (x) Sx
                xi = 4 * h * sign * np.outer(Le[:, i], Lx[:, j])
                z = np.concatenate([(U - xi @ W.T).ravel(), (W - U.T @ xi).ravel()])
                end = integrate.solve_ivp(
                    flow, (0, 150), z, method="LSODA", rtol=1e-12, atol=1e-15
                ).y[:, -1]
                total += end - np.concatenate([U.ravel(), W.ravel()])
    found = total / 8 / h**2
    dU, dW = theory.matrix_slow_drift(U, W, Sx, Se)
    expected = np.concatenate([dU.ravel(), dW.ravel()])
    assert found == pytest.approx(expected, rel=2e-2, abs=2e-2 * np.abs(expected).max())


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), s=st.floats(0.2, 2.0))
def test_isotropic_label_noise_has_a_noise_equilibrium(seed, s) -> None:
    """Then SGD comes to the flattest minimum, which does not turn."""
    rng = np.random.default_rng(seed)
    V, Sx = rng.normal(size=(2, 2)) + 2 * np.eye(2), covariance(rng, 2) + 0.3 * np.eye(2)
    U, W, rotation = theory.matrix_stationary(V, Sx, s * np.eye(2))
    assert np.abs(rotation).max() < 1e-7
    assert theory.trace_hessian(U, W, Sx) == pytest.approx(theory.flattest_trace_hessian(V, Sx))


def test_a_turning_equilibrium_is_one() -> None:
    """Where the hidden space turns, the flow is a turn and nothing else, and noise is unbalanced."""
    c, s = np.cos(0.6), np.sin(0.6)
    V, Sx, Se = np.array([[c, -s], [s, c]]), np.diag([1.0, 0.25]), np.diag([0.09, 0.81])
    U, W, rotation = theory.matrix_stationary(V, Sx, Se)
    assert U @ W == pytest.approx(V, abs=1e-8)
    dU, dW = theory.matrix_slow_drift(U, W, Sx, Se)
    assert dU == pytest.approx(U @ rotation, abs=1e-7)
    assert dW == pytest.approx(-rotation @ W, abs=1e-7)
    assert abs(rotation[0, 1]) == pytest.approx(0.0779, abs=1e-4)
    assert theory.noise_mismatch(U, W, Sx, Se) > 0.025
    balanced = theory.matrix_equilibrium(V, Sx, Se)[:2]
    assert theory.noise_mismatch(*balanced, Sx, Se) < 1e-10


@pytest.mark.parametrize(
    ("U", "W", "words"),
    [
        (np.eye(2), np.eye(3), "U and W must multiply"),
        (np.ones(2), np.eye(2), "U must"),
    ],
)
def test_bad_shapes_are_named(U, W, words) -> None:
    with pytest.raises(ValueError, match=words):
        theory.matrix_slow_drift(U, W, np.eye(2), np.eye(2))


def test_a_teacher_without_full_rank_is_refused() -> None:
    for V in (np.ones((2, 2)), np.zeros((2, 2))):
        with pytest.raises(ValueError, match="V must have full rank, got singular values"):
            theory.matrix_stationary(V, np.eye(2), np.eye(2))
