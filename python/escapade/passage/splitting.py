"""Rates of rare escapes by fixed-effort multilevel splitting (Garvels 2000; Allen et al. 2005).

The chance p that a cycle ends outside is a product over stages. Those who pass a level are the pool
from which n particles start for the next; the others have come back to the core. The boundary is
tested in every stage: who escapes past all levels at once counts there and then,

    p = sum_k b_k prod_{j<k} f_j,

f_j the share that passed level j in stage j, b_k the share that escaped in stage k. The estimate is
unbiased for every n and every choice of levels made beforehand (Del Moral, *Feynman-Kac Formulae*
(2004), theorem 7.4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._checks import integer
from ..models import Model
from .clock import Clock
from .cycles import Cycles, Replicas, cycles, resample
from .ladder import ESCAPED, PASSED, Ladder
from .problem import Problem, prepare
from .rare_arguments import check, check_level, check_levels, cycles_before
from .rare_result import RareResult
from .regions import Region
from .replicates import Wave, replicate
from .survey import Survey, survey

__all__ = ["splitting", "splitting_rate"]


def splitting(
    model: Model,
    x0: Any,
    region: Region,
    *,
    dt: float | None = None,
    n: int = 5000,
    replicates: int = 10,
    until: float | None = None,
    max_seconds: float | None = None,
    level: Any = None,
    levels: Sequence[float] | None = None,
    core: float | None = None,
    burn_in: int | None = None,
    scheme: str = "auto",
    test: str = "auto",
    seed: int | None = None,
    dtype: str = "float64",
    noise: str = "float32",
    threads: int | None = None,
    progress: bool = False,
) -> RareResult:
    """Return the rate of escape from a well by multilevel splitting; see `splitting_rate`.

    Parameters
    ----------
    model, x0, region, dt, scheme, test, seed, dtype, noise, threads
        As for `escapade.escape`. x0 is a state in the well, or a distribution of them.

    Other parameters, result and errors are those of `splitting_rate`.
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
    return splitting_rate(
        problem,
        n=n,
        replicates=replicates,
        until=until,
        max_seconds=max_seconds,
        level=level,
        levels=levels,
        core=core,
        burn_in=burn_in,
        progress=progress,
    )


