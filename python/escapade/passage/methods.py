"""Which method finds a rate: waiting for escapes, or splitting the way out into stages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .._checks import integer
from .ams import ams_rate
from .pilot import pilot_rate
from .problem import Problem
from .rare_result import RareResult
from .splitting import splitting_rate

__all__ = ["choose", "rare_rate"]

_RARE = 1e-4  # rate times relaxation time below which splitting is cheaper
_LOOK = 3.0  # seconds for a pilot run
_STAGE = 5000  # particles per stage
_FEWEST = 20  # particles per stage, for splitting


def choose(problem: Problem, seconds: float, n: int | None = None) -> tuple[str, str, float | None]:
    """Return the method, the reason, and the rate of the pilot run (None if it found none).

    Raises
    ------
    TypeError, ValueError
        If n is too small for the methods that may be chosen, before anything runs.
    """
    if n is not None:
        integer("n", n, low=_FEWEST)
    if problem.model.jumps and problem.model.time_step is None:
        return "direct", "one jump may cross all levels: splitting has nothing to split", None
    try:
        pilot = pilot_rate(problem, min(_LOOK, 0.5 * seconds))
    except TimeoutError:
        return "direct", "the pilot run was over before particles had settled", None
    product = pilot.rate * pilot.relaxation_time
    found = (
        f"pilot run: rate {'< ' if pilot.bounded else 'about '}{pilot.rate:.1g}, "
        f"relaxation time {pilot.relaxation_time:.2g}"
    )
    if pilot.direct or (product > _RARE and not pilot.failed):
        return "direct", f"{found}: escapes are not rare", pilot.rate
    if pilot.failed and not pilot.without_levels:
        return "direct", f"{found}: no splitting, since {pilot.failed}", pilot.rate
    if pilot.failed:
        return "ams", f"{found}: levels were not found: {pilot.failed}", pilot.rate
    return "splitting", f"{found}: rarer than {_RARE:g} per relaxation time", pilot.rate


def rare_rate(
    method: str,
    problem: Problem,
    n: int | None,
    until: Any,
    max_seconds: float | None,
    progress: bool,
    more: Mapping[str, Any],
) -> RareResult:
    """Return the rate by a method for rare events.

    Parameters
    ----------
    n : int or None
        Particles per stage; 5000 if None.
    more : mapping
        Further arguments: replicates, level, core and burn_in of both, levels of "splitting", first
        and k of "ams".
    """
    rate = splitting_rate if method == "splitting" else ams_rate
    rel = None if until is None else until.rel
    return rate(
        problem,
        n=_STAGE if n is None else n,
        until=rel,
        max_seconds=None if max_seconds is None or math.isinf(max_seconds) else max_seconds,
        progress=progress,
        **more,
    )
