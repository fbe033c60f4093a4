"""State-dependent noise for large-batch SGD: give a large batch the noise of a small one.

The noise of minibatch gradients has covariance ``C(w)/b``, and a large batch ``b`` escapes sharp minima
exponentially more slowly. Two ways to put it back:

``GradientDifference``
    Split the large batch into independent halves with mean gradients ``g1`` and ``g2``. Their difference
    has mean 0 and covariance ``4 C(w)/b``, whatever ``C`` is, and is uncorrelated with their mean. So

        g = (g1 + g2)/2 + sqrt((b/s - 1)/4) (g1 - g2)

    has the covariance ``C(w)/s`` of a batch of ``s``. It costs no further gradient. Higher
    cumulants differ: a mean of many samples is closer to normal than one of few.

``ParabolicNoise``
    The toy form of Meng, Gong, Chen, Ma, Liu, arXiv:2006.13719: independent normals with the amplitude
    ``strength sqrt(1 + curvature (w - m)^2)`` in each coordinate, ``m`` a running mean of ``w``.

Run it to see the stationary variance of SGD on linear regression with either batch, and with the large
one and injected noise:

    python examples/noise_injection.py
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

try:
    import torch
except ImportError:
    torch = None

FloatArray = npt.NDArray[np.float64]
#: Mean gradient, shape of ``w``, of a fresh batch of the given size.
BatchGradient = Callable[[FloatArray, int, np.random.Generator], FloatArray]


def difference_scale(large: int, small: int) -> float:
    """Return the factor of ``g1 - g2`` that makes the noise of ``large`` that of ``small``.

    Parameters
    ----------
    large : int
        Samples in both halves together, even, >= 2; drawn with replacement, or from so many that it
        makes no difference.
    small : int
        Batch size whose noise is wanted, 1 <= small <= large.
    """
    if large < 2 or large % 2:
        raise ValueError(f"large must be even and at least 2, got {large!r}")
    if not 1 <= small <= large:
        raise ValueError(f"small must be at least 1 and at most large = {large}, got {small!r}")
    return 0.5 * math.sqrt(large / small - 1.0)


class GradientDifference:
    """Gradients of a large batch with the noise of a small one.

    Parameters
    ----------
    gradient : callable
        ``gradient(w, size, rng)``, the mean gradient of a fresh batch.
    large, small : int
        See `difference_scale`.
    """

    def __init__(self, gradient: BatchGradient, large: int, small: int) -> None:
        self.gradient, self.half = gradient, large // 2
        self.scale = difference_scale(large, small)

    def __call__(self, w: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return one noisy gradient."""
        first = self.gradient(w, self.half, rng)
        second = self.gradient(w, self.half, rng)
        return 0.5 * (first + second) + self.scale * (first - second)


class ParabolicNoise:
    """Gradients of a large batch plus normals whose amplitude grows away from a running mean.

    Parameters
    ----------
    gradient : callable
        As in `GradientDifference`.
    large : int
        Batch size of the gradients, >= 1.
    strength : float
        Amplitude at the running mean, in units of the gradient, >= 0.
    curvature : float
        ``sigma_H/sigma_g`` >= 0; 0 is constant noise (Langevin).
    memory : float
        Steps over which the mean runs, >= 1.
    """

    def __init__(
        self,
        gradient: BatchGradient,
        large: int,
        strength: float,
        curvature: float,
        memory: float = 100.0,
    ) -> None:
        if not (strength >= 0.0 and curvature >= 0.0 and memory >= 1.0 and large >= 1):
            raise ValueError(
                "strength and curvature must be at least 0, memory and large at least 1, got "
                f"{strength!r}, {curvature!r}, {memory!r}, {large!r}"
            )
        self.gradient, self.large = gradient, large
        self.strength, self.curvature, self.memory = strength, curvature, memory
        self.mean: FloatArray | None = None

    def __call__(self, w: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return one noisy gradient and move the running mean."""
        self.mean = w.copy() if self.mean is None else self.mean + (w - self.mean) / self.memory
        amplitude = self.strength * np.sqrt(1.0 + self.curvature * (w - self.mean) ** 2)
        return self.gradient(w, self.large, rng) + amplitude * rng.standard_normal(w.shape)


def sgd(
    noisy_gradient: Callable[[FloatArray, np.random.Generator], FloatArray],
    w: npt.ArrayLike,
    eta: float,
    steps: int,
    rng: np.random.Generator,
    momentum: float = 0.0,
) -> FloatArray:
    """Return the weights after each of ``steps`` steps, shape (steps, \\*w.shape)."""
    if not (eta > 0.0 and 0.0 <= momentum < 1.0 and steps >= 1):
        raise ValueError(
            f"eta must be positive, momentum in [0, 1), steps at least 1, got {eta!r}, "
            f"{momentum!r}, {steps!r}"
        )
    w = np.array(w, dtype=np.float64)
    velocity, path = np.zeros_like(w), np.empty((steps, *w.shape))
    for i in range(steps):
        velocity = momentum * velocity + noisy_gradient(w, rng)
        w = w - eta * velocity
        path[i] = w
    return path


def inject_torch(
    loss: Callable[[Any], Any], halves: tuple[Any, Any], parameters: Iterable[Any], scale: float
) -> None:
    """Set the ``grad`` of torch parameters to that of a large batch with injected noise.

    Call it in place of ``loss.backward()``, before the step of any torch optimiser.

    Parameters
    ----------
    loss : callable
        Mean loss of one half of the batch.
    halves : tuple
        The two halves, of equal size.
    parameters : iterable of torch.nn.Parameter
        Those that the optimiser moves.
    scale : float
        `difference_scale` of the batch sizes.
    """
    if torch is None:
        raise ImportError("inject_torch needs torch")
    chosen = list(parameters)
    first, second = (torch.autograd.grad(loss(half), chosen) for half in halves)
    for p, g1, g2 in zip(chosen, first, second, strict=True):
        p.grad = (0.5 * (g1 + g2) + scale * (g1 - g2)).detach()


def regression_gradient(w: FloatArray, size: int, rng: np.random.Generator) -> FloatArray:
    """Return mean gradients of ``(w x - y)^2/2``, independent standard normal ``x``, ``y``."""
    x, y = rng.standard_normal((2, size, *w.shape))
    gradient: FloatArray = ((w * x - y) * x).mean(axis=0)
    return gradient


def main() -> None:
    rng, eta, large, small = np.random.default_rng(1), 0.1, 32, 2
    start = np.zeros(500)  # independent copies

    def plain(size: int) -> Callable[[FloatArray, np.random.Generator], FloatArray]:
        return lambda w, rng: regression_gradient(w, size, rng)

    cases: dict[str, Callable[[FloatArray, np.random.Generator], FloatArray]] = {
        f"batch {small}": plain(small),
        f"batch {large}": plain(large),
        f"batch {large}, injected": GradientDifference(regression_gradient, large, small),
    }
    for name, gradient in cases.items():
        variance = float(sgd(gradient, start, eta, 600, rng)[200:].var())
        print(f"{name:20} variance {variance:.5f}")
    for size in (small, large):
        exact = eta / size / (2.0 - eta * (1.0 + 2.0 / size))
        print(f"exact, batch {size:<3}     variance {exact:.5f}")


if __name__ == "__main__":
    main()
