"""Moments of data sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escapade import data

MODEST = settings(derandomize=True, deadline=None, max_examples=60)
RUBBISH = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.floats(),
    st.integers(-(10**400), 10**400),
    st.complex_numbers(),
    st.lists(st.floats(), max_size=3),
    st.lists(st.one_of(st.none(), st.text(max_size=2), st.lists(st.integers())), max_size=3),
    st.just(object()),
    st.just(np.zeros((2, 2))),
)


def test_gaussian_moments_are_those_of_the_distribution() -> None:
    m = data.gaussian(0.7, 1.3)
    # Isserlis by Gauss-Hermite quadrature in x and e: exact for these polynomials.
    t, w = np.polynomial.hermite_e.hermegauss(12)
    w = w / w.sum()
    x, e = np.meshgrid(t, t, indexing="ij")
    p, y = np.outer(w, w), 0.7 * x + 1.3 * e

    def mean(f: np.ndarray) -> float:
        return float(np.sum(p * f))

    xx, xy = x * x, x * y
    assert m.beta1 == pytest.approx(mean(xx), rel=1e-13)
    assert m.beta2 == pytest.approx(mean(xy), rel=1e-13)
    assert m.alpha1 == pytest.approx(mean(xx**2) - mean(xx) ** 2, rel=1e-13)
    assert m.alpha2 == pytest.approx(mean(xx * xy) - mean(xx) * mean(xy), rel=1e-13)
    assert m.alpha3 == pytest.approx(mean(xy**2) - mean(xy) ** 2, rel=1e-13)
    assert m.ey2 == pytest.approx(mean(y * y), rel=1e-13)
    assert m.delta == pytest.approx(2 * 1.3**2, rel=1e-13)
    assert m.q(0.4) == pytest.approx(mean((0.4 * xx - xy) ** 2) - mean(0.4 * xx - xy) ** 2)


def test_binary_has_constant_noise() -> None:
    m = data.binary(0.5, 2.0)
    assert (m.beta1, m.beta2, m.alpha1, m.alpha2, m.alpha3) == (1.0, 0.5, 0.0, 0.0, 4.0)
    assert m.delta == 0.0
    assert np.array_equal(m.q([0.0, 3.0]), [4.0, 4.0])


def test_interpolated_data_have_exactly_zero_delta() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=1000) + 0.3
    for k in (0.1, 1.0 / 3.0, 7.7):
        assert data.from_samples(x, k * x).delta == 0.0
    assert data.gaussian(0.3, 0.0).delta == 0.0
    assert data.from_samples(x, 0.3 * x + 1e-3 * rng.normal(size=1000)).delta > 0.0


def test_from_samples_equals_plain_sums_and_keeps_weights_of_a_population() -> None:
    x, y = np.array([1.0, -2.0, 0.5]), np.array([0.3, -1.0, 2.0])
    m = data.from_samples(x, y)
    assert m.beta1 == pytest.approx(np.mean(x * x))
    assert m.alpha3 == pytest.approx(np.var(x * y))  # divided by n, not n - 1
    assert m.alpha2 == pytest.approx(np.cov(x * x, x * y, ddof=0)[0, 1])
    assert m.label == "from_samples(n=3)"
    twice = data.from_samples(np.tile(x, 2), np.tile(y, 2))
    assert twice.alpha1 == pytest.approx(m.alpha1)


def test_from_samples_on_signs_gives_constant_noise() -> None:
    x = np.array([1.0, -1.0, 1.0, -1.0])
    m = data.from_samples(x, [0.1, 0.2, 0.4, 0.7])
    assert m.alpha1 == 0.0
    assert m.alpha2 == 0.0
    assert m.alpha3 > 0.0


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0.0, 1.0, 2.0, 2.0, 3.0), "beta1"),
        ((1.0, math.nan, 2.0, 2.0, 3.0), "beta2"),
        ((1.0, 1.0, -2.0, 2.0, 3.0), "alpha1"),
        ((1.0, 1.0, 2.0, 2.5, 3.0), "alpha2"),
        ((1.0, 1.0, 0.0, 2.5, 3.0), "alpha2"),
        ((1.0, 1.0, 2.0, 2.0, math.inf), "alpha3"),
    ],
)
def test_impossible_moments_are_refused_by_name(arguments: tuple[float, ...], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        data.moments(*arguments)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1.0], [1.0], "at least 2"),
        ([1.0, 2.0], [1.0], "same length"),
        ([1.0, math.nan], [1.0, 2.0], "x must be finite, got 1"),
        ([[1.0, 2.0]], [1.0, 2.0], "x must be 1-D"),
        ([0.0, 0.0], [1.0, 2.0], "identically zero"),
        ([1e200, 1.0], [1.0, 2.0], "fourth powers"),
    ],
)
def test_bad_samples_are_refused(x: object, y: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        data.from_samples(x, y)


@MODEST
@given(st.lists(RUBBISH, min_size=5, max_size=5))
def test_rubbish_raises_only_value_or_type_error(junk: list[object]) -> None:
    for call, count in (
        (data.gaussian, 2),
        (data.binary, 2),
        (data.moments, 5),
        (data.from_samples, 2),
        (data.gaussian(1, 1).q, 1),
    ):
        try:
            call(*junk[:count])  # type: ignore[operator]
        except (ValueError, TypeError):
            pass


@MODEST
@given(st.floats(-1e3, 1e3), st.floats(0.0, 1e3))
def test_moments_of_gaussian_are_always_possible(k: float, s: float) -> None:
    m = data.gaussian(k, s)
    assert m.delta >= 0.0
    # Cancellation in alpha1 alpha3 - alpha2^2 costs eps k^2 / s^2 of relative accuracy.
    assert m.delta == pytest.approx(2 * s * s, rel=1e-12, abs=1e-13 * (k * k + s * s))
