"""The interface of every exact law; its habits are those of scipy.stats frozen distributions."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import array, generator, number, shape
from ._panels import NODES, WEIGHTS, FloatArray

if TYPE_CHECKING:
    from .compare import Comparison

__all__ = ["Law", "NoStationaryLaw", "PositiveLaw"]


_MAX_ORDER = 1000.0  # of a moment


class NoStationaryLaw(ValueError):
    """No stationary probability law exists; the message says what happens instead."""


class Law(abc.ABC):
    """A probability law on the real line.

    Arguments broadcast like numpy functions; scalars give ``numpy.float64``.

    Attributes
    ----------
    name : str
        The law in words, with its parameters.
    reason : str
        Why the law is degenerate; empty for an ordinary law.
    """

    name: str = "law"
    reason: str = ""

    def __repr__(self) -> str:
        return f"<{self.name}>"

    # -- what a law must provide (float64 arrays in and out) -------------------------------------

    @abc.abstractmethod
    def support(self) -> tuple[float, float]:
        """Return the ends of the support."""

    @abc.abstractmethod
    def _logpdf(self, x: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def _cdf(self, x: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def _sf(self, x: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def _ppf(self, q: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def _isf(self, q: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def _moment(self, n: float) -> float: ...

    @abc.abstractmethod
    def modes(self) -> tuple[float, ...]:
        """Return all local maxima of the density, ascending (an edge where it diverges too)."""

    @abc.abstractmethod
    def entropy(self) -> float:
        """Return the differential entropy ``-E ln p``."""

    # -- functions of a point --------------------------------------------------------------------

    @staticmethod
    def _call(function: Callable[[FloatArray], FloatArray], name: str, value: Any) -> Any:
        """Apply ``function`` to a checked argument; overflow to inf or 0 is not worth a warning."""
        points = array(name, value)
        with np.errstate(all="ignore"):
            return np.asarray(function(points))[()]

    def logpdf(self, x: Any) -> Any:
        """Return the log density at ``x``; -inf outside the support."""
        return self._call(self._logpdf, "x", x)

    def pdf(self, x: Any) -> Any:
        """Return the density at ``x``; 0 outside the support, inf where it diverges."""
        return self._call(lambda points: np.exp(self._logpdf(points)), "x", x)

    def cdf(self, x: Any) -> Any:
        """Return ``P(X <= x)``, relatively accurate in the lower tail."""
        return self._call(self._cdf, "x", x)

    def sf(self, x: Any) -> Any:
        """Return ``P(X > x)``, relatively accurate in the upper tail."""
        return self._call(self._sf, "x", x)

    def logcdf(self, x: Any) -> Any:
        """Return ``ln P(X <= x)``."""
        return self._call(self._logcdf, "x", x)

    def logsf(self, x: Any) -> Any:
        """Return ``ln P(X > x)``."""
        return self._call(self._logsf, "x", x)

    def _logcdf(self, x: FloatArray) -> FloatArray:
        value = self._cdf(x)
        return np.where(value > 0.5, np.log1p(-self._sf(x)), np.log(value))

    def _logsf(self, x: FloatArray) -> FloatArray:
        value = self._sf(x)
        return np.where(value > 0.5, np.log1p(-self._cdf(x)), np.log(value))

    def ppf(self, q: Any) -> Any:
        """Return the ``x`` with ``P(X <= x) = q``; nan for ``q`` outside [0, 1]."""
        with np.errstate(all="ignore"):
            return self._clean(self._ppf, array("q", q), self.support())

    def isf(self, q: Any) -> Any:
        """Return the ``x`` with ``P(X > x) = q``; nan for ``q`` outside [0, 1]."""
        with np.errstate(all="ignore"):
            return self._clean(self._isf, array("q", q), self.support()[::-1])

    @staticmethod
    def _clean(
        function: Callable[[FloatArray], FloatArray], q: FloatArray, ends: tuple[float, float]
    ) -> Any:
        inside = (q > 0.0) & (q < 1.0)
        value = np.asarray(function(np.where(inside, q, 0.5)))
        value = np.where(inside, value, np.nan)
        value = np.where(q == 0.0, ends[0], np.where(q == 1.0, ends[1], value))
        return value[()]

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Draw independent values by inversion.

        Parameters
        ----------
        size : int or tuple of int, optional
            Shape of the result; a scalar by default.
        random_state : None, int or numpy.random.Generator
            Source of randomness: fresh entropy, a seed, or a generator (which advances).
        """
        return self.ppf(self._uniforms(size, random_state))

    @staticmethod
    def _uniforms(size: Any, random_state: Any) -> FloatArray:
        draws = np.asarray(generator("random_state", random_state).random(shape("size", size)))
        return np.where(draws == 0.0, 2.0**-54, draws)  # an exact 0 is the end of the support

    # -- numbers ---------------------------------------------------------------------------------

    def moment(self, n: Any) -> float:
        """Return the raw moment ``E X^n``.

        Parameters
        ----------
        n : int or float
            Order. Laws on the positive half-line take any real order, the others integers >= 0.

        Returns
        -------
        float
            inf where the integral diverges, nan where it diverges on both sides with opposite
            signs; :meth:`moment_reason` then says why.
        """
        order = self._order(n)
        return 1.0 if order == 0.0 else float(self._moment(order))

    def moment_reason(self, n: Any) -> str:
        """Return why ``E X^n`` is not finite; empty if it is."""
        order = self._order(n)
        return "" if order == 0.0 else self._moment_reason(order)

    def _moment_reason(self, n: float) -> str:
        return ""

    def _order(self, n: Any) -> float:
        order = number("n", n, low=-_MAX_ORDER, high=_MAX_ORDER)
        if self.support()[0] < 0.0 and (order < 0.0 or order != math.floor(order)):
            raise ValueError(f"n must be an integer >= 0 for a law on the real line, got {n!r}")
        return order

    def mean(self) -> float:
        """Return ``E X``."""
        return self.moment(1)

    def var(self) -> float:
        """Return the variance; inf or nan where it does not exist."""
        first, second = self.moment(1), self.moment(2)
        return second if not math.isfinite(second) else second - first * first

    def std(self) -> float:
        """Return the standard deviation."""
        return math.sqrt(self.var())

    def median(self) -> float:
        """Return the median."""
        return float(self.ppf(0.5))

    def mode(self) -> float:
        """Return where the density is largest; an edge of the support where it diverges."""
        places = self.modes()
        heights = [float(self._logpdf(np.asarray(place, dtype=np.float64))) for place in places]
        return places[int(np.argmax(heights))] if places else math.nan

    def interval(self, confidence: Any) -> tuple[Any, Any]:
        """Return the central interval that holds the share ``confidence``."""
        level = number("confidence", confidence, low=0.0, high=1.0)
        tail = 0.5 * (1.0 - level)
        return self.ppf(tail), self.isf(tail)

    @cached_property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        """Quadrature nodes and their probabilities; panels follow quantiles and scales."""
        centre = self.median()
        tails = np.exp2(-np.arange(1.0, 1000.0))
        ends = np.concatenate([np.asarray(self.ppf(tails[::-1])), np.asarray(self.isf(tails))])
        if self.support()[0] >= 0.0:
            middle = math.log(centre)
            y = np.log(ends[ends > 0.0])
        else:
            spread = float(self.ppf(0.75)) - centre
            middle = 0.0
            y = np.arcsinh((ends - centre) / spread)
        inner = middle + 0.5 * np.arange(-120, 121)
        y = y[np.isfinite(y)]
        inner = inner[(inner > y.min()) & (inner < y.max())]
        y = np.unique(np.concatenate([y, inner]))
        half = 0.5 * np.diff(y)
        nodes = (y[:-1] + half)[:, None] + half[:, None] * NODES
        with np.errstate(all="ignore"):
            if self.support()[0] >= 0.0:
                x, jacobian = np.exp(nodes), np.exp(nodes)
            else:
                x, jacobian = centre + spread * np.sinh(nodes), spread * np.cosh(nodes)
            weights = np.exp(self._logpdf(x)) * jacobian * half[:, None] * WEIGHTS
        good = np.isfinite(weights) & (weights > 0.0)
        return x[good], weights[good]

    def expectation(self, f: Callable[[FloatArray], Any]) -> float:
        """Return ``E f(X)`` by Gauss quadrature.

        Parameters
        ----------
        f : callable
            Vectorised: takes a 1-D array of points and returns an array of the same shape. It
            should be smooth and grow more slowly than the tails fall; moments that may diverge are
            the business of :meth:`moment`.

        Raises
        ------
        TypeError
            If ``f`` is not callable.
        ValueError
            If it does not return one number per point.
        """
        if not callable(f):
            raise TypeError(f"f must be callable, got {f!r}")
        x, weights = self._nodes
        values = array("f(x)", f(x))
        if values.shape not in ((), x.shape):
            raise ValueError(f"f must return an array of shape {x.shape}, got {values.shape}")
        return float(np.sum(weights * values))

    def compare(self, data: Any) -> Comparison:
        """Compare samples or a histogram with this law; see :func:`escapade.laws.compare`."""
        from .compare import compare  # here because compare needs this module

        return compare(self, data)


