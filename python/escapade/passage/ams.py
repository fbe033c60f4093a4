"""Rates of rare escapes by adaptive multilevel splitting, many particles per round.

The chance p that a cycle ends outside is estimated by N paths from the first level. In a round all K
paths with the k lowest peaks or less, Z, are killed, and as many branch off survivors, each at the
first state of its parent that is strictly higher than Z. When the k-th lowest has escaped,

    p = prod_j (1 - K_j / N) * (share that has escaped).

It is unbiased for every N, k, level function and time step, since equal peaks are all killed (Brehier,
Gazeau, Goudenege, Lelievre and Rousset, Ann. Appl. Probab. 26, 3559 (2016)). No path is stored: the
parent's segment is run again, with the same noise, up to where the branch begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import integer
from ..models import Model
from .cycles import Cycles, IntArray, Replicas, resample
from .ladder import ESCAPED, GONE, PASSED, RETURNED, Clock, FloatArray, IdArray, Ladder
from .problem import Problem, prepare
from .regions import Region
from .replicates import RareResult, Wave, check, replicate
from .splitting import begin, check_level, check_levels, cycles_before, shown
from .survey import Survey, survey

__all__ = ["ams", "ams_rate"]

_MOST_ROUNDS = 100_000


def ams(
    model: Model,
    x0: Any,
    region: Region,
    *,
    dt: float | None = None,
    n: int = 4000,
    k: int | None = None,
    replicates: int = 10,
    until: float | None = None,
    max_seconds: float | None = None,
    level: Any = None,
    core: float | None = None,
    first: float | None = None,
    burn_in: int | None = None,
    scheme: str = "auto",
    test: str = "auto",
    seed: int | None = None,
    dtype: str = "float64",
    noise: str = "float32",
    threads: int | None = None,
    progress: bool = False,
) -> RareResult:
    """Return the rate of escape from a well by adaptive multilevel splitting; see `ams_rate`.

    Parameters
    ----------
    model, x0, region, dt, scheme, test, seed, dtype, noise, threads
        As for `escapade.escape`. x0 is a state in the well, or a distribution of them.

    Other parameters, result and errors are those of `ams_rate`.
    """
    problem = prepare(
        model,
        x0,
        region,
        n=integer("n", n, low=1),
        dt=dt,
        scheme=scheme,
        test=test,
        seed=seed,
        dtype=dtype,
        noise=noise,
        threads=threads,
    )
    return ams_rate(
        problem,
        n=n,
        k=k,
        replicates=replicates,
        until=until,
        max_seconds=max_seconds,
        level=level,
        core=core,
        first=first,
        burn_in=burn_in,
        progress=progress,
    )


def ams_rate(
    problem: Problem,
    *,
    n: int = 4000,
    k: int | None = None,
    replicates: int = 10,
    until: float | None = None,
    max_seconds: float | None = None,
    level: Any = None,
    core: float | None = None,
    first: float | None = None,
    burn_in: int | None = None,
    progress: bool = False,
) -> RareResult:
    """Return the rate of escape of a problem by adaptive multilevel splitting.

    Parameters
    ----------
    n : int, default 4000
        Paths per replicate, >= 20.
    k : int, optional
        Paths to be killed in a round, at least; 1 to n - 1, by default n // 4.
    first : float, optional
        The first level: value of the coordinate, distance or level function.
    replicates, until, max_seconds, level, core, burn_in, progress
        As for `escapade.passage.splitting_rate`.

    Returns
    -------
    RareResult
        Its ``levels`` are the first ones of each leg, its ``stage_probabilities`` those to escape from
        there.

    Raises
    ------
    TypeError, ValueError, TimeoutError, KeyboardInterrupt
        As `escapade.passage.splitting_rate`.
    """
    n, replicates, until, seconds = check(problem, n, replicates, until, max_seconds, progress)
    killed = max(n // 4, 1) if k is None else integer("k", k, low=1, high=n - 1)
    level = check_level(problem, level)
    edge, given = check_levels(problem, level, core, None if first is None else [first])
    burn = cycles_before(problem, level, burn_in)

    def look(clock: Clock) -> Survey:
        return survey(
            problem, clock, max(n // 2, 500), level=level, core=edge, levels=given, climbing=False
        )

    def run(found: Survey, clock: Clock, numbers: list[int], wave: Wave) -> None:
        replicas = Replicas(problem, numbers, n)
        begun = begin(found, clock, replicas, burn, wave)
        for i, ladder in enumerate(found.ladders):
            _leg(ladder, i, killed, clock, replicas, begun, wave)

    return replicate(problem, "ams", n, replicates, until, seconds, progress, look, run, shown)


@dataclass
class _Swarm:
    """Paths of all replicas on a leg, by row * n + particle: where each began, and what it did."""

    start: FloatArray
    ids: IdArray
    base: FloatArray  # height of the start
    peak: FloatArray
    end: npt.NDArray[np.int8]
    over: npt.NDArray[np.bool_]  # whether a path has ended where it began

    @classmethod
    def empty(cls, count: int, like: FloatArray, ids: IdArray) -> _Swarm:
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


def _tie(ladder: Ladder, lines: FloatArray) -> FloatArray:
    """Return the distance within which heights count as equal: some units of rounding.

    The engine finds heights in another coordinate, or in another order of additions, than numpy.
    """
    unit = float(np.finfo(ladder.problem.dtype).eps)
    span = abs(ladder.first) + abs(ladder.core) + (ladder.first - ladder.core)
    return np.asarray(64.0 * unit * (np.abs(lines) + span))


def _leg(
    ladder: Ladder,
    number_of_leg: int,
    killed: int,
    clock: Clock,
    replicas: Replicas,
    begun: Cycles,
    wave: Wave,
) -> None:
    """Add the chance to escape on a leg to the probability of the wave."""
    n, count = replicas.n, len(replicas.numbers)
    pool = np.flatnonzero((begun.leg == number_of_leg) & ~begun.escaped)
    owner = np.repeat(np.arange(count), n)[pool]
    share = np.bincount(owner, minlength=count) / n
    ids = replicas.ids()
    active, chosen = resample(replicas, owner, n)
    entries = begun.x[pool][chosen]
    swarm = _Swarm.empty(count * n, entries, ids)
    at = (active[:, None] * n + np.arange(n)).ravel()
    swarm.follow(ladder, clock, at, entries, ids[at])
    factor = np.zeros(count)
    factor[active] = 1.0
    peaks, ends = swarm.peak.reshape(count, n), swarm.end.reshape(count, n)
    wave.reached, wave.starts = float(np.mean(share)), len(active) * n
    for _ in range(_MOST_ROUNDS):
        lines = np.partition(peaks[active], killed - 1, axis=1)[:, killed - 1]
        going = np.isfinite(lines)
        active, lines = active[going], lines[going]
        lines += _tie(ladder, lines)
        dead = peaks[active] < lines[:, None]
        factor[active] *= 1.0 - np.mean(dead, axis=1)
        alive = ~np.all(dead, axis=1)
        active, lines, dead = active[alive], lines[alive], dead[alive]
        if len(active) == 0:
            break
        _branch(ladder, clock, replicas, swarm, active, lines, dead)
        wave.reached = max(float(np.mean(share * factor)), 1e-300)
    else:
        raise ValueError(
            f"k must be larger, or level another function: no end after {_MOST_ROUNDS:,} rounds"
        )
    chance = factor * np.mean(ends == ESCAPED, axis=1)
    wave.probability += share * chance
    wave.passed.append(chance)
    reached = np.sum(ends == ESCAPED, axis=1)
    wave.least = min(wave.least, float(np.min(reached)))


def _branch(
    ladder: Ladder,
    clock: Clock,
    replicas: Replicas,
    swarm: _Swarm,
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
    ladder: Ladder, clock: Clock, swarm: _Swarm, parents: IntArray, line: float
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
