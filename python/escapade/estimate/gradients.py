"""The covariance of minibatch gradients as a parabola in the weight.

Source: Meng, Gong, Chen, Ma, Liu, arXiv:2006.13719 (the parabola); weighted least squares with errors by
White, *Econometrica* 48, 817 (1980).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from .._checks import array, boolean
from ._result import (
    ROUNDS,
    SIGNIFICANT,
    Estimate,
    FloatArray,
    centre_of,
    hat,
    solve_least_squares,
    states,
    warn_off_centre,
)

__all__ = ["gradient_noise"]


def gradient_noise(
    w: Any, gradients: Any, *, correlated: bool = True, centre: float | Literal["fit"] = 0.0
) -> Estimate:
    """Estimate ``sigma_g + 2 rho x + sigma_H x^2``, ``x = w - centre``, from minibatch gradients.

    Parameters
    ----------
    w : array_like, shape (p,)
        Points; three different ones at least.
    gradients : array_like, shape (p, m)
        ``m`` >= 4 independent minibatch gradients at each.
    correlated : bool, default True
        Whether ``rho`` is fitted; False fixes it at 0.
    centre : float or "fit", default 0.0
        The minimum. "fit" estimates it as the zero of a straight line through the mean gradients, which
        must be near enough to the minimum for the loss to be quadratic.

    Returns
    -------
    Estimate
        ``sigma_g``, ``rho`` and ``centre`` (if fitted), ``sigma_H``: variances of one minibatch
        gradient, in which the batch size is contained. Errors allow for gradients that are not normal.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, entries are not finite, or the points are too few. If
        ``centre`` is to be fitted and the slope of the mean gradient is less than 3 standard errors.

    Warns
    -----
    OffCentreWarning
        If the straight line through the mean gradients is off 0 at the stated centre by more than 5
        standard errors.
    """
    w = states("w", w, 3)
    g = array("gradients", gradients)
    if g.ndim != 2 or g.shape[0] != w.size or g.shape[1] < 4:
        raise ValueError(
            f"gradients must have shape ({w.size}, m) with m at least 4, got {g.shape}"
        )
    if not np.isfinite(g).all():
        raise ValueError("gradients must be finite")
    correlated = boolean("correlated", correlated)
    given = centre_of(centre)
    c = float(w.mean()) if given is None else given

    def parabola(x: FloatArray) -> FloatArray:
        powers = [np.ones(x.size), 2.0 * x, x * x] if correlated else [np.ones(x.size), x * x]
        return np.stack(powers, axis=1)

    X = parabola(w - c)
    if np.linalg.matrix_rank(X / np.abs(X).max(axis=0)) < X.shape[1]:
        raise ValueError("w must hold enough different points for the parabola, got too few")
    m = g.shape[1]
    mean = g.mean(axis=1)
    centred = g - mean[:, None]
    variance = (centred**2).sum(axis=1) / (m - 1)
    fitted, values = np.full(w.size, variance.mean()), np.zeros(X.shape[1])
    for _ in range(ROUNDS):  # normal gradients would have an error proportional to the variance
        line = np.stack([np.ones(w.size), w - c], axis=1)
        level, slope = solve_least_squares(line, mean, 1.0 / fitted)
        if given is None:
            error = math.sqrt(float(hat(line, 1.0 / fitted)[1] ** 2 @ variance) / m)
            if not slope > SIGNIFICANT * error:
                raise ValueError(
                    "centre must be a number where the mean gradients do not rise with w, got 'fit': "
                    f"their slope is {slope:.3g} with standard error {error:.2g}"
                )
            c -= level / slope
            X = parabola(w - c)
        before, values = values, solve_least_squares(X, variance, 1.0 / fitted**2)
        fitted = np.maximum(X @ values, 1e-6 * variance.mean())
        if np.abs(values - before).max() <= 1e-12 * np.abs(values).max():
            break
    fourth = (centred**4).mean(axis=1)
    spread = np.maximum(fourth - variance**2 * (m - 3) / (m - 1), 0.0) / m  # of a sample variance
    to_values = hat(X, 1.0 / fitted**2)
    names = ("sigma_g", "rho", "sigma_H") if correlated else ("sigma_g", "sigma_H")
    x = w - c
    to_level = hat(np.stack([np.ones(w.size), x], axis=1), 1.0 / fitted)[0]
    if given is not None:
        sigmas = float(level / math.sqrt(max(float(to_level**2 @ variance) / m, 1e-300)))
        warn_off_centre(c, sigmas, "the mean gradient there is off 0")
        return Estimate(names, values, (to_values * spread) @ to_values.T, g.size)
    # errors of the centre move the parabola; sample mean and variance have the covariance mu_3/m
    shift = -to_level / slope
    rho = values[1] if correlated else 0.0
    turn = solve_least_squares(X, 2.0 * (rho + values[-1] * x), 1.0 / fitted**2)
    of_mean = np.vstack([np.outer(turn, shift), shift])
    of_variance = np.vstack([to_values, np.zeros(w.size)])
    both = (of_mean * ((centred**3).mean(axis=1) / m)) @ of_variance.T
    covariance = (of_mean * (variance / m)) @ of_mean.T + both + both.T
    covariance += (of_variance * spread) @ of_variance.T
    return Estimate((*names, "centre"), np.append(values, c), covariance, g.size)
