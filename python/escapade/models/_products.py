"""Sums of products of arrays, written out: BLAS and einsum may round differently on another machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def total(x: FloatArray) -> FloatArray:
    """Return the sum over the last axis, first entry first."""
    out = np.zeros(x.shape[:-1])
    for k in range(x.shape[-1]):
        out = out + x[..., k]
    return out


def product(x: FloatArray) -> FloatArray:
    """Return the product over the last axis, first entry first."""
    out = np.ones(x.shape[:-1])
    for k in range(x.shape[-1]):
        out = out * x[..., k]
    return out


def matmul(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the matrix products of the last two axes; the others broadcast."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    shape = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    out = np.zeros((*shape, first.shape[-2], second.shape[-1]))
    for k in range(first.shape[-1]):
        out = out + first[..., :, k, None] * second[..., None, k, :]
    return out


def transpose(a: FloatArray) -> FloatArray:
    """Return the matrices of the last two axes transposed."""
    return np.swapaxes(a, -1, -2)


def square(a: FloatArray) -> FloatArray:
    """Return the squared Frobenius norms of the matrices of the last two axes."""
    return total(total(a * a))


def trace(a: FloatArray) -> FloatArray:
    """Return the traces of the matrices of the last two axes."""
    return total(np.diagonal(a, axis1=-2, axis2=-1))


def factor(name: str, covariance: FloatArray) -> FloatArray:
    """Return the lower triangular ``L`` with ``L L^T = covariance``, which may be singular.

    Raises
    ------
    ValueError
        If the matrix is not symmetric or not positive semidefinite, by ``name``.
    """
    n = len(covariance)
    size = float(np.max(np.abs(covariance)))
    tolerance = 1e-12 * n * size
    if np.max(np.abs(covariance - covariance.T)) > tolerance:
        raise ValueError(f"{name} must be symmetric, got {covariance.tolist()}")
    left, lower = np.array(covariance), np.zeros((n, n))
    for j in range(n):
        column = left[j:, j].copy()
        if column[0] <= tolerance:  # a direction without variance has no covariances either
            bound = np.sqrt(tolerance * size) if column[0] >= -tolerance else -1.0
            if np.any(np.abs(column) > bound):
                raise ValueError(f"{name} must be positive semidefinite, got {covariance.tolist()}")
            continue
        lower[j:, j] = column / np.sqrt(column[0])
        left[j:, j:] -= lower[j:, j, None] * lower[None, j:, j]
    return lower
