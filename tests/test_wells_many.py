"""Wells and log landscapes of several numbers: steps against numpy, laws, the two clocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

import escapade as ea

Array = Any
models = ea.models


@dataclass(frozen=True)
class Case:
    """A loss L of states (n, dim), the squared noise ``c0 + c1 L``, and a start."""

    model: Any
    loss: Callable[[Array], Array]
    c0: float
    c1: float
    start: Array

    def gradient(self, x: Array) -> Array:
        """By a complex step: exact to rounding."""
        steps = 1e-150j * np.eye(x.shape[1])
        return np.stack([self.loss(x + e).imag / 1e-150 for e in steps], axis=1)

    def step(self, x: Array, t: Array, z: Array, h: float) -> tuple[Array, Array]:
        """Euler and Maruyama, by the clock of the model; t is the physical time."""
        L = self.loss(x)[:, None]
        if getattr(self.model, "clock", "physical") == "random":
            moved = x - self.gradient(x) / L * h + np.sqrt(self.c1 * h) * z.T
            return moved, t + h / L[:, 0]
        return x - self.gradient(x) * h + np.sqrt((self.c0 + self.c1 * L) * h) * z.T, t + h


def well(dim: int, h: float, k: float, bend: float, sg: float, sH: float, eta: float) -> Case:
    """Theory_escape B.1: C = sg + (2 sH/H_a) L with H_a = 8 h."""

    def loss(x: Array) -> Array:
        s = x[:, 0] ** 2 - 1
        return h * s**2 + k / 2 * ((x[:, 1:] - bend * s[:, None]) ** 2).sum(axis=1)

    model = models.LossCoupledWellND(dim, h, k, bend, sg, sH, eta)
    start = np.r_[-0.8, np.linspace(0.1, 0.3, dim - 1)]
    return Case(model, loss, eta * sg, eta * 2 * sH / (8 * h), start)


def landscape(dim: int, kind: str, clock: str, h: float = 1.4, L0: float = 0.5) -> Case:
    """Theory_escape C."""

    def loss(x: Array) -> Array:
        if kind == "quadratic":
            return L0 + h / 2 * (x**2).sum(axis=1)
        return L0 + h / 8 * (x[:, 0] ** 2 - 1) ** 2 + h / 2 * (x[:, 1:] ** 2).sum(axis=1)

    model = models.LogLandscape(dim, h, L0, 0.2, 3, kind, clock)
    return Case(model, loss, 0.0, 2 * 0.2 * h / 3, np.linspace(-0.8, 0.4, dim))


CASES = {
    "well 1": well(1, 1.2, 3.0, 0.4, 0.3, 0.7, 0.8),
    "well 2": well(2, 1.2, 3.0, 0.0, 0.3, 0.7, 0.8),
    "well 2 bent": well(2, 0.9, 5.0, 0.6, 0.2, 1.1, 0.5),
    "well 4 bent": well(4, 0.9, 5.0, -0.4, 0.2, 0.0, 0.5),
    **{
        f"{kind} {dim} {clock}": landscape(dim, kind, clock)
        for dim, kind, clock in itertools.product(
            (1, 2, 5), ("quadratic", "well"), ("random", "physical")
        )
    },
}
each_case = pytest.mark.parametrize("label", CASES)


# -- steps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["float32", "float64"])
@each_case
def test_equals_numpy(label: str, noise: str) -> None:
    case, n, h, steps = CASES[label], 100, 0.01, 4
    dim = case.start.size
    x, t = case.start + 0.1 * np.cos(np.arange(n * dim)).reshape(n, dim), np.zeros(n)
    ens = ea.Ensemble(case.model, n, x, seed=4, noise=noise).run(steps=steps, dt=h)
    for z in ea._core.normals(n, steps * dim, 4, noise=noise).astype(float).reshape(steps, dim, n):
        x, t = case.step(x, t, z, h)
    np.testing.assert_allclose(ens.x, x, rtol=1e-13, atol=2e-14)
    if getattr(case.model, "clock", "") == "random":
        np.testing.assert_allclose(case.model.physical_time(ens), t, rtol=1e-13)
        wrong = np.full(n, steps * h)  # control: the clock of the steps
        assert np.max(np.abs(case.model.physical_time(ens) - wrong)) > 1e-4


@each_case
def test_losses_and_places(label: str) -> None:
    case = CASES[label]
    x = case.start + np.sin(np.arange(6 * case.start.size)).reshape(6, -1)
    np.testing.assert_allclose(case.model.loss(x), case.loss(x), rtol=1e-14)
    np.testing.assert_allclose(case.model.observables()["loss"](x), case.loss(x), rtol=1e-14)
    places = [case.model.minimum]
    if not label.startswith("quadratic"):
        places.append(case.model.saddle)
        rise = case.model.loss(places[1]) - case.model.loss(places[0])
        assert math.isclose(rise, case.model.barrier, rel_tol=1e-13)
    assert np.max(np.abs(case.gradient(np.array(places)))) < 1e-15
    # noise is as strong as that of the minibatch: sigma_g at the minimum, 2 L h/B at any place
    lowest = case.loss(places[0][None])[0]
    expected = 2 * 0.2 * 1.4 / 3 * 0.5 if "clock" in case.model.params else case.c0
    assert math.isclose(case.c0 + case.c1 * lowest, expected, rel_tol=1e-13)


def test_determinants_do_not_depend_on_the_bend() -> None:
    """Hessians by differences: det H_a = 8 h k, det H_b = -4 h k, with the bend or without."""
    for bend in (0.0, 0.7):
        case, d = well(2, 0.9, 5.0, bend, 0.2, 1.0, 1.0), 1e-5
        for place, curvature in ((case.model.minimum, 8 * 0.9), (case.model.saddle, -4 * 0.9)):
            pair = [
                case.gradient(place + np.array([s * d * e for e in np.eye(2)])) for s in (1, -1)
            ]
            hessian = (pair[0] - pair[1]) / (2 * d)
            assert math.isclose(np.linalg.det(hessian), curvature * 5.0, rel_tol=1e-7)


@pytest.mark.parametrize(
    "label", ["well 2 bent", "well 4 bent", "quadratic 1 random", "well 5 random"]
)
def test_bits(label: str, restore_isa: None) -> None:
    """The same over instruction sets, threads, parts of a run and particles, time included."""
    case, seen = CASES[label], set()
    for isa, threads in itertools.product(ea._core.supported_isas(), (1, 3)):
        ea._core.set_isa(isa)
        for dtype in ("float32", "float64"):
            ens = ea.Ensemble(case.model, 300, case.start, seed=6, dtype=dtype, threads=threads)
            ens.run(steps=4, dt=0.01).run(steps=5, dt=0.01)
            seen.add((dtype, ens._planes(slice(None)).tobytes()))
            part = ea.Ensemble(case.model, 65, case.start, seed=6, dtype=dtype, first_id=100)
            part.run(steps=9, dt=0.01)
            assert np.array_equal(part._planes(slice(None)), ens._planes(slice(None))[100:165])
    assert len(seen) == 2


def test_random_time_survives_a_checkpoint(tmp_path: Any) -> None:
    case = CASES["well 2 random"]
    ens = ea.Ensemble(case.model, 50, case.start, seed=6).run(steps=7, dt=0.01)
    ens.save(tmp_path / "state.npz")
    again = ea.Ensemble.load(tmp_path / "state.npz")
    assert np.array_equal(case.model.physical_time(again), case.model.physical_time(ens))


# -- laws ------------------------------------------------------------------------------------------


def agrees(law: Any, x: Array) -> bool:
    """Kolmogorov and Smirnov, p > 1e-4: fails for 1e-4 of all seeds a test; seeds are fixed."""
    p = float(stats.kstest(np.sort(np.asarray(x, dtype=float)), law.cdf).pvalue)
    print(f"p = {p:.2g}")
    return p > 1e-4


@pytest.mark.parametrize("bend", [0.0, 0.5])
def test_marginal_law_of_a_well(bend: float) -> None:
    """C^-(kappa - 1) along the valley, whatever it looks like; C^-kappa is the wrong exponent."""
    model = models.LossCoupledWellND(3, 0.5, 3.0, bend, 0.4, 1.0, 1.0)  # kappa = 5
    x0 = np.random.default_rng(1).choice([-1.0, 1.0], 20_000)[:, None] * [1.0, 0.0, 0.0]
    ens = ea.Ensemble(model, 20_000, x0, seed=2).run(t=6.0, dt=0.004)
    along = model.observable("along")(np.asarray(ens.x))
    assert agrees(model.stationary(), along)
    assert not agrees(models.LossCoupledWell(0.5, 0.4, 1.0).stationary(), along)  # control


def test_density_of_a_well_is_a_power_of_the_loss() -> None:
    """No flux, -grad L p - grad(eta C p)/2 = 0, at random points, by a complex step."""
    case = well(3, 0.9, 5.0, 0.6, 0.2, 1.1, 0.5)
    model, x = case.model, np.random.default_rng(0).normal(size=(20, 3))

    def flux(kappa: float) -> Array:
        def noisy(at: Array) -> Array:  # C p, complex-analytic
            return (case.c0 + case.c1 * case.loss(at)) ** (1 - kappa)

        p = noisy(x) / (case.c0 + case.c1 * case.loss(x))
        slope = [noisy(x + 1e-150j * e).imag / 1e-150 for e in np.eye(3)]
        gradient = case.gradient(x)
        return np.abs(gradient * p[:, None] + np.stack(slope, 1) / 2) / np.abs(
            gradient * p[:, None]
        )

    assert np.max(flux(model.kappa)) < 1e-12
    assert np.min(flux(model.kappa - 0.5)) > 1e-3  # control


@pytest.mark.parametrize(("dim", "eta"), [(1, 0.5), (2, 0.3), (3, 0.25)])
def test_radial_laws_of_both_clocks(dim: int, eta: float) -> None:
    """Physical clock: L^-phi; random clock: L^-(phi - 1), each with the other as control."""
    found = {}
    for clock in ("physical", "random"):
        model = models.LogLandscape(dim, 1.0, 1.0, eta, 1, "quadratic", clock)
        ens = ea.Ensemble(model, 40_000, np.zeros(dim), seed=3).run(t=12.0, dt=0.01)
        found[clock] = model.stationary(), model.observable("radius")(np.asarray(ens.x))
    for one, other in (("physical", "random"), ("random", "physical")):
        assert agrees(found[one][0], found[one][1])
        assert not agrees(found[other][0], found[one][1])


def test_the_time_change_gives_the_law_of_physical_time() -> None:
    """States at even steps of tau, each with the time 1/L that it lasts, have the law L^-phi.

    Ten bins of equal probability: z-scores of independent particles below 5, fails once in 1e5;
    without the weights (control) they are far off.
    """
    model = models.LogLandscape(2, 1.0, 1.0, 0.4, 1)
    law = models.LogLandscape(2, 1.0, 1.0, 0.4, 1, "quadratic", "physical").stationary()
    ens = ea.Ensemble(model, 40_000, np.zeros(2), seed=5).run(t=10.0, dt=0.01)
    x = np.asarray(ens.x)
    weight, cell = 1 / model.loss(x), np.floor(10 * law.cdf(model.observable("radius")(x)))

    def worst(w: Array) -> float:
        shares = [w * ((cell == c) - 0.1) for c in range(10)]
        return max(abs(s.mean()) / (s.std() / math.sqrt(len(s))) for s in shares)

    assert worst(weight) < 5
    assert worst(np.ones(len(x))) > 20
    # and the clock: the mean of dt/dtau is E 1/L by the law of tau, within 5 standard errors
    start = model.physical_time(ens).copy()
    ens.run(t=20.0, dt=0.01)
    rate = (model.physical_time(ens) - start) / 20.0
    phi = float(model.phi)
    expected = (phi - 2) / (phi - 1)  # n = 2, L0 = 1: E 1/L of the density L^-(phi - 1)
    assert abs(rate.mean() - expected) < 5 * rate.std() / math.sqrt(len(rate)) + 0.01 * expected


def test_landscape_is_a_power_law_in_one_dimension() -> None:
    """Theory_escape C: sigma_g = 2 L0 h/B, sigma_H = h^2/B; kappa is phi."""
    h, L0, eta, batch = 1.3, 0.6, 0.2, 2
    model = models.LogLandscape(1, h, L0, eta, batch, "quadratic", "physical")
    power = models.PowerLaw(h, 2 * L0 * h / batch, h**2 / batch, eta)
    start = np.linspace(-1.0, 1.0, 50)
    a = ea.Ensemble(model, 50, start[:, None], seed=1).run(steps=20, dt=0.01)
    b = ea.Ensemble(power, 50, start, seed=1).run(steps=20, dt=0.01, scheme="euler-maruyama")
    np.testing.assert_allclose(a.x[:, 0], b.x, rtol=1e-12)
    radius = np.array([0.1, 0.5, 2.0])
    both = model.stationary().sf(radius) - 2 * power.stationary().sf(radius)
    assert np.max(np.abs(both)) < 1e-12
    assert math.isclose(model.phi, 1 + h / (eta * h**2 / batch))


def test_landscape_well_is_the_loss_coupled_well() -> None:
    h, L0, eta = 1.3, 0.6, 0.2
    model = models.LogLandscape(2, h, L0, eta, 3, "well", "physical")
    same = models.LossCoupledWellND(2, h / 8, h, 0.0, 2 * L0 * h / 3, h**2 / 3, eta)
    start = np.array([-0.9, 0.2])
    a, b = (ea.Ensemble(m, 50, start, seed=1).run(steps=20, dt=0.01) for m in (model, same))
    np.testing.assert_allclose(a.x, b.x, rtol=1e-12, atol=1e-14)
    x = np.linspace(-2.0, 2.0, 7)
    np.testing.assert_allclose(model.stationary().pdf(x), same.stationary().pdf(x), rtol=1e-11)
    assert math.isclose(model.phi, same.kappa)


# -- refusals --------------------------------------------------------------------------------------


def test_no_law_from_n_c_on() -> None:
    def make(dim: int) -> Any:
        return models.LogLandscape(dim, 1.0, 1.0, 0.5, 1, "quadratic", "physical")

    assert make(1).n_c == 6.0
    assert make(5).stationary().moment(0.9) < math.inf
    for dim in (6, 9):
        with pytest.raises(ea.laws.NoStationaryLaw, match="n < 6 numbers only"):
            make(dim).stationary()
    many = models.LossCoupledWellND(9, 1.0, 8.0, 0.0, 0.1, 2.5)  # kappa = 4.2 < 8/2 + 1/4
    with pytest.raises(ea.laws.NoStationaryLaw, match="spread without bound"):
        many.stationary()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: models.LogLandscape(clock="wall"), "^clock must be one of"),
        (lambda: models.LogLandscape(landscape="cubic"), "^landscape must be one of"),
        (lambda: models.LogLandscape(L0=0.0), "^L0 must be"),
        (lambda: models.LogLandscape(dim=[1, 2]), "^dim must be a single number"),
        (lambda: models.LogLandscape().saddle, "^landscape must be 'well'"),
        (lambda: models.LogLandscape(2, h=[1.0, 2.0]).loss([1.0, 2.0]), "is a sweep"),
        (lambda: models.LossCoupledWellND(dim=0), "^dim"),
        (lambda: models.LossCoupledWellND(k=0.0), "^k must be"),
    ],
)
def test_bad_arguments(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_physical_time_is_of_ensembles_of_the_model() -> None:
    one, other = models.LogLandscape(), models.LogLandscape(clock="physical")
    ens = ea.Ensemble(other, 3, [0.0], seed=1)
    with pytest.raises(ValueError, match=r"^clock must be"):
        other.physical_time(ens)
    with pytest.raises(ValueError, match=r"^ensemble must be"):
        one.physical_time(ens)
    sweep = models.LogLandscape(2, eta=[0.1, 0.2])
    many = ea.Ensemble(sweep, 5, [0.1, 0.0], seed=1).run(steps=3, dt=0.01)
    assert sweep.physical_time(many).shape == (2, 5)
    assert sweep[1].phi == 6.0 and sweep.phi.tolist() == [11.0, 6.0]


@pytest.mark.parametrize("clock", ["random", "physical"])
def test_escape_from_the_log_landscape_on_either_clock(clock: str) -> None:
    """Mean times with the bridge against radial quadrature: |z| < 3.5 and 1.5 % for the step.

    One number: dx = -L'/L d tau + sqrt(2 eta h/B) dW by the random clock, with L = 1 + x^2/2. The
    bridge has to know the noise of the clock (it did not: 11 in the place of 37).
    """
    model = ea.models.LogLandscape(1, eta=0.1, batch=1, clock=clock)
    x = np.linspace(-0.9, 0.9, 7)
    process = ea.exact.Diffusion(
        lambda u: model.drift(np.asarray(u)[..., None])[..., 0],
        lambda u: model.diffusion(np.asarray(u)[..., None])[..., 0, 0],
    )
    assert np.all(process.diffusion(x) > 0.0)
    exact = float(ea.exact.mean_exit_time(process, 0.0, -1.0, 1.0))
    if clock == "random":  # by functions of its own
        own = ea.exact.Diffusion(lambda u: -u / (1 + u * u / 2), lambda u: 0.2**0.5 + 0 * u)
        assert exact == pytest.approx(float(ea.exact.mean_exit_time(own, 0.0, -1.0, 1.0)))
    found = ea.escape(model, [0.0], ea.Interval(-1, 1), n=4000, dt=0.002, burn_in=0.0, seed=1)
    assert abs(found.mean_time - exact) < 3.5 * found.mean_time_stderr + 0.015 * exact
    ball = ea.escape(model, [0.0], ea.Ball([0.0], 1.0), n=4000, dt=0.002, burn_in=0.0, seed=2)
    assert abs(ball.mean_time - exact) < 3.5 * ball.mean_time_stderr + 0.015 * exact
