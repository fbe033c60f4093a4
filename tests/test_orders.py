"""Strong and weak order of every scheme, by regression over coupled Brownian paths.

Runs with ``coarsen=k`` follow the path of the run with steps k times as fine. Errors are averaged in
20 batches of particles, each gives a slope, and their spread gives the standard error.

An order passes if the slope is within 3 standard errors of it and the standard error below 0.05.
With Student's t of 19 degrees of freedom that fails for 0.7% of all seeds, per regression, for 27
of them: 18% that one fails if the random numbers change. Half an order off is never less than 10
standard errors off, see the controls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import escapade as ea

BATCHES = 20


@dataclass(frozen=True)
class Fit:
    """Slope with its standard error."""

    slope: float
    error: float

    def is_order(self, order: float) -> bool:
        return self.error < 0.05 and abs(self.slope - order) < 3 * self.error


def regress(errors: np.ndarray, levels: list[int], curved: bool = False) -> Fit:
    """Fit log error = c + p log h (+ q h) to errors of shape (batches, levels), weighted.

    Slopes of single batches are averages over too few particles when errors change sign: the
    standard error is that of the jackknife over batches.
    """
    x = -math.log(2) * np.array(levels)
    columns = [x, np.ones_like(x)] + ([np.exp(x)] if curved else [])
    mean = errors.mean(axis=0)
    weight = np.abs(mean) / errors.std(axis=0, ddof=1)
    design = np.linalg.pinv(np.stack(columns, axis=1) * weight[:, None])[0] * weight

    def slope(values: np.ndarray) -> float:
        return float(design @ np.log(np.abs(values)))

    left_out = (errors.sum(axis=0) - errors) / (BATCHES - 1)
    slopes = np.array([slope(row) for row in left_out])
    error = math.sqrt((BATCHES - 1) * np.mean((slopes - slopes.mean()) ** 2))
    return Fit(slope(mean), error)


def simulate(
    model: Any, scheme: str, n: int, x0: float, t: float, level: int, finest: int, seed: int
) -> np.ndarray:
    """Return states at ``t`` after steps of 2^-level, on the paths of steps 2^-finest."""
    ens = ea.Ensemble(model, n, x0, seed=seed, noise="float64")
    ens.run(t=t, dt=2.0**-level, scheme=scheme, coarsen=2 ** (finest - level), on_bad="raise")
    return np.array(ens.x)


# -- strong order ----------------------------------------------------------------------------------

WIENER = ea.models.OrnsteinUhlenbeck(theta=0.0, mu=0.0, sigma=1.0)
GBM = ea.models.GeometricBrownianMotion(0.1, 0.5)
POWER = ea.models.PowerLaw(0.1, 0.1, 0.5, 1.0)
WELL = ea.models.DoubleWell(1.0, 0.5)
# Slow networks whose noise depends much, or (as ln v) not at all, on the state. From 0.5 and 0.3 no
# step is cut on the way: cut steps draw on their own, so their paths cannot be compared.
NETWORK = ea.models.BalancedNetwork(1, 1, 0.05, ea.data.moments(0.1, 0.05, 0.5, 0.9, 2.0))
BINARY = ea.models.BalancedNetwork(1, 1, 0.02, ea.data.moments(0.25, 0.5, 0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Strong:
    """A strong-order experiment: model, start, time, and the scheme that gives the reference."""

    model: Any
    x0: float
    t: float
    reference: str
    finest: int = 13


STRONG = {
    ("euler-maruyama", "state"): Strong(GBM, 1.0, 1.0, "exact"),
    ("milstein", "state"): Strong(GBM, 1.0, 1.0, "exact"),
    ("heun", "state"): Strong(GBM, 1.0, 1.0, "exact"),
    ("tamed-euler", "state"): Strong(GBM, 1.0, 1.0, "exact"),
    ("lamperti-heun", "state"): Strong(POWER, 1.0, 1.0, "milstein", 14),
    ("log-euler", "state"): Strong(NETWORK, 0.5, 0.5, "milstein"),
    ("adaptive-log-euler", "state"): Strong(NETWORK, 0.5, 0.5, "milstein"),
    ("adaptive-lamperti-heun", "state"): Strong(NETWORK, 0.5, 0.5, "lamperti-heun"),
    ("euler-maruyama", "additive"): Strong(WELL, 0.5, 0.5, "lamperti-heun"),
    ("milstein", "additive"): Strong(WELL, 0.5, 0.5, "lamperti-heun"),
    ("heun", "additive"): Strong(WELL, 0.5, 0.5, "lamperti-heun"),
    ("tamed-euler", "additive"): Strong(WELL, 0.5, 0.5, "lamperti-heun"),
    ("lamperti-heun", "additive"): Strong(WELL, 0.5, 0.5, "lamperti-heun"),
    ("log-euler", "additive"): Strong(BINARY, 0.5, 0.5, "milstein"),
    ("adaptive-log-euler", "additive"): Strong(BINARY, 0.5, 0.5, "milstein"),
    ("adaptive-lamperti-heun", "additive"): Strong(BINARY, 0.5, 0.5, "lamperti-heun"),
    # a second model with noise that depends on the state, where no solution is known
    ("euler-maruyama", "state, PowerLaw"): Strong(POWER, 1.0, 1.0, "lamperti-heun"),
    ("milstein", "state, PowerLaw"): Strong(POWER, 1.0, 1.0, "lamperti-heun"),
    ("heun", "state, PowerLaw"): Strong(POWER, 1.0, 1.0, "lamperti-heun"),
}


def strong_fit(scheme: str, case: Strong, seed: int, particles: int = 500) -> Fit:
    """Regress E |x_h - x| at ``t`` on h = 2^-5 .. 2^-9."""
    levels, n = [5, 6, 7, 8, 9], BATCHES * particles
    finest = case.finest if case.reference != "exact" else max(levels)
    if case.reference == "exact":
        w = simulate(WIENER, "euler-maruyama", n, 0.0, case.t, finest, finest, seed)
        mu, sigma = case.model.params["mu"], case.model.params["sigma"]
        exact = case.x0 * np.exp((mu - sigma**2 / 2) * case.t + sigma * w)
    else:
        exact = simulate(
            case.model, case.reference, n, case.x0, case.t, finest, finest, seed
        )
    errors = []
    for level in levels:
        x = simulate(case.model, scheme, n, case.x0, case.t, level, finest, seed)
        errors.append(np.abs(x - exact).reshape(BATCHES, -1).mean(axis=1))
    return regress(np.stack(errors, axis=1), levels)


def test_every_scheme_has_its_strong_orders_tested() -> None:
    for scheme in ea.schemes.list():
        assert (scheme, "state") in STRONG and (scheme, "additive") in STRONG, scheme


@pytest.mark.parametrize(("scheme", "kind"), STRONG)
def test_strong_order(scheme: str, kind: str) -> None:
    """Failure rate: see the top of the file."""
    trait = ea.schemes.get(scheme)
    order = trait.strong_order_additive if kind == "additive" else trait.strong_order
    seed = 1000 + list(STRONG).index((scheme, kind))
    fit = strong_fit(scheme, STRONG[scheme, kind], seed)
    print(f"strong {scheme} {kind}: {fit.slope:.3f} +- {fit.error:.3f}, stated {order}")
    assert fit.is_order(order), fit


def test_control_euler_maruyama_is_not_of_strong_order_one() -> None:
    """Negative control: what Milstein passes, Euler-Maruyama fails by ten standard errors."""
    fit = strong_fit("euler-maruyama", STRONG["milstein", "state"], 3)
    assert abs(fit.slope - 1.0) > 10 * fit.error


def test_control_wrong_drift_has_no_order() -> None:
    """Negative control: paths of a model with the drift 2% off do not converge to the reference."""
    case = STRONG["milstein", "state, PowerLaw"]
    wrong = ea.models.PowerLaw(**{**POWER.params, "H": 1.02 * POWER.params["H"]})
    n, finest = BATCHES * 500, 12
    exact = simulate(POWER, "milstein", n, 1.0, 1.0, finest, finest, 5)
    errors = []
    for level in (5, 6, 7, 8, 9):
        x = simulate(wrong, "milstein", n, case.x0, case.t, level, finest, 5)
        errors.append(np.abs(x - exact).reshape(BATCHES, -1).mean(axis=1))
    fit = regress(np.stack(errors, axis=1), [5, 6, 7, 8, 9])
    assert abs(fit.slope - 1.0) > 10 * fit.error


# -- weak order ------------------------------------------------------------------------------------

Test = Callable[[np.ndarray], np.ndarray]


def identity(x: np.ndarray) -> np.ndarray:
    return x


def square(x: np.ndarray) -> np.ndarray:
    return x**2


def share(v: np.ndarray) -> np.ndarray:
    return 1 - 1 / (1 + v)


@dataclass(frozen=True)
class Weak:
    """A weak-order experiment. Parameters are such that rates times h are small at all levels, and
    that the bias is large beside the scatter of differences between levels; where a term of the next
    order remains to be seen, it is fitted (``curved``).
    """

    model: Any
    x0: float
    t: float
    f: Test
    levels: tuple[int, ...]
    n: int
    curved: bool = False


SLOW_POWER = ea.models.PowerLaw(0.5, 0.1, 0.1, 1.0)
SLOW_WELL = ea.models.DoubleWell(0.15, 0.2)
DECAY = ea.models.GeometricBrownianMotion(-0.5, 0.3)

WEAK = {
    ("euler-maruyama", "GBM"): Weak(DECAY, 1.0, 1.0, square, (4, 5, 6, 7), 400_000),
    ("milstein", "GBM"): Weak(DECAY, 1.0, 1.0, square, (4, 5, 6, 7), 100_000),
    ("heun", "GBM"): Weak(
        ea.models.GeometricBrownianMotion(0.0, 0.6), 1.0, 1.0, identity, (3, 4, 5, 6), 400_000
    ),
    ("tamed-euler", "GBM"): Weak(
        ea.models.GeometricBrownianMotion(-0.2, 0.3), 2.0, 1.0, square, (4, 5, 6, 7), 400_000
    ),
    ("log-euler", "network"): Weak(BINARY, 0.3, 0.5, share, (3, 4, 5, 6), 200_000, True),
    ("adaptive-log-euler", "network"): Weak(BINARY, 0.3, 0.5, share, (3, 4, 5, 6), 200_000, True),
    ("lamperti-heun", "PowerLaw"): Weak(
        SLOW_POWER, 3.0, 1.0, identity, (2, 3, 4, 5), 2_000_000, True
    ),
    ("lamperti-heun", "DoubleWell"): Weak(
        SLOW_WELL, 0.3, 1.0, square, (2, 3, 4, 5), 2_000_000, True
    ),
    ("adaptive-lamperti-heun", "network"): Weak(
        BINARY, 0.3, 0.5, share, (2, 3, 4, 5), 600_000, True
    ),
}


def weak_fit(scheme: str, case: Weak, seed: int) -> Fit:
    """Regress E f(x_h) - E f(x_{h/2}) on h."""
    levels, finest = list(case.levels), max(case.levels) + 1
    values = []
    for level in [*levels, finest]:
        x = simulate(case.model, scheme, case.n, case.x0, case.t, level, finest, seed)
        values.append(case.f(x))
    pairs = zip(values[:-1], values[1:], strict=True)
    errors = [(a - b).reshape(BATCHES, -1).mean(axis=1) for a, b in pairs]
    return regress(np.stack(errors, axis=1), levels, case.curved)


def test_every_scheme_has_its_weak_order_tested() -> None:
    assert {scheme for scheme, _ in WEAK} == set(ea.schemes.list())


@pytest.mark.parametrize(("scheme", "kind"), WEAK)
def test_weak_order(scheme: str, kind: str) -> None:
    """Failure rate: see the top of the file."""
    order = ea.schemes.get(scheme).weak_order
    fit = weak_fit(scheme, WEAK[scheme, kind], 2000 + list(WEAK).index((scheme, kind)))
    print(f"weak {scheme} {kind}: {fit.slope:.3f} +- {fit.error:.3f}, stated {order}")
    assert fit.is_order(order), fit


def test_control_euler_is_not_of_weak_order_two() -> None:
    """Negative control: what lamperti-heun passes, Euler-Maruyama fails by ten standard errors."""
    fit = weak_fit("euler-maruyama", WEAK["lamperti-heun", "DoubleWell"], 7)
    assert abs(fit.slope - 2.0) > 10 * fit.error
