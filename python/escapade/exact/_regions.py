"""Regions from the arguments of the public functions."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .._checks import array, choice, number
from ._quadrature import FloatArray
from ._region import Region
from .process import Process, as_process

__all__ = ["region_of", "starts"]

_SIDES = ("lower", "upper")


@functools.lru_cache(maxsize=32)
def _cached(
    process: Process,
    a: float | None,
    b: float | None,
    reflect: str | None,
    scale: float | None,
    closed: bool,
) -> Region:
    return Region(process, a, b, reflect, scale, closed)


def _limit(name: str, value: Any, infinite: float) -> float | None:
    """Return a finite end, or None for an infinite one."""
    if value is None:
        return None
    if isinstance(value, (float, np.floating)) and float(value) == infinite:
        return None
    return number(name, value)


def region_of(
    process: Any,
    a: Any,
    b: Any,
    reflect: Any,
    x0: FloatArray | None = None,
    closed: bool = False,
) -> Region:
    """Check the arguments and return the region, from a small cache.

    ``x0`` hints at the scale of what happens; ``closed`` regions need no end that absorbs.
    """
    known = as_process(process)
    low, high = _limit("a", a, -math.inf), _limit("b", b, math.inf)
    side = None if reflect is None else choice("reflect", reflect, _SIDES)
    domain = (float(known.domain[0]), float(known.domain[1]))
    for name, end in (("a", low), ("b", high)):
        if end is not None and not domain[0] <= end <= domain[1]:
            raise ValueError(f"{name} must lie within the domain {domain}, got {end!r}")
    lower = domain[0] if low is None else low
    upper = domain[1] if high is None else high
    if not lower < upper:
        raise ValueError(f"a must be less than b, got a={a!r}, b={b!r}")
    scale = None
    if x0 is not None and x0.size and (low is None or high is None):
        end = high if high is not None else low
        apart = np.abs(x0 - end) if end is not None else np.abs(x0)
        apart = apart[np.isfinite(apart) & (apart > 0.0)]
        if apart.size:
            scale = 2.0 ** round(math.log2(float(np.median(apart))))
    return _cached(known, low, high, side, scale, closed)


def starts(name: str, value: Any, process: Any, a: Any, b: Any) -> FloatArray:
    """Return starting points as an array, each within the closed interval.

    Raises
    ------
    TypeError, ValueError
        If they are not numbers, or outside.
    """
    known = as_process(process)
    points = array(name, value)
    low = _limit("a", a, -math.inf)
    high = _limit("b", b, math.inf)
    lower = float(known.domain[0]) if low is None else low
    upper = float(known.domain[1]) if high is None else high
    inside = np.isfinite(points) & (points >= lower) & (points <= upper)
    if low is None and math.isfinite(lower):
        inside &= points > lower
    if high is None and math.isfinite(upper):
        inside &= points < upper
    if not inside.all() and lower < upper:
        bad = points[~inside].ravel()[0]
        raise ValueError(f"{name} must lie in [{lower:g}, {upper:g}], got {bad:g}")
    return points
