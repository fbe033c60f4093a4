"""Direct runs: batches of particles, all of them simulated, and what to doubt in their results."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._interrupt import Interrupts
from ..schemes import get as get_scheme
from .first_passage import FirstPassage
from .problem import Problem, check_start
from .result import DOUBT, EscapeResult

__all__ = ["Direct", "doubts_of"]

_ENOUGH = 10  # escapes below which a rate is an order of magnitude
_LARGE_STEP = 0.3  # of the relaxation time
_FAR = 5.0  # standard errors from the exact rate
_MOST_EMPTY = 3  # batches without any escape after which a target error is out of reach

FloatArray = npt.NDArray[np.float64]


class Outcome(NamedTuple):
    """What has become of particles; `sides` are indices of the boundaries that absorb."""

    times: FloatArray
    sides: npt.NDArray[np.int8]
    positions: FloatArray
    last: FloatArray
    particle_steps: int


def _outcome(problem: Problem, batch: FirstPassage) -> Outcome:
    absorbing = [i for i, b in enumerate(problem.boundaries) if b.action == "absorb"]
    number = np.zeros(len(problem.boundaries), dtype=np.int8)
    number[absorbing] = np.arange(len(absorbing))
    time, side = batch.time, batch.side
    out = np.where(side >= 0, number[np.maximum(side, 0)], side).astype(np.int8)
    return Outcome(
        time, out, batch.x, np.where(np.isnan(time), batch.t, time), batch.particle_steps
    )


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

    def go(self) -> Outcome:
        """Run, and return what has become of all particles."""
        batches: list[Outcome] = []
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
                x0 = problem.start(self.n)
                check_start(problem, x0)  # another sample of the law than the first one
                batch = problem.batch(x0, ids)
                self._advance(batch, stop)
                batches.append(_outcome(problem, batch))
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
        return Outcome(
            np.concatenate([b.times for b in batches]),
            np.concatenate([b.sides for b in batches]),
            np.concatenate([b.positions for b in batches]),
            np.concatenate([b.last for b in batches]),
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


def _step_doubts(result: EscapeResult) -> list[str]:
    """Return what speaks against the time step: its size, and the exact rate."""
    problem, doubts = result.problem, []
    relaxation = result.relaxation_time
    exact_step = get_scheme(problem.scheme).exact
    if relaxation is not None and not exact_step and problem.dt > _LARGE_STEP * relaxation:
        doubts.append(
            f"dt = {problem.dt:g} is not small beside the relaxation time of {relaxation:.3g}: rate and "
            "times are those of this step; a smaller one tells how far off they are"
        )
    constant = result.exposure.events >= _ENOUGH and not result.exponentiality < DOUBT
    if result.exact is not None and constant:
        z = (result.rate - result.exact.rate) / result.rate_stderr
        if abs(z) > _FAR:  # nan, if there is no exact rate, is not
            doubts.append(
                f"the rate is {abs(z):.0f} standard errors from the exact one, {result.exact.rate:.4g}: "
                "use a smaller dt, or test='bridge'"
            )
    return doubts


def doubts_of(result: EscapeResult, wanted: int | None = None) -> list[str]:
    """Return what a user should be told of a result, each with what to do.

    ``wanted`` is the number of escapes that were asked for.
    """
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
    doubts += _step_doubts(result)
    if wanted is not None and _ENOUGH <= events < wanted:
        doubts.append(
            f"the relative error is {events**-0.5:.2g} after {events:,} of {wanted:,} escapes, not what "
            "until= asked for: give it more time"
        )
    if events >= 2 and result.exponentiality < DOUBT:
        if result.n_censored:
            rest = (
                "survival() holds; mean_time does not, which extrapolates for the "
                f"{result.n_censored:,} still inside"
            )
        else:
            rest = "mean_time and survival() hold all the same"
        doubts.append(
            f"the hazard after the burn-in of {result.burn_in:g} is not constant (p = "
            f"{result.exponentiality:.1e}): the escape times have no one rate; a longer burn_in= may "
            f"help. {rest}"
        )
    return doubts
