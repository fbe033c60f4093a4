"""How long a process takes to forget where in its basin it started."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt
from scipy import integrate

from .problem import Problem

__all__ = ["relaxation_time"]

FloatArray = npt.NDArray[np.float64]

_LONG = 1e6  # steps of the problem, in which the flow must have come to rest


def relaxation_time(problem: Problem) -> float | None:
    """Return how long particles take to forget where they started, in the model's unit of time.

    Two rates add up: that of the drift, the slowest eigenvalue of its Jacobian at the stable point to
    which ``dx/dt = drift`` leads from the first particle's start; and in an interval with two ends
    that of free diffusion between them, the gap ``3 pi^2/(2 L^2)`` with the length ``L`` in units of
    noise. None where the flow leads to no point in the region at which all directions are stable (flat
    directions included) and nothing bounds the region, and for processes in discrete time.
    """
    if problem.model.time_step is not None:
        return None
    rate = _return_rate(problem) + _mixing_rate(problem)
    return 1.0 / rate if rate > 0.0 else None


def _mixing_rate(problem: Problem) -> float:
    model, ends = problem.model, [b.level for b in problem.boundaries]
    if model.vector or len(ends) != 2:
        return 0.0
    x = np.linspace(min(ends), max(ends), 513)
    noise = np.abs(model.diffusion(0.5 * (x[1:] + x[:-1])))
    if not np.all(noise > 0.0):
        return 0.0
    length = float(np.sum(np.diff(x) / noise))
    return 1.5 * (math.pi / length) ** 2


def _return_rate(problem: Problem) -> float:
    model = problem.model
    scalar = not model.vector
    start = np.atleast_1d(problem.start(1)[0]).astype(np.float64)

    def drift(y: FloatArray) -> FloatArray:
        return np.atleast_1d(model.drift(y[0] if scalar else y))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an integrator that meets a drift it cannot follow
        end = integrate.solve_ivp(
            lambda t, y: drift(y), (0.0, _LONG * problem.dt), start, method="LSODA", rtol=1e-8
        )
    x = end.y[:, -1]
    if not end.success or not np.all(np.isfinite(x)):
        return 0.0
    if not np.all(problem.region.contains(x[0] if scalar else x, scalar=scalar)):
        return 0.0
    rate = -_slowest(drift, x)
    scale = float(np.max(np.abs(drift(x + 1e-3)))) + 1e-300
    return rate if math.isfinite(rate) and rate > 1e-9 * scale else 0.0


def _slowest(drift: object, x: FloatArray) -> float:
    """Return the largest real part of the eigenvalues of the drift's Jacobian."""
    assert callable(drift)
    columns = []
    for k, h in enumerate(1e-5 * (1.0 + np.abs(x))):
        e = np.zeros_like(x)
        e[k] = h
        columns.append((drift(x + e) - drift(x - e)) / (2.0 * h))
    jacobian = np.stack(columns, axis=1)
    if not np.all(np.isfinite(jacobian)):
        return math.nan
    return float(np.max(np.linalg.eigvals(jacobian).real))
