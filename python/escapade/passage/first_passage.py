"""The one primitive under escape rates, splitting and cloning: a batch of particles on its way.

A batch starts at given states, each particle with a number that keys its noise, and runs until its
particles have met a boundary. What they did is told by arrays.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._interrupt import Interrupts
from ..models import Model
from ..models._evaluate import into_coordinate, out_of_coordinate
from ..schemes import get as get_scheme
from .regions import Boundary

__all__ = ["ALIVE", "LOST", "FirstPassage", "cores"]

ALIVE, LOST = -1, -2  # what `side` says of particles that met no boundary

_SLICE_SECONDS = 0.05
_GUESS = 4e-9  # seconds per particle and step before anything was measured

FloatArray = npt.NDArray[np.float64]


def cores() -> int:
    """Return the number of processors that this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return count or 1


def in_coordinate(
    model: Model, scheme: str, boundaries: Sequence[Boundary], dt: float
) -> list[Boundary]:
    """Return boundaries as a scheme meets them: in its coordinate, and moved where `test` says.

    In one dimension the shift of a boundary is known beforehand, 0.5826 times the noise there times
    the root of the step (Broadie, Glasserman and Kou 1997).
    """
    coordinate = get_scheme(scheme).coordinate
    if model.vector:
        return list(boundaries)
    out = []
    for b in boundaries:
        level = float(into_coordinate(model, coordinate, b.level))
        if not math.isfinite(level):
            raise ValueError(
                f"the {b.name} end of the region must lie where the {coordinate} coordinate of "
                f"{model!r} is defined, got {b.level!r}"
            )
        # a wall is where it is: nobody who is mirrored is missed
        test, sign = (b.test if b.action != "reflect" else "endpoint"), b.sign
        beside = float(into_coordinate(model, coordinate, b.level + 1e-4 * (abs(b.level) or 1.0)))
        if beside < level:  # the coordinate runs the other way
            sign = -sign
        if test == "shift":
            noise = 1.0 if coordinate == "lamperti" else float(model.diffusion(b.level))
            if coordinate == "log":
                noise /= b.level
            level -= sign * _core.mean_overshoot * noise * math.sqrt(dt)
            test = "endpoint"
        out.append(replace(b, level=level, sign=sign, test=test))
    return out


