"""Exact mean crossing time of a well in the plane with noise that depends on the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

__all__ = ["planar_crossing_time"]


def planar_crossing_time(model: Any, cells: int = 60) -> float:
    """Return the mean time from the left minimum to ``x_1 = 1``, without simulation.

    For `LossCoupledWellND` of two numbers without bend. The motion is reversible with respect to ``p =
    C^-kappa``: its generator is ``div(p eta C/2 grad T)/p``, and ``div(p eta C/2 grad T) = -p`` is
    solved by finite volumes, in the upper half plane by symmetry, and extrapolated from two widths of
    the cells; relative error about 1e-3.

    Parameters
    ----------
    model : LossCoupledWellND
        ``dim = 2``, ``bend = 0``.
    cells : int, default 60
        Number of cells along, of the coarser solution; a half of it across.
    """
    coarse, fine = _solve(model, cells), _solve(model, 2 * cells)
    return (4.0 * fine - coarse) / 3.0


def _solve(model: Any, cells: int) -> float:
    # faces; along evenly in the well, across from its width outwards
    along = 1.0 - np.linspace(0.0, 1.0, cells + 1)[::-1] * 4.0
    across = 0.3 * np.sinh(np.linspace(0.0, 4.5, cells // 2 + 1))
    x, y = 0.5 * (along[1:] + along[:-1]), 0.5 * (across[1:] + across[:-1])
    dx, dy = np.diff(along), np.diff(across)

    def log_noise(x1: Any, x2: Any) -> Any:
        loss = model.loss(np.stack(np.broadcast_arrays(x1, x2), axis=-1))
        return np.log1p(2.0 * model.sigma_H / (8.0 * model.h * model.sigma_g) * loss)

    def power(exponent: float, log: Any) -> Any:
        return np.exp(np.maximum(exponent * log, -600.0))  # 0 would cut far states off

    kappa, es = float(model.kappa), model.eta * model.sigma_g
    mass = power(-kappa, log_noise(x[:, None], y)) * dx[:, None] * dy
    flow = 0.5 * es * power(1.0 - kappa, log_noise(along[1:, None], y))
    gaps = np.append(np.diff(x), 0.5 * dx[-1])  # the last face absorbs
    right = flow * dy / gaps[:, None]
    up = 0.5 * es * power(1.0 - kappa, log_noise(x[:, None], across[1:-1]))
    up = np.pad(up * dx[:, None] / np.diff(y), ((0, 0), (0, 1)))
    left, down = np.zeros_like(right), np.zeros_like(up)
    left[1:], down[:, 1:] = right[:-1], up[:, :-1]
    rows = len(y)
    matrix = sparse.diags_array(
        [
            (left + right + up + down).ravel(),
            -up.ravel()[:-1],
            -up.ravel()[:-1],
            -right.ravel()[:-rows],
            -right.ravel()[:-rows],
        ],
        offsets=[0, 1, -1, rows, -rows],
    ).tocsc()
    time = linalg.spsolve(matrix, mass.ravel()).reshape(mass.shape)[:, :2]
    # at the axis, across which T is even: a parabola through the first two rows
    on_axis = (time[:, 0] * y[1] ** 2 - time[:, 1] * y[0] ** 2) / (y[1] ** 2 - y[0] ** 2)
    return float(np.interp(-1.0, x, on_axis))
