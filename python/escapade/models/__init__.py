"""The models: each a class whose docstring states its equation, calculus, parameters and source."""

from __future__ import annotations

from .balanced_network import BalancedNetwork
from .base import Model, Observable, registry
from .diagonal_network import DiagonalNetwork
from .double_well import DoubleWell
from .geometric_brownian_motion import GeometricBrownianMotion
from .ornstein_uhlenbeck import OrnsteinUhlenbeck
from .pitchfork import Pitchfork
from .power_law import PowerLaw

__all__ = [
    "BalancedNetwork",
    "DiagonalNetwork",
    "DoubleWell",
    "GeometricBrownianMotion",
    "Model",
    "Observable",
    "OrnsteinUhlenbeck",
    "Pitchfork",
    "PowerLaw",
    "get",
    "list",
]


def list() -> tuple[str, ...]:
    """Return the names of all models."""
    return tuple(sorted(registry()))


def get(name: str) -> type[Model]:
    """Return the model class called ``name``.

    Raises
    ------
    TypeError
        If ``name`` is not a string.
    ValueError
        If there is no such model.
    """
    from .._checks import choice

    model: type[Model] = globals()[choice("model", name, list())]
    return model
