"""Pearson type IV, and the stationary law of every diffusion with linear drift and quadratic noise.

``dX = -rate (X - mean) dt + sqrt(c2 u^2 + 2 c1 u + c0) dW`` with ``u = X - mean`` (Ito) covers the
Ornstein-Uhlenbeck process, the power-law dynamic and one-layer linear regression by SGD.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from .._checks import number
from ._panels import FloatArray
from ._safe import add, power
from ._table import Table
from .base import Law
from .gamma import InverseGamma
from .normal import Normal
from .point import PointMass
from .student import StudentT
from .transforms import Affine

__all__ = ["PearsonIV", "linear_drift_law", "pearson_log_normaliser"]


def pearson_log_normaliser(m: float, nu: float) -> float:
    """Return ``ln`` of the integral of ``(1+z^2)^-m exp(-nu arctan z)`` over the line.

    Closed form ``B(m-1/2, 1/2) |Gamma(m) / Gamma(m + i nu/2)|^2``, for ``m > 1/2``.
    """
    m, nu = number("m", m, low=0.5, open_low=True), number("nu", nu)
    with np.errstate(all="ignore"):
        ratio = special.loggamma(complex(m, 0.0)) - special.loggamma(complex(m, 0.5 * nu))
        return float(special.betaln(m - 0.5, 0.5) + 2.0 * ratio.real)


class PearsonIV(Law):
    """Density ``(1 + z^2)^-m exp(-nu arctan z)`` up to a factor, ``z = (x - loc)/scale``.

    Parameters
    ----------
    m : float
        Exponent > 1/2; ``E |x|^n`` is finite iff ``n < 2 m - 1``.
    nu : float
        Skewness parameter.
    loc : float, default 0
    scale : float, default 1
        Scale > 0.
    """

    def __init__(self, m: float, nu: float, loc: float = 0.0, scale: float = 1.0) -> None:
        self.m = number("m", m, low=0.5, high=1e150, open_low=True)
        self.nu = number("nu", nu, low=-1e150, high=1e150)
        self.loc = number("loc", loc)
        self.scale = number("scale", scale, low=0.0, open_low=True)
        self._rate = 2.0 * self.m - 1.0
        self.name = (
            f"PearsonIV(m={self.m:.6g}, nu={self.nu:.6g}, "
            f"loc={self.loc:.6g}, scale={self.scale:.6g})"
        )
        # In w = arsinh z both tails are exponential.
        rate, skew = self._rate, self.nu

        def score(w: FloatArray) -> FloatArray:
            return -rate * np.tanh(w) - skew / np.cosh(w)

        peak = math.asinh(-skew / rate)
        self._table = Table(score, (0.0, peak), left=rate, right=rate)

    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def _w(self, x: FloatArray) -> FloatArray:
        return np.arcsinh((x - self.loc) / self.scale)

    def _logpdf(self, x: FloatArray) -> FloatArray:
        w = self._w(x)
        jacobian = np.logaddexp(w, -w) - math.log(2.0) + math.log(self.scale)
        with np.errstate(invalid="ignore"):
            value = self._table.log_density(w) - jacobian
        return np.where(np.isinf(w), -np.inf, value)

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self._table.cdf(self._w(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return self._table.sf(self._w(x))

    def _logcdf(self, x: FloatArray) -> FloatArray:
        return self._table.log_cdf(self._w(x))

    def _logsf(self, x: FloatArray) -> FloatArray:
        return self._table.log_sf(self._w(x))

    def _ppf(self, q: FloatArray) -> FloatArray:
        return self.loc + self.scale * np.sinh(self._table.ppf(q))

    def _isf(self, q: FloatArray) -> FloatArray:
        return self.loc + self.scale * np.sinh(self._table.isf(q))

    def _moment(self, n: float) -> float:
        if n >= self._rate:
            return math.inf if n % 2 == 0 else math.nan
        # Moments about the mean first: E z about its mean obeys a three-term recursion too,
        #   (r - k) mu_{k+1} = k [ (1 + a^2) mu_{k-1} + 2 a mu_k ],  r = 2m - 2,  a = E z = -nu/r.
        r = self._rate - 1.0
        k = int(n)
        if k == 1:
            return self.mean()
        a = -self.nu / r
        central = [1.0, 0.0]
        for j in range(1, k):
            central.append(j * ((1.0 + a * a) * central[j - 1] + 2.0 * a * central[j]) / (r - j))
        mean = self.mean()
        terms = (
            math.comb(k, j) * power(mean, k - j) * power(self.scale, j) * central[j]
            for j in range(k + 1)
        )
        return add(terms)

    def _moment_reason(self, n: float) -> str:
        if n < self._rate:
            return ""
        kind = "infinite" if n % 2 == 0 else "undefined"
        return (
            f"E x^{n:g} is {kind}: the density falls like |x|^-{2.0 * self.m:.6g}; "
            f"finite only for n < {self._rate:.6g}"
        )

    def mean(self) -> float:
        if self._rate <= 1.0:
            return math.nan
        return self.loc - self.scale * self.nu / (self._rate - 1.0)

    def var(self) -> float:
        r = self._rate - 1.0
        if r <= 1.0:
            return math.inf if r > 0.0 else math.nan
        a = self.nu / r
        return self.scale * self.scale * (1.0 + a * a) / (r - 1.0)

    def modes(self) -> tuple[float, ...]:
        """Return ``loc - scale nu / (2 m)``, the only maximum."""
        return (self.loc - self.scale * self.nu / (2.0 * self.m),)

    def entropy(self) -> float:
        t = self._table
        at = np.array([t.low, t.high, *t.y])
        values = np.logaddexp(at, -at) - math.log(2.0) - t.log_density(at)
        low = t.low_mass * (values[0] + (1.0 + t.low_slope) / t.low_slope)
        high = t.high_mass * (values[1] + (1.0 + t.high_slope) / t.high_slope)
        return float(t.weights @ values[2:] + low + high) + math.log(self.scale)


def linear_drift_law(
    rate: float, mean: float, c2: float, c1: float, c0: float, discriminant: float
) -> Law:
    """Return the stationary law of ``dX = -rate u dt + sqrt(c2 u^2 + 2 c1 u + c0) dW``.

    Parameters
    ----------
    rate : float
        Relaxation rate > 0.
    mean : float
        Where the drift vanishes; ``u = X - mean``.
    c2, c1, c0 : float
        Noise; ``c2, c0 >= 0``.
    discriminant : float
        ``c0 c2 - c1^2 >= 0``, exactly 0 when the noise vanishes somewhere.

    Returns
    -------
    Law
        Normal (``c2 = 0``), Student t (``c1 = 0``), Pearson IV, or, when the noise vanishes at
        ``u0 = -c1/c2``, an inverse-gamma law on the side of ``u0`` where the mean lies: the drift
        pushes every path across ``u0`` once, and none comes back. A point mass if there is no
        noise at the mean.
    """
    if c2 == 0.0:
        if c0 == 0.0:
            return PointMass(mean, "there is no noise: every path relaxes to the fixed point")
        return Normal(mean, math.sqrt(c0 / (2.0 * rate)))
    ratio = rate / c2
    if discriminant == 0.0:
        u0 = -c1 / c2
        if u0 == 0.0:
            return PointMass(
                mean, "the noise vanishes where the drift does: every path converges there"
            )
        side = InverseGamma(1.0 + 2.0 * ratio, 2.0 * ratio * abs(u0))
        return Affine(side, mean + u0, -math.copysign(1.0, u0))
    root = math.sqrt(discriminant)
    if c1 == 0.0:
        nu = 1.0 + 2.0 * ratio
        return StudentT(nu, mean, math.sqrt(c0 / c2) / math.sqrt(nu))
    return PearsonIV(1.0 + ratio, -2.0 * ratio * (c1 / root), mean - c1 / c2, root / c2)
