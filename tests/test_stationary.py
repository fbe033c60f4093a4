"""Stationary laws: a million particles of every model against its exact law.

A run passes if the Kolmogorov-Smirnov test and a chi-square test over 100 equally likely cells both
have p > 1e-4 and at most 2.5e-3 lies between the distribution functions. By chance that fails for
2e-4 of all seeds per run, 1% for all of them. Time steps are such that the bias of the scheme is out
of sight; the controls at the end say what is not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from models_table import SCALAR_MODELS

import escapade as ea

N = 1_000_000
models, data = ea.models, ea.data


class Run(NamedTuple):
    """What is run: from ``x0`` over ``t`` in steps of ``dt``."""

    model: Any
    scheme: str
    x0: Any
    dt: float
    t: float
    n: int = N

    def __str__(self) -> str:
        depth = self.model.params.get("depth", "")
        return f"{self.model.name}{depth}-{self.scheme}-{self.x0}-n={self.n}"


OU = models.OrnsteinUhlenbeck(1.3, 0.4, 0.7)
WELL = models.DoubleWell(1.0, 0.5)
SWELL = models.MultiplicativeWell(1.0, 1.0, 0.5, 2.0, 2.0)
COUPLED = models.LossCoupledWell(1.0, 0.3, 0.8, 1.0)  # kappa = 11
FORK = models.Pitchfork(1.0, 0.8, 0.5)
POWER = models.PowerLaw(1.0, 0.1, 0.2, 1.0)  # 11 degrees of freedom
SKEW = models.PowerLaw(0.8, 0.15, 0.3, 0.7, 0.1)
HEAVY = models.PowerLaw(0.3, 0.2, 1.0, 1.0)  # 1.6 degrees of freedom: infinite variance
GAUSS, BINARY = data.gaussian(1.0, 1.0), data.binary(1.0, 0.8)
NET0 = models.BalancedNetwork(0, 1, 0.1, GAUSS, 0.1)
NET0B = models.BalancedNetwork(0, 1, 0.2, BINARY, 0.1)
NET1 = models.BalancedNetwork(1, 1, 0.1, GAUSS)
NET1W = models.BalancedNetwork(1, 3, 0.1, GAUSS, 0.2)
NET1B = models.BalancedNetwork(1, 1, 0.1, BINARY, 0.1)
NET1C = models.BalancedNetwork(1, 1, 0.02, BINARY)  # cold: schemes in v lose no particle
NET2 = models.BalancedNetwork(2, 1, 0.1, GAUSS)
NET2B = models.BalancedNetwork(2, 1, 0.1, BINARY)
NET3 = models.BalancedNetwork(3, 1, 0.1, GAUSS)
NET3B = models.BalancedNetwork(3, 1, 0.1, BINARY)

# Times: several relaxation times of the bulk, 1/H, 1/theta, 1/(8 h), 1/(2 mu), 1/(K beta2). From a
# point as many as it takes: where the law has a slow tail, its spectral gap decides.
PRESERVED = [
    Run(OU, "auto", "stationary", 0.05, 3.0),
    Run(WELL, "auto", "stationary", 0.005, 2.0),
    Run(FORK, "auto", "stationary", 0.02, 2.0),
    Run(POWER, "auto", "stationary", 0.05, 3.0),
    Run(SKEW, "auto", "stationary", 0.05, 3.0),
    Run(HEAVY, "auto", "stationary", 0.05, 10.0),
    Run(NET0, "auto", "stationary", 0.002, 1.5),
    Run(NET0B, "auto", "stationary", 0.002, 1.5),
    Run(NET1, "auto", "stationary", 0.01, 1.0),
    Run(NET1W, "auto", "stationary", 0.01, 1.0),
    Run(NET1B, "auto", "stationary", 0.01, 1.0),
    Run(NET2B, "auto", "stationary", 0.001, 0.5),
    # weak order 1 and strong noise: a million would take a step too small for a quick test
    Run(NET2, "auto", "stationary", 0.0005, 0.5, 200_000),
    Run(NET3, "auto", "stationary", 0.0005, 0.4, 100_000),
    Run(NET3B, "auto", "stationary", 0.0005, 0.4, 200_000),
    Run(SWELL, "auto", "stationary", 0.005, 1.0, 400_000),
    Run(COUPLED, "auto", "stationary", 0.005, 1.0, 400_000),
]
REACHED = [
    Run(OU, "auto", 0.4, 0.05, 5.0),
    Run(WELL, "auto", 0.0, 0.005, 4.0),
    Run(FORK, "auto", 1.0, 0.02, 6.0),
    Run(POWER, "auto", 0.0, 0.05, 6.0),
    Run(SKEW, "auto", 0.0, 0.05, 10.0),
    Run(HEAVY, "auto", 0.0, 0.1, 30.0),
    Run(NET0, "auto", 0.9, 0.002, 4.0),
    Run(NET1B, "auto", 0.8, 0.02, 8.0),
    Run(NET1, "auto", 0.8, 0.02, 10.0, 400_000),
    Run(SWELL, "auto", 0.0, 0.005, 25.0, 200_000),
    Run(COUPLED, "auto", 0.0, 0.01, 8.0, 200_000),
]
OTHERS = [
    *(Run(OU, s, "stationary", 0.002, 1.5) for s in ("euler-maruyama", "milstein")),
    Run(OU, "heun", "stationary", 0.02, 2.0),
    Run(OU, "tamed-euler", "stationary", 0.001, 1.0),
    *(Run(WELL, s, "stationary", 0.0005, 0.4) for s in ("euler-maruyama", "milstein")),
    Run(WELL, "heun", "stationary", 0.005, 1.0),
    Run(WELL, "tamed-euler", "stationary", 0.0002, 0.2),
    *(Run(FORK, s, "stationary", 0.002, 1.5) for s in ("euler-maruyama", "heun")),
    Run(FORK, "tamed-euler", "stationary", 0.001, 1.0),
    *(Run(POWER, s, "stationary", 0.002, 1.5) for s in ("euler-maruyama", "milstein", "heun")),
    Run(POWER, "tamed-euler", "stationary", 0.001, 1.0),
    *(Run(NET0, s, "stationary", 0.002, 1.0) for s in ("euler-maruyama", "heun")),
    Run(NET0, "tamed-euler", "stationary", 0.0005, 0.5),
    *(
        Run(NET1C, s, "stationary", 0.001, 0.7, 400_000)
        for s in ("euler-maruyama", "milstein", "heun")
    ),
    Run(NET1C, "tamed-euler", "stationary", 0.0005, 0.5, 400_000),
    *(
        Run(NET1C, s, "stationary", 0.002, 1.0)
        for s in ("log-euler", "log-platen", "adaptive-log-euler")
    ),
    Run(NET1C, "lamperti-heun", "stationary", 0.02, 2.0),
    Run(NET1, "adaptive-log-euler", "stationary", 0.0005, 0.5, 400_000),
    *(Run(m, "platen", "stationary", 0.02, 2.0) for m in (OU, POWER)),
    Run(WELL, "platen", "stationary", 0.005, 1.0),
    Run(FORK, "milstein", "stationary", 0.002, 1.5),
    Run(NET0, "milstein", "stationary", 0.002, 1.0),
    Run(NET1C, "platen", "stationary", 0.002, 1.0, 400_000),
    *(Run(m, "lamperti-implicit-euler", "stationary", 0.002, 1.0) for m in (OU, POWER, NET1C)),
    Run(WELL, "lamperti-implicit-euler", "stationary", 0.0005, 0.4),
    Run(NET1, "lamperti-implicit-euler", "stationary", 0.001, 0.5, 400_000),
    Run(WELL, "strang-splitting", "stationary", 0.01, 1.0),
    *(
        Run(FORK, s, "stationary", 0.02, 2.0)
        for s in ("platen", "log-platen", "adaptive-log-platen")
    ),
    *(Run(FORK, s, "stationary", 0.002, 1.0) for s in ("log-euler", "adaptive-log-euler")),
    *(
        Run(m, s, "stationary", 0.0005, 0.3, 200_000)
        for m in (SWELL, COUPLED)
        for s in ("euler-maruyama", "milstein", "heun")
    ),
    *(Run(m, "tamed-euler", "stationary", 0.0002, 0.1, 200_000) for m in (SWELL, COUPLED)),
    *(Run(m, "platen", "stationary", 0.005, 1.0, 200_000) for m in (SWELL, COUPLED)),
    Run(OU, "exact", "stationary", 0.5, 5.0),
    Run(POWER, "exact", "stationary", 1.0, 3.0),
]
SLOW = [
    Run(NET1, "auto", 0.8, 0.01, 12.0),
    Run(NET1W, "auto", 0.8, 0.01, 12.0),
    Run(NET1, "adaptive-log-euler", "stationary", 0.0005, 2.0),
    Run(NET2, "auto", "stationary", 0.00025, 1.0),
    Run(NET2B, "auto", 0.9, 0.0005, 2.0),
    Run(NET3, "auto", "stationary", 0.00015625, 0.5),
    Run(NET3B, "auto", "stationary", 0.00025, 1.0),
    Run(models.BalancedNetwork(1, 1, 0.2, GAUSS), "auto", "stationary", 0.005, 4.0),
    Run(models.BalancedNetwork(2, 3, 0.1, GAUSS), "auto", "stationary", 0.0005, 0.5),
]


def simulate(run: Run, seed: int) -> np.ndarray:
    ens = ea.Ensemble(run.model, run.n, run.x0, seed=seed)
    ens.run(steps=round(run.t / run.dt), dt=run.dt, scheme=run.scheme, on_bad="raise")
    return np.array(ens.x)


def rejected(law: ea.laws.Law, x: np.ndarray) -> bool:
    """The test of this file, as stated at its top."""
    found = law.compare(x)
    print(f"KS {found.ks:.2e} p {found.p_value:.2g}, chi2 p {found.chi2_p:.2g}, n {found.n}")
    return found.ks > 2.5e-3 * max(1, (N / found.n) ** 0.5) or not (
        found.p_value > 1e-4 and found.chi2_p > 1e-4
    )


def check(run: Run, seed: int) -> None:
    assert not rejected(run.model.stationary(), simulate(run, seed))


@pytest.mark.parametrize("run", PRESERVED, ids=str)
def test_law_is_preserved(run: Run) -> None:
    """The law as initial condition stays. Failure rate: see the top of the file."""
    check(run, 300 + PRESERVED.index(run))


@pytest.mark.parametrize("run", REACHED, ids=str)
def test_law_is_reached_from_a_point(run: Run) -> None:
    """Failure rate: see the top of the file."""
    check(run, 400 + REACHED.index(run))


@pytest.mark.parametrize("run", OTHERS, ids=str)
def test_law_is_preserved_by_other_schemes(run: Run) -> None:
    """Failure rate: see the top of the file."""
    check(run, 500 + OTHERS.index(run))


@pytest.mark.slow
@pytest.mark.parametrize("run", SLOW, ids=str)
def test_law_at_length(run: Run) -> None:
    """Failure rate: see the top of the file."""
    check(run, 600 + SLOW.index(run))


def test_geometric_brownian_motion_has_its_lognormal_law() -> None:
    """The one model without a stationary density: its law at t = 1, by all schemes.

    Failure rate: see the top of the file, eight runs.
    """
    model = models.GeometricBrownianMotion(0.3, 0.6)
    for i, scheme in enumerate(model.schemes):
        exact = scheme.startswith("lamperti") or scheme == "exact"
        run = Run(model, scheme, 0.7, 0.1 if exact else 0.001, 1.0, N if exact else 400_000)
        assert not rejected(model.transition(0.7, 1.0), simulate(run, 700 + i)), scheme


def test_every_model_and_scheme_is_here() -> None:
    done = {(r.model.name, r.scheme) for r in PRESERVED + REACHED + OTHERS}
    done |= {(r.model.name, r.model.auto_scheme()) for r in PRESERVED + REACHED}
    for name in SCALAR_MODELS:
        for scheme in ea.models.get(name)().schemes:
            if name != "GeometricBrownianMotion" and ea.models.get(name).confining:
                assert (name, scheme) in done


# -- negative controls: at the same size each of these must be rejected ----------------------------


def test_control_drift_off_by_two_percent() -> None:
    """Two percent of the drift move the distribution function by 3e-3 and 240 units of chi-square."""
    power = simulate(Run(POWER, "auto", 0.0, 0.05, 6.0), 1)
    network = simulate(Run(NET1B, "auto", 0.8, 0.02, 8.0), 2)
    assert not rejected(POWER.stationary(), power)
    assert not rejected(NET1B.stationary(), network)
    for factor in (0.98, 1.02):
        assert rejected(models.PowerLaw(factor, 0.1, 0.2, 1.0).stationary(), power)
        moved = data.moments(factor, factor * (1 - 0.1) + 0.1, 0.0, 0.0, 0.64)  # beta2 - gamma
        assert rejected(models.BalancedNetwork(1, 1, 0.1, moved, 0.1).stationary(), network)


def test_control_stratonovich_in_place_of_ito() -> None:
    """Without its correction Heun's rule simulates H - eta sigma_H / 2: exponent kappa - 1/2."""
    for sigma_H in (0.2, 1.0):
        ito = models.PowerLaw(1.0, 0.1, sigma_H, 1.0)
        read = models.PowerLaw(1.0 - sigma_H / 2, 0.1, sigma_H, 1.0)
        x = simulate(Run(read, "heun", "stationary", 0.005, 1.0), 3)
        assert not rejected(read.stationary(), x)
        assert rejected(ito.stationary(), x)


