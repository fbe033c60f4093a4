"""Sums over particles: centred, in a fixed order, and moved to other centres."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core

FloatArray = npt.NDArray[np.float64]


def finite_mean(x: FloatArray) -> float:
    """Return the mean of the finite entries, 0 if there is none: where power sums are centred."""
    good = x[np.isfinite(x)]
    return float(good.mean()) if good.size else 0.0


def recentre(sums: FloatArray, distance: Any) -> FloatArray:
    """Return power sums about centres moved by ``distance``, from those about the old ones.

    Parameters
    ----------
    sums : ndarray, shape (..., k)
        Sums of powers 0 to k - 1.
    distance : float or ndarray, broadcasting to (...)
    """
    back = -np.asarray(distance, dtype=np.float64)
    out = np.empty_like(sums)
    with np.errstate(all="ignore"):
        powers = [power(back, k) for k in range(sums.shape[-1])]
        for k in range(sums.shape[-1]):
            terms = [math.comb(k, j) * powers[k - j] * sums[..., j] for j in range(k + 1)]
            out[..., k] = sum(terms)
    return out


def power(x: FloatArray, k: int) -> FloatArray:
    """Return ``x**k``, entry by entry: numpy's powers of arrays depend on the processor."""
    if k < 2:
        return x if k else np.ones_like(x)
    return np.array([v**k for v in x.ravel()]).reshape(x.shape)


def over_particles(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return number, mean and variance of the finite entries, each of shape (points, width).

    Parameters
    ----------
    values : ndarray, shape (points, n, width)
    """
    points, _, width = values.shape
    out = np.full((3, points, width), np.nan)
    for point, k in np.ndindex(points, width):
        column = np.ascontiguousarray(values[point, :, k])
        shift = finite_mean(column[: _core.chunk])
        n, first, second = _core.power_sums(column, shift, 2)
        out[0, point, k] = n
        if n:
            mean = first / n
            out[1:, point, k] = shift + mean, max(second / n - mean**2, 0.0)
    return out[0], out[1], out[2]
