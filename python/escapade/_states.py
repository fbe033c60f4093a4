"""The states of an ensemble: what users see of them, and what observers look through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._checks import integer
from .models import Model, Observable
from .observers._view import PIECE

__all__ = ["States"]

_PIECE = 2**20  # particles converted at a time


class States:
    """The part of `Ensemble` that reads the engine's memory."""

    _model: Model
    _engine: _core.Engine
    _seed: int
    _first_id: int
    _dtype: np.dtype[Any]
    _noise: str
    _points: int
    _coordinate: str

    # -- what it is --------------------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The model."""
        return self._model

    @property
    def n(self) -> int:
        """Number of particles, at each point of a sweep."""
        return self._engine.n

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `x`: the sweep, the particles, and the numbers of one particle if several."""
        return (*self._model.shape, self.n, *self._model.particle_shape)

    @property
    def seed(self) -> int:
        """Seed, given or drawn."""
        return self._seed

    @property
    def first_id(self) -> int:
        """Number of the first particle."""
        return self._first_id

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the state."""
        return self._dtype

    @property
    def noise(self) -> str:
        """How normals are made."""
        return self._noise

    @property
    def threads(self) -> int:
        """Number of threads; may be changed at any time without changing results."""
        return self._engine.threads

    @threads.setter
    def threads(self, count: int) -> None:
        self._engine.threads = integer("threads", count, low=1, high=4096)

    # -- states ------------------------------------------------------------------------------------

    @property
    def coordinate(self) -> str:
        """Coordinate of `state`: ``"physical"``, ``"log"`` or ``"lamperti"``."""
        return self._coordinate

    @property
    def state(self) -> npt.NDArray[Any]:
        """The stored state, shape `shape`, in `coordinate`; a read-only view, no copy."""
        view = self._planes(slice(None, self._model.dim))
        view.flags.writeable = False
        return view

    def _planes(self, which: slice) -> npt.NDArray[Any]:
        """Return stored numbers of all particles, writable, in the shape that users see."""
        stored = self._engine.state[:, :, which]
        if not self._model.vector:
            stored = stored[:, :, 0]
        return stored.reshape(*self._model.shape, *stored.shape[1:])

    @property
    def x(self) -> npt.NDArray[Any]:
        """States in the physical coordinate, shape `shape`.

        A read-only view of the ensemble's memory if it is stored in that coordinate, a new array
        otherwise. A view shows what that memory holds: after further runs the new states, in another
        coordinate if the scheme has changed to one. Copy what must last. What is too small for the
        dtype is 0 here and still resolved in `state` and `log_x`.
        """
        if self._coordinate == "physical":
            return self.state
        out = np.empty((self._points, self.n), self._dtype)
        with np.errstate(over="ignore", under="ignore"):
            for point in range(self._points):
                for first in range(0, self.n, _PIECE):  # no second array of float64
                    count = min(_PIECE, self.n - first)
                    out[point, first : first + count] = self._look(None, point, first, count)
        return out.reshape(self.shape)

    @property
    def log_x(self) -> npt.NDArray[np.float64]:
        """``ln x``, shape `shape`, a new float64 array; -inf at 0, nan below.

        From the log and Lamperti coordinates of networks it is exact however small ``x`` has become,
        where `x` itself is rounded to 0.
        """
        out = np.empty((self._points, self.n, self._model.dim))
        for point, plane in np.ndindex(self._points, self._model.dim):
            out[point, :, plane] = self._engine.logarithm(*self._map(), point, plane, 0, self.n)
        return out.reshape(self.shape)

    @property
    def status(self) -> npt.NDArray[np.uint8]:
        """Per particle, shape (*sweep, n): 0 running, 1 lost (nan or infinite)."""
        lost: npt.NDArray[np.bool_] = ~np.isfinite(self._engine.state).all(axis=2)
        return lost.reshape(*self._model.shape, self.n).astype(np.uint8)

    def _map(self) -> tuple[str, npt.NDArray[np.float64], str]:
        return (*self._model._call, self._coordinate)

    # What observers look through. `of` holds a function of states for each point of the sweep, or is
    # None for the states themselves; components are what it returns for a particle.

    def _look(
        self, of: Sequence[Observable] | None, point: int, first: int, count: int
    ) -> npt.NDArray[np.float64]:
        """Return what is observed of particles at a point: shape (count,) or (count, components)."""
        call = (*self._map(), point)
        planes = [self._engine.physical(*call, k, first, count) for k in range(self._model.dim)]
        x = np.stack(planes, axis=1) if self._model.vector else planes[0]
        return x if of is None else of[point](x)

    def _look_log(
        self, of: Sequence[Observable] | None, point: int, first: int, count: int
    ) -> npt.NDArray[np.float64]:
        """Return ln|y| of what `_look` returns, exact where ``y`` underflows but its coordinate not."""
        y = self._look(of, point, first, count)
        out = np.asarray(_core.math("log", np.abs(y)).reshape(y.shape))
        if of is None:
            call = (*self._map(), point)
            for k, column in enumerate(out.reshape(count, -1).T):  # views
                exact = self._engine.logarithm(*call, k, first, count)
                np.copyto(column, exact, where=~np.isnan(exact))  # nan below 0
        return out

    def _power_sums(
        self,
        of: Sequence[Observable] | None,
        shifts: npt.NDArray[np.float64],
        highest: int,
    ) -> npt.NDArray[np.float64]:
        """Return power sums about ``shifts``, shape (points, components), with one axis more."""
        if of is None:
            return self._engine.power_sums(*self._map(), shifts, highest)
        sums = np.zeros((*shifts.shape, highest + 1))
        for point in range(self._points):
            for first in range(0, self.n, PIECE):
                y = self._look(of, point, first, min(PIECE, self.n - first))
                for k, column in enumerate(y.reshape(len(y), -1).T):
                    sums[point, k] += _core.power_sums(
                        np.ascontiguousarray(column), shifts[point, k], highest, self.threads
                    )
        return sums

    def _histogram(
        self,
        of: Sequence[Observable] | None,
        component: int,
        scale: int,
        lo: float,
        inverse_width: float,
        threshold: float,
        counts: npt.NDArray[np.uint64],
    ) -> None:
        """Add counts, shape (points, bins + 3), of one of the components."""
        bins = (scale, lo, inverse_width, threshold)
        if of is None:
            name, parameters, coordinate = self._map()
            self._engine.histogram(name, parameters, coordinate, component, *bins, counts)
            return
        # An engine that holds the observed numbers as its states bins them as it bins states.
        model, parameters = "OrnsteinUhlenbeck", np.zeros((1, 3))
        for point in range(self._points):
            for first in range(0, self.n, PIECE):
                y = self._look(of, point, first, min(PIECE, self.n - first))
                column = y.reshape(len(y), -1)[:, component]
                holder = _core.Engine(len(column), "float64", "float32", 0, self.threads)
                holder.state[0, :, 0] = column
                row = counts[point : point + 1]
                holder.histogram(model, parameters, "physical", 0, *bins, row)
