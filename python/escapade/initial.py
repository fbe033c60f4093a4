"""Initial conditions: a number, an array, a distribution, or the model's own stationary law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._checks import array
from .init import Balanced, Normal

if TYPE_CHECKING:
    from .models import Model

__all__ = ["Initial"]

_CHUNK = 65536
FloatArray = npt.NDArray[np.float64]


class Initial:
    """Initial states as a function of the particle's number, so that any one can be made again.

    A distribution is sampled by its quantile function at uniforms that depend on seed, particle and
    place in the state only.
    """

    def __init__(
        self, x0: Any, model: Model, n: int, dtype: np.dtype[Any], first_id: int = 0
    ) -> None:
        self.first_id = first_id
        self.model = model
        self.n = n
        self.dtype = dtype
        self.array: npt.NDArray[Any] | None = None
        self.value: float | None = None
        self.law: Any = None
        self.random: Normal | None = None
        self.balanced = isinstance(x0, Balanced)
        self.stationary = False
        if isinstance(x0, Normal):
            x0.check(model)
            self.random = x0
            return
        if isinstance(x0, Balanced):
            if not hasattr(model, "balanced"):
                raise ValueError(f"x0 = {x0!r} needs a network of layers, got {model!r}")
            x0 = x0.v
        if isinstance(x0, str):
            if x0 != "stationary":
                raise ValueError(f"x0 must be numbers, a distribution or 'stationary', got {x0!r}")
            if model.vector and not self.balanced:
                raise ValueError(
                    "x0 = 'stationary' is a law of one number; for networks use "
                    "escapade.init.balanced('stationary')"
                )
            self.stationary = True
            for point in range(model._points):
                self._check_stationary(point)
        elif callable(getattr(x0, "ppf", None)):
            self.law = x0
        else:
            self._take_numbers(array("x0", x0))

    def _take_numbers(self, values: FloatArray) -> None:
        particle = () if self.balanced else self.model.particle_shape
        whole = (*self.model.shape, self.n, *particle)
        try:
            np.broadcast_to(values, whole)
        except ValueError:
            raise ValueError(
                f"x0 must be a scalar or broadcast to shape {whole}, got shape {values.shape}"
            ) from None
        self._check(values, self._domain(None))
        if not self.balanced:
            self._check_start(values)
        if values.ndim == 0:
            self.value = float(values)
        else:
            self.array = np.array(values, dtype=self.dtype)

    def _check_stationary(self, point: int) -> None:
        law, model = self._law(point), self._point(point)
        if law.reason and law.support()[0] <= model.domain[0]:
            raise ValueError(
                f"x0 = 'stationary' is a point that {model!r} cannot start from: {law.reason}"
            )

    def _point(self, point: int) -> Model:
        model = self.model
        return model if model.shape == () else model[np.unravel_index(point, model.shape)]

    def _law(self, point: int) -> Any:
        return self._point(point).stationary() if self.stationary else self.law

    def _domain(self, point: int | None) -> tuple[FloatArray, FloatArray]:
        """Return bounds that broadcast to all states, or those at one point."""
        model = self.model
        trailing = 1 + len(model.particle_shape)
        bounds = []
        for edge in model.domain:
            bound = np.broadcast_to(np.asarray(edge, dtype=np.float64), model.shape)
            if point is not None:
                bound = bound.reshape(-1)[point]
            bounds.append(np.asarray(bound).reshape(*np.shape(bound), *(1,) * trailing))
        return bounds[0], bounds[1]

    def _check(self, values: FloatArray, domain: tuple[FloatArray, FloatArray]) -> None:
        dtype = self.dtype
        bad = int(np.size(values) - np.count_nonzero(np.isfinite(values)))
        if bad:
            raise ValueError(f"x0 must be finite, got {bad} values that are not")
        if dtype.itemsize == 4 and np.any(np.abs(values) > np.finfo(np.float32).max):
            raise ValueError(
                f"x0 must be within float32 range for dtype='float32', got {values!r:.80}"
            )
        low, high = domain
        if np.all(low == -np.inf) and np.all(high == np.inf):
            return
        stored = np.asarray(values, dtype)  # float32 may round a small number to 0
        outside = (stored <= low) | (stored >= high)
        if np.any(outside):
            at = int(np.argmax(outside))
            worst, lo, hi = (
                float(np.broadcast_to(v, outside.shape).flat[at]) for v in (values, low, high)
            )
            raise ValueError(
                f"x0 must lie in ({lo:g}, {hi:g}) for {self.model!r} in {dtype}, got {worst!r}"
            )

    def _check_start(self, values: FloatArray) -> None:
        """Refuse states that the model has something against, as they will be stored."""
        stored = np.asarray(values, self.dtype)
        shape = np.broadcast_shapes(stored.shape, self.model.particle_shape)
        reason = self.model.start_objection(np.broadcast_to(stored, shape))
        if reason is not None:
            raise ValueError(f"x0 {reason} for {self.model!r}, got {values!r:.80}")

    def fill(self, state: npt.NDArray[Any], seed: int, point: int = 0, first: int = 0) -> str:
        """Write the states of particles ``first, first + 1, ...`` of a point of the sweep.

        ``state`` has shape (count, planes); what is stored beside the visible numbers becomes 0.
        Returns the coordinate of what was written.
        """
        model = self.model
        visible = state[:, : model.dim] if model.vector else state[:, 0]
        state[:, model.dim :] = 0.0
        if self.value is not None or self.array is not None:
            if self.value is not None:
                x: Any = np.float64(self.value)
            else:
                assert self.array is not None
                shape = (*model.shape, self.n, *(() if self.balanced else model.particle_shape))
                everyone = np.broadcast_to(self.array, shape).reshape(
                    model._points, *shape[len(model.shape) :]
                )
                x = everyone[point, first : first + len(state)]
            visible[...] = self._of_v(x, len(state)) if self.balanced else x
            return "physical"
        if self.random is not None:
            piece = max(1, 2**22 // model.dim)
            for lo in range(0, len(state), piece):
                count = min(piece, len(state) - lo)
                id = self.first_id + point * self.n + first + lo
                x = self.random.states(model, seed, id, count)
                self._check(x, self._domain(point))
                self._check_start(x)
                visible[lo : lo + count] = x
            return "physical"
        law = self._law(point)
        logarithmic = (
            model.storage == "log" and not model.vector and callable(getattr(law, "ppf_log", None))
        )
        # whole chunks, so that a particle alone goes through the same vector code as in the crowd
        for at in range(first - first % _CHUNK, first + len(state), _CHUNK):
            x = self._sample(law, seed, self.first_id + point * self.n + at, logarithmic)
            lo, hi = max(at, first), min(at + _CHUNK, first + len(state))
            part = x[lo - at : hi - at]
            if not logarithmic:
                self._check(part, self._domain(point))
                if not self.balanced:
                    self._check_start(part)
            visible[lo - first : hi - first] = self._of_v(part, hi - lo) if self.balanced else part
        return "log" if logarithmic else "physical"

    def _of_v(self, v: Any, count: int) -> FloatArray:
        states: FloatArray = self.model.balanced(np.broadcast_to(np.asarray(v, np.float64), count))
        return states

    def _sample(self, law: Any, seed: int, id: int, logarithmic: bool) -> FloatArray:
        """Return states of a chunk of particles, or ``ln x``, or ``v`` for balanced starts."""
        quantile = law.ppf_log if logarithmic else law.ppf
        scalar = self.balanced or not self.model.vector
        columns = []
        for k in range(1 if scalar else self.model.dim):
            u = _core.uniforms(_CHUNK, seed, _core.stream_initial, id, k)
            x = np.asarray(quantile(u), dtype=np.float64)
            if x.shape != u.shape:
                raise ValueError(
                    f"x0 must be a scalar distribution, got quantiles of shape {x.shape}"
                )
            columns.append(x)
        return columns[0] if scalar else np.stack(columns, axis=1)

    def describe(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; arrays are kept beside it."""
        balanced = {"balanced": True} if self.balanced else {}
        if self.value is not None:
            return {"kind": "value", "value": self.value, **balanced}
        if self.array is not None:
            return {"kind": "array", **balanced}
        if self.stationary:
            return {"kind": "stationary", **balanced}
        if self.random is not None:
            return {
                "kind": "normal",
                "mean": self.random.mean.tolist(),
                "std": self.random.std.tolist(),
            }
        return {"kind": "distribution", "text": repr(self.law)}

    @staticmethod
    def described(header: dict[str, Any], stored: Any) -> Any:
        """Return the ``x0`` that `describe` was told of; None if it was not kept."""
        kind = header["kind"]
        if kind == "normal":
            return Normal(header["mean"], header["std"])
        x0 = {"value": header.get("value"), "array": stored, "stationary": "stationary"}.get(kind)
        return Balanced(x0) if header.get("balanced") and x0 is not None else x0
