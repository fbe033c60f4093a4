"""Independent replicates of a rare-event estimate: their mean, its error, and when there are enough."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from .._checks import boolean, integer, number
from .._interrupt import Interrupts
from .ladder import PARTICLE_BITS, REPLICA_BITS, Clock, FloatArray, Stopped
from .problem import Problem
from .survey import Survey

__all__ = ["RareResult", "Wave", "check", "replicate"]

_AT_ONCE = 2**22  # particles of replicates that run side by side
_ZERO_EVENTS = -math.log(0.025)  # upper end of the 95 per cent interval of a Poisson mean, none seen


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
    particle_steps : int
    seconds : float
    warnings : tuple of str

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
    dt: float
    scheme: str
    test: str
    seed: int
    particle_steps: int
    seconds: float
    warnings: tuple[str, ...]

    @property
    def rate(self) -> float:
        """Mean of the replicates.

        Raises
        ------
        ValueError
            If there is only an upper bound.
        """
        if self.bound is not None:
            raise ValueError(
                f"there is no estimate of the rate, only an upper bound of {self.bound:.3g}; a "
                "larger n or more time is needed"
            )
        return float(np.mean(self.rates))

    @property
    def stderr(self) -> float:
        """Standard error of the mean, from the spread of the replicates."""
        if self.bound is not None:
            return self.bound
        return float(np.std(self.rates, ddof=1) / math.sqrt(len(self.rates)))

    @property
    def mean_time(self) -> float:
        """Mean time of escape from the core."""
        return 1.0 / self.rate

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Student's t interval of the rate, cut at 0; ``(0, bound)`` if nobody escaped."""
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
            f"{head}, by {self.method}",
            f"  {len(self.rates)} replicates of n = {self.n:,}, "
            f"{self.particle_steps:.3g} steps of particles in {self.seconds:.3g} s",
        ]
        return "\n".join([*lines, *(f"  warning: {w}" for w in self.warnings)])


@dataclass
class Wave:
    """Some replicates that ran side by side, row by row: shares and times.

    ``reached`` is the chance that the stages which were finished add up to, an upper bound of the
    probability, and ``starts`` the number of particles that tried to get further.
    """

    probability: FloatArray
    cycle_time: FloatArray
    correction: FloatArray
    passed: list[FloatArray]
    reached: float = 1.0
    starts: int = 1
    least: float = math.inf

    @property
    def rates(self) -> FloatArray:
        """Estimates of the replicates."""
        return self.probability / self.cycle_time / self.correction


