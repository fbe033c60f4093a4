"""An escape problem: what is asked, checked once, for all the methods that answer it."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import choice, integer, number
from .._run import resolve_scheme
from ..initial import Initial
from ..models import Model
from ..models._evaluate import into_coordinate, out_of_coordinate
from ..schemes import get as get_scheme
from .first_passage import FirstPassage, cores
from .regions import Boundary, Interval, Region, on_line

__all__ = ["TESTS", "Problem", "check_start", "prepare"]

TESTS = ("bridge", "shift", "endpoint")

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """Particles of a model that start somewhere in a region, and how they are stepped and tested.

    Attributes
    ----------
    boundaries : tuple of Boundary
        Those of the region that the process can reach, physical, with the test to be used.
    initial : Initial
        Where they start; see `start`.
    """

    model: Model
    region: Region
    boundaries: tuple[Boundary, ...]
    scheme: str
    dt: float
    initial: Initial
    seed: int
    dtype: str
    noise: str
    threads: int
    first_id: int
    x0: Any

    def further(self, count: int) -> Problem:
        """Return the same problem for the particles whose numbers begin ``count`` later."""
        first_id = self.first_id + count
        start = self.initial
        initial = Initial(self.x0, self.model, start.n, start.dtype, first_id)
        return replace(self, initial=initial, first_id=first_id)

    def start(self, n: int, first: int = 0) -> FloatArray:
        """Return the initial states of particles first, ..., first + n - 1, physical.

        Shape (n,) or (n, dim).

        Raises
        ------
        ValueError
            If ``first + n`` exceeds what `prepare` was told.
        """
        model = self.model
        if first + n > self.initial.n:
            raise ValueError(
                f"n must leave particles below {self.initial.n}, got n={n} from {first} on"
            )
        state = np.empty((n, model._planes), dtype=self.dtype)
        coordinate = self.initial.fill(state, self.seed, 0, first)
        x = state[:, : model.dim].astype(np.float64)
        return x if model.vector else out_of_coordinate(model, coordinate, x[:, 0])

    def batch(
        self,
        x0: FloatArray,
        ids: npt.NDArray[np.uint64],
        *,
        boundaries: Sequence[Boundary] | None = None,
        seed: int | None = None,
        peak_of: int | None = None,
    ) -> FirstPassage:
        """Return particles that start from ``x0`` at time 0, ready to run."""
        return FirstPassage(
            self.model,
            self.scheme,
            self.boundaries if boundaries is None else boundaries,
            x0,
            dt=self.dt,
            seed=self.seed if seed is None else seed,
            ids=ids,
            dtype=self.dtype,
            noise=self.noise,
            threads=self.threads,
            peak_of=peak_of,
        )


def prepare(
    model: Any,
    x0: Any,
    region: Any,
    *,
    n: int,
    dt: Any,
    scheme: Any = "auto",
    test: Any = "auto",
    seed: int | None = None,
    dtype: Any = "float64",
    noise: Any = "float32",
    threads: int | None = None,
    first_id: int = 0,
) -> Problem:
    """Check the arguments of an escape problem and return it.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, its value and what is allowed.
    """
    if not isinstance(model, Model):
        got = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise TypeError(f"model must be a model of escapade.models, made with (...), got {got}")
    if model.shape != ():
        raise ValueError(
            f"model must be a single one, got a sweep of shape {model.shape}; escape from "
            "model[index] point by point"
        )
    if not isinstance(region, Region):
        raise TypeError(
            f"region must be an Interval, HalfSpace, Ball or an intersection, got {region!r:.80}"
        )
    region.check(model)
    if not model.vector:
        region = on_line(region)
    dt = _time_step(model, dt)
    name = escape_scheme(model) if scheme == "auto" else resolve_scheme(model, scheme)
    reason = model.step_objection(name, dt)
    if reason is not None:
        raise ValueError(f"dt must be {reason}, got {dt!r}")
    threads = cores() if threads is None else integer("threads", threads, low=1, high=4096)
    dtype = choice("dtype", dtype if isinstance(dtype, str) else np.dtype(dtype).name, _DTYPES)
    noise = choice("noise", noise, _DTYPES)
    first_id = integer("first_id", first_id, low=0, high=2**63)
    seed = secrets.randbits(64) if seed is None else integer("seed", seed, low=0, high=2**64 - 1)
    boundaries = tuple(
        replace(b, test=_test(model, test))
        for b in _reachable(model, region, get_scheme(name).coordinate)
    )
    initial = Initial(x0, model, n, np.dtype(dtype), first_id)
    problem = Problem(
        model, region, boundaries, name, dt, initial, seed, dtype, noise, threads, first_id, x0
    )
    check_start(problem, problem.start(n))
    return problem


_DTYPES = ("float64", "float32")


def _time_step(model: Model, dt: Any) -> float:
    only = model.time_step
    if dt is None and only is not None:
        return only
    if dt is None:
        raise TypeError("dt must be given: the time step, a number > 0")
    step = number("dt", dt, low=0.0, open_low=True)
    if only is not None and step != only:
        raise ValueError(f"dt must be the learning rate {only!r} of {model.name}, got {dt!r}")
    return step


def escape_scheme(model: Model) -> str:
    """Return the scheme for escapes: weak order 2 with unit noise, where a bridge is exact, if any."""
    if not model.vector and "lamperti-heun" in model.schemes:
        return "lamperti-heun"
    return model.auto_scheme()


def _test(model: Model, test: Any) -> str:
    """Return how excursions within a step are found; jumps and discrete time have none."""
    if isinstance(test, str) and test == "auto":
        return "endpoint" if model.jumps else "bridge"
    name = choice("test", test, ("auto", *TESTS))
    if model.jumps and name != "endpoint":
        raise ValueError(
            f"test must be 'endpoint' for {model.name}, whose path jumps from step to step, got {test!r}"
        )
    return name


def _reachable(model: Model, region: Region, coordinate: str) -> tuple[Boundary, ...]:
    """Return the boundaries of a region that the process can come to, or refuse the region."""
    every = region.boundaries()
    low, high = (float(edge) for edge in model.domain)
    if model.vector or (low == -math.inf and high == math.inf):
        return every
    inside = tuple(b for b in every if low < b.level < high)
    if not any(b.action == "absorb" for b in inside):
        raise ValueError(
            f"region {region!r} cannot be left: {model!r} lives in ({low:g}, {high:g}) and does not "
            "reach the ends of that"
        )
    return inside


def check_start(problem: Problem, x: FloatArray) -> None:
    """Refuse initial states outside the region, and processes without noise."""
    model, region, n = problem.model, problem.region, len(x)
    inside = region.contains(x, scalar=not model.vector)
    if not np.all(inside):
        worst = x[int(np.argmin(inside))]
        raise ValueError(
            f"x0 must lie inside the region {region!r}, got {np.asarray(worst).tolist()!r}"
            + (f" ({int(np.count_nonzero(~inside)):,} of {n:,} outside)" if n > 1 else "")
            + (
                "; escapade.exact.quasi_stationary is a law inside"
                if problem.initial.stationary
                else ""
            )
        )
    if model.vector or model.jumps or not isinstance(region, Interval):
        return
    ends = [b.level for b in problem.boundaries]
    grid = np.linspace(min(*ends, x.min()), max(*ends, x.max()), 65)
    if not np.any(model.diffusion(grid)):
        raise ValueError(f"region {region!r} cannot be left by {model!r}: it has no noise there")
    if not np.all(np.isfinite(into_coordinate(model, get_scheme(problem.scheme).coordinate, x))):
        raise ValueError(
            f"x0 must lie where the coordinate of scheme {problem.scheme!r} is defined"
        )
