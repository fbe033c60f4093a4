"""Moments of the data set that a diagonal linear network is trained on.

With inputs ``x`` and targets ``y`` (both scalar) the reduced dynamics of the network depends on the
data only through five numbers (Ziyin, Li, Ueda, *Law of balance and stationary distribution of
stochastic gradient descent*, arXiv:2308.06671, eqs. A.8 and A.10)::

    beta1 = E x^2    beta2 = E x y    alpha1 = Var x^2    alpha2 = Cov(x^2, x y)    alpha3 = Var x y

from which the variance of one gradient is ``4 q(v)``, ``q(v) = alpha1 v^2 - 2 alpha2 v + alpha3``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._checks import array, number

__all__ = ["DataMoments", "binary", "from_samples", "gaussian", "moments"]

# Below this multiple of alpha1 alpha3 the determinant is rounding noise: the data interpolate.
_DELTA_TOLERANCE = 64 * np.finfo(np.float64).eps


def discriminant(alpha1: float, alpha2: float, alpha3: float) -> float:
    """Return ``alpha1 alpha3 - alpha2**2``, set to exactly 0 where it is rounding noise.

    Raises
    ------
    ValueError
        If it is negative beyond rounding (impossible for a covariance matrix).
    """
    # Ratios first: the products may overflow or underflow although the answer does not.
    if alpha1 == 0.0 or alpha3 == 0.0:
        if alpha2 * alpha2 != 0.0:  # a product that underflows is no evidence
            raise ValueError(
                f"alpha2**2 must be at most alpha1*alpha3 = 0, got alpha2 = {alpha2!r}"
            )
        return 0.0
    root = math.sqrt(alpha1) * math.sqrt(alpha3)
    ratio = alpha2 / root
    excess = (1.0 - ratio) * (1.0 + ratio)
    if abs(excess) <= _DELTA_TOLERANCE:
        return 0.0
    if excess < 0.0:
        raise ValueError(
            f"alpha2**2 must be at most alpha1*alpha3, got alpha1 = {alpha1!r}, "
            f"alpha2 = {alpha2!r}, alpha3 = {alpha3!r}"
        )
    exact = alpha1 * alpha3 - alpha2 * alpha2
    return exact if 0.0 < exact < math.inf else excess * root * root


@dataclass(frozen=True)
class DataMoments:
    """The five moments of a data set, and ``E y^2`` where it is known.

    Attributes
    ----------
    beta1, beta2 : float
        ``E x^2`` (> 0) and ``E x y``.
    alpha1, alpha2, alpha3 : float
        ``Var x^2``, ``Cov(x^2, x y)``, ``Var x y``; a covariance matrix, so
        ``alpha2**2 <= alpha1 * alpha3``.
    ey2 : float
        ``E y^2``, or nan if unknown. Only the loss needs it.
    label : str
        Where the numbers come from, for reports.

    Raises
    ------
    TypeError, ValueError
        If a number is not one, or no data set can have these moments.
    """

    beta1: float
    beta2: float
    alpha1: float
    alpha2: float
    alpha3: float
    ey2: float = math.nan
    label: str = "moments"

    def __post_init__(self) -> None:
        fields: dict[str, float] = {
            "beta1": number("beta1", self.beta1, low=0.0, open_low=True),
            "beta2": number("beta2", self.beta2),
            "alpha1": number("alpha1", self.alpha1, low=0.0),
            "alpha2": number("alpha2", self.alpha2),
            "alpha3": number("alpha3", self.alpha3, low=0.0),
        }
        known = not (isinstance(self.ey2, float) and math.isnan(self.ey2))
        if known:
            fields["ey2"] = number("ey2", self.ey2, low=0.0)
        if not isinstance(self.label, str):
            raise TypeError(f"label must be a string, got {self.label!r}")
        discriminant(fields["alpha1"], fields["alpha2"], fields["alpha3"])
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    @property
    def delta(self) -> float:
        """``alpha1 alpha3 - alpha2^2 >= 0``; exactly 0 iff ``x y = k x^2 - c`` on all samples."""
        return discriminant(self.alpha1, self.alpha2, self.alpha3)

    def q(self, v: Any) -> Any:
        """Return ``q(v) = alpha1 v^2 - 2 alpha2 v + alpha3 = Var[v x^2 - x y]``.

        Parameters
        ----------
        v : array_like
            Points, any shape.

        Returns
        -------
        float or ndarray
            Same shape as ``v``.
        """
        points = array("v", v)
        with np.errstate(over="ignore", invalid="ignore"):
            return ((self.alpha1 * points - 2.0 * self.alpha2) * points + self.alpha3)[()]


def gaussian(k: float = 1.0, s: float = 1.0) -> DataMoments:
    """Moments for ``x ~ N(0, 1)``, ``y = k x + s e`` with independent ``e ~ N(0, 1)``.

    Parameters
    ----------
    k : float, default 1
        Slope of the teacher.
    s : float, default 1
        Standard deviation of the label noise, >= 0.
    """
    k, s = number("k", k), number("s", s, low=0.0)
    return DataMoments(
        1.0, k, 2.0, 2.0 * k, 2.0 * k * k + s * s, k * k + s * s, f"gaussian(k={k:g}, s={s:g})"
    )


def binary(k: float = 1.0, s: float = 1.0) -> DataMoments:
    """Moments for ``x = +-1``, ``y = k x + s e`` with independent ``e ~ N(0, 1)``.

    Here ``alpha1 = alpha2 = 0``: the noise does not depend on the state, and every law is
    elementary.

    Parameters
    ----------
    k : float, default 1
        Slope of the teacher.
    s : float, default 1
        Standard deviation of the label noise, >= 0.
    """
    k, s = number("k", k), number("s", s, low=0.0)
    return DataMoments(1.0, k, 0.0, 0.0, s * s, k * k + s * s, f"binary(k={k:g}, s={s:g})")


def moments(beta1: float, beta2: float, alpha1: float, alpha2: float, alpha3: float) -> DataMoments:
    """Moments given directly; see :class:`DataMoments` for their meaning and bounds."""
    return DataMoments(beta1, beta2, alpha1, alpha2, alpha3)


def from_samples(x: Any, y: Any) -> DataMoments:
    """Moments of a finite data set, each sample with the same weight.

    The data set *is* the distribution that SGD draws from, so variances are divided by the number
    of samples, not by one less.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Inputs and targets, finite, n >= 2, ``x`` not identically zero.

    Raises
    ------
    TypeError, ValueError
        If the arrays are not numeric, not 1-D, of different length, too short or not finite.
    """
    xs, ys = array("x", x), array("y", y)
    for name, values in (("x", xs), ("y", ys)):
        if values.ndim != 1:
            raise ValueError(f"{name} must be 1-D, got shape {values.shape}")
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            raise ValueError(f"{name} must be finite, got {bad} entries that are not")
    if xs.size != ys.size or xs.size < 2:
        raise ValueError(
            f"x and y must have the same length, at least 2; got {xs.size} and {ys.size}"
        )
    if not np.any(xs):
        raise ValueError("x must not be identically zero")
    with np.errstate(over="ignore", invalid="ignore"):
        xx, xy = xs * xs, xs * ys
        beta1, beta2 = float(np.mean(xx)), float(np.mean(xy))
        dx, dy = xx - beta1, xy - beta2
        # Constant products leave rounding noise behind; call it the zero that it is.
        floor = 4.0 * np.finfo(np.float64).eps
        dx[np.abs(dx) <= floor * beta1] = 0.0
        dy[np.abs(dy) <= floor * abs(beta2)] = 0.0
        alphas = [float(np.mean(p)) for p in (dx * dx, dx * dy, dy * dy)]
        ey2 = float(np.mean(ys * ys))
    if not all(math.isfinite(value) for value in (beta1, beta2, ey2, *alphas)) or beta1 == 0.0:
        raise ValueError("x and y must be of a size whose fourth powers a float can hold")
    return DataMoments(
        beta1, beta2, alphas[0], alphas[1], alphas[2], ey2, f"from_samples(n={xs.size})"
    )
