"""Observers that keep something per particle: snapshots and time averages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import array
from ._statistics import over_particles
from ._view import View, Viewer
from .base import Plan

if TYPE_CHECKING:
    from ..ensemble import Ensemble

__all__ = ["Snapshots", "TimeAverage"]

FloatArray = npt.NDArray[np.float64]


def available_memory() -> int:
    """Return the bytes of memory that can be had without swapping."""
    try:
        with open("/proc/meminfo") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:  # not Linux
        pass
    return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def increasing_times(name: str, value: Any, low: float) -> FloatArray:
    out = np.atleast_1d(array(name, value))
    if out.ndim != 1 or out.size == 0 or not np.all(np.isfinite(out)) or out.min() < low:
        raise ValueError(f"{name} must be one or more finite times >= {low:g}, got {value!r}")
    if np.any(np.diff(out) <= 0):
        raise ValueError(f"{name} must increase, got {value!r}")
    return out


def join(view: View, mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return arrays of shape (*sweep, n, *components) as one, the second one's particles last."""
    return np.concatenate([mine, theirs], axis=len(view.sweep))


class Snapshots(Viewer):
    """The states of all particles, or an observable of theirs, at chosen times.

    Parameters
    ----------
    times : array_like
        Increasing times, each a whole number of steps of the run that reaches it.
    of : None, str or callable, optional
        What to look at: the state, the observable of that name (`Model.observables`), or a function
        of states, shape (n,) or (n, dim), that returns shape (n,) or (n, k).

    Attributes
    ----------
    times : ndarray, shape (k,)
        Those reached so far.
    x : ndarray, shape (k, *sweep, n, *components)
        States there, in the ensemble's dtype; float64 of an observable.

    Raises
    ------
    ValueError
        When a run starts whose snapshots would not fit in memory (the bytes needed are named), or
        whose model does not have the observable.
    """

    def __init__(self, times: Any, of: Any = None) -> None:
        super().__init__(None, of)
        self._wanted = increasing_times("times", times, 0.0)
        self._due: dict[int, int] = {}
        self._taken: list[float] = []
        self._states: list[npt.NDArray[Any]] = []

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        super().begin(ensemble, plan)
        tolerance = 1e-9 * plan.dt
        rest = self._wanted[len(self._taken) :]
        if rest.size and rest[0] < plan.t - tolerance:
            raise ValueError(
                f"times contains {rest[0]:g}, before the start of the run at t = {plan.t:g}"
            )
        reached = rest[rest <= plan.time(plan.end) + tolerance]
        numbers = reached.size * self._view.points * ensemble.n * self._view.width
        need = numbers * (ensemble.dtype.itemsize if self.of is None else 8) / 2**30
        have = available_memory() / 2**30
        if need > 0.9 * have:
            raise ValueError(
                f"times has {reached.size} entries in this run, whose snapshots of "
                f"n={ensemble.n * self._view.points} particles need {need:.3g} GiB; {have:.3g} GiB "
                "are available. Ask for fewer times, or use Histogram or Moments with every="
            )
        done = len(self._taken)
        self._due = {plan.step_at("times", float(t)): done + i for i, t in enumerate(reached)}

    def next_step(self, step: int, plan: Plan) -> int | None:
        later = [
            s for s in self._due if s > step or (s == step == plan.step and s not in self._seen)
        ]
        return min(later) if later else None

    @property
    def _seen(self) -> set[int]:
        return {s for s, i in self._due.items() if i < len(self._taken)}

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        if self.of is None:
            x = ensemble.x
            x = x.copy() if ensemble.coordinate == "physical" else x
        else:
            x = self._view.unfold(self._view.all(ensemble), n=ensemble.n)
        self._states.append(x)
        self._taken.append(float(self._wanted[self._due[step]]))

    def merge(self, other: Snapshots) -> Snapshots:
        """Return the snapshots of two disjoint ensembles, particles of ``other`` last.

        The result is complete: it cannot observe further.
        """
        if not isinstance(other, Snapshots):
            raise TypeError(f"other must be Snapshots, got {type(other).__name__}")
        if self._taken != other._taken:
            raise ValueError(f"other must have been taken at {self._taken}, got {other._taken}")
        self._view.require_same(other._view)
        out = Snapshots(self._wanted, self.of)
        out._view = self._view
        out._taken = list(self._taken)
        pairs = zip(self._states, other._states, strict=True)
        out._states = [join(self._view, a, b) for a, b in pairs]
        out._complete()
        return out

    @property
    def times(self) -> FloatArray:
        return np.array(self._taken)

    @property
    def x(self) -> npt.NDArray[Any]:
        return np.array(self._states)


class TimeAverage(Viewer):
    """Average over time, particle by particle; its spread over particles shows broken ergodicity.

    Parameters
    ----------
    every : int, default 1
        Steps between looks.
    of : None, str or callable, optional
        What to average: the state, the observable of that name (`Model.observables`), or a function
        of states, shape (n,) or (n, dim), that returns shape (n,) or (n, k).

    Attributes
    ----------
    values : ndarray, shape (*sweep, n, *components)
        Time average of each particle (not finite once a particle is not).
    mean, stderr : float, or ndarray of shape (*sweep, *components)
        Over the particles, which are independent.
    """

    def __init__(self, every: int = 1, of: Any = None) -> None:
        super().__init__(every, of)
        self._sum: FloatArray | None = None  # (points, n, width)
        self.looks = 0

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        if self._sum is None:
            self._sum = self._view.all(ensemble)
        else:
            for point, first, count in self._view.pieces(ensemble.n):
                piece = self._view.look(ensemble, point, first, count)
                self._sum[point, first : first + count] += piece
        self.looks += 1

    def merge(self, other: TimeAverage) -> TimeAverage:
        """Return the averages of two disjoint ensembles, particles of ``other`` last.

        The result is complete: it cannot observe further.
        """
        if not isinstance(other, TimeAverage):
            raise TypeError(f"other must be TimeAverage, got {type(other).__name__}")
        if self.looks != other.looks:
            raise ValueError(f"other must have looked {self.looks} times, got {other.looks}")
        self._view.require_same(other._view)
        out = TimeAverage(1 if self.every is None else self.every, self.of)
        out._view, out.looks = self._view, self.looks
        if self._sum is not None and other._sum is not None:
            out._sum = np.concatenate([self._sum, other._sum], axis=1)
        out._complete()
        return out

    def _averages(self) -> FloatArray:
        if self._sum is None:
            raise ValueError("TimeAverage has not looked yet: pass it to run(observe=[...])")
        return self._sum / self.looks

    @property
    def values(self) -> FloatArray:
        values = self._averages()
        shaped: FloatArray = self._view.unfold(values, n=values.shape[1])
        return shaped

    @property
    def mean(self) -> FloatArray | float:
        mean: FloatArray | float = self._view.unfold(over_particles(self._averages())[1])
        return mean

    @property
    def stderr(self) -> FloatArray | float:
        n, _, var = over_particles(self._averages())
        with np.errstate(all="ignore"):
            stderr: FloatArray | float = self._view.unfold(np.sqrt(var / n))
        return stderr
