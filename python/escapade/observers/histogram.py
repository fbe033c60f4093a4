"""Histogram of the ensemble."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._checks import choice, integer, number
from .base import Observer

if TYPE_CHECKING:
    from ..ensemble import Ensemble

__all__ = ["Histogram"]

_SCALES = ("linear", "log", "symlog")


class Histogram(Observer):
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

    Raises
    ------
    TypeError, ValueError
        If ``lo >= hi`` or an argument is out of bounds.

    Attributes
    ----------
    counts : ndarray of int64, shape (bins,)
    underflow, overflow, nonfinite : int
    looks : int
        How often the histogram has looked.
    independent : int
        Number of independent samples: particles, not particles times looks.
    """

    def __init__(
        self,
        lo: float,
        hi: float,
        bins: int = 100,
        scale: str = "linear",
        every: int | None = None,
        threshold: float = 1.0,
    ) -> None:
        super().__init__(every)
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
        self._slots = np.zeros(self.bins + 3, dtype=np.uint64)
        self.looks = 0
        self.independent = 0

    def _forward(self, x: float) -> float:
        if self.scale == "log":
            return math.log(x)
        return math.asinh(x / self.threshold) if self.scale == "symlog" else x

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        ensemble._histogram(
            0,
            _SCALES.index(self.scale),
            self._a,
            self.bins / (self._b - self._a),
            self.threshold,
            self._slots[np.newaxis],
        )
        self.looks += 1
        self.independent = max(self.independent, ensemble.n)

    def merge(self, other: Histogram) -> Histogram:
        """Return the histogram of two disjoint ensembles taken together.

        Raises
        ------
        TypeError
            If ``other`` is not a `Histogram`.
        ValueError
            If its bins differ.
        """
        if not isinstance(other, Histogram):
            raise TypeError(f"other must be a Histogram, got {type(other).__name__}")
        mine = (self.lo, self.hi, self.bins, self.scale, self.threshold)
        theirs = (other.lo, other.hi, other.bins, other.scale, other.threshold)
        if mine != theirs:
            raise ValueError(
                f"other must have the same (lo, hi, bins, scale, threshold) {mine}, got {theirs}"
            )
        out = Histogram(self.lo, self.hi, self.bins, self.scale, self.every, self.threshold)
        out._slots = self._slots + other._slots
        out.looks = max(self.looks, other.looks)
        out.independent = self.independent + other.independent
        return out

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        return self._slots[1 : self.bins + 1].astype(np.int64)

    @property
    def underflow(self) -> int:
        return int(self._slots[0])

    @property
    def overflow(self) -> int:
        return int(self._slots[self.bins + 1])

    @property
    def nonfinite(self) -> int:
        return int(self._slots[self.bins + 2])

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
        total = int(self._slots[: self.bins + 2].sum())
        return self.counts / (max(total, 1) * np.diff(self.edges))

    def __repr__(self) -> str:
        return (
            f"Histogram({self.lo:g}, {self.hi:g}, bins={self.bins}, scale={self.scale!r}): "
            f"{int(self._slots.sum())} counts, {self.looks} looks"
        )
