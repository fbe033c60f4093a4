"""Ends that cannot be nodes: at infinity, or where drift or noise is singular.

Feller's classification (Karlin and Taylor, *A second course in stochastic processes*, section 15.6)
is read off the exponents of scale and speed densities in a coordinate ``y`` in which such an end is
at infinity and powers are exponentials.
"""

from __future__ import annotations

import math

import numpy as np

from ._coordinates import Coordinate
from ._quadrature import NODES, ORDER, FloatArray
from .process import Process, checked, raw

__all__ = ["Tail"]

_STEP = 0.5
_NEAR, _FAR = 80, 680  # cells looked at: |x| up to 1e17 scales, and up to 1e147
_SLOPE = 1e-3
_FLAT = 1e-9  # a density in y that falls more slowly does not fall, but for rounding
_SETTLED = 130.0
_FALL = 30.0  # what is left out is then below 1e-13


class Tail:
    """The region between a regular point and an open end, looked at coarsely.

    Attributes
    ----------
    u : ndarray, shape (n,)
        Distance from the regular point, in ``y``, ascending.
    log_speed, log_scale : ndarray, shape (n,)
        ``ln`` of speed and scale densities with respect to ``y``.
    speed_finite, scale_finite, accessible : bool
        Whether speed and scale are finite at the end; whether it is reached in finite time.
    """

    def __init__(self, process: Process, coordinate: Coordinate, start: float, sign: float) -> None:
        self._process, self._coordinate = process, coordinate
        self.start, self.sign = start, sign
        self._look(_NEAR)
        if self._n == _NEAR * ORDER and not self._settled():
            self._look(_FAR)
        self._classify()

    # -- looking ----------------------------------------------------------------------------------

    def _look(self, cells: int) -> None:
        u = _STEP * (np.arange(cells)[:, None] + 0.5 * (1.0 + NODES))
        y = self.start + self.sign * u
        with np.errstate(all="ignore"):
            x = self._coordinate.x(y)
            drift, noise = raw(self._process, x)
            log_slope = self._coordinate.log_slope(y)
            slope = np.exp(log_slope)
            rise = -2.0 * self.sign * (drift / noise) * (slope / noise)
            log_two = 2.0 * log_slope + math.log(2.0) - 2.0 * np.log(np.abs(noise))
        apart = np.diff(x.ravel(), prepend=np.inf) != 0.0
        good = np.isfinite(rise) & np.isfinite(log_two) & apart.reshape(x.shape)
        whole = good.all(axis=1)
        n = cells if whole.all() else int(np.argmin(whole))
        self._n = n * ORDER
        if n < cells:
            self._bad = x[n]
        sign = noise[:n] > 0.0
        if sign.any() and not sign.all():
            checked(self._process, np.sort(x[:n], axis=None))  # says where
        # the trapezoidal rule: unlike Gauss's it never makes a growing phi fall
        flat, place = rise[:n].ravel(), u[:n].ravel()
        step = 0.5 * (flat[1:] + flat[:-1]) * np.diff(place)
        phi = np.concatenate([flat[:1] * place[:1], step]).cumsum()
        self.u, self._x = u[:n].ravel(), x[:n].ravel()
        self._rise = rise[:n].ravel()
        self._drift = self.sign * drift[:n].ravel()  # outwards
        self._noise, self._log_slope = noise[:n].ravel(), log_slope[:n].ravel()
        self._log_two = log_two[:n].ravel()
        self.log_scale = phi + self._log_slope
        self.log_speed = self._log_two - self.log_scale

    def _last(self, values: FloatArray) -> float:
        """Return the slope of ``values`` over the last two units of ``u``."""
        back = min(4 * ORDER, values.size - 1)
        return float((values[-1] - values[-1 - back]) / (self.u[-1] - self.u[-1 - back]))

    def _fallen(self, values: FloatArray) -> float:
        return float(values.max() - values[-1])

    def _settled(self) -> bool:
        for values in (self.log_speed, self.log_scale):
            if self._last(values) < 0.05 and self._fallen(values) < _SETTLED:
                return False
        return True

    def _classify(self) -> None:
        if self._n < _NEAR * ORDER:
            # It stopped early: at the end of the range of floats, or at a fault of the functions.
            far = self._n > 8 * ORDER and (
                max(self._fallen(self.log_speed), self._fallen(self.log_scale)) > _SETTLED
                or self.u[-1] > 25.0
            )
            if not far:
                checked(self._process, np.sort(self._bad))
                raise ValueError(
                    "drift and diffusion must be finite numbers as far as the law reaches, "
                    f"got a fault near x = {self._bad[0]:.6g}"
                )
        self.speed_finite = self._finite(self.log_speed, "speed")
        self.scale_finite = self._finite(self.log_scale, "scale")
        self.accessible = False
        if self.scale_finite:
            # near the end S(z) - S(end) is the scale density over its logarithmic slope
            grad = np.abs(self._rise + np.gradient(self._log_slope, self.u))
            self._delay = self._log_two - np.log(grad)
            self.accessible = self._last(self._delay) < -_SLOPE

    def _finite(self, values: FloatArray, what: str) -> bool:
        if self._last(values) > -_FLAT:
            return False
        if self._fallen(values) < _FALL:
            raise ValueError(
                f"the {what} density falls too slowly towards x = {self._x[-1]:.3g} to be integrated "
                "in double precision; give a finite end instead"
            )
        return True

    def left_out(self, cut: float) -> float:
        """Return ``ln`` of the time from ``u = cut`` to an accessible end, relative to the whole."""
        return float(self._delay[self._from(cut)] - self._delay.max())

    # -- where to cut -----------------------------------------------------------------------------

    def _from(self, reach: float) -> int:
        return min(int(np.searchsorted(self.u, reach)), self.u.size - 1)

    def _outermost(self, values: FloatArray, drop: float, reach: float) -> float:
        first = self._from(reach)
        keep = np.flatnonzero(values >= values[first:].max() - drop)
        at = min(int(keep[-1]) + 1, self.u.size - 1)
        return float(self.u[at])

    def cut_speed(self, drop: float, reach: float = 0.0) -> float:
        """Return ``u`` beyond which the speed density is ``exp(-drop)`` of that beyond ``reach``."""
        return self._outermost(self.log_speed, drop, reach)

    def cut_scale(self, drop: float, reach: float = 0.0) -> float:
        """Return ``u`` beyond which the scale density is ``exp(-drop)`` of that beyond ``reach``."""
        return self._outermost(self.log_scale, drop, reach)

    def cut_killed(self, s: float, drop: float, reach: float) -> float:
        """Return ``u`` that a path killed at rate ``s`` reaches with a chance below ``exp(-drop)``.

        Or where speed or scale has fallen by twice that. The chance is that of the WKB approximation,
        which is good enough to place a cut, without its factor for barriers: they only delay.
        """
        first = self._from(reach)
        with np.errstate(all="ignore"):
            drift = np.abs(self._drift / self._noise)
            rate = 2.0 * s / (drift + np.sqrt(drift**2 + 2.0 * s))
            rate = rate * np.exp(self._log_slope) / np.abs(self._noise)
        # the smaller of two neighbours: a narrow dip of the noise must not count as a wide one
        step = np.diff(self.u[first:]) * np.minimum(rate[first:-1], rate[first + 1 :])
        fall = np.concatenate([[0.0], np.cumsum(step)])
        far = np.flatnonzero(fall >= drop)
        cuts = [float(self.u[first + int(far[0])])] if far.size else []
        if self.speed_finite:
            cuts.append(self.cut_speed(2.0 * drop, reach))
        if self.scale_finite:
            cuts.append(self.cut_scale(2.0 * drop, reach))
        if not cuts:
            raise ValueError(
                "the process wanders too far for these times to be followed in double precision; "
                "give a finite end"
            )
        return min(cuts)
