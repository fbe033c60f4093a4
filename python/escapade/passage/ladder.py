"""Between a core and the boundary: one leg of an escape, and batches of particles on it.

A leg has a height, which grows from the core to the boundary. Batches run until their particles have
come back to the core, passed a level of the height, or escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .clock import Clock, IdArray
from .first_passage import LOST
from .problem import Problem
from .regions import Boundary, Interval

__all__ = ["ESCAPED", "GONE", "PASSED", "RETURNED", "FloatArray", "Ladder", "Paths", "legs"]

RETURNED, PASSED, ESCAPED, GONE = 0, 1, 2, 3  # how a path has ended; GONE: no longer finite
_BACK, _ABOVE = 100, 101  # what retired particles are told to have met

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Paths:
    """How the paths of a batch have ended: see the constants; where, when, and how high they came.

    ``peak`` is over the start and the ends of steps, the last one included, and infinite for those
    that escaped.
    """

    end: npt.NDArray[np.int8]
    x: FloatArray
    time: FloatArray
    peak: FloatArray


class Ladder:
    """A leg whose height is ``sign f`` of the boundary that it leads to: the engine tests all levels.

    Parameters
    ----------
    problem : Problem
    target : int, optional
        Which of the boundaries the leg leads to. Without: a ladder of a function, which leads to all.
    level : callable, optional
        The height as a function of states, shape (n,) or (n, dim), to shape (n,). Levels are then
        tested at ends of steps, one after the other.
    """

    def __init__(
        self, problem: Problem, target: int | None, level: Callable[[Any], Any] | None = None
    ) -> None:
        self.problem, self.level = problem, level
        self.core = math.nan  # height of the core's edge; set by the survey
        self.first = math.nan  # height of the first level
        self.target = None if target is None else problem.boundaries[target]
        self.reflecting = [b for b in problem.boundaries if b.action == "reflect"]
        self.top = math.inf if self.target is None else self.target.sign * self.target.level

    @property
    def pointlike(self) -> bool:
        """Whether the core is a point: one number, met on the continuous path."""
        b = self.target
        scalar = not self.problem.model.vector
        return scalar and b is not None and b.test == "bridge" and b.kind != "ball"

    def height(self, x: FloatArray) -> FloatArray:
        """Return the height of states, shape (n,)."""
        if self.target is not None:
            states = x if self.problem.model.vector else x[..., None]
            return self.top - self.target.distance(states)
        assert self.level is not None
        h = np.array(self.level(x), dtype=np.float64)  # a copy: peaks are written into it
        if h.shape != x.shape[:1] or not np.all(np.isfinite(h)):
            raise ValueError(
                f"level must return {len(x)} finite numbers for states of shape {x.shape}, got "
                + (f"shape {h.shape}" if h.shape != x.shape[:1] else "some that are not finite")
            )
        return h

    def at_core(self, n: int) -> FloatArray:
        """Return n times the state at the core, which is a point."""
        assert self.target is not None
        return np.full(n, self.target.sign * self.core)

    def surface(self, height: float) -> Boundary:
        """Return the surface at a height, met from below at ends of steps.

        So stages are those of the chain of steps, whatever the levels. On the continuous path they
        would begin a step anew at each level, and the errors of that would add up: a rate of 2.3e-7
        of the power law at dt = 0.1, with 19 levels, came out 23 per cent too large.
        """
        assert self.target is not None
        b = self.target
        return replace(b, level=b.sign * height, test="endpoint", name="level")

    def edge(self) -> Boundary:
        """Return the edge of the core, met from above."""
        assert self.target is not None
        b = self.target
        test = "bridge" if self.pointlike else "endpoint"
        return replace(b, level=b.sign * self.core, sign=-b.sign, test=test, name="core")

    def run(
        self,
        clock: Clock,
        x: FloatArray,
        ids: IdArray,
        *,
        core: bool = True,
        level: float | None = None,
        steps: int | None = None,
    ) -> Paths:
        """Run particles until they have come to the core, passed ``level`` or escaped.

        Those who start above ``level`` have passed it.

        Parameters
        ----------
        core : bool, default True
            Whether the core ends a path.
        level : float, optional
            A height that does. Up to there a batch does bit by bit what it does without.
        steps : int, optional
            Stop after so many; those alive are told to have returned.
        """
        height = self.height(x)
        there = height >= (math.inf if level is None else level)  # an overshoot may pass two levels
        if np.any(there):
            end, time = np.full(len(ids), PASSED, dtype=np.int8), np.zeros(len(ids))
            where, peak, on = x.copy(), height, np.flatnonzero(~there)
            if len(on):
                rest = self.run(clock, x[on], ids[on], core=core, level=level, steps=steps)
                end[on], time[on], where[on], peak[on] = rest.end, rest.time, rest.x, rest.peak
            return Paths(end, where, time, peak)
        if self.target is None:
            return self._run_function(clock, x, ids, height, core, level, steps)
        watched = [self.edge()] if core else []
        peak_of = len(watched)
        watched += [self.target, *self.reflecting]
        if level is not None:
            watched.append(self.surface(level))
        batch = self.problem.batch(x, ids, boundaries=watched, peak_of=peak_of)
        clock.run(batch, steps)
        side = batch.side
        end = np.full(len(ids), RETURNED, dtype=np.int8)
        end[side == peak_of] = ESCAPED
        end[side == LOST] = GONE
        if level is not None:
            end[side == len(watched) - 1] = PASSED
        clock.gone += int(np.count_nonzero(side == LOST))
        peak = np.fmax(self.target.sign * batch.highest, height)
        peak[end == GONE] = height[end == GONE]
        peak[end == ESCAPED] = np.inf
        return Paths(end, batch.x, batch.time, peak)

    def _run_function(
        self,
        clock: Clock,
        x: FloatArray,
        ids: IdArray,
        peak: FloatArray,
        core: bool,
        level: float | None,
        steps: int | None,
    ) -> Paths:
        batch = self.problem.batch(x, ids)
        tick, clock.tick = clock.tick, None
        try:
            while batch.alive and (steps is None or batch.step < steps):
                if steps is None:
                    clock.check(batch)
                clock.run(batch, batch.step + 1)
                if not batch.alive:
                    break
                slots, h = batch.slots, self.height(batch.living)
                peak[slots] = np.maximum(peak[slots], h)
                above = h >= (math.inf if level is None else level)
                back = ~above & (h <= (self.core if core else -math.inf))
                if np.any(above):
                    batch.retire(np.flatnonzero(above), _ABOVE)
                    back = back[~above]
                if np.any(back):
                    batch.retire(np.flatnonzero(back), _BACK)
        finally:
            clock.tick = tick
        if tick is not None:
            tick()
        side = batch.side
        end = np.full(len(ids), RETURNED, dtype=np.int8)
        end[(side >= 0) & (side < _BACK)] = ESCAPED
        end[side == LOST] = GONE
        end[side == _ABOVE] = PASSED
        clock.gone += int(np.count_nonzero(side == LOST))
        peak[end == ESCAPED] = np.inf
        return Paths(end, batch.x, batch.time, peak)


def legs(problem: Problem, level: Any) -> list[Ladder]:
    """Return the legs of a problem: one, or two for an interval that both ends let escape.

    A path between the two ends of an interval crosses the core, so escapes to either side are
    disjoint events of a cycle and their probabilities add. Other regions with several boundaries
    have one leg, with the height ``max_b (1 - d_b(x) / d_b(c))`` of the distances d_b from the
    boundaries, c being where particles start.
    """
    absorbing = [i for i, b in enumerate(problem.boundaries) if b.action == "absorb"]
    if callable(level):
        return [Ladder(problem, None, level)]
    if len(absorbing) == 1 or isinstance(problem.region, Interval):
        return [Ladder(problem, i) for i in absorbing]
    start = problem.start(1)
    centre = start if problem.model.vector else start[..., None]
    scale = [float(problem.boundaries[i].distance(centre)[0]) for i in absorbing]

    def nearest(x: FloatArray) -> FloatArray:
        states = x if problem.model.vector else x[..., None]
        shares = [
            problem.boundaries[i].distance(states) / s
            for i, s in zip(absorbing, scale, strict=True)
        ]
        return np.asarray(1.0 - np.min(shares, axis=0))

    return [Ladder(problem, None, nearest)]
