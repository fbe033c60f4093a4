"""How noise moves a matrix factorisation along its minima ``U W = V``, to first order in T.

The charges ``U^T U - W W^T`` obey the law of balance, and ``U^T Gam_U U = W Gam_W W^T`` makes them
stand still (arXiv:2402.07193, theorem on the noise equilibrium). But charges are not all: the minima
have one direction more for every pair of hidden units, and where the flow along it does not vanish,
no point of the minima is stationary. What SGD then comes to turns at a steady rate in the hidden
space, ``U F(t), F(t)^T W``: a relative equilibrium, whose norms and Hessian are constant, and where
noise does not balance. Derived here from the second-order expansion of the gradient flow's limit map
(Katzenberger, Ann. Probab. 19, 1587, 1991): a small noise ``xi`` in ``dU = -xi W^T``, ``dW = -U^T xi``
is undone by the flow up to

    dU = S1 U - G W^T,  dW = W S2 - U^T G,  G (W^T W) + (U U^T) G = S1 V + V S2,
    S1 = int R' R^T dt,  S2 = int R^T R' dt,  R' = -2 (R W^T W + U U^T R) Sx,  R(0) = xi.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import integrate, linalg

from ._inputs import matrix, positive_definite, psd
from .matrix_factorisation import matrix_equilibrium

__all__ = ["MatrixStationary", "matrix_slow_drift", "matrix_stationary"]

_LEGS = 200  # of ten times the slowest rate that the noise alone would give

FloatArray = npt.NDArray[np.float64]


class MatrixStationary(NamedTuple):
    """Where SGD on a matrix factorisation comes to, up to a turn of the hidden space.

    ``U``, ``W`` with ``U W = V``; ``rotation``, antisymmetric: ``dU/dt = T U rotation`` and
    ``dW/dt = -T rotation W``. Zero rotation is the noise equilibrium.
    """

    U: FloatArray
    W: FloatArray
    rotation: FloatArray


def _drift(U: FloatArray, W: FloatArray, Sx: FloatArray, Se: FloatArray) -> tuple[Any, Any]:
    V = U @ W
    rows, columns = V.shape
    outer, inner = U @ U.T, W.T @ W
    # R -> 2 (R inner + outer R) Sx as a matrix on the entries of R, row by row
    flow = 2.0 * (np.kron(np.eye(rows), (inner @ Sx).T) + np.kron(outer, Sx.T))
    noise = 4.0 * np.kron(Se, Sx)  # covariance of xi per unit of T and time
    total = linalg.solve_continuous_lyapunov(flow, noise)  # int E vec R vec R^T dt
    moved = -(flow @ total).reshape(rows, columns, rows, columns)  # int E R'_ij R_kl dt
    S1 = np.trace(moved, axis1=1, axis2=3)
    S2 = np.trace(moved, axis1=0, axis2=2).T
    G = linalg.solve_sylvester(outer, inner, S1 @ V + V @ S2)
    return S1 @ U - G @ W.T, W @ S2 - U.T @ G


def _covariances(V: FloatArray, Sx: Any, Se: Any) -> tuple[FloatArray, FloatArray]:
    return positive_definite("Sx", Sx, V.shape[1]), psd("Se", Se)


def matrix_slow_drift(U: Any, W: Any, Sx: Any, Se: Any) -> tuple[FloatArray, FloatArray]:
    """Return ``dU/dt`` and ``dW/dt`` along the minima ``U W = V``, per unit of temperature.

    For ``|U W x - y|^2``, ``y = V x + e``, small ``T`` and times of order ``1/T``. Noise ``xi`` of the
    gradient, of covariance ``4 Se x Sx``, kicks the weights off the minima, ``dU = -xi W^T``,
    ``dW = -U^T xi``; gradient flow undoes that up to terms of second order, whose mean per time is::

        dU = S1 U - G W^T,  dW = W S2 - U^T G,  G (W^T W) + (U U^T) G = S1 V + V S2
        S1 = E int R' R^T dt,  S2 = E int R^T R' dt
        R' = -2 (R W^T W + U U^T R) Sx,  R(0) = xi

    The noise term of the limit vanishes, because all noise is normal to the minima. Derived from the
    limit map of gradient flow (Katzenberger, Ann. Probab. 19, 1587, 1991); the charges move as in
    arXiv:2402.07193 (`matrix_charge_rate`).

    Parameters
    ----------
    U, W : array_like, shape (d_out, d) and (d, d_in)
        A minimum; ``U W`` is taken for ``V``.
    Sx, Se : array_like
        Covariances of the inputs (positive definite) and of the label noise.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit or a covariance is none.
    """
    u, w = matrix("U", U), matrix("W", W)
    if u.shape[1] != w.shape[0]:
        raise ValueError(f"U and W must multiply, got shapes {u.shape} and {w.shape}")
    sx, se = _covariances(u @ w, Sx, Se)
    dU, dW = _drift(u, w, sx, se)
    return dU, dW


def matrix_stationary(V: Any, Sx: Any, Se: Any, start: Any = None) -> MatrixStationary:
    """Return what SGD on ``|U W x - y|^2`` comes to for small learning rates.

    The noise equilibrium (`matrix_equilibrium`) where that is stationary: for isotropic ``Se``, and
    where ``Se^(1/2) V Sx^(1/2)`` has no reason to turn (diagonal V, Sx and Se, say). Otherwise a
    relative equilibrium, found by following the slow flow (`matrix_slow_drift`): the minima have one
    direction more than there are charges ``U^T U - W W^T`` for every pair of hidden units, and where
    the flow along it does not vanish, no minimum is stationary. The weights then turn at a steady rate
    in the hidden space, ``U F(t), F(t)^T W`` with orthogonal ``F``; norms and Hessian are constant, and
    the noise is not balanced.

    Parameters
    ----------
    V : array_like, shape (d_out, d_in)
        Teacher of full rank.
    Sx, Se : array_like
        Covariances of inputs and label noise, positive definite.
    start : pair of arrays, optional
        Minimum from which to follow the flow; the noise equilibrium by default.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, a covariance is none, V is not of full rank, or the flow comes to
        no rest within 2000 times its own time scale.
    """
    v = matrix("V", V)
    sx, se = _covariances(v, Sx, Se)
    sizes = np.linalg.svd(v, compute_uv=False)
    if sizes[-1] <= 1e-10 * sizes[0]:
        raise ValueError(f"V must have full rank, got singular values {sizes.tolist()}")
    U, W = (np.array(m) for m in (matrix_equilibrium(v, sx, se)[:2] if start is None else start))
    split = U.size
    slowest = 1.0 / (4.0 * min(np.linalg.eigvalsh(sx)[0], np.linalg.eigvalsh(se)[0]) * min(v.shape))

    def rate(_: float, z: FloatArray) -> FloatArray:
        dU, dW = _drift(z[:split].reshape(U.shape), z[split:].reshape(W.shape), sx, se)
        return np.concatenate([dU.ravel(), dW.ravel()])

    z = np.concatenate([U.ravel(), W.ravel()])
    for _ in range(_LEGS):
        U, W = z[:split].reshape(U.shape), z[split:].reshape(W.shape)
        dU, dW = _drift(U, W, sx, se)
        # what part of the motion is a turn: least squares for antisymmetric X in dU = U X, dW = -X W
        turn = _turn(U, W, dU, dW)
        rest = max(np.abs(dU - U @ turn).max(), np.abs(dW + turn @ W).max())
        if rest < 1e-9 * (1.0 + max(np.abs(dU).max(), np.abs(dW).max())):
            return MatrixStationary(U, W, turn)
        z = integrate.solve_ivp(
            rate, (0.0, 10.0 * slowest), z, method="LSODA", rtol=1e-10, atol=1e-12
        ).y[:, -1]
    raise ValueError(f"V = {v.tolist()} leads to no relative equilibrium that this flow finds")


def _turn(U: FloatArray, W: FloatArray, dU: FloatArray, dW: FloatArray) -> FloatArray:
    d = U.shape[1]
    pairs = [(i, j) for i in range(d) for j in range(i)]
    if not pairs:
        return np.zeros((d, d))
    columns = []
    for i, j in pairs:
        X = np.zeros((d, d))
        X[i, j], X[j, i] = 1.0, -1.0
        columns.append(np.concatenate([(U @ X).ravel(), -(X @ W).ravel()]))
    weights = np.linalg.lstsq(
        np.stack(columns, axis=1), np.concatenate([dU.ravel(), dW.ravel()]), rcond=None
    )[0]
    turn = np.zeros((d, d))
    for (i, j), weight in zip(pairs, weights, strict=True):
        turn[i, j], turn[j, i] = weight, -weight
    return turn
