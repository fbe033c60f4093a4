"""Independent replicates of a rare-event estimate: their mean, its error, and when there are enough."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._interrupt import Interrupts
from .clock import REPLICA_BITS, Clock, Stopped
from .ladder import FloatArray
from .problem import Problem
from .rare_result import MOST_SPREAD, RareResult
from .survey import Survey

__all__ = ["Wave", "replicate"]

_AT_ONCE = 2**22  # particles of replicates that run side by side


@dataclass
class Wave:
    """Some replicates that ran side by side, row by row: shares and times.

    ``reached`` is the chance of each leg that the stages which were finished add up to, an upper
    bound of the probability, and ``starts`` the number of particles that tried in vain to get further.
    """

    probability: FloatArray
    cycle_time: FloatArray
    correction: FloatArray
    passed: list[FloatArray]
    reached: list[float]
    starts: list[int]
    least: float = math.inf

    @property
    def rates(self) -> FloatArray:
        """Estimates of the replicates."""
        return self.probability / self.cycle_time / self.correction


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
                blank, legs = np.ones(count), len(found.ladders)
                unfinished = Wave(0.0 * blank, np.nan * blank, blank, [], [1.0] * legs, [1] * legs)
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
    enough = sum(len(w.rates) for w in done) >= 2
    if not enough:
        if done or unfinished is None or np.any(np.isnan(unfinished.cycle_time)):
            raise TimeoutError(
                f"max_seconds={max_seconds:g} was over before "
                + ("the second replicate was" if done else "the pilot run and first cycles were")
                + "; allow more time, or use a smaller n"
            )
        done = [unfinished]
    return _together(problem, method, n, done, enough, until, found, shown(found), clock)


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
    finished: bool,
    until: float | None,
    found: Survey,
    shown: tuple[float, tuple[tuple[float, ...], ...]],
    clock: Clock,
) -> RareResult:
    core, levels = shown
    rates = np.concatenate([w.rates for w in done])
    probability = np.concatenate([w.probability for w in done])
    cycle = np.concatenate([w.cycle_time for w in done])
    warnings = list(found.warnings)
    tries = None
    if not finished or not np.any(rates > 0.0):
        last = done[-1]
        tries = tuple(
            (r, len(done) * tried) for r, tried in zip(last.reached, last.starts, strict=True)
        )
        reason = "nobody escaped" if finished else "time was up before a replicate was done"
        warnings.append(f"{reason}: there is only an upper bound of the rate")
        if not finished:
            rates = rates[:0]
    else:
        p = float(np.mean(probability))
        if -math.log(min(p, 1.0)) > 0.2 * n:
            warnings.append(f"n = {n:,} is small for a probability of {p:.3g}: rates are skewed")
        empty = int(np.count_nonzero(rates == 0.0))
        if empty:
            warnings.append(f"in {empty} of {len(rates)} replicates nobody escaped: n is too small")
        spread = float(np.std(rates, ddof=1) / np.mean(rates))
        if spread > MOST_SPREAD:
            warnings.append(
                f"replicates spread by {spread:.2g} times their mean, which few of them make up: it may "
                "be too small by orders of magnitude, and its interval has no upper end; raise n"
            )
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
        tries,
        float(np.mean(probability)),
        float(np.mean(cycle)),
        core,
        levels,
        tuple(stages),
        found.relaxation.time,
        n,
        problem,
        clock.particle_steps,
        clock.seconds,
        tuple(warnings),
    )
