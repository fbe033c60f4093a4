"""What an observer looks at: the state of the particles, or functions of it, over a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import _show
from .base import Observer, Plan

if TYPE_CHECKING:
    from ..ensemble import Ensemble
    from ..models import Model, Observable

__all__ = ["PIECE", "View", "Viewer"]

FloatArray = npt.NDArray[np.float64]
PIECE = 2**16  # particles whose observable is evaluated at a time; reductions are in this order


class _Function:
    """A user's function of states whose results are checked: shape (n, *components), float64."""

    def __init__(self, function: Observable, components: tuple[int, ...]) -> None:
        self.function = function
        self.components = components

    def __call__(self, x: FloatArray) -> FloatArray:
        y = _evaluate(self.function, x)
        if y.shape != (len(x), *self.components):
            raise ValueError(
                f"of must return shape {(len(x), *self.components)} for {len(x)} particles, as it "
                f"did before the run, got {y.shape}"
            )
        return y


def _evaluate(function: Observable, x: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):  # lost particles are counted, not warned of
        y = np.asarray(function(x))
    if y.dtype.kind not in "biuf":
        raise TypeError(f"of must return real numbers, got an array of {y.dtype}")
    return y.astype(np.float64, copy=False)


class View:
    """The state (``of=None``), or an observable of it, as numbers in ``width`` columns.

    Attributes
    ----------
    of : None, str or callable
    sweep : tuple of int
        Shape of the model's sweep.
    components : tuple of int
        () for one number per particle, (k,) for an array of them.
    functions : list of callable or None
        One for each point of the sweep; None for the state itself.
    """

    def __init__(self, of: Any = None) -> None:
        if not (of is None or isinstance(of, str) or callable(of)):
            raise TypeError(
                "of must be None (the state), the name of an observable or a function of states, "
                f"got {_show(of)}"
            )
        self.of = of
        self.sweep: tuple[int, ...] = ()
        self.components: tuple[int, ...] = ()
        self.functions: list[Observable] | None = None
        self._attached = False

    def attach(self, ensemble: Ensemble) -> None:
        """Find the functions and the shape of what they return.

        Raises
        ------
        TypeError, ValueError
            If the model has no observable of that name, or a function returns something else than
            one or k real numbers per particle.
        """
        sweep, components = ensemble.model.shape, ensemble.model.particle_shape
        functions: list[Observable] | None = None
        if self.of is not None:
            found = self._resolve(ensemble.model)
            probed = found if isinstance(self.of, str) else found[:1]
            shapes = [_probe(ensemble, point, f) for point, f in enumerate(probed)]
            components = shapes[0]
            functions = [*(_Function(f, components) for f in found)]
            if any(s != components for s in shapes):
                raise ValueError(f"of = {self.of!r} has different shapes over the sweep: {shapes}")
        if self._attached and (sweep, components) != (self.sweep, self.components):
            raise ValueError(
                f"observe: what this observer holds has shape {(*self.sweep, *self.components)}, "
                f"got {(*sweep, *components)}"
            )
        self.sweep, self.components, self.functions = sweep, components, functions
        self._attached = True

    def _resolve(self, model: Model) -> list[Observable]:
        if not isinstance(self.of, str):
            return [model.observable(self.of)] * model._points
        # an observable may depend on the parameters, which differ from point to point
        at = [model[i] for i in np.ndindex(model.shape)] if model.shape else [model]
        return [one.observable(self.of) for one in at]

    @property
    def points(self) -> int:
        return int(np.prod(self.sweep, dtype=np.int64))

    @property
    def width(self) -> int:
        return self.components[0] if self.components else 1

    def pieces(self, n: int) -> Iterator[tuple[int, int, int]]:
        """Yield (point, first particle, number of particles), always in the same order."""
        for point in range(self.points):
            for first in range(0, n, PIECE):
                yield point, first, min(PIECE, n - first)

    def look(self, ensemble: Ensemble, point: int, first: int, count: int) -> FloatArray:
        """Return what is seen of some particles, shape (count, width)."""
        return ensemble._look(self.functions, point, first, count).reshape(count, self.width)

    def all(self, ensemble: Ensemble) -> FloatArray:
        """Return what is seen of all particles, shape (points, n, width)."""
        out = np.empty((self.points, ensemble.n, self.width))
        for point, first, count in self.pieces(ensemble.n):
            out[point, first : first + count] = self.look(ensemble, point, first, count)
        return out

    def unfold(self, values: npt.NDArray[Any], *, looks: bool = False, n: int | None = None) -> Any:
        """Return ``values``, shape (points, width), in the user's shape (*sweep, *components).

        ``looks``: there is an axis of looks in front. ``n``: there is one of particles between the
        two. A single number is returned as a Python number.
        """
        front = values.shape[:1] if looks else ()
        middle = () if n is None else (n,)
        out = values.reshape((*front, *self.sweep, *middle, *self.components))
        return out.item() if out.ndim == 0 else out

    def require_same(self, other: View) -> None:
        """Refuse to merge with what has looked at something else."""
        mine, theirs = ((v.of, v.sweep, v.components) for v in (self, other))
        if mine != theirs:
            raise ValueError(
                "other must have looked at the same (of, shape of the sweep, components) "
                f"{mine}, got {theirs}"
            )


def _probe(ensemble: Ensemble, point: int, function: Observable) -> tuple[int, ...]:
    """Return the shape of an observable for one particle.

    One particle is shown several times over, once more often than it has numbers: functions that
    reduce over the particles give themselves away.
    """
    n = ensemble.model.dim + 1
    y = _evaluate(function, np.repeat(ensemble._look(None, point, 0, 1), n, axis=0))
    if y.ndim not in (1, 2) or len(y) != n or y.size == 0:
        raise ValueError(
            f"of must return an array of shape (n,) or (n, k) for n particles, got shape {y.shape} "
            f"for n = {n}"
        )
    return y.shape[1:]


class Viewer(Observer):
    """Base of observers of the state or of observables, ``of=``."""

    def __init__(self, every: int | None = None, of: Any = None) -> None:
        super().__init__(every)
        self._view = View(of)

    @property
    def of(self) -> Any:
        """What is looked at: None (the state), a name or a function."""
        return self._view.of

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        super().begin(ensemble, plan)
        self._view.attach(ensemble)
