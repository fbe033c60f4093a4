"""Paths of adaptive splitting: killed and branched in rounds, without being stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .clock import Clock, IdArray
from .cycles import IntArray, Replicas
from .ladder import ESCAPED, GONE, PASSED, RETURNED, FloatArray, Ladder

__all__ = ["Swarm", "branch", "tie"]


@dataclass
class Swarm:
    """Paths of all replicas on a leg, by row * n + particle: where each began, and what it did."""

    start: FloatArray
    ids: IdArray
    base: FloatArray  # height of the start
    peak: FloatArray
    end: npt.NDArray[np.int8]
    over: npt.NDArray[np.bool_]  # whether a path has ended where it began

    @classmethod
    def empty(cls, count: int, like: FloatArray, ids: IdArray) -> Swarm:
        x, zeros = np.zeros((count, *like.shape[1:])), np.zeros(count)
        return cls(x, ids, zeros, zeros.copy(), np.zeros(count, np.int8), np.zeros(count, bool))

    def follow(
        self, ladder: Ladder, clock: Clock, at: IntArray, x: FloatArray, ids: IdArray
    ) -> None:
        """Begin paths anew, at places ``at``, and run them to their end."""
        self.start[at], self.ids[at], self.base[at] = x, ids, ladder.height(x)
        paths = ladder.run(clock, x, ids)
        self.peak[at], self.end[at], self.over[at] = paths.peak, paths.end, False

    def copy_end(self, at: IntArray, parents: IntArray, ends: npt.NDArray[np.int8]) -> None:
        """Let branches at ``at`` be what is left of parents at the last of their states: nothing."""
        self.end[at], self.over[at] = ends, True
        self.peak[at] = np.where(ends == ESCAPED, np.inf, self.peak[parents])
        self.base[at] = self.peak[at]


def tie(ladder: Ladder, lines: FloatArray) -> FloatArray:
    """Return the distance within which heights count as equal: some units of rounding.

    The engine finds heights in another coordinate, or in another order of additions, than numpy.
    """
    unit = float(np.finfo(ladder.problem.dtype).eps)
    span = abs(ladder.first) + abs(ladder.core) + (ladder.first - ladder.core)
    return np.asarray(64.0 * unit * (np.abs(lines) + span))


def branch(
    ladder: Ladder,
    clock: Clock,
    replicas: Replicas,
    swarm: Swarm,
    active: IntArray,
    lines: FloatArray,
    dead: npt.NDArray[np.bool_],
) -> None:
    """Replace the dead of a round by branches of survivors of the same replica."""
    n = replicas.n
    ids = replicas.ids()
    slots, points = [], []
    for r, line, killed in zip(active, lines, dead, strict=True):
        places, survivors = np.flatnonzero(killed) + r * n, np.flatnonzero(~killed) + r * n
        u = replicas.uniforms(int(r), len(places))
        parents, which = np.unique(
            survivors[(u * len(survivors)).astype(np.intp)], return_inverse=True
        )
        states, ends = _branch_points(ladder, clock, swarm, parents, float(line))
        go = ends[which] == PASSED
        slots.append(places[go])
        points.append(states[which[go]])
        swarm.copy_end(places[~go], parents[which[~go]], ends[which[~go]])
    at = np.concatenate(slots)
    if len(at):
        swarm.follow(ladder, clock, at, np.concatenate(points), ids[at])


def _branch_points(
    ladder: Ladder, clock: Clock, swarm: Swarm, parents: IntArray, line: float
) -> tuple[FloatArray, npt.NDArray[np.int8]]:
    """Return each parent's first state at a line or above, and how its path stands there.

    A path may end in the step in which it comes above the line: then there is nothing to be simulated.
    """
    states, ends = swarm.start[parents], np.full(len(parents), PASSED, dtype=np.int8)
    over = swarm.over[parents]
    ends[over] = swarm.end[parents[over]]
    below = np.flatnonzero(~over & (swarm.base[parents] < line))
    if len(below):
        who = parents[below]
        paths = ladder.run(clock, swarm.start[who], swarm.ids[who], level=line)
        states[below] = paths.x
        ends[below] = np.where(paths.end == GONE, RETURNED, paths.end)
    return states, ends
