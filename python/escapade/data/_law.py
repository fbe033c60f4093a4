"""The distribution that the samples of a data set are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import array, choice
from ._sweep import Values, broadcast, frozen, index_of, key, shown, values

__all__ = ["DataLaw", "label"]


@dataclass(frozen=True, eq=False)
class DataLaw:
    """The joint distribution of an input ``x`` and its target ``y``.

    Attributes
    ----------
    kind : str
        ``"gaussian"``: ``x ~ N(0, 1)``, ``y = k x + s e``; ``"binary"``: ``x = +-1`` with equal
        probability, ``y = k x + s e``; ``"samples"``: one of the pairs ``(x[i], y[i])``, each with
        the same weight. ``e ~ N(0, 1)`` is independent of ``x``.
    k, s : float or ndarray
        Slope of the teacher and standard deviation of the label noise, >= 0; arrays for a sweep.
        nan for samples.
    x, y : ndarray or None
        The samples, shape (n,), read-only; None for the other kinds.

    Raises
    ------
    TypeError, ValueError
        If the arguments do not fit the kind, are not finite numbers, or no law has them.
    """

    kind: str
    k: Values = math.nan
    s: Values = math.nan
    x: Any = None
    y: Any = None

    def __post_init__(self) -> None:
        fields: dict[str, Any]
        if choice("kind", self.kind, ("gaussian", "binary", "samples")) == "samples":
            fields = {"k": math.nan, "s": math.nan, **_samples(self.x, self.y)}
        else:
            if self.x is not None or self.y is not None:
                raise ValueError(f"x and y must be None for kind = {self.kind!r}")
            fields = broadcast({"k": values("k", self.k), "s": values("s", self.s, low=0.0)})
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the sweep, ``()`` for a single law."""
        return np.shape(self.k)

    def __getitem__(self, index: Any) -> DataLaw:
        """Return the law at one point of the sweep."""
        at = index_of(index, self.shape)
        return DataLaw(self.kind, float(self.k[at]), float(self.s[at])) if at else self

    def moments(self) -> dict[str, Values]:
        """Return ``beta1, beta2, alpha1, alpha2, alpha3, ey2`` by name."""
        if self.kind == "samples":
            return _sample_moments(self.x, self.y)
        k, s = self.k, self.s
        with np.errstate(over="ignore"):
            noise, power = s * s, k * k + s * s
            zero, one = 0.0 * abs(k), 0.0 * k + 1.0
            if self.kind == "binary":
                return _named(one, k, zero, zero, noise, power)
            return _named(one, k, 2.0 * one, 2.0 * k, 2.0 * k * k + noise, power)

    def _key(self) -> tuple[object, ...]:
        samples = None if self.x is None else (self.x.tobytes(), self.y.tobytes())
        return self.kind, key(self.k), key(self.s), samples

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataLaw) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


def label(family: str, law: DataLaw) -> str:
    """Return the label of a law: ``gaussian(k=1, s=0.5)``, ``interpolating(k=1)`` ..."""
    if law.kind == "samples":
        return f"{family}(n={np.size(law.x)})"
    noise = "" if family == "interpolating" else f", s={shown(law.s)}"
    return f"{family}(k={shown(law.k)}{noise})"


def _named(*numbers: Values) -> dict[str, Values]:
    names = ("beta1", "beta2", "alpha1", "alpha2", "alpha3", "ey2")
    return dict(zip(names, numbers, strict=True))


def _samples(x: Any, y: Any) -> dict[str, Any]:
    """Return checked, read-only copies of the samples."""
    xs, ys = array("x", x), array("y", y)
    for name, entries in (("x", xs), ("y", ys)):
        if entries.ndim != 1:
            raise ValueError(f"{name} must be 1-D, got shape {entries.shape}")
        bad = int(np.count_nonzero(~np.isfinite(entries)))
        if bad:
            raise ValueError(f"{name} must be finite, got {bad} entries that are not")
    if xs.size != ys.size or xs.size < 2:
        raise ValueError(
            f"x and y must have the same length, at least 2; got {xs.size} and {ys.size}"
        )
    if not np.any(xs):
        raise ValueError("x must not be identically zero")
    return {"x": frozen(xs), "y": frozen(ys)}


def _sample_moments(xs: Any, ys: Any) -> dict[str, Values]:
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
    return _named(beta1, beta2, *alphas, ey2)
