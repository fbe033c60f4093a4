"""Exact answers for one-dimensional diffusions ``dx = b(x) dt + s(x) dW`` (Ito), without simulation.

========================================================  ===========================================
question                                                  function
========================================================  ===========================================
How long until it leaves, on average?                     `mean_exit_time`, `log_mean_exit_time`
How much does that vary?                                  `exit_time_std`, `exit_time_moments`
Through which end does it leave?                          `splitting_probability`
At which rate does it leave in the end?                   `escape_rate`, `log_escape_rate`
Where is it, if it has not left for long?                 `quasi_stationary`
Has it left by time t?                                    `survival`
When, and at which end, does it leave?                    `exit_time_density`
What is the transform ``E exp(-s T)`` of the exit time?   `laplace_transform`
Where is it at time t?                                    `transition_density`
========================================================  ===========================================

The process is a one-dimensional Ito model of `escapade.models`, or a `Diffusion` made of two Python
functions. The region is ``(a, b)``: finite ends absorb, or reflect with ``reflect="lower"`` or
``"upper"``; an end that is not given is that of the domain, at infinity unless the process says
otherwise. What happens there follows from drift and noise (Feller's classification): paths come back,
drift away for ever, or explode. Where the process may never leave, mean times are inf and there is no
rate; where it cannot be told in double precision, the call is refused.

::

    model = ea.models.PowerLaw(H=1.0, sigma_g=0.2, sigma_H=0.5)
    ea.exact.mean_exit_time(model, x0=0.0, b=1.5)        # 121.886..., one-sided
    ea.exact.escape_rate(model, b=1.5)                   # 0.00826...; not one over the mean

    mine = ea.exact.Diffusion(lambda x: x - x**3, lambda x: np.sqrt(0.2 + 0.0 * x))
    ea.exact.survival(mine, x0=-1.0, t=[1.0, 10.0, 100.0], b=1.0)

Method: scale and speed densities are kept as logarithms on adaptive panels of 20 Gauss-Legendre
nodes, and only positive terms are added, so that times up to ``exp(10000)`` keep 12 digits where drift
and noise are smooth. What depends on time is the inverse Laplace transform of solutions that are exact
to rounding. Drift and noise are compared with the panels at thousands of other places; features
narrower than about 1/4000 of the interval may go unseen and must be named: `Diffusion`, ``points``.
"""

from __future__ import annotations

from .evolution import exit_time_density, survival, transition_density
from .laplace import laplace_transform
from .process import Diffusion
from .rates import escape_rate, log_escape_rate, quasi_stationary
from .times import (
    exit_time_moments,
    exit_time_std,
    log_mean_exit_time,
    mean_exit_time,
    splitting_probability,
)

__all__ = [
    "Diffusion",
    "escape_rate",
    "exit_time_density",
    "exit_time_moments",
    "exit_time_std",
    "laplace_transform",
    "log_escape_rate",
    "log_mean_exit_time",
    "mean_exit_time",
    "quasi_stationary",
    "splitting_probability",
    "survival",
    "transition_density",
]
