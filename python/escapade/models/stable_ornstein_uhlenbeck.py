from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Model

if TYPE_CHECKING:
    from ..laws import Law


class StableOrnsteinUhlenbeck(Model):
    """Ornstein-Uhlenbeck process with jumps, ``dx = -theta x dt + eps dL^alpha``.

    ``L`` is the symmetric alpha-stable process with ``E exp(i k L_t) = exp(-t |k|^alpha)``; at
    ``alpha = 2`` it is ``sqrt(2)`` times a Wiener process. Near a minimum of curvature ``theta``
    this is stochastic gradient descent with heavy-tailed gradients, ``dw = -grad f dt +
    eta^((alpha-1)/alpha) sigma dL^alpha`` with learning rate ``eta``: there ``eps =
    eta^((alpha-1)/alpha) sigma``, and one iteration takes the time ``eta``. Scheme ``"exact"`` has
    no discretisation error.

    Stationary law: symmetric stable of the same index, scale ``eps/(alpha theta)^(1/alpha)``.

    Parameters
    ----------
    theta : float, default 1
        Rate of return to 0, 1/time, >= 0. ``theta=0`` is the stable process itself.
    eps : float, default 1
        Noise strength, x/time^(1/alpha), >= 0.
    alpha : float, default 1.5
        Index of stability, 0 < alpha <= 2; one number, also in a sweep.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Imkeller and Pavlyukevich, *Stoch. Process. Appl.* 116, 611 (2006); Samorodnitsky and Taqqu,
    *Stable Non-Gaussian Random Processes*, 1994, section 3.6; Simsekli, Sagun and Gurbuzbalaban,
    *A tail-index analysis of stochastic gradient noise in deep neural networks*, arXiv:1901.06053.
    """

    preferred_schemes = ("exact", "strang-splitting")
    structural = ("alpha",)

    def __init__(self, theta: Any = 1.0, eps: Any = 1.0, alpha: float = 1.5) -> None:
        super().__init__(theta=theta, eps=eps, alpha=alpha)

    def stationary(self) -> Law:
        """Return the stable law of scale ``eps/(alpha theta)^(1/alpha)``; theta = 0 has none."""
        from .. import laws

        return laws.StableOrnsteinUhlenbeck(**self._single())

    def transition(self, x0: float, t: float) -> Law:
        """Return the law of ``x(t)`` given ``x(0) = x0``: stable about ``x0 exp(-theta t)``.

        Its scale is ``eps ((1 - exp(-alpha theta t))/(alpha theta))^(1/alpha)`` (Samorodnitsky and
        Taqqu 1994, section 3.6).

        Parameters
        ----------
        x0 : float
            Start.
        t : float
            Time, >= 0.

        Raises
        ------
        TypeError, ValueError
            If an argument is not a finite number, ``t`` is negative, or the model is a sweep.
        """
        from .. import laws

        return laws.stable_ornstein_uhlenbeck_transition(**self._single(), x0=x0, t=t)
