r"""Exact mean first-passage times of discretised diffusions, and the bias of a time step.

A simulation with step ``dt`` follows a Markov chain, not the diffusion. The mean time ``T(x)`` at
which the chain is found to have left obeys

.. math:: T(x) = e(x) + \int k(x, x') T(x') dx'

with ``k`` the density of being in ``x'`` after a step and not having been found outside, ``e`` the
mean time spent in the step. Solved here by collocation on panels, refined until the solution is
resolved. Nothing is simulated.

Sources: end-point bias and shift, Broadie, Glasserman, Kou, *Math. Finance* 7, 325 (1997), Gobet and
Menozzi, *Stoch. Proc. Appl.* 120, 130 (2010); bridge test, Mannella, *Phys. Lett. A* 254, 257 (1999).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _core
from .._checks import choice, number
from ..exact.process import Diffusion, as_process
from ._chain_solver import Chain, solve
from ._stepped import Stepped, recurrent_edge, stepped

__all__ = ["CHAIN_SCHEMES", "SHIFT", "chain_passage_time", "endpoint_bias"]

#: ``-zeta(1/2)/sqrt(2 pi)``: by this many step deviations a boundary seems further away than it is.
SHIFT = _core.mean_overshoot

CHAIN_SCHEMES = ("euler-maruyama", "lamperti-euler", "lamperti-heun")
_TESTS = ("bridge", "shift", "endpoint")


def endpoint_bias(dt: float, noise: float, slope: float, mean: float) -> float:
    """Return the predicted relative bias of the mean first-passage time tested at step ends only.

    ``0.5826 sigma(B) sqrt(dt) |T'(B)|/T(x0)``: the boundary seems `SHIFT` step deviations further
    away (Broadie, Glasserman, Kou 1997). The first term in ``sqrt(dt)``; `chain_passage_time` is exact.

    Parameters
    ----------
    dt : float
        Time step, > 0.
    noise : float
        ``sigma(B)``, noise amplitude at the boundary, >= 0.
    slope : float
        ``T'(B)``, derivative of the mean time with respect to the starting point, of either sign.
    mean : float
        ``T(x0)``, > 0.
    """
    dt, noise = number("dt", dt, low=0.0, open_low=True), number("noise", noise, low=0.0)
    slope, mean = number("slope", slope), number("mean", mean, low=0.0, open_low=True)
    return SHIFT * noise * math.sqrt(dt) * abs(slope) / mean


def chain_passage_time(
    process: Any,
    dt: float,
    *,
    start: float,
    lower: float = -math.inf,
    upper: float = math.inf,
    scheme: str = "lamperti-heun",
    test: str = "bridge",
    reach: float | None = None,
) -> float:
    """Return the mean first-passage time that a simulation with step ``dt`` has, without simulating.

    Compare with the mean of the diffusion itself for the bias of scheme and test.

    Parameters
    ----------
    process : Model or escapade.exact.Diffusion
        A one-dimensional Ito equation. For the Lamperti schemes a model must have such a coordinate,
        and the noise of a `Diffusion` must be 1.
    dt : float
        Time step, > 0.
    start : float
        First state, strictly within the region.
    lower, upper : float
        Ends of the region, at least one finite; the process must come back from an infinite one.
    scheme : {"lamperti-heun", "lamperti-euler", "euler-maruyama"}
        The first two step, and test, in the coordinate in which the noise is 1.
    test : {"bridge", "shift", "endpoint"}
        ``"endpoint"``: outside after a step. ``"shift"``: the same with the ends moved inwards by
        `SHIFT` step deviations. ``"bridge"``: also by the chance ``exp(-2 d d'/(a dt))`` that a
        Brownian bridge between distances ``d``, ``d'`` from an end crosses it; ``a`` is the variance
        per time at the left state, the time within the step that of the bridge. With two ends the
        chances are added, which errs by less than ``exp(-2 (upper - lower)^2/(a dt))``.
    reach : float, optional
        Where an infinite side is cut. By default where, seen from ``start``, the speed measure has
        fallen by ``exp(-36)``; to be given if a deeper well lies beyond so high a barrier.

    Returns
    -------
    float
        In units of time; relative accuracy 1e-6 up to means of 1e9 steps.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of bounds, the process does not return from infinity, the noise vanishes,
        the region is narrower than the shift, or the mean exceeds 1e9 steps.
    """
    dt = number("dt", dt, low=0.0, open_low=True)
    scheme, test = choice("scheme", scheme, CHAIN_SCHEMES), choice("test", test, _TESTS)
    start = number("start", start)
    unit = scheme != "euler-maruyama"
    checked = as_process(process)
    domain = (float(checked.domain[0]), float(checked.domain[1]))
    known = stepped(checked, unit, start, 0.02 * math.sqrt(dt))
    ends = []
    for name, end in (("lower", lower), ("upper", upper)):
        given = end if end in (-math.inf, math.inf) else number(name, end)
        if math.isfinite(given) and not domain[0] <= given <= domain[1]:
            raise ValueError(f"{name} must lie within the domain {domain}, got {given!r}")
        ends.append(given if math.isinf(given) else known.coordinate(given))
    y0, (low, high) = known.coordinate(start), ends
    if not (low < y0 < high and (math.isfinite(low) or math.isfinite(high))):
        raise ValueError(
            f"start must lie strictly between lower and upper, of which one is finite, got start="
            f"{start!r}, lower={lower!r}, upper={upper!r}"
        )
    places = np.array([y for y in (low, y0, high) if math.isfinite(y)])
    noise = known.noise(places)
    if not (np.isfinite(noise) & (noise > 0.0)).all():
        raise ValueError(
            f"process must have noise within the region and at its ends, got {noise.tolist()}"
        )
    if unit and isinstance(checked, Diffusion) and not np.array_equal(noise, np.ones(noise.shape)):
        raise ValueError(
            f"process must have diffusion 1 for scheme {scheme!r}, or be a model: give it in that "
            f"coordinate, got {noise[noise != 1.0][0]:g}"
        )
    edges = _first_edges(known, dt, y0, low, high, reach)
    if test == "shift":
        root = SHIFT * math.sqrt(dt)
        low = low + root * float(noise[0]) if math.isfinite(low) else low
        high = high - root * float(noise[-1]) if math.isfinite(high) else high
        if not low < y0 < high:
            raise ValueError(
                f"dt must be so small that start is within the shifted ends, got {dt!r}"
            )
        edges = np.clip(edges, low, high)
        edges = np.unique(edges)
    chain = Chain(known, scheme == "lamperti-heun", test == "bridge", dt, low, high)
    return solve(chain, edges, y0)


def _first_edges(
    known: Stepped, dt: float, y0: float, low: float, high: float, reach: float | None
) -> Any:
    """Return panels that grow from about a step's length at the ends of the region."""
    root = math.sqrt(dt)
    bottom, top = low, high
    if math.isinf(low) or math.isinf(high):
        way = -1.0 if math.isinf(low) else 1.0
        if reach is None:
            far = recurrent_edge(known, y0, way, 0.1 * min(root, 1.0))
        else:
            far = known.coordinate(number("reach", reach))
            if (far - y0) * way <= 0.0:
                raise ValueError(f"reach must lie beyond start, got {reach!r}")
        bottom, top = (far, high) if way < 0.0 else (low, far)
    parts = []
    middle = 0.5 * (bottom + top) if math.isfinite(low) and math.isfinite(high) else None
    for end, way, given in ((top, -1.0, high), (bottom, 1.0, low)):
        if math.isinf(given):
            continue
        stop = middle if middle is not None else (bottom if way < 0.0 else top)
        length, width = abs(stop - end), 2.0 * root * float(known.noise(np.asarray(end)))
        sizes = [min(width, length)]
        while sum(sizes) < length:
            sizes.append(1.5 * sizes[-1])
        offsets = np.concatenate([[0.0], np.cumsum(sizes) * (length / sum(sizes))])
        offsets[-1] = length
        parts.append(end + way * offsets)
    return np.unique(np.concatenate(parts))
