"""The Boltzmann law of the symmetric double well."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from .._checks import number
from ._panels import FloatArray
from .base import Law, NoStationaryLaw
from .coordinates import LogCoordinate
from .numeric import NumericLaw

__all__ = ["DoubleWell"]


class DoubleWell(Law):
    """The law ``exp(-h (x^2-1)^2 / T)`` up to a factor.

    Stationary for ``dX = -V'(X) dt + sqrt(2T) dW``, ``V = h (x^2 - 1)^2``.

    Parameters
    ----------
    h : float
        Barrier height, > 0.
    T : float
        Temperature, > 0.

    Raises
    ------
    NoStationaryLaw
        For ``T = 0``: which well a path ends in depends on its start.
    TypeError, ValueError
        If an argument is not a finite number or out of bounds.
    """

    def __init__(self, h: float, T: float) -> None:
        self.h = number("h", h, low=0.0, open_low=True)
        self.T = number("T", T, low=0.0)
        if self.T == 0.0:
            raise NoStationaryLaw(
                "DoubleWell has no unique stationary law for T = 0: without noise a path stays in "
                "the well it starts in"
            )
        self.name = f"DoubleWell(h={self.h:.6g}, T={self.T:.6g})"
        self._ratio = ratio = number("h/T", self.h / self.T, low=1e-200, high=1e14)
        # By symmetry it is enough to tabulate |x|, in units that make both limits regular.
        unit = min(1.0, ratio**-0.25) if ratio >= 1.0 else ratio**-0.25

        def score(y: FloatArray) -> FloatArray:
            x = unit * np.exp(np.minimum(y, 100.0))
            return np.asarray(1.0 - 4.0 * ratio * x * x * (x - 1.0) * (x + 1.0))

        peak = 0.5 * math.log(0.5 + math.sqrt(0.25 + 0.25 / ratio)) - math.log(unit)
        self._half = NumericLaw(
            f"|x| of {self.name}", score, LogCoordinate(unit), (0.0, peak), left=1.0
        )
        self._log_norm = float(
            self._half._logpdf_y(np.array([0.0]))[0] + math.log(0.5)
        )  # ln p(1), where the exponent vanishes

    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def _logpdf(self, x: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            gap = (x - 1.0) * (x + 1.0)
            return self._log_norm - self._ratio * gap * gap

    def _cdf(self, x: FloatArray) -> FloatArray:
        size = np.abs(x)
        return np.where(x <= 0.0, 0.5 * self._half._sf(size), 0.5 + 0.5 * self._half._cdf(size))

    def _sf(self, x: FloatArray) -> FloatArray:
        return self._cdf(-x)

    def _logcdf(self, x: FloatArray) -> FloatArray:
        low = self._half._logsf(np.abs(x)) - math.log(2.0)
        return np.where(x <= 0.0, low, np.log1p(-0.5 * self._half._sf(np.abs(x))))

    def _logsf(self, x: FloatArray) -> FloatArray:
        return self._logcdf(-x)

    def _ppf(self, q: FloatArray) -> FloatArray:
        size = self._half._isf(2.0 * np.minimum(q, 1.0 - q))
        return np.where(q == 0.5, 0.0, np.where(q < 0.5, -size, size))

    def _isf(self, q: FloatArray) -> FloatArray:
        return -self._ppf(q)

    def _moment(self, n: float) -> float:
        return self._half.moment(n) if n % 2.0 == 0.0 else 0.0

    def var(self) -> float:
        return self._half.moment(2)

    def modes(self) -> tuple[float, ...]:
        """Return -1 and 1, the bottoms of the wells."""
        return (-1.0, 1.0)

    def mode(self) -> float:
        """Return 1; by symmetry -1 is as good."""
        return 1.0

    @cached_property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        x, weights = self._half._nodes
        return np.concatenate([-x, x]), 0.5 * np.concatenate([weights, weights])

    def entropy(self) -> float:
        return self._half.entropy() + math.log(2.0)
