"""What happens when: survival, the density of exit times, transition densities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import choice
from ._evolve import (
    SIDES,
    broadcast,
    checked_times,
    evolve,
    killed,
    leaving,
    march,
    on_absorbing,
)
from ._regions import region_of, starts
from ._resolvent import Numbers, Resolvent
from .process import raw

__all__ = ["exit_time_density", "survival", "transition_density"]


def survival(
    process: Any, x0: Any, t: Any, a: Any = None, b: Any = None, *, reflect: str | None = None
) -> Any:
    """Return the probability ``P(T > t)`` that the process is still in ``(a, b)`` at time ``t``.

    Inverse Laplace transform of the resolvent along a hyperbola; the transform itself is exact to
    rounding, on panels refined to ``noise * sqrt(t / 180)``. Error about 1e-13 of
    ``exp(-lambda_1 t)``, so that late times keep their digits; where survival is not exponential in the
    end, 1e-13 of 1.

    Parameters
    ----------
    process, x0, a, b, reflect
        As in `mean_exit_time`.
    t : array_like
        Times >= 0; broadcast with ``x0``.

    Returns
    -------
    float or ndarray

    Raises
    ------
    TypeError, ValueError
        As `mean_exit_time`; if a time is negative or not finite, or so short that 20000 panels cannot
        resolve it.
    """
    times = checked_times(t)
    points = starts("x0", x0, process, a, b)
    region = region_of(process, a, b, reflect, points)
    points, times = broadcast(x0=points, t=times)
    flat, when = points.ravel(), times.ravel()
    dead = on_absorbing(region, flat)
    out = np.where(dead, 0.0, 1.0)
    index = np.flatnonzero((when > 0.0) & ~dead)

    def read(solver: Resolvent, s: Numbers, edges: list[Any]) -> Numbers:
        return killed(*march(solver, s, edges[0]))

    if index.size:
        values = evolve(region, when[index], [region.y(flat[index])], read)
        out[index] = np.clip(values, 0.0, 1.0)
    return out.reshape(points.shape)[()]


def exit_time_density(
    process: Any,
    x0: Any,
    t: Any,
    a: Any = None,
    b: Any = None,
    *,
    side: str | None = None,
    reflect: str | None = None,
) -> Any:
    """Return the density of the exit time at ``t``, 1/time.

    With ``side`` the part of paths that leave there; it integrates to the probability to do so. From
    an absorbing end the process leaves at once: 0 for ``t > 0``. Method, error (1e-13 of
    ``exp(-lambda_1 t)/t``) and arguments are those of `survival` and `laplace_transform`.
    """
    times = checked_times(t)
    where = None if side is None else choice("side", side, SIDES)
    points = starts("x0", x0, process, a, b)
    region = region_of(process, a, b, reflect, points)
    points, times = broadcast(x0=points, t=times)
    flat, when = points.ravel(), times.ravel()
    out = np.zeros(flat.shape)
    index = np.flatnonzero((when > 0.0) & ~on_absorbing(region, flat))

    def read(solver: Resolvent, s: Numbers, edges: list[Any]) -> Numbers:
        return leaving(solver, s, edges[0], where)

    if index.size:
        values = evolve(region, when[index], [region.y(flat[index])], read)
        out[index] = np.maximum(values, 0.0)
    return out.reshape(points.shape)[()]


def transition_density(
    process: Any,
    x0: Any,
    x: Any,
    t: Any,
    a: Any = None,
    b: Any = None,
    *,
    reflect: str | None = None,
) -> Any:
    """Return the density at ``x`` after time ``t``, of paths from ``x0`` that have not left.

    Inverse Laplace transform, along a hyperbola, of the resolvent density
    ``psi(min) phi(max) m(x)/W`` (Borodin and Salminen, *Handbook of Brownian Motion*, II.11). Error
    about 1e-12 of its largest value in ``x``. Without ends (``a`` and ``b`` both None) nothing is
    absorbed.

    Parameters
    ----------
    process, x0, a, b, reflect
        As in `mean_exit_time`.
    x : array_like
        States in ``[a, b]``; broadcast with ``x0`` and ``t``.
    t : array_like
        Times > 0.

    Returns
    -------
    float or ndarray
        1/x.
    """
    times = checked_times(t, positive=True)
    points, states = starts("x0", x0, process, a, b), starts("x", x, process, a, b)
    both = np.concatenate([points.ravel(), states.ravel()])
    region = region_of(process, a, b, reflect, both, closed=True)
    points, states, times = broadcast(x0=points, x=states, t=times)
    start, end, when = points.ravel(), states.ravel(), times.ravel()
    out = np.zeros(start.shape)
    index = np.flatnonzero(~on_absorbing(region, start) & ~on_absorbing(region, end))

    def read(solver: Resolvent, s: Numbers, edges: list[Any]) -> Numbers:
        first, last = edges
        low, high = np.minimum(first, last), np.maximum(first, last)
        up, down = march(solver, s, low)
        above = march(solver, s, high)[1]
        grid = solver.grid
        noise = raw(region.process, region.coordinate.x(grid.edges[last]))[1]
        log_m = math.log(2.0) - 2.0 * np.log(np.abs(noise)) - grid.phi_edges[last]
        log_m = log_m + solver.reference[low]
        wronskian = up.slope * down.value + up.value * down.slope
        size = np.exp(above.log_size - down.log_size + log_m[:, None])
        out: Numbers = up.value * above.value / wronskian * size
        return out

    if index.size:
        places = [region.y(start[index]), region.y(end[index])]
        out[index] = np.maximum(evolve(region, when[index], places, read), 0.0)
    return out.reshape(points.shape)[()]
