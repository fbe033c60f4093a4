"""Cycles from the core of a well to its first level and back: the flux under an escape rate.

With the core A = {height <= core} and the first level outside, a cycle leads from A to the level, and
then to A or to the boundary B. Cycles of a stationary sequence have the mean time ``E tau_up + E
tau_down`` and end at B with probability p, so by Wald's identity

    rate = 1 / MFPT(from A) = p / (E tau_up + E tau_down)

with A entered as it is entered in the sequence; exactly so by the strong Markov property (Hill,
*Free Energy Transduction in Biology* (1977); Allen, Warren and ten Wolde, PRL 94, 018104 (2005)). In
one dimension, with bridge tests, the core is a point, and every cycle begins there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _core
from .clock import Clock, IdArray, ids_of
from .first_passage import LOST
from .ladder import ESCAPED, PASSED, RETURNED, FloatArray, Ladder
from .problem import Problem

__all__ = ["BRANCHING", "Cycles", "IntArray", "Replicas", "climb", "cycles", "resample"]

BRANCHING = 4  # stream of noise for splitting and cloning, see cpp/core/stream.hpp
IntArray = npt.NDArray[np.intp]


@dataclass
class Replicas:
    """Replicas that run side by side: n particles each, one number of stages done for all of them."""

    problem: Problem
    numbers: list[int]
    n: int
    stage: int = 0

    def ids(self) -> IdArray:
        """Begin a new stage and return the numbers of its particles, shape (replicas * n,)."""
        self.stage += 1
        return np.concatenate([ids_of(self.problem, r, self.stage, self.n) for r in self.numbers])

    def uniforms(self, row: int, n: int) -> FloatArray:
        """Return uniforms of the branching of a replica in this stage, shape (n,)."""
        first = ids_of(self.problem, self.numbers[row], self.stage, 1)[0]
        return _core.uniforms(n, self.problem.seed, BRANCHING, int(first), 0)


def resample(replicas: Replicas, owner: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Choose n members of each replica's pool, each as often as any other (systematic resampling).

    Parameters
    ----------
    owner : ndarray of intp, shape (m,)
        Row of the replica that each member of the pool belongs to, in ascending order.

    Returns
    -------
    rows : ndarray of intp, shape (k,)
        Replicas whose pool is not empty.
    chosen : ndarray of intp, shape (k * n,)
        Places in the pool: member j of m is chosen ``n/m`` times in the mean, rounded up or down.
    """
    sizes = np.bincount(owner, minlength=len(replicas.numbers))
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rows = np.flatnonzero(sizes)
    chosen = np.empty((len(rows), n), dtype=np.intp)
    steps = np.arange(n)
    for k, r in enumerate(rows):
        u = replicas.uniforms(int(r), 1)[0]
        place = ((steps + u) * (sizes[r] / n)).astype(np.intp)
        chosen[k] = offsets[r] + np.minimum(place, sizes[r] - 1)
    return rows, chosen.ravel()


@dataclass(frozen=True)
class Cycles:
    """The last of the cycles of some replicas.

    Attributes
    ----------
    up, down : ndarray, shape (replicas,)
        Mean time from the core to the first level, and from there to the core or out.
    correction : ndarray, shape (replicas,)
        Factor by which the mean of ``1 / (up + down)`` is too large: ``1 + Var / (up + down)^2``.
    leg : ndarray of int8, shape (replicas * n,)
        Leg on which each particle passed its first level, or -2 (lost).
    escaped : ndarray of bool, shape (replicas * n,)
        Whether it did not stop at the first level.
    x : ndarray, shape (replicas * n,) or (replicas * n, dim)
        Where it passed it.
    """

    up: FloatArray
    down: FloatArray
    correction: FloatArray
    leg: npt.NDArray[np.int8]
    escaped: npt.NDArray[np.bool_]
    x: FloatArray


