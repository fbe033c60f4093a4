"""Laws on the whole line given by the slope of their log density, by quadrature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ._panels import FloatArray, Score
from ._table import Table
from .base import Law

__all__ = ["LineLaw"]

# No floating-point trouble in a score up to here: beyond, a tail is its power law, or no mass is left.
_FARTHEST = 170.0


class LineLaw(Law):
    """A law on the line tabulated by adaptive quadrature to about 1e-13.

    Parameters
    ----------
    name : str
        The law in words.
    slope : callable
        Vectorised ``d ln p / dx``.
    loc, scale : float
        Centre and width, > 0, of the bulk: the coordinate of the table is ``arcsinh((x - loc)/scale)``.
    knots : sequence of float
        Values of ``x`` where ``slope`` may vary on a small scale: wells and barriers.
    tail : float, default inf
        ``p(x)`` falls like ``|x|^-(tail + 1)`` on both sides, > 0; inf if it falls faster.

    Raises
    ------
    ValueError
        If double precision cannot resolve the law.
    """

    def __init__(
        self,
        name: str,
        slope: Score,
        loc: float,
        scale: float,
        knots: Sequence[float],
        tail: float = math.inf,
    ) -> None:
        self.name, self.loc, self.scale, self.tail = name, loc, scale, tail
        self._slope = slope

        def score(w: FloatArray) -> FloatArray:
            near = np.clip(w, -_FARTHEST, _FARTHEST)
            return np.asarray(scale * np.cosh(near) * slope(self._x(near)) + np.tanh(near))

        self._table = Table(score, self._w(np.array(knots)).tolist(), tail, tail)

    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def _w(self, x: FloatArray) -> FloatArray:
        return np.arcsinh((x - self.loc) / self.scale)

    def _x(self, w: FloatArray) -> FloatArray:
        return np.asarray(self.loc + self.scale * np.sinh(w))

    def _log_jacobian(self, w: FloatArray) -> FloatArray:
        return np.asarray(np.logaddexp(w, -w) + math.log(0.5 * self.scale))

    def _logpdf(self, x: FloatArray) -> FloatArray:
        w = self._w(x)
        with np.errstate(invalid="ignore"):
            value = self._table.log_density(w) - self._log_jacobian(w)
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
        return self._x(self._table.ppf(q))

    def _isf(self, q: FloatArray) -> FloatArray:
        return self._x(self._table.isf(q))

    def _moment(self, n: float) -> float:
        if n >= self.tail:
            return math.inf if n % 2 == 0 else math.nan
        t = self._table
        value = float(np.sum(t.weights * self._x(t.y) ** n))
        ends = self._x(np.array([t.low, t.high])) ** n
        # beyond the table x grows like exp(|w|)
        value += t.low_mass * float(ends[0]) * t.low_slope / (t.low_slope - n)
        return value + t.high_mass * float(ends[1]) * t.high_slope / (t.high_slope - n)

    def _moment_reason(self, n: float) -> str:
        if n < self.tail:
            return ""
        kind = "infinite" if n % 2 == 0 else "undefined"
        return (
            f"E x^{n:g} is {kind}: the density falls like |x|^-{self.tail + 1.0:.6g}; "
            f"finite only for n < {self.tail:.6g}"
        )

    def modes(self) -> tuple[float, ...]:
        """Return all local maxima of the density, ascending."""
        t = self._table
        grid = np.unique(np.concatenate([t.y, t.edges]))
        slope = self._slope(self._x(np.clip(grid, -_FARTHEST, _FARTHEST)))
        down = np.flatnonzero((slope[:-1] > 0.0) & (slope[1:] <= 0.0))
        a, b = self._x(grid[down]), self._x(grid[down + 1])
        for _ in range(80):
            middle = 0.5 * (a + b)
            up = self._slope(middle) > 0.0
            a, b = np.where(up, middle, a), np.where(up, b, middle)
        return tuple((0.5 * (a + b)).tolist())

    def entropy(self) -> float:
        t = self._table
        at = np.array([t.low, t.high, *t.y])
        values = self._log_jacobian(at) - t.log_density(at)
        low = t.low_mass * (values[0] + (1.0 + t.low_slope) / t.low_slope)
        high = t.high_mass * (values[1] + (1.0 + t.high_slope) / t.high_slope)
        return float(t.weights @ values[2:] + low + high)
