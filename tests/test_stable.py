"""Alpha-stable noise: numbers made of words, their law, and the models that they drive.

Bounds of z-scores are 4.5, of p-values 1e-4. Failure rates, over all seeds, are stated per test.
"""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_table import STEPS, Case
from scipy import stats

import escapade as ea
from escapade import _core
from escapade.laws import Stable, stable_tail

ALPHAS = (0.5, 1.0, 1.2, 1.5, 1.8, 2.0)
NOISES = ("float32", "float64")
MODEST = settings(derandomize=True, deadline=None, max_examples=40)
SPREAD = np.array([0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0])  # wave numbers


def draw(alpha: float, n: int, seed: int, noise: str = "float32", **kwargs: Any) -> np.ndarray:
    """Return stable numbers: increments of unit length, as the engine makes them."""
    model = ea.models.StableOrnsteinUhlenbeck(0.0, 1.0, alpha)
    ens = ea.Ensemble(model, n, 0.0, seed=seed, noise=noise, **kwargs)
    return np.array(ens.run(steps=1, dt=1.0, scheme="euler-maruyama").x)


# -- numbers ---------------------------------------------------------------------------------------


def words(seed: int, particle: int, block: int, noise: str) -> list[int]:
    key = [seed & 0xFFFFFFFF, seed >> 32]
    w = _core.philox([particle & 0xFFFFFFFF, particle >> 32, block, 0], key)
    return w if noise == "float32" else [w[0] | w[1] << 32, w[2] | w[3] << 32]


