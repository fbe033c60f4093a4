"""Numbers that may be swept over: checked floats, or read-only arrays that broadcast together."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from .._checks import _range, _show, array, number

__all__ = ["Values", "broadcast", "index_of", "key", "shown", "values"]

#: A float, or for a sweep a read-only float64 array. Typed loosely, as numpy's scalars are.
Values: TypeAlias = Any


def values(
    name: str, value: Any, *, low: float = -math.inf, open_low: bool = False, nan: bool = False
) -> Values:
    """Return ``value`` as a checked float, or a list or array of numbers as a read-only array.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : object
        A real number, or a regular, non-empty array of them.
    low : float
        Lower bound of every entry, inclusive unless ``open_low``.
    nan : bool, default False
        Let nan through (it stands for "unknown").

    Raises
    ------
    TypeError, ValueError
        As :func:`escapade._checks.number`; for an array the message shows the first bad entry.
    """
    if not isinstance(value, (np.ndarray, list, tuple)) or np.ndim(_regular(name, value)) == 0:
        if nan and isinstance(value, (float, np.floating)) and math.isnan(value):
            return math.nan
        return number(name, value, low=low, open_low=open_low)
    entries = array(name, value)
    if entries.size == 0:
        raise ValueError(f"{name} must hold at least one number, got shape {entries.shape}")
    fine = np.isfinite(entries) & (entries > low if open_low else entries >= low)
    if nan:
        fine |= np.isnan(entries)
    if not fine.all():
        at = tuple(int(i) for i in np.argwhere(~fine)[0])
        bound = _range(low, None, open_low, False)
        raise ValueError(
            f"{name} must be finite{' and ' + bound if bound else ''} everywhere, "
            f"got {float(entries[at])!r} at index {at if len(at) > 1 else at[0]}"
        )
    return frozen(entries)


def _regular(name: str, value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else array(name, value)


def frozen(entries: Any) -> Any:
    """Return a contiguous read-only copy."""
    copy = np.array(entries, dtype=np.float64, order="C")
    copy.flags.writeable = False
    return copy


def broadcast(fields: Mapping[str, Values]) -> dict[str, Values]:
    """Return ``fields`` broadcast together: all floats, or all read-only arrays of one shape.

    Raises
    ------
    ValueError
        If two of them do not broadcast; both are named.
    """
    swept = {name: np.shape(value) for name, value in fields.items() if np.ndim(value)}
    if not swept:
        return dict(fields)
    names = list(swept)
    for i, first in enumerate(names):  # shapes broadcast together if every two of them do
        for second in names[i + 1 :]:
            try:
                np.broadcast_shapes(swept[first], swept[second])
            except ValueError:
                raise ValueError(
                    f"{first} of shape {swept[first]} and {second} of shape {swept[second]} "
                    "do not broadcast"
                ) from None
    extents = np.broadcast_shapes(*swept.values())
    return {name: frozen(np.broadcast_to(value, extents)) for name, value in fields.items()}


def index_of(index: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return ``index`` as a tuple of integers that selects one point of a sweep.

    Raises
    ------
    TypeError
        If ``index`` is not an integer or a tuple of integers, or if there is no sweep.
    ValueError
        If it selects more than one point.
    IndexError
        If it is out of bounds.
    """
    entries = index if isinstance(index, tuple) else (index,)
    if not shape and entries:
        raise TypeError("these data are a single point, not a sweep: only [()] indexes them")
    try:
        whole = tuple(operator.index(entry) for entry in entries)
    except TypeError:
        raise TypeError(
            f"index must be an integer or a tuple of integers, got {_show(index)}"
        ) from None
    if len(whole) < len(shape):
        raise ValueError(
            f"index must select one point of a sweep of shape {shape}, got {_show(index)}"
        )
    if len(whole) > len(shape) or any(not -n <= i < n for i, n in zip(whole, shape, strict=True)):
        raise IndexError(f"index must lie within a sweep of shape {shape}, got {_show(index)}")
    return tuple(i % n for i, n in zip(whole, shape, strict=True))


def key(value: Any) -> tuple[tuple[int, ...], bytes]:
    """Return what two equal floats or arrays share: nan equals nan, and -0 equals 0."""
    entries = np.asarray(value, dtype=np.float64) + 0.0
    entries = np.where(np.isnan(entries), np.nan, entries)
    return entries.shape, entries.tobytes()


def shown(value: Values) -> str:
    """Return a value or the range of a sweep for a label."""
    if np.ndim(value) == 0:
        return f"{value + 0.0:g}"
    return f"{np.min(value):g}..{np.max(value):g} {np.shape(value)}"
