"""Direct runs: batches of particles, all of them simulated, and what to doubt in their results."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from .._interrupt import Interrupts
from .first_passage import FirstPassage
from .problem import Problem
from .result import EscapeResult

__all__ = ["Direct", "doubts_of"]

_ENOUGH = 10  # escapes below which a rate is an order of magnitude
_DOUBT = 1e-3  # p-value of a constant hazard below which a rate is doubted
_MOST_EMPTY = 3  # batches without any escape after which a target error is out of reach

FloatArray = npt.NDArray[np.float64]


class Direct:
    """Batches of particles until enough of them have escaped."""

    def __init__(
        self,
        problem: Problem,
        n: int,
        t_max: float | None,
        burn_in: float,
        events: int | None,
        deadline: float,
        progress: bool,
    ) -> None:
        self.problem, self.n, self.burn_in, self.wanted = problem, n, burn_in, events
        self.steps = None if t_max is None else math.ceil(t_max / problem.dt * (1.0 - 1e-12))
        self.deadline, self.progress = deadline, progress
        self.seconds = 0.0
        self._before = 0  # escapes after the burn-in in the batches before
        self._bar: Any = None

    def go(self) -> tuple[FloatArray, npt.NDArray[np.int8], FloatArray, FloatArray, int]:
        batches: list[FirstPassage] = []
        start = time.perf_counter()
        with Interrupts() as stop:
            if self.progress:
                from tqdm.auto import tqdm

                total = self.wanted or self.n
                self._bar = tqdm(
                    total=total, unit="escape", desc=f"{self.problem.model.name} escape"
                )
            while True:
                problem = self.problem.further(self.n * len(batches))
                ids = np.arange(self.n, dtype=np.uint64) + np.uint64(problem.first_id)
                batch = problem.batch(problem.start(self.n), ids)
                batches.append(batch)
                self._advance(batch, stop)
                self._before += self._events(batch)
                over = stop.caught or time.monotonic() >= self.deadline
                if over or self.wanted is None or self._before >= self.wanted:
                    break
                if self._before == 0 and len(batches) >= _MOST_EMPTY:
                    break
            if self._bar is not None:
                self._bar.close()
        stop.deliver()
        self.seconds = time.perf_counter() - start
        last = [np.where(np.isnan(b.time), b.t, b.time) for b in batches]
        return (
            np.concatenate([b.time for b in batches]),
            np.concatenate([b.side for b in batches]),
            np.concatenate([b.x for b in batches]),
            np.concatenate(last),
            sum(b.particle_steps for b in batches),
        )

    def _events(self, batch: FirstPassage) -> int:
        since = self.burn_in if self.wanted else 0.0
        return int(np.count_nonzero(batch.time > since))

    def _advance(self, batch: FirstPassage, stop: Interrupts) -> None:
        enough = False

        def after(b: FirstPassage) -> None:
            nonlocal enough
            if self._bar is not None or self.wanted is not None:
                events = self._before + self._events(b)
                if self._bar is not None:
                    self._bar.update(min(events, self._bar.total) - self._bar.n)
                enough = self.wanted is not None and events >= self.wanted

        end = 2**53 if self.steps is None else self.steps
        while batch.alive and batch.step < end and not enough:
            if stop.caught or time.monotonic() >= self.deadline:
                break
            # short legs, so that a run that may stop early does so where it may
            leg = min(end, batch.step + max(64, batch.step // 8))
            batch.run(leg, stop=stop, deadline=self.deadline, after=after)


def doubts_of(result: EscapeResult) -> list[str]:
    """Return what a user should be told of a result, each with what to do."""
    doubts = []
    events, at_risk, _ = result.exposure
    if result.n_lost:
        doubts.append(
            f"{result.n_lost:,} particles were lost (nan or infinite) and left out: use a smaller dt or "
            "another scheme"
        )
    if events == 0:
        doubts.append(result._nothing())
    elif events < _ENOUGH:
        low, high = result.rate_interval
        doubts.append(
            f"only {events} particles escaped after the burn-in, the rate lies in [{low:.3g}, "
            f"{high:.3g}]: raise n or t_max (now {at_risk:.3g} units of particle time), or use "
            "method='splitting'"
        )
    if events >= 2 and result.exponentiality < _DOUBT:
        doubts.append(
            f"the hazard after the burn-in of {result.burn_in:g} is not constant (p = "
            f"{result.exponentiality:.1e}): the escape times have no one rate; a longer burn_in= may "
            "help, and mean_time and survival() hold all the same"
        )
    return doubts
