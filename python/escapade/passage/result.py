"""What an escape run has found: times, sides, the rate with its interval, and what to doubt in it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from .._checks import number
from .errors import NoEscapeError
from .exact_answer import ExactAnswer, exact_answer
from .problem import Problem
from .rates import (
    Exposure,
    binomial_interval,
    exponentiality,
    exposure_of,
    mean_time_of,
    poisson_interval,
)
from .relaxation import relaxation_time

__all__ = ["DOUBT", "EscapeResult"]

DOUBT = 1e-3  # p-value of a constant hazard below which a rate is doubted
_BROKEN = 1e-6  # and below which nothing is extrapolated by it

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class EscapeResult:
    """Escape times of an ensemble, and what they say of the rate.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        When each particle escaped; nan for those still inside at the end (censored) and lost ones.
    sides : ndarray of int8, shape (n,)
        Index into `exits` of the boundary a particle left through, -1 if censored, -2 if lost.
    exits : tuple of str
        Names of the boundaries: "lower" and "upper" of intervals, "plane", "sphere".
    positions : ndarray, shape (n,) or (n, dim)
        Where particles left or, if censored, are.
    last : ndarray of float64, shape (n,)
        Time until which each was followed.
    burn_in : float
        Escapes before this time do not count for the rate.
    burn_in_why : str
        Where it comes from.
    confidence : float
        Of all intervals.
    method, why : str
        "direct", and why that was chosen.
    particle_steps, seconds : int, float
        What it has cost.
    """

    problem: Problem
    times: FloatArray
    sides: npt.NDArray[np.int8]
    exits: tuple[str, ...]
    positions: FloatArray
    last: FloatArray
    burn_in: float
    burn_in_why: str
    confidence: float
    why: str
    particle_steps: int
    seconds: float
    method: str = "direct"
    warnings: tuple[str, ...] = ()

    # -- counts ------------------------------------------------------------------------------------

    @property
    def n(self) -> int:
        """Number of particles, without lost ones."""
        return int(np.count_nonzero(self.sides != -2))

    @property
    def n_escaped(self) -> int:
        """Number of particles that escaped."""
        return int(np.count_nonzero(self.sides >= 0))

    @property
    def n_censored(self) -> int:
        """Number of particles still inside at the end."""
        return int(np.count_nonzero(self.sides == -1))

    @property
    def n_lost(self) -> int:
        """Number of particles whose state is no longer finite; they count for nothing else."""
        return int(np.count_nonzero(self.sides == -2))

    @functools.cached_property
    def exposure(self) -> Exposure:
        """Escapes after the burn-in, and the time particles were at risk of them."""
        return exposure_of(*self._kept, self.burn_in)

    @functools.cached_property
    def _kept(self) -> tuple[FloatArray, FloatArray]:
        kept = self.sides != -2
        return self.times[kept], self.last[kept]

    # -- rate --------------------------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """Escape rate, per unit of time: escapes after the burn-in over time at risk.

        The maximum-likelihood estimate of censored exponential times (Epstein and Sobel, *J. Am. Stat.
        Assoc.* 48, 486, 1953), of those that outlive the burn-in.

        Estimates the leading eigenvalue of the process in the region, which is the hazard once the
        start is forgotten, and not ``1/mean_time``.

        Raises
        ------
        NoEscapeError
            If nothing escaped after the burn-in; `rate_interval` has an upper bound.
        """
        events, time, _ = self.exposure
        if events == 0:
            raise NoEscapeError(self._nothing())
        return events / time

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Chi-square interval of the rate; ``(0, bound)`` if nothing escaped."""
        events, time, _ = self.exposure
        if time <= 0.0:
            if self.n_escaped == 0 and self.n > 0:  # a burn-in nobody was followed beyond
                return poisson_interval(0, float(np.sum(self._kept[1])), self.confidence)
            raise NoEscapeError(self._nothing())
        return poisson_interval(events, time, self.confidence)

    @property
    def rate_stderr(self) -> float:
        """Standard error of the rate, ``rate/sqrt(events)``."""
        return self.rate / math.sqrt(self.exposure.events)

    @functools.cached_property
    def exponentiality(self) -> float:
        """p-value of a constant hazard after the burn-in; nan with fewer than two escapes."""
        whole = any(b.test != "bridge" for b in self.problem.boundaries)  # tests at ends of steps
        return exponentiality(*self._kept, self.burn_in, self.problem.dt if whole else 0.0)

    # -- times -------------------------------------------------------------------------------------

    @property
    def mean_time(self) -> float:
        """Mean escape time from ``x0``, with the waiting time of censored particles added.

        Raises
        ------
        NoEscapeError
            If particles are still inside and nothing escaped after the burn-in.
        """
        return self._mean[0]

    @property
    def mean_time_stderr(self) -> float:
        """Standard error of `mean_time`."""
        return self._mean[1]

    @property
    def mean_time_interval(self) -> tuple[float, float]:
        """Normal interval of the logarithm of `mean_time`."""
        mean, error = self._mean
        width = float(stats.norm.isf(0.5 * (1.0 - self.confidence))) * error / mean
        return mean * math.exp(-width), mean * math.exp(width)

    @functools.cached_property
    def _mean(self) -> tuple[float, float]:
        found = mean_time_of(*self._kept, self.burn_in) if self.n else None
        if found is None:
            raise NoEscapeError(self._nothing())
        if self.n_censored and self.exponentiality < _BROKEN:
            raise NoEscapeError(
                f"the mean time cannot be extrapolated for the {self.n_censored:,} of {self.n:,} "
                "particles still inside: the hazard after the burn-in is not constant (p = "
                f"{self.exponentiality:.1e}); it is at least {np.mean(self._kept[1]):.4g}"
            )
        return found

    def survival(self, t: Any = None) -> Any:
        """Return the probability to be still inside, by the estimator of Kaplan and Meier.

        Parameters
        ----------
        t : array_like, optional
            Times, up to the end of the run. Without it the whole curve is returned.

        Returns
        -------
        ndarray, shape of ``t``; or (times, values), two arrays, starting at (0, 1)

        Raises
        ------
        ValueError
            If a time is negative or past the time to which particles were followed.
        """
        times, last = self._kept
        data = stats.CensoredData(uncensored=times[~np.isnan(times)], right=last[np.isnan(times)])
        curve = stats.ecdf(data).sf
        if t is None:
            return np.concatenate([[0.0], curve.quantiles]), np.concatenate(
                [[1.0], curve.probabilities]
            )
        at = np.asarray(t, dtype=np.float64)
        end = float(np.max(last)) if self.n_censored else math.inf
        if np.any(~(at >= 0.0)) or np.any(at > end):
            raise ValueError(f"t must lie between 0 and {end:g}, got {t!r:.80}")
        return curve.evaluate(at)

    @property
    def splitting(self) -> dict[str, tuple[float, float, float]]:
        """By boundary: share of the escapes, and its interval of Clopper and Pearson."""
        total = self.n_escaped
        if total == 0:
            raise NoEscapeError(self._nothing())
        shares = {}
        for i, name in enumerate(self.exits):
            hits = int(np.count_nonzero(self.sides == i))
            shares[name] = (hits / total, *binomial_interval(hits, total, self.confidence))
        return shares

    @functools.cached_property
    def relaxation_time(self) -> float | None:
        """Time in which particles forget where they started; None if it is not known."""
        return relaxation_time(self.problem)

    @functools.cached_property
    def exact(self) -> ExactAnswer | None:
        """Exact rate, mean time and share of exits, by quadrature; None if not one-dimensional."""
        return exact_answer(self.problem)

    def _nothing(self) -> str:
        events, time, risk = self.exposure
        if self.n == 0:
            return "all particles were lost (nan or infinite): use a smaller dt or another scheme"
        if time <= 0.0 and self.n_censored == 0:
            return (
                f"all {self.n:,} particles had escaped by the end of the burn-in ({self.burn_in:g}): "
                "there is no rate; a shorter burn_in= or more particles give one"
            )
        if time <= 0.0:
            followed = float(np.max(self._kept[1]))
            return (
                f"particles were followed to t = {followed:.4g}, not to the end of the burn-in "
                f"({self.burn_in:g}, {self.burn_in_why}): there is no rate; give more time or a shorter "
                "burn_in="
            )
        _, high = poisson_interval(events, time, self.confidence)
        return (
            f"nothing escaped after the burn-in in {time:.4g} units of particle time ({risk:,} "
            f"particles): the rate is below {high:.3g} ({self.confidence:.0%}); raise t_max or n, or "
            "use method='splitting'"
        )

    def rescaled(self, confidence: float) -> EscapeResult:
        """Return the same result with intervals of another confidence, 0 < confidence < 1."""
        from dataclasses import replace

        level = number("confidence", confidence, low=0.0, high=1.0, open_low=True, open_high=True)
        return replace(self, confidence=level)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.n_escaped:,} of {self.n:,} escaped, {self.method}>"

    def __str__(self) -> str:
        p, exact = self.problem, self.exact
        lines = [
            f"escape of {p.model!r} from {p.region!r}",
            f"  {p.scheme}, dt = {p.dt:g}, {p.boundaries[0].test} test, seed {p.seed}",
            f"  {self.n_escaped:,} escaped, {self.n_censored:,} censored, {self.n_lost:,} lost",
        ]
        try:
            rows = [("rate", self.rate, *self.rate_interval, exact.rate if exact else math.nan)]
            times = exact.mean_time if exact else math.nan
            rows.append(("mean time", self.mean_time, *self.mean_time_interval, times))
            if len(self.exits) > 1:
                rows += [(f"by {k}", *v, math.nan) for k, v in self.splitting.items()]
                if exact and self.exits[-1] == "upper":
                    rows[-1] = (*rows[-1][:-1], exact.upper_share)
            for name, value, low, high, known in rows:
                beside = "" if math.isnan(known) else f"  exact {known:.6g}"
                lines.append(f"  {name:10s} {value:<10.6g} [{low:.6g}, {high:.6g}]{beside}")
            lines.append(
                f"  burn-in    {self.burn_in:<10.6g} {self.burn_in_why}; "
                f"constant hazard after it: p = {self.exponentiality:.3g}"
            )
        except NoEscapeError as error:
            lines.append(f"  {error}")
        lines += [f"  warning: {w}" for w in self.warnings]
        return "\n".join(lines)
