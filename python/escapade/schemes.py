"""The time-stepping schemes: what each converges to, and how fast."""

from __future__ import annotations

import builtins
import functools
import math
from dataclasses import dataclass

from . import _core
from ._checks import choice

__all__ = ["Scheme", "get", "list"]


@dataclass(frozen=True)
class Scheme:
    """What a scheme says of itself.

    Attributes
    ----------
    name, summary : str
    calculus : str
        ``"ito"`` or ``"stratonovich"``: the integral it converges to. Models are given the drift that
        belongs to it, converted exactly. ``"discrete"`` where time is.
    coordinate : str
        In which it steps: ``"physical"``, ``"log"`` or ``"lamperti"``.
    strong_order, weak_order : float
        For noise that depends on the state.
    strong_order_additive, weak_order_additive : float
        For noise that does not. Orders are 0 in discrete time, where nothing is approximated. The
        weak order of an exact step is inf, and its strong order 0: it follows no Wiener path.
    normals : int
        Normals drawn per step and Wiener process. In discrete time it stands for one minibatch, which
        takes as many normals as its samples do; see `draws`.
    adaptive : bool
        Whether steps are cut where the state asks for it. Substeps draw noise of their own, so strong
        orders, and paths coupled by ``coarsen=``, hold as far as no step is cut; laws always do.
    jumps : bool
        Whether it can step models driven by alpha-stable noise. That noise is additive here; errors
        then have the orders of additive noise in the sense of ``E |error|^p``, ``p < alpha``.
    """

    name: str
    summary: str
    calculus: str
    coordinate: str
    strong_order: float
    strong_order_additive: float
    weak_order: float
    weak_order_additive: float
    normals: int
    adaptive: bool
    jumps: bool

    @property
    def exact(self) -> bool:
        """Whether a step of any length has the law of the process."""
        return self.weak_order == math.inf

    def orders(self) -> dict[str, float | None]:
        """Return the four orders by name; None for all of them if the scheme is `exact`."""
        names = ("strong_order", "strong_order_additive", "weak_order", "weak_order_additive")
        return {name: None if self.exact else getattr(self, name) for name in names}

    @property
    def draws(self) -> str:
        """Normals per step and Wiener process, as text; ``"batch"`` where a minibatch is drawn."""
        return "batch" if self.calculus == "discrete" else str(self.normals)


@functools.cache
def _registry() -> dict[str, Scheme]:
    return {entry["name"]: Scheme(**entry) for entry in _core.schemes()}


def list() -> tuple[str, ...]:
    """Return the names of all schemes."""
    return tuple(sorted(_registry()))


def get(name: str) -> Scheme:
    """Return the scheme called ``name``.

    Raises
    ------
    TypeError, ValueError
        If ``name`` is not the name of a scheme.
    """
    return _registry()[choice("scheme", name, builtins.list(_registry()))]
