"""What is asked of panels: values on them, whether these are resolved, and what lies between."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from ._coordinates import Coordinate
from ._quadrature import NODES, ORDER, TO_INTEGRAL, TO_LEGENDRE, FloatArray
from .process import Process, checked, vanishes

__all__ = ["Panels", "around", "measure", "missed", "unresolved"]

_TOLERANCE = 2e-14
_EPS = float(np.finfo(np.float64).eps)
_RANGE = 4.0  # of ln of the densities on a panel
_LOOKS = 4096  # places looked at between the nodes, at least, over the whole interval
_FEWEST = 16  # and on each panel
_SLACK = 100.0  # between nodes an interpolant errs by more than its last coefficients
_NEAREST = 81  # places looked at on either side of a point that was given

Flags = npt.NDArray[np.bool_]


def measure(
    process: Process,
    coordinate: Coordinate,
    left: FloatArray,
    right: FloatArray,
    t: FloatArray = NODES,
) -> tuple[FloatArray, FloatArray]:
    """Return ``y``, and slope of phi, ln dx/dy, ln |noise| and x, at the places ``t`` of panels."""
    y = 0.5 * (left + right)[:, None] + 0.5 * (right - left)[:, None] * t
    x = coordinate.x(y)
    drift, noise = checked(process, x)
    log_slope = coordinate.log_slope(y)
    with np.errstate(over="ignore"):
        rise = -2.0 * (drift / noise) * (np.exp(log_slope) / noise)
    if not np.isfinite(rise).all():
        at = float(x.ravel()[int(np.argmin(np.isfinite(rise).ravel()))])
        raise vanishes(at, "is too small for double precision beside the drift")
    return y, np.stack([rise, log_slope, np.log(np.abs(noise)), x])


def unresolved(
    values: FloatArray, left: FloatArray, right: FloatArray, strength: float
) -> tuple[Flags, FloatArray]:
    """Return which panels must be split, shape (n,), and the errors that were allowed on them."""
    rise, log_slope, log_noise, x = values
    half = 0.5 * (right - left)[:, None]
    phi = half * (rise @ TO_INTEGRAL.T)
    size = np.maximum(np.abs(left), np.abs(right)) + (np.abs(x) * np.exp(-log_slope)).max(axis=1)
    # rounding of y, x, the slope and the logarithms, which no splitting removes
    noise = half[:, 0] * np.abs(rise).max(axis=1) + size * np.ptp(rise, axis=1)
    noise += size * np.ptp(log_noise, axis=1) / half[:, 0]
    noise += np.abs(log_slope).max(axis=1) + 2.0 * np.abs(log_noise).max(axis=1)
    limit = _TOLERANCE + 4.0 * _EPS * noise
    bad = np.zeros(half.size, dtype=bool)
    for log_f in (phi + log_slope, log_slope - 2.0 * log_noise - phi):
        top = log_f.max(axis=1, keepdims=True)
        bad |= top[:, 0] - log_f.min(axis=1) > _RANGE
        bad |= np.abs(np.exp(log_f - top) @ TO_LEGENDRE[-2:].T).max(axis=1) > limit
    bad |= half[:, 0] * np.abs(rise @ TO_LEGENDRE[-2:].T).max(axis=1) > limit
    if strength > 0.0:
        # s (width dx/dy)^2 / noise^2 <= 1: the series in s of the fundamental solutions
        step = math.log(strength) + 2.0 * (log_slope - log_noise).max(axis=1)
        bad |= step + 2.0 * np.log(2.0 * half[:, 0]) > 0.0
    return np.asarray(bad), limit


def _matrices(t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what turns values at the nodes into those at ``t``, and into integrals from -1 to ``t``."""
    integrals = legendre.legint(np.eye(ORDER), lbnd=-1.0)
    values = legendre.legvander(t, ORDER - 1) @ TO_LEGENDRE
    return values, legendre.legvander(t, ORDER) @ integrals @ TO_LEGENDRE


