"""Checks of what methods for rare events are told."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from .._checks import boolean, choice, integer, number
from .clock import PARTICLE_BITS, REPLICA_BITS
from .ladder import legs
from .problem import Problem

__all__ = ["check", "check_level", "check_levels", "cycles_before"]

_MANY_CYCLES = 10  # burn-in where a particle enters the core in a place that matters


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


def check_level(problem: Problem, level: Any) -> Any:
    """Return None or a function."""
    if level is None or callable(level):
        return level
    name = choice("level", level, ("coordinate", "committor"))
    if name == "committor" and problem.model.vector:
        raise ValueError(
            f"level must be a function or 'coordinate' for {problem.model.name}: the committor is "
            "known of models of one number only"
        )
    return None


def check_levels(
    problem: Problem, level: Any, core: Any, levels: Any
) -> tuple[float | None, list[float] | None]:
    """Return the core and levels that a user gave as heights of the first leg."""
    every = legs(problem, level)
    one = every[0]
    sign = 1.0 if one.target is None else one.target.sign
    edge = None if core is None else sign * number("core", core)
    if edge is not None and not edge < one.top:
        raise ValueError(f"core must lie inside the region {problem.region!r}, got {core!r}")
    if levels is None:
        return edge, None
    if len(every) > 1:
        raise ValueError(f"levels must be left to the pilot run for {problem.region!r}: two ends")
    values = [sign * number("levels", v) for v in np.asarray(levels).ravel().tolist()]
    ladder = [*([] if edge is None else [edge]), *values, one.top]
    if not values or any(not a < b for a, b in pairwise(ladder)):
        raise ValueError(
            "levels must be monotone, from outside the core to inside the boundary "
            f"({sign * one.top:g}), got {list(levels)!r}"
        )
    return edge, values


def cycles_before(problem: Problem, level: Any, burn_in: Any) -> int:
    """Return the number of cycles of burn-in."""
    if burn_in is not None:
        return integer("burn_in", burn_in, low=0, high=10_000)
    if problem.model.vector:
        return _MANY_CYCLES
    return 0 if legs(problem, level)[0].pointlike else 2
