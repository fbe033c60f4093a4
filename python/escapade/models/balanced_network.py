from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import DataMoments, gaussian
from .base import Model

if TYPE_CHECKING:
    from ..laws import Law


class BalancedNetwork(Model):
    """Balanced diagonal linear network trained by SGD (Ito), reduced to ``v``, its end-to-end weight.

    A network of ``depth + 1`` layers and ``width`` equal subnetworks, ``f(x) = v x`` with ``v`` the sum
    over subnetworks of the product of their weights, loss ``(v x - y)^2 + gamma |theta|^2``::

        dv = [-K v^m (beta1 v - beta2) - 2 gamma (D+1) v + D/(D+1) K^2/2 v^(2m-1) T q(v)] dt
             + K v^m sqrt(T q(v)) dW
        m = 2D/(D+1),  K = 2 (D+1) width^(1-m),  q(v) = alpha1 v^2 - 2 alpha2 v + alpha3

    For ``depth >= 1`` the state is ``v > 0`` and is stored as ``ln v`` (or in Lamperti coordinates),
    because near a collapse ``v`` falls far below the smallest float.

    Parameters
    ----------
    depth : int, default 1
        ``D``, the number of layers minus one, >= 0; 0 is linear regression.
    width : int, default 1
        Number of equal subnetworks, >= 1.
    T : float, default 0.1
        Temperature, learning rate over batch size, >= 0.
    data : DataMoments, default ``escapade.data.gaussian(1, 1)``
        Moments of the data set, from `escapade.data`.
    gamma : float, default 0
        Weight decay, >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of bounds.

    References
    ----------
    Ziyin, Li and Ueda, *Law of balance and stationary distribution of stochastic gradient descent*,
    arXiv:2308.06671 (PRE 111, 065303), eq. A.93.
    """

    preferred_schemes = ("adaptive-lamperti-heun", "adaptive-log-platen", "platen")

    def __init__(
        self,
        depth: int = 1,
        width: int = 1,
        T: float = 0.1,
        data: DataMoments | None = None,
        gamma: float = 0.0,
    ) -> None:
        data = gaussian(1.0, 1.0) if data is None else data
        if not isinstance(data, DataMoments):
            raise TypeError(
                "data must be DataMoments (escapade.data.gaussian, binary, moments or from_samples), "
                f"got {type(data).__name__}"
            )
        super().__init__(depth=depth, width=width, T=T, data=data, gamma=gamma)

    def __getattr__(self, name: str) -> Any:
        if name in ("sgd", "gd"):
            raise AttributeError(
                f"BalancedNetwork has no attribute {name!r}: it knows v, but not the weights that are "
                f"trained; use DiagonalNetwork(...).{name}(eta)"
            )
        return super().__getattr__(name)

    @property
    def domain(self) -> tuple[Any, Any]:
        """``v > 0`` for depth >= 1, any ``v`` for depth 0."""
        return (np.where(np.asarray(self.depth) > 0, 0.0, -math.inf)[()], math.inf)

    @property
    def storage(self) -> str:
        """``"log"`` for depth >= 1, ``"physical"`` for depth 0."""
        return "log" if np.all(np.asarray(self.depth) > 0) else "physical"

    def stationary(self) -> Law:
        """Return the law ``p ~ v^(-3D/(D+1)) exp(-I(v)/T)/q(v)`` (arXiv:2308.06671, eq. A.14).

        Depth 1 has one below ``T_c = (beta2 - gamma)/alpha3`` and the point mass at 0 from there on;
        depth >= 2 has one at every temperature if ``gamma = 0`` and none otherwise.

        Raises
        ------
        escapade.laws.NoStationaryLaw
            If no law exists; the message says what happens instead.
        """
        from .. import laws

        return laws.DiagonalNetwork(**self._single())
