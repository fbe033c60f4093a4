"""The mean passage time of a discretised diffusion by collocation; see `chain_passage`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg, special

from ._stepped import Stepped

__all__ = ["Chain", "solve"]

_Z = 8.6  # normals beyond have probability 1e-17
_ORDER = 12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_ORDER)
_TO_COEFFICIENTS = np.linalg.inv(np.polynomial.legendre.legvander(_NODES, _ORDER - 1))
_TOLERANCE = 1e-8
_MOST_NODES = 4000


class Chain(NamedTuple):
    """What a simulation does in a step."""

    process: Stepped
    heun: bool
    bridge: bool
    dt: float
    lower: float
    upper: float

    def step(self, y: Any, z: Any) -> Any:
        """Return the state after a step from ``y`` with the standard normal ``z``."""
        f, dt = self.process.drift, self.dt
        kick = self.process.noise(y) * math.sqrt(dt) * z
        if not self.heun:
            return y + f(y) * dt + kick
        start = f(y)
        return y + 0.5 * (start + f(y + start * dt + kick)) * dt + kick

    def cut(self, y: Any, level: float) -> Any:
        """Return the normal that leads from each ``y`` to ``level``, within -8.6 and 8.6."""
        if not math.isfinite(level):
            return np.full(y.shape, math.copysign(_Z, level))
        if not self.heun:
            scale = self.process.noise(y) * math.sqrt(self.dt)
            return np.clip((level - y - self.process.drift(y) * self.dt) / scale, -_Z, _Z)
        low, high = np.full(y.shape, -_Z), np.full(y.shape, _Z)
        for _ in range(56):
            middle = 0.5 * (low + high)
            below = self.step(y, middle) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)


def solve(chain: Chain, edges: Any, y0: float) -> float:
    """Return ``T(y0)``, solved on finer panels until ``T`` is a short polynomial on each."""
    while True:
        half = 0.5 * np.diff(edges)
        y = (edges[:-1, None] + half[:, None] * (_NODES + 1.0)).ravel()
        panel, basis = _basis(edges, np.array([y0]))
        first = np.zeros(y.shape)
        first.reshape(len(half), _ORDER)[panel[0]] = basis[0]
        T, visits = (x.reshape(len(half), _ORDER) for x in _times(chain, edges, y, first))
        # an error where hardly anything ever is does not reach the start
        matter = np.minimum(np.abs(visits).sum(axis=1), 1.0)
        tail = np.abs(T @ _TO_COEFFICIENTS.T)[:, -2:].max(axis=1)
        rough = tail * matter > _TOLERANCE * float(np.abs(T).max())
        rough &= half > 1e-13 * float(np.abs(edges).max())
        if not rough.any():
            return float(first @ T.ravel())
        edges = np.unique(np.concatenate([edges, (edges[:-1] + half)[rough]]))
        if (len(edges) - 1) * _ORDER > _MOST_NODES:
            raise ValueError(
                f"dt must be such that {_MOST_NODES} nodes resolve the mean time, got {chain.dt!r}"
            )


def _times(chain: Chain, edges: Any, y: Any, first: Any) -> tuple[Any, Any]:
    """Return ``T`` at the nodes ``y``, and how often they are visited from the start, ``first``."""
    size = len(y)
    cut_low, cut_high = chain.cut(y, chain.lower), chain.cut(y, chain.upper)
    z, weight = _normal_rule(cut_low, cut_high, 8)
    after = chain.step(y[:, None], z)
    gaps = _gaps(chain, y, after)
    alive = 1.0 - sum((chance for chance, _ in gaps), np.zeros(z.shape))
    panel, basis = _basis(edges, after)
    columns = panel[..., None] * _ORDER + np.arange(_ORDER)
    rows = np.arange(size)[:, None, None] * size
    entries = (weight * alive)[..., None] * basis
    P = np.bincount((rows + columns).ravel(), entries.ravel(), size * size).reshape(size, size)
    # the chance of leaving, summed without cancellation, fixes the diagonal
    gone = sum(((weight * chance).sum(axis=1) for chance, _ in gaps), np.zeros(size))
    gone += special.ndtr(cut_low) * (cut_low > -_Z) + special.ndtr(-cut_high) * (cut_high < _Z)
    spent = _spent(chain, y, gaps, weight, (cut_low, cut_high))
    A = -P
    np.fill_diagonal(A, 0.0)
    np.fill_diagonal(A, gone - A.sum(axis=1))
    norm = float(np.abs(A).sum(axis=0).max())
    factors = linalg.lu_factor(A, overwrite_a=True, check_finite=False)
    T = linalg.lu_solve(factors, spent, check_finite=False)
    sound = float(linalg.lapack.dgecon(factors[0], norm)[0]) > 1e-14
    if not (sound and np.isfinite(T).all() and T.max() < 1e9 * chain.dt and T.min() > 0.0):
        raise ValueError(
            f"dt must be such that the mean is at most 1e9 steps, got {chain.dt!r} and about "
            f"{float(np.abs(T).max()):.3g}"
        )
    return T, linalg.lu_solve(factors, first, trans=1, check_finite=False)


def _spent(chain: Chain, y: Any, gaps: Any, weight: Any, cuts: tuple[Any, Any]) -> Any:
    """Return the mean time spent in a step by what is in ``y`` before it."""
    spent = np.full(len(y), chain.dt)
    if not chain.bridge:
        return spent
    for chance, early in gaps:
        spent -= chain.dt * (weight * chance * (1.0 - early)).sum(axis=1)
    far = np.full(len(y), _Z)
    for end, low, high in ((chain.lower, -far, cuts[0]), (chain.upper, cuts[1], far)):
        if math.isfinite(end):
            z, beyond = _normal_rule(low, high, 4)
            early = _early(chain, y, chain.step(y[:, None], z), end)
            spent -= chain.dt * (beyond * (1.0 - early)).sum(axis=1)
    return spent


def _normal_rule(low: Any, high: Any, panels: int) -> tuple[Any, Any]:
    """Return nodes and weights, shape (n, m), for the standard normal between ``low`` and ``high``."""
    fractions = (np.arange(panels)[:, None] + 0.5 * (_NODES + 1.0)).ravel() / panels
    width = np.maximum(high - low, 0.0)[:, None]
    z = low[:, None] + width * fractions
    weights = np.tile(0.5 * _WEIGHTS / panels, panels)
    return z, width * weights * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _gaps(chain: Chain, y: Any, after: Any) -> list[tuple[Any, Any]]:
    """Return, of each end, the chance that the bridge to ``after`` crosses it and when it does."""
    if not chain.bridge:
        return []
    variance = (chain.process.noise(y) ** 2 * chain.dt)[:, None]
    found = []
    for end in (chain.lower, chain.upper):
        if math.isfinite(end):
            product = np.abs(y - end)[:, None] * np.abs(after - end)
            found.append((np.exp(-2.0 * product / variance), _early(chain, y, after, end)))
    return found


def _early(chain: Chain, y: Any, after: Any, end: float) -> Any:
    r"""Return the mean hitting time, in steps, of a Brownian bridge that reaches ``end``.

    From distance ``alpha`` on one side to ``beta`` on either, in deviations of a step: the density of
    the time is ``alpha t^(-3/2) (1-t)^(-1/2) exp(-alpha^2/2t - beta^2/2(1-t))`` up to a factor, and its
    mean ``alpha R(alpha + beta)``, ``R`` Mills' ratio (by Laplace transforms of ``t^(-1/2) e^(-c/t)``).
    """
    scale = (chain.process.noise(y) * math.sqrt(chain.dt))[:, None]
    alpha, beta = np.abs(y - end)[:, None] / scale, np.abs(after - end) / scale
    mills = math.sqrt(0.5 * math.pi) * special.erfcx((alpha + beta) * math.sqrt(0.5))
    return alpha * mills


def _basis(edges: Any, y: Any) -> tuple[Any, Any]:
    """Return the panel of each ``y`` and the Lagrange polynomials there; constant beyond the ends."""
    y = np.clip(y, edges[0], edges[-1])
    panel = np.clip(np.searchsorted(edges, y, side="right") - 1, 0, len(edges) - 2)
    t = 2.0 * (y - edges[panel]) / (edges[panel + 1] - edges[panel]) - 1.0
    return panel, np.polynomial.legendre.legvander(t, _ORDER - 1) @ _TO_COEFFICIENTS
