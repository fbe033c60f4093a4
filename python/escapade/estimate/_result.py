"""What an estimator returns."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import array, choice, number

__all__ = [
    "ROUNDS",
    "SIGNIFICANT",
    "Estimate",
    "FloatArray",
    "OffCentreWarning",
    "centre_of",
    "hat",
    "propagate",
    "solve_least_squares",
    "states",
    "warn_off_centre",
]

#: Most rounds of a reweighted regression.
ROUNDS = 50
#: Standard errors by which a slope must exceed 0 where its logarithm or inverse is taken.
SIGNIFICANT = 3.0
#: Standard errors off the stated centre from which `OffCentreWarning` is given.
_OFF_CENTRE = 5.0
FloatArray = npt.NDArray[np.float64]


class OffCentreWarning(UserWarning):
    """The data are significantly off the minimum that was stated or assumed."""


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

    def noise(self, eta: float) -> Estimate:
        """Return the variances of one minibatch gradient, ``sigma_g = es/eta``, ``sigma_H = eh/eta``.

        These are the parameters of the same names of `escapade.models.PowerLaw`.

        Parameters
        ----------
        eta : float
            Learning rate, > 0; time is ``eta`` per step.

        Returns
        -------
        Estimate
            ``sigma_g``, ``sigma_H``.

        Raises
        ------
        ValueError
            If ``es`` and ``eh`` are not among the parameters.
        """
        eta = number("eta", eta, low=0.0, open_low=True)
        which = [self._index("es"), self._index("eh")]
        covariance = self.covariance[np.ix_(which, which)] / eta**2
        return Estimate(("sigma_g", "sigma_H"), self.values[which] / eta, covariance, self.samples)

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


def hat(X: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the matrix (k, n) that maps data to the coefficients of `solve_least_squares`.

    Times the residuals it gives what each row adds to the errors, from which follows White's covariance.
    """
    weighted = X * weight[:, None]
    matrix: FloatArray = np.linalg.inv(weighted.T @ X) @ weighted.T
    return matrix


def centre_of(centre: Any) -> float | None:
    """Return the minimum as a number, or None if it is to be fitted."""
    if isinstance(centre, str):
        choice("centre", centre, ("fit",))
        return None
    return number("centre", centre)


def warn_off_centre(centre: float, sigmas: float, what: str) -> None:
    """Warn the caller of an estimator if data are ``sigmas`` standard errors off ``centre``."""
    if math.isfinite(sigmas) and abs(sigmas) > _OFF_CENTRE:
        warnings.warn(
            f"centre={centre:g} is not the minimum by these data: {what} by {abs(sigmas):.1f} standard "
            "errors, and the estimates are biased; state centre, or fit it by centre='fit'",
            OffCentreWarning,
            stacklevel=3,
        )


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
