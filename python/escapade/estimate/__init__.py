"""Estimate the parameters of state-dependent noise from data, with standard errors.

Which data are at hand?
    Minibatch gradients at chosen points: `gradient_noise`
    Paths with a short step: `increments`
    Pairs of states any time apart: `transitions`
    Samples of the stationary law: `stationary`; with the rate of one of the former, `combine`

Each returns an `Estimate`: values, standard errors and their covariance.
"""

from __future__ import annotations

from ._result import Estimate
from .gradients import gradient_noise
from .power_law import combine, increments, stationary, transitions

__all__ = [
    "Estimate",
    "combine",
    "gradient_noise",
    "increments",
    "stationary",
    "transitions",
]
