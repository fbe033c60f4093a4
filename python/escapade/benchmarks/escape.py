"""The benchmark of record for escape rates: rates of known problems, their errors, and what they cost.

A row compares a rate with the exact one, and its cost with that of the plain method: Euler-Maruyama,
boundaries tested at the ends of steps. With relative errors,

* error: ``e^2 = s^2 + b^2``, ``s`` the standard error of our rate, ``b`` the bias of our time step,
  known without simulation (`escapade.theory.chain_passage_time`) or bounded by what the problem allows;
* the plain method has the bias ``B(dt) = K sqrt(dt) + |L| dt``. ``K = 0.5826 sigma |T'|/T(x0)`` summed
  over ends (`escapade.theory.endpoint_bias`); ``L`` is what its exact bias at our step then leaves, 0
  where that cannot be computed. The two may cancel, at one step that nobody knows beforehand: that is
  no merit, so they are added;
* an escape costs it ``T/dt`` steps of ``c`` seconds, c measured here. The same error takes it
  ``c T / (dt (e^2 - B(dt)^2))`` seconds, at the step up to ours where that is least;
* times_faster: those seconds over ours. Both sides run on the same threads.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .. import models
from ..models import Model
from ..passage.errors import NoEscapeError, TooFewEscapesWarning
from ..passage.escape import TargetError, escape
from ..passage.first_passage import cores
from ..passage.problem import prepare
from ..passage.regions import Interval

__all__ = ["PROBLEMS", "Plain", "Problem", "Row", "exact_rate", "run"]

Z_MAX = 4.0  # standard errors that a rate may be off, beyond the bias of the time step
_BATCH = 20_000  # particles that start together in a direct run
_PARTICLES = 4000  # per stage and replicate of splitting


@dataclass(frozen=True)
class Problem:
    """A model of one number, a region, and how well its rate is to be known.

    Attributes
    ----------
    method : {"direct", "splitting"}
        A direct run measures the leading eigenvalue, splitting one over the mean time from ``x0``.
    error : float
        Relative standard error at which a run may stop.
    allowed : float
        Relative bias of the time step that is allowed where it cannot be computed: beyond means of
        1e9 steps.
    """

    name: str
    model: Model
    dt: float
    upper: float
    lower: float = -math.inf
    x0: float = 0.0
    method: str = "direct"
    error: float = 0.005
    allowed: float = 0.01

    @property
    def ends(self) -> dict[str, Any]:
        """The finite ends of the region by the names that `escapade.exact` has for them."""
        found = {"a": self.lower, "b": self.upper}
        return {k: v for k, v in found.items() if math.isfinite(v)}

    @property
    def region(self) -> Interval:
        """The region that is left."""
        return Interval(self.lower, self.upper)


def _power_law(es: float, eh: float) -> Model:
    return models.PowerLaw(H=1.0, sigma_g=es, sigma_H=eh, eta=1.0)


def _double_well(h: float) -> Model:
    return models.DoubleWell(h=h, T=1.0)


#: From a rate of 0.5 to one of 1e-28.
PROBLEMS = (
    Problem("double well, h = 2, to the top", _double_well(2.0), 2.5e-3, 0.0, x0=-1.0),
    Problem("power law, kappa = 3, to 1", _power_law(0.2, 0.5), 0.05, 1.0),
    Problem("double well, h = 6, to 0.8", _double_well(6.0), 2.5e-3, 0.8, x0=-1.0),
    Problem("Ornstein-Uhlenbeck, to 3", models.OrnsteinUhlenbeck(1.0, 0.0, 2.0**0.5), 0.05, 3.0),
    Problem("power law, kappa = 3, to 1.5", _power_law(0.2, 0.5), 0.05, 1.5),
    Problem("power law, kappa = 3.5, to -1 or 1", _power_law(0.05, 0.4), 0.05, 1.0, -1.0),
    Problem("power law, kappa = 1.4, to 10", _power_law(0.05, 2.5), 0.025, 10.0, error=0.01),
    Problem("power law, kappa = 2.25, to 5", _power_law(0.05, 0.8), 0.05, 5.0, method="splitting"),
    Problem(
        "power law, kappa = 6, to 2",
        _power_law(0.05, 0.2),
        0.05,
        2.0,
        method="splitting",
        error=0.01,
    ),
    Problem(
        "double well, h = 20, to 0.8",
        _double_well(20.0),
        5e-4,
        0.8,
        x0=-1.0,
        method="splitting",
        error=0.01,
    ),
    Problem(
        "power law, kappa = 6, to 3.5",
        _power_law(0.05, 0.2),
        0.05,
        3.5,
        method="splitting",
        error=0.01,
    ),
    Problem(
        "power law, kappa = 21, to 1.5",
        _power_law(0.02, 0.05),
        0.05,
        1.5,
        method="splitting",
        error=0.03,
    ),
    Problem(
        "double well, h = 69, to 0.8",
        _double_well(69.0),
        1e-4,
        0.8,
        x0=-1.0,
        method="splitting",
        error=0.04,
        allowed=0.02,
    ),
)


@dataclass(frozen=True)
class Plain:
    """What Euler-Maruyama with end-point tests would need.

    Attributes
    ----------
    ns_per_step : float
        Measured, on as many threads.
    bias_at_dt : float or None
        Its relative bias of the mean time at our time step, from `chain_passage_time`.
    dt : float
        Its best time step for the error that our run has.
    seconds : float
        Time it needs for that error.
    """

    ns_per_step: float
    bias_at_dt: float | None
    dt: float
    seconds: float


@dataclass(frozen=True)
class Row:
    """A rate and all that is said of it; relative quantities are fractions of the exact rate.

    Attributes
    ----------
    time_step_bias : float or None
        Of the rate, known without simulation; None where it cannot be computed.
    reached : bool
        Whether the wanted error was reached within the time.
    error : float
        ``sqrt(stderr^2 + bias^2)``, relative; see the module.
    efficiency : float
        ``1/(error^2 seconds)``.
    """

    name: str
    model: str
    region: str
    x0: float
    dt: float
    method: str
    rate: float
    interval: tuple[float, float]
    exact: float
    stderr: float
    off: float
    z: float
    time_step_bias: float | None
    allowed: float
    reached: bool
    seconds: float
    particle_steps: int
    error: float
    efficiency: float
    times_faster: float
    plain: Plain
    agrees: bool
    warnings: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return the row as a dictionary that JSON can hold."""
        return asdict(self)


