"""SGD with noise in proportion to the loss, in physical time and on the logarithm of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import choice
from ._products import total
from .base import FloatArray, Model, Observable
from .loss_coupled_well_nd import well_loss

if TYPE_CHECKING:
    from ..ensemble import Ensemble
    from ..laws import Law

CLOCKS = ("random", "physical")
LANDSCAPES = ("quadratic", "well")


class LogLandscape(Model):
    """SGD whose noise is in proportion to the loss, on the logarithm of the loss (Ito)::

        dx = -grad L dt + sqrt(2 eta h L/batch) dW                  physical clock
        dx = -grad ln L dtau + sqrt(2 eta h/batch) dW,  dtau = L dt  random clock

    The two are the same process seen by two clocks. On the random one the noise is constant; steps are
    of equal ``tau``, and the physical time ``t = sum dtau/L`` of each particle is carried along:
    `physical_time`. The loss is ``L = L0 + (h/2) |x|^2`` ("quadratic"), or ``L0 + (h/8) (x_1^2 - 1)^2
    + (h/2) sum_(j>1) x_j^2`` ("well", a barrier ``h/8`` at ``x_1 = 0``), of the same isotropic Hessian
    ``h`` at its minima.

    By the physical clock the stationary law is ``L^-phi`` with ``phi = 1 + batch/(eta h)``, that of the
    random clock ``L^-(phi - 1)``. For the quadratic loss the law exists for ``dim < n_c = 2 phi`` by the
    physical clock: it is the isotropic power-law dynamic with ``sigma_g = 2 L0 h/batch``, ``sigma_H =
    h^2/batch``.

    Parameters
    ----------
    dim : int, default 1
        Numbers of a particle, >= 1.
    h : float or array_like, default 1
        Curvature of the loss at its minimum, 1/time, > 0.
    L0 : float or array_like, default 1
        Loss at the minimum, x^2/time, > 0.
    eta : float or array_like, default 0.1
        Learning rate, > 0.
    batch : int or array_like, default 1
        Size of a minibatch, >= 1.
    landscape : {"quadratic", "well"}, default "quadratic"
        The loss.
    clock : {"random", "physical"}, default "random"
        The time that runs evenly. Step lengths and durations of runs are of this time.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of bounds.

    References
    ----------
    Mori, Ziyin, Liu and Ueda, *Power-law escape rate of SGD*, arXiv:2105.09557, sections 3 and 4.
    """

    preferred_schemes = ("euler-maruyama",)
    vector = True
    structural = ("dim", "well", "clock")

    def __init__(
        self,
        dim: int = 1,
        h: Any = 1.0,
        L0: Any = 1.0,
        eta: Any = 0.1,
        batch: Any = 1,
        landscape: str = "quadratic",
        clock: str = "random",
    ) -> None:
        derived = {
            "well": LANDSCAPES.index(choice("landscape", landscape, LANDSCAPES)),
            "clock": CLOCKS.index(choice("clock", clock, CLOCKS)),
        }
        super().__init__(
            dim=dim,
            h=h,
            L0=L0,
            eta=eta,
            batch=batch,
            landscape=landscape,
            clock=clock,
            _derived=derived,
        )

    @property
    def equation(self) -> str:
        """The equation, as text."""
        if self._arguments["clock"] == "physical":
            return "dx = -grad L dt + sqrt(2 eta h L / batch) dW"
        return "dx = -grad ln L d tau + sqrt(2 eta h / batch) dW, dt = d tau / L"

    @property
    def phi(self) -> Any:
        """Exponent of the stationary law by the physical clock, ``1 + batch/(eta h)``."""
        a = self._arguments
        return 1.0 + a["batch"] / (a["eta"] * a["h"])

    @property
    def n_c(self) -> Any:
        """Number of dimensions from which a quadratic loss has no stationary law, ``2 phi``."""
        return 2.0 * self.phi

    @property
    def minimum(self) -> FloatArray:
        """The minimum, that on the left for a well, shape (dim,)."""
        out = np.zeros(self.dim)
        out[0] = -1.0 if self._arguments["landscape"] == "well" else 0.0
        return out

    @property
    def saddle(self) -> FloatArray:
        """The saddle of a well, shape (dim,).

        Raises
        ------
        ValueError
            For a quadratic loss.
        """
        self._check_well()
        return np.zeros(self.dim)

    @property
    def barrier(self) -> Any:
        """Loss of the saddle of a well above its minima, ``h/8``.

        Raises
        ------
        ValueError
            For a quadratic loss.
        """
        self._check_well()
        return self._arguments["h"] / 8.0

    def _check_well(self) -> None:
        if self._arguments["landscape"] != "well":
            raise ValueError("landscape must be 'well' for a saddle, got 'quadratic'")

    def loss(self, x: Any) -> FloatArray:
        """Return the loss at states of shape (..., dim), shape (...).

        Raises
        ------
        ValueError
            For a sweep: ask one of its points, ``model[index]``.
        """
        p, at = self._single(), np.asarray(x, dtype=np.float64)
        if self._arguments["landscape"] == "well":
            out: FloatArray = p["L0"] + well_loss(at, p["h"] / 8.0, p["h"], 0.0)
        else:
            out = np.asarray(p["L0"] + 0.5 * p["h"] * total(at * at))
        return out

    def physical_time(self, ensemble: Ensemble) -> FloatArray:
        """Return the physical time that each particle of an ensemble has lived, float64, shape (n,).

        For a sweep its shape comes first. In a run until an event, particles keep the time at which
        they stopped.

        Raises
        ------
        ValueError
            If this model is not the ensemble's, or runs by the physical clock.
        """
        if self._arguments["clock"] != "random":
            raise ValueError("clock must be 'random' for a time that is carried along")
        if ensemble.model != self:
            raise ValueError(f"ensemble must be one of {self!r}, got one of {ensemble.model!r}")
        times = ensemble._planes(slice(self.dim, self.dim + 1))[..., 0]
        return np.array(times, dtype=np.float64)

    def stationary(self) -> Law:
        """Return the law of ``|x|`` (quadratic) or of ``x_1`` (well) by the clock of this model.

        By the random clock the drift falls like ``1/|x|`` far out: the law is approached slowly, as a
        power of ``tau``.

        Raises
        ------
        escapade.laws.NoStationaryLaw
            If a power of the loss is no law: for the quadratic loss and the physical clock, if
            ``dim >= n_c``.
        """
        from ..laws import radial_power, well_power

        p = self._single()
        exponent = float(self.phi) - (1.0 if self._arguments["clock"] == "random" else 0.0)
        if self._arguments["landscape"] == "quadratic":
            width = float(np.sqrt(2.0 * p["L0"] / p["h"]))
            return radial_power(self.dim, width, exponent, f"|x| of {self!r}")
        ratio = p["h"] / (8.0 * p["L0"])
        return well_power(ratio, exponent - 0.5 * (self.dim - 1), f"x_1 of {self!r}")

    def observables(self) -> dict[str, Observable]:
        """Return ``radius``, ``|x|``, and, for a single model, ``loss``; shape (n,) each."""

        def radius(x: FloatArray) -> FloatArray:
            """Return ``|x|``, shape (n,)."""
            return np.sqrt(total(x * x))

        def loss(x: FloatArray) -> FloatArray:
            """Return the loss, shape (n,)."""
            return self.loss(x)

        return {"radius": radius, "loss": loss} if self.shape == () else {"radius": radius}
