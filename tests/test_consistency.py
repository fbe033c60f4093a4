"""States that earlier versions left half made."""

from __future__ import annotations

import numpy as np
import pytest

import escapade as ea

X0 = np.linspace(-1.0, 1.0, 500)


def test_a_run_of_no_steps_changes_nothing() -> None:
    plain = ea.Ensemble(ea.models.PowerLaw(), 500, X0, seed=1)
    visited = ea.Ensemble(ea.models.PowerLaw(), 500, X0, seed=1)
    visited.run(steps=0, dt=0.1, scheme="lamperti-heun")
    assert visited.coordinate == "physical" and visited.t == 0
    for e in (plain, visited):
        e.run(steps=5, dt=0.01, scheme="milstein")
    assert np.array_equal(plain.x, visited.x)


def test_particles_follow_every_change_of_coordinate() -> None:
    e = ea.Ensemble(ea.models.PowerLaw(), 500, X0, seed=1)
    for scheme in ("milstein", "lamperti-heun", "euler-maruyama", "lamperti-heun"):
        e.run(steps=3, dt=0.01, scheme=scheme)
        e.run(steps=0, dt=0.5, scheme="heun")
    assert all(e.particle(i).x[-1] == e.x[i] for i in range(0, 500, 23))


@pytest.mark.parametrize("rho", [0.1, -0.1])
@pytest.mark.parametrize("scheme", ["euler-maruyama", "milstein", "heun", "platen"])
def test_noise_that_vanishes_at_a_point_loses_nobody(rho: float, scheme: str) -> None:
    # sigma_g sigma_H = rho^2: rounding makes the variance slightly negative near its double zero
    model = ea.models.PowerLaw(1.0, 0.1, 0.1, 1.0, rho)
    e = ea.Ensemble(model, 20_000, -np.sign(rho) * 1.2, seed=1, dtype="float32")
    e.run(t=5.0, dt=0.01, scheme=scheme, on_bad="raise")
    assert e.report().nonfinite == 0


def test_models_do_not_change() -> None:
    model = ea.models.BalancedNetwork(T=0.1)
    assert model.T == 0.1 and model.depth == 1
    with pytest.raises(AttributeError, match="T"):
        model.T = 0.3
    with pytest.raises(AttributeError, match="kappa"):
        _ = model.kappa
    assert model == ea.models.BalancedNetwork(T=0.1) != ea.models.BalancedNetwork(T=0.2)


def test_the_stationary_law_of_a_collapse_is_no_start() -> None:
    with pytest.raises(ValueError, match="x0"):
        ea.Ensemble(ea.models.BalancedNetwork(T=0.4), 10, "stationary")


def test_scalars_of_other_libraries_are_scalars() -> None:
    class Scalar:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return np.array(0.5)

    assert np.array_equal(ea.Ensemble(ea.models.PowerLaw(), 3, Scalar()).x, np.full(3, 0.5))