def climb(
    ladders: list[Ladder], clock: Clock, x: FloatArray, ids: IdArray
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_], FloatArray, FloatArray]:
    """Run particles from the core to the first level of any leg: leg, whether escaped, where, when."""
    if len(ladders) == 1:
        paths = ladders[0].run(clock, x, ids, core=False, level=ladders[0].first)
        met = (paths.end == PASSED) | (paths.end == ESCAPED)
        return np.where(met, 0, -2).astype(np.int8), paths.end == ESCAPED, paths.x, paths.time
    problem = ladders[0].problem
    watched = [leg.surface(leg.first) for leg in ladders]
    watched += [leg.target for leg in ladders if leg.target is not None]
    batch = problem.batch(x, ids, boundaries=watched)
    clock.run(batch)
    side = batch.side
    clock.gone += int(np.count_nonzero(side == LOST))
    leg = np.where(side >= 0, side % len(ladders), -2).astype(np.int8)
    return leg, side >= len(ladders), batch.x, batch.time


def cycles(
    ladders: list[Ladder], clock: Clock, replicas: Replicas, start: FloatArray, burn_in: int
) -> Cycles:
    """Run ``burn_in`` cycles, each from where the one before came back, and the one that counts.

    Parameters
    ----------
    start : ndarray, shape (m,) or (m, dim)
        States in the well; not used where the core is a point.
    """
    n, count = replicas.n, len(replicas.numbers)
    owner = np.repeat(np.arange(count), n)
    if ladders[0].pointlike:
        x = ladders[0].at_core(count * n)
    else:
        at = np.add.outer(np.asarray(replicas.numbers) * n, np.arange(n)).ravel()
        x = start[at % len(start)]
        heights = np.stack([ladder.height(x) - ladder.core for ladder in ladders])
        above = np.where(np.max(heights, axis=0) > 0.0, np.argmax(heights, axis=0), -1)
        x = _down(ladders, clock, replicas, owner, x, above)
    for cycle in range(burn_in + 1):
        leg, escaped, entry, up = climb(ladders, clock, x, replicas.ids())
        if cycle < burn_in:
            x = _down(ladders, clock, replicas, owner, entry, np.where(escaped, -2, leg))
    inside = np.flatnonzero((leg >= 0) & ~escaped)
    down = np.zeros(count * n)
    ids = replicas.ids()
    for i, ladder in enumerate(ladders):
        here = inside[leg[inside] == i]
        if len(here):
            down[here] = ladder.run(clock, entry[here], ids[here]).time
    times = np.stack([up.reshape(count, n), down.reshape(count, n)])
    if np.any(np.all(np.isnan(times), axis=2)):
        raise _nobody(clock, "came to the first level and back")
    means, variances = np.nanmean(times, axis=2), np.nanvar(times, axis=2)
    total = means.sum(axis=0)
    # E 1/T = (1 + Var T / (E T)^2 + ...) / E T for a mean time T
    correction = 1.0 + variances.sum(axis=0) / n / total**2
    return Cycles(means[0], means[1], correction, leg, escaped, entry)


def _down(
    ladders: list[Ladder],
    clock: Clock,
    replicas: Replicas,
    owner: IntArray,
    x: FloatArray,
    leg: IntArray,
) -> FloatArray:
    """Bring particles back to the core on their legs (-1: they are there, -2: they are lost).

    Who is lost or escapes is replaced by one of the same replica who came back.
    """
    x, ids = x.copy(), replicas.ids()
    back = leg == -1
    for i, ladder in enumerate(ladders):
        here = np.flatnonzero(leg == i)
        if len(here):
            paths = ladder.run(clock, x[here], ids[here])
            x[here] = paths.x
            back[here] = paths.end == RETURNED
    kept = np.flatnonzero(back)
    if len(kept) < len(x):
        rows, chosen = resample(replicas, owner[kept], replicas.n)
        if len(rows) < len(replicas.numbers):
            raise _nobody(clock, "came back to the core")
        x = x[kept][chosen]
    return x


def _nobody(clock: Clock, what: str) -> ValueError:
    lost = f" ({clock.gone:,} lost: not finite)" if clock.gone else ""
    return ValueError(
        f"n must be larger, or the core lower: of the particles of a replica nobody {what}{lost}"
    )
