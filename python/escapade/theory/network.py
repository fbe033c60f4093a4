"""Formulas of the balanced diagonal linear network that need no quadrature.

Source: Ziyin, Li, Ueda, *Law of balance and stationary distribution of stochastic gradient descent*,
arXiv:2308.06671 (PRE 111, 065303); equation numbers "A.n" are those of its NeurIPS-2024 version.
Conventions: loss ``(v x - y)^2 + gamma |theta|^2``, temperature ``T = eta/S``, Ito.

Every function takes one data set or a sweep, and numbers or arrays that broadcast with it.
"""

from __future__ import annotations

import math

from .._checks import number
from ..data import DataMoments
from ..data._sweep import Values
from . import _numbers
from ._inputs import over

__all__ = [
    "absorption_probability",
    "balance_rate",
    "critical_temperature",
    "depth0_euler_maruyama_variance",
    "depth1_mode",
    "exact_loss",
    "log_drift_slope",
    "modified_law_critical_temperature",
    "modified_law_tail_exponent",
    "relaxation_rate",
    "t_star",
]


def _five(d: DataMoments) -> tuple[float, float, float, float, float]:
    return d.beta1, d.beta2, d.alpha1, d.alpha2, d.alpha3


def critical_temperature(data: DataMoments, gamma: Values = 0.0) -> Values:
    """Return ``Tc = (beta2 - gamma)/alpha3`` of the depth-1 network (text below eq. A.15).

    For ``T >= Tc`` every path collapses to 0. inf for ``alpha3 = 0``; 0 for ``beta2 <= gamma``.
    """

    def one(d: DataMoments, gamma: float) -> float:
        return _numbers.critical_temperature(d.beta2, d.alpha3, gamma)

    return over(one, data, gamma=gamma)


def t_star(data: DataMoments, gamma: Values = 0.0) -> Values:
    """Return the temperature up to which the depth-1 density has an interior maximum (eq. A.16).

    It is ``Tc/3`` (where the density starts to diverge at 0), or, if the maximum outlives that,
    where the discriminant of eq. A.16 vanishes; at most ``Tc``.
    """
    return over(lambda d, gamma: _numbers.t_star(*_five(d), gamma), data, gamma=gamma)


def depth1_mode(data: DataMoments, T: Values, gamma: Values = 0.0) -> Values:
    """Return the interior local maximum of the depth-1 density (eq. A.16); nan if there is none."""

    def one(d: DataMoments, T: float, gamma: float) -> float:
        return _numbers.depth1_mode(T, *_five(d), gamma)

    return over(one, data, T=T, gamma=gamma)


def relaxation_rate(data: DataMoments, T: Values, gamma: Values = 0.0) -> Values:
    """Return ``(b2 - T alpha3)^2/(2 T alpha3)``, an upper bound of the depth-1 relaxation rate.

    The edge of the continuous spectrum (``b2 = beta2 - gamma``). Run for several times its inverse,
    or start from the law.

    Raises
    ------
    ValueError
        For ``T >= Tc``, where there is no stationary state to relax to: ``ln v`` drifts to minus
        infinity (:func:`log_drift_slope`).
    """

    def one(d: DataMoments, T: float, gamma: float) -> float:
        t_c = _numbers.critical_temperature(d.beta2, d.alpha3, gamma)
        if number("T", T, low=0.0, open_low=True) >= t_c:
            raise ValueError(
                f"T must be less than Tc = (beta2 - gamma)/alpha3 = {t_c:g}, got {T!r}: every path "
                "collapses to 0, see log_drift_slope"
            )
        return _numbers.relaxation_rate(T, d.beta2, d.alpha3, gamma)

    return over(one, data, T=T, gamma=gamma)


def log_drift_slope(data: DataMoments, T: Values, gamma: Values = 0.0) -> Values:
    """Return ``4 (beta2 - gamma - T alpha3)``, at which ``E ln v`` falls for ``T >= Tc``, depth 1.

    From eq. A.93 with ``v -> 0``.

    Raises
    ------
    ValueError
        For ``T < Tc``, where ``ln v`` is stationary.
    """

    def one(d: DataMoments, T: float, gamma: float) -> float:
        t_c = _numbers.critical_temperature(d.beta2, d.alpha3, gamma)
        if number("T", T, low=0.0) < t_c:
            raise ValueError(
                f"T must be at least Tc = (beta2 - gamma)/alpha3 = {t_c:g}, got {T!r}: below it "
                "ln v is stationary"
            )
        return float(4.0 * (d.beta2 - gamma - T * d.alpha3))

    return over(one, data, T=T, gamma=gamma)


