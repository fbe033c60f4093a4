"""The power-law dynamic ``du = -H u dt + sqrt(es + eh u^2) dB``: exponents, spectrum, discretisation.

``es = eta sigma_g`` and ``eh = eta sigma_H`` are variances per unit time. Sources: Meng, Gong, Chen, Ma,
Liu, arXiv:2006.13719 (the equation and its law); Forman and Sorensen, *Scand. J. Stat.* 35, 438 (2008)
(spectrum of Pearson diffusions); Kesten, *Acta Math.* 131, 207 (1973) (tails of linear recursions).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import integrate, optimize

from .._checks import choice, integer, number
from ._escape import positive
from ._euler_maruyama import second_moment, tail_index

__all__ = [
    "RelaxationSpectrum",
    "convert_curvature",
    "convert_kappa",
    "ergodic_learning_rate",
    "euler_maruyama_second_moment",
    "euler_maruyama_tail_index",
    "power_law_kappa",
    "power_law_nu",
    "power_law_q",
    "power_law_width",
    "relaxation_spectrum",
    "sgd_tail_index",
]

# exponent of the same symbols under another reading, relative to Ito's
_OFFSETS = {"ito": 0.0, "stratonovich": -0.5, "klimontovich": -1.0}


def power_law_kappa(H: float, eh: float, calculus: str = "ito") -> float:
    """Return ``kappa = 1 + H/eh`` of the stationary law ``(1 + u^2/w^2)^-kappa``; inf for ``eh = 0``.

    Parameters
    ----------
    H : float
        Curvature, 1/time, > 0.
    eh : float
        ``eta sigma_H``, >= 0.
    calculus : {"ito", "stratonovich", "klimontovich"}
        How the equation is read: with the same symbols the exponent is ``kappa``, ``kappa - 1/2``,
        ``kappa - 1``. There is a law for ``kappa > 1/2``.
    """
    H, eh = positive("H", H), number("eh", eh, low=0.0)
    offset = _OFFSETS[choice("calculus", calculus, tuple(_OFFSETS))]
    return 1.0 + offset + H / eh if eh > 0.0 else math.inf


def power_law_nu(H: float, eh: float) -> float:
    """Return ``nu = 2 kappa - 1 = 1 + 2 H/eh``, tail index: ``E |u|^m`` is finite iff ``m < nu``."""
    return 2.0 * power_law_kappa(H, eh) - 1.0


def power_law_q(H: float, eh: float) -> float:
    """Return ``q = 1 + 1/kappa``: the law is Tsallis' q-Gaussian."""
    return 1.0 + 1.0 / power_law_kappa(H, eh)


def power_law_width(es: float, eh: float) -> float:
    """Return ``w_s = sqrt(sigma_g/sigma_H) = sqrt(es/eh)``, where both noises are equal."""
    return math.sqrt(number("es", es, low=0.0) / positive("eh", eh))


def convert_kappa(kappa: float, source: str, target: str) -> float:
    """Return the exponent that an equation has if it is read in the calculus ``target``.

    ``kappa`` is the exponent in ``source``; both are ``"ito"``, ``"stratonovich"`` or ``"klimontovich"``
    (the last evaluates noise at the end of the step).
    """
    kappa, known = number("kappa", kappa), tuple(_OFFSETS)
    return (
        kappa
        + _OFFSETS[choice("target", target, known)]
        - _OFFSETS[choice("source", source, known)]
    )


def convert_curvature(H: float, eh: float, source: str, target: str = "ito") -> float:
    """Return the curvature with which the calculus ``target`` gives the same process.

    ``H - eh/2`` for Stratonovich to Ito, ``H - eh`` for Klimontovich to Ito; may be negative.
    """
    H, eh = number("H", H), number("eh", eh, low=0.0)
    return H + eh * convert_kappa(0.0, target, source)


class RelaxationSpectrum(NamedTuple):
    """Eigenvalues ``rates[n - 1] = n H - n (n-1) eh/2`` for ``1 <= n < nu/2``, and a continuum.

    The continuum covers ``[edge, inf)``, ``edge = eh nu^2/8``.
    """

    rates: tuple[float, ...]
    edge: float


def relaxation_spectrum(H: float, eh: float, most: int = 32) -> RelaxationSpectrum:
    """Return the spectrum of the generator without 0; at most ``most`` eigenvalues.

    The autocorrelation of ``u`` decays with ``rates[0] = H``, that of ``u^2`` with the second.
    """
    nu, most = power_law_nu(H, eh), integer("most", most, low=0)
    rates = []
    for n in range(1, most + 1):
        if 2 * n >= nu:
            break
        rates.append(n * H - 0.5 * n * (n - 1) * eh)
    return RelaxationSpectrum(tuple(rates), eh * nu * nu / 8.0 if eh > 0.0 else math.inf)


def ergodic_learning_rate(h: float, sigma_H: float, dim: int) -> float:
    """Return ``2 h/((d - 2) sigma_H)``: the law exists for learning rates below (``inf`` for d <= 2).

    Of isotropic curvature ``h`` and noise ``sigma_g + sigma_H |u|^2``; ``kappa > d/2`` is the same.
    Compare Chen, Du, Ma, Meng, arXiv:2306.09624, and `mori_n_c`.
    """
    h, sigma_H = positive("h", h), positive("sigma_H", sigma_H)
    excess = integer("dim", dim, low=1) - 2
    return 2.0 * h / (excess * sigma_H) if excess > 0 else math.inf


