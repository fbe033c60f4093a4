"""Gamma and inverse-gamma laws."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from .._checks import number
from ._panels import FloatArray
from ._safe import exp, power
from .base import PositiveLaw
from .transforms import PowerOf

__all__ = ["Gamma", "InverseGamma"]


class Gamma(PositiveLaw):
    """The gamma law, density ``x^(shape-1) exp(-x/scale)`` up to a factor; shape, scale > 0.

    Below ``x = 1e-20 scale`` the distribution function is the power ``x^shape`` to within
    rounding, which is used instead of ``scipy.special`` where a small shape puts quantiles below
    the smallest float.
    """

    def __init__(self, shape: float, scale: float = 1.0) -> None:
        self.shape = number("shape", shape, low=0.0, high=1e300, open_low=True)
        self.scale = number("scale", scale, low=0.0, open_low=True)
        self._log_scale = math.log(self.scale)
        self._log_gamma = math.lgamma(self.shape)
        self.name = f"Gamma(shape={self.shape:.6g}, scale={self.scale:.6g})"

    def _logpdf_y(self, y: FloatArray) -> FloatArray:
        z = y - self._log_scale
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(np.isinf(z), -np.inf, self.shape * z - np.exp(z) - self._log_gamma)

    def _logpdf_zero(self) -> float:
        if self.shape == 1.0:
            return -self._log_scale
        return math.inf if self.shape < 1.0 else -math.inf

    def _cdf_y(self, y: FloatArray) -> FloatArray:
        z = y - self._log_scale
        with np.errstate(over="ignore"):
            power = np.exp(self.shape * z - math.lgamma(self.shape + 1.0))
            return np.where(z < -46.0, power, special.gammainc(self.shape, np.exp(z)))

    def _sf_y(self, y: FloatArray) -> FloatArray:
        z = y - self._log_scale
        with np.errstate(over="ignore"):
            power = np.exp(self.shape * z - math.lgamma(self.shape + 1.0))
            return np.where(z < -46.0, 1.0 - power, special.gammaincc(self.shape, np.exp(z)))

    def _ppf_y(self, q: FloatArray) -> FloatArray:
        return self._log_quantile(np.asarray(special.gammaincinv(self.shape, q)), np.log(q))

    def _isf_y(self, q: FloatArray) -> FloatArray:
        return self._log_quantile(np.asarray(special.gammainccinv(self.shape, q)), np.log1p(-q))

    def _log_quantile(self, x: FloatArray, log_q: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            power = (log_q + math.lgamma(self.shape + 1.0)) / self.shape
            return np.where(x < 1e-20, power, np.log(x)) + self._log_scale

    def _moment(self, n: float) -> float:
        if self._moment_reason(n):
            return math.inf
        if n == math.floor(n) and 0.0 < n <= 64.0:  # a product is exact to rounding
            value = math.prod((self.shape + k) * self.scale for k in range(int(n)))
        else:
            value = power(self.scale, n) * float(special.poch(self.shape, n))
        if not (math.isfinite(value) and value > 0.0):
            exponent = n * self._log_scale + math.lgamma(self.shape + n) - self._log_gamma
            value = exp(exponent)
        return value

    def _moment_reason(self, n: float) -> str:
        if n > -self.shape:
            return ""
        return f"E x^{n:g} is infinite: finite only for n > {-self.shape:.6g}"

    def var(self) -> float:
        return self.shape * self.scale * self.scale

    def mean_log(self) -> float:
        return float(special.digamma(self.shape)) + self._log_scale

    def modes(self) -> tuple[float, ...]:
        """Return the only maximum; 0 for ``shape <= 1``."""
        return (max(self.shape - 1.0, 0.0) * self.scale,)

    def _mode_of_power(self, p: float) -> float | None:
        return max(self.shape - p, 0.0) * self.scale

    def entropy(self) -> float:
        a = self.shape
        if a > 1e8:  # the terms cancel; this is the large-shape expansion of the same
            return 0.5 * math.log(2.0 * math.pi * math.e * a) - 1.0 / (3.0 * a) + self._log_scale
        return a + self._log_scale + self._log_gamma + (1.0 - a) * float(special.digamma(a))


class InverseGamma(PowerOf):
    """The law of ``scale / G`` with ``G ~ Gamma(shape, 1)``.

    Density ``x^(-shape-1) exp(-scale/x)`` up to a factor. ``E x^n`` is finite iff ``n < shape``.
    """

    def __init__(self, shape: float, scale: float = 1.0) -> None:
        self.shape = number("shape", shape, low=0.0, high=1e300, open_low=True)
        self.scale = number("scale", scale, low=0.0, open_low=True)
        name = f"InverseGamma(shape={self.shape:.6g}, scale={self.scale:.6g})"
        super().__init__(Gamma(self.shape), -1.0, self.scale, name=name)

    def _moment(self, n: float) -> float:
        if n == math.floor(n) and 0.0 < n <= 64.0 and n < self.shape:
            return math.prod(self.scale / (self.shape - 1.0 - k) for k in range(int(n)))
        return super()._moment(n)

    def _moment_reason(self, n: float) -> str:
        if n < self.shape:
            return ""
        return (
            f"E x^{n:g} is infinite: the density falls like x^-{1.0 + self.shape:.6g}; "
            f"finite only for n < {self.shape:.6g}"
        )

    def var(self) -> float:
        a = self.shape
        if a <= 2.0:
            return math.inf
        return power(self.scale / (a - 1.0), 2.0) / (a - 2.0)

    def modes(self) -> tuple[float, ...]:
        """Return ``scale / (shape + 1)``, the only maximum."""
        return (self.scale / (self.shape + 1.0),)
