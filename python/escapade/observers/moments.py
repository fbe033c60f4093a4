"""Moments of the ensemble, with standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks import integer
from ._statistics import finite_mean, recentre
from ._view import Viewer

if TYPE_CHECKING:
    from ..ensemble import Ensemble

__all__ = ["Moments"]

FloatArray = npt.NDArray[np.float64]


class Moments(Viewer):
    """Raw and central moments over the particles, with standard errors.

    Sums are added in an order that depends neither on threads nor on the instruction set. Particles
    that are not finite are left out and counted in ``bad``.

    Results are single numbers for one model and one number per particle. Otherwise they are arrays
    whose axes are the looks (if ``every`` is given), those of the sweep, and that of the components
    (if there are several numbers per particle).

    Parameters
    ----------
    order : int, default 2
        Highest moment, 1 to 8. Standard errors need, and this class keeps, twice that order.
    every : int, optional
        Look every so many steps, which makes all results arrays over time. By default look once at
        the end of a run; the results are then those of the last look.
    of : None, str or callable, optional
        What to look at: the state, the observable of that name (`Model.observables`), or a function
        of states, shape (n,) or (n, dim), that returns shape (n,) or (n, k).

    Attributes
    ----------
    t : ndarray, shape (looks,)
        Times of the looks.
    count, bad : ndarray or int
        Finite and non-finite particles.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds; when a run starts, if the model has no
        such observable or it does not return one or k real numbers per particle.
    """

    def __init__(self, order: int = 2, every: int | None = None, of: Any = None) -> None:
        super().__init__(every, of)
        self.order = integer("order", order, low=1, high=_core.max_moment // 2)
        self._times: list[float] = []
        self._shifts: list[FloatArray] = []  # (points, width)
        self._sums: list[FloatArray] = []  # (points, width, 2 order + 1)
        self._bad: list[npt.NDArray[np.int64]] = []

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        view = self._view
        shifts = np.empty((view.points, view.width))
        for point in range(view.points):
            head = view.look(ensemble, point, 0, min(_core.chunk, ensemble.n))
            shifts[point] = [finite_mean(column) for column in head.T]
        sums = ensemble._power_sums(view.functions, shifts, 2 * self.order)
        self._times.append(time)
        self._shifts.append(shifts)
        self._sums.append(sums)
        self._bad.append(ensemble.n - sums[..., 0].astype(np.int64))

    def merge(self, other: Moments) -> Moments:
        """Return the moments of two disjoint ensembles taken together; they cannot observe further.

        Raises
        ------
        TypeError
            If ``other`` is not `Moments`.
        ValueError
            If orders, times of the looks, or what was looked at differ.
        """
        if not isinstance(other, Moments):
            raise TypeError(f"other must be Moments, got {type(other).__name__}")
        if self.order != other.order or self._times != other._times:
            raise ValueError(
                f"other must have order {self.order} and the same {len(self._times)} looks, "
                f"got order {other.order} and {len(other._times)} looks"
            )
        self._view.require_same(other._view)
        out = Moments(self.order, self.every, self.of)
        out._view = self._view
        out._times = list(self._times)
        out._shifts = list(self._shifts)
        out._bad = [a + b for a, b in zip(self._bad, other._bad, strict=True)]
        for s, o, a, b in zip(self._shifts, other._shifts, self._sums, other._sums, strict=True):
            out._sums.append(a + recentre(b, s - o))
        out._complete()
        return out

    @property
    def t(self) -> FloatArray:
        return np.array(self._times)

    def _pick(self, values: FloatArray) -> FloatArray | float:
        """Return results, shape (looks, points, width), in the user's shape."""
        picked: FloatArray | float = self._in_shape(values)
        return picked

    def _in_shape(self, values: npt.NDArray[Any]) -> Any:
        if self.every is None:
            return self._view.unfold(values[-1])
        return self._view.unfold(values, looks=True)

    def _all(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return numbers of particles, means and central moments (looks, points, width, powers)."""
        if not self._sums:
            raise ValueError("Moments has not seen a run yet: pass it to run(observe=[...])")
        sums = np.array(self._sums)
        with np.errstate(all="ignore"):
            about = sums / sums[..., :1]
            distance = about[..., 1]
            central = recentre(about, distance)
        return sums[..., 0], np.array(self._shifts) + distance, central

    @property
    def count(self) -> int | npt.NDArray[np.int64]:
        count: int | npt.NDArray[np.int64] = self._in_shape(self._all()[0].astype(np.int64))
        return count

    @property
    def bad(self) -> int | npt.NDArray[np.int64]:
        if not self._bad:
            return np.zeros(0, dtype=np.int64)
        bad: int | npt.NDArray[np.int64] = self._in_shape(np.array(self._bad))
        return bad

    def _order(self, k: int, least: int) -> int:
        k = integer("k", k, low=least, high=_core.max_moment // 2)
        if k > self.order:
            raise ValueError(
                f"order must be at least {k} for this, got Moments(order={self.order})"
            )
        return k

    def central(self, k: int) -> FloatArray | float:
        """Return the central moment of order ``k`` (2 to ``order``)."""
        return self._pick(self._all()[2][..., self._order(k, 2)])

    def moment(self, k: int) -> FloatArray | float:
        """Return the raw moment ``E x^k`` (1 to ``order``)."""
        return self._pick(self._raw(self._order(k, 1)))

    def moment_stderr(self, k: int) -> FloatArray | float:
        """Return the standard error of the raw moment ``E x^k``."""
        k = self._order(k, 1)
        n = self._all()[0]
        with np.errstate(all="ignore"):
            error = np.sqrt(np.maximum(self._raw(2 * k) - self._raw(k) ** 2, 0.0) / n)
        return self._pick(error)

    def _raw(self, k: int) -> FloatArray:
        _, mean, central = self._all()
        return recentre(central, -mean)[..., k]

    @property
    def mean(self) -> FloatArray | float:
        return self._pick(self._all()[1])

    @property
    def mean_stderr(self) -> FloatArray | float:
        n, _, central = self._all()
        return self._pick(np.sqrt(central[..., 2] / n))

    @property
    def var(self) -> FloatArray | float:
        """Variance over the particles (biased by 1/n, like ``numpy.var``)."""
        return self._pick(self._all()[2][..., 2])

    @property
    def std(self) -> FloatArray | float:
        return self._pick(np.sqrt(self._all()[2][..., 2]))

    @property
    def var_stderr(self) -> FloatArray | float:
        """Standard error of the variance, ``sqrt((m4 - var^2)/n)``; needs ``order >= 2``."""
        self._order(2, 2)
        n, _, central = self._all()
        return self._pick(np.sqrt(np.maximum(central[..., 4] - central[..., 2] ** 2, 0.0) / n))

    @property
    def skewness(self) -> FloatArray | float:
        """Third standardised moment; needs ``order >= 3``."""
        self._order(3, 3)
        c = self._all()[2]
        with np.errstate(all="ignore"):
            return self._pick(c[..., 3] / c[..., 2] ** 1.5)

    @property
    def kurtosis(self) -> FloatArray | float:
        """Excess kurtosis, 0 for a normal law; needs ``order >= 4``."""
        self._order(4, 4)
        c = self._all()[2]
        with np.errstate(all="ignore"):
            return self._pick(c[..., 4] / c[..., 2] ** 2 - 3.0)

    def __repr__(self) -> str:
        return (
            f"Moments(order={self.order}, every={self.every}, of={self.of!r}): "
            f"{len(self._times)} looks"
        )