def splitting_rate(
    problem: Problem,
    *,
    n: int = 5000,
    replicates: int = 10,
    until: float | None = None,
    max_seconds: float | None = None,
    level: Any = None,
    levels: Sequence[float] | None = None,
    core: float | None = None,
    burn_in: int | None = None,
    progress: bool = False,
) -> RareResult:
    """Return the rate of escape of a problem by fixed-effort multilevel splitting.

    Parameters
    ----------
    n : int, default 5000
        Particles per stage and replicate, >= 20.
    replicates : int, default 10
        Independent replicates, >= 2.
    until : float, optional
        Relative standard error, 0 to 1: more replicates are made, as many at a time, until it is
        reached. (Stopping by the data biases the mean by a small part of its error.)
    max_seconds : float, optional
        Stop after so long. Replicates that are not done by then do not count.
    level : None, "coordinate", "committor" or callable, optional
        What grows on the way out. By default the coordinate, or the signed distance from the boundary;
        of models of one number the committor is equivalent to it. A function takes states, shape (n,)
        or (n, dim), and returns shape (n,); levels are then tested at ends of steps.
    levels : sequence of float, optional
        Values on the way out, in this order, instead of a pilot run's choice. The first one ends the
        core's surroundings. (`escapade.passage.ams_rate` has none, but ``first`` and ``k``.)
    core : float, optional
        Edge of the core, where settled particles come; by default the start, or the middle of the
        well.
    burn_in : int, optional
        Cycles before the one that counts. By default 0 where the core is a point (one number, bridge
        tests), 2 for one number otherwise and 10 for vectors.
    progress : bool, default False
        Show a tqdm progress bar.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, its value and what is allowed. During the run: if settled particles do not
        come to the core, a level function does not grow towards the boundary, or a stage goes on for
        many relaxation times (64 to 10 000), as where there is no well.
    TimeoutError
        If ``max_seconds`` ended before the time of a cycle was known.
    KeyboardInterrupt
        On Ctrl-C.
    """
    n, replicates, until, seconds = check(problem, n, replicates, until, max_seconds, progress)
    level = check_level(problem, level)
    core, given = check_levels(problem, level, core, levels)
    burn = cycles_before(problem, level, burn_in)

    def look(clock: Clock) -> Survey:
        return survey(problem, clock, max(n // 2, 500), level=level, core=core, levels=given)

    def run(found: Survey, clock: Clock, numbers: list[int], wave: Wave) -> None:
        replicas = Replicas(problem, numbers, n)
        begun = begin(found, clock, replicas, burn, wave)
        for i, ladder in enumerate(found.ladders):
            _climb(ladder, i, [*found.levels[i], None], clock, replicas, begun, wave)

    return replicate(
        problem, "splitting", n, replicates, until, seconds, progress, look, run, shown
    )


def begin(found: Survey, clock: Clock, replicas: Replicas, burn_in: int, wave: Wave) -> Cycles:
    """Run the cycles of a wave and note its cycle time, and who has escaped on the way up."""
    begun = cycles(found.ladders, clock, replicas, found.relaxation.x, burn_in)
    wave.probability += np.mean(begun.escaped.reshape(len(replicas.numbers), -1), axis=1)
    wave.cycle_time[:] = begun.up + begun.down
    wave.correction[:] = begun.correction
    return begun


def _climb(
    ladder: Ladder,
    number_of_leg: int,
    levels: list[float | None],
    clock: Clock,
    replicas: Replicas,
    begun: Cycles,
    wave: Wave,
) -> None:
    """Run the stages of a leg and add what escapes on it to the probability of the wave."""
    n, count = replicas.n, len(replicas.numbers)
    row = np.repeat(np.arange(count), n)
    pool = np.flatnonzero((begun.leg == number_of_leg) & ~begun.escaped)
    owner, x = row[pool], begun.x[pool]
    weight = np.bincount(owner, minlength=count) / n
    for level in levels:
        ids = replicas.ids()  # a stage has its numbers, whoever takes part in it
        rows, chosen = resample(replicas, owner, n)
        if len(rows) == 0:
            wave.passed.append(np.zeros(count))
            continue
        ids = ids.reshape(count, n)[rows].ravel()
        paths = ladder.run(clock, x[chosen], ids, level=level)
        ended = paths.end.reshape(len(rows), n)
        share = np.zeros(count)
        out = np.zeros(count)
        share[rows] = np.mean(ended == PASSED, axis=1)
        out[rows] = np.mean(ended == ESCAPED, axis=1)
        wave.probability += weight * out
        before = float(np.mean(weight))
        weight = weight * share
        wave.reached[number_of_leg] = float(np.mean(weight))
        wave.passed.append(share + out if level is None else share)
        if not np.any(weight) and not np.any(out):
            wave.reached[number_of_leg], wave.starts[number_of_leg] = before, len(rows) * n
        wave.least = min(wave.least, float(np.min(np.sum(ended != 0, axis=1))))
        pool = np.flatnonzero(paths.end == PASSED)
        owner, x = np.repeat(rows, n)[pool], paths.x[pool]


def shown(found: Survey) -> tuple[float, tuple[tuple[float, ...], ...]]:
    """Return core and levels as values of the coordinate, distance or function."""
    out = []
    for ladder, levels in zip(found.ladders, [*found.levels, [], []], strict=False):
        sign = 1.0 if ladder.target is None else ladder.target.sign
        out.append(tuple(sign * h for h in [ladder.first, *levels]))
    one = found.ladders[0]
    return (1.0 if one.target is None else one.target.sign) * one.core, tuple(out)
