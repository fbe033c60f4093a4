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
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg, special

from .._checks import choice, number
from ._diffusions import Diffusion, diffusion_of, recurrent_edge

__all__ = ["CHAIN_SCHEMES", "SHIFT", "chain_passage_time", "endpoint_bias"]

#: ``-zeta(1/2)/sqrt(2 pi)``: by this many step deviations a boundary seems further away than it is.
SHIFT = 1.4603545088095868 / math.sqrt(2.0 * math.pi)

CHAIN_SCHEMES = ("euler-maruyama", "lamperti-euler", "lamperti-heun")
_TESTS = ("bridge", "shift", "endpoint")
_Z = 8.6  # normals beyond have probability 1e-17
_ORDER = 12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_ORDER)
_TO_COEFFICIENTS = np.linalg.inv(np.polynomial.legendre.legvander(_NODES, _ORDER - 1))
_TOLERANCE = 1e-8
_MOST_NODES = 4000


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


class _Chain(NamedTuple):
    process: Diffusion
    heun: bool
    bridge: bool
    dt: float
    lower: float
    upper: float

    def step(self, y: Any, z: Any) -> Any:
        """Return the state after a step from ``y`` with the standard normal ``z``."""
        f, dt = self.process.drift, self.dt
        kick = self.process.noise(y) * math.sqrt(dt) * z
        if not self.heun:
            return y + f(y) * dt + kick
        start = f(y)
        return y + 0.5 * (start + f(y + start * dt + kick)) * dt + kick

    def cut(self, y: Any, level: float) -> Any:
        """Return the normal that leads from each ``y`` to ``level``, within -8.6 and 8.6."""
        if not math.isfinite(level):
            return np.full(y.shape, math.copysign(_Z, level))
        if not self.heun:
            scale = self.process.noise(y) * math.sqrt(self.dt)
            return np.clip((level - y - self.process.drift(y) * self.dt) / scale, -_Z, _Z)
        low, high = np.full(y.shape, -_Z), np.full(y.shape, _Z)
        for _ in range(56):
            middle = 0.5 * (low + high)
            below = self.step(y, middle) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)


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
    process : model or tuple
        `PowerLaw`, `DoubleWell`, `OrnsteinUhlenbeck`, or a pair ``(drift, diffusion)`` of functions
        of an array (Ito). For the Lamperti schemes the diffusion of a pair must be 1.
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
        Where the infinite side is cut, for processes whose barriers are so high that the search for
        the place stops short: the far side of everything visited.

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
    diffusion = diffusion_of(process, unit)
    ends = []
    for name, end in (("lower", lower), ("upper", upper)):
        given = end if end in (-math.inf, math.inf) else number(name, end)
        ends.append(given if math.isinf(given) else diffusion.coordinate(given))
    y0, (low, high) = diffusion.coordinate(start), ends
    if not (low < y0 < high and (math.isfinite(low) or math.isfinite(high))):
        raise ValueError(
            f"start must lie strictly between lower and upper, of which one is finite, got start="
            f"{start!r}, lower={lower!r}, upper={upper!r}"
        )
    known = np.array([y for y in (low, y0, high) if math.isfinite(y)])
    noise = diffusion.noise(known)
    if not (np.isfinite(noise) & (noise > 0.0)).all():
        raise ValueError("process must have noise within the region and at its ends")
    if unit and isinstance(process, tuple) and not np.array_equal(noise, np.ones(noise.shape)):
        raise ValueError(
            f"process must have diffusion 1 for scheme {scheme!r}: give it in that coordinate"
        )
    edges = _first_edges(diffusion, dt, y0, low, high, reach)
    if test == "shift":
        root = SHIFT * math.sqrt(dt)
        low = low + root * float(noise[0]) if math.isfinite(low) else low
        high = high - root * float(noise[-1]) if math.isfinite(high) else high
        if not low < y0 < high:
            raise ValueError(f"dt must be so small that start is within the shifted ends, got {dt!r}")
        edges = np.clip(edges, low, high)
        edges = np.unique(edges)
    chain = _Chain(diffusion, scheme == "lamperti-heun", test == "bridge", dt, low, high)
    return _solve(chain, edges, y0)


