"""Every closed form there is: Brownian motion, Ornstein-Uhlenbeck, geometric, power law, Bessel."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from escapade import exact

INF = math.inf
ROOT2 = math.sqrt(2.0)
BROWNIAN = exact.Diffusion(lambda x: 0.0, lambda x: 1.0)
OU = exact.Diffusion(lambda x: -x, lambda x: ROOT2)


def drifting(mu: float, sigma: float) -> exact.Diffusion:
    return exact.Diffusion(lambda x: mu, lambda x: sigma)


def geometric(r: float, v: float) -> exact.Diffusion:
    return exact.Diffusion(lambda x: r * x, lambda x: v * x, domain=(0.0, INF))


def power_law(es: float, eh: float) -> exact.Diffusion:
    return exact.Diffusion(lambda x: -x, lambda x: np.sqrt(es + eh * x**2))


def bessel(dim: float) -> exact.Diffusion:
    return exact.Diffusion(lambda x: (dim - 1.0) / (2.0 * x), lambda x: 1.0, domain=(0.0, INF))


@pytest.mark.parametrize(("mu", "sigma", "far"), [(0.7, 1.3, 2.0), (5.0, 0.3, 1.0), (0.01, 1, 3.0)])
def test_brownian_motion_with_drift(mu: float, sigma: float, far: float) -> None:
    p, v = drifting(mu, sigma), sigma**2
    assert exact.mean_exit_time(p, 0.0, None, far) == pytest.approx(far / mu, rel=1e-13)
    assert exact.exit_time_std(p, 0.0, b=far) ** 2 == pytest.approx(far * v / mu**3, rel=1e-12)
    mean, second = far / mu, far * v / mu**3 + (far / mu) ** 2
    third = mean**3 + 3.0 * mean**2 * v / mu**2 + 3.0 * mean * (v / mu**2) ** 2
    np.testing.assert_allclose(
        exact.exit_time_moments(p, 0.0, b=far, order=3), [mean, second, third], rtol=1e-12
    )
    s = np.array([0.0, 1e-9, 0.1, 1.0, 30.0])
    np.testing.assert_allclose(
        exact.laplace_transform(p, 0.0, s, b=far),
        np.exp(-far / v * 2.0 * s * v / (np.sqrt(mu**2 + 2.0 * s * v) + mu)),
        rtol=1e-12,
    )


def test_a_small_spread_keeps_its_digits() -> None:
    p = drifting(1.0, 0.02)
    assert exact.exit_time_std(p, 0.0, -1.0, 1.0) == pytest.approx(0.02, rel=1e-11)


def test_brownian_exit() -> None:
    x = np.array([-1.0, -0.999999, -0.3, 0.5, 2.0])
    np.testing.assert_allclose(
        exact.mean_exit_time(BROWNIAN, x, -1.0, 2.0), (x + 1.0) * (2.0 - x), rtol=1e-13
    )
    assert exact.escape_rate(BROWNIAN, -1.0, 2.0) == pytest.approx(math.pi**2 / 18.0, rel=1e-13)
    np.testing.assert_allclose(
        exact.splitting_probability(BROWNIAN, x, -1.0, 2.0), (x + 1.0) / 3.0, rtol=1e-13
    )
    for side, place in (("lower", 1.0), ("upper", 0.0)):
        assert exact.mean_exit_time(BROWNIAN, place, 0, 1, reflect=side) == pytest.approx(
            1.0 if side == "upper" and place == 1.0 else 0.0, abs=1e-15
        )
        assert exact.escape_rate(BROWNIAN, 0, 1, reflect=side) == pytest.approx(
            math.pi**2 / 8.0, rel=1e-13
        )
    assert exact.mean_exit_time(BROWNIAN, 0.0, 0, 1, reflect="lower") == pytest.approx(
        1.0, rel=1e-14
    )
    assert exact.splitting_probability(BROWNIAN, 0.5, 0, 1, reflect="upper") == 0.0
    assert exact.splitting_probability(BROWNIAN, 0.5, 0, 1, reflect="lower") == 1.0


def test_close_eigenvalues_are_told_apart() -> None:
    """Strong drift: ``mu^2/2 + pi^2 k^2/2``, which power iterations separate only slowly."""
    for mu in (10.0, 60.0):
        assert exact.escape_rate(drifting(mu, 1.0), 0.0, 1.0) == pytest.approx(
            mu**2 / 2.0 + math.pi**2 / 2.0, rel=1e-12
        )


def test_ornstein_uhlenbeck() -> None:
    with mp.workdps(30):
        for b in (3, 8):
            integral = mp.quad(
                lambda u: mp.exp(u * u) * (1 + mp.erf(u)), mp.linspace(0, b / mp.sqrt(2), 9)
            )
            expected = float(mp.sqrt(mp.pi) * integral)
            assert exact.mean_exit_time(OU, 0.0, None, b) == pytest.approx(expected, rel=2e-13)
        root = float(mp.findroot(lambda r: mp.pcfd(r, -3), mp.mpf("0.0116")))
        assert exact.escape_rate(OU, None, 3.0) == pytest.approx(root, rel=1e-13)
        for x, s in ((0.0, 0.01), (1.0, 1.0), (-2.0, 10.0), (2.9, 0.5)):
            ratio = mp.pcfd(-mp.mpf(s), -mp.mpf(x)) / mp.pcfd(-mp.mpf(s), -3)
            expected = float(mp.exp((mp.mpf(x) ** 2 - 9) / 4) * ratio)
            assert exact.laplace_transform(OU, x, s, b=3.0) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1e20])
def test_units_do_not_matter(scale: float) -> None:
    p = exact.Diffusion(lambda x: -x, lambda x: ROOT2 * scale)
    assert exact.mean_exit_time(p, 0.0, None, 3.0 * scale) == pytest.approx(
        86.9316198988882, rel=1e-12
    )
    assert exact.escape_rate(p, b=3.0 * scale) == pytest.approx(0.0116057036473891, rel=1e-12)


def test_geometric_brownian_motion() -> None:
    r, v = 0.3, 0.5
    p = 1.0 - 2.0 * r / v**2
    up = geometric(r, v)
    for factor in (2.0, 1e6):
        assert exact.mean_exit_time(up, 1.0, None, factor) == pytest.approx(
            math.log(factor) / (r - v**2 / 2.0), rel=1e-12
        )
    expected = (1.0 - 0.5**p) / (2.0**p - 0.5**p)
    assert exact.splitting_probability(up, 1.0, 0.5, 2.0) == pytest.approx(expected, rel=1e-13)
    assert exact.splitting_probability(up, 1.0, None, 2.0) == 1.0


@pytest.mark.parametrize(
    ("es", "eh", "far"), [(0.2, 0.5, 0.5), (0.05, 0.4, 0.3), (0.05, 0.4, 1.0), (0.05, 0.4, 3.0)]
)
def test_power_law_symmetric_exit(es: float, eh: float, far: float) -> None:
    nu = 1.0 + 2.0 / eh
    p = power_law(es, eh)
    c, total = 1.0 / es, 0.0
    for k in range(1, 400):
        if c == 0.0:
            break
        total += c * far ** (2 * k)
        rate = 2 * k - k * (2 * k - 1) * eh
        c *= (rate if abs(rate) > 1e-9 else 0.0) / (es * (k + 1) * (2 * k + 1))
    assert exact.mean_exit_time(p, 0.0, -far, far) == pytest.approx(total, rel=1e-12)

    def solution(u: float, s: Any) -> Any:
        root = mp.sqrt(mp.mpf(nu) ** 2 / 4 + 2 * s / mp.mpf(eh))
        low, high = (-mp.mpf(nu) / 2 - root) / 2, (-mp.mpf(nu) / 2 + root) / 2
        return mp.hyp2f1(low, high, 0.5, -(mp.mpf(u) ** 2) * eh / es)

    with mp.workdps(30):
        for u, s in ((0.0, 0.1), (0.5 * far, 3.0), (0.0, 20.0)):
            expected = float(solution(u, mp.mpf(s)) / solution(far, mp.mpf(s)))
            found = exact.laplace_transform(p, u, s, -far, far)
            assert found == pytest.approx(expected, rel=1e-12)
            half = exact.laplace_transform(p, u, s, -far, far, side="upper")
            other = exact.laplace_transform(p, u, s, -far, far, side="lower")
            assert half + other == pytest.approx(expected, rel=1e-12)
        rate = exact.escape_rate(p, -far, far)
        root = mp.findroot(lambda r: solution(far, -r), (0.99 * rate, 1.01 * rate))
        assert rate == pytest.approx(float(root), rel=1e-12)
        # the smallest zero: no sign change below it
        below = [solution(far, -mp.mpf(rate) * k / 20) > 0 for k in range(20)]
        assert all(below)


def test_bessel_processes() -> None:
    """At 0: entrance (dim 3), or regular (dim 3/2), where the question must say what happens."""
    three = bessel(3.0)
    for a in (None, 0.0):
        assert exact.mean_exit_time(three, 1.0, a, 2.0) == pytest.approx(1.0, rel=1e-13)
    assert exact.escape_rate(three, b=2.0) == pytest.approx(math.pi**2 / 8.0, rel=1e-13)
    assert exact.splitting_probability(three, 1.0, 0.0, 2.0) == 1.0
    regular = bessel(1.5)
    with pytest.raises(ValueError, match="reflect='lower', or give a=0"):
        exact.mean_exit_time(regular, 1.0, None, 2.0)
    found = exact.mean_exit_time(regular, 1.0, None, 2.0, reflect="lower")
    assert found == pytest.approx((4.0 - 1.0) / 1.5, rel=1e-13)
    assert exact.splitting_probability(regular, 1.0, 0.0, 2.0) == pytest.approx(0.5**0.5, rel=1e-13)


@pytest.mark.parametrize("process", [drifting(-0.7, 1.3), geometric(0.1, 0.5)])
def test_what_may_never_leave(process: exact.Diffusion) -> None:
    x0 = 1.0
    expected = math.exp(-2 * 0.7 / 1.69) if process.domain[0] < 0.0 else 2.0**-0.2
    b = 2.0
    assert exact.mean_exit_time(process, x0, None, b) == INF
    assert exact.exit_time_std(process, x0, None, b) == INF
    assert exact.mean_exit_time(process, b, None, b) == 0.0
    assert exact.splitting_probability(process, x0, None, b) == pytest.approx(expected, rel=1e-12)
    assert exact.laplace_transform(process, x0, 0.0, None, b) == pytest.approx(expected, rel=1e-12)
    assert exact.survival(process, x0, 1e5, None, b) == pytest.approx(1 - expected, abs=1e-12)
    with pytest.raises(ValueError, match="never leaves"):
        exact.escape_rate(process, None, b)


def test_null_recurrent() -> None:
    """Brownian motion on a half line comes back, after an infinite mean time."""
    assert exact.mean_exit_time(BROWNIAN, 0.0, None, 1.0) == INF
    assert exact.splitting_probability(BROWNIAN, 0.0, None, 1.0) == 1.0
    t = np.array([0.1, 1.0, 10.0, 1e4])
    expected = [math.erf(1.0 / math.sqrt(2.0 * q)) for q in t]
    np.testing.assert_allclose(exact.survival(BROWNIAN, 0.0, t, b=1.0), expected, atol=1e-12)
    with pytest.raises(ValueError, match="infinite mean time"):
        exact.escape_rate(BROWNIAN, b=1.0)
    with pytest.raises(ValueError, match="continuous"):
        exact.escape_rate(drifting(0.7, 1.3), b=2.0)


def test_moments_that_do_not_exist() -> None:
    """Drift -c/x far out: speed falls as x^(-2c), times grow as x^2: E T for c = 0.8, no E T^2."""
    p = exact.Diffusion(lambda x: -0.8 * x / (1.0 + x * x), lambda x: 1.0)
    first, second = exact.exit_time_moments(p, 0.0, b=1.0, order=2)
    assert math.isfinite(first) and second == INF
    assert exact.exit_time_std(p, 0.0, b=1.0) == INF
    steep = exact.Diffusion(lambda x: -3.0 * x / (1.0 + x * x), lambda x: 1.0)
    assert np.isfinite(exact.exit_time_moments(steep, 0.0, b=1.0, order=2)).all()


def test_explosion_is_an_exit() -> None:
    p = exact.Diffusion(lambda x: x**3, lambda x: 1.0)
    with pytest.raises(ValueError, match="runs away to -inf in finite time"):
        exact.mean_exit_time(p, 0.0)
    with pytest.raises(ValueError, match="runs away"):
        exact.survival(p, 0.0, 1.0, b=1.0)
    assert exact.splitting_probability(p, 0.0, None, None) == pytest.approx(0.5, rel=1e-12)


def test_exit_boundary() -> None:
    """Feller's branching diffusion dies at 0, from where nothing comes back: ``E T`` to (0, b)."""
    p = exact.Diffusion(lambda x: 0.0, np.sqrt, domain=(0.0, INF))
    x, b = np.array([0.01, 1.0, 1.9]), 2.0
    # (x/2) T'' = -1, T(0) = T(b) = 0
    expected = 2.0 * x * np.log(b / x)
    for a in (None, 0.0):
        np.testing.assert_allclose(exact.mean_exit_time(p, x, a, b), expected, rtol=1e-12)
        np.testing.assert_allclose(exact.splitting_probability(p, x, a, b), x / b, rtol=1e-12)
    with pytest.raises(ValueError, match="cannot come back"):
        exact.mean_exit_time(p, x, None, b, reflect="lower")
    # extinction: P(T < t) = exp(-2 x/t)
    t = np.array([0.1, 1.0, 10.0])
    np.testing.assert_allclose(exact.survival(p, 1.0, t), -np.expm1(-2.0 / t), rtol=1e-10)


