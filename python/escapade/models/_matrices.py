"""Square matrices as arguments of models."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import array
from ..data._sweep import frozen
from .base import FloatArray


def square_matrices(name: str, value: Any, n: int | None, stacked: bool = False) -> FloatArray:
    """Return a finite square matrix, or a stack of them, of ``n`` rows if given, read-only.

    Raises
    ------
    TypeError, ValueError
        If it is none; the message starts with ``name``.
    """
    matrix = array(name, value)
    wanted = "(K, dim, dim)" if stacked else "(dim, dim)"
    size = n if n is not None else matrix.shape[-1] if matrix.ndim else 0
    if matrix.ndim != 2 + stacked or matrix.shape[-2:] != (size, size) or not 1 <= size <= 1000:
        raise ValueError(
            f"{name} must have shape {wanted}"
            + (f" with dim = {n}" if n is not None else " with dim from 1 to 1000")
            + f", got {matrix.shape}"
        )
    if stacked and len(matrix) > 10000:
        raise ValueError(f"{name} must hold at most 10000 matrices, got {len(matrix)}")
    if not np.all(np.isfinite(matrix)):
        raise ValueError(f"{name} must be finite")
    out: FloatArray = frozen(matrix)
    return out
