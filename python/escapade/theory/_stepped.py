"""The equation that a scheme steps: of a process of `escapade.exact`, in the scheme's coordinate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..exact.process import Diffusion, Process, raw
from ..models import Model
from ..models._evaluate import into_coordinate, out_of_coordinate

__all__ = ["Stepped", "recurrent_edge", "stepped"]

_DROP = 36.0  # the speed measure is cut where it has fallen by exp(-36) = 2e-16
_UNIT = "lamperti-heun"


class Stepped(NamedTuple):
    """``dy = drift dt + noise dW`` (Ito) of arrays, and the growing map from the physical state."""

    drift: Callable[[Any], Any]
    noise: Callable[[Any], Any]
    coordinate: Callable[[float], float]


def stepped(process: Process, unit_noise: bool, start: float, step: float) -> Stepped:
    """Return the equation as it is, or in the coordinate in which its noise is 1.

    Parameters
    ----------
    process : Model or Diffusion
        Checked by `escapade.exact.process.as_process`.
    unit_noise : bool
        A `Diffusion` has noise 1 already, or is refused later.
    start : float
        Where the process starts.
    step : float
        A length in the coordinate on which the noise is smooth.

    Raises
    ------
    ValueError
        If a model has no coordinate in which its noise is 1.
    """
    if not unit_noise or isinstance(process, Diffusion):
        return Stepped(
            lambda x: raw(process, np.asarray(x))[0],
            lambda x: np.abs(raw(process, np.asarray(x))[1]),
            float,
        )
    model: Model = process
    reason = model.scheme_objection(_UNIT)
    if reason is not None:
        raise ValueError(
            f"process must have a coordinate in which its noise is 1 for this scheme: {reason}; "
            f"use scheme 'euler-maruyama', got {model!r}"
        )

    def into(x: float) -> float:
        return float(into_coordinate(model, "lamperti", x))

    sign = 1.0 if into(start + 1e-6 * (abs(start) or 1.0)) >= into(start) else -1.0
    # ln |diffusion| has the derivative sum(weight f(y + offset))/step to fourth order
    offsets = step * np.array([0.0, -2.0, -1.0, 1.0, 2.0])
    weights = np.array([0.0, 1.0, -8.0, 8.0, -1.0]) / (12.0 * step)

    def drift(y: Any) -> Any:
        y = np.asarray(y)
        a, b = raw(model, out_of_coordinate(model, "lamperti", sign * (y[..., None] + offsets)))
        b = np.abs(b)
        with np.errstate(all="ignore"):
            return a[..., 0] / b[..., 0] - 0.5 * (np.log(b) @ weights)

    return Stepped(drift, lambda y: np.ones(np.shape(y)), lambda x: sign * into(x))


def recurrent_edge(process: Stepped, start: float, way: float, step: float) -> float:
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
