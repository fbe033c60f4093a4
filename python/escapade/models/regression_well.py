"""Escape in one-dimensional regression: the loss of a data set, glued to its mirror image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import data as _data
from .._checks import choice, integer
from ..data import DataMoments
from ..data._sweep import values
from ._regression import check_data, training
from .base import FloatArray
from .sgd import Trainable, Training
from .two_parabola_well import glued_loss, refuse_law

if TYPE_CHECKING:
    from ..laws import Law

REDUCTIONS = ("mean", "sum")


class RegressionWell(Trainable):
    """SGD on a regression loss glued at ``w = 0`` to its mirror image (Ito), with its exact noise::

        l(w) = E (w x - y)^2,  L = l(-w - a) - l(-a) for w < 0,  l(-a) - l(w - a) for w >= 0
        dw = l'(v) dt + sqrt(4 (eta/batch) (alpha1 v^2 - 2 alpha2 v + alpha3)) dW,  v = |w| - a

    Two parabolas of curvature ``H = 2 E x^2`` and ``-H``: ``a`` changes the barrier and not the
    curvatures. The noise is the covariance of the gradients of single samples, ``-2 x (x v - y)`` on
    both sides, divided by the batch size, with its term linear in ``v``: the noise at the saddle is
    that at the minimum. The power-law dynamic of the paper, whose noise grows with the distance from
    the minimum over the barrier too, is `power_law`; SGD itself is `sgd`.

    Parameters
    ----------
    a : float or array_like, default 0.7
        Where the parabolas are glued, y/x; ``a + E xy/E x^2`` must be > 0.
    eta : float or array_like, default 0.1
        Learning rate, which is the time of one SGD iteration, > 0. Not used by `sgd`.
    batch : int, default 1
        Samples in a minibatch, drawn with replacement, >= 1. Not used by `sgd`.
    data : DataMoments, default ``escapade.data.gaussian(0, 1)``
        The data set, from `escapade.data`: normal x and y, independent of one another. `draw` draws
        a finite one.
    loss : {"mean", "sum"}, default "mean"
        Whether the loss is the mean over the samples or their sum, N times as large; the gradient of
        a minibatch is N times its mean then.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of bounds, if the sum of an infinite data set is
        asked for, or if the loss has no minimum on the left.

    References
    ----------
    Meng, Gong, Chen, Ma and Liu, *Dynamic of stochastic gradient descent with state-dependent
    noise*, arXiv:2006.13719.
    """

    preferred_schemes = ("platen", "milstein")
    kernel = "TwoParabolaWell"

    def __init__(
        self,
        a: Any = 0.7,
        eta: Any = 0.1,
        batch: int = 1,
        data: DataMoments | None = None,
        loss: str = "mean",
    ) -> None:
        d = _data.gaussian(0.0, 1.0) if data is None else check_data(data)
        size = 1.0 if choice("loss", loss, REDUCTIONS) == "mean" else _count(d)
        places = np.asarray(values("a", a))
        S, offset = integer("batch", batch, low=1, high=65536), d.beta2 / d.beta1
        if np.any(places + offset <= 0.0):
            raise ValueError(
                f"a must be greater than {-np.max(offset):g}, -E xy/E x^2 of the data, for a minimum "
                f"at w < 0, got {a!r}"
            )
        scale = 4.0 * size**2 / S
        derived = {
            "H": 2.0 * size * d.beta1,
            # of the parabola alpha1 v^2 - 2 alpha2 v + alpha3 in v - offset
            "sigma_g": scale * np.maximum(d.q(offset), 0.0),
            "sigma_H": scale * d.alpha1,
            "rho": scale * (d.alpha1 * offset - d.alpha2),
            "a": places + offset,
            "eta": values("eta", eta),
            "mirror": 1,
        }
        bound = np.sqrt(derived["sigma_g"] * derived["sigma_H"])
        derived["rho"] = np.clip(derived["rho"], -bound, bound)  # equality, up to rounding
        object.__setattr__(self, "_size", size)
        super().__init__(
            a=values("a", a), eta=eta, batch=S, data=d, loss=loss, _derived=_plain(derived)
        )

    @staticmethod
    def draw(n: int = 500, seed: int = 0) -> DataMoments:
        """Return the data set of the paper: ``n`` pairs of independent normal x and y.

        Parameters
        ----------
        n : int, default 500
            Number of samples, 2 to 2**24.
        seed : int, default 0
            Seed of numpy's generator, >= 0.

        Raises
        ------
        TypeError, ValueError
            If an argument is no integer or out of bounds.
        """
        size = integer("n", n, low=2, high=2**24)
        rng = np.random.default_rng(integer("seed", seed, low=0))
        return _data.from_samples(rng.standard_normal(size), rng.standard_normal(size))

    @property
    def equation(self) -> str:
        """The equation, as text."""
        return (
            "dw = l'(v) dt + sqrt(4 eta/batch (alpha1 v^2 - 2 alpha2 v + alpha3)) dW, v = |w| - a, "
            "l(v) = E (v x - y)^2"
        )

    @property
    def minimum(self) -> Any:
        """The minimum, ``-a - E xy/E x^2``."""
        return -self._parameters["a"]

    @property
    def saddle(self) -> Any:
        """The saddle, ``a + E xy/E x^2``."""
        return self._parameters["a"]

    @property
    def curvature(self) -> Any:
        """Curvature at the minimum, ``H``; it is ``-H`` at the saddle."""
        return self._parameters["H"]

    @property
    def barrier(self) -> Any:
        """Loss of the saddle above the minimum, ``H (a + E xy/E x^2)^2``."""
        return self._parameters["H"] * self._parameters["a"] ** 2

    @property
    def power_law(self) -> Any:
        """The power-law dynamic of the paper: ``rho = 0``, noise by the distance from the minimum."""
        from .two_parabola_well import TwoParabolaWell

        names = ("H", "sigma_g", "sigma_H", "eta", "a")
        return TwoParabolaWell(**{name: self._parameters[name] for name in names})

    def glued_loss(self, w: Any) -> FloatArray:
        """Return ``L``, less its value at the minimum, of the shape of ``w``."""
        return glued_loss(self._parameters["H"], self._parameters["a"], w)

    def stationary(self) -> Law:
        """Raise: there is none, particles run off once they have escaped."""
        p = self._single()
        refuse_law(self, p["H"], p["eta"] * p["sigma_H"])

    def _training(self, full: bool) -> Training:
        own = {"a": self._arguments["a"], "scale": self._size}
        return training("RegressionWellSGD", self.data, full, (), **own)


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """Return numbers as numbers, arrays as arrays."""
    return {k: v if np.ndim(v) else np.asarray(v).item() for k, v in given.items()}


def _count(data: DataMoments) -> float:
    if data.law is None or data.law.kind != "samples":
        raise ValueError(f"loss must be 'mean' for a data set that is not finite, got {data!r}")
    return float(data.law.x.size)
