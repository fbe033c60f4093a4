"""Exact covariances of SGD in discrete time near a minimum, with momentum and matrix learning rate.

Source: Ziyin, Liu, Mori, Ueda, *Strength of minibatch noise in SGD*, arXiv:2102.05375.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._checks import integer, number
from ._inputs import positive_definite, psd, symmetric

__all__ = ["label_noise_covariance", "sgd_covariance", "sgd_regression_variance"]

FloatArray = npt.NDArray[np.float64]


def sgd_regression_variance(eta: float, batch: int) -> float:
    """Return ``(eta/B)/(2 - eta (1 + 2/B))``, variance of SGD on ``(w x - y)^2/2``, normal ``x``, ``y``.

    Both of variance 1 and independent. inf where it diverges, though a law may exist.

    Parameters
    ----------
    eta : float
        Learning rate, > 0.
    batch : int
        Batch size ``B``, >= 1, drawn with replacement.
    """
    eta, B = number("eta", eta, low=0.0, open_low=True), integer("batch", batch, low=1)
    gap = 2.0 - eta * (1.0 + 2.0 / B)
    return eta / B / gap if gap > 0.0 else float("inf")


def _rate(rate: npt.ArrayLike | float, size: int) -> FloatArray:
    if np.ndim(rate) == 0:
        scalar = number("rate", rate, low=0.0, open_low=True)
        return scalar * np.eye(size)
    matrix: FloatArray = positive_definite("rate", rate, size)
    return matrix


def sgd_covariance(
    hessian: npt.ArrayLike,
    noise: npt.ArrayLike,
    rate: npt.ArrayLike | float,
    momentum: float = 0.0,
) -> FloatArray:
    """Return the stationary covariance ``S`` of SGD in a quadratic well with given gradient noise.

    Solves (arXiv:2102.05375) ``(1-mu)(R H S + S H R) - (1+mu^2)/(1-mu^2) R H S H R
    + mu/(1-mu^2) (R H R H S + S H R H R) = R C R`` for ``m' = mu m + H w + xi``, ``w' = w - R m'``.

    Parameters
    ----------
    hessian : array_like, shape (n, n)
        ``H``, positive definite.
    noise : array_like, shape (n, n)
        ``C``, covariance of the gradient noise ``xi`` of a step, positive semidefinite.
    rate : float or array_like, shape (n, n)
        Learning rate ``R``, positive definite; a matrix is a preconditioner.
    momentum : float, default 0
        ``mu``, 0 <= mu < 1.

    Returns
    -------
    ndarray, shape (n, n)

    Raises
    ------
    ValueError
        If an argument is out of bounds or training diverges.
    """
    C = psd("noise", noise)
    n = C.shape[0]
    H, R = positive_definite("hessian", hessian, n), _rate(rate, n)
    mu = number("momentum", momentum, low=0.0, high=1.0, open_high=True)
    eye, K = np.eye(n), R @ H
    step = np.block([[eye - K, -mu * R], [H, mu * eye]])
    radius = float(np.abs(np.linalg.eigvals(step)).max())
    if radius >= 1.0:
        raise ValueError(
            f"rate must be so small that training converges, got a radius {radius:.6g}"
        )
    # vec(A X B) = (A kron B^T) vec(X), rows first
    one = (1.0 - mu) * (np.kron(K, eye) + np.kron(eye, K))
    two = (1.0 + mu * mu) / (1.0 - mu * mu) * np.kron(K, K)
    three = mu / (1.0 - mu * mu) * (np.kron(K @ K, eye) + np.kron(eye, K @ K))
    S = np.linalg.solve(one - two + three, (R @ C @ R).ravel()).reshape(n, n)
    return np.asarray(0.5 * (S + S.T), dtype=np.float64)


def label_noise_covariance(
    data_covariance: npt.ArrayLike,
    sigma: float,
    batch: int,
    rate: npt.ArrayLike | float,
    momentum: float = 0.0,
) -> FloatArray:
    """Return the stationary covariance of SGD on linear regression with label noise, normal inputs.

    ``(sigma^2/B)(1 + k/B) R G^-1`` with ``G = 2(1-mu) - ((1-mu)/(1+mu) + 1/B) R A``,
    ``k = Tr[R A G^-1]/(1 - Tr[R A G^-1]/B)`` (arXiv:2102.05375). Solves the equation of
    :func:`sgd_covariance` with ``C = (A S A + Tr[A S] A + sigma^2 A)/B``.

    Parameters
    ----------
    data_covariance : array_like, shape (n, n)
        ``A = E x x^T``, positive definite; the Hessian of ``(w.x - y)^2/2``.
    sigma : float
        Deviation of the label noise, >= 0.
    batch : int
        ``B`` >= 1.
    rate : float or array_like, shape (n, n)
        ``R``, positive definite, must commute with ``A``.
    momentum : float, default 0
        ``mu``, 0 <= mu < 1.

    Raises
    ------
    ValueError
        If an argument is out of bounds, the variance is infinite, or ``R`` and ``A`` do not commute.
    """
    size = symmetric("data_covariance", data_covariance).shape[0]
    A = positive_definite("data_covariance", data_covariance, size)
    R, B = _rate(rate, size), integer("batch", batch, low=1)
    sigma = number("sigma", sigma, low=0.0)
    mu = number("momentum", momentum, low=0.0, high=1.0, open_high=True)
    K = R @ A
    if float(np.abs(K - K.T).max()) > 1e-10 * float(np.abs(K).max()):
        raise ValueError("rate must commute with data_covariance")
    G = 2.0 * (1.0 - mu) * np.eye(size) - ((1.0 - mu) / (1.0 + mu) + 1.0 / B) * K
    inverse = np.linalg.inv(G)
    trace = float(np.trace(K @ inverse))
    if np.linalg.eigvalsh(0.5 * (G + G.T))[0] <= 0.0 or trace >= B:
        raise ValueError("rate must be so small that the variance is finite")
    S = sigma * sigma / B * (1.0 + trace / (B - trace)) * R @ inverse
    return np.asarray(0.5 * (S + S.T), dtype=np.float64)
