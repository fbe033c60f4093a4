"""How long a process takes to forget where in its basin it started."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt
from scipy import integrate, linalg

from .. import exact
from .problem import Problem
from .regions import Interval

__all__ = ["relaxation_time"]

FloatArray = npt.NDArray[np.float64]

_TAIL = np.geomspace(1e-6, 1e-3, 40)  # of the quasi-stationary law
_LONG = 1e6  # steps of the problem, in which the flow must have come to rest


def relaxation_time(problem: Problem) -> float | None:
    """Return how long particles take to forget where they started, in the model's unit of time.

    In one dimension the inverse gap between the two leading eigenvalues of the process in its region,
    by finite volumes to some per cent. Otherwise, and where `escapade.exact` refuses the process, that
    of the drift alone: the slowest eigenvalue of its Jacobian at the stable point to which ``dx/dt =
    drift`` leads from the first particle's start. None where that leads to no point in the region at
    which all directions are stable (flat directions included), and for processes in discrete time.
    """
    model = problem.model
    if model.time_step is not None or model.calculus != "ito":
        return None
    rate = None
    if not (model.vector or model.jumps) and isinstance(problem.region, Interval):
        rate = _gap(problem, problem.region)
    rate = _return_rate(problem) if rate is None else rate
    return 1.0 / rate if rate > 0.0 else None


def _gap(problem: Problem, region: Interval) -> float | None:
    """Return the distance between the two smallest eigenvalues of the generator."""
    model = problem.model
    a, b = (float(e) for e in model.domain)
    a, b = max(a, region.lower), min(b, region.upper)
    reach = {b.name: b.level for b in problem.boundaries}
    try:
        law = exact.quasi_stationary(model, a, b, reflect=region.reflect)
    except (ValueError, NotImplementedError):
        return None
    x = np.unique(law.ppf(np.concatenate([_TAIL, np.linspace(0.002, 0.998, 499), 1.0 - _TAIL])))
    x = np.unique(np.concatenate([x, [level for level in reach.values()]]))
    x = x[np.diff(x, prepend=-np.inf) > 1e-9 * (x[-1] - x[0])]  # or rounding spoils the eigenvalues
    middle = 0.5 * (x[1:] + x[:-1])
    drift, noise = model.drift(middle), model.diffusion(middle) ** 2
    slope = -2.0 * drift / noise * np.diff(x)  # of the logarithm of the scale density, per interval
    phi = np.concatenate([[0.0], np.cumsum(slope)])
    phi -= phi.min()
    with np.errstate(over="ignore"):
        conductance = 0.5 * np.exp(-0.5 * (phi[1:] + phi[:-1])) / np.diff(x)
        width = np.diff(np.concatenate([x[:1], middle, x[-1:]]))
        mass = np.exp(-phi) * width / np.interp(x, middle, noise)
    inside = np.ones(x.size, dtype=bool)
    for name, end in (("lower", 0), ("upper", -1)):
        inside[end] = name not in reach or region.reflect == name
    flow = np.zeros(x.size + 1)
    flow[1:-1] = conductance
    diagonal = ((flow[1:] + flow[:-1]) / mass)[inside]
    coupling = -conductance / np.sqrt(mass[1:] * mass[:-1])
    coupling = coupling[inside[1:] & inside[:-1]]
    if not (np.all(np.isfinite(diagonal)) and np.all(np.isfinite(coupling))):
        return None
    first, second = linalg.eigvalsh_tridiagonal(diagonal, coupling, select="i", select_range=(0, 1))
    return float(second - first)


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
