"""Facts of the power-law dynamic, its Euler-Maruyama chain, its exit, and SGD in discrete time."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, linalg

from escapade import laws, theory

MODEST = settings(derandomize=True, deadline=None, max_examples=40)
POSITIVE = st.floats(0.05, 5.0)


@MODEST
@given(POSITIVE, POSITIVE, POSITIVE)
def test_exponents(H: float, es: float, eh: float) -> None:
    kappa, nu = theory.power_law_kappa(H, eh), theory.power_law_nu(H, eh)
    assert nu == pytest.approx(2 * kappa - 1) and theory.power_law_q(H, eh) == 1 + 1 / kappa
    law, w = laws.PowerLaw(H, es, eh, 1.0), theory.power_law_width(es, eh)
    for u in (0.3 * w, 2 * w):
        ratio = law.logpdf(u) - law.logpdf(0.0)
        assert ratio == pytest.approx(-kappa * math.log1p((u / w) ** 2), rel=1e-9)
    for calculus, shift in (("ito", 0.0), ("stratonovich", -0.5), ("klimontovich", -1.0)):
        assert theory.power_law_kappa(H, eh, calculus) == pytest.approx(kappa + shift)
        assert theory.convert_kappa(kappa, "ito", calculus) == pytest.approx(kappa + shift)
        # the same process has the same exponent
        back = theory.convert_curvature(H, eh, calculus)
        assert 1 + back / eh == pytest.approx(kappa + shift)
        there = theory.convert_curvature(back, eh, "ito", calculus)
        assert there == pytest.approx(H)


def test_stratonovich_by_its_zero_flux_law() -> None:
    """Ito drift of ``-H u + s o dB`` is ``-H u + s s'/2``: its law has the exponent kappa - 1/2."""
    H, es, eh, u = 1.0, 0.2, 0.5, 0.7
    total = integrate.quad(
        lambda x: 2 * (-H * x + 0.5 * eh * x) / (es + eh * x * x) - 2 * eh * x / (es + eh * x * x),
        0,
        u,
    )[0]
    kappa = theory.power_law_kappa(H, eh, "stratonovich")
    assert total == pytest.approx(-kappa * math.log1p(u * u * eh / es), rel=1e-12)


def test_spectrum() -> None:
    spectrum = theory.relaxation_spectrum(1.0, 0.3)
    assert spectrum.rates == pytest.approx([1.0, 1.7, 2.1]) and round(spectrum.edge, 3) == 2.204
    assert theory.relaxation_spectrum(2.0, 0.0, most=3) == ((2.0, 4.0, 6.0), math.inf)
    assert theory.relaxation_spectrum(1.0, 4.0).rates == ()


def test_ergodic_learning_rate_is_where_the_law_can_be_normalised() -> None:
    assert theory.ergodic_learning_rate(1.0, 0.5, 2) == math.inf
    for d in (3, 10):
        eta = theory.ergodic_learning_rate(1.3, 0.5, d)
        assert theory.power_law_kappa(1.3, eta * 0.5) == pytest.approx(d / 2)
    # Mori's n_c, with noise 2 L h/B
    eta = theory.ergodic_learning_rate(1.0, 1.0 / 4, 22)
    assert theory.mori_n_c(1.0, eta, 4) == pytest.approx(22)


def test_euler_maruyama_in_the_table() -> None:
    steps = (0.4, 0.2, 0.1, 0.05, 0.025, 0.0125)
    got = [round(theory.euler_maruyama_tail_index(1.0, 0.8, dt), 5) for dt in steps]
    assert got == [3.66051, 3.57934, 3.53309, 3.51453, 3.50675, 3.50325]
    exact = theory.euler_maruyama_second_moment(1.0, 0.2, 0.8, 0.0)
    ratios = [theory.euler_maruyama_second_moment(1.0, 0.2, 0.8, dt) / exact for dt in steps]
    assert np.round(ratios, 5).tolist() == [1.5, 1.2, 1.09091, 1.04348, 1.02128, 1.01053]
    assert exact == pytest.approx(laws.PowerLaw(1.0, 0.2, 0.8, 1.0).var(), rel=1e-12)
    assert theory.euler_maruyama_second_moment(1.0, 0.2, 1.9, 0.2) == math.inf


