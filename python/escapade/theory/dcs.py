"""Constraints by symmetry: a reparametrisation that turns weight decay into a sparsity constraint.

Source: Ziyin, arXiv:2309.16932 (the DCS algorithm). With ``theta = O (u * w) + (I - O O^T) v`` and the
penalty ``alpha (|u|^2 + |w|^2)`` a minimum has ``|u| = |w|`` entry by entry, so the penalty acts as
``2 alpha |O^T theta|_1`` and sets ``O^T theta`` to exactly 0 beyond a finite ``alpha``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import array, number
from ..data._sweep import Values, values
from ._inputs import matrix, vector
from .collapse import orthonormal

__all__ = ["dcs_reparametrise", "singular_value_threshold", "soft_threshold"]


def dcs_reparametrise(O: Any) -> Callable[[Any, Any, Any], Any]:  # noqa: E741
    """Return the map ``(u, w, v) -> theta = O (u * w) + (I - O O^T) v``.

    Parameters
    ----------
    O : array_like, shape (n, k)
        Orthonormal columns; the constraint is ``O^T theta = 0``.

    Returns
    -------
    callable
        Takes ``u`` and ``w``, shape (k,), and ``v``, shape (n,); returns ``theta``, shape (n,).
    """
    normal = np.array(orthonormal("O", O))
    n, k = normal.shape

    def theta(u: Any, w: Any, v: Any) -> Any:
        parts = {"u": (vector("u", u), k), "w": (vector("w", w), k), "v": (vector("v", v), n)}
        for name, (entries, size) in parts.items():
            if entries.size != size:
                raise ValueError(f"{name} must have {size} entries, got {entries.size}")
        (us, _), (ws, _), (vs, _) = parts.values()
        return normal @ (us * ws) + vs - normal @ (normal.T @ vs)

    return theta


def soft_threshold(x: Any, alpha: Values) -> Any:
    """Return ``sign(x) max(|x| - alpha, 0)``, the minimum over ``v`` of ``(v - x)^2 + 2 alpha |v|``.

    Equivalently ``v = u w`` at the minimum of ``(u w - x)^2 + alpha (u^2 + w^2)``.

    Parameters
    ----------
    x : float or array_like
        Unconstrained minimum.
    alpha : float or array_like
        Penalty, >= 0; broadcasts with ``x``.
    """
    points, level = array("x", x), values("alpha", alpha, low=0.0)
    return (np.sign(points) * np.maximum(np.abs(points) - level, 0.0))[()]


def singular_value_threshold(M: Any, gamma: float) -> Any:
    """Return ``M`` with each singular value ``s`` replaced by ``max(s - gamma, 0)``.

    The product ``U W`` at the minimum of ``|U W - M|_F^2 + gamma (|U|_F^2 + |W|_F^2)``: weight decay
    on a factorisation lowers the rank.

    Parameters
    ----------
    M : array_like, shape (m, n)
        Target.
    gamma : float
        Weight decay, >= 0.
    """
    target, gamma = matrix("M", M), number("gamma", gamma, low=0.0)
    left, singular, right = np.linalg.svd(target, full_matrices=False)
    return (left * np.maximum(singular - gamma, 0.0)) @ right
