"""The law of ``ln X`` for a positive ``X``."""

from __future__ import annotations

import math

import numpy as np

from ._panels import FloatArray
from .base import Law, PositiveLaw

__all__ = ["LogOf"]


class LogOf(Law):
    """The law of ``Y = ln X``, for states stored as logarithms and for laws near a collapse.

    Parameters
    ----------
    base : PositiveLaw
        The law of ``X``.
    """

    def __init__(self, base: PositiveLaw) -> None:
        if not isinstance(base, PositiveLaw):
            raise TypeError(f"base must be a law of a positive number, got {base!r}")
        self.base = base
        self.name = f"ln of {base.name}"

    def support(self) -> tuple[float, float]:
        with np.errstate(divide="ignore"):
            low, high = np.log(np.asarray(self.base.support())).tolist()
        return low, high

    def _order(self, n: object) -> float:
        order = super()._order(n)
        if order < 0.0 or order != math.floor(order):
            raise ValueError(f"n must be an integer >= 0, got {n!r}")
        return order

    def _logpdf(self, x: FloatArray) -> FloatArray:
        return self.base._logpdf_y(x)

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self.base._cdf_y(x)

    def _sf(self, x: FloatArray) -> FloatArray:
        return self.base._sf_y(x)

    def _ppf(self, q: FloatArray) -> FloatArray:
        return self.base._ppf_y(q)

    def _isf(self, q: FloatArray) -> FloatArray:
        return self.base._isf_y(q)

    def _moment(self, n: float) -> float:
        return self.mean() if n == 1.0 else self.expectation(lambda y: y**n)

    def mean(self) -> float:
        return self.base.mean_log()

    def var(self) -> float:
        mean = self.mean()
        return self.expectation(lambda y: (y - mean) ** 2)

    def entropy(self) -> float:
        # The density of Y is x times that of X.
        return self.base.entropy() - self.base.mean_log()

    def modes(self) -> tuple[float, ...]:
        """Return the local maxima of the density, searched on a grid of quantiles."""
        low = np.geomspace(1e-12, 0.5, 2000)
        y = np.unique(np.concatenate([self._ppf(low), self._isf(low)]))
        if y.size < 3:  # a point, as far as floats can tell
            return (float(y[0]),)
        value = self._logpdf(y)
        peak = 1 + np.flatnonzero((value[1:-1] > value[:-2]) & (value[1:-1] >= value[2:]))
        places = []
        for i in peak.tolist():
            a, b = float(y[i - 1]), float(y[i + 1])
            for _ in range(90):  # golden section
                step = 0.3819660112501051 * (b - a)
                left, right = self._logpdf(np.array([a + step, b - step])).tolist()
                a, b = (a, b - step) if left >= right else (a + step, b)
            places.append(0.5 * (a + b))
        return tuple(places)