@MODEST
@given(st.floats(0.3, 2.0), st.floats(0.1, 3.0), st.floats(0.01, 0.3))
def test_tail_index_by_confluent_functions(H: float, eh: float, dt: float) -> None:
    mu = theory.euler_maruyama_tail_index(H, eh, dt)
    m, s = 1 - H * dt, math.sqrt(eh * dt)
    with mpmath.workdps(40):
        scale = mpmath.mpf(s) ** mu * 2 ** (mpmath.mpf(mu) / 2) / mpmath.sqrt(mpmath.pi)
        moment = scale * mpmath.gamma((mpmath.mpf(mu) + 1) / 2)
        moment *= mpmath.hyp1f1(
            -mpmath.mpf(mu) / 2, 0.5, -(mpmath.mpf(m) ** 2) / (2 * mpmath.mpf(s) ** 2)
        )
        assert abs(float(moment) - 1) < 1e-9 * max(mu, 1)


@pytest.mark.parametrize(
    ("eta", "batch", "phi"),
    [(0.1, 1, 9.142), (0.3, 1, 3.153), (0.3, 8, 18.895), (1.0, 4, 2.252), (1.0, 16, 6.210)],
)
def test_tail_of_sgd(eta: float, batch: int, phi: float) -> None:
    """Roots of the exact moment. A sample mean of |1 - eta h|^mu sees 14.98 instead of 9.14, too few
    samples being where the moment comes from."""
    mu = theory.sgd_tail_index(eta, batch)
    assert round((mu + 1) / 2, 3) == phi
    B = mpmath.mpf(batch)

    def moment(power: float) -> float:
        def density(t: object) -> object:
            size = abs(1 - eta * t * t) ** power  # type: ignore[operator]
            return size * t ** (B - 1) * mpmath.exp(-B * t * t / 2)  # type: ignore[operator]

        kink = 1 / mpmath.sqrt(eta)
        points = [0, kink / 2, kink, *(kink + i for i in range(1, 24, 2))]
        norm = 2 * (B / 2) ** (B / 2) / mpmath.gamma(B / 2)
        return float(norm * mpmath.quad(density, points))

    assert moment(mu) == pytest.approx(1.0, abs=2e-7)
    assert abs(moment(1.02 * mu) - 1.0) > 1e-4  # it can tell
    if (eta, batch) == (0.1, 1):
        assert moment(2 * 14.98 - 1) > 1e7


def test_tails_that_do_not_exist() -> None:
    with pytest.raises(ValueError, match="stationary law"):
        theory.sgd_tail_index(30.0, 1)
    with pytest.raises(ValueError, match="stationary law"):
        theory.euler_maruyama_tail_index(1.0, 1.0, 30.0)


def golden() -> list[dict[str, float]]:
    """Exit of ``|u| < R``: H, es, eh, R, mean, rate."""
    keys = ("H", "es", "eh", "R", "mean", "rate")
    rows = [
        (1.0, 0.05, 0.4, 1.0, 354.22222222222183, 0.0028329066817567527),
        (1.0, 0.05, 0.4, 3.0, 174707.9999999997, 5.723907995378568e-06),
        (1.0, 0.2, 0.5, 1.0, 12.976750629841124, 0.0806364447431832),
    ]
    return [dict(zip(keys, row, strict=True)) for row in rows]


@pytest.mark.parametrize("row", golden())
def test_exit_of_a_symmetric_interval(row: dict[str, float]) -> None:
    given_arguments = [row[k] for k in ("H", "es", "eh", "R")]
    assert theory.power_law_exit_time(*given_arguments) == pytest.approx(row["mean"], rel=1e-11)
    assert theory.power_law_exit_rate(*given_arguments) == pytest.approx(row["rate"], rel=1e-9)


@MODEST
@given(st.integers(1, 8), st.floats(0.02, 1.0), st.floats(0.1, 3.0), st.floats(0.1, 4.0))
def test_exit_time_is_a_polynomial_for_even_integer_nu(
    half: int, es: float, eh: float, R: float
) -> None:
    nu = 2 * half
    H, coefficient, total = (nu - 1) * eh / 2, 1 / es, 0.0
    for k in range(1, half + 1):
        total += coefficient * R ** (2 * k)
        rate = 2 * k * H - k * (2 * k - 1) * eh
        coefficient *= rate / (es * (k + 1) * (2 * k + 1))
    assert theory.power_law_exit_time(H, es, eh, R) == pytest.approx(total, rel=1e-11)


