"""What every model shares: parameters checked against the compiled registry, schemes, coordinates."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, ClassVar

from .. import _core
from .._checks import integer, number

if TYPE_CHECKING:
    from ..laws import Law

__all__ = ["Model"]

# Parameters of the compiled model that a Python class takes bundled in one argument.
_BUNDLES = {"data": ("beta1", "beta2", "alpha1", "alpha2", "alpha3")}


@functools.cache
def registry() -> dict[str, dict[str, Any]]:
    """Return what the compiled engine says of its models, by name."""
    return {entry["name"]: entry for entry in _core.models()}


class Model:
    """A stochastic differential equation with fixed parameters.

    Subclasses are named like their compiled counterparts, from which bounds, calculus and the list
    of schemes come. Models do not change and compare by value; parameters are attributes.
    """

    #: Schemes that ``scheme="auto"`` tries, in this order.
    preferred_schemes: ClassVar[tuple[str, ...]] = ("milstein",)

    def __init__(self, **parameters: Any) -> None:
        name = type(self).__name__
        entry = registry()[name]
        flat = dict(parameters)
        for bundle, members in _BUNDLES.items():
            if bundle in flat:
                moments = flat.pop(bundle)
                flat.update({member: getattr(moments, member) for member in members})
        values = []
        for p in entry["parameters"]:
            given = flat[p["name"]]
            if p["integer"]:
                values.append(
                    float(integer(p["name"], given, low=int(p["low"]), high=int(p["high"])))
                )
            else:
                values.append(
                    number(
                        p["name"],
                        given,
                        low=p["low"],
                        high=p["high"],
                        open_low=p["low_open"] and math.isfinite(p["low"]),
                        open_high=p["high_open"] and math.isfinite(p["high"]),
                    )
                )
        reason = _core.check_model(name, values)
        if reason is not None:
            shown = ", ".join(f"{k}={v!r}" for k, v in parameters.items())
            raise ValueError(f"{reason}, got {name}({shown})")
        self._values = tuple(values)
        self._parameters = {
            p["name"]: int(v) if p["integer"] else v
            for p, v in zip(entry["parameters"], values, strict=True)
        }
        bundles = {k: parameters[k] for k in _BUNDLES if k in parameters}
        hidden = {member for bundle in bundles for member in _BUNDLES[bundle]}
        self._arguments = {
            k: bundles.get(k, self._parameters.get(k)) for k in parameters if k not in hidden
        }

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self.__dict__.get("_arguments", {}):
            return self._arguments[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"{name} cannot be set: models do not change, make a new one")
        super().__setattr__(name, value)

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
        return str(registry()[self.name]["equation"])

    @property
    def calculus(self) -> str:
        """``"ito"`` or ``"stratonovich"``: how the equation is to be read."""
        return str(registry()[self.name]["calculus"])

    @property
    def schemes(self) -> tuple[str, ...]:
        """Schemes that can step the model with these parameters."""
        names = registry()[self.name]["schemes"]
        return tuple(s for s in names if self.scheme_objection(s) is None)

    @property
    def domain(self) -> tuple[float, float]:
        """Open interval in which the state must start."""
        return (-math.inf, math.inf)

    @property
    def storage(self) -> str:
        """Coordinate in which an ensemble is stored before its first run."""
        return "physical"

    def scheme_objection(self, scheme: str) -> str | None:
        """Return why ``scheme`` cannot step this model, or None if it can."""
        reason: str | None = _core.check_scheme(self.name, scheme, self._values)
        return reason

    def auto_scheme(self) -> str:
        """Return the scheme that ``scheme="auto"`` picks."""
        usable = self.schemes
        return next((s for s in self.preferred_schemes if s in usable), "euler-maruyama")

    def stationary(self) -> Law:
        """Return the exact stationary law.

        Raises
        ------
        escapade.laws.NoStationaryLaw
            If none exists; the message says what happens instead.
        """
        raise NotImplementedError(f"no law is known for {self.name}")

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self._arguments.items())})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values == other._values

    def __hash__(self) -> int:
        return hash((self.name, self._values))
