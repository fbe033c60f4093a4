"""One-dimensional diffusions as functions: of models, in physical and Lamperti coordinates; of users."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._checks import _show
from ..models import DoubleWell, Model, OrnsteinUhlenbeck, PowerLaw

__all__ = ["Diffusion", "diffusion_of", "recurrent_edge"]

Function = Callable[[Any], Any]
_DROP = 36.0  # the speed measure is cut where it has fallen by exp(-36) = 2e-16


class Diffusion(NamedTuple):
    """``dy = drift dt + noise dW`` (Ito) of arrays, and the map from the physical coordinate."""

    drift: Function
    noise: Function
    coordinate: Callable[[float], float]


def diffusion_of(process: Any, unit_noise: bool) -> Diffusion:
    """Return a process as functions, in the coordinate in which its noise is 1 if asked for.

    Raises
    ------
    TypeError
        If ``process`` is neither a known model nor a pair of functions.
    ValueError
        If it is a sweep, has no noise or no such coordinate.
    """
    if isinstance(process, tuple) and len(process) == 2 and all(callable(f) for f in process):
        drift, noise = (_vectorised(f) for f in process)
        return Diffusion(drift, noise, float)
    if isinstance(process, (PowerLaw, DoubleWell, OrnsteinUhlenbeck)):
        process._single()
        physical = _physical(process)
        return _lamperti(process, physical) if unit_noise else physical
    raise TypeError(
        "process must be a PowerLaw, DoubleWell or OrnsteinUhlenbeck model or a pair (drift, "
        f"diffusion) of functions, got {_show(process)}"
    )


def _vectorised(function: Function) -> Function:
    def call(x: Any) -> Any:
        return np.broadcast_to(np.asarray(function(x), dtype=np.float64), np.shape(x))

    return call


def _physical(model: Model) -> Diffusion:
    p = model.params
    if isinstance(model, DoubleWell):
        h, T = p["h"], p["T"]
        return _additive(lambda x: -4.0 * h * x * (x * x - 1.0), math.sqrt(2.0 * T), model)
    if isinstance(model, OrnsteinUhlenbeck):
        theta, mu = p["theta"], p["mu"]
        return _additive(lambda x: -theta * (x - mu), p["sigma"], model)
    H, eta = p["H"], p["eta"]
    es, er, eh = (eta * p[k] for k in ("sigma_g", "rho", "sigma_H"))
    return Diffusion(
        lambda u: -H * u, lambda u: np.sqrt(np.maximum((eh * u + 2.0 * er) * u + es, 0.0)), float
    )


def _additive(drift: Function, noise: float, model: Model) -> Diffusion:
    if noise <= 0.0:
        raise ValueError(f"process must have noise, got {model!r}")
    return Diffusion(drift, lambda x: np.full(np.shape(x), noise), float)


def _lamperti(model: Model, physical: Diffusion) -> Diffusion:
    def one(y: Any) -> Any:
        return np.ones(np.shape(y))

    p = model.params
    if not isinstance(model, PowerLaw) or p["sigma_H"] == 0.0:
        s = float(physical.noise(np.zeros(())))
        if s <= 0.0:
            raise ValueError(f"process must have noise, got {model!r}")
        return Diffusion(lambda y: physical.drift(s * y) / s, one, lambda x: x / s)
    H, eta = p["H"], p["eta"]
    es, er, eh = (eta * p[k] for k in ("sigma_g", "rho", "sigma_H"))
    c, gap = math.sqrt(eh), math.sqrt(max(es - er * er / eh, 0.0))
    if gap == 0.0:
        raise ValueError(f"process must have noise everywhere, got {model!r}")
    pull, skew, width, shift = (H / eh + 0.5) * c, H * er / (eh * gap), gap / c, er / eh
    return Diffusion(
        lambda y: -pull * np.tanh(c * y) + skew / np.cosh(np.clip(c * y, -700.0, 700.0)),
        one,
        lambda u: math.asinh((u + shift) / width) / c,
    )


def recurrent_edge(process: Diffusion, start: float, way: float, step: float) -> float:
    """Return a point beyond ``start``, to the side ``way``, that the process hardly ever reaches.

    There the speed measure has fallen by ``exp(-36)`` from its largest value on the way.

    Raises
    ------
    ValueError
        If it does not fall: then the mean passage time is infinite, or the process escapes.
    """
    x, level, most = start, 0.0, -math.inf
    dx = step * float(process.noise(np.asarray(start)))
    with np.errstate(all="ignore"):
        for _ in range(20000):
            middle = np.asarray(x + 0.5 * way * dx)
            b, s = float(process.drift(middle)), float(process.noise(middle))
            tilt = 2.0 * b / (s * s) * way
            if not (math.isfinite(tilt) and abs(x) < 1e100):
                break
            if abs(tilt) * dx > 1.0:
                dx *= 0.5
                continue
            level += tilt * dx
            x += way * dx
            here = level - math.log(s) + math.log(dx / s)  # mass in a cell, not density
            most = max(most, here)
            if here < most - _DROP:
                return x
            dx = min(1.2 * dx, 0.5 / max(abs(tilt), 1e-300))
    raise ValueError(
        "process must return from infinity: its speed measure does not fall beyond "
        f"{start:g}; give the other end of the region"
    )
