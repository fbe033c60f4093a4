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
    """Return the longest relaxation time of the drift at the stable point it leads to from ``x0``.

    The point is found by following ``dx/dt = drift`` from the first particle's start, the time by
    linearising the drift there: the inverse of its slowest eigenvalue, in the model's unit of time.
    None where the flow leads out of the region or to no point at which all directions are stable
    (flat directions included), and for processes in discrete time.
    """
    model = problem.model
    if model.time_step is not None:
        return None
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
        return None
    if not np.all(problem.region.contains(x[0] if scalar else x, scalar=scalar)):
        return None
    rate = -_slowest(drift, x)
    scale = float(np.max(np.abs(drift(x + 1e-3)))) + 1e-300
    return 1.0 / rate if math.isfinite(rate) and rate > 1e-9 * scale else None


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
