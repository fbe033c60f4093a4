"""The exact answer beside an estimate, where the problem is one-dimensional."""

from __future__ import annotations

import contextlib
import math
from typing import NamedTuple

from .. import exact
from .problem import Problem
from .regions import Interval

__all__ = ["ExactAnswer", "exact_answer"]


class ExactAnswer(NamedTuple):
    """Exact values of what `escape` estimates.

    Attributes
    ----------
    rate : float
        Leading eigenvalue, per unit of time; nan where there is none (particles may never leave).
    mean_time : float
        From ``x0``; nan if particles start from different states, inf if they may never leave.
    upper_share : float
        Probability to leave through the upper end; nan as `mean_time`, and with one end.
    """

    rate: float
    mean_time: float
    upper_share: float


def exact_answer(problem: Problem) -> ExactAnswer | None:
    """Return the exact values of a problem by quadrature (`escapade.exact`).

    None where there are none: for vectors, processes in discrete time or with jumps, and where
    `escapade.exact` refuses the process in that region.
    """
    model, region = problem.model, problem.region
    if model.vector or model.jumps or not isinstance(region, Interval):
        return None
    low, high = (float(edge) for edge in model.domain)
    a = region.lower if region.lower > low else None
    b = region.upper if region.upper < high else None
    x0 = problem.initial.value
    rate = share = mean = math.nan
    with contextlib.suppress(ValueError):
        rate = exact.escape_rate(model, a, b, reflect=region.reflect)
    if x0 is not None:
        with contextlib.suppress(ValueError):
            mean = float(exact.mean_exit_time(model, x0, a, b, reflect=region.reflect))
        if sum(e.action == "absorb" for e in problem.boundaries) == 2:
            with contextlib.suppress(ValueError):
                share = float(exact.splitting_probability(model, x0, a, b))
    return None if math.isnan(rate) and math.isnan(mean) else ExactAnswer(rate, mean, share)
