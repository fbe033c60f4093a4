"""Training in discrete time: SGD on real minibatches, and gradient descent with or without noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import integer, number
from .base import Model, Observable

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["GD", "LAWS", "SGD", "Trainable", "Training"]

FloatArray = npt.NDArray[np.float64]

#: Where a gradient comes from, as the compiled models number it.
LAWS = {"full": 0, "gaussian": 1, "binary": 2, "samples": 3}


@dataclass(frozen=True)
class Training:
    """What the compiled model of a training run wants to hear beside the settings of the optimiser.

    Attributes
    ----------
    kernel : str
        Name of the compiled model.
    parameters : dict
        Its named parameters.
    law : str
        A key of `LAWS`.
    samples : int
        Size of a finite data set, 0 if there is none.
    tail : ndarray
        Numbers after the named parameters.
    """

    kernel: str
    parameters: dict[str, Any]
    law: str
    samples: int = 0
    tail: FloatArray = field(default_factory=lambda: np.zeros(0))


class Trainable(Model):
    """A model that comes from a loss: SGD and gradient descent on it are known step by step."""

    def sgd(self, eta: float, batch: int = 1, momentum: float = 0.0) -> SGD:
        """Return SGD on minibatches, whose diffusion limit this model is.

        Parameters
        ----------
        eta : float
            Learning rate, > 0: also the time that a step takes. See `SGD.temperature`;
            ``T`` of this model is not used.
        batch : int, default 1
            Samples in a minibatch, 1 to 65536, drawn with replacement.
        momentum : float, default 0
            In [0, 1): ``m <- momentum m + gradient``, ``x <- x - eta m`` (as torch.optim.SGD).

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong type or out of bounds, or if the model does not know the
            distribution of its data.
        """
        return SGD(self, eta, batch, momentum)

    def gd(self, eta: float, noise: float = 0.0) -> GD:
        """Return gradient descent on the mean loss, the control that has no gradient noise.

        Parameters
        ----------
        eta : float
            Learning rate, > 0: also the time that a step takes.
        noise : float, default 0
            Each parameter gets ``sqrt(eta) * noise`` times a normal of its own in each step, >= 0.

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong type or out of bounds.
        """
        return GD(self, eta, noise)

    def _training(self, full: bool) -> Training:
        """Return how to train on ``full`` gradients, or on minibatches (or refuse by name)."""
        raise NotImplementedError


class _Discrete(Model):
    """What SGD and gradient descent share."""

    preferred_schemes = ("sgd",)
    structural = (
        *("depth", "width", "factors", "d_in", "d_hidden", "d_out"),
        *("eta", "batch", "momentum", "noise", "law", "samples"),
    )

    def __init__(
        self, model: Trainable, settings: dict[str, Any], arguments: dict[str, Any]
    ) -> None:
        if not isinstance(model, Trainable):
            raise TypeError(
                "model must be one that comes from a loss (it has a method sgd), "
                f"got {type(model).__name__}"
            )
        training = model._training("noise" in arguments)
        object.__setattr__(self, "kernel", training.kernel)
        object.__setattr__(self, "vector", model.vector)
        derived = {
            **training.parameters,
            **{k: v for k, v in settings.items() if k not in arguments},
            "law": LAWS[training.law],
            "samples": training.samples,
        }
        super().__init__(model=model, **arguments, _derived=derived, _tail=training.tail)
        if self._shape != model.shape:
            raise ValueError(
                f"T must be one number where it alone spans an axis of a sweep, got a model of shape "
                f"{model.shape}: training has a learning rate in its place"
            )

    @property
    def time_step(self) -> float:
        """The learning rate."""
        return float(self._arguments["eta"])

    def observables(self) -> dict[str, Observable]:
        """Return the observables of the model that is trained."""
        model: Model = self._arguments["model"]
        return model.observables()

    def observable_objection(self, name: str) -> str | None:
        """Return what the model that is trained says of an observable it lacks."""
        model: Model = self._arguments["model"]
        return model.observable_objection(name)

    def start_objection(self, x: FloatArray) -> str | None:
        """Return what the model that is trained says of a start."""
        model: Model = self._arguments["model"]
        return model.start_objection(x)

    def scheme_objection(self, scheme: str) -> str | None:
        """Return why ``scheme`` cannot step this process: it has one of its own."""
        if scheme != "sgd":
            return f"{self.name} is a process in discrete time: its only scheme is 'sgd'"
        return super().scheme_objection(scheme)

    def __getattr__(self, name: str) -> Any:
        if name == "balanced":  # there only if the model that is trained has it
            return getattr(super().__getattr__("model"), name)
        return super().__getattr__(name)

    def __getitem__(self, index: Any) -> Self:
        """Return the model of one point of the sweep."""
        arguments = dict(self._arguments)
        return type(self)(arguments.pop("model")[index], **arguments)


class SGD(_Discrete):
    """Stochastic gradient descent on minibatches of a model's data; made by ``model.sgd(eta)``.

    In each step ``batch`` samples are drawn with replacement and ``x <- x - eta * gradient`` of their
    mean loss with weight decay; nothing is expanded in the learning rate. Samples of a finite data
    set are chosen by a 32-bit word: of N samples none is more likely than another by more than the
    fraction N / 2**32. With momentum, velocities start at 0.

    Parameters
    ----------
    model : Model
        What is trained.
    eta, batch, momentum
        As `Trainable.sgd` has them.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds, or if ``model`` does not know the
        distribution of its data.
    """

    def __init__(self, model: Trainable, eta: float, batch: int = 1, momentum: float = 0.0) -> None:
        settings = {
            "eta": number("eta", eta, low=0.0, open_low=True),
            "batch": integer("batch", batch, low=1, high=65536),
            "momentum": number("momentum", momentum, low=0.0, high=1.0, open_high=True),
        }
        super().__init__(model, {**settings, "noise": 0.0}, settings)

    @property
    def temperature(self) -> float:
        """``eta / (batch (1 - momentum))``, the ``T`` of the diffusion limit.

        With momentum, in which time runs ``1/(1 - momentum)`` times as fast as ``t`` here.
        """
        a = self._arguments
        return float(a["eta"] / (a["batch"] * (1.0 - a["momentum"])))


class GD(_Discrete):
    """Gradient descent, or with ``noise`` its isotropic control of SGD; made by ``model.gd(eta)``.

    ``x <- x - eta * gradient of the mean loss``, plus ``sqrt(eta) * noise`` times a normal for each
    parameter.

    Parameters
    ----------
    model : Model
        What is trained.
    eta, noise
        As `Trainable.gd` has them.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.
    """

    def __init__(self, model: Trainable, eta: float, noise: float = 0.0) -> None:
        settings = {
            "eta": number("eta", eta, low=0.0, open_low=True),
            "noise": number("noise", noise, low=0.0),
        }
        super().__init__(model, {**settings, "batch": 1, "momentum": 0.0}, settings)
