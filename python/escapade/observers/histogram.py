"""Histogram of the ensemble."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import choice, integer, number
from ._view import Viewer
from .base import Plan

if TYPE_CHECKING:
    from ..ensemble import Ensemble

__all__ = ["Histogram"]

_SCALES = ("linear", "log", "symlog")


class Histogram(Viewer):
    """Counts of particles per bin; integers, so merging is exact and order does not matter.

    Parameters
    ----------
    lo, hi : float
        Range; the last bin includes ``hi``. Particles outside go to ``underflow`` and ``overflow``.
    bins : int, default 100
        Number of bins, 1 to 2**24.
    scale : {"linear", "log", "symlog"}, default "linear"
        Bins of equal width in ``x``, in ``ln x`` (needs ``lo > 0``), or in ``asinh(x/threshold)``.
    every : int, optional
        Look every so many steps and pool the counts. By default look once, at the end of a run.
    threshold : float, default 1
        Where ``symlog`` turns from linear to logarithmic.
    of : None, str or callable, optional
        What to count: the state, the observable of that name (`Model.observables`), or a function of
        states, shape (n,) or (n, dim), that returns shape (n,) or (n, k).
    component : int, optional
        Which of several numbers per particle to count. Must be given if there are several.

    Raises
    ------
    TypeError, ValueError
        If ``lo >= hi`` or an argument is out of bounds; when a run starts, if ``of`` or ``component``
        does not fit the model.

    Attributes
    ----------
    counts : ndarray of int64, shape (*sweep, bins)
    underflow, overflow, nonfinite : int, or ndarray of int64, shape (*sweep)
    looks : int
        How often the histogram has looked.
    independent : int
        Number of independent samples (at each point of a sweep): particles, not particles times
        looks.

    Notes
    -----
    ``histogram[index]`` is the histogram of one point of a sweep.
    """

    def __init__(
        self,
        lo: float,
        hi: float,
        bins: int = 100,
        scale: str = "linear",
        every: int | None = None,
        threshold: float = 1.0,
        of: Any = None,
        component: int | None = None,
    ) -> None:
        super().__init__(every, of)
        self.component = None if component is None else integer("component", component, low=0)
        self.scale = choice("scale", scale, _SCALES)
        self.lo = number(
            "lo", lo, low=0.0 if scale == "log" else -math.inf, open_low=scale == "log"
        )
        self.hi = number("hi", hi)
        if not self.lo < self.hi:
            raise ValueError(f"lo must be less than hi, got lo={lo!r}, hi={hi!r}")
        self.bins = integer("bins", bins, low=1, high=2**24)
        self.threshold = number("threshold", threshold, low=0.0, open_low=True)
        self._a, self._b = self._forward(self.lo), self._forward(self.hi)
        if not (math.isfinite(self._b - self._a) and self._b > self._a):
            raise ValueError(f"lo and hi must span a representable range, got lo={lo!r}, hi={hi!r}")
        self._slots = np.zeros((1, self.bins + 3), dtype=np.uint64)  # per point of the sweep
        self.looks = 0
        self.independent = 0

    def _forward(self, x: float) -> float:
        if self.scale == "log":
            return math.log(x)
        return math.asinh(x / self.threshold) if self.scale == "symlog" else x

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        super().begin(ensemble, plan)
        components = self._view.components
        if self.component is None and components not in ((), (1,)):
            raise ValueError(
                f"component must be given for {components[0]} numbers per particle: 0 to "
                f"{components[0] - 1}, or of= a function that returns one"
            )
        if self.component is not None and self.component >= self._view.width:
            raise ValueError(
                f"component must be at most {self._view.width - 1} for {self._view.width} numbers "
                f"per particle, got {self.component}"
            )
        if len(self._slots) != self._view.points:  # only before the first look
            self._slots = np.zeros((self._view.points, self.bins + 3), dtype=np.uint64)

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        ensemble._histogram(
            self._view.functions,
            self.component or 0,
            _SCALES.index(self.scale),
            self._a,
            self.bins / (self._b - self._a),
            self.threshold,
            self._slots,
        )
        self.looks += 1
        self.independent = max(self.independent, ensemble.n)

    def _like(self) -> Histogram:
        """Return a histogram of the same bins that has not looked."""
        bins = (self.lo, self.hi, self.bins, self.scale, self.every, self.threshold)
        return Histogram(*bins, self.of, self.component)

    def __getitem__(self, index: Any) -> Histogram:
        """Return the histogram of one point of a sweep, complete: it cannot observe further.

        Raises
        ------
        IndexError
            If ``index`` does not name one point.
        """
        point = np.arange(self._view.points).reshape(self._view.sweep)[index]
        if np.ndim(point) != 0:
            raise IndexError(
                f"index must name one point of a sweep of shape {self._view.sweep}, got {index!r}"
            )
        out = self._like()
        out._slots = self._slots[[int(point)]]
        out.looks, out.independent = self.looks, self.independent
        out._complete()
        return out

    def merge(self, other: Histogram) -> Histogram:
        """Return the histogram of two disjoint ensembles taken together; it cannot observe further.

        Raises
        ------
        TypeError
            If ``other`` is not a `Histogram`.
        ValueError
            If its bins, or what was looked at, differ.
        """
        if not isinstance(other, Histogram):
            raise TypeError(f"other must be a Histogram, got {type(other).__name__}")
        mine = (self.lo, self.hi, self.bins, self.scale, self.threshold)
        theirs = (other.lo, other.hi, other.bins, other.scale, other.threshold)
        if mine != theirs:
            raise ValueError(
                f"other must have the same (lo, hi, bins, scale, threshold) {mine}, got {theirs}"
            )
        self._view.require_same(other._view)
        if self.component != other.component:
            raise ValueError(f"other must have component {self.component}, got {other.component}")
        out = self._like()
        out._view = self._view
        out._slots = self._slots + other._slots
        out.looks = max(self.looks, other.looks)
        out.independent = self.independent + other.independent
        out._complete()
        return out

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        counts = self._slots[:, 1 : self.bins + 1].astype(np.int64)
        return counts.reshape(*self._view.sweep, self.bins)

    def _slot(self, k: int) -> Any:
        slot = self._slots[:, k].astype(np.int64).reshape(self._view.sweep)
        return slot if slot.ndim else int(slot)

    @property
    def underflow(self) -> int | npt.NDArray[np.int64]:
        below: int | npt.NDArray[np.int64] = self._slot(0)
        return below

    @property
    def overflow(self) -> int | npt.NDArray[np.int64]:
        above: int | npt.NDArray[np.int64] = self._slot(self.bins + 1)
        return above

    @property
    def nonfinite(self) -> int | npt.NDArray[np.int64]:
        lost: int | npt.NDArray[np.int64] = self._slot(self.bins + 2)
        return lost

    @property
    def edges(self) -> npt.NDArray[np.float64]:
        """Edges of the bins, shape (bins + 1,)."""
        y = np.linspace(self._a, self._b, self.bins + 1)
        if self.scale == "log":
            y = np.exp(y)
        elif self.scale == "symlog":
            y = self.threshold * np.sinh(y)
        y[0], y[-1] = self.lo, self.hi
        return y

    @property
    def density(self) -> npt.NDArray[np.float64]:
        """Estimated probability density per bin; mass outside the range is accounted for."""
        total = self._slots[:, : self.bins + 2].sum(axis=1).astype(np.int64)
        total = np.maximum(total, 1).reshape(*self._view.sweep, 1)
        density: npt.NDArray[np.float64] = self.counts / (total * np.diff(self.edges))
        return density

    def __repr__(self) -> str:
        return (
            f"Histogram({self.lo:g}, {self.hi:g}, bins={self.bins}, scale={self.scale!r}): "
            f"{int(self._slots.sum())} counts, {self.looks} looks"
        )
