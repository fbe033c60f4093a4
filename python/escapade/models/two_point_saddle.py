from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import number
from ..data._sweep import values
from ._linear import collapsed, linear_law
from .base import Observable, log_abs
from .sgd import Trainable, Training

if TYPE_CHECKING:
    from ..laws import Law


class TwoPointSaddle(Trainable):
    """A local maximum that SGD can converge to: the loss of a single weight on two samples (Ito).

    Sample loss ``x w^2 / 2`` with ``x = 1`` or ``x = a - 1``, each with probability 1/2, and
    ``c w^4 / 4`` to keep ``w`` finite. For ``a < 0`` the mean loss ``a w^2 / 4`` has its maximum at 0.
    At the learning rate ``lam`` and batch size 1::

        dw = [-(a/2) w - c w^3] dt + sqrt(lam) |2 - a| / 2 w dW

    Without ``c``, ``w`` tends to 0 in probability iff ``lam > -4 a / (2 - a)^2``. `sgd` is the original
    process in discrete time, whose threshold ``|a| / (1 + |a|)`` is a little different.

    Parameters
    ----------
    a : float, default -0.3
        Twice the mean of x, dimensionless; time is counted in learning rates.
    lam : float or array_like, default 0.1
        Learning rate of the diffusion limit, >= 0.
    c : float or array_like, default 0
        Strength of the confinement, >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Ziyin, Li, Simon and Ueda, *SGD with a constant large learning rate can converge to local maxima*,
    ICLR 2022, arXiv:2107.11774.
    """

    preferred_schemes = ("strang-splitting",)
    kernel = "Pitchfork"

    def __init__(self, a: float = -0.3, lam: Any = 0.1, c: Any = 0.0) -> None:
        arguments = {
            "a": number("a", a),  # one number: the two samples are common to a sweep
            "lam": values("lam", lam, low=0.0),
            "c": values("c", c, low=0.0),
        }
        noise = np.sqrt(arguments["lam"]) * (abs(2.0 - arguments["a"]) / 2.0)
        derived = {"mu": -arguments["a"] / 2.0, "b": arguments["c"], "sigma": noise}
        super().__init__(**arguments, _derived=derived)

    @property
    def equation(self) -> str:
        """The equation, as text."""
        return "dw = [-(a/2) w - c w^3] dt + sqrt(lam) |2 - a| / 2 w dW"

    def stationary(self) -> Law:
        """Return the law of ``w > 0``, that of `Pitchfork`; without ``c`` a point at 0 or none."""
        from .. import laws

        compiled = self._single()
        mu, sigma, rate = compiled["mu"], compiled["sigma"], "-a/2 - lam (2 - a)^2/8"
        if compiled["b"] == 0.0:
            return linear_law(self, "w", rate, mu, sigma)
        law = laws.Pitchfork(**compiled)
        if not isinstance(law, laws.PointMass):
            law.name = repr(self)
            return law
        if law.at == 0.0:
            return collapsed("w", rate, mu - 0.5 * sigma * sigma)
        return laws.PointMass(law.at, "lam = 0: without noise w relaxes to sqrt(-a/(2 c))")

    def _training(self, full: bool) -> Training:
        parameters = {"h_mean": self.a / 2.0, "h_sd": 0.0, "gamma": 0.0, "b": self.c}
        if full:
            return Training("MirrorSGD", parameters, "full")
        return Training("MirrorSGD", parameters, "samples", 2, np.array([1.0, self.a - 1.0]))

    def observables(self) -> dict[str, Observable]:
        """Return ``log_abs``, ``ln |w|``."""
        return {"log_abs": log_abs}
