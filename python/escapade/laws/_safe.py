"""Float arithmetic that overflows to inf instead of raising."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["add", "exp", "power", "ratio"]


def power(x: float, n: float) -> float:
    """Return ``x**n`` for ``x >= 0`` or integer ``n``; inf (with its sign) where it overflows."""
    try:
        return float(x**n)
    except OverflowError:
        return -math.inf if x < 0.0 and n % 2.0 == 1.0 else math.inf
    except ZeroDivisionError:
        return math.inf


def exp(x: float) -> float:
    """Return ``exp(x)``; inf where it overflows."""
    return math.exp(x) if x < 709.78 else math.inf


def ratio(a: float, b: float) -> float:
    """Return ``a / b`` with the conventions of IEEE arithmetic for ``b = 0``."""
    if b != 0.0:
        return a / b
    return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a)


def add(terms: Iterable[float]) -> float:
    """Return the accurate sum; inf or nan where ``math.fsum`` would raise."""
    values = list(terms)
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return float(sum(values))
