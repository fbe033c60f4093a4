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
from ..models import Model
from .direct import Direct, doubts_of
from .errors import TooFewEscapesWarning
from .exact_answer import exact_answer
from .methods import choose, rare_rate
from .problem import Problem, prepare
from .regions import Region
from .relaxation import relaxation_time
from .result import EscapeResult

__all__ = ["TargetError", "escape"]

_RELAXATIONS = 5.0  # of the slowest direction: what is left of the start is below exp(-5)
_LEFT = 100  # escapes that a burn-in found by itself leaves, if there are twice as many
_PARTICLES = 100_000  # if nothing is said
_MOST_WORK = 1e12  # steps of particles, some twenty minutes, that a run without an end may take
_EVENTS = 10_000  # escapes that `method="auto"` waits for if nothing else is said

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
    n: int | None = None,
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
    n : int, optional
        Number of particles, 1 to 2**32 - 1, by default 100 000; of "splitting" and "ams", particles per
        stage and replicate, by default 5000.
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
        five relaxation times of the process in the region (`passage.relaxation`), or, if all have
        left by then, so that a hundred escapes are left; where no relaxation is known, a tenth of
        `t_max` (0 without `t_max`). `burn_in_why` of the result says which. `burn_in` and `t_max` are
        of direct runs only.
    seed : int, optional
        0 to 2**64 - 1; drawn from the operating system when not given.
    method : {"direct", "splitting", "ams", "auto"}, default "direct"
        "direct" simulates all particles, "splitting" and "ams" are for rare events
        (`escapade.passage.splitting`, `.ams`; their x0 is in the well). "auto" picks by a pilot run of
        some seconds; `why` of the result says why. Without `t_max` and `until` it then waits for some
        10 000 escapes.
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

    Examples
    --------
    ::

        model = ea.models.DoubleWell(h=1.0, T=0.2)
        found = ea.escape(model, -1.0, ea.Interval(upper=0.0), n=10_000, dt=0.01, seed=1)
        found.rate, found.rate_interval, found.exact.rate  # once the start is forgotten
        found.mean_time                                    # from x0
        print(found)
    """
    begin = time.monotonic()
    given = None if n is None else integer("n", n, low=1, high=2**32 - 1)
    n = _PARTICLES if given is None else given
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
    bar = boolean("progress", progress)
    if isinstance(burn_in, str) and burn_in != "auto":
        raise ValueError(f"burn_in must be 'auto' or a number >= 0, got {burn_in!r}")
    if not isinstance(burn_in, str):
        number("burn_in", burn_in, low=0.0)
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
        method, why, rate = choose(problem, seconds, given)
    elif method != "direct":
        for name, value, free in (("t_max", t_max, None), ("burn_in", burn_in, "auto")):
            if value != free:
                raise ValueError(f"{name} must not be given for method={method!r}, got {value!r}")
    if method != "direct":
        left = None if max_seconds is None else max(seconds - (time.monotonic() - begin), 1e-3)
        found = rare_rate(method, problem, given, until, left, bar, rare)
        for doubt in found.warnings:
            warnings.warn(doubt, TooFewEscapesWarning, stacklevel=2)
        return replace(found, confidence=confidence, why=why)
    burned, why_burned = _burn_in(problem, burn_in, end)
    if end is None and until is None and rate is not None:
        end = burned + _EVENTS / (n * rate)
    if end is None and until is None and max_seconds is None:
        _check_end(problem, n)
    events = None if until is None else until.events
    run = Direct(problem, n, end, burned, events, begin + seconds, bar)
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
    result = replace(result, warnings=tuple(doubts_of(result, events)))
    for doubt in result.warnings:
        warnings.warn(doubt, TooFewEscapesWarning, stacklevel=2)
    return result


def _burn_in(problem: Problem, burn_in: Any, end: float | None) -> tuple[float, str]:
    if isinstance(burn_in, str):
        relaxation = relaxation_time(problem)
        if relaxation is None:
            share = 0.0 if end is None else 0.1 * end
            return share, "a tenth of t_max: no relaxation is known" if share else "none is known"
        burned, why = _RELAXATIONS * relaxation, f"five relaxation times of {relaxation:.3g}"
    else:
        burned, why = float(burn_in), "asked for"
    if end is not None and burned >= end:
        raise ValueError(
            f"t_max must be greater than burn_in = {burned:g} ({why}), got {end!r}; give a longer "
            "t_max or a shorter burn_in="
        )
    return burned, why


def _check_end(problem: Problem, n: int) -> None:
    """Refuse a run of which it is known that it would not end, in hours or ever."""
    answer = exact_answer(problem)
    if answer is None or math.isnan(answer.mean_time):
        return
    if math.isinf(answer.mean_time):
        raise ValueError(
            f"t_max, until or max_seconds must be given: particles of {problem.model!r} may never leave "
            f"{problem.region!r}, or take a time of infinite mean"
        )
    work = answer.mean_time / problem.dt * n
    if work > _MOST_WORK:
        raise ValueError(
            "t_max, until or max_seconds must be given: the mean escape time is "
            f"{answer.mean_time:.3g}, some {work:.1g} steps of particles; or use "
            "method='splitting', which is for rare events"
        )


def _shortened(result: EscapeResult) -> EscapeResult:
    """Return a result with a burn-in that leaves some escapes, where all were over before its end."""
    times = np.sort(result.times[result.sides >= 0])
    left = min(_LEFT, times.size // 2)
    if result.exposure.at_risk > 0 or result.n_censored or left == 0:
        return result
    return replace(
        result,
        burn_in=float(times[-left - 1]),
        burn_in_why=f"so that {left} escapes are left, sooner than {result.burn_in_why}",
    )
