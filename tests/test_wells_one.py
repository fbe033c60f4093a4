"""Wells in one dimension: losses, laws, and the noise of a regression against its samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_table import CASES, loss_coupled_well, multiplicative_well, one_step, two_parabola_well
from scipy import integrate
from training import PROBLEMS, exact_moments

import escapade as ea

Array = Any
WELLS = [label for label, case in CASES.items() if "Well" in label]
QUIET = settings(derandomize=True, deadline=None, max_examples=25)


def slope(f: Any, x: Array, d: float = 1e-4) -> Array:
    """Return f' by differences, of order d^4."""
    return (8 * (f(x + d) - f(x - d)) - (f(x + 2 * d) - f(x - 2 * d))) / (12 * d)


# -- the loss --------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", WELLS)
def test_drift_is_minus_the_gradient_of_the_loss(label: str) -> None:
    """The drift is the table's, which is the engine's (test_one_step.py)."""
    case = CASES[label]
    x = np.linspace(-1.61, 1.53, 40)
    np.testing.assert_allclose(case.a(x), -slope(case.model.loss, x), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("label", WELLS)
def test_minimum_saddle_and_barrier(label: str) -> None:
    model, a = CASES[label].model, CASES[label].a
    assert abs(a(np.array(model.minimum))) < 1e-14 and abs(a(np.array(model.saddle))) < 1e-14
    d = 1e-3
    for place, sign in ((model.minimum, 1), (model.saddle, -1)):
        near = model.loss(np.array([place - d, place + d])) - model.loss(place)
        assert np.all(sign * near > 0)
    height = model.loss(model.saddle) - model.loss(model.minimum)
    assert math.isclose(height, model.barrier, rel_tol=1e-12)


def test_correlated_noise_by_the_distance() -> None:
    """The one setting of a two-parabola well that the table leaves out: one step of three schemes."""
    case = two_parabola_well("", 1.5, 4.0, 6.0, 0.1, 0.7, -2.0)
    x, z = np.linspace(-1.4, 1.2, 200), ea._core.normals(200, 1, 5, noise="float64")[0]
    for scheme in ("euler-maruyama", "milstein", "heun"):
        ens = ea.Ensemble(case.model, 200, x, seed=5, noise="float64")
        ens.run(steps=1, dt=0.01, scheme=scheme)
        np.testing.assert_allclose(
            ens.x, one_step(case, scheme, x, z, 0.01), rtol=1e-12, atol=1e-14
        )
    assert "lamperti-heun" not in case.model.schemes


def test_sweeps_of_wells() -> None:
    a = np.array([0.5, 0.7, 0.9])
    wells = ea.models.TwoParabolaWell(a=a)
    assert np.array_equal(wells.barrier, 2.0 * a**2) and wells[1].barrier == 2.0 * 0.7**2
    regressions = ea.models.RegressionWell(a, data=ea.models.RegressionWell.draw(20, 3))
    assert regressions.barrier.shape == (3,) and regressions[1].barrier == regressions.barrier[1]
    assert regressions.sgd(0.1).shape == (3,)
    coupled = ea.models.LossCoupledWell(sigma_H=np.array([0.0, 2.0]))
    assert coupled.kappa.tolist() == [math.inf, 5.0]
    ens = ea.Ensemble(regressions, 10, -0.5, seed=1).run(steps=5, dt=0.01)
    single = ea.Ensemble(regressions[2], 10, -0.5, seed=1, first_id=20).run(steps=5, dt=0.01)
    assert np.array_equal(ens.x[2], single.x)


# -- stationary laws -------------------------------------------------------------------------------


def reference(model: Any, x: Array) -> Array:
    """Log density up to a constant, by quadrature of 2 a/b^2 and minus ln b^2."""
    if isinstance(model, ea.models.LossCoupledWell):
        C = model.sigma_g + 2 * model.sigma_H / (8 * model.h) * model.loss(x)
        return -(1 + 8 * model.h / (model.eta * model.sigma_H)) * np.log(C)

    def noise(x: Array) -> Array:
        return model.eta * model.sigma_g * (1 + model.modulation * np.sin(model.wave * x))

    def force(x: float) -> float:
        return float(-8 * model.h * x * (x * x - 1) / noise(x))

    # asked for more than rounding may allow; what it reaches is judged by the comparison, so no warnings
    ask = {"epsabs": 1e-13, "epsrel": 1e-13, "limit": 400, "full_output": 1}
    part = [integrate.quad(force, 0, at, **ask)[0] for at in x]
    return np.array(part) - np.log(noise(x))


@QUIET
@given(
    h=st.floats(0.3, 8),
    modulation=st.floats(-0.95, 0.95),
    wave=st.floats(0.1, 12),
    eta=st.floats(0.1, 4),
)
def test_law_of_multiplicative_wells(h: float, modulation: float, wave: float, eta: float) -> None:
    check_law(ea.models.MultiplicativeWell(h, 1.0, modulation, wave, eta))


@QUIET
@given(h=st.floats(0.3, 5), sg=st.floats(0.02, 4), sH=st.floats(0.1, 30))
def test_law_of_loss_coupled_wells(h: float, sg: float, sH: float) -> None:
    check_law(ea.models.LossCoupledWell(h, sg, sH))


def check_law(model: Any) -> None:
    law = model.stationary()
    x = np.array([-2.0, -1.1, -0.4, 0.0, 0.3, 1.0, 1.7])
    log_p = law.logpdf(x)
    expected = reference(model, x)
    scale = 1 + np.max(np.abs(expected - expected[3]))
    np.testing.assert_allclose(log_p - log_p[3], expected - expected[3], atol=2e-12 * scale)
    q = np.array([1e-9, 0.01, 0.3, 0.5, 0.8, 0.999])
    np.testing.assert_allclose(law.cdf(law.ppf(q)), q, rtol=1e-10)
    np.testing.assert_allclose(law.sf(law.isf(q)), q, rtol=1e-10)
    # the density is the derivative of the distribution function, which ends at 1
    edges = np.linspace(-2.0, 2.0, 401)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    mass = (law.pdf(middle[:, None] + half[:, None] * nodes) * weights).sum(axis=1) * half
    np.testing.assert_allclose(mass.sum(), law.cdf(2.0) - law.cdf(-2.0), rtol=1e-9)


def test_moments_modes_and_entropy_of_a_law_on_the_line() -> None:
    """Student's t, known in closed form, as a law by quadrature."""
    nu, scale = 5.5, 0.7
    exact = ea.laws.StudentT(nu, 0.3, scale)

    def score(x: Array) -> Array:
        z = (x - 0.3) / scale
        return -(nu + 1) * z / (nu + z * z) / scale

    law = ea.laws.LineLaw("t", score, 0.0, 1.0, (0.3,), nu)
    for n in range(6):
        assert math.isclose(law.moment(n), exact.moment(n), rel_tol=1e-11)
    assert (
        law.moment(6) == math.inf
        and math.isnan(law.moment(7))
        and "n < 5.5" in law.moment_reason(6)
    )
    assert math.isclose(law.entropy(), exact.entropy(), rel_tol=1e-12)
    assert law.modes() == pytest.approx([0.3], abs=1e-12)
    x = np.array([-1e9, -30.0, 0.0, 0.31, 5.0, 1e12])
    np.testing.assert_allclose(law.pdf(x), exact.pdf(x), rtol=1e-11)
    np.testing.assert_allclose(law.sf(x), exact.sf(x), rtol=1e-11)


def test_known_limits_of_the_laws() -> None:
    """Constant noise is Boltzmann's law; kappa decides the tail."""
    x = np.linspace(-2, 2, 9)
    flat = ea.models.MultiplicativeWell(1.3, 0.6, 1e-12, 2.0, 0.5).stationary()
    boltzmann = ea.laws.DoubleWell(1.3, 0.15)
    np.testing.assert_allclose(flat.cdf(x), boltzmann.cdf(x), rtol=1e-10)
    same = ea.models.LossCoupledWell(1.3, 0.6, 0.0, 0.5).stationary()
    np.testing.assert_allclose(same.cdf(x), boltzmann.cdf(x), rtol=1e-13)
    tail = ea.models.LossCoupledWell(1.0, 0.1, 16.0, 1.0).stationary()  # kappa = 3/2: |x|^-6
    assert tail.modes() == pytest.approx([-1.0, 1.0])
    assert tail.moment(4) < math.inf and tail.moment(5) != tail.moment(5)
    ratio = tail.logpdf(1e6) - tail.logpdf(1e5)
    assert math.isclose(ratio, -6 * math.log(10), rel_tol=1e-8)


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (ea.models.MultiplicativeWell(sigma_g=0.0), ea.laws.NoStationaryLaw, "without noise"),
        (ea.models.LossCoupledWell(sigma_g=0.0), ea.laws.NoStationaryLaw, "depends on its start"),
        (ea.models.TwoParabolaWell(), ea.laws.NoStationaryLaw, "run off"),
        (ea.models.TwoParabolaWell(sigma_H=50.0), NotImplementedError, "brings particles back"),
        (ea.models.RegressionWell(), ea.laws.NoStationaryLaw, "run off"),
        (ea.models.MultiplicativeWell(eta=[0.1, 0.2]), ValueError, "sweep"),
    ],
)
def test_refused_laws(model: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        model.stationary()


# -- the rates that docstrings state ---------------------------------------------------------------


def crossing_time(case: Any, low: float) -> float:
    """Mean time from one minimum of a quartic well to the other, by quadrature of scale and speed."""
    x = np.linspace(low, 1.0, 100_001)
    force = 2 * case.a(x) / case.b(x) ** 2
    height = -integrate.cumulative_simpson(force, x=x, initial=0)
    top, bottom = height.max(), height.min()
    speed = integrate.cumulative_simpson(
        2 * np.exp(bottom - height) / case.b(x) ** 2, x=x, initial=0
    )
    time = integrate.cumulative_simpson(np.exp(height - top) * speed, x=x, initial=0)
    return float((time[-1] - time[np.searchsorted(x, -1.0)]) * np.exp(top - bottom))


@pytest.mark.parametrize(("eta", "ratio"), [(0.4, 1.0772), (0.1, 1.0155), (0.05, 1.0075)])
def test_kramers_with_multiplicative_noise(eta: float, ratio: float) -> None:
    """Theory_escape B.1: the exact time over the formula, which is right as eta -> 0."""
    case = multiplicative_well("", 1.0, 1.0, 0.5, 2.0, eta)

    def slope(x: float) -> float:  # 2 L'/(eta C)
        return float(-2 * case.a(np.array(x)) / case.b(np.array(x)) ** 2)

    rise = integrate.quad(slope, -1, 0)[0]
    prefactor = (
        2 * math.pi / math.sqrt(8 * 4) * float(case.b(np.array(0.0)) / case.b(np.array(-1.0)))
    )
    assert abs(crossing_time(case, -2.2) / (prefactor * math.exp(rise)) - ratio) < 1e-4


@pytest.mark.parametrize(("kappa", "ratio"), [(3, 0.926), (8, 0.972), (20, 0.989), (40, 0.9945)])
def test_power_law_of_the_loss_coupled_well(kappa: float, ratio: float) -> None:
    """Theory_escape B.1, eq. 4, at C(0)/C(-1) = 5; the exponent kappa (control) is off by 5^(1/2)."""
    eh = 8 / (kappa - 1)
    case = loss_coupled_well("", 1.0, eh / 16, eh, 1.0)
    assert math.isclose(case.model.kappa, kappa)
    assert math.isclose(float(case.b(np.array(0.0)) / case.b(np.array(-1.0))) ** 2, 5)
    time = crossing_time(case, -4.0) / (2 * math.pi / math.sqrt(8 * 4))
    assert abs(time / 5 ** (kappa - 0.5) - ratio) < 6e-4
    assert abs(time / 5**kappa - ratio) > 0.3


# -- regression ------------------------------------------------------------------------------------

REGRESSIONS = ["well", "well samples"]


@pytest.mark.parametrize("label", REGRESSIONS)
def test_regression_noise_is_the_covariance_of_gradients(label: str) -> None:
    """One Euler step with known normals, on both sides, against sums over samples."""
    problem, h, batch = PROBLEMS[label], 1e-3, 4
    p = problem.model.params
    model = ea.models.RegressionWell(**{**p, "batch": batch})
    z = ea._core.normals(1000, 1, 5, noise="float64")[0]
    for start in (-1.3, -0.2, 0.4, 1.1):
        ens = ea.Ensemble(model, 1000, start, seed=5, noise="float64")
        ens.run(steps=1, dt=h, scheme="euler-maruyama")
        moved = type(problem)(
            problem.model,
            problem.normals,
            problem.one,
            problem.mean,
            np.array([start]),
            problem.count,
        )
        mean, covariance = exact_moments(moved)
        noise = math.sqrt(model.eta * float(covariance) / batch)
        np.testing.assert_allclose(
            ens.x, start - h * mean[0] + noise * math.sqrt(h) * z, rtol=1e-12
        )
        control = start - h * mean[0] + noise * math.sqrt(h * batch / (batch + 1)) * z
        assert np.max(np.abs(ens.x - control)) > 1e-4


@pytest.mark.parametrize("label", REGRESSIONS)
def test_regression_loss_and_places(label: str) -> None:
    model = PROBLEMS[label].model
    w = np.linspace(-1.7, 1.6, 41)
    gradient = PROBLEMS[label].mean(w[:, None])[:, 0]
    np.testing.assert_allclose(slope(model.glued_loss, w), gradient, rtol=1e-8, atol=1e-7)
    assert abs(PROBLEMS[label].mean(np.array([[model.minimum], [model.saddle]]))).max() < 1e-13
    d = model.data
    height = model.curvature * (model.a + d.beta2 / d.beta1) ** 2
    assert math.isclose(model.barrier, height, rel_tol=1e-13)
    rise = model.glued_loss(model.saddle) - model.glued_loss(model.minimum)
    assert math.isclose(rise, height, rel_tol=1e-12)


def test_setting_of_the_paper() -> None:
    """x, y ~ N(0, 1): H = 2, eta sigma_g = 4 eta/b, eta sigma_H = 8 eta/b."""
    infinite = ea.models.RegressionWell(0.7, 0.05, 2)
    law = infinite.power_law
    assert (law.H, law.sigma_g, law.sigma_H, law.a, law.rho) == (2.0, 2.0, 4.0, 0.7, 0.0)
    assert law.noise == "distance" and law.barrier == infinite.barrier
    data = ea.models.RegressionWell.draw()
    assert data.law.x.shape == (500,) and data == ea.models.RegressionWell.draw(500, 0)
    drawn = ea.models.RegressionWell(0.7, data=data)
    assert abs(drawn.curvature - 2.0) < 0.5 and drawn.params["data"] is data
    total = ea.models.RegressionWell(0.7, data=data, loss="sum")
    assert math.isclose(total.curvature, 500 * drawn.curvature, rel_tol=1e-13)
    assert math.isclose(total.barrier, 500 * drawn.barrier, rel_tol=1e-13)


def test_gradient_descent_finds_the_minimum_of_a_regression_well() -> None:
    model = ea.models.RegressionWell(0.8, data=ea.models.RegressionWell.draw(50, 1))
    ens = ea.Ensemble(model.gd(0.1), 5, -0.2, seed=0).run(steps=400)
    np.testing.assert_allclose(ens.x, model.minimum, rtol=1e-13)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ea.models.RegressionWell(-0.1), "^a must be greater than"),
        (lambda: ea.models.RegressionWell(loss="sum"), "^loss must be 'mean'"),
        (lambda: ea.models.RegressionWell(loss="total"), "^loss must be one of"),
        (lambda: ea.models.RegressionWell(batch=0), "^batch"),
        (lambda: ea.models.RegressionWell.draw(1), "^n must be"),
        (lambda: ea.models.TwoParabolaWell(noise="none"), "^noise must be one of"),
        (lambda: ea.models.TwoParabolaWell(rho=9.0), r"^rho\^2"),
        (lambda: ea.models.MultiplicativeWell(modulation=1.0), "^modulation"),
        (lambda: ea.models.LossCoupledWell(h=0.0), "^h must be"),
    ],
)
def test_bad_arguments(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_stationary_start_of_a_well_that_leaks_is_refused() -> None:
    with pytest.raises(ea.laws.NoStationaryLaw, match="run off"):
        ea.Ensemble(ea.models.TwoParabolaWell(), 10, "stationary")
