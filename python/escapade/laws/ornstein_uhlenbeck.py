"""The stationary law of the Ornstein-Uhlenbeck process."""

from __future__ import annotations

import math

from .._checks import number
from .base import Law, NoStationaryLaw
from .normal import Normal
from .point import PointMass

__all__ = ["OrnsteinUhlenbeck"]


def OrnsteinUhlenbeck(theta: float, mu: float, sigma: float) -> Law:
    """Return the stationary law of ``dX = -theta (X - mu) dt + sigma dW``.

    Normal with mean ``mu`` and variance ``sigma^2 / (2 theta)`` (Uhlenbeck and Ornstein, Phys. Rev.
    36, 823, 1930); the point mass at ``mu`` for ``sigma = 0``.

    Raises
    ------
    NoStationaryLaw
        For ``theta <= 0``: nothing confines the process.
    TypeError, ValueError
        If an argument is not a finite number, or ``sigma < 0``.
    """
    theta, mu = number("theta", theta), number("mu", mu)
    sigma = number("sigma", sigma, low=0.0)
    if theta <= 0.0:
        happens = "spreads without bound" if theta == 0.0 else "runs away exponentially"
        raise NoStationaryLaw(
            f"OrnsteinUhlenbeck has no stationary law for theta = {theta:g} <= 0: nothing confines "
            f"the process, which {happens}"
        )
    if sigma == 0.0:
        return PointMass(mu, "sigma = 0: without noise every path relaxes to mu")
    return Normal(mu, sigma / math.sqrt(2.0 * theta))
