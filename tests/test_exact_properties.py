"""What holds for every drift, noise and interval: hypothesis against equations and symmetries.

An independent solution of the boundary value problems by Chebyshev collocation goes along.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from escapade import exact


class Case(NamedTuple):
    """Drift ``c0 + c1 x + c2 sin(w x + p)``, noise ``exp(n0 + n1 sin(v x))``, interval and place."""

    c0: float
    c1: float
    c2: float
    w: float
    p: float
    n0: float
    n1: float
    v: float
    a: float
    width: float
    share: float

    def drift(self, x: Any) -> Any:
        return self.c0 + self.c1 * x + self.c2 * np.sin(self.w * x + self.p)

    def noise(self, x: Any) -> Any:
        return np.exp(self.n0 + self.n1 * np.sin(self.v * x))

    @property
    def b(self) -> float:
        return self.a + self.width

    @property
    def x0(self) -> float:
        return self.a + self.share * self.width

    @property
    def process(self) -> exact.Diffusion:
        return exact.Diffusion(self.drift, self.noise)


def real(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


CASES = st.builds(
    Case,
    c0=real(-1.0, 1.0),
    c1=real(-2.0, 1.0),
    c2=real(-2.0, 2.0),
    w=real(0.0, 4.0),
    p=real(0.0, 6.0),
    n0=real(-0.5, 0.5),
    n1=real(-0.7, 0.7),
    v=real(0.0, 3.0),
    a=real(-2.0, 1.0),
    width=real(0.5, 2.0),
    share=real(0.05, 0.95),
)
SOME = settings(max_examples=40, deadline=None, derandomize=True)
FEW = settings(max_examples=8, deadline=None, derandomize=True)


def collocation(c: Case, n: int = 80) -> tuple[Any, Any]:
    """Return Chebyshev points and the generator on them."""
    k = np.arange(n + 1)
    t = np.cos(math.pi * k / n)
    weight = np.where((k == 0) | (k == n), 2.0, 1.0) * (-1.0) ** k
    apart = t[:, None] - t[None, :] + np.eye(n + 1)
    d = np.outer(weight, 1.0 / weight) / apart
    d -= np.diag(d.sum(axis=1))
    d *= 2.0 / c.width
    x = c.a + 0.5 * c.width * (1.0 + t)
    generator = 0.5 * c.noise(x)[:, None] ** 2 * (d @ d) + c.drift(x)[:, None] * d
    return x, generator


@SOME
@given(CASES)
def test_collocation_agrees(c: Case) -> None:
    x, generator = collocation(c)
    inner = generator[1:-1, 1:-1]
    time = np.linalg.solve(inner, -np.ones(x.size - 2))
    found = exact.mean_exit_time(c.process, x[1:-1], c.a, c.b)
    np.testing.assert_allclose(found, time, rtol=2e-9)
    second = np.linalg.solve(inner, -2.0 * time)
    moments = exact.exit_time_moments(c.process, x[1:-1], c.a, c.b, order=2)
    np.testing.assert_allclose(moments[1], second, rtol=2e-9)
    spread = exact.exit_time_std(c.process, x[1:-1], c.a, c.b)
    np.testing.assert_allclose(spread**2, moments[1] - moments[0] ** 2, rtol=1e-8)
    up = np.linalg.solve(inner, -generator[1:-1, 0])
    h = exact.splitting_probability(c.process, x[1:-1], c.a, c.b)
    np.testing.assert_allclose(h, up, rtol=1e-7, atol=1e-9)
    values = linalg.eigvals(inner)
    rate = exact.escape_rate(c.process, c.a, c.b)
    assert rate == pytest.approx(-values.real.max(), rel=1e-7)
    s = 1.7
    transform = np.linalg.solve(
        inner - s * np.eye(x.size - 2), -generator[1:-1, [0, -1]].sum(axis=1)
    )
    np.testing.assert_allclose(
        exact.laplace_transform(c.process, x[1:-1], s, c.a, c.b), transform, rtol=1e-7
    )


@SOME
@given(CASES)
def test_order_and_bounds(c: Case) -> None:
    x = np.linspace(c.a, c.b, 9)
    h = exact.splitting_probability(c.process, x, c.a, c.b)
    assert (np.diff(h) > 0.0).all() and h[0] == 0.0 and h[-1] == pytest.approx(1.0, abs=1e-14)
    logs = exact.splitting_probability(c.process, x[1:], c.a, c.b, log=True)
    np.testing.assert_allclose(np.exp(logs), h[1:], rtol=1e-13)
    wall = exact.mean_exit_time(c.process, x, c.a, c.b, reflect="lower")
    assert (np.diff(wall) < 0.0).all() and wall[-1] == 0.0
    other = exact.mean_exit_time(c.process, x, c.a, c.b, reflect="upper")
    assert (np.diff(other) > 0.0).all() and other[0] == 0.0
    both = exact.mean_exit_time(c.process, x, c.a, c.b)
    assert (both <= np.minimum(wall, other) * (1.0 + 1e-12)).all()
    # 1/lambda_1 is the mean time from the quasi-stationary law, hence not above the largest
    fine = exact.mean_exit_time(c.process, np.linspace(c.a, c.b, 401), c.a, c.b)
    rate = exact.escape_rate(c.process, c.a, c.b)
    assert rate * fine.max() > 1.0 - 1e-9
    assert rate > exact.escape_rate(c.process, c.a, c.b, reflect="lower")
    assert rate > exact.escape_rate(c.process, c.a, c.b + 0.1)


@SOME
@given(CASES, real(0.1, 10.0))
def test_time_can_be_rescaled(c: Case, factor: float) -> None:
    quick = exact.Diffusion(lambda x: factor * c.drift(x), lambda x: math.sqrt(factor) * c.noise(x))
    slow = exact.mean_exit_time(c.process, c.x0, c.a, c.b)
    assert exact.mean_exit_time(quick, c.x0, c.a, c.b) == pytest.approx(slow / factor, rel=1e-11)
    rate = exact.escape_rate(c.process, c.a, c.b)
    assert exact.escape_rate(quick, c.a, c.b) == pytest.approx(rate * factor, rel=1e-11)


@SOME
@given(CASES, real(-3.0, 3.0), st.sampled_from([-2.5, -1.0, 0.01, 7.0]))
def test_coordinates_do_not_matter(c: Case, shift: float, slope: float) -> None:
    moved = exact.Diffusion(
        lambda y: slope * c.drift((y - shift) / slope),
        lambda y: slope * c.noise((y - shift) / slope),
    )
    ends = sorted((shift + slope * c.a, shift + slope * c.b))
    y0 = min(max(shift + slope * c.x0, ends[0]), ends[1])
    time = exact.mean_exit_time(c.process, c.x0, c.a, c.b)
    assert exact.mean_exit_time(moved, y0, *ends) == pytest.approx(time, rel=1e-10)
    h = exact.splitting_probability(c.process, c.x0, c.a, c.b)
    found = exact.splitting_probability(moved, y0, *ends)
    assert found == pytest.approx(h if slope > 0.0 else 1.0 - h, rel=1e-9, abs=1e-12)


@FEW
@given(CASES)
def test_time_dependence_hangs_together(c: Case) -> None:
    mean = exact.mean_exit_time(c.process, c.x0, c.a, c.b)
    rate = exact.escape_rate(c.process, c.a, c.b)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    edges = np.concatenate([[0.0], np.geomspace(0.01, 30.0, 9)]) / rate
    half = 0.5 * np.diff(edges)[:, None]
    t = (0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes).ravel()
    w = (half * weights).ravel()
    alive = exact.survival(c.process, c.x0, t, c.a, c.b)
    assert float(w @ alive) == pytest.approx(mean, rel=1e-6)
    assert (np.diff(alive) <= 1e-11).all() and alive[0] > 0.5
    late = exact.survival(c.process, c.x0, np.array([20.0, 40.0]) / rate, c.a, c.b)
    assert math.log(late[0] / late[1]) == pytest.approx(20.0, abs=1e-6)
    time = 0.5 / rate
    half = 0.5 * c.width
    nodes, weights = np.polynomial.legendre.leggauss(40)
    x = c.a + half * (1.0 + nodes)
    p = exact.transition_density(c.process, c.x0, x, time, c.a, c.b)
    assert half * float(weights @ p) == pytest.approx(
        exact.survival(c.process, c.x0, time, c.a, c.b), abs=1e-10
    )
    # detailed balance: m(x0) p(x, x0) = m(x) p(x0, x), with ln m = -2 ln noise + int 2 drift/noise^2
    back = exact.transition_density(c.process, x[8], c.x0, time, c.a, c.b)
    y = 0.5 * (c.x0 + x[8]) + 0.5 * (x[8] - c.x0) * nodes
    ratio = float(weights @ (2 * c.drift(y) / c.noise(y) ** 2)) * 0.5 * (x[8] - c.x0)
    ratio += 2.0 * math.log(c.noise(c.x0) / c.noise(x[8]))
    assert p[8] == pytest.approx(back * math.exp(ratio), rel=1e-9)


@FEW
@given(real(0.05, 3.0), real(0.0, 2.0), real(-1.0, 0.9))
def test_one_sided_is_the_limit_of_two_sided(eh: float, h: float, share: float) -> None:
    """Power law tails of any weight: the end at infinity against one far away that reflects."""
    p = exact.Diffusion(lambda x: -(h + 1.0) * x, lambda x: np.sqrt(0.3 + eh * x * x))
    far = exact.mean_exit_time(p, share, -1e12, 1.0, reflect="lower")
    nu = 1.0 + 2.0 * (h + 1.0) / eh
    assert exact.mean_exit_time(p, share, b=1.0) == pytest.approx(far, rel=1e-10 + 1e-11**nu)
    assert exact.escape_rate(p, b=1.0) == pytest.approx(
        exact.escape_rate(p, -1e3, 1.0, reflect="lower"), rel=1e-10 + 10.0 * 1e-2**nu
    )
