"""The stationary law of Euler-Maruyama's chain of the power-law dynamic, for `theory` and `laws`."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, special

__all__ = ["second_moment", "tail_index"]


def second_moment(H: float, es: float, eh: float, dt: float) -> float:
    """Return ``es/(2H - eh - H^2 dt)``; inf where that is not positive, nan if noise is missing too."""
    rate = 2.0 * H - eh - H * H * dt
    if es == 0.0:
        return 0.0 if rate > 0.0 else math.nan
    return es / rate if rate > 0.0 else math.inf


def _log_abs_moment(a: float, b: float, order: float) -> float:
    """Return ``ln E |a + b xi|^order`` for standard normal ``xi``, ``a >= 0``, ``b > 0``."""
    z = 0.5 * (a / b) * (a / b)
    if z <= 50.0 and order <= 200.0:
        # Kummer's form, all terms positive.
        series = float(special.hyp1f1(0.5 * (order + 1.0), 0.5, z))
        gammas = math.lgamma(0.5 * (order + 1.0)) - 0.5 * math.log(math.pi)
        return order * math.log(b) + 0.5 * order * math.log(2.0) + gammas + math.log(series) - z
    # Trapezoidal rule around the maximum of order ln x - (x-a)^2/(2 b^2); the branch x < 0 and the
    # singularity at 0 are below rounding here.
    x = 0.5 * (a + math.sqrt(a * a + 4.0 * order * b * b))
    width = 1.0 / math.sqrt(order / (x * x) + 1.0 / (b * b))
    grid = np.linspace(-14.0, 14.0, 2801)
    points = x + width * grid
    points, spacing = points[points > 0.0], width * (grid[1] - grid[0])
    logs = order * np.log(points / x) - 0.5 * ((points - a) / b) ** 2
    norm = math.log(spacing / (b * math.sqrt(2.0 * math.pi)))
    return float(special.logsumexp(logs)) + order * math.log(x) + norm


def tail_index(H: float, eh: float, dt: float) -> float:
    """Return the root ``mu > 0`` of ``E |1 - H dt + sqrt(eh dt) xi|^mu = 1`` (Kesten 1973).

    inf for ``eh = 0`` and beyond 1e12; nan if the chain diverges.
    """
    a, b = abs(1.0 - H * dt), math.sqrt(eh * dt)
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.nan
    if b == 0.0:
        return math.inf if a < 1.0 else math.nan

    def excess(order: float) -> float:
        with np.errstate(all="ignore"):
            value = _log_abs_moment(a, b, order)
        return math.inf if math.isnan(value) else value

    # ln E|.|^mu is convex in mu and 0 at 0: a positive root exists iff it first falls.
    low = 1e-3
    if excess(low) >= 0.0:
        return math.nan
    high = 2.0 * low
    while excess(high) < 0.0:
        low, high = high, 2.0 * high
        if high > 1e12:
            return math.inf
    return float(optimize.brentq(excess, low, high, xtol=1e-14, rtol=8.9e-16, maxiter=200))
