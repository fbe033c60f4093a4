"""The way from resolvents to functions of time, and what its users share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import array
from . import _contour
from ._contour import ComplexArray
from ._quadrature import FloatArray
from ._region import Region
from ._resolvent import Marched, Numbers, Resolvent
from .rates import leading

__all__ = [
    "SIDES",
    "absorbs",
    "broadcast",
    "checked_times",
    "edges_of",
    "evolve",
    "killed",
    "leaving",
    "march",
    "on_absorbing",
]

SIDES = ("lower", "upper")
_CHUNK = 1_000_000  # panels times rates held at once


def edges_of(solver: Resolvent, y: FloatArray) -> Any:
    """Return the edges at which the coordinates ``y`` lie (beyond a cut: the cut)."""
    edges = solver.grid.edges
    return np.searchsorted(edges, np.clip(y, edges[0], edges[-1]))


def absorbs(region: Region) -> tuple[bool, bool]:
    # an end towards which paths are lost keeps them: they are alive
    return region.kinds[0] == "absorb", region.kinds[1] == "absorb"


def killed(up: Marched, down: Marched) -> Numbers:
    """Return ``int_0^inf exp(-s t) P(T > t) dt``: the resolvent of 1, of shape (edges, rates)."""
    wronskian = up.slope * down.value + up.value * down.slope
    out: Numbers = (down.value * up.mass + up.value * down.mass) / wronskian
    return out


def leaving(solver: Resolvent, s: Numbers, edges: Any, side: str | None) -> Numbers:
    """Return ``E exp(-s T)`` of paths that leave at the side, or at any: shape (edges, rates)."""
    ends = np.concatenate([edges, [0, solver.grid.half.size]])
    up, down = march(solver, s, ends)
    out: Numbers = np.zeros_like(up.value[:-2])
    for k, found, end in ((1, up, -1), (0, down, -2)):
        if side in (None, SIDES[k]) and solver.vanish[k]:
            ratio = found.value[:-2] / found.value[end]
            out = out + ratio * np.exp(found.log_size[:-2] - found.log_size[end])
    return out


def march(solver: Resolvent, s: Numbers, edges: Any) -> tuple[Marched, Marched]:
    kept, back = np.unique(edges, return_inverse=True)
    up, down = solver.march(s, True, kept), solver.march(s, False, kept)
    return Marched(*(part[back] for part in up)), Marched(*(part[back] for part in down))


def checked_times(value: Any, positive: bool = False) -> FloatArray:
    t = array("t", value)
    good = np.isfinite(t) & ((t > 0.0) if positive else (t >= 0.0))
    if not good.all():
        bad = t[~good].ravel()[0]
        raise ValueError(f"t must be finite and {'> 0' if positive else '>= 0'}, got {bad:g}")
    return t


def broadcast(**arguments: FloatArray) -> list[FloatArray]:
    try:
        return [np.array(v) for v in np.broadcast_arrays(*arguments.values())]
    except ValueError:
        shapes = ", ".join(f"{name}: {v.shape}" for name, v in arguments.items())
        raise ValueError(f"shapes must broadcast together, got {shapes}") from None


def _rate(region: Region) -> float:
    """Return the leading eigenvalue, or 0 if there is none."""
    if "absorb" not in region.kinds:
        return 0.0
    try:
        return math.exp(leading(region).log_rate)
    except ValueError:
        return 0.0


def evolve(
    region: Region,
    t: FloatArray,
    places: list[FloatArray],
    read: Callable[[Resolvent, Numbers, list[Any]], Numbers],
) -> FloatArray:
    """Invert what ``read`` returns of a solver, for times and coordinates of shape (n,).

    ``read`` takes the solver, rates and, for each of ``places``, the edges of its points; it returns
    shape (points, rates). Late times are looked at relative to the leading exponential.
    """
    region.require_times()
    out = np.zeros(t.shape)
    rate = _rate(region) if t.size else 0.0
    present = np.flatnonzero(rate * t < 800.0)  # later there is nothing left in double precision
    for part in _contour.groups(t[present]):
        index = present[part]
        times, slot = np.unique(t[index], return_inverse=True)
        ys = [place[index] for place in places]
        points = np.unique(np.concatenate(ys))
        shift = rate if rate * times[-1] > 1.0 else 0.0
        drop = 45.0 + shift * float(times[-1])
        cuts, vanish = region.near_cuts(_contour.SLOWEST / float(times[-1]), points, drop)
        strength = _contour.STRONGEST / float(times[0]) + shift
        solver = Resolvent(region.fine_grid(cuts, strength, points), vanish, strength)
        # equal points are solved for once
        pairs, back = np.unique(np.stack(ys), axis=1, return_inverse=True)
        edges = [edges_of(solver, row) for row in pairs]

        def transform(
            s: ComplexArray, solver: Resolvent = solver, edges: list[Any] = edges
        ) -> ComplexArray:
            return np.asarray(read(solver, s, edges))

        many = max(1, _CHUNK // (solver.grid.half.size * _contour.NODES))
        parts = [
            _contour.invert(transform, times[k : k + many], shift)
            for k in range(0, times.size, many)
        ]
        values = np.concatenate(parts, axis=1) * np.exp(-shift * times)
        out[index] = values[back.ravel(), slot]
    return out


def on_absorbing(region: Region, x: FloatArray) -> Any:
    low, high = absorbs(region)
    return ((x == region.ends[0]) & low) | ((x == region.ends[1]) & high)