def test_control_half_of_the_milstein_term() -> None:
    """Half of b b' in the drift, of either sign: the pitchfork with mu +- sigma^2 / 2."""
    x = simulate(Run(FORK, "milstein", 1.0, 0.002, 6.0), 4)
    for sign in (-1, 1):
        assert rejected(models.Pitchfork(1.0 + sign * 0.125, 0.8, 0.5).stationary(), x)


def test_control_fixed_log_euler_collapses() -> None:
    """Steps that do not look at the state drive a depth-1 network at T = 0.2 to a false collapse."""
    model = models.BalancedNetwork(1, 1, 0.2, GAUSS)
    x = simulate(Run(model, "log-euler", "stationary", 0.005, 4.0, 200_000), 5)
    assert model.stationary().compare(x).ks > 0.03
    x = simulate(Run(model, "adaptive-lamperti-heun", "stationary", 0.005, 1.0, 200_000), 5)
    assert not rejected(model.stationary(), x)


def test_schemes_in_v_are_flagged() -> None:
    """Euler-Maruyama in v throws particles over v = 0 and to infinity; the run must say so."""
    ens = ea.Ensemble(NET1, 10_000, 1.0, seed=1)
    with pytest.warns(ea.EnsembleWarning, match="lost"):
        ens.run(t=8.0, dt=0.005, scheme="euler-maruyama")
    assert ens.report().nonfinite > 1000
