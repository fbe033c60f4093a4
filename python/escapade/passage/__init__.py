"""First passages: regions, batches of particles that run into their boundaries, and what follows."""

from __future__ import annotations

from .ams import ams, ams_rate
from .first_passage import ALIVE, LOST, FirstPassage
from .fleming_viot import fleming_viot, fleming_viot_rate
from .pilot import Pilot, pilot_rate
from .problem import Problem, prepare
from .quasi_stationary import FlemingViot, Sample
from .rare_result import RareResult
from .regions import Ball, Boundary, HalfSpace, Intersection, Interval, Region
from .splitting import splitting, splitting_rate

__all__ = [
    "ALIVE",
    "LOST",
    "Ball",
    "Boundary",
    "FirstPassage",
    "FlemingViot",
    "HalfSpace",
    "Intersection",
    "Interval",
    "Pilot",
    "Problem",
    "RareResult",
    "Region",
    "Sample",
    "ams",
    "ams_rate",
    "fleming_viot",
    "fleming_viot_rate",
    "pilot_rate",
    "prepare",
    "splitting",
    "splitting_rate",
]
