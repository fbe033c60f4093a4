"""Exit of the power-law dynamic from a symmetric interval about its minimum, exact.

``du = -H u dt + sqrt(es + eh u^2) dB`` leaves ``|u| < R``. The mean is the classical double integral
(the inner one is an incomplete beta function); for even integers ``nu`` it is a polynomial in ``R^2``
with coefficients ``c_1 = 1/es``, ``c_{k+1} = c_k lambda_{2k}/(es (k+1)(2k+1))``. The rate is the
smallest zero in ``lambda`` of ``2F1(A, B; 1/2; -R^2/w^2)``, ``A + B = -nu/2``, ``A B = lambda/(2 eh)``,
found on the differential equation of that function, since ``A`` and ``B`` become complex.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from scipy import integrate, optimize, special

from .._checks import number

__all__ = ["power_law_exit_rate", "power_law_exit_time"]


def _check(H: float, es: float, eh: float, R: float) -> tuple[float, float, float, float]:
    given = (("H", H), ("es", es), ("eh", eh), ("R", R))
    H, es, eh, R = (number(name, value, low=0.0, open_low=True) for name, value in given)
    return H, es, eh, R


def power_law_exit_time(H: float, es: float, eh: float, R: float) -> float:
    """Return the mean time to leave ``|u| < R`` from ``u = 0``.

    Parameters
    ----------
    H : float
        Curvature, 1/time, > 0.
    es, eh : float
        ``eta sigma_g`` and ``eta sigma_H``, > 0.
    R : float
        Half the width of the interval, > 0.

    Returns
    -------
    float
        In units of time, relative accuracy about 1e-12; inf beyond the range of a float.
    """
    H, es, eh, R = _check(H, es, eh, R)
    kappa, w = 1.0 + H / eh, math.sqrt(es / eh)
    top = math.asinh(R / w)
    # (2/es) w^2 (1 + z^2)^(kappa-1) int_0^z (1 + x^2)^-kappa dx, z = sinh t, scaled by its largest value
    scale = (2.0 * kappa - 1.0) * math.log(math.cosh(top)) if top < 300.0 else math.inf
    half_beta = 0.5 * math.exp(special.betaln(0.5, kappa - 0.5))

    def integrand(t: float) -> float:
        share = float(special.betainc(0.5, kappa - 0.5, math.tanh(t) ** 2))
        return half_beta * share * math.exp((2.0 * kappa - 1.0) * math.log(math.cosh(t)) - scale)

    if scale == math.inf:
        return math.inf
    edges = np.linspace(0.0, top, max(2, math.ceil(2.0 * kappa * top / 8.0) + 1)).tolist()
    parts = [
        integrate.quad(integrand, a, b, epsabs=0.0, epsrel=1e-13, limit=200)[0]
        for a, b in itertools.pairwise(edges)
    ]
    log_time = scale + math.log(math.fsum(parts) * 2.0 / eh)
    return math.exp(log_time) if log_time < 709.78 else math.inf


def power_law_exit_rate(H: float, es: float, eh: float, R: float) -> float:
    """Return the leading eigenvalue: the chance to be within ``|u| < R`` decays like ``exp(-rate t)``.

    Parameters
    ----------
    H, es, eh, R : float
        As in :func:`power_law_exit_time`.

    Returns
    -------
    float
        Per unit of time, relative accuracy about 1e-9; never less than the inverse mean time.

    Raises
    ------
    ValueError
        If an argument is out of bounds or the mean time exceeds 1e12/H: the rate is its inverse
        then.
    """
    H, es, eh, R = _check(H, es, eh, R)
    time = power_law_exit_time(H, es, eh, R)
    if time * H > 1e12:
        raise ValueError(
            f"R must be such that the mean exit time is at most 1e12/H, got {R!r} and {time:.3g}: the "
            "rate is its inverse"
        )
    c, ell = math.sqrt(eh), 0.5 + H / eh
    top = math.asinh(R * math.sqrt(eh / es)) / c

    def end(rate: float) -> float:
        def slope(y: float, f: Any) -> Any:
            return f[1], 2.0 * (ell * c * math.tanh(c * y) * f[1] - rate * f[0])

        run = integrate.solve_ivp(
            slope, (0.0, top), (1.0, 0.0), method="DOP853", rtol=1e-12, atol=1e-14
        )
        return float(run.y[0, -1])

    low = high = 1.0 / time
    while end(high) > 0.0:  # the second eigenvalue is more than four times as large
        low, high = high, 1.5 * high
    if low == high:
        return high
    return float(optimize.brentq(end, low, high, xtol=1e-300, rtol=1e-11))
