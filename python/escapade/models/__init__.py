"""The models: each a class whose docstring states its equation, calculus, parameters and source."""

from __future__ import annotations

from .balanced_network import BalancedNetwork
from .base import Model, Observable
from .diagonal_network import DiagonalNetwork
from .double_well import DoubleWell
from .generalized_rescaling import GeneralizedRescaling
from .geometric_brownian_motion import GeometricBrownianMotion
from .log_landscape import LogLandscape
from .loss_coupled_well import LossCoupledWell
from .loss_coupled_well_nd import LossCoupledWellND
from .mirror_collapse import MirrorCollapse
from .multiplicative_well import MultiplicativeWell
from .multivariate_power_law import MultivariatePowerLaw
from .ornstein_uhlenbeck import OrnsteinUhlenbeck
from .pitchfork import Pitchfork
from .power_law import PowerLaw
from .regression_well import RegressionWell
from .scale_invariant import ScaleInvariant
from .sgd import GD, SGD
from .stable_double_well import StableDoubleWell
from .stable_ornstein_uhlenbeck import StableOrnsteinUhlenbeck
from .two_layer_linear import TwoLayerLinear
from .two_parabola_well import TwoParabolaWell
from .two_point_saddle import TwoPointSaddle

__all__ = [
    "GD",
    "SGD",
    "BalancedNetwork",
    "DiagonalNetwork",
    "DoubleWell",
    "GeneralizedRescaling",
    "GeometricBrownianMotion",
    "LogLandscape",
    "LossCoupledWell",
    "LossCoupledWellND",
    "MirrorCollapse",
    "Model",
    "MultiplicativeWell",
    "MultivariatePowerLaw",
    "Observable",
    "OrnsteinUhlenbeck",
    "Pitchfork",
    "PowerLaw",
    "RegressionWell",
    "ScaleInvariant",
    "StableDoubleWell",
    "StableOrnsteinUhlenbeck",
    "TwoLayerLinear",
    "TwoParabolaWell",
    "TwoPointSaddle",
    "get",
    "list",
]


_MODELS: dict[str, type[Model]] = {
    model.__name__: model
    for model in (
        *(BalancedNetwork, DiagonalNetwork, DoubleWell, GeneralizedRescaling),
        *(GeometricBrownianMotion, LogLandscape, LossCoupledWell, LossCoupledWellND),
        *(MirrorCollapse, MultiplicativeWell, MultivariatePowerLaw, OrnsteinUhlenbeck, Pitchfork),
        *(PowerLaw, RegressionWell, ScaleInvariant, StableDoubleWell, StableOrnsteinUhlenbeck),
        *(TwoLayerLinear, TwoParabolaWell, TwoPointSaddle),
    )
}


def list() -> tuple[str, ...]:
    """Return the names of all models; `SGD` and `GD` are made by methods of those."""
    return tuple(sorted(_MODELS))


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

    return _MODELS[choice("model", name, list())]
