"""Built-in models give the same answers as functions written out, by their own drift and noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

import escapade as ea
from escapade import exact

M = ea.models


def test_golden_numbers_of_models() -> None:
    law = M.PowerLaw(H=1.0, sigma_g=0.2, sigma_H=0.5)
    assert exact.mean_exit_time(law, 0.0, b=1.5) == pytest.approx(121.88625904239012, rel=1e-11)
    assert exact.escape_rate(law, b=1.5) == pytest.approx(0.00826244420000072, rel=1e-11)
    well = M.DoubleWell(h=20.0)
    log10 = exact.log_mean_exit_time(well, -1.0, b=0.0) / math.log(10.0)
    assert log10 == pytest.approx(7.1380350100123025, abs=1e-11)
    ou = M.OrnsteinUhlenbeck(sigma=math.sqrt(2.0))
    assert exact.mean_exit_time(ou, 0.0, b=3.0) == pytest.approx(86.93161989888816, rel=1e-11)


def test_equal_models_share_their_panels() -> None:
    law = M.PowerLaw(sigma_g=0.2, sigma_H=0.5), M.PowerLaw(sigma_g=0.2, sigma_H=0.5)
    first, second = (exact.quasi_stationary(p, -1.0, 1.0) for p in law)
    assert first is second


def test_multiplicative_noise_in_the_drift_of_pitchfork() -> None:
    """0 is an end that is never reached; given as such, the question is one-sided."""
    p = M.Pitchfork(mu=1.0, b=1.0, sigma=0.5)
    mine = exact.Diffusion(lambda x: x - x**3, lambda x: 0.5 * x, domain=(0.0, math.inf))
    expected = exact.mean_exit_time(mine, [0.1, 1.0], None, 1.5)
    np.testing.assert_allclose(exact.mean_exit_time(p, [0.1, 1.0], 0.0, 1.5), expected, rtol=1e-12)


def test_transition_of_geometric_brownian_motion() -> None:
    p = M.GeometricBrownianMotion(0.2, 0.5)
    x = np.array([0.2, 0.7, 1.0, 2.5])
    found = exact.transition_density(p, 1.0, x, 0.8, 0.0, None)
    np.testing.assert_allclose(found, p.transition(1.0, 0.8).pdf(x), atol=1e-11)
