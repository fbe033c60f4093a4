"""What quartic wells share."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import FloatArray, Model


class QuarticWell(Model):
    """Motion in ``L = h (x^2 - 1)^2``, of two minima at -1 and 1 and a barrier between."""

    @property
    def minimum(self) -> float:
        """The left minimum, ``x = -1``; the other one is at 1."""
        return -1.0

    @property
    def saddle(self) -> float:
        """The top of the barrier, ``x = 0``."""
        return 0.0

    @property
    def barrier(self) -> Any:
        """Loss of the saddle above the minima, ``h``."""
        return self._arguments["h"]

    def loss(self, x: Any) -> FloatArray:
        """Return ``h (x^2 - 1)^2``, of the shape of ``x`` (of a sweep: both broadcast)."""
        at = np.asarray(x, dtype=np.float64)
        out: FloatArray = np.asarray(self._arguments["h"] * (at * at - 1.0) ** 2)
        return out
