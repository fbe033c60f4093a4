"""Solutions of ``diffusion^2/2 f'' + drift f' = s f`` for many, also complex, ``s`` at once.

On each panel the solutions are power series in ``s`` whose coefficients are iterated integrals of
scale and speed; they do not depend on ``s`` and are all positive. From panel to panel the pair (value,
slope by scale) is carried by matrices, with positive entries for ``s >= 0``: nothing cancels.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._grid import Grid
from ._quadrature import TO_INTEGRAL, WEIGHTS, FloatArray

__all__ = ["Marched", "Resolvent"]

Numbers = npt.NDArray[Any]  # float64 or complex128

_TERMS = 16


class Marched(NamedTuple):
    """A solution at edges, shape (edges, rates) each.

    ``value``, ``slope`` (by scale, from the fitted end on), ``mass``, its integral by speed from
    there; all divided by ``exp(log_size)``, the last two multiplied by ``exp(reference)``.
    """

    value: Numbers
    slope: Numbers
    mass: Numbers
    log_size: FloatArray


class Resolvent:
    """The two fundamental solutions on a grid.

    Parameters
    ----------
    grid : Grid
        Made with ``strength`` at least the largest ``|s|`` asked for.
    vanish : (bool, bool)
        Whether the solutions vanish at the lower and the upper end; else their slope does.
    strength : float
        A rate like the largest ``|s|`` that will be asked for: the unit of the series.
    """

    def __init__(self, grid: Grid, vanish: tuple[bool, bool], strength: float) -> None:
        self.grid, self.vanish, self._unit = grid, vanish, strength
        n = grid.half.size
        middle = 0.5 * (grid.phi_edges[:-1] + grid.phi_edges[1:])
        #: ln of the unit of scale at each edge: that of the panel to its right
        self.reference = np.append(middle, middle[-1])
        half = grid.half[:, None]
        scale = half * np.exp(grid.log_scale - middle[:, None])
        speed = half * np.exp(grid.log_speed + middle[:, None] + math.log(strength))
        # c: value 1, slope 0 at the left edge; d: value 0, slope 1
        self._c_nodes = np.empty((_TERMS, n, scale.shape[1]))
        self._d_nodes = np.empty_like(self._c_nodes)
        c_, cg, d_, dg = (np.zeros((_TERMS, n)) for _ in range(4))
        c = np.ones_like(scale)
        d = scale @ TO_INTEGRAL.T
        d_[0] = scale @ WEIGHTS
        for k in range(_TERMS):
            self._c_nodes[k], self._d_nodes[k] = c, d
            if k + 1 == _TERMS:
                break
            for node, value, slope in ((c, c_, cg), (d, d_, dg)):
                inner = speed * node
                slope[k + 1] = inner @ WEIGHTS
                outer = scale * (inner @ TO_INTEGRAL.T)
                value[k + 1] = outer @ WEIGHTS
                node[...] = outer @ TO_INTEGRAL.T
            c, d = c.copy(), d.copy()
        self._series = c_, cg, d_, dg
        self._last: tuple[Numbers, tuple[Numbers, ...]] | None = None

    def _matrices(self, s: Numbers) -> tuple[Numbers, ...]:
        """Return ``c - 1, c'/s, d, (d' - 1)/s`` and ``(c - 1)/s`` on every panel, s in units."""
        c_, cg, d_, dg = self._series

        if self._last is not None and self._last[0] is s:
            return self._last[1]
        unitless = s / self._unit
        powers = unitless ** np.arange(_TERMS)[:, None]

        def series(terms: FloatArray) -> Numbers:
            # real and imaginary parts side by side: a real product
            out: Numbers = terms.T @ powers[: len(terms)].view(np.float64)
            return out.view(s.dtype)

        c_by_s = series(c_[1:])
        found = c_by_s * unitless, series(cg[1:]), series(d_), series(dg[1:]), c_by_s
        self._last = s, found  # the two solutions are asked for in turn
        return found

    def march(self, s: Numbers, upwards: bool, wanted: npt.NDArray[np.intp]) -> Marched:
        """Return the solution that fits the lower (``upwards``) or the upper end.

        Parameters
        ----------
        s : ndarray, shape (m,)
            Killing rates, real or complex.
        upwards : bool
        wanted : ndarray
            Edges at which to keep it, ascending.
        """
        c1, cg, d, dg1, c1_by_s = self._matrices(s)
        s = s / self._unit
        n = self.grid.half.size
        vanish = self.vanish[0 if upwards else 1]
        value = np.full(s.shape, 0.0 if vanish else 1.0, dtype=s.dtype)
        slope = np.full(s.shape, 1.0 if vanish else 0.0, dtype=s.dtype)
        mass = np.zeros_like(value)
        log_size = np.zeros(s.shape)
        shape = (wanted.size, s.size)
        kept = Marched(
            np.empty(shape, dtype=s.dtype),
            np.empty(shape, dtype=s.dtype),
            np.empty(shape, dtype=s.dtype),
            np.empty(shape),
        )
        place = {int(edge): row for row, edge in enumerate(wanted)}
        units = np.exp(np.diff(self.reference))
        edge = 0 if upwards else n
        while True:
            row = place.get(edge)
            if row is not None:
                kept.value[row], kept.slope[row] = value, slope
                kept.mass[row], kept.log_size[row] = mass / self._unit, log_size
            if edge == (n if upwards else 0):
                return kept
            if upwards:
                k = edge
                gain = cg[k] * value + dg1[k] * slope
                value = value + (c1[k] * value + d[k] * slope)
                unit = units[k]
                edge += 1
            else:
                k = edge - 1
                if edge < n:
                    slope, mass = slope / units[k], mass / units[k]
                gain = cg[k] * value + c1_by_s[k] * slope
                value = value + (s * dg1[k] * value + d[k] * slope)
                unit = 1.0
                edge -= 1
            slope, mass = (slope + s * gain) * unit, (mass + gain) * unit
            size = np.abs(value) + np.abs(slope)
            value, slope, mass = value / size, slope / size, mass / size
            log_size = log_size + np.log(size)

    def alive(self, s: FloatArray) -> npt.NDArray[np.bool_]:
        """Return whether ``s`` is above the leading eigenvalue of the generator (``-lambda_1``).

        By Sturm's theorem: the solution that fits the lower end has no zero, and its value (or slope)
        at the upper end has the sign that the process there needs.
        """
        n = self.grid.half.size
        found = self.march(s, True, np.arange(n + 1))
        good = (found.value[1:-1] > 0.0).all(axis=0)
        last = found.value[-1] if self.vanish[1] else found.slope[-1]
        return np.asarray(good & (last > 0.0))

    def log_nodes(self, s: float) -> FloatArray:
        """Return ``ln f`` at the nodes of the positive solution at an eigenvalue ``s``.

        Either half comes from its own end; they are joined where the squared solution weighs most.
        """
        n = self.grid.half.size
        every = np.arange(n + 1)
        rate = np.array([s])
        up, down = self.march(rate, True, every), self.march(rate, False, every)
        with np.errstate(all="ignore"):
            log_up = np.log(up.value[:, 0]) + up.log_size[:, 0]
            log_down = np.log(down.value[:, 0]) + down.log_size[:, 0]
        weight = log_up[:-1] + log_down[:-1] + self.grid.log_speed.max(axis=1)
        join = int(np.argmax(np.where(np.isfinite(weight), weight, -np.inf)))
        powers = (s / self._unit) ** np.arange(_TERMS)
        c = np.einsum("kpn,k->pn", self._c_nodes, powers)
        d = np.einsum("kpn,k->pn", self._d_nodes, powers)
        out: FloatArray = np.empty_like(self._c_nodes[0])
        with np.errstate(all="ignore"):
            for side, log_here, found, sign in (
                (slice(0, join), log_up, up, 1.0),
                (slice(join, n), log_down, down, -1.0),
            ):
                # the slope kept at an edge is in units of the panel to its right
                f = c[side] * found.value[:-1][side] + sign * d[side] * found.slope[:-1][side]
                out[side] = np.log(f) + found.log_size[:-1][side] - log_here[join]
        return out