class FirstPassage:
    """A batch of particles that runs until all have met a boundary, or as long as one likes.

    Parameters
    ----------
    model : Model
        No sweep.
    scheme : str
    boundaries : sequence of Boundary
        In the physical coordinate, each with the test to be used.
    x0 : ndarray, shape (n,) or (n, planes)
        Starting states in the physical coordinate.
    dt : float
    seed : int
    ids : ndarray of uint64, shape (n,)
        Numbers of the particles: the noise of a particle is a function of seed, number and step.
    dtype, noise : str
    threads : int
    peak_of : int, optional
        Number of a boundary, of whose function the value nearest to the boundary is kept.

    Attributes
    ----------
    time : ndarray of float64, shape (n,)
        When a particle met a boundary that absorbs; nan for others.
    side : ndarray of int8, shape (n,)
        Number of that boundary, `ALIVE` or `LOST` (its state is no longer finite).
    """

    def __init__(
        self,
        model: Model,
        scheme: str,
        boundaries: Sequence[Boundary],
        x0: FloatArray,
        *,
        dt: float,
        seed: int,
        ids: npt.NDArray[np.uint64],
        dtype: str = "float64",
        noise: str = "float32",
        threads: int = 1,
        peak_of: int | None = None,
    ) -> None:
        self.model, self.scheme, self.dt = model, scheme, dt
        self._coordinate = get_scheme(scheme).coordinate
        met = in_coordinate(model, scheme, boundaries, dt)
        rows = np.atleast_2d(into_coordinate(model, self._coordinate, x0).T)
        if len(rows) < model._planes:  # what is stored beside the visible numbers starts at 0
            rows = np.concatenate([rows, np.zeros((model._planes - len(rows), rows.shape[1]))])
        self._core = _core.Passage(
            model._call[0],
            scheme,
            model._call[1],
            rows,
            ids,
            [b.told() for b in met],
            dtype,
            noise,
            seed,
            dt,
            threads,
            -1 if peak_of is None else peak_of,
        )
        self._peak_sign = 1.0 if peak_of is None else met[peak_of].sign
        self.n = len(ids)
        self.seconds = 0.0
        self._per_step = _GUESS * model._draws

    # -- running -----------------------------------------------------------------------------------

    def run(
        self,
        steps: int | None = None,
        *,
        stop: Interrupts | None = None,
        deadline: float = math.inf,
        after: Callable[[FirstPassage], None] | None = None,
    ) -> FirstPassage:
        """Advance until step number ``steps``, or until nobody is left.

        Ends early, at a whole step, on Ctrl-C (``stop.caught``) or past ``deadline`` (a value of
        `time.monotonic`). ``after`` is called after every slice.
        """
        end = 2**53 if steps is None else steps
        while self.alive and self.step < end:
            if (stop is not None and stop.caught) or time.monotonic() >= deadline:
                break
            length = int(_SLICE_SECONDS / (self._per_step * max(self.alive, 64)))
            length = min(max(16, length - length % 16), 2**20)
            start, done = time.perf_counter(), self.particle_steps
            self._core.advance(min(length, end - self.step))
            seconds = time.perf_counter() - start
            self.seconds += seconds
            work = self.particle_steps - done
            if work:
                self._per_step = min(max(seconds / work, self._per_step / 4), self._per_step * 4)
            if after is not None:
                after(self)
        return self

    def retire(self, places: npt.ArrayLike, side: int) -> None:
        """Take living particles out, by their place in `living`, as if boundary ``side`` had."""
        self._core.retire([int(p) for p in np.asarray(places).ravel()], side)

    # -- what has become of them -------------------------------------------------------------------

    @property
    def alive(self) -> int:
        """Number of particles that have met no absorbing boundary yet."""
        return self._core.alive

    @property
    def step(self) -> int:
        """Steps made so far."""
        return self._core.step

    @property
    def t(self) -> float:
        """Time reached, from whole steps."""
        return self.step * self.dt

    @property
    def particle_steps(self) -> int:
        """Steps made by particles that were alive."""
        return self._core.particle_steps

    @property
    def time(self) -> FloatArray:
        """When each particle met an absorbing boundary, shape (n,); nan where it did not."""
        return self._core.time

    @property
    def side(self) -> npt.NDArray[np.int8]:
        """Which boundary absorbed each particle, shape (n,); `ALIVE` or `LOST` where none did."""
        return self._core.side

    @property
    def counts(self) -> npt.NDArray[np.uint32]:
        """How often each particle met a boundary that counts, shape (n,)."""
        return self._core.counts

    @property
    def highest(self) -> FloatArray:
        """Value of the function of boundary `peak_of` that came closest to it, shape (n,), physical.

        At ends of steps, up to the one in which a particle was absorbed.
        """
        values = self._peak_sign * self._core.highest
        return (
            values if self.model.vector else out_of_coordinate(self.model, self._coordinate, values)
        )

    @property
    def x(self) -> FloatArray:
        """Where each particle met its boundary or is now, physical, shape (n,) or (n, planes)."""
        return self._physical(self._core.states)

    @property
    def living(self) -> FloatArray:
        """States of those alive, physical, shape (alive,) or (alive, planes)."""
        return self._physical(self._core.living)

    @property
    def slots(self) -> npt.NDArray[np.uint32]:
        """Which of the n particles those of `living` are, shape (alive,)."""
        return self._core.slots

    def _physical(self, rows: FloatArray) -> FloatArray:
        if self.model.vector:
            return np.ascontiguousarray(rows.T)
        return out_of_coordinate(self.model, self._coordinate, rows[0])

    def report(self) -> dict[str, Any]:
        """Return what running has cost."""
        return {
            "particle_steps": self.particle_steps,
            "seconds": self.seconds,
            "floor_hits": self._core.floor_hits,
        }
