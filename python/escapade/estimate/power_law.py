"""Estimators of the rates of the power-law dynamic from pairs of states.

``du = -H (u - c) dt + sqrt(es + eh (u - c)^2) dW`` with the minimum ``c``, ``es = eta sigma_g`` and
``eh = eta sigma_H``: variances per unit time, where ``eta`` is the learning rate and ``sigma_g``,
``sigma_H`` those of one minibatch gradient. Weighted least squares with heteroscedasticity-consistent
errors (White, *Econometrica* 48, 817, 1980); the regressions on an arbitrary interval use the exact
conditional moments of Pearson diffusions (Forman and Sorensen, *Scand. J. Stat.* 35, 438, 2008).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from .._checks import number
from ._result import (
    ROUNDS,
    SIGNIFICANT,
    Estimate,
    FloatArray,
    centre_of,
    hat,
    propagate,
    solve_least_squares,
    states,
    warn_off_centre,
)

__all__ = ["increments", "transitions"]


def _pairs(before: Any, after: Any, dt: float) -> tuple[FloatArray, FloatArray, float]:
    u, v = states("before", before, 10), states("after", after, 10)
    if u.shape != v.shape:
        raise ValueError(f"after must have as many states as before, {u.size}, got {v.size}")
    return u, v, number("dt", dt, low=0.0, open_low=True)


def _off_centre(X: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Return the first coefficient of a regression, an intercept, in units of its standard error."""
    line = solve_least_squares(X, y, weight)
    return float(line[0] / np.linalg.norm(hat(X, weight)[0] * (y - X @ line)))


def increments(
    before: Any, after: Any, dt: float, *, centre: float | Literal["fit"] = 0.0
) -> Estimate:
    """Estimate ``(H, es, eh)`` from short steps, by iteratively reweighted regressions.

    With ``x = u - centre`` the increment is regressed on ``-x dt`` with weight ``1/C(x)``, its squared
    residual over ``dt`` on ``(1, x^2)`` with weight ``1/C(x)^2``, ``C`` as fitted. ``es = eta sigma_g``
    and ``eh = eta sigma_H`` are variances per unit time; `Estimate.noise` gives ``sigma_g`` and
    ``sigma_H``. On data of the diffusion the bias is O(dt): use `transitions` for long intervals. On
    data of Euler-Maruyama (Gaussian SGD with ``dt = eta``) there is none.

    Parameters
    ----------
    before, after : array_like
        States at the ends of the steps, same shape; e.g. ``paths[:-1]`` and ``paths[1:]``.
    dt : float
        Length of a step, > 0.
    centre : float or "fit", default 0.0
        The minimum. "fit" estimates it by an intercept of the first regression.

    Returns
    -------
    Estimate
        ``H``, ``es``, ``eh``, and ``centre`` if it was fitted.

    Raises
    ------
    ValueError
        If ``centre`` is to be fitted and ``H`` is less than 3 of its standard errors.

    Warns
    -----
    OffCentreWarning
        If the mean increment at the stated centre is off 0 by more than 5 standard errors.
    """
    u, v, dt = _pairs(before, after, dt)
    given = centre_of(centre)
    c = float(np.median(u)) if given is None else given
    one, b0, values = np.ones(u.size), 0.0, np.zeros(4)
    noise = np.full(u.size, float(np.mean((v - u) ** 2)) / dt)
    floor = 1e-9 * float(noise[0])
    for _ in range(ROUNDS):
        drift = np.stack([dt * one, (c - u) * dt], axis=1)  # of the coefficients H (c' - c) and H
        if given is None:
            b0, H = solve_least_squares(drift, v - u, 1.0 / noise)
        else:
            H = solve_least_squares(drift[:, 1:], v - u, 1.0 / noise)[0]
        residual = (v - u) - b0 * dt - H * drift[:, 1]
        if b0:
            c += b0 / H
        x = u - c
        X = np.stack([one, x * x], axis=1)
        es, eh = solve_least_squares(X, residual**2 / dt, 1.0 / noise**2)
        last, values = values, np.array([H, es, eh, c])
        noise = np.maximum(es + eh * x * x, floor)
        if (np.abs(values - last) <= 1e-10 * np.abs(values).max()).all():
            break
    drift = np.stack([dt * one, -x * dt], axis=1)
    excess = residual**2 / dt - X @ values[1:3]
    level = hat(X, 1.0 / noise**2) * excess
    if given is not None:
        warn_off_centre(
            c, _off_centre(drift, v - u, 1.0 / noise), "the mean increment there is off 0"
        )
        errors = np.vstack([hat(drift[:, 1:], 1.0 / noise) * residual, level])
        return Estimate(("H", "es", "eh"), values[:3], errors @ errors.T, u.size)
    line = hat(drift, 1.0 / noise) * residual
    _pulls_back(H, float(np.linalg.norm(line[1])), "H")
    shift = line[0] / H  # errors of the centre, which move the parabola too
    level += np.outer(solve_least_squares(X, 2.0 * eh * x, 1.0 / noise**2), shift)
    errors = np.vstack([line[1], level, shift])
    return Estimate(("H", "es", "eh", "centre"), values, errors @ errors.T, u.size)


