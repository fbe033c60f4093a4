from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .base import Observable
from .sgd import Trainable, Training

FloatArray = npt.NDArray[np.float64]


class ScaleInvariant(Trainable):
    """A loss of the direction of a vector in the plane, trained by SGD (Ito).

    Sample loss ``x1 cos(phi) + x2 sin(phi)`` with ``x ~ N((-kappa, 0), s^2)`` and the polar angle
    ``phi`` of ``theta = r (cos phi, sin phi)``, so that the mean loss is ``-kappa cos(phi)``; weight
    decay ``gamma r^2``. Noise is tangential, and one Wiener process drives both parameters::

        dtheta = [-kappa sin(phi) e_phi / r - 2 gamma theta] dt + sqrt(T) s e_phi / r dW

    The radius is deterministic: ``r^4 = R + (r0^4 - R) exp(-8 gamma t)``, ``R = T s^2 / (4 gamma)``,
    or ``r0^4 + 2 T s^2 t`` without decay; the stationary law of ``phi`` is von Mises of concentration
    ``kappa / (s sqrt(T gamma))``. `sgd` and `gd` train it step by step.

    Parameters
    ----------
    kappa : float or array_like, default 1
        Depth of the loss, >= 0.
    s : float or array_like, default 1
        Standard deviation of the coefficients of the loss, >= 0.
    T : float or array_like, default 0.1
        Temperature, learning rate over batch size, >= 0.
    gamma : float or array_like, default 0
        Weight decay, >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of bounds.

    References
    ----------
    Ziyin, Wang, Li and Wu, *Parameter symmetry and noise equilibrium of stochastic gradient descent*,
    NeurIPS 2024, arXiv:2402.07193 (scale symmetry); the example and its exact laws follow by Ito's
    formula for ``r^4``.
    """

    preferred_schemes = ("milstein",)
    vector = True

    def __init__(self, kappa: Any = 1.0, s: Any = 1.0, T: Any = 0.1, gamma: Any = 0.0) -> None:
        super().__init__(kappa=kappa, s=s, T=T, gamma=gamma)

    def _training(self, full: bool) -> Training:
        parameters = {"kappa": self.kappa, "s": self.s, "gamma": self.gamma}
        return Training("ScaleInvariantSGD", parameters, "full" if full else "gaussian")

    def start_objection(self, x: FloatArray) -> str | None:
        """Return that the direction of a vector of length 0 is not defined, if there is one."""
        with np.errstate(under="ignore"):
            lost = np.count_nonzero(x[..., 0] * x[..., 0] + x[..., 1] * x[..., 1] == 0.0)
        if lost == 0:
            return None
        return f"must not be the origin, where the angle is not defined (r^2 = 0 in {x.dtype})"

    def stationary(self) -> Any:
        """Return the von Mises law of the angle for ``gamma > 0`` (a scipy.stats frozen distribution).

        The radius is a number then, ``r^4 = T s^2 / (4 gamma)`` (`escapade.theory.equilibrium_radius`).

        Raises
        ------
        escapade.laws.NoStationaryLaw
            Without weight decay, noise or temperature; the message says what happens instead.
        """
        from ..laws import NoStationaryLaw
        from ..theory import phase_law

        p = self._single()
        if p["gamma"] == 0.0:
            raise NoStationaryLaw(
                "without weight decay the radius grows for ever, r^4 = r0^4 + 2 T s^2 t"
            )
        if p["T"] == 0.0 or p["s"] == 0.0:
            raise NoStationaryLaw("without noise the radius shrinks to 0, r = r0 exp(-2 gamma t)")
        return phase_law(p["kappa"], p["T"], p["s"], p["gamma"])

    def observables(self) -> dict[str, Observable]:
        """Return ``r4``, the fourth power of the radius, and ``angle``, in (-pi, pi], shape (n,)."""

        def r4(x: FloatArray) -> FloatArray:
            """Return the fourth power ``r^4`` of the radius, shape (n,)."""
            square = x[:, 0] * x[:, 0] + x[:, 1] * x[:, 1]
            return square * square

        def angle(x: FloatArray) -> FloatArray:
            """Return the polar angle ``phi``, in (-pi, pi], shape (n,)."""
            out: FloatArray = np.arctan2(x[:, 1], x[:, 0])
            return out

        return {"r4": r4, "angle": angle}