def reference(alpha: float, seed: int, particle: int, step: int, noise: str) -> mpmath.mpf:
    """Return the number of a particle and step by the formula as Chambers et al. print it."""
    per_block = 2 if noise == "float32" else 1
    w = words(seed, particle, step // per_block, noise)
    angle, size = w[2 * (step % per_block) : 2 * (step % per_block) + 2]
    if noise == "float32":
        half, sign = mpmath.mpf(2) ** -32, -1 if angle >> 31 else 1
        c, upper = ((angle & 0x7FFFFFFF) + mpmath.mpf(0.5)) * 2 * half, size >> 31
        u = ((size & 0x7FFFFFFF) + mpmath.mpf(0.5)) * half
    else:
        half, sign = mpmath.mpf(2) ** -53, -1 if angle & 1 else 1
        c, upper = (2 * (angle >> 12) + 1) * half, size & 1
        u = (2 * (size >> 12) + 1) * half / 2
    a = mpmath.mpf(alpha)
    V, W = (1 - c) * mpmath.pi / 2, -mpmath.log(u if upper else 1 - u)
    s = mpmath.sin(a * V) / mpmath.cos(V) ** (1 / a)
    return sign * s * (mpmath.cos((1 - a) * V) / W) ** ((1 - a) / a)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("alpha", [0.3, 0.5, 0.999, 1.0, 1 + 1e-9, 1.2, 1.8, 2 - 1e-6, 2.0])
def test_numbers_are_the_formula(alpha: float, noise: str) -> None:
    """Deterministic, to rounding: no loss near alpha = 1 and 2, nor where |S| is large.

    ``S`` passes through 0 with the angle, which float32 holds to an absolute 2^-25 of a quarter turn.
    """
    n, steps, seed = 200, 3, 2**40 + 3
    model = ea.models.StableOrnsteinUhlenbeck(0.0, 1.0, alpha)
    ens = ea.Ensemble(model, n, 0.0, seed=seed, noise=noise)
    before = np.zeros(n)
    with mpmath.workprec(120):
        for step in range(steps):
            ens.run(steps=1, dt=1.0, scheme="euler-maruyama")
            got = np.array(ens.x)
            s = np.array([float(reference(alpha, seed, i, step, noise)) for i in range(n)])
            rtol, eps = (4e-6, 2e-7) if noise == "float32" else (4e-14, 4e-16)
            if alpha >= 0.999:
                rtol /= 3
            error = np.abs(got - (before + s))
            assert np.all(error <= rtol * np.abs(s) + eps * (1 + np.abs(before) + np.abs(got)))
            before = got


@pytest.mark.parametrize("noise", NOISES)
def test_ends_of_the_range_of_words(noise: str) -> None:
    """The largest of 5e6 Cauchy numbers has the size it should: fails for 2e-4 of all seeds."""
    n = 5_000_000
    top = float(np.max(np.abs(draw(1.0, n, 5, noise))))
    assert 1e-4 < math.exp(-n * 2 / (math.pi * top)) < 1 - 1e-4


# -- their law -------------------------------------------------------------------------------------


def scores(x: np.ndarray, alpha: float, scale: float = 1.0) -> np.ndarray:
    """Return z-scores of the characteristic function at nine wave numbers of the law's own scale."""
    k = SPREAD / scale
    expected = ea.laws.stable_characteristic(k, alpha, scale)
    second = np.exp(-(np.abs(2 * scale * k) ** alpha))
    spread = np.sqrt(((1 + second) / 2 - expected**2) / x.size)
    return np.array(
        [(np.cos(q * x).mean() - e) / s for q, e, s in zip(k, expected, spread, strict=True)]
    )


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_characteristic_function(alpha: float, noise: str) -> None:
    """A million increments, |z| < 4.5 for nine values: fails for 6e-5 of all seeds per case."""
    z = scores(draw(alpha, 1_000_000, 11, noise), alpha)
    assert np.all(np.abs(z) < 4.5), z


@pytest.mark.parametrize("factor", [0.98, 1.02])
@pytest.mark.parametrize("alpha", ALPHAS[:-1])
def test_control_alpha_off_by_two_percent(alpha: float, factor: float) -> None:
    """Negative control: numbers of another index must fail the test above."""
    assert np.max(np.abs(scores(draw(factor * alpha, 1_000_000, 11), alpha))) > 6


def test_control_alpha_two_is_not_below_two() -> None:
    assert np.max(np.abs(scores(draw(1.96, 1_000_000, 11), 2.0))) > 6


@pytest.mark.parametrize("alpha", ALPHAS)
def test_distribution_function(alpha: float) -> None:
    """Kolmogorov-Smirnov, 150 000 increments: fails for 1e-4 of all seeds per case."""
    x = draw(alpha, 150_000, 12)
    assert stats.kstest(x, Stable(alpha).cdf).pvalue > 1e-4
    assert stats.kstest(x, Stable(max(0.94 * alpha, 0.1)).cdf).pvalue < 1e-6  # control


@pytest.mark.parametrize("alpha", [0.5, 1.0, 1.2, 1.5, 1.8])
def test_tails(alpha: float) -> None:
    """P(|S| > x) against 2 C/alpha x^-alpha where it is 2e-4; the next term of the series is below 1%.

    |z| < 4.5 with 1% granted: fails for less than 7e-6 of all seeds per case.
    """
    n, share = 4_000_000, 2e-4
    x = (2 * stable_tail(alpha) / alpha / share) ** (1 / alpha)
    found = np.count_nonzero(np.abs(draw(alpha, n, 13)) > x)
    assert abs(found - n * share) < 4.5 * math.sqrt(n * share) + 0.01 * n * share
    # control: where an index 2% lower puts its point of the same probability
    off = 0.96 * alpha
    wrong = (2 * stable_tail(off) / off / share) ** (1 / off)
    found = np.count_nonzero(np.abs(draw(alpha, n, 13)) > wrong)
    assert abs(found - n * share) > 4.5 * math.sqrt(n * share) + 0.01 * n * share


def test_alpha_two_is_normal_of_variance_two() -> None:
    """Fails for 1e-4 of all seeds."""
    x = draw(2.0, 300_000, 14)
    assert stats.kstest(x, stats.norm(0, math.sqrt(2)).cdf).pvalue > 1e-4
    assert stats.kstest(x, stats.norm(0, 1.0).cdf).pvalue < 1e-10  # control


@pytest.mark.parametrize("alpha", [0.5, 0.9, 0.99, 1.01, 1.2, 1.5, 1.8, 1.99])
def test_law_against_series_and_scipy(alpha: float) -> None:
    """Deterministic: the tabulated law against scipy's quadrature and the closed forms at 0."""
    law = Stable(alpha)
    x = np.array([0.05, 0.3, 1.0, 3.0, 20.0])
    other = stats.levy_stable(alpha, 0.0)
    np.testing.assert_allclose(law.pdf(x), other.pdf(x), rtol=2e-6)
    np.testing.assert_allclose(law.sf(x), other.sf(x), rtol=2e-6, atol=1e-9)
    assert math.isclose(law.pdf(0.0), math.gamma(1 + 1 / alpha) / math.pi, rel_tol=1e-11)
    assert math.isclose(law.cdf(0.0), 0.5, rel_tol=1e-12)
    far = 1e14
    assert math.isclose(law.sf(far) / (stable_tail(alpha) / alpha * far**-alpha), 1, rel_tol=1e-5)
    assert math.isclose(law.expectation(lambda u: np.exp(-u * u / 2)), _mixed(alpha), rel_tol=1e-9)
    assert math.isclose(law.expectation(np.ones_like), 1.0, rel_tol=1e-12)


def _mixed(alpha: float) -> float:
    """``E exp(-S^2/2)``, by Parseval: the mean of exp(-|k|^alpha) over a standard normal k."""
    with mpmath.workdps(25):
        f = lambda k: mpmath.exp(-(k**alpha) - k * k / 2)  # noqa: E731
        value = mpmath.quad(f, [0, 1e-6, 1e-4, 0.01, 0.1, 1, 3, 12])
        return float(2 * value / mpmath.sqrt(2 * mpmath.pi))


@MODEST
@given(
    alpha=st.sampled_from((0.3, 0.6, 0.9, 1.1, 1.5, 1.9)),
    scale=st.floats(1e-3, 1e3),
    q=st.floats(1e-12, 1 - 1e-12),
)
def test_quantiles_invert_the_distribution(alpha: float, scale: float, q: float) -> None:
    law = Stable(alpha, scale)
    assert math.isclose(law.cdf(law.ppf(q)), q, rel_tol=1e-9)
    assert math.isclose(law.sf(law.isf(q)), q, rel_tol=1e-9)
    assert law.ppf(q) == -law.isf(q) or math.isclose(law.ppf(q), -law.isf(q), rel_tol=1e-9)


# -- steps -----------------------------------------------------------------------------------------


def well(h: float, eps: float, alpha: float) -> Case:
    return Case(
        "stable well",
        ea.models.StableDoubleWell(h, eps, alpha),
        lambda x: 4 * h * (x - x**3),
        lambda x: eps + 0 * x,
        lambda x: 0 * x,
        (-1.3, 0.2, 0.9),
        flows=(
            lambda x, t: np.sign(x) / np.sqrt(np.exp(-8 * h * t) / x**2 - np.expm1(-8 * h * t)),
            lambda x, dl, _: x + eps * dl,
        ),
    )


def ornstein_uhlenbeck(theta: float, eps: float, alpha: float) -> Case:
    return Case(
        "stable ou",
        ea.models.StableOrnsteinUhlenbeck(theta, eps, alpha),
        lambda x: -theta * x,
        lambda x: eps + 0 * x,
        lambda x: 0 * x,
        (-1.0, 0.4, 2.0),
        flows=(lambda x, t: x * np.exp(-theta * t), lambda x, dl, _: x + eps * dl),
    )


CASES = [well(0.7, 0.3, 1.3), well(1.0, 0.2, 0.8), ornstein_uhlenbeck(0.8, 0.6, 1.7)]
PAIRS = [(i, s) for i, case in enumerate(CASES) for s in case.model.schemes]


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize(("index", "scheme"), PAIRS)
def test_engine_equals_numpy(index: int, scheme: str, noise: str) -> None:
    """Deterministic: four steps of 1/16 from 300 starts, with numbers from the formula."""
    case, n, seed, h = CASES[index], 300, 9, 1 / 16
    p = case.model.params
    x = np.linspace(-1.5, 1.5, n)
    ens = ea.Ensemble(case.model, n, x, seed=seed, noise=noise)
    ens.run(steps=4, dt=h, scheme=scheme, on_bad="ignore")
    with mpmath.workprec(80), np.errstate(all="ignore"):
        for k in range(4):
            s = np.array([float(reference(p["alpha"], seed, i, k, noise)) for i in range(n)])
            if scheme == "exact":
                rate = p["alpha"] * p["theta"]
                width = p["eps"] * ((1 - math.exp(-rate * h)) / rate) ** (1 / p["alpha"])
                x = x * math.exp(-p["theta"] * h) + width * s
            else:
                x = STEPS[scheme](case, x, h ** (1 / p["alpha"]) * s, h)
    sane = np.abs(x) < 1e3  # an explicit scheme's runaways multiply errors
    assert np.mean(sane) > 0.9
    rtol = 2e-5 if noise == "float32" else 1e-11
    np.testing.assert_allclose(ens.x[sane], x[sane], rtol=rtol, atol=rtol)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("alpha", [0.6, 1.0, 1.5, 2.0])
def test_coarsened_increment_is_the_sum(alpha: float, noise: str) -> None:
    """Deterministic: one step of 8 h has the increment of eight steps of h."""
    model = ea.models.StableOrnsteinUhlenbeck(0.0, 0.7, alpha)
    fine = ea.Ensemble(model, 500, 0.0, seed=3, noise=noise)
    coarse = ea.Ensemble(model, 500, 0.0, seed=3, noise=noise)
    fine.run(steps=24, dt=0.125, scheme="euler-maruyama")
    coarse.run(steps=3, dt=1.0, scheme="euler-maruyama", coarsen=8)
    rtol = 1e-5 if noise == "float32" else 1e-12
    np.testing.assert_allclose(coarse.x, fine.x, rtol=rtol, atol=rtol * np.abs(fine.x).max() ** 0.5)


def strong_slope(index: int, scheme: str, reference: ea.models.Model | None = None) -> float:
    """Return the slope of (E |x_h - x|^(1/4))^4 in h = 2^-8 .. 2^-10, along paths of steps 2^-14."""
    finest, levels = 14, np.array([8, 9, 10])
    runs = {}
    for level in (*levels, finest):
        model = CASES[index].model if level < finest or reference is None else reference
        ens = ea.Ensemble(model, 4000, 0.5, seed=21, noise="float64")
        ens.run(t=0.25, dt=2.0**-level, scheme=scheme, coarsen=2 ** (finest - level))
        runs[level] = np.array(ens.x)
    size = np.array([np.mean(np.abs(runs[k] - runs[finest]) ** 0.25) ** 4 for k in levels])
    size /= 1 - 2.0 ** (levels - finest)  # the reference has the same error, at its own step
    return float(np.polyfit(-math.log(2) * levels, np.log(size), 1)[0])


@pytest.mark.parametrize(
    ("index", "scheme"),
    [(2, "euler-maruyama"), (2, "strang-splitting"), (0, "strang-splitting"), (0, "tamed-euler")],
)
def test_strong_order_of_additive_noise(index: int, scheme: str) -> None:
    """Moments below alpha fall with the stated order of additive noise.

    Slopes were 0.973 to 1.010 over five seeds, with a standard deviation of 0.005 to 0.011; 0.08 is
    allowed, which fails for less than 1e-5 of all seeds.
    """
    order = ea.schemes.get(scheme).strong_order_additive
    assert abs(strong_slope(index, scheme) - order) < 0.08


def test_control_another_drift_has_no_order() -> None:
    """Negative control: paths of a model with its drift 2% off do not converge to the reference."""
    p = CASES[2].model.params
    wrong = ea.models.StableOrnsteinUhlenbeck(1.02 * p["theta"], p["eps"], p["alpha"])
    assert strong_slope(2, "strang-splitting", wrong) < 0.3


# -- Ornstein-Uhlenbeck ----------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", ALPHAS)
def test_exact_step_has_the_transition_law(alpha: float) -> None:
    """Two steps of 0.6 from 1: characteristic function and KS. Fails for 2e-4 of all seeds per case."""
    theta, eps, t = 1.3, 0.7, 1.2
    model = ea.models.StableOrnsteinUhlenbeck(theta, eps, alpha)
    ens = ea.Ensemble(model, 500_000, 1.0, seed=31).run(steps=2, dt=0.6, scheme="exact")
    centre, rate = math.exp(-theta * t), alpha * theta
    scale = eps * ((1 - math.exp(-rate * t)) / rate) ** (1 / alpha)
    assert np.all(np.abs(scores(ens.x - centre, alpha, scale)) < 4.5)
    assert stats.kstest(ens.x, model.transition(1.0, t).cdf).pvalue > 1e-4
    for wrong in (0.96 * scale, 1.04 * scale):  # control
        assert np.max(np.abs(scores(ens.x - centre, alpha, wrong))) > 6


@pytest.mark.parametrize("scheme", ["exact", "strang-splitting"])
@pytest.mark.parametrize("alpha", [0.5, 1.2, 1.8])
def test_stationary_law(alpha: float, scheme: str) -> None:
    """From 0 over 14 relaxation times. Fails for 2e-4 of all seeds per case.

    The scale that the splitting has, to the power alpha, is off by (alpha theta h)^2/24: 4e-4.
    """
    theta, eps = 1.0, 0.4
    model = ea.models.StableOrnsteinUhlenbeck(theta, eps, alpha)
    dt = 1.0 if scheme == "exact" else 0.05
    ens = ea.Ensemble(model, 200_000, 0.0, seed=32).run(
        t=14.0 / min(alpha, 1), dt=dt, scheme=scheme
    )
    scale = eps / (alpha * theta) ** (1 / alpha)
    assert np.all(np.abs(scores(ens.x, alpha, scale)) < 4.5)
    assert stats.kstest(ens.x, model.stationary().cdf).pvalue > 1e-4
    assert np.max(np.abs(scores(ens.x, 0.95 * alpha, scale))) > 6  # control


def test_control_large_euler_steps_miss_the_stationary_law() -> None:
    """Negative control: Euler's scale at theta h = 0.5 is off by 9% at alpha = 1.5."""
    model = ea.models.StableOrnsteinUhlenbeck(1.0, 0.4, 1.5)
    ens = ea.Ensemble(model, 200_000, 0.0, seed=33).run(t=14.0, dt=0.5, scheme="euler-maruyama")
    assert stats.kstest(ens.x, model.stationary().cdf).pvalue < 1e-10


def test_start_from_the_stationary_law_and_stay() -> None:
    """Fails for 1e-4 of all seeds."""
    model = ea.models.StableOrnsteinUhlenbeck(0.7, 0.4, 1.3)
    ens = ea.Ensemble(model, 200_000, "stationary", seed=34).run(steps=3, dt=0.4)
    assert ens.report().scheme == "exact"
    assert stats.kstest(ens.x, model.stationary().cdf).pvalue > 1e-4


# -- the double well -------------------------------------------------------------------------------


def test_jumps_far_out_throw_euler_but_not_the_splitting() -> None:
    model = ea.models.StableDoubleWell(1.0, 0.5, 0.7)
    for scheme, dtype in (("strang-splitting", "float32"), ("strang-splitting", "float64")):
        ens = ea.Ensemble(model, 20_000, -1.0, seed=41, dtype=dtype)
        ens.run(steps=200, dt=0.05, scheme=scheme, on_bad="raise")
        assert np.median(np.abs(ens.x)) < 1.3
    ens = ea.Ensemble(model, 20_000, -1.0, seed=41)
    with pytest.warns(ea.EnsembleWarning, match="strang-splitting"):
        ens.run(steps=200, dt=0.05, scheme="euler-maruyama")
    assert ens.report().nonfinite > 1000


@pytest.mark.parametrize("start", [1e10, 1e200, -1e300])
def test_drift_brings_particles_back_from_any_distance(start: float) -> None:
    """Without noise: x = sign / sqrt(1 - exp(-8 h t)) from infinity, deterministic."""
    ens = ea.Ensemble(ea.models.StableDoubleWell(1.0, 0.0, 1.5), 4, start)
    ens.run(steps=3, dt=0.01, scheme="strang-splitting")
    np.testing.assert_allclose(
        ens.x, math.copysign(1 / math.sqrt(-math.expm1(-0.24)), start), rtol=1e-13
    )


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["StableOrnsteinUhlenbeck", "StableDoubleWell"])
def test_bad_input(name: str) -> None:
    model = ea.models.get(name)
    for alpha in (0.0, -1.0, 2.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="alpha"):
            model(alpha=alpha)
    with pytest.raises(ValueError, match="alpha must be a single number"):
        model(alpha=[1.2, 1.5])
    for scheme in ("milstein", "heun", "platen", "lamperti-heun", "lamperti-implicit-euler"):
        with pytest.raises(ValueError, match="normal noise"):
            ea.Ensemble(model(), 4, 0.0).run(steps=1, dt=0.1, scheme=scheme)


def test_laws_refuse() -> None:
    with pytest.raises(ea.laws.NoStationaryLaw, match="theta = 0"):
        ea.models.StableOrnsteinUhlenbeck(theta=0.0).stationary()
    with pytest.raises(ValueError, match="alpha"):
        Stable(2.5)
    with pytest.raises(ValueError, match="alpha"):
        stable_tail(0.0)
    with pytest.raises(ValueError, match="t must be"):
        ea.models.StableOrnsteinUhlenbeck().transition(0.0, -1.0)
    assert ea.models.StableOrnsteinUhlenbeck(eps=0.0).stationary().reason
    assert stable_tail(2.0) == 0.0


def test_sweep_of_the_other_parameters_is_its_points() -> None:
    model = ea.models.StableOrnsteinUhlenbeck([0.5, 1.0], [[0.1], [0.2]], 1.4)
    ens = ea.Ensemble(model, 70, 0.3, seed=5).run(steps=5, dt=0.2)
    for k, index in enumerate(np.ndindex(2, 2)):
        one = ea.Ensemble(model[index], 70, 0.3, seed=5, first_id=70 * k).run(steps=5, dt=0.2)
        assert np.array_equal(one.x, ens.x[index])
