"""Student's t law."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from .._checks import number
from ._panels import FloatArray
from ._safe import add, power
from .base import Law

__all__ = ["StudentT"]


class StudentT(Law):
    """The law of ``loc + scale t`` with ``t`` Student's t, ``nu`` >= 0.01 degrees of freedom.

    ``E |x - loc|^n`` is finite iff ``n < nu``.
    """

    def __init__(self, nu: float, loc: float = 0.0, scale: float = 1.0) -> None:
        self.nu = number("nu", nu, low=0.01)
        self.loc = number("loc", loc)
        self.scale = number("scale", scale, low=0.0, open_low=True)
        self.name = f"StudentT(nu={self.nu:.6g}, loc={self.loc:.6g}, scale={self.scale:.6g})"
        half = 0.5 * self.nu
        # ln Gamma(nu/2 + 1/2) - ln Gamma(nu/2) without cancellation at large nu.
        self._log_norm = float(np.log(special.poch(half, 0.5))) - 0.5 * math.log(self.nu * math.pi)
        # P(t < -z) = exp(_log_tail) z^-nu up to a relative nu^2 / z^2.
        self._far = 1e10 * (1.0 + self.nu)
        self._log_tail = self._log_norm + 0.5 * (self.nu - 1.0) * math.log(self.nu)

    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def _z(self, x: FloatArray) -> FloatArray:
        return (x - self.loc) / self.scale

    def _logpdf(self, x: FloatArray) -> FloatArray:
        z = np.abs(self._z(x))
        with np.errstate(over="ignore", divide="ignore"):
            square = np.log1p(z * z / self.nu)
            far = 2.0 * np.log(z) - math.log(self.nu)
        grown = np.where(z > 1e150, far, square)
        return self._log_norm - math.log(self.scale) - 0.5 * (self.nu + 1.0) * grown

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self._lower(self._z(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return self._lower(-self._z(x))

    def _lower(self, z: FloatArray) -> FloatArray:
        """``P(t <= z)``; scipy.special squares ``z``, so far out the pure power law is used."""
        far = np.exp(self._log_tail - self.nu * np.log(np.maximum(-z, 1.0)))
        return np.where(-z > self._far, far, special.stdtr(self.nu, np.maximum(z, -self._far)))

    def _ppf(self, q: FloatArray) -> FloatArray:
        return self.loc + self.scale * self._t(q)

    def _isf(self, q: FloatArray) -> FloatArray:
        return self.loc - self.scale * self._t(q)

    def _t(self, q: FloatArray) -> FloatArray:
        # Exactly antisymmetric, and accurate in both tails.
        p = np.minimum(q, 1.0 - q)
        far = (self._log_tail - np.log(p)) / self.nu
        beyond = far > math.log(self._far)
        low = np.asarray(special.stdtrit(self.nu, np.where(beyond, 0.25, p)))
        low = np.where(beyond, -np.exp(far), low)
        return np.where(q == 0.5, 0.0, np.where(q < 0.5, low, -low))

    def _central(self, k: int) -> float:
        """``E t^k`` for even ``k < nu``."""
        terms = ((j - 1) * self.nu / (self.nu - j) for j in range(2, k + 1, 2))
        return math.prod(terms)

    def _moment(self, n: float) -> float:
        k = int(n)
        if k >= self.nu:
            return math.inf if k % 2 == 0 else math.nan
        return add(
            math.comb(k, j) * power(self.loc, k - j) * power(self.scale, j) * self._central(j)
            for j in range(0, k + 1, 2)
        )

    def _moment_reason(self, n: float) -> str:
        if n < self.nu:
            return ""
        kind = "infinite" if n % 2 == 0 else "undefined"
        return (
            f"E x^{n:g} is {kind}: the density falls like |x|^-{self.nu + 1.0:.6g}; "
            f"finite only for n < nu = {self.nu:.6g}"
        )

    def var(self) -> float:
        if self.nu <= 1.0:
            return math.nan
        if self.nu <= 2.0:
            return math.inf
        return self.scale * self.scale * self.nu / (self.nu - 2.0)

    def modes(self) -> tuple[float, ...]:
        """Return ``loc``, the only maximum."""
        return (self.loc,)

    def entropy(self) -> float:
        a = 0.5 * (self.nu + 1.0)
        if self.nu > 1e7:
            tail = 0.5 + 0.5 / self.nu  # expansion of a (psi(a) - psi(a - 1/2))
        else:
            tail = a * float(special.digamma(a) - special.digamma(0.5 * self.nu))
        return tail - self._log_norm + math.log(self.scale)
