"""Noise equilibrium of SGD along exponential symmetries.

Source: Ziyin, Wang, Li, Wu, *Parameter symmetry and noise equilibrium of stochastic gradient descent*,
arXiv:2402.07193 (which writes ``2 sigma^2`` for the temperature ``T`` used here).

A loss has an exponential symmetry if ``ell(exp(lambda A) theta, x) = ell(theta, x)`` with a symmetric
matrix A. Gradient flow conserves the charge ``theta^T A theta``; the noise of SGD and weight decay
change it at a deterministic rate, which vanishes at exactly one point of the orbit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import optimize, special

from .._checks import _show, number
from ._inputs import psd, symmetric, vector

__all__ = ["charge", "charge_rate", "noise_equilibrium", "rescaling_balance"]

_NOTHING = 1e-13  # relative size below which a component is rounding noise


def _theta(theta: Any, size: int) -> Any:
    result = vector("theta", theta)
    if result.size != size:
        raise ValueError(f"theta must have {size} entries, as A has rows, got {result.size}")
    return result


def _noise(Sigma: Any, size: int) -> Any:
    result = psd("Sigma", Sigma)
    if result.shape[0] != size:
        raise ValueError(f"Sigma must have the shape of A, ({size}, {size}), got {result.shape}")
    return result


def charge(theta: Any, A: Any) -> float:
    """Return the charge ``theta^T A theta`` that gradient flow conserves.

    Parameters
    ----------
    theta : array_like, shape (n,)
        Parameters.
    A : array_like, shape (n, n)
        Symmetric generator of the symmetry.
    """
    generator = symmetric("A", A)
    point = _theta(theta, generator.shape[0])
    return float(point @ generator @ point)


def charge_rate(Sigma: Any, A: Any, T: float, gamma: float = 0.0, theta: Any = None) -> float:
    """Return ``d(theta^T A theta)/dt = T Tr[Sigma A] - 4 gamma theta^T A theta``.

    Parameters
    ----------
    Sigma : array_like, shape (n, n)
        Covariance of the gradient of one sample at ``theta``.
    A : array_like, shape (n, n)
        Symmetric generator of the symmetry.
    T : float
        Temperature, learning rate over batch size, >= 0.
    gamma : float, default 0
        Weight decay ``gamma |theta|^2``, >= 0.
    theta : array_like, shape (n,), optional
        Parameters; needed if ``gamma > 0``.
    """
    generator = symmetric("A", A)
    noise = _noise(Sigma, generator.shape[0])
    T, gamma = number("T", T, low=0.0), number("gamma", gamma, low=0.0)
    rate = T * float(np.sum(noise * generator))
    if gamma == 0.0:
        return rate
    if theta is None:
        raise ValueError(f"theta must be given for gamma > 0, got gamma = {gamma!r} without")
    return rate - 4.0 * gamma * charge(theta, generator)


def noise_equilibrium(
    A: Any, Sigma: Any, T: float = 1.0, gamma: float = 0.0, theta: Any = None
) -> float:
    """Return the ``lambda`` at which the charge rate vanishes on the orbit ``exp(lambda A) theta``.

    With eigenvalues ``mu_i`` and eigenvectors ``n_i`` of A, ``s_i = n_i^T Sigma n_i`` and
    ``c_i = n_i^T theta``, the root of the decreasing function ::

        T sum_i mu_i s_i exp(-2 lambda mu_i) - 4 gamma sum_i mu_i c_i^2 exp(2 lambda mu_i)

    Parameters
    ----------
    A : array_like, shape (n, n)
        Symmetric generator of the symmetry.
    Sigma : array_like, shape (n, n)
        Covariance of the gradient of one sample at ``theta``, positive semidefinite.
    T : float, default 1
        Temperature, > 0.
    gamma : float, default 0
        Weight decay, >= 0.
    theta : array_like, shape (n,), optional
        Parameters at ``lambda = 0``; needed if ``gamma > 0``.

    Returns
    -------
    float
        inf (minus inf) if the charge grows (falls) without end: then there is noise only in
        directions with ``mu_i > 0`` (``mu_i < 0``) and nothing holds it.

    Raises
    ------
    ValueError
        If A is not symmetric, Sigma not positive semidefinite, shapes differ, or nothing changes
        the charge at all, so that the whole orbit is at rest.
    """
    generator = symmetric("A", A)
    size = generator.shape[0]
    noise = _noise(Sigma, size)
    T, gamma = number("T", T, low=0.0, open_low=True), number("gamma", gamma, low=0.0)
    if gamma > 0.0 and theta is None:
        raise ValueError(f"theta must be given for gamma > 0, got gamma = {gamma!r} without")
    point = np.zeros(size) if theta is None else _theta(theta, size)
    mu, vectors = np.linalg.eigh(generator)
    power = np.einsum("ij,ik,kj->j", vectors, noise, vectors)
    power[power <= _NOTHING * max(float(np.trace(noise)), 0.0)] = 0.0
    square = (vectors.T @ point) ** 2
    square[square <= _NOTHING**2 * float(point @ point)] = 0.0
    live = np.abs(mu) > _NOTHING * float(np.max(np.abs(mu)))
    noise_push, decay_push = T * np.abs(mu) * power, 4.0 * gamma * np.abs(mu) * square
    # The rate is sum(up exp(-2 |mu| lambda)) - sum(down exp(2 |mu| lambda)), all terms positive.
    up = np.where(mu > 0.0, noise_push, decay_push)[live]
    down = np.where(mu > 0.0, decay_push, noise_push)[live]
    twice = 2.0 * np.abs(mu[live])
    if not up.any() and not down.any():
        raise ValueError(
            "Sigma must have noise along some eigenvector of A with a nonzero eigenvalue (or gamma "
            f"> 0), got Sigma = {_show(Sigma)}: nothing changes the charge, every point is at rest"
        )
    if not down.any():
        return math.inf
    if not up.any():
        return -math.inf

    def excess(x: float) -> float:  # decreasing, with a slope between -2 max and -2 min of twice
        rise = special.logsumexp(-twice[up > 0.0] * x, b=up[up > 0.0])
        fall = special.logsumexp(twice[down > 0.0] * x, b=down[down > 0.0])
        return float(rise - fall)

    here = excess(0.0)
    if here == 0.0:
        return 0.0
    reach = 1.000001 * here / (2.0 * float(np.min(twice)))
    return float(optimize.brentq(excess, 0.0, reach, xtol=1e-300, rtol=1e-15, maxiter=500))


def rescaling_balance(powers: Any) -> Any:
    """Return the shares ``theta_i^2/|theta|^2 = p_i/sum(p)`` in noise equilibrium.

    For a loss that depends on the parameters only through ``prod_i theta_i^{p_i}``: the noise of
    ``theta_i`` is proportional to ``p_i^2/theta_i^2``, and no rescaling changes the charge iff
    ``theta_i^2`` is proportional to ``p_i``.

    Parameters
    ----------
    powers : array_like, shape (n,)
        Exponents, > 0.

    Returns
    -------
    ndarray, shape (n,)
        Shares that add up to 1.

    Raises
    ------
    ValueError
        If a power is not positive: with mixed signs some rescaling grows for ever.
    """
    p = vector("powers", powers)
    if not (p > 0.0).all():
        raise ValueError(f"powers must be greater than 0, got {float(p[p <= 0.0][0])!r}")
    return p / np.sum(p)