def exact_rate(problem: Problem) -> float:
    """Return what a run measures: the leading eigenvalue, or one over the mean time from ``x0``."""
    from .. import exact

    if problem.method == "direct":
        return float(exact.escape_rate(problem.model, **problem.ends))
    return 1.0 / _mean_time(problem)


def run(
    problems: Sequence[Problem] | None = None,
    *,
    seconds: float = 60.0,
    seed: int = 7,
    threads: int | None = None,
) -> Iterator[Row]:
    """Measure problems one by one and yield a row for each.

    Parameters
    ----------
    problems : sequence of Problem, optional
        Default: `PROBLEMS`.
    seconds : float, default 60
        For all problems together, about; each gets an equal part and stops earlier once it has the
        error that it wants. Rates depend on the time only where it runs out.
    seed : int, default 7
        Problem number i has ``seed + i``.
    threads : int, optional
        Default: all processors.

    Raises
    ------
    TimeoutError
        If the time was so short that a problem has no rate.
    """
    number = cores() if threads is None else threads
    problems = PROBLEMS if problems is None else problems
    share = seconds / len(problems)
    for i, problem in enumerate(problems):
        yield _measure(problem, share, seed + i, number)


def _measure(problem: Problem, seconds: float, seed: int, threads: int) -> Row:
    exact = exact_rate(problem)
    measure = {"direct": _direct, "splitting": _splitting}[problem.method]
    start = time.perf_counter()
    try:
        rate, error, interval, steps, said = measure(problem, seconds, seed, threads)
    except (NoEscapeError, TimeoutError) as reason:
        raise TimeoutError(
            f"seconds must be larger: {seconds:.3g} s give no rate for {problem.name}"
        ) from reason
    spent = time.perf_counter() - start
    stderr, off = error / exact, rate / exact - 1.0
    bias = _time_step_bias(problem)
    limit = problem.allowed if bias is None else abs(bias)
    total = math.hypot(stderr, limit)
    plain = _plain(problem, total, seed, threads)
    return Row(
        name=problem.name,
        model=repr(problem.model),
        region=repr(problem.region),
        x0=problem.x0,
        dt=problem.dt,
        method=problem.method,
        rate=rate,
        interval=interval,
        exact=exact,
        stderr=stderr,
        off=off,
        z=off / stderr,
        time_step_bias=bias,
        allowed=limit,
        reached=stderr <= 1.1 * problem.error,
        seconds=spent,
        particle_steps=steps,
        error=total,
        efficiency=1.0 / (total**2 * spent),
        times_faster=plain.seconds / spent,
        plain=plain,
        agrees=abs(off) <= Z_MAX * stderr + limit,
        warnings=said,
    )


