"""Distribution and density of the symmetric stable law of unit scale, tabulated."""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy import special

from ._panels import NODES, TO_LEGENDRE, WEIGHTS, FloatArray

__all__ = ["StableTable", "stable_table"]

_TERMS = 12  # of the series of the tail
_REACH = 45.0  # half the range of the logit over which angles are integrated
_NEWTON = 7  # steps of the inversion, each doubles the digits


@functools.lru_cache(maxsize=64)
def stable_table(alpha: float) -> StableTable:
    """Return the table of the index ``alpha``, 0.1 <= alpha < 2, not 1."""
    return StableTable(alpha)


class StableTable:
    """``P(S > x)`` and density for x >= 0, ``E exp(ikS) = exp(-|k|^alpha)``.

    With ``V`` uniform on (-pi/2, pi/2) and ``W`` exponential, ``S = g(V) W^((alpha-1)/alpha)`` for a
    function ``g`` (Chambers, Mallows and Stuck 1976). For given ``V = theta > 0``, ``S > x`` is ``W >
    w`` or ``W < w`` with ``w = (x/g(theta))^(alpha/(alpha-1))``, so that distribution and density are
    integrals over theta of positive terms (Zolotarev 1986, section 2.2; Nolan 1997, Commun. Statist.
    Stochastic Models 13, 759). They are tabulated in ``t = asinh(x/width)``; far out the series of
    the tail takes over (Samorodnitsky and Taqqu 1994, section 1.2; Zolotarev, section 2.5).

    Attributes
    ----------
    width : float
        Of the density at 0.
    far : float
        Where the series of the tail begins.
    edges : ndarray
        Of the panels, in ``t``.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha
        self._sharp = alpha / (alpha - 1.0)
        self.width = math.sqrt(math.gamma(1.0 / alpha) / math.gamma(3.0 / alpha))
        self.far = max(10.0 ** (3.0 / alpha), 100.0)
        top = math.asinh(self.far / self.width)
        count = max(24, math.ceil(2.0 * top / min(alpha, 1.0)))
        self.edges = np.linspace(0.0, top, count + 1)
        self._half = 0.5 * top / count
        t = (self.edges[:-1, None] + self._half) + self._half * NODES
        sf, pdf = self._integrals(self.width * np.sinh(t.ravel()))
        self._log_sf = (np.log(sf).reshape(t.shape) @ TO_LEGENDRE.T).T
        self._log_pdf = (np.log(pdf).reshape(t.shape) @ TO_LEGENDRE.T).T
        self._log_sf_edges = self._series(self._log_sf, self.edges)
        n = np.arange(1, _TERMS + 1)
        angle = np.sin(0.5 * math.pi * n * alpha)
        self._tail = -((-1.0) ** n) * angle * np.exp(special.gammaln(n * alpha)) / math.pi
        self._tail /= special.factorial(n)
        self._slope = alpha * n * self._tail

    def _log_g(self, far: FloatArray, near: FloatArray) -> FloatArray:
        """``ln g`` at theta, given as its distance ``far`` from pi/2 and ``near`` from 0."""
        a = self.alpha
        turned = a * near
        sine = np.sin(
            np.where(turned <= 0.5 * math.pi, turned, (2.0 - a) * 0.5 * math.pi + a * far)
        )
        k = abs(1.0 - a)
        other = np.sin((1.0 - k) * 0.5 * math.pi + k * far)
        return np.log(sine) - np.log(np.sin(far)) / a + (1.0 - a) / a * np.log(other)

    def _at_logit(self, q: FloatArray) -> tuple[FloatArray, FloatArray]:
        """``ln g`` at ``theta = (pi/2)/(1 + exp(q))``, and ``d theta/dq`` but for its sign."""
        far, near = special.expit(q), special.expit(-q)
        return self._log_g(0.5 * math.pi * far, 0.5 * math.pi * near), 0.5 * math.pi * far * near

    def _integrals(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        sf, pdf = np.empty_like(x), np.empty_like(x)
        # panels shrink to the width of the step in the integrand, which is sharp near alpha = 1
        fine = 0.5 ** np.arange(0.0, 3.0 + max(0.0, math.log2(abs(self._sharp))))
        centres = self._crossing(np.log(x))
        for i, at in enumerate(x):
            low, high = -_REACH - max(0.0, -math.log(at)), _REACH + max(0.0, math.log(at))
            even = np.linspace(low, high, math.ceil(high - low) + 1)
            edges = np.concatenate([even, centres[i] + fine, centres[i : i + 1], centres[i] - fine])
            edges = np.unique(np.clip(edges, low, high))
            half = 0.5 * np.diff(edges)[:, None]
            log_g, slope = self._at_logit(edges[:-1, None] + half + half * NODES)
            weight = half * WEIGHTS * slope / math.pi
            with np.errstate(over="ignore", under="ignore"):
                w = np.exp(np.minimum(self._sharp * (math.log(at) - log_g), 700.0))
                sf[i] = np.sum(weight * (np.exp(-w) if self.alpha > 1.0 else -np.expm1(-w)))
                pdf[i] = abs(self._sharp) / at * np.sum(weight * w * np.exp(-w))
        return sf, pdf

    def _crossing(self, log_x: FloatArray) -> FloatArray:
        """Return the logit at which ``g = x``: there the integrand steps."""
        low = -2.0 * _REACH - np.abs(log_x)
        high = -low
        for _ in range(60):
            q = 0.5 * (low + high)
            below = self._at_logit(q)[0] < log_x
            low, high = np.where(below, low, q), np.where(below, q, high)
        return 0.5 * (low + high)

    def _series(self, series: FloatArray, t: FloatArray) -> FloatArray:
        i = np.clip((t / (2.0 * self._half)).astype(np.intp), 0, self.edges.size - 2)
        local = (t - self.edges[i]) / self._half - 1.0
        before, now = np.zeros_like(t), np.zeros_like(t)
        for k in range(series.shape[0] - 1, 0, -1):  # Clenshaw, for Legendre polynomials
            ahead = series[k].take(i) + (2 * k + 1) / (k + 1) * local * now
            before, now = now, ahead - (k + 1) / (k + 2) * before
        value: FloatArray = series[0].take(i) + local * now - 0.5 * before
        return value

    def sf(self, x: FloatArray) -> FloatArray:
        """Return ``P(S > x)``, to about 1e-12 of itself (1e-9 for alpha < 0.3)."""
        near = np.exp(self._series(self._log_sf, np.arcsinh(np.minimum(x, self.far) / self.width)))
        v = np.maximum(x, self.far) ** -self.alpha
        return np.where(x > self.far, v * np.polyval(self._tail[::-1], v), near)

    def logpdf(self, x: FloatArray) -> FloatArray:
        """Return the logarithm of the density."""
        near = self._series(self._log_pdf, np.arcsinh(np.minimum(x, self.far) / self.width))
        log_x = np.log(np.maximum(x, self.far))
        sums = np.polyval(self._slope[::-1], np.exp(-self.alpha * log_x))
        return np.where(x > self.far, np.log(sums) - (1.0 + self.alpha) * log_x, near)

    def isf(self, p: FloatArray) -> FloatArray:
        """Return the ``x`` with ``P(S > x) = p``, 0 < p <= 1/2."""
        goal = np.log(p)
        i = np.searchsorted(-self._log_sf_edges, -goal, side="right") - 1
        i = np.clip(i, 0, self.edges.size - 2)
        high, low = self._log_sf_edges[i], self._log_sf_edges[i + 1]
        t = self.edges[i] + 2.0 * self._half * np.clip((high - goal) / (high - low), 0.0, 1.0)
        v = p / self._tail[0]
        for _ in range(_NEWTON):
            log_sf, log_pdf = self._series(self._log_sf, t), self._series(self._log_pdf, t)
            slope = self.width * np.cosh(t) * np.exp(log_pdf - log_sf)
            t = np.clip(t + (log_sf - goal) / slope, self.edges[i], self.edges[i + 1])
            v = p / np.polyval(self._tail[::-1], v)
        beyond = goal < self._log_sf_edges[-1]
        return np.where(beyond, v ** (-1.0 / self.alpha), self.width * np.sinh(t))

    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Return quadrature nodes x > 0 and their probabilities."""
        # panels of the table, then of a width that the power of the tail asks for
        step = min(1.0, 1.0 / self.alpha)
        end = min(700.0, self.edges[-1] + 45.0 / self.alpha)
        edges = np.concatenate([self.edges, np.arange(self.edges[-1], end, step)[1:]])
        half = 0.5 * np.diff(edges)[:, None]
        t = edges[:-1, None] + half + half * NODES
        x = self.width * np.sinh(t)
        weights = half * WEIGHTS * self.width * np.cosh(t) * np.exp(self.logpdf(x))
        return x.ravel(), weights.ravel()
