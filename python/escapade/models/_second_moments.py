"""Second moments of linear equations with linear noise: closed linear equations for ``M = E u u^T``.

For `MultivariatePowerLaw` and `theory.power_law_covariance`:
``dM/dt = -H M - M H^T + eta (Sigma_g (1 + tr A M) + sum_k B_k M B_k^T)``, and for steps of Euler and
Maruyama ``M' = (1 - H dt) M (1 - H dt)^T + eta dt (...)``, with the same bracket.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

from .base import FloatArray

#: Largest number of dimensions: matrices here have the fourth power of it as many entries.
MOST = 40


class SecondMoments:
    """The linear maps of the equations above, on matrices written row by row.

    Parameters
    ----------
    H, Sigma_g : ndarray, shape (n, n)
    B : ndarray, shape (K, n, n)
    A : ndarray, shape (n, n)
        Zero where there is no modulation.
    eta : float
    """

    def __init__(
        self, H: FloatArray, Sigma_g: FloatArray, B: FloatArray, A: FloatArray, eta: float
    ) -> None:
        self.n = n = len(H)
        if n > MOST:
            raise ValueError(f"dim must be at most {MOST} for second moments, got {n}")
        self.H = H
        self.source = eta * Sigma_g.reshape(-1)
        self.noise = np.outer(self.source, A.reshape(-1))
        for b in B:
            self.noise += eta * np.kron(b, b)
        one = np.eye(n)
        self.drift = -np.kron(H, one) - np.kron(one, H)

    def stationary(self) -> FloatArray | None:
        """Return the stationary ``M``, or None if second moments grow without bound."""
        rates = self.drift + self.noise
        if np.max(np.linalg.eigvals(rates).real) >= 0.0:
            return None
        return self._matrix(np.linalg.solve(rates, -self.source))

    def at(self, start: FloatArray, t: float) -> FloatArray:
        """Return ``M`` at time ``t`` from ``M = start``."""
        size = self.n**2
        whole = np.zeros((size + 1, size + 1))
        whole[:size, :size], whole[:size, size] = self.drift + self.noise, self.source
        moved = linalg.expm(t * whole) @ np.append(start.reshape(-1), 1.0)
        return self._matrix(moved[:size])

    def euler_maruyama(
        self, dt: float, steps: int | None = None, start: FloatArray | None = None
    ) -> FloatArray | None:
        """Return ``M`` after ``steps``, or the stationary one; None if that one does not exist."""
        step = np.eye(self.n) - dt * self.H
        forward = np.kron(step, step) + dt * self.noise
        if steps is None:
            if np.max(np.abs(np.linalg.eigvals(forward))) >= 1.0:
                return None
            return self._matrix(np.linalg.solve(np.eye(self.n**2) - forward, dt * self.source))
        size = self.n**2
        whole = np.eye(size + 1)
        whole[:size, :size], whole[:size, size] = forward, dt * self.source
        begin = np.zeros(size) if start is None else start.reshape(-1)
        return self._matrix((np.linalg.matrix_power(whole, steps) @ np.append(begin, 1.0))[:size])

    def _matrix(self, entries: npt.NDArray[Any]) -> FloatArray:
        matrix = entries.reshape(self.n, self.n)
        out: FloatArray = 0.5 * (matrix + matrix.T)
        return out
