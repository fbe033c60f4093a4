"""Two glued parabolas: the one-dimensional escape problem of SGD with power-law noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .._checks import choice
from .base import FloatArray, Model

if TYPE_CHECKING:
    from ..laws import Law

NOISES = ("distance", "mirror")


class TwoParabolaWell(Model):
    """SGD in a parabola glued at ``w = 0`` to its mirror image (Ito)::

        L = (H/2) (w + a)^2 for w < 0,  H a^2 - (H/2) (w - a)^2 for w >= 0
        dw = -L'(w) dt + sqrt(eta (sigma_g + 2 rho u + sigma_H u^2)) dW

    ``-L' = H (|w| - a)`` on both sides: a minimum at ``-a``, a saddle at ``a`` of curvature ``-H``, a
    barrier ``H a^2``; ``a`` changes the barrier and not the curvatures. Beyond the saddle particles run
    off, so there is no stationary law.

    Parameters
    ----------
    H : float or array_like, default 2
        Curvature at the minimum, 1/time, > 0.
    sigma_g : float or array_like, default 4
        Variance of the minibatch gradient at the minimum, w^2/time^2, >= 0.
    sigma_H : float or array_like, default 8
        Variance of the minibatch curvature, 1/time^2, >= 0. The power-law dynamic ("SGF_Sigma2");
        0 is constant noise ("SGF_Sigma0").
    eta : float or array_like, default 0.1
        Learning rate, which is the time of one SGD iteration, > 0.
    a : float or array_like, default 0.7
        Half of the distance of minimum and saddle, w, > 0.
    rho : float or array_like, default 0
        Covariance of minibatch gradient and curvature, w/time^2, ``rho**2 <= sigma_g sigma_H``.
    noise : {"distance", "mirror"}, default "distance"
        What noise depends on: ``u = w + a``, the distance from the minimum; or ``u = |w| - a``, as in
        `RegressionWell`, where the gradient of each sample is mirrored at 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of bounds.

    References
    ----------
    Meng, Gong, Chen, Ma and Liu, *Dynamic of stochastic gradient descent with state-dependent
    noise*, arXiv:2006.13719.
    """

    preferred_schemes = ("lamperti-heun", "platen")
    confining = False

    def __init__(
        self,
        H: Any = 2.0,
        sigma_g: Any = 4.0,
        sigma_H: Any = 8.0,
        eta: Any = 0.1,
        a: Any = 0.7,
        rho: Any = 0.0,
        noise: str = "distance",
    ) -> None:
        parameters = {"H": H, "sigma_g": sigma_g, "sigma_H": sigma_H, "eta": eta, "a": a}
        mirror = NOISES.index(choice("noise", noise, NOISES))
        super().__init__(**parameters, rho=rho, noise=noise, _derived={"mirror": mirror})

    @property
    def minimum(self) -> Any:
        """The minimum, ``-a``."""
        return -self._arguments["a"]

    @property
    def saddle(self) -> Any:
        """The saddle, ``a``."""
        return self._arguments["a"]

    @property
    def barrier(self) -> Any:
        """Loss of the saddle above the minimum, ``H a^2``."""
        return self._arguments["H"] * self._arguments["a"] ** 2

    def loss(self, w: Any) -> FloatArray:
        """Return the loss, 0 at the minimum, of the shape of ``w`` (of a sweep: both broadcast)."""
        H, a = self._arguments["H"], self._arguments["a"]
        return glued_loss(H, a, w)

    def stationary(self) -> Law:
        """Raise: there is none, particles run off once they have escaped."""
        p = self._single()
        refuse_law(self, p["H"], p["eta"] * p["sigma_H"])


def glued_loss(H: Any, a: Any, w: Any) -> FloatArray:
    """Return the loss of two parabolas of curvature ``H`` and ``-H`` with extrema at ``-a``, ``a``."""
    at = np.asarray(w, dtype=np.float64)
    left, right = 0.5 * H * (at + a) ** 2, H * a * a - 0.5 * H * (at - a) ** 2
    return np.asarray(np.where(at < 0.0, left, right))


def refuse_law(model: Model, H: float, eh: float) -> NoReturn:
    """Raise `NoStationaryLaw`, or say that what there is is not known here.

    At large w the equation is ``dw = H w dt + sqrt(eh) w dW``, in which ``ln w`` rises for
    ``eh < 2 H`` and falls for ``eh > 2 H``.
    """
    from ..laws import NoStationaryLaw

    if eh > 2.0 * H:
        raise NotImplementedError(
            f"no law is known for {model!r}: beyond the saddle its noise, eta sigma_H = {eh:g} > 2 H, "
            "brings particles back, and the law it has there says nothing of the well"
        )
    raise NoStationaryLaw(
        f"{model!r} has no stationary law: beyond the saddle particles run off to infinity"
    )
