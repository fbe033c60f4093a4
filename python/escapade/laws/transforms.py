"""Laws of ``loc + scale X`` and ``scale X^p``."""

from __future__ import annotations

import math

import numpy as np

from .._checks import number
from ._panels import FloatArray
from ._safe import add, exp, power
from .base import Law, PositiveLaw

__all__ = ["Affine", "PowerOf"]


class Affine(Law):
    """The law of ``loc + scale X``; a negative ``scale`` reflects.

    Parameters
    ----------
    base : Law
        The law of ``X``.
    loc, scale : float
        ``scale`` is not 0.
    name : str, optional
        The law in words.
    """

    def __init__(self, base: Law, loc: float, scale: float, name: str = "") -> None:
        if not isinstance(base, Law):
            raise TypeError(f"base must be a Law, got {base!r}")
        self.base = base
        self.loc = number("loc", loc)
        self.scale = number("scale", scale)
        if self.scale == 0.0:
            raise ValueError("scale must not be 0, got 0.0")
        self.name = name or f"{self.loc:.6g} + {self.scale:.6g} * {base.name}"

    def support(self) -> tuple[float, float]:
        ends = sorted(self.loc + self.scale * end for end in self.base.support())
        return ends[0], ends[1]

    def _z(self, x: FloatArray) -> FloatArray:
        return (x - self.loc) / self.scale

    def _logpdf(self, x: FloatArray) -> FloatArray:
        return self.base._logpdf(self._z(x)) - math.log(abs(self.scale))

    def _cdf(self, x: FloatArray) -> FloatArray:
        return (self.base._cdf if self.scale > 0.0 else self.base._sf)(self._z(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return (self.base._sf if self.scale > 0.0 else self.base._cdf)(self._z(x))

    def _logcdf(self, x: FloatArray) -> FloatArray:
        return (self.base._logcdf if self.scale > 0.0 else self.base._logsf)(self._z(x))

    def _logsf(self, x: FloatArray) -> FloatArray:
        return (self.base._logsf if self.scale > 0.0 else self.base._logcdf)(self._z(x))

    def _ppf(self, q: FloatArray) -> FloatArray:
        inner = self.base._ppf if self.scale > 0.0 else self.base._isf
        return self.loc + self.scale * inner(q)

    def _isf(self, q: FloatArray) -> FloatArray:
        inner = self.base._isf if self.scale > 0.0 else self.base._ppf
        return self.loc + self.scale * inner(q)

    def _moment(self, n: float) -> float:
        if self.loc == 0.0 and n == math.floor(n):
            return power(self.scale, n) * self.base.moment(n)
        if n < 0.0 or n != math.floor(n):  # only a law shifted within the half-line comes here
            x, weights = self._nodes
            return float(np.sum(weights * x**n))
        k = int(n)
        highest = self.base.moment(k)
        if not math.isfinite(highest):  # the highest order decides what diverges
            return float(np.sign(self.scale)) ** k * highest
        terms = (
            math.comb(k, j) * power(self.loc, k - j) * power(self.scale, j) * self.base.moment(j)
            for j in range(k + 1)
        )
        return add(terms)

    def _moment_reason(self, n: float) -> str:
        return self.base.moment_reason(n) if n >= 1.0 else ""

    def mean(self) -> float:
        return self.loc + self.scale * self.base.mean()

    def var(self) -> float:
        return self.scale * self.scale * self.base.var()

    def modes(self) -> tuple[float, ...]:
        """Return all local maxima of the density."""
        return tuple(sorted(self.loc + self.scale * place for place in self.base.modes()))

    def entropy(self) -> float:
        return self.base.entropy() + math.log(abs(self.scale))


class PowerOf(PositiveLaw):
    """The law of ``scale X^p`` for a positive ``X`` and ``p != 0``.

    Parameters
    ----------
    base : PositiveLaw
        The law of ``X``, with support (0, inf).
    p : float
        The power.
    scale : float, default 1
        Factor > 0.
    name : str, optional
        The law in words.
    """

    def __init__(self, base: PositiveLaw, p: float, scale: float = 1.0, name: str = "") -> None:
        if not isinstance(base, PositiveLaw) or base.support() != (0.0, math.inf):
            raise TypeError(f"base must be a law on (0, inf), got {base!r}")
        self.base = base
        self.p = number("p", p)
        if self.p == 0.0:
            raise ValueError("p must not be 0, got 0.0")
        self.factor = number("scale", scale, low=0.0, open_low=True)
        self._log_factor = math.log(self.factor)
        self.name = name or f"{self.factor:.6g} * {base.name}^{self.p:.6g}"

    def _back(self, y: FloatArray) -> FloatArray:
        return (y - self._log_factor) / self.p

    def _logpdf_y(self, y: FloatArray) -> FloatArray:
        return self.base._logpdf_y(self._back(y)) - math.log(abs(self.p))

    def _cdf_y(self, y: FloatArray) -> FloatArray:
        return (self.base._cdf_y if self.p > 0.0 else self.base._sf_y)(self._back(y))

    def _sf_y(self, y: FloatArray) -> FloatArray:
        return (self.base._sf_y if self.p > 0.0 else self.base._cdf_y)(self._back(y))

    def _ppf_y(self, q: FloatArray) -> FloatArray:
        inner = self.base._ppf_y if self.p > 0.0 else self.base._isf_y
        return self._log_factor + self.p * inner(q)

    def _isf_y(self, q: FloatArray) -> FloatArray:
        inner = self.base._isf_y if self.p > 0.0 else self.base._ppf_y
        return self._log_factor + self.p * inner(q)

    def _moment(self, n: float) -> float:
        return power(self.factor, n) * self.base.moment(self.p * n)

    def _moment_reason(self, n: float) -> str:
        reason = self.base.moment_reason(self.p * n)
        return f"E x^{n:g} diverges: for the law of x^(1/{self.p:g}), {reason}" if reason else ""

    def mean_log(self) -> float:
        return self._log_factor + self.p * self.base.mean_log()

    def entropy(self) -> float:
        # ln p_X changes by the mean log Jacobian of x -> scale x^p.
        jacobian = math.log(self.factor * abs(self.p)) + (self.p - 1.0) * self.base.mean_log()
        return self.base.entropy() + jacobian

    def modes(self) -> tuple[float, ...]:
        """Return all local maxima of the density; searched on a grid of quantiles if need be."""
        known = self.base._mode_of_power(self.p)
        if known is not None:
            return (self.factor * power(known, self.p),)
        q = np.concatenate([np.geomspace(1e-12, 0.5, 2000), 1.0 - np.geomspace(0.5, 1e-12, 2000)])
        y = np.unique(self._ppf_y(q))
        if y.size < 3:  # a point, as far as floats can tell
            return (exp(float(y[0])),)
        value = self._logpdf_y(y) - y
        peak = 1 + np.flatnonzero((value[1:-1] > value[:-2]) & (value[1:-1] >= value[2:]))
        places = []
        for i in peak.tolist():
            a, b = float(y[i - 1]), float(y[i + 1])
            for _ in range(90):  # golden section: robust, and the density is cheap
                step = 0.3819660112501051 * (b - a)
                pair = np.array([a + step, b - step])
                left, right = (self._logpdf_y(pair) - pair).tolist()
                a, b = (a, b - step) if left >= right else (a + step, b)
            places.append(math.exp(0.5 * (a + b)))
        if self._logpdf_zero() > -math.inf and value[0] >= value[1]:
            places.insert(0, 0.0)
        return tuple(places)
