"""``E ln |c + Z|`` for a standard normal Z."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from .._checks import array

__all__ = ["mean_log_abs_normal"]

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
    inverse = 1.0 / far / far
    series = inverse * np.polynomial.polynomial.polyval(inverse, _SERIES)
    return np.where(size < _FAR, close, np.log(far) + series)[()]
