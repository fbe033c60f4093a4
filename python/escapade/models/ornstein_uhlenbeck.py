from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Model

if TYPE_CHECKING:
    from ..laws import Law


class OrnsteinUhlenbeck(Model):
    """Ornstein-Uhlenbeck process, ``dx = -theta (x - mu) dt + sigma dW``.

    Additive noise, so Ito and Stratonovich readings agree. Stationary law: normal with mean ``mu``
    and variance ``sigma**2 / (2 theta)``.

    Parameters
    ----------
    theta : float, default 1
        Rate of return to ``mu``, 1/time, >= 0. ``theta=0`` is Brownian motion.
    mu : float, default 0
        Centre.
    sigma : float, default 1
        Noise strength, x/sqrt(time), >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Uhlenbeck and Ornstein, *Phys. Rev.* 36, 823 (1930).
    """

    preferred_schemes = ("lamperti-heun", "euler-maruyama")

    def __init__(self, theta: float = 1.0, mu: float = 0.0, sigma: float = 1.0) -> None:
        super().__init__(theta=theta, mu=mu, sigma=sigma)

    def stationary(self) -> Law:
        """Return the normal law ``N(mu, sigma^2/(2 theta))``; theta = 0 has none, sigma = 0 a point."""
        from .. import laws

        return laws.OrnsteinUhlenbeck(**self._single())
