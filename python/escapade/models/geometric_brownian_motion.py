from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Model, Observable, log_abs

if TYPE_CHECKING:
    from ..laws import Law


class GeometricBrownianMotion(Model):
    """Geometric Brownian motion (Ito), ``dx = mu x dt + sigma x dW``.

    ``ln x(t)`` is normal with mean ``ln x0 + (mu - sigma**2/2) t`` and variance ``sigma**2 t``: for
    ``0 < mu < sigma**2/2`` almost every path collapses to 0 while ``E x`` grows.

    Parameters
    ----------
    mu : float, default 0
        Growth rate of the mean, 1/time.
    sigma : float, default 1
        Relative noise strength, 1/sqrt(time), >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Kloeden and Platen, *Numerical Solution of Stochastic Differential Equations* (1992), eq. 4.4.6.
    """

    preferred_schemes = ("lamperti-heun", "platen")

    def __init__(self, mu: float = 0.0, sigma: float = 1.0) -> None:
        super().__init__(mu=mu, sigma=sigma)

    def observables(self) -> dict[str, Observable]:
        """Return ``log_abs``, ``ln |x|``."""
        return {"log_abs": log_abs}

    def stationary(self) -> Law:
        """Return the point mass at 0 if ``mu < sigma**2/2``; otherwise there is no law."""
        from .. import laws

        return laws.GeometricBrownianMotion(**self._single())

    def transition(self, x0: float, t: float) -> Any:
        """Return the exact law of ``x(t)`` given ``x(0) = x0 > 0``, for ``t > 0``."""
        from .. import laws

        return laws.geometric_brownian_motion_transition(**self.params, x0=x0, t=t)
