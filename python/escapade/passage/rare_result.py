"""What a rare-event run has found: the rate of escape from replicates, and what to doubt in it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from .._checks import number
from .errors import NoEscapeError
from .exact_answer import ExactAnswer, exact_answer
from .ladder import FloatArray
from .problem import Problem

__all__ = ["RareResult"]


@dataclass(frozen=True)
class RareResult:
    """Rate of escape from a well, from independent replicates.

    Attributes
    ----------
    method : {"splitting", "ams"}
    rates : ndarray, shape (replicates,)
        Estimates of the replicates, per unit of time. Each is unbiased up to the time step and
        ``O(1/n^2)``; one through which nobody got is 0, and belongs into the mean.
    bound : float or None
        Upper bound of the rate (confidence 0.95), if nobody escaped in any replicate or time was up
        before the first were done; there is no estimate then.
    probability : float
        Chance that a cycle from the core to the first level and back ends outside.
    cycle_time : float
        Mean time of a cycle; the rate is the ratio.
    core : float
        Edge of the core: value of the coordinate, distance or level function.
    levels : tuple of tuple of float
        For each leg (two for an interval with two open ends), the levels on the way out.
    stage_probabilities : tuple of tuple of float
        For each leg, the mean share of particles that passed each level, and that escaped at last.
    relaxation_time : float
        In which states of the well are forgotten, roughly.
    n : int
        Particles per stage and replicate.
    problem : Problem
        With model, region, scheme, dt and seed.
    particle_steps : int
    seconds : float
    warnings : tuple of str
    confidence : float
        Of `rate_interval` and `mean_time_interval`.
    why : str
        Why this method was chosen.

    Notes
    -----
    The rate is 1 / MFPT from the core; where x0 is the core, 1 / MFPT(x0). It differs from the
    leading eigenvalue ``lambda_1`` of the killed generator by a share of the order of
    ``rate * relaxation_time``.
    """

    method: str
    rates: FloatArray
    bound: float | None
    probability: float
    cycle_time: float
    core: float
    levels: tuple[tuple[float, ...], ...]
    stage_probabilities: tuple[tuple[float, ...], ...]
    relaxation_time: float
    n: int
    problem: Problem
    particle_steps: int
    seconds: float
    warnings: tuple[str, ...]
    confidence: float = 0.95
    why: str = "asked for"

    @property
    def rate(self) -> float:
        """Mean of the replicates.

        Raises
        ------
        NoEscapeError
            If there is only an upper bound; a ValueError.
        """
        if self.bound is not None:
            raise NoEscapeError(
                f"there is no estimate of the rate, only an upper bound of {self.bound:.3g}; a "
                "larger n or more time is needed"
            )
        return float(np.mean(self.rates))

    @property
    def stderr(self) -> float:
        """Standard error of the mean, from the spread of replicates; the bound, if that is all."""
        if self.bound is not None:
            return self.bound
        return float(np.std(self.rates, ddof=1) / math.sqrt(len(self.rates)))

    @property
    def rate_stderr(self) -> float:
        """The same, under the name that `EscapeResult` has."""
        return self.stderr

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Interval of the rate of confidence `confidence`; ``(0, bound)`` if nobody escaped."""
        return self.interval(self.confidence)

    @property
    def mean_time(self) -> float:
        """Mean time of escape from the core."""
        return 1.0 / self.rate

    @property
    def mean_time_interval(self) -> tuple[float, float]:
        """Interval of `mean_time`; its upper end is inf if the rate's lower one is 0."""
        low, high = self.rate_interval
        return 1.0 / high, 1.0 / low if low > 0.0 else math.inf

    @functools.cached_property
    def exact(self) -> ExactAnswer | None:
        """Exact rate and mean time, by quadrature; None if not one-dimensional."""
        return exact_answer(self.problem)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Student's t interval of the rate, cut at 0; ``(0, bound)`` if nobody escaped."""
        from scipy import special  # takes a while to import

        level = number("level", level, low=0.0, high=1.0, open_low=True, open_high=True)
        if self.bound is not None:
            return 0.0, self.bound
        half = float(special.stdtrit(len(self.rates) - 1, 0.5 + 0.5 * level)) * self.stderr
        return max(self.rate - half, 0.0), self.rate + half

    def __str__(self) -> str:
        if self.bound is not None:
            head = f"rate < {self.bound:.3g} (95 %): nobody escaped"
        else:
            low, high = self.interval()
            head = f"rate {self.rate:.5g} +- {self.stderr:.2g} (95 %: {low:.5g} to {high:.5g})"
        lines = [
            f"{head}, by {self.method} ({self.why})",
            f"  {len(self.rates)} replicates of n = {self.n:,}, "
            f"{self.particle_steps:.3g} steps of particles in {self.seconds:.3g} s",
        ]
        known = self.exact
        if known is not None:
            one_over = 1.0 / known.mean_time
            lines.insert(1, f"  exact {known.rate:.5g}, one over the mean time {one_over:.5g}")
        return "\n".join([*lines, *(f"  warning: {w}" for w in self.warnings)])
