"""Symmetric alpha-stable laws."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from scipy import special

from .._checks import number
from ._panels import NODES, TO_LEGENDRE, WEIGHTS, FloatArray
from .base import Law, NoStationaryLaw
from .normal import Normal
from .point import PointMass
from .student import StudentT
from .transforms import Affine

__all__ = [
    "Stable",
    "StableOrnsteinUhlenbeck",
    "stable_ornstein_uhlenbeck_transition",
    "stable_tail",
]

_TERMS = 12  # of the series of the tail
_REACH = 45.0  # half the range of the logit over which angles are integrated


def stable_tail(alpha: float) -> float:
    """Return ``C_alpha = Gamma(1 + alpha) sin(pi alpha/2)/pi``, with ``P(S > x) ~ C_alpha/alpha x^-alpha``.

    ``C_alpha |y|^(-1-alpha) dy`` is the Levy measure of the process with ``E e^(ikL_t) =
    exp(-t |k|^alpha)`` (Samorodnitsky and Taqqu 1994, property 1.2.15; Sato 1999, section 14). It is
    0 at ``alpha = 2``, whose law has normal tails.

    Parameters
    ----------
    alpha : float
        Index of stability, 0 < alpha <= 2.

    Raises
    ------
    TypeError, ValueError
        If ``alpha`` is not a number or out of bounds.
    """
    alpha = number("alpha", alpha, low=0.0, high=2.0, open_low=True)
    return math.gamma(1.0 + alpha) * math.sin(0.5 * math.pi * (2.0 - alpha)) / math.pi


def Stable(alpha: float, scale: float = 1.0) -> Law:
    """Return the symmetric stable law with ``E exp(i k X) = exp(-|scale k|^alpha)``.

    Normal with variance ``2 scale^2`` at ``alpha = 2``, Cauchy at ``alpha = 1``.

    Parameters
    ----------
    alpha : float
        Index of stability, 0.1 <= alpha <= 2.
    scale : float, default 1
        > 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or out of bounds.
    """
    alpha = number("alpha", alpha, low=0.1, high=2.0)
    scale = number("scale", scale, low=0.0, open_low=True)
    if alpha == 2.0:
        return Normal(0.0, math.sqrt(2.0) * scale)
    if alpha == 1.0:
        return StudentT(1.0, 0.0, scale)
    return _Stable(alpha, scale)


def StableOrnsteinUhlenbeck(theta: float, eps: float, alpha: float) -> Law:
    """Return the stationary law of ``dX = -theta X dt + eps dL^alpha``.

    Symmetric stable of the same index, with scale ``eps/(alpha theta)^(1/alpha)`` (Samorodnitsky and
    Taqqu 1994, section 3.6); the point mass at 0 for ``eps = 0``.

    Raises
    ------
    NoStationaryLaw
        For ``theta = 0``: nothing confines the process.
    TypeError, ValueError
        If an argument is not a number or out of bounds.
    """
    theta, eps = number("theta", theta, low=0.0), number("eps", eps, low=0.0)
    alpha = number("alpha", alpha, low=0.0, high=2.0, open_low=True)
    if theta == 0.0:
        raise NoStationaryLaw(
            "StableOrnsteinUhlenbeck has no stationary law for theta = 0: nothing confines the "
            "process, which spreads without bound"
        )
    if eps == 0.0:
        return PointMass(0.0, "eps = 0: without noise every path relaxes to 0")
    return Stable(alpha, eps * (alpha * theta) ** (-1.0 / alpha))


def stable_ornstein_uhlenbeck_transition(
    theta: float, eps: float, alpha: float, x0: float, t: float
) -> Law:
    """Return the exact law of ``X_t`` started at ``x0``, for ``dX = -theta X dt + eps dL^alpha``.

    Symmetric stable about ``x0 exp(-theta t)`` with scale ``eps ((1 - exp(-alpha theta t))/(alpha
    theta))^(1/alpha)`` (Samorodnitsky and Taqqu 1994, section 3.6).

    Parameters
    ----------
    theta, eps, alpha : float
        Parameters of the equation, ``theta, eps >= 0``.
    x0 : float
        Start.
    t : float
        Time, >= 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a finite number or out of bounds.
    """
    theta, eps = number("theta", theta, low=0.0), number("eps", eps, low=0.0)
    alpha = number("alpha", alpha, low=0.0, high=2.0, open_low=True)
    x0, t = number("x0", x0), number("t", t, low=0.0)
    centre = x0 * math.exp(-theta * t)
    rate = alpha * theta
    passed = t if rate == 0.0 else -math.expm1(-rate * t) / rate
    scale = eps * float(passed ** (1.0 / alpha))
    if scale == 0.0:
        return PointMass(centre, "nothing has moved it but the drift")
    law = Stable(alpha, scale)
    return law if centre == 0.0 else Affine(law, centre, 1.0)


class _Stable(Law):
    """Neither normal nor Cauchy: tabulated from the integral over the angle of Chambers et al.

    With ``V`` uniform on (-pi/2, pi/2) and ``W`` exponential, ``S > x`` for given ``V = theta > 0``
    is ``W > w`` or ``W < w`` with ``w = (x/g(theta))^(alpha/(alpha-1))``, so that distribution and
    density are integrals over theta of positive terms (Zolotarev 1986, section 2.2; Nolan 1997,
    Commun. Statist. Stochastic Models 13, 759). They are tabulated in ``asinh(x/s)``; far out the
    series of the tail takes over.
    """

    def __init__(self, alpha: float, scale: float) -> None:
        self.alpha, self.scale = alpha, scale
        self.name = f"Stable(alpha={alpha:.6g}, scale={scale:.6g})"
        self._sharp = alpha / (alpha - 1.0)
        # width of the density at 0, and where four terms of the tail's series reach 1e-16
        self._width = math.sqrt(math.gamma(1.0 / alpha) / math.gamma(3.0 / alpha))
        self._far = max(10.0 ** (3.0 / alpha), 100.0)
        top = math.asinh(self._far / self._width)
        count = max(24, math.ceil(2.0 * top / min(alpha, 1.0)))
        self._edges = np.linspace(0.0, top, count + 1)
        half = 0.5 * top / count
        t = (self._edges[:-1, None] + half) + half * NODES
        sf, pdf = self._integrals(self._width * np.sinh(t.ravel()))
        self._half = half
        self._sf_series = (np.log(sf).reshape(t.shape) @ TO_LEGENDRE.T).T
        self._pdf_series = (np.log(pdf).reshape(t.shape) @ TO_LEGENDRE.T).T
        n = np.arange(1, _TERMS + 1)
        angle = np.sin(0.5 * math.pi * n * alpha)
        self._tail = -((-1.0) ** n) * angle * np.exp(special.gammaln(n * alpha)) / math.pi
        self._tail /= special.factorial(n - 1) * n

    # -- the standard law, x > 0 -----------------------------------------------------------------

    def _log_g(self, far: FloatArray, near: FloatArray) -> FloatArray:
        """``ln g`` at theta, given as its distance ``far`` from pi/2 and from 0, ``near``."""
        a = self.alpha
        turned = a * near
        sine = np.sin(np.where(turned <= 0.5 * math.pi, turned, (2.0 - a) * 0.5 * math.pi + a * far))
        k = abs(1.0 - a)
        other = np.sin((1.0 - k) * 0.5 * math.pi + k * far)
        power = (1.0 - a) / a
        return np.log(sine) - np.log(np.sin(far)) / a + power * np.log(other)

    def _integrals(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """``P(S > x)`` and the density."""
        sf, pdf = np.empty_like(x), np.empty_like(x)
        fine = 0.5 ** np.arange(0.0, 3.0 + max(0.0, math.log2(abs(self._sharp))))
        for i, at in enumerate(x):
            centre = self._crossing(math.log(at))
            low, high = -_REACH - max(0.0, -math.log(at)), _REACH + max(0.0, math.log(at))
            even = np.linspace(low, high, math.ceil(high - low) + 1)
            edges = np.concatenate([even, centre + fine, [centre], centre - fine])
            edges = np.unique(np.clip(edges, low, high))
            half = 0.5 * np.diff(edges)[:, None]
            q = edges[:-1, None] + half + half * NODES
            far, near = special.expit(q), special.expit(-q)
            weight = half * WEIGHTS * far * near  # theta = pi/2 near
            log_w = self._sharp * (
                math.log(at) - self._log_g(0.5 * math.pi * far, 0.5 * math.pi * near)
            )
            with np.errstate(over="ignore", under="ignore"):
                w = np.exp(np.minimum(log_w, 700.0))
                above = np.exp(-w) if self.alpha > 1.0 else -np.expm1(-w)
                sf[i] = 0.5 * np.sum(weight * above)
                pdf[i] = 0.5 * abs(self._sharp) / at * np.sum(weight * w * np.exp(-w))
        return sf, pdf

    def _crossing(self, log_x: float) -> float:
        """The logit of the angle at which ``g = x``, near which the integrands change."""
        low, high = -2.0 * _REACH - abs(log_x), 2.0 * _REACH + abs(log_x)
        for _ in range(70):
            q = 0.5 * (low + high)
            far, near = special.expit(q), special.expit(-q)
            g = float(self._log_g(np.array(0.5 * math.pi * far), np.array(0.5 * math.pi * near)))
            low, high = (low, q) if g < log_x else (q, high)
        return 0.5 * (low + high)

    def _series(self, series: FloatArray, x: FloatArray) -> FloatArray:
        t = np.arcsinh(x / self._width)
        i = np.clip((t / (2.0 * self._half)).astype(np.intp), 0, self._edges.size - 2)
        local = (t - self._edges[i]) / self._half - 1.0
        before, now = np.zeros_like(t), np.zeros_like(t)
        for k in range(series.shape[0] - 1, 0, -1):  # Clenshaw, for Legendre polynomials
            ahead = series[k].take(i) + (2 * k + 1) / (k + 1) * local * now
            before, now = now, ahead - (k + 1) / (k + 2) * before
        return series[0].take(i) + local * now - 0.5 * before

    def _upper(self, z: FloatArray) -> FloatArray:
        """``P(S > z)`` for z >= 0."""
        near = np.exp(self._series(self._sf_series, np.minimum(z, self._far)))
        v = np.maximum(z, self._far) ** -self.alpha
        return np.where(z > self._far, v * np.polyval(self._tail[::-1], v), near)

    # -- functions of x --------------------------------------------------------------------------

    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def _logpdf(self, x: FloatArray) -> FloatArray:
        z = np.abs(x) / self.scale
        near = self._series(self._pdf_series, np.minimum(z, self._far))
        log_z = np.log(np.maximum(z, self._far))
        v = np.exp(-self.alpha * log_z)
        n = np.arange(1, _TERMS + 1)
        sums = np.polyval((self.alpha * n * self._tail)[::-1], v)
        far = np.log(sums) - (1.0 + self.alpha) * log_z
        return np.where(z > self._far, far, near) - math.log(self.scale)

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self._sf(-x)

    def _sf(self, x: FloatArray) -> FloatArray:
        upper = self._upper(np.abs(x) / self.scale)
        return np.where(x >= 0.0, upper, 1.0 - upper)

    def _ppf(self, q: FloatArray) -> FloatArray:
        return -self._isf(q)

    def _isf(self, q: FloatArray) -> FloatArray:
        p = np.minimum(q, 1.0 - q)
        low, high = np.full(p.shape, -60.0), np.full(p.shape, 700.0)  # of ln z
        for _ in range(64):
            middle = 0.5 * (low + high)
            above = self._upper(np.exp(middle)) > p
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        z = np.where(q == 0.5, 0.0, self.scale * np.exp(0.5 * (low + high)))
        return np.where(q < 0.5, z, -z)

    def characteristic(self, k: FloatArray) -> FloatArray:
        """Return ``E exp(i k X) = exp(-|scale k|^alpha)``."""
        return np.asarray(np.exp(-(np.abs(self.scale * np.asarray(k)) ** self.alpha)))

    def _moment(self, n: float) -> float:
        if n < self.alpha:
            return 0.0  # n = 1 < alpha
        return math.inf if n % 2 == 0 else math.nan

    def _moment_reason(self, n: float) -> str:
        if n < self.alpha:
            return ""
        kind = "infinite" if n % 2 == 0 else "undefined"
        return (
            f"E x^{n:g} is {kind}: the density falls like |x|^-{self.alpha + 1.0:.6g}; "
            f"finite only for n < alpha = {self.alpha:.6g}"
        )

    def var(self) -> float:
        return math.inf if self.alpha > 1.0 else math.nan

    def modes(self) -> tuple[float, ...]:
        """Return 0, the only maximum."""
        return (0.0,)

    @cached_property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        # panels of the table, then of a width that the power of the tail asks for
        step = min(1.0, 1.0 / self.alpha)
        beyond = np.arange(self._edges[-1], min(700.0, self._edges[-1] + 45.0 / self.alpha), step)
        edges = np.concatenate([self._edges, beyond[1:]])
        half = 0.5 * np.diff(edges)[:, None]
        t = edges[:-1, None] + half + half * NODES
        x = self._width * np.sinh(t)
        weights = half * WEIGHTS * self._width * np.cosh(t) * np.exp(self._logpdf(self.scale * x))
        x, weights = self.scale * x.ravel(), self.scale * weights.ravel()
        return np.concatenate([-x[::-1], x]), np.concatenate([weights[::-1], weights])

    def entropy(self) -> float:
        x, weights = self._nodes
        return -float(np.sum(weights * self._logpdf(x)))
