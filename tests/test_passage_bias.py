"""Bias of mean first-passage times by detector, scheme and step, against its exact value.

`theory.chain_passage_time` solves for the mean passage time of the discretised chain;
nothing there shares code with the engine. Simulations have fixed seeds.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import escapade as ea
from escapade import theory
from escapade.passage import FirstPassage

POWER = ea.models.PowerLaw(H=1.0, sigma_g=0.2, sigma_H=0.5, eta=1.0)
WELL = ea.models.DoubleWell(h=2.0, T=1.0)
EXACT = {"power law": 27.568177145229367, "double well": 10**0.36234481448792194}
CASES = {
    # problem, scheme, test: bias in % at dt = .2, .1, .05, .025 (power law) or .02 ... .0025 (well),
    # of Heun with the bridge the values for the bridge to its real end point
    ("power law", "euler-maruyama", "endpoint"): (67.007, 49.916, 35.875, 25.481),
    ("power law", "euler-maruyama", "bridge"): (-10.897, -5.179, -2.488, -1.201),
    ("power law", "euler-maruyama", "shift"): (-25.176, -13.423, -6.988, -3.584),
    ("power law", "lamperti-heun", "bridge"): (0.488, 0.143, 0.039, 0.010),
    ("double well", "euler-maruyama", "endpoint"): (17.393, 15.223, 11.730, 8.668),
    ("double well", "euler-maruyama", "bridge"): (-9.502, -3.847, -1.667, -0.753),
    ("double well", "euler-maruyama", "shift"): (-8.646, -3.472, -1.512, -0.689),
    ("double well", "lamperti-heun", "bridge"): (-0.812, -0.112, -0.016, -0.003),
}
STEPS = {"power law": (0.2, 0.1, 0.05, 0.025), "double well": (0.02, 0.01, 0.005, 0.0025)}
SETTING = {"power law": (POWER, 0.0, 1.0), "double well": (WELL, -1.0, 0.0)}


def simulated(problem: str, scheme: str, test: str, dt: float, n: int) -> tuple[float, float]:
    """Relative bias of the mean time in % and its standard error."""
    model, x0, level = SETTING[problem]
    ends = [replace(b, test=test) for b in ea.Interval(upper=level).boundaries()]
    ids = np.arange(n, dtype=np.uint64)
    t = (
        FirstPassage(model, scheme, ends, np.full(n, x0), dt=dt, seed=77, ids=ids, threads=2)
        .run()
        .time
    )
    exact = EXACT[problem]
    return 100 * (t.mean() / exact - 1), 100 * t.std() / math.sqrt(n) / exact


@pytest.mark.parametrize("case", CASES, ids=[" ".join(c) for c in CASES])
def test_the_bias_is_the_one_of_the_discretised_chain(case: tuple[str, str, str]) -> None:
    """Printed values, the solver's, and the engine's. |z| < 3.5 of 16: one seed in 130 fails."""
    problem, scheme, test = case
    model, x0, level = SETTING[problem]
    for dt, printed in zip(STEPS[problem], CASES[case], strict=True):
        chain = theory.chain_passage_time(
            model, dt, start=x0, upper=level, scheme=scheme, test=test
        )
        assert 100 * (chain / EXACT[problem] - 1) == pytest.approx(printed, abs=6e-4)
    for dt, printed in list(zip(STEPS[problem], CASES[case], strict=True))[1:3]:
        bias, error = simulated(problem, scheme, test, dt, 40_000)
        assert abs(bias - printed) < 3.5 * error
        if test == "endpoint":  # negative control: it is far from none
            assert bias > 10 * error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "order"),
    [
        (("power law", "euler-maruyama", "endpoint"), 0.5),
        (("power law", "euler-maruyama", "bridge"), 1.0),
        (("double well", "euler-maruyama", "bridge"), 1.0),
        (("double well", "lamperti-heun", "bridge"), 2.0),
    ],
    ids=["endpoint 1/2", "bridge 1", "bridge 1, additive", "heun 2"],
)
def test_measured_orders(case: tuple[str, str, str], order: float) -> None:
    """Slope of ln|bias| against ln dt by weighted regression.

    Within 3.5 standard errors of the slope of the exact biases, and of the order itself within what
    the next order adds at these steps.
    """
    problem, scheme, test = case
    model, x0, level = SETTING[problem]
    n = 2_000_000 if order == 2.0 else 1_000_000
    steps = (0.04, 0.02, 0.01) if order == 2.0 else STEPS[problem]
    biases = np.array([simulated(problem, scheme, test, dt, n) for dt in steps])
    x, y = np.log(steps), np.log(np.abs(biases[:, 0]))
    weight = (biases[:, 0] / biases[:, 1]) ** 2
    centre = np.average(x, weights=weight)
    spread = np.sum(weight * (x - centre) ** 2)
    slope = float(np.sum(weight * (x - centre) * y) / spread)
    error = float(spread**-0.5)
    chain = [
        theory.chain_passage_time(model, dt, start=x0, upper=level, scheme=scheme, test=test)
        for dt in steps
    ]
    exact = np.log(np.abs(np.array(chain) / EXACT[problem] - 1))
    expected = float(np.sum(weight * (x - centre) * exact) / spread)
    assert abs(slope - expected) < 3.5 * error
    assert error < 0.15
    assert abs(slope - order) < 0.4 * order
