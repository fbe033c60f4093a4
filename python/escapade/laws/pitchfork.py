"""The stationary law of the stochastic pitchfork."""

from __future__ import annotations

import math

from .._checks import number
from ..theory.collapse_models import pitchfork_relaxation_rate
from .base import Law
from .gamma import Gamma
from .point import PointMass
from .transforms import PowerOf

__all__ = ["Pitchfork", "pitchfork_relaxation_rate"]


def Pitchfork(mu: float, b: float, sigma: float) -> Law:
    """Return the law of ``dz = (mu z - b z^3) dt + sigma z dW`` (Ito) on ``z > 0``.

    ``z^2`` is gamma with shape ``mu/sigma^2 - 1/2`` and scale ``sigma^2/b``. The sign of ``z`` is
    conserved, so started negative the law is the mirror image. Derived for the mirror symmetry of
    Ziyin, *Symmetry induces structure and constraint of learning*, arXiv:2309.16932.

    Parameters
    ----------
    mu : float
        Linear growth rate.
    b : float
        Cubic confinement, > 0.
    sigma : float
        Noise, >= 0.

    Returns
    -------
    Law
        The point mass at 0 for ``mu <= sigma^2/2`` (every path collapses), at ``sqrt(mu/b)`` for
        ``sigma = 0``.
    """
    mu, b = number("mu", mu), number("b", b, low=0.0, open_low=True)
    sigma = number("sigma", sigma, low=0.0)
    square = sigma * sigma
    if mu <= 0.5 * square:
        return PointMass(
            0.0,
            f"mu = {mu:g} <= sigma^2/2 = {0.5 * square:g}: ln z has no upward drift near 0, "
            "and every path collapses to 0",
        )
    if square == 0.0:
        return PointMass(math.sqrt(mu / b), "sigma = 0: without noise z relaxes to sqrt(mu/b)")
    shape = (mu - 0.5 * square) / square
    name = f"Pitchfork(mu={mu:.6g}, b={b:.6g}, sigma={sigma:.6g})"
    return PowerOf(Gamma(shape), 0.5, sigma / math.sqrt(b), name=name)
