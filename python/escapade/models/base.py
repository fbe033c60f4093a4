"""What every model shares: parameters checked against the registry, schemes, coordinates, sweeps."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks import choice
from ._evaluate import evaluate
from ._sweep import Values, broadcast_shape, checked, rows

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..laws import Law

__all__ = ["Model", "Observable"]

FloatArray = npt.NDArray[np.float64]
#: A function of states, shape (n,) or (n, dim), that returns shape (n,) or (n, k).
Observable = Callable[[FloatArray], FloatArray]

# Parameters of the compiled model that a Python class takes bundled in one argument.
_BUNDLES = {"data": ("beta1", "beta2", "alpha1", "alpha2", "alpha3")}


@functools.cache
def registry() -> dict[str, dict[str, Any]]:
    """Return what the compiled engine says of its models, by name."""
    return {entry["name"]: entry for entry in _core.models()}


def log_abs(x: FloatArray) -> FloatArray:
    """Return ``ln |x|`` of the state.

    By the engine's logarithm, whose bits are the same on every machine.
    """
    out: FloatArray = _core.math("log", np.ascontiguousarray(np.abs(x), dtype=np.float64))
    return out


class Model:
    """A stochastic differential equation with fixed parameters, or a sweep of them.

    Subclasses are named like their compiled counterparts (or name them in ``kernel``), from which
    bounds, calculus and the list of schemes come. Models do not change and compare by value;
    parameters are attributes.

    A parameter may be an array. Arrays broadcast together to the ``shape`` of a sweep: an ensemble
    then has that shape in front of its particles, and ``model[index]`` is the model of one point.
    """

    #: Schemes that ``scheme="auto"`` tries, in this order.
    preferred_schemes: ClassVar[tuple[str, ...]] = ("milstein",)
    #: Name of the compiled model; that of the class if empty.
    kernel: ClassVar[str] = ""
    #: Whether the state of a particle is an array, shape (dim,), even if of length 1.
    vector: ClassVar[bool] = False
    #: Parameters that cannot be swept, because the size of a particle, or its noise, depends on them.
    structural: ClassVar[tuple[str, ...]] = ()
    #: Whether the drift keeps particles in. Where it does not, they run off once they have escaped.
    confining: ClassVar[bool] = True

    def __init__(
        self, *, _tail: Any = (), _derived: Mapping[str, Any] | None = None, **parameters: Any
    ) -> None:
        # `parameters` are the arguments of the class; those that the compiled model does not know
        # give it `_derived` ones and the `_tail` of numbers after the named ones.
        entry = registry()[self.kernel or type(self).__name__]
        flat = dict(parameters)
        for bundle, members in _BUNDLES.items():
            if bundle in flat:
                moments = flat.pop(bundle)
                flat.update({member: getattr(moments, member) for member in members})
        flat.update(_derived or {})
        values: Values = {}
        for p in entry["parameters"]:
            values[p["name"]] = checked(p, flat[p["name"]], p["name"] in self.structural)
        self._shape = broadcast_shape({k: v.shape for k, v in values.items()})
        self._matrix = rows(values, self._shape, np.asarray(_tail, dtype=np.float64))
        self._entry = entry
        for row in self._matrix:
            reason = _core.check_model(entry["name"], row)
            if reason is not None:
                shown = ", ".join(f"{k}={v!r}" for k, v in parameters.items())
                raise ValueError(f"{reason}, got {type(self).__name__}({shown})")
        integral = {p["name"] for p in entry["parameters"] if p["integer"]}
        self._parameters: dict[str, Any] = {k: _typed(v, k in integral) for k, v in values.items()}
        self._arguments = {
            k: self._parameters[k] if k in self._parameters and k not in (_derived or {}) else v
            for k, v in parameters.items()
        }
        form = _core.shape(entry["name"], self._matrix)
        self._dim, self._planes, self._draws = (int(form[k]) for k in ("dim", "planes", "draws"))
        self._jumps = bool(form["jumps"])

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self.__dict__.get("_arguments", {}):
            return self._arguments[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"{name} cannot be set: models do not change, make a new one")
        super().__setattr__(name, value)

    # -- what it is --------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the model's class."""
        return type(self).__name__

    @property
    def params(self) -> dict[str, Any]:
        """Arguments the model was made with, by name."""
        return dict(self._arguments)

    @property
    def equation(self) -> str:
        """The equation, as text."""
        return str(self._entry["equation"])

    @property
    def calculus(self) -> str:
        """``"ito"`` or ``"stratonovich"``: how the equation is to be read; ``"discrete"`` for none."""
        return str(self._entry["calculus"])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the sweep; () for a single model."""
        return self._shape

    @property
    def dim(self) -> int:
        """Numbers that make up the state of a particle."""
        return self._dim

    @property
    def particle_shape(self) -> tuple[int, ...]:
        """Shape of one particle's state: () for a scalar, (dim,) otherwise."""
        return (self._dim,) if self.vector else ()

    @property
    def _points(self) -> int:
        return math.prod(self._shape)

    @property
    def jumps(self) -> bool:
        """Whether paths jump: processes in discrete time, and those with alpha-stable noise."""
        return self._jumps or self.time_step is not None

    @property
    def time_step(self) -> float | None:
        """The only time step there is, for processes in discrete time; None otherwise."""
        return None

    def __getitem__(self, index: Any) -> Self:
        """Return the model of one point of the sweep."""
        if self._shape == ():
            raise TypeError(f"{self.name} is not a sweep: none of its parameters is an array")
        point = np.arange(math.prod(self._shape)).reshape(self._shape)[index]
        if np.ndim(point) != 0:
            raise IndexError(
                f"index must name one point of a sweep of shape {self._shape}, got {index!r}"
            )
        return type(self)(**{k: self._pick(v, int(point)) for k, v in self._arguments.items()})

    def _pick(self, value: Any, point: int) -> Any:
        """Return an argument at a point: arrays are sweeps, and so is what has a shape and items."""
        shape = getattr(value, "shape", ())
        if shape == () or isinstance(value, Model):
            return value
        where = np.unravel_index(point, self._shape)[len(self._shape) - len(shape) :]
        at = tuple(0 if extent == 1 else int(i) for i, extent in zip(where, shape, strict=True))
        picked = value[at]
        return picked.item() if isinstance(picked, np.generic) else picked

    # -- how it is stepped -------------------------------------------------------------------------

    @property
    def _call(self) -> tuple[str, FloatArray]:
        """What the engine wants to hear of a model."""
        return self._entry["name"], self._matrix

    @property
    def schemes(self) -> tuple[str, ...]:
        """Schemes that can step the model with these parameters."""
        return tuple(s for s in self._entry["schemes"] if self.scheme_objection(s) is None)

    @property
    def domain(self) -> tuple[Any, Any]:
        """Open interval in which the state must start; arrays of the sweep's shape if it differs."""
        return (-math.inf, math.inf)

    def start_objection(self, x: FloatArray) -> str | None:
        """Return why particles cannot start from states within the domain, or None if they can.

        Parameters
        ----------
        x : ndarray
            States, of which those of one particle are in the last axes, of `particle_shape`.
        """
        return None

    @property
    def storage(self) -> str:
        """Coordinate in which an ensemble is stored before its first run."""
        return "physical"

    def scheme_objection(self, scheme: str) -> str | None:
        """Return why ``scheme`` cannot step this model, or None if it can."""
        if scheme == "sgd" and self.time_step is None:
            instead = "; use model.sgd(eta)" if hasattr(self, "sgd") else ""
            return f"{self.name} is a stochastic differential equation{instead}"
        reason: str | None = _core.check_scheme(self._entry["name"], scheme, self._matrix)
        return reason

    def step_objection(self, scheme: str, dt: float) -> str | None:
        """Return what ``dt`` must be for ``scheme``, if it is not that, or None."""
        return None

    def auto_scheme(self) -> str:
        """Return the scheme that ``scheme="auto"`` picks."""
        usable = self.schemes
        return next((s for s in self.preferred_schemes if s in usable), usable[0])

    # -- what it says at a point -------------------------------------------------------------------

    def drift(self, x: npt.ArrayLike) -> FloatArray:
        """Return the drift of the equation at states, in the physical coordinate.

        Parameters
        ----------
        x : array_like, shape (...,) or (..., dim) if `vector`
            States; nothing is checked against `domain`.

        Returns
        -------
        ndarray of float64, of the shape of ``x``

        Raises
        ------
        NotImplementedError
            For processes in discrete time.
        ValueError
            For sweeps, and if the last axis of ``x`` is not ``dim`` long.
        """
        return evaluate(self, x)[0]

    def diffusion(self, x: npt.ArrayLike) -> FloatArray:
        """Return the noise coefficient at states: ``b`` of ``dx = a dt + b dW`` (or ``+ b dL``).

        Parameters
        ----------
        x : array_like, shape (...,) or (..., dim) if `vector`
            States; nothing is checked against `domain`.

        Returns
        -------
        ndarray of float64, of the shape of ``x``; (..., dim, processes) if `vector`

        Raises
        ------
        NotImplementedError
            For processes in discrete time.
        ValueError
            For sweeps, and if the last axis of ``x`` is not ``dim`` long.
        """
        return evaluate(self, x)[1]

    # -- what can be said of it --------------------------------------------------------------------

    def observables(self) -> dict[str, Observable]:
        """Return named functions of the state that observers can look at by ``of=``.

        The first paragraph of the docstring of each says what it returns.
        """
        return {}

    def observable(self, name: Any) -> Observable:
        """Return the observable called ``name``; a function is returned as it is.

        Raises
        ------
        TypeError, ValueError
            If ``name`` is neither a function nor a name among `observables`.
        """
        if callable(name):
            function: Observable = name
            return function
        known = self.observables()
        reason = self.observable_objection(name) if isinstance(name, str) else None
        if reason is not None and name not in known:
            raise ValueError(reason)
        if not known:
            raise ValueError(
                f"of must be a function of the state: {self.name} names no observables"
            )
        return known[choice("of", name, tuple(known))]

    def observable_objection(self, name: str) -> str | None:
        """Return why this model lacks an observable that others of its class have, or None."""
        return None

    def stationary(self) -> Law:
        """Return the exact stationary law.

        Raises
        ------
        escapade.laws.NoStationaryLaw
            If none exists; the message says what happens instead.
        ValueError
            For a sweep: ``model[index]`` has a law.
        """
        raise NotImplementedError(f"no law is known for {self.name}")

    def _single(self) -> dict[str, Any]:
        """Return the parameters of the compiled model, or refuse a sweep."""
        if self._shape != ():
            raise ValueError(
                f"{self.name} is a sweep of shape {self._shape}; ask one of its points, model[index]"
            )
        return self._parameters

    def __repr__(self) -> str:
        shown = (f"{k}={_short(v)}" for k, v in self._arguments.items())
        return f"{self.name}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and isinstance(other, Model)
            and self._shape == other._shape
            and np.array_equal(self._matrix, other._matrix)
            and all(_equal(v, other._arguments[k]) for k, v in self._arguments.items())
        )

    def __hash__(self) -> int:
        return hash((self.name, self._shape, self._matrix.tobytes()))


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return bool(a == b)


def _typed(value: FloatArray, integral: bool) -> Any:
    """Return a number as int or float, an array of them read-only."""
    if value.shape == ():
        return int(value) if integral else float(value)
    out = value.astype(np.int64) if integral else value
    out.flags.writeable = False
    return out


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"<array of shape {value.shape}, {value.flat[0]:g} to {value.flat[-1]:g}>"
    return repr(value)
