"""Collapse onto a mirror-symmetric plane, by weight decay and by noise.

Source: Ziyin, *Symmetry induces structure and constraint of learning*, arXiv:2309.16932. A loss with
mirror symmetry ``ell(theta) = ell((I - 2 O O^T) theta)`` leaves the plane ``O^T theta = 0`` invariant.
Near it one coordinate obeys ``dz = -(h + 2 gamma) z dt`` with the random curvature ``h`` of a sample.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize

from .._checks import number
from ..data._sweep import Values, broadcast, values
from ._inputs import matrix, symmetric, vector
from ._log_normal_mean import log_one_plus, mean_log_one_plus

__all__ = [
    "CollapseRate",
    "collapse_eta",
    "collapse_eta_samples",
    "collapse_temperature",
    "lyapunov_sde",
    "lyapunov_sgd",
    "lyapunov_sgd_samples",
    "orthonormal",
    "weight_decay_threshold",
]


class CollapseRate(NamedTuple):
    """Least learning rate at which SGD collapses: to second order, and exactly (nan: never)."""

    second_order: float
    exact: float


def weight_decay_threshold(hessian: Any, O: Any) -> float:  # noqa: E741
    """Return ``-lambda_min(O^T H O)/2``: the plane attracts gradient flow iff ``gamma`` exceeds it.

    Negative where the plane attracts without weight decay.

    Parameters
    ----------
    hessian : array_like, shape (n, n)
        Hessian of the loss without weight decay at a point of the plane.
    O : array_like, shape (n, k)
        Orthonormal columns that span the directions off the plane.
    """
    h, normal = symmetric("hessian", hessian), orthonormal("O", O)
    if h.shape[0] != normal.shape[0]:
        raise ValueError(
            f"hessian and O must have the same number of rows, got {h.shape} and {normal.shape}"
        )
    return -0.5 * float(np.linalg.eigvalsh(normal.T @ h @ normal)[0])


def orthonormal(name: str, value: Any) -> Any:
    """Return a matrix with orthonormal columns."""
    result = matrix(name, value)
    gram = result.T @ result
    gap = float(np.max(np.abs(gram - np.eye(gram.shape[0]))))
    if gap > 1e-8:
        raise ValueError(
            f"{name} must have orthonormal columns, got {name}^T {name} off the identity by {gap:.3g}"
        )
    return result


def lyapunov_sde(h_mean: Values, h_var: Values, T: Values, gamma: Values = 0.0) -> Values:
    """Return ``-(E h + 2 gamma) - T Var(h)/2``, the Lyapunov exponent per unit of time.

    The plane attracts in probability iff it is negative.

    Parameters
    ----------
    h_mean, h_var : float or array_like
        Mean and variance (>= 0) of a sample's curvature.
    T, gamma : float or array_like
        Temperature and weight decay, >= 0.
    """
    p = broadcast(
        {
            "h_mean": values("h_mean", h_mean),
            "h_var": values("h_var", h_var, low=0.0),
            "T": values("T", T, low=0.0),
            "gamma": values("gamma", gamma, low=0.0),
        }
    )
    return -(p["h_mean"] + 2.0 * p["gamma"]) - 0.5 * p["T"] * p["h_var"]


def collapse_temperature(h_mean: Values, h_var: Values, gamma: Values = 0.0) -> Values:
    """Return the temperature above which the SDE collapses, ``-2 (E h + 2 gamma)/Var h``.

    0 where it collapses without noise; inf where it does not and there is no noise.
    """
    p = broadcast(
        {
            "h_mean": values("h_mean", h_mean),
            "h_var": values("h_var", h_var, low=0.0),
            "gamma": values("gamma", gamma, low=0.0),
        }
    )
    push = np.maximum(-2.0 * (p["h_mean"] + 2.0 * p["gamma"]), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(push > 0.0, np.divide(push, p["h_var"]), 0.0)[()]


def lyapunov_sgd(eta: Values, h_mean: Values, h_sd: Values, gamma: Values = 0.0) -> Values:
    """Return ``E ln |1 - eta (h + 2 gamma)|`` per step of SGD for normal ``h``.

    ``ln(eta sd) + E ln |c + Z|``, ``c = (1 - eta (E h + 2 gamma))/(eta sd)``, where the last mean is
    ``-(euler_gamma + ln 2)/2 + (c^2/2) 2F2(1, 1; 3/2, 2; -c^2/2)``.

    Per step: `escapade.LyapunovExponent` measures it over ``eta``, per unit of time.

    Parameters
    ----------
    eta : float or array_like
        Learning rate, > 0.
    h_mean : float or array_like
        Mean curvature.
    h_sd : float or array_like
        Standard deviation of the curvature, > 0.
    gamma : float or array_like, default 0
        Weight decay, >= 0.
    """
    p = broadcast(
        {
            "eta": values("eta", eta, low=0.0, open_low=True),
            "h_mean": values("h_mean", h_mean),
            "h_sd": values("h_sd", h_sd, low=0.0, open_low=True),
            "gamma": values("gamma", gamma, low=0.0),
        }
    )
    shift = -p["eta"] * (p["h_mean"] + 2.0 * p["gamma"])
    return mean_log_one_plus(shift, p["eta"] * p["h_sd"])


def lyapunov_sgd_samples(eta: Values, h: Any, gamma: float = 0.0) -> Values:
    """Return the mean of ``ln |1 - eta (h + 2 gamma)|`` over equally likely curvatures.

    Per step of SGD: `escapade.LyapunovExponent` measures it over ``eta``, per unit of time.

    Parameters
    ----------
    eta : float or array_like
        Learning rate, > 0.
    h : array_like, shape (n,)
        Curvatures of the samples.
    gamma : float, default 0
        Weight decay, >= 0.

    Returns
    -------
    float or ndarray
        Same shape as ``eta``; minus infinity where one sample kills in a single step.
    """
    rate = np.asarray(values("eta", eta, low=0.0, open_low=True))
    full = vector("h", h) + 2.0 * number("gamma", gamma, low=0.0)
    return np.mean(log_one_plus(-rate[..., None] * full), axis=-1)[()]


def _second_order(mean: float, square: float) -> float:
    """Return ``-2 E h/E h^2``, 0 where the plane attracts without noise."""
    if mean >= 0.0:
        return 0.0
    return -2.0 * mean / square


def collapse_eta(h_mean: float, h_sd: float, gamma: float = 0.0) -> CollapseRate:
    """Return the least learning rate from which on SGD with normal curvature collapses.

    To second order ``-2 E[h']/E[h'^2]``, ``h' = h + 2 gamma``; exactly, the first zero of
    :func:`lyapunov_sgd`, nan if it stays positive (low signal-to-noise is needed). Both are 0 for
    ``E h' >= 0``. Collapse ends again at a larger learning rate.
    """
    mean = number("h_mean", h_mean) + 2.0 * number("gamma", gamma, low=0.0)
    sd = number("h_sd", h_sd, low=0.0, open_low=True)
    second = _second_order(mean, mean * mean + sd * sd)
    if mean >= 0.0:
        return CollapseRate(second, 0.0)

    def exponent(log_eta: float) -> float:
        return float(lyapunov_sgd(math.exp(log_eta), mean, sd))

    # For small eta the exponent is -eta mean > 0, for eta >> 1/sd it grows like ln eta.
    low, high = math.log(1e-3 * second), math.log(1e3 / sd + 10.0 * second)
    grid = np.linspace(low, high, 600)
    heights = lyapunov_sgd(np.exp(grid), mean, sd)
    least = int(np.argmin(heights))
    where = optimize.minimize_scalar(
        exponent, bounds=(grid[max(least - 1, 0)], grid[min(least + 1, 599)]), method="bounded"
    )
    bottom = float(where.x) if where.fun < heights[least] else float(grid[least])
    if exponent(bottom) >= 0.0:
        return CollapseRate(second, math.nan)
    below = np.flatnonzero(heights < 0.0)
    end = float(grid[below[0]]) if below.size else bottom
    return CollapseRate(second, math.exp(optimize.brentq(exponent, low, end, rtol=1e-15)))


def collapse_eta_samples(h: Any, gamma: float = 0.0) -> CollapseRate:
    """Return the least learning rate from which on SGD over given curvatures collapses.

    As :func:`collapse_eta`, for equally likely values ``h``, shape (n,). nan if no sample
    contracts (``h + 2 gamma <= 0`` for all).
    """
    full = vector("h", h) + 2.0 * number("gamma", gamma, low=0.0)
    mean, top = float(np.mean(full)), float(np.max(full))
    second = _second_order(mean, float(np.mean(full * full)))
    if mean >= 0.0:
        return CollapseRate(second, 0.0)
    if top <= 0.0:
        return CollapseRate(second, math.nan)

    # Concave on (0, 1/top), from 0 with slope -mean > 0 down to minus infinity: one root.
    def exponent(eta: float) -> float:
        value = float(lyapunov_sgd_samples(eta, full))
        return value if value > -math.inf else -1e300

    low = 1e-6 * min(second, 1.0 / top)
    return CollapseRate(second, float(optimize.brentq(exponent, low, 1.0 / top, rtol=1e-15)))
