"""Formulas of the balanced diagonal linear network, in plain numbers; `network` takes data sets.

Source: Ziyin, Li, Ueda, *Law of balance and stationary distribution of stochastic gradient
descent*, arXiv:2308.06671 (equation numbers "A.n" of its NeurIPS-2024 version).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from .._checks import integer, number
from ..data import discriminant

__all__ = [
    "absorption_probability",
    "critical_temperature",
    "depth0_euler_maruyama_variance",
    "depth1_mode",
    "network_noise",
    "relaxation_rate",
    "t_star",
]


class NetworkParameters(NamedTuple):
    """Checked parameters of a balanced network."""

    depth: int
    width: int
    T: float
    beta1: float
    beta2: float
    alpha1: float
    alpha2: float
    alpha3: float
    gamma: float
    delta: float


def check_network(
    depth: int,
    width: int,
    T: float,
    beta1: float,
    beta2: float,
    alpha1: float,
    alpha2: float,
    alpha3: float,
    gamma: float,
) -> NetworkParameters:
    """Check all parameters; see :func:`DiagonalNetwork` for their bounds."""
    depth, width = integer("depth", depth, low=0), integer("width", width, low=1)
    T, gamma = number("T", T, low=0.0), number("gamma", gamma, low=0.0)
    beta1 = number("beta1", beta1, low=0.0, open_low=True)
    beta2 = number("beta2", beta2)
    alpha1, alpha3 = number("alpha1", alpha1, low=0.0), number("alpha3", alpha3, low=0.0)
    alpha2 = number("alpha2", alpha2)
    delta = discriminant(alpha1, alpha2, alpha3)
    return NetworkParameters(depth, width, T, beta1, beta2, alpha1, alpha2, alpha3, gamma, delta)


def _ratio(a: float, b: float) -> float:
    """Return ``a/b`` by the rules of IEEE arithmetic."""
    with np.errstate(all="ignore"):
        return float(np.divide(a, b))


def network_noise(v: float, alpha1: float, alpha2: float, alpha3: float) -> float:
    """Return ``q(v) = alpha1 v^2 - 2 alpha2 v + alpha3``, a quarter of the gradient's variance."""
    return (alpha1 * v - 2.0 * alpha2) * v + alpha3


def critical_temperature(beta2: float, alpha3: float, gamma: float = 0.0) -> float:
    """Return ``Tc = (beta2 - gamma)/alpha3`` of the depth-1 network (text below eq. A.15).

    For ``T >= Tc`` every path collapses to 0. inf for ``alpha3 = 0``; 0 for ``beta2 <= gamma``.
    """
    slope = number("beta2", beta2) - number("gamma", gamma, low=0.0)
    alpha3 = number("alpha3", alpha3, low=0.0)
    if slope <= 0.0:
        return 0.0
    return slope / alpha3 if alpha3 > 0.0 else math.inf


def depth1_mode(
    T: float,
    beta1: float,
    beta2: float,
    alpha1: float,
    alpha2: float,
    alpha3: float,
    gamma: float = 0.0,
) -> float:
    """Return the interior local maximum of the depth-1 density (eq. A.16); nan if there is none.

    The positive root of ``7 alpha1 T v^2 + (beta1 - 10 alpha2 T) v + 3 alpha3 T - b2 = 0``, with
    ``b2 = beta2 - gamma``, the larger one if there are two.
    """
    p = check_network(1, 1, T, beta1, beta2, alpha1, alpha2, alpha3, gamma)
    a = 7.0 * p.alpha1 * p.T
    b = p.beta1 - 10.0 * p.alpha2 * p.T
    c = 3.0 * p.alpha3 * p.T - (p.beta2 - p.gamma)
    inside = b * b - 4.0 * a * c
    if inside < 0.0:
        return math.nan
    root = math.sqrt(inside)
    # Of the two forms of the same root take the one that does not cancel.
    if b >= 0.0:
        return -2.0 * c / (b + root) if c < 0.0 else math.nan
    return (root - b) / (2.0 * a) if a > 0.0 else math.nan


