"""Stationary laws of quartic wells whose noise depends on the state."""

from __future__ import annotations

import math

import numpy as np

from .._checks import integer, number
from ._panels import FloatArray
from .base import Law, NoStationaryLaw
from .coordinates import LogCoordinate
from .double_well import DoubleWell
from .line import LineLaw
from .numeric import NumericLaw

__all__ = ["LossCoupledWell", "MultiplicativeWell", "radial_power", "well_power"]


def MultiplicativeWell(h: float, sigma_g: float, modulation: float, wave: float, eta: float) -> Law:
    """Return the stationary law of ``dx = -4 h x (x^2 - 1) dt + sqrt(eta C(x)) dW`` (Ito).

    ``C = sigma_g (1 + modulation sin(wave x))``, and ``p ~ exp(-int 2 L'/(eta C))/C`` by quadrature.

    Parameters
    ----------
    h : float
        Height of the barrier, > 0.
    sigma_g : float
        Mean variance of the gradient, >= 0.
    modulation : float
        In (-1, 1).
    wave : float
        > 0.
    eta : float
        Learning rate, >= 0.

    Raises
    ------
    NoStationaryLaw
        Without noise: which well a path ends in depends on its start.
    TypeError, ValueError
        If an argument is not a finite number or out of bounds, or the noise is too weak for double
        precision.
    """
    h = number("h", h, low=0.0, open_low=True)
    es = number("eta", eta, low=0.0) * number("sigma_g", sigma_g, low=0.0)
    m = number("modulation", modulation, low=-1.0, high=1.0, open_low=True, open_high=True)
    q = number("wave", wave, low=0.0, open_low=True)
    if es == 0.0:
        raise NoStationaryLaw(
            "MultiplicativeWell has no unique stationary law for eta sigma_g = 0: without noise a "
            "path stays in the well it starts in"
        )

    def slope(x: FloatArray) -> FloatArray:
        noise = es * (1.0 + m * np.sin(q * x))
        return np.asarray(-(8.0 * h * x * (x * x - 1.0) + es * m * q * np.cos(q * x)) / noise)

    name = f"MultiplicativeWell(h={h:.6g}, eta sigma_g={es:.6g}, modulation={m:.6g}, wave={q:.6g})"
    return LineLaw(name, slope, 0.0, 1.0, (-1.0, 0.0, 1.0))


def LossCoupledWell(
    h: float, sigma_g: float, sigma_H: float, eta: float, directions: int = 0
) -> Law:
    """Return the stationary law of a quartic well with noise that depends on the loss (Ito)

    ``dx = -L'(x) dt + sqrt(eta C) dW``, ``L = h (x^2 - 1)^2``, ``C = sigma_g + sigma_H L/(4 h)``:
    ``p ~ C^-kappa`` with ``kappa = 1 + 8 h/(eta sigma_H)`` in any dimension (theory of Mori et al.,
    arXiv:2105.09557, section 4). With ``directions`` further numbers, in which the loss is a
    parabola, ``x`` has the marginal law ``C^-(kappa - directions/2)``.

    Parameters
    ----------
    h : float
        Height of the barrier, > 0.
    sigma_g, sigma_H : float
        Variances of gradient and curvature at the minima, >= 0.
    eta : float
        Learning rate, >= 0.
    directions : int, default 0
        Numbers beside ``x``, >= 0.

    Returns
    -------
    Law
        For ``sigma_H = 0`` that of `escapade.laws.DoubleWell` at the temperature ``eta sigma_g/2``.

    Raises
    ------
    NoStationaryLaw
        If there is no noise at the minima, or if ``C^-kappa`` cannot be normalised: ``kappa <=
        directions/2 + 1/4``.
    TypeError, ValueError
        If an argument is not a number or out of bounds.
    """
    h = number("h", h, low=0.0, open_low=True)
    eta = number("eta", eta, low=0.0)
    es = eta * number("sigma_g", sigma_g, low=0.0)
    eh = eta * number("sigma_H", sigma_H, low=0.0)
    across = integer("directions", directions, low=0)
    if es == 0.0:
        raise NoStationaryLaw(
            "LossCoupledWell has no unique stationary law for eta sigma_g = 0: the noise vanishes at "
            "the minima, and which one a path ends in depends on its start"
        )
    if eh == 0.0:
        return DoubleWell(h, 0.5 * es)
    exponent = 1.0 + 8.0 * h / eh - 0.5 * across
    name = f"LossCoupledWell(h={h:.6g}, eta sigma_g={es:.6g}, eta sigma_H={eh:.6g})"
    return well_power(0.25 * eh / es, exponent, name)


def well_power(ratio: float, exponent: float, name: str) -> Law:
    """Return the law ``(1 + ratio (x^2 - 1)^2)^-exponent`` up to a factor.

    Raises
    ------
    NoStationaryLaw
        If it cannot be normalised: ``exponent <= 1/4``.
    """
    if exponent <= 0.25:
        raise NoStationaryLaw(
            f"{name} has no stationary law: the noise grows so fast with the loss that the density "
            f"falls only like |x|^-{4.0 * exponent:.6g} in one direction once the others are "
            "integrated out, which no constant normalises; particles spread without bound"
        )

    def slope(x: FloatArray) -> FloatArray:
        s = (x - 1.0) * (x + 1.0)
        return np.asarray(-4.0 * exponent * ratio * x * s / (1.0 + ratio * s * s))

    narrow = 1.0 / math.sqrt(1.0 + 4.0 * ratio * exponent)
    knots = (-1.0 - narrow, -1.0, -1.0 + narrow, 0.0, 1.0 - narrow, 1.0, 1.0 + narrow)
    return LineLaw(name, slope, 0.0, max(1.0, ratio**-0.25), knots, 4.0 * exponent - 1.0)


def radial_power(dim: int, scale: float, exponent: float, name: str) -> Law:
    """Return the law of ``r = |x|`` for the density ``(1 + (r/scale)^2)^-exponent`` in ``dim`` numbers.

    Raises
    ------
    NoStationaryLaw
        If it cannot be normalised: ``exponent <= dim/2``.
    """
    tail = 2.0 * exponent - dim
    if tail <= 0.0:
        raise NoStationaryLaw(
            f"{name} has no stationary law: L^-{exponent:.6g} can be normalised for n < "
            f"{2.0 * exponent:.6g} numbers only, got n = {dim}; particles spread without bound"
        )

    def score(y: FloatArray) -> FloatArray:  # y = ln(r/scale)
        return np.asarray(dim - 2.0 * exponent / (1.0 + np.exp(-2.0 * np.clip(y, -350.0, 350.0))))

    peak = 0.5 * math.log(dim / tail)
    return NumericLaw(name, score, LogCoordinate(scale), (0.0, peak), float(dim), tail)
