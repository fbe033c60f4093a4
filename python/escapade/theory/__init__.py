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
Escape (Kramers; Meng et al., arXiv:2006.13719; Mori, Ziyin, Liu, Ueda, arXiv:2105.09557)
    How long to leave a well? `kramers_time`, `kramers_rate`, `kramers_time_from` any process;
    `langevin_time`, constant noise; `loss_coupled_time`, `loss_coupled_time_nd`, noise like the loss;
    `mori_rate`, `mori_rate_nd`, `mori_phi`, `mori_n_c`; with jumps `alpha_stable_exit_rate`,
    `alpha_stable_constant`
    Exactly, from a symmetric interval? `power_law_exit_time`, `power_law_exit_rate`
    What do papers print? `meng_time_printed`, `meng_time_nd_printed`, `xie_time_printed`
    How does a time step change it? `chain_passage_time`, exact; `endpoint_bias`, `SHIFT`
Power-law dynamic
    What is its law? `power_law_kappa`, `power_law_nu`, `power_law_q`, `power_law_width`; under other
    calculi `convert_kappa`, `convert_curvature`; `ergodic_learning_rate` in d dimensions
    How does it look in d dimensions? `power_law_covariance`, `power_law_multivariate`
    How fast does it forget? `relaxation_spectrum`
    What does Euler-Maruyama make of it? `euler_maruyama_second_moment`, `euler_maruyama_tail_index`
SGD in discrete time (Ziyin, Liu, Mori, Ueda, arXiv:2102.05375)
    How far does it wander? `sgd_covariance`, `label_noise_covariance`, `sgd_regression_variance`
    How heavy is its tail? `sgd_tail_index`

Lyapunov exponents of SGD (`lyapunov_sgd`, `lyapunov_sgd_samples`, `two_point_lyapunov` and
`symmetric_sum_exponents` with ``eta``) are per step, those of SDEs per unit of time, as is what
`escapade.LyapunovExponent` measures: of SGD it measures the former over ``eta``.

Conventions: ``T = eta/S``, learning rate over batch size; Ito; loss without the factor 1/2, weight decay
``gamma |theta|^2``. Of escape: ``es = eta sigma_g`` and ``eh = eta sigma_H`` are variances per time,
in which batch sizes are contained, and losses are as given. Formulas refuse, with a ``ValueError``,
what they do not hold for.
"""

from __future__ import annotations

from ._log_normal_mean import mean_log_abs_normal
from .alpha_stable import (
    alpha_stable_constant,
    alpha_stable_exit_rate,
)
from .chain_passage import (
    SHIFT,
    chain_passage_time,
    endpoint_bias,
)
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
from .discrete_sgd import (
    label_noise_covariance,
    sgd_covariance,
    sgd_regression_variance,
)
from .escape_papers import (
    meng_time_nd_printed,
    meng_time_printed,
    xie_time_printed,
)
from .first_passage import mean_first_passage
from .kramers import kramers_rate, kramers_time, kramers_time_from, langevin_time
from .local_maximum import (
    TwoPointLogLaw,
    Window,
    local_maximum_sde,
    local_maximum_second_order,
    local_maximum_window,
    two_point_log_law,
    two_point_lyapunov,
)
from .loss_coupled import loss_coupled_time, loss_coupled_time_nd
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
from .mori import mori_n_c, mori_phi, mori_rate, mori_rate_nd
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
from .power_law_exit import (
    power_law_exit_rate,
    power_law_exit_time,
)
from .power_law_facts import (
    RelaxationSpectrum,
    convert_curvature,
    convert_kappa,
    ergodic_learning_rate,
    euler_maruyama_second_moment,
    euler_maruyama_tail_index,
    power_law_kappa,
    power_law_nu,
    power_law_q,
    power_law_width,
    relaxation_spectrum,
    sgd_tail_index,
)
from .power_law_nd import MultivariateT, power_law_covariance, power_law_multivariate
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
    "SHIFT",
    "CollapseRate",
    "Factors",
    "GammaParameters",
    "MatrixStationary",
    "MultivariateT",
    "Phase",
    "RelaxationSpectrum",
    "SaddlePhase",
    "SumExponents",
    "TwoPointLogLaw",
    "Window",
    "absorption_probability",
    "alpha_stable_constant",
    "alpha_stable_exit_rate",
    "balance_rate",
    "chain_passage_time",
    "charge",
    "charge_rate",
    "collapse_eta",
    "collapse_eta_samples",
    "collapse_probability",
    "collapse_temperature",
    "convert_curvature",
    "convert_kappa",
    "critical_temperature",
    "dcs_reparametrise",
    "depth0_euler_maruyama_variance",
    "depth1_mode",
    "endpoint_bias",
    "equilibrium_radius",
    "ergodic_learning_rate",
    "euler_maruyama_second_moment",
    "euler_maruyama_tail_index",
    "exact_loss",
    "flattest_point",
    "flattest_trace_hessian",
    "gd_balanced",
    "kramers_rate",
    "kramers_time",
    "kramers_time_from",
    "label_noise_covariance",
    "langevin_time",
    "local_maximum_sde",
    "local_maximum_second_order",
    "local_maximum_window",
    "log_drift_slope",
    "loss_coupled_time",
    "loss_coupled_time_nd",
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
    "meng_time_nd_printed",
    "meng_time_printed",
    "modified_law_critical_temperature",
    "modified_law_tail_exponent",
    "moment_growth_rate",
    "moment_range",
    "mori_n_c",
    "mori_phi",
    "mori_rate",
    "mori_rate_nd",
    "noise_equilibrium",
    "noise_mismatch",
    "phase",
    "phase_concentration",
    "phase_law",
    "phase_variance",
    "pitchfork_relaxation_rate",
    "pitchfork_square_law",
    "power_law_covariance",
    "power_law_exit_rate",
    "power_law_exit_time",
    "power_law_kappa",
    "power_law_multivariate",
    "power_law_nu",
    "power_law_q",
    "power_law_width",
    "relaxation_rate",
    "relaxation_spectrum",
    "rescaling_balance",
    "saddle_phase",
    "scale_radius",
    "sgd_covariance",
    "sgd_regression_variance",
    "sgd_tail_index",
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
    "xie_time_printed",
]