@pytest.mark.parametrize(
    ("H", "es", "eh", "R"), [(1, 0.2, 0.5, 0.3), (1, 0.2, 0.5, 1.5), (0.4, 1, 2, 3)]
)
def test_exit_rate_is_the_first_zero_of_a_hypergeometric_function(
    H: float, es: float, eh: float, R: float
) -> None:
    rate = theory.power_law_exit_rate(H, es, eh, R)
    nu = 1 + 2 * mpmath.mpf(H) / eh

    def survival(lam: float) -> float:
        root = mpmath.sqrt(nu * nu / 4 - 2 * lam / mpmath.mpf(eh))
        x = -(mpmath.mpf(R) ** 2) * eh / es
        return float(mpmath.re(mpmath.hyp2f1((-nu / 2 + root) / 2, (-nu / 2 - root) / 2, 0.5, x)))

    assert survival(rate * (1 - 1e-8)) > 0 > survival(rate * (1 + 1e-8))
    assert all(survival(rate * i / 12) > 0 for i in range(12))
    assert rate > 1 / theory.power_law_exit_time(H, es, eh, R)


def test_rare_exits_are_left_to_the_mean() -> None:
    with pytest.raises(ValueError, match="rate is its inverse"):
        theory.power_law_exit_rate(1.0, 0.02, 0.05, 3.0)
    assert theory.power_law_exit_time(1.0, 1e-3, 1e-3, 1e4) > 1e300
    assert theory.power_law_exit_time(1.0, 1e-3, 1e-4, 1e4) == math.inf


def positive_matrix(rng: np.random.Generator, n: int = 3) -> np.ndarray:
    X = rng.normal(size=(n, n))
    return X @ X.T + 0.5 * np.eye(n)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, -0.0])
def test_covariance_of_sgd_by_lyapunovs_equation(momentum: float) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        H, C, R = (positive_matrix(rng) for _ in range(3))
        R *= 0.02
        got = theory.sgd_covariance(H, C, R, momentum)
        n, mu = 3, momentum
        step = np.block([[np.eye(n) - R @ H, -mu * R], [H, mu * np.eye(n)]])
        kick = np.vstack([-R, np.eye(n)])
        want = linalg.solve_discrete_lyapunov(step, kick @ C @ kick.T)[:n, :n]
        assert np.allclose(got, want, rtol=1e-10, atol=1e-13)
        diffusion = linalg.solve_continuous_lyapunov(R @ H, R @ C @ R) / (1 - mu)
        assert not np.allclose(got, diffusion, rtol=1e-3)  # the step matters


@pytest.mark.parametrize("momentum", [0.0, 0.6])
def test_label_noise_solves_its_equation(momentum: float) -> None:
    A, sigma, batch = positive_matrix(np.random.default_rng(2)), 0.7, 3
    values, vectors = np.linalg.eigh(A)
    for rate in (0.05, (vectors * (0.05 / values)) @ vectors.T):
        S = theory.label_noise_covariance(A, sigma, batch, rate, momentum)
        C = (A @ S @ A + np.trace(A @ S) * A + sigma**2 * A) / batch
        assert np.allclose(S, theory.sgd_covariance(A, C, rate, momentum), rtol=1e-10)
    with pytest.raises(ValueError, match="rate must commute"):
        theory.label_noise_covariance(
            A, sigma, batch, 0.02 * positive_matrix(np.random.default_rng(3))
        )
    with pytest.raises(ValueError, match="variance is finite"):
        theory.label_noise_covariance(A, sigma, batch, 2.0)
    with pytest.raises(ValueError, match="training converges"):
        theory.sgd_covariance(A, A, 10.0)


