"""Moments of the data set that a diagonal linear network is trained on.

With inputs ``x`` and targets ``y`` (both scalar) the reduced dynamics of the network depends on the
data only through five numbers (Ziyin, Li, Ueda, *Law of balance and stationary distribution of
stochastic gradient descent*, arXiv:2308.06671, eqs. A.8 and A.10)::

    beta1 = E x^2    beta2 = E x y    alpha1 = Var x^2    alpha2 = Cov(x^2, x y)    alpha3 = Var x y

from which the variance of one gradient is ``4 q(v)``, ``q(v) = alpha1 v^2 - 2 alpha2 v + alpha3``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from .._checks import array
from ._law import DataLaw, label
from ._sweep import Values, broadcast, index_of, key, values

__all__ = ["DataMoments", "discriminant"]

# Below this multiple of alpha1 alpha3 the determinant is rounding noise: the data interpolate.
_DELTA_TOLERANCE = 64 * np.finfo(np.float64).eps


def discriminant(alpha1: Values, alpha2: Values, alpha3: Values) -> Values:
    """Return ``alpha1 alpha3 - alpha2**2``, set to exactly 0 where it is rounding noise.

    Raises
    ------
    ValueError
        If it is negative beyond rounding (impossible for a covariance matrix).
    """
    if np.ndim(alpha1) == np.ndim(alpha2) == np.ndim(alpha3) == 0:
        return _discriminant(float(alpha1), float(alpha2), float(alpha3))
    a1, a2, a3 = np.broadcast_arrays(alpha1, alpha2, alpha3)
    with np.errstate(all="ignore"):  # the steps of _discriminant, on arrays
        root = np.sqrt(a1) * np.sqrt(a3)
        ratio = a2 / root
        excess = (1.0 - ratio) * (1.0 + ratio)
        constant, rounding = root == 0.0, np.abs(excess) <= _DELTA_TOLERANCE
        exact = a1 * a3 - a2 * a2
        delta = np.where((exact > 0.0) & (exact < math.inf), exact, excess * root * root)
        bad = np.where(constant, a2 * a2 != 0.0, ~rounding & (excess < 0.0))
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        _discriminant(float(a1[at]), float(a2[at]), float(a3[at]))  # raises
    delta = np.where(constant | rounding, 0.0, delta)
    delta.flags.writeable = False
    return delta


def _discriminant(alpha1: float, alpha2: float, alpha3: float) -> float:
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


@dataclass(frozen=True, eq=False)
class DataMoments:
    """The five moments of a data set, and ``E y^2`` where it is known.

    Any number may be an array (a sweep); all are then broadcast together to `shape`, read-only, and
    ``m[i]`` or ``m[i, j]`` is the data set at one point. Two compare equal if all their fields do.

    Attributes
    ----------
    beta1, beta2 : float or ndarray
        ``E x^2`` (> 0) and ``E x y``.
    alpha1, alpha2, alpha3 : float or ndarray
        ``Var x^2``, ``Cov(x^2, x y)``, ``Var x y``; a covariance matrix, so
        ``alpha2**2 <= alpha1 * alpha3``.
    ey2 : float or ndarray
        ``E y^2``, or nan if unknown. Only the loss needs it.
    label : str
        Where the numbers come from, for reports.
    law : DataLaw or None
        The distribution of ``(x, y)`` that has these moments, or None if unknown. Only SGD, which
        draws minibatches, needs it.

    Raises
    ------
    TypeError, ValueError
        If a number is not one, or no data set can have these moments, or arrays do not broadcast,
        or ``law`` has other moments.
    """

    beta1: Values
    beta2: Values
    alpha1: Values
    alpha2: Values
    alpha3: Values
    ey2: Values = math.nan
    label: str = "moments"
    law: DataLaw | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        checked = {
            "beta1": values("beta1", self.beta1, low=0.0, open_low=True),
            "beta2": values("beta2", self.beta2),
            "alpha1": values("alpha1", self.alpha1, low=0.0),
            "alpha2": values("alpha2", self.alpha2),
            "alpha3": values("alpha3", self.alpha3, low=0.0),
            "ey2": values("ey2", self.ey2, low=0.0, nan=True),
        }
        if not isinstance(self.label, str):
            raise TypeError(f"label must be a string, got {self.label!r}")
        if not (self.law is None or isinstance(self.law, DataLaw)):
            raise TypeError(f"law must be a DataLaw or None, got {type(self.law).__name__}")
        checked = broadcast(checked)
        discriminant(checked["alpha1"], checked["alpha2"], checked["alpha3"])
        if self.law is not None:
            _check_law(self.law, checked)
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the sweep, ``()`` for a single data set."""
        return np.shape(self.beta1)

    def __getitem__(self, index: Any) -> DataMoments:
        """Return the data set at one point of the sweep: ``m[i]``, ``m[i, j]``, ..."""
        at = index_of(index, self.shape)
        if not at:
            return self
        family = self.label.partition("(")[0]
        law = None if self.law is None else self.law[at]
        where = f"{self.label}[{', '.join(map(str, at))}]" if law is None else label(family, law)
        return DataMoments(
            float(self.beta1[at]),
            float(self.beta2[at]),
            float(self.alpha1[at]),
            float(self.alpha2[at]),
            float(self.alpha3[at]),
            float(self.ey2[at]),
            where,
            law,
        )

    def _key(self) -> tuple[object, ...]:
        entries = (getattr(self, f.name) for f in fields(self))
        return tuple(e if isinstance(e, (str, DataLaw, type(None))) else key(e) for e in entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataMoments) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    @property
    def delta(self) -> Values:
        """``alpha1 alpha3 - alpha2^2 >= 0``; exactly 0 iff ``x y = k x^2 - c`` on all samples."""
        return discriminant(self.alpha1, self.alpha2, self.alpha3)

    def q(self, v: Any) -> Any:
        """Return ``q(v) = alpha1 v^2 - 2 alpha2 v + alpha3 = Var[v x^2 - x y]``.

        Parameters
        ----------
        v : array_like
            Points, any shape that broadcasts with `shape`.

        Returns
        -------
        float or ndarray
            Same shape as ``v``, broadcast with the sweep if there is one.
        """
        points = array("v", v)
        broadcast({"v": points, "data": self.beta1})
        with np.errstate(over="ignore", invalid="ignore"):
            return ((self.alpha1 * points - 2.0 * self.alpha2) * points + self.alpha3)[()]


def _check_law(law: DataLaw, given: dict[str, Values]) -> None:
    """Refuse a law whose moments are others, or SGD and its SDE would see different data."""
    have = law.moments()
    size: dict[
        str, Values
    ] = {  # what each number is small against: a mean may cancel, its bound does not
        "beta2": np.sqrt(have["beta1"]) * np.sqrt(have["ey2"]),
        "alpha2": np.sqrt(have["alpha1"]) * np.sqrt(have["alpha3"]),
    }
    for name, value in given.items():
        bound = 1e-9 * (size if name in size else have)[name]
        if np.shape(value) != law.shape or np.any(np.abs(value - have[name]) > bound):
            raise ValueError(
                f"law must have the moments given, got {name} = {value!r} "
                f"and a law with {name} = {have[name]!r}"
            )
