"""What is integrated: a one-dimensional Ito diffusion, built in or made of two functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import array, number
from ..models import Model
from ._quadrature import FloatArray

__all__ = ["Diffusion", "Process", "as_process"]

Function = Callable[[FloatArray], Any]


def _end(name: str, value: Any) -> float:
    """Return an end of the domain: a number, or an infinity."""
    if isinstance(value, (float, np.floating)) and math.isinf(float(value)):
        return float(value)
    return number(name, value)


class Diffusion:
    """The one-dimensional Ito process ``dx = drift(x) dt + diffusion(x) dW``.

    Parameters
    ----------
    drift, diffusion : callable
        Vectorised functions of the state: they take a float64 array and return one number for each
        entry (or a single number, for a constant). Units x/time and x/sqrt(time). They must be
        smooth but for jumps and kinks, and their features wide enough to be seen: see Notes.
    domain : (float, float), default (-inf, inf)
        Open interval in which the process lives. Where noise or drift is singular at an end, shift the
        state so that this end is 0 if you can: floats near another number are 1e-16 of it apart, and
        what starts at a distance d from such an end is known to about 1e-14/d only.
    scale : float, optional
        A length on which something happens, > 0. It only helps to find features that are very
        narrow, or very far away, on an interval without ends.
    centre : float, optional
        A typical place, for the same purpose.
    points : array_like, shape (n,), optional
        Places of narrow features, kinks or jumps, inside the domain, as in `scipy.integrate.quad`.
        Panels begin and end there, and drift and noise are looked at near them at distances that
        shrink by sqrt(2), down to 1e-12 of the interval: a feature at the point is seen however
        narrow, and one at a distance d from it if it is wider than d/2. Those outside the region of
        a question do no harm.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, the domain is empty, ``scale`` is not > 0, or ``centre``
        or one of ``points`` lies outside the domain.

    Notes
    -----
    Functions are known at the places where they are looked at. On an interval with two regular ends
    these are nowhere further apart than 1/4096 of it: a dip of the noise, or a spike of the drift,
    that is wider than this is always found. A dip ``1 - exp(-((x - c)/w)^2)`` already differs from 1 by
    more than rounding at 5 w, and is found from ``w = 2.5e-5 (b - a)`` on. Narrower ones go unseen,
    with no error, unless ``points`` names them. Where an end is open, 1/4096 is that of the range of
    ``asinh((x - centre)/scale)``, or of the logarithm of the distance to a finite end, as far out as
    the law reaches. For an Ornstein-Uhlenbeck process of stationary variance 1/2 on (-inf, 1) that is
    0.002 near -0.5; it grows with the distance from the centre, and with the weight of the tail.
    """

    def __init__(
        self,
        drift: Function,
        diffusion: Function,
        *,
        domain: tuple[float, float] = (-math.inf, math.inf),
        scale: float | None = None,
        centre: float | None = None,
        points: Any = None,
    ) -> None:
        for name, function in (("drift", drift), ("diffusion", diffusion)):
            if not callable(function):
                raise TypeError(f"{name} must be a function of the state, got {function!r}")
        if not isinstance(domain, (tuple, list)) or len(domain) != 2:
            raise TypeError(f"domain must be a pair of numbers, got {domain!r}")
        low, high = _end("domain[0]", domain[0]), _end("domain[1]", domain[1])
        if not low < high:
            raise ValueError(f"domain must be a pair (low, high) with low < high, got {domain!r}")
        self.domain = (low, high)
        self.drift, self.diffusion = drift, diffusion
        self.scale = None if scale is None else number("scale", scale, low=0.0, open_low=True)
        self.centre = None if centre is None else number("centre", centre)
        if self.centre is not None and not low < self.centre < high:
            raise ValueError(f"centre must lie inside the domain {self.domain}, got {centre!r}")
        places = array("points", [] if points is None else points)
        if places.ndim != 1:
            raise ValueError(
                f"points must be a list of numbers, got an array of {places.ndim} axes"
            )
        outside = places[~((places > low) & (places < high))]
        if outside.size:
            raise ValueError(f"points must lie inside the domain {self.domain}, got {outside[0]:g}")
        self.points = tuple(np.unique(places).tolist())

    def __repr__(self) -> str:
        return f"Diffusion(domain={self.domain})"


Process = Model | Diffusion


def as_process(process: Any) -> Process:
    """Return ``process`` if it is a one-dimensional Ito diffusion.

    Raises
    ------
    TypeError
        If it is neither a model nor a `Diffusion`.
    ValueError
        If it is a model in discrete time, of another calculus, of vectors, or a sweep.
    """
    if isinstance(process, Diffusion):
        return process
    if not isinstance(process, Model):
        raise TypeError(
            "process must be a model of escapade.models or an escapade.exact.Diffusion, "
            f"got {process!r}"
        )
    name = process.name
    if process.shape != ():
        raise ValueError(
            f"process must be a single model, got a sweep of {name} of shape {process.shape}; "
            "ask one of its points, model[index]"
        )
    if process.time_step is not None or process.calculus == "discrete":
        raise ValueError(f"process must be a diffusion, got {name}, which moves in discrete time")
    if process.jumps:
        raise ValueError(f"process must be a diffusion, got {name}, which moves by jumps")
    if process.particle_shape != () or process.dim != 1:
        raise ValueError(
            f"process must be one-dimensional, got {name}, whose state is a vector "
            f"of {process.dim} numbers"
        )
    if process.calculus != "ito":
        raise ValueError(
            f"process must be an Ito equation, got {name}, which is read as {process.calculus}; "
            "add diffusion * d(diffusion)/dx / 2 to the drift and use escapade.exact.Diffusion"
        )
    if not callable(getattr(process, "drift", None)):
        raise ValueError(f"process must have a drift and a diffusion function, {name} has none")
    return process


def _values(process: Process, name: str, x: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        given = getattr(process, name)(x)
        try:
            value = np.asarray(given)
        except (TypeError, ValueError):
            raise TypeError(f"{name} must return real numbers, got {given!r:.80}") from None
    if value.dtype.kind not in "iuf":
        raise TypeError(f"{name} must return real numbers, got {value.dtype} from {given!r:.80}")
    if value.shape not in ((), x.shape):
        raise ValueError(
            f"{name} must return one number per state: an array of shape {x.shape}, "
            f"got shape {value.shape}"
        )
    return np.broadcast_to(np.asarray(value, dtype=np.float64), x.shape)


def raw(process: Process, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return drift and diffusion at ``x`` without judging them."""
    flat = np.ascontiguousarray(x, dtype=np.float64).ravel()
    drift, noise = _values(process, "drift", flat), _values(process, "diffusion", flat)
    return drift.reshape(x.shape), noise.reshape(x.shape)


