"""What happens when: survival, the density of exit times, their transforms, transition densities."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import array, choice
from . import _contour
from ._contour import ComplexArray
from ._green import Green
from ._quadrature import FloatArray
from ._region import Region, region_of, starts
from ._resolvent import Marched, Numbers, Resolvent
from .process import raw
from .rates import leading
from .times import splitting_probability

__all__ = ["exit_time_density", "laplace_transform", "survival", "transition_density"]

_SIDES = ("lower", "upper")
_CHUNK = 1_000_000  # panels times rates held at once


def _where(solver: Resolvent, y: FloatArray) -> Any:
    """Return the edges at which the coordinates ``y`` lie (beyond a cut: the cut)."""
    edges = solver.grid.edges
    return np.searchsorted(edges, np.clip(y, edges[0], edges[-1]))


def _absorbs(region: Region) -> tuple[bool, bool]:
    # an end towards which paths are lost keeps them: they are alive
    return region.kinds[0] == "absorb", region.kinds[1] == "absorb"


def _killed(up: Marched, down: Marched) -> Numbers:
    """Return ``int_0^inf exp(-s t) P(T > t) dt``: the resolvent of 1, of shape (edges, rates)."""
    wronskian = up.slope * down.value + up.value * down.slope
    out: Numbers = (down.value * up.mass + up.value * down.mass) / wronskian
    return out


def _leaving(solver: Resolvent, s: Numbers, edges: Any, side: str | None) -> Numbers:
    """Return ``E exp(-s T)`` of paths that leave at the side, or at any: shape (edges, rates)."""
    ends = np.concatenate([edges, [0, solver.grid.half.size]])
    up, down = _march(solver, s, ends)
    out: Numbers = np.zeros_like(up.value[:-2])
    for k, found, end in ((1, up, -1), (0, down, -2)):
        if side in (None, _SIDES[k]) and solver.vanish[k]:
            ratio = found.value[:-2] / found.value[end]
            out = out + ratio * np.exp(found.log_size[:-2] - found.log_size[end])
    return out


def _march(solver: Resolvent, s: Numbers, edges: Any) -> tuple[Marched, Marched]:
    kept, back = np.unique(edges, return_inverse=True)
    up, down = solver.march(s, True, kept), solver.march(s, False, kept)
    return Marched(*(part[back] for part in up)), Marched(*(part[back] for part in down))


def _times(value: Any, positive: bool = False) -> FloatArray:
    t = array("t", value)
    good = np.isfinite(t) & ((t > 0.0) if positive else (t >= 0.0))
    if not good.all():
        bad = t[~good].ravel()[0]
        raise ValueError(f"t must be finite and {'> 0' if positive else '>= 0'}, got {bad:g}")
    return t


def _broadcast(**arguments: FloatArray) -> list[FloatArray]:
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


def _evolve(
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
        edges = [_where(solver, row) for row in pairs]

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
    where = None if side is None else choice("side", side, _SIDES)
    points = starts("x0", x0, process, a, b)
    region = region_of(process, a, b, reflect, points)
    points, rates = _broadcast(x0=points, s=rates)
    y, flat = region.y(points.ravel()), rates.ravel()
    out = np.empty(flat.shape)
    still = flat == 0.0
    if still.any():
        high = np.asarray(
            splitting_probability(process, points.ravel()[still], a, b, reflect=reflect)
        )
        shares = {"upper": high if _absorbs(region)[1] else 0.0 * high}
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
        solver = Resolvent(grid, _absorbs(region), strength)
        some, slot = np.unique(flat[index], return_inverse=True)
        edges = _where(solver, y[index])
        values = _leaving(solver, some, edges, where)
        out[index] = values[np.arange(index.size), slot]
    return out.reshape(points.shape)[()]


def _lower_share(region: Region, x0: FloatArray, a: Any, b: Any, reflect: str | None) -> FloatArray:
    """Return the probability to leave at the lower end: not one minus the other, which cancels."""
    if not _absorbs(region)[0]:
        return np.zeros(x0.shape)
    if not region.conditions[1]:
        return np.ones(x0.shape)
    y = region.y(x0)
    green = Green(region.grid(y), (True, True))
    return np.exp(np.minimum(green.solutions(green.grid.points(y))[1] - green.log_w, 0.0))


def _on_absorbing(region: Region, x: FloatArray) -> Any:
    low, high = _absorbs(region)
    return ((x == region.ends[0]) & low) | ((x == region.ends[1]) & high)


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
    times = _times(t)
    points = starts("x0", x0, process, a, b)
    region = region_of(process, a, b, reflect, points)
    points, times = _broadcast(x0=points, t=times)
    flat, when = points.ravel(), times.ravel()
    dead = _on_absorbing(region, flat)
    out = np.where(dead, 0.0, 1.0)
    index = np.flatnonzero((when > 0.0) & ~dead)

    def read(solver: Resolvent, s: Numbers, edges: list[Any]) -> Numbers:
        return _killed(*_march(solver, s, edges[0]))

    if index.size:
        values = _evolve(region, when[index], [region.y(flat[index])], read)
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
    times = _times(t)
    where = None if side is None else choice("side", side, _SIDES)
    points = starts("x0", x0, process, a, b)
    region = region_of(process, a, b, reflect, points)
    points, times = _broadcast(x0=points, t=times)
    flat, when = points.ravel(), times.ravel()
    out = np.zeros(flat.shape)
    index = np.flatnonzero((when > 0.0) & ~_on_absorbing(region, flat))

    def read(solver: Resolvent, s: Numbers, edges: list[Any]) -> Numbers:
        return _leaving(solver, s, edges[0], where)

    if index.size:
        values = _evolve(region, when[index], [region.y(flat[index])], read)
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
    times = _times(t, positive=True)
    points, states = starts("x0", x0, process, a, b), starts("x", x, process, a, b)
    both = np.concatenate([points.ravel(), states.ravel()])
    region = region_of(process, a, b, reflect, both, closed=True)
    points, states, times = _broadcast(x0=points, x=states, t=times)
    start, end, when = points.ravel(), states.ravel(), times.ravel()
    out = np.zeros(start.shape)
    index = np.flatnonzero(~_on_absorbing(region, start) & ~_on_absorbing(region, end))

    def read(solver: Resolvent, s: Numbers, edges: list[Any]) -> Numbers:
        first, last = edges
        low, high = np.minimum(first, last), np.maximum(first, last)
        up, down = _march(solver, s, low)
        above = _march(solver, s, high)[1]
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
        out[index] = np.maximum(_evolve(region, when[index], places, read), 0.0)
    return out.reshape(points.shape)[()]