@functools.cache
def _even(many: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return ``many`` places on [-1, 1], more towards the ends, and the matrices for them.

    A jump near the end of a panel is fenced in as one in the middle is, to 1e-8 of its width.
    """
    even = (2.0 * np.arange(many) + 1.0) / many - 1.0
    end = 1.0 - 0.25 ** np.arange(3, 14)
    t = np.concatenate([-end[::-1], even, end])
    return t, *_matrices(t)


class Panels(NamedTuple):
    """Panels that are resolved: ends, `measure` at the nodes, and the errors that were allowed."""

    left: FloatArray
    right: FloatArray
    values: FloatArray
    limit: FloatArray

    def part(self, index: npt.NDArray[np.intp]) -> Panels:
        """Return some of them."""
        return Panels(self.left[index], self.right[index], self.values[:, index], self.limit[index])

    def differ(
        self,
        process: Process,
        coordinate: Coordinate,
        t: FloatArray,
        to_values: FloatArray,
        to_integrals: FloatArray,
    ) -> Flags:
        """Return where drift and noise are not the interpolants, at ``t``, shape (m,) or (n, 1)."""
        _, found = measure(process, coordinate, self.left, self.right, t)
        rise, log_slope, log_noise = self.values[:3]
        half, allowed = 0.5 * (self.right - self.left)[:, None], _SLACK * self.limit[:, None]
        log_speed = log_slope - 2.0 * log_noise - half * (rise @ TO_INTEGRAL.T)
        top = log_speed.max(axis=1, keepdims=True)
        speed = np.exp(log_speed - top)

        def at(f: FloatArray, matrix: FloatArray) -> FloatArray:
            if matrix.ndim == 2:
                return np.asarray(f @ matrix.T)
            return np.asarray(np.einsum("nk,nmk->nm", f, matrix))

        with np.errstate(over="ignore"):
            seen = np.exp(found[1] - 2.0 * found[2] - half * at(rise, to_integrals) - top)
        wrong = half * np.abs(found[0] - at(rise, to_values)) > allowed
        return np.asarray((wrong | (np.abs(seen - at(speed, to_values)) > allowed)).any(axis=1))


def missed(
    process: Process, coordinate: Coordinate, panels: Panels, whole: float, near: FloatArray
) -> Flags:
    """Return which resolved panels differ from drift and noise between their nodes.

    The places looked at lie evenly, at most 1/4096 of ``whole`` apart and at least 16 to a panel, and
    at ``near``, ascending.

    Raises
    ------
    ValueError
        As `measure`, where drift or noise cannot be integrated there.
    """
    left, right = panels.left, panels.right
    bad = np.zeros(left.size, dtype=bool)
    share = np.clip(_LOOKS / whole * (right - left), _FEWEST, _LOOKS)
    # powers of two, for few matrices; a panel of 1/8 of the whole has 512 in spite of rounding
    counts = np.exp2(np.ceil(np.log2(share) - 1e-9)).astype(int)
    for many in np.unique(counts):
        index = np.flatnonzero(counts == many)
        bad[index] = panels.part(index).differ(process, coordinate, *_even(int(many)))
    if near.size:
        order = np.argsort(left)
        index = order[np.clip(np.searchsorted(left[order], near) - 1, 0, None)]
        inside = (near > left[index]) & (near < right[index])
        index, near = index[inside], near[inside]
    if near.size:
        t = (near - left[index] - (right[index] - near)) / (right[index] - left[index])
        t = t[:, None]
        wrong = panels.part(index).differ(process, coordinate, t, *_matrices(t))
        bad[index[wrong]] = True
    return bad


def around(points: FloatArray, whole: float) -> FloatArray:
    """Return places to look at near ``points``, ascending, each sqrt(2) as far away as the last.

    From ``whole`` down to 1e-12 of it, but not so near that they would not be told apart.
    """
    away = whole * np.exp2(-0.5 * np.arange(_NEAREST))
    away = np.broadcast_to(away, (points.size, away.size))
    away = np.maximum(away, 16.0 * _EPS * np.abs(points)[:, None])
    at = points[:, None]
    return np.unique(np.concatenate([at - away, at + away]))
