"""What an estimator returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import array, choice

__all__ = [
    "ROUNDS",
    "Estimate",
    "FloatArray",
    "propagate",
    "sandwich",
    "solve_least_squares",
    "states",
]

#: Most rounds of a reweighted regression.
ROUNDS = 50
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """Estimated parameters with the covariance of their errors.

    ``estimate["H"]`` is the value and ``estimate.error("H")`` its standard error.

    Attributes
    ----------
    names : tuple of str
    values : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
        Of the errors, for large samples.
    samples : int
        Number of samples or pairs used.
    """

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    samples: int

    def _index(self, name: str) -> int:
        return self.names.index(choice("name", name, self.names))

    def __getitem__(self, name: str) -> float:
        return float(self.values[self._index(name)])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def error(self, name: str) -> float:
        """Return the standard error of a parameter."""
        i = self._index(name)
        return float(np.sqrt(self.covariance[i, i]))

    def __repr__(self) -> str:
        shown = (f"{name}={self[name]:.6g}±{self.error(name):.2g}" for name in self.names)
        return f"Estimate({', '.join(shown)}, samples={self.samples})"


def states(name: str, value: Any, least: int) -> FloatArray:
    """Return finite states as a 1-D array of at least ``least`` different entries."""
    result = array(name, value).ravel()
    if not np.isfinite(result).all():
        raise ValueError(
            f"{name} must be finite, got {int((~np.isfinite(result)).sum())} that are not"
        )
    if result.size < least or np.ptp(result) == 0.0:
        raise ValueError(f"{name} must hold at least {least} states that differ, got {result.size}")
    return result


def solve_least_squares(X: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the coefficients that minimise ``sum weight (y - X b)^2``."""
    coefficients: FloatArray = np.linalg.solve((X * weight[:, None]).T @ X, X.T @ (weight * y))
    return coefficients


def sandwich(
    parts: list[tuple[FloatArray, FloatArray, FloatArray]],
) -> FloatArray:
    """Return the joint covariance of several weighted regressions ``(X, residual, weight)``.

    The rows of all of them belong together; residuals are martingale differences, not otherwise known.
    """
    scores, breads = [], []
    for X, residual, weight in parts:
        weighted = X * weight[:, None]
        breads.append(np.linalg.inv(weighted.T @ X))
        scores.append(weighted * residual[:, None])
    size = sum(len(b) for b in breads)
    bread, at = np.zeros((size, size)), 0
    for block in breads:
        bread[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    score = np.hstack(scores)
    covariance: FloatArray = bread @ (score.T @ score) @ bread.T
    return covariance


def propagate(
    function: Callable[[FloatArray], FloatArray], values: FloatArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return ``function(values)`` and its covariance by linearisation."""
    steps = 1e-6 * np.maximum(np.sqrt(np.diag(covariance)), 1e-6 * np.abs(values))
    columns = []
    for i, h in enumerate(steps):
        shift = np.zeros(len(values))
        shift[i] = h
        columns.append((function(values + shift) - function(values - shift)) / (2.0 * h))
    J = np.stack(columns, axis=1)
    return function(values), J @ covariance @ J.T
