"""Observers that keep something per particle: snapshots and time averages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks import array
from .base import Observer, Plan, finite_mean

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


class Snapshots(Observer):
    """The states of all particles at chosen times.

    Parameters
    ----------
    times : array_like
        Increasing times, each a whole number of steps of the run that reaches it.

    Attributes
    ----------
    times : ndarray, shape (k,)
        Those reached so far.
    x : ndarray, shape (k, n)
        States there, in the ensemble's dtype.

    Raises
    ------
    ValueError
        When a run starts whose snapshots would not fit in memory (the bytes needed are named).
    """

    def __init__(self, times: Any) -> None:
        super().__init__(None)
        self._wanted = increasing_times("times", times, 0.0)
        self._due: dict[int, int] = {}
        self._taken: list[float] = []
        self._states: list[npt.NDArray[Any]] = []

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        tolerance = 1e-9 * plan.dt
        rest = self._wanted[len(self._taken) :]
        if rest.size and rest[0] < plan.t - tolerance:
            raise ValueError(
                f"times contains {rest[0]:g}, before the start of the run at t = {plan.t:g}"
            )
        reached = rest[rest <= plan.time(plan.end) + tolerance]
        need, have = reached.size * ensemble.n * ensemble.dtype.itemsize, available_memory()
        if need > 0.9 * have:
            raise ValueError(
                f"times has {reached.size} entries in this run, whose snapshots of "
                f"n={ensemble.n} particles need {need / 2**30:.3g} GiB; {have / 2**30:.3g} GiB are "
                "available. Ask for fewer times, or use Histogram or Moments with every="
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
        x = ensemble.x
        self._states.append(x.copy() if ensemble.coordinate == "physical" else x)
        self._taken.append(float(self._wanted[self._due[step]]))

    def merge(self, other: Snapshots) -> Snapshots:
        """Return the snapshots of two disjoint ensembles, particles of ``other`` last."""
        if not isinstance(other, Snapshots):
            raise TypeError(f"other must be Snapshots, got {type(other).__name__}")
        if self._taken != other._taken:
            raise ValueError(f"other must have been taken at {self._taken}, got {other._taken}")
        out = Snapshots(self._wanted)
        out._taken = list(self._taken)
        out._states = [np.concatenate(p) for p in zip(self._states, other._states, strict=True)]
        return out

    @property
    def times(self) -> FloatArray:
        return np.array(self._taken)

    @property
    def x(self) -> npt.NDArray[Any]:
        return np.array(self._states)


class TimeAverage(Observer):
    """Average over time, particle by particle; its spread over particles shows broken ergodicity.

    Parameters
    ----------
    every : int, default 1
        Steps between looks.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Time average of each particle (not finite once a particle is not).
    mean, stderr : float
        Over the particles, which are independent.
    """

    def __init__(self, every: int = 1) -> None:
        super().__init__(every)
        self._sum: FloatArray | None = None
        self.looks = 0

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        if self._sum is not None and self._sum.size != ensemble.n:
            raise ValueError(
                f"observe: this TimeAverage holds {self._sum.size} particles, got n={ensemble.n}"
            )

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        x = ensemble._look(None, 0, 0, ensemble.n)
        self._sum = x if self._sum is None else self._sum + x
        self.looks += 1

    def merge(self, other: TimeAverage) -> TimeAverage:
        """Return the averages of two disjoint ensembles, particles of ``other`` last."""
        if not isinstance(other, TimeAverage):
            raise TypeError(f"other must be TimeAverage, got {type(other).__name__}")
        if self.looks != other.looks:
            raise ValueError(f"other must have looked {self.looks} times, got {other.looks}")
        out = TimeAverage(1 if self.every is None else self.every)
        out.looks = self.looks
        if self._sum is not None and other._sum is not None:
            out._sum = np.concatenate([self._sum, other._sum])
        return out

    @property
    def values(self) -> FloatArray:
        if self._sum is None:
            raise ValueError("TimeAverage has not looked yet: pass it to run(observe=[...])")
        return self._sum / self.looks

    def _sums(self) -> tuple[float, float, float]:
        values = self.values
        shift = finite_mean(values[:4096])
        n, first, second = _core.power_sums(values, shift, 2)
        mean = first / n if n else np.nan
        return n, shift + mean, max(second / n - mean**2, 0.0) if n else np.nan

    @property
    def mean(self) -> float:
        return float(self._sums()[1])

    @property
    def stderr(self) -> float:
        n, _, var = self._sums()
        return float(np.sqrt(var / n))
