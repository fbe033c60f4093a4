"""Exact stationary laws, with the habits of scipy.stats frozen distributions.

Nothing here depends on the compiled core: the laws are a second, independent road to the answer.
"""

from __future__ import annotations

from ..theory._numbers import (
    absorption_probability,
    critical_temperature,
    depth0_euler_maruyama_variance,
    depth1_mode,
    relaxation_rate,
    t_star,
)
from .base import Law, NoStationaryLaw, PositiveLaw
from .compare import Comparison, Share, compare
from .double_well import DoubleWell
from .gamma import Gamma, InverseGamma
from .geometric_brownian_motion import (
    GeometricBrownianMotion,
    geometric_brownian_motion_transition,
)
from .gig import GIG
from .line import LineLaw
from .log_law import LogOf
from .multivariate import multivariate_t, separable_strengths
from .network import DiagonalNetwork
from .normal import LogNormal, Normal
from .numeric import NumericLaw
from .ornstein_uhlenbeck import OrnsteinUhlenbeck
from .pearson import PearsonIV, pearson_log_normaliser
from .pitchfork import Pitchfork, pitchfork_relaxation_rate
from .point import PointMass
from .power_law import PowerLaw
from .power_law_moments import (
    TransitionMoments,
    euler_maruyama_tail_index,
    euler_maruyama_variance,
    transition_moments,
)
from .stable import (
    Stable,
    StableOrnsteinUhlenbeck,
    stable_characteristic,
    stable_ornstein_uhlenbeck_transition,
    stable_tail,
)
from .student import StudentT
from .transforms import Affine, PowerOf
from .wells import LossCoupledWell, MultiplicativeWell, radial_power, well_power

__all__ = [
    "GIG",
    "Affine",
    "Comparison",
    "DiagonalNetwork",
    "DoubleWell",
    "Gamma",
    "GeometricBrownianMotion",
    "InverseGamma",
    "Law",
    "LineLaw",
    "LogNormal",
    "LogOf",
    "LossCoupledWell",
    "MultiplicativeWell",
    "NoStationaryLaw",
    "Normal",
    "NumericLaw",
    "OrnsteinUhlenbeck",
    "PearsonIV",
    "Pitchfork",
    "PointMass",
    "PositiveLaw",
    "PowerLaw",
    "PowerOf",
    "Share",
    "Stable",
    "StableOrnsteinUhlenbeck",
    "StudentT",
    "TransitionMoments",
    "absorption_probability",
    "compare",
    "critical_temperature",
    "depth0_euler_maruyama_variance",
    "depth1_mode",
    "euler_maruyama_tail_index",
    "euler_maruyama_variance",
    "geometric_brownian_motion_transition",
    "multivariate_t",
    "pearson_log_normaliser",
    "pitchfork_relaxation_rate",
    "radial_power",
    "relaxation_rate",
    "separable_strengths",
    "stable_characteristic",
    "stable_ornstein_uhlenbeck_transition",
    "stable_tail",
    "t_star",
    "transition_moments",
    "well_power",
]
