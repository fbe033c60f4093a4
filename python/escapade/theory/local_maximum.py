"""A local maximum that SGD converges to: the two-point model.

Source: Ziyin, Li, Simon, Ueda, *SGD with a constant large learning rate can converge to local maxima*,
arXiv:2107.11774. Sample loss ``x w^2/2`` with ``x = 1`` or ``a - 1``, each with probability 1/2; for
``a < 0`` the mean loss ``a w^2/4`` has a maximum at 0. One step multiplies ``w`` by ``1 - lam x``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from .._checks import array, integer, number
from ..data._sweep import Values, broadcast, values

__all__ = [
    "TwoPointLogLaw",
    "Window",
    "local_maximum_sde",
    "local_maximum_second_order",
    "local_maximum_window",
    "two_point_log_law",
    "two_point_lyapunov",
]


class Window(NamedTuple):
    """Open interval of learning rates."""

    low: float
    high: float


def _maximum(a: Any) -> float:
    value = number("a", a)
    if value >= 0.0:
        raise ValueError(f"a must be less than 0, got {a!r}: for a >= 0 the origin is no maximum")
    return -value


def local_maximum_window(a: float) -> Window:
    """Return the learning rates at which SGD converges to the maximum, in probability.

    ``|a|/(1+|a|) < lam < (|a| + sqrt(a^2 + 8|a| + 8))/(2 (1+|a|))``.

    Parameters
    ----------
    a : float
        Twice the mean of ``x``, < 0.
    """
    size = _maximum(a)
    low = size / (1.0 + size)
    root = math.hypot(size, math.sqrt(8.0) * math.sqrt(1.0 + size))  # no overflow
    return Window(low, 0.5 * (low + root / (1.0 + size)))


def local_maximum_sde(a: float) -> float:
    """Return ``4|a|/(2+|a|)^2``, the learning rate above which the SDE limit collapses."""
    size = _maximum(a)
    return 4.0 * size / (2.0 + size) / (2.0 + size)


def local_maximum_second_order(a: float) -> float:
    """Return ``2|a|/(1 + (1+|a|)^2)``, the lower edge of the window to second order."""
    size = _maximum(a)
    return 2.0 * size / (1.0 + (1.0 + size) * (1.0 + size))


def _logs(a: Values, lam: Values) -> tuple[Values, Values]:
    with np.errstate(divide="ignore"):
        return np.log(np.abs(1.0 - lam)), np.log(np.abs(1.0 + lam * (1.0 - a)))


def two_point_lyapunov(a: Values, lam: Values) -> Values:
    """Return ``(ln |1 - lam| + ln |1 + lam (1 - a)|)/2`` per step of SGD.

    Minus infinity at ``lam = 1``, where one sample kills in a single step.
    `escapade.LyapunovExponent` of ``TwoPointSaddle(a).sgd(lam)`` measures it over ``lam``, per unit of
    time.

    Parameters
    ----------
    a : float or array_like
        Twice the mean of ``x``.
    lam : float or array_like
        Learning rate, >= 0.
    """
    p = broadcast({"a": values("a", a), "lam": values("lam", lam, low=0.0)})
    first, second = _logs(p["a"], p["lam"])
    return 0.5 * (first + second)


@dataclass(frozen=True)
class TwoPointLogLaw:
    """The exact law of ``ln |w_n/w_0|``.

    Attributes
    ----------
    values : ndarray, shape (n + 1,)
        Possible values, ascending; minus infinity stands for ``w_n = 0``.
    probabilities : ndarray, shape (n + 1,)
        Their probabilities (equal values are not merged).
    """

    values: Any
    probabilities: Any

    def cdf(self, x: Values) -> Values:
        """Return ``P(ln |w_n/w_0| <= x)``, same shape as ``x``."""
        points = array("x", x)
        cumulative = np.concatenate([[0.0], np.cumsum(self.probabilities)])
        return np.minimum(cumulative[np.searchsorted(self.values, points, side="right")], 1.0)[()]

    def mean(self) -> float:
        """Return the mean, ``n`` times the Lyapunov exponent."""
        live = self.probabilities > 0.0
        return float(np.sum(self.values[live] * self.probabilities[live]))


def two_point_log_law(a: float, lam: float, n: int) -> TwoPointLogLaw:
    """Return the law of ``ln |w_n/w_0|``: ``k ln|1-lam| + (n-k) ln|1+lam (1-a)|``, k binomial.

    Parameters
    ----------
    a : float
        Twice the mean of ``x``.
    lam : float
        Learning rate, >= 0.
    n : int
        Steps, 0 to 1e7.
    """
    a, lam, n = number("a", a), number("lam", lam, low=0.0), integer("n", n, low=0, high=10**7)
    first, second = (float(x) for x in _logs(a, lam))
    k = np.arange(n + 1)
    with np.errstate(invalid="ignore"):
        one = np.where(k > 0, k * first, 0.0)  # 0 times -inf is 0 here
        other = np.where(k < n, (n - k) * second, 0.0)
    log_choose = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    weights = np.exp(log_choose - n * math.log(2.0))
    order = np.argsort(one + other, kind="stable")
    return TwoPointLogLaw((one + other)[order], (weights / np.sum(weights))[order])
