"""Correlation of the ensemble between two times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ._statistics import finite_mean, power, recentre
from ._view import Viewer
from .base import Plan
from .paths import increasing_times

if TYPE_CHECKING:
    from ..ensemble import Ensemble

__all__ = ["Autocorrelation"]

FloatArray = npt.NDArray[np.float64]
_ORDER = 4  # the standard error takes products of up to four factors
_PIECE = 2**18  # particles whose products are in memory at a time


def _cross_sums(a: FloatArray, b: FloatArray, shift: tuple[float, float]) -> FloatArray:
    """Return ``sum (a - shift[0])^i (b - shift[1])^j`` over finite pairs, for i + j <= 4."""
    sums = np.zeros((_ORDER + 1, _ORDER + 1))
    for first in range(0, a.size, _PIECE):
        u, v = a[first : first + _PIECE] - shift[0], b[first : first + _PIECE] - shift[1]
        good = np.isfinite(u) & np.isfinite(v)
        u, v = u[good], v[good]
        for i in range(_ORDER + 1):
            for j in range(_ORDER + 1 - i):
                # added up by the engine, in an order that is the same everywhere
                sums[i, j] += _core.power_sums(u**i * v**j, 0.0, 1)[1]
    return sums


def _recentre_both(sums: FloatArray, du: FloatArray, dv: FloatArray) -> FloatArray:
    """Return cross sums, shape (..., 5, 5), about centres moved by ``du`` and ``dv``."""
    moved = recentre(sums.swapaxes(-1, -2), du[..., np.newaxis]).swapaxes(-1, -2)
    return recentre(moved, dv[..., np.newaxis])


class Autocorrelation(Viewer):
    """Correlation over the particles between the start of a run and later times.

    Parameters
    ----------
    lags : array_like
        Increasing times after the start, >= 0, each a whole number of steps.
    of : None, str or callable, optional
        What to correlate with its own past: the state, the observable of that name
        (`Model.observables`), or a function of states, shape (n,) or (n, dim), that returns shape
        (n,) or (n, k).

    Attributes
    ----------
    lags : ndarray, shape (k,)
        Those reached so far.
    values : ndarray, shape (k, *sweep, *components)
        Correlation coefficients.
    stderr : ndarray, shape (k, *sweep, *components)
        Their standard errors by the delta method, which assumes finite fourth moments.
    covariance : ndarray, shape (k, *sweep, *components)

    Notes
    -----
    Keeps what is seen at the start, 8 bytes per particle and component. Particles that are not
    finite at either time are left out.
    """

    def __init__(self, lags: Any, of: Any = None) -> None:
        super().__init__(None, of)
        self._wanted = increasing_times("lags", lags, 0.0)
        self._start: FloatArray | None = None  # (points, n, width)
        self._origin = 0.0
        self._due: dict[int, float] = {}
        self._lags: list[float] = []
        self._shifts: list[FloatArray] = []  # (2, points, width)
        self._sums: list[FloatArray] = []  # (points, width, 5, 5)

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        super().begin(ensemble, plan)
        origin = plan.t if self._start is None else self._origin
        last = plan.time(plan.end) + 1e-9 * plan.dt
        self._due = {
            plan.step_at("lags", origin + float(lag)): float(lag)
            for lag in self._wanted[len(self._lags) :]
            if origin + lag <= last
        }
        self._origin = origin

    def bind(self, ensemble: Ensemble) -> None:
        super().bind(ensemble)
        if self._start is None:  # the run is on: no other observer has refused it
            self._start = self._view.all(ensemble)

    def next_step(self, step: int, plan: Plan) -> int | None:
        later = [s for s, lag in self._due.items() if s >= step and lag not in self._lags]
        return min(later) if later else None

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        assert self._start is not None
        now, view = self._view.all(ensemble), self._view
        shifts = np.empty((2, view.points, view.width))
        sums = np.empty((view.points, view.width, _ORDER + 1, _ORDER + 1))
        for point, k in np.ndindex(view.points, view.width):
            a, b = (np.ascontiguousarray(x[point, :, k]) for x in (self._start, now))
            shift = (finite_mean(a[: _core.chunk]), finite_mean(b[: _core.chunk]))
            shifts[:, point, k] = shift
            sums[point, k] = _cross_sums(a, b, shift)
        self._shifts.append(shifts)
        self._sums.append(sums)
        self._lags.append(self._due[step])

    def merge(self, other: Autocorrelation) -> Autocorrelation:
        """Return the correlation over two disjoint ensembles taken together.

        The result is complete: it cannot observe further.

        Raises
        ------
        TypeError
            If ``other`` is not an `Autocorrelation`.
        ValueError
            If its lags, or what was looked at, differ.
        """
        if not isinstance(other, Autocorrelation):
            raise TypeError(f"other must be Autocorrelation, got {type(other).__name__}")
        if self._lags != other._lags:
            raise ValueError(f"other must have the lags {self._lags}, got {other._lags}")
        self._view.require_same(other._view)
        out = Autocorrelation(self._wanted, self.of)
        out._view = self._view
        out._lags, out._shifts = list(self._lags), list(self._shifts)
        for mine, theirs, a, b in zip(
            self._sums, other._sums, self._shifts, other._shifts, strict=True
        ):
            out._sums.append(mine + _recentre_both(theirs, a[0] - b[0], a[1] - b[1]))
        out._complete()
        return out

    def _central(self) -> FloatArray:
        """Return central cross moments ``E u^i v^j``, with the number of pairs at [..., 0, 0].

        Shape (5, 5, looks, points, width).
        """
        view = self._view
        if not self._sums:
            return np.empty((_ORDER + 1, _ORDER + 1, 0, view.points, view.width))
        sums = np.array(self._sums)
        n = sums[..., 0, 0]
        with np.errstate(all="ignore"):
            about = sums / n[..., np.newaxis, np.newaxis]
            central = _recentre_both(about, about[..., 1, 0], about[..., 0, 1])
        central[..., 0, 0] = n
        return np.moveaxis(central, (-2, -1), (0, 1))

    def _shaped(self, values: FloatArray) -> FloatArray:
        shaped: FloatArray = self._view.unfold(values, looks=True)
        return shaped

    @staticmethod
    def _coefficient(c: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            r: FloatArray = c[1, 1] / np.sqrt(c[2, 0] * c[0, 2])
        return r

    @property
    def lags(self) -> FloatArray:
        return np.array(self._lags)

    @property
    def covariance(self) -> FloatArray:
        return self._shaped(self._central()[1, 1])

    @property
    def values(self) -> FloatArray:
        return self._shaped(self._coefficient(self._central()))

    @property
    def stderr(self) -> FloatArray:
        # r is a function of means of products; to first order its error is that of the mean of
        # u v - r (u^2 + v^2)/2 for u, v of unit variance
        c = self._central()
        r = self._coefficient(c)
        with np.errstate(all="ignore"):
            u2, v2 = c[2, 0], c[0, 2]
            cross = r * (c[3, 1] / u2 + c[1, 3] / v2) / np.sqrt(u2 * v2)
            pure = c[4, 0] / power(u2, 2) + c[0, 4] / power(v2, 2) + 2 * c[2, 2] / (u2 * v2)
            spread = c[2, 2] / (u2 * v2) - cross + power(r, 2) / 4 * pure
            return self._shaped(np.sqrt(np.maximum(spread, 0.0) / c[0, 0]))
