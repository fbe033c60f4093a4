"""A quartic well with noise that depends on the loss, in one dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._wells import QuarticWell

if TYPE_CHECKING:
    from ..laws import Law


class LossCoupledWell(QuarticWell):
    """SGD in the well ``L = h (x^2 - 1)^2`` with noise that depends on the loss (Ito)::

        dx = -L'(x) dt + sqrt(eta C) dW,  C = sigma_g + (2 sigma_H/H_a) L,  H_a = 8 h

    Near a minimum, of curvature ``H_a``, ``C = sigma_g + sigma_H (x - x_a)^2`` as in `PowerLaw`; with
    ``sigma_g = 2 h_* L_0/B``, ``sigma_H = h_*^2/B`` it is the noise ``2 L h_*/B`` of Mori et al. The
    stationary law is ``C^-kappa``, ``kappa = 1 + H_a/(eta sigma_H)``, and the mean time to cross the
    barrier is ``2 pi/sqrt(H_a |H_b|) (C(0)/C(-1))^(kappa - 1/2)`` for large ``kappa``, ``H_b = -4 h``.
    With ``sigma_H = 0`` the noise is constant: that is `DoubleWell` with ``T = eta sigma_g/2``, which
    more schemes can step.

    Parameters
    ----------
    h : float or array_like, default 1
        Height of the barrier at ``x = 0``, x^2/time, > 0; the minima are at ``x = -1`` and ``1``.
    sigma_g : float or array_like, default 0.1
        Variance of the minibatch gradient at the minima, x^2/time^2, >= 0.
    sigma_H : float or array_like, default 2
        Variance of the minibatch curvature there, 1/time^2, >= 0.
    eta : float or array_like, default 1
        Learning rate, which is the time of one SGD iteration, > 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Mori, Ziyin, Liu and Ueda, *Power-law escape rate of SGD*, arXiv:2105.09557, section 4.
    """

    preferred_schemes = ("platen", "milstein")

    def __init__(
        self, h: Any = 1.0, sigma_g: Any = 0.1, sigma_H: Any = 2.0, eta: Any = 1.0
    ) -> None:
        super().__init__(h=h, sigma_g=sigma_g, sigma_H=sigma_H, eta=eta)

    @property
    def kappa(self) -> Any:
        """Exponent of the stationary law, ``1 + 8 h/(eta sigma_H)``; inf for constant noise."""
        a = self._arguments
        return tail_exponent(8.0 * a["h"], a["eta"] * a["sigma_H"])

    def stationary(self) -> Law:
        """Return the law ``C^-kappa``; without noise at the minima there is none."""
        from .. import laws

        return laws.LossCoupledWell(**self._single())


def tail_exponent(curvature: Any, eh: Any) -> Any:
    """Return ``1 + curvature/eh``, inf where ``eh`` is 0."""
    with np.errstate(divide="ignore"):
        return (1.0 + np.divide(curvature, eh))[()]
