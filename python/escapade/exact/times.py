"""Moments of first passage times, and where the process leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import boolean, integer
from ._green import Green
from ._grid import Points
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

_LEFT_OUT = -34.0  # ln of the share of an integral that may lie beyond a cut


def _beyond(region: Region, green: Green, log_f: FloatArray) -> float:
    """Return ``ln`` of the largest share of ``int m f`` beyond the cuts; inf if it diverges.

    The slope is taken where speed is ``exp(10)`` of that at the cut: there ``f`` does not yet feel it.
    """
    worst = -np.inf
    grid = green.grid
    order = slice(None), slice(None, None, -1)
    # at a reflecting end the solution that fits it is 1
    integrand = grid.log_speed + log_f
    whole = np.logaddexp.reduce(np.log(grid.half) + np.logaddexp.reduce(integrand, axis=1))
    for tail, kind, way in zip(region.tails, region.kinds, order, strict=True):
        if tail is None or kind != "reflect":
            continue
        y, speed = grid.y.ravel()[way], grid.log_speed.ravel()[way]
        value = integrand.ravel()[way]
        near = int(np.argmax(speed > speed[0] + 10.0))
        far = int(np.argmax(speed > speed[0] + 20.0))
        slope = float(value[far] - value[near]) / abs(float(y[far] - y[near]))
        if slope <= 1e-3:
            return np.inf
        beyond = float(value[near]) - slope * abs(float(y[near] - y[0])) - np.log(slope)
        worst = max(worst, beyond - whole)
    return float(worst)


def _integrate(
    region: Region,
    x0: FloatArray,
    rows: int,
    ask: Callable[[Green, Points], tuple[list[FloatArray], float]],
) -> FloatArray:
    """Return ``ln`` of integrals of exit times, shape (rows, m), on grids as deep as they need.

    ``ask`` returns those that are finite, and ``ln`` of the largest share that lies beyond the cuts.
    """
    y = region.y(x0)
    gone = np.zeros(x0.shape, dtype=bool)
    for end, kind in zip(region.ends, region.kinds, strict=True):
        gone |= (x0 == end) & (kind == "absorb")
    result = np.full((rows, x0.size), np.inf)
    result[:, gone] = -np.inf
    if not {"lost", "null"}.isdisjoint(region.kinds):
        return result
    region.require_times()
    for factor in (1.0, 3.0, 9.0):
        green = Green(region.grid(y, factor), region.conditions)
        found, worst = ask(green, green.grid.points(y))
        if worst < _LEFT_OUT:
            for row, logs in zip(result, found, strict=False):
                row[:] = logs
            result[:, gone] = -np.inf
            return result
    raise ValueError(
        "the moments of the exit time hang on states too far out to be integrated in double "
        "precision; give a finite end instead"
    )


def _moment_logs(region: Region, x0: FloatArray, order: int) -> FloatArray:
    """Return ``ln`` of the moments 1 to ``order``, shape (order, m)."""

    def ask(green: Green, at: Points) -> tuple[list[FloatArray], float]:
        log_f = np.zeros_like(green.grid.log_speed)
        found: list[FloatArray] = []
        worst = -np.inf
        for n in range(1, order + 1):
            beyond = _beyond(region, green, log_f)
            if beyond == np.inf:
                break  # nor do higher moments exist
            worst = max(worst, beyond)
            found.append(np.log(n) + green.at(log_f, at))
            if n < order:
                log_f = np.log(n) + green(log_f)
        return found, worst

    return _integrate(region, x0, order, ask)


def _variance_logs(region: Region, x0: FloatArray) -> FloatArray:
    """Return ``ln`` of the variance, shape (m,)."""

    def ask(green: Green, at: Points) -> tuple[list[FloatArray], float]:
        # Var T = G[diffusion^2 (dT/dx)^2]: nothing is subtracted
        flat = np.zeros_like(green.grid.log_speed)
        log_f = 2.0 * (green.grid.log_noise + green.log_slope(flat))
        beyond = _beyond(region, green, log_f)
        if beyond == np.inf:
            return [], -np.inf
        return [green.at(log_f, at)], max(beyond, _beyond(region, green, flat))

    return np.asarray(_integrate(region, x0, 1, ask)[0])


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
    order : int
        Highest order, 1 to 100.

    Returns
    -------
    ndarray, shape (order, *x0.shape)
        In units of time^n; inf where a moment does not exist.
    """
    n = integer("order", order, low=1, high=100)
    region, points = _prepare(process, x0, a, b, reflect)
    logs = _moment_logs(region, points.ravel(), n)
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
    return _moment_logs(region, points.ravel(), 1)[0].reshape(points.shape)[()]


def mean_exit_time(
    process: Any, x0: Any, a: Any = None, b: Any = None, *, reflect: str | None = None
) -> Any:
    """Return the mean time to leave ``(a, b)`` from ``x0``.

    With ``h(x)`` the probability to leave at ``b``, ``s'`` and ``m`` the densities of scale and
    speed, ``E T = (1 - h) int_a^x (S - S(a)) m + h int_x^b (S(b) - S) m`` (Karlin and Taylor,
    *A second course in stochastic processes*, eq. 15.3.11). Relative error about 1e-13, and 1e-16
    times ``ln E T``.

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
    logs = _variance_logs(region, points.ravel())
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
    log : bool
        Return the natural logarithm, for probabilities below 1e-308.

    Returns
    -------
    float or ndarray of the shape of ``x0``
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
