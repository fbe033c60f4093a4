"""The leading eigenvalue, and the law that is left when the process has not left for long."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ._green import Green
from ._grid import Grid
from ._quadrature import FloatArray, total
from ._quasi import QuasiStationary
from ._region import Region
from ._regions import region_of
from ._resolvent import Resolvent

__all__ = ["escape_rate", "leading", "log_escape_rate", "quasi_stationary"]

_TINY = -575.0  # ln of a rate below which floats do not carry the search
_NONE = np.empty(0)


class Leading(NamedTuple):
    """``ln lambda_1``, and ``ln`` of its eigenfunction at the nodes of a grid."""

    log_rate: float
    grid: Grid
    log_f: FloatArray


def _power(green: Green, steps: int) -> tuple[float, float, FloatArray]:
    """Return ``ln`` of a lower and of an upper bound of the rate, and of the last iterate.

    The bounds are those of Collatz and of Rayleigh.
    """
    log_speed, half = green.grid.log_speed, green.grid.half
    log_f = green(np.zeros_like(log_speed))
    upper = math.inf
    for _ in range(steps):
        log_f = log_f - log_f.max()
        after = green(log_f)
        ratio = after - log_f
        lower = -float(ratio[np.isfinite(ratio)].max())
        before = upper
        upper = total(log_speed + 2.0 * log_f, half) - total(log_speed + log_f + after, half)
        log_f = after
        if abs(before - upper) <= 1e-15 * max(1.0, abs(upper)):
            break
    return lower, upper, log_f - log_f.max()


def _search(region: Region, cuts: list[float], lower: float, upper: float) -> tuple[float, Any]:
    """Return the rate between two bounds, by Sturm's theorem, and the solutions."""
    grid = region.fine_grid(cuts, 2.0 * upper, _NONE)
    solutions = Resolvent(grid, region.conditions, 2.0 * upper)
    low, high = lower * (1.0 - 1e-9), upper * (1.0 + 1e-9)
    while high - low > 4.0 * np.spacing(high):
        # even steps in the ratio first, where the bounds may be far apart
        points = np.geomspace(low, high, 66) if high > 2.0 * low else np.linspace(low, high, 66)
        alive = solutions.alive(-points[1:-1])
        first = int(np.argmin(np.append(alive, False)))
        new = float(points[first]), float(points[first + 1])
        if new == (low, high):
            break
        low, high = new
    return 0.5 * (low + high), solutions


def leading(region: Region) -> Leading:
    """Return the leading eigenvalue and its eigenfunction; kept with the region."""
    if "leading" not in region.kept:
        region.kept["leading"] = _leading(region)
    found: Leading = region.kept["leading"]
    return found


def _leading(region: Region) -> Leading:
    for end, kind in zip(region.ends, region.kinds, strict=True):
        if kind == "lost":
            raise ValueError(
                f"there is no escape rate: with positive probability the process drifts to {end:g} "
                "and never leaves"
            )
        if kind == "null":
            raise ValueError(
                f"there is no escape rate: excursions towards {end:g} have an infinite mean time, and "
                "survival falls more slowly than any exponential"
            )
    region.require_times()
    for factor in (1.0, 3.0, 9.0):
        cuts = region.static_cuts(_NONE, factor)
        green = Green(region.grid(_NONE, factor), region.conditions)
        lower, upper, log_f = _power(green, 4)
        if upper < _TINY:
            lower, upper, log_f = _power(green, 200)
            log_rate = upper
        else:
            rate, solutions = _search(region, cuts, math.exp(lower), math.exp(upper))
            log_rate = math.log(rate)
            green = Green(solutions.grid, region.conditions)
            log_f = solutions.log_nodes(-rate)
            log_f = np.where(np.isfinite(log_f), log_f, -745.0)
            for _ in range(2):  # relative accuracy up to the ends
                log_f = green(log_f) + log_rate
        log_f = log_f - log_f.max()
        weight = green.grid.log_speed + 2.0 * log_f
        outer = [
            float(weight[k, k])
            for k, tail in ((0, region.tails[0]), (-1, region.tails[1]))
            if tail is not None and region.kinds[k] == "reflect"
        ]
        if not outer or max(outer) < weight.max() - 34.0:
            return Leading(log_rate, green.grid, log_f)
    raise ValueError(
        "there is no leading eigenvalue: the spectrum is continuous down to about "
        f"{math.exp(log_rate):.4g}, and survival is not exponential in the end"
    )


def log_escape_rate(
    process: Any, a: Any = None, b: Any = None, *, reflect: str | None = None
) -> float:
    """Return ``ln lambda_1``, also for rates below the range of floats; see `escape_rate`."""
    return leading(region_of(process, a, b, reflect)).log_rate


def escape_rate(process: Any, a: Any = None, b: Any = None, *, reflect: str | None = None) -> float:
    """Return the leading eigenvalue ``lambda_1``: survival falls as ``exp(-lambda_1 t)`` in the end.

    It is not one over the mean exit time, which depends on the start; the two agree for high
    barriers. Bounds come from a few power iterations of the Green operator; between them Sturm's
    oscillation theorem decides (Coddington and Levinson, *Theory of Ordinary Differential
    Equations*, section 8.1). Rates below 1e-250 come from the iteration alone, which then converges at
    once. Relative error about 1e-13.

    Parameters
    ----------
    process, a, b, reflect
        As in `mean_exit_time`.

    Returns
    -------
    float
        In units of 1/time.

    Raises
    ------
    TypeError, ValueError
        As `mean_exit_time`; and if survival does not fall exponentially: the process may never leave,
        or wanders in an open end with a continuous spectrum.
    """
    return math.exp(log_escape_rate(process, a, b, reflect=reflect))


def quasi_stationary(
    process: Any, a: Any = None, b: Any = None, *, reflect: str | None = None
) -> QuasiStationary:
    """Return the quasi-stationary law: of the state, given that the process has not left for long.

    Its density is the leading eigenfunction times the speed density. Started from it, the exit
    time is exponential with rate `escape_rate` (Collet, Martinez and San Martin, *Quasi-Stationary
    Distributions*, section 6.2). Arguments and errors are those of `escape_rate`.

    Returns
    -------
    QuasiStationary
        With ``pdf``, ``cdf``, ``sf``, ``ppf``, ``isf``, ``rvs``, ``mean``, ``moment`` ... as in
        `escapade.laws`.
    """
    region = region_of(process, a, b, reflect)
    if "quasi" not in region.kept:
        found = leading(region)
        region.kept["quasi"] = QuasiStationary(
            found.grid, found.log_f, region.ends, region.kinds, found.log_rate
        )
    law: QuasiStationary = region.kept["quasi"]
    return law
