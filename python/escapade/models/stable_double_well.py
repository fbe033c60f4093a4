from __future__ import annotations

from typing import Any

from .base import Model


class StableDoubleWell(Model):
    """Motion in the double well ``V = h (x^2 - 1)^2`` with jumps, ``dx = -V'(x) dt + eps dL^alpha``.

    ``L`` is the symmetric alpha-stable process with ``E exp(i k L_t) = exp(-t |k|^alpha)``. For
    stochastic gradient descent with heavy-tailed gradients, ``dw = -grad f dt + eta^((alpha-1)/alpha)
    sigma dL^alpha`` with learning rate ``eta``: ``eps = eta^((alpha-1)/alpha) sigma``.

    A jump far out meets a drift that grows like the cube of it: ``"euler-maruyama"`` is thrown by
    it, ``"tamed-euler"`` creeps back by 1 per step. ``"strang-splitting"`` follows the drift
    exactly from any distance.

    Parameters
    ----------
    h : float, default 1
        Height of the barrier at ``x = 0`` (energy), > 0; the minima are at ``x = -1`` and ``1``.
    eps : float, default 0.1
        Noise strength, x/time^(1/alpha), >= 0.
    alpha : float, default 1.5
        Index of stability, 0 < alpha <= 2; one number, also in a sweep.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Imkeller and Pavlyukevich, *Stoch. Process. Appl.* 116, 611 (2006); Simsekli, Sagun and
    Gurbuzbalaban, arXiv:1901.06053.
    """

    preferred_schemes = ("strang-splitting", "tamed-euler")
    structural = ("alpha",)

    def __init__(self, h: Any = 1.0, eps: Any = 0.1, alpha: float = 1.5) -> None:
        super().__init__(h=h, eps=eps, alpha=alpha)
