"""Escape of processes driven by alpha-stable noise in the limit of small noise.

Source: Imkeller and Pavlyukevich, *Stoch. Proc. Appl.* 116, 611 (2006): a single jump leads out, so that
the rate depends on the width of the well only.
"""

from __future__ import annotations

import math

from .._checks import boolean, number

__all__ = ["alpha_stable_constant", "alpha_stable_exit_rate"]


def alpha_stable_constant(alpha: float) -> float:
    """Return ``C_alpha = Gamma(1 + alpha) sin(pi alpha/2)/pi``, for ``0 < alpha < 2``.

    The Levy measure of ``E exp(ikL_t) = exp(-t |k|^alpha)`` is ``C_alpha |y|^(-1-alpha) dy``.
    """
    alpha = number("alpha", alpha, low=0.0, high=2.0, open_low=True, open_high=True)
    return math.gamma(1.0 + alpha) * math.sin(0.5 * math.pi * alpha) / math.pi


def alpha_stable_exit_rate(
    alpha: float,
    eps: float,
    left: float = math.inf,
    right: float = math.inf,
    *,
    unit_levy_measure: bool = False,
) -> float:
    """Return ``eps^alpha (C_alpha/alpha) (l^-alpha + r^-alpha)``, exit rate of ``(x* - l, x* + r)``.

    For ``dX = -U'(X) dt + eps dL^alpha`` with a stable point ``x*``, small ``eps``.

    Parameters
    ----------
    alpha : float
        Index of stability, 0 < alpha < 2.
    eps : float
        Noise amplitude, > 0.
    left, right : float, default inf
        Distances of the ends from ``x*``, > 0; inf where there is none (one-sided exit).
    unit_levy_measure : bool, default False
        The convention without ``C_alpha``: for noise whose Levy measure is ``|y|^(-1-alpha) dy``.

    Returns
    -------
    float
        Rate per unit time.

    Raises
    ------
    ValueError
        If an argument is out of bounds or both ends are infinite.
    """
    constant = alpha_stable_constant(alpha)
    eps = number("eps", eps, low=0.0, open_low=True)
    ends = [
        end if end == math.inf else number(name, end, low=0.0, open_low=True)
        for name, end in (("left", left), ("right", right))
    ]
    if ends == [math.inf, math.inf]:
        raise ValueError("left and right must not both be infinite")
    if boolean("unit_levy_measure", unit_levy_measure):
        constant = 1.0
    return constant / alpha * math.fsum((eps / end) ** alpha for end in ends)