def _first_edges(
    diffusion: Diffusion, dt: float, y0: float, low: float, high: float, reach: float | None
) -> Any:
    """Return panels that grow from about a step's length at the ends of the region."""
    root = math.sqrt(dt)
    bottom, top = low, high
    if math.isinf(low) or math.isinf(high):
        way = -1.0 if math.isinf(low) else 1.0
        inner = high if way < 0.0 else low
        if reach is None:
            far = recurrent_edge(diffusion, inner, way, 0.1 * min(root, 1.0))
            far = way * max(way * far, way * y0 + root * float(diffusion.noise(np.asarray(y0))))
        else:
            far = diffusion.coordinate(number("reach", reach))
            if (far - y0) * way <= 0.0:
                raise ValueError(f"reach must lie beyond start, got {reach!r}")
        bottom, top = (far, high) if way < 0.0 else (low, far)
    parts = []
    middle = 0.5 * (bottom + top) if math.isfinite(low) and math.isfinite(high) else None
    for end, way, given in ((top, -1.0, high), (bottom, 1.0, low)):
        if math.isinf(given):
            continue
        stop = middle if middle is not None else (bottom if way < 0.0 else top)
        length, width = abs(stop - end), 2.0 * root * float(diffusion.noise(np.asarray(end)))
        sizes = [min(width, length)]
        while sum(sizes) < length:
            sizes.append(1.5 * sizes[-1])
        offsets = np.concatenate([[0.0], np.cumsum(sizes) * (length / sum(sizes))])
        offsets[-1] = length
        parts.append(end + way * offsets)
    return np.unique(np.concatenate(parts))


def _solve(chain: _Chain, edges: Any, y0: float) -> float:
    """Solve on finer and finer panels until the solution is a short polynomial on each."""
    while True:
        half = 0.5 * np.diff(edges)
        y = (edges[:-1, None] + half[:, None] * (_NODES + 1.0)).ravel()
        T = _times(chain, edges, y).reshape(len(half), _ORDER)
        coefficients = T @ _TO_COEFFICIENTS.T
        rough = np.abs(coefficients[:, -2:]).max(axis=1) > _TOLERANCE * float(np.abs(T).max())
        rough &= half > 1e-13 * float(np.abs(edges).max())
        if not rough.any():
            panel, basis = _basis(edges, np.array([y0]))
            return float(basis[0] @ T[panel[0]])
        edges = np.unique(np.concatenate([edges, (edges[:-1] + half)[rough]]))
        if (len(edges) - 1) * _ORDER > _MOST_NODES:
            raise ValueError(
                f"dt must not be so small, got {chain.dt!r}: the mean time needs more than "
                f"{_MOST_NODES} nodes"
            )


def _times(chain: _Chain, edges: Any, y: Any) -> Any:
    """Return the solution ``T`` at the nodes ``y``."""
    size = len(y)
    cut_low, cut_high = chain.cut(y, chain.lower), chain.cut(y, chain.upper)
    z, weight = _normal_rule(cut_low, cut_high, 8)
    after = chain.step(y[:, None], z)
    gaps = _gaps(chain, y, after)
    alive = 1.0 - sum((chance for chance, _ in gaps), np.zeros(z.shape))
    panel, basis = _basis(edges, after)
    columns = panel[..., None] * _ORDER + np.arange(_ORDER)
    rows = np.arange(size)[:, None, None] * size
    entries = (weight * alive)[..., None] * basis
    P = np.bincount((rows + columns).ravel(), entries.ravel(), size * size).reshape(size, size)
    # the chance of leaving, summed without cancellation, fixes the diagonal
    gone = sum(((weight * chance).sum(axis=1) for chance, _ in gaps), np.zeros(size))
    gone += special.ndtr(cut_low) * (cut_low > -_Z) + special.ndtr(-cut_high) * (cut_high < _Z)
    spent = _spent(chain, y, gaps, weight, (cut_low, cut_high))
    A = -P
    np.fill_diagonal(A, 0.0)
    np.fill_diagonal(A, gone - A.sum(axis=1))
    T = linalg.solve(A, spent, check_finite=False, overwrite_a=True)
    if not (np.isfinite(T).all() and T.max() < 1e9 * chain.dt and T.min() > 0.0):
        raise ValueError(
            f"dt must be such that the mean is at most 1e9 steps, got {chain.dt!r} and about "
            f"{float(np.abs(T).max()):.3g}"
        )
    return T


