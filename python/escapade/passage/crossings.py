"""`escapade.crossings`: how often particles go from one level to another."""

from __future__ import annotations

import functools
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from .._checks import integer, number
from .._interrupt import Interrupts
from ..models import Model
from .errors import NoEscapeError, TooFewEscapesWarning
from .first_passage import LOST
from .problem import Problem, prepare
from .regions import Boundary, Interval

__all__ = ["CrossingResult", "crossings"]


@dataclass(frozen=True, repr=False)
class CrossingResult:
    """Numbers of passages from ``down`` to ``up``.

    Attributes
    ----------
    counts : ndarray of uint32, shape (n - n_lost,)
        Passages that each particle made.
    t : float
        Time that each was followed.
    n_lost : int
        Particles whose state is no longer finite; they are left out.
    confidence : float
        Of the interval.
    """

    problem: Problem
    counts: npt.NDArray[np.uint32]
    t: float
    confidence: float
    n_lost: int = 0

    @property
    def rate(self) -> float:
        """Passages per particle and unit of time.

        Raises
        ------
        NoEscapeError
            If there were none; `rate_interval` has an upper bound.
        """
        self._some()
        return float(np.mean(self.counts)) / self.t

    @functools.cached_property
    def rate_stderr(self) -> float:
        """Standard error of the rate, from the scatter over particles."""
        self._some()
        return float(np.std(self.counts, ddof=1)) / math.sqrt(self.counts.size) / self.t

    def __str__(self) -> str:
        low, high = self.rate_interval
        rate = f"{self.rate:.6g}" if np.any(self.counts) else "none seen,"
        return (
            f"passages of {self.problem.model!r}: {int(np.sum(self.counts)):,} by {self.counts.size:,} "
            f"particles in t = {self.t:g}\n  rate {rate} [{low:.6g}, {high:.6g}], {self.n_lost:,} lost"
        )

    def __repr__(self) -> str:
        return f"<CrossingResult: {int(np.sum(self.counts)):,} passages>"

    def _some(self) -> None:
        if not np.any(self.counts):
            if self.counts.size < 2:
                raise NoEscapeError("fewer than two particles were not lost: use a smaller dt")
            raise NoEscapeError(
                f"there were no passages: the rate is below {self.rate_interval[1]:.3g} "
                f"({self.confidence:.0%}); raise t or n"
            )

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Normal interval of the rate; without any passage ``(0, bound)`` as of a Poisson process."""
        if not np.any(self.counts):
            return 0.0, -math.log1p(-self.confidence) / (self.t * self.counts.size)
        width = float(stats.norm.isf(0.5 * (1.0 - self.confidence))) * self.rate_stderr
        return max(self.rate - width, 0.0), self.rate + width


def crossings(
    model: Model,
    x0: Any,
    down: float,
    up: float,
    n: int = 10_000,
    t: float | None = None,
    dt: float | None = None,
    scheme: str = "auto",
    seed: int | None = None,
    *,
    coordinate: int = 0,
    test: str = "auto",
    confidence: float = 0.95,
    dtype: Any = "float64",
    noise: str = "float32",
    threads: int | None = None,
    first_id: int = 0,
) -> CrossingResult:
    """Count how often particles, never stopped, come to one level after having been at another.

    A passage counts when a particle meets ``up`` for the first time since it was at ``down``; the
    start counts as ``down``. A single level is no use here: Brownian paths that cross it once cross it
    infinitely often. Backwards passages are counted by exchanging the levels. The start leaves a bias
    of order ``1/t`` in the rate: follow particles for many passages.

    Where passages are rare, `escape` from one side says more for less: it needs one passage each.

    Parameters
    ----------
    model : Model
        From `escapade.models`; no sweep.
    x0 : float, array_like, distribution, `escapade.init` or "stationary"
        As for `escape`, on the side of ``up`` where ``down`` is.
    down, up : float
        Different levels of one number of the state, in either order.
    n : int, default 10 000
        Number of particles.
    t : float
        Time to follow them, > 0; rounded up to whole steps.
    dt, scheme, seed, test, confidence, dtype, noise, threads, first_id
        As for `escape`.
    coordinate : int, default 0
        Which number of the state, >= 0.

    Returns
    -------
    CrossingResult

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds; before anything runs.
    KeyboardInterrupt
        On Ctrl-C.

    Examples
    --------
    ::

        model = ea.models.DoubleWell(h=1.0, T=0.5)
        found = ea.crossings(model, -1.0, down=-0.8, up=0.8, n=1000, t=1000.0, dt=0.01, seed=1)
        found.rate, found.rate_interval
    """
    n = integer("n", n, low=2, high=2**32 - 1)
    down, up = number("down", down), number("up", up)
    if down == up:
        raise ValueError(f"down and up must differ, got {down!r} twice: use a gap")
    confidence = number("confidence", confidence, low=0.0, high=1.0, open_low=True, open_high=True)
    if t is None:
        raise TypeError("t must be given: the time to follow particles, a number > 0")
    end = number("t", t, low=0.0, open_low=True)
    region = (
        Interval(upper=up, coordinate=coordinate)
        if up > down
        else Interval(lower=up, coordinate=coordinate)
    )
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
    kind, sign = problem.boundaries[0].test, 1.0 if up > down else -1.0
    levels = [
        Boundary("coordinate", up, sign, coordinate, action="count", test=kind, name="up"),
        Boundary("coordinate", down, -sign, coordinate, action="rearm", test=kind, name="down"),
    ]
    ids = np.arange(n, dtype=np.uint64) + np.uint64(problem.first_id)
    batch = problem.batch(problem.start(n), ids, boundaries=levels)
    with Interrupts() as stop:
        batch.run(math.ceil(end / problem.dt * (1.0 - 1e-12)), stop=stop)
    stop.deliver()
    kept = batch.side != LOST
    lost = int(n - np.count_nonzero(kept))
    if lost:
        warnings.warn(
            f"{lost:,} particles were lost (nan or infinite) and left out: use a smaller dt or another "
            "scheme",
            TooFewEscapesWarning,
            stacklevel=2,
        )
    return CrossingResult(problem, batch.counts[kept], batch.t, confidence, lost)
