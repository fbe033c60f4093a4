from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..data._sweep import values
from ._linear import linear_law
from .base import Observable, log_abs
from .sgd import Trainable, Training

if TYPE_CHECKING:
    from ..laws import Law


class MirrorCollapse(Trainable):
    """A direction that a mirror symmetry protects, near its plane (Ito).

    Sample loss ``h z^2 / 2`` with random curvature ``h``, weight decay ``gamma z^2``::

        dz = -(h_mean + 2 gamma) z dt + sqrt(T) h_sd z dW

    ``ln |z|`` has the drift ``-(h_mean + 2 gamma) - T h_sd^2 / 2``: where it is negative almost every
    path collapses to 0, even if ``E z`` grows. `sgd` draws normal ``h``.

    Parameters
    ----------
    h_mean : float or array_like, default -1
        Mean curvature, 1/time; negative at a saddle.
    h_sd : float or array_like, default 2
        Standard deviation of the curvature, 1/time, >= 0.
    T : float or array_like, default 0.1
        Temperature, learning rate over batch size, >= 0.
    gamma : float or array_like, default 0
        Weight decay, >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Ziyin, *Symmetry induces structure and constraint of learning*, ICML 2024, arXiv:2309.16932.
    """

    preferred_schemes = ("strang-splitting",)
    kernel = "Pitchfork"

    def __init__(self, h_mean: Any = -1.0, h_sd: Any = 2.0, T: Any = 0.1, gamma: Any = 0.0) -> None:
        arguments = {
            "h_mean": values("h_mean", h_mean),
            "h_sd": values("h_sd", h_sd, low=0.0),
            "T": values("T", T, low=0.0),
            "gamma": values("gamma", gamma, low=0.0),
        }
        growth = -(arguments["h_mean"] + 2.0 * arguments["gamma"])
        noise = np.sqrt(arguments["T"]) * arguments["h_sd"]
        super().__init__(**arguments, _derived={"mu": growth, "b": 0.0, "sigma": noise})

    @property
    def equation(self) -> str:
        """The equation, as text."""
        return "dz = -(h_mean + 2 gamma) z dt + sqrt(T) h_sd z dW"

    def stationary(self) -> Law:
        """Return the point mass at 0 if ``ln |z|`` falls; otherwise there is no law."""
        compiled = self._single()
        rate = "-(h_mean + 2 gamma) - T h_sd^2/2"
        return linear_law(self, "z", rate, compiled["mu"], compiled["sigma"])

    def _training(self, full: bool) -> Training:
        parameters = {"h_mean": self.h_mean, "h_sd": self.h_sd, "gamma": self.gamma, "b": 0.0}
        return Training("MirrorSGD", parameters, "full" if full else "gaussian")

    def observables(self) -> dict[str, Observable]:
        """Return ``log_abs``, ``ln |z|``."""
        return {"log_abs": log_abs}
