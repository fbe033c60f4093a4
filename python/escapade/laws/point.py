"""The law of a constant."""

from __future__ import annotations

import math

import numpy as np

from .._checks import number
from ._panels import FloatArray
from ._safe import power
from .base import Law

__all__ = ["PointMass"]


class PointMass(Law):
    """All mass at one point.

    Parameters
    ----------
    at : float
        The point.
    reason : str
        Why the law collapses.
    """

    def __init__(self, at: float, reason: str = "") -> None:
        self.at = number("at", at)
        if not isinstance(reason, str):
            raise TypeError(f"reason must be a string, got {reason!r}")
        self.reason = reason
        self.name = f"PointMass(at={self.at:.6g})"

    def support(self) -> tuple[float, float]:
        return self.at, self.at

    def _logpdf(self, x: FloatArray) -> FloatArray:
        return np.where(np.isnan(x), np.nan, np.where(x == self.at, np.inf, -np.inf))

    def _cdf(self, x: FloatArray) -> FloatArray:
        return np.where(np.isnan(x), np.nan, np.where(x >= self.at, 1.0, 0.0))

    def _sf(self, x: FloatArray) -> FloatArray:
        return 1.0 - self._cdf(x)

    def _logcdf(self, x: FloatArray) -> FloatArray:
        return np.log(self._cdf(x))

    def _logsf(self, x: FloatArray) -> FloatArray:
        return np.log(self._sf(x))

    def _ppf(self, q: FloatArray) -> FloatArray:
        return np.full_like(q, self.at)

    def _isf(self, q: FloatArray) -> FloatArray:
        return np.full_like(q, self.at)

    def _order(self, n: object) -> float:
        return number(
            "n", n, low=-1000.0, high=1000.0
        )  # any real order; what it gives is decided by the sign of the point

    def _moment(self, n: float) -> float:
        if self.at == 0.0:
            return 0.0 if n > 0.0 else math.inf
        if self.at < 0.0 and n != math.floor(n):
            return math.nan
        return power(self.at, n)

    def _moment_reason(self, n: float) -> str:
        if self.at == 0.0 and n < 0.0:
            return f"E x^{n:g} is infinite: all mass is at 0"
        if self.at < 0.0 and n != math.floor(n):
            return f"E x^{n:g} is undefined: the point is negative"
        return ""

    def var(self) -> float:
        return 0.0

    def modes(self) -> tuple[float, ...]:
        """Return the point."""
        return (self.at,)

    def mode(self) -> float:
        return self.at

    def entropy(self) -> float:
        return -math.inf

    @property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        return np.array([self.at]), np.array([1.0])
