"""Parameters that may be arrays: checked, broadcast together, laid out as rows for the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import array, integer, number

FloatArray = npt.NDArray[np.float64]
Values = dict[str, FloatArray]


def checked(entry: dict[str, Any], given: Any, structural: bool) -> FloatArray:
    """Return a parameter, a number or an array of them, within the bounds of its registry ``entry``.

    Raises
    ------
    TypeError, ValueError
        If it is of the wrong type or out of bounds; if an array is given for a ``structural`` one.
    """
    name = entry["name"]
    if not (isinstance(given, (list, tuple)) or (isinstance(given, np.ndarray) and given.ndim)):
        return np.asarray(_one(entry, given), dtype=np.float64)
    if structural:
        raise ValueError(
            f"{name} must be a single number (the size of a particle, or its noise, depends on it)"
        )
    values = np.array(array(name, given))
    raw = np.asarray(given)
    if entry["integer"] and raw.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer or an array of integers, got {raw.dtype} array")
    if values.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {values.shape}")
    low, high = entry["low"], entry["high"]
    bad = ~np.isfinite(values)
    bad |= (values <= low) if entry["low_open"] else (values < low)
    bad |= (values >= high) if entry["high_open"] else (values > high)
    if np.any(bad):
        _one(entry, raw[bad].flat[0].item())  # says what is allowed
    values.flags.writeable = False
    return values


def _one(entry: dict[str, Any], given: Any) -> float:
    if entry["integer"]:
        return float(integer(entry["name"], given, low=int(entry["low"]), high=int(entry["high"])))
    return number(
        entry["name"],
        given,
        low=entry["low"],
        high=entry["high"],
        open_low=entry["low_open"] and math.isfinite(entry["low"]),
        open_high=entry["high_open"] and math.isfinite(entry["high"]),
    )


def broadcast_shape(shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape that all shapes broadcast to.

    Raises
    ------
    ValueError
        If they do not; the message names the parameters.
    """
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        swept = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise ValueError(f"parameter arrays must broadcast together, got shapes: {swept}") from None


def rows(values: Values, shape: tuple[int, ...], tail: FloatArray) -> FloatArray:
    """Return one row of parameters for each point, the ``tail`` (common to all) at its end."""
    columns = [np.broadcast_to(v, shape).reshape(-1) for v in values.values()]
    named = np.stack(columns, axis=1)
    whole = np.broadcast_to(tail.reshape(-1), (len(named), tail.size))
    matrix = np.ascontiguousarray(np.concatenate([named, whole], axis=1))
    matrix.flags.writeable = False
    return matrix
