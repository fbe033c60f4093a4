"""Checks and broadcasting shared by the formulas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import _show, array
from ..data import DataMoments
from ..data._sweep import Values, broadcast

__all__ = [
    "factor",
    "matrix",
    "one_point",
    "over",
    "positive_definite",
    "psd",
    "symmetric",
    "vector",
]

_ROUNDING = 1e-10  # relative asymmetry or negativity that counts as rounding


def over(function: Callable[..., Any], data: DataMoments, **arguments: Any) -> Values:
    """Return ``function(data, *arguments)``, point by point where anything is an array.

    Parameters
    ----------
    function : callable
        Takes one data set and floats, checks them, returns a float.
    data : DataMoments
        One data set or a sweep.
    **arguments : float or array_like
        Broadcast together and with the sweep, in the order of ``function``.

    Returns
    -------
    float or ndarray
        A float if nothing is an array.

    Raises
    ------
    TypeError, ValueError
        If ``data`` is something else, if arrays do not broadcast, and what ``function`` raises.
    """
    _check_data(data)
    given = {
        name: array(name, value) if isinstance(value, (np.ndarray, list, tuple)) else value
        for name, value in arguments.items()
    }
    swept = {name: value for name, value in given.items() if np.ndim(value)}
    if not swept and not data.shape:
        return function(data, *given.values())
    spread = broadcast({**swept, "data": np.zeros(data.shape)})
    shape = spread.pop("data").shape
    result = np.empty(shape)
    points = np.broadcast_to(np.arange(math.prod(data.shape)).reshape(data.shape), shape)
    for at in np.ndindex(shape):
        where = (
            tuple(int(i) for i in np.unravel_index(points[at], data.shape)) if data.shape else ()
        )
        one = {n: float(spread[n][at]) if n in spread else v for n, v in given.items()}
        result[at] = function(data[where], *one.values())
    return result


def _check_data(data: Any) -> None:
    if not isinstance(data, DataMoments):
        raise TypeError(
            "data must be DataMoments (escapade.data.gaussian, binary, moments ...), "
            f"got {_show(data)}"
        )


def one_point(data: DataMoments) -> DataMoments:
    """Return ``data`` if it is a single data set.

    Raises
    ------
    TypeError, ValueError
        If it is something else, or a sweep.
    """
    _check_data(data)
    if data.shape:
        raise ValueError(
            f"data must be a single data set, got a sweep of shape {data.shape}: index it first"
        )
    return data


def vector(name: str, value: Any) -> Any:
    """Return a finite, non-empty 1-D float array."""
    return _finite(name, value, 1)


def matrix(name: str, value: Any) -> Any:
    """Return a finite, non-empty 2-D float array."""
    return _finite(name, value, 2)


def _finite(name: str, value: Any, ndim: int) -> Any:
    result = array(name, value)
    if result.ndim != ndim or result.size == 0:
        raise ValueError(f"{name} must be a non-empty {ndim}-D array, got shape {result.shape}")
    if not np.isfinite(result).all():
        raise ValueError(f"{name} must be finite, got {_show(value)}")
    return result


def symmetric(name: str, value: Any) -> Any:
    """Return a symmetric matrix, rounding removed."""
    result = matrix(name, value)
    if result.shape[0] != result.shape[1]:
        raise ValueError(f"{name} must be square, got shape {result.shape}")
    gap = float(np.max(np.abs(result - result.T)))
    if gap > _ROUNDING * float(np.max(np.abs(result))):
        raise ValueError(f"{name} must be symmetric, got entries that differ by {gap:.3g}")
    return 0.5 * (result + result.T)


def psd(name: str, value: Any) -> Any:
    """Return a symmetric positive semidefinite matrix."""
    result = symmetric(name, value)
    eigenvalues = np.linalg.eigvalsh(result)
    if eigenvalues[0] < -_ROUNDING * max(eigenvalues[-1], 0.0):
        raise ValueError(
            f"{name} must be positive semidefinite, got an eigenvalue {eigenvalues[0]:.6g}"
        )
    return result


def positive_definite(name: str, value: Any, size: int) -> Any:
    """Return a symmetric positive definite matrix of the given size."""
    result = symmetric(name, value)
    if result.shape[0] != size:
        raise ValueError(f"{name} must have shape ({size}, {size}), got {result.shape}")
    eigenvalues = np.linalg.eigvalsh(result)
    if eigenvalues[0] <= 1e-14 * eigenvalues[-1]:
        raise ValueError(
            f"{name} must be positive definite, got an eigenvalue {eigenvalues[0]:.6g}"
        )
    return result


def factor(value: Any) -> tuple[Any, Any]:
    """Return the symmetric square root of a positive definite matrix, and its inverse."""
    eigenvalues, vectors = np.linalg.eigh(value)
    root = np.sqrt(eigenvalues)
    return (vectors * root) @ vectors.T, (vectors / root) @ vectors.T
