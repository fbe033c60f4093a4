"""`escapade.escape`: how fast particles leave a region."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import boolean, choice, integer, number
from .._interrupt import Interrupts
from ..models import Model
from .errors import TooFewEscapesWarning
from .first_passage import FirstPassage
from .methods import choose, rare_rate
from .problem import Problem, prepare
from .regions import Region
from .relaxation import relaxation_time
from .result import EscapeResult

__all__ = ["TargetError", "escape"]

_RELAXATIONS = 5.0  # of the slowest direction: what is left of the start is below exp(-5)
_LEFT = 100  # escapes that a burn-in found by itself leaves, if there are twice as many
_ENOUGH = 10  # escapes below which a rate is an order of magnitude
_EVENTS = 10_000  # escapes that `method="auto"` waits for if nothing else is said
_DOUBT = 1e-3  # p-value of a constant hazard below which a rate is doubted

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TargetError:
    """A relative standard error at which a run may stop.

    Parameters
    ----------
    rel : float
        Standard error of the rate over the rate, 0 < rel < 1. A direct run needs ``1/rel**2`` escapes.
    """

    rel: float

    def __post_init__(self) -> None:
        number("rel", self.rel, low=0.0, high=1.0, open_low=True, open_high=True)

    @property
    def events(self) -> int:
        """Escapes that a direct run needs."""
        return math.ceil(self.rel**-2)


def escape(
    model: Model,
    x0: Any,
    region: Region,
    n: int = 100_000,
    t_max: float | None = None,
    dt: float | None = None,
    scheme: str = "auto",
    burn_in: float | str = "auto",
    seed: int | None = None,
    *,
    method: str = "direct",
    test: str = "auto",
    until: TargetError | None = None,
    max_seconds: float | None = None,
    confidence: float = 0.95,
    dtype: Any = "float64",
    noise: str = "float32",
    threads: int | None = None,
    first_id: int = 0,
    progress: bool = False,
    **rare: Any,
) -> Any:
    """Let particles escape from a region and estimate the rate, with its interval.

    Parameters
    ----------
    model : Model
        From `escapade.models`; no sweep.
    x0 : float, array_like, distribution, `escapade.init` or "stationary"
        Initial states, all inside the region; as for `Ensemble`.
    region : Region
        `Interval`, `HalfSpace`, `Ball` or an intersection ``a & b``.
    n : int, default 100 000
        Number of particles, 1 to 2**32 - 1; of a splitting run, particles per stage.
    t_max : float, optional
        Time after which particles still inside are censored, > 0; rounded up to whole steps. By
        default all are followed until they escape, `until` or `max_seconds`.
    dt : float
        Time step, > 0. Processes in discrete time have only one, which need not be given.
    scheme : str, default "auto"
        "auto" takes ``lamperti-heun`` where the model has unit-noise coordinates: with the bridge test
        mean escape times then have a bias of order ``dt**2``. Otherwise `Model.auto_scheme`.
    burn_in : float or "auto"
        Escapes before this time do not count for the rate, because they remember the start. "auto":
        five relaxation times of the process in the region (`passage.relaxation`), but not more than
        leaves a hundred escapes; where no relaxation is known, a tenth of `t_max` (0 without
        `t_max`). `burn_in_why` of the result says which.
    seed : int, optional
        0 to 2**64 - 1; drawn from the operating system when not given.
    method : {"direct", "splitting", "ams", "auto"}, default "direct"
        "direct" simulates all particles, "splitting" and "ams" are for rare events
        (`escapade.passage.splitting`, `.ams`; their x0 is in the well, and n particles per stage are
        at most 5000 unless asked for otherwise). "auto" picks by a pilot run of some seconds; `why`
        of the result says why. Without `t_max` and `until` it then waits for some 10 000 escapes.
    test : {"auto", "bridge", "shift", "endpoint"}
        How a boundary is tested within a step. "auto" is the law of the Brownian bridge, or the end
        point for processes in discrete time and with jumps. "endpoint" alone misses excursions:
        times come out too long by the order of ``sqrt(dt)``. The bridge is that of constant
        coefficients over the step, also of the scheme ``exact``, whose steps may then not be long.
    until : TargetError, optional
        Run until the rate is known that well; in batches of n if one does not suffice.
    max_seconds : float, optional
        Stop after this wall-clock time, > 0; those still inside are censored.
    confidence : float, default 0.95
        Of all intervals.
    dtype, noise, threads, first_id
        As for `Ensemble`.
    progress : bool, default False
        Show a tqdm progress bar.
    **rare
        Further arguments of "splitting" and "ams": replicates, level, levels, core.

    Returns
    -------
    EscapeResult
        Or `RareResult` of the methods for rare events. A run in which nothing escapes returns a result
        without a rate: `rate_interval` has its upper bound, and `rate` raises `NoEscapeError`.

    Warns
    -----
    TooFewEscapesWarning
        If fewer than ten escapes were seen, or the hazard after the burn-in is not constant
        (p < 0.001), or particles were lost: the text says what to do.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds; before anything runs.
    KeyboardInterrupt
        On Ctrl-C.

    References
    ----------
    Rate: censored exponential times, Epstein and Sobel, *J. Am. Stat. Assoc.* 48, 486 (1953). Bridge:
    Gobet, *Stoch. Proc. Appl.* 87, 167 (2000). Shift: Broadie, Glasserman and Kou, *Math. Finance* 7,
    325 (1997).
    """
    n = integer("n", n, low=1, high=2**32 - 1)
    method = choice("method", method, ("direct", "splitting", "ams", "auto"))
    confidence = number("confidence", confidence, low=0.0, high=1.0, open_low=True, open_high=True)
    if until is not None and not isinstance(until, TargetError):
        raise TypeError(f"until must be a TargetError, got {until!r:.80}")
    seconds = (
        math.inf
        if max_seconds is None
        else number("max_seconds", max_seconds, low=0.0, open_low=True)
    )
    end = None if t_max is None else number("t_max", t_max, low=0.0, open_low=True)
    rate: float | None = None
    if rare and method in ("direct", "auto"):
        raise TypeError(f"escape() got unexpected arguments for method={method!r}: {sorted(rare)}")
    problem = prepare(
        model,
        x0,
        region,
        n=n,
        dt=dt,
        scheme=scheme,
        test=test,
        seed=seed,
        dtype=dtype,
        noise=noise,
        threads=threads,
        first_id=first_id,
    )
    why = "asked for"
    if method == "auto":
        method, why, rate = choose(problem, seconds)
    if method != "direct":
        bar = boolean("progress", progress)
        found = rare_rate(method, problem, n, until, max_seconds, bar, rare)
        for doubt in found.warnings:
            warnings.warn(doubt, TooFewEscapesWarning, stacklevel=2)
        return replace(found, confidence=confidence, why=why)
    burned, why_burned = _burn_in(problem, burn_in, end)
    if end is None and until is None and rate is not None:
        end = burned + _EVENTS / (n * rate)
    run = _Direct(
        problem, n, end, burned, until, time.monotonic() + seconds, boolean("progress", progress)
    )
    times, sides, positions, last, cost = run.go()
    result = EscapeResult(
        problem=problem,
        times=times,
        sides=sides,
        exits=tuple(b.name for b in problem.boundaries if b.action == "absorb"),
        positions=positions,
        last=last,
        burn_in=burned,
        burn_in_why=why_burned,
        confidence=confidence,
        why=why,
        particle_steps=cost,
        seconds=run.seconds,
    )
    if isinstance(burn_in, str):
        result = _shortened(result)
    for doubt in _doubts(result):
        result.warnings.append(doubt)
        warnings.warn(doubt, TooFewEscapesWarning, stacklevel=2)
    return result


def _burn_in(problem: Problem, burn_in: Any, end: float | None) -> tuple[float, str]:
    if isinstance(burn_in, str):
        choice("burn_in", burn_in, ("auto",))
        relaxation = relaxation_time(problem)
        if relaxation is None:
            share = 0.0 if end is None else 0.1 * end
            return share, "a tenth of t_max: no relaxation is known" if share else "none is known"
        burned, why = _RELAXATIONS * relaxation, f"five relaxation times of {relaxation:.3g}"
    else:
        burned, why = number("burn_in", burn_in, low=0.0), "asked for"
    if end is not None and burned >= end:
        raise ValueError(
            f"t_max must be greater than burn_in = {burned:g} ({why}), got {end!r}; give a longer "
            "t_max or a shorter burn_in="
        )
    return burned, why


def _shortened(result: EscapeResult) -> EscapeResult:
    """Return a result with a burn-in that leaves some escapes, where most were over before its end."""
    times = np.sort(result.times[result.sides >= 0])
    left = min(_LEFT, times.size // 2)
    if result.exposure.events >= left or left == 0:
        return result
    return replace(
        result,
        burn_in=float(times[-left - 1]),
        burn_in_why=f"so that {left} escapes are left, sooner than {result.burn_in_why}",
    )


class _Direct:
    """Batches of particles until enough of them have escaped."""

    def __init__(
        self,
        problem: Problem,
        n: int,
        t_max: float | None,
        burn_in: float,
        until: TargetError | None,
        deadline: float,
        progress: bool,
    ) -> None:
        self.problem, self.n, self.burn_in, self.until = problem, n, burn_in, until
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

                total = self.until.events if self.until else self.n
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
                if over or self.until is None or self._before >= self.until.events:
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
        since = self.burn_in if self.until else 0.0
        return int(np.count_nonzero(batch.time > since))

    def _advance(self, batch: FirstPassage, stop: Interrupts) -> None:
        enough = False

        def after(b: FirstPassage) -> None:
            nonlocal enough
            if self._bar is not None or self.until is not None:
                events = self._before + self._events(b)
                if self._bar is not None:
                    self._bar.update(min(events, self._bar.total) - self._bar.n)
                enough = self.until is not None and events >= self.until.events

        end = 2**53 if self.steps is None else self.steps
        while batch.alive and batch.step < end and not enough:
            if stop.caught or time.monotonic() >= self.deadline:
                break
            # short legs, so that a run that may stop early does so where it may
            leg = min(end, batch.step + max(64, batch.step // 8))
            batch.run(leg, stop=stop, deadline=self.deadline, after=after)


_MOST_EMPTY = 3  # batches without any escape after which a target error is out of reach


def _doubts(result: EscapeResult) -> list[str]:
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
