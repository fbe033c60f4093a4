"""Integrals of positive functions kept as logarithms, on panels of Gauss-Legendre nodes.

A function is an array of shape (panels, ORDER) of its logarithm at the nodes. Nothing is ever
subtracted: an integral to the right is the sum of what lies to the right, not a total less the left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

__all__ = [
    "NODES",
    "ORDER",
    "TO_INTEGRAL",
    "TO_LEGENDRE",
    "TO_RIGHT",
    "WEIGHTS",
    "Cumulated",
    "FloatArray",
    "cumulate",
    "interpolate",
    "total",
]

FloatArray = npt.NDArray[np.float64]

ORDER = 20
NODES, WEIGHTS = legendre.leggauss(ORDER)
#: Values at the nodes -> Legendre coefficients (exact for polynomials of degree < ORDER).
TO_LEGENDRE: FloatArray = (
    (np.arange(ORDER)[:, None] + 0.5) * legendre.legvander(NODES, ORDER - 1).T * WEIGHTS
)
_INTEGRALS = np.array([legendre.legint(row, lbnd=-1) for row in np.eye(ORDER)])
#: Values at the nodes -> integral from -1 to each node, and from each node to 1.
TO_INTEGRAL: FloatArray = np.array(
    [[legendre.legval(t, row) for row in _INTEGRALS] for t in NODES] @ TO_LEGENDRE
)
TO_RIGHT: FloatArray = WEIGHTS - TO_INTEGRAL


class Cumulated(NamedTuple):
    """Logarithms of the integrals up to (left) and from (right) the nodes and the edges."""

    left: FloatArray
    left_edges: FloatArray
    right: FloatArray
    right_edges: FloatArray


def _scaled(log_f: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``f / top`` and ``ln top`` with ``top`` the maximum on each panel."""
    top = log_f.max(axis=1)
    top = np.where(np.isfinite(top), top, 0.0)
    return np.exp(log_f - top[:, None]), top


def cumulate(log_f: FloatArray, half: FloatArray) -> Cumulated:
    """Integrate ``f`` from both ends.

    Parameters
    ----------
    log_f : ndarray, shape (panels, ORDER)
        ``ln f`` at the nodes.
    half : ndarray, shape (panels,)
        Half widths of the panels.
    """
    with np.errstate(divide="ignore"):
        f, top = _scaled(log_f)
        add = top + np.log(half)
        whole = np.log(f @ WEIGHTS) + add
        left_part = np.log(np.maximum(f @ TO_INTEGRAL.T, 0.0)) + add[:, None]
        right_part = np.log(np.maximum(f @ TO_RIGHT.T, 0.0)) + add[:, None]
        none = np.array([-np.inf])
        left = np.concatenate([none, np.logaddexp.accumulate(whole)])
        right = np.concatenate([np.logaddexp.accumulate(whole[::-1])[::-1], none])
        return Cumulated(
            np.logaddexp(left[:-1, None], left_part),
            left,
            np.logaddexp(right[1:, None], right_part),
            right,
        )


def total(log_f: FloatArray, half: FloatArray) -> float:
    """Return ``ln`` of the integral of ``f`` over all panels."""
    with np.errstate(divide="ignore"):
        f, top = _scaled(log_f)
        whole = np.log(f @ WEIGHTS) + top + np.log(half)
    return float(np.logaddexp.reduce(whole))


def interpolate(values: FloatArray, t: FloatArray) -> FloatArray:
    """Return polynomials given at the nodes, at other points.

    Parameters
    ----------
    values : ndarray, shape (n, ORDER)
        Values of the i-th polynomial at the nodes.
    t : ndarray, shape (n, m)
        Points in [-1, 1].

    Returns
    -------
    ndarray, shape (n, m)
    """
    coefficients = values @ TO_LEGENDRE.T
    return np.asarray(legendre.legval(t, coefficients.T[:, :, None], tensor=False))
