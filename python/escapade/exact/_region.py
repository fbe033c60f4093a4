"""The region of a question: its ends, what happens there, and where open ends are cut."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _coordinates
from ._grid import Grid, build
from ._quadrature import FloatArray
from ._tail import Tail
from .process import Process, checked, raw

__all__ = ["Region"]

_DROP = 100.0  # ln of what is left of a density where an open end is cut
_SIDES = ("lower", "upper")


class Region:
    """An interval and the behaviour of its ends; made by `_regions.region_of`.

    Attributes
    ----------
    ends : (float, float)
        The interval in ``x``.
    kinds : (str, str)
        ``"absorb"``; ``"reflect"`` (also an open end that is never reached and sends everything
        back in finite mean time); ``"lost"``, an open end towards which the process may drift for
        ever; ``"null"``, an open end from which it comes back after an infinite mean time.
    """

    def __init__(
        self,
        process: Process,
        a: float | None,
        b: float | None,
        reflect: str | None,
        scale: float | None,
        closed: bool = False,
    ) -> None:
        self.process = process
        low, high = (float(end) for end in process.domain)
        self.ends = (low if a is None else a, high if b is None else b)
        explicit = (a is not None and a > -math.inf, b is not None and b < math.inf)
        self._open = tuple(
            end in (low, high, -math.inf, math.inf) or self._singular(end) for end in self.ends
        )
        self.coordinate = self._coordinate(scale)
        self.tails: list[Tail | None] = [None, None]
        middle = self._middle()
        kinds = []
        for k, sign in ((0, -1.0), (1, 1.0)):
            wall = reflect == _SIDES[k]
            if not self._open[k]:
                kinds.append("reflect" if wall else "absorb")
                continue
            start = middle if self._open[1 - k] else self._y(self.ends[1 - k])
            tail = Tail(process, self.coordinate, start, sign)
            self.tails[k] = tail
            kinds.append(self._kind(k, tail, wall, explicit[k]))
        self.kinds = (kinds[0], kinds[1])
        if "absorb" not in kinds and not closed:
            raise ValueError(
                f"the region must have an end that absorbs, got a={a}, b={b}, reflect={reflect!r}: "
                "the process cannot leave"
            )
        self._grids: dict[tuple[float, float], Grid] = {}
        self.kept: dict[str, Any] = {}  # what others computed of this region

    def _singular(self, end: float) -> bool:
        drift, noise = raw(self.process, np.array([end]))
        return not (math.isfinite(drift[0]) and math.isfinite(noise[0])) or noise[0] == 0.0

    def _coordinate(self, scale: float | None) -> _coordinates.Coordinate:
        (low, high), (lower, upper) = self.ends, self._open
        if not lower and not upper:
            return _coordinates.plain()
        given = getattr(self.process, "scale", None)
        centre = getattr(self.process, "centre", None)
        half_low, half_high = lower and low > -math.inf, upper and high < math.inf
        if half_low and half_high:
            return _coordinates.between(low, high)
        if half_low:
            size = given or (high - low if high < math.inf else None)
            return _coordinates.above(low, size or scale or 1.0)
        if half_high:
            size = given or (high - low if low > -math.inf else None)
            return _coordinates.below(high, size or scale or 1.0)
        if lower and upper:
            return _coordinates.line(centre or 0.0, given or scale or 1.0)
        end = high if lower else low
        fallback = abs(end - centre) if centre not in (None, end) else abs(end) or 1.0
        # a fine scale costs a few panels, a coarse one may hide what happens
        return _coordinates.line(end, 0.0625 * (given or scale or fallback))

    def _middle(self) -> float:
        centre = getattr(self.process, "centre", None)
        return self._y(centre) if centre is not None and all(self._open) else 0.0

    def _y(self, x: float) -> float:
        return float(self.coordinate.y(np.array([x]))[0])

    def _kind(self, k: int, tail: Tail, wall: bool, explicit: bool) -> str:
        end, side = self.ends[k], _SIDES[k]
        if wall and not (tail.accessible and tail.speed_finite):
            raise ValueError(
                f"reflect={side!r} needs an end that is reached and can reflect, got {end:g}: "
                + ("what gets there cannot come back" if tail.accessible else "it is never reached")
            )
        if wall:
            return "reflect"
        if tail.accessible:
            if tail.speed_finite and not explicit:
                raise ValueError(
                    f"the process reaches the {side} end of its domain, {end:g}, and could go on "
                    f"from there: say reflect={side!r}, or give {'ab'[k]}={end:g} to absorb it"
                )
            return "absorb"
        if tail.scale_finite:
            return "lost"
        return "reflect" if tail.speed_finite else "null"

    # -- what the questions need -------------------------------------------------------------------

    def require_times(self) -> None:
        """Refuse questions on time if much of it passes beyond where panels can follow."""
        for tail, end in zip(self.tails, self.ends, strict=True):
            if tail is not None and tail.accessible:
                if tail.left_out(tail.cut_scale(_DROP)) > -34.0:
                    raise ValueError(
                        f"the process runs away to {end:g} in finite time, and panels cannot follow it "
                        "that far; give a finite end instead"
                    )

    @property
    def conditions(self) -> tuple[bool, bool]:
        """Whether the solutions vanish at the lower and at the upper end of a grid."""
        return self.kinds[0] in ("absorb", "lost"), self.kinds[1] in ("absorb", "lost")

    def y(self, x: FloatArray) -> FloatArray:
        """Return the coordinate of states inside the region."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.coordinate.y(x))

    def _edges(self, cuts: list[float]) -> FloatArray:
        low, high = cuts
        return np.linspace(low, high, max(8, min(math.ceil(high - low), 400)) + 1)

    def _build(self, edges: FloatArray, strength: float = 0.0) -> Grid:
        points = np.array(getattr(self.process, "points", ()), dtype=np.float64)
        inside = points[(points > self.ends[0]) & (points < self.ends[1])]
        return build(self.process, self.coordinate, edges, strength, self.y(inside))

    def _cuts(self, how: Any) -> list[float]:
        cuts = []
        for k, sign in ((0, -1.0), (1, 1.0)):
            tail = self.tails[k]
            if tail is None:
                cuts.append(self._y(self.ends[k]))
            else:
                cuts.append(tail.start + sign * min(how(tail), float(tail.u[-1])))
        return cuts

    def reaches(self, y: FloatArray) -> tuple[float, float]:
        """Return how far into the two tails the coordinates ``y`` reach."""
        found = []
        for tail in self.tails:
            inside = y[np.isfinite(y)] if tail is not None else y[:0]
            far = tail.sign * (inside - tail.start) if tail is not None else inside
            found.append(max(0.0, float(far.max())) if far.size else 0.0)
        return found[0], found[1]

    def static_cuts(self, y: FloatArray, factor: float = 1.0) -> list[float]:
        """Return cuts for integrals of scale and speed, as far out as the coordinates ``y`` need."""
        reach = self.reaches(y)

        def how(tail: Tail) -> float:
            # shallow points change nothing, so that they share a grid
            deep = reach[0] if tail.sign < 0.0 else reach[1]
            cut = tail.cut_scale if tail.scale_finite else tail.cut_speed
            if deep <= cut(0.4 * _DROP):
                return cut(factor * _DROP)
            return cut(factor * _DROP, deep)

        return self._cuts(how)

    def killed_cuts(self, s: float, y: FloatArray, drop: float = 45.0) -> list[float]:
        """Return cuts from which paths killed at rate ``s`` come back with chance ``exp(-drop)``."""
        reach = self.reaches(y)
        return self._cuts(
            lambda tail: tail.cut_killed(s, drop, reach[0] if tail.sign < 0.0 else reach[1])
        )

    def near_cuts(
        self, s: float, y: FloatArray, drop: float
    ) -> tuple[list[float], tuple[bool, bool]]:
        """Return cuts, also of regular ends, that leave out what paths do not reach in time.

        And whether the solutions vanish there: an end that absorbs, but is cut off, does not.
        """
        low, high = self.killed_cuts(s, y, drop)
        vanish = [kind == "absorb" for kind in self.kinds]
        points = np.linspace(low, high, 4001)
        x = self.coordinate.x(points)
        drift, noise = checked(self.process, x)
        with np.errstate(over="ignore"):
            slope = np.exp(self.coordinate.log_slope(points))
            drift, noise = drift / np.abs(noise), np.abs(noise) / slope
            root = np.sqrt(drift * drift + 2.0 * s)
        cuts = [low, high]
        # killing alone: a barrier only delays
        rate = 2.0 * s / (np.abs(drift) + root) / noise
        for k, sign in ((0, -1.0), (1, 1.0)):
            far = float(y.min()) if k == 0 else float(y.max())
            outside = np.flatnonzero(sign * (points - far) > 0.0)[:: int(sign)]
            # the smaller of two neighbours: a narrow dip of the noise must not count as a wide one
            least = np.minimum(rate[outside[:-1]], rate[outside[1:]])
            fall = np.cumsum(least) * (points[1] - points[0])
            reached = np.flatnonzero(fall[:-1] >= drop)
            if reached.size and self.tails[k] is None:
                cuts[k], vanish[k] = float(points[outside[reached[0] + 1]]), False
        return cuts, (vanish[0], vanish[1])

    def grid(self, y: FloatArray, factor: float = 1.0) -> Grid:
        """Return panels for integrals of scale and speed; they are kept."""
        cuts = self.static_cuts(y, factor)
        key = (cuts[0], cuts[1])
        if key not in self._grids:
            if len(self._grids) >= 8:
                self._grids.clear()
            self._grids[key] = self._build(self._edges(cuts))
        return self._grids[key]

    def fine_grid(self, cuts: list[float], strength: float, y: FloatArray) -> Grid:
        """Return panels for solutions at rates up to ``strength``, with ``y`` among the edges."""
        inner = y[(y > cuts[0]) & (y < cuts[1])]
        edges = np.unique(np.concatenate([self._edges(cuts), inner]))
        return self._build(edges, strength)
