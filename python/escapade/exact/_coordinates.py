"""Coordinates ``x(y)`` in which ends at infinity, or where the noise dies, are exponentially near."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._quadrature import FloatArray

__all__ = ["Coordinate", "above", "below", "between", "line", "plain"]

_LN2 = math.log(2.0)


class Coordinate(NamedTuple):
    """A growing map ``x(y)``, its inverse, and ``ln dx/dy``."""

    x: Callable[[FloatArray], FloatArray]
    y: Callable[[FloatArray], FloatArray]
    log_slope: Callable[[FloatArray], FloatArray]


def plain() -> Coordinate:
    """``x = y``, for intervals with two regular ends."""
    return Coordinate(lambda y: y, lambda x: x, np.zeros_like)


def line(centre: float, scale: float) -> Coordinate:
    """``x = centre + scale sinh y``: power laws at infinity become exponentials."""
    log_scale = math.log(scale)

    def log_slope(y: FloatArray) -> FloatArray:
        size = np.abs(y)
        return np.asarray(log_scale + size + np.log1p(np.exp(-2.0 * size)) - _LN2)

    return Coordinate(
        lambda y: centre + scale * np.sinh(y),
        lambda x: np.asarray(np.arcsinh((x - centre) / scale)),
        log_slope,
    )


def above(low: float, scale: float) -> Coordinate:
    """``x = low + scale e^y`` on a half line that is open below."""
    log_scale = math.log(scale)
    return Coordinate(
        lambda y: low + scale * np.exp(y),
        lambda x: np.asarray(np.log((x - low) / scale)),
        lambda y: log_scale + y,
    )


def below(high: float, scale: float) -> Coordinate:
    """``x = high - scale e^-y`` on a half line that is open above."""
    log_scale = math.log(scale)
    return Coordinate(
        lambda y: high - scale * np.exp(-y),
        lambda x: np.asarray(-np.log((high - x) / scale)),
        lambda y: log_scale - y,
    )


def between(low: float, high: float) -> Coordinate:
    """``x = low + (high - low)/(1 + e^-y)`` on an interval that is open at both ends."""
    log_width = math.log(high - low)

    def x(y: FloatArray) -> FloatArray:
        small = np.exp(-np.abs(y))
        share = (high - low) * small / (1.0 + small)
        return np.asarray(np.where(y < 0.0, low + share, high - share))

    def log_slope(y: FloatArray) -> FloatArray:
        size = np.abs(y)
        return np.asarray(log_width - size - 2.0 * np.log1p(np.exp(-size)))

    return Coordinate(x, lambda v: np.asarray(np.log((v - low) / (high - v))), log_slope)
