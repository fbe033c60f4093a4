"""The pitchfork: sign, law and collapse, by exact sub-flows and in ln z."""

from __future__ import annotations

import math

import numpy as np
import pytest

import escapade as ea
from escapade import _core

STRONG = ea.models.Pitchfork(1.0, 1.0, 1.2)
FORK = ea.models.Pitchfork(1.0, 0.8, 0.5)


def test_splitting_keeps_signs_and_is_odd() -> None:
    """Whatever the step and the noise; Euler-Maruyama, the negative control, turns signs round."""
    x = np.linspace(-2.0, 2.0, 20_000)
    ens = ea.Ensemble(STRONG, x.size, x, seed=1)
    ens.run(steps=50, dt=0.3, scheme="strang-splitting", on_bad="raise")
    assert np.array_equal(np.sign(ens.x), np.sign(x))
    mirror = ea.Ensemble(STRONG, x.size, -x, seed=1)
    mirror.run(steps=50, dt=0.3, scheme="strang-splitting")
    assert np.array_equal(mirror.x, -ens.x)
    euler = ea.Ensemble(STRONG, x.size, np.sign(x), seed=1)
    euler.run(steps=50, dt=0.1, scheme="euler-maruyama", on_bad="ignore")
    assert np.mean(np.sign(euler.x) != np.sign(x)) > 0.01


def test_splitting_has_the_gamma_law_at_large_steps() -> None:
    """KS of 400,000 against Gamma at sigma = 1.2: chance exceeds 1.95/sqrt(n) = 0.0031 in 1e-3 of seeds.

    Bias at h = 0.1 is below 0.001. Euler-Maruyama at h = 0.05 is the negative control.
    """
    law = STRONG.stationary()
    split = ea.Ensemble(STRONG, 400_000, "stationary", seed=2)
    split.run(t=4.0, dt=0.1, on_bad="raise")
    assert STRONG.auto_scheme() == "strang-splitting"
    assert law.compare(split.x).ks < 0.0041
    euler = ea.Ensemble(STRONG, 400_000, "stationary", seed=2)
    euler.run(t=4.0, dt=0.05, scheme="euler-maruyama", on_bad="ignore")
    x = euler.x[np.isfinite(euler.x) & (euler.x > 0)]
    assert law.compare(x).ks > 0.02


@pytest.mark.parametrize("scheme", ["log-euler", "log-platen", "adaptive-log-platen"])
def test_collapse_goes_on_below_the_smallest_float(scheme: str) -> None:
    """ln z of a collapse: normal with mean (mu - sigma^2/2) t, once z^2 is out of the equation.

    The z-score of 20,000 means of ln z must be below 4: fails for 6e-5 of all seeds, per scheme.
    """
    model = ea.models.Pitchfork(0.1, 1.0, 3.0)
    ens = ea.Ensemble(model, 20_000, 1e-30, seed=4).run(t=200.0, dt=0.05, scheme=scheme)
    mean, spread = math.log(1e-30) + (0.1 - 4.5) * 200, 3.0 * math.sqrt(200)
    assert mean < -900  # z = e^-949: no float64 holds it
    assert abs(ens.log_x.mean() - mean) < 4 * spread / math.sqrt(ens.n)
    assert abs(ens.log_x.std() / spread - 1) < 4 / math.sqrt(2 * ens.n)


def test_adaptive_steps_come_back_from_far_out() -> None:
    """A start at z = 30 needs cut steps: b z^2 dt = 7 throws the fixed step past 0 for ever."""
    exact = 30 / math.sqrt(1 + 2 * 0.8 * 30**2 * 0.01)  # the cubic flow, without noise
    quiet = ea.models.Pitchfork(0.0, 0.8, 0.0)
    cut = ea.Ensemble(quiet, 100, 30.0, seed=1).run(steps=1, dt=0.01, scheme="adaptive-log-platen")
    assert cut.report().substeps_per_step > 10
    assert abs(cut.x[0] / exact - 1) < 0.02
    fixed = ea.Ensemble(quiet, 100, 30.0, seed=1).run(steps=1, dt=0.01, scheme="log-euler")
    assert fixed.x[0] < 0.1


def test_a_negative_start_has_no_logarithm() -> None:
    ens = ea.Ensemble(FORK, 100, -1.0, seed=1)
    with pytest.raises(ValueError, match="x0 must lie where the log coordinate"):
        ens.run(steps=1, dt=0.01, scheme="log-euler")


def test_linear_noise_is_a_pitchfork_without_saturation() -> None:
    """b = 0 in the engine, z e^((mu - sigma^2/2) t + sigma W) to rounding; in Python b > 0."""
    engine = _core.Engine(64, "float64", "float64", 3, 1)
    state = engine.state[0, :, 0]  # a view
    state[:] = np.linspace(-1.0, 1.0, 64)
    parameters = np.array([[0.3, 0.0, 0.7]])
    engine.advance("Pitchfork", "strang-splitting", parameters, 5, 0.1)
    w = math.sqrt(0.1) * _core.normals(64, 5, 3, noise="float64").sum(axis=0)
    exact = np.linspace(-1.0, 1.0, 64) * np.exp((0.3 - 0.245) * 0.5 + 0.7 * w)
    np.testing.assert_allclose(state, exact, rtol=1e-14)
    with pytest.raises(ValueError, match="b"):
        ea.models.Pitchfork(b=0.0)
