"""Steps of models of several numbers: against numpy, and noise against the covariance of gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from training import PROBLEMS, Problem, exact_moments

import escapade as ea

Array = Any
GAUSS = ea.data.gaussian(0.8, 0.6)


@dataclass(frozen=True)
class Case:
    """An Ito equation with one Wiener process, da(x) dt + b(x) dW, states (n, dim); analytic in x."""

    model: Any
    a: Callable[[Array], Array]
    b: Callable[[Array], Array]
    start: Array

    def bb(self, x: Array) -> Array:
        """(b . grad) b, by a complex step: exact to rounding."""
        return self.b(x + 1e-150j * self.b(x)).imag / 1e-150

    def starts(self, n: int) -> Array:
        return self.start + 0.05 * np.cos(np.arange(n * self.start.size)).reshape(n, -1)


def product(model: Any, powers: Array, width: int, reading: int = 0) -> Case:
    """v = sum over subnetworks of prod_k u_k^p_k, theory A2 with T for eta."""
    d, layers = model.data, len(powers)
    p = np.asarray(powers)[:, None]

    def gradient(x: Array) -> tuple[Array, Array]:
        u = x.reshape(len(x), layers, width)
        each = (u**p).prod(axis=1, keepdims=True)
        return each.sum(axis=(1, 2)), (p * each / u).reshape(x.shape)

    def b(x: Array) -> Array:
        v, g = gradient(x)
        return 2 * np.sqrt(model.T * (d.alpha1 * v**2 - 2 * d.alpha2 * v + d.alpha3))[:, None] * g

    def a(x: Array) -> Array:
        v, g = gradient(x)
        drift = -2 * (d.beta1 * v - d.beta2)[:, None] * g - 2 * model.gamma * x
        return drift + (case.bb(x) / 2 if reading else 0)

    # near the minimum, where the adaptive scheme cuts no step
    start = model.balanced(np.array([0.75]))[0] * np.linspace(0.95, 1.05, layers * width)
    case = Case(model, a, b, start)
    return case


def network(depth: int, width: int, calculus: str = "ito") -> Case:
    model = ea.models.DiagonalNetwork(depth, width, 0.1, GAUSS, 0.2, calculus)
    return product(model, [1] * (depth + 1), width, int(calculus != "ito"))


def rescaling(*powers: int, calculus: str = "ito") -> Case:
    model = ea.models.GeneralizedRescaling(powers, 0.005, GAUSS, 0.2, calculus)
    return product(model, powers, 1, int(calculus != "ito"))


def direction() -> Case:
    model = ea.models.ScaleInvariant(0.7, 0.9, 0.3, 0.2)

    def turned(x: Array) -> Array:  # e_phi / r
        return np.stack([-x[:, 1], x[:, 0]], axis=1) / (x**2).sum(axis=1)[:, None]

    def a(x: Array) -> Array:
        sine = x[:, 1] / np.sqrt((x**2).sum(axis=1))
        return -0.7 * sine[:, None] * turned(x) - 2 * 0.2 * x

    return Case(model, a, lambda x: np.sqrt(0.3) * 0.9 * turned(x), np.array([0.9, 0.8]))


CASES = {
    "network 0": network(0, 2),
    "network 1": network(1, 1),
    "network 1 stratonovich": network(1, 1, "stratonovich"),
    "network 1 wide": network(1, 3),
    "network 2": network(2, 1),
    "network 3 wide": network(3, 2),
    "rescaling 2 1": rescaling(2, 1),
    "rescaling 1 3 2": rescaling(1, 3, 2),
    "rescaling 4": rescaling(4),
    "rescaling 2 1 stratonovich": rescaling(2, 1, calculus="stratonovich"),
    "direction": direction(),
}
PAIRS = [(label, scheme) for label, case in CASES.items() for scheme in case.model.schemes]


def euler(case: Case, x: Array, w: Array, h: float) -> Array:
    return x + case.a(x) * h + case.b(x) * w


def milstein(case: Case, x: Array, w: Array, h: float) -> Array:
    return euler(case, x, w, h) + case.bb(x) * (w**2 - h) / 2


def heun(case: Case, x: Array, w: Array, h: float) -> Array:
    def move(at: Array) -> Array:
        return (case.a(at) - case.bb(at) / 2) * h + case.b(at) * w

    return x + (move(x) + move(x + move(x))) / 2


def platen(case: Case, x: Array, w: Array, h: float) -> Array:
    a, b, root = case.a(x), case.b(x), np.sqrt(h)
    up, down = case.b(x + a * h + b * root), case.b(x + a * h - b * root)
    drift = (a + case.a(x + a * h + b * w)) / 2
    return x + drift * h + (up + down + 2 * b) * w / 4 + (up - down) * (w**2 - h) / (4 * root)


STEPS = {
    "euler-maruyama": euler,
    "milstein": milstein,
    "adaptive-milstein": milstein,
    "heun": heun,
    "platen": platen,
}


@pytest.mark.parametrize("noise", ["float32", "float64"])
@pytest.mark.parametrize(("label", "scheme"), PAIRS)
def test_equals_numpy(label: str, scheme: str, noise: str) -> None:
    """Three steps, short enough that the adaptive scheme cuts none."""
    case, n, h = CASES[label], 200, 1 / 1024
    x = case.starts(n)
    ens = ea.Ensemble(case.model, n, x, seed=4, noise=noise).run(steps=3, dt=h, scheme=scheme)
    assert ens._engine.substeps == 0  # else it draws more
    for z in ea._core.normals(n, 3, 4, noise=noise).astype(float):
        x = STEPS[scheme](case, x, np.sqrt(h) * z[:, None], h)
    np.testing.assert_allclose(ens.x, x, rtol=2e-13, atol=1e-14)
    if scheme == "milstein":  # control: without the correction it is another scheme
        wrong = euler(case, case.starts(n), np.sqrt(h) * z[:, None], h)
        assert label == "network 0" or np.max(np.abs(wrong - x)) > 1e-6


def test_every_scheme_of_these_models_is_compared() -> None:
    assert {scheme for _, scheme in PAIRS} == set(STEPS)
    assert ea.models.TwoLayerLinear().schemes == ("euler-maruyama",)


def matrix_step(problem: Problem, x: Array, z: Array, h: float) -> Array:
    """One step of Euler-Maruyama from the written form of the noise."""
    m, T = problem.model, problem.model.T
    n, d, k = m.d_in, m.d_hidden, m.d_out
    if m.samples is not None:
        g = np.stack([problem.one(x, np.full(len(x), i)) for i in range(len(m.samples))])
        noise = np.einsum("sn,snk->nk", z, g - g.mean(axis=0)) * np.sqrt(T * h / len(g))
        return x - h * g.mean(axis=0) - noise
    u, w = x[:, : k * d].reshape(-1, k, d), x[:, k * d :].reshape(-1, d, n)
    e, lx, le = u @ w - m.V, np.linalg.cholesky(m.Sx), np.linalg.cholesky(m.Se)
    S = np.zeros((len(x), n, n))
    for at, (i, j) in enumerate(itertools.combinations_with_replacement(range(n), 2)):
        S[:, i, j] = S[:, j, i] = z[at] * (np.sqrt(2) if i == j else 1)
    Z = z[n * (n + 1) // 2 :].T.reshape(-1, k, n)
    dG = 2 * np.sqrt(T * h) * (e @ lx @ S - le @ Z) @ lx.T
    pulled = dG @ np.swapaxes(w, 1, 2), np.swapaxes(u, 1, 2) @ dG
    noise = np.concatenate([p.reshape(len(x), -1) for p in pulled], axis=1)
    return x - h * problem.mean(x) - noise


MATRICES = [label for label in PROBLEMS if label.startswith("matrices")]


@pytest.mark.parametrize("label", MATRICES)
def test_matrix_factorisation_equals_numpy(label: str) -> None:
    problem, n, h = PROBLEMS[label], 70, 0.01
    x = problem.starts(n)
    ens = ea.Ensemble(problem.model, n, x, seed=4).run(steps=2, dt=h)
    draws = ens._engine.draw // 2
    for z in ea._core.normals(n, 2 * draws, 4).astype(float).reshape(2, draws, n):
        x = matrix_step(problem, x, z, h)
    np.testing.assert_allclose(ens.x, x, rtol=1e-13, atol=2e-14)


def score(problem: Problem, covariance: Array, dt: float) -> float:
    """Largest z-score of the covariance of one step against T dt ``covariance``."""
    n, model, x = 100_000, problem.model, problem.start
    ens = ea.Ensemble(model, n, x, seed=23).run(steps=1, dt=dt, scheme="euler-maruyama")
    d = ens.x - x + dt * problem.mean(x[None])[0]
    products = d[:, :, None] * d[:, None, :]
    wanted = model.T * dt * covariance
    spread = products.std(axis=0) / np.sqrt(n) + 1e-9 * np.max(np.abs(wanted))
    return float(np.max(np.abs(products.mean(axis=0) - wanted) / spread))


VECTORS = [label for label, p in PROBLEMS.items() if p.model.vector]


@pytest.mark.parametrize("label", VECTORS)
def test_noise_has_the_covariance_of_gradients(label: str) -> None:
    """Up to 36 z-scores each below 5.5: fails by chance once in 1e5; the seed is fixed."""
    problem = PROBLEMS[label]
    _, covariance = exact_moments(problem)
    assert score(problem, covariance, 0.01) < 5.5
    assert score(problem, 1.1 * covariance, 0.01) > 10  # control: noise a tenth stronger


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("label", [*CASES, *MATRICES])
def test_bits(label: str, threads: int, restore_isa: None) -> None:
    case = CASES.get(label) or PROBLEMS[label]
    seen = []
    for isa in ea._core.supported_isas():
        ea._core.set_isa(isa)
        for dtype, scheme in itertools.product(("float32", "float64"), case.model.schemes):
            ens = ea.Ensemble(case.model, 300, case.start, seed=6, dtype=dtype, threads=threads)
            ens.run(steps=4, dt=0.001, scheme=scheme).run(steps=5, dt=0.001, scheme=scheme)
            seen.append((dtype, scheme, ens.x.tobytes()))
            part = ea.Ensemble(case.model, 65, case.start, seed=6, dtype=dtype, first_id=100)
            part.run(steps=9, dt=0.001, scheme=scheme)
            assert np.array_equal(part.x, ens.x[100:165], equal_nan=True)
    assert len(set(seen)) == 2 * len(case.model.schemes)
