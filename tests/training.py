"""Losses on minibatches written anew in numpy, and the engine's draws: references for tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import escapade as ea

Array = Any
DATA = 5  # the stream of minibatches


def words(n: int, count: int, seed: int, stream: int = DATA, first_id: int = 0) -> Array:
    """Philox4x32-10 words of draws 0, ..., count - 1 of n particles, shape (count, n)."""
    ids = np.arange(first_id, first_id + n, dtype=np.uint64)
    rows = []
    low, m0, m1 = np.uint64(0xFFFFFFFF), np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    shift = np.uint64(32)
    for block in range((count + 3) // 4):
        x = [ids & low, ids >> shift, np.full(n, block, np.uint64)]
        x.append(np.full(n, stream << 24, np.uint64))
        k0, k1 = seed & 0xFFFFFFFF, seed >> 32
        for _ in range(10):
            p0, p1 = x[0] * m0, x[2] * m1
            x = [
                (p1 >> shift) ^ x[1] ^ np.uint64(k0),
                p1 & low,
                (p0 >> shift) ^ x[3] ^ np.uint64(k1),
                p0 & low,
            ]
            k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
        rows += x
    return np.array(rows[:count])


@dataclass(frozen=True)
class Problem:
    """A model and the gradient of its loss on one sample, by draws of that sample.

    ``one(x, z)``, states (n, dim), draws (normals, n) or, for a finite data set, indices (n,), gives
    shape (n, dim), weight decay included; ``mean(x)`` is the gradient of the mean loss.
    """

    model: Any
    normals: int  # per sample; 0 for a finite data set
    one: Callable[[Array, Array], Array]
    mean: Callable[[Array], Array]
    start: Array
    count: int = 0  # size of the data set

    def draws(self, n: int, steps: int, batch: int, seed: int, noise: str) -> Array:
        """Return draws, shape (steps, batch, normals, n), or indices, (steps, batch, n)."""
        if self.normals == 0:
            index = (words(n, steps * batch, seed) * np.uint64(self.count)) >> np.uint64(32)
            return index.astype(int).reshape(steps, batch, n)
        z = ea._core.normals(n, steps * batch * self.normals, seed, DATA, noise=noise)
        return z.astype(float).reshape(steps, batch, self.normals, n)

    def follow(self, x: Array, draws: Array, eta: float, momentum: float = 0.0) -> Array:
        """Return ``x`` after as many steps of SGD as there are draws for."""
        velocity = np.zeros_like(x)
        for step in draws:
            gradient = sum(self.one(x, z) for z in step) / len(step)
            velocity = momentum * velocity + gradient
            x = x - eta * velocity
        return x

    def starts(self, n: int) -> Array:
        """Return states near the start, shape (n, dim)."""
        wave = np.cos(np.arange(n * self.start.size)).reshape(n, -1)
        return self.start + 0.2 * wave

    def state(self, x: Array) -> Array:
        """Return states in the shape that users see."""
        return x if self.model.vector else x[:, 0]


def regression(model: Any, v: Any, gradient: Any, start: Any) -> Problem:
    """(v x - y)^2 + gamma |theta|^2, from the law of the data and v(theta), grad v."""
    law, data = model.data.law, model.data

    def at(x: Array, residual: Array) -> Array:
        return 2 * residual[:, None] * gradient(x) + 2 * model.gamma * x

    def one(x: Array, z: Array) -> Array:
        if law.kind == "samples":
            a, y = law.x[z], law.y[z]
        elif law.kind == "gaussian":
            a, y = z[0], law.k * z[0] + law.s * z[1]
        else:  # the sign of x drops out of the gradient: x = 1
            a, y = 1.0, law.k + law.s * z[0]
        return at(x, (v(x) * a - y) * a)

    def mean(x: Array) -> Array:
        return at(x, data.beta1 * v(x) - data.beta2)

    normals = {"samples": 0, "gaussian": 2, "binary": 1}[law.kind]
    count = law.x.size if law.kind == "samples" else 0
    return Problem(model, normals, one, mean, np.array(start, float), count)


def network(depth: int, width: int, data: Any, gamma: float) -> Problem:
    def split(x: Array) -> Array:
        return x.reshape(len(x), depth + 1, width)

    def v(x: Array) -> Array:
        return split(x).prod(axis=1).sum(axis=1)

    def gradient(x: Array) -> Array:
        rows = [np.delete(split(x), k, axis=1).prod(axis=1) for k in range(depth + 1)]
        return np.stack(rows, axis=1).reshape(x.shape)

    model = ea.models.DiagonalNetwork(depth, width, 0.1, data, gamma)
    return regression(model, v, gradient, np.linspace(0.6, 1.1, (depth + 1) * width))


def rescaling(powers: tuple[int, ...], data: Any, gamma: float) -> Problem:
    p = np.array(powers)

    def v(x: Array) -> Array:
        return (x**p).prod(axis=1)

    def gradient(x: Array) -> Array:
        return p * v(x)[:, None] / x

    model = ea.models.GeneralizedRescaling(powers, 0.1, data, gamma)
    return regression(model, v, gradient, np.linspace(0.8, 1.1, p.size))


def matrices(n: int, d: int, m: int, gamma: float, samples: int = 0) -> Problem:
    """|U W x - y|^2 with correlated inputs and noise, or a finite data set."""
    rng = np.random.default_rng(100 * n + 10 * d + m)
    V = rng.normal(size=(m, n))
    rows = rng.normal(size=(samples, n + m)) if samples else None
    roots = rng.normal(size=(n, n)), rng.normal(size=(m, m))
    Sx, Se = (0.3 * r @ r.T + 0.2 * np.eye(len(r)) for r in roots)
    if rows is None:
        model = ea.models.TwoLayerLinear(n, d, m, 0.05, V, Sx, Se, gamma=gamma)
        lx, le = np.linalg.cholesky(Sx), np.linalg.cholesky(Se)
        second, cross = Sx, V @ Sx
    else:
        model = ea.models.TwoLayerLinear(n, d, m, 0.05, samples=rows, gamma=gamma)
        second = rows[:, :n].T @ rows[:, :n] / samples
        cross = rows[:, n:].T @ rows[:, :n] / samples

    def pull(x: Array, of: Callable[[Array], Array]) -> Array:
        """Return the gradient by U and W from the one by U W."""
        u, w = x[:, : m * d].reshape(-1, m, d), x[:, m * d :].reshape(-1, d, n)
        g = of(u @ w)
        parts = g @ np.swapaxes(w, 1, 2), np.swapaxes(u, 1, 2) @ g
        return np.concatenate([p.reshape(len(x), -1) for p in parts], axis=1) + 2 * gamma * x

    def one(x: Array, z: Array) -> Array:
        if rows is None:
            a = z[:n].T @ lx.T
            y = a @ V.T + z[n:].T @ le.T
        else:
            a, y = rows[z, :n], rows[z, n:]
        return pull(x, lambda A: 2 * ((A @ a[:, :, None])[:, :, 0] - y)[:, :, None] * a[:, None])

    def mean(x: Array) -> Array:
        return pull(x, lambda A: 2 * (A @ second - cross))

    start = np.concatenate([np.eye(m, d).reshape(-1), np.eye(d, n).reshape(-1)])
    return Problem(model, 0 if samples else n + m, one, mean, start, samples)


def mirror(h_mean: float, h_sd: float, gamma: float) -> Problem:
    model = ea.models.MirrorCollapse(h_mean, h_sd, 0.1, gamma)

    def one(x: Array, z: Array) -> Array:
        return (h_mean + h_sd * z[0][:, None] + 2 * gamma) * x

    return Problem(model, 1, one, lambda x: (h_mean + 2 * gamma) * x, np.array([0.7]))


def saddle(a: float, c: float) -> Problem:
    model = ea.models.TwoPointSaddle(a, 0.1, c)

    def one(x: Array, z: Array) -> Array:
        return np.where(z == 0, 1.0, a - 1.0)[:, None] * x + c * x**3

    return Problem(model, 0, one, lambda x: a / 2 * x + c * x**3, np.array([0.7]), 2)


def direction(kappa: float, s: float, gamma: float) -> Problem:
    model = ea.models.ScaleInvariant(kappa, s, 0.1, gamma)

    def at(x: Array, a: Array, b: Array) -> Array:
        r, phi = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
        slope = -a * np.sin(phi) + b * np.cos(phi)
        turn = np.stack([-np.sin(phi), np.cos(phi)], axis=1) / r[:, None]
        return slope[:, None] * turn + 2 * gamma * x

    def one(x: Array, z: Array) -> Array:
        return at(x, -kappa + s * z[0], s * z[1])

    return Problem(model, 2, one, lambda x: at(x, -kappa, 0.0), np.array([0.9, 0.8]))


def well(data: Any, a: float, loss: str = "mean") -> Problem:
    """l(w) = E (w x - y)^2 or its sum, glued to its mirror image."""
    model = ea.models.RegressionWell(a, 0.1, 1, data, loss)
    size = 1 if loss == "mean" else len(data.law.x)

    def at(w: Array, slope: Callable[[Array], Array]) -> Array:  # slope: l'
        return size * np.where(w < 0, -slope(-w - a), -slope(w - a))

    def one(w: Array, z: Array) -> Array:
        if data.law.kind == "samples":
            x, y = data.law.x[z][:, None], data.law.y[z][:, None]
        else:
            x, y = z[0][:, None], (data.law.k * z[0] + data.law.s * z[1])[:, None]
        return at(w, lambda v: 2 * (v * x - y) * x)

    def mean(w: Array) -> Array:
        return at(w, lambda v: 2 * (data.beta1 * v - data.beta2))

    finite = data.law.kind == "samples"
    return Problem(
        model,
        0 if finite else 2,
        one,
        mean,
        np.array([-0.3]),
        finite * len(np.atleast_1d(data.law.x)),
    )


_rng = np.random.default_rng(5)
SAMPLES = ea.data.from_samples(_rng.normal(size=7), _rng.normal(size=7))

PROBLEMS: dict[str, Problem] = {
    "regression": network(0, 2, ea.data.gaussian(0.8, 0.5), 0.1),
    "network": network(1, 1, ea.data.gaussian(0.8, 0.5), 0.1),
    "network binary": network(1, 1, ea.data.binary(0.8, 0.5), 0.0),
    "network samples": network(1, 1, SAMPLES, 0.1),
    "network wide": network(1, 3, ea.data.gaussian(0.8, 0.5), 0.1),
    "network deep": network(2, 2, ea.data.binary(0.8, 0.5), 0.1),
    "rescaling": rescaling((2, 1), ea.data.gaussian(0.8, 0.5), 0.1),
    "rescaling three": rescaling((1, 3, 2), SAMPLES, 0.1),
    "matrices": matrices(2, 2, 2, 0.1),
    "matrices wide": matrices(3, 1, 2, 0.0),
    "matrices samples": matrices(2, 2, 2, 0.1, 5),
    "matrices deep": matrices(1, 3, 2, 0.1, 6),
    "mirror": mirror(-0.5, 1.5, 0.1),
    "saddle": saddle(-0.3, 0.1),
    "direction": direction(0.7, 0.9, 0.1),
    "well": well(ea.data.gaussian(0.3, 0.5), 0.6),
    "well samples": well(SAMPLES, 0.9, "sum"),
}


def exact_moments(problem: Problem) -> tuple[Any, Any]:
    """Mean and covariance of the gradient of one sample at the start: a sum, or exact quadrature."""
    if problem.count:
        index = np.arange(problem.count)
        g, weight = problem.one(np.tile(problem.start, (problem.count, 1)), index), None
    else:  # a polynomial of degree 2 in normals: three nodes each integrate its square
        nodes, weights = np.polynomial.hermite_e.hermegauss(3)
        grid = np.array(list(itertools.product(nodes, repeat=problem.normals)))
        weight = np.array(list(itertools.product(weights, repeat=problem.normals))).prod(axis=1)
        g = problem.one(np.tile(problem.start, (len(grid), 1)), grid.T)
    return np.average(g, axis=0, weights=weight), np.cov(g.T, aweights=weight, ddof=0)
