"""Long-time and transition laws of geometric Brownian motion."""

from __future__ import annotations

import math

from .._checks import number
from .base import Law, NoStationaryLaw
from .normal import LogNormal
from .point import PointMass
from .transforms import Affine

__all__ = ["GeometricBrownianMotion", "geometric_brownian_motion_transition"]


def GeometricBrownianMotion(mu: float, sigma: float) -> Law:
    """Return the long-time law of ``dX = mu X dt + sigma X dW`` (Ito).

    ``ln |X|`` drifts at the rate ``mu - sigma^2/2``; where that is negative, every path tends to
    0, even if ``E X`` grows. (One of the exactly solvable collapse models of Ziyin, *Symmetry
    induces structure and constraint of learning*, arXiv:2309.16932.)

    Returns
    -------
    Law
        The point mass at 0, for ``mu < sigma^2/2``.

    Raises
    ------
    NoStationaryLaw
        For ``mu >= sigma^2/2``.
    TypeError, ValueError
        If an argument is not a finite number, or ``sigma < 0``.
    """
    mu, sigma = number("mu", mu), number("sigma", sigma, low=0.0)
    rate = mu - 0.5 * sigma * sigma
    if rate < 0.0:
        return PointMass(
            0.0,
            f"ln|X| drifts at the rate mu - sigma^2/2 = {rate:g} < 0: every path collapses to 0",
        )
    if rate > 0.0:
        happens = "every path grows without bound"
    elif sigma == 0.0:
        happens = "the process does not move"
    else:
        happens = "ln|X| is a driftless Brownian motion, which spreads without bound"
    raise NoStationaryLaw(
        f"GeometricBrownianMotion has no stationary law for mu = {mu:g}, sigma = {sigma:g}: "
        f"mu - sigma^2/2 = {rate:g} >= 0, so {happens}"
    )


def geometric_brownian_motion_transition(mu: float, sigma: float, x0: float, t: float) -> Law:
    """Return the exact law of ``X_t`` started at ``x0``: log-normal, with the sign of ``x0``.

    Parameters
    ----------
    mu, sigma : float
        Parameters of ``dX = mu X dt + sigma X dW``; ``sigma >= 0``.
    x0 : float
        Start, of either sign.
    t : float
        Time >= 0.
    """
    mu, sigma = number("mu", mu), number("sigma", sigma, low=0.0)
    x0, t = number("x0", x0), number("t", t, low=0.0)
    if x0 == 0.0:
        return PointMass(0.0, "the process started at 0, where it stays")
    centre = math.log(abs(x0)) + (mu - 0.5 * sigma * sigma) * t
    spread = sigma * math.sqrt(t)
    if spread == 0.0:
        if centre > 709.0:
            raise ValueError(f"t must be such that X_t does not overflow, got {t!r}")
        return PointMass(math.copysign(math.exp(centre), x0), "there is no noise")
    law = LogNormal(centre, spread)
    return law if x0 > 0.0 else Affine(law, 0.0, -1.0)
