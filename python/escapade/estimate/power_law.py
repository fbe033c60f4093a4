"""Estimators of the power-law dynamic ``du = -H u dt + sqrt(es + eh u^2) dW``.

``es = eta sigma_g``, ``eh = eta sigma_H`` (variances per unit time). Weighted least squares with
heteroscedasticity-consistent errors (White, *Econometrica* 48, 817, 1980); the regressions on an
arbitrary interval use the exact conditional moments of Pearson diffusions (Forman and Sorensen, *Scand.
J. Stat.* 35, 438, 2008). States are measured from the minimum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import optimize, special

from .._checks import number
from ._result import ROUNDS, Estimate, FloatArray, propagate, sandwich, solve_least_squares, states

__all__ = ["combine", "increments", "stationary", "transitions"]


def _pairs(before: Any, after: Any, dt: float) -> tuple[FloatArray, FloatArray, float]:
    u, v = states("before", before, 10), states("after", after, 10)
    if u.shape != v.shape:
        raise ValueError(f"after must have as many states as before, {u.size}, got {v.size}")
    return u, v, number("dt", dt, low=0.0, open_low=True)


def increments(before: Any, after: Any, dt: float) -> Estimate:
    """Estimate ``(H, es, eh)`` from short steps, by iteratively reweighted regressions.

    The increment is regressed on ``-u dt`` with weight ``1/C(u)``, its squared residual over ``dt`` on
    ``(1, u^2)`` with weight ``1/C(u)^2``, ``C`` as fitted. On data of the diffusion the bias is
    O(dt): use `transitions` for long intervals. On data of Euler-Maruyama (Gaussian SGD with
    ``dt = eta``) there is none.

    Parameters
    ----------
    before, after : array_like
        States at the ends of the steps, same shape; e.g. ``paths[:-1]`` and ``paths[1:]``.
    dt : float
        Length of a step, > 0.

    Returns
    -------
    Estimate
        ``H``, ``es``, ``eh``.
    """
    u, v, dt = _pairs(before, after, dt)
    X, square = np.stack([np.ones(u.size), u * u], axis=1), u * u
    step = -u * dt
    noise = np.full(u.size, float(np.mean((v - u) ** 2)) / dt)
    floor, values = 1e-9 * float(noise[0]), np.zeros(3)
    for _ in range(ROUNDS):
        H = float((step * (v - u) / noise).sum() / (step * step / noise).sum())
        residual = (v - u) - H * step
        es, eh = solve_least_squares(X, residual**2 / dt, 1.0 / noise**2)
        last, values = values, np.array([H, es, eh])
        noise = np.maximum(es + eh * square, floor)
        if np.abs(values - last).max() <= 1e-10 * np.abs(values).max():
            break
    covariance = sandwich(
        [
            (step[:, None], residual, 1.0 / noise),
            (X, residual**2 / dt - X @ values[1:], 1.0 / noise**2),
        ]
    )
    return Estimate(("H", "es", "eh"), values, covariance, u.size)


def transitions(before: Any, after: Any, dt: float) -> Estimate:
    """Estimate ``(H, es, eh)`` from pairs of states any time apart, without bias from the interval.

    ``E u' = u exp(-H dt)`` and ``E u'^2 = A + B u^2`` with ``B = exp(-lambda_2 dt)``,
    ``lambda_2 = 2H - eh``, ``A = es (1 - B)/lambda_2``. ``eh`` is a small difference of large
    numbers: take it from `combine` where the process is stationary.

    Parameters
    ----------
    before, after : array_like
        States ``dt`` apart, same shape.
    dt : float
        Interval, > 0.

    Returns
    -------
    Estimate
        ``H``, ``es``, ``eh``. Errors assume a finite fourth moment given the first state, which
        holds for fixed starting points.

    Raises
    ------
    ValueError
        If nothing is remembered after ``dt``: a regression slope is not positive.
    """
    u, v, dt = _pairs(before, after, dt)
    scale = float(np.median(u * u)) + u * u
    scale = np.maximum(scale, 1e-300)
    X, one = np.stack([np.ones(u.size), u * u], axis=1), u[:, None]
    slope = solve_least_squares(one, v, 1.0 / scale)
    level = solve_least_squares(X, v * v, 1.0 / scale**2)
    if slope[0] <= 0.0 or level[1] <= 0.0:
        raise ValueError(
            f"dt must be so short that the states remember each other, got {dt!r}: regression slopes "
            f"{slope[0]:.3g} and {level[1]:.3g}"
        )
    covariance = sandwich(
        [(one, v - one @ slope, 1.0 / scale), (X, v * v - X @ level, 1.0 / scale**2)]
    )

    def parameters(c: FloatArray) -> FloatArray:
        H, rate = -math.log(c[0]) / dt, -math.log(c[2]) / dt
        # rate/(1 - B) without its removable singularity at B = 1
        factor = -1.0 / (dt * math.expm1(-rate * dt) / (rate * dt)) if rate else 1.0 / dt
        return np.array([H, c[1] * factor, 2.0 * H - rate])

    values, covariance = propagate(parameters, np.concatenate([slope, level]), covariance)
    return Estimate(("H", "es", "eh"), values, covariance, u.size)


def stationary(u: Any, *, independent: float | None = None) -> Estimate:
    """Estimate the exponent ``kappa`` and width ``w`` of ``(1 + u^2/w^2)^-kappa`` by maximum likelihood.

    The best estimator of ``kappa`` there is; tail plots (Hill) are far worse.

    Parameters
    ----------
    u : array_like
        Stationary states.
    independent : float, optional
        How many independent samples they are worth, for the errors; by default all of them.

    Returns
    -------
    Estimate
        ``kappa``, ``w``.

    Raises
    ------
    ValueError
        If the tails are not heavier than those of a normal law: then the likelihood has no maximum.
    """
    u = states("u", u, 10)
    count = float(u.size)
    if independent is not None:
        count = number("independent", independent, low=1.0, high=u.size)
    unit = float(np.median(np.abs(u)))
    if unit == 0.0:
        raise ValueError("u must not be 0 for half of the states")
    square = (u / unit) ** 2

    def minus(theta: FloatArray) -> tuple[float, FloatArray]:
        above, w = np.exp(theta)  # kappa - 1/2 and w/unit
        ratio = square / (w * w)
        logs, share = float(np.log1p(ratio).mean()), float((ratio / (1.0 + ratio)).mean())
        kappa = above + 0.5
        value = -math.log(special.poch(above, 0.5)) + math.log(w) + kappa * logs
        slopes = logs - special.digamma(kappa) + special.digamma(above), 1.0 - 2.0 * kappa * share
        return value, np.array([slopes[0] * above, slopes[1]])

    bounds = [(math.log(0.01), math.log(1e5)), (math.log(1e-3), math.log(1e4))]
    start = np.array([math.log(1.5), math.log(1.5)])
    found = optimize.minimize(
        minus,
        start,
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    above, w = np.exp(found.x)
    if above > 1e4 or w > 5e3:
        raise ValueError(
            "u must have heavier tails than a normal law: the fitted exponent runs away"
        )
    kappa, share = above + 0.5, square / (w * w) / (1.0 + square / (w * w))
    mean, spread = float(share.mean()), float((share * (1.0 - share)).mean())
    width = w * unit
    cross = -2.0 * mean / width
    curvature = np.array(
        [
            [special.polygamma(1, above) - special.polygamma(1, kappa), cross],
            [cross, (2.0 * kappa * mean - 1.0 + 4.0 * kappa * spread) / width**2],
        ]
    )
    covariance = np.linalg.inv(curvature) / count
    return Estimate(("kappa", "w"), np.array([kappa, width]), covariance, u.size)


def combine(law: Estimate, dynamics: Estimate) -> Estimate:
    """Estimate everything from the shape of the law and the rate of the dynamics.

    ``eh = H/(kappa - 1)``, ``es = eh w^2`` with ``kappa`` and ``w`` of `stationary` and ``H`` of
    `transitions` or `increments`; far better for ``eh`` than those alone. Errors of the two are taken as
    independent.

    Returns
    -------
    Estimate
        ``H``, ``es``, ``eh``, ``kappa``, ``w``.

    Raises
    ------
    TypeError, ValueError
        If the estimates are of something else, or ``kappa <= 1``.
    """
    for name, given, needed in (("law", law, ("kappa", "w")), ("dynamics", dynamics, ("H",))):
        if not isinstance(given, Estimate):
            raise TypeError(f"{name} must be an Estimate, got {given!r}")
        if not set(needed) <= set(given.names):
            raise ValueError(
                f"{name} must hold {' and '.join(needed)}, got {', '.join(given.names)}"
            )
    if law["kappa"] <= 1.0:
        raise ValueError(f"law must have kappa greater than 1, got {law['kappa']:g}")
    covariance = np.zeros((3, 3))
    covariance[0, 0] = dynamics.error("H") ** 2
    covariance[1:, 1:] = law.covariance

    def parameters(c: FloatArray) -> FloatArray:
        H, kappa, w = c
        eh = H / (kappa - 1.0)
        return np.array([H, eh * w * w, eh, kappa, w])

    given_values = np.array([dynamics["H"], law["kappa"], law["w"]])
    values, covariance = propagate(parameters, given_values, covariance)
    samples = min(law.samples, dynamics.samples)
    return Estimate(("H", "es", "eh", "kappa", "w"), values, covariance, samples)