def _spent(chain: _Chain, y: Any, gaps: Any, weight: Any, cuts: tuple[Any, Any]) -> Any:
    """Return the mean time spent in a step by what is in ``y`` before it."""
    spent = np.full(len(y), chain.dt)
    if not chain.bridge:
        return spent
    for chance, early in gaps:
        spent -= chain.dt * (weight * chance * (1.0 - early)).sum(axis=1)
    far = np.full(len(y), _Z)
    for end, low, high in ((chain.lower, -far, cuts[0]), (chain.upper, cuts[1], far)):
        if math.isfinite(end):
            z, beyond = _normal_rule(low, high, 4)
            early = _early(chain, y, chain.step(y[:, None], z), end)
            spent -= chain.dt * (beyond * (1.0 - early)).sum(axis=1)
    return spent


def _normal_rule(low: Any, high: Any, panels: int) -> tuple[Any, Any]:
    """Return nodes and weights, shape (n, m), for the standard normal between ``low`` and ``high``."""
    fractions = (np.arange(panels)[:, None] + 0.5 * (_NODES + 1.0)).ravel() / panels
    width = np.maximum(high - low, 0.0)[:, None]
    z = low[:, None] + width * fractions
    weights = np.tile(0.5 * _WEIGHTS / panels, panels)
    return z, width * weights * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _gaps(chain: _Chain, y: Any, after: Any) -> list[tuple[Any, Any]]:
    """Return, of each end, the chance that the bridge to ``after`` crosses it and when it does."""
    if not chain.bridge:
        return []
    variance = (chain.process.noise(y) ** 2 * chain.dt)[:, None]
    found = []
    for end in (chain.lower, chain.upper):
        if math.isfinite(end):
            product = np.abs(y - end)[:, None] * np.abs(after - end)
            found.append((np.exp(-2.0 * product / variance), _early(chain, y, after, end)))
    return found


def _early(chain: _Chain, y: Any, after: Any, end: float) -> Any:
    r"""Return the mean hitting time, in steps, of a Brownian bridge that reaches ``end``.

    From distance ``alpha`` on one side to ``beta`` on either, in deviations of a step: the density of
    the time is ``alpha t^(-3/2) (1-t)^(-1/2) exp(-alpha^2/2t - beta^2/2(1-t))`` up to a factor, and its
    mean ``alpha R(alpha + beta)``, ``R`` Mills' ratio (by Laplace transforms of ``t^(-1/2) e^(-c/t)``).
    """
    scale = (chain.process.noise(y) * math.sqrt(chain.dt))[:, None]
    alpha, beta = np.abs(y - end)[:, None] / scale, np.abs(after - end) / scale
    mills = math.sqrt(0.5 * math.pi) * special.erfcx((alpha + beta) * math.sqrt(0.5))
    return alpha * mills


def _basis(edges: Any, y: Any) -> tuple[Any, Any]:
    """Return the panel of each ``y`` and the Lagrange polynomials there; constant beyond the ends."""
    y = np.clip(y, edges[0], edges[-1])
    panel = np.clip(np.searchsorted(edges, y, side="right") - 1, 0, len(edges) - 2)
    t = 2.0 * (y - edges[panel]) / (edges[panel + 1] - edges[panel]) - 1.0
    return panel, np.polynomial.legendre.legvander(t, _ORDER - 1) @ _TO_COEFFICIENTS
