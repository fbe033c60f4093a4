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

from typing import Any

import numpy as np

from .._checks import integer
from ..models import Model
from .clock import Clock
from .cycles import Cycles, Replicas, resample
from .ladder import ESCAPED, Ladder
from .problem import Problem, prepare
from .rare_arguments import check, check_level, check_levels, cycles_before
from .rare_result import RareResult
from .regions import Region
from .replicates import Wave, replicate
from .splitting import begin, shown
from .survey import Survey, survey
from .swarm import Swarm, branch, tie

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
        As for `escapade.passage.splitting_rate`. There are no ``levels``: paths choose theirs.

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
    swarm = Swarm.empty(count * n, entries, ids)
    at = (active[:, None] * n + np.arange(n)).ravel()
    swarm.follow(ladder, clock, at, entries, ids[at])
    factor = np.zeros(count)
    factor[active] = 1.0
    peaks, ends = swarm.peak.reshape(count, n), swarm.end.reshape(count, n)
    wave.reached[number_of_leg], wave.starts[number_of_leg] = float(np.mean(share)), 1
    for _ in range(_MOST_ROUNDS):
        lines = np.partition(peaks[active], killed - 1, axis=1)[:, killed - 1]
        going = np.isfinite(lines)
        active, lines = active[going], lines[going]
        lines += tie(ladder, lines)
        dead = peaks[active] < lines[:, None]
        before = float(np.mean(share * factor))
        factor[active] *= 1.0 - np.mean(dead, axis=1)
        alive = ~np.all(dead, axis=1)
        active, lines, dead = active[alive], lines[alive], dead[alive]
        if not np.any(factor):  # all paths of all replicas were equal, and are dead
            wave.reached[number_of_leg], wave.starts[number_of_leg] = before, count * n
        if len(active) == 0:
            break
        branch(ladder, clock, replicas, swarm, active, lines, dead)
        wave.reached[number_of_leg] = float(np.mean(share * factor))
    else:
        raise ValueError(
            f"k must be larger, or level another function: no end after {_MOST_ROUNDS:,} rounds"
        )
    chance = factor * np.mean(ends == ESCAPED, axis=1)
    wave.probability += share * chance
    wave.passed.append(chance)
    reached = np.sum(ends == ESCAPED, axis=1)
    wave.least = min(wave.least, float(np.min(reached)))
