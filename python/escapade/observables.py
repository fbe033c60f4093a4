"""Functions of states that observers can look at: ``Moments(of=escapade.observables.charge(A))``.

Each factory returns a function of states, shape (n,) or (n, dim), with one number per particle,
shape (n,). Particles are treated one by one and in a fixed order of operations, so results have the
same bits whatever the number of particles. Functions made from equal arguments are equal, which
`merge` asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._checks import array, integer
from .models.base import Observable

__all__ = ["charge", "component", "difference_of_squares", "log_abs", "norm"]

FloatArray = npt.NDArray[np.float64]


def _columns(name: str, x: FloatArray, least: int) -> FloatArray:
    """Return states as shape (n, dim); a ValueError if they have too few numbers."""
    columns = np.asarray(x, dtype=np.float64)
    columns = columns if columns.ndim == 2 else columns[:, np.newaxis]
    if columns.shape[1] < least:
        raise ValueError(f"{name} needs {least} numbers per particle, got {columns.shape[1]}")
    return columns


@dataclass(frozen=True)
class _Component:
    i: int

    def __call__(self, x: FloatArray) -> FloatArray:
        return _columns(repr(self), x, self.i + 1)[:, self.i]

    def __repr__(self) -> str:
        return f"component({self.i})"


def component(i: int) -> Observable:
    """Return the function ``x_i``.

    Parameters
    ----------
    i : int
        Number of the component, >= 0.

    Raises
    ------
    TypeError, ValueError
        If ``i`` is not an integer >= 0; when used, if states have no such component.
    """
    return _Component(integer("i", i, low=0))


@dataclass(frozen=True)
class _Charge:
    matrix: tuple[tuple[float, ...], ...]

    def __call__(self, x: FloatArray) -> FloatArray:
        columns = _columns(f"{self!r:.80}", x, len(self.matrix))
        if columns.shape[1] != len(self.matrix):
            raise ValueError(
                f"A must have the dimension {columns.shape[1]} of the state, got {len(self.matrix)}"
            )
        out = np.zeros(len(columns))
        for i, row in enumerate(self.matrix):
            for j in range(i, len(row)):
                if row[j] != 0.0:
                    weight = row[j] if i == j else 2.0 * row[j]
                    out += weight * (columns[:, i] * columns[:, j])
        return out

    def __repr__(self) -> str:
        return f"charge({[list(row) for row in self.matrix]})"


def charge(A: Any) -> Observable:
    """Return the function ``theta^T A theta``, the Noether charge of an exponential symmetry.

    If every sample's loss obeys ``ell(exp(lam A) theta) = ell(theta)``, then under SGD at temperature
    ``T`` with gradient covariance ``Sigma`` and weight decay ``gamma`` the charge ``C`` moves without
    noise, ``dC/dt = T Tr[Sigma A] - 4 gamma C`` (Ziyin, Wang, Li, Wu, *Parameter symmetry and noise
    equilibrium of stochastic gradient descent*, arXiv:2402.07193). Gradient flow conserves it.

    Parameters
    ----------
    A : array_like, shape (dim, dim)
        Symmetric matrix.

    Raises
    ------
    TypeError, ValueError
        If ``A`` is not a finite symmetric matrix; when used, if states have another dimension.
    """
    matrix = array("A", A)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"A must be a square matrix, got shape {matrix.shape}")
    if not np.all(np.isfinite(matrix)):
        raise ValueError("A must be finite")
    if not np.array_equal(matrix, matrix.T):
        i, j = (int(k) for k in np.argwhere(matrix != matrix.T)[0])
        raise ValueError(
            f"A must be symmetric, got A[{i}, {j}] = {matrix[i, j]:g} and "
            f"A[{j}, {i}] = {matrix[j, i]:g}"
        )
    return _Charge(tuple(tuple(float(a) for a in row) for row in matrix))


@dataclass(frozen=True)
class _DifferenceOfSquares:
    i: int
    j: int

    def __call__(self, x: FloatArray) -> FloatArray:
        columns = _columns(repr(self), x, max(self.i, self.j) + 1)
        a, b = columns[:, self.i], columns[:, self.j]
        return (a - b) * (a + b)  # keeps its digits where the two squares nearly agree

    def __repr__(self) -> str:
        return f"difference_of_squares({self.i}, {self.j})"


def difference_of_squares(i: int, j: int) -> Observable:
    """Return ``x_i^2 - x_j^2``, the charge of the rescaling ``x_i -> lam x_i, x_j -> x_j / lam``.

    Parameters
    ----------
    i, j : int
        Numbers of two components, >= 0 and different.

    Raises
    ------
    TypeError, ValueError
        If they are not such; when used, if states have no such components.
    """
    i, j = integer("i", i, low=0), integer("j", j, low=0)
    if i == j:
        raise ValueError(f"i and j must differ, got {i} and {j}")
    return _DifferenceOfSquares(i, j)


@dataclass(frozen=True)
class _Norm:
    def __call__(self, x: FloatArray) -> FloatArray:
        columns = np.abs(_columns("norm()", x, 1))
        largest = columns.max(axis=1)
        scale = np.where((largest > 0.0) & np.isfinite(largest), largest, 1.0)
        total = np.zeros(len(columns))  # scaled: squares of small numbers underflow
        for column in columns.T:
            total += (column / scale) ** 2
        out: FloatArray = scale * np.sqrt(total)
        return out

    def __repr__(self) -> str:
        return "norm()"


def norm() -> Observable:
    """Return the Euclidean norm ``|x|``, without overflow or underflow on the way."""
    return _Norm()


@dataclass(frozen=True)
class _LogAbs:
    of: Observable | None

    def __call__(self, x: FloatArray) -> FloatArray:
        y = np.asarray(x if self.of is None else self.of(x), dtype=np.float64)
        return np.asarray(_core.math("log", np.abs(y)).reshape(y.shape))

    def __repr__(self) -> str:
        return f"log_abs({'' if self.of is None else repr(self.of)})"


def log_abs(of: Observable | None = None) -> Observable:
    """Return ``ln|of(x)|``, or ``ln|x|`` of each component if ``of`` is not given; -inf at 0.

    Parameters
    ----------
    of : callable, optional
        A function of states, such as ``component(0)``.

    Raises
    ------
    TypeError
        If ``of`` is neither a function nor None.
    """
    if of is not None and not callable(of):
        raise TypeError(f"of must be a function of states or None, got {of!r}")
    return _LogAbs(of)
