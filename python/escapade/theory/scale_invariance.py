"""An exactly solvable scale-invariant loss under SGD.

After Ziyin, Wang, Li, Wu, arXiv:2402.07193 (scale symmetry, A = I). Two parameters with polar
coordinates ``r, phi``, loss ``x1 cos phi + x2 sin phi`` with ``x ~ N((-kappa, 0), s^2 I)``, weight
decay ``gamma r^2``: the mean loss is ``-kappa cos phi``, the noise is tangential with variance
``s^2/r^2``, and the radius is deterministic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import number
from ..data._sweep import Values, broadcast, values

__all__ = [
    "equilibrium_radius",
    "phase_concentration",
    "phase_law",
    "phase_variance",
    "scale_radius",
]


def _growth(t: Values, T: Values, s: Values, gamma: Values) -> tuple[Values, Values]:
    """Return ``8 gamma t`` and ``2 T s^2 (1 - exp(-8 gamma t))/(8 gamma)``, its limit at gamma = 0."""
    x = 8.0 * gamma * np.asarray(t)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(x > 0.0, -np.expm1(-x) / x, 1.0)
    return x, 2.0 * T * s * s * t * share


def scale_radius(t: Values, r0: Values, T: Values, s: Values, gamma: Values = 0.0) -> Values:
    """Return the radius, ``r^4 = R + (r0^4 - R) exp(-8 gamma t)`` with ``R = T s^2/(4 gamma)``.

    Without weight decay ``r^4 = r0^4 + 2 T s^2 t``. Exact and without randomness.

    Parameters
    ----------
    t : float or array_like
        Time, >= 0.
    r0 : float or array_like
        Initial radius, > 0.
    T, s, gamma : float or array_like
        Temperature, standard deviation of the data and weight decay, >= 0.
    """
    p = broadcast(
        {
            "t": values("t", t, low=0.0),
            "r0": values("r0", r0, low=0.0, open_low=True),
            "T": values("T", T, low=0.0),
            "s": values("s", s, low=0.0),
            "gamma": values("gamma", gamma, low=0.0),
        }
    )
    x, gain = _growth(p["t"], p["T"], p["s"], p["gamma"])
    fourth = p["r0"] ** 4 * np.exp(-x) + gain
    return np.sqrt(np.sqrt(fourth))[()]


def equilibrium_radius(T: Values, s: Values, gamma: Values) -> Values:
    """Return ``(T s^2/(4 gamma))^(1/4)``, the radius that SGD with weight decay settles at.

    Raises
    ------
    ValueError
        For ``gamma = 0``: the norm grows for ever, as ``t^(1/4)`` (:func:`scale_radius`).
    """
    p = broadcast(
        {
            "T": values("T", T, low=0.0),
            "s": values("s", s, low=0.0),
            "gamma": values("gamma", gamma, low=0.0, open_low=True),
        }
    )
    return np.sqrt(np.sqrt(p["T"] * p["s"] ** 2 / (4.0 * p["gamma"])))[()]


def phase_variance(t: Values, r0: Values, T: Values, s: Values, gamma: Values = 0.0) -> Values:
    """Return the variance of the unwrapped angle for ``kappa = 0``.

    ``(1/2) ln(1 + 2 T s^2 t/r0^4)`` without weight decay; with it ``t`` is replaced by
    ``(exp(8 gamma t) - 1)/(8 gamma)``. Arguments as in :func:`scale_radius`.
    """
    p = broadcast(
        {
            "t": values("t", t, low=0.0),
            "r0": values("r0", r0, low=0.0, open_low=True),
            "T": values("T", T, low=0.0),
            "s": values("s", s, low=0.0),
            "gamma": values("gamma", gamma, low=0.0),
        }
    )
    x, gain = _growth(p["t"], p["T"], p["s"], p["gamma"])
    # ln(1 + gain exp(x)/r0^4), without overflow
    return (0.5 * (x + np.log(np.exp(-x) + gain / p["r0"] ** 4)))[()]


def phase_concentration(kappa: float, T: float, s: float, gamma: float) -> float:
    """Return ``kappa/(s sqrt(T gamma))``, the concentration of the stationary angle.

    Parameters
    ----------
    kappa : float
        Size of the mean of the data, >= 0.
    T, s, gamma : float
        Temperature, standard deviation of the data and weight decay, > 0.
    """
    kappa = number("kappa", kappa, low=0.0)
    T, s = number("T", T, low=0.0, open_low=True), number("s", s, low=0.0, open_low=True)
    gamma = number("gamma", gamma, low=0.0, open_low=True)
    return kappa / (s * math.sqrt(T) * math.sqrt(gamma))


def phase_law(kappa: float, T: float, s: float, gamma: float) -> Any:
    """Return the stationary law of the angle: von Mises around 0, ``scipy.stats.vonmises``.

    Arguments as in :func:`phase_concentration`; ``kappa = 0`` gives the uniform law on
    ``(-pi, pi)``.
    """
    from scipy import stats  # takes a while to import

    concentration = phase_concentration(kappa, T, s, gamma)
    if concentration == 0.0:
        return stats.uniform(-math.pi, 2.0 * math.pi)
    return stats.vonmises(concentration)