class PositiveLaw(Law):
    """A law of ``X = exp(Y) > 0`` given by functions of ``y = ln x``.

    The logarithmic access survives where ``x`` itself underflows: near a collapse most of the mass
    may sit below the smallest float.
    """

    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    @abc.abstractmethod
    def _logpdf_y(self, y: FloatArray) -> FloatArray:
        """Log density of ``Y = ln X``."""

    @abc.abstractmethod
    def _cdf_y(self, y: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def _sf_y(self, y: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def _ppf_y(self, q: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def _isf_y(self, q: FloatArray) -> FloatArray: ...

    @abc.abstractmethod
    def mean_log(self) -> float:
        """Return ``E ln X``."""

    def cdf_log(self, y: Any) -> Any:
        """Return ``P(ln X <= y)``."""
        return self._call(self._cdf_y, "y", y)

    def sf_log(self, y: Any) -> Any:
        """Return ``P(ln X > y)``."""
        return self._call(self._sf_y, "y", y)

    def logpdf_log(self, y: Any) -> Any:
        """Return the log density of ``ln X`` at ``y``."""
        return self._call(self._logpdf_y, "y", y)

    def ppf_log(self, q: Any) -> Any:
        """Return ``ln`` of the quantile; finite even where the quantile underflows."""
        return self._clean_log(self._ppf_y, array("q", q), 0)

    def isf_log(self, q: Any) -> Any:
        """Return ``ln`` of the upper quantile."""
        return self._clean_log(self._isf_y, array("q", q), 1)

    def _clean_log(
        self, function: Callable[[FloatArray], FloatArray], q: FloatArray, first: int
    ) -> Any:
        with np.errstate(all="ignore"):
            ends = np.log(np.asarray(self.support()))
            return self._clean(function, q, (float(ends[first]), float(ends[1 - first])))

    def rvs_log(self, size: Any = None, random_state: Any = None) -> Any:
        """Draw ``ln X``; arguments as in :meth:`rvs`."""
        return self.ppf_log(self._uniforms(size, random_state))

    def _mode_of_power(self, p: float) -> float | None:
        """Return the ``x`` where the density of ``X^p`` is largest, if known in closed form."""
        return None

    # -- the functions of x follow ---------------------------------------------------------------

    @staticmethod
    def _log(x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return np.where(x > 0.0, np.log(x), np.where(np.isnan(x), np.nan, -np.inf))

    def _logpdf(self, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            y = self._log(x)
            value = self._logpdf_y(y) - y
        edge = x == 0.0
        if np.any(edge):
            value = np.where(edge, self._logpdf_zero(), value)
        return np.where((x < 0.0) | (x == np.inf), -np.inf, value)

    def _logpdf_zero(self) -> float:
        """Log density at x = 0+: read off deep in the tail, where its slope shows the limit."""
        deep = np.array([-600.0, -300.0])
        first, second = (self._logpdf_y(deep) - deep).tolist()
        if abs(first - second) < 1e-9:
            return float(first)
        return math.inf if first > second else -math.inf

    def _cdf(self, x: FloatArray) -> FloatArray:
        return self._cdf_y(self._log(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return self._sf_y(self._log(x))

    def _ppf(self, q: FloatArray) -> FloatArray:
        return np.exp(self._ppf_y(q))

    def _isf(self, q: FloatArray) -> FloatArray:
        return np.exp(self._isf_y(q))
