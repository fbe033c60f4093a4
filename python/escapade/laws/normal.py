"""Normal and log-normal laws."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from .._checks import number
from ._panels import FloatArray
from ._safe import exp
from .base import Law, PositiveLaw

__all__ = ["LogNormal", "Normal"]

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


def _normal_moment(n: int, loc: float, scale: float) -> float:
    """Raw moment by the recursion ``m_n = loc m_(n-1) + (n-1) scale^2 m_(n-2)``."""
    before, now = 0.0, 1.0
    for k in range(n):
        before, now = now, loc * now + k * scale * scale * before
    return now


class Normal(Law):
    """The normal law with mean ``loc`` and standard deviation ``scale`` > 0."""

    def __init__(self, loc: float = 0.0, scale: float = 1.0) -> None:
        self.loc = number("loc", loc)
        self.scale = number("scale", scale, low=0.0, open_low=True)
        self.name = f"Normal(loc={self.loc:.6g}, scale={self.scale:.6g})"

    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def _z(self, x: FloatArray) -> FloatArray:
        return (x - self.loc) / self.scale

    def _logpdf(self, x: FloatArray) -> FloatArray:
        return -0.5 * self._z(x) ** 2 - _LOG_SQRT_2PI - math.log(self.scale)

    def _cdf(self, x: FloatArray) -> FloatArray:
        return np.asarray(special.ndtr(self._z(x)))

    def _sf(self, x: FloatArray) -> FloatArray:
        return np.asarray(special.ndtr(-self._z(x)))

    def _logcdf(self, x: FloatArray) -> FloatArray:
        return np.asarray(special.log_ndtr(self._z(x)))

    def _logsf(self, x: FloatArray) -> FloatArray:
        return np.asarray(special.log_ndtr(-self._z(x)))

    def _ppf(self, q: FloatArray) -> FloatArray:
        return self.loc + self.scale * np.asarray(special.ndtri(q))

    def _isf(self, q: FloatArray) -> FloatArray:
        return self.loc - self.scale * np.asarray(special.ndtri(q))

    def _moment(self, n: float) -> float:
        return _normal_moment(int(n), self.loc, self.scale)

    def var(self) -> float:
        return self.scale * self.scale

    def modes(self) -> tuple[float, ...]:
        """Return the mean, the only maximum."""
        return (self.loc,)

    def entropy(self) -> float:
        return 0.5 + _LOG_SQRT_2PI + math.log(self.scale)


class LogNormal(PositiveLaw):
    """The law of ``exp(Y)`` with ``Y`` normal, mean ``mu`` and standard deviation ``sigma`` > 0."""

    def __init__(self, mu: float = 0.0, sigma: float = 1.0) -> None:
        self._log_law = Normal(mu, sigma)
        self.mu, self.sigma = self._log_law.loc, self._log_law.scale
        self.name = f"LogNormal(mu={self.mu:.6g}, sigma={self.sigma:.6g})"

    def _logpdf_y(self, y: FloatArray) -> FloatArray:
        return self._log_law._logpdf(y)

    def _logpdf_zero(self) -> float:
        return -math.inf

    def _cdf_y(self, y: FloatArray) -> FloatArray:
        return self._log_law._cdf(y)

    def _sf_y(self, y: FloatArray) -> FloatArray:
        return self._log_law._sf(y)

    def _ppf_y(self, q: FloatArray) -> FloatArray:
        return self._log_law._ppf(q)

    def _isf_y(self, q: FloatArray) -> FloatArray:
        return self._log_law._isf(q)

    def _moment(self, n: float) -> float:
        spread = n * self.sigma
        return exp(n * self.mu + 0.5 * spread * spread)

    def _moment_reason(self, n: float) -> str:
        return (
            ""
            if math.isfinite(self._moment(n))
            else f"E x^{n:g} is finite but larger than the largest float"
        )

    def var(self) -> float:
        mean = self._moment(1.0)
        square = self.sigma * self.sigma
        return mean * mean * math.expm1(square) if square < 709.0 else math.inf

    def mean_log(self) -> float:
        return self.mu

    def modes(self) -> tuple[float, ...]:
        """Return ``exp(mu - sigma^2)``, the only maximum."""
        return (exp(self.mu - self.sigma * self.sigma),)

    def entropy(self) -> float:
        return self.mu + self._log_law.entropy()
