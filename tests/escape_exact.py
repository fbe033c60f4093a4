"""Mean first-passage times by quadrature, for the tests of asymptotic formulas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

_ORDER = 14
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_ORDER)


def _integration() -> Any:
    """Return ``A`` with ``(A f)_i`` the integral of the interpolant from -1 to node ``i``."""
    basis = np.polynomial.legendre.legint(np.eye(_ORDER), lbnd=-1.0)
    values = np.polynomial.legendre.legval(_NODES, basis).T
    return values @ np.linalg.inv(np.polynomial.legendre.legvander(_NODES, _ORDER - 1))


_INTEGRATION = _integration()


def mean_time(
    drift: Callable[[Any], Any],
    variance: Callable[[Any], Any],
    low: float,
    start: float,
    stop: float,
    panels: int = 600,
) -> float:
    """Return the mean time from ``start`` up to ``stop`` of a process that reflects at ``low``.

    ``int_start^stop s'(y) int_low^y m(z) dz dy`` with ``s' = exp(Phi)``, ``m = 2/(a s')``,
    ``Phi' = -2 b/a``; only differences of ``Phi`` within a panel are exponentiated.
    """
    near = max(2, math.ceil(panels * (start - low) / (stop - low)))
    edges = np.concatenate(
        [np.linspace(low, start, near + 1), np.linspace(start, stop, panels + 1)[1:]]
    )
    half = 0.5 * np.diff(edges)[:, None]
    y = edges[:-1, None] + half * (_NODES + 1.0)
    a = variance(y) * np.ones_like(y)
    tilt = 2.0 * drift(y) / a
    log_speed, rise = half * (tilt @ _INTEGRATION.T), (half * tilt) @ _WEIGHTS
    carry = total = 0.0
    for i in range(len(half)):
        speed = half[i] * 2.0 / a[i] * np.exp(log_speed[i])
        if i >= near:
            inner = np.exp(-log_speed[i]) * (carry + _INTEGRATION @ speed)
            total += float(half[i, 0] * (_WEIGHTS @ inner))
        carry = math.exp(-rise[i]) * (carry + float(_WEIGHTS @ speed))
    return total
