"""Where the power-law dynamic in several dimensions has a law in closed form."""

from __future__ import annotations

import math

import numpy as np

from ._panels import FloatArray
from .base import NoStationaryLaw

__all__ = ["multivariate_t", "no_current_kappa", "separable_strengths"]

_SAME = 1e-10  # relative difference of matrices that count as equal


def no_current_kappa(H: FloatArray, Sigma_g: FloatArray, A: FloatArray, eta: float) -> float:
    """Return ``kappa`` for which ``(1 + u^T A u)^-kappa`` carries no current, nan if there is none.

    It solves ``eta (kappa - 1) Sigma_g A = H``; arguments are those of `multivariate_t`.
    """
    rate = eta * Sigma_g @ A
    square = float(np.sum(rate * rate))
    excess = float(np.sum(rate * H)) / square if square > 0.0 else math.nan
    if not np.max(np.abs(excess * rate - H)) <= _SAME * np.max(np.abs(H)):
        return math.nan
    return 1.0 + excess


def multivariate_t(
    H: FloatArray, Sigma_g: FloatArray, A: FloatArray, eta: float, name: str
) -> tuple[float, FloatArray]:
    """Return degrees of freedom and shape matrix of the multivariate t law of

    ``du = -H u dt + sqrt(eta Sigma_g (1 + u^T A u)) dW``: ``(1 + u^T A u)^-kappa`` carries no current
    if and only if ``eta (kappa - 1) Sigma_g A = H``. This follows from setting the flux of the
    Fokker-Planck equation to 0; for ``A = Sigma_H Sigma_g^-1`` it is the law of arXiv:2006.13719.

    Parameters
    ----------
    H, Sigma_g, A : ndarray, shape (n, n)
        Positive (semi)definite; checked by the caller.
    eta : float
        Learning rate, > 0.
    name : str
        Whose law it is, for messages.

    Returns
    -------
    nu : float
        Degrees of freedom, ``2 kappa - n``.
    shape : ndarray, shape (n, n)
        ``A^-1/nu``.

    Raises
    ------
    NotImplementedError
        If the condition holds for no ``kappa``.
    NoStationaryLaw
        If the density cannot be normalised: ``n >= 2 kappa``.
    """
    n, kappa = len(H), no_current_kappa(H, Sigma_g, A, eta)
    if math.isnan(kappa):
        raise NotImplementedError(
            f"no law is known for {name}: eta (kappa - 1) Sigma_g A = H holds for no kappa, so there "
            "are stationary currents; second_moment() is exact"
        )
    nu = 2.0 * kappa - n
    if nu <= 0.0:
        raise NoStationaryLaw(
            f"{name} has no stationary law: (1 + u^T A u)^-kappa with kappa = {kappa:g} can be "
            f"normalised for dim < 2 kappa = {2 * kappa:g} only, got dim = {n}; particles spread "
            "without bound"
        )
    return nu, np.asarray(np.linalg.inv(A) / nu)


def separable_strengths(H: FloatArray, Sigma_g: FloatArray, B: FloatArray) -> FloatArray | None:
    """Return ``sigma_H`` of ``C = diag(sigma_g + sigma_H u^2)``, shape (n,), if noise is separable.

    Parameters
    ----------
    H, Sigma_g : ndarray, shape (n, n)
    B : ndarray, shape (K, n, n)
        Separable if all three are diagonal and each matrix of B has at most one entry that is not 0.
    """
    strengths = np.zeros(len(H))
    if _off_diagonal(H) or _off_diagonal(Sigma_g):
        return None
    for b in B:
        if np.count_nonzero(b) > 1 or _off_diagonal(b):
            return None
        strengths += np.diag(b) ** 2
    return strengths


def _off_diagonal(matrix: FloatArray) -> bool:
    return bool(np.any(matrix - np.diag(np.diag(matrix))))
