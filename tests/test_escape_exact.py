"""Direct simulation against quadrature for random problems, and the coverage of intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import escapade as ea
from escapade import exact

unit = st.floats(0.0, 1.0)


def between(low: float, high: float) -> st.SearchStrategy[float]:
    return unit.map(lambda u: low * (high / low) ** u)


@st.composite
def problems(draw: st.DrawFn) -> tuple[ea.models.Model, float, float | None, float]:
    """A model, a start, and a region around it that is left within some relaxation times."""
    kind = draw(st.integers(0, 4))
    shift, size = draw(st.floats(-0.6, 0.6)), draw(between(0.5, 1.6))
    if kind == 0:
        model: ea.models.Model = ea.models.PowerLaw(
            draw(between(0.3, 3.0)), draw(between(0.1, 0.6)), draw(between(0.05, 2.0)), 1.0
        )
    elif kind == 1:
        model = ea.models.PowerLaw(1.0, 0.3, 0.5, 1.0, rho=draw(st.floats(-0.3, 0.3)))
    elif kind == 2:
        model = ea.models.OrnsteinUhlenbeck(draw(between(0.3, 3.0)), shift, 0.8)
    elif kind == 3:
        model = ea.models.DoubleWell(draw(between(0.2, 1.0)), draw(between(0.3, 1.0)))
    else:
        model = ea.models.GeometricBrownianMotion(draw(st.floats(-0.3, 0.3)), 0.5)
        return model, 1.0, 1.0 / (1.0 + 0.7 * size), 1.0 + size
    noise = float(np.mean(model.diffusion(np.linspace(shift - size, shift + size, 9))))
    stiff = model.params.get("H", model.params.get("theta", 8.0 * model.params.get("h", 1.0)))
    reach = size * noise / math.sqrt(float(stiff)) if kind != 3 else 0.8 * size
    lower = None if draw(st.booleans()) else shift - reach
    return model, shift + 0.3 * draw(st.floats(-1.0, 1.0)) * reach, lower, shift + reach


@settings(derandomize=True, deadline=None, max_examples=40)
@given(problems(), st.integers(0, 2**32))
@pytest.mark.filterwarnings("ignore::escapade.passage.errors.TooFewEscapesWarning")
def test_simulated_mean_times_agree_with_quadrature(
    problem: tuple[ea.models.Model, float, float | None, float], seed: int
) -> None:
    """|z| < 4.5 of mean time and share of exits, 40 problems: one choice of seeds in 2000 fails.

    The step is a two-hundredth of the mean time or less, and a twentieth of what the drift allows; what
    a step of second order leaves is within half a standard error (4000 particles).
    """
    model, x0, lower, upper = problem
    mean = float(exact.mean_exit_time(model, x0, lower, upper))
    rate = float(exact.escape_rate(model, lower, upper))
    stiff = 8.0 * model.params.get("h", 0.0) + model.params.get("H", 0.0) + 1.0
    dt = min(min(mean, 1.0 / rate) / 200.0, 0.05 / stiff)
    region = ea.Interval(-math.inf if lower is None else lower, upper)
    found = ea.escape(model, x0, region, n=4000, dt=dt, seed=seed, burn_in=0.0)
    assert abs(found.mean_time - mean) < 4.5 * found.mean_time_stderr
    if lower is not None:
        share = float(exact.splitting_probability(model, x0, lower, upper))
        hits, total = np.count_nonzero(found.sides == 1), found.n_escaped
        spread = math.sqrt(max(share * (1.0 - share), 1.0 / total) / total)
        assert abs(hits / total - share) < 4.5 * spread


def test_a_drift_that_is_wrong_by_a_tenth_is_found_out() -> None:
    """Negative control of the test above: 4000 particles resolve a tenth of the drift."""
    model = ea.models.PowerLaw(1.0, 0.3, 0.5)
    wrong = exact.Diffusion(lambda x: 0.9 * model.drift(x), model.diffusion)
    region = ea.Interval(-1.5, 1.5)
    found = ea.escape(model, 0.0, region, n=4000, dt=0.02, seed=1, burn_in=0.0)
    assert abs(found.mean_time - found.exact.mean_time) < 3.3 * found.mean_time_stderr
    off = float(exact.mean_exit_time(wrong, 0.0, -1.5, 1.5))
    assert abs(found.mean_time - off) > 4.5 * found.mean_time_stderr


@pytest.mark.filterwarnings("ignore::escapade.passage.errors.TooFewEscapesWarning")
def test_intervals_cover_as_often_as_they_say() -> None:
    """Of 400 runs with other seeds, rate and mean time lie within their 95 % intervals.

    Binomial error .011: within (.915, .985) but for one choice of seeds in 500. A tenth off is covered
    far less often (negative control).
    """
    model, region = ea.models.PowerLaw(1.0, 0.2, 0.5), ea.Interval(-1.0, 1.0)
    rate = exact.escape_rate(model, -1.0, 1.0)
    mean = float(exact.mean_exit_time(model, 0.0, -1.0, 1.0))
    hits = np.zeros(3)
    for seed in range(400):
        found = ea.escape(model, 0.0, region, n=500, dt=0.05, seed=seed, t_max=25.0)
        low, high = found.rate_interval
        early, late = found.mean_time_interval
        hits += low < rate < high, early < mean < late, low < 1.2 * rate < high
    assert np.all((hits[:2] > 0.915 * 400) & (hits[:2] < 0.985 * 400))
    assert hits[2] < 0.3 * 400


@pytest.mark.parametrize("reflect", ["lower", "upper"])
def test_walls_against_quadrature(reflect: str) -> None:
    """A reflecting end, of weak order 1: within 3.3 errors and 0.3 %. One seed in 1000 fails."""
    model = ea.models.OrnsteinUhlenbeck(1.0, 0.0, 1.0)
    region = ea.Interval(-0.8, 1.1, reflect=reflect)
    found = ea.escape(model, 0.2, region, n=40_000, dt=0.001, seed=3)
    assert found.exact is not None
    assert abs(found.mean_time - found.exact.mean_time) < (
        3.3 * found.mean_time_stderr + 0.003 * found.mean_time
    )
