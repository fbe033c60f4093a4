"""Laws on the positive half-line given by the slope of their log density, by quadrature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.polynomial.laguerre import laggauss

from ._panels import FloatArray, Score
from ._safe import exp
from ._table import Table
from .base import PositiveLaw
from .coordinates import Coordinate

__all__ = ["NumericLaw"]

_TAIL_NODES, _TAIL_WEIGHTS = laggauss(24)


class NumericLaw(PositiveLaw):
    """A positive law tabulated by adaptive quadrature to about 1e-13.

    Parameters
    ----------
    name : str
        The law in words.
    score : callable
        Vectorised ``d ln p_Y / dy`` of the density of the coordinate ``Y``.
    coordinate : Coordinate
        The map ``x(y)``.
    knots : sequence of float
        Values of ``y`` where ``score`` may vary on a small scale.
    left, right : float, default inf
        Tail exponents of ``p_Y``: ``exp(left y)`` and ``exp(-right y)``; inf if thinner.

    Raises
    ------
    ValueError
        If double precision cannot resolve the law.
    """

    def __init__(
        self,
        name: str,
        score: Score,
        coordinate: Coordinate,
        knots: Sequence[float] = (0.0,),
        left: float = math.inf,
        right: float = math.inf,
    ) -> None:
        self.name = name
        self._score, self._map, self._knots = score, coordinate, tuple(knots)
        self._table = Table(score, self._knots, left, right)
        low, high = self._table.ppf(np.array([0.25, 0.75])).tolist()
        slope = float(coordinate.log_slope(np.array([0.5 * (low + high)]))[0])
        if (high - low) * slope < 1e-12:
            raise ValueError(
                "the noise is too weak for the law to be resolved in double precision: its "
                f"relative width is {(high - low) * slope:.1e}"
            )
        # E X^n is finite for -low_order < n < high_order.
        low_slope, high_slope = coordinate.log_slopes
        self._low_order = left / low_slope if low_slope else math.inf
        self._high_order = right / high_slope if high_slope else math.inf

    def support(self) -> tuple[float, float]:
        return self._map.support()

    # -- functions of ln x and of x --------------------------------------------------------------

    def _logpdf_y(self, y: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            c = self._map.from_log(y)
            value = self._table.log_density(c) - np.log(self._map.log_slope(c))
        return np.where(np.isinf(c), -np.inf, value)

    def _cdf_y(self, y: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return self._table.cdf(self._map.from_log(y))

    def _sf_y(self, y: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return self._table.sf(self._map.from_log(y))

    def _ppf_y(self, q: FloatArray) -> FloatArray:
        return self._map.log_x(self._table.ppf(q))

    def _isf_y(self, q: FloatArray) -> FloatArray:
        return self._map.log_x(self._table.isf(q))

    def _coordinate(self, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return np.asarray(self._map.from_x(x))

    def _logpdf(self, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            c = self._coordinate(x)
            value = self._table.log_density(c) - self._map.log_jacobian(c)
        low, high = self.support()
        value = np.where((x < low) | (x > high) | (x == np.inf), -np.inf, value)
        for edge, sign in ((low, -1.0), (high, 1.0)):
            at_edge = (x == edge) & math.isfinite(edge)
            if np.any(at_edge):
                value = np.where(at_edge, self._log_density_at_end(sign), value)
        return value

    def _log_density_at_end(self, sign: float) -> float:
        """Return the limit of ``ln p(x)`` at an end of the support (sign -1: left, 1: right)."""
        t = self._table
        rate, slope = (
            (t.left, self._map.jacobian_slopes[0])
            if sign < 0.0
            else (t.right, -self._map.jacobian_slopes[1])
        )
        if rate > slope:
            return -math.inf
        if rate < slope:
            return math.inf
        y = np.array([t.low if sign < 0.0 else t.high])
        return float((t.log_density(y) - self._map.log_jacobian(y))[0])

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self._table.cdf(self._coordinate(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return self._table.sf(self._coordinate(x))

    def _logcdf(self, x: FloatArray) -> FloatArray:
        return self._table.log_cdf(self._coordinate(x))

    def _logsf(self, x: FloatArray) -> FloatArray:
        return self._table.log_sf(self._coordinate(x))

    def _ppf(self, q: FloatArray) -> FloatArray:
        return self._map.x(self._table.ppf(q))

    def _isf(self, q: FloatArray) -> FloatArray:
        return self._map.x(self._table.isf(q))

    # -- moments ---------------------------------------------------------------------------------

    def _tails(self, n: float) -> tuple[float, float]:
        """Return the parts of ``E X^n`` beyond the two ends of the table."""
        t = self._table
        ends = self._map.log_x(np.array([t.low, t.high]))
        a, b = self._map.log_slopes
        low = t.low_mass * exp(n * ends[0]) * t.low_slope / (t.low_slope + n * a)
        high = t.high_mass * exp(n * ends[1]) * t.high_slope / (t.high_slope - n * b)
        return low, high

    def _moment(self, n: float) -> float:
        if self._moment_reason(n):
            return math.inf
        if abs(n) <= 2.0:
            with np.errstate(all="ignore"):
                powers = np.exp(n * self._map.log_x(self._table.y))
                direct = float(np.sum(self._table.weights * powers))
                try:
                    value = direct + sum(self._tails(n))
                except (OverflowError, ZeroDivisionError):
                    value = math.nan
            if math.isfinite(value) and value > 0.0:
                return value
        return self._tilted(n)

    def _tilted(self, n: float) -> float:
        """Integrate ``x^n p`` on panels of its own: its mass may lie where ``p`` has none."""
        slope = self._map.log_slope

        def score(y: FloatArray) -> FloatArray:
            return self._score(y) + n * slope(y)

        left = self._table.left + n * self._map.log_slopes[0]
        right = self._table.right - n * self._map.log_slopes[1]
        try:
            tilted = Table(score, self._knots, left, right)
        except ValueError:  # only when the power itself leaves the range of floats
            with np.errstate(all="ignore"):
                return float(np.exp(n * self._ppf_y(np.array(0.5))))
        at = np.array([tilted.anchor])
        log_value = (
            tilted.log_integral
            + float(self._table.log_density(at)[0])
            + n * float(self._map.log_x(at)[0])
        )
        return exp(log_value)

    def _moment_reason(self, n: float) -> str:
        if -self._low_order < n < self._high_order:
            return ""
        where = "large" if n > 0.0 else "small"
        return (
            f"E x^{n:g} is infinite: the density falls too slowly at {where} x; "
            f"finite only for {-self._low_order:.6g} < n < {self._high_order:.6g}"
        )

    def var(self) -> float:
        mean = self.mean()
        if not math.isfinite(mean) or self._moment_reason(2.0):
            return math.inf
        with np.errstate(all="ignore"):
            bulk = np.sum(self._table.weights * (self._map.x(self._table.y) - mean) ** 2)
        first, second = self._tails(1.0), self._tails(2.0)
        masses = self._table.low_mass, self._table.high_mass
        ends = zip(masses, first, second, strict=True)
        return float(bulk) + sum(s - 2.0 * mean * f + mean * mean * m for m, f, s in ends)

    def _mean_tail_linear(
        self, values: FloatArray, ends: tuple[float, float], slopes: tuple[float, float]
    ) -> float:
        """Return the mean of a function that is linear in ``y`` beyond the table."""
        t = self._table
        low = t.low_mass * (ends[0] - slopes[0] / t.low_slope)
        high = t.high_mass * (ends[1] + slopes[1] / t.high_slope)
        return float(np.sum(t.weights * values)) + low + high

    def mean_log(self) -> float:
        t, m = self._table, self._map
        ends = m.log_x(np.array([t.low, t.high]))
        return self._mean_tail_linear(m.log_x(t.y), (ends[0], ends[1]), m.log_slopes)

    def entropy(self) -> float:
        t, m = self._table, self._map
        at = np.array([t.low, t.high])
        ends = m.log_jacobian(at) - t.log_density(at)
        a, b = m.jacobian_slopes
        slopes = (a - t.low_slope, b + t.high_slope)
        values = m.log_jacobian(t.y) - t.log_density_nodes
        return self._mean_tail_linear(values, (ends[0], ends[1]), slopes)

    def modes(self) -> tuple[float, ...]:
        """Return all local maxima of the density in ``x``."""

        def slope(y: FloatArray) -> FloatArray:
            return self._score(y) - self._map.jacobian_slope(y)

        t = self._table
        with np.errstate(all="ignore"):
            # A maximum in x may lie beyond the bulk in y, but not beyond the table.
            grid = np.unique(np.concatenate([t.y, t.edges, np.linspace(t.low, t.high, 4001)]))
            value = slope(grid)
            down = np.flatnonzero((value[:-1] > 0.0) & (value[1:] <= 0.0))
            a, b = grid[down], grid[down + 1]
            for _ in range(60):
                mid = 0.5 * (a + b)
                up = slope(mid) > 0.0
                a, b = np.where(up, mid, a), np.where(up, b, mid)
            places = self._map.x(0.5 * (a + b)).tolist()
        low, high = self.support()
        if value[0] <= 0.0 and self._log_density_at_end(-1.0) > -math.inf:
            places.insert(0, low)
        if value[-1] > 0.0 and self._log_density_at_end(1.0) > -math.inf:
            places.append(high)
        return tuple(places)

    @cached_property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        t = self._table
        y = np.concatenate(
            [t.low - _TAIL_NODES / t.low_slope, t.y, t.high + _TAIL_NODES / t.high_slope]
        )
        weights = np.concatenate(
            [t.low_mass * _TAIL_WEIGHTS, t.weights, t.high_mass * _TAIL_WEIGHTS]
        )
        with np.errstate(all="ignore"):
            x = self._map.x(y)
        good = np.isfinite(x) & (weights > 0.0)
        return x[good], weights[good]
