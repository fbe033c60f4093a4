"""Rates of rare escapes by splitting and its relatives against exact ones.

Tests of z-scores allow 4 standard errors over at least 20 replicates (Student's t with 19 degrees of
freedom: expected failure rate 8e-4 each, for another seed), beside the known bias of the time step.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate

import escapade as ea
from escapade import passage
from escapade.passage import HalfSpace, Interval
from escapade.passage.ladder import Ladder

GOLDEN = json.loads((Path(__file__).parent / "data" / "escape_times.json").read_text())


def golden(**what: Any) -> float:
    """Return 1 / MFPT of an entry of the table of exact times."""
    (row,) = [g for g in GOLDEN if all(g.get(k) == v for k, v in what.items())]
    return 1.0 / row["mfpt"] if "mfpt" in row else float(10.0 ** -row["log10_mfpt"])


def power_law(es: float, eh: float) -> Any:
    return ea.models.PowerLaw(H=1.0, sigma_g=es, sigma_H=eh, eta=1.0)


def z(result: Any, exact: float, bias: float = 0.0) -> float:
    """Standard errors off the exact rate, beyond a bias of the time step that is known."""
    off = abs(result.rate / exact - 1.0)
    return max(off - bias, 0.0) / (result.stderr / result.rate)


# model, x0, region, dt, bias allowed, exact rate
CASES = {
    "2e-4": (power_law(0.05, 0.8), 0.0, Interval(upper=5.0), 0.02, 0.002, golden(b=5.0)),
    "2e-7": (power_law(0.05, 0.2), 0.0, Interval(upper=2.0), 0.05, 0.002, golden(b=2.0)),
    "6e-10": (power_law(0.05, 0.2), 0.0, Interval(upper=3.5), 0.05, 0.001, golden(b=3.5)),
    "two": (power_law(0.05, 0.4), 0.0, Interval(-3.0, 3.0), 0.05, 0.002, golden(R=3.0)),
    "well": (
        ea.models.DoubleWell(h=20.0),
        -1.0,
        Interval(upper=0.8),
        5e-4,
        0.0013,
        golden(h=20.0, b=0.8),
    ),
}


@pytest.mark.parametrize("method", [passage.splitting, passage.ams])
@pytest.mark.parametrize("name", CASES)
def test_rates_are_exact(name: str, method: Any) -> None:
    model, x0, region, dt, bias, exact = CASES[name]
    result = method(model, x0, region, dt=dt, n=1000, replicates=20, seed=4)
    assert z(result, exact, bias) < 4.0, str(result)
    assert result.stderr < 0.1 * result.rate
    low, high = result.interval(0.999)
    assert low * (1.0 - bias) < exact < high * (1.0 + bias)
    assert result.core == pytest.approx(x0, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "x0", "b", "dt", "exact"),
    [
        # 3e-17; without a known bias, which should be below 0.5 per cent at dt H = 0.02
        (power_law(0.02, 0.05), 0.0, 1.5, 0.02, golden(b=1.5, kappa=21.0)),
        # 7e-29: curvature 552, so that dt V'' = 0.03; the bias is 0.05 per cent, scaled from h = 20
        (ea.models.DoubleWell(h=69.0), -1.0, 0.8, 5e-5, golden(h=69.0, b=0.8)),
    ],
)
def test_rates_down_to_1e_28(model: Any, x0: float, b: float, dt: float, exact: float) -> None:
    result = passage.splitting(model, x0, Interval(upper=b), dt=dt, n=3000, replicates=20, seed=6)
    assert z(result, exact, 0.005) < 4.0, str(result)
    assert result.stderr < 0.1 * result.rate


def test_boundary_belongs_into_every_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: tested in the last stage only, the rate is far too small."""
    model, x0, region, _, _, exact = CASES["2e-7"]
    run = Ladder.run

    def blind(self: Ladder, *args: Any, **kwargs: Any) -> Any:
        target, top = self.target, self.top
        if kwargs.get("level") is not None:
            assert target is not None
            self.target, self.top = replace(target, level=1e3, test="endpoint"), 1e3
        try:
            return run(self, *args, **kwargs)
        finally:
            self.target, self.top = target, top

    levels = np.linspace(0.2, 1.98, 22)
    how: dict[str, Any] = {"dt": 0.1, "n": 2000, "replicates": 20, "seed": 5, "levels": levels}
    right = passage.splitting(model, x0, region, **how)
    assert z(right, exact, 0.003) < 4.0, str(right)
    monkeypatch.setattr(Ladder, "run", blind)
    wrong = passage.splitting(model, x0, region, **how)
    assert wrong.rate < 0.75 * exact, str(wrong)


