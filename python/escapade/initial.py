"""Initial conditions: a number, an array, a distribution, or the model's own stationary law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._checks import array

if TYPE_CHECKING:
    from .models import Model

__all__ = ["Initial"]

_STREAM = 1  # Stream::initial of cpp/core/stream.hpp
_CHUNK = 65536
FloatArray = npt.NDArray[np.float64]


class Initial:
    """Initial states as a function of the particle's number, so that any one can be made again.

    A distribution is sampled by its quantile function at a uniform that depends on seed and particle
    only.
    """

    def __init__(
        self, x0: Any, model: Model, n: int, dtype: np.dtype[Any], first_id: int = 0
    ) -> None:
        self.first_id = first_id
        self.model = model
        self.array: npt.NDArray[Any] | None = None
        self.value: float | None = None
        self.law: Any = None
        self.stationary = False
        if isinstance(x0, str):
            if x0 != "stationary":
                raise ValueError(f"x0 must be numbers, a distribution or 'stationary', got {x0!r}")
            self.law, self.stationary = model.stationary(), True
            if self.law.reason and self.law.support()[0] <= model.domain[0]:
                raise ValueError(
                    f"x0 = 'stationary' is a point that {model!r} cannot start from: {self.law.reason}"
                )
        elif callable(getattr(x0, "ppf", None)):
            self.law = x0
        else:
            values = array("x0", x0)
            if values.ndim > 1 or (values.ndim == 1 and values.shape != (n,)):
                raise ValueError(
                    f"x0 must be a scalar or have shape ({n},), got shape {values.shape}"
                )
            self._check(values, dtype)
            if values.ndim == 0:
                self.value = float(values)
            else:
                self.array = np.array(values, dtype=dtype)

    def _check(self, values: FloatArray, dtype: np.dtype[Any]) -> None:
        bad = int(np.size(values) - np.count_nonzero(np.isfinite(values)))
        if bad:
            raise ValueError(f"x0 must be finite, got {bad} values that are not")
        if dtype.itemsize == 4 and np.any(np.abs(values) > np.finfo(np.float32).max):
            raise ValueError(
                f"x0 must be within float32 range for dtype='float32', got {values!r:.80}"
            )
        low, high = self.model.domain
        stored = np.asarray(values, dtype)  # float32 may round a small number to 0
        outside = (stored <= low) | (stored >= high)
        if np.any(outside):
            worst = float(np.asarray(values)[outside].flat[0])
            raise ValueError(
                f"x0 must lie in ({low:g}, {high:g}) for {self.model!r} in {dtype}, got {worst!r}"
            )

    def fill(self, state: npt.NDArray[Any], seed: int, first: int = 0) -> str:
        """Write the states of particles ``first, first + 1, ...`` and return their coordinate."""
        if self.value is not None:
            state[:] = self.value
            return "physical"
        if self.array is not None:
            state[:] = self.array[first : first + state.size]
            return "physical"
        logarithmic = self.model.storage == "log" and callable(getattr(self.law, "ppf_log", None))
        # whole chunks, so that a particle alone goes through the same vector code as in the crowd
        start = first - first % _CHUNK
        for at in range(start, first + state.size, _CHUNK):
            u = _core.uniforms(_CHUNK, seed, _STREAM, self.first_id + at, 0)
            x = self._quantiles(u, logarithmic)
            lo, hi = max(at, first), min(at + _CHUNK, first + state.size)
            if not logarithmic:
                self._check(x[lo - at : hi - at], state.dtype)
            state[lo - first : hi - first] = x[lo - at : hi - at]
        return "log" if logarithmic else "physical"

    def _quantiles(self, u: FloatArray, logarithmic: bool) -> FloatArray:
        x = self.law.ppf_log(u) if logarithmic else self.law.ppf(u)
        x = np.asarray(x, dtype=np.float64)
        if x.shape != u.shape:
            raise ValueError(f"x0 must be a scalar distribution, got quantiles of shape {x.shape}")
        return x

    def describe(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; arrays are kept beside it."""
        if self.value is not None:
            return {"kind": "value", "value": self.value}
        if self.array is not None:
            return {"kind": "array"}
        if self.stationary:
            return {"kind": "stationary"}
        return {"kind": "distribution", "text": repr(self.law)}
