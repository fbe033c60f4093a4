"""Laws of the balanced diagonal network (arXiv:2308.06671, A.12 to A.15 and around)."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from escapade import data, laws

HERE = Path(__file__).parent / "data"
MODEST = settings(derandomize=True, deadline=None, max_examples=40)
COLUMNS = ("mean", "var", "Elnv", "q05", "q25", "q50", "q75", "q95", "q99")


def network(
    depth: int, T: float, moments: data.DataMoments, gamma: float = 0.0, width: int = 1
) -> laws.Law:
    m = moments
    five = (m.beta1, m.beta2, m.alpha1, m.alpha2, m.alpha3)
    return laws.DiagonalNetwork(depth, width, T, *five, gamma)


def read(name: str) -> list[dict[str, str]]:
    with (HERE / name).open() as file:
        return list(csv.DictReader(file))


def row_law(row: dict[str, str]) -> laws.Law:
    k, s = (float(part[1:]) for part in row["data"].split("_")[1:])
    return network(int(row["D"]), float(row["T"]), data.gaussian(k, s), width=int(row["d"]))


def numbers(law: laws.Law) -> dict[str, float]:
    assert isinstance(law, laws.PositiveLaw)
    quantiles = {f"q{p:02d}": law.ppf(p / 100.0) for p in (5, 25, 50, 75, 95, 99)}
    return {"mean": law.mean(), "var": law.var(), "Elnv": law.mean_log(), **quantiles}


def test_every_row_of_the_independent_table() -> None:
    """40-digit reference, written by data/make_network_reference.py without this package."""
    rows = read("diagonal_network_laws_mpmath.csv")
    assert len(rows) == 40
    for row in rows:
        got = numbers(row_law(row))
        for column in COLUMNS:
            assert got[column] == pytest.approx(float(row[column]), rel=2e-13), (row, column)


def test_every_row_of_the_older_table_to_its_own_accuracy() -> None:
    """diagonal_network_laws.csv came from a trapezoidal rule on a grid in ln v.

    Against the 40-digit table its means and variances hold to 1e-12 (depth 1), 2e-10, 2e-8 and
    3e-7 (depth 2, 3, 5: error of its inner integral), its quantiles to 1e-5 (interpolation), and
    E ln v to 4e-5 near Tc, where the grid ends too early.
    """
    for row in read("diagonal_network_laws.csv"):
        got = numbers(row_law(row))
        deep = {"1": 2e-12, "2": 3e-10, "3": 2e-8, "5": 3e-7}[row["D"]]
        for column in COLUMNS:
            allowed = 1e-5 if column[0] == "q" else deep
            if column == "Elnv" and row["D"] == "1" and float(row["T"]) > 0.25:
                allowed = 5e-5
            assert got[column] == pytest.approx(float(row[column]), rel=allowed), (row, column)


@pytest.mark.parametrize(
    ("T", "mean", "var", "loss"),
    [
        (0.01, 0.98959, 0.020623, 1.02073),
        (0.05, 0.937631, 0.119802, 1.12369),
        (0.1, 0.844936, 0.251273, 1.27532),
        (0.15, 0.725873, 0.338611, 1.41376),
        (0.2, 0.580905, 0.372097, 1.54774),
        (0.25, 0.403721, 0.337010, 1.69256),
        (0.3, 0.182092, 0.194207, 1.86318),
        (0.33, 0.0197338, 0.0243300, 1.98525),
    ],
)
def test_fluctuation_inversion(T: float, mean: float, var: float, loss: float) -> None:
    m = data.gaussian(1.0, 1.0)
    law = network(1, T, m)
    assert law.mean() == pytest.approx(mean, rel=6e-6)
    assert law.var() == pytest.approx(var, rel=3e-5)
    got = m.beta1 * law.moment(2) - 2 * m.beta2 * law.mean() + m.ey2
    assert got == pytest.approx(loss, rel=5e-6)


@MODEST
@given(st.floats(0.1, 3.0), st.floats(0.2, 3.0), st.floats(0.0, 0.9), st.floats(0.01, 0.999))
def test_depth_one_identity(k: float, s: float, decay: float, share: float) -> None:
    """beta1 E v - b2 + T E q = 0 for every T < Tc: the mean of d ln v vanishes."""
    m = data.gaussian(k, s)
    gamma = decay * k
    T = share * laws.critical_temperature(m.beta2, m.alpha3, gamma)
    law = network(1, T, m, gamma)
    first, second = law.mean(), law.moment(2)
    q = m.alpha1 * second - 2 * m.alpha2 * first + m.alpha3
    b2 = m.beta2 - gamma
    assert m.beta1 * first - b2 + T * q == pytest.approx(0.0, abs=1e-11 * (b2 + T * m.alpha3))


def closed_moment(n: int, T: float, m: data.DataMoments) -> complex:
    """int v^n p dv up to a common factor, by 2F1 (theory of A4); 30 digits."""
    mp = pytest.importorskip("mpmath").mp
    mp.dps = 30
    F = mp.hyp2f1
    b1, b2, a1, a2, a3 = (mp.mpf(x) for x in (m.beta1, m.beta2, m.alpha1, m.alpha2, m.alpha3))
    T = mp.mpf(T)
    root = mp.sqrt(a1 * a3 - a2 * a2)
    a = b2 / (2 * a3 * T) - mp.mpf(1) / 2 + n
    b = 1 + b2 / (4 * T * a3)
    kappa = (a3 * b1 - a2 * b2) / (2 * T * a3 * root)
    z = (a2 + 1j * root) / a1
    p = b - 0.5j * kappa
    s, c, th = mp.conj(p), 2 * b, mp.arg(z)
    A, B, X = -z, -mp.conj(z), mp.exp(-2j * th)
    G = mp.gamma
    F = G(c) * G(s - a) / (G(c - a) * G(s)) * F(a, p, a - s + 1, X) + G(c) * G(a - s) / (
        G(a) * G(p)
    ) * mp.exp(2j * (mp.pi - th) * (s - a)) * F(c - a, s, s - a + 1, X)
    value = mp.power(A, -p) * mp.power(B, a - s) * mp.beta(a, c - a) * F
    return a1**-b * mp.exp(-kappa * mp.pi / 2) * mp.re(value)


@pytest.mark.parametrize(("k", "s", "T"), [(1.0, 1.0, 0.1), (0.5, 1.0, 0.3), (1.0, 2.0, 0.05)])
def test_depth_one_closed_normaliser(k: float, s: float, T: float) -> None:
    m = data.gaussian(k, s)
    law = network(1, T, m)
    z = [closed_moment(n, T, m) for n in (0, 1, 2)]
    assert law.mean() == pytest.approx(float(z[1] / z[0]), rel=1e-12)
    assert law.moment(2) == pytest.approx(float(z[2] / z[0]), rel=1e-12)
    root = math.sqrt(m.delta)
    for v in (1e-6, 0.3, 2.0, 50.0):  # A.15 itself
        e = m.beta2 / (2 * m.alpha3 * T)
        kappa = (m.alpha3 * m.beta1 - m.alpha2 * m.beta2) / (2 * T * m.alpha3 * root)
        log_p = (e - 1.5) * math.log(v) - (1 + 0.5 * e) * math.log(m.q(v))
        log_p -= kappa * math.atan((m.alpha1 * v - m.alpha2) / root)
        assert law.logpdf(v) == pytest.approx(log_p - math.log(float(z[0])), rel=1e-12, abs=1e-12)


# -- unnormalised densities of the theory, against ours up to one constant ----------------------


def assert_same_shape(law: laws.Law, log_p: Callable[[float], float], tol: float = 1e-10) -> None:
    x = law.ppf(np.array([1e-9, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999, 1 - 1e-9]))
    want = np.array([log_p(float(v)) for v in x])
    gap = law.logpdf(x) - want
    assert np.ptp(gap) < tol * (1.0 + np.max(np.abs(want)))


@pytest.mark.parametrize(
    ("depth", "width", "T"), [(1, 1, 0.2), (2, 1, 0.2), (3, 4, 1.5), (7, 2, 0.05)]
)
def test_general_density(depth: int, width: int, T: float) -> None:
    """A.14 with I(v) by QUADPACK."""
    m = data.gaussian(0.8, 1.1)
    e = 1.0 - 2.0 / (depth + 1)
    law = network(depth, T, m, width=width)

    def log_p(v: float) -> float:
        inner = integrate.quad(
            lambda y: (m.beta1 * math.exp(y) - m.beta2) * math.exp(-e * y) / m.q(math.exp(y)),
            math.log(m.beta2), math.log(v), epsabs=0.0, epsrel=1e-12, limit=400,
        )[0]  # fmt: skip
        factor = width**e / ((depth + 1) * T)
        return -3 * depth / (depth + 1) * math.log(v) - math.log(m.q(v)) - factor * inner

    assert_same_shape(law, log_p)


def test_depth_zero_is_pearson_iv_and_its_variance() -> None:
    m, gamma, T = data.gaussian(0.8, 1.1), 0.3, 0.2
    b1, root = m.beta1 + gamma, math.sqrt(m.delta)
    law = network(0, T, m, gamma)
    skew = (m.alpha2 * b1 - m.alpha1 * m.beta2) / (T * m.alpha1 * root)

    def log_p(v: float) -> float:
        power = -(1 + b1 / (2 * T * m.alpha1)) * math.log(m.q(v))
        return power - skew * math.atan((m.alpha1 * v - m.alpha2) / root)

    assert_same_shape(law, log_p)
    assert law.mean() == pytest.approx(m.beta2 / b1)
    assert law.var() == pytest.approx(T * m.q(m.beta2 / b1) / (b1 - T * m.alpha1), rel=1e-13)
    hot = network(0, 1.1 * b1 / m.alpha1, m, gamma)
    assert hot.var() == math.inf
    assert hot.moment(2) == math.inf
    assert "finite only for n <" in hot.moment_reason(2)
    assert hot.mean() == pytest.approx(m.beta2 / b1)
    got = laws.depth0_euler_maruyama_variance(T, 0.0, 1.0, 0.8, m.alpha1, m.alpha2, m.alpha3, gamma)
    assert got == pytest.approx(law.var(), rel=1e-13)


def test_depth0_euler_maruyama_variance_is_the_fixed_point_of_its_recursion() -> None:
    m, T, dt = data.gaussian(1.0, 1.0), 0.1, 0.05
    mean, second = m.beta2, 1.0
    for _ in range(2000):  # E v and E v^2 over one step
        drift = (1 - 2 * dt) ** 2 * second + 2 * (1 - 2 * dt) * 2 * dt * m.beta2 * mean
        drift += (2 * dt * m.beta2) ** 2
        second = drift + 4 * T * dt * (m.alpha1 * second - 2 * m.alpha2 * mean + m.alpha3)
    got = laws.depth0_euler_maruyama_variance(T, dt, 1.0, 1.0, 2.0, 2.0, 3.0)
    assert got == pytest.approx(second - mean**2, rel=1e-12)


def test_binary_data_are_elementary() -> None:
    m = data.binary(0.7, 1.3)
    a3, T, gamma = m.alpha3, 0.1, 0.2
    zero = network(0, T, m, gamma)
    assert zero.mean() == pytest.approx(0.7 / 1.2)
    assert zero.var() == pytest.approx(T * a3 / 1.2)
    x = np.array([0.01, 0.3, 1.0, 2.0])
    one = stats.gamma((0.7 - gamma) / (2 * a3 * T) - 0.5, scale=2 * T * a3)
    assert np.allclose(network(1, T, m, gamma).pdf(x), one.pdf(x), rtol=1e-12)
    assert np.allclose(network(1, T, m, gamma).cdf(x), one.cdf(x), rtol=1e-12)
    # depth 3: sqrt(v) is generalised inverse Gaussian
    gig = laws.PowerOf(laws.GIG(-2.5, 0.7 / (T * a3), 1.0 / (T * a3)), 2.0)
    three = network(3, T, m)
    assert np.allclose(three.pdf(x), gig.pdf(x), rtol=1e-11)
    assert np.allclose(three.cdf(x), gig.cdf(x), rtol=1e-11)
    assert three.mean() == pytest.approx(gig.mean(), rel=1e-11)
    # general depth in u = v^{1/(D+1)}
    D = 5

    def log_p(v: float) -> float:
        u = v ** (1 / (D + 1))
        inside = u * u / 2 + 0.7 * u ** (1 - D) / (D - 1)
        return -2 * D * math.log(u) - inside / (T * a3) - D * math.log(u)

    assert_same_shape(network(D, T, m), log_p)


def test_interpolation_depth_zero() -> None:
    m, T, gamma = data.gaussian(0.9, 0.0), 0.15, 0.2
    law = network(0, T, m, gamma)
    want = stats.invgamma(1 + 1.2 / (T * m.alpha1), scale=gamma * 0.9 / (T * m.alpha1))
    x = np.array([0.3, 0.7, 0.8, 0.89])
    assert law.support() == (-math.inf, pytest.approx(0.9))
    assert np.allclose(law.cdf(x), want.sf(0.9 - x), rtol=1e-11)
    assert law.mean() == pytest.approx(m.beta2 / 1.2, rel=1e-12)
    assert law.var() == pytest.approx(T * m.q(m.beta2 / 1.2) / (1.2 - T * m.alpha1), rel=1e-12)
    point = network(0, T, m)
    assert isinstance(point, laws.PointMass)
    assert point.at == pytest.approx(0.9)


def test_interpolation_depth_one_with_decay_is_tricomi() -> None:
    k, T, gamma = 0.9, 0.1, 0.15
    m = data.gaussian(k, 0.0)
    law = network(1, T, m, gamma)
    assert law.support() == (0.0, pytest.approx(k))
    th = (m.beta1 - gamma / k) / (2 * T * m.alpha1 * k)
    X = gamma / (2 * T * m.alpha1 * k * k)
    norm = special.gamma(th - 0.5) * special.hyperu(th - 0.5, th + 2.0, X)
    for v in (0.05, 0.4, 0.8, 0.88):
        z = v / (k - v)
        p_z = z ** (th - 1.5) * (1 + z) ** 1.5 * math.exp(-X * z) / norm
        assert law.pdf(v) == pytest.approx(p_z * k / (k - v) ** 2, rel=1e-10)
    hot = network(1, 1.01 * (m.beta2 - gamma) / m.alpha3, m, gamma)
    assert isinstance(hot, laws.PointMass)
    assert hot.at == 0.0


def test_interpolation_without_decay_is_an_absorption_problem() -> None:
    k, m = 0.9, data.gaussian(0.9, 0.0)
    t_c = m.beta1 / (k * m.alpha1)
    cool = network(1, 0.9 * t_c, m)
    assert isinstance(cool, laws.PointMass)
    assert cool.at == pytest.approx(k)
    with pytest.raises(laws.NoStationaryLaw, match="both k and 0 absorb"):
        network(1, 1.1 * t_c, m)
    deep = network(3, 5.0, m)
    assert isinstance(deep, laws.PointMass)
    assert deep.at == pytest.approx(k)

    # the probability solves the backward equation: its drift term against its noise term
    T, v, h = 1.5 * t_c, 0.4, 1e-3

    def prob(x: float) -> float:
        return laws.absorption_probability(x, k, T, m.alpha1, m.beta1)

    first = (prob(v + h) - prob(v - h)) / (2 * h)
    second = (prob(v + h) - 2 * prob(v) + prob(v - h)) / h**2
    q = float(m.q(v))
    drift = -4 * v * (m.beta1 * v - m.beta2) + 4 * T * v * q
    assert drift * first + 8 * v * v * T * q * second == pytest.approx(
        0.0, abs=1e-4 * abs(drift * first)
    )
    assert prob(0.0) == 0.0
    assert prob(k) == 1.0
    assert laws.absorption_probability(0.1, k, 0.9 * t_c, m.alpha1, m.beta1) == 1.0


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("c", [0.2, -0.2])
def test_noise_vanishing_inside_with_a_push(depth: int, c: float) -> None:
    """x y = k x^2 - c: the law lives on the side of k to which the drift at k points."""
    k, T = 1.0, 0.1
    law = laws.DiagonalNetwork(depth, 1, T, 1.0, 1.0 - c, 2.0, 2.0, 2.0)
    assert law.support() == ((0.0, k) if c > 0 else (k, math.inf))
    r = (depth - 1) / (depth + 1)

    def score(v: float) -> float:  # d ln p / dv of A.14
        pull = (v - (1.0 - c)) * v ** (-r - 1.0) / ((depth + 1) * T)
        return -3 * depth / (depth + 1) / v - 2 / (v - k) - pull / (2 * (v - k) ** 2)

    x = law.ppf(np.array([0.01, 0.2, 0.5, 0.8, 0.99]))
    for a, b in pairwise(x):
        want = integrate.quad(score, a, b, epsabs=0.0, epsrel=1e-12, limit=200)[0]
        assert law.logpdf(b) - law.logpdf(a) == pytest.approx(want, rel=1e-10, abs=1e-10)


# -- structure ----------------------------------------------------------------------------------


def test_collapse_at_and_beyond_the_critical_temperature() -> None:
    m = data.gaussian(1.0, 1.0)
    t_c = laws.critical_temperature(m.beta2, m.alpha3)
    for T in (t_c, 0.5, 100.0):
        law = network(1, T, m)
        assert isinstance(law, laws.PointMass)
        assert law.at == 0.0
        assert "Tc" in law.reason
    near = network(1, t_c * (1 - 1e-6), m)
    assert near.reason == ""
    assert near.mean() < 1e-5
    for depth in (1, 2, 5):
        for beta2 in (0.0, -1.0):
            law = laws.DiagonalNetwork(depth, 1, 0.1, 1.0, beta2, 2.0, 0.0, 3.0)
            assert isinstance(law, laws.PointMass)
            assert law.at == 0.0
            assert "beta2" in law.reason
    with pytest.raises(laws.NoStationaryLaw, match="metastable"):
        network(2, 0.1, m, gamma=0.1)
    assert network(2, 50.0, m).reason == ""  # no critical temperature for depth 2
    for depth in (0, 1, 2):
        law = network(depth, 0.0, m)
        assert isinstance(law, laws.PointMass)
        assert law.at == pytest.approx(1.0)
    assert network(1, 0.0, m, gamma=0.25).mean() == pytest.approx(0.75)
    assert network(0, 0.0, m, gamma=0.25).mean() == pytest.approx(0.8)


def test_mass_below_the_smallest_float() -> None:
    """T = 0.33 against Tc = 1/3: median e^-134, E ln v = -195, 2% of the mass below 1e-323."""
    law = network(1, 0.33, data.gaussian(1.0, 1.0))
    assert isinstance(law, laws.PositiveLaw)
    a = 0.5 * (1.0 / (3 * 0.33) - 1.0)  # exponent of the left tail: P(v < x) = const x^a
    y = law.ppf_log(np.array([1e-300, 1e-6, 1e-3, 0.02, 0.3]))
    assert np.allclose(np.diff(y), np.diff(np.log([1e-300, 1e-6, 1e-3, 0.02, 0.3])) / a, rtol=1e-11)
    assert np.allclose(law.cdf_log(y), [1e-300, 1e-6, 1e-3, 0.02, 0.3], rtol=1e-9)
    assert np.allclose(law.sf_log(y), 1.0 - np.array([0.0, 1e-6, 1e-3, 0.02, 0.3]), rtol=1e-12)
    assert law.ppf(1e-6) == 0.0
    assert law.cdf_log(-1e6) == pytest.approx(
        math.exp(math.log(law.cdf_log(-1e3)) - a * 999e3), rel=1e-6
    )
    # P(v < 1e-38) of the theory's section 6
    for T, want in ((0.3, 0.0066), (0.32, 0.151), (0.33, 0.63)):
        near = network(1, T, data.gaussian(1.0, 1.0))
        assert near.cdf(1e-38) == pytest.approx(want, rel=0.02)


@MODEST
@given(st.floats(1e-9, 1e-3))
def test_closer_and_closer_to_the_critical_temperature(gap: float) -> None:
    m = data.gaussian(1.0, 1.0)
    T = (1.0 - gap) / 3.0
    law = network(1, T, m)
    assert isinstance(law, laws.PositiveLaw)
    first, second = law.mean(), law.moment(2)
    q = 2 * second - 4 * first + 3
    assert first - 1 + T * q == pytest.approx(0.0, abs=1e-12)
    y = law.ppf_log([0.01, 0.5, 0.9])
    assert np.allclose(law.cdf_log(y), [0.01, 0.5, 0.9], rtol=1e-9)
    # d E ln v: the tail alone gives -1/a to leading order
    assert law.mean_log() * gap / 2 == pytest.approx(-1.0, rel=20 * gap + 1e-6)


def test_which_moments_are_finite() -> None:
    m = data.gaussian(1.0, 1.0)
    one, T = network(1, 0.1, m), 0.1
    low = m.beta2 / (2 * m.alpha3 * T) - 0.5
    for n in (-low + 0.01, -1.0, 0.3, 1, 2, 2.49):
        assert math.isfinite(one.moment(n))
        assert one.moment_reason(n) == ""
    for n in (-low - 0.01, 2.5, 3):
        assert one.moment(n) == math.inf
        assert "finite only for" in one.moment_reason(n)
    for depth in (2, 4):
        law = network(depth, 0.1, m)
        high = 4 - 3 / (depth + 1)
        assert math.isfinite(law.moment(high - 0.01))
        assert law.moment(high) == math.inf
        assert math.isfinite(law.moment(-8))
        # the recursion of the stationary equation for f = v^{1/(D+1) ...} would be longer: quadrature
        rough = law.expectation(lambda v: v**-8.0)
        assert law.moment(-8) == pytest.approx(rough, rel=1e-8)
    assert one.moment(-low + 1e-3) > 100 * one.moment(-low + 0.5)  # the pole


def test_tail_exponents() -> None:
    m = data.gaussian(1.0, 1.0)
    for depth in (1, 2, 5, 40):
        law = network(depth, 0.2, m)
        x = np.array([1e15, 1e16])
        slope = np.diff(law.logpdf(x))[0] / math.log(10.0)
        assert slope == pytest.approx(-5 + 3 / (depth + 1), abs=1e-9)


def test_modes_of_depth_one() -> None:
    m = data.gaussian(1.0, 1.0)
    five = (m.beta1, m.beta2, m.alpha1, m.alpha2, m.alpha3)
    t_star = laws.t_star(*five)
    assert t_star == pytest.approx((4 + math.sqrt(42)) / (4 * 13), rel=1e-12)
    for T in (1e-4, 0.05, 1 / 9 - 1e-6):
        assert network(1, T, m).modes() == pytest.approx((laws.depth1_mode(T, *five),), rel=1e-11)
    for T in (1 / 9 + 1e-6, 0.15, 0.2):
        edge, inner = network(1, T, m).modes()
        assert edge == 0.0
        assert inner == pytest.approx(laws.depth1_mode(T, *five), rel=1e-9)
        assert network(1, T, m).mode() == 0.0
        assert network(1, T, m).pdf(0.0) == math.inf
    for T in (1.0001 * t_star, 0.3):
        assert network(1, T, m).modes() == (0.0,)
        assert math.isnan(laws.depth1_mode(T, *five))
    assert network(1, 0.1, m).pdf(0.0) == 0.0
    # large noise: the mode reaches 0 at Tc/3 and there is no T* beyond
    assert laws.t_star(1.0, 0.1, 2.0, 0.2, 1.02) == pytest.approx(0.1 / 1.02 / 3)
    # little noise (s^2 < 8k^2/21): a mode survives up to Tc
    n = data.gaussian(1.0, 0.5)
    assert laws.t_star(1.0, 1.0, 2.0, n.alpha2, n.alpha3) == pytest.approx(1.0 / n.alpha3)
    assert len(network(1, 0.999 / n.alpha3, n).modes()) == 2


def test_relaxation_rate() -> None:
    for T, want in ((0.1, 0.82), (0.2, 0.133), (0.25, 0.042), (0.3, 0.0056), (0.33, 5e-5)):
        assert laws.relaxation_rate(T, 1.0, 3.0) == pytest.approx(want, rel=0.02)


def test_width_and_temperature_enter_through_one_number_in_deep_networks() -> None:
    """v depends on T and width only through width^{(D-1)/(D+1)} / T."""
    m = data.gaussian(1.0, 1.0)
    wide = network(3, 0.3, m, width=9)
    narrow = network(3, 0.1, m, width=1)
    assert wide.mean() == pytest.approx(narrow.mean(), rel=1e-12)
    assert network(1, 0.2, m, width=7).mean() == pytest.approx(network(1, 0.2, m).mean(), rel=1e-14)
