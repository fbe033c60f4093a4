"""Two processes whose collapse is known exactly: geometric Brownian motion and the pitchfork.

They are the local models of the mirror symmetry of Ziyin, *Symmetry induces structure and constraint of
learning*, arXiv:2309.16932.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from .._checks import number
from ..data._sweep import Values, broadcast, values

__all__ = [
    "GammaParameters",
    "collapse_probability",
    "moment_growth_rate",
    "pitchfork_relaxation_rate",
    "pitchfork_square_law",
]


class GammaParameters(NamedTuple):
    """Shape and scale of a gamma law."""

    shape: float
    scale: float


def collapse_probability(eps: Values, z0: Values, mu: Values, sigma: Values, t: Values) -> Values:
    """Return ``P(|z_t| < eps)`` for ``dz = mu z dt + sigma z dW`` (Ito) from ``z0``.

    ``Phi((ln(eps/|z0|) - (mu - sigma^2/2) t)/(sigma sqrt(t)))``.

    Parameters
    ----------
    eps, z0 : float or array_like
        Threshold and start, > 0.
    mu : float or array_like
        Growth rate of the mean.
    sigma, t : float or array_like
        Noise and time, > 0.
    """
    positive = {"eps": eps, "z0": z0, "sigma": sigma, "t": t}
    p = broadcast(
        {
            **{name: values(name, x, low=0.0, open_low=True) for name, x in positive.items()},
            "mu": values("mu", mu),
        }
    )
    drift = (p["mu"] - 0.5 * p["sigma"] ** 2) * p["t"]
    return special.ndtr((np.log(p["eps"] / p["z0"]) - drift) / (p["sigma"] * np.sqrt(p["t"])))


def moment_growth_rate(p: Values, mu: Values, sigma: Values) -> Values:
    """Return ``p mu + p (p-1) sigma^2/2``, the rate at which ``E |z|^p`` grows.

    The equation is ``dz = mu z dt + sigma z dW`` (Ito).
    For ``0 < mu < sigma^2/2`` every path collapses while the mean grows: never judge a collapse by
    moments.

    Parameters
    ----------
    p : float or array_like
        Order of the moment.
    mu, sigma : float or array_like
        Growth rate and noise (>= 0).
    """
    q = broadcast(
        {"p": values("p", p), "mu": values("mu", mu), "sigma": values("sigma", sigma, low=0.0)}
    )
    return q["p"] * (q["mu"] + 0.5 * (q["p"] - 1.0) * q["sigma"] ** 2)


def pitchfork_square_law(mu: float, b: float, sigma: float) -> GammaParameters:
    """Return shape ``mu/sigma^2 - 1/2`` and scale ``sigma^2/b`` of the gamma law of ``z^2``.

    Stationary law of the pitchfork ``dz = (mu z - b z^3) dt + sigma z dW`` (Ito).

    Raises
    ------
    ValueError
        For ``mu <= sigma^2/2``: every path collapses to 0.
    """
    mu, b = number("mu", mu), number("b", b, low=0.0, open_low=True)
    sigma = number("sigma", sigma, low=0.0, open_low=True)
    if mu <= 0.5 * sigma * sigma:
        raise ValueError(
            f"mu must be greater than sigma^2/2 = {0.5 * sigma * sigma:g}, got {mu!r}: every path "
            "collapses to 0"
        )
    return GammaParameters(mu / (sigma * sigma) - 0.5, sigma * sigma / b)


def pitchfork_relaxation_rate(mu: float, sigma: float) -> float:
    """Return the edge ``(mu - sigma^2/2)^2 / (2 sigma^2)`` of the continuous spectrum.

    No relaxation rate is larger than what the slow return from small ``z`` allows: run for several
    times its inverse, or start from the law.
    """
    mu, sigma = number("mu", mu), number("sigma", sigma, low=0.0, open_low=True)
    square = sigma * sigma
    with np.errstate(all="ignore"):  # tiny sigma: inf
        return float(np.divide((mu - 0.5 * square) * (mu - 0.5 * square), 2.0 * square))
