"""What cannot be answered is refused by name, before or instead of a wrong number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import escapade as ea
from escapade import exact

INF = math.inf
BROWNIAN = exact.Diffusion(lambda x: 0.0, lambda x: 1.0)
OU = exact.Diffusion(lambda x: -x, lambda x: 1.0)


def test_documented_functions_are_the_public_ones() -> None:
    assert set(exact.__all__) <= set(dir(exact)) and ea.exact is exact
    assert all(f"`{name}`" in (exact.__doc__ or "") for name in exact.__all__)
    assert "exact" in dir(ea)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x0": 2.0, "a": 0.0, "b": 1.0}, r"x0 must lie in \[0, 1\], got 2"),
        ({"x0": [0.5, -0.1], "a": 0.0, "b": 1.0}, r"x0 must lie in \[0, 1\], got -0.1"),
        ({"x0": math.nan, "a": 0.0, "b": 1.0}, "x0 must lie in .* got nan"),
        ({"x0": -INF, "b": 1.0}, "x0 must lie in .* got -inf"),
        ({"x0": 0.5, "a": 1.0, "b": 0.0}, "a must be less than b, got a=1.0, b=0.0"),
        ({"x0": 0.5, "a": 0.5, "b": 0.5}, "a must be less than b"),
        ({"x0": 0.5, "a": math.nan, "b": 1.0}, "a must be a finite number"),
        ({"x0": 0.5, "a": INF, "b": 1.0}, "a must be a finite number"),
        ({"x0": 0.5, "a": 0.0, "b": 1.0, "reflect": "left"}, "reflect must be one of"),
        ({"x0": 0.5, "a": None, "b": 1.0, "reflect": "lower"}, "reflect='lower' needs an end"),
        ({"x0": 0.5}, "must have an end that absorbs"),
        ({"x0": 0.5, "b": 1.0, "reflect": "upper"}, "must have an end that absorbs"),
    ],
)
def test_regions(arguments: dict[str, Any], message: str) -> None:
    for function in (exact.mean_exit_time, exact.splitting_probability, exact.exit_time_std):
        with pytest.raises(ValueError, match=message):
            function(OU, **arguments)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"x0": "a"}, "x0"), ({"x0": None}, "x0"), ({"b": "1"}, "b"), ({"a": True}, "a")],
)
def test_types(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be"):
        exact.mean_exit_time(OU, **{"x0": 0.5, "a": 0.0, "b": 1.0} | arguments)


def test_times_and_rates() -> None:
    for bad in (-1.0, math.nan, INF):
        with pytest.raises(ValueError, match="t must be finite and >= 0"):
            exact.survival(OU, 0.5, [1.0, bad], 0.0, 1.0)
        with pytest.raises(ValueError, match="t must be finite and >= 0"):
            exact.exit_time_density(OU, 0.5, bad, 0.0, 1.0)
        with pytest.raises(ValueError, match="s must be finite and >= 0"):
            exact.laplace_transform(OU, 0.5, bad, 0.0, 1.0)
    with pytest.raises(ValueError, match="t must be finite and > 0"):
        exact.transition_density(OU, 0.5, 0.5, 0.0)
    with pytest.raises(ValueError, match="side must be one of"):
        exact.laplace_transform(OU, 0.5, 1.0, 0.0, 1.0, side="left")
    with pytest.raises(ValueError, match="shapes must broadcast together, got x0"):
        exact.survival(OU, [0.5, 0.6], [1.0, 2.0, 3.0], 0.0, 1.0)
    with pytest.raises(ValueError, match="order must be at least 1"):
        exact.exit_time_moments(OU, 0.5, 0.0, 1.0, order=0)
    with pytest.raises(TypeError, match="log must be True or False"):
        exact.splitting_probability(OU, 0.5, 0.0, 1.0, log=1)


@pytest.mark.parametrize(
    ("noise", "where"),
    [
        (lambda x: x - 0.3, 0.3),
        (lambda x: (x - 0.3) ** 2, 0.3),
        (lambda x: np.abs(x + 0.123456), -0.123456),
        (lambda x: np.sqrt(np.abs(x - 0.1)), 0.1),
        (lambda x: np.where(x < 0.25, 1.0, 0.0), 0.25),
        (lambda x: np.where(x < 0.25, 1.0, -1.0), 0.25),
        (np.sin, 0.0),
        (lambda x: 0.0, -0.5),
    ],
)
@pytest.mark.parametrize("drift", [lambda x: -x, lambda x: 0.7])
def test_noise_that_vanishes_inside(noise: Any, where: float, drift: Any) -> None:
    p = exact.Diffusion(drift, noise)
    for call in (exact.mean_exit_time, exact.splitting_probability):
        with pytest.raises(
            ValueError, match="diffusion must not vanish inside the region"
        ) as caught:
            call(p, -0.4, -1.0, 1.0)
    place = float(str(caught.value).split("x = ")[1].split(". Give")[0])
    assert abs(place - where) < 0.6 if where == -0.5 else abs(place - where) < 0.02


@pytest.mark.parametrize("w", [2e-3, 1e-3, 1e-4, 5e-5])
@pytest.mark.parametrize("c", [0.123, -0.5, 0.9])
def test_noise_that_vanishes_in_a_narrow_dip(w: float, c: float) -> None:
    """Found between the nodes. A deep dip that does not vanish is no error."""
    touching = exact.Diffusion(lambda x: 0.0, lambda x: 1.0 - np.exp(-(((x - c) / w) ** 2)))
    crossing = exact.Diffusion(lambda x: 0.0, lambda x: 1.0 - 1.5 * np.exp(-(((x - c) / w) ** 2)))
    for p in (touching, crossing):
        with pytest.raises(ValueError, match="diffusion must not vanish inside") as caught:
            exact.mean_exit_time(p, 0.0, -1.0, 1.0)
        place = float(str(caught.value).split("x = ")[1].split(". Give")[0])
        assert abs(place - c) < w
    deep = exact.Diffusion(lambda x: 0.0, lambda x: 1.001 - np.exp(-(((x - c) / w) ** 2)))
    assert exact.mean_exit_time(deep, 0.0, -1.0, 1.0) > 1.0


def test_noise_that_vanishes_at_a_point_given() -> None:
    """Far below the resolution: unseen without ``points`` (the control), refused with it."""
    noise = lambda x: 1.0 - np.exp(-(((x - 0.123) / 1e-7) ** 2))  # noqa: E731
    unseen = exact.mean_exit_time(exact.Diffusion(lambda x: 0.0, noise), 0.0, -1.0, 1.0)
    assert unseen == pytest.approx(1.0, rel=1e-12)
    named = exact.Diffusion(lambda x: 0.0, noise, points=[0.123])
    with pytest.raises(ValueError, match=r"must not vanish inside .* x = 0\.123"):
        exact.mean_exit_time(named, 0.0, -1.0, 1.0)


def test_a_fault_between_the_nodes() -> None:
    p = exact.Diffusion(lambda x: np.where(np.abs(x - 0.3) < 3e-4, math.nan, -x), lambda x: 1.0)
    with pytest.raises(ValueError, match="drift must be finite inside the region, got nan"):
        exact.mean_exit_time(p, 0.0, -1.0, 1.0)


def test_noise_that_vanishes_towards_an_open_end() -> None:
    """Geometric Brownian motion whose domain was not declared; 0 as an end is right."""
    p = exact.Diffusion(lambda x: 0.3 * x, lambda x: 0.5 * x)
    with pytest.raises(ValueError, match=r"vanish.*x = 0\. Give that point as an end"):
        exact.mean_exit_time(p, 1.0, None, 2.0)
    found = exact.mean_exit_time(p, 1.0, 0.0, 2.0)
    assert found == pytest.approx(math.log(2.0) / 0.175, rel=1e-12)


@pytest.mark.parametrize("bad", [math.nan, INF])
def test_drift_that_is_not_finite(bad: float) -> None:
    for p, name in (
        (exact.Diffusion(lambda x: np.where(x > 0.5, bad, -x), lambda x: 1.0), "drift"),
        (exact.Diffusion(lambda x: -x, lambda x: np.where(x > 0.5, bad, 1.0)), "diffusion"),
    ):
        with pytest.raises(ValueError, match=f"{name} must be finite inside the region, got"):
            exact.mean_exit_time(p, 0.0, -1.0, 1.0)
        with pytest.raises(ValueError, match=f"{name} must be finite inside the region, got"):
            exact.mean_exit_time(p, 0.0, -1.0, None)


def test_what_double_precision_cannot_do() -> None:
    weak = exact.Diffusion(lambda x: -x, lambda x: 1e-6)
    with pytest.raises(ValueError, match="20000 panels"):
        exact.mean_exit_time(weak, 0.0, -1.0, 1.0)
    heavy = exact.Diffusion(lambda x: 0.49 * x, lambda x: np.sqrt(0.2 + x * x))
    with pytest.raises(ValueError, match="falls too slowly"):
        exact.mean_exit_time(heavy, 0.0, None, 1.0)


def test_functions_that_are_not() -> None:
    with pytest.raises(TypeError, match="drift must be a function"):
        exact.Diffusion(1.0, lambda x: 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"domain must be a pair \(low, high\)"):
        exact.Diffusion(lambda x: x, lambda x: 1.0, domain=(1.0, 0.0))
    with pytest.raises(ValueError, match="scale must be greater than 0"):
        exact.Diffusion(lambda x: x, lambda x: 1.0, scale=0.0)
    with pytest.raises(ValueError, match="centre must lie inside"):
        exact.Diffusion(lambda x: x, lambda x: 1.0, domain=(0.0, 1.0), centre=2.0)
    short = exact.Diffusion(lambda x: x[:3], lambda x: 1.0)
    with pytest.raises(ValueError, match="drift must return one number per state"):
        exact.mean_exit_time(short, 0.5, 0.0, 1.0)
    half = exact.Diffusion(lambda x: x, lambda x: x, domain=(0.0, INF))
    with pytest.raises(ValueError, match=r"a must lie within the domain \(0.0, inf\), got -1"):
        exact.mean_exit_time(half, 0.5, -1.0, 1.0)
    with pytest.raises(TypeError, match=r"process must be a model of escapade\.models or"):
        exact.mean_exit_time(lambda x: x, 0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda x: 1j * x, "complex128"),
        (lambda x: x + 0j, "complex128"),
        (lambda x: x > 0.0, "bool"),
        (lambda x: True, "bool"),
        (lambda x: x.astype(object), "object"),
        (lambda x: None, "object"),
        (lambda x: "1", "<U1"),
    ],
)
@pytest.mark.parametrize("name", ["drift", "diffusion"])
@pytest.mark.filterwarnings("error")
def test_values_that_are_not_real(function: Any, kind: str, name: str) -> None:
    functions = {"drift": lambda x: -x, "diffusion": lambda x: 1.0} | {name: function}
    p = exact.Diffusion(**functions)
    for a in (0.1, None):
        with pytest.raises(TypeError, match=f"{name} must return real numbers, got {kind} from"):
            exact.mean_exit_time(p, 0.5, a, 1.0)
    ragged = exact.Diffusion(**functions | {name: lambda x: [1.0, [2.0]]})
    with pytest.raises(TypeError, match=f"{name} must return real numbers, got"):
        exact.mean_exit_time(ragged, 0.5, 0.1, 1.0)


@pytest.mark.parametrize("function", [lambda x: 1, lambda x: [2] * len(x), lambda x: 2.0])
def test_integers_and_lists_are_real(function: Any) -> None:
    p = exact.Diffusion(lambda x: 0, function)
    noise = float(np.ravel(function(np.zeros(1)))[0])
    assert exact.mean_exit_time(p, 0.0, -1.0, 1.0) == pytest.approx(noise**-2, rel=1e-12)


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([0.5, 1.0], ValueError, r"points must lie inside the domain \(0.0, 1.0\), got 1"),
        ([math.nan], ValueError, "points must lie inside .* got nan"),
        (0.5, ValueError, "points must be a list of numbers, got an array of 0 axes"),
        ([[0.5]], ValueError, "points must be a list of numbers, got an array of 2 axes"),
        (["a"], TypeError, "points must be an array of real numbers"),
        ([0.5j], TypeError, "points must be an array of real numbers"),
    ],
)
def test_points(points: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        exact.Diffusion(lambda x: x, lambda x: 1.0, domain=(0.0, 1.0), points=points)


def test_models_of_another_kind() -> None:
    models = ea.models
    for process, message in (
        (models.OrnsteinUhlenbeck(theta=[1.0, 2.0]), "a sweep of OrnsteinUhlenbeck of shape"),
        (models.ScaleInvariant(), "one-dimensional, got ScaleInvariant, whose state is a vector"),
        (models.MirrorCollapse().sgd(0.1), "moves in discrete time"),
    ):
        with pytest.raises(ValueError, match=message):
            exact.mean_exit_time(process, 0.5, 0.0, 1.0)
        with pytest.raises(ValueError, match=message):
            exact.escape_rate(process, 0.0, 1.0)
