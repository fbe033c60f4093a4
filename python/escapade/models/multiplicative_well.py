"""A quartic well whose noise differs from place to place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._wells import QuarticWell

if TYPE_CHECKING:
    from ..laws import Law


class MultiplicativeWell(QuarticWell):
    """Motion in the well ``L = h (x^2 - 1)^2`` with noise that differs from place to place (Ito)::

        dx = -L'(x) dt + sqrt(eta C(x)) dW,  C = sigma_g (1 + modulation sin(wave x))

    The example on which escape over a barrier with multiplicative noise is checked: the mean time to
    cross it is ``2 pi/sqrt(L''(-1) |L''(0)|) sqrt(C(0)/C(-1)) exp(int_-1^0 2 L'/(eta C) dx)`` for
    small ``eta``. Stationary law: ``p ~ exp(-int 2 L'/(eta C))/C``. With ``modulation = 0`` the noise
    is constant: that is `DoubleWell` with ``T = eta sigma_g/2``, which more schemes can step.

    Parameters
    ----------
    h : float or array_like, default 1
        Height of the barrier at ``x = 0``, x^2/time, > 0; the minima are at ``x = -1`` and ``1``.
    sigma_g : float or array_like, default 1
        Mean variance of the gradient, x^2/time^2, >= 0.
    modulation : float or array_like, default 0.5
        Relative amplitude of its variation, in (-1, 1).
    wave : float or array_like, default 2
        Wave number of its variation, 1/x, > 0.
    eta : float or array_like, default 0.4
        Learning rate, which is the time of one SGD iteration, > 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Kramers, *Physica* 7, 284 (1940); Gardiner, *Handbook of Stochastic Methods* (Springer, 2004),
    sections 5.2 and 5.5.
    """

    preferred_schemes = ("platen", "milstein")

    def __init__(
        self,
        h: Any = 1.0,
        sigma_g: Any = 1.0,
        modulation: Any = 0.5,
        wave: Any = 2.0,
        eta: Any = 0.4,
    ) -> None:
        super().__init__(h=h, sigma_g=sigma_g, modulation=modulation, wave=wave, eta=eta)

    def stationary(self) -> Law:
        """Return the law ``exp(-int 2 L'/(eta C))/C`` by quadrature; without noise there is none."""
        from .. import laws

        return laws.MultiplicativeWell(**self._single())
