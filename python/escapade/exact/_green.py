"""The Green operator of a region: ``(G f)(x) = E_x int_0^T f(X_t) dt``, in logarithms.

With ``psi`` and ``phi`` the solutions without killing that fit the lower and the upper end,
``(G f)(x) = [phi(x) int_lo^x psi m f + psi(x) int_x^hi phi m f] / W``: two single integrals of
positive functions (Borodin and Salminen, *Handbook of Brownian Motion*, II.11).
"""

from __future__ import annotations

import numpy as np

from ._grid import Grid, Points
from ._quadrature import Cumulated, FloatArray, cumulate

__all__ = ["Green"]


class Green:
    """The Green operator on the nodes of a grid, and at other points.

    Parameters
    ----------
    grid : Grid
    vanish : (bool, bool)
        Whether the process is absorbed at the lower and the upper end (else reflected).
    """

    def __init__(self, grid: Grid, vanish: tuple[bool, bool]) -> None:
        self.grid, self.vanish = grid, vanish
        self._scale = cumulate(grid.log_scale, grid.half)
        flat = np.zeros_like(grid.log_scale)
        self.log_psi = self._scale.left if vanish[0] else flat
        self.log_phi = self._scale.right if vanish[1] else flat
        self.log_w = float(self._scale.left_edges[-1]) if all(vanish) else 0.0

    def _parts(self, log_f: FloatArray) -> tuple[FloatArray, FloatArray, Cumulated, Cumulated]:
        lower = self.grid.log_speed + self.log_psi + log_f
        upper = self.grid.log_speed + self.log_phi + log_f
        return lower, upper, cumulate(lower, self.grid.half), cumulate(upper, self.grid.half)

    def __call__(self, log_f: FloatArray) -> FloatArray:
        """Return ``ln G f`` at the nodes from ``ln f`` at the nodes."""
        _, _, lower, upper = self._parts(log_f)
        return np.asarray(
            np.logaddexp(self.log_phi + lower.left, self.log_psi + upper.right) - self.log_w
        )

    def _left(self, c: Cumulated, log_f: FloatArray, at: Points) -> FloatArray:
        return np.asarray(
            np.logaddexp(c.left_edges[at.panel], self.grid.log_part(log_f, at, False))
        )

    def _right(self, c: Cumulated, log_f: FloatArray, at: Points) -> FloatArray:
        return np.asarray(
            np.logaddexp(c.right_edges[at.panel + 1], self.grid.log_part(log_f, at, True))
        )

    def solutions(self, at: Points) -> tuple[FloatArray, FloatArray]:
        """Return ``ln psi`` and ``ln phi`` at the points."""
        zero = np.zeros(at.panel.shape)
        log_scale = self.grid.log_scale
        return (
            self._left(self._scale, log_scale, at) if self.vanish[0] else zero,
            self._right(self._scale, log_scale, at) if self.vanish[1] else zero,
        )

    def at(self, log_f: FloatArray, at: Points) -> FloatArray:
        """Return ``ln G f`` at the points from ``ln f`` at the nodes."""
        f_lower, f_upper, lower, upper = self._parts(log_f)
        psi, phi = self.solutions(at)
        return np.asarray(
            np.logaddexp(
                phi + self._left(lower, f_lower, at), psi + self._right(upper, f_upper, at)
            )
            - self.log_w
        )

    def log_slope(self, log_f: FloatArray) -> FloatArray:
        """Return ``ln |d(G f)/dx|`` at the nodes."""
        _, _, lower, upper = self._parts(log_f)
        # phi' = -s' at an absorbing upper end, psi' = s' at an absorbing lower end, else 0
        down = lower.left if self.vanish[1] else np.full_like(lower.left, -np.inf)
        up = upper.right if self.vanish[0] else np.full_like(upper.right, -np.inf)
        top = np.maximum(down, up)
        with np.errstate(divide="ignore"):
            apart = top + np.log(-np.expm1(-np.abs(down - up)))
        return np.asarray(apart + self.grid.phi - self.log_w)
