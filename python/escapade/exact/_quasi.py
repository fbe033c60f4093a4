"""The quasi-stationary law as a law like those of `escapade.laws`."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from ..laws.base import Law
from ._grid import Grid, Points
from ._quadrature import WEIGHTS, FloatArray, cumulate

__all__ = ["QuasiStationary"]


class QuasiStationary(Law):
    """Quasi-stationary law of a region; made by `escapade.exact.quasi_stationary`.

    Attributes
    ----------
    log_rate : float
        ``ln`` of the rate of the exponential exit time from this law.
    """

    name = "quasi-stationary law"

    def __init__(
        self,
        grid: Grid,
        log_f: FloatArray,
        ends: tuple[float, float],
        kinds: tuple[str, str],
        log_rate: float,
    ) -> None:
        self._grid, self._ends, self._kinds, self.log_rate = grid, ends, kinds, log_rate
        log_p = grid.log_speed + log_f
        self._p = log_p - cumulate(log_p, grid.half).left_edges[-1]
        self._sum = cumulate(self._p, grid.half)

    def support(self) -> tuple[float, float]:
        return self._ends

    def _at(self, x: FloatArray) -> FloatArray:
        inside = np.clip(x, *self._ends)
        return np.asarray(self._grid.coordinate.y(np.ravel(inside)))

    def _logpdf(self, x: FloatArray) -> FloatArray:
        grid, y = self._grid, self._at(x)
        value = grid.log_at(self._p - grid.log_slope, grid.points(y)).reshape(x.shape)
        beyond = ((y < grid.edges[0]) | (y > grid.edges[-1])).reshape(x.shape)
        outside = (x < self._ends[0]) | (x > self._ends[1]) | beyond
        for end, kind in zip(self._ends, self._kinds, strict=True):
            outside = outside | ((x == end) & (kind == "absorb"))
        return np.where(np.isnan(x), np.nan, np.where(outside, -np.inf, value))

    def _mass(self, x: FloatArray, right: bool) -> FloatArray:
        y = self._at(x)
        at = self._grid.points(y)
        edges = self._sum.right_edges[at.panel + 1] if right else self._sum.left_edges[at.panel]
        part = self._grid.log_part(self._p, at, right)
        value = np.minimum(np.exp(np.logaddexp(edges, part)), 1.0).reshape(x.shape)
        return np.where(np.isnan(x), np.nan, value)

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self._mass(x, False)

    def _sf(self, x: FloatArray) -> FloatArray:
        return self._mass(x, True)

    def _quantile(self, q: FloatArray, right: bool) -> FloatArray:
        """Find the two nodes around the quantile, then solve by Newton's method, safeguarded."""
        grid, goal = self._grid, np.log(q.ravel())
        if right:
            inner = np.concatenate([self._sum.right_edges[:-1, None], self._sum.right], axis=1)
            known = -np.append(inner.ravel(), -np.inf)
            at = np.searchsorted(known, -goal, "right") - 1
        else:
            inner = np.concatenate([self._sum.left_edges[:-1, None], self._sum.left], axis=1)
            at = np.searchsorted(np.append(inner.ravel(), 0.0), goal, "right") - 1
        places = np.concatenate([grid.edges[:-1, None], grid.y], axis=1)
        places = np.append(places.ravel(), grid.edges[-1])
        at = np.clip(at, 0, places.size - 2)
        low, high = places[at], places[at + 1]
        panel = at // inner.shape[1]
        edges = self._sum.right_edges[panel + 1] if right else self._sum.left_edges[panel]
        out = 0.5 * (low + high)
        todo = np.arange(out.size)
        for _ in range(100):
            y, left, end = out[todo], grid.edges[panel[todo]], grid.edges[panel[todo] + 1]
            where = Points(panel[todo], y - left, end - y)
            mass = np.logaddexp(edges[todo], grid.log_part(self._p, where, right))
            up = (mass > goal[todo]) == right
            low[todo], high[todo] = np.where(up, y, low[todo]), np.where(up, high[todo], y)
            step = (goal[todo] - mass) * np.exp(mass - grid.log_at(self._p, where))
            new = y - step if right else y + step
            inside = (new > low[todo]) & (new < high[todo])
            new = np.where(inside, new, 0.5 * (low[todo] + high[todo]))
            met = np.abs(goal[todo] - mass) <= 4e-15 * (1.0 + np.abs(goal[todo]))
            out[todo] = np.where(met, y, new)
            todo = todo[~met & (np.abs(new - y) > 4e-15 * (np.abs(y) + end - left))]
            if not todo.size:
                break
        return np.asarray(grid.coordinate.x(out)).reshape(q.shape)

    def _ppf(self, q: FloatArray) -> FloatArray:
        return self._quantile(q, False)

    def _isf(self, q: FloatArray) -> FloatArray:
        return self._quantile(q, True)

    def _moment(self, n: float) -> float:
        grid = self._grid
        with np.errstate(over="ignore", invalid="ignore"):
            density = self._weights * np.abs(grid.x) ** n
        for k in (0, -1):
            if math.isinf(self._ends[k]) and not density[k, k] < 1e-12 * density.max():
                return self._diverges(n, k)
        return float(np.sum(self._weights * grid.x**n))

    def _diverges(self, n: float, k: int) -> float:
        """Return inf, with its sign, or nan if both tails are too heavy."""
        other = -1 - k
        both = math.isinf(self._ends[other]) and n % 2.0 == 1.0
        density = self._weights * np.abs(self._grid.x) ** n
        if both and not density[other, other] < 1e-12 * density.max():
            return math.nan
        return -math.inf if k == 0 and n % 2.0 == 1.0 else math.inf

    @cached_property
    def _weights(self) -> FloatArray:
        """Probability of each node."""
        return np.asarray(np.exp(self._p) * self._grid.half[:, None] * WEIGHTS)

    def var(self) -> float:
        mean = self.mean()
        if not math.isfinite(mean) or not math.isfinite(self.moment(2)):
            return math.inf
        return float(np.sum(self._weights * (self._grid.x - mean) ** 2))

    @cached_property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        return self._grid.x.ravel(), self._weights.ravel()

    def entropy(self) -> float:
        with np.errstate(invalid="ignore"):
            log_density = self._p - self._grid.log_slope
            return -float(np.nansum(self._weights * log_density))

    def modes(self) -> tuple[float, ...]:
        grid = self._grid
        log_p = self._p - grid.log_slope
        slope = np.diff(log_p.ravel())
        places = []
        y = grid.y.ravel()
        for place in np.flatnonzero((slope[:-1] > 0.0) & (slope[1:] <= 0.0)):
            k = int(place)
            low, high = float(y[k]), float(y[k + 2])
            for _ in range(100):  # golden section
                step = 0.381966 * (high - low)
                pair = np.array([low + step, high - step])
                first, second = self._logpdf(grid.coordinate.x(pair))
                low, high = (low, float(pair[1])) if first > second else (float(pair[0]), high)
            places.append(float(grid.coordinate.x(np.array([0.5 * (low + high)]))[0]))
        for end, first in ((0, slope[0] <= 0.0), (1, slope[-1] > 0.0)):
            if first and self._kinds[end] == "reflect" and math.isfinite(self._ends[end]):
                places.insert(0 if end == 0 else len(places), self._ends[end])
        return tuple(places)
