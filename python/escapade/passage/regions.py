"""Regions that particles escape from: intervals, half spaces, balls, and intersections of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks import array, choice, integer, number

if TYPE_CHECKING:
    from ..models import Model

__all__ = ["Ball", "Boundary", "HalfSpace", "Intersection", "Interval", "Region", "on_line"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Boundary:
    """A surface ``f(x) = level`` with the region on the side where ``sign (level - f) > 0``.

    ``f`` is the number ``coordinate`` of the state, ``vector . x`` with ``|vector| = 1``, or
    ``|x - vector|``, as ``kind`` says.
    """

    kind: str
    level: float
    sign: float = 1.0
    coordinate: int = 0
    vector: tuple[float, ...] = ()
    action: str = "absorb"
    test: str = "bridge"
    name: str = ""

    def distance(self, x: FloatArray) -> FloatArray:
        """Return the signed distance of states, shape (..., dim), from the boundary; inside is > 0."""
        if self.kind == "coordinate":
            value = x[..., self.coordinate]
        elif self.kind == "half_space":
            value = x @ np.asarray(self.vector)
        else:
            value = np.linalg.norm(x - np.asarray(self.vector), axis=-1)
        return np.asarray(self.sign * (self.level - value))

    def told(self) -> dict[str, Any]:
        """Return what the engine wants to hear."""
        return {
            "kind": self.kind,
            "action": self.action,
            "test": self.test,
            "coordinate": self.coordinate,
            "sign": self.sign,
            "level": self.level,
            "vector": list(self.vector),
        }


class Region:
    """A set bounded by up to four surfaces; ``a & b`` is the intersection of two."""

    def boundaries(self) -> tuple[Boundary, ...]:
        """Return the surfaces that bound the region, in the physical coordinate."""
        raise NotImplementedError

    def contains(self, x: npt.ArrayLike, scalar: bool = False) -> npt.NDArray[np.bool_]:
        """Return whether states lie inside, shape (...,).

        Parameters
        ----------
        x : array_like, shape (..., dim), or (...,) if `scalar`
            States.
        scalar : bool, default False
            Whether they are those of a model of one number.
        """
        states = np.asarray(x, dtype=np.float64)
        if scalar:
            states = states[..., None]
        inside = np.ones(states.shape[:-1], dtype=bool)
        for b in self.boundaries():
            inside &= b.distance(states) > 0.0
        return inside

    def __and__(self, other: Region) -> Intersection:
        if not isinstance(other, Region):
            raise TypeError(f"a region intersects with another region, got {other!r:.80}")
        return Intersection(self, other)

    def check(self, model: Model) -> None:
        """Refuse models whose states the region cannot bound.

        Raises
        ------
        ValueError
            If a coordinate or a vector does not fit the model's states.
        """
        for b in self.boundaries():
            if b.kind == "coordinate" and b.coordinate >= model.dim:
                raise ValueError(
                    f"coordinate must be less than {model.dim}, the numbers of a particle of "
                    f"{model.name}, got {b.coordinate}"
                )
            if b.kind != "coordinate" and len(b.vector) != model.dim:
                raise ValueError(
                    f"region {self!r} is one of {len(b.vector)} dimensions, but a particle of "
                    f"{model.name} has {model.dim} numbers"
                )


class Interval(Region):
    """States of which one number lies in ``(lower, upper)``.

    Parameters
    ----------
    lower, upper : float
        Ends, ``lower < upper``; either may be infinite, but not both.
    coordinate : int, default 0
        Which number of the state, >= 0.
    reflect : {None, "lower", "upper"}
        An end that reflects particles instead of letting them escape.

    Raises
    ------
    TypeError, ValueError
        If the interval is empty, inverted or the whole line, or nothing could escape from it.
    """

    def __init__(
        self,
        lower: float = -math.inf,
        upper: float = math.inf,
        *,
        coordinate: int = 0,
        reflect: str | None = None,
    ) -> None:
        self.lower, self.upper = _end("lower", lower), _end("upper", upper)
        if not self.lower < self.upper:
            raise ValueError(
                f"lower must be less than upper, got Interval({self.lower!r}, {self.upper!r})"
            )
        self.coordinate = integer("coordinate", coordinate, low=0)
        self.reflect = None if reflect is None else choice("reflect", reflect, ("lower", "upper"))
        ends = {"lower": self.lower, "upper": self.upper}
        if self.reflect is not None and math.isinf(ends[self.reflect]):
            raise ValueError(f"reflect must name a finite end, got {reflect!r} of {self!r}")
        if all(math.isinf(v) for k, v in ends.items() if k != self.reflect):
            raise ValueError(f"an end of {self!r} must be finite and not reflect: nothing escapes")

    def boundaries(self) -> tuple[Boundary, ...]:
        ends = []
        for name, sign in (("lower", -1.0), ("upper", 1.0)):
            level = getattr(self, name)
            if math.isfinite(level):
                action = "reflect" if self.reflect == name else "absorb"
                place = f"{name} {self.coordinate}" if self.coordinate else name
                ends.append(
                    Boundary("coordinate", level, sign, self.coordinate, action=action, name=place)
                )
        return tuple(ends)

    def __repr__(self) -> str:
        more = f", coordinate={self.coordinate}" if self.coordinate else ""
        more += f", reflect={self.reflect!r}" if self.reflect else ""
        return f"Interval({self.lower:g}, {self.upper:g}{more})"


class HalfSpace(Region):
    """States with ``normal . x < offset``.

    Parameters
    ----------
    normal : array_like, shape (dim,)
        Points out of the region; need not have length 1.
    offset : float
        Value of ``normal . x`` on the boundary.

    Raises
    ------
    TypeError, ValueError
        If the normal is not a vector of finite length > 0, or the offset not a finite number.
    """

    def __init__(self, normal: npt.ArrayLike, offset: float) -> None:
        self.normal = array("normal", normal)
        self.offset = number("offset", offset)
        length = float(np.linalg.norm(self.normal)) if self.normal.ndim == 1 else 0.0
        if not 0.0 < length < math.inf:
            raise ValueError(f"normal must be a vector of finite length > 0, got {normal!r}")
        self._length = length

    def boundaries(self) -> tuple[Boundary, ...]:
        unit = tuple(float(v) for v in self.normal / self._length)
        return (Boundary("half_space", self.offset / self._length, vector=unit, name="plane"),)

    def __repr__(self) -> str:
        return f"HalfSpace({self.normal.tolist()}, {self.offset:g})"


class Ball(Region):
    """States with ``|x - centre| < radius``.

    Parameters
    ----------
    centre : array_like, shape (dim,)
    radius : float
        > 0.

    Raises
    ------
    TypeError, ValueError
        If the centre is not a vector of finite numbers, or the radius not a number > 0.
    """

    def __init__(self, centre: npt.ArrayLike, radius: float) -> None:
        self.centre = array("centre", centre)
        if self.centre.ndim != 1 or not np.all(np.isfinite(self.centre)):
            raise ValueError(f"centre must be a vector of finite numbers, got {centre!r}")
        self.radius = number("radius", radius, low=0.0, open_low=True)

    def boundaries(self) -> tuple[Boundary, ...]:
        centre = tuple(float(v) for v in self.centre)
        return (Boundary("ball", self.radius, vector=centre, name="sphere"),)

    def __repr__(self) -> str:
        return f"Ball({self.centre.tolist()}, {self.radius:g})"


class Intersection(Region):
    """States that lie in all of some regions: ``a & b``."""

    def __init__(self, *regions: Region) -> None:
        self.regions = regions
        total = len(self.boundaries())
        if total > _core.most_boundaries:
            raise ValueError(
                f"a region has at most {_core.most_boundaries} boundaries, got {total}"
            )

    def boundaries(self) -> tuple[Boundary, ...]:
        every = [b for r in self.regions for b in r.boundaries()]
        names = [b.name for b in every]
        return tuple(
            replace(b, name=f"{b.name} {i}") if names.count(b.name) > 1 else b
            for i, b in enumerate(every)
        )

    def __repr__(self) -> str:
        return " & ".join(repr(r) for r in self.regions)


def on_line(region: Region) -> Interval:
    """Return the interval that a region is for states of one number.

    Raises
    ------
    ValueError
        If it is empty or the whole line.
    """
    if isinstance(region, Interval):
        return region
    lower, upper = (-math.inf, "absorb"), (math.inf, "absorb")
    for b in region.boundaries():
        if b.kind == "coordinate":
            ends = [(b.sign, b.level)]
        elif b.kind == "half_space":  # v x < level with v = 1 or -1
            ends = [(b.vector[0], b.vector[0] * b.level)]
        else:
            ends = [(s, b.vector[0] + s * b.level) for s in (-1.0, 1.0)]
        for sign, level in ends:
            if sign > 0:
                upper = min(upper, (level, b.action))
            else:
                lower = max(lower, (level, b.action))
    walls = [k for k, end in (("lower", lower), ("upper", upper)) if end[1] == "reflect"]
    return Interval(lower[0], upper[0], reflect=walls[0] if walls else None)


def _end(name: str, value: Any) -> float:
    """Return an end of an interval, which may be infinite."""
    if isinstance(value, (float, np.floating)) and math.isinf(value):
        return float(value)
    return number(name, value)
