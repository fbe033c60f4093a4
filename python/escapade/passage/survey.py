"""The pilot run before a rare-event estimate: where the well is, and where its levels should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .clock import Clock
from .cycles import Replicas, climb
from .ladder import ESCAPED, PASSED, FloatArray, Ladder, legs
from .problem import Problem
from .regions import Boundary
from .settling import Relaxation, relax
from .swarm import tie

__all__ = ["NoLevelsError", "Survey", "survey"]

SUCCESS = 0.4  # share of particles that should come from a level to the next
_DIRECT = 0.25  # a last stage in which at least this share escapes needs no level any more
_MOST_LEVELS = 2000
_FEW = 20  # of those who rise should pass a level, if there are as many
_LEAST = 1e-300  # chance of a leg below which its levels lead nowhere


class NoLevelsError(ValueError):
    """The pilot run found no levels on the way out; adaptive splitting needs none."""


@dataclass(frozen=True)
class Survey:
    """What the pilot run has found.

    Attributes
    ----------
    ladders : list of Ladder
        With core and first level.
    levels : list of list of float
        For each leg, heights after the first level.
    rate : float
        Rough rate of escape; one that nothing reached is guessed from above.
    """

    ladders: list[Ladder]
    levels: list[list[float]]
    relaxation: Relaxation
    rate: float
    warnings: list[str]


def survey(
    problem: Problem,
    clock: Clock,
    n: int,
    *,
    level: Any = None,
    core: float | None = None,
    levels: Sequence[float] | None = None,
    climbing: bool = True,
) -> Survey:
    """Find core, first level and (``climbing``) further levels of each leg.

    The core is where particles start, if this is one height inside the central 90 per cent of the
    settled particles, and their median otherwise. The first level is what 40 per cent of the settled
    particles come up to within the relaxation time; further ones are passed by 40 per cent each.
    """
    ladders = legs(problem, level)
    replicas = Replicas(problem, [0], n)
    warnings: list[str] = []
    one = ladders[0]
    relaxation = relax(one, clock, replicas)
    if not relaxation.settled:
        warnings.append(
            f"particles had not settled after a time of {2 * relaxation.time:.3g}, when "
            f"{relaxation.escapes:,} of {n:,} had escaped: if these are many, this is no rare event, "
            "and direct simulation is simpler"
        )
    steps = max(round(relaxation.time / problem.dt), 1)
    clock.limit(steps, one_by_one=one.target is None)
    if core is None:
        core = _core(one, relaxation, warnings)
    for leg in ladders:
        leg.core = core if leg is one else _same_place(core, one, leg)
        if not leg.core < leg.top:
            raise ValueError(f"core must lie inside the region, got {_shown(leg, leg.core)!r}")
        _refuse(leg, relaxation)
    given = None if levels is None else list(levels)
    ids = replicas.ids()[: len(relaxation.x)]
    for leg in ladders:
        if given:
            leg.first = given[0]
            if not leg.core < leg.first:
                raise ValueError(
                    f"levels must begin outside the core, {_shown(leg, leg.core):g}, got "
                    f"{_shown(leg, leg.first)!r}"
                )
            continue
        paths = leg.run(clock, relaxation.x, ids, core=False, steps=steps)
        peak = float(np.quantile(paths.peak, 1.0 - SUCCESS, method="lower"))
        if not peak > leg.core:
            peak = float(np.max(paths.peak, where=np.isfinite(paths.peak), initial=leg.core))
        middle = 0.5 * (leg.core + leg.top) if math.isfinite(leg.top) else math.inf
        leg.first = min(peak, middle)
        if not leg.core < leg.first < math.inf:
            raise ValueError(
                "levels must be given: within the relaxation time no particle of the pilot run "
                f"came above the core, {_shown(leg, leg.core):g}"
            )
    if given is not None:
        return Survey(ladders, [given[1:]], relaxation, math.nan, warnings)
    found: list[list[float]] = []
    rate = math.nan
    if climbing:
        rate = 0.0
        start = one.at_core(n) if one.pointlike else _from_core(ladders, relaxation, n)
        which, escaped, entry, up = climb(ladders, clock, start, replicas.ids())
        flux = 1.0 / (2.0 * float(np.nanmean(up)))  # down takes about as long as up
        for i, leg in enumerate(ladders):
            pool = entry[(which == i) & ~escaped]
            more, chance = _choose(leg, clock, replicas, pool) if len(pool) else ([], 0.0)
            found.append(more)
            rate += flux * (chance * len(pool) + np.count_nonzero(escaped & (which == i))) / n
    return Survey(ladders, found, relaxation, float(rate), warnings)


def _from_core(ladders: list[Ladder], relaxation: Relaxation, n: int) -> FloatArray:
    x = relaxation.x
    inside = np.all([leg.height(x) < leg.first for leg in ladders], axis=0)
    kept = x[inside]
    return kept[np.arange(n) % len(kept)]


def _refuse(leg: Ladder, relaxation: Relaxation) -> None:
    """Refuse a core that particles do not come to, and a level that does not grow to the boundary."""
    x, problem = relaxation.x, leg.problem
    lowest = float(np.min(leg.height(x)))
    if relaxation.settled and leg.core < lowest:
        raise ValueError(
            f"core must lie where particles come: of {len(x):,} that had settled in the well the "
            f"nearest was at {_shown(leg, lowest):.6g}, got {_shown(leg, leg.core)!r}"
        )
    if leg.target is not None:
        return
    states = x if problem.model.vector else x[..., None]
    highest = -math.inf
    for b in problem.boundaries:
        if b.action == "absorb":
            foot = _foot(b, states)
            highest = max(
                highest, float(np.max(leg.height(foot if problem.model.vector else foot[:, 0])))
            )
    if not highest > leg.core:
        raise ValueError(
            f"level must grow on the way out: it is {leg.core + 0.0:.6g} at the core, and at most "
            f"{highest:.6g} on the boundary beside the particles of the pilot run"
        )


def _foot(b: Boundary, x: FloatArray) -> FloatArray:
    """Return the points of a boundary that are nearest to states, shape (n, dim)."""
    foot: FloatArray
    if b.kind == "coordinate":
        foot = x.copy()
        foot[:, b.coordinate] = b.level
        return foot
    vector = np.asarray(b.vector)
    if b.kind == "half_space":
        foot = x + (b.level - x @ vector)[:, None] * vector
        return foot
    off = x - vector
    off[np.all(off == 0.0, axis=1), 0] = 1.0
    foot = vector + b.level * off / np.linalg.norm(off, axis=1, keepdims=True)
    return foot


def _core(one: Ladder, relaxation: Relaxation, warnings: list[str]) -> float:
    problem = one.problem
    start = one.height(problem.start(min(1024, problem.initial.n)))
    settled = one.height(relaxation.x)
    low, middle, high = np.quantile(settled, [0.05, 0.5, 0.95])
    if np.ptp(start) == 0.0 and (low <= start[0] <= high or not relaxation.settled):
        return float(start[0])
    if not relaxation.settled:
        return float(np.median(start))
    begun = float(np.median(start))
    beneath = one.target is not None and one.target.kind != "ball"  # there is an outside below, too
    if begun > high or (beneath and begun < low):
        warnings.append(
            f"x0 is outside the well in which particles settle: the rate is that of the well, "
            f"around {_shown(one, float(middle)):.4g}"
        )
    return float(middle)


def _same_place(core: float, one: Ladder, leg: Ladder) -> float:
    assert one.target is not None and leg.target is not None
    return leg.target.sign * one.target.sign * core


def _shown(leg: Ladder, height: float) -> float:
    """Return a height as the user knows it: a value of the coordinate, distance or function."""
    return height if leg.target is None else leg.target.sign * height


def _next(leg: Ladder, start: FloatArray, peak: FloatArray) -> float:
    """Return a level that 40 per cent come to, or half of those who rise, where these are fewer.

    In discrete time, or where the drift is steep, few rise above their start. A quantile of all peaks
    is then one of the starts, and levels crowd there.
    """
    rising = peak[peak > start + tie(leg, start)]
    if len(rising) >= SUCCESS * len(peak):
        rising, quantile = peak, 1.0 - SUCCESS
    elif len(rising) == 0:
        return -math.inf
    else:
        quantile = max(min(0.5, 1.0 - _FEW / len(rising)), 0.0)
    return float(np.quantile(rising, quantile, method="lower"))


def _choose(
    leg: Ladder, clock: Clock, replicas: Replicas, pool: FloatArray
) -> tuple[list[float], float]:
    """Return levels above the first one, each passed by 40 per cent, and the chance to escape."""
    n = replicas.n
    here, levels, chance = leg.first, list[float](), 1.0
    while len(levels) < _MOST_LEVELS:
        x, ids = pool[np.arange(n) % len(pool)], replicas.ids()
        free = leg.run(clock, x, ids)
        share = float(np.mean(free.end == ESCAPED))
        level = _next(leg, leg.height(x), free.peak)
        if share >= _DIRECT or not level < leg.top - 0.25 * (level - here):
            break
        if not level > here or chance < _LEAST:
            raise NoLevelsError(
                f"level must grow on the way out: from {_shown(leg, here):g}, the level number "
                f"{len(levels)}, particles of the pilot run came no higher, or nowhere near the "
                "boundary; method='ams', a smaller dt, a larger n or another level function may help"
            )
        passed = leg.run(clock, x, ids, level=level)
        pool = passed.x[passed.end == PASSED]
        out = float(np.mean(passed.end == ESCAPED))
        if len(pool) == 0:
            share = out
            break
        levels.append(level)
        here = level
        chance *= out + len(pool) / n
    return levels, chance * max(share, 1.0 / n)
