"""Moments of exit times as integrals with the Green operator, in logarithms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._green import Green
from ._grid import Points
from ._quadrature import FloatArray
from ._region import Region

__all__ = ["moment_logs", "variance_logs"]

_LEFT_OUT = -34.0  # ln of the share of an integral that may lie beyond a cut


def _beyond(region: Region, green: Green, log_f: FloatArray) -> float:
    """Return ``ln`` of the largest share of ``int m f`` beyond the cuts; inf if it diverges.

    The slope is taken where speed is ``exp(10)`` of that at the cut: there ``f`` does not yet feel it.
    """
    worst = -np.inf
    grid = green.grid
    order = slice(None), slice(None, None, -1)
    # at a reflecting end the solution that fits it is 1
    integrand = grid.log_speed + log_f
    whole = np.logaddexp.reduce(np.log(grid.half) + np.logaddexp.reduce(integrand, axis=1))
    for tail, kind, way in zip(region.tails, region.kinds, order, strict=True):
        if tail is None or kind != "reflect":
            continue
        y, speed = grid.y.ravel()[way], grid.log_speed.ravel()[way]
        value = integrand.ravel()[way]
        near = int(np.argmax(speed > speed[0] + 10.0))
        far = int(np.argmax(speed > speed[0] + 20.0))
        slope = float(value[far] - value[near]) / abs(float(y[far] - y[near]))
        if slope <= 1e-3:
            return np.inf
        beyond = float(value[near]) - slope * abs(float(y[near] - y[0])) - np.log(slope)
        worst = max(worst, beyond - whole)
    return float(worst)


def _integrate(
    region: Region,
    x0: FloatArray,
    rows: int,
    ask: Callable[[Green, Points], tuple[list[FloatArray], float]],
) -> FloatArray:
    """Return ``ln`` of integrals of exit times, shape (rows, m), on grids as deep as they need.

    ``ask`` returns those that are finite, and ``ln`` of the largest share that lies beyond the cuts.
    """
    y = region.y(x0)
    gone = np.zeros(x0.shape, dtype=bool)
    for end, kind in zip(region.ends, region.kinds, strict=True):
        gone |= (x0 == end) & (kind == "absorb")
    result = np.full((rows, x0.size), np.inf)
    result[:, gone] = -np.inf
    if not {"lost", "null"}.isdisjoint(region.kinds):
        return result
    region.require_times()
    for factor in (1.0, 3.0, 9.0):
        green = Green(region.grid(y, factor), region.conditions)
        found, worst = ask(green, green.grid.points(y))
        if worst < _LEFT_OUT:
            for row, logs in zip(result, found, strict=False):
                row[:] = logs
            result[:, gone] = -np.inf
            return result
    raise ValueError(
        "the moments of the exit time hang on states too far out to be integrated in double "
        "precision; give a finite end instead"
    )


def moment_logs(region: Region, x0: FloatArray, order: int) -> FloatArray:
    """Return ``ln`` of the moments 1 to ``order``, shape (order, m)."""

    def ask(green: Green, at: Points) -> tuple[list[FloatArray], float]:
        log_f = np.zeros_like(green.grid.log_speed)
        found: list[FloatArray] = []
        worst = -np.inf
        for n in range(1, order + 1):
            beyond = _beyond(region, green, log_f)
            if beyond == np.inf:
                break  # nor do higher moments exist
            worst = max(worst, beyond)
            found.append(np.log(n) + green.at(log_f, at))
            if n < order:
                log_f = np.log(n) + green(log_f)
        return found, worst

    return _integrate(region, x0, order, ask)


def variance_logs(region: Region, x0: FloatArray) -> FloatArray:
    """Return ``ln`` of the variance, shape (m,)."""

    def ask(green: Green, at: Points) -> tuple[list[FloatArray], float]:
        # Var T = G[diffusion^2 (dT/dx)^2]: nothing is subtracted
        flat = np.zeros_like(green.grid.log_speed)
        log_f = 2.0 * (green.grid.log_noise + green.log_slope(flat))
        beyond = _beyond(region, green, log_f)
        if beyond == np.inf:
            return [], -np.inf
        return [green.at(log_f, at)], max(beyond, _beyond(region, green, flat))

    return np.asarray(_integrate(region, x0, 1, ask)[0])