def test_wright_fisher() -> None:
    """Two exit boundaries, one of them not at 0; loss of heterozygosity goes at rate 1."""
    p = exact.Diffusion(lambda x: 0.0, lambda x: np.sqrt(x * (1.0 - x)), domain=(0.0, 1.0))
    x = np.array([1e-6, 0.1, 0.5, 0.9])
    expected = -2.0 * (x * np.log(x) + (1.0 - x) * np.log1p(-x))
    np.testing.assert_allclose(exact.mean_exit_time(p, x), expected, rtol=1e-11)
    np.testing.assert_allclose(exact.splitting_probability(p, x), x, rtol=1e-11)
    assert exact.escape_rate(p) == pytest.approx(1.0, rel=1e-12)


def test_starts_far_out() -> None:
    """Ten standard deviations below, and 1e10 times the width of a power law."""
    for x in (-10.0, -30.0):
        far = exact.mean_exit_time(OU, x, -60.0, 3.0, reflect="lower")
        assert exact.mean_exit_time(OU, x, None, 3.0) == pytest.approx(far, rel=1e-12)
    p = exact.Diffusion(lambda x: -x, lambda x: np.sqrt(0.05 + 2.5 * x**2))
    time = exact.mean_exit_time(p, [0.0, -1e9, -1e10], None, 10.0)
    # far out ln|x| drifts by -(1 + eh/2)
    assert time[2] - time[1] == pytest.approx(math.log(10.0) / 2.25, rel=1e-9)
    assert time[0] == pytest.approx(exact.mean_exit_time(p, 0.0, None, 10.0), rel=1e-13)