def _pulls_back(value: float, error: float, name: str) -> None:
    """Refuse to fit a centre where nothing pulls back to it."""
    if not value > SIGNIFICANT * error:
        raise ValueError(
            "centre must be a number where the data do not show the pull to the minimum, got 'fit': "
            f"{name} is {value:.3g} with standard error {error:.2g}; take more or longer data"
        )


def transitions(
    before: Any, after: Any, dt: float, *, centre: float | Literal["fit"] = 0.0
) -> Estimate:
    """Estimate ``(H, es, eh)`` from pairs of states any time apart, without bias from the interval.

    With ``x = u - centre``, ``E x' = x exp(-H dt)`` and ``E x'^2 = A + B x^2`` with
    ``B = exp(-lambda_2 dt)``, ``lambda_2 = 2H - eh``, ``A = es (1 - B)/lambda_2``. ``es = eta sigma_g``
    and ``eh = eta sigma_H`` are variances per unit time; `Estimate.noise` gives ``sigma_g`` and
    ``sigma_H``. ``eh`` is a small difference of large numbers: take it from `combine` where the process
    is stationary.

    The rates are logarithms of the slopes ``exp(-H dt)`` and ``B``, so pairs that do not remember each
    other hold nothing of them: each slope must exceed 3 of its standard errors.

    Parameters
    ----------
    before, after : array_like
        States ``dt`` apart, same shape.
    dt : float
        Interval, > 0.
    centre : float or "fit", default 0.0
        The minimum. "fit" estimates it by an intercept of the first regression.

    Returns
    -------
    Estimate
        ``H``, ``es``, ``eh``, and ``centre`` if it was fitted. Errors assume a finite fourth moment
        given the first state, which holds for fixed starting points.

    Raises
    ------
    ValueError
        If a regression slope does not exceed 3 of its standard errors: too little is remembered after
        ``dt``. If ``centre`` is to be fitted and the first slope is not below 1 by as much.

    Warns
    -----
    OffCentreWarning
        If the regression misses the stated centre by more than 5 standard errors.
    """
    u, v, dt = _pairs(before, after, dt)
    given = centre_of(centre)
    c = float(np.median(u)) if given is None else given
    x, y, one = u - c, v - c, np.ones(u.size)
    scale = np.maximum(float(np.median(x * x)) + x * x, 1e-300)
    line = np.stack([one, x], axis=1)
    if given is None:
        a0, slope = solve_least_squares(line, y, 1.0 / scale)
        miss = hat(line, 1.0 / scale) * (y - a0 - slope * x)
        _pulls_back(1.0 - slope, float(np.linalg.norm(miss[1])), "1 - exp(-H dt)")
        c += a0 / (1.0 - slope)
        x, y = u - c, v - c
        # the same errors about the new origin, where the intercept is 0
        miss = hat(np.stack([one, x], axis=1), 1.0 / scale) * (y - slope * x)
    else:
        slope = solve_least_squares(line[:, 1:], y, 1.0 / scale)[0]
        miss = hat(line[:, 1:], 1.0 / scale) * (y - slope * x)
    X = np.stack([one, x * x], axis=1)
    level = solve_least_squares(X, y * y, 1.0 / scale**2)
    errors = np.vstack([miss[-1], hat(X, 1.0 / scale**2) * (y * y - X @ level)])
    if given is None:
        shift = miss[0] / (1.0 - slope)  # errors of the centre, which move the parabola too
        turn = solve_least_squares(X, 2.0 * (level[1] * x - y), 1.0 / scale**2)
        errors = np.vstack([errors[0], errors[1:] + np.outer(turn, shift), shift])
    covariance = errors @ errors.T
    for found, error in ((slope, covariance[0, 0]), (level[1], covariance[2, 2])):
        if not found > SIGNIFICANT * math.sqrt(error):
            raise ValueError(
                f"dt must be so short that the states remember each other, got {dt!r}: a regression "
                f"slope is {found:.3g} with standard error {math.sqrt(error):.2g}, where more than "
                f"{SIGNIFICANT:g} of them are needed; take pairs closer in time, or more of them"
            )
    if given is not None:
        warn_off_centre(c, _off_centre(line, y, 1.0 / scale), "the regression misses it")

    def parameters(p: FloatArray) -> FloatArray:
        H, rate = -math.log(p[0]) / dt, -math.log(p[2]) / dt
        # rate/(1 - B) without its removable singularity at B = 1
        factor = -1.0 / (dt * math.expm1(-rate * dt) / (rate * dt)) if rate else 1.0 / dt
        return np.array([H, p[1] * factor, 2.0 * H - rate, *p[3:]])

    fitted = [slope, *level] if given is not None else [slope, *level, c]
    values, covariance = propagate(parameters, np.array(fitted), covariance)
    names = ("H", "es", "eh", "centre")[: len(fitted)]
    return Estimate(names, values, covariance, u.size)
