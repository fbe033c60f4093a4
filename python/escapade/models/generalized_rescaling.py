from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import _show, integer
from ..data import DataMoments
from ._products import product, total
from ._regression import check_data, check_reading, no_loss, of_v, reading_of, training
from .base import Observable
from .sgd import Trainable, Training

FloatArray = npt.NDArray[np.float64]


class GeneralizedRescaling(Trainable):
    """A product of powers of parameters trained by SGD (Ito), driven by one Wiener process.

    ``f(x) = v x`` with ``v = prod_k theta_k^p_k``, loss ``(v x - y)^2 + gamma |theta|^2``, which does
    not change under ``theta_k -> c^(1/p_k) theta_k, theta_l -> c^(-1/p_l) theta_l``::

        dtheta_k = [-2 g_k (beta1 v - beta2) - 2 gamma theta_k] dt + 2 sqrt(T q(v)) g_k dW
        g_k = dv/dtheta_k,  q(v) = alpha1 v^2 - 2 alpha2 v + alpha3

    Noise brings ``theta_k^2`` into the proportion of the powers, pathwise::

        d(p_l theta_k^2 - p_k theta_l^2)/dt
            = -4 {T q v^2 p_k p_l / (theta_k theta_l)^2 + gamma} (p_l theta_k^2 - p_k theta_l^2)

    A particle is the array of ``theta``. `sgd` and `gd` train it step by step.

    Parameters
    ----------
    powers : sequence of int, default (2, 1)
        ``p_k``, each from 1 to 16; at most 1000 of them.
    T : float or array_like, default 0.1
        Temperature, learning rate over batch size, >= 0.
    data : DataMoments, default ``escapade.data.gaussian(1, 1)``
        Moments of the data set, from `escapade.data`.
    gamma : float or array_like, default 0
        Weight decay, >= 0.
    calculus : {"ito", "stratonovich"}, default "ito"
        How the equation is read; see `DiagonalNetwork`.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of bounds.

    References
    ----------
    Ziyin, Wang, Li and Wu, *Parameter symmetry and noise equilibrium of stochastic gradient descent*,
    NeurIPS 2024, arXiv:2402.07193 (generalised rescaling; the equation follows from its A = diag(1/p)).
    """

    preferred_schemes = ("adaptive-milstein",)
    vector = True
    structural = ("factors",)

    def __init__(
        self,
        powers: Sequence[int] = (2, 1),
        T: Any = 0.1,
        data: DataMoments | None = None,
        gamma: Any = 0.0,
        calculus: str = "ito",
    ) -> None:
        if isinstance(powers, str) or not np.iterable(powers):
            raise TypeError(f"powers must be a sequence of integers, got {_show(powers)}")
        checked = tuple(integer(f"powers[{k}]", p, low=1, high=16) for k, p in enumerate(powers))
        if not 1 <= len(checked) <= 1000:
            raise ValueError(f"powers must hold 1 to 1000 integers, got {len(checked)}")
        super().__init__(
            powers=checked,
            T=T,
            data=check_data(data),
            gamma=gamma,
            calculus=calculus,
            _derived={"factors": len(checked), "reading": reading_of(calculus)},
            _tail=checked,
        )

    @property
    def calculus(self) -> str:
        """``"ito"`` or ``"stratonovich"``: how the equation is read."""
        return str(self._arguments["calculus"])

    def balanced(self, v: FloatArray) -> FloatArray:
        """Return parameters of product ``v`` with ``theta_k^2`` in proportion to ``p_k``.

        Shape (n, dim). The sign of ``v`` is that of the first parameter with an odd power.

        Raises
        ------
        ValueError
            If a ``v`` is negative and all powers are even.
        """
        powers: FloatArray = np.array(self.powers, dtype=np.float64)
        odd = powers % 2 == 1
        if np.any(v < 0) and not np.any(odd):
            raise ValueError(
                f"v must be >= 0 for even powers {self.powers}, got {float(np.min(v))!r}"
            )
        ratio = np.abs(v) / np.prod(np.sqrt(powers) ** powers)
        x = ratio[:, None] ** (1.0 / np.sum(powers)) * np.sqrt(powers)
        if np.any(odd):
            x[:, int(np.argmax(odd))] *= np.where(v < 0, -1.0, 1.0)
        out: FloatArray = x
        return out

    def _training(self, full: bool) -> Training:
        check_reading(self.calculus)
        sizes = {"factors": len(self.powers), "gamma": self.gamma}
        return training("GeneralizedRescalingSGD", self.data, full, self.powers, **sizes)

    def observable_objection(self, name: str) -> str | None:
        """Return why the data do not do for this observable, or None if they do."""
        return no_loss(self.data, name)

    def observables(self) -> dict[str, Observable]:
        """Return named functions of states, shape (n, dim).

        ``v``; for a single data set with known ``E y^2`` the mean ``loss`` (without decay), for a single
        data set its ``trace_hessian``; for several factors ``charge``, ``p_l theta_k^2 - p_k theta_l^2``
        with ``l = k + 1``, conserved by gradient flow, and ``noise_residual``, the same of the variances
        of the gradient, ``p_l C_kk - p_k C_ll``, which is the rate of ``charge`` per ``T``.

        ``v``, ``loss`` and ``trace_hessian`` have shape (n,), the others (n, len(powers) - 1): two
        factors give a trailing axis of length 1.
        """
        powers, data = self.powers, self.data
        p: FloatArray = np.array(powers, dtype=np.float64)

        def whole(x: FloatArray, lowered: dict[int, int]) -> FloatArray:
            """Return the product of powers, some of them lowered."""
            parts = [
                x[:, k, None].repeat(max(n - lowered.get(k, 0), 0), axis=1)
                for k, n in enumerate(powers)
            ]
            return product(np.concatenate(parts, axis=1))

        def v(x: FloatArray) -> FloatArray:
            """Return the product ``v = prod_k theta_k^p_k``, shape (n,)."""
            return whole(x, {})

        def gradient(x: FloatArray) -> FloatArray:
            return p * np.stack([whole(x, {k: 1}) for k in range(len(powers))], axis=1)

        def square(x: FloatArray) -> FloatArray:
            g = gradient(x)
            return total(g * g)

        def bend(x: FloatArray) -> FloatArray:
            second = [n * (n - 1.0) * whole(x, {k: 2}) for k, n in enumerate(powers)]
            return total(np.stack(second, axis=1))

        def pairs(squares: FloatArray) -> FloatArray:
            return p[1:] * squares[:, :-1] - p[:-1] * squares[:, 1:]

        def charge(x: FloatArray) -> FloatArray:
            """Return ``p_l theta_k^2 - p_k theta_l^2``, ``l = k + 1``, shape (n, len(powers) - 1).

            Gradient flow conserves it.
            """
            return pairs(x * x)

        def noise_residual(x: FloatArray) -> FloatArray:
            """Return the rate of ``charge`` per ``T``, ``p_l C_kk - p_k C_ll``, in its shape.

            ``C`` is the covariance of the gradient.
            """
            return pairs(4.0 * data.q(v(x))[:, None] * gradient(x) ** 2)

        out = of_v(data, v, square, bend)
        if len(powers) > 1:
            out["charge"] = charge
            if data.shape == ():
                out["noise_residual"] = noise_residual
        return out
