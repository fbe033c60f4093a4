"""The stationary law of a balanced diagonal linear network, for any depth and width."""

from __future__ import annotations

import math

from ..theory._numbers import (
    NetworkParameters,
    check_network,
    critical_temperature,
    network_noise,
)
from .base import Law, NoStationaryLaw
from .gamma import Gamma
from .network_numeric import interpolation_law, regular_law
from .pearson import linear_drift_law
from .point import PointMass

__all__ = ["DiagonalNetwork"]


def DiagonalNetwork(
    depth: int,
    width: int,
    T: float,
    beta1: float,
    beta2: float,
    alpha1: float,
    alpha2: float,
    alpha3: float,
    gamma: float = 0.0,
) -> Law:
    """Return the stationary law of ``v`` for ``f(x) = sum_i prod_k u_ik x`` trained by SGD.

    ``depth + 1`` layers, ``width`` equal (balanced) subnetworks, in the diffusion limit (Ito);
    ``v`` is the slope of ``f``. Ziyin, Li, Ueda, arXiv:2308.06671, eqs. A.12 to A.15, A.93.

    Parameters
    ----------
    depth : int
        >= 0; 0 is linear regression.
    width : int
        >= 1; irrelevant for ``depth <= 1``.
    T : float
        Temperature, learning rate over batch size, >= 0.
    beta1, beta2, alpha1, alpha2, alpha3 : float
        Moments of the data, see :class:`escapade.data.DataMoments`.
    gamma : float, default 0
        Weight decay >= 0, in the loss as ``gamma |u|^2`` (``gamma v^2`` for depth 0).

    Returns
    -------
    Law
        On the whole line for depth 0 (Pearson IV, normal, inverse-gamma on one side, or a point);
        on ``v > 0`` for ``depth >= 1``. A :class:`PointMass` says in ``reason`` why it is one.

    Raises
    ------
    NoStationaryLaw
        For ``depth >= 2`` with ``gamma > 0`` (metastable), and for ``depth = 1`` on interpolated
        data at ``T >= Tc`` without weight decay (two absorbing points).
    TypeError, ValueError
        If a parameter is not a finite number or out of bounds.
    """
    p = check_network(depth, width, T, beta1, beta2, alpha1, alpha2, alpha3, gamma)
    name = f"DiagonalNetwork(depth={p.depth}, width={p.width}, T={p.T:.6g})"
    law = _linear(p) if p.depth == 0 else _positive(p, name)
    if not isinstance(law, PointMass):
        law.name = f"{name}: {law.name}" if law.name != name else name
    return law


def _linear(p: NetworkParameters) -> Law:
    """Depth 0: linear drift, quadratic noise (eq. A.12)."""
    rate = p.beta1 + p.gamma
    mean = p.beta2 / rate
    if p.T == 0.0:
        return PointMass(mean, "T = 0: without noise v relaxes to the minimum of the loss")
    four = 4.0 * p.T
    lean = p.alpha1 * mean - p.alpha2
    if abs(lean) <= 1e-15 * max(p.alpha1 * abs(mean), abs(p.alpha2)):
        lean = 0.0  # rounding: the noise is least exactly at the mean
    noise = network_noise(mean, p.alpha1, p.alpha2, p.alpha3)
    if p.alpha1 > 0.0:  # the same, without cancellation
        noise = lean * (lean / p.alpha1) + p.delta / p.alpha1
    return linear_drift_law(
        2.0 * rate, mean, four * p.alpha1, four * lean, four * noise, four * four * p.delta
    )


def _positive(p: NetworkParameters, name: str) -> Law:
    """Depth >= 1, on v > 0."""
    if p.depth >= 2 and p.gamma > 0.0 and p.beta2 > 0.0:
        raise NoStationaryLaw(
            f"a network of depth {p.depth} >= 2 with gamma = {p.gamma:g} > 0 has no stationary law "
            "on v > 0: near 0 weight decay beats both gradient and noise, so the learned state is "
            "metastable and every path eventually collapses to 0"
        )
    slope = p.beta2 - p.gamma if p.depth == 1 else p.beta2
    t_c = critical_temperature(p.beta2, p.alpha3, p.gamma) if p.depth == 1 else math.inf
    if slope <= 0.0:
        what = "beta2 - gamma" if p.depth == 1 else "beta2"
        critical = f" (Tc = (beta2-gamma)/alpha3 = {t_c:g})" if p.depth == 1 else ""
        return PointMass(
            0.0,
            f"{what} = {slope:g} <= 0{critical}: nothing drives v up, every path collapses to 0",
        )
    if p.T == 0.0 or (p.alpha1 == 0.0 and p.alpha3 == 0.0):
        return PointMass(
            slope / p.beta1, "there is no gradient noise: v relaxes to the minimum of the loss"
        )
    if p.delta == 0.0 and p.alpha1 > 0.0 and p.alpha2 > 0.0:
        return _interpolating(p, slope, t_c, name)
    if p.T >= t_c:
        return PointMass(0.0, _collapse(p, t_c))
    if p.depth == 1 and p.alpha1 == 0.0:
        noise = 2.0 * p.T * p.alpha3
        return Gamma((slope - p.T * p.alpha3) / noise, noise / p.beta1)
    return regular_law(p, slope, name)


def _collapse(p: NetworkParameters, t_c: float) -> str:
    return (
        f"T = {p.T:g} >= Tc = (beta2-gamma)/alpha3 = {t_c:.6g}: ln v has no upward drift near 0, "
        "and every path collapses to 0"
    )


def _interpolating(p: NetworkParameters, slope: float, t_c: float, name: str) -> Law:
    """The noise vanishes at ``k = alpha2/alpha1 > 0``: all samples obey ``x y = k x^2 - c``."""
    k = p.alpha2 / p.alpha1
    if k == 0.0:
        raise ValueError("the parameters are too extreme: alpha2/alpha1 underflows to 0")
    push = p.beta1 * k - slope  # minus half the drift at k, up to a positive factor
    if abs(push) <= 1e-13 * slope:
        if p.T >= t_c:
            raise NoStationaryLaw(
                f"the data are interpolated by v = k = {k:g} without weight decay, and T = {p.T:g} "
                f">= Tc = {t_c:.6g}: both k and 0 absorb. From v0 >= k a path ends at k; from "
                "v0 < k it ends at k with the probability laws.absorption_probability gives, and "
                "at 0 otherwise"
            )
        return PointMass(
            k,
            f"the data are interpolated by v = k = {k:g}, where drift and noise vanish together: "
            "every path ends there",
        )
    if push > 0.0 and p.T >= t_c:
        return PointMass(0.0, _collapse(p, t_c))
    return interpolation_law(p, k, push, slope, name)
