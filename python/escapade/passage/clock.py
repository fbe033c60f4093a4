"""What the batches of a rare-event run share: numbers that key their noise, and reasons to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .._interrupt import Interrupts
from .first_passage import FirstPassage
from .problem import Problem

__all__ = ["PARTICLE_BITS", "REPLICA_BITS", "Clock", "IdArray", "Stopped", "ids_of"]

IdArray = npt.NDArray[np.uint64]

PARTICLE_BITS, STAGE_BITS, REPLICA_BITS = 28, 18, 17
_MOST_RELAXATIONS = 10_000  # of a stage; a first level is met within two, on average
_FEWEST_RELAXATIONS = 64  # where so many are more than ..
_MOST_STEPS = 2**22  # .. so many steps
_SLOWER = 64  # steps of a level function, one by one, take so much longer


def ids_of(problem: Problem, replica: int, stage: int, n: int) -> IdArray:
    """Return the numbers of the particles of a stage, which key their noise.

    ``first_id + replica 2**46 + stage 2**28 + particle``. Replica 0 is the pilot run, stages count
    from 1: nobody shares noise with anybody, nor with particles ``first_id ... first_id + 2**28``.
    """
    if stage >= 2**STAGE_BITS or replica >= 2**REPLICA_BITS:
        raise RuntimeError(f"no numbers are left for stage {stage:,} of replica {replica:,}")
    base = problem.first_id + (replica << (PARTICLE_BITS + STAGE_BITS)) + (stage << PARTICLE_BITS)
    ids: IdArray = np.arange(n, dtype=np.uint64) + np.uint64(base)
    return ids


class Stopped(Exception):
    """Time is up, or Ctrl-C has come: a batch was left before its end."""


@dataclass
class Clock:
    """What all batches of a run share: the reasons to stop, and what they have cost."""

    stop: Interrupts
    deadline: float = math.inf
    tick: Callable[[], None] | None = None
    particle_steps: int = 0
    gone: int = 0
    most_steps: int | None = None  # of a batch that has no other end; set by `limit`
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return time.monotonic() - self.started

    def limit(self, relaxation_steps: int, one_by_one: bool) -> None:
        """Bound the steps of a batch: particles in a well need some relaxation times for a stage."""
        k, slower = relaxation_steps, _SLOWER if one_by_one else 1
        most = min(_MOST_RELAXATIONS * k, _MOST_STEPS) // slower
        self.most_steps = max(most, _FEWEST_RELAXATIONS * k, 10_000)

    def check(self, batch: FirstPassage) -> None:
        """Refuse a batch that goes on for too long.

        Raises
        ------
        ValueError
            If particles have come to no end of a stage within the bound.
        """
        if self.most_steps is not None and batch.alive and batch.step >= self.most_steps:
            raise ValueError(
                f"core (or x0) must lie in a well that particles come back to, and the first level "
                f"near it: {batch.alive:,} of {batch.n:,} came neither back to the core nor to the "
                f"next level within a time of {batch.t:.3g}, far longer than the relaxation time"
            )

    def run(self, batch: FirstPassage, steps: int | None = None) -> None:
        """Run a batch to its end, or to step number ``steps``.

        Raises
        ------
        Stopped
            If it did not come there.
        ValueError
            If it has no other end and takes too long: see `check`.
        """
        before = batch.particle_steps
        end = self.most_steps if steps is None else steps
        batch.run(end, stop=self.stop, deadline=self.deadline)
        self.particle_steps += batch.particle_steps - before
        if batch.alive and (end is None or batch.step < end):
            raise Stopped
        if steps is None:
            self.check(batch)
        if self.tick is not None:
            self.tick()
