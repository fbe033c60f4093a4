"""The example of injected noise: its covariance, and what it does to SGD.

Sampled numbers are compared at 4.5 standard errors (7e-6 of seeds fail per number), seeds are fixed.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from escapade import theory

FILE = Path(__file__).parents[1] / "examples" / "noise_injection.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("noise_injection", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def batch_gradient(w: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Mean gradients of ``(w.x - y)^2/2`` in two dimensions, for many copies, shape (n, 2)."""
    x = rng.standard_normal((size, *w.shape)) * [1.0, 2.0]
    residual = (x * w).sum(axis=-1) - 0.5 * rng.standard_normal(x.shape[:-1])
    return (residual[..., None] * x).mean(axis=0)


def covariance(w: np.ndarray) -> np.ndarray:
    """``C(w)`` of one sample: ``(w.A w + 1/4) A + A w w^T A`` by Isserlis."""
    A = np.diag([1.0, 4.0])
    return (w @ A @ w + 0.25) * A + A @ np.outer(w, w) @ A


@pytest.mark.parametrize("w", [(0.0, 0.0), (1.0, 0.0), (0.5, -1.0)])
@pytest.mark.parametrize(("large", "small"), [(8, 1), (16, 4), (8, 8)])
def test_covariance_is_that_of_the_small_batch(
    example: ModuleType, w: tuple[float, float], large: int, small: int
) -> None:
    rng, n = np.random.default_rng(7), 60_000
    at = np.tile(np.array(w), (n, 1))
    noisy = example.GradientDifference(batch_gradient, large, small)
    g = noisy(at, rng) - at[0] * [1.0, 4.0]
    products = g[:, :, None] * g[:, None, :]
    error = products.std(axis=0) / math.sqrt(n)
    want = covariance(np.array(w)) / small
    assert (np.abs(products.mean(axis=0) - want) < 4.5 * error).all()
    assert (np.abs(g.mean(axis=0)) < 4.5 * g.std(axis=0) / math.sqrt(n)).all()
    # it can tell: the factor of the noise, and where it was measured
    for wrong in (want * 1.15, covariance(np.array(w) + 0.5) / small):
        assert (np.abs(products.mean(axis=0) - wrong) > 4.5 * error).any()


def test_parabolic_noise(example: ModuleType) -> None:
    rng = np.random.default_rng(8)

    def still(w: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
        return np.zeros_like(w)

    noisy = example.ParabolicNoise(still, 1, strength=0.3, curvature=2.0, memory=1e12)
    n = 100_000
    noisy(np.zeros(n), rng)  # the running mean starts here
    for w in (0.0, 1.0, -2.0):
        g = noisy(np.full(n, w), rng)
        want = 0.09 * (1 + 2 * w * w)
        assert abs(np.mean(g**2) - want) < 4.5 * want * math.sqrt(2 / n)
    flat = example.ParabolicNoise(still, 1, strength=0.3, curvature=0.0)
    assert np.std(flat(np.full(n, 5.0), rng)) == pytest.approx(0.3, rel=0.01)
    quick = example.ParabolicNoise(still, 1, 0.1, 1.0, memory=2.0)
    for w in (0.0, 1.0, 1.0):
        quick(np.full(1, w), rng)
    assert quick.mean == pytest.approx(0.75)


def test_large_batches_wander_as_far_as_small_ones(example: ModuleType) -> None:
    eta, large, small, n = 0.1, 16, 2, 20_000
    noisy = example.GradientDifference(example.regression_gradient, large, small)
    rng = np.random.default_rng(9)
    last = example.sgd(noisy, np.zeros(n), eta, 50, rng)[-1]
    error = np.std(last**2) / math.sqrt(n)
    assert abs(np.mean(last**2) - theory.sgd_regression_variance(eta, small)) < 4.5 * error
    assert abs(np.mean(last**2) - theory.sgd_regression_variance(eta, large)) > 20 * error


def test_momentum_is_heavy_ball(example: ModuleType) -> None:
    path = example.sgd(
        lambda w, rng: 2.0 * w, [1.0], 0.1, 2, np.random.default_rng(0), momentum=0.5
    )
    assert path[:, 0] == pytest.approx([0.8, 0.8 - 0.1 * (0.5 * 2.0 + 1.6)])


def test_bad_input(example: ModuleType) -> None:
    for large, small in ((7, 1), (8, 0), (8, 9), (0, 1)):
        with pytest.raises(ValueError, match=r"large must|small must"):
            example.difference_scale(large, small)
    with pytest.raises(ValueError, match="must be at least 0"):
        example.ParabolicNoise(batch_gradient, 1, -1.0, 0.0)
    with pytest.raises(ValueError, match="eta must be positive"):
        example.sgd(lambda w, rng: w, [1.0], 0.0, 1, np.random.default_rng(0))


def test_torch(example: ModuleType) -> None:
    if example.torch is None:
        with pytest.raises(ImportError, match="needs torch"):
            example.inject_torch(lambda half: half, (0, 0), [], 1.0)
        return
    torch = example.torch
    w = torch.nn.Parameter(torch.tensor([2.0]))
    example.inject_torch(lambda half: (w * half).sum(), (1.0, 3.0), [w], scale=0.5)
    assert w.grad.item() == pytest.approx(2.0 - 1.0)
