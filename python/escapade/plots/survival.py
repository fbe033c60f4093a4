"""Survival curves of escapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import exact
from .._checks import boolean, choice
from ._axes import DATA_COLOUR, LAW_COLOUR, matplotlib_axes

if TYPE_CHECKING:
    from ..passage.result import EscapeResult

__all__ = ["survival"]

_POINTS = 400


def survival(
    result: EscapeResult,
    ax: Any = None,
    *,
    scale: str = "log",
    law: bool = True,
    label: str | None = None,
) -> Any:
    """Draw the probability to be still inside the region against time, and the exact curve.

    Parameters
    ----------
    result : EscapeResult
        What `escapade.escape` returns of a direct run.
    ax : matplotlib axes, optional
        The current ones by default.
    scale : {"log", "linear"}, default "log"
        Of the probability. Straight lines in "log" are constant rates.
    law : bool, default True
        Draw the exact curve too, where `escapade.exact` knows it and all particles have one start.
    label : str, optional
        Of the simulated curve; the number of particles by default.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, or all particles were lost.
    ImportError
        If matplotlib is missing.
    """
    if not hasattr(result, "survival"):
        raise TypeError(
            f"result must be what escape() returns of a direct run, got {type(result).__name__}"
        )
    scale = choice("scale", scale, ("log", "linear"))
    law = boolean("law", law)
    if result.n == 0:
        raise ValueError("result must have particles that were not lost")
    ax = matplotlib_axes(ax)
    t, s = result.survival()
    inside = s > 0.0
    end = float(np.max(result.last))
    t, s = np.append(t[inside], end), np.append(s[inside], s[inside][-1])
    if len(t) > _POINTS:  # thinned evenly in the height that is drawn
        height = np.log(s) if scale == "log" else s
        grid = np.linspace(height[0], height[-1], _POINTS)
        kept = np.searchsorted(-height, -grid)
        kept = np.unique(np.append(kept, len(t) - 1))
        t, s = t[kept], s[kept]
    ax.step(
        t,
        s,
        where="post",
        color=DATA_COLOUR,
        lw=1.6,
        label=f"{result.n:,} particles" if label is None else label,
    )
    curve = _exact(result, end) if law else None
    if curve is not None:
        ax.plot(*curve, color=LAW_COLOUR, lw=1.2, ls=(0, (4, 2)), label="exact")
    ax.set_yscale(scale)
    if scale == "log":
        ax.set_ylim(0.4 * s[-1], 1.5)
    ax.set_xlabel("time")
    ax.set_ylabel("probability to be inside")
    return ax


def _exact(result: EscapeResult, end: float) -> tuple[Any, Any] | None:
    """Return times and exact probabilities, or None where there are none."""
    problem = result.problem
    x0 = problem.initial.value
    if result.exact is None or x0 is None:
        return None
    region: Any = problem.region
    t = np.linspace(0.0, end, 201)
    s = exact.survival(problem.model, x0, t, region.lower, region.upper, reflect=region.reflect)
    return t, np.maximum(s, 1e-300)