def test_variance_of_regression() -> None:
    for eta, batch, want in ((0.1, 1, 0.0588), (0.3, 1, 0.2727), (0.3, 8, 0.0231)):
        got = theory.sgd_regression_variance(eta, batch)
        assert got == pytest.approx(want, abs=6e-5)
        one = theory.label_noise_covariance([[1.0]], 1.0, batch, eta)
        assert float(one[0, 0]) == pytest.approx(got, rel=1e-12)
    assert theory.sgd_regression_variance(0.7, 1) == math.inf
    # a finite variance and a tail index above 2 are the same
    assert theory.sgd_tail_index(0.66, 1) > 2 > theory.sgd_tail_index(0.68, 1)


def test_variance_of_regression_by_simulation() -> None:
    """4.5 standard errors over 4000 independent copies (7e-6 of seeds fail)."""
    rng, w = np.random.default_rng(4), np.zeros(40_000)
    for _ in range(60):
        x, y = rng.standard_normal((2, 8, w.size))
        w -= 0.3 * ((w * x - y) * x).mean(axis=0)
    error = np.std(w**2) / math.sqrt(w.size)
    want = theory.sgd_regression_variance(0.3, 8)
    assert abs(np.mean(w**2) - want) < 4.5 * error
    assert abs(np.mean(w**2) - 0.3 / 8 / 2) > 10 * error  # the diffusion without curvature noise


def test_second_moment_in_more_dimensions() -> None:
    one = theory.power_law_covariance([[1.3]], [[0.4]], [[[0.6]], [[0.2]]], 0.5, 0.1)
    want = theory.euler_maruyama_second_moment(1.3, 0.2, 0.5 * (0.36 + 0.04), 0.1)
    assert float(one[0, 0]) == pytest.approx(want, rel=1e-13)
    rng = np.random.default_rng(6)
    H, S, B, eta, dt = (
        positive_matrix(rng),
        positive_matrix(rng),
        0.3 * rng.normal(size=(3, 3)),
        0.2,
        0.05,
    )
    M = np.zeros((3, 3))
    step = np.eye(3) - dt * H
    for _ in range(3000):
        M = step @ M @ step.T + eta * dt * (S + B @ M @ B.T)
    assert np.allclose(theory.power_law_covariance(H, S, [B], eta, dt), M, rtol=1e-10)
    flow = theory.power_law_covariance(H, S, [B], eta)
    assert not np.allclose(flow, M, rtol=1e-3)
    rate = -H @ flow - flow @ H.T + eta * (S + B @ flow @ B.T)
    assert np.abs(rate).max() < 1e-12
    for bad in ({"eta": 100.0}, {"eta": 0.1, "dt": 10.0}):
        with pytest.raises(ValueError, match="second moment stays finite"):
            theory.power_law_covariance(H, S, [np.eye(3)], **bad)


def test_multivariate_t() -> None:
    rng = np.random.default_rng(7)
    S = positive_matrix(rng)
    H = positive_matrix(rng)
    A = np.linalg.solve(S, H)
    A = 0.5 * (A + A.T)
    with pytest.raises(ValueError, match="in proportion"):
        theory.power_law_multivariate(H, S, A + 10 * np.eye(3), 0.1)
    law = theory.power_law_multivariate(2.0 * np.eye(4), 0.5 * np.eye(4), 0.8 * np.eye(4), 1.0)
    assert law.kappa == pytest.approx(6.0) and law.nu == pytest.approx(8.0)
    # the moment equation: noise 0.5 (1 + 0.8 |u|^2) I
    assert law.covariance is not None
    m = float(law.covariance[0, 0])
    assert 2 * 2.0 * m == pytest.approx(0.5 * (1 + 0.8 * 4 * m))
    threshold = theory.ergodic_learning_rate(2.0, 0.4, 4)
    with pytest.raises(ValueError, match="2 kappa > d"):
        theory.power_law_multivariate(
            2 * np.eye(4), 0.5 * np.eye(4), 0.8 * np.eye(4), 1.01 * threshold
        )
    wild = theory.power_law_multivariate(
        2 * np.eye(4), 0.5 * np.eye(4), 0.8 * np.eye(4), 0.9 * threshold
    )
    assert wild.covariance is None
    # eigenvectors in common are not enough
    with pytest.raises(ValueError, match="in proportion"):
        theory.power_law_multivariate(np.diag([1.0, 2.0]), np.eye(2), np.eye(2), 0.1)
