"""Exact results on symmetric models of SGD, as functions of the data and of SGD's parameters.

Diagonal linear networks (arXiv:2308.06671): `network`, `phases`, `first_passage`; saddles and their
traps (arXiv:2303.13093): `saddle`; noise equilibrium (arXiv:2402.07193): `noise_equilibrium`,
`matrix_factorisation`, `scale_invariance`; collapse by mirror symmetry (arXiv:2309.16932): `collapse`,
`dcs`; local maxima (arXiv:2107.11774): `local_maximum`.

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
