"""Mean escape times from a well in the limit of high barriers, for any noise.

All refer to the Ito equation ``dw = -L'(w) dt + sqrt(eta C(w)) dB`` and are means for full crossing of
the saddle; first passage to the saddle itself takes half as long. Rates are their inverses. Time is
that of the equation: one step of SGD lasts ``eta``.

Sources: Kramers, *Physica* 7, 284 (1940), with multiplicative noise by the Laplace expansion of the
exact double integral.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from scipy import integrate

from .._checks import number
from ..exact.process import as_process, checked, raw
from ._escape import exp, positive, share

__all__ = ["kramers_rate", "kramers_time", "kramers_time_from", "langevin_time"]


def kramers_time(
    curvature: float,
    saddle_curvature: float,
    potential: float,
    noise_ratio: float = 1.0,
    *,
    to: str = "across",
) -> float:
    """Return ``2 pi/sqrt(L''(a)|L''(b)|) sqrt(C(b)/C(a)) exp(Phi(b) - Phi(a))``, mean escape time.

    With ``Phi' = 2 L'/(eta C)``. The relative error vanishes with ``1/(Phi(b) - Phi(a))``: for
    ``(x^2 - 1)^2`` and constant noise it is about ``(3/8)/(Phi(b) - Phi(a))``.

    Parameters
    ----------
    curvature : float
        ``L''`` at the minimum, > 0, 1/time.
    saddle_curvature : float
        ``|L''|`` at the saddle, > 0, 1/time.
    potential : float
        ``Phi(b) - Phi(a)``, > 0, dimensionless; ``2 Delta L/(eta C)`` for constant ``C``.
    noise_ratio : float, default 1
        ``C(b)/C(a)``, > 0.
    to : {"across", "saddle"}
        Where the passage ends: well beyond the saddle, or on it (half as long).

    Returns
    -------
    float
        In units of time; inf beyond the range of a float.
    """
    product = positive("curvature", curvature), positive("saddle_curvature", saddle_curvature)
    ratio, potential = positive("noise_ratio", noise_ratio), positive("potential", potential)
    prefactor = share(to) * 2.0 * math.pi * math.sqrt(ratio)
    return exp(potential + math.log(prefactor) - 0.5 * math.fsum(map(math.log, product)))


def kramers_rate(
    curvature: float,
    saddle_curvature: float,
    potential: float,
    noise_ratio: float = 1.0,
    *,
    to: str = "across",
) -> float:
    """Return the escape rate ``1/T`` of :func:`kramers_time`; 0 below the range of a float."""
    time = kramers_time(curvature, saddle_curvature, potential, noise_ratio, to=to)
    return 1.0 / time


def kramers_time_from(process: Any, minimum: float, saddle: float, *, to: str = "across") -> float:
    """Return :func:`kramers_time` of a process given by a model or by functions.

    ``Phi' = -2 drift/diffusion^2`` is integrated by quadrature; curvatures are central differences of
    the drift.

    Parameters
    ----------
    process : Model or escapade.exact.Diffusion
        A one-dimensional Ito equation, as for `escapade.exact`: ``drift = -L'``,
        ``diffusion^2 = eta C``.
    minimum, saddle : float
        Where ``L`` has its minimum and its maximum; the drift vanishes there.
    to : {"across", "saddle"}

    Raises
    ------
    TypeError, ValueError
        If ``process`` is of the wrong kind, the points are equal or not a minimum and a maximum,
        the noise vanishes between them, or the saddle is not the higher one.
    """
    known = as_process(process)
    a, b = number("minimum", minimum), number("saddle", saddle)
    if a == b:
        raise ValueError(f"saddle must differ from minimum, got {saddle!r}")

    def slope(x: float) -> float:
        return -float(raw(known, np.array([x]))[0][0])

    def tilt(x: float) -> float:
        drift, noise = raw(known, np.array([x]))
        return -2.0 * float(drift[0]) / float(noise[0]) ** 2

    step = 1e-4 * abs(b - a)
    bends = [(slope(x + step) - slope(x - step)) / (2.0 * step) for x in (a, b)]
    for name, x, bend, sign in (("minimum", a, bends[0], 1), ("saddle", b, bends[1], -1)):
        if not sign * bend > 0.0 or abs(slope(x)) > 1e-6 * abs(bend * (b - a)):
            raise ValueError(
                f"{name} must be a point where the drift vanishes and its derivative is "
                f"{'negative' if sign > 0 else 'positive'}, got {x!r}: drift {-slope(x):.3g}, "
                f"derivative {-bend:.3g}"
            )
    inside = np.linspace(a, b, 1001)
    noise = checked(known, inside)[1]
    edges = inside[::125].tolist()
    parts = [
        integrate.quad(tilt, lo, hi, epsabs=0.0, epsrel=1e-11)[0]
        for lo, hi in itertools.pairwise(edges)
    ]
    potential = math.fsum(parts)
    if potential <= 0.0:
        raise ValueError(f"saddle must be higher than minimum, got a potential of {potential:.6g}")
    ratio = float(noise[-1] / noise[0]) ** 2
    return kramers_time(bends[0], -bends[1], potential, ratio, to=to)


def langevin_time(
    curvature: float,
    saddle_curvature: float,
    barrier: float,
    es: float,
    *,
    to: str = "across",
) -> float:
    """Return Kramers' time of constant noise, ``2 pi/sqrt(Ha |Hb|) exp(2 Delta L/es)``.

    The limit of :func:`loss_coupled_time` for ``eh -> 0``.

    Parameters
    ----------
    curvature, saddle_curvature : float
        ``L''`` at the minimum and ``|L''|`` at the saddle, > 0.
    barrier : float
        ``Delta L``, > 0.
    es : float
        ``eta sigma_g``, variance per unit time, > 0.
    to : {"across", "saddle"}
    """
    barrier, es = positive("barrier", barrier), positive("es", es)
    return kramers_time(curvature, saddle_curvature, 2.0 * barrier / es, to=to)
