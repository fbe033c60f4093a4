"""Exact moments of the power-law dynamic in time, and of its Euler-Maruyama discretisation."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg, special

from .._checks import array, number
from ..theory._euler_maruyama import second_moment, tail_index
from ._panels import FloatArray
from ._safe import power
from .power_law import check_power_law

__all__ = [
    "TransitionMoments",
    "euler_maruyama_tail_index",
    "euler_maruyama_variance",
    "transition_moments",
]


class TransitionMoments(NamedTuple):
    """Raw moments ``E[u_t^n | u_0]``, n = 1..4, and the variance; shape of ``t`` and ``u0``."""

    mean: Any
    second: Any
    third: Any
    fourth: Any
    var: Any


def _decay_integral(a: float, b: float, t: FloatArray) -> FloatArray:
    """Return the integral of ``exp(-a (t-s) - b s)`` over ``s`` from 0 to ``t``."""
    # Symmetric in a and b; the slower exponential goes in front, so that only it can overflow.
    return np.asarray(t * np.exp(-min(a, b) * t) * special.exprel(-abs(a - b) * t))


def transition_moments(
    H: float, sigma_g: float, sigma_H: float, eta: float, rho: float, u0: Any, t: Any
) -> TransitionMoments:
    """Return the exact moments of ``u_t`` given ``u_0``.

    The generator maps polynomials of degree n to such polynomials, so ``(1, E u, ..., E u^4)``
    obeys a linear ODE, ``m_n' = -lambda_n m_n + eta rho n(n-1) m_{n-1} + (eta sigma_g/2) n(n-1)
    m_{n-2}`` with ``lambda_n = n H - n(n-1) eta sigma_H / 2``. It is solved by a matrix
    exponential, which does not mind coinciding ``lambda`` (as at six degrees of freedom).

    Parameters
    ----------
    H, sigma_g, sigma_H, eta, rho : float
        As for :func:`PowerLaw`.
    u0 : float or array_like
        Start.
    t : float or array_like
        Times >= 0; broadcasts with ``u0``.

    Returns
    -------
    TransitionMoments
        ``mean, second, third, fourth, var``; inf where a growing moment overflows.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of bounds, ``u0`` or ``t`` not finite, or ``t`` negative.
    """
    H, es, eh, er = check_power_law(H, sigma_g, sigma_H, eta, rho)
    start, times = array("u0", u0), array("t", t)
    if not np.all(np.isfinite(start)):
        raise ValueError("u0 must be finite")
    if not np.all(np.isfinite(times)) or np.any(times < 0.0):
        raise ValueError("t must be finite and at least 0")
    try:
        start, times = np.broadcast_arrays(start, times)
    except ValueError:
        raise ValueError(
            f"u0 and t must broadcast, got shapes {start.shape} and {times.shape}"
        ) from None
    # In units of the largest |u| no entry of the matrix exceeds the rates.
    unit = max(math.sqrt(es / H), float(np.max(np.abs(start), initial=0.0))) or 1.0
    es, er = es / unit / unit, er / unit
    generator = np.zeros((5, 5))
    for n in range(1, 5):
        pairs = n * (n - 1)
        generator[n, n] = -n * H + 0.5 * pairs * eh
        generator[n, n - 1] = er * pairs
        if n >= 2:
            generator[n, n - 2] = 0.5 * es * pairs
    unique, index = np.unique(times, return_inverse=True)
    z = start / unit
    with np.errstate(all="ignore"):
        flow = np.reshape(linalg.expm(generator * unique[:, None, None]), (-1, 5, 5))
        flow[~np.isfinite(flow)] = np.inf
        powers = np.stack([z**n for n in range(5)], axis=-1)
        rows = flow[index.reshape(times.shape)]
        terms = np.where(rows == 0.0, 0.0, rows * powers[..., None, :])
        moments = terms.sum(axis=-1)
        # The variance by itself: as a difference of moments it would cancel at short times.
        rate = 2.0 * H - eh
        var = (
            es * _decay_integral(rate, 0.0, times)
            + 2.0 * er * z * _decay_integral(rate, H, times)
            + eh * z * z * _decay_integral(rate, 2.0 * H, times)
        )
        var = np.where(np.isnan(var), np.inf, var)  # terms that overflow with opposite signs
        raw = [(moments[..., n] * power(unit, n))[()] for n in range(1, 5)]
        return TransitionMoments(raw[0], raw[1], raw[2], raw[3], (var * unit * unit)[()])


def euler_maruyama_variance(
    H: float, sigma_g: float, sigma_H: float, eta: float, dt: float
) -> float:
    """Return the stationary variance of Euler-Maruyama with step ``dt``, for any ``rho``.

    ``eta sigma_g / (2H - eta sigma_H - H^2 dt)``, exact; inf where that is not positive. With
    ``dt -> 0`` it is the variance of the law itself.
    """
    H, es, eh, _ = check_power_law(H, sigma_g, sigma_H, eta, 0.0)
    dt = number("dt", dt, low=0.0)
    return second_moment(H, es, eh, dt)


def euler_maruyama_tail_index(H: float, sigma_H: float, eta: float, dt: float) -> float:
    """Return the tail index of the stationary law of Euler-Maruyama with step ``dt``.

    The root ``mu > 0`` of ``E |1 - H dt + sqrt(eta sigma_H dt) xi|^mu = 1`` (Kesten, Acta Math.
    131, 207, 1973): ``P(|u| > x) ~ x^-mu``. It tends to ``nu = 1 + 2H/(eta sigma_H)`` as
    ``dt -> 0``.

    Returns
    -------
    float
        inf for ``sigma_H = 0`` (no power-law tail); nan if the chain itself diverges.
    """
    H, _, eh, _ = check_power_law(H, 0.0, sigma_H, eta, 0.0)
    dt = number("dt", dt, low=0.0, open_low=True)
    return tail_index(H, eh, dt)