def depth0_euler_maruyama_variance(
    data: DataMoments, T: Values, dt: Values, gamma: Values = 0.0
) -> Values:
    """Return the stationary variance of Euler-Maruyama on linear regression, exact in ``dt``.

    ``T q(v*)/(b1 - dt b1^2 - T alpha1)`` with ``b1 = beta1 + gamma``, ``v* = beta2/b1``; inf where
    the denominator is not positive. Plain SGD with step ``eta`` and batch size S is ``dt = eta``,
    ``T = eta/S``; ``dt = 0`` is the SDE (eq. A.12).
    """

    def one(d: DataMoments, T: float, dt: float, gamma: float) -> float:
        return _numbers.depth0_euler_maruyama_variance(T, dt, *_five(d), gamma)

    return over(one, data, T=T, dt=dt, gamma=gamma)


def absorption_probability(data: DataMoments, T: Values, v0: Values) -> Values:
    """Return the probability that a depth-1 network on interpolated data ``y = k x`` learns ``k``.

    Without weight decay, from ``v0 > 0``: 1 for ``T < Tc = beta1/(k alpha1)`` or ``v0 >= k``, and
    ``I_{v0/k}(1/2 - theta, 1 + theta)``, ``theta = beta1/(2 T alpha1 k)``, otherwise; the rest ends
    at 0. (The paper's formal density A.106 is not integrable at ``k``.)

    Raises
    ------
    ValueError
        If the data are not interpolated: their noise vanishes nowhere, and nothing absorbs.
    """

    def one(d: DataMoments, T: float, v0: float) -> float:
        k = d.alpha2 / d.alpha1 if d.alpha1 > 0.0 else math.nan
        if not (d.delta == 0.0 and k > 0.0 and math.isclose(d.beta2, k * d.beta1, rel_tol=1e-9)):
            raise ValueError(
                "data must be interpolated, y = k x with k > 0 (escapade.data.interpolating), "
                f"got {d.label}"
            )
        return _numbers.absorption_probability(v0, k, T, d.alpha1, d.beta1)

    return over(one, data, T=T, v0=v0)


def balance_rate(
    data: DataMoments, T: Values, gamma: Values = 0.0, v: Values | None = None
) -> Values:
    """Return the rate at which ``u_i^2 - w_i^2`` of a two-layer network decays (law of balance).

    ``4 (T q(v) + gamma)`` in the state ``v``; without ``v`` its least value
    ``4 (T Delta/alpha1 + gamma)`` (eqs. A.2, A.7). The decay is deterministic given the path of
    ``v``; for binary inputs ``q`` is constant and both agree.

    Parameters
    ----------
    v : float or array_like, optional
        State; None for the bound that holds in every state.
    """

    def one(d: DataMoments, T: float, gamma: float, *state: float) -> float:
        T, gamma = number("T", T, low=0.0), number("gamma", gamma, low=0.0)
        least = d.delta / d.alpha1 if d.alpha1 > 0.0 else d.alpha3
        q = float(d.q(number("v", *state))) if state else least
        return 4.0 * (T * q + gamma)

    return over(one, data, T=T, gamma=gamma, **({} if v is None else {"v": v}))


def exact_loss(data: DataMoments, mean: Values, second_moment: Values) -> Values:
    """Return the mean loss ``beta1 E v^2 - 2 beta2 E v + E y^2`` (without weight decay).

    Parameters
    ----------
    data : DataMoments
        With known ``ey2``.
    mean, second_moment : float or array_like
        ``E v`` and ``E v^2 >= (E v)^2``.

    Raises
    ------
    ValueError
        If ``E y^2`` is unknown or the moments are impossible.
    """

    def one(d: DataMoments, mean: float, second: float) -> float:
        mean, second = number("mean", mean), number("second_moment", second, low=0.0)
        if second < mean * mean * (1.0 - 1e-12):
            raise ValueError(
                f"second_moment must be at least mean**2 = {mean**2!r}, got {second!r}"
            )
        if math.isnan(d.ey2):
            raise ValueError(f"data must have a known ey2 = E y^2, got {d.label} without")
        return float(d.beta1 * second - 2.0 * d.beta2 * mean + d.ey2)

    return over(one, data, mean=mean, second_moment=second_moment)


def modified_law_critical_temperature(data: DataMoments) -> Values:
    """Return ``beta2/(alpha3 + beta2^2) = beta2/E[x^2 y^2]``, Tc of the modified loss (eq. A.52).

    Depth 1, batch size 1, no weight decay: the second-order correction ``(T/4) |grad L|^2`` to the
    loss that the finite learning rate brings. 0 for ``beta2 <= 0``.
    """

    def one(d: DataMoments) -> float:
        return d.beta2 / (d.alpha3 + d.beta2 * d.beta2) if d.beta2 > 0.0 else 0.0

    return over(one, data)


def modified_law_tail_exponent(data: DataMoments) -> Values:
    """Return ``-7/2 - 3 beta1^2/(2 alpha1)``, the tail exponent under the modified loss (eq. A.52).

    minus infinity for ``alpha1 = 0``.
    """

    def one(d: DataMoments) -> float:
        return -3.5 - 1.5 * d.beta1 * d.beta1 / d.alpha1 if d.alpha1 > 0.0 else -math.inf

    return over(one, data)
