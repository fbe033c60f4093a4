"""The stationary law of the power-law dynamic."""

from __future__ import annotations

import math

from .._checks import number
from ..data import discriminant
from .base import Law
from .pearson import linear_drift_law

__all__ = ["PowerLaw", "check_power_law"]


def check_power_law(
    H: float, sigma_g: float, sigma_H: float, eta: float, rho: float
) -> tuple[float, float, float, float]:
    """Return ``(H, es, eh, er)``, the rate and ``eta`` times the three noise parameters.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a finite number or out of bounds: ``H > 0``, ``sigma_g >= 0``,
        ``sigma_H >= 0``, ``eta >= 0``, ``rho^2 <= sigma_g sigma_H``.
    """
    H = number("H", H, low=0.0, open_low=True)
    sigma_g, sigma_H = number("sigma_g", sigma_g, low=0.0), number("sigma_H", sigma_H, low=0.0)
    eta, rho = number("eta", eta, low=0.0), number("rho", rho)
    try:
        discriminant(sigma_H, rho, sigma_g)
    except ValueError:
        raise ValueError(
            f"rho must satisfy rho^2 <= sigma_g sigma_H = {sigma_g * sigma_H:g}, got {rho!r}"
        ) from None
    return H, eta * sigma_g, eta * sigma_H, eta * rho


def PowerLaw(H: float, sigma_g: float, sigma_H: float, eta: float, rho: float = 0.0) -> Law:
    """Return the stationary law of the power-law dynamic (Ito)

    ``du = -H u dt + sqrt(eta (sigma_g + 2 rho u + sigma_H u^2)) dW``.

    SGD near a minimum with linear per-sample gradients: Meng, Gong, Chen, Ma, Liu, *Dynamic of
    stochastic gradient descent with state-dependent noise*, arXiv:2006.13719; the density there is
    ``C(u)^-kappa`` times an arctangent factor, ``kappa = 1 + H/(eta sigma_H)``.

    Parameters
    ----------
    H : float
        Curvature, > 0.
    sigma_g, sigma_H : float
        Variances of gradient and curvature per step, >= 0.
    eta : float
        Learning rate >= 0.
    rho : float, default 0
        Their covariance, ``rho^2 <= sigma_g sigma_H``.

    Returns
    -------
    Law
        Student t with ``nu = 1 + 2H/(eta sigma_H)`` for ``rho = 0``; Pearson IV otherwise; normal
        for ``sigma_H = 0``. If ``rho^2 = sigma_g sigma_H > 0`` the noise vanishes at
        ``u0 = -rho/sigma_H``, and ``|u - u0|`` is inverse-gamma with shape
        ``1 + 2H/(eta sigma_H)`` and scale ``2H|u0|/(eta sigma_H)`` on the side of ``u0`` where
        the minimum lies. A point mass if ``eta = 0`` or ``sigma_g = 0``.

    Raises
    ------
    TypeError, ValueError
        As in :func:`check_power_law`.
    """
    H, es, eh, er = check_power_law(H, sigma_g, sigma_H, eta, rho)
    if max(es, eh) == math.inf:
        raise ValueError(f"eta must be such that eta*sigma_g does not overflow, got {eta!r}")
    return linear_drift_law(H, 0.0, eh, er, es, discriminant(eh, er, es))