def checked(process: Process, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return drift and diffusion at ``x``, ascending, and refuse what cannot be integrated.

    Raises
    ------
    ValueError
        If drift or diffusion is not finite, or the diffusion vanishes or changes sign.
    """
    drift, noise = raw(process, x)
    for name, value in (("drift", drift), ("diffusion", noise)):
        bad = ~np.isfinite(value)
        if bad.any():
            at = int(np.argmax(bad.ravel()))
            raise ValueError(
                f"{name} must be finite inside the region, got {value.ravel()[at]} "
                f"at x = {x.ravel()[at]:.10g}"
            )
    if (noise == 0.0).any():
        raise vanishes(float(x.ravel()[int(np.argmax(noise.ravel() == 0.0))]))
    positive = noise > 0.0
    if positive.any() and not positive.all():
        order = np.argsort(x, axis=None)
        sign = positive.ravel()[order]
        points = x.ravel()[order]
        at = int(np.argmax(sign[1:] != sign[:-1]))
        left, right = float(points[at]), float(points[at + 1])
        for _ in range(200):
            mid = 0.5 * (left + right)
            if mid in (left, right):
                break
            here = bool(raw(process, np.array([mid]))[1][0] > 0.0)
            left, right = (mid, right) if here == bool(sign[at]) else (left, mid)
        near_zero = abs(left) < 1e-13 * float(np.abs(points).max())
        raise vanishes(0.0 if near_zero else left, "changes sign")
    return drift, noise


def vanishes(x: float, how: str = "is zero") -> ValueError:
    """Return the error for noise that vanishes at ``x``."""
    return ValueError(
        "diffusion must not vanish inside the region: the process cannot cross such a point, or "
        f"crosses it one way; it {how} at x = {x:.10g}. Give that point as an end, a or b"
    )
