"""Exact mean escape times of SGD itself, a Markov chain, in linear regression on normal data."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["sgd_escape_time", "sgd_exit_time"]

FloatArray = npt.NDArray[np.float64]

_PANELS = np.array([0.0, 0.02, 0.1, 0.3, 0.7, 1.5, 3.0, 5.0, 8.0])  # of |x|, denser where w' = w
_REACH = 3.0  # how far beyond the minimum T is resolved; it is taken as constant from there


def sgd_escape_time(a: float, eta: float, cells: int = 50) -> float:
    """Return the mean number of iterations from ``-a`` until ``w >= a``, without simulation.

    For `RegressionWell` with independent standard normal x and y and one sample per step::

        w' = w + 2 eta x (x v - y),  v = |w| - a

    which is normal given x. ``T = 1 + P T`` is solved for a function that is linear between nodes,
    integrals over y in closed form and those over x by Gauss-Legendre panels, and extrapolated from
    two widths of the cells; relative error about 2e-3.

    Parameters
    ----------
    a : float
        Where the parabolas are glued, > 0.
    eta : float
        Learning rate, > 0.
    cells : int, default 50
        Number of cells of the coarser solution.
    """

    def solve(count: int) -> float:
        w = np.linspace(-a - _REACH, a, count + 1)
        time = _times(w, np.abs(w) - a, 2.0 * eta, absorbing=False)
        return float(np.interp(-a, w, time))

    return _extrapolated(solve, cells)


def sgd_exit_time(radius: float, eta: float, cells: int = 60) -> float:
    """Return the mean number of iterations from 0 until ``|w| >= radius``, without simulation.

    For ``w' = w - eta x (x w - y)``, SGD on the loss ``(w x - y)^2/2``; method of `sgd_escape_time`.
    """

    def solve(count: int) -> float:
        # wider cells far out, where steps are longer
        w = 0.5 * np.sinh(np.linspace(-1.0, 1.0, count + 1) * np.arcsinh(2.0 * radius))
        return float(_times(w, -w, eta, absorbing=True)[count // 2])

    return _extrapolated(solve, cells)


def _extrapolated(solve: Callable[[int], float], cells: int) -> float:
    """Return the limit of many cells; the error falls like the square of their width."""
    return (4.0 * solve(2 * cells) - solve(cells)) / 3.0


def _times(w: FloatArray, v: FloatArray, eta: float, absorbing: bool) -> FloatArray:
    """Return mean iterations from the nodes ``w`` until ``w' = w + eta x (x v - y)`` is above them.

    Below them, particles have left too if ``absorbing``, or else T is that of the lowest node.
    """
    node, weight = np.polynomial.legendre.leggauss(8)
    half = 0.5 * np.diff(_PANELS)[:, None]
    x = (_PANELS[:-1, None] + half * (node + 1.0)).ravel()
    chance = (half * weight).ravel() * np.exp(-0.5 * x * x)
    chance /= chance.sum()
    beyond = np.zeros((w.size, w.size))
    above = np.zeros((w.size, w.size))
    for at, share in zip(x.tolist(), chance.tolist(), strict=True):
        spread = eta * at
        z = (w[:, None] + spread * at * v[:, None] - w) / spread
        tail = special.ndtr(z)
        # E max(w' - w_j, 0)
        beyond += share * spread * (z * tail + np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi))
        above += share * tail
    part = (beyond[:, :-1] - beyond[:, 1:]) / np.diff(w)  # mean share of each cell that is below w'
    step = np.empty_like(beyond)
    step[:, 0] = (above[:, 0] if absorbing else 1.0) - part[:, 0]
    step[:, 1:-1] = part[:, :-1] - part[:, 1:]
    step[:, -1] = part[:, -1] - above[:, -1]
    return np.asarray(np.linalg.solve(np.eye(w.size) - step, np.ones(w.size)))
