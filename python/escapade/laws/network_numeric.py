"""Densities of the balanced network that need quadrature: all depths on v > 0.

With ``m = 2D/(D+1)``, ``E = 3D/(D+1)`` and ``C = d^{(D-1)/(D+1)} / ((D+1) T)`` the zero-flux
solution obeys (arXiv:2308.06671, eq. A.14, differentiated)

    d ln p / dv = -E/v - q'(v)/q(v) - C (beta1 v - beta2) v^-m / q(v),

in which weight decay at depth 1 only shifts ``beta2`` by ``-gamma``.
"""

from __future__ import annotations

import math

import numpy as np

from ..theory._numbers import NetworkParameters
from ._panels import FloatArray
from ._safe import power
from .coordinates import LogCoordinate, LogOddsCoordinate, ShiftedLogCoordinate
from .numeric import NumericLaw

__all__ = ["interpolation_law", "regular_law"]


def _coupling(p: NetworkParameters) -> float:
    """Return ``C``."""
    ratio = (p.depth - 1.0) / (p.depth + 1.0)
    return math.exp(ratio * math.log(p.width)) / ((p.depth + 1.0) * p.T)


def regular_law(p: NetworkParameters, slope: float, name: str) -> NumericLaw:
    """Return the law on (0, inf) where ``q > 0`` for all ``v > 0``.

    Parameters
    ----------
    p : NetworkParameters
        Depth >= 1, ``T`` in (0, Tc).
    slope : float
        ``beta2 - gamma`` (depth 1) or ``beta2``, > 0.
    name : str
        Name of the law.
    """
    depth = float(p.depth)
    r = (depth - 1.0) / (depth + 1.0)
    high = 4.0 - 3.0 / (depth + 1.0)  # p_Y ~ exp(-high y) at large v
    # Units of v in which the loss is least at w = 1; q in units of its size there.
    unit = slope / p.beta1
    size = p.alpha1 * unit * unit + p.alpha3
    if not 0.0 < size < math.inf:
        raise ValueError("the parameters are too extreme: their ratios overflow a float")
    a1, a2, a3 = p.alpha1 * unit * unit / size, p.alpha2 * unit / size, p.alpha3 / size
    kappa = _coupling(p) * slope * power(unit, -r) / size
    if not 0.0 < kappa < math.inf or (p.alpha3 > 0.0 and a3 == 0.0):
        raise ValueError("the parameters are too extreme: their ratios overflow a float")
    centre = a2 / a1 if a1 > 0.0 else 0.0
    floor = p.delta / p.alpha1 / size if a1 > 0.0 else a3

    def q(w: FloatArray) -> FloatArray:
        if centre > 0.0:  # no cancellation where q is small
            return np.asarray(a1 * (w - centre) ** 2 + floor)
        return np.asarray((a1 * w - 2.0 * a2) * w + a3)

    # Written as a limit plus what vanishes, so that each tail ends in a pure exponential; the two
    # forms below are the same function.
    turn = math.sqrt(a3 / a1) if a1 > 0.0 else math.inf
    low = math.inf
    if p.depth == 1 and p.alpha3 > 0.0:
        low = (slope - p.T * p.alpha3) / (2.0 * p.T * p.alpha3)

    def score(y: FloatArray) -> FloatArray:
        w = np.exp(np.clip(y, -740.0, 300.0))
        # expm1: in a cold law all that matters happens at w - 1 of the order of sqrt(T).
        fall = (
            kappa
            * np.expm1(np.clip(y, -740.0, 300.0))
            * np.exp(-r * np.clip(y, -740.0 / max(r, 1.0), 300.0))
        )
        noise = q(w)
        if a1 == 0.0:
            right = 2.0 - high - fall / a3  # constant noise: 1 - E = 2 - high
        else:
            right = -high + (2.0 * (a3 - a2 * w) - fall) / noise
        if low == math.inf:
            return np.asarray(right)
        bracket = 2.0 * (a1 * w - a2) + kappa + (kappa / a3) * (a1 * w - 2.0 * a2)
        left = low - w / noise * bracket
        return np.asarray(np.where(w < 1e-3 * turn, left, right))

    knots = [0.0]
    if a1 > 0.0 and a3 > 0.0:
        knots.append(math.log(turn))
    if centre > 0.0:
        near = math.sqrt(floor / a1)
        knots += [math.log(c) for c in (centre, centre - near, centre + near) if c > 0.0]
    right = high if a1 > 0.0 else math.inf
    return NumericLaw(name, score, LogCoordinate(unit), knots, low, right)


def interpolation_law(
    p: NetworkParameters, k: float, push: float, slope: float, name: str
) -> NumericLaw:
    """Return the law where ``q = alpha1 (v-k)^2`` with ``k > 0`` and the drift at ``k`` is not 0.

    Parameters
    ----------
    p : NetworkParameters
        Depth >= 1, ``T > 0``, ``delta = 0``.
    k : float
        Zero of the noise.
    push : float
        ``beta1 k - slope``: where positive, paths cross ``k`` downwards and stay on (0, k);
        where negative, they cross it upwards and stay on (k, inf).
    slope, name
        As for :func:`regular_law`.
    """
    depth = float(p.depth)
    r, edge = (depth - 1.0) / (depth + 1.0), 3.0 * depth / (depth + 1.0)
    scale = _coupling(p) * power(k, -r - 1.0) / p.alpha1
    drift, wall = scale * p.beta1, scale * push / k
    if not (0.0 < drift < math.inf and 0.0 < abs(wall) < math.inf):
        raise ValueError("the parameters are too extreme: their ratios overflow a float")

    if push > 0.0:  # y = ln(v / (k - v))
        low = math.inf
        if p.depth == 1:
            low = (slope - p.T * p.alpha3) / (2.0 * p.T * p.alpha3)

        def below(y: FloatArray) -> FloatArray:
            log_share = -np.logaddexp(0.0, -y)  # ln(v/k)
            odds = np.exp(np.minimum(y, 600.0))
            if p.depth == 1:
                return np.asarray(low + edge / (1.0 + 1.0 / odds) - wall * odds)
            rise = np.exp(-r * np.maximum(log_share, -600.0 / r))
            bracket = drift - wall * (1.0 + odds)
            return np.asarray(1.0 - edge / (1.0 + odds) + rise * bracket)

        knots = [0.0, math.log(drift / wall) if drift > wall > 0.0 else 0.0]
        return NumericLaw(name, below, LogOddsCoordinate(k), knots, left=low)

    def above(y: FloatArray) -> FloatArray:  # y = ln(v/k - 1)
        z = np.exp(np.clip(y, -600.0, 600.0))
        rise = np.exp(-(r + 1.0) * np.log1p(z))  # (v/k)^-m
        return np.asarray(-1.0 - edge * z / (1.0 + z) - rise * (drift + wall / z))

    knots = [0.0, math.log(-wall / drift)]
    return NumericLaw(name, above, ShiftedLogCoordinate(k), knots, right=1.0 + edge)
