"""A quartic well with directions across it and noise that depends on the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._products import total
from .base import FloatArray, Model, Observable
from .loss_coupled_well import tail_exponent

if TYPE_CHECKING:
    from ..laws import Law


class LossCoupledWellND(Model):
    """`LossCoupledWell` in several dimensions: isotropic noise that depends on the loss (Ito)::

        L = h (x_1^2 - 1)^2 + (k/2) sum_(j>1) (x_j - bend (x_1^2 - 1))^2
        dx = -grad L dt + sqrt(eta C) dW,  C = sigma_g + (2 sigma_H/H_a) L,  H_a = 8 h

    with a Wiener process for each number. Minima at ``(-1, 0, ...)`` and ``(1, 0, ...)``, a saddle at
    ``(0, -bend, ...)``, a barrier ``h``; ``bend`` curves the valley and changes neither the barrier nor
    the determinants of the Hessians. For any of these losses the stationary law is ``C^-kappa``, ``kappa
    = 1 + H_a/(eta sigma_H)``, and the mean time to cross the barrier is ``(2 pi/|h_e|) sqrt(|det
    H_b|/det H_a) (C_b/C_a)^(kappa - dim/2)`` for large ``kappa``, ``h_e = -4 h`` (for ``bend = 0``).
    With ``sigma_H = 0`` it is overdamped Langevin motion at the temperature ``eta sigma_g/2``.

    Parameters
    ----------
    dim : int, default 2
        Numbers of a particle, >= 1.
    h : float or array_like, default 1
        Height of the barrier, x^2/time, > 0.
    k : float or array_like, default 8
        Curvature across, 1/time, > 0.
    bend : float or array_like, default 0
        How far the valley is bent, 1/x.
    sigma_g : float or array_like, default 0.1
        Variance of each number of the minibatch gradient at the minima, x^2/time^2, >= 0.
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

    preferred_schemes = ("euler-maruyama",)
    vector = True
    structural = ("dim",)

    def __init__(
        self,
        dim: int = 2,
        h: Any = 1.0,
        k: Any = 8.0,
        bend: Any = 0.0,
        sigma_g: Any = 0.1,
        sigma_H: Any = 2.0,
        eta: Any = 1.0,
    ) -> None:
        super().__init__(dim=dim, h=h, k=k, bend=bend, sigma_g=sigma_g, sigma_H=sigma_H, eta=eta)

    @property
    def minimum(self) -> FloatArray:
        """The left minimum, shape (dim,)."""
        out = np.zeros(self.dim)
        out[0] = -1.0
        return out

    @property
    def saddle(self) -> FloatArray:
        """The saddle, shape (dim,); of a sweep over ``bend``, its shape comes first."""
        bend = np.asarray(self._arguments["bend"], dtype=np.float64)
        out = np.zeros((*bend.shape, self.dim))
        out[..., 1:] = -bend[..., None]
        return out

    @property
    def barrier(self) -> Any:
        """Loss of the saddle above the minima, ``h``."""
        return self._arguments["h"]

    @property
    def kappa(self) -> Any:
        """Exponent of the stationary law, ``1 + 8 h/(eta sigma_H)``; inf for constant noise."""
        a = self._arguments
        return tail_exponent(8.0 * a["h"], a["eta"] * a["sigma_H"])

    def loss(self, x: Any) -> FloatArray:
        """Return the loss at states of shape (..., dim), shape (...).

        Raises
        ------
        ValueError
            For a sweep: ask one of its points, ``model[index]``.
        """
        p = self._single()
        return well_loss(np.asarray(x, dtype=np.float64), p["h"], p["k"], p["bend"])

    def stationary(self) -> Law:
        """Return the marginal law of the first number, ``C(x_1)^-(kappa - (dim - 1)/2)``.

        Exact for any ``k`` and ``bend``: the others shift and scale, and integrate to a power of C.

        Raises
        ------
        escapade.laws.NoStationaryLaw
            If ``kappa <= (dim - 1)/2 + 1/4``, or without noise at the minima.
        """
        from .. import laws

        p = self._single()
        noise = (p["sigma_g"], p["sigma_H"], p["eta"])
        return laws.LossCoupledWell(p["h"], *noise, directions=self.dim - 1)

    def observables(self) -> dict[str, Observable]:
        """Return ``along``, the first number; and, for a single model, ``loss``; shape (n,) each."""

        def along(x: FloatArray) -> FloatArray:
            """Return ``x_1``, shape (n,)."""
            return x[:, 0]

        def loss(x: FloatArray) -> FloatArray:
            """Return the loss, shape (n,)."""
            return self.loss(x)

        return {"along": along, "loss": loss} if self.shape == () else {"along": along}


def well_loss(x: FloatArray, height: float, k: float, bend: float) -> FloatArray:
    """Return ``height s^2 + (k/2) sum_(j>1) (x_j - bend s)^2`` with ``s = x_1^2 - 1``."""
    s = x[..., 0] ** 2 - 1.0
    across = x[..., 1:] - bend * s[..., None]
    out: FloatArray = np.asarray(height * s * s + 0.5 * k * total(across * across))
    return out
