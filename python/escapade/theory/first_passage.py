"""Mean first-passage times of the reduced network, by the exact integrals of `escapade.exact`.

Source: the reduced equation is arXiv:2308.06671, eq. A.93.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import integer, number
from ..data import DataMoments
from ..exact.process import Diffusion
from ..exact.times import mean_exit_time
from ._inputs import one_point
from ._numbers import critical_temperature

__all__ = ["mean_first_passage"]

_HOPELESS = 2000.0  # barriers beyond make times infinite in floats, whatever the prefactor


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

    It is `escapade.exact.mean_exit_time` in ``ln v``, where small ``v`` do not underflow. For other
    questions on the network ask `escapade.exact` about `escapade.models.BalancedNetwork`.

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
        If an argument is out of bounds, the noise vanishes somewhere, or it is so weak on a rise that
        the integrals cannot be resolved (see `escapade.exact`).
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
    up = stop > start
    attracting = depth and (
        T >= critical_temperature(d.beta2, d.alpha3, gamma)
        if depth == 1
        else gamma > 0.0 or d.beta2 <= 0.0
    )
    if up and attracting:
        return math.inf
    if depth:
        process = _log(depth, width, d, T, gamma)
        start, stop = math.log(start), math.log(stop)
        well = math.log(d.beta2 / d.beta1) if d.beta2 > 0.0 else start
        if _barrier(process, start, stop, well) > _HOPELESS:
            return math.inf
    else:
        process = _line(d, T, gamma)
    a, b = (None, stop) if up else (stop, None)
    return float(mean_exit_time(process, start, a, b))


def _noise(d: DataMoments, T: float, v: Any) -> Any:
    """Return ``sqrt(T q(v))``, ``q`` as a sum of two terms that do not cancel."""
    if d.alpha1 == 0.0:
        return np.full(np.shape(v), math.sqrt(T * d.alpha3))
    return np.sqrt(T * (d.alpha1 * (v - d.alpha2 / d.alpha1) ** 2 + d.delta / d.alpha1))


def _log(depth: int, width: int, d: DataMoments, T: float, gamma: float) -> Diffusion:
    """Return eq. A.93 for ``ln v``, depth >= 1."""
    e, layers = (depth - 1.0) / (depth + 1.0), depth + 1.0
    k = 2.0 * layers * width**-e

    def noise(y: Any) -> Any:
        return k * np.exp(e * y) * _noise(d, T, np.exp(y))

    def drift(y: Any) -> Any:
        force = -k * np.exp(e * y) * (d.beta1 * np.exp(y) - d.beta2) - 2.0 * gamma * layers
        return force - 0.5 / layers * noise(y) ** 2

    return Diffusion(drift, noise, scale=1.0)


def _line(d: DataMoments, T: float, gamma: float) -> Diffusion:
    """Return the equation of depth 0, linear regression."""
    rate = d.beta1 + gamma
    centre = d.beta2 / rate
    scale = float(_noise(d, T, centre)) / math.sqrt(rate)
    return Diffusion(
        lambda v: -2.0 * rate * (v - centre),
        lambda v: 2.0 * _noise(d, T, v),
        scale=scale,
        centre=centre,
    )


def _barrier(process: Diffusion, start: float, stop: float, well: float) -> float:
    """Return about the highest barrier, ``ln`` of the mean time, on the way from ``start``."""
    way = 1.0 if stop > start else -1.0
    y = np.linspace(min(way * start, way * well, way * stop), way * stop, 4001)
    tilt = -2.0 * way * process.drift(way * y) / process.diffusion(way * y) ** 2
    phi = np.append(0.0, np.cumsum(0.5 * (tilt[1:] + tilt[:-1]) * np.diff(y)))
    return float((phi - np.minimum.accumulate(phi))[y >= way * start].max())
