"""Scheme `exact`: the law of a step of any length, by formula or by rejection (EA1).

Beskos, Papaspiliopoulos and Roberts, Bernoulli 12, 1077 (2006). Bounds of z-scores are 4.5, of
p-values 1e-4; failure rates are over all seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

import escapade as ea
from escapade import _core

MODEST = settings(derandomize=True, deadline=None, max_examples=25)
N = 400_000
SUBSTEPS = 2  # the stream
BLOCKS = 1 << 16  # of it, for a step


def run(
    model: ea.models.Model, x0: float, t: float, dt: float, seed: int, n: int = N
) -> np.ndarray:
    ens = ea.Ensemble(model, n, x0, seed=seed)
    return np.array(ens.run(t=t, dt=dt, scheme="exact", on_bad="raise").x)


# -- the algorithm, one particle at a time ---------------------------------------------------------


@dataclass(frozen=True)
class Lamperti:
    """The power-law dynamic with rho = 0 in the coordinate y = asinh(u/width)/c, by theory."""

    ell: float
    c: float
    width: float

    @classmethod
    def of(cls, model: ea.models.PowerLaw) -> Lamperti:
        eh = model.eta * model.sigma_H
        return cls(0.5 + model.H / eh, math.sqrt(eh), math.sqrt(model.sigma_g / model.sigma_H))

    @property
    def rate(self) -> float:
        return self.c**2 * self.ell * (self.ell + 1) / 2

    def drift(self, y: float) -> float:
        return -self.ell * self.c * math.tanh(self.c * y)

    def parts(self, dt: float) -> int:
        return max(1, math.ceil(2 * self.rate * dt))


def draws(seed: int, particle: int, block: int, noise: str) -> tuple[float, float, float, float]:
    """Return two normals, a uniform and an exponential number of a move."""
    key = [seed & 0xFFFFFFFF, seed >> 32]

    def words(at: int) -> list[int]:
        return _core.philox([particle, 0, at & 0xFFFFFFFF, at >> 32 | SUBSTEPS << 24], key)

    z = _core.normals(1, 2, seed, SUBSTEPS, particle, block, noise)[:, 0].astype(float)
    if noise == "float32":
        w = words(block)[2:]
        uniform, upper = (w[0] + 1) * 2.0**-32, w[1] >> 31
        half = ((w[1] & 0x7FFFFFFF) + 0.5) * 2.0**-32
    else:
        x = words(block + 1)
        w = [x[0] | x[1] << 32, x[2] | x[3] << 32]
        uniform, upper = (2 * (w[0] >> 12) + 1) * 2.0**-53, w[1] & 1
        half = (2 * (w[1] >> 12) + 1) * 2.0**-54
    return z[0], z[1], uniform, -math.log(half) if upper else -math.log1p(-half)


def one_step(
    p: Lamperti, y: float, dt: float, seed: int, particle: int, step: int, noise: str
) -> tuple[float, int]:
    """Return the state after a step and how many proposals were rejected."""
    parts, block, rejected = p.parts(dt), step * BLOCKS, 0
    d = dt / parts
    for _ in range(parts):
        while True:  # proposals
            end, at, point, accepted, first = y, 0.0, y, True, True
            while accepted and at < 1:
                z0, z1, u, e = draws(seed, particle, block, noise)
                block += 1 if noise == "float32" else 2
                chance = 1.0
                if first:
                    end = y + p.drift(y) * d + math.sqrt(d) * z0
                    gap = math.log(math.cosh(p.c * end)) - math.log(math.cosh(p.c * y))
                    chance = math.exp(-p.ell * gap - p.drift(y) * (end - y))
                after = at + e / (p.rate * d)
                if after < 1:
                    mean = point + (after - at) / (1 - at) * (end - point)
                    spread = math.sqrt(d * (after - at) * (1 - after) / (1 - at))
                    point = mean + spread * (z1 if first else z0)
                    chance *= 1 - math.tanh(p.c * point) ** 2
                accepted, at, first = u <= chance, after, False
            if accepted:
                break
            rejected += 1
        y = end
    return y, rejected


@pytest.mark.parametrize("noise", ["float32", "float64"])
def test_engine_equals_the_algorithm_particle_by_particle(noise: str) -> None:
    """Deterministic: three steps of four parts; any move in another order would show."""
    model, n, seed, dt = ea.models.PowerLaw(1.0, 0.1, 0.4, 1.0), 150, 2**35 + 1, 0.8
    p = Lamperti.of(model)
    assert p.parts(dt) == 4
    x = np.linspace(-2.0, 2.0, n)
    ens = ea.Ensemble(model, n, x, seed=seed, noise=noise).run(steps=3, dt=dt, scheme="exact")
    expected, rejected = [], 0
    for i in range(n):
        y = math.asinh(x[i] / p.width) / p.c
        for step in range(3):
            y, more = one_step(p, y, dt, seed, i, step, noise)
            rejected += more
        expected.append(p.width * math.sinh(p.c * y))
    # float32 draws differ in their last bit from these
    rtol = 2e-5 if noise == "float32" else 1e-11
    np.testing.assert_allclose(ens.x, expected, rtol=rtol, atol=rtol)
    assert rejected > 100
    assert math.isclose(ens.report().substeps_per_step * 3 * n, rejected)


# -- its law ---------------------------------------------------------------------------------------

POWER = ea.models.PowerLaw(1.0, 0.05, 0.2, 1.0)  # nu = 11
EDGE = ea.models.PowerLaw(1.0, 0.05, 0.4, 1.0)  # nu = 6, two rates of relaxation agree
HEAVY = ea.models.PowerLaw(0.2, 0.1, 0.4, 1.0)  # nu = 2, infinite variance at last


def scores(x: np.ndarray, model: ea.models.PowerLaw, x0: float, t: float) -> list[float]:
    """Return z-scores of the first, second and fourth moment; of the last where it is measurable."""
    exact = model.transition_moments(x0, t)
    out = [(1, exact.mean), (2, exact.second)]
    if model is not HEAVY:
        out.append((4, exact.fourth))
    return [float((np.mean(x**k) - m) / (np.std(x**k) / math.sqrt(x.size))) for k, m in out]


@pytest.mark.parametrize("dt", [1.0, 0.25])
@pytest.mark.parametrize("x0", [0.0, 0.9])
@pytest.mark.parametrize("model", [POWER, EDGE, HEAVY], ids=["nu=11", "nu=6", "nu=2"])
def test_moments_at_time_one(model: ea.models.PowerLaw, x0: float, dt: float) -> None:
    """E u, E u^2, E u^4 of theory A.2, |z| < 4.5: fails for 2e-5 of all seeds per case."""
    assert np.all(np.abs(scores(run(model, x0, 1.0, dt, 51), model, x0, 1.0)) < 4.5)


def nu_two_cdf(u: np.ndarray, u0: float, t: float, model: ea.models.PowerLaw) -> np.ndarray:
    """Return the distribution function for nu = 2, H = eta sigma_H/2, by the elementary density.

    The reflectionless Poeschl-Teller kernel (theory A.3), integrated in the Lamperti coordinate.
    """
    p = Lamperti.of(model)
    assert math.isclose(p.ell, 1.0)
    c, y0 = p.c, math.asinh(u0 / p.width) / p.c
    y = y0 + np.linspace(-12, 12, 40_001) * math.sqrt(t)
    root = math.sqrt(2 * t)
    bound = special.erf((c * t + y - y0) / root) + special.erf((c * t - y + y0) / root)
    kernel = stats.norm.pdf(y, y0, math.sqrt(t))
    kernel += c / 4 * math.exp(c * c * t / 2) / np.cosh(c * y) / math.cosh(c * y0) * bound
    density = math.cosh(c * y0) / np.cosh(c * y) * math.exp(-c * c * t / 2) * kernel
    cdf = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(y))])
    assert abs(cdf[-1] - 1) < 1e-6
    return np.interp(np.arcsinh(u / p.width) / c, y, cdf)


@pytest.mark.parametrize("dt", [2.0, 0.5])
def test_transition_density_for_two_degrees_of_freedom(dt: float) -> None:
    """Kolmogorov-Smirnov against the closed form: fails for 1e-4 of all seeds per case."""
    model, u0, t = ea.models.PowerLaw(0.25, 0.1, 0.5, 1.0), 0.8, 2.0
    x = run(model, u0, t, dt, 52)
    assert stats.kstest(x, lambda u: nu_two_cdf(u, u0, t, model)).pvalue > 1e-4
    for factor in (0.98, 1.02):  # control: the scale off by 2%
        assert stats.kstest(factor * x, lambda u: nu_two_cdf(u, u0, t, model)).pvalue < 1e-6


def test_agrees_with_small_steps_of_lamperti_heun() -> None:
    """Two-sample Kolmogorov-Smirnov: fails for 1e-4 of all seeds."""
    ens = ea.Ensemble(EDGE, 200_000, 1.5, seed=53).run(t=0.75, dt=1 / 256, scheme="lamperti-heun")
    exact = run(EDGE, 1.5, 0.75, 0.75, 54, 200_000)
    assert stats.ks_2samp(ens.x, exact).pvalue > 1e-4


def proposals(p: Lamperti, y: np.ndarray, h: float, seed: int, first_test: bool) -> np.ndarray:
    """Return states after a step without step 3 of the algorithm, and without step 2 unless asked."""
    rng = np.random.default_rng(seed)
    out = np.full(y.shape, np.nan)
    open_ = np.ones(y.shape, bool)
    while np.any(open_):
        end = y - p.ell * p.c * np.tanh(p.c * y) * h + math.sqrt(h) * rng.standard_normal(y.shape)
        gap = p.ell * (np.log(np.cosh(p.c * end)) - np.log(np.cosh(p.c * y)))
        chance = np.exp(-gap + p.ell * p.c * np.tanh(p.c * y) * (end - y))
        taken = open_ & (rng.random(y.shape) <= (chance if first_test else 1.0))
        out[taken] = end[taken]
        open_ &= ~taken
    return out


@pytest.mark.parametrize("first_test", [False, True])
def test_control_acceptance_left_out(first_test: bool) -> None:
    """Negative control: proposals that are not tested, or by their end only, must fail the moments."""
    p = Lamperti.of(EDGE)
    parts = p.parts(1.0)
    y = np.full(N, math.asinh(0.9 / p.width) / p.c)
    for k in range(parts):
        y = proposals(p, y, 1.0 / parts, k, first_test)
    z = scores(p.width * np.sinh(p.c * y), EDGE, 0.9, 1.0)
    assert np.max(np.abs(z)) > 10


def test_one_long_step_has_the_stationary_law() -> None:
    """A single step of 60, cut into hundreds of parts: fails for 1e-4 of all seeds."""
    x = run(HEAVY, 3.0, 60.0, 60.0, 55, 20_000)
    assert stats.kstest(x, HEAVY.stationary().cdf).pvalue > 1e-4


@pytest.mark.parametrize("x0", [0.0, 0.5, 30.0])
@pytest.mark.parametrize("sigma_H", [0.02, 0.4, 4.0])
def test_more_than_half_of_the_proposals_are_accepted(sigma_H: float, x0: float) -> None:
    model = ea.models.PowerLaw(1.0, 0.1, sigma_H, 1.0)
    for dt in (0.5, 0.01):
        ens = ea.Ensemble(model, 20_000, x0, seed=56).run(steps=1, dt=dt, scheme="exact")
        parts = Lamperti.of(model).parts(dt)
        assert ens.report().substeps_per_step < parts  # as many rejected as accepted


# -- formulas --------------------------------------------------------------------------------------


def test_formulas_have_their_transition_laws() -> None:
    """One step of 2 from 0.7: fails for 2e-4 of all seeds."""
    ou = ea.models.OrnsteinUhlenbeck(0.8, 0.3, 0.6)
    law = stats.norm(0.3 + 0.4 * math.exp(-1.6), 0.6 * math.sqrt(-math.expm1(-3.2) / 1.6))
    x = run(ou, 0.7, 2.0, 2.0, 57)
    assert stats.kstest(x, law.cdf).pvalue > 1e-4
    assert stats.kstest(1.01 * x, law.cdf).pvalue < 1e-4  # control
    gbm = ea.models.GeometricBrownianMotion(0.3, 0.6)
    assert stats.kstest(run(gbm, 0.7, 2.0, 2.0, 58), gbm.transition(0.7, 2.0).cdf).pvalue > 1e-4
    still = ea.models.OrnsteinUhlenbeck(0.0, 0.0, 0.5)  # Brownian motion
    assert (
        stats.kstest(run(still, 0.0, 2.0, 2.0, 59), stats.norm(0, math.sqrt(0.5)).cdf).pvalue > 1e-4
    )


# -- the same bits ---------------------------------------------------------------------------------


@MODEST
@given(
    H=st.floats(0.05, 3.0),
    sigma_H=st.floats(0.05, 2.0),
    dt=st.floats(0.01, 3.0),
    n=st.integers(1, 3000),
    cut=st.floats(0.0, 1.0),
    steps=st.integers(1, 70),
    stop=st.floats(0.0, 1.0),
    kind=st.sampled_from([("float32", "float32"), ("float64", "float32"), ("float64", "float64")]),
    seed=st.integers(0, 2**64 - 1),
    first=st.sampled_from([0, 1, 2**32 - 700]),
)
def test_same_bits_under_splits_and_threads(
    H: float,
    sigma_H: float,
    dt: float,
    n: int,
    cut: float,
    steps: int,
    stop: float,
    kind: tuple[str, str],
    seed: int,
    first: int,
) -> None:
    model = ea.models.PowerLaw(H, 0.1, sigma_H, 1.0)
    steps = max(1, min(steps, int(2e5 / (n * Lamperti.of(model).parts(dt)))))
    x = np.linspace(-3.0, 3.0, n)
    how = {"seed": seed, "dtype": kind[0], "noise": kind[1]}
    whole = ea.Ensemble(model, n, x, threads=1, first_id=first, **how)
    whole.run(steps=steps, dt=dt, scheme="exact")
    at, k = int(cut * n), int(stop * steps)
    parts = []
    for begin, end in ((0, at), (at, n)):
        if begin < end:
            part = ea.Ensemble(
                model, end - begin, x[begin:end], threads=3, first_id=first + begin, **how
            )
            for more in (k, steps - k):
                part.run(steps=more, dt=dt, scheme="exact")
            parts.append(part.x)
    assert np.concatenate(parts).tobytes() == np.array(whole.x).tobytes()
    assert np.all(np.isfinite(whole.x))


def test_switching_schemes_and_one_particle_alone() -> None:
    ens = ea.Ensemble(POWER, 500, 0.3, seed=61)
    for scheme in ("exact", "lamperti-heun", "exact", "milstein"):
        ens.run(steps=5, dt=0.1, scheme=scheme)
    assert all(ens.particle(i).x[-1] == ens.x[i] for i in range(0, 500, 31))


# -- refusals --------------------------------------------------------------------------------------


def test_what_the_scheme_says() -> None:
    scheme = ea.schemes.get("exact")
    assert (
        scheme.exact and scheme.weak_order == math.inf and set(scheme.orders().values()) == {None}
    )
    others = [ea.schemes.get(name) for name in ea.schemes.list() if name != "exact"]
    assert not any(s.exact for s in others) and all(None not in s.orders().values() for s in others)


def test_bad_input() -> None:
    for model, reason in (
        (ea.models.PowerLaw(1.0, 0.1, 0.2, 1.0, 0.05), "rho must be 0"),
        (ea.models.PowerLaw(1.0, 0.1, 0.0, 1.0), "sigma_H must be > 0"),
        (ea.models.OrnsteinUhlenbeck(1.0, 0.0, 0.0), "sigma must be > 0"),
        (ea.models.DoubleWell(), "lacks what the scheme needs"),
    ):
        assert "exact" not in model.schemes
        with pytest.raises(ValueError, match=reason):
            ea.Ensemble(model, 4, 0.5).run(steps=1, dt=0.1, scheme="exact")
    with pytest.raises(ValueError, match="coarsen must be 1 for scheme 'exact'"):
        ea.Ensemble(POWER, 4, 0.5).run(steps=1, dt=0.1, scheme="exact", coarsen=2)


@pytest.mark.parametrize("noise", ["float32", "float64"])
def test_the_longest_step_loses_nobody_and_longer_ones_are_refused(noise: str) -> None:
    """Of 8192 parts, which take fewer blocks than a step has by a hundred standard deviations."""
    longest = 4096 / Lamperti.of(POWER).rate
    ens = ea.Ensemble(POWER, 200, 0.5, seed=62, noise=noise)
    with pytest.raises(ValueError, match=r"dt must be at most .* for scheme 'exact' of PowerLaw"):
        ens.run(steps=1, dt=1.001 * longest, scheme="exact")
    assert ens.step == 0
    ens.run(steps=1, dt=0.9999 * longest, scheme="exact", on_bad="raise")
    sweep = ea.models.PowerLaw(H=[1.0, 9.0], sigma_g=0.05)
    with pytest.raises(ValueError, match="dt must be at most"):
        ea.Ensemble(sweep, 5, 0.5).run(steps=1, dt=0.5 * longest, scheme="exact")