def test_end_point_test_is_biased() -> None:
    """Negative control: without bridges the rate at this dt is about half."""
    model, x0, region, dt, _, exact = CASES["2e-7"]
    for method in (passage.splitting, passage.ams):
        result = method(model, x0, region, dt=dt, n=1000, replicates=20, seed=5, test="endpoint")
        assert 0.4 * exact < result.rate < 0.7 * exact


@pytest.mark.parametrize("n", [pytest.param(20, marks=pytest.mark.slow), 100])
def test_small_ensembles_are_unbiased(n: int) -> None:
    """Adaptive and fixed levels, N down to 20, many replicates; dt makes a bias below 0.04 per cent."""
    exact = golden(b=1.0, kappa=3.0)
    for method, more in ((passage.ams, {"k": 1 if n == 20 else 50}), (passage.splitting, {})):
        result = method(
            power_law(0.2, 0.5),
            0.0,
            Interval(upper=1.0),
            dt=0.05,
            n=n,
            replicates=400,
            seed=7,
            **more,
        )
        # the ratio of means has a bias of O(1/n^2) left
        assert z(result, exact, 0.0004 + 3.0 / n**2) < 4.0, str(result)


def cosine(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a height of vectors: minus the cosine of their angle."""
    return np.asarray(-x[:, 0] / np.hypot(x[:, 0], x[:, 1]))


@pytest.mark.parametrize(
    "level", [None, pytest.param(cosine, marks=pytest.mark.slow)], ids=["plane", "user"]
)
@pytest.mark.parametrize(
    "method", [passage.splitting, pytest.param(passage.ams, marks=pytest.mark.slow)]
)
def test_two_dimensions_against_quadrature(method: Any, level: Any) -> None:
    """A vector of length 1 whose angle is a diffusion: ``dphi = -sin(phi) dt + sqrt(T) dW``.

    Weight decay T/4 keeps the length. The half space is left at ``|phi| = 1.1``. The scheme is of weak
    order 1, and the noise of its bridges is that of the left end of a step: 2 per cent are allowed.
    """
    temperature, out = 0.1, 1.1
    model = ea.models.ScaleInvariant(kappa=1.0, s=1.0, T=temperature, gamma=temperature / 4)
    region = HalfSpace([-1.0, 0.0], -math.cos(out))

    def inner(y: float) -> float:
        value, _ = integrate.quad(
            lambda v: math.exp(2.0 / temperature * (math.cos(v) - math.cos(y))), 0.0, y
        )
        return 2.0 / temperature * float(value)

    exact = 1.0 / integrate.quad(inner, 0.0, out)[0]
    assert exact < 1e-3
    result = method(model, [1.0, 0.0], region, dt=0.01, n=200, replicates=20, seed=8, level=level)
    assert z(result, exact, 0.02) < 4.0, (str(result), exact)


@pytest.mark.parametrize(
    "method", [passage.splitting, pytest.param(passage.ams, marks=pytest.mark.slow)]
)
def test_level_functions_agree(method: Any) -> None:
    """Any increasing function of the coordinate gives the same rate, as the committor would."""
    model, x0, region, dt, bias, exact = CASES["2e-7"]
    mine = method(model, x0, region, dt=dt, n=200, replicates=20, seed=3, level=np.arctan)
    assert z(mine, exact, bias) < 4.0, str(mine)
    one = method(model, x0, region, dt=dt, n=200, seed=3, level="committor")
    other = method(model, x0, region, dt=dt, n=200, seed=3)
    assert np.array_equal(one.rates, other.rates)


@pytest.mark.slow
@pytest.mark.parametrize("method", [passage.splitting, passage.ams])
def test_intervals_cover(method: Any) -> None:
    """95 per cent intervals of 10 replicates, 300 seeds: binomial, within 4 sd (6e-5)."""
    exact = golden(b=1.0, kappa=3.0)
    hits = 0
    for seed in range(300):
        result = method(power_law(0.2, 0.5), 0.0, Interval(upper=1.0), dt=0.05, n=100, seed=seed)
        low, high = result.interval(0.95)
        hits += low < exact < high
    assert abs(hits / 300 - 0.95) < 4.0 * math.sqrt(0.95 * 0.05 / 300), hits