def test_a_deeper_well_behind_a_barrier_is_not_cut_off() -> None:
    p = exact.Diffusion(lambda x: -x * (x + 2.0) * (x + 4.0) * 9.0 - 1.0, lambda x: 1.0)
    found = exact.log_mean_exit_time(p, 0.0, None, 1.0)
    expected = exact.log_mean_exit_time(p, 0.0, -7.0, 1.0, reflect="lower")
    assert found == pytest.approx(expected, abs=1e-11)
    assert found > exact.log_mean_exit_time(p, 0.0, -2.0, 1.0, reflect="lower") + 2.0


def test_jumps_of_drift_and_noise() -> None:
    """Drift -3 sign(x), noise 1 below c and 1/2 above: exponentials piece by piece."""
    c = mp.mpf(0.2137)
    p = exact.Diffusion(lambda x: -3.0 * np.sign(x), lambda x: np.where(x < 0.2137, 1.0, 0.5))

    def mass(y: Any) -> Any:
        below = min(y, c)
        first = mp.mpf(1) / 3 + (1 - mp.exp(-6 * below)) / 3
        return first + mp.exp(-6 * c) * (1 - mp.exp(-24 * (y - below))) / 3

    def slope(y: Any) -> Any:
        return mp.exp(6 * min(y, c) + 24 * (y - min(y, c)))

    expected = float(mp.quad(lambda y: slope(y) * mass(y), [0, c, 1]))
    assert exact.mean_exit_time(p, 0.0, None, 1.0) == pytest.approx(expected, rel=1e-12)


