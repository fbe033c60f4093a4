"""Noise equilibrium of the two-layer linear network ``f(x) = U W x``.

Source: Ziyin, Wang, Li, Wu, arXiv:2402.07193 (double rotation symmetry). Loss ``|U W x - y|^2`` with
``y = V x + eps``; ``x`` has covariance Sx and independent ``eps`` covariance Se. On ``U W = V`` ::

    d(U^T U - W W^T)/dt = T (W Gamma_W W^T - U^T Gamma_U U)
    Gamma_U = 4 Tr(Sx) Se,   Gamma_W = 4 Tr(Se) Sx
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._checks import integer, number
from ._inputs import factor, matrix, positive_definite

__all__ = [
    "Factors",
    "flattest_point",
    "flattest_trace_hessian",
    "gd_balanced",
    "matrix_balance_rate",
    "matrix_charge_rate",
    "matrix_equilibrium",
    "noise_mismatch",
    "trace_hessian",
]


class Factors(NamedTuple):
    """``U`` of shape (dy, d) and ``W`` of shape (d, dx), up to a common rotation between them."""

    U: Any
    W: Any


def _factors(U: Any, W: Any) -> tuple[Any, Any]:
    left, right = matrix("U", U), matrix("W", W)
    if left.shape[1] != right.shape[0]:
        raise ValueError(
            f"U and W must have shapes (dy, d) and (d, dx), got {left.shape} and {right.shape}"
        )
    return left, right


def _split(M: Any) -> Factors:
    """Return ``L S^(1/2)`` and ``S^(1/2) R^T`` from the singular value decomposition of ``M``."""
    left, values, right = np.linalg.svd(M, full_matrices=False)
    root = np.sqrt(values)
    return Factors(left * root, root[:, None] * right)


def matrix_equilibrium(V: Any, Sx: Any, Se: Any) -> Factors:
    """Return the factors of ``V`` at which SGD's noise is in equilibrium.

    ``U* = (b/a)^(1/4) Se^(-1/2) L S^(1/2)``, ``W* = (a/b)^(1/4) S^(1/2) R^T Sx^(-1/2)`` with
    ``Se^(1/2) V Sx^(1/2) = L S R^T``, ``a = Tr Sx``, ``b = Tr Se``; inner dimension min(dy, dx). For
    isotropic Se this is the flattest point of the orbit.
    There all charges stand still. Where V, Sx and Se do not commute SGD comes close to it and no
    closer: see `matrix_stationary`.

    Parameters
    ----------
    V : array_like, shape (dy, dx)
        Teacher.
    Sx, Se : array_like, shapes (dx, dx) and (dy, dy)
        Covariances of inputs and label noise, positive definite.
    """
    teacher = matrix("V", V)
    sx = positive_definite("Sx", Sx, teacher.shape[1])
    se = positive_definite("Se", Se, teacher.shape[0])
    (x_root, x_inverse), (e_root, e_inverse) = factor(sx), factor(se)
    U, W = _split(e_root @ teacher @ x_root)
    scale = (np.trace(se) / np.trace(sx)) ** 0.25
    return Factors(scale * (e_inverse @ U), (W @ x_inverse) / scale)


def flattest_point(V: Any, Sx: Any) -> Factors:
    """Return the factors of ``V`` with the least trace of the Hessian.

    There ``Tr(Sx) U^T U = dy W Sx W^T``.
    """
    teacher = matrix("V", V)
    sx = positive_definite("Sx", Sx, teacher.shape[1])
    root, inverse = factor(sx)
    U, W = _split(teacher @ root)
    scale = (teacher.shape[0] / np.trace(sx)) ** 0.25
    return Factors(scale * U, (W @ inverse) / scale)


def gd_balanced(V: Any) -> Factors:
    """Return the factors of ``V`` with ``U^T U = W W^T``, where gradient flow from small weights and
    weight decay end; :func:`trace_hessian` gives its sharpness."""
    return _split(matrix("V", V))


def trace_hessian(U: Any, W: Any, Sx: Any) -> float:
    """Return ``2 (dy Tr[W Sx W^T] + |U|_F^2 Tr Sx)``, the trace of the Hessian of the mean loss.

    Exact everywhere, not only at minima.

    Parameters
    ----------
    U, W : array_like, shapes (dy, d) and (d, dx)
        Weights.
    Sx : array_like, shape (dx, dx)
        Covariance of the inputs, positive definite.
    """
    left, right = _factors(U, W)
    sx = positive_definite("Sx", Sx, right.shape[1])
    inner = float(np.sum((right @ sx) * right))
    outer = float(np.sum(left * left)) * float(np.trace(sx))
    return 2.0 * (int(left.shape[0]) * inner + outer)


def flattest_trace_hessian(V: Any, Sx: Any) -> float:
    """Return ``4 sqrt(dy Tr Sx) |V Sx^(1/2)|_*``, the least trace of the Hessian among ``U W = V``.

    ``|.|_*`` is the nuclear norm.
    """
    teacher = matrix("V", V)
    sx = positive_definite("Sx", Sx, teacher.shape[1])
    root, _ = factor(sx)
    nuclear = float(np.sum(np.linalg.svd(teacher @ root, compute_uv=False)))
    return 4.0 * float(np.sqrt(teacher.shape[0] * np.trace(sx))) * nuclear


def _noises(U: Any, W: Any, Sx: Any, Se: Any) -> tuple[Any, Any, Any, Any]:
    """Return ``U``, ``W``, ``U^T Gamma_U U`` and ``W Gamma_W W^T``."""
    left, right = _factors(U, W)
    sx = positive_definite("Sx", Sx, right.shape[1])
    se = positive_definite("Se", Se, left.shape[0])
    upper = 4.0 * np.trace(sx) * (left.T @ se @ left)
    lower = 4.0 * np.trace(se) * (right @ sx @ right.T)
    return left, right, upper, lower


def noise_mismatch(U: Any, W: Any, Sx: Any, Se: Any) -> float:
    """Return ``|P - Q|_F/(|P|_F + |Q|_F)``, ``P = Tr(Sx) U^T Se U``, ``Q = Tr(Se) W Sx W^T``.

    0 in noise equilibrium, at most 1. The formula holds on ``U W = V``, where the residual is the
    label noise.
    """
    _, _, upper, lower = _noises(U, W, Sx, Se)
    size = float(np.linalg.norm(upper) + np.linalg.norm(lower))
    return float(np.linalg.norm(upper - lower)) / size if size > 0.0 else 0.0


def matrix_charge_rate(U: Any, W: Any, Sx: Any, Se: Any, T: float, gamma: float = 0.0) -> Any:
    """Return ``d(U^T U - W W^T)/dt`` on ``U W = V``, shape (d, d).

    ``T (W Gamma_W W^T - U^T Gamma_U U) - 4 gamma (U^T U - W W^T)``.

    Parameters
    ----------
    U, W : array_like, shapes (dy, d) and (d, dx)
        Weights, with ``U W = V``.
    Sx, Se : array_like, shapes (dx, dx) and (dy, dy)
        Covariances of inputs and label noise, positive definite.
    T, gamma : float
        Temperature and weight decay, >= 0.
    """
    left, right, upper, lower = _noises(U, W, Sx, Se)
    T, gamma = number("T", T, low=0.0), number("gamma", gamma, low=0.0)
    return T * (lower - upper) - 4.0 * gamma * (left.T @ left - right @ right.T)


def matrix_balance_rate(T: float, size: int, sigma: float) -> float:
    """Return ``4 T d sigma^2``, the rate at which ``|u|^2 - |w|^2`` decays for rank one.

    For ``u`` and ``w`` of the same length ``d``, ``Sx = I`` and ``Se = sigma^2 I``, on ``u w^T = V``;
    :func:`matrix_charge_rate` serves all other cases.

    Parameters
    ----------
    T : float
        Temperature, >= 0.
    size : int
        ``d = dx = dy``, >= 1.
    sigma : float
        Standard deviation of the label noise, >= 0.
    """
    T, sigma = number("T", T, low=0.0), number("sigma", sigma, low=0.0)
    return 4.0 * T * integer("size", size, low=1) * sigma * sigma
