"""Exact results on symmetric models of SGD, as functions of the data and of SGD's parameters.

Diagonal linear networks and the law of balance (Ziyin, Li, Ueda, arXiv:2308.06671)
    At which temperature does learning end?  `critical_temperature`, `t_star`, `phase`; `log_drift_slope`
    How heavy are the tails, which moments exist?  `tail_exponent`, `moment_range`, `depth1_mode`
    How fast does it relax?  `balance_rate` of the layers, `relaxation_rate` of the law
    How long until it gets there?  `mean_first_passage`, `absorption_probability`
    What is the loss, what would other models say?  `exact_loss`, `modified_law_critical_temperature`,
    `modified_law_tail_exponent`, `depth0_euler_maruyama_variance`
    Which subnetworks are trapped?  `trap_threshold`, `trap_exponent`
Saddles (Ziyin, Li, Galanti, Ueda, arXiv:2303.13093)
    Does SGD leave the origin of two layers?  `saddle_phase`, `symmetric_sum_exponents`
Local maxima (Ziyin, Li, Simon, Ueda, arXiv:2107.11774)
    Does SGD converge to one?  `local_maximum_window`, `local_maximum_sde`, `local_maximum_second_order`
    How does it get there?  `two_point_lyapunov`, `two_point_log_law`
Mirror symmetry and collapse (Ziyin, arXiv:2309.16932)
    Does weight decay collapse a direction?  `weight_decay_threshold`
    Does noise?  `lyapunov_sde`, `collapse_temperature` of the SDE; `lyapunov_sgd`, `collapse_eta` of
    SGD with normal curvatures, `lyapunov_sgd_samples`, `collapse_eta_samples` with given ones;
    `mean_log_abs_normal`, on which they rest
    How likely, how fast?  `collapse_probability`, `moment_growth_rate`
    What is the law where it does not?  `pitchfork_square_law`, `pitchfork_relaxation_rate`
    Sparsity by symmetry?  `dcs_reparametrise`, `soft_threshold`, `singular_value_threshold`
Noise equilibrium (Ziyin, Wang, Li, Wu, arXiv:2402.07193)
    How does noise move a conserved charge?  `charge`, `charge_rate`, `noise_equilibrium`
    Where do products of powers balance?  `rescaling_balance`
    Where does a matrix factorisation?  `matrix_equilibrium`, `noise_mismatch`; `matrix_charge_rate`,
    `matrix_balance_rate` to it; `matrix_slow_drift`, `matrix_stationary` along the minima
    Is it flat there?  `trace_hessian`; compare `flattest_point`, `flattest_trace_hessian`, `gd_balanced`
    What becomes of scale-invariant weights?  `equilibrium_radius`, `scale_radius`; `phase_law`,
    `phase_concentration`, `phase_variance` of the angle

Lyapunov exponents of SGD (`lyapunov_sgd`, `lyapunov_sgd_samples`, `two_point_lyapunov` and
`symmetric_sum_exponents` with ``eta``) are per step, those of SDEs per unit of time, as is what
`escapade.LyapunovExponent` measures: of SGD it measures the former over ``eta``.

Conventions: ``T = eta/S``, learning rate over batch size; Ito; loss without the factor 1/2, weight decay
``gamma |theta|^2``. Formulas refuse, with a ``ValueError``, what they do not hold for.
"""

from __future__ import annotations

from ._log_normal_mean import mean_log_abs_normal
from .collapse import (
    CollapseRate,
    collapse_eta,
    collapse_eta_samples,
    collapse_temperature,
    lyapunov_sde,
    lyapunov_sgd,
    lyapunov_sgd_samples,
    weight_decay_threshold,
)
from .collapse_models import (
    GammaParameters,
    collapse_probability,
    moment_growth_rate,
    pitchfork_relaxation_rate,
    pitchfork_square_law,
)
from .dcs import dcs_reparametrise, singular_value_threshold, soft_threshold
from .first_passage import mean_first_passage
from .local_maximum import (
    TwoPointLogLaw,
    Window,
    local_maximum_sde,
    local_maximum_second_order,
    local_maximum_window,
    two_point_log_law,
    two_point_lyapunov,
)
from .matrix_factorisation import (
    Factors,
    flattest_point,
    flattest_trace_hessian,
    gd_balanced,
    matrix_balance_rate,
    matrix_charge_rate,
    matrix_equilibrium,
    noise_mismatch,
    trace_hessian,
)
from .matrix_slow_flow import MatrixStationary, matrix_slow_drift, matrix_stationary
from .network import (
    absorption_probability,
    balance_rate,
    critical_temperature,
    depth0_euler_maruyama_variance,
    depth1_mode,
    exact_loss,
    log_drift_slope,
    modified_law_critical_temperature,
    modified_law_tail_exponent,
    relaxation_rate,
    t_star,
)
from .noise_equilibrium import charge, charge_rate, noise_equilibrium, rescaling_balance
from .phases import Phase, moment_range, phase, tail_exponent
from .saddle import (
    SaddlePhase,
    SumExponents,
    saddle_phase,
    symmetric_sum_exponents,
    trap_exponent,
    trap_threshold,
)
from .scale_invariance import (
    equilibrium_radius,
    phase_concentration,
    phase_law,
    phase_variance,
    scale_radius,
)

__all__ = [
    "CollapseRate",
    "Factors",
    "GammaParameters",
    "MatrixStationary",
    "Phase",
    "SaddlePhase",
    "SumExponents",
    "TwoPointLogLaw",
    "Window",
    "absorption_probability",
    "balance_rate",
    "charge",
    "charge_rate",
    "collapse_eta",
    "collapse_eta_samples",
    "collapse_probability",
    "collapse_temperature",
    "critical_temperature",
    "dcs_reparametrise",
    "depth0_euler_maruyama_variance",
    "depth1_mode",
    "equilibrium_radius",
    "exact_loss",
    "flattest_point",
    "flattest_trace_hessian",
    "gd_balanced",
    "local_maximum_sde",
    "local_maximum_second_order",
    "local_maximum_window",
    "log_drift_slope",
    "lyapunov_sde",
    "lyapunov_sgd",
    "lyapunov_sgd_samples",
    "matrix_balance_rate",
    "matrix_charge_rate",
    "matrix_equilibrium",
    "matrix_slow_drift",
    "matrix_stationary",
    "mean_first_passage",
    "mean_log_abs_normal",
    "modified_law_critical_temperature",
    "modified_law_tail_exponent",
    "moment_growth_rate",
    "moment_range",
    "noise_equilibrium",
    "noise_mismatch",
    "phase",
    "phase_concentration",
    "phase_law",
    "phase_variance",
    "pitchfork_relaxation_rate",
    "pitchfork_square_law",
    "relaxation_rate",
    "rescaling_balance",
    "saddle_phase",
    "scale_radius",
    "singular_value_threshold",
    "soft_threshold",
    "symmetric_sum_exponents",
    "t_star",
    "tail_exponent",
    "trace_hessian",
    "trap_exponent",
    "trap_threshold",
    "two_point_log_law",
    "two_point_lyapunov",
    "weight_decay_threshold",
]
