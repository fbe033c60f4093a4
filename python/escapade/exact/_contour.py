"""Inverse Laplace transforms along a hyperbola.

The generator is self-adjoint, so that transforms in time are analytic off the negative real axis. The
midpoint rule on the hyperbola of Weideman and Trefethen, *Math. Comp.* 76, 1341 (2007), section 4
(``alpha = 1.1721``, ``h = 1.0818/N``, ``mu = 4.4921 N/t``) then gains a digit with each node.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ._quadrature import FloatArray

__all__ = ["NODES", "SLOWEST", "STRONGEST", "groups", "invert"]

ComplexArray = npt.NDArray[np.complex128]

NODES = 16  # the rule is then exact to 1e-16, and rounding to about 1e-13
_STEP = 1.0818 / NODES
_THETA = (np.arange(NODES) + 0.5) * _STEP
_MU = 4.4921 * NODES
_Z = _MU * (1.0 + np.sin(1j * _THETA - 1.1721))
_WEIGHTS = np.exp(_Z) * 1j * _MU * np.cos(1j * _THETA - 1.1721) * _STEP / np.pi
#: Smallest and largest ``|z| t`` on the contour.
SLOWEST, STRONGEST = float(np.abs(_Z).min()), float(np.abs(_Z).max())


def invert(
    transform: Callable[[ComplexArray], ComplexArray], t: FloatArray, shift: float = 0.0
) -> FloatArray:
    """Return the functions of time ``exp(shift t) f(t)`` from the transform of ``f``.

    Parameters
    ----------
    transform : callable
        Takes rates, shape (m,), and returns transforms, shape (k, m).
    t : ndarray, shape (n,)
        Times > 0.
    shift : float
        Added to times the logarithm: the transform is looked at around ``-shift``.

    Returns
    -------
    ndarray, shape (k, n)
    """
    z = (_Z[None, :] / t[:, None] - shift).ravel()
    values = transform(z).reshape(-1, t.size, NODES)
    return np.asarray((values * _WEIGHTS).imag.sum(axis=2) / t)


def groups(t: FloatArray) -> list[npt.NDArray[np.intp]]:
    """Return sets of indices of times > 0 that lie within a factor of four."""
    octave = np.floor(0.5 * np.log2(t))
    return [np.flatnonzero(octave == value) for value in np.unique(octave)]