Measured = tuple[float, float, tuple[float, float], int, tuple[str, ...]]


def _direct(problem: Problem, seconds: float, seed: int, threads: int) -> Measured:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TooFewEscapesWarning)  # they are kept in the row
        found = escape(
            problem.model,
            problem.x0,
            problem.region,
            n=_BATCH,
            dt=problem.dt,
            seed=seed,
            until=TargetError(problem.error),
            max_seconds=seconds,
            threads=threads,
        )
    said = tuple(found.warnings)
    return found.rate, found.rate_stderr, found.rate_interval, found.particle_steps, said


def _splitting(problem: Problem, seconds: float, seed: int, threads: int) -> Measured:
    from ..passage.splitting import splitting

    found = splitting(
        problem.model,
        problem.x0,
        problem.region,
        dt=problem.dt,
        n=_PARTICLES,
        until=problem.error,
        max_seconds=seconds,
        seed=seed,
        threads=threads,
    )
    if found.bound is not None:
        raise NoEscapeError("there is only an upper bound")
    return found.rate, found.stderr, found.interval(), found.particle_steps, found.warnings


def _mean_time(problem: Problem) -> float:
    from .. import exact

    return float(exact.mean_exit_time(problem.model, problem.x0, **problem.ends))


def _chain_bias(problem: Problem, scheme: str, test: str) -> float | None:
    """Return the relative bias of the mean time that a step brings; None if out of reach."""
    from ..theory import chain_passage_time

    mean = _mean_time(problem)
    if mean > 0.5e9 * problem.dt:
        return None
    found = chain_passage_time(
        problem.model,
        problem.dt,
        start=problem.x0,
        lower=problem.lower,
        upper=problem.upper,
        scheme=scheme,
        test=test,
    )
    return found / mean - 1.0


def _time_step_bias(problem: Problem) -> float | None:
    bias = _chain_bias(problem, "lamperti-heun", "bridge")
    return None if bias is None else 1.0 / (1.0 + bias) - 1.0


def _plain(problem: Problem, error: float, seed: int, threads: int) -> Plain:
    """Return what the plain method needs for an error; see the module."""
    from ..theory import endpoint_bias

    mean = _mean_time(problem)
    first = sum(
        endpoint_bias(
            1.0, float(problem.model.diffusion(np.asarray(end))), _slope(problem, end), mean
        )
        for end in problem.ends.values()
    )
    known = _chain_bias(problem, "euler-maruyama", "endpoint")
    second = 0.0 if known is None else abs(known / problem.dt - first / math.sqrt(problem.dt))
    per_step = _seconds_per_step(problem, seed, threads)
    dt = problem.dt * np.geomspace(1.0, 1e-12, 4001)
    bias = first * np.sqrt(dt) + second * dt
    # at the coarsest steps no number of particles gives the error
    with np.errstate(divide="ignore"):
        times = per_step * mean / dt / np.maximum(error**2 - bias**2, 0.0)
    best = int(np.argmin(times))
    return Plain(1e9 * per_step, known, float(dt[best]), float(times[best]))


def _slope(problem: Problem, end: float) -> float:
    """Return ``T'`` at an end, where ``T`` is 0."""
    from .. import exact

    h = 1e-6 * abs(end - problem.x0) * (1.0 if end < problem.x0 else -1.0)
    return float(exact.mean_exit_time(problem.model, end + h, **problem.ends)) / h


def _seconds_per_step(problem: Problem, seed: int, threads: int) -> float:
    """Return the time of a plain particle-step, the least of some short runs."""
    n, steps = 20_000 * threads, 500
    given = prepare(
        problem.model,
        problem.x0,
        problem.region,
        n=n,
        dt=problem.dt,
        scheme="euler-maruyama",
        test="endpoint",
        seed=seed,
        threads=threads,
    )
    x, ids = given.start(n), np.arange(n, dtype=np.uint64)
    found = []
    for _ in range(4):
        batch = given.batch(x, ids)
        batch.run(steps)
        found.append(batch.seconds / batch.particle_steps)
    return min(found)
