"""First passages: regions, batches of particles that run into their boundaries, and what follows."""

from __future__ import annotations

from .first_passage import ALIVE, LOST, FirstPassage
from .problem import Problem, prepare
from .regions import Ball, Boundary, HalfSpace, Intersection, Interval, Region

__all__ = [
    "ALIVE",
    "LOST",
    "Ball",
    "Boundary",
    "FirstPassage",
    "HalfSpace",
    "Intersection",
    "Interval",
    "Problem",
    "Region",
    "prepare",
]
