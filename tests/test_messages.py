"""Refusals name the model that was asked, in its own parameters, and say what to do instead."""

from __future__ import annotations

import math

import numpy as np
import pytest

import escapade as ea
from escapade.laws import NoStationaryLaw, PointMass

M = ea.models
MOMENTS = ea.data.moments(1.0, 1.0, 2.0, 2.0, 3.0)  # E y^2 is not known


def test_mirror_collapse_speaks_of_its_own_parameters() -> None:
    law = M.MirrorCollapse(h_mean=-0.1).stationary()
    assert isinstance(law, PointMass) and law.at == 0.0
    assert "-(h_mean + 2 gamma) - T h_sd^2/2 = -0.1 < 0" in law.reason
    for arguments, what in [
        ((-1.0, 1.0, 0.1), "grows"),
        ((0.0, 0.0, 0.1), "does not move"),
        ((-0.5, 1.0, 1.0), "driftless"),
    ]:
        with pytest.raises(NoStationaryLaw, match=what) as caught:
            M.MirrorCollapse(*arguments).stationary()
        text = str(caught.value)
        assert text.startswith("MirrorCollapse(h_mean=") and "mu" not in text


def test_two_point_saddle_speaks_of_its_own_parameters() -> None:
    with pytest.raises(NoStationaryLaw, match=r"TwoPointSaddle\(a=.*-a/2 - lam \(2 - a\)\^2/8"):
        M.TwoPointSaddle(-0.3, 0.1).stationary()
    for c in (0.0, 1.0):
        law = M.TwoPointSaddle(-0.3, 0.5, c).stationary()
        assert isinstance(law, PointMass) and law.at == 0.0 and "lam (2 - a)^2/8" in law.reason
    still = M.TwoPointSaddle(-0.5, 0.0, 1.0).stationary()
    assert still.at == math.sqrt(0.25) and still.reason.startswith("lam = 0")
    model = M.TwoPointSaddle(-0.3, 0.1, 1.0)
    law = model.stationary()
    assert law.name == repr(model)
    assert law.mean() == ea.laws.Pitchfork(0.15, 1.0, math.sqrt(0.1) * 1.15).mean()


def test_compare_says_that_it_wants_one_number_per_particle() -> None:
    law, x = M.DiagonalNetwork().stationary(), np.ones((10, 2))
    with pytest.raises(ValueError, match=r"one number per particle.*model\.observable\('v'\)"):
        law.compare(x)
    assert law.compare(M.DiagonalNetwork().observable("v")(x)).n == 10


def test_schemes_of_processes_in_discrete_time() -> None:
    sgd = ea.Ensemble(M.DiagonalNetwork().sgd(0.1), n=4, x0=1.0, seed=1)
    only = "is a process in discrete time: its only scheme is 'sgd'$"
    with pytest.raises(ValueError, match=f"SGD {only}"):
        sgd.run(steps=1, dt=0.1, scheme="milstein")
    assert M.DiagonalNetwork().gd(0.1).schemes == ("sgd",)
    sde = ea.Ensemble(M.DiagonalNetwork(), n=4, x0=1.0, seed=1)
    with pytest.raises(ValueError, match=r"use model\.sgd\(eta\); it can use"):
        sde.run(steps=1, dt=0.1, scheme="sgd")
    well = ea.Ensemble(M.DoubleWell(), n=4, x0=1.0, seed=1)
    with pytest.raises(ValueError, match="stochastic differential equation; it can use"):
        well.run(steps=1, dt=0.1, scheme="sgd")


def test_balanced_network_points_to_the_network_that_can_be_trained() -> None:
    for name in ("sgd", "gd"):
        with pytest.raises(AttributeError, match=rf"use DiagonalNetwork\(\.\.\.\)\.{name}\(eta\)"):
            getattr(M.BalancedNetwork(), name)
    with pytest.raises(AttributeError, match=r"'nothing'$"):
        _ = M.BalancedNetwork().nothing


@pytest.mark.parametrize("cls", [M.DiagonalNetwork, M.GeneralizedRescaling])
def test_loss_says_that_it_needs_ey2(cls) -> None:
    model = cls(data=MOMENTS)
    with pytest.raises(ValueError, match=r"of = 'loss' needs E y\^2.*ey2"):
        model.observable("loss")
    with pytest.raises(ValueError, match="ey2"):
        model.gd(0.1).observable("loss")
    with pytest.raises(ValueError, match="of must be one of 'v'"):
        model.observable("nothing")
    for name in ("loss", "trace_hessian"):
        with pytest.raises(ValueError, match="single data set"):
            cls(data=ea.data.gaussian([1.0, 2.0], 1.0)).observable(name)
    assert callable(cls(data=ea.data.gaussian(1.0, 1.0)).observable("loss"))


@pytest.mark.parametrize("make", [lambda m: m, lambda m: m.sgd(0.1), lambda m: m.gd(0.1)])
@pytest.mark.parametrize(
    "x0", [0.0, [0.0, 0.0], [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], 1e-200, ea.init.normal(0.0, 0.0)]
)
def test_scale_invariant_cannot_start_at_the_origin(make, x0) -> None:
    with pytest.raises(ValueError, match=r"x0 must not be the origin.*ScaleInvariant\("):
        ea.Ensemble(make(M.ScaleInvariant()), n=3, x0=x0, seed=1)


def test_scale_invariant_starts_elsewhere() -> None:
    for x0 in (1.0, [1.0, 0.0], np.ones((3, 2)), ea.init.normal(1.0)):
        ea.Ensemble(M.ScaleInvariant(), n=3, x0=x0, seed=1).run(steps=1, dt=1e-3)
    with pytest.raises(ValueError, match=r"origin.*float32"):
        ea.Ensemble(M.ScaleInvariant(), n=3, x0=1e-30, seed=1, dtype="float32")


@pytest.mark.parametrize("depth, width", [(1, 1), (1, 3), (2, 2)])
def test_observables_have_the_shapes_that_their_docstrings_give(depth, width) -> None:
    model = M.DiagonalNetwork(depth, width)
    x = np.ones((5, model.dim))
    shapes = {name: f(x).shape for name, f in model.observables().items()}
    want = {"v": (5,), "loss": (5,), "trace_hessian": (5,), "charge": (5, depth * width)}
    both = {"sum": (5, width), "difference": (5, width)} if depth == 1 else {}
    assert shapes == {**want, "noise_residual": (5, depth), **both}


@pytest.mark.parametrize("d", [1, 2])
def test_observables_of_two_factors_keep_their_axis(d) -> None:
    two, layers = M.GeneralizedRescaling((2,) * (d + 1)), M.TwoLayerLinear(2, d, 2)
    for model, extra in ((two, d), (layers, d * d)):
        for name, function in model.observables().items():
            tail = (extra,) if name in ("charge", "noise_residual") else ()
            assert function(np.ones((5, model.dim))).shape == (5, *tail), name
