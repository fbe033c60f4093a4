"""The power-law dynamic in more dimensions: second moments always, the law where it is known.

``du = -H u dt + sqrt(eta) (S_g^(1/2) dW_0 + sum_k B_k u dW_k)``: noise of covariance
``S_g + sum_k (B_k u)(B_k u)^T``, as of linear per-sample gradients whose gradient at the minimum and
curvature are uncorrelated. Moments of each order close. Source of the equation and of the multivariate
law: Meng, Gong, Chen, Ma, Liu, arXiv:2006.13719; the condition on ``kappa`` follows from zero flux.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import number
from ..laws.multivariate import no_current_kappa
from ..models._second_moments import SecondMoments
from ._inputs import matrix, positive_definite, psd, symmetric

__all__ = ["MultivariateT", "power_law_covariance", "power_law_multivariate"]


def power_law_covariance(
    hessian: npt.ArrayLike,
    noise: npt.ArrayLike,
    curvature_noise: Sequence[npt.ArrayLike],
    eta: float,
    dt: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Return the stationary second moment ``M``, of the equation or of its Euler-Maruyama chain.

    Solves ``H M + M H^T - dt H M H^T = eta (S_g + sum_k B_k M B_k^T)``, as does
    `escapade.models.MultivariatePowerLaw.second_moment`, which also knows times.

    Parameters
    ----------
    hessian : array_like, shape (n, n)
        ``H``, symmetric; at most 40 dimensions.
    noise : array_like, shape (n, n)
        ``S_g``, positive semidefinite.
    curvature_noise : sequence of array_like, shape (n, n)
        The matrices ``B_k``; may be empty.
    eta : float
        Learning rate, > 0.
    dt : float, default 0
        Step of Euler-Maruyama, >= 0; 0 for the equation itself, ``dt = eta`` for Gaussian SGD.

    Returns
    -------
    ndarray, shape (n, n)

    Raises
    ------
    ValueError
        If an argument is out of bounds or second moments do not stay finite.
    """
    H, S = symmetric("hessian", hessian), psd("noise", noise)
    n = H.shape[0]
    if S.shape != H.shape:
        raise ValueError(f"noise must have shape ({n}, {n}), got {S.shape}")
    Bs = [matrix("curvature_noise", B) for B in curvature_noise]
    if any(B.shape != H.shape for B in Bs):
        raise ValueError(f"curvature_noise must hold matrices of shape ({n}, {n})")
    eta, dt = number("eta", eta, low=0.0, open_low=True), number("dt", dt, low=0.0)
    moments = SecondMoments(H, S, np.array(Bs).reshape(-1, n, n), np.zeros((n, n)), eta)
    M = moments.euler_maruyama(dt) if dt > 0.0 else moments.stationary()
    if M is None:
        raise ValueError(
            "eta and dt must be so small that the second moment stays finite, got "
            f"eta={eta!r}, dt={dt!r}"
        )
    return M


class MultivariateT(NamedTuple):
    """The law ``(1 + u^T A u)^-kappa``: multivariate t with ``nu`` degrees of freedom.

    ``covariance`` is ``A^-1/(2 kappa - d - 2)``, None where it is infinite.
    """

    kappa: float
    nu: float
    covariance: npt.NDArray[np.float64] | None


def power_law_multivariate(
    hessian: npt.ArrayLike, noise: npt.ArrayLike, shape: npt.ArrayLike, eta: float
) -> MultivariateT:
    """Return the law for noise ``S_g (1 + u^T A u)``, if it is a power of the noise.

    It is iff ``eta (kappa - 1) S_g A = H``, integrable iff ``2 kappa > d``. Otherwise there are
    stationary currents, and no power of a quadratic form is stationary.

    Parameters
    ----------
    hessian, noise, shape : array_like, shape (d, d)
        ``H``, ``S_g``, ``A``, all positive definite.
    eta : float
        Learning rate, > 0.

    Raises
    ------
    ValueError
        If ``S_g A`` is not in proportion to ``H``, the law cannot be normalised, or an argument is bad.
    """
    H = symmetric("hessian", hessian)
    d = H.shape[0]
    H, S, A = (
        positive_definite(name, value, d)
        for name, value in (("hessian", hessian), ("noise", noise), ("shape", shape))
    )
    eta = number("eta", eta, low=0.0, open_low=True)
    kappa = no_current_kappa(H, S, A, eta)
    if math.isnan(kappa):
        raise ValueError(
            f"shape must be such that noise @ shape is in proportion to hessian, got {A.tolist()}"
        )
    nu = 2.0 * kappa - d
    if nu <= 0.0:
        raise ValueError(
            f"eta must be so small that 2 kappa > d = {d}, got {eta!r}, that is kappa = {kappa:g}"
        )
    return MultivariateT(kappa, nu, np.linalg.inv(A) / (nu - 2.0) if nu > 2.0 else None)
