"""Adaptive Gauss-Legendre panels for a density known through the slope of its logarithm.

The input is ``score(y) = d ln p / dy`` in a coordinate ``y`` that makes the tails exponential or
thinner. Working from the slope rather than from ``ln p`` has two merits: it is elementary for every
law here (``ln p`` of a deep network is not), and integrating it outwards from the peak keeps the
relative accuracy of the density where ``ln p`` itself would be a difference of huge numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from .._legendre import gauss_legendre

__all__ = ["FloatArray", "Panels", "Score", "build_panels"]

FloatArray = npt.NDArray[np.float64]
Score = Callable[[FloatArray], FloatArray]

ORDER = 16
NODES, WEIGHTS, TO_LEGENDRE, _INTEGRALS, TO_INTEGRAL = gauss_legendre(ORDER)
# Legendre coefficients -> coefficients of powers of t of the integral from -1. Going through
# Legendre first matters: the high ones are tiny, so the large entries of this matrix are harmless.
INTEGRAL_POWERS: FloatArray = np.zeros((ORDER + 1, ORDER))
for _j, _row in enumerate(_INTEGRALS):
    _powers = legendre.leg2poly(_row)
    INTEGRAL_POWERS[: _powers.size, _j] = _powers

_DROP = 800.0  # ln of the ratio peak / edge: beyond exp(-745) a float is zero anyway
_TOLERANCE = 1e-14
_MAX_WIDTH = 1.0
_MAX_PANELS = 20_000
_EPS = float(np.finfo(np.float64).eps)


def _too_extreme() -> ValueError:
    return ValueError(
        "the parameters are too extreme for the law to be resolved in double precision: "
        "the density is narrower than the spacing of floats, or overflows"
    )


@dataclass(frozen=True)
class Panels:
    """A tabulated density, normalised up to ``anchor``.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,)
        Panel boundaries.
    score, g : ndarray, shape (n, ORDER)
        Slope and log density at the Gauss nodes; ``g`` is 0 at ``anchor``.
    g_edges : ndarray, shape (n + 1,)
        Log density at the boundaries.
    left, right : float
        Slopes (> 0) of the exponential tails continued beyond the table.
    anchor : float
        The boundary where ``g`` vanishes.
    """

    edges: FloatArray
    score: FloatArray
    g: FloatArray
    g_edges: FloatArray
    left: float
    right: float
    anchor: float


def _call(score: Score, y: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        value = score(y)
    if not np.all(np.isfinite(value)):
        raise _too_extreme()
    return value


def _at(score: Score, y: float) -> float:
    return float(_call(score, np.array([y]))[0])


def find_peaks(score: Score, knots: Sequence[float]) -> FloatArray:
    """Return the local maxima of the density in ``y``, ascending (at least one)."""
    if not all(math.isfinite(k) for k in knots):
        raise _too_extreme()
    low, high = min(knots) - 1.0, max(knots) + 1.0
    step = 1.0
    while _at(score, low) <= 0.0:
        low, step = low - step, 2.0 * step
        if step > 1e7:
            raise _too_extreme()
    step = 1.0
    while _at(score, high) >= 0.0:
        high, step = high + step, 2.0 * step
        if step > 1e7:
            raise _too_extreme()
    inner = [k + shift for k in knots for shift in (-1e-3, 0.0, 1e-3)]
    grid = np.unique(np.concatenate([np.linspace(low, high, 4001), inner]))
    value = _call(score, grid)
    down = np.flatnonzero((value[:-1] > 0.0) & (value[1:] <= 0.0))
    a, b = grid[down], grid[down + 1]
    for _ in range(80):
        mid = 0.5 * (a + b)
        up = _call(score, mid) > 0.0
        a, b = np.where(up, mid, a), np.where(up, b, mid)
    return np.asarray(0.5 * (a + b))


def _march(score: Score, start: float, sign: float, rate: float) -> tuple[float, float]:
    """Walk outwards from a peak to where the tail begins; return its place and its slope (> 0)."""
    half = 1e-3
    here = _at(score, start)
    for _ in range(60):  # the first step: where the slope has changed the density a little
        if abs(_at(score, start + sign * half) - here) * half < 0.1:
            break
        half *= 0.5
    y, drop = start, 0.0
    for _ in range(10_000):
        outer = y + sign * half
        if outer == y:
            raise _too_extreme()
        slope = _call(score, 0.5 * (y + outer) + 0.5 * half * NODES)
        drop -= sign * 0.5 * half * float(slope @ WEIGHTS)
        y = outer
        here = -sign * _at(score, y)
        if math.isfinite(rate) and abs(here - rate) <= 1e-16 * max(1.0, rate):
            return y, rate
        if drop > _DROP and here > 0.0:
            return y, here
        # Not much beyond the end: in thin tails the slope itself grows exponentially.
        half = min(2.0 * half, _MAX_WIDTH, 30.0 / max(abs(here), 1e-9))
    raise _too_extreme()


def _refine(score: Score, edges: FloatArray) -> FloatArray:
    """Split panels until the density is a polynomial on each of them; return their left edges."""
    a, b = edges[:-1], edges[1:]
    done: list[FloatArray] = []
    count = 0
    while a.size:
        half = 0.5 * (b - a)
        mid = 0.5 * (a + b)
        slope = _call(score, mid[:, None] + half[:, None] * NODES)
        rise = half[:, None] * (slope @ TO_INTEGRAL.T)
        total = half * (slope @ WEIGHTS)
        top = np.maximum(rise.max(axis=1), np.maximum(total, 0.0))
        shape = np.exp(rise - top[:, None])
        last = TO_LEGENDRE[-2:]
        spread = np.ptp(slope, axis=1)
        # The slope inherits the rounding of y; where that dominates, splitting cannot help.
        noise = 8.0 * _EPS * (1.0 + np.maximum(np.abs(a), np.abs(b)) * spread)
        noise += 8.0 * _EPS * half * np.abs(slope).max(axis=1)
        limit = _TOLERANCE + noise
        good = (
            (np.abs(shape @ last.T).max(axis=1) <= limit)
            & (np.abs(slope @ last.T).max(axis=1) * half <= limit)
            & (np.ptp(rise, axis=1) <= 3.0)
            & (2.0 * half <= _MAX_WIDTH)
        )
        if np.any(~good & (half <= 1e3 * _EPS * np.abs(mid))):
            raise _too_extreme()
        done.append(a[good])
        count += int(np.count_nonzero(good))
        a, m, b = a[~good], mid[~good], b[~good]
        a, b = np.concatenate([a, m]), np.concatenate([m, b])
        if count + a.size > _MAX_PANELS:
            raise _too_extreme()
    return np.sort(np.concatenate(done))


def build_panels(
    score: Score, knots: Sequence[float], left: float = math.inf, right: float = math.inf
) -> Panels:
    """Tabulate the density whose logarithmic slope is ``score``.

    Parameters
    ----------
    score : callable
        Vectorised ``d ln p / dy``; positive far to the left, negative far to the right.
    knots : sequence of float
        Natural scales of ``score`` (centres of narrow features). Features narrower than the
        search grid are found only beside a knot.
    left, right : float, default inf
        Exponents of the tails: ``p ~ exp(left y)`` and ``exp(-right y)``; inf for thinner tails.

    Raises
    ------
    ValueError
        If double precision cannot resolve the density.
    """
    peaks = find_peaks(score, knots)
    low, left_slope = _march(score, float(peaks[0]), -1.0, left)
    high, right_slope = _march(score, float(peaks[-1]), 1.0, right)
    inner = np.sort(np.concatenate([[k for k in knots if low < k < high], peaks]))
    apart = 1e-9 * (high - low)  # a panel between two knots that nearly coincide is useless
    inner = inner[np.diff(inner, prepend=-np.inf) > apart]
    inner = inner[(inner > low + apart) & (inner < high - apart)]
    edges = np.concatenate([[low], inner, [high]])
    edges = np.append(_refine(score, edges), high)
    half = 0.5 * np.diff(edges)
    mid = 0.5 * (edges[:-1] + edges[1:])
    slope = _call(score, mid[:, None] + half[:, None] * NODES)
    total = half * (slope @ WEIGHTS)
    # Sum outwards from the highest edge, so that rounding is relative to the drop, not to the peak.
    rough = np.concatenate([[0.0], np.cumsum(total)])
    top = int(np.argmax(rough))
    g_edges = np.concatenate([-np.cumsum(total[:top][::-1])[::-1], [0.0], np.cumsum(total[top:])])
    g = g_edges[:-1, None] + half[:, None] * (slope @ TO_INTEGRAL.T)
    # For nodes left of the top, integrate from the right edge for the same reason.
    backward = slope[:top] @ (WEIGHTS - TO_INTEGRAL).T
    g[:top] = g_edges[1 : top + 1, None] - half[:top, None] * backward
    return Panels(edges, slope, g, g_edges, left_slope, right_slope, float(edges[top]))
