"""The ensemble: particles of one model, advanced together."""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _core, checkpoint
from ._checks import _show, boolean, choice, integer, number
from ._interrupt import Interrupts
from ._run import check_observers, count_steps, execute, judge, resolve_scheme
from ._states import States
from .initial import Initial
from .models import Model
from .observers import Observer
from .observers.base import Plan
from .report import Report
from .schemes import get as get_scheme
from .trajectory import Trajectory, resimulate

__all__ = ["Ensemble", "Trajectory"]


@dataclass
class _Leg:
    """Consecutive steps made in the same way, from time ``t0``."""

    scheme: str
    dt: float
    coarsen: int
    steps: int
    t0: float

    @property
    def end(self) -> float:
        return self.t0 + self.steps * self.dt


class Ensemble(States):
    """Independent particles of one model, integrated together.

    Every random number is a function of seed, particle and step: results do not depend on the number
    of threads, on the instruction set, or on how a run is split.

    Parameters
    ----------
    model : Model
        From `escapade.models`. A model whose parameters are arrays is a sweep: the ensemble then has
        ``n`` particles at each of its points, and ``model.shape`` in front of all arrays.
    n : int
        Number of particles (at each point of a sweep), >= 1.
    x0 : float, array_like, distribution, `escapade.init` or "stationary"
        Initial states: an array that broadcasts to ``shape``, or that ends in the shape of one
        particle. A distribution is anything with a ``ppf`` (scipy.stats frozen distributions, laws
        of this package); it is sampled by inversion, each number of a particle on its own.
        ``"stationary"`` is ``model.stationary()``, point by point.
    seed : int, optional
        0 to 2**64 - 1; drawn from the operating system when not given, and always recorded.
    dtype : {"float64", "float32"}, default "float64"
        Of the state.
    noise : {"float32", "float64"}, default "float32"
        Normals from 32-bit words (|z| up to 6.66, fast) or from 53-bit uniforms (|z| up to 8.57).
    threads : int, optional
        Default: the processors that this process may use.
    device : {"cpu"}, default "cpu"
    first_id : int, default 0
        Number of the first particle: ensembles of disjoint ranges are disjoint parts of one.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.
    NotImplementedError
        For a device that this build lacks.
    """

    def __init__(
        self,
        model: Model,
        n: int,
        x0: Any,
        *,
        seed: int | None = None,
        dtype: Any = "float64",
        noise: str = "float32",
        threads: int | None = None,
        device: str = "cpu",
        first_id: int = 0,
    ) -> None:
        if not isinstance(model, Model):
            raise TypeError(f"model must be a model of escapade.models, got {type(model).__name__}")
        self._model = model
        n = integer("n", n, low=1, high=2**40)
        self._points = math.prod(model.shape)
        if n * self._points > 2**40:
            raise ValueError(
                f"n must leave at most 2**40 particles in all, got {n} at {self._points} points"
            )
        if n * self._points * model._planes > 2**44:
            raise ValueError(
                f"n must leave at most 2**44 numbers in all, got {n} particles of {model._planes} "
                f"numbers at {self._points} points"
            )
        self._seed = (
            secrets.randbits(64) if seed is None else integer("seed", seed, low=0, high=2**64 - 1)
        )
        self._dtype = _dtype(dtype)
        self._noise = choice("noise", noise, ("float32", "float64"))
        _device(device)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        count = (cores or 1) if threads is None else integer("threads", threads, low=1, high=4096)
        self._first_id = integer("first_id", first_id, low=0, high=2**63)
        initial = Initial(x0, model, n, self._dtype, self._first_id)
        try:
            self._engine = _core.Engine(
                n,
                self._dtype.name,
                self._noise,
                self._seed,
                count,
                self._first_id,
                self._points,
                model._planes,
            )
        except MemoryError:
            need = n * self._points * model._planes * self._dtype.itemsize / 2**30
            raise MemoryError(
                f"n={n} particles of {self._dtype.name} need {need:.3g} GiB"
            ) from None
        self._initial: Initial | None = initial
        self._fill(initial)
        self._legs: list[_Leg] = []
        self._seconds = 0.0
        self._work = 0.0
        self._bad = 0
        self._lock = threading.RLock()
        self._running = False

    def _fill(self, initial: Initial) -> None:
        for point in range(self._points):
            self._coordinate = initial.fill(self._engine.state[point], self._seed, point)
        self._engine.fill_padding()

    # -- time ---------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Steps made so far."""
        return self._engine.step

    @property
    def t(self) -> float:
        """Time reached, computed from whole steps."""
        return self._legs[-1].end if self._legs else 0.0

    # -- running -----------------------------------------------------------------------------------

    def run(
        self,
        t: float | None = None,
        dt: float | None = None,
        scheme: str = "auto",
        observe: Observer | Sequence[Observer] = (),
        progress: bool = False,
        *,
        steps: int | None = None,
        on_bad: str = "warn",
        coarsen: int = 1,
    ) -> Ensemble:
        """Advance all particles, from where the last run stopped.

        Parameters
        ----------
        t : float
            Time to advance by, >= 0, a whole number of steps. Give ``t`` or ``steps``.
        dt : float
            Time step, > 0. Adaptive schemes cut it further where the state asks for it. Processes in
            discrete time have only one, their learning rate, which need not be given.
        scheme : str, default "auto"
            A scheme of `escapade.schemes`; "auto" takes the model's best (`Model.auto_scheme`), which
            `report` names.
        observe : Observer or sequence of Observer
            What to look at during the run.
        progress : bool, default False
            Show a tqdm progress bar.
        steps : int
            Number of steps, >= 0, in place of ``t``.
        on_bad : {"warn", "raise", "ignore"}, default "warn"
            What to do when particles become non-finite.
        coarsen : int, default 1
            Draws added up to one increment: runs with ``coarsen=k, dt=k*h`` follow the Brownian paths
            of runs with ``dt=h`` (convergence studies, multilevel Monte Carlo). Substeps of adaptive
            schemes draw on their own. At most 4096.

        Returns
        -------
        Ensemble
            Itself.

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong type or out of bounds; before anything runs.
        NonFiniteError
            With ``on_bad="raise"``, as soon as a particle is found lost.
        KeyboardInterrupt
            On Ctrl-C; the ensemble then stands at a whole step and can run on.
        RuntimeError
            While another thread runs the ensemble; that run is not disturbed.
        """
        dt = self._time_step(dt)
        count = count_steps(t, steps, dt)
        on_bad = choice("on_bad", on_bad, ("warn", "raise", "ignore"))
        coarsen = integer("coarsen", coarsen, low=1, high=4096)
        if coarsen > 1 and self._model.time_step is not None:
            raise ValueError(
                f"coarsen must be 1 for the discrete time of {self._model.name}, got {coarsen}"
            )
        name = resolve_scheme(self._model, scheme)
        reason = self._model.step_objection(name, dt)
        if reason is not None:
            raise ValueError(f"dt must be {reason}, got {dt!r}")
        if coarsen > 1 and get_scheme(name).exact:
            raise ValueError(
                f"coarsen must be 1 for scheme {name!r}, whose steps follow no Wiener path, "
                f"got {coarsen}"
            )
        observers = check_observers(observe)
        progress = boolean("progress", progress)
        with self._alone(), Interrupts() as stop:
            if self._running:
                raise RuntimeError("this ensemble is running: an observer must not call its run()")
            plan = self._plan(name, count, dt, coarsen)
            if plan.end >= 2**39:
                raise ValueError(f"steps must leave the step counter below 2**39, got {count}")
            draws = count * coarsen * self._model._draws
            if self._engine.draw + draws >= 2**56:
                raise ValueError(
                    f"steps must leave the number of draws below 2**56, got {count} steps of "
                    f"{coarsen * self._model._draws} draws"
                )
            for observer in observers:
                observer.begin(self, plan)
            for observer in observers:
                observer.bind(self)
            self._running = True
            try:
                if count > 0:  # a run of no steps changes nothing; observers may still look
                    self._take_coordinate(name)
                    self._start_leg(name, dt, coarsen)
                execute(self, plan, observers, progress and count > 0, on_bad, stop)
            finally:
                self._running = False
            if not stop.caught:
                judge(self, on_bad)
        stop.deliver()
        return self

    def _time_step(self, dt: Any) -> float:
        only: float | None = self._model.time_step
        if dt is None and only is not None:
            return only
        if dt is None:
            raise TypeError("dt must be given: the time step, a number > 0")
        step = number("dt", dt, low=0.0, open_low=True)
        if only is not None and step != only:
            raise ValueError(
                f"dt must be the learning rate {only!r} of {self._model.name}, got {dt!r}"
            )
        return step

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads out: what has run so far is not to change under a run or a save."""
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("this ensemble is being run by another thread")
        try:
            yield
        finally:
            self._lock.release()

    def _take_coordinate(self, scheme: str) -> None:
        """Store the state in the coordinate in which ``scheme`` steps."""
        wanted = get_scheme(scheme).coordinate
        if wanted == self._coordinate:
            return
        lost = self._engine.count_nonfinite()
        self._engine.change_coordinate(*self._map()[:2], self._coordinate, wanted)
        self._coordinate = wanted
        if not self._legs and self._initial is not None and self._engine.count_nonfinite() > lost:
            self._fill(self._initial)
            raise ValueError(
                f"x0 must lie where the {wanted} coordinate of {self._model!r} is defined"
            )

    def _plan(self, scheme: str, count: int, dt: float, coarsen: int) -> Plan:
        last = self._legs[-1] if self._legs else None
        same = last is not None and (last.scheme, last.dt, last.coarsen) == (scheme, dt, coarsen)
        done, t0 = (last.steps, last.t0) if last is not None and same else (0, self.t)
        return Plan(self.step, self.step + count, self.step - done, t0, dt)

    def _start_leg(self, scheme: str, dt: float, coarsen: int) -> None:
        last = self._legs[-1] if self._legs else None
        if last is None or (last.scheme, last.dt, last.coarsen) != (scheme, dt, coarsen):
            self._legs.append(_Leg(scheme, dt, coarsen, 0, last.end if last else 0.0))

    def _advance(self, steps: int) -> float:
        """Make steps of the last leg and return the seconds they took."""
        leg, start = self._legs[-1], time.perf_counter()
        self._engine.advance(
            self._model._call[0], leg.scheme, self._model._call[1], steps, leg.dt, leg.coarsen
        )
        leg.steps += steps
        seconds = time.perf_counter() - start
        self._seconds += seconds
        self._work += float(steps) * self.n * self._points
        return seconds

    # -- afterwards --------------------------------------------------------------------------------

    def report(self) -> Report:
        """Return what ran, on what, how fast, and how many particles went bad."""
        steps = max(self.step, 1)
        return Report(
            model=repr(self._model),
            scheme=self._legs[-1].scheme if self._legs else "",
            n=self.n * self._points,
            dtype=self._dtype.name,
            noise=self._noise,
            device="cpu",
            isa=_core.isa(),
            threads=self.threads,
            seed=self._seed,
            steps=self.step,
            t=self.t,
            seconds=self._seconds,
            particle_steps_per_second=self._work / self._seconds if self._work else 0.0,
            nonfinite=self._engine.count_nonfinite(),
            substeps_per_step=self._engine.substeps / (steps * self.n * self._points),
            floor_hits=self._engine.floor_hits,
        )

    def particle(self, i: int, every: int | None = None, point: Any = ()) -> Trajectory:
        """Simulate particle ``i`` alone, over everything that the ensemble has done.

        Its final state equals ``x[i]`` bit for bit.

        Parameters
        ----------
        i : int
            Number of the particle, 0 to n - 1.
        every : int, optional
            Record the path every so many steps, as well as at both ends. By default both ends only.
        point : index
            Point of the sweep, if the model is one.

        Raises
        ------
        ValueError
            If ``i`` or ``every`` is out of bounds, or the initial condition was not kept in the
            checkpoint that the ensemble was loaded from.
        """
        i = integer("i", i, low=0, high=self.n - 1)
        every = None if every is None else integer("every", every, low=1)
        if self._initial is None:
            raise ValueError(
                "particle() needs the initial condition, and checkpoints keep only numbers, arrays and "
                "'stationary' of x0: this ensemble was loaded and had another distribution"
            )
        with self._alone():
            return resimulate(self, i, every, self._point(point))

    def _point(self, index: Any) -> int:
        shape = self._model.shape
        index = index if isinstance(index, tuple) else (index,)
        try:
            return int(np.arange(self._points).reshape(shape)[index])
        except (IndexError, TypeError):
            raise ValueError(
                f"point must name one point of a sweep of shape {shape}, got {index!r}"
            ) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint, atomically: ``run(a); save; load; run(b)`` equals ``run(a + b)``.

        Observers are not part of it: they belong to the caller.

        Raises
        ------
        OSError
            If the file cannot be written; an older file of that name is then untouched.
        RuntimeError
            While another thread runs the ensemble.
        """
        with self._alone():
            checkpoint.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], threads: int | None = None) -> Ensemble:
        """Read a checkpoint written by `save`.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged or is not a checkpoint of escapade.
        """
        return checkpoint.load(cls, path, threads)

    def __repr__(self) -> str:
        return (
            f"Ensemble({self._model!r}, n={self.n}, seed={self._seed}, dtype={self._dtype.name!r}, "
            f"noise={self._noise!r}): t={self.t:g}, step={self.step}"
        )


def _dtype(value: Any) -> np.dtype[Any]:
    name = value
    if not isinstance(value, str):
        try:
            name = np.dtype(value).name
        except Exception:  # numpy raises several kinds
            raise TypeError(f"dtype must be 'float64' or 'float32', got {_show(value)}") from None
    return np.dtype(choice("dtype", name, ("float64", "float32")))


def _device(value: Any) -> None:
    if isinstance(value, str) and value.split(":")[0] == "cuda":
        raise NotImplementedError(
            f"device={value!r}: this build has no CUDA engine; use device='cpu'"
        )
    choice("device", value, ("cpu",))
