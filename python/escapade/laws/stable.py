"""Symmetric alpha-stable laws."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from .._checks import array, number
from ._panels import FloatArray
from ._stable_table import stable_table
from .base import Law, NoStationaryLaw
from .normal import Normal
from .point import PointMass
from .student import StudentT
from .transforms import Affine

__all__ = [
    "Stable",
    "StableOrnsteinUhlenbeck",
    "stable_characteristic",
    "stable_ornstein_uhlenbeck_transition",
    "stable_tail",
]


def stable_tail(alpha: float) -> float:
    """Return ``C_alpha = Gamma(1 + alpha) sin(pi alpha/2)/pi``: ``P(S > x) ~ C_alpha/alpha x^-alpha``.

    ``C_alpha |y|^(-1-alpha) dy`` is the Levy measure of the process with ``E e^(ikL_t) =
    exp(-t |k|^alpha)`` (Samorodnitsky and Taqqu 1994, property 1.2.15; Sato 1999, section 14). It is
    0 at ``alpha = 2``, whose law has normal tails.

    Parameters
    ----------
    alpha : float
        Index of stability, 0 < alpha <= 2.

    Raises
    ------
    TypeError, ValueError
        If ``alpha`` is not a number or out of bounds.
    """
    alpha = number("alpha", alpha, low=0.0, high=2.0, open_low=True)
    return math.gamma(1.0 + alpha) * math.sin(0.5 * math.pi * (2.0 - alpha)) / math.pi


def stable_characteristic(k: Any, alpha: float, scale: float = 1.0) -> Any:
    """Return ``E exp(i k X) = exp(-|scale k|^alpha)`` of `Stable`.

    Parameters
    ----------
    k : float or array_like
        Wave numbers, any shape, which the result has too.
    alpha, scale : float
        As for `Stable`, but any 0 < alpha <= 2.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or out of bounds.
    """
    alpha = number("alpha", alpha, low=0.0, high=2.0, open_low=True)
    scale = number("scale", scale, low=0.0, open_low=True)
    return np.exp(-(np.abs(scale * array("k", k)) ** alpha))[()]


def Stable(alpha: float, scale: float = 1.0) -> Law:
    """Return the symmetric stable law with ``E exp(i k X) = exp(-|scale k|^alpha)``.

    Normal with variance ``2 scale^2`` at ``alpha = 2``, Cauchy at ``alpha = 1``.

    Parameters
    ----------
    alpha : float
        Index of stability, 0.1 <= alpha <= 2.
    scale : float, default 1
        > 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or out of bounds.
    """
    alpha = number("alpha", alpha, low=0.1, high=2.0)
    scale = number("scale", scale, low=0.0, open_low=True)
    if alpha == 2.0:
        return Normal(0.0, math.sqrt(2.0) * scale)
    if alpha == 1.0:
        return StudentT(1.0, 0.0, scale)
    return _Stable(alpha, scale)


def StableOrnsteinUhlenbeck(theta: float, eps: float, alpha: float) -> Law:
    """Return the stationary law of ``dX = -theta X dt + eps dL^alpha``.

    Symmetric stable of the same index, with scale ``eps/(alpha theta)^(1/alpha)`` (Samorodnitsky and
    Taqqu 1994, section 3.6); the point mass at 0 for ``eps = 0``.

    Raises
    ------
    NoStationaryLaw
        For ``theta = 0``: nothing confines the process.
    TypeError, ValueError
        If an argument is not a number or out of bounds.
    """
    theta, eps = number("theta", theta, low=0.0), number("eps", eps, low=0.0)
    alpha = number("alpha", alpha, low=0.0, high=2.0, open_low=True)
    if theta == 0.0:
        raise NoStationaryLaw(
            "StableOrnsteinUhlenbeck has no stationary law for theta = 0: nothing confines the "
            "process, which spreads without bound"
        )
    if eps == 0.0:
        return PointMass(0.0, "eps = 0: without noise every path relaxes to 0")
    return Stable(alpha, eps * (alpha * theta) ** (-1.0 / alpha))


def stable_ornstein_uhlenbeck_transition(
    theta: float, eps: float, alpha: float, x0: float, t: float
) -> Law:
    """Return the exact law of ``X_t`` started at ``x0``, for ``dX = -theta X dt + eps dL^alpha``.

    Symmetric stable about ``x0 exp(-theta t)`` with scale ``eps ((1 - exp(-alpha theta t))/(alpha
    theta))^(1/alpha)`` (Samorodnitsky and Taqqu 1994, section 3.6).

    Parameters
    ----------
    theta, eps, alpha : float
        Parameters of the equation, ``theta, eps >= 0``.
    x0 : float
        Start.
    t : float
        Time, >= 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a finite number or out of bounds.
    """
    theta, eps = number("theta", theta, low=0.0), number("eps", eps, low=0.0)
    alpha = number("alpha", alpha, low=0.0, high=2.0, open_low=True)
    x0, t = number("x0", x0), number("t", t, low=0.0)
    centre = x0 * math.exp(-theta * t)
    rate = alpha * theta
    passed = t if rate == 0.0 else -math.expm1(-rate * t) / rate
    scale = eps * float(passed ** (1.0 / alpha))
    if scale == 0.0:
        return PointMass(centre, "nothing has moved it but the drift")
    law = Stable(alpha, scale)
    return law if centre == 0.0 else Affine(law, centre, 1.0)


class _Stable(Law):
    """Neither normal nor Cauchy: see `StableTable`."""

    def __init__(self, alpha: float, scale: float) -> None:
        self.alpha, self.scale = alpha, scale
        self.name = f"Stable(alpha={alpha:.6g}, scale={scale:.6g})"
        self._table = stable_table(alpha)

    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def _logpdf(self, x: FloatArray) -> FloatArray:
        return self._table.logpdf(np.abs(x) / self.scale) - math.log(self.scale)

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self._sf(-x)

    def _sf(self, x: FloatArray) -> FloatArray:
        upper = self._table.sf(np.abs(x) / self.scale)
        return np.where(x >= 0.0, upper, 1.0 - upper)

    def _ppf(self, q: FloatArray) -> FloatArray:
        return -self._isf(q)

    def _isf(self, q: FloatArray) -> FloatArray:
        z = self.scale * self._table.isf(np.minimum(q, 1.0 - q))
        return np.where(q == 0.5, 0.0, np.where(q < 0.5, z, -z))

    def _moment(self, n: float) -> float:
        if n < self.alpha:
            return 0.0  # n = 1 < alpha
        return math.inf if n % 2 == 0 else math.nan

    def _moment_reason(self, n: float) -> str:
        if n < self.alpha:
            return ""
        kind = "infinite" if n % 2 == 0 else "undefined"
        return (
            f"E x^{n:g} is {kind}: the density falls like |x|^-{self.alpha + 1.0:.6g}; "
            f"finite only for n < alpha = {self.alpha:.6g}"
        )

    def var(self) -> float:
        return math.inf if self.alpha > 1.0 else math.nan

    def modes(self) -> tuple[float, ...]:
        """Return 0, the only maximum."""
        return (0.0,)

    @cached_property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        x, weights = self._table.nodes()
        x = self.scale * x
        return np.concatenate([-x[::-1], x]), np.concatenate([weights[::-1], weights])

    def entropy(self) -> float:
        x, weights = self._nodes
        return -float(np.sum(weights * self._logpdf(x)))
