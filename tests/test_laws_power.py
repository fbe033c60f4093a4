"""The power-law dynamic: stationary law, moments in time, finite-step facts (arXiv:2006.13719)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from escapade import laws

MODEST = settings(derandomize=True, deadline=None, max_examples=40)


def test_rho_zero_is_student() -> None:
    H, sg, sh, eta = 1.3, 0.2, 0.5, 0.7
    nu = 1 + 2 * H / (eta * sh)
    want = stats.t(nu, scale=math.sqrt(sg / sh / nu))
    law = laws.PowerLaw(H, sg, sh, eta)
    x = np.array([-40.0, -3.0, -0.1, 0.0, 0.5, 9.0])
    assert np.allclose(law.pdf(x), want.pdf(x), rtol=1e-12)
    assert np.allclose(law.cdf(x), want.cdf(x), rtol=1e-12)
    assert law.var() == pytest.approx(eta * sg / (2 * H - eta * sh), rel=1e-13)


@MODEST
@given(
    st.floats(0.1, 5.0), st.floats(0.05, 5.0), st.floats(0.05, 5.0), st.floats(0.01, 2.0),
    st.floats(-0.999, 0.999),
)  # fmt: skip
def test_general_density_and_moment_recursion(
    H: float, sg: float, sh: float, eta: float, correlation: float
) -> None:
    rho = correlation * math.sqrt(sg * sh)
    law = laws.PowerLaw(H, sg, sh, eta, rho)
    kappa, root = 1 + H / (eta * sh), math.sqrt(sg * sh - rho * rho)
    x = law.ppf(np.array([1e-8, 0.01, 0.3, 0.5, 0.9, 1 - 1e-8]))
    want = -kappa * np.log(sg + 2 * rho * x + sh * x * x)
    want += 2 * H * rho / (eta * sh * root) * np.arctan((sh * x + rho) / root)
    gap = law.logpdf(x) - want
    assert np.ptp(gap) < 1e-10 * (1 + np.max(np.abs(want)))
    # lambda_n m_n = (es/2) n(n-1) m_{n-2} + eta rho n(n-1) m_{n-1}
    nu = 1 + 2 * H / (eta * sh)
    m = [law.moment(n) for n in range(6)]
    for n in range(2, 6):
        rate = n * H - n * (n - 1) * eta * sh / 2
        if n < nu:
            right = n * (n - 1) * eta * (sg / 2 * m[n - 2] + rho * m[n - 1])
            scale = abs(rate) * law.var() ** (n / 2) + abs(right)
            assert rate * m[n] == pytest.approx(right, abs=1e-9 * scale)
        else:
            assert not math.isfinite(m[n])
            assert "finite only for n < " in law.moment_reason(n)
    assert law.mean() == pytest.approx(0.0, abs=1e-12 * law.ppf(0.9))


def test_infinite_and_undefined_moments() -> None:
    law = laws.PowerLaw(1.0, 1.0, 2.5, 1.0)  # nu = 1.8
    assert law.moment(2) == math.inf
    assert law.var() == math.inf
    assert math.isnan(law.moment(3))
    assert "undefined" in law.moment_reason(3)
    assert "infinite" in law.moment_reason(2)
    assert law.moment_reason(1) == ""
    skew = laws.PowerLaw(1.0, 1.0, 2.5, 1.0, 0.5)
    assert skew.moment(2) == math.inf
    assert math.isnan(skew.moment(3))
    with pytest.raises(ValueError, match="n must be"):
        law.moment(1.5)
    with pytest.raises(ValueError, match="n must be"):
        law.moment(-1)


@pytest.mark.parametrize("rho", [0.5, -0.5])
def test_vanishing_noise_gives_an_inverse_gamma_side(rho: float) -> None:
    """rho^2 = sigma_g sigma_H: zero flux on one side of u0, against the density itself."""
    H, eta, sg, sh = 1.2, 0.4, 0.5, 0.5
    law = laws.PowerLaw(H, sg, sh, eta, rho)
    u0 = -rho / sh
    assert law.support() == ((-math.inf, u0) if u0 > 0 else (u0, math.inf))
    x = law.ppf(np.array([0.01, 0.2, 0.5, 0.8, 0.99]))

    def score(u: float) -> float:  # 2 b / a - a'/a
        a = eta * sh * (u - u0) ** 2
        return (-2 * H * u - 2 * eta * sh * (u - u0)) / a

    for a, b in pairwise(x):
        want = integrate.quad(score, a, b, epsabs=0, epsrel=1e-12)[0]
        assert law.logpdf(b) - law.logpdf(a) == pytest.approx(want, rel=1e-10, abs=1e-10)
    assert law.mean() == pytest.approx(0.0, abs=1e-13)
    assert law.var() == pytest.approx(eta * sg / (2 * H - eta * sh), rel=1e-12)
    # the limit is continuous: a correlation just below 1 gives nearly the same law
    near = laws.PowerLaw(H, sg, sh, eta, rho * (1 - 1e-9))
    assert np.allclose(near.ppf([0.05, 0.5, 0.95]), law.ppf([0.05, 0.5, 0.95]), rtol=1e-6)


def test_degenerate_parameters() -> None:
    normal = laws.PowerLaw(1.0, 0.5, 0.0, 0.3)
    assert isinstance(normal, laws.Normal)
    assert normal.var() == pytest.approx(0.5 * 0.3 / 2)
    for arguments in ((1.0, 0.0, 0.5, 0.3), (1.0, 0.5, 0.5, 0.0), (1.0, 0.0, 0.0, 1.0)):
        law = laws.PowerLaw(*arguments)
        assert isinstance(law, laws.PointMass)
        assert law.at == 0.0
        assert law.reason
    # nearly constant noise tends to the normal law
    close = laws.PowerLaw(1.0, 0.5, 1e-9, 0.3)
    x = np.array([-1.5, -0.2, 0.4])
    assert np.allclose(close.cdf(x), normal.cdf(x), rtol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0.0, 1.0, 1.0, 1.0), "H"),
        ((1.0, -1.0, 1.0, 1.0), "sigma_g"),
        ((1.0, 1.0, -1.0, 1.0), "sigma_H"),
        ((1.0, 1.0, 1.0, -1.0), "eta"),
        ((1.0, 1.0, 1.0, 1.0, 1.1), "rho"),
        ((1.0, 1.0, 0.0, 1.0, 0.1), "rho"),
        ((1.0, 1.0, 1.0, math.nan), "eta"),
    ],
)
def test_bad_parameters_are_named(arguments: tuple[float, ...], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must"):
        laws.PowerLaw(*arguments)


# -- moments in time ----------------------------------------------------------------------------


def test_transition_moments_closed_form_without_rho() -> None:
    H, es, eh, u0 = 1.0, 0.05, 0.3, 0.8
    t = np.array([0.0, 1e-3, 0.1, 1.0, 7.0])
    got = laws.transition_moments(H, es, eh, 1.0, 0.0, u0, t)
    l2, l4 = 2 * H - eh, 4 * H - 6 * eh
    m2 = es / l2
    m4 = 6 * es * m2 / l4
    second = m2 + (u0**2 - m2) * np.exp(-l2 * t)
    fourth = m4 * (1 - np.exp(-l4 * t)) + u0**4 * np.exp(-l4 * t)
    fourth += 6 * es * (u0**2 - m2) * (np.exp(-l2 * t) - np.exp(-l4 * t)) / (l4 - l2)
    assert np.allclose(got.mean, u0 * np.exp(-H * t), rtol=1e-13)
    assert np.allclose(got.second, second, rtol=1e-12)
    assert np.allclose(got.fourth, fourth, rtol=1e-12)
    assert np.allclose(got.var, second - got.mean**2, rtol=1e-9)


def test_transition_moments_with_equal_rates() -> None:
    """nu = 6: lambda_2 = lambda_4, where the textbook formula divides by zero."""
    H, es, eh, u0, t = 1.0, 0.05, 0.4, 0.8, 0.9
    l2 = 2 * H - eh
    assert l2 == pytest.approx(4 * H - 6 * eh)
    m2 = es / l2
    decay = math.exp(-l2 * t)
    want = 6 * es * m2 / l2 * (1 - decay) + u0**4 * decay + 6 * es * (u0**2 - m2) * t * decay
    got = laws.transition_moments(H, es, eh, 1.0, 0.0, u0, t)
    assert got.fourth == pytest.approx(want, rel=1e-12)
    assert isinstance(got.mean, float)


@MODEST
@given(
    st.floats(0.2, 3.0), st.floats(0.0, 2.0), st.floats(0.0, 2.0), st.floats(-1.0, 1.0),
    st.floats(-3.0, 3.0), st.floats(0.0, 3.0),
)  # fmt: skip
def test_transition_moments_solve_their_equations(
    H: float, sg: float, sh: float, correlation: float, u0: float, t: float
) -> None:
    eta, rho = 0.7, correlation * math.sqrt(sg * sh)

    def rhs(_: float, m: np.ndarray) -> list[float]:
        full = [1.0, *m]
        return [
            -(n * H - n * (n - 1) * eta * sh / 2) * full[n]
            + n * (n - 1) * eta * (rho * full[n - 1] + (sg / 2 * full[n - 2] if n > 1 else 0.0))
            for n in range(1, 5)
        ]

    start = [u0**n for n in range(1, 5)]
    end = integrate.solve_ivp(rhs, (0.0, t), start, method="DOP853", rtol=1e-11, atol=1e-12).y[
        :, -1
    ]
    got = laws.transition_moments(H, sg, sh, eta, rho, u0, t)
    size = 1.0 + np.abs(end)
    assert np.all(np.abs(np.array(got[:4]) - end) < 1e-8 * size)
    assert got.var == pytest.approx(got.second - got.mean**2, abs=1e-9 * size[1])


def test_transition_moments_tend_to_the_law_and_may_grow() -> None:
    law = laws.PowerLaw(1.0, 0.05, 0.3, 1.0, 0.1)
    got = laws.transition_moments(1.0, 0.05, 0.3, 1.0, 0.1, 2.0, 100.0)
    for n, value in enumerate(got[:4], start=1):
        assert value == pytest.approx(law.moment(n), abs=1e-11)
    assert got.var == pytest.approx(law.var(), rel=1e-11)
    grown = laws.transition_moments(1.0, 0.05, 2.5, 1.0, 0.1, [[1.0], [2.0]], [0.0, 1.0, 3000.0])
    assert grown.second.shape == (2, 3)
    assert grown.second[0, 2] == math.inf
    assert grown.var[1, 2] == math.inf
    assert grown.mean[1, 0] == 2.0
    short = laws.transition_moments(1.0, 0.05, 0.3, 1.0, 0.0, 1e3, 1e-12)  # no cancellation
    assert short.var == pytest.approx((0.05 + 0.3e6) * 1e-12, rel=1e-6)


def test_transition_moments_refuse_bad_times() -> None:
    for u0, t in ((0.0, -1.0), (math.nan, 1.0), (0.0, math.inf), ([1.0, 2.0], [1.0, 2.0, 3.0])):
        with pytest.raises(ValueError, match=r"u0|t must"):
            laws.transition_moments(1.0, 1.0, 1.0, 1.0, 0.0, u0, t)


# -- Euler-Maruyama -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dt", "index", "ratio"),
    [
        (0.4, 3.66051, 1.50000),
        (0.2, 3.57934, 1.20000),
        (0.1, 3.53309, 1.09091),
        (0.05, 3.51453, 1.04348),
        (0.025, 3.50675, 1.02128),
        (0.0125, 3.50325, 1.01053),
    ],
)
def test_euler_maruyama_table(dt: float, index: float, ratio: float) -> None:
    assert round(laws.euler_maruyama_tail_index(1.0, 0.8, 1.0, dt), 5) == index
    var = laws.euler_maruyama_variance(1.0, 0.3, 0.8, 1.0, dt)
    assert round(var / laws.PowerLaw(1.0, 0.3, 0.8, 1.0).var(), 5) == ratio


@MODEST
@given(st.floats(0.2, 3.0), st.floats(0.01, 3.0), st.floats(1e-4, 0.3))
def test_tail_index_is_the_root_of_kestens_equation(H: float, sh: float, dt: float) -> None:
    mu = laws.euler_maruyama_tail_index(H, sh, 1.0, dt)
    a, b = 1.0 - H * dt, math.sqrt(sh * dt)
    if not math.isfinite(mu) or mu > 300.0:
        return
    zero = -a / b

    def f(z: float) -> float:
        return abs(a + b * z) ** mu * math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

    peak = 0.5 * (a + math.sqrt(a * a + 4 * mu * b * b))  # of the integrand, in a + b z
    middle = (peak - a) / b
    points = sorted({zero, middle - 12.0, middle - 2.0, middle + 2.0, middle + 12.0, zero - 12.0})
    total = sum(
        integrate.quad(f, p, q, epsabs=1e-14, epsrel=1e-12, limit=200)[0]
        for p, q in pairwise(points)
    )
    assert total == pytest.approx(1.0, abs=1e-9)


def test_tail_index_tends_to_nu_and_says_when_there_is_none() -> None:
    assert laws.euler_maruyama_tail_index(1.0, 0.8, 1.0, 1e-6) == pytest.approx(3.5, abs=1e-5)
    assert laws.euler_maruyama_tail_index(1.0, 0.0, 1.0, 0.1) == math.inf
    assert math.isnan(laws.euler_maruyama_tail_index(1.0, 0.8, 1.0, 3.0))
    assert laws.euler_maruyama_variance(1.0, 0.1, 2.5, 1.0, 0.1) == math.inf
    assert laws.euler_maruyama_variance(1.0, 0.0, 0.5, 1.0, 0.1) == 0.0
