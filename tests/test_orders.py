"""Strong and weak order of every scheme, by regression over coupled Brownian paths.

Runs with ``coarsen=k`` follow the path of the run with steps k times as fine. Errors are averaged in
20 batches of particles, each gives a slope, and their spread gives the standard error.

An order passes if the slope is within 3 standard errors of it and the standard error below 0.05.
With Student's t of 19 degrees of freedom that fails for 0.7% of all seeds, per regression, for 49
of them: 29% that one fails if the random numbers change. Half an order off is never less than 10
standard errors off, see the controls.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from models_table import SCALAR_SCHEMES

import escapade as ea

BATCHES = 20
APPROXIMATE = tuple(s for s in SCALAR_SCHEMES if not ea.schemes.get(s).exact)


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
FORK = ea.models.Pitchfork(1.0, 1.0, 0.7)
# Slow networks whose noise depends much, or (as ln v) not at all, on the state. From 0.5 and 0.3 no
# step is cut on the way: cut steps draw on their own, so their paths cannot be compared.
NETWORK = ea.models.BalancedNetwork(1, 1, 0.05, ea.data.moments(0.1, 0.05, 0.5, 0.9, 2.0))
BINARY = ea.models.BalancedNetwork(1, 1, 0.02, ea.data.moments(0.25, 0.5, 0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Strong:
    """A strong-order experiment: model, start, and where the reference comes from.

    ``reference`` is a scheme at steps 16 times as fine as any that is tested, or "exact": the
    solution on the same path.
    """

    model: Any
    x0: float
    reference: str


STRONG = {
    ("euler-maruyama", "state"): Strong(GBM, 1.0, "exact"),
    ("milstein", "state"): Strong(GBM, 1.0, "exact"),
    ("heun", "state"): Strong(GBM, 1.0, "exact"),
    ("tamed-euler", "state"): Strong(GBM, 1.0, "exact"),
    ("platen", "state"): Strong(GBM, 1.0, "exact"),
    ("log-platen", "state"): Strong(NETWORK, 0.5, "lamperti-heun"),
    ("log-platen", "additive"): Strong(BINARY, 0.5, "exact"),
    ("adaptive-log-platen", "state"): Strong(NETWORK, 0.5, "lamperti-heun"),
    ("platen", "additive"): Strong(WELL, 0.5, "lamperti-heun"),
    ("adaptive-log-platen", "additive"): Strong(BINARY, 0.5, "exact"),
    ("lamperti-heun", "state"): Strong(POWER, 1.0, "lamperti-heun"),
    ("log-euler", "state"): Strong(NETWORK, 0.5, "milstein"),
    ("adaptive-log-euler", "state"): Strong(NETWORK, 0.5, "milstein"),
    ("adaptive-lamperti-heun", "state"): Strong(NETWORK, 0.5, "lamperti-heun"),
    ("lamperti-implicit-euler", "state"): Strong(POWER, 1.0, "lamperti-heun"),
    ("lamperti-implicit-euler", "additive"): Strong(WELL, 0.5, "lamperti-heun"),
    ("lamperti-implicit-euler", "state, network"): Strong(NETWORK, 0.5, "lamperti-heun"),
    ("strang-splitting", "state"): Strong(FORK, 1.0, "strang-splitting"),
    ("strang-splitting", "additive"): Strong(WELL, 0.5, "lamperti-heun"),
    ("euler-maruyama", "additive"): Strong(WELL, 0.5, "lamperti-heun"),
    ("milstein", "additive"): Strong(WELL, 0.5, "lamperti-heun"),
    ("heun", "additive"): Strong(WELL, 0.5, "lamperti-heun"),
    ("tamed-euler", "additive"): Strong(WELL, 0.5, "lamperti-heun"),
    ("lamperti-heun", "additive"): Strong(WELL, 0.5, "lamperti-heun"),
    ("log-euler", "additive"): Strong(BINARY, 0.5, "exact"),
    ("adaptive-log-euler", "additive"): Strong(BINARY, 0.5, "exact"),
    ("adaptive-lamperti-heun", "additive"): Strong(BINARY, 0.5, "lamperti-heun"),
    # a second model with noise that depends on the state, where no solution is known
    ("euler-maruyama", "state, PowerLaw"): Strong(POWER, 1.0, "lamperti-heun"),
    ("milstein", "state, PowerLaw"): Strong(POWER, 1.0, "lamperti-heun"),
    ("heun", "state, PowerLaw"): Strong(POWER, 1.0, "lamperti-heun"),
}
T_STRONG, LEVELS, FINEST = 0.25, [7, 8, 9, 10, 11], 15


def strong_errors(model: Any, scheme: str, x0: float, exact: np.ndarray, seed: int) -> np.ndarray:
    """Return E (x_h - exact)^2, shape (batches, levels)."""
    errors = []
    for level in LEVELS:
        x = simulate(model, scheme, exact.size, x0, T_STRONG, level, FINEST, seed)
        errors.append(((x - exact) ** 2).reshape(BATCHES, -1).mean(axis=1))
    return np.stack(errors, axis=1)


def exact_states(case: Strong, n: int, seed: int) -> np.ndarray:
    """Return the solution on the Brownian paths of steps 2^-FINEST."""
    if case.reference != "exact":
        return simulate(case.model, case.reference, n, case.x0, T_STRONG, FINEST, FINEST, seed)
    p = case.model.params
    if case.model is GBM:
        w = simulate(WIENER, "euler-maruyama", n, 0.0, T_STRONG, FINEST, FINEST, seed)
        return case.x0 * np.exp((p["mu"] - p["sigma"] ** 2 / 2) * T_STRONG + p["sigma"] * w)
    # binary network: v = v0 e^X / (1 + 4 beta1 v0 int e^X dt), X = 4 (beta2 - T alpha3) t + 4 ...
    data, h, batch = p["data"], 2.0**-FINEST, 250
    times = h * np.arange(round(T_STRONG / h) + 1)[:, None]
    noise, drift = 4 * math.sqrt(p["T"] * data.alpha3), 4 * (data.beta2 - p["T"] * data.alpha3)
    out = []
    for first in range(0, n, batch):
        z = ea._core.normals(batch, times.size - 1, seed, first_id=first, noise="float64")
        w = np.concatenate([np.zeros((1, batch)), np.cumsum(math.sqrt(h) * z, axis=0)])
        grown = np.exp(drift * times + noise * w)
        integral = h * (grown.sum(axis=0) - (grown[0] + grown[-1]) / 2)
        out.append(case.x0 * grown[-1] / (1 + 4 * data.beta1 * case.x0 * integral))
    return np.concatenate(out)


def strong_fit(scheme: str, case: Strong, seed: int, n: int = 6000) -> Fit:
    """Regress the root of E (x_h - x)^2 on h = 2^-7 .. 2^-11.

    The mean of |x_h - x| would do as well, but comes to its order later: the error is a sum over
    steps, which must be many before it is normal.
    """
    errors = strong_errors(case.model, scheme, case.x0, exact_states(case, n, seed), seed)
    fit = regress(errors, LEVELS)
    return Fit(fit.slope / 2, fit.error / 2)


def test_every_scheme_has_its_strong_orders_tested() -> None:
    for scheme in APPROXIMATE:
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
    wrong = ea.models.PowerLaw(**{**POWER.params, "H": 1.02 * POWER.params["H"]})
    exact = simulate(POWER, "milstein", 6000, 1.0, T_STRONG, FINEST, FINEST, 5)
    fit = regress(strong_errors(wrong, "milstein", 1.0, exact, 5), LEVELS)
    assert abs(fit.slope - 2.0) > 10 * fit.error


# -- weak order ------------------------------------------------------------------------------------

Observable = Callable[[np.ndarray], np.ndarray]


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
    f: Observable
    levels: tuple[int, ...]
    n: int
    curved: bool = False


SLOW_POWER = ea.models.PowerLaw(0.5, 0.05, 0.05, 1.0)
SLOW_WELL = ea.models.DoubleWell(0.15, 0.2)
SLOW_FORK = ea.models.Pitchfork(1.0, 0.3, 0.2)
DECAY = ea.models.GeometricBrownianMotion(-0.5, 0.3)

WEAK = {
    ("euler-maruyama", "GBM"): Weak(DECAY, 1.0, 1.0, square, (5, 6, 7, 8), 200_000),
    ("milstein", "GBM"): Weak(DECAY, 1.0, 1.0, square, (4, 5, 6, 7), 100_000),
    ("heun", "GBM"): Weak(
        ea.models.GeometricBrownianMotion(0.0, 0.6), 1.0, 1.0, identity, (3, 4, 5, 6), 400_000
    ),
    ("platen", "GBM"): Weak(DECAY, 1.0, 1.0, square, (2, 3, 4, 5), 2_000_000, True),
    ("platen", "DoubleWell"): Weak(SLOW_WELL, 0.3, 1.0, square, (2, 3, 4, 5), 2_000_000, True),
    ("log-platen", "network"): Weak(BINARY, 0.3, 0.5, share, (2, 3, 4, 5), 600_000, True),
    ("adaptive-log-platen", "network"): Weak(BINARY, 0.3, 0.5, share, (2, 3, 4, 5), 600_000, True),
    ("heun", "DoubleWell"): Weak(SLOW_WELL, 0.3, 1.0, square, (2, 3, 4, 5), 2_000_000, True),
    ("tamed-euler", "GBM"): Weak(
        ea.models.GeometricBrownianMotion(-0.2, 0.3), 2.0, 1.0, square, (5, 6, 7, 8), 200_000
    ),
    ("log-euler", "network"): Weak(BINARY, 0.3, 0.5, share, (3, 4, 5, 6), 200_000, True),
    ("adaptive-log-euler", "network"): Weak(BINARY, 0.3, 0.5, share, (3, 4, 5, 6), 200_000, True),
    ("lamperti-heun", "PowerLaw"): Weak(
        SLOW_POWER, 3.0, 1.0, identity, (2, 3, 4, 5), 2_000_000, True
    ),
    ("lamperti-heun", "DoubleWell"): Weak(
        SLOW_WELL, 0.3, 1.0, square, (2, 3, 4, 5), 2_000_000, True
    ),
    ("lamperti-implicit-euler", "PowerLaw"): Weak(
        SLOW_POWER, 3.0, 1.0, identity, (4, 5, 6, 7), 200_000, True
    ),
    ("lamperti-implicit-euler", "DoubleWell"): Weak(
        SLOW_WELL, 1.5, 1.0, square, (4, 5, 6, 7), 200_000, True
    ),
    ("lamperti-implicit-euler", "network"): Weak(
        BINARY, 0.3, 0.5, share, (4, 5, 6, 7), 200_000, True
    ),
    ("strang-splitting", "Pitchfork"): Weak(
        SLOW_FORK, 1.0, 1.0, identity, (2, 3, 4, 5), 2_000_000, True
    ),
    ("strang-splitting", "DoubleWell"): Weak(
        SLOW_WELL, 0.0, 1.0, square, (1, 2, 3, 4), 2_000_000, True
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
    pairs = itertools.pairwise(values)
    errors = [(a - b).reshape(BATCHES, -1).mean(axis=1) for a, b in pairs]
    return regress(np.stack(errors, axis=1), levels, case.curved)


def test_every_scheme_has_its_weak_order_tested() -> None:
    assert {scheme for scheme, _ in WEAK} == set(APPROXIMATE)


@pytest.mark.parametrize(("scheme", "kind"), WEAK)
def test_weak_order(scheme: str, kind: str) -> None:
    """Failure rate: see the top of the file."""
    traits = ea.schemes.get(scheme)
    order = traits.weak_order_additive if kind == "DoubleWell" else traits.weak_order
    fit = weak_fit(scheme, WEAK[scheme, kind], 2000 + list(WEAK).index((scheme, kind)))
    print(f"weak {scheme} {kind}: {fit.slope:.3f} +- {fit.error:.3f}, stated {order}")
    assert fit.is_order(order), fit


def test_control_euler_is_not_of_weak_order_two() -> None:
    """Negative control: what lamperti-heun passes, Euler-Maruyama fails by ten standard errors."""
    fit = weak_fit("euler-maruyama", WEAK["lamperti-heun", "DoubleWell"], 7)
    assert abs(fit.slope - 2.0) > 10 * fit.error
