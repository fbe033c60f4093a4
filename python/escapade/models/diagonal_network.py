from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..data import DataMoments
from ._products import product, total
from ._regression import check_data, check_reading, no_loss, of_v, reading_of, training
from .balanced_network import BalancedNetwork
from .base import Observable
from .sgd import Trainable, Training

if TYPE_CHECKING:
    from ..laws import Law

FloatArray = npt.NDArray[np.float64]


class DiagonalNetwork(Trainable):
    """Diagonal linear network trained by SGD (Ito): all its parameters, driven by one Wiener process.

    ``f(x) = v x`` with ``v = sum_i prod_k u_ik`` over ``width`` subnetworks and ``depth + 1`` layers,
    loss ``(v x - y)^2 + gamma |u|^2``, whose gradient noise has rank one::

        du_ik = [-2 g_ik (beta1 v - beta2) - 2 gamma u_ik] dt + 2 sqrt(T q(v)) g_ik dW
        g_ik = dv/du_ik,  q(v) = alpha1 v^2 - 2 alpha2 v + alpha3

    A particle is an array of length ``(depth + 1) * width``, layer by layer: ``x.reshape(-1,
    depth + 1, width)``. Noise balances the layers; from any start of depth 1 (below ``T_c``) the law
    of ``v`` becomes that of `BalancedNetwork`. `sgd` and `gd` train it step by step.

    Parameters
    ----------
    depth : int, default 1
        ``D``, the number of layers minus one, >= 0; 0 is linear regression.
    width : int, default 1
        Number of subnetworks, >= 1.
    T : float or array_like, default 0.1
        Temperature, learning rate over batch size, >= 0.
    data : DataMoments, default ``escapade.data.gaussian(1, 1)``
        Moments of the data set, from `escapade.data`.
    gamma : float or array_like, default 0
        Weight decay, >= 0.
    calculus : {"ito", "stratonovich"}, default "ito"
        How the equation is read. SGD is Ito; read in Stratonovich's sense the same equation conserves
        ``u_ik^2 - u_il^2`` exactly, and noise does not balance layers. Where the noise grows with ``v``
        its paths may reach infinity in finite time.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of bounds.

    References
    ----------
    Ziyin, Li and Ueda, *Law of balance and stationary distribution of stochastic gradient descent*,
    arXiv:2308.06671 (PRE 111, 065303), eq. A.67 (which prints eta for T).
    """

    preferred_schemes = ("adaptive-milstein",)
    vector = True
    structural = ("depth", "width")

    def __init__(
        self,
        depth: int = 1,
        width: int = 1,
        T: Any = 0.1,
        data: DataMoments | None = None,
        gamma: Any = 0.0,
        calculus: str = "ito",
    ) -> None:
        data = check_data(data)
        super().__init__(
            depth=depth,
            width=width,
            T=T,
            data=data,
            gamma=gamma,
            calculus=calculus,
            _derived={"reading": reading_of(calculus)},
        )

    @property
    def calculus(self) -> str:
        """``"ito"`` or ``"stratonovich"``: how the equation is read."""
        return str(self._arguments["calculus"])

    @property
    def reduced(self) -> BalancedNetwork:
        """The equation of ``v`` alone on the balanced manifold.

        Raises
        ------
        ValueError
            For the Stratonovich reading, in which nothing drives networks to balance.
        """
        if self.calculus != "ito":
            raise ValueError(
                "calculus must be 'ito' for the equation of v: read in Stratonovich's sense, the "
                "equation conserves u_ik^2 - u_il^2, and its law depends on the start"
            )
        return BalancedNetwork(self.depth, self.width, self.T, self.data, self.gamma)

    def stationary(self) -> Law:
        """Return the law of ``v`` on the balanced manifold, that of `BalancedNetwork`.

        From other starts depth 1 comes to it; for depth >= 2 a part of the paths may be trapped where
        two factors vanish (`escapade.theory.trap_threshold`).

        Raises
        ------
        escapade.laws.NoStationaryLaw
            If no law exists; the message says what happens instead.
        """
        self._single()
        if self.calculus != "ito":
            from ..laws import NoStationaryLaw

            raise NoStationaryLaw(
                "read in Stratonovich's sense the equation conserves u_ik^2 - u_il^2: what comes of a "
                "network depends on where it started"
            )
        return self.reduced.stationary()

    def balanced(self, v: FloatArray) -> FloatArray:
        """Return parameters of balanced networks of end-to-end weight ``v``, shape (n, dim)."""
        layers, width = self.depth + 1, self.width
        size = (np.abs(v) / width) ** (1.0 / layers)
        x = np.repeat(size[:, None], layers * width, axis=1)
        x[:, :width] *= np.sign(v)[:, None]
        return x

    def _training(self, full: bool) -> Training:
        check_reading(self.calculus)
        sizes = {"depth": self.depth, "width": self.width, "gamma": self.gamma}
        return training("DiagonalNetworkSGD", self.data, full, (), **sizes)

    def observable_objection(self, name: str) -> str | None:
        """Return why the data do not do for this observable, or None if they do."""
        return no_loss(self.data, name)

    def observables(self) -> dict[str, Observable]:
        """Return named functions of states, shape (n, dim).

        ``v``; for a single data set with known ``E y^2`` the mean ``loss`` (without decay), for a single
        data set its ``trace_hessian``; for ``depth > 0`` ``charge``, ``u_ik^2 - u_i,k+1^2`` layer by
        layer, conserved by gradient flow, and ``noise_residual``, by how much the traces of the
        covariances of the gradients of layers k and k + 1 differ; for ``depth = 1`` ``sum`` and
        ``difference`` of the two layers.

        ``v``, ``loss`` and ``trace_hessian`` have shape (n,). The others keep a trailing axis even if
        it is of length 1: ``charge`` has shape (n, depth * width), ``noise_residual`` (n, depth),
        ``sum`` and ``difference`` (n, width).
        """
        layers, width, data = self.depth + 1, self.width, self.data

        def split(x: FloatArray) -> FloatArray:  # particle, subnetwork, layer
            return np.swapaxes(x.reshape(-1, layers, width), 1, 2)

        def v(x: FloatArray) -> FloatArray:
            """Return the end-to-end weight ``v = sum_i prod_k u_ik``, shape (n,)."""
            return total(product(split(x)))

        def gradient(x: FloatArray) -> FloatArray:
            u = split(x)
            return np.stack([product(np.delete(u, k, axis=2)) for k in range(layers)], axis=2)

        def square(x: FloatArray) -> FloatArray:
            g = gradient(x)
            return total(total(g * g))

        def charge(x: FloatArray) -> FloatArray:
            """Return ``u_ik^2 - u_i,k+1^2``, conserved by gradient flow, shape (n, depth * width)."""
            u = x.reshape(-1, layers, width)
            return (u[:, :-1] ** 2 - u[:, 1:] ** 2).reshape(len(x), -1)

        def noise_residual(x: FloatArray) -> FloatArray:
            """Return differences of gradient noise between layers k and k + 1, shape (n, depth)."""
            g = gradient(x)
            each = total(np.swapaxes(g * g, 1, 2))
            out: FloatArray = 4.0 * data.q(v(x))[:, None] * (each[:, :-1] - each[:, 1:])
            return out

        def plus(x: FloatArray) -> FloatArray:
            """Return the sum ``u + w`` of the two layers, shape (n, width)."""
            return x[:, :width] + x[:, width:]

        def minus(x: FloatArray) -> FloatArray:
            """Return the difference ``u - w`` of the two layers, shape (n, width)."""
            return x[:, :width] - x[:, width:]

        out = of_v(data, v, square, lambda x: np.zeros(len(x)))  # v is linear in each parameter
        if layers > 1:
            out["charge"] = charge
            if data.shape == ():
                out["noise_residual"] = noise_residual
        if layers == 2:
            out["sum"], out["difference"] = plus, minus
        return out
