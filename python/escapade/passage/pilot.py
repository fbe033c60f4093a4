"""A short look at an escape problem, to choose a method by."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from .._checks import integer, number
from .._interrupt import Interrupts
from .clock import Clock, Stopped
from .cycles import Replicas
from .ladder import legs
from .problem import Problem
from .rare_arguments import check_level
from .settling import relax
from .survey import NoLevelsError, survey

__all__ = ["Pilot", "pilot_rate"]

_ENOUGH = 20  # escapes after which the rate needs no splitting


@dataclass(frozen=True)
class Pilot:
    """What a pilot run has found.

    Attributes
    ----------
    rate : float
        Rough rate of escape, to a factor of about 2; > 0.
    relaxation_time : float
        Time in which states of the well are forgotten, roughly.
    bounded : bool
        Whether time was up before the rate was known: it is an upper bound.
    direct : bool
        Whether so many escaped once particles had settled that no splitting is needed.
    failed : str
        Why levels could not be found, if so; `rate` is then a bound.
    without_levels : bool
        Whether adaptive splitting, which needs none, may still do.
    particle_steps : int
    seconds : float
    """

    rate: float
    relaxation_time: float
    bounded: bool
    direct: bool
    particle_steps: int
    seconds: float
    failed: str = ""
    without_levels: bool = False


def pilot_rate(problem: Problem, seconds: float, *, n: int = 1000, level: Any = None) -> Pilot:
    """Return a rough rate of escape and the relaxation time, within some seconds.

    Particles run until they have settled. If fewer than 20 of them escape in the second half of that
    time, levels are chosen as for splitting; the shares that pass them give the rate.

    Parameters
    ----------
    seconds : float
        > 0.
    n : int, default 1000
        Particles, >= 100.
    level : None, str or callable, optional
        As for `escapade.passage.splitting_rate`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, its value and what is allowed.
    TimeoutError
        If particles had not settled by then.
    KeyboardInterrupt
        On Ctrl-C.
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem, got {type(problem).__name__}")
    seconds = number("seconds", seconds, low=0.0, open_low=True)
    n = integer("n", n, low=100, high=2**28 - 1)
    level = check_level(problem, level)
    with Interrupts() as stop:
        clock = Clock(stop, time.monotonic() + seconds)
        first, rate, bounded = None, math.inf, True
        failed, without = "", False
        try:
            first = relax(legs(problem, level)[0], clock, Replicas(problem, [0], n))
            rate = max(first.escapes, 3) / first.exposure  # nobody in T: below 3 / T
            if first.escapes < _ENOUGH:
                try:
                    rate = min(rate, survey(problem, clock, n, level=level).rate)
                except ValueError as error:
                    failed, without = str(error), isinstance(error, NoLevelsError)
            bounded = bool(failed)
        except Stopped:
            pass
        stop.deliver()
    if first is None:
        raise TimeoutError(
            f"seconds={seconds:g} were over before particles had settled in the region; allow more"
        )
    return Pilot(
        rate,
        first.time,
        bounded,
        first.escapes >= _ENOUGH,
        clock.particle_steps,
        clock.seconds,
        failed,
        without,
    )
