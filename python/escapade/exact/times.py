"""Moments of first passage times, and where the process leaves."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import boolean, integer
from ._green import Green
from ._moments import moment_logs, variance_logs
from ._quadrature import FloatArray
from ._region import Region
from ._regions import region_of, starts

__all__ = [
    "exit_time_moments",
    "exit_time_std",
    "log_mean_exit_time",
    "mean_exit_time",
    "splitting_probability",
]


def _prepare(process: Any, x0: Any, a: Any, b: Any, reflect: Any) -> tuple[Region, FloatArray]:
    points = starts("x0", x0, process, a, b)
    return region_of(process, a, b, reflect, points), points


def exit_time_moments(
    process: Any,
    x0: Any,
    a: Any = None,
    b: Any = None,
    order: int = 2,
    *,
    reflect: str | None = None,
) -> Any:
    """Return the raw moments ``E T^n``, ``n = 1 ... order``, of the exit time.

    ``T_n = n G T_{n-1}``, ``T_0 = 1`` (Karlin and Taylor, *A second course in stochastic
    processes*, eq. 15.3.38).

    Parameters
    ----------
    process, x0, a, b, reflect
        As in `mean_exit_time`.
    order : int, default 2
        Highest order, 1 to 100.

    Returns
    -------
    ndarray, shape (order, *x0.shape)
        In units of time^n; inf where a moment does not exist, or is beyond 1e308.

    Raises
    ------
    TypeError, ValueError
        As `mean_exit_time`, or if ``order`` is out of bounds.
    """
    n = integer("order", order, low=1, high=100)
    region, points = _prepare(process, x0, a, b, reflect)
    logs = moment_logs(region, points.ravel(), n)
    with np.errstate(over="ignore"):
        return np.exp(logs).reshape((n, *points.shape))


def log_mean_exit_time(
    process: Any, x0: Any, a: Any = None, b: Any = None, *, reflect: str | None = None
) -> Any:
    """Return ``ln E T`` of the exit time, also where ``E T`` is beyond the range of floats.

    Arguments and errors are those of `mean_exit_time`; -inf where the process starts on an end
    that absorbs.
    """
    region, points = _prepare(process, x0, a, b, reflect)
    return moment_logs(region, points.ravel(), 1)[0].reshape(points.shape)[()]


def mean_exit_time(
    process: Any, x0: Any, a: Any = None, b: Any = None, *, reflect: str | None = None
) -> Any:
    """Return the mean time to leave ``(a, b)`` from ``x0``.

    With ``h(x)`` the probability to leave at ``b``, ``s'`` and ``m`` the densities of scale and
    speed, ``E T = (1 - h) int_a^x (S - S(a)) m + h int_x^b (S(b) - S) m`` (Karlin and Taylor,
    *A second course in stochastic processes*, eq. 15.3.11). Relative error about 1e-13, and 1e-16
    times ``ln E T``, for drift and noise without features that go unseen (Notes of `Diffusion`), at
    jumps up to 1e-9.

    Parameters
    ----------
    process : Model or Diffusion
        A one-dimensional Ito equation.
    x0 : array_like
        Starting points, in ``[a, b]``.
    a, b : float, optional
        Absorbing ends. None or an infinity stands for the end of the domain: if it cannot be
        reached the question is one-sided; if paths get there and cannot come back (an exit
        boundary, an explosion) they have left.
    reflect : {"lower", "upper"}, optional
        Makes that end a reflecting wall.

    Returns
    -------
    float or ndarray of the shape of ``x0``
        In units of time. inf if the process may never leave, or comes back from an open end only
        after an infinite mean time; also beyond 1e308, where `log_mean_exit_time` is finite.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, ``x0`` is outside, ``a >= b``, nothing absorbs, an end of
        the domain is reached and it is not said what happens there, drift or diffusion is not
        finite, or the diffusion vanishes inside (the message says where).
    """
    with np.errstate(over="ignore"):
        return np.exp(log_mean_exit_time(process, x0, a, b, reflect=reflect))


def exit_time_std(
    process: Any, x0: Any, a: Any = None, b: Any = None, *, reflect: str | None = None
) -> Any:
    """Return the standard deviation of the time to leave ``(a, b)`` from ``x0``.

    The variance ``G[diffusion^2 (d E T/dx)^2]`` follows from ``L Var T = -diffusion^2 (E T)'^2``; it is
    as accurate as the mean, however small beside it. Arguments and errors are those of
    `mean_exit_time`.
    """
    region, points = _prepare(process, x0, a, b, reflect)
    logs = variance_logs(region, points.ravel())
    with np.errstate(over="ignore"):
        return np.exp(0.5 * logs).reshape(points.shape)[()]


def splitting_probability(
    process: Any,
    x0: Any,
    a: Any = None,
    b: Any = None,
    *,
    reflect: str | None = None,
    log: bool = False,
) -> Any:
    """Return the probability to hit ``b`` before ``a`` (or ever, if ``a`` is never reached).

    ``(S(x0) - S(a))/(S(b) - S(a))`` with the scale function S (Karlin and Taylor, *A second course in
    stochastic processes*, eq. 15.3.10).

    Parameters
    ----------
    process, x0, a, b, reflect
        As in `mean_exit_time`.
    log : bool, default False
        Return the natural logarithm, for probabilities below 1e-308.

    Returns
    -------
    float or ndarray of the shape of ``x0``
        0 if ``b`` is a reflecting wall or never reached.

    Raises
    ------
    TypeError, ValueError
        As `mean_exit_time`, or if ``log`` is not a bool.
    """
    logs = boolean("log", log)
    region, points = _prepare(process, x0, a, b, reflect)
    lower, upper = region.conditions
    if not upper:  # what is sent back there never leaves there
        value = np.full(points.shape, -np.inf)
    elif not lower:
        value = np.zeros(points.shape)
    else:
        y = region.y(points.ravel())
        green = Green(region.grid(y), (True, True))
        value = green.solutions(green.grid.points(y))[0] - green.log_w
        value = np.minimum(value, 0.0).reshape(points.shape)
    return (value if logs else np.exp(value))[()]
