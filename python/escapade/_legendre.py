"""Gauss-Legendre rules and the linear maps of polynomials on their nodes."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

__all__ = ["Rule", "gauss_legendre"]

FloatArray = npt.NDArray[np.float64]


class Rule(NamedTuple):
    """A rule of ``order`` nodes on [-1, 1].

    Attributes
    ----------
    nodes, weights : ndarray, shape (order,)
    to_legendre : ndarray, shape (order, order)
        Values at the nodes -> Legendre coefficients, exact for polynomials of degree < order.
    integrals : ndarray, shape (order, order + 1)
        Row j: Legendre coefficients of the integral from -1 of the j-th Legendre polynomial.
    to_integral : ndarray, shape (order, order)
        Values at the nodes -> integral from -1 to each node.
    """

    nodes: FloatArray
    weights: FloatArray
    to_legendre: FloatArray
    integrals: FloatArray
    to_integral: FloatArray


@functools.lru_cache(maxsize=8)
def gauss_legendre(order: int) -> Rule:
    """Return the rule of ``order`` nodes."""
    nodes, weights = legendre.leggauss(order)
    values = legendre.legvander(nodes, order - 1)
    to_legendre = (np.arange(order)[:, None] + 0.5) * values.T * weights
    integrals = np.array([legendre.legint(row, lbnd=-1) for row in np.eye(order)])
    at_nodes = np.array([[legendre.legval(t, row) for row in integrals] for t in nodes])
    return Rule(nodes, weights, to_legendre, integrals, at_nodes @ to_legendre)
