"""Sweeps: one ensemble over arrays of parameters equals separate ensembles, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import escapade as ea

SHAPES = st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple)


def power_law(shape: tuple[int, ...], rng: np.random.Generator) -> ea.models.Model:
    return ea.models.PowerLaw(
        H=rng.uniform(0.5, 2, shape), sigma_H=rng.uniform(0.1, 0.5, shape[-1:])
    )


def network(shape: tuple[int, ...], rng: np.random.Generator) -> ea.models.Model:
    data = ea.data.gaussian(rng.uniform(0.5, 1.5, shape[-1:]), 1.0)
    return ea.models.BalancedNetwork(T=rng.uniform(0.01, 0.1, shape), data=data)


def parameters(shape: tuple[int, ...], rng: np.random.Generator) -> ea.models.Model:
    return ea.models.DiagonalNetwork(2, 2, T=rng.uniform(0.01, 0.1, shape))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    shape=SHAPES,
    make=st.sampled_from([power_law, network, parameters]),
    n=st.sampled_from([1, 5, 63, 64, 65, 300]),
    seed=st.integers(0, 2**64 - 1),
    first=st.integers(0, 2**33),
    dtype=st.sampled_from(["float32", "float64"]),
    threads=st.integers(1, 3),
)
def test_a_sweep_is_its_points(shape, make, n, seed, first, dtype, threads) -> None:
    """Point k of a sweep has the particles first_id + k n, ...; also after a split and a checkpoint."""
    model = make(shape, np.random.default_rng(seed % 1000))
    assert model.shape == shape
    ens = ea.Ensemble(model, n, 1.0, seed=seed, first_id=first, dtype=dtype, threads=threads)
    ens.run(dt=0.01, steps=7).run(dt=0.01, steps=14)
    assert ens.shape == ens.x.shape == (*shape, n, *model.particle_shape)
    for k, index in enumerate(np.ndindex(*shape)):
        alone = ea.Ensemble(model[index], n, 1.0, seed=seed, first_id=first + k * n, dtype=dtype)
        alone.run(dt=0.01, steps=21)
        assert ens.x[index].tobytes() == alone.x.tobytes()
        i = n // 2
        assert np.array_equal(ens.particle(i, point=index).x[-1], ens.x[index][i])


def test_starts_of_a_sweep() -> None:
    """Numbers broadcast; laws are drawn point by point, each particle by its own number."""
    model = ea.models.BalancedNetwork(T=np.array([[0.05], [0.1]]), gamma=[0.0, 0.1, 0.2])
    start = np.linspace(0.5, 1.5, 4)
    ens = ea.Ensemble(model, 4, start, seed=1)
    assert np.allclose(ens.x, np.broadcast_to(start, (2, 3, 4)))
    each = np.arange(1.0, 25.0).reshape(2, 3, 4)
    assert np.allclose(ea.Ensemble(model, 4, each, seed=1).x, each)
    ens = ea.Ensemble(model, 50, "stationary", seed=1)
    alone = ea.Ensemble(model[1, 2], 50, "stationary", seed=1, first_id=250)
    assert np.array_equal(ens.log_x[1, 2], alone.log_x)
    assert len(np.unique(ens.x)) == ens.x.size
    with pytest.raises(ValueError, match=r"x0 must be a scalar or broadcast to shape \(2, 3, 4\)"):
        ea.Ensemble(model, 4, np.ones(5), seed=1)
    with pytest.raises(ValueError, match=r"x0 must lie in \(0, inf\)"):
        ea.Ensemble(model, 4, -1.0, seed=1)


def test_a_sweep_survives_a_checkpoint(tmp_path) -> None:
    data = ea.data.gaussian(1.0, np.array([0.5, 1.0]))
    model = ea.models.DiagonalNetwork(1, 2, T=np.array([[0.05], [0.1]]), data=data)
    ens = ea.Ensemble(model, 20, ea.init.normal(1.0, 0.2), seed=3).run(0.5, 0.01)
    ens.save(tmp_path / "a.npz")
    again = ea.Ensemble.load(tmp_path / "a.npz")
    assert again.model == model and again.x.tobytes() == ens.x.tobytes()
    assert again.run(0.5, 0.01).x.tobytes() == ens.run(0.5, 0.01).x.tobytes()
    assert np.array_equal(again.particle(3, point=(1, 0)).x[-1], ens.x[1, 0, 3])


def test_points_of_a_model() -> None:
    T = np.array([0.1, 0.2])
    model = ea.models.BalancedNetwork(T=T, data=ea.data.gaussian([[0.5], [1.0]], 1.0))
    assert model.shape == (2, 2)
    assert model[1, 0] == ea.models.BalancedNetwork(T=0.1, data=ea.data.gaussian(1.0, 1.0))
    assert model[0, 1].shape == () and model[0, 1].T == 0.2
    assert model == ea.models.BalancedNetwork(T=T.tolist(), data=model.data)
    assert hash(model) == hash(ea.models.BalancedNetwork(T=T, data=model.data))
    assert model != ea.models.BalancedNetwork(T=T + 0.1, data=model.data)
    T[0] = 99.0
    assert model.T[0] == 0.1  # a copy
    with pytest.raises(ValueError, match="read-only"):
        model.T[0] = 5.0
    with pytest.raises(IndexError, match="one point of a sweep"):
        model[0]
    with pytest.raises(TypeError, match="not a sweep"):
        model[0, 0][0]
    with pytest.raises(ValueError, match=r"sweep of shape \(2, 2\)"):
        model.stationary()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"T": [0.1, -0.2]}, ValueError, "T must be at least 0, got -0.2"),
        ({"T": [0.1, np.nan]}, ValueError, "T must be a finite number, got nan"),
        ({"gamma": [0.1, -1.0]}, ValueError, "gamma must be at least 0, got -1.0"),
        (
            {"T": [0.1, 0.2], "gamma": [0.0, 0.1, 0.2]},
            ValueError,
            r"broadcast.*T \(2,\), gamma \(3,\)",
        ),
        ({"depth": [1.0, 2.0]}, TypeError, "depth must be an integer or an array of integers"),
        ({"depth": [1, -2]}, ValueError, "depth must be at least 0.*got -2"),
        ({"T": []}, ValueError, "T must not be empty"),
        ({"T": ["a", "b"]}, TypeError, "T must be an array of real numbers"),
        ({"T": [[0.1], [0.2, 0.3]]}, ValueError, "T must be a number or a regular array"),
    ],
)
def test_bad_sweeps_are_named(arguments, error, words) -> None:
    with pytest.raises(error, match=words):
        ea.models.BalancedNetwork(**arguments)


def test_sizes_of_particles_cannot_be_swept() -> None:
    with pytest.raises(ValueError, match="depth must be a single number"):
        ea.models.DiagonalNetwork(depth=[1, 2])


def test_depth_of_the_reduced_equation_can_be_swept() -> None:
    """Its particles are single numbers, whatever the depth."""
    model = ea.models.BalancedNetwork(depth=[1, 2, 3], T=0.05)
    ens = ea.Ensemble(model, 2000, "stationary", seed=4)
    ens.run(1.0, 0.005, scheme="adaptive-log-platen")
    for k in range(3):
        law = model[k].stationary()
        assert abs(ens.x[k].mean() - law.mean()) < 4 * ens.x[k].std() / np.sqrt(2000)
        other = model[(k + 1) % 3].stationary()  # negative control
        assert abs(ens.x[k].mean() - other.mean()) > 4 * ens.x[k].std() / np.sqrt(2000)


def test_ten_thousand_temperatures_at_once() -> None:
    """Many points: one launch, every point with a law of its own."""
    T = np.linspace(0.02, 0.3, 10_000)
    model = ea.models.PowerLaw(H=1.0, sigma_g=0.1, sigma_H=0.2, eta=T)
    ens = ea.Ensemble(model, 100, 0.0, seed=5).run(6.0, 0.05, scheme="milstein")
    exact = T * 0.1 / (2.0 - T * 0.2)  # variance of the law
    z = (
        ens.x.var(axis=1).reshape(100, 100).mean(axis=1) / exact.reshape(100, 100).mean(axis=1)
    ) - 1
    assert np.abs(z).max() < 0.12 and np.abs(z.mean()) < 0.02
