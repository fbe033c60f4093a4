"""Argument checks shared by the whole package.

Every message names the argument, shows the value and says what is allowed. A wrong *type* is a
``TypeError``, a wrong *value* a ``ValueError``; nothing else is ever raised here.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["array", "boolean", "choice", "generator", "integer", "number", "shape"]

_MAX_DRAWS = 2**36  # half a TiB of float64: asking for more is a slip, not a wish


def _show(value: Any) -> str:
    """Return a short ``repr`` of ``value`` that cannot itself fail."""
    try:
        text = repr(value)
    except Exception:  # a foreign __repr__ may raise anything
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:77] + "..."


def _range(low: float | None, high: float | None, open_low: bool, open_high: bool) -> str:
    """Describe an interval in words for an error message."""
    parts = []
    if low is not None and low != -math.inf:
        parts.append(f"{'greater than' if open_low else 'at least'} {low:g}")
    if high is not None and high != math.inf:
        parts.append(f"{'less than' if open_high else 'at most'} {high:g}")
    return " and ".join(parts)


def number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Return ``value`` as a finite float within bounds.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : object
        A real number (Python or numpy scalar, or a 0-d numeric array). Booleans are refused.
    low, high : float
        Bounds, inclusive unless ``open_low`` / ``open_high``.

    Raises
    ------
    TypeError
        If ``value`` is not a real number.
    ValueError
        If it is nan, infinite or out of bounds.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
        value = value[()]
    bad_type = isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real)
    if bad_type:
        raise TypeError(f"{name} must be a real number, got {_show(value)}")
    try:
        result = float(value)
    except OverflowError:
        raise ValueError(f"{name} must be a finite number, got {_show(value)}") from None
    if not math.isfinite(result):
        raise ValueError(f"{name} must be a finite number, got {_show(value)}")
    too_low = result <= low if open_low else result < low
    too_high = result >= high if open_high else result > high
    if too_low or too_high:
        allowed = _range(low, high, open_low, open_high)
        raise ValueError(f"{name} must be {allowed}, got {_show(value)}")
    return result


def integer(name: str, value: Any, *, low: int | None = None, high: int | None = None) -> int:
    """Return ``value`` as an int within inclusive bounds.

    Numpy integers are accepted; booleans and floats (even integral ones) are refused.

    Raises
    ------
    TypeError
        If ``value`` is not an integer.
    ValueError
        If it is out of bounds.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {_show(value)}")
    result = operator.index(value)
    if (low is not None and result < low) or (high is not None and result > high):
        parts = [f"at least {low}"] if low is not None else []
        parts += [f"at most {high}"] if high is not None else []
        raise ValueError(f"{name} must be {' and '.join(parts)}, got {_show(value)}")
    return result


def boolean(name: str, value: Any) -> bool:
    """Return ``value`` if it is True or False.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {_show(value)}")
    return bool(value)


def choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return ``value`` if it is one of the strings ``allowed``.

    Raises
    ------
    TypeError
        If ``value`` is not a string.
    ValueError
        If it is not among ``allowed``.
    """
    options = ", ".join(repr(option) for option in allowed)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {options}, got {_show(value)}")
    if value not in allowed:
        raise ValueError(f"{name} must be one of {options}, got {_show(value)}")
    return value


def array(name: str, value: Any) -> npt.NDArray[np.float64]:
    """Return ``value`` (a number or nested sequence of numbers) as a float64 array of any shape.

    Not-a-number and infinite entries are let through: what they mean is the caller's affair.

    Raises
    ------
    TypeError
        If the entries are not real numbers.
    ValueError
        If the nesting is ragged or a number is too large for a float.
    """
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value
    try:
        raw = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} must be a number or a regular array of numbers, got {_show(value)}"
        ) from None
    except Exception:  # objects with a broken array protocol
        raise TypeError(f"{name} must be an array of real numbers, got {_show(value)}") from None
    if raw.dtype.kind not in "iuf" and raw.size:
        if raw.dtype.kind == "O" and all(
            isinstance(v, numbers.Real) and not isinstance(v, bool) for v in raw.flat
        ):
            try:
                return np.asarray(raw, dtype=np.float64)  # integers beyond 64 bits
            except OverflowError:
                raise ValueError(f"{name} is too large for a float: {_show(value)}") from None
        raise TypeError(f"{name} must be an array of real numbers, got {_show(value)}")
    return np.asarray(raw, dtype=np.float64)


def shape(name: str, value: Any) -> tuple[int, ...]:
    """Return a numpy shape from ``None`` (a scalar), an int or a sequence of ints.

    Raises
    ------
    TypeError
        If ``value`` is none of these.
    ValueError
        If an extent is negative or the array would be absurdly large.
    """
    if value is None:
        return ()
    entries = value if isinstance(value, (tuple, list)) else (value,)
    extents = tuple(integer(name, entry, low=0) for entry in entries)
    if math.prod(extents) > _MAX_DRAWS or len(extents) > 32:
        raise ValueError(f"{name} must hold at most {_MAX_DRAWS} entries, got {_show(value)}")
    return extents


def generator(name: str, value: Any) -> np.random.Generator:
    """Return a numpy ``Generator`` from ``None`` (fresh entropy), a seed >= 0 or a ``Generator``.

    Raises
    ------
    TypeError
        If ``value`` is none of these.
    ValueError
        If the seed is negative.
    """
    if isinstance(value, np.random.Generator):
        return value
    if value is None:
        return np.random.default_rng()
    return np.random.default_rng(integer(name, value, low=0))
