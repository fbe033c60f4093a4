from __future__ import annotations

from typing import TYPE_CHECKING

from ._wells import QuarticWell

if TYPE_CHECKING:
    from ..laws import Law


class DoubleWell(QuarticWell):
    """Overdamped motion in the double well ``V = h (x^2 - 1)^2``, ``dx = -V'(x) dt + sqrt(2 T) dW``.

    Additive noise, so Ito and Stratonovich readings agree. Stationary law: ``p ~ exp(-V/T)``.

    Parameters
    ----------
    h : float, default 1
        Height of the barrier at ``x = 0`` (energy), > 0; the minima are at ``x = -1`` and ``1``.
    T : float, default 1
        Temperature (energy), >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Kramers, *Physica* 7, 284 (1940).
    """

    preferred_schemes = ("lamperti-heun", "euler-maruyama")

    def __init__(self, h: float = 1.0, T: float = 1.0) -> None:
        super().__init__(h=h, T=T)

    def stationary(self) -> Law:
        """Return the Boltzmann law ``exp(-h (x^2 - 1)^2 / T)``; at T = 0 there is no single law."""
        from .. import laws

        return laws.DoubleWell(**self._single())
