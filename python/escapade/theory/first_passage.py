"""Mean first-passage times of the reduced network by the scale and speed of its diffusion.

Source: the reduced equation is arXiv:2308.06671, eq. A.93; the passage time is the classical double
integral ``int S'(y) int_y m(z) dz dy`` (Karlin and Taylor, *A second course in stochastic processes*,
section 15.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._checks import integer, number
from ..data import DataMoments
from ._inputs import one_point
from ._numbers import critical_temperature

__all__ = ["mean_first_passage"]

_POINTS = 12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_POINTS)
_DROP = 50.0  # the speed measure is cut where it has fallen by exp(-50)
_STEP = 0.25


def _integration() -> Any:
    """Return ``A`` with ``(A f)_i`` the integral of the interpolant from -1 to node ``i``."""
    vandermonde = np.polynomial.legendre.legvander(_NODES, _POINTS - 1)
    integrals = np.empty((_POINTS, _POINTS))
    for j in range(_POINTS):
        unit = np.zeros(j + 1)
        unit[j] = 1.0
        integrals[:, j] = np.polynomial.legendre.legval(
            _NODES, np.polynomial.legendre.legint(unit, lbnd=-1.0)
        )
    result: Any = integrals @ np.linalg.inv(vandermonde)
    return result


_INTEGRATION = _integration()


class _Line(NamedTuple):
    """A diffusion ``dv = a dt + b dW`` seen on a coordinate ``y`` in which grids are even."""

    v: Callable[[Any], Any]
    dv: Callable[[Any], Any]
    y: Callable[[float], float]
    drift: Callable[[Any], Any]
    square: Callable[[Any], Any]  # b^2

    def tilt(self, y: Any) -> Any:
        """``2 a/b^2 dv/dy``, minus the slope of the log of the scale density."""
        v = self.v(y)
        return 2.0 * self.drift(v) / self.square(v) * self.dv(y)

    def weight(self, y: Any) -> Any:
        """``2/b^2 dv/dy``, the speed density without its exponential."""
        return 2.0 / self.square(self.v(y)) * self.dv(y)


def mean_first_passage(
    depth: int,
    data: DataMoments,
    T: float,
    gamma: float = 0.0,
    *,
    start: float,
    stop: float,
    width: int = 1,
) -> float:
    """Return the mean time at which the balanced network's ``v``, started at one point, hits another.

    Parameters
    ----------
    depth : int
        Layers minus one, >= 0.
    data : DataMoments
        One data set with noise in every state (``delta > 0`` or constant ``x^2``).
    T : float
        Temperature, > 0.
    gamma : float, default 0
        Weight decay, >= 0.
    start, stop : float
        First and last value of ``v``; positive for depth >= 1.
    width : int, default 1
        Number of equal subnetworks, >= 1.

    Returns
    -------
    float
        In the time of the SDE (``1/eta`` steps of SGD); accurate to about 1e-9. inf where paths may
        collapse to 0 before they rise to ``stop``, and where it exceeds the range of a float.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of bounds or the noise vanishes somewhere.
    """
    depth, width = integer("depth", depth, low=0), integer("width", width, low=1)
    d = one_point(data)
    T, gamma = number("T", T, low=0.0, open_low=True), number("gamma", gamma, low=0.0)
    bound = {"low": 0.0, "open_low": True} if depth else {}
    start, stop = number("start", start, **bound), number("stop", stop, **bound)  # type: ignore[arg-type]
    if (d.alpha1 > 0.0 and d.delta == 0.0) or d.alpha3 == 0.0:
        raise ValueError(
            f"data must have noise in every state (delta > 0), got {d.label}: where the noise "
            "vanishes paths end; see absorption_probability"
        )
    if start == stop:
        return 0.0
    line = _positive(depth, width, d, T, gamma) if depth else _linear(d, T, gamma)
    up = stop > start
    attracting = depth and (
        T >= critical_temperature(d.beta2, d.alpha3, gamma)
        if depth == 1
        else gamma > 0.0 or d.beta2 <= 0.0
    )
    if up and attracting:
        return math.inf
    slope = 0.0  # of the log of the speed measure at the end where it is cut
    if up and depth == 1:
        slope = (d.beta2 - gamma) / (2.0 * T * d.alpha3) - 0.5
    scales = [abs(x) for x in (start, stop, d.beta2 / d.beta1)]
    scales += [abs(d.alpha2) / d.alpha1, math.sqrt(d.alpha3 / d.alpha1)] if d.alpha1 > 0.0 else []
    return _passage(line, line.y(start), line.y(stop), [line.y(x) for x in scales if x], slope)


def _positive(depth: int, width: int, d: DataMoments, T: float, gamma: float) -> _Line:
    """Eq. A.93 on ``y = ln v``."""
    m, layers = 2.0 * depth / (depth + 1.0), depth + 1.0
    k = 2.0 * layers * width ** (1.0 - m)

    def drift(v: Any) -> Any:
        spurious = depth / layers * 0.5 * k * k * v ** (2.0 * m - 1.0) * T * d.q(v)
        return -k * v**m * (d.beta1 * v - d.beta2) - 2.0 * gamma * layers * v + spurious

    return _Line(np.exp, np.exp, math.log, drift, lambda v: k * k * v ** (2.0 * m) * T * d.q(v))


def _linear(d: DataMoments, T: float, gamma: float) -> _Line:
    """Depth 0 on ``v = c + s sinh y``."""
    rate = d.beta1 + gamma
    c = d.beta2 / rate
    s = math.sqrt(T * float(d.q(c)) / rate)
    return _Line(
        lambda y: c + s * np.sinh(y),
        lambda y: s * np.cosh(y),
        lambda v: math.asinh((v - c) / s),
        lambda v: -2.0 * (rate * v - d.beta2),
        lambda v: 4.0 * T * d.q(v),
    )


def _passage(line: _Line, start: float, stop: float, scales: list[float], slope: float) -> float:
    """Integrate on grids of growing fineness until two agree."""
    sign = 1.0 if stop > start else -1.0
    end = _cut(line, start, -sign, scales, 40.0 if slope else math.inf)
    cells, before = 2 * math.ceil(abs(stop - end) / _STEP), math.nan
    for _ in range(7):
        with np.errstate(over="ignore", invalid="ignore"):
            now = _integral(line, end, start, stop, cells, sign * slope)
        if math.isnan(now) or math.isinf(now):
            return math.inf
        if abs(now - before) <= 1e-11 * now:
            break
        before, cells = now, 2 * cells
    return now


def _cut(line: _Line, start: float, way: float, scales: list[float], reach: float) -> float:
    """Return the point beyond ``start`` from which on the speed measure is negligible."""
    edge = max((y * way for y in scales), default=0.0) * way
    y, log_tilt, most = start, 0.0, -math.inf
    with np.errstate(over="ignore", invalid="ignore"):
        while (y - edge) * way < reach:
            level = log_tilt + math.log(float(line.weight(y)))
            most = max(most, level)
            if (y - edge) * way > 0.0 and level < most - _DROP:
                break
            log_tilt += way * _STEP * float(line.tilt(y + 0.5 * way * _STEP))
            y += way * _STEP
    return y


def _integral(
    line: _Line, end: float, start: float, stop: float, cells: int, slope: float
) -> float:
    """Return ``int_start^stop R dv``, ``R(y) = exp(-phi(y)) |int_end^y m exp(phi) dz|``.

    ``R`` is carried from cell to cell, so that only differences of ``phi`` within a cell appear.
    """
    near = max(2, math.ceil(cells * abs(start - end) / abs(stop - end)))
    far = max(2, math.ceil(cells * abs(stop - start) / abs(stop - end)))
    edges = np.concatenate(
        [np.linspace(end, start, near + 1), np.linspace(start, stop, far + 1)[1:]]
    )
    half = 0.5 * np.diff(edges)[:, None]
    y = edges[:-1, None] + half * (_NODES + 1.0)
    tilt, weight = line.tilt(y), np.abs(half) * line.weight(y)
    phi = half * (tilt @ _INTEGRATION.T)
    rise = (half * tilt) @ _WEIGHTS
    # the speed measure beyond the cut is exponential with the given slope
    carry = float(line.weight(edges[0])) / abs(slope) if slope else 0.0
    total = 0.0
    for i in range(len(half)):
        if i >= near:
            inner = np.exp(-phi[i]) * (carry + _INTEGRATION @ (weight[i] * np.exp(phi[i])))
            total += float(np.abs(half[i, 0]) * (_WEIGHTS @ (inner * line.dv(y[i]))))
        carry = math.exp(-rise[i]) * carry if rise[i] > -700.0 else math.inf
        carry += float(_WEIGHTS @ (weight[i] * np.exp(phi[i] - rise[i])))
    return total
