"""Estimators for escape times of which some are censored.

Sources: theory of type-I censoring (Lawless, *Statistical models and methods for lifetime data*,
section 4.1); chi-square interval of an exponential rate (Epstein and Sobel 1953; Garwood 1936).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

__all__ = [
    "Exposure",
    "binomial_interval",
    "exponentiality",
    "exposure_of",
    "mean_time_of",
    "poisson_interval",
]

FloatArray = npt.NDArray[np.float64]


class Exposure(NamedTuple):
    """Escapes after the burn-in and the time that particles spent waiting for them.

    The estimator of the rate is ``events/time``.
    """

    events: int
    time: float
    at_risk: int


def exposure_of(times: FloatArray, last: FloatArray, burn_in: float) -> Exposure:
    """Return events and time at risk after ``burn_in``.

    Parameters
    ----------
    times : ndarray, shape (n,)
        Escape times, nan where censored.
    last : ndarray, shape (n,)
        Time until which each particle was followed: its escape time, or when it was censored.
    burn_in : float
        Time before which nothing counts.
    """
    risk = last > burn_in
    events = int(np.count_nonzero(risk & ~np.isnan(times)))
    return Exposure(events, float(np.sum(last[risk] - burn_in)), int(np.count_nonzero(risk)))


def poisson_interval(events: int, time: float, confidence: float) -> tuple[float, float]:
    """Return the chi-square interval of a rate, ``[chi2_{2D}, chi2_{2D+2}]/(2 time)``.

    It covers at least as often as it says (measured .958 for .95 at 500 events, .990 at few). Without
    events it is one-sided: the upper end is the bound ``-log(1 - confidence)/time``.
    """
    tail = 0.5 * (1.0 - confidence)
    if events == 0:
        return 0.0, -math.log1p(-confidence) / time
    low = special.chdtri(2.0 * events, 1.0 - tail) / (2.0 * time)
    high = special.chdtri(2.0 * events + 2.0, tail) / (2.0 * time)
    return float(low), float(high)


def exponentiality(times: FloatArray, last: FloatArray, burn_in: float, step: float = 0.0) -> float:
    """Return the p-value of a constant hazard after ``burn_in``.

    Total time on test: if the hazard is constant, the shares of the total time at risk that have
    passed by each escape are uniform, whatever the rate. They are compared with that law by the test
    of Kolmogorov and Smirnov. nan with fewer than two escapes.

    Times known to whole steps only, of length ``step``, are spread over their steps beforehand (always
    in the same way): ties are not uniform.
    """
    if step > 0.0:
        left = ~np.isnan(times)
        moved = times[left] - step * np.random.default_rng(0).random(np.count_nonzero(left))
        times, last = times.copy(), last.copy()
        times[left] = last[left] = moved
    events = np.sort(times[last > burn_in][~np.isnan(times[last > burn_in])])
    if events.size < 2:
        return math.nan
    ends = np.sort(last[last > burn_in])
    sums = np.concatenate([[0.0], np.cumsum(ends - burn_in)])
    over = np.searchsorted(ends, events, side="right")  # particles whose time is over by then
    passed = sums[over] + (ends.size - over) * (events - burn_in)
    # the last escape closes the interval if nobody is left: it is no order statistic then
    total = float(sums[-1])
    shares = passed[passed < total * (1.0 - 1e-12)] / total
    return float(stats.kstest(shares, "uniform").pvalue) if shares.size else math.nan


def mean_time_of(times: FloatArray, last: FloatArray, burn_in: float) -> tuple[float, float] | None:
    """Return the mean escape time and its standard error; None without escapes after the burn-in.

    Time until censoring, plus ``1/rate`` for those who are then still inside:
    ``E T = E min(T, t_max) + P(T > t_max)/rate``. The error is that of the influence function of all
    three sums.
    """
    n = times.size
    censored = np.isnan(times).astype(np.float64)
    risk = last > burn_in
    event = risk & ~np.isnan(times)
    wait = np.where(risk, last - burn_in, 0.0)
    hits = float(np.mean(event))
    if not np.any(censored):
        # of one particle the error is that of an exponential law
        error = float(np.std(last, ddof=1)) / math.sqrt(n) if n > 1 else float(last[0])
        return float(np.mean(last)), error
    if hits == 0.0:
        return None
    scale = float(np.mean(wait)) / hits  # 1/rate
    inside = float(np.mean(censored))
    influence = last + censored * scale + inside * (wait - event * scale) / hits
    error = float(np.std(influence, ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return float(np.mean(last)) + inside * scale, error


def binomial_interval(hits: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson for a probability."""
    interval = stats.binomtest(hits, n).proportion_ci(confidence_level=confidence)
    return float(interval.low), float(interval.high)
