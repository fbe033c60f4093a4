"""Estimators from the stationary law of the power-law dynamic.

The law of ``du = -H (u - c) dt + sqrt(es + eh (u - c)^2) dW`` is ``(1 + (u - c)^2/w^2)^-kappa`` with
``kappa = 1 + H/eh``, ``w^2 = es/eh`` (Meng, Gong, Chen, Ma, Liu, arXiv:2006.13719).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from scipy import optimize, special

from .._checks import number
from ._result import Estimate, FloatArray, centre_of, propagate, states, warn_off_centre

__all__ = ["combine", "stationary"]


def stationary(
    u: Any, *, independent: float | None = None, centre: float | Literal["fit"] = 0.0
) -> Estimate:
    """Estimate ``kappa`` and ``w`` of the law ``(1 + (u - centre)^2/w^2)^-kappa`` by maximum likelihood.

    The best estimator of the exponent ``kappa`` there is; tail plots (Hill) are far worse. In terms of
    the dynamic ``kappa = 1 + H/eh`` and ``w^2 = es/eh`` with ``es = eta sigma_g``, ``eh = eta sigma_H``
    (learning rate times variances of one minibatch gradient); rates are not contained: see `combine`.

    Parameters
    ----------
    u : array_like
        Stationary states.
    independent : float, optional
        How many independent samples they are worth, for the errors; by default all of them.
    centre : float or "fit", default 0.0
        The minimum, about which the law is symmetric. "fit" estimates it along with the others.

    Returns
    -------
    Estimate
        ``kappa``, ``w``, and ``centre`` if it was fitted.

    Raises
    ------
    ValueError
        If the tails are not heavier than those of a normal law: then the likelihood has no maximum.

    Warns
    -----
    OffCentreWarning
        If the numbers of states on either side of the stated centre differ by more than 5 standard
        errors (sign test).
    """
    u = states("u", u, 10)
    count = float(u.size)
    if independent is not None:
        count = number("independent", independent, low=1.0, high=u.size)
    given = centre_of(centre)
    if given is None:
        middle = float(np.median(u))
    else:
        middle = given
        sides = float(np.sign(u - given).sum()) / math.sqrt(u.size)
        warn_off_centre(
            given,
            sides * math.sqrt(count / u.size),
            f"as if {count:.6g} of them were independent, numbers on its two sides differ",
        )
    unit = float(np.median(np.abs(u - middle)))
    if unit == 0.0:
        raise ValueError(f"u must not be {middle:g} for half of the states")
    z, free = (u - middle) / unit, given is None
    k = 3 if free else 2

    def minus(theta: FloatArray) -> tuple[float, FloatArray]:
        """Return the mean negative log-likelihood and its gradient."""
        above, w = np.exp(theta[:2])  # kappa - 1/2 and w/unit
        x = z - theta[2] if free else z
        ratio = (x / w) ** 2
        logs, share = float(np.log1p(ratio).mean()), float((ratio / (1.0 + ratio)).mean())
        kappa = above + 0.5
        value = -math.log(special.poch(above, 0.5)) + math.log(w) + kappa * logs
        slopes = (
            (logs - special.digamma(kappa) + special.digamma(above)) * above,
            1.0 - 2.0 * kappa * share,
            -2.0 * kappa * float((x / (1.0 + ratio)).mean()) / w**2,
        )
        return value, np.array(slopes[: len(theta)])

    bounds = [(math.log(0.01), math.log(1e5)), (math.log(1e-3), math.log(1e4)), (-10.0, 10.0)]
    found = optimize.minimize(
        minus,
        np.array([math.log(1.5), math.log(1.5), 0.0][:k]),
        jac=True,
        bounds=bounds[:k],
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    above, w = np.exp(found.x[:2])
    offset = float(found.x[2]) if free else 0.0
    if above > 1e4 or w > 5e3:
        raise ValueError(
            "u must have heavier tails than a normal law: the fitted exponent runs away"
        )
    x = z - offset
    ratio = (x / w) ** 2
    kappa, share = above + 0.5, ratio / (1.0 + ratio)
    mean, spread = float(share.mean()), float((share * (1.0 - share)).mean())
    width = w * unit
    cross = -2.0 * mean / width
    skew = 4.0 * kappa * float((x / (1.0 + ratio) ** 2).mean()) * unit / width**3
    flat = 2.0 * kappa * float(((1.0 - ratio) / (1.0 + ratio) ** 2).mean()) / width**2
    curvature = np.array(
        [
            [special.polygamma(1, above) - special.polygamma(1, kappa), cross, 0.0],
            [cross, (2.0 * kappa * mean - 1.0 + 4.0 * kappa * spread) / width**2, skew],
            [0.0, skew, flat],
        ]
    )
    values = np.array([kappa, width, middle + offset * unit])
    covariance = np.linalg.inv(curvature[:k, :k]) / count
    return Estimate(("kappa", "w", "centre")[:k], values[:k], covariance, u.size)


def combine(law: Estimate, dynamics: Estimate) -> Estimate:
    """Estimate everything from the shape of the law and the rate of the dynamics.

    ``eh = H/(kappa - 1)``, ``es = eh w^2`` with ``kappa`` and ``w`` of `stationary` and ``H`` of
    `transitions` or `increments`; far better for ``eh`` than those alone. ``es = eta sigma_g`` and
    ``eh = eta sigma_H`` are variances per unit time; `Estimate.noise` gives ``sigma_g`` and ``sigma_H``.
    Errors of the two are taken as independent. Each measures from its own centre, which is not kept.

    Returns
    -------
    Estimate
        ``H``, ``es``, ``eh``, ``kappa``, ``w``.

    Raises
    ------
    TypeError, ValueError
        If the estimates are of something else, or ``kappa <= 1``.
    """
    for name, given, needed in (("law", law, ("kappa", "w")), ("dynamics", dynamics, ("H",))):
        if not isinstance(given, Estimate):
            raise TypeError(f"{name} must be an Estimate, got {given!r}")
        if not set(needed) <= set(given.names):
            raise ValueError(
                f"{name} must hold {' and '.join(needed)}, got {', '.join(given.names)}"
            )
    if law["kappa"] <= 1.0:
        raise ValueError(f"law must have kappa greater than 1, got {law['kappa']:g}")
    shape = [law.names.index("kappa"), law.names.index("w")]
    covariance = np.zeros((3, 3))
    covariance[0, 0] = dynamics.error("H") ** 2
    covariance[1:, 1:] = law.covariance[np.ix_(shape, shape)]

    def parameters(c: FloatArray) -> FloatArray:
        H, kappa, w = c
        eh = H / (kappa - 1.0)
        return np.array([H, eh * w * w, eh, kappa, w])

    given_values = np.array([dynamics["H"], law["kappa"], law["w"]])
    values, covariance = propagate(parameters, given_values, covariance)
    samples = min(law.samples, dynamics.samples)
    return Estimate(("H", "es", "eh", "kappa", "w"), values, covariance, samples)
