"""Initial conditions of particles of several numbers: ``x0=escapade.init.balanced(1.0)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._checks import array

if TYPE_CHECKING:
    from .models import Model

__all__ = ["Balanced", "Normal", "balanced", "normal"]

FloatArray = npt.NDArray[np.float64]


class Normal:
    """Independent normal numbers, a function of seed and particle; made by `normal`."""

    def __init__(self, mean: Any, std: Any) -> None:
        self.mean, self.std = array("mean", mean), array("std", std)
        if not (np.all(np.isfinite(self.mean)) and np.all(np.isfinite(self.std))):
            raise ValueError(f"mean and std must be finite, got mean={mean!r}, std={std!r}")
        if np.any(self.std < 0):
            raise ValueError(f"std must be at least 0, got {std!r}")

    def check(self, model: Model) -> None:
        """Refuse means or standard deviations that do not fit the state of one particle."""
        for name, value in (("mean", self.mean), ("std", self.std)):
            try:
                np.broadcast_to(value, model.particle_shape)
            except ValueError:
                raise ValueError(
                    f"{name} must broadcast to the state of one particle, shape "
                    f"{model.particle_shape}, got shape {value.shape}"
                ) from None

    def states(self, model: Model, seed: int, first_id: int, n: int) -> FloatArray:
        """Return states of particles ``first_id, ...``, shape (n, *model.particle_shape)."""
        z = _core.normals(n, model.dim, seed, _core.stream_initial, first_id, 0, "float64")
        out: FloatArray = self.mean + self.std * z.T.reshape(n, *model.particle_shape)
        return out

    def __repr__(self) -> str:
        return f"normal(mean={self.mean.tolist()!r}, std={self.std.tolist()!r})"


class Balanced:
    """Networks whose layers are equal in norm; made by `balanced`."""

    def __init__(self, v: Any) -> None:
        self.v = v

    def __repr__(self) -> str:
        return f"balanced({self.v!r})"


def normal(mean: Any = 0.0, std: Any = 1.0) -> Normal:
    """Return independent normal initial values.

    Parameters
    ----------
    mean, std : float or array_like, default 0 and 1
        Broadcast to the state of one particle; ``std`` >= 0.

    Raises
    ------
    TypeError, ValueError
        If they are not finite numbers.
    """
    return Normal(mean, std)


def balanced(v: Any) -> Balanced:
    """Return initial networks of end-to-end weight ``v`` whose layers and subnetworks are all equal.

    Every parameter is ``(|v|/width)^(1/(depth+1))``, those of the first layer with the sign of ``v``:
    the balanced manifold to which SGD brings a diagonal network (arXiv:2308.06671, section 3).

    Parameters
    ----------
    v : float, array_like, distribution or "stationary"
        Like ``x0`` of a model of one number; ``"stationary"`` draws it from ``model.stationary()``.
    """
    return Balanced(v)
