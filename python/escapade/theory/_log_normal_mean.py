"""Mean logarithms: ``E ln |c + Z|`` for a standard normal Z, and what follows from it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from .._checks import array

__all__ = ["log_one_plus", "mean_log_abs_normal", "mean_log_one_plus"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_FAR = 9.0  # from here on the asymptotic series is exact to rounding
_SERIES = [-math.prod(range(1, 2 * n, 2)) / (2 * n) for n in range(1, 25)]


def mean_log_abs_normal(c: Any) -> Any:
    """Return ``E ln |c + Z|``, ``Z ~ N(0, 1)``; accurate to about 1e-14.

    ``-(euler_gamma + ln 2)/2 + (c^2/2) 2F2(1, 1; 3/2, 2; -c^2/2)``. Its derivative is
    ``sqrt(2) Dawson(c/sqrt(2))``, an entire function, which Gauss-Legendre quadrature integrates up
    to moderate ``c``; beyond, ``ln |c|`` minus the asymptotic series.

    Parameters
    ----------
    c : float or array_like
        Ratio of mean and standard deviation.

    Returns
    -------
    float or ndarray
        Same shape as ``c``.
    """
    size = np.abs(array("c", c))
    near = np.minimum(size, _FAR)[..., None]
    points = 0.5 * near * (_NODES + 1.0)
    slope = math.sqrt(2.0) * special.dawsn(points / math.sqrt(2.0))
    close = 0.5 * near[..., 0] * (slope @ _WEIGHTS) - 0.5 * (np.euler_gamma + math.log(2.0))
    far = np.maximum(size, _FAR)
    return np.where(size < _FAR, close, np.log(far) + _series(far))[()]


def _series(c: Any) -> Any:
    """Return ``E ln |1 + Z/c|`` for large ``c``."""
    inverse = 1.0 / c / c
    return inverse * np.polynomial.polynomial.polyval(inverse, _SERIES)


def log_one_plus(d: Any) -> Any:
    """Return ``ln |1 + d|``, accurate for small ``d``; minus infinity at -1."""
    points = np.asarray(d, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.log1p(np.where(points >= -1.0, points, -2.0 - points))[()]


def mean_log_one_plus(d: Any, sd: Any) -> Any:
    """Return ``E ln |1 + d + sd Z|``, accurate for small ``d`` and ``sd``, where it is small.

    Parameters
    ----------
    d, sd : float or array_like
        Mean minus one, and standard deviation >= 0; they broadcast.
    """
    shift, spread = np.broadcast_arrays(
        np.asarray(d, dtype=np.float64), np.asarray(sd, dtype=np.float64)
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        c = np.abs((1.0 + shift) / spread)  # inf, or nan at 0/0, without noise
        far = (c >= _FAR) | (spread == 0.0)
        near = np.log(spread) + mean_log_abs_normal(np.where(far, 0.0, c))
    series = _series(np.where(far & (c > _FAR), c, _FAR))
    return np.where(far, log_one_plus(shift) + np.where(spread > 0.0, series, 0.0), near)[()]
