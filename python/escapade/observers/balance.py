"""How well a simulated network obeys the law of balance, path by path."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .. import _core
from .base import Observer, Plan

if TYPE_CHECKING:
    from ..ensemble import Ensemble
    from ..models import DiagonalNetwork

__all__ = ["BalanceResidual"]

FloatArray = npt.NDArray[np.float64]


class BalanceResidual(Observer):
    """Residual of the law of balance of a `DiagonalNetwork`, for each particle and pair of layers.

    In a network of ``v = sum_i prod_k u_ik`` trained by SGD the difference of two layers of one
    subnetwork, ``C = u_ik^2 - u_il^2``, decays on every path and without noise of its own::

        dC/dt = -4 [T q(v) P^2 + gamma] C,   P = prod_{m != k, l} u_im   (1 for depth 1)
        ln|C(t)/C(0)| = -4 int_0^t [T q(v_s) P_s^2 + gamma] ds

    (Ziyin, Li, Ueda, arXiv:2308.06671, eqs. A.7 and A.69, the latter with the factor 4 that it lacks
    in print.) The residual is ``ln|C(t)/C(0)| + 4 int_0^t [...] ds``, with the integral taken at the
    left ends of the steps, as in Ito's sense. It vanishes with the time step, like ``dt``. Read in
    Stratonovich's sense the same equation conserves ``C``: then the residual is the integral.

    Looks at every step, so runs that it observes must follow each other without gaps.

    Attributes
    ----------
    pairs : list of tuple (i, k, l)
        What the last axis runs over: subnetwork ``i``, layers ``k < l``.
    t : float
        Time reached, from the first look on.
    residual : ndarray, shape (*sweep, n, pairs)
        nan for particles that are lost or started with ``C = 0``.
    median : ndarray, shape (*sweep, pairs)
        Median over the other particles of ``|residual|``.
    lost : ndarray of int, shape (*sweep, pairs)
        Particles without a residual.

    Raises
    ------
    ValueError
        When a run starts, if the model is not a `DiagonalNetwork` of depth >= 1, if all particles
        start balanced, or if steps were made unobserved.

    Notes
    -----
    ``C`` is the difference of two floats: once the layers agree to rounding (``|C|`` about 1e-16 of
    their squares, 4 int [...] ds about 36) it holds no information, and the residual is noise.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self._sweep: tuple[int, ...] = ()
        self._models: list[DiagonalNetwork] = []
        self._step = -1
        self._times = (0.0, 0.0)  # of the first look and the last
        self._log_start: FloatArray | None = None  # (points, n, pairs), as the others
        self._log_now: FloatArray | None = None
        self._rate: FloatArray | None = None
        self._integral: FloatArray | None = None
        self.pairs: list[tuple[int, int, int]] = []

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        from ..models import DiagonalNetwork

        super().begin(ensemble, plan)
        model = ensemble.model
        if not isinstance(model, DiagonalNetwork) or model.depth < 1:
            raise ValueError(
                "observe: BalanceResidual needs a DiagonalNetwork of depth >= 1, whose layers have "
                f"a law of balance, got {model!r}"
            )
        if self._log_start is not None:
            if plan.step != self._step:
                raise ValueError(
                    f"observe: this BalanceResidual saw the ensemble at step {self._step} last and "
                    f"has missed what followed, up to step {plan.step}; take a new one"
                )
            return
        self._sweep = model.shape
        self._models = [model[i] for i in np.ndindex(model.shape)] if model.shape else [model]
        layers = range(model.depth + 1)
        self.pairs = [
            (i, k, m) for i in range(model.width) for k, m in itertools.combinations(layers, 2)
        ]
        if not np.any(self._look(ensemble)[0] > -np.inf):
            raise ValueError(
                "observe: BalanceResidual needs layers that differ (x0 is balanced in all particles)"
            )

    def next_step(self, step: int, plan: Plan) -> int | None:
        return step if self._log_start is None else step + 1

    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        logs, rate = self._look(ensemble)
        if self._log_start is None:
            self._log_start, self._integral = logs, np.zeros_like(rate)
            self._times = (time, time)
        else:
            assert self._integral is not None and self._rate is not None
            with np.errstate(all="ignore"):  # lost particles
                self._integral += self._rate * (time - self._times[1])
            self._times = (self._times[0], time)
        self._log_now, self._rate, self._step = logs, rate, step

    def _look(self, ensemble: Ensemble) -> tuple[FloatArray, FloatArray]:
        """Return ``ln|C|`` and ``T q P^2 + gamma``, shape (points, n, pairs)."""
        shape = (len(self._models), ensemble.n, len(self.pairs))
        logs, rates = np.empty(shape), np.empty(shape)
        with np.errstate(all="ignore"):
            for point, model in enumerate(self._models):
                x = ensemble._look(None, point, 0, ensemble.n)
                for j, (charge, rate) in enumerate(_charges(model, x, self.pairs)):
                    logs[point, :, j] = _core.math("log", np.abs(charge))
                    rates[point, :, j] = rate
        return logs, rates

    def merge(self, other: BalanceResidual) -> BalanceResidual:
        """Return the residuals of two disjoint ensembles, particles of ``other`` last.

        The result is complete: it cannot observe further.

        Raises
        ------
        TypeError
            If ``other`` is not a `BalanceResidual`.
        ValueError
            If it looked at another model or at other times.
        """
        if not isinstance(other, BalanceResidual):
            raise TypeError(f"other must be a BalanceResidual, got {type(other).__name__}")
        mine, theirs = self._parts(), other._parts()
        if (self._models, self._times) != (other._models, other._times):
            raise ValueError(
                f"other must have looked at the same model from t = {self._times[0]:g} to "
                f"{self._times[1]:g}, got t = {other._times[0]:g} to {other._times[1]:g}"
            )
        out = BalanceResidual()
        out._sweep, out._models, out._times = self._sweep, self._models, self._times
        out.pairs = list(self.pairs)
        out._log_start, out._log_now, out._integral = (
            np.concatenate([a, b], axis=1) for a, b in zip(mine, theirs, strict=True)
        )
        out._complete()
        return out

    def _parts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        if self._log_start is None or self._log_now is None or self._integral is None:
            raise ValueError("BalanceResidual has not looked yet: pass it to run(observe=[...])")
        return self._log_start, self._log_now, self._integral

    @property
    def t(self) -> float:
        return self._times[1] - self._times[0]

    @property
    def residual(self) -> FloatArray:
        start, now, integral = self._parts()
        with np.errstate(all="ignore"):
            residual = now - start + 4.0 * integral
        residual[~np.isfinite(residual)] = np.nan
        return residual.reshape(*self._sweep, *residual.shape[1:])

    @property
    def median(self) -> FloatArray:
        """nan where no particle has a residual."""
        size = np.sort(np.abs(self.residual), axis=-2)  # nan last
        count = np.count_nonzero(np.isfinite(size), axis=-2)[..., np.newaxis, :]
        middle = [np.maximum(count - 1, 0) // 2, np.minimum(count // 2, size.shape[-2] - 1)]
        low, high = (np.take_along_axis(size, k, axis=-2)[..., 0, :] for k in middle)
        median: FloatArray = 0.5 * (low + high)
        return median

    @property
    def lost(self) -> npt.NDArray[np.int64]:
        lost: npt.NDArray[np.int64] = np.count_nonzero(np.isnan(self.residual), axis=-2)
        return lost

    def __repr__(self) -> str:
        return f"BalanceResidual(): {len(self.pairs)} pairs, t={self.t:g}"


def _charges(
    model: DiagonalNetwork, x: FloatArray, pairs: list[tuple[int, int, int]]
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield ``C`` and ``T q P^2 + gamma`` of states ``x``, shape (n, dim), for each pair."""
    layers, width, data = model.depth + 1, model.width, model.data
    u = [[np.ascontiguousarray(x[:, k * width + i]) for k in range(layers)] for i in range(width)]
    v = np.zeros(len(x))
    for factors in u:
        v = v + _product(factors, len(x))
    q = np.maximum((data.alpha1 * v - 2.0 * data.alpha2) * v + data.alpha3, 0.0)
    for i, k, m in pairs:
        a, b = u[i][k], u[i][m]
        others = _product([f for j, f in enumerate(u[i]) if j not in (k, m)], len(x))
        yield (a - b) * (a + b), model.T * q * others**2 + model.gamma


def _product(factors: list[FloatArray], n: int) -> FloatArray:
    out = np.ones(n)
    for factor in factors:
        out = out * factor
    return out
