"""How particles settle in a well, and how fast they forget where they were."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .clock import Clock
from .cycles import Replicas
from .ladder import FloatArray, Ladder

__all__ = ["Relaxation", "relax"]

_MOST_RESTARTS = 3  # of particles that leave their start for the boundary
_TAKEN = 0.1  # quantiles within this share of the interquartile range are the same
_MOST_STEPS = 2**20
_FORGOTTEN = 0.3  # rank correlation below which a state has forgotten an earlier one


@dataclass(frozen=True)
class Relaxation:
    """How particles settle in the well.

    Attributes
    ----------
    x : ndarray, shape (m,) or (m, dim)
        States of those who had not escaped when the rest had settled.
    time : float
        Time in which a height is forgotten (rank correlation 0.3), or of half the pilot run if
        particles did not settle.
    settled : bool
    escapes : int
        How many escaped in the second half of the run, after which time in sum (`exposure`), or in
        the whole of it if particles did not settle. Those who escape at once because they start
        near the boundary tell nothing of the rate of the well.
    """

    x: FloatArray
    time: float
    settled: bool
    escapes: int
    exposure: float


def _ranks(values: FloatArray) -> FloatArray:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)


def relax(ladder: Ladder, clock: Clock, replicas: Replicas) -> Relaxation:
    """Run particles from their start until the law of their heights is steady and they forget them.

    Looks at 4, 8, 16, ... steps. When less than half are left, who is left begins anew, three times.
    Ends unsettled when less than half are left then, or after 2**20 steps.
    """
    problem, n = ladder.problem, replicas.n
    start = problem.start(min(n, problem.initial.n))
    x = start[np.arange(n) % len(start)]
    batch = problem.batch(x, replicas.ids())
    before = quartiles = None
    step, settled = 4, False
    living, slots, restarts = x, np.arange(n), 0
    while True:
        clock.run(batch, step)
        if batch.alive < n / 2:
            if restarts == _MOST_RESTARTS or batch.alive == 0:
                break
            restarts += 1
            living = batch.living
            batch = problem.batch(living[np.arange(n) % len(living)], replicas.ids())
            before = quartiles = None
            step = 4
            continue
        living, slots = batch.living, batch.slots.astype(np.intp)
        heights = np.full(n, np.nan)
        heights[slots] = ladder.height(living)
        now = np.quantile(heights[slots], [0.25, 0.5, 0.75])
        if step > 4 and now[2] == now[0]:
            raise ValueError(
                f"level must tell states apart, but is {now[0]:g} for most after {step} steps"
            )
        if step >= _MOST_STEPS:
            break
        if quartiles is not None and before is not None:
            taken = max(_TAKEN, 3.5 / math.sqrt(n))  # 2.5 standard errors of the difference
            steady = np.max(np.abs(now - quartiles)) <= taken * (now[2] - now[0])
            old, new = _ranks(before[slots]), _ranks(heights[slots])
            settled = bool(steady and np.corrcoef(old, new)[0, 1] < _FORGOTTEN)
            if settled:
                break
        quartiles, before, step = now, heights, 2 * step
    since = batch.t / 2.0 if settled else 0.0
    met = batch.time[batch.time > since]  # nan, of those alive or lost, is not
    exposure = float(np.sum(met - since)) + batch.alive * (batch.t - since)
    return Relaxation(living, max(step // 2, 1) * problem.dt, settled, len(met), exposure)
