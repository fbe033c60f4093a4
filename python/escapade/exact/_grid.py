"""Adaptive Gauss-Legendre panels on which scale and speed densities are polynomials."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ._coordinates import Coordinate
from ._panels import Panels, around, measure, missed, unresolved
from ._quadrature import (
    NODES,
    ORDER,
    TO_INTEGRAL,
    WEIGHTS,
    FloatArray,
    interpolate,
)
from .process import Process, raw, vanishes

__all__ = ["Grid", "Points", "build"]

_EPS = float(np.finfo(np.float64).eps)
_MAX_PANELS = 20_000
_FINEST = 2.0**-46  # of the whole: a jump of drift or noise is fenced in by panels this narrow
_NONE = np.empty(0)
_FADED = 1e-5  # noise on such a panel, relative to its largest: the sign of a zero


class Points(NamedTuple):
    """Where points lie: their panel, and the distances to its two edges."""

    panel: np.ndarray[tuple[int], np.dtype[np.intp]]
    from_left: FloatArray
    from_right: FloatArray


class Grid:
    """Panels and the densities on them.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,)
        Panel boundaries in ``y``.
    half : ndarray, shape (n,)
        Half widths.
    x : ndarray, shape (n, ORDER)
        States at the nodes.
    log_slope, log_noise : ndarray, shape (n, ORDER)
        ``ln dx/dy`` and ``ln |diffusion|``.
    phi : ndarray, shape (n, ORDER)
        ``-2 int drift/diffusion^2 dx`` from the left end; ``phi_edges`` at the edges.
    log_scale, log_speed : ndarray, shape (n, ORDER)
        ``ln`` of scale and speed densities with respect to ``y``.
    """

    def __init__(
        self, coordinate: Coordinate, edges: FloatArray, y: FloatArray, values: FloatArray
    ) -> None:
        self.coordinate, self.edges = coordinate, edges
        rise, self.log_slope, self.log_noise, self.x = values
        self.half = 0.5 * np.diff(edges)
        whole = self.half * (rise @ WEIGHTS)
        self.phi_edges = np.concatenate([[0.0], np.cumsum(whole)])
        self.phi = self.phi_edges[:-1, None] + self.half[:, None] * (rise @ TO_INTEGRAL.T)
        self.y = y
        self.log_scale = self.phi + self.log_slope
        self.log_speed = math.log(2.0) + self.log_slope - 2.0 * self.log_noise - self.phi

    def points(self, y: FloatArray) -> Points:
        """Return where the points ``y``, shape (m,), lie; each within the grid."""
        inside = np.clip(y, self.edges[0], self.edges[-1])
        panel = np.clip(np.searchsorted(self.edges, inside, "right") - 1, 0, self.half.size - 1)
        return Points(panel, inside - self.edges[panel], self.edges[panel + 1] - inside)

    def log_at(self, log_f: FloatArray, points: Points) -> FloatArray:
        """Return ``ln f`` at the points, interpolated on the scale of ``f``."""
        values = log_f[points.panel]
        top = values.max(axis=1)
        top = np.where(np.isfinite(top), top, 0.0)
        t = (points.from_left - points.from_right) / (points.from_left + points.from_right)
        with np.errstate(divide="ignore"):
            f = interpolate(np.exp(values - top[:, None]), t[:, None])[:, 0]
            return np.asarray(np.log(np.maximum(f, 0.0)) + top)

    def log_part(self, log_f: FloatArray, points: Points, right: bool) -> FloatArray:
        """Return ``ln`` of the integral of ``f`` from the points to an edge of their panels."""
        values = log_f[points.panel]
        top = values.max(axis=1)
        top = np.where(np.isfinite(top), top, 0.0)
        width = points.from_left + points.from_right
        size = points.from_right if right else points.from_left
        share = (size / width)[:, None] * (1.0 - NODES)
        t = 1.0 - share if right else share - 1.0
        with np.errstate(divide="ignore"):
            f = interpolate(np.exp(values - top[:, None]), t)
            return np.asarray(np.log(np.maximum(0.5 * size * (f @ WEIGHTS), 0.0)) + top)


def _find_zero(
    process: Process, coordinate: Coordinate, y: FloatArray, log_noise: FloatArray
) -> None:
    """Refuse noise that touches zero where it is smallest among the panels being split."""
    order = np.argsort(y, axis=None)
    place, value = y.ravel()[order], log_noise.ravel()[order]
    k = int(np.argmin(value))
    if k in (0, place.size - 1):
        return
    low, high, beside = place[k - 1], place[k + 1], min(value[k - 1], value[k + 1])
    for _ in range(100):
        points = np.linspace(low, high, 21)
        noise = np.abs(raw(process, coordinate.x(points))[1])
        at = int(np.clip(np.argmin(noise), 1, 19))
        if float(noise[at]) < 1e-6 * math.exp(beside):
            raise vanishes(float(coordinate.x(points[at : at + 1])[0]))
        low, high = points[at - 1], points[at + 1]


def build(
    process: Process,
    coordinate: Coordinate,
    edges: FloatArray,
    strength: float = 0.0,
    points: FloatArray = _NONE,
) -> Grid:
    """Split panels until everything on them is resolved, and nothing else is seen between.

    Parameters
    ----------
    process : Model or Diffusion
    coordinate : Coordinate
    edges : ndarray
        First panel boundaries in ``y``, ascending; all of them are kept.
    strength : float
        Largest killing rate (1/time) that the panels shall resolve.
    points : ndarray
        Coordinates of narrow features, kinks and jumps: edges near which more places are looked at.

    Raises
    ------
    ValueError
        If drift or noise is not finite, the noise vanishes, or 20000 panels do not suffice.
    """
    whole = float(edges[-1] - edges[0])
    points = points[(points > edges[0]) & (points < edges[-1])]
    edges, near = np.unique(np.concatenate([edges, points])), around(points, whole)
    left, right = edges[:-1], edges[1:]
    finest = _FINEST * whole
    done: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    count, loudest = 0, 0.0
    while left.size:
        y, values = measure(process, coordinate, left, right)
        bad, limit = unresolved(values, left, right, strength)
        loudest = max(loudest, float(np.exp(values[2].max())))
        tiny = right - left <= np.maximum(finest, 64.0 * _EPS * np.abs(left))
        if (bad & tiny).any():
            at = int(np.argmax(bad & tiny))
            if float(np.exp(values[2, at].min())) < _FADED * loudest:
                raise vanishes(float(values[3, at, ORDER // 2]))
            bad &= ~tiny
        look = np.flatnonzero(~(bad | tiny))
        if look.size:
            seen = Panels(left[look], right[look], values[:, look], limit[look])
            bad[look] = missed(process, coordinate, seen, whole, near)
        good = ~bad
        done.append((left[good], y[good], values[:, good]))
        count += int(np.count_nonzero(good))
        mid = 0.5 * (left + right)
        left, right = (
            np.concatenate([left[bad], mid[bad]]),
            np.concatenate([mid[bad], right[bad]]),
        )
        if count + left.size > _MAX_PANELS:
            _find_zero(process, coordinate, y, values[2])
            raise ValueError(
                f"more than {_MAX_PANELS} panels are needed: the barrier is too high, the noise too "
                "weak, the time too short, or drift and diffusion are not smooth"
            )
    lefts = np.concatenate([part[0] for part in done])
    order = np.argsort(lefts)
    y = np.concatenate([part[1] for part in done])[order]
    values = np.concatenate([part[2] for part in done], axis=1)[:, order]
    return Grid(coordinate, np.append(lefts[order], edges[-1]), y, values)
