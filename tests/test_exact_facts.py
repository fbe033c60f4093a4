"""Facts that hold exactly: of schemes at finite steps, of transients, of collapse.

Unless a docstring says otherwise the bound is 4.5 standard errors, which fails for 7e-6 of all seeds
per number that is compared; there are about 100.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

import escapade as ea

models, data = ea.models, ea.data
GAUSS, BINARY = data.gaussian(1.0, 1.0), data.binary(1.0, 0.8)
BOUND = 4.5


def z_score(sample: np.ndarray, exact: float) -> float:
    """Return the deviation of the mean from ``exact`` in standard errors."""
    return float((sample.mean() - exact) / (sample.std() / math.sqrt(sample.size)))


def simulate(
    model: Any, scheme: str, x0: Any, dt: float, t: float, seed: int, n: int = 400_000
) -> np.ndarray:
    ens = ea.Ensemble(model, n, x0, seed=seed, noise="float64")
    ens.run(steps=round(t / dt), dt=dt, scheme=scheme, on_bad="raise")
    return np.array(ens.x)


# -- Euler-Maruyama at finite steps ----------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.0, 0.1])
@pytest.mark.parametrize("dt", [0.4, 0.2, 0.1, 0.05])
def test_variance_of_euler_maruyama(dt: float, rho: float) -> None:
    """PowerLaw: es/(2H - eh - H^2 dt). Control: the variance of the law itself is rejected."""
    H, es, eh = 1.0, 0.1, 0.2
    model = models.PowerLaw(H, es, eh, 1.0, rho)
    x = simulate(model, "euler-maruyama", 0.0, dt, 12.0, 1)
    exact = es / (2 * H - eh - H**2 * dt)
    assert abs(z_score(x**2, exact)) < BOUND
    assert abs(z_score(x, 0.0)) < BOUND
    assert ea.laws.euler_maruyama_variance(H, es, eh, 1.0, dt) == pytest.approx(exact, rel=1e-14)
    assert abs(z_score(x**2, es / (2 * H - eh))) > 5


@pytest.mark.parametrize("h", [0.2, 0.1, 0.03])
def test_variance_of_euler_maruyama_at_depth_0(h: float) -> None:
    """T q/(beta1' - h beta1'^2 - T alpha1). Control: the same without h is rejected."""
    T, gamma, b1 = 0.05, 0.1, 1.1
    x = simulate(models.BalancedNetwork(0, 1, T, GAUSS, gamma), "euler-maruyama", 0.9, h, 12.0, 2)
    mean = GAUSS.beta2 / b1
    exact = T * GAUSS.q(mean) / (b1 - h * b1**2 - T * GAUSS.alpha1)
    assert abs(z_score(x, mean)) < BOUND
    assert abs(z_score((x - mean) ** 2, exact)) < BOUND
    assert abs(z_score((x - mean) ** 2, T * GAUSS.q(mean) / (b1 - T * GAUSS.alpha1))) > 5


@pytest.mark.parametrize("h", [0.25, 0.05])
def test_moments_of_geometric_brownian_motion_by_euler_maruyama(h: float) -> None:
    """E x_n = (1 + mu h)^n and E x_n^2 = ((1 + mu h)^2 + sigma^2 h)^n."""
    mu, sigma, n = -0.6, 0.4, round(1.0 / h)
    model = models.GeometricBrownianMotion(mu, sigma)
    x = simulate(model, "euler-maruyama", 1.0, h, 1.0, 3)
    assert abs(z_score(x, (1 + mu * h) ** n)) < BOUND
    assert abs(z_score(x**2, ((1 + mu * h) ** 2 + sigma**2 * h) ** n)) < BOUND
    assert abs(z_score(x**2, math.exp(2 * mu + sigma**2))) > 5  # control: the process itself


# -- transients ------------------------------------------------------------------------------------


def power_law_moments(H: float, es: float, eh: float, u0: float, t: float) -> list[float]:
    """Return E u, E u^2, E u^4 at ``t`` for rho = 0: sums of exponentials."""
    l2, l4 = 2 * H - eh, 4 * H - 6 * eh
    m2 = es / (2 * H - eh)
    second = m2 + (u0**2 - m2) * math.exp(-l2 * t)
    # E u^4 obeys m' = -l4 m + 6 es E u^2
    if abs(l4 - l2) < 1e-9:
        mixed = t * math.exp(-l2 * t)
    else:
        mixed = (math.exp(-l2 * t) - math.exp(-l4 * t)) / (l4 - l2)
    decay = math.exp(-l4 * t)
    fourth = 6 * es * m2 * (1 - decay) / l4 + u0**4 * decay + 6 * es * (u0**2 - m2) * mixed
    return [u0 * math.exp(-H * t), second, fourth]


@pytest.mark.parametrize("t", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("eh", [0.1, 0.4], ids=["nu=21", "nu=6, where two rates coincide"])
def test_transition_moments(eh: float, t: float) -> None:
    """Control: a start 2% off is rejected by the mean."""
    H, es, u0 = 1.0, 0.2, 1.2
    model = models.PowerLaw(H, es, eh, 1.0)
    x = simulate(model, "auto", u0, 0.0125, t, 10)
    exact = power_law_moments(H, es, eh, u0, t)
    for power, value in zip((1, 2, 4), exact, strict=True):
        assert abs(z_score(x**power, value)) < BOUND, power
    law = model.transition_moments(u0, t)
    assert [law.mean, law.second, law.fourth] == pytest.approx(exact, rel=1e-10)
    assert abs(z_score(x, power_law_moments(H, es, eh, 1.02 * u0, t)[0])) > 5


@pytest.mark.parametrize("t", [0.25, 1.0])
def test_transition_moments_with_correlation(t: float) -> None:
    H, es, eh, rho, u0 = 0.8, 0.2, 0.3, 0.15, 1.0
    x = simulate(models.PowerLaw(H, es, eh, 1.0, rho), "auto", u0, 0.0125, t, 11)
    l2 = 2 * H - eh
    decay, slow = math.exp(-l2 * t), math.exp(-H * t)
    second = es / l2 * (1 - decay) + u0**2 * decay + 2 * rho * u0 * (slow - decay) / (l2 - H)
    assert abs(z_score(x, u0 * slow)) < BOUND
    assert abs(z_score(x**2, second)) < BOUND


@pytest.mark.parametrize("t", [0.1, 0.4, 1.5])
def test_transient_at_depth_0(t: float) -> None:
    """Mean and second moment obey linear equations; here with the step of the scheme out of sight."""
    T, gamma, v0 = 0.05, 0.1, -0.5
    b1, a = 1.0 + gamma, GAUSS

    def slope(_: float, m: np.ndarray) -> list[float]:
        noise = a.alpha1 * m[1] - 2 * a.alpha2 * m[0] + a.alpha3
        return [-2 * (b1 * m[0] - a.beta2), -4 * (b1 * m[1] - a.beta2 * m[0]) + 4 * T * noise]

    exact = integrate.solve_ivp(slope, (0.0, t), [v0, v0**2], rtol=1e-10, atol=1e-12).y[:, -1]
    x = simulate(models.BalancedNetwork(0, 1, T, a, gamma), "heun", v0, 0.001, t, 12)
    assert abs(z_score(x, exact[0])) < BOUND
    assert abs(z_score(x**2, exact[1])) < BOUND


@pytest.mark.parametrize(("T", "times"), [(0.1, (0.1, 0.5, 2.0)), (0.6, (0.05, 0.2))])
@pytest.mark.parametrize("scheme", ["adaptive-lamperti-heun", "lamperti-heun", "log-euler"])
def test_inverse_weight_of_binary_data(T: float, times: tuple[float, ...], scheme: str) -> None:
    """Depth 1: E 1/v = e^{kt}/v0 + 4 beta1 (e^{kt} - 1)/k, k = 12 T alpha3 - 4 beta2, at any T.

    Control: k with the factor 8 that Stratonovich would give is rejected.
    """
    v0, k = 0.5, 12 * T * BINARY.alpha3 - 4 * BINARY.beta2
    model = models.BalancedNetwork(1, 1, T, BINARY)
    for t in times:
        dt = 0.0005 if scheme == "log-euler" else 0.005
        x = simulate(model, scheme, v0, dt, t, 13, n=200_000)
        exact, wrong = (
            math.exp(c * t) / v0 + 4 * BINARY.beta1 * math.expm1(c * t) / c
            for c in (k, k - 4 * T * BINARY.alpha3)
        )
        assert abs(z_score(1 / x, exact)) < BOUND, t
        assert abs(z_score(1 / x, wrong)) > 5, t


# -- stationary identities of the depth-1 network --------------------------------------------------


def test_identity_of_ln_v() -> None:
    """beta1 E v - b2 + T E q = 0, as E ln v stands still.

    With binary data q is constant; with Gaussian data E q has no central limit theorem (v^4 is not
    integrable), so the identity is checked on the law, and the sample by E v and E ln v.
    """
    T, gamma = 0.2, 0.1
    v = simulate(models.BalancedNetwork(1, 1, T, BINARY, gamma), "auto", "stationary", 0.005, 1, 20)
    assert abs(z_score(BINARY.beta1 * v, BINARY.beta2 - gamma - T * BINARY.alpha3)) < BOUND
    model = models.BalancedNetwork(1, 1, 0.1, GAUSS)
    law = model.stationary()
    second = law.moment(2)
    q = GAUSS.alpha1 * second - 2 * GAUSS.alpha2 * law.mean() + GAUSS.alpha3
    assert abs(GAUSS.beta1 * law.mean() - GAUSS.beta2 + 0.1 * q) < 1e-10
    v = simulate(model, "auto", "stationary", 0.005, 1.0, 21)
    assert abs(z_score(v, 0.844936470934642)) < BOUND
    assert abs(z_score(np.log(v), -0.3596991898899)) < BOUND
    assert abs(z_score(v, 0.844936470934642 * 1.02)) > 5  # control


def test_collapse_above_the_critical_temperature() -> None:
    """T > T_c: ln v falls at the rate 4 (T alpha3 - b2), and nothing underflows on the way.

    The slope over t = 20 .. 30, by when fewer than 1e-6 of the particles are near v = 1. Control:
    the rate 4 (T alpha3 - b2) without the Ito term, -4 b2, is far off.
    """
    T, n = 1.0, 100_000
    ens = ea.Ensemble(models.BalancedNetwork(1, 1, T, GAUSS), n, 1.0, seed=22)
    ens.run(t=20.0, dt=0.02, scheme="adaptive-log-euler")
    assert ens.coordinate == "log"
    before = np.array(ens.state)
    ens.run(t=10.0, dt=0.02, scheme="adaptive-log-euler")
    rate = (ens.state - before) / 10.0
    assert abs(z_score(rate, 4 * (GAUSS.beta2 - T * GAUSS.alpha3))) < BOUND
    assert rate.var() * 10.0 == pytest.approx(16 * T * GAUSS.alpha3, rel=BOUND * math.sqrt(2 / n))
    assert ens.report().nonfinite == 0
    assert np.median(ens.state) < -200


# -- collapse of geometric Brownian motion and of the pitchfork ------------------------------------


@pytest.mark.parametrize("scheme", ["lamperti-heun", "milstein"])
def test_probability_of_collapse(scheme: str) -> None:
    """P(z_t < eps) = Phi((ln(eps/z0) - (mu - sigma^2/2) t)/(sigma sqrt t)) while E z grows.

    Control: the probability for the drift mu in place of mu - sigma^2/2.
    """
    mu, sigma, t, z0, n = 0.2, 1.0, 4.0, 1.5, 400_000
    dt = 0.5 if scheme == "lamperti-heun" else 0.002
    z = simulate(models.GeometricBrownianMotion(mu, sigma), scheme, z0, dt, t, 30, n)
    for eps in (0.01, 0.1, 1.0):
        exact, wrong = (
            float(special.ndtr((math.log(eps / z0) - drift * t) / (sigma * math.sqrt(t))))
            for drift in (mu - sigma**2 / 2, mu)
        )
        hits = (z < eps).astype(float)
        assert abs(z_score(hits, exact)) < BOUND
        assert abs(z_score(hits, wrong)) > 5


def test_pitchfork_keeps_its_sign_and_has_its_gamma_law() -> None:
    """z^2 is Gamma(mu/sigma^2 - 1/2, sigma^2/b) on either side. KS p > 1e-4: its failure rate.

    Control: the shape mu/sigma^2, without the Ito term.
    """
    mu, b, sigma, n = 1.0, 0.8, 0.5, 400_000
    start = np.where(np.arange(n) % 2 == 0, 1.0, -0.7)
    z = simulate(models.Pitchfork(mu, b, sigma), "milstein", start, 0.002, 8.0, 31, n)
    assert np.all(np.sign(z) == np.sign(start))
    shape = mu / sigma**2 - 0.5
    for side in (z[::2], z[1::2]):
        assert stats.kstest(side**2, stats.gamma(shape, scale=sigma**2 / b).cdf).pvalue > 1e-4
        assert stats.kstest(side**2, stats.gamma(shape + 0.5, scale=sigma**2 / b).cdf).pvalue < 1e-9


def test_pitchfork_collapses_where_noise_wins() -> None:
    """mu < sigma^2/2: ln z falls at the rate sigma^2/2 - mu once z is small; mu alone would grow."""
    mu, sigma, n = 0.3, 1.2, 100_000
    ens = ea.Ensemble(models.Pitchfork(mu, 1.0, sigma), n, 1e-3, seed=32, noise="float64")
    ens.run(t=5.0, dt=0.001, scheme="milstein")
    # the cube is felt by the few particles that come back to z ~ 1: quantiles below do not see it
    z, scale = np.log(np.abs(ens.x)), sigma * math.sqrt(5.0)
    centre = math.log(1e-3) + (mu - sigma**2 / 2) * 5.0
    for mark in (-1.5, -0.5, 0.0, 0.5):
        below = (z < centre + mark * scale).astype(float)
        assert abs(z_score(below, float(special.ndtr(mark)))) < BOUND