def check(
    problem: Any, n: Any, replicates: Any, until: Any, max_seconds: Any, progress: Any
) -> tuple[int, int, float | None, float]:
    """Check what all methods are told alike.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, its value and what is allowed.
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem, got {type(problem).__name__}")
    n = integer("n", n, low=20, high=2**PARTICLE_BITS - 1)
    replicates = integer("replicates", replicates, low=2, high=2**REPLICA_BITS - 2)
    if until is not None:
        rel = getattr(until, "rel", until)
        until = number("until", rel, low=0.0, high=1.0, open_low=True, open_high=True)
    seconds = math.inf
    if max_seconds is not None:
        seconds = number("max_seconds", max_seconds, low=0.0, open_low=True)
    boolean("progress", progress)
    return n, replicates, until, seconds


def replicate(
    problem: Problem,
    method: str,
    n: int,
    replicates: int,
    until: float | None,
    max_seconds: float,
    progress: bool,
    look: Callable[[Clock], Survey],
    run: Callable[[Survey, Clock, list[int], Wave], None],
    shown: Callable[[Survey], tuple[float, tuple[tuple[float, ...], ...]]],
) -> RareResult:
    """Make a survey and then replicates, until there are enough, and put them together.

    A replicate is a function of the seed, its number and the survey; how many run side by side changes
    no bit of it.
    """
    bar = None
    if progress:
        from tqdm.auto import tqdm

        bar = tqdm(unit="batch", desc=f"{problem.model.name} {method}")
    done: list[Wave] = []
    with Interrupts() as stop:
        clock = Clock(stop, time.monotonic() + max_seconds, None if bar is None else bar.update)
        unfinished = None
        try:
            found = look(clock)
            while not done or _wanted(done, replicates, until):
                first = sum(len(w.rates) for w in done)
                count = replicates - first if first < replicates else replicates
                count = min(count, max(1, _AT_ONCE // n), 2**REPLICA_BITS - 1 - first)
                if count < 1:
                    break
                unfinished = Wave(np.zeros(count), np.full(count, np.nan), np.ones(count), [])
                run(found, clock, list(range(first + 1, first + count + 1)), unfinished)
                done.append(unfinished)
                if bar is not None:
                    bar.set_postfix_str(f"{first + count} replicates")
        except Stopped:
            pass
        finally:
            if bar is not None:
                bar.close()
        stop.deliver()
    if sum(len(w.rates) for w in done) < 2:
        if unfinished is None or np.any(np.isnan(unfinished.cycle_time)):
            raise TimeoutError(
                f"max_seconds={max_seconds:g} was over before the pilot run and the first cycles "
                "were; allow more time, or use a smaller n"
            )
        done = done or [unfinished]
    core, levels = shown(found)
    return _together(problem, method, n, done, until, found, core, levels, clock)


def _wanted(done: list[Wave], replicates: int, until: float | None) -> bool:
    rates = np.concatenate([w.rates for w in done])
    if len(rates) < replicates:
        return True
    if until is None or not np.any(rates):
        return False
    return bool(np.std(rates, ddof=1) / math.sqrt(len(rates)) > until * np.mean(rates))


def _together(
    problem: Problem,
    method: str,
    n: int,
    done: list[Wave],
    until: float | None,
    found: Survey,
    core: float,
    levels: tuple[tuple[float, ...], ...],
    clock: Clock,
) -> RareResult:
    rates = np.concatenate([w.rates for w in done])
    probability = np.concatenate([w.probability for w in done])
    cycle = np.concatenate([w.cycle_time for w in done])
    warnings = list(found.warnings)
    bound = None
    if len(rates) < 2 or not np.any(rates > 0.0):
        last = done[-1]
        tried = sum(w.starts for w in done)
        bound = last.reached * min(1.0, _ZERO_EVENTS / tried) / float(np.mean(cycle))
        warnings.append("nobody escaped, or time was up: there is only an upper bound of the rate")
    else:
        p = float(np.mean(probability))
        if -math.log(min(p, 1.0)) > 0.2 * n:
            warnings.append(f"n = {n:,} is small for a probability of {p:.3g}: rates are skewed")
        empty = int(np.count_nonzero(rates == 0.0))
        if empty:
            warnings.append(f"in {empty} of {len(rates)} replicates nobody escaped: n is too small")
        spread = float(np.std(rates, ddof=1) / np.mean(rates))
        if spread > 1.0:
            warnings.append(f"replicates spread by {spread:.2g} times their mean: n is too small")
        if until is not None and spread / math.sqrt(len(rates)) > until:
            warnings.append(f"time was up at a relative error above until = {until:g}")
    few = min(w.least for w in done)
    if few < 20:
        warnings.append(f"a stage was passed by only {few:.0f} particles of a replicate")
    if clock.gone:
        warnings.append(f"{clock.gone:,} particles were lost (not finite): a smaller dt may help")
    width = max(len(w.passed) for w in done)
    mean = [
        float(np.mean(np.concatenate([w.passed[i] for w in done if len(w.passed) > i])))
        for i in range(width)
    ]
    stages, at = [], 0
    for one in levels:
        length = len(one) if method == "splitting" else 1
        stages.append(tuple(mean[at : at + length]))
        at += length
    return RareResult(
        method,
        rates,
        bound,
        float(np.mean(probability)),
        float(np.mean(cycle)),
        core,
        levels,
        tuple(stages),
        found.relaxation.time,
        n,
        problem.dt,
        problem.scheme,
        problem.boundaries[0].test,
        problem.seed,
        clock.particle_steps,
        clock.seconds,
        tuple(warnings),
    )
