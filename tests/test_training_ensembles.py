"""SGD in ensembles: checkpoints, single particles, temperatures, sizes that must be refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import escapade as ea

DATA = ea.data.from_samples([0.3, -1.0, 2.0], [0.1, -0.7, 1.5])
PROCESSES = {
    "gaussian": lambda: ea.models.DiagonalNetwork(1, 2).sgd(0.01, 3),
    "momentum": lambda: ea.models.DiagonalNetwork(2, 1).sgd(0.01, 2, 0.8),
    "samples": lambda: ea.models.DiagonalNetwork(1, 1, data=DATA).sgd(0.02, 2, 0.5),
    "descent": lambda: ea.models.DiagonalNetwork(1, 1).gd(0.02),
    "noise": lambda: ea.models.DiagonalNetwork(1, 1).gd(0.02, 0.3),
    "matrix": lambda: ea.models.TwoLayerLinear(2, 2, 2).sgd(0.01, 1, 0.3),
    "rows": lambda: ea.models.TwoLayerLinear(1, 1, 1, samples=[[1.0, 2.0], [0.5, 0.1]]).sgd(0.01),
    "powers": lambda: ea.models.GeneralizedRescaling((2, 1)).sgd(0.01, 1, 0.4),
    "mirror": lambda: ea.models.MirrorCollapse().sgd(0.1),
    "two points": lambda: ea.models.TwoPointSaddle(-0.3, 0.2, 0.1).sgd(0.2),
    "scale": lambda: ea.models.ScaleInvariant().sgd(0.05),
    "sweep": lambda: ea.models.DiagonalNetwork(gamma=[0.0, 0.1]).sgd(0.01, 1, 0.6),
}


@pytest.mark.parametrize("label", PROCESSES)
def test_checkpoints_and_single_particles(label: str, tmp_path: Path) -> None:
    """Save after 5 steps, go on to 12: as if nothing had happened, velocities included."""
    process = PROCESSES[label]()
    ens = ea.Ensemble(process, 40, 0.7, seed=5).run(steps=5)
    ens.save(tmp_path / "a.npz")
    again = ea.Ensemble.load(tmp_path / "a.npz")
    assert again.model == process and again.t == ens.t
    assert again.run(steps=7).x.tobytes() == ens.run(steps=7).x.tobytes()
    point = (1,) if process.shape else ()
    assert np.array_equal(again.particle(9, point=point).x[-1], ens.x[(*point, 9)])


def test_normal_starts_need_no_more_particles_than_there_are() -> None:
    """A particle of many numbers; particle 3 alone starts like particle 3 of the crowd."""
    model = ea.models.DiagonalNetwork(1, 20_000, 0.0)
    many = ea.Ensemble(model, 5, ea.init.normal(0.0, 0.1), seed=1)
    assert np.array_equal(many.particle(3).x[0], many.x[3])
    assert abs(np.asarray(many.x).std() - 0.1) < 1e-3


def test_temperature_with_momentum() -> None:
    """Binary data, linear regression: the variance is that of eta/(1 - momentum), to first order."""
    data = ea.data.binary(1.0, 1.0)
    variances = {}
    for momentum in (0.0, 0.9):
        process = ea.models.DiagonalNetwork(0, 1, data=data).sgd(0.005, 1, momentum)
        ens = ea.Ensemble(process, 20_000, 1.0, seed=2).run(steps=3000)
        variances[momentum] = float(np.var(ens.x))
        # the standard error is 1%; what is left is of first order in the learning rate
        assert variances[momentum] == pytest.approx(process.temperature, rel=0.06)
    assert variances[0.9] > 8 * variances[0.0]


def test_what_differs_is_not_equal() -> None:
    a, b = ea.models.MirrorCollapse(T=0.1, h_sd=2.0), ea.models.MirrorCollapse(T=0.4, h_sd=1.0)
    assert a != b and a == ea.models.MirrorCollapse(T=0.1, h_sd=2.0)
    moments = ea.data.moments(1, 1, 2, 2, 3)
    assert ea.models.DiagonalNetwork(data=moments) != ea.models.DiagonalNetwork()
    assert a.sgd(0.1) != b.sgd(0.1) and a.sgd(0.1) == a.sgd(0.1) and a.sgd(0.1) != a.sgd(0.2)
    assert hash(a.sgd(0.1)) == hash(a.sgd(0.1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ea.models.DiagonalNetwork(65535, 65536), "at most 16777216 parameters"),
        (lambda: ea.models.DiagonalNetwork(10**6, 10**6).sgd(0.1), "at most 16777216 parameters"),
        (
            lambda: ea.Ensemble(ea.models.DiagonalNetwork(3, 2**19), 2**30, 1.0),
            "n must leave at most 2\\*\\*44 numbers",
        ),
        (lambda: ea.models.TwoLayerLinear(1, 1, 1, samples=[[1.0, 2.0]]), "N from 2 to"),
        (lambda: ea.models.DiagonalNetwork(T=[0.1, 0.2]).sgd(0.1), "T must be one number"),
        (
            lambda: ea.Ensemble(ea.models.DiagonalNetwork().sgd(0.1), 2, 1.0).run(steps=1, dt=0.2),
            "dt must be the learning rate 0.1",
        ),
        (
            lambda: ea.Ensemble(ea.models.DiagonalNetwork().sgd(0.1), 2, 1.0).run(
                steps=1, coarsen=2
            ),
            "coarsen must be 1",
        ),
    ],
)
def test_refused_by_name(call, words) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_a_large_batch_of_few_samples_is_fine() -> None:
    """One word per sample, however many numbers a sample has."""
    rows = np.random.default_rng(0).normal(size=(4, 20))
    process = ea.models.TwoLayerLinear(10, 1, 10, samples=rows).sgd(0.001, batch=65536)
    assert np.isfinite(ea.Ensemble(process, 2, 0.1, seed=1).run(steps=1).x).all()


def test_divergence_of_training_is_not_blamed_on_dt() -> None:
    process = ea.models.DiagonalNetwork().sgd(5.0)
    with pytest.warns(ea.EnsembleWarning, match="a smaller eta"):
        ea.Ensemble(process, 50, 1.0, seed=1).run(steps=200)
