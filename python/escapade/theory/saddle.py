"""Stability of saddles: the origin of ``(u w x - y)^2``, and the traps of deeper networks.

Sources: Ziyin, Li, Galanti, Ueda, *Type-II saddles and probabilistic stability of stochastic gradient
descent*, arXiv:2303.13093 (the phases); Ziyin, Li, Ueda, arXiv:2308.06671 (the network).
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from scipy import integrate

from .._checks import integer, number
from ..data import DataLaw, DataMoments
from ..data._sweep import Values
from ._inputs import one_point, over
from ._log_normal_mean import log_one_plus, mean_log_one_plus

__all__ = [
    "SaddlePhase",
    "SumExponents",
    "saddle_phase",
    "symmetric_sum_exponents",
    "trap_exponent",
    "trap_threshold",
]


class SumExponents(NamedTuple):
    """Lyapunov exponents of ``u + w`` (``plus``) and ``u - w`` (``minus``) at the origin."""

    plus: float
    minus: float


class SaddlePhase(NamedTuple):
    """What SGD does near the origin of ``(u w x - y)^2`` (arXiv:2303.13093).

    Attributes
    ----------
    name : str
        ``"Ia"``, ``"Ib"``, ``"II"``, ``"III"`` or ``"IV"``.
    exponents : SumExponents
        The exponents behind it.
    text : str
        What it means.
    """

    name: str
    exponents: SumExponents
    text: str


_TEXTS = {
    "Ia": "correct learning: u + w grows and u - w vanishes, in probability but not in mean square",
    "Ib": "correct learning: u + w grows and u - w vanishes, in mean square too",
    "II": "incorrect learning: u - w grows, so u w takes the wrong sign",
    "III": "collapse: both vanish, every path ends at the saddle",
    "IV": "unstable: both grow",
}


def _check(
    data: DataMoments, T: float | None, eta: float | None, batch: int, gamma: float
) -> tuple[DataMoments, float]:
    d = one_point(data)
    if (T is None) == (eta is None):
        raise ValueError(f"one of T (the SDE) and eta (SGD) must be given, got T={T}, eta={eta}")
    if integer("batch", batch, low=1) != 1:
        raise ValueError(
            f"batch must be 1, got {batch}: the mean logarithm of a sum of samples has no closed "
            "form; use T = eta/batch for the SDE"
        )
    return d, number("gamma", gamma, low=0.0)


def symmetric_sum_exponents(
    data: DataMoments,
    T: float | None = None,
    eta: float | None = None,
    gamma: float = 0.0,
    batch: int = 1,
) -> SumExponents:
    """Return the Lyapunov exponents of ``u + w`` and ``u - w`` at the origin of ``(u w x - y)^2``.

    SDE, per unit of time: ``+-2 beta2 - 2 gamma - 2 T alpha3``. SGD with batch size 1, per step:
    ``E ln |1 - 2 eta gamma +- 2 eta x y|`` (arXiv:2303.13093), by quadrature over the Gaussian law,
    in closed form for binary inputs, as the exact mean over samples. `escapade.LyapunovExponent` is
    per unit of time for both: of SGD it measures these over ``eta``.

    Parameters
    ----------
    data : DataMoments
        One data set; for SGD with a known ``law``.
    T : float, optional
        Temperature of the SDE, >= 0.
    eta : float, optional
        Learning rate of SGD, > 0; instead of ``T``.
    gamma : float, default 0
        Weight decay, >= 0.
    batch : int, default 1
        Must be 1.

    Returns
    -------
    SumExponents
        ``(plus, minus)``; minus infinity where a sample kills the sum in one step.

    Raises
    ------
    ValueError
        If not exactly one of ``T`` and ``eta`` is given, for other batch sizes, for SGD on data
        known by their moments only.
    """
    d, gamma = _check(data, T, eta, batch, gamma)
    if T is not None:
        noise = 2.0 * number("T", T, low=0.0) * d.alpha3 + 2.0 * gamma
        return SumExponents(2.0 * d.beta2 - noise, -2.0 * d.beta2 - noise)
    eta = number("eta", eta, low=0.0, open_low=True)
    if d.law is None:
        raise ValueError(
            "data must have a law (escapade.data.gaussian, binary, interpolating or from_samples) "
            f"for SGD, got {d.label}: its moments do not fix E ln |1 + 2 eta x y|"
        )
    shift = -2.0 * eta * gamma
    return SumExponents(*(_mean_log(d.law, shift, sign * 2.0 * eta) for sign in (1.0, -1.0)))


def _mean_log(law: DataLaw, shift: float, factor: float) -> float:
    """Return ``E ln |1 + shift + factor x y|``."""
    if law.kind == "samples":
        return float(np.mean(log_one_plus(shift + factor * law.x * law.y)))
    if law.kind == "binary":
        return float(mean_log_one_plus(shift + factor * law.k, abs(factor) * law.s))

    def at(x: float) -> float:  # x y given x is normal
        mean = mean_log_one_plus(shift + factor * law.k * x * x, abs(factor) * law.s * x)
        return math.exp(-0.5 * x * x) * float(mean)

    # The logarithm is sharp (singular for s = 0) where the mean of its argument vanishes.
    root = -(1.0 + shift) / (factor * law.k) if law.k else -1.0
    edges = sorted(
        {0.0, 1.0, 3.0, 6.0, 10.0, 39.0, *([math.sqrt(root)] if 0 < root < 1500 else [])}
    )
    parts = [
        integrate.quad(at, lo, hi, epsabs=1e-14, epsrel=1e-11, limit=400)[0]
        for lo, hi in itertools.pairwise(edges)
    ]
    return math.fsum(parts) * math.sqrt(2.0 / math.pi)


def saddle_phase(
    data: DataMoments,
    T: float | None = None,
    eta: float | None = None,
    gamma: float = 0.0,
    batch: int = 1,
) -> SaddlePhase:
    """Return the phase of SGD at the origin of ``(u w x - y)^2`` (arXiv:2303.13093).

    By the signs of the exponents ``L`` of :func:`symmetric_sum_exponents`: I ``L+ > 0 > L-``, II
    ``L+ < 0 < L-``, III both negative, IV neither. In I, suffix b if ``u - w`` vanishes in mean
    square too. Without weight decay the SDE has I and III only (for ``beta2 > 0``), with boundary
    ``Tc = beta2/alpha3``: II and IV come from the finite step. Signs refer to ``beta2 >= 0``; for
    ``beta2 < 0`` the right sign is that of ``u - w``, and the roles are swapped.

    Arguments and errors are those of :func:`symmetric_sum_exponents`.
    """
    exponents = symmetric_sum_exponents(data, T, eta, gamma, batch)
    right, wrong = exponents if data.beta2 >= 0.0 else exponents[::-1]
    if right < 0.0:
        name = "III" if wrong < 0.0 else "II"
    elif wrong >= 0.0:
        name = "IV"
    else:
        name = "Ib" if _mean_square(data, T, eta, gamma) < 0.0 else "Ia"
    return SaddlePhase(name, exponents, _TEXTS[name])


def _mean_square(d: DataMoments, T: float | None, eta: float | None, gamma: float) -> float:
    """Return the growth (per time, or per step) of the mean square of the wrong combination."""
    signal, noise = float(abs(d.beta2)), float(d.alpha3)
    if T is not None:
        return -4.0 * signal - 4.0 * gamma + 4.0 * T * noise
    assert eta is not None
    shrink = 1.0 - 2.0 * eta * gamma
    second = noise + signal * signal
    return shrink * shrink - 4.0 * eta * shrink * signal + 4.0 * eta * eta * second - 1.0


def trap_threshold(data: DataMoments, T: Values) -> Values:
    """Return ``beta2/(T alpha3)``: two vanishing factors of one subnetwork trap it beyond this.

    For depth >= 2 and unbalanced weights the plane ``u1 = u2 = 0`` is invariant, and attracts iff
    the product ``P`` of the other factors exceeds the threshold in size. inf for ``T alpha3 = 0``.
    """

    def one(d: DataMoments, T: float) -> float:
        noise = number("T", T, low=0.0) * d.alpha3
        return abs(d.beta2) / noise if noise > 0.0 else math.inf

    return over(one, data, T=T)


def trap_exponent(data: DataMoments, T: Values, P: Values) -> Values:
    """Return ``2 |P beta2| - 2 T P^2 alpha3``, the larger Lyapunov exponent of the plane
    ``u1 = u2 = 0``; negative where it attracts.

    Parameters
    ----------
    data : DataMoments
        One data set or a sweep.
    T : float or array_like
        Temperature, >= 0.
    P : float or array_like
        Product of the other factors of the subnetwork (constant on the plane).
    """

    def one(d: DataMoments, T: float, P: float) -> float:
        T, P = number("T", T, low=0.0), number("P", P)
        return float(2.0 * abs(P * d.beta2) - 2.0 * T * P * P * d.alpha3)

    return over(one, data, T=T, P=P)
