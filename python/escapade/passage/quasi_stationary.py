"""Samples of laws, and what Fleming-Viot particles have found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._checks import number
from .errors import NoEscapeError
from .ladder import FloatArray
from .rates import poisson_interval

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
        ``lambda_1`` per unit of time, and its standard error by means over blocks of time. Both raise
        `NoEscapeError` if nobody escaped.
    states : ndarray, shape (n,) or (n, dim)
        The particles at the end: a sample of the quasi-stationary law, to be used as ``x0``.
    draws : ndarray, shape (m,) or (m, dim)
        Their states at several times, a relaxation time apart.
    block_rates : ndarray, shape (blocks,)
    escapes : int
        How many were replaced after the burn-in.
    n_lost : int
        How many were replaced because their state was no longer finite, burn-in included. They do
        not count as escapes.
    burn_in, t, relaxation_time : float
        Times before and in the estimate, and in which states are forgotten.
    """

    block_rates: FloatArray
    states: FloatArray
    draws: FloatArray
    escapes: int
    n_lost: int
    burn_in: float
    t: float
    relaxation_time: float
    n: int
    seed: int
    particle_steps: int
    seconds: float
    warnings: tuple[str, ...]
    confidence: float = 0.95

    @property
    def bound(self) -> float | None:
        """Upper bound of the rate if nobody escaped, of confidence `confidence`; None otherwise."""
        return self.rate_interval[1] if self.escapes == 0 else None

    @property
    def rate(self) -> float:
        """Estimate of ``lambda_1``.

        Raises
        ------
        NoEscapeError
            If nobody escaped; a ValueError.
        """
        if self.bound is not None:
            raise NoEscapeError(
                f"nobody escaped: there is only an upper bound of {self.bound:.3g}; a larger n or t is "
                "needed, or splitting"
            )
        return float(np.mean(self.block_rates))

    @property
    def stderr(self) -> float:
        """Standard error of `rate`; raises as it does."""
        _ = self.rate
        return float(np.std(self.block_rates, ddof=1) / math.sqrt(len(self.block_rates)))

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Interval of the rate of confidence `confidence`."""
        return self.interval(self.confidence)

    def interval(self, level: float | None = None) -> tuple[float, float]:
        """Return Student's t interval of the rate, by default of confidence `confidence`.

        If nobody escaped, from 0 to the bound ``-log(1 - level) / (n t)``.
        """
        from scipy import special  # takes a while to import

        level = self.confidence if level is None else level
        level = number("level", level, low=0.0, high=1.0, open_low=True, open_high=True)
        if self.escapes == 0:
            return poisson_interval(0, self.n * self.t, level)
        half = special.stdtrit(len(self.block_rates) - 1, 0.5 + 0.5 * level) * self.stderr
        return max(self.rate - float(half), 0.0), self.rate + float(half)

    @property
    def law(self) -> Sample:
        """The quasi-stationary law of a model of one number."""
        if self.draws.ndim != 1:
            raise ValueError("law is that of one number; use draws or states for vectors")
        return Sample(np.sort(self.draws))