def euler_maruyama_second_moment(H: float, es: float, eh: float, dt: float) -> float:
    """Return ``es/(2H - eh - H^2 dt)``, stationary ``E u^2`` under Euler-Maruyama.

    Of the equation itself it is the value at ``dt = 0``. inf where the denominator is not positive;
    nan if ``es = 0`` there, as it then depends on the start. `escapade.laws.euler_maruyama_variance`
    is the same of ``sigma_g``, ``sigma_H`` and ``eta``.
    """
    H, es, eh = positive("H", H), number("es", es, low=0.0), number("eh", eh, low=0.0)
    return second_moment(H, es, eh, number("dt", dt, low=0.0))


def euler_maruyama_tail_index(H: float, eh: float, dt: float) -> float:
    """Return the tail index ``mu`` of Euler-Maruyama's stationary law.

    ``E |1 - H dt + sqrt(eh dt) xi|^mu = 1``, ``P(|u| > x) ~ x^-mu`` (Kesten 1973). Tends to
    ``nu = 1 + 2H/eh`` with ``dt -> 0``; inf beyond 1e12.

    Raises
    ------
    ValueError
        If an argument is out of bounds or the recursion has no stationary law.
    """
    H, eh, dt = positive("H", H), positive("eh", eh), positive("dt", dt)
    mu = tail_index(H, eh, dt)
    if math.isnan(mu):
        raise ValueError(f"dt must be so small that the recursion has a stationary law, got {dt!r}")
    return mu


def sgd_tail_index(eta: float, batch: int) -> float:
    """Return the tail index of SGD on ``(w x - y)^2/2`` with normal ``x``: ``E |1 - eta h|^mu = 1``.

    ``h`` is the mean of ``batch`` squared normals. ``P(|w| > x) ~ x^-mu``, and the density falls like
    ``(1 + w^2)^-phi`` with ``phi = (mu + 1)/2``. The diffusion that approximates it has another tail.

    Parameters
    ----------
    eta : float
        Learning rate, > 0.
    batch : int
        Batch size, >= 1.

    Raises
    ------
    ValueError
        If an argument is out of bounds or training diverges (``E ln |1 - eta h| >= 0``).
    """
    eta, B = positive("eta", eta), integer("batch", batch, low=1)

    def log_density(t: float) -> float:  # of sqrt(h), whose law is smooth at 0
        return (
            (B - 1) * math.log(t) - 0.5 * B * t * t if t > 0.0 else (0.0 if B == 1 else -math.inf)
        )

    def log_size(t: float) -> float:
        return math.log(max(abs(1.0 - eta * t * t), 1e-300))

    def peaks(mu: float) -> list[float]:  # of the product; of h they solve a quadratic equation
        middle = 0.5 * ((2.0 * mu + B - 1) / B + 1.0 / eta)
        far = middle + math.sqrt(max(middle * middle - (B - 1) / (B * eta), 0.0))
        return [math.sqrt((B - 1) / (B * eta * far)), math.sqrt(far)]

    norm = math.lgamma(0.5 * B) - 0.5 * B * math.log(0.5 * B) - math.log(2.0)
    kink = 1.0 / math.sqrt(eta)
    return _kesten_root(log_density, log_size, peaks, kink, 1.0 / math.sqrt(B), norm, eta)


def _kesten_root(
    log_density: Callable[[float], float],
    log_size: Callable[[float], float],
    peaks: Callable[[float], list[float]],
    kink: float,
    width: float,
    log_norm: float,
    eta: float,
) -> float:
    """Return ``mu > 0`` with ``E exp(mu log_size) = 1`` over (0, inf), by quadrature and bisection."""

    def log_moment(mu: float) -> float:
        ends = peaks(mu)
        offsets = width * np.arange(-12.0, 13.0, 2.0)

        def exponent(z: float) -> float:
            return mu * log_size(z) + log_density(z)

        most = max(map(exponent, ends))
        edges = np.unique(np.clip([kink, *(p + d for p in ends for d in offsets)], 0.0, None))
        parts = []
        for a, b in itertools.pairwise(edges.tolist()):
            # the panels between the two peaks of the integrand may hold nothing
            if max(exponent(a), exponent(b), exponent(0.5 * (a + b))) > most - 60.0:
                parts.append(
                    integrate.quad(
                        lambda z: math.exp(exponent(z) - most), a, b, epsabs=1e-15, epsrel=1e-12
                    )[0]
                )
        return most + math.log(math.fsum(parts)) - log_norm

    high = 1.0
    while log_moment(high) < 0.0:
        high *= 2.0
        if high > 1e6:
            raise ValueError(f"eta must not be so small, got {eta!r}: the tail index exceeds 1e6")
    low_mu = 0.5 * high
    while log_moment(low_mu) >= 0.0:
        low_mu *= 0.5
        if low_mu < 1e-6:
            raise ValueError(
                f"eta must be so small that the recursion has a stationary law, got {eta!r}"
            )
    return float(optimize.brentq(log_moment, low_mu, high, xtol=1e-13, rtol=1e-12))
