"""Correlation of the ensemble between two times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .base import Observer, Plan, finite_mean
from .moments import recentre
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


def _recentre_both(sums: FloatArray, du: float, dv: float) -> FloatArray:
    """Return cross sums about centres moved by ``du`` and ``dv``."""
    return recentre(recentre(sums.T, du).T, dv)


class Autocorrelation(Observer):
    """Correlation over the particles between the start of a run and later times.

    Parameters
    ----------
    lags : array_like
        Increasing times after the start, >= 0, each a whole number of steps.

    Attributes
    ----------
    lags : ndarray, shape (k,)
        Those reached so far.
    values : ndarray, shape (k,)
        Correlation coefficients.
    stderr : ndarray, shape (k,)
        Their standard errors by the delta method, which assumes finite fourth moments.
    covariance : ndarray, shape (k,)

    Notes
    -----
    Keeps the states at the start, 8 bytes per particle. Particles that are not finite at either time
    are left out.
    """

    def __init__(self, lags: Any) -> None:
        super().__init__(None)
        self._wanted = increasing_times("lags", lags, 0.0)
        self._start: FloatArray | None = None
        self._origin = 0.0
        self._due: dict[int, float] = {}
        self._lags: list[float] = []
        self._shifts: list[tuple[float, float]] = []
        self._sums: list[FloatArray] = []

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        origin = plan.t if self._start is None else self._origin
        last = plan.time(plan.end) + 1e-9 * plan.dt
        due = {
            plan.step_at("lags", origin + float(lag)): float(lag)
            for lag in self._wanted[len(self._lags) :]
            if origin + lag <= last
        }
        if self._start is None:
            self._start, self._origin = ensemble._look(None, 0, 0, ensemble.n), origin
        self._due = due

    def next_step(self, step: int, plan: Plan) -> int | None:
        later = [s for s, lag in self._due.items() if s >= step and lag not in self._lags]
        return min(later) if later else None

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        assert self._start is not None
        a, b = self._start, ensemble._look(None, 0, 0, ensemble.n)
        shift = (finite_mean(a[:4096]), finite_mean(b[:4096]))
        sums = _cross_sums(a, b, shift)
        self._shifts.append(shift)
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
            If its lags differ.
        """
        if not isinstance(other, Autocorrelation):
            raise TypeError(f"other must be Autocorrelation, got {type(other).__name__}")
        if self._lags != other._lags:
            raise ValueError(f"other must have the lags {self._lags}, got {other._lags}")
        out = Autocorrelation(self._wanted)
        out._start = np.empty(0)
        out._lags, out._shifts = list(self._lags), list(self._shifts)
        for mine, theirs, a, b in zip(
            self._sums, other._sums, self._shifts, other._shifts, strict=True
        ):
            out._sums.append(mine + _recentre_both(theirs, a[0] - b[0], a[1] - b[1]))
        return out

    def _central(self) -> list[FloatArray]:
        """Return central cross moments ``E u^i v^j`` per lag, with the number of pairs at [0, 0]."""
        out = []
        for sums in self._sums:
            n = sums[0, 0]
            with np.errstate(all="ignore"):
                about = sums / n
                central = _recentre_both(about, about[1, 0], about[0, 1])
            central[0, 0] = n
            out.append(central)
        return out

    @property
    def lags(self) -> FloatArray:
        return np.array(self._lags)

    @property
    def covariance(self) -> FloatArray:
        return np.array([c[1, 1] for c in self._central()])

    @property
    def values(self) -> FloatArray:
        with np.errstate(all="ignore"):
            return np.array([c[1, 1] / np.sqrt(c[2, 0] * c[0, 2]) for c in self._central()])

    @property
    def stderr(self) -> FloatArray:
        # r is a function of means of products; to first order its error is that of the mean of
        # u v - r (u^2 + v^2)/2 for u, v of unit variance
        out = []
        for c, r in zip(self._central(), self.values, strict=True):
            with np.errstate(all="ignore"):
                u2, v2 = c[2, 0], c[0, 2]
                cross = r * (c[3, 1] / u2 + c[1, 3] / v2) / np.sqrt(u2 * v2)
                pure = c[4, 0] / u2**2 + c[0, 4] / v2**2 + 2 * c[2, 2] / (u2 * v2)
                spread = c[2, 2] / (u2 * v2) - cross + r**2 / 4 * pure
                out.append(np.sqrt(np.maximum(spread, 0.0) / c[0, 0]))
        return np.array(out)
