"""Fast, tail-accurate functions of a law tabulated on panels.

The distribution function is summed from the left and the survival function from the right, each as
a sum of positive terms, so both keep their *relative* accuracy in their own tail. Inside a panel
the partial integral is a polynomial of degree 16, evaluated by Horner's rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ._panels import (
    INTEGRAL_POWERS,
    NODES,
    TO_LEGENDRE,
    WEIGHTS,
    FloatArray,
    Score,
    build_panels,
)

__all__ = ["Table"]

IntArray = npt.NDArray[np.intp]

_BLOCK = 1 << 15  # points handled at once: temporaries stay in the second-level cache


def _blocked(function: Callable[[FloatArray], FloatArray], x: FloatArray) -> FloatArray:
    flat = x.ravel()
    out: FloatArray = np.empty_like(flat)
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            out[part] = function(flat[part])
    return out.reshape(x.shape)


class Table:
    """A probability law on the real line (coordinate ``y``), given by ``score = d ln p / dy``.

    Parameters are those of :func:`build_panels`. All methods take and return float64 arrays.

    Attributes
    ----------
    left, right : float
        Tail exponents as given (inf when thinner than exponential).
    log_integral : float
        ``ln`` of the integral of ``exp(g)``, where ``g`` is the log density with ``g(anchor)=0``.
    y, weights : ndarray
        Gauss nodes and their probabilities; the tails beyond the table are not included.
    low, high, low_mass, high_mass, low_slope, high_slope : float
        Ends of the table and the masses and slopes of the exponential tails beyond them.
    """

    def __init__(
        self, score: Score, knots: Sequence[float], left: float = math.inf, right: float = math.inf
    ) -> None:
        p = build_panels(score, knots, left, right)
        self._score, self._knots = score, tuple(knots)
        self.left, self.right, self.anchor = left, right, p.anchor
        self.edges, self.low_slope, self.high_slope = p.edges, p.left, p.right
        self.low, self.high = float(p.edges[0]), float(p.edges[-1])
        self._half = 0.5 * np.diff(p.edges)
        self._mid = 0.5 * (p.edges[:-1] + p.edges[1:])

        top = np.maximum(p.g.max(axis=1), np.maximum(p.g_edges[:-1], p.g_edges[1:]))
        shape = np.exp(p.g - top[:, None])
        mass = self._half * (shape @ WEIGHTS)
        log_mass = top + np.log(mass)
        tail_low = p.g_edges[0] - math.log(p.left)
        tail_high = p.g_edges[-1] - math.log(p.right)
        log_cdf = np.logaddexp.accumulate(np.concatenate([[tail_low], log_mass]))
        log_sf = np.logaddexp.accumulate(np.concatenate([[tail_high], log_mass[::-1]]))[::-1]
        self.log_integral = float(np.logaddexp(log_cdf[-1], tail_high))
        self._log_cdf = log_cdf - self.log_integral
        self._log_sf = log_sf - self.log_integral
        self._cdf_edges, self._sf_edges = np.exp(self._log_cdf), np.exp(self._log_sf)
        self._log_scale = top - self.log_integral
        self._scale = np.exp(self._log_scale)
        self._total = mass
        self.low_mass, self.high_mass = float(self._cdf_edges[0]), float(self._sf_edges[-1])

        # Coefficients of powers of t, one row per power: [power, panel].
        legendre = self._half[:, None] * (shape @ TO_LEGENDRE.T)
        self._mass_poly = np.ascontiguousarray((legendre @ INTEGRAL_POWERS.T).T)
        slopes = self._half[:, None] * (p.score @ TO_LEGENDRE.T)
        self._g_poly = np.ascontiguousarray((slopes @ INTEGRAL_POWERS.T).T)
        self._g_poly[0] += p.g_edges[:-1] - self.log_integral
        self._g_low = float(p.g_edges[0]) - self.log_integral
        self._g_high = float(p.g_edges[-1]) - self.log_integral
        self._delta = p.g_edges[1:] - p.g_edges[:-1]
        self.y = (self._mid[:, None] + self._half[:, None] * NODES).ravel()
        self.weights = (np.exp(p.g - self.log_integral) * (self._half[:, None] * WEIGHTS)).ravel()
        self.log_density_nodes = (p.g - self.log_integral).ravel()
        self.median_panel = int(
            np.clip(np.searchsorted(self._cdf_edges, 0.5), 1, self._half.size) - 1
        )

    # -- evaluation ------------------------------------------------------------------------------

    def _locate(self, y: FloatArray) -> tuple[IntArray, FloatArray]:
        i = np.clip(np.searchsorted(self.edges, y, side="right") - 1, 0, self._half.size - 1)
        return i, np.clip((y - self._mid[i]) / self._half[i], -1.0, 1.0)

    @staticmethod
    def _horner(poly: FloatArray, i: IntArray, t: FloatArray) -> FloatArray:
        value: FloatArray = poly[-1].take(i)
        for row in poly[-2::-1]:
            value *= t
            value += row.take(i)
        return value

    def log_density(self, y: FloatArray) -> FloatArray:
        """Return ``ln p(y)``, also far outside the table."""
        return _blocked(self._log_density, y)

    def _log_density(self, y: FloatArray) -> FloatArray:
        i, t = self._locate(y)
        value = self._horner(self._g_poly, i, t)
        exact_low, exact_high = self.low_slope == self.left, self.high_slope == self.right
        for out, edge, g, slope, exact in (
            (y < self.low, self.low, self._g_low, self.low_slope, exact_low),
            (y > self.high, self.high, self._g_high, -self.high_slope, exact_high),
        ):
            if np.any(out):
                far = y[out]
                if exact:
                    value[out] = g + slope * (far - edge)
                else:
                    value[out] = g + self._outside(edge, far)
        value[np.isnan(y)] = np.nan
        return value

    def _outside(self, edge: float, far: FloatArray) -> FloatArray:
        """Integrate the score from ``edge`` to ``far`` (deep in a thin tail) on 32 panels."""
        finite = np.isfinite(far)
        value = np.full(far.shape, -np.inf)
        span = far[finite] - edge
        grid = (np.arange(32)[:, None] + 0.5 + 0.5 * NODES).ravel() / 32.0
        slope = self._score(edge + span[:, None] * grid)
        value[finite] = span * (slope @ np.tile(WEIGHTS, 32)) / 64.0
        return np.asarray(np.where(np.isnan(value), -np.inf, value))

    def cdf(self, y: FloatArray) -> FloatArray:
        """Return ``P(Y <= y)``, relatively accurate in the left tail."""
        return _blocked(lambda part: self._side(part, lower=True), y)

    def sf(self, y: FloatArray) -> FloatArray:
        """Return ``P(Y > y)``, relatively accurate in the right tail."""
        return _blocked(lambda part: self._side(part, lower=False), y)

    def _side(self, y: FloatArray, *, lower: bool) -> FloatArray:
        i, t = self._locate(y)
        part = self._horner(self._mass_poly, i, t)
        below, above = y < self.low, y > self.high
        left = below | ((i <= self.median_panel) & ~above)
        # One sum per half of the line; the other function is its complement there.
        value = np.where(
            left,
            self._cdf_edges[i] + self._scale[i] * np.maximum(part, 0.0),
            self._sf_edges[i + 1] + self._scale[i] * np.maximum(self._total[i] - part, 0.0),
        )
        value[below] = self.low_mass * np.exp(self.low_slope * (y[below] - self.low))
        value[above] = self.high_mass * np.exp(-self.high_slope * (y[above] - self.high))
        value = np.where(left == lower, value, 1.0 - value)
        return np.where(np.isnan(y), np.nan, value)

    def log_cdf(self, y: FloatArray) -> FloatArray:
        """Return ``ln P(Y <= y)``, also where the probability underflows."""
        return _blocked(lambda part: self._log_side(part, lower=True), y)

    def log_sf(self, y: FloatArray) -> FloatArray:
        """Return ``ln P(Y > y)``, also where the probability underflows."""
        return _blocked(lambda part: self._log_side(part, lower=False), y)

    def _log_side(self, y: FloatArray, *, lower: bool) -> FloatArray:
        own, other = self._side(y, lower=lower), self._side(y, lower=not lower)
        value = np.where(own > 0.5, np.log1p(-other), np.log(own))
        deep = own < 1e-290
        if np.any(deep):
            value[deep] = self._log_deep(y[deep], lower=lower)
        return value

    def _log_deep(self, y: FloatArray, *, lower: bool) -> FloatArray:
        """Return the log of a tail probability that underflows or nearly does."""
        i, t = self._locate(y)
        part = self._horner(self._mass_poly, i, t)
        if lower:
            edge, slope, exact = self.low, self.low_slope, self.low_slope == self.left
            mass, rate = self._log_cdf[0], self._score(y)
            sums = np.logaddexp(self._log_cdf[i], self._log_scale[i] + np.log(part))
        else:
            edge, slope, exact = self.high, self.high_slope, self.high_slope == self.right
            mass, rate = self._log_sf[-1], -self._score(y)
            rest = np.maximum(self._total[i] - part, 0.0)
            sums = np.logaddexp(self._log_sf[i + 1], self._log_scale[i] + np.log(rest))
        # Outside the table: an exact exponential, or density / slope in a thinner tail.
        tail = mass - slope * np.abs(y - edge) if exact else self._log_density(y) - np.log(rate)
        value = np.where((y >= self.low) & (y <= self.high), sums, tail)
        return np.where(np.isinf(y), -np.inf, value)

    # -- inversion -------------------------------------------------------------------------------

    def ppf(self, q: FloatArray) -> FloatArray:
        """Return the ``y`` with ``P(Y <= y) = q``; nan outside [0, 1]."""
        return _blocked(lambda part: self._invert(part, lower=True), q)

    def isf(self, q: FloatArray) -> FloatArray:
        """Return the ``y`` with ``P(Y > y) = q``; nan outside [0, 1]."""
        return _blocked(lambda part: self._invert(part, lower=False), q)

    def _invert(self, q: FloatArray, *, lower: bool) -> FloatArray:
        # Invert the distribution function up to the median, the survival function beyond it; but
        # where a tail holds more than half of the mass, its own function all along it.
        if lower:
            split = min(max(0.5, self.low_mass), 1.0 - self.high_mass)
            use_cdf = q <= split
        else:
            split = max(min(0.5, 1.0 - self.low_mass), self.high_mass)
            use_cdf = q > split
        p = np.where(use_cdf == lower, q, 1.0 - q)
        last = self._half.size - 1
        i_cdf = np.searchsorted(self._cdf_edges, p, side="right") - 1
        i_sf = last + 1 - np.searchsorted(self._sf_edges[::-1], p, side="left")
        i = np.clip(np.where(use_cdf, i_cdf, i_sf), 0, last)
        total = self._total[i]
        with np.errstate(all="ignore"):
            target = np.where(
                use_cdf,
                (p - self._cdf_edges[i]) / self._scale[i],
                total - (p - self._sf_edges[i + 1]) / self._scale[i],
            )
        # Where even the panel's scale underflows, q is a subnormal number: any point will do.
        target = np.clip(np.nan_to_num(target, nan=0.0), 0.0, total)
        # First guess: the density of the panel taken as exponential; then Newton.
        delta = self._delta[i]
        flat = np.abs(delta) < 1e-6
        safe = np.where(flat, 1.0, delta)
        share = target / total
        t = np.where(flat, share, np.log1p(share * np.expm1(safe)) / safe) * 2.0 - 1.0
        t = np.clip(t, -1.0, 1.0)
        todo = np.arange(p.size)
        for sweep in range(12):
            j, u, goal = i[todo], t[todo], target[todo]
            value = self._mass_poly[-1].take(j)
            deriv = np.zeros_like(value)
            for row in self._mass_poly[-2::-1]:
                deriv *= u
                deriv += value
                value *= u
                value += row.take(j)
            new = np.clip(u - (value - goal) / deriv, -1.0, 1.0)
            moved = np.abs(new - u) > 1e-9  # quadratic: the next error is far below rounding
            t[todo] = new
            if sweep >= 1:
                if not np.any(moved):
                    break
                todo = todo[moved]
        y: FloatArray = self._mid[i] + self._half[i] * t
        below = use_cdf & (p < self.low_mass)
        above = ~use_cdf & (p < self.high_mass)
        y[below] = self.low + np.log(p[below] / self.low_mass) / self.low_slope
        y[above] = self.high - np.log(p[above] / self.high_mass) / self.high_slope
        y[(q < 0.0) | (q > 1.0) | np.isnan(q)] = np.nan
        return y
