"""Features that are narrow beside the interval: seen down to what `exact.Diffusion` promises.

References are integrals of ``E_0 T = int (1 - |x|)/diffusion^2 dx``, without drift on (-1, 1), by
QUADPACK with the places of the dip given.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from escapade import exact

SOME = settings(max_examples=40, deadline=None, derandomize=True)
PLACES = st.floats(-0.99, 0.99, allow_subnormal=False)
WIDTH = 2.0  # of the interval
PROMISED = 2.5e-5 * WIDTH  # w of a dip 1 - exp(-((x - c)/w)^2)
WIDEST_GAP = WIDTH / 4096.0


def dip(c: float, w: float, least: float = 1e-4) -> Callable[[Any], Any]:
    return lambda x: 1.0 + least - np.exp(-(((x - c) / w) ** 2))


def brownian(noise: Callable[[Any], Any], **how: Any) -> exact.Diffusion:
    return exact.Diffusion(lambda x: 0.0, noise, **how)


def mean_time(p: exact.Diffusion) -> float:
    return float(exact.mean_exit_time(p, 0.0, -1.0, 1.0))


def quadrature(noise: Callable[[Any], Any], c: float, w: float) -> float:
    """Return the mean time, from integrals between places around the dip."""
    away = w * np.array([0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 50.0])
    edges = np.unique(np.clip([-1.0, 0.0, c, 1.0, *(c - away), *(c + away)], -1.0, 1.0))
    return math.fsum(
        integrate.quad(lambda x: (1.0 - abs(x)) / noise(x) ** 2, a, b, epsabs=0.0, epsrel=1e-9)[0]
        for a, b in itertools.pairwise(edges)
    )


@pytest.mark.parametrize("w", [2e-3, 1.5e-3, 1e-3, 3e-4, 1e-4, 6e-5, PROMISED])
def test_dips_of_the_noise(w: float) -> None:
    noise = dip(0.123, w)
    expected = quadrature(noise, 0.123, w)
    assert expected > 50.0
    assert mean_time(brownian(noise)) == pytest.approx(expected, rel=1e-10)
    assert mean_time(brownian(noise, points=[0.123])) == pytest.approx(expected, rel=1e-10)


@SOME
@given(PLACES)
def test_the_narrowest_dip_promised_is_found_anywhere(c: float) -> None:
    noise = dip(c, PROMISED, 1e-2)
    expected = quadrature(noise, c, PROMISED)
    assert mean_time(brownian(noise)) == pytest.approx(expected, rel=1e-9)


@SOME
@given(PLACES, st.sampled_from(["noise", "drift"]))
def test_a_step_wider_than_the_gap_is_found_anywhere(c: float, what: str) -> None:
    width = 1.01 * WIDEST_GAP
    inside = lambda x: np.abs(x - c) < 0.5 * width  # noqa: E731
    if what == "noise":
        p = brownian(lambda x: np.where(inside(x), 0.02, 1.0))
    else:
        p = exact.Diffusion(lambda x: np.where(inside(x), 1000.0, 0.0), lambda x: 1.0)
    named = exact.Diffusion(p.drift, p.diffusion, points=[c - 0.5 * width, c + 0.5 * width])
    assert mean_time(p) == pytest.approx(mean_time(named), rel=1e-9)
    if what == "noise":
        extra = width * (1.0 - abs(c)) * (0.02**-2 - 1.0)
        corner = 0.25 * max(0.0, 0.5 * width - abs(c)) ** 2  # of 1 - |x| within the dip
        assert mean_time(p) == pytest.approx(1.0 + extra, rel=1e-9, abs=4e4 * corner)


@pytest.mark.parametrize("w", [5e-6, 1e-6])
def test_below_the_promise_points_are_needed(w: float) -> None:
    """Negative control: without them the dip goes unseen, and the time is that of noise 1.0001."""
    noise = dip(0.123, w)
    expected = quadrature(noise, 0.123, w)
    assert mean_time(brownian(noise)) == pytest.approx(1.0001**-2, rel=1e-12)
    assert abs(expected / 1.0001**-2 - 1.0) > 1e-2
    assert mean_time(brownian(noise, points=[0.123])) == pytest.approx(expected, rel=1e-9)


@SOME
@given(PLACES, st.floats(-6.0, -2.0), st.floats(-2.0, 2.0))
def test_points_may_be_off_by_the_width(c: float, power: float, off: float) -> None:
    w = 10.0**power
    noise = dip(c, w, 1e-2)
    point = min(max(c + off * w, -1.0), 1.0)
    p = brownian(noise, points=[point, -0.5, 7.0])
    assert mean_time(p) == pytest.approx(quadrature(noise, c, w), rel=1e-8)


def test_kinks_and_jumps_at_points() -> None:
    for drift in (lambda x: np.abs(x - 0.3), lambda x: np.where(x < 0.3, 1.0, -1.0)):
        plain = exact.Diffusion(drift, lambda x: 0.7)
        named = exact.Diffusion(drift, lambda x: 0.7, points=[0.3])
        for ask in (exact.mean_exit_time, exact.exit_time_std, exact.splitting_probability):
            assert ask(named, 0.0, -1.0, 1.0) == pytest.approx(
                ask(plain, 0.0, -1.0, 1.0), rel=1e-12
            )
        assert exact.escape_rate(named, -1.0, 1.0) == pytest.approx(
            exact.escape_rate(plain, -1.0, 1.0), rel=1e-11
        )


def test_an_open_end() -> None:
    def time(w: float, **how: Any) -> float:
        p = exact.Diffusion(lambda x: -x, dip(-0.5, w, 0.05), **how)
        return float(exact.mean_exit_time(p, 0.0, b=1.0))

    for w in (1e-2, 1e-3, 3e-4):
        assert time(w) == pytest.approx(time(w, points=[-0.5]), rel=1e-11)
    assert abs(time(1e-5) / time(1e-5, points=[-0.5]) - 1.0) > 1e-4  # the control


@pytest.mark.parametrize("w", [1e-4, 1e-5])
def test_a_dip_does_not_hide_the_end_behind_it(w: float) -> None:
    """Where paths do not get in time is found on 4001 places: 0.123 is one of them, 0.12325 is not."""
    t = [0.05, 0.1, 0.2]
    on, off = (
        exact.exit_time_density(brownian(dip(c, w), points=[c]), 0.0, t, -1.0, 1.0, side="upper")
        for c in (0.123, 0.12325)
    )
    assert (off > 1e-7).all()
    np.testing.assert_allclose(on, off, rtol=1e-3)


def test_time_dependence_sees_dips() -> None:
    p = brownian(dip(0.123, 1e-4))
    mean, rate = mean_time(p), float(exact.escape_rate(p, -1.0, 1.0))
    nodes, weights = np.polynomial.legendre.leggauss(12)
    edges = np.concatenate([[0.0], np.geomspace(1e-5, 40.0, 30)]) / rate
    half = 0.5 * np.diff(edges)[:, None]
    t = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes
    alive = exact.survival(p, 0.0, t, -1.0, 1.0)
    assert float(np.sum(half * weights * alive)) == pytest.approx(mean, rel=1e-9)