def test_quasi_stationary_law_of_brownian_motion() -> None:
    law = exact.quasi_stationary(BROWNIAN, -1.0, 1.0)
    x = np.linspace(-1.0, 1.0, 21)
    half: Callable[[Any], Any] = lambda v: 0.5 * math.pi * np.asarray(v)  # noqa: E731
    np.testing.assert_allclose(law.pdf(x), 0.25 * math.pi * np.cos(half(x)), atol=1e-12)
    np.testing.assert_allclose(law.cdf(x), 0.5 + 0.5 * np.sin(half(x)), rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(law.sf(x), law.cdf(-x), rtol=1e-11, atol=1e-15)
    q = np.array([0.0, 1e-12, 0.1, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(law.cdf(law.ppf(q)), q, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(law.isf(q), -law.ppf(q), atol=1e-13)
    assert law.support() == (-1.0, 1.0) and law.mean() == pytest.approx(0.0, abs=1e-14)
    assert law.var() == pytest.approx(1.0 - 8.0 / math.pi**2, rel=1e-12)
    assert law.mode() == pytest.approx(0.0, abs=1e-6)
    assert law.expectation(np.cos) == pytest.approx(
        float(mp.quad(lambda v: mp.pi / 4 * mp.cos(mp.pi * v / 2) * mp.cos(v), [-1, 1])), rel=1e-12
    )
    assert np.isneginf(law.logpdf([-1.5, -1.0, 1.0])).all()
    draws = law.rvs(20_000, random_state=3)
    assert abs(draws.mean()) < 4.0 * law.std() / math.sqrt(20_000)  # fails once in 16000 seeds
