"""The Laplace transform of the exit time."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import array, choice
from . import _contour
from ._evolve import SIDES, absorbs, broadcast, edges_of, leaving
from ._green import Green
from ._quadrature import FloatArray
from ._region import Region
from ._regions import region_of, starts
from ._resolvent import Resolvent
from .times import splitting_probability

__all__ = ["laplace_transform"]


def laplace_transform(
    process: Any,
    x0: Any,
    s: Any,
    a: Any = None,
    b: Any = None,
    *,
    side: str | None = None,
    reflect: str | None = None,
) -> Any:
    """Return ``E exp(-s T)`` of the exit time, the paths that never leave counting as 0.

    The solution of ``diffusion^2/2 f'' + drift f' = s f`` that is 1 at the ends (Borodin and Salminen,
    *Handbook of Brownian Motion*, II.10). Relative error about 1e-13.

    Parameters
    ----------
    process, x0, a, b, reflect
        As in `mean_exit_time`.
    s : array_like
        Rates, 1/time, >= 0; broadcast with ``x0``.
    side : {"lower", "upper"}, optional
        Count only the paths that leave at ``a``, or at ``b``.

    Returns
    -------
    float or ndarray
    """
    rates = array("s", s)
    if not (np.isfinite(rates) & (rates >= 0.0)).all():
        bad = rates[~(np.isfinite(rates) & (rates >= 0.0))].ravel()[0]
        raise ValueError(f"s must be finite and >= 0, got {bad:g}")
    where = None if side is None else choice("side", side, SIDES)
    points = starts("x0", x0, process, a, b)
    region = region_of(process, a, b, reflect, points)
    points, rates = broadcast(x0=points, s=rates)
    y, flat = region.y(points.ravel()), rates.ravel()
    out = np.empty(flat.shape)
    still = flat == 0.0
    if still.any():
        high = np.asarray(
            splitting_probability(process, points.ravel()[still], a, b, reflect=reflect)
        )
        shares = {"upper": high if absorbs(region)[1] else 0.0 * high}
        shares["lower"] = _lower_share(region, points.ravel()[still], a, b, reflect)
        out[still] = sum(v for k, v in shares.items() if where in (None, k))
    moving = np.flatnonzero(~still)
    if moving.size:
        region.require_times()
    for part in _contour.groups(flat[moving]) if moving.size else []:
        index = moving[part]
        cuts = region.killed_cuts(float(flat[index].min()), y[index])
        strength = float(flat[index].max())
        grid = region.fine_grid(cuts, strength, np.unique(y[index]))
        solver = Resolvent(grid, absorbs(region), strength)
        some, slot = np.unique(flat[index], return_inverse=True)
        edges = edges_of(solver, y[index])
        values = leaving(solver, some, edges, where)
        out[index] = values[np.arange(index.size), slot]
    return out.reshape(points.shape)[()]


def _lower_share(region: Region, x0: FloatArray, a: Any, b: Any, reflect: str | None) -> FloatArray:
    """Return the probability to leave at the lower end: not one minus the other, which cancels."""
    if not absorbs(region)[0]:
        return np.zeros(x0.shape)
    if not region.conditions[1]:
        return np.ones(x0.shape)
    y = region.y(x0)
    green = Green(region.grid(y), (True, True))
    return np.exp(np.minimum(green.solutions(green.grid.points(y))[1] - green.log_w, 0.0))
