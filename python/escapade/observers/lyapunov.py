"""Lyapunov exponent of a direction: the rate at which ``ln|z|`` grows or falls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import number
from ._statistics import over_particles
from ._view import Viewer
from .base import Plan, step_tolerance

if TYPE_CHECKING:
    from ..ensemble import Ensemble

__all__ = ["LyapunovExponent"]

FloatArray = npt.NDArray[np.float64]


class LyapunovExponent(Viewer):
    """Lyapunov exponent ``(ln|z(t)| - ln|z(start)|)/(t - start)``, particle by particle.

    ``z`` is the distance from an invariant set, such as ``u + w`` of a two-layer network: the set
    attracts almost every path nearby if the exponent is negative, whatever the moments of ``z`` do
    (Ziyin, Li, Ueda, *Type-II saddles and probabilistic stability of stochastic gradient descent*,
    arXiv:2303.13093). It is the exponent of the linear dynamics as long as ``z`` stays small.

    It is per unit of time. In discrete time that is steps times learning rate, so what
    `escapade.theory` gives per step of SGD (`lyapunov_sgd`, `lyapunov_sgd_samples`,
    `two_point_lyapunov`, `symmetric_sum_exponents` with ``eta``) must be divided by ``eta``.

    Looks twice: at the first step at or after ``start``, and at the end of each run, which replaces
    the last. The logarithm of a state that is stored as a logarithm is exact however small it is.

    Parameters
    ----------
    of : None, str or callable, optional
        ``z``: the state, the observable of that name (`Model.observables`), or a function of states,
        shape (n,) or (n, dim), that returns shape (n,) or (n, k).
    start : float, default 0
        Time from which on to measure, >= 0. In discrete time it is steps times learning rate.

    Attributes
    ----------
    values : ndarray, shape (*sweep, n, *components)
        Exponent of each particle, 1/time; -inf or nan if it is lost.
    value, stderr : float, or ndarray of shape (*sweep, *components)
        Mean over the particles that are not lost, which are independent, and its standard error.
    lost : int, or ndarray of shape (*sweep, *components)
        Particles whose ``z`` is exactly 0 or not finite at either time. If there are many, ``value``
        is biased: it lacks those that fell fastest.
    span : tuple of float
        The two times.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds; when a run starts, if the model has no
        such observable or it does not return one or k real numbers per particle.
    """

    def __init__(self, of: Any = None, start: float = 0.0) -> None:
        super().__init__(None, of)
        self.start = number("start", start, low=0.0)
        self._start_step = 0
        self._first: tuple[float, FloatArray] | None = None
        self._last: tuple[float, FloatArray] | None = None

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        super().begin(ensemble, plan)
        offset = (self.start - plan.t) / plan.dt
        wait = math.ceil(offset - step_tolerance(abs(offset))) if offset < 2.0**52 else 2**52
        self._start_step = plan.step + max(wait, 0)

    def next_step(self, step: int, plan: Plan) -> int | None:
        if self._first is None:
            return self._start_step if self._start_step <= plan.end else None
        return plan.end if step < plan.end else None

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        view = self._view
        logs = np.empty((view.points, ensemble.n, view.width))
        for point, first, count in view.pieces(ensemble.n):
            part = ensemble._look_log(view.functions, point, first, count)
            logs[point, first : first + count] = part.reshape(count, view.width)
        if self._first is None:
            self._first = (time, logs)
        else:
            self._last = (time, logs)

    def merge(self, other: LyapunovExponent) -> LyapunovExponent:
        """Return the exponents of two disjoint ensembles, particles of ``other`` last.

        The result is complete: it cannot observe further.

        Raises
        ------
        TypeError
            If ``other`` is not a `LyapunovExponent`.
        ValueError
            If it looked at something else or at other times, or either has not looked twice.
        """
        if not isinstance(other, LyapunovExponent):
            raise TypeError(f"other must be a LyapunovExponent, got {type(other).__name__}")
        self._view.require_same(other._view)
        (t0, a0), (t1, a1) = self._both()
        (s0, b0), (s1, b1) = other._both()
        if (t0, t1) != (s0, s1):
            raise ValueError(f"other must have looked at times {(t0, t1)}, got {(s0, s1)}")
        out = LyapunovExponent(self.of, self.start)
        out._view = self._view
        out._first = (t0, np.concatenate([a0, b0], axis=1))
        out._last = (t1, np.concatenate([a1, b1], axis=1))
        out._complete()
        return out

    def _both(self) -> tuple[tuple[float, FloatArray], tuple[float, FloatArray]]:
        if self._first is None or self._last is None:
            raise ValueError(
                "LyapunovExponent has not looked twice yet: pass it to run(observe=[...]) that goes "
                f"beyond start = {self.start:g}"
            )
        return self._first, self._last

    def _rates(self) -> FloatArray:
        (t0, first), (t1, last) = self._both()
        with np.errstate(all="ignore"):
            return (last - first) / (t1 - t0)

    @property
    def span(self) -> tuple[float, float]:
        first, last = self._both()
        return first[0], last[0]

    @property
    def values(self) -> FloatArray:
        rates = self._rates()
        values: FloatArray = self._view.unfold(rates, n=rates.shape[1])
        return values

    @property
    def value(self) -> FloatArray | float:
        value: FloatArray | float = self._view.unfold(over_particles(self._rates())[1])
        return value

    @property
    def stderr(self) -> FloatArray | float:
        n, _, var = over_particles(self._rates())
        with np.errstate(all="ignore"):
            stderr: FloatArray | float = self._view.unfold(np.sqrt(var / (n - 1)))
        return stderr

    @property
    def lost(self) -> npt.NDArray[np.int64] | int:
        lost: npt.NDArray[np.int64] | int = self._view.unfold(
            np.count_nonzero(~np.isfinite(self._rates()), axis=1)
        )
        return lost

    def __repr__(self) -> str:
        return f"LyapunovExponent(of={self.of!r}, start={self.start:g})"
