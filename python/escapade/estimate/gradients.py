"""The covariance of minibatch gradients as a parabola in the weight.

Source: Meng, Gong, Chen, Ma, Liu, arXiv:2006.13719 (the parabola); weighted least squares with errors by
White, *Econometrica* 48, 817 (1980).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import array, boolean
from ._result import ROUNDS, Estimate, solve_least_squares, states

__all__ = ["gradient_noise"]


def gradient_noise(w: Any, gradients: Any, *, correlated: bool = True) -> Estimate:
    """Estimate ``sigma_g + 2 rho w + sigma_H w^2`` from minibatch gradients at fixed points.

    Parameters
    ----------
    w : array_like, shape (p,)
        Points, measured from the minimum; three different ones at least.
    gradients : array_like, shape (p, m)
        ``m`` >= 4 independent minibatch gradients at each.
    correlated : bool, default True
        Whether ``rho`` is fitted; False fixes it at 0.

    Returns
    -------
    Estimate
        ``sigma_g``, ``rho`` (if fitted), ``sigma_H``: variances of one minibatch gradient, in which the
        batch size is contained. Errors allow for gradients that are not normal.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, entries are not finite, or the points are too few.
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
    powers = [np.ones(w.size), 2.0 * w, w * w] if correlated else [np.ones(w.size), w * w]
    X = np.stack(powers, axis=1)
    if np.linalg.matrix_rank(X / np.abs(X).max(axis=0)) < X.shape[1]:
        raise ValueError("w must hold enough different points for the parabola, got too few")
    m = g.shape[1]
    centred = g - g.mean(axis=1, keepdims=True)
    variance = (centred**2).sum(axis=1) / (m - 1)
    fitted, values = np.full(w.size, variance.mean()), np.zeros(X.shape[1])
    for _ in range(ROUNDS):  # normal gradients would have an error proportional to the variance
        before, values = values, solve_least_squares(X, variance, 1.0 / fitted**2)
        fitted = np.maximum(X @ values, 1e-6 * variance.mean())
        if np.abs(values - before).max() <= 1e-12 * np.abs(values).max():
            break
    fourth = (centred**4).mean(axis=1)
    spread = np.maximum(fourth - variance**2 * (m - 3) / (m - 1), 0.0) / m  # of a sample variance
    bread = np.linalg.inv((X / fitted[:, None] ** 2).T @ X)
    covariance = bread @ (X.T @ (X * (spread / fitted**4)[:, None])) @ bread
    names = ("sigma_g", "rho", "sigma_H") if correlated else ("sigma_g", "sigma_H")
    return Estimate(names, values, covariance, g.size)
