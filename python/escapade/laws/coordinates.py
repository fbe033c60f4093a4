"""Coordinates ``y`` on the whole line for laws of a positive ``x``."""

from __future__ import annotations

import abc
import math

import numpy as np
from scipy.special import expit

from ._panels import FloatArray

__all__ = ["Coordinate", "LogCoordinate", "LogOddsCoordinate", "ShiftedLogCoordinate"]


class Coordinate(abc.ABC):
    """A smooth increasing map from the line onto an interval of the positive half-line.

    Attributes
    ----------
    log_slopes : tuple of float
        Limits of ``d ln x / dy`` at the left and right end.
    jacobian_slopes : tuple of float
        Limits of ``d ln(dx/dy) / dy`` at the left and right end.
    """

    log_slopes: tuple[float, float]
    jacobian_slopes: tuple[float, float]

    def __init__(self, scale: float) -> None:
        self.scale, self.log_scale = scale, math.log(scale)

    @abc.abstractmethod
    def support(self) -> tuple[float, float]:
        """Return the image of the line."""

    @abc.abstractmethod
    def x(self, y: FloatArray) -> FloatArray:
        """Return ``x(y)``."""

    @abc.abstractmethod
    def log_x(self, y: FloatArray) -> FloatArray:
        """Return ``ln x(y)``."""

    @abc.abstractmethod
    def from_x(self, x: FloatArray) -> FloatArray:
        """Return ``y(x)``; -inf and inf outside the support."""

    @abc.abstractmethod
    def from_log(self, z: FloatArray) -> FloatArray:
        """Return ``y`` with ``ln x(y) = z``."""

    @abc.abstractmethod
    def log_slope(self, y: FloatArray) -> FloatArray:
        """Return ``d ln x / dy``."""

    @abc.abstractmethod
    def log_jacobian(self, y: FloatArray) -> FloatArray:
        """Return ``ln(dx/dy)``."""

    @abc.abstractmethod
    def jacobian_slope(self, y: FloatArray) -> FloatArray:
        """Return ``d ln(dx/dy) / dy``."""


class LogCoordinate(Coordinate):
    """``x = scale exp(y)``."""

    log_slopes = (1.0, 1.0)
    jacobian_slopes = (1.0, 1.0)

    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    def x(self, y: FloatArray) -> FloatArray:
        return np.exp(y + self.log_scale)

    def log_x(self, y: FloatArray) -> FloatArray:
        return y + self.log_scale

    def from_x(self, x: FloatArray) -> FloatArray:
        return np.log(np.maximum(x, 0.0)) - self.log_scale

    def from_log(self, z: FloatArray) -> FloatArray:
        return z - self.log_scale

    def log_slope(self, y: FloatArray) -> FloatArray:
        return np.ones_like(y)

    def log_jacobian(self, y: FloatArray) -> FloatArray:
        return y + self.log_scale

    def jacobian_slope(self, y: FloatArray) -> FloatArray:
        return np.ones_like(y)


class LogOddsCoordinate(Coordinate):
    """``x = scale / (1 + exp(-y))``, i.e. ``y = ln(x / (scale - x))``, on (0, scale)."""

    log_slopes = (1.0, 0.0)
    jacobian_slopes = (1.0, -1.0)

    def support(self) -> tuple[float, float]:
        return 0.0, self.scale

    def x(self, y: FloatArray) -> FloatArray:
        return np.asarray(self.scale * expit(y))

    def log_x(self, y: FloatArray) -> FloatArray:
        return self.log_scale - np.logaddexp(0.0, -y)

    def from_x(self, x: FloatArray) -> FloatArray:
        inside = np.clip(x, 0.0, self.scale)
        return np.log(inside) - np.log(self.scale - inside)

    def from_log(self, z: FloatArray) -> FloatArray:
        below = np.minimum(z - self.log_scale, 0.0)
        return below - np.log(-np.expm1(below))

    def log_slope(self, y: FloatArray) -> FloatArray:
        return np.asarray(expit(-y))

    def log_jacobian(self, y: FloatArray) -> FloatArray:
        return self.log_scale - np.logaddexp(0.0, y) - np.logaddexp(0.0, -y)

    def jacobian_slope(self, y: FloatArray) -> FloatArray:
        return -np.tanh(0.5 * y)


class ShiftedLogCoordinate(Coordinate):
    """``x = scale (1 + exp(y))`` on (scale, inf)."""

    log_slopes = (0.0, 1.0)
    jacobian_slopes = (1.0, 1.0)

    def support(self) -> tuple[float, float]:
        return self.scale, math.inf

    def x(self, y: FloatArray) -> FloatArray:
        return self.scale * (1.0 + np.exp(y))

    def log_x(self, y: FloatArray) -> FloatArray:
        return self.log_scale + np.logaddexp(0.0, y)

    def from_x(self, x: FloatArray) -> FloatArray:
        return np.log(np.maximum(x - self.scale, 0.0)) - self.log_scale

    def from_log(self, z: FloatArray) -> FloatArray:
        return np.log(np.maximum(np.expm1(z - self.log_scale), 0.0))

    def log_slope(self, y: FloatArray) -> FloatArray:
        return np.asarray(expit(y))

    def log_jacobian(self, y: FloatArray) -> FloatArray:
        return self.log_scale + y

    def jacobian_slope(self, y: FloatArray) -> FloatArray:
        return np.ones_like(y)
