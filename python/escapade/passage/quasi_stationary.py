"""Samples of laws, and what Fleming-Viot particles have found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._checks import number
from .ladder import FloatArray

__all__ = ["FlemingViot", "Sample"]


@dataclass(frozen=True)
class Sample:
    """States drawn from a law, all of the same weight: a law of one number, for histograms or x0.

    Attributes
    ----------
    values : ndarray, shape (m,)
        In ascending order.
    """

    values: FloatArray

    def ppf(self, u: npt.ArrayLike) -> FloatArray:
        """Return quantiles, interpolated between states; ``x0=sample`` makes use of them."""
        places = np.asarray(u, dtype=np.float64) * (len(self.values) - 1)
        return np.interp(places, np.arange(len(self.values)), self.values)

    def cdf(self, x: npt.ArrayLike) -> FloatArray:
        """Return the share of states up to ``x``."""
        return np.asarray(np.searchsorted(self.values, x, side="right") / len(self.values))

    def histogram(self, bins: int | FloatArray = 100) -> tuple[FloatArray, FloatArray]:
        """Return the density in bins, and their edges, as `numpy.histogram` does."""
        density, edges = np.histogram(self.values, bins=bins, density=True)
        return density, edges


@dataclass(frozen=True)
class FlemingViot:
    """Leading eigenvalue and quasi-stationary law.

    Attributes
    ----------
    rate, stderr : float
        ``lambda_1`` per unit of time, and its standard error by means over blocks of time.
    states : ndarray, shape (n,) or (n, dim)
        The particles at the end: a sample of the quasi-stationary law, to be used as ``x0``.
    draws : ndarray, shape (m,) or (m, dim)
        Their states at several times, a relaxation time apart.
    block_rates : ndarray, shape (blocks,)
    escapes : int
        How many were replaced after the burn-in.
    bound : float or None
        Upper bound of the rate (confidence 0.95), if nobody escaped; `rate` raises then.
    burn_in, t, relaxation_time : float
        Times before and in the estimate, and in which states are forgotten.
    """

    block_rates: FloatArray
    states: FloatArray
    draws: FloatArray
    escapes: int
    bound: float | None
    burn_in: float
    t: float
    relaxation_time: float
    n: int
    seed: int
    particle_steps: int
    seconds: float
    warnings: tuple[str, ...]

    @property
    def rate(self) -> float:
        """Estimate of ``lambda_1``.

        Raises
        ------
        ValueError
            If nobody escaped.
        """
        if self.bound is not None:
            raise ValueError(f"nobody escaped: there is only an upper bound of {self.bound:.3g}")
        return float(np.mean(self.block_rates))

    @property
    def stderr(self) -> float:
        """Standard error of `rate`; the bound, if there is only that."""
        if self.bound is not None:
            return self.bound
        return float(np.std(self.block_rates, ddof=1) / math.sqrt(len(self.block_rates)))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Student's t interval of the rate; ``(0, bound)`` if nobody escaped."""
        from scipy import special  # takes a while to import

        level = number("level", level, low=0.0, high=1.0, open_low=True, open_high=True)
        if self.bound is not None:
            return 0.0, self.bound
        half = special.stdtrit(len(self.block_rates) - 1, 0.5 + 0.5 * level) * self.stderr
        return max(self.rate - float(half), 0.0), self.rate + float(half)

    @property
    def law(self) -> Sample:
        """The quasi-stationary law of a model of one number."""
        if self.draws.ndim != 1:
            raise ValueError("law is that of one number; use draws or states for vectors")
        return Sample(np.sort(self.draws))