def t_star(
    beta1: float,
    beta2: float,
    alpha1: float,
    alpha2: float,
    alpha3: float,
    gamma: float = 0.0,
) -> float:
    """Return the temperature up to which the depth-1 density has an interior maximum.

    It is ``Tc/3`` (where the density starts to diverge at 0), or, if the maximum outlives that,
    where the discriminant of eq. A.16 vanishes; at most ``Tc``.
    """
    p = check_network(1, 1, 0.0, beta1, beta2, alpha1, alpha2, alpha3, gamma)
    slope = p.beta2 - p.gamma
    t_c = critical_temperature(p.beta2, p.alpha3, p.gamma)
    if not 0.0 < t_c < math.inf or 10.0 * p.alpha2 * t_c / 3.0 <= p.beta1:
        return t_c / 3.0
    # (100 alpha2^2 - 84 alpha1 alpha3) T^2 + (28 alpha1 b2 - 20 alpha2 beta1) T + beta1^2 = 0
    a = 100.0 * p.alpha2 * p.alpha2 - 84.0 * p.alpha1 * p.alpha3
    b = 28.0 * p.alpha1 * slope - 20.0 * p.alpha2 * p.beta1
    inside = b * b - 4.0 * a * p.beta1 * p.beta1
    if inside < 0.0:
        return t_c
    root = math.sqrt(inside)
    square = 2.0 * p.beta1 * p.beta1
    roots = [square / (sign * root - b) for sign in (-1.0, 1.0) if sign * root != b]
    later = [value for value in roots if value >= t_c / 3.0]
    return min([*later, t_c])


def relaxation_rate(T: float, beta2: float, alpha3: float, gamma: float = 0.0) -> float:
    """Return ``(b2 - T alpha3)^2 / (2 T alpha3)``, an upper bound of the depth-1 relaxation rate.

    The edge of the continuous spectrum, set by the slow return of ``ln v`` from the left
    (``b2 = beta2 - gamma``). Run for several times its inverse, or start from the law.
    """
    T = number("T", T, low=0.0, open_low=True)
    slope = number("beta2", beta2) - number("gamma", gamma, low=0.0)
    noise = T * number("alpha3", alpha3, low=0.0)
    return _ratio((slope - noise) * (slope - noise), 2.0 * noise)


def depth0_euler_maruyama_variance(
    T: float,
    dt: float,
    beta1: float,
    beta2: float,
    alpha1: float,
    alpha2: float,
    alpha3: float,
    gamma: float = 0.0,
) -> float:
    """Return the stationary variance of Euler-Maruyama on the depth-0 network, exact in ``dt``.

    ``T q(v*) / (b1 - dt b1^2 - T alpha1)`` with ``b1 = beta1 + gamma``, ``v* = beta2/b1``; inf
    where the denominator is not positive. SGD with step ``eta`` and batch size S is the case
    ``dt = eta``, ``T = eta/S``.
    """
    p = check_network(0, 1, T, beta1, beta2, alpha1, alpha2, alpha3, gamma)
    dt = number("dt", dt, low=0.0)
    b1 = p.beta1 + p.gamma
    rate = b1 - dt * b1 * b1 - p.T * p.alpha1
    noise = p.T * network_noise(p.beta2 / b1, p.alpha1, p.alpha2, p.alpha3)
    return noise / rate if rate > 0.0 else math.inf


def absorption_probability(v0: float, k: float, T: float, alpha1: float, beta1: float) -> float:
    """Return the probability that a depth-1 network on interpolated data ``y = k x`` learns.

    Without weight decay, started at ``v0 > 0``: ``v`` ends at ``k`` with probability 1 for
    ``T < Tc = beta1/(k alpha1)`` or ``v0 >= k``; otherwise with the regularised incomplete beta
    function ``I_{v0/k}(1/2 - theta, 1 + theta)``, ``theta = beta1/(2 T alpha1 k)``, else at 0.
    (The paper's formal density A.106 is not integrable at ``k``.)
    """
    v0 = number("v0", v0, low=0.0)
    k = number("k", k, low=0.0, open_low=True)
    T = number("T", T, low=0.0)
    alpha1 = number("alpha1", alpha1, low=0.0, open_low=True)
    beta1 = number("beta1", beta1, low=0.0, open_low=True)
    if v0 == 0.0:
        return 0.0
    if v0 >= k or T <= _ratio(beta1, k * alpha1):  # at Tc itself the beta parameter is 0: limit 1
        return 1.0
    theta = beta1 / (2.0 * T * alpha1 * k)
    return float(special.betainc(0.5 - theta, 1.0 + theta, v0 / k))
