"""Estimate the parameters of state-dependent noise from data, with standard errors.

Which data are at hand?
    Minibatch gradients at chosen points: `gradient_noise`
    Paths with a short step: `increments`
    Pairs of states any time apart: `transitions`
    Samples of the stationary law: `stationary`; with the rate of one of the former, `combine`

Each returns an `Estimate`: values, standard errors and their covariance. Rates of noise are
``es = eta sigma_g`` and ``eh = eta sigma_H``, variances per unit time, with the learning rate ``eta``
and the variances ``sigma_g``, ``sigma_H`` of one minibatch gradient, which `Estimate.noise` gives. All
assume the minimum at ``centre=0.0`` unless told: state it, or ``centre="fit"``.
"""

from __future__ import annotations

from ._result import Estimate, OffCentreWarning
from .gradients import gradient_noise
from .law import combine, stationary
from .power_law import increments, transitions

__all__ = [
    "Estimate",
    "OffCentreWarning",
    "combine",
    "gradient_noise",
    "increments",
    "stationary",
    "transitions",
]
