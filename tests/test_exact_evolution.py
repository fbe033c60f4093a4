"""Survival, exit densities and transition densities against series and elementary densities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from escapade import exact

ROOT2 = math.sqrt(2.0)
BROWNIAN = exact.Diffusion(lambda x: 0.0, lambda x: 1.0)
OU = exact.Diffusion(lambda x: -x, lambda x: ROOT2)
POWER = exact.Diffusion(lambda x: -x, lambda x: np.sqrt(0.2 + 0.5 * x**2))
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def panels(edges: Any) -> tuple[Any, Any]:
    """Return nodes and weights of composite Gauss quadrature."""
    edges = np.asarray(edges, dtype=float)
    half = 0.5 * np.diff(edges)[:, None]
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    return (middle + half * NODES).ravel(), (half * WEIGHTS).ravel()


def modes(x: float, t: Any) -> Any:
    """Return the survival of Brownian motion in (-1, 1) by eigenmodes."""
    k = np.arange(300)[:, None]
    odd = 2 * k + 1
    terms = (-1.0) ** k / odd * np.cos(odd * math.pi * x / 2)
    return np.sum(4 / math.pi * terms * np.exp(-((odd * math.pi) ** 2) * t / 8), axis=0)


def images(x: float, t: Any) -> Any:
    """Return the same by reflections."""
    k = np.arange(-10, 11)[:, None]
    near, far = (2 * k + 1 - x), (2 * k - 1 - x)
    sign = (-1.0) ** k
    width = np.sqrt(2 * t)
    return np.sum(sign * 0.5 * (special.erf(near / width) - special.erf(far / width)), axis=0)


def test_survival_of_brownian_motion() -> None:
    t = np.array([1e-8, 1e-4, 1e-3, 0.01, 0.1, 0.5, 1.0, 5.0, 50.0, 300.0, 0.0])
    for x in (0.3, -0.99):
        found = exact.survival(BROWNIAN, x, t, -1.0, 1.0)
        np.testing.assert_allclose(found[:4], images(x, t[:4]), rtol=1e-12)
        # late times keep their relative accuracy: the last is 1e-161
        np.testing.assert_allclose(found[3:10], modes(x, t[3:10]), rtol=3e-12)
        assert found[10] == 1.0
    assert exact.survival(BROWNIAN, 1.0, [0.0, 1.0], -1.0, 1.0).tolist() == [0.0, 0.0]


def test_survival_is_the_leading_mode_in_the_end() -> None:
    """Power law to 1.5: ``S ~ 1.0071 exp(-lambda_1 t)`` with ``lambda_1`` unlike one over the mean."""
    rate = exact.escape_rate(POWER, b=1.5)
    t = np.array([20.0, 200.0, 2000.0, 20000.0])
    found = exact.survival(POWER, 0.0, t, b=1.5) * np.exp(rate * t)
    np.testing.assert_allclose(found, found[0], rtol=1e-9)
    assert found[0] == pytest.approx(1.0071, abs=5e-5)
    assert abs(exact.mean_exit_time(POWER, 0.0, b=1.5) * rate - 1.0) > 5e-3


def test_the_mean_is_the_area_under_survival() -> None:
    t, w = panels(np.concatenate([[0.0], np.geomspace(0.05, 1500.0, 24)]))
    for x in (0.0, 0.8):
        area = float(np.sum(w * exact.survival(POWER, x, t, b=1.0)))
        assert area == pytest.approx(exact.mean_exit_time(POWER, x, b=1.0), rel=1e-9)


def test_from_the_quasi_stationary_law_exit_is_exponential() -> None:
    law, rate = exact.quasi_stationary(POWER, b=1.0), exact.escape_rate(POWER, b=1.0)
    x, w = panels(np.concatenate([-np.geomspace(60.0, 0.5, 14), [0.0, 0.3, 0.6, 0.9, 1.0]]))
    p = w * law.pdf(x)
    for t in (0.3, 30.0):
        share = float(p @ exact.survival(POWER, x, t, b=1.0)) / float(p.sum())
        assert share == pytest.approx(math.exp(-rate * t), rel=1e-6)
    mean = float(p @ exact.mean_exit_time(POWER, x, b=1.0)) / float(p.sum())
    assert mean == pytest.approx(1.0 / rate, rel=1e-6)


@pytest.mark.parametrize("h", [6.0, 20.0, 60.0])
def test_survival_of_the_metastable(h: float) -> None:
    """From relaxation to 300 mean times, up to 1e27: one exponential, and its density."""
    p = exact.Diffusion(lambda x: -4.0 * h * x * (x * x - 1.0), lambda x: ROOT2)
    rate, mean = exact.escape_rate(p, b=0.8), exact.mean_exit_time(p, -1.0, b=0.8)
    t = mean * np.array([0.1, 0.5, 0.999, 1.0, 10.0, 300.0])
    scaled = exact.survival(p, -1.0, t, b=0.8) * np.exp(rate * t)
    np.testing.assert_allclose(scaled, scaled[0], rtol=1e-9)
    assert abs(scaled[0] - 1.0) < {6.0: 3e-3, 20.0: 3e-9, 60.0: 1e-11}[h]
    density = exact.exit_time_density(p, -1.0, t[:4], b=0.8) * np.exp(rate * t[:4])
    np.testing.assert_allclose(density, scaled[:4] * rate, rtol=1e-9)
    assert exact.survival(p, -1.0, [0.3, 1e4 * mean, 1e300], b=0.8)[1:].tolist() == [0.0, 0.0]


def test_transition_density_becomes_stationary() -> None:
    p = exact.Diffusion(lambda x: -8.0 * x * (x * x - 1.0), lambda x: ROOT2)
    x, w = panels(np.linspace(-3.0, 3.0, 13))
    law = np.exp(-2.0 * (x * x - 1.0) ** 2)
    law /= float(w @ law)
    for t in (100.0, 1e12, 1e100):
        found = exact.transition_density(p, -1.0, x, t)
        np.testing.assert_allclose(found, law, atol=2e-12)


def test_inverse_gaussian_density() -> None:
    mu, far = 0.7, 2.0
    p = exact.Diffusion(lambda x: mu, lambda x: 1.0)
    t = np.array([0.05, 0.3, 1.0, 3.0, 20.0])
    expected = far / np.sqrt(2 * math.pi * t**3) * np.exp(-((far - mu * t) ** 2) / (2 * t))
    np.testing.assert_allclose(
        exact.exit_time_density(p, 0.0, t, b=far), expected, rtol=1e-10, atol=1e-11
    )


def test_exit_densities_by_side_integrate_to_splitting() -> None:
    t, w = panels(np.concatenate([[0.0], np.geomspace(1e-3, 30.0, 20)]))
    p = exact.Diffusion(lambda x: 1.0 - x, lambda x: 1.0 + 0.3 * np.sin(x))
    both = 0.0
    for side, share in (("lower", 0.0), ("upper", 1.0)):
        f = exact.exit_time_density(p, 0.4, t, -0.5, 1.5, side=side)
        h = exact.splitting_probability(p, 0.4, -0.5, 1.5)
        assert float(w @ f) == pytest.approx(h if share else 1.0 - h, rel=1e-9)
        s = float(w @ (f * np.exp(-0.7 * t)))
        assert s == pytest.approx(
            exact.laplace_transform(p, 0.4, 0.7, -0.5, 1.5, side=side), rel=1e-9
        )
        both = both + f
    np.testing.assert_allclose(both, exact.exit_time_density(p, 0.4, t, -0.5, 1.5), atol=1e-11)
    # the slope of survival
    h, at = 1e-4, 0.5
    slope = exact.survival(p, 0.4, [at - h, at + h], -0.5, 1.5)
    found = exact.exit_time_density(p, 0.4, at, -0.5, 1.5)
    assert (slope[0] - slope[1]) / (2 * h) == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize("t", [1e-4, 0.01, 0.1, 1.0, 10.0, 1000.0])
def test_transition_density_of_ornstein_uhlenbeck(t: float) -> None:
    x = np.linspace(-3.0, 3.0, 61)
    law = stats.norm(0.5 * math.exp(-t), math.sqrt(-math.expm1(-2 * t)))
    expected = law.pdf(x)
    near = x if t > 1e-3 else 0.5 + np.linspace(-0.05, 0.05, 61)
    expected = law.pdf(near)
    found = exact.transition_density(OU, 0.5, near, t)
    np.testing.assert_allclose(found, expected, atol=1e-12 * law.pdf(law.mean()))
    wrong = exact.transition_density(
        exact.Diffusion(lambda x: -1.01 * x, lambda x: ROOT2), 0.5, 0, t
    )
    assert t < 1e-3 or abs(wrong - law.pdf(0.0)) > 1e-5 * law.pdf(0.0)  # negative control


@pytest.mark.parametrize("t", [0.05, 0.5, 5.0])
def test_transition_density_of_the_reflectionless_power_law(t: float) -> None:
    """nu = 2, where the density is elementary."""
    es, eh = 0.3, 0.8
    p = exact.Diffusion(lambda u: -0.5 * eh * u, lambda u: np.sqrt(es + eh * u**2))
    c, width = math.sqrt(eh), math.sqrt(es / eh)
    u0, u = 0.4, np.concatenate([np.linspace(-3.0, 3.0, 41), [-50.0, 50.0]])
    y0, y = np.arcsinh(u0 / width) / c, np.arcsinh(u / width) / c
    erfs = special.erf((c * t + y - y0) / math.sqrt(2 * t)) + special.erf(
        (c * t - y + y0) / math.sqrt(2 * t)
    )
    kernel = np.exp(-((y - y0) ** 2) / (2 * t)) / math.sqrt(2 * math.pi * t)
    kernel += c / 4 * math.exp(c**2 * t / 2) / np.cosh(c * y) / np.cosh(c * y0) * erfs
    expected = np.cosh(c * y0) / np.cosh(c * y) * math.exp(-(c**2) * t / 2) * kernel
    expected /= np.sqrt(es + eh * u**2)
    found = exact.transition_density(p, u0, u, t)
    np.testing.assert_allclose(found, expected, atol=2e-12 * expected.max())


def test_chapman_kolmogorov_with_killing() -> None:
    """Also: what is left integrates to survival."""
    x, w = panels([-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.4, 0.8, 1.0])
    p = exact.Diffusion(lambda x: x - x**3, lambda x: np.sqrt(0.5 + 0.1 * x**2))
    first = exact.transition_density(p, -1.0, x, 0.4, b=1.0)
    assert float(w @ first) == pytest.approx(exact.survival(p, -1.0, 0.4, b=1.0), abs=1e-11)
    end = 0.2
    second = exact.transition_density(p, x, end, 0.7, b=1.0)
    whole = exact.transition_density(p, -1.0, end, 1.1, b=1.0)
    assert float(np.sum(w * first * second)) == pytest.approx(whole, abs=1e-11)
    assert exact.transition_density(p, -1.0, 1.0, 0.5, b=1.0) == 0.0


def test_reflection_is_an_image() -> None:
    x = np.linspace(0.0, 3.0, 7)
    found = exact.transition_density(BROWNIAN, 0.5, x, 0.3, 0.0, None, reflect="lower")
    expected = stats.norm.pdf(x, 0.5, 0.3**0.5) + stats.norm.pdf(x, -0.5, 0.3**0.5)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_shapes_broadcast() -> None:
    x0, t = np.array([[0.1], [0.2]]), np.array([0.3, 0.4, 0.5])
    found = exact.survival(BROWNIAN, x0, t, -1.0, 1.0)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(exact.survival(BROWNIAN, 0.2, 0.5, -1.0, 1.0), abs=1e-12)
    assert np.shape(exact.survival(BROWNIAN, 0.0, 0.5, -1.0, 1.0)) == ()
    assert exact.exit_time_moments(BROWNIAN, x0, -1, 1, order=3).shape == (3, 2, 1)
    assert exact.mean_exit_time(BROWNIAN, np.empty((0, 2)), -1, 1).shape == (0, 2)
    assert exact.survival(BROWNIAN, np.empty(0), 1.0, -1, 1).shape == (0,)
