from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Model

if TYPE_CHECKING:
    from ..laws import Law, TransitionMoments

_MOST_POINTS = (
    4096.0  # of the Poisson process of an exact step: most_parts of advance_rejection.hpp
)


class PowerLaw(Model):
    """Power-law dynamic of SGD near a minimum (Ito), for ``u = w - w*``::

        du = -H u dt + sqrt(eta (sigma_g + 2 rho u + sigma_H u^2)) dW

    The covariance of the minibatch gradient is quadratic in the distance from the minimum. With
    ``rho = 0`` the stationary law is Student's t with ``nu = 1 + 2 H/(eta sigma_H)`` degrees of
    freedom, scaled by ``sqrt(sigma_g/(sigma_H nu))``; otherwise it is Pearson's type IV.

    With ``rho = 0`` and ``sigma_H, sigma_g > 0`` scheme ``"exact"`` has no discretisation error.
    Steps longer than ``1/(2 M)`` are cut into parts, each of which costs some tens of nanoseconds:
    ``M = eh l (l + 1)/2`` with ``eh = eta sigma_H``, ``l = 1/2 + H/eh``. ``M dt`` is at most 4096.

    Parameters
    ----------
    H : float, default 1
        Curvature of the loss at the minimum, 1/time, > 0.
    sigma_g : float, default 0.1
        Variance of the minibatch gradient at the minimum, u^2/time^2, >= 0.
    sigma_H : float, default 0.2
        Variance of the minibatch curvature, 1/time^2, >= 0.
    eta : float, default 1
        Learning rate, which is the time of one SGD iteration, > 0.
    rho : float, default 0
        Covariance of gradient and curvature, ``rho**2 <= sigma_g sigma_H``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Meng, Gong, Chen, Ma and Liu, *Dynamic of stochastic gradient descent with state-dependent
    noise*, arXiv:2006.13719.
    """

    preferred_schemes = ("lamperti-heun", "platen")

    def __init__(
        self,
        H: float = 1.0,
        sigma_g: float = 0.1,
        sigma_H: float = 0.2,
        eta: float = 1.0,
        rho: float = 0.0,
    ) -> None:
        super().__init__(H=H, sigma_g=sigma_g, sigma_H=sigma_H, eta=eta, rho=rho)

    def step_objection(self, scheme: str, dt: float) -> str | None:
        """Return what ``dt`` must be for ``scheme``, if it is not that, or None."""
        if scheme != "exact":
            return None
        p = self._parameters
        noise = p["eta"] * p["sigma_H"]
        ell = 0.5 + p["H"] / noise
        rate = float(np.max(0.5 * noise * ell * (ell + 1.0)))
        if rate * dt <= _MOST_POINTS:
            return None
        return f"at most {_MOST_POINTS / rate:.4g} for scheme 'exact' of {self.name}"

    def stationary(self) -> Law:
        """Return Student's t (``rho = 0``), Pearson IV, or the normal law (``sigma_H = 0``)."""
        from .. import laws

        return laws.PowerLaw(**self._single())

    def transition_moments(self, u0: float, t: Any) -> TransitionMoments:
        """Return the exact moments of ``u(t)`` given ``u(0) = u0``; see `laws.transition_moments`."""
        from .. import laws

        return laws.transition_moments(**self.params, u0=u0, t=t)
