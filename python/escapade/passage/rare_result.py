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
from .rates import poisson_interval

__all__ = ["MOST_SPREAD", "RareResult"]

MOST_SPREAD = 1.0  # of replicates over their mean, above which their normal theory says nothing


@dataclass(frozen=True)
class RareResult:
    """Rate of escape from a well, from independent replicates.

    Attributes
    ----------
    method : {"splitting", "ams"}
    rates : ndarray, shape (replicates,)
        Estimates of the replicates, per unit of time. Each is unbiased up to the time step and
        ``O(1/n^2)``; one through which nobody got is 0, and belongs into the mean.
    tries : tuple of (float, int) or None
        If nobody escaped in any replicate, or time was up before the first were done: for each leg
        the chance to reach the last stage, and how many tried in vain to get through it. There is no
        estimate then, only `bound`.
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
    tries: tuple[tuple[float, int], ...] | None
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
    def bound(self) -> float | None:
        """Upper bound of the rate, of confidence `confidence`, where there is no estimate."""
        return None if self.tries is None else self._bound(self.confidence)

    def _bound(self, level: float) -> float:
        assert self.tries is not None
        above = sum(r * min(1.0, poisson_interval(0, m, level)[1]) for r, m in self.tries)
        return (self.probability + above) / self.cycle_time

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
        """Standard error of the mean, from the spread of replicates; raises as `rate` does."""
        _ = self.rate
        return float(np.std(self.rates, ddof=1) / math.sqrt(len(self.rates)))

    @property
    def rate_stderr(self) -> float:
        """The same, under the name that `EscapeResult` has."""
        return self.stderr

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Interval of the rate of confidence `confidence`: see `interval`."""
        return self.interval(self.confidence)

    @property
    def mean_time(self) -> float:
        """Mean time of escape from the core."""
        return 1.0 / self.rate

    @property
    def mean_time_stderr(self) -> float:
        """Standard error of `mean_time`, to first order."""
        return self.stderr / self.rate**2

    @property
    def mean_time_interval(self) -> tuple[float, float]:
        """Interval of `mean_time`; its upper end is inf if the rate's lower one is 0."""
        low, high = self.rate_interval
        return 1.0 / high, 1.0 / low if low > 0.0 else math.inf

    @functools.cached_property
    def exact(self) -> ExactAnswer | None:
        """Exact rate and mean time, by quadrature; None if not one-dimensional."""
        return exact_answer(self.problem)

    def interval(self, level: float | None = None) -> tuple[float, float]:
        """Return Student's t interval of the rate, cut at 0, by default of confidence `confidence`.

        ``(0, bound)`` where there is no estimate. Where replicates spread by more than their mean, few
        of them make it up, and those that would raise it may all be missing. The interval is then
        ``((1 - level) rate, inf)``: an unbiased estimate that is not negative exceeds the truth
        ``1/(1 - level)`` times with a probability of at most ``1 - level`` (Markov's inequality).
        """
        from scipy import special  # takes a while to import

        level = self.confidence if level is None else level
        level = number("level", level, low=0.0, high=1.0, open_low=True, open_high=True)
        if self.tries is not None:
            return 0.0, self._bound(level)
        if np.std(self.rates, ddof=1) > MOST_SPREAD * np.mean(self.rates):
            return (1.0 - level) * self.rate, math.inf
        half = float(special.stdtrit(len(self.rates) - 1, 0.5 + 0.5 * level)) * self.stderr
        return max(self.rate - half, 0.0), self.rate + half

    def __str__(self) -> str:
        sure = f"{100.0 * self.confidence:g} %"
        if self.bound is not None:
            why = "nobody escaped" if len(self.rates) else "time was up before a replicate was done"
            head = f"rate < {self.bound:.3g} ({sure}): {why}"
        else:
            low, high = self.interval()
            head = f"rate {self.rate:.5g} +- {self.stderr:.2g} ({sure}: {low:.5g} to {high:.5g})"
        lines = [
            f"{head}, by {self.method}",
            f"  {self.why}",
            f"  {len(self.rates)} replicates of n = {self.n:,}, "
            f"{self.particle_steps:.3g} steps of particles in {self.seconds:.3g} s",
        ]
        known = self.exact
        if known is not None:
            line = f"  exact {known.rate:.5g}"
            if not math.isnan(known.mean_time):  # as where x0 is a law
                line += f", one over the mean time {1.0 / known.mean_time:.5g}"
            lines.insert(1, line)
        return "\n".join([*lines, *(f"  warning: {w}" for w in self.warnings)])
