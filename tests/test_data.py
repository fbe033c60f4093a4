"""Moments of data sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

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


# -- the law of the samples -------------------------------------------------------------------------


def test_the_law_comes_with_the_moments() -> None:
    law = data.gaussian(0.5, 0.25).law
    assert law is not None and (law.kind, law.k, law.s) == ("gaussian", 0.5, 0.25)
    assert data.binary(0.5, 0.25).law == data.DataLaw("binary", 0.5, 0.25)
    assert data.moments(1, 1, 2, 2, 3).law is None
    x, y = np.array([1.0, -2.0, 0.5]), np.array([0.3, -1.0, 2.0])
    m = data.from_samples(x, y)
    assert m.law is not None and np.array_equal(m.law.x, x) and np.array_equal(m.law.y, y)
    x[0] = 9.0  # a copy was kept
    assert m.law.x[0] == 1.0 and not m.law.x.flags.writeable


def test_laws_compare_and_hash_by_value() -> None:
    x = [1.0, -2.0, 0.5]
    same, other = data.from_samples(x, x), data.from_samples(x, [1.0, -2.0, 0.6])
    assert same == data.from_samples(x, x) and hash(same) == hash(data.from_samples(x, x))
    assert same != other and same.law != other.law and same != 3
    assert data.gaussian(1, 1) == data.gaussian(1, 1) != data.gaussian(1, 2)
    assert data.gaussian(1, 1) != data.moments(1, 1, 2, 2, 3)
    assert data.moments(1, 1, 2, 2, 3) == data.moments(1, 1, 2, 2, 3)  # ey2 is nan in both
    assert len({data.binary(0.0, 1), data.binary(-0.0, 1)}) == 1


def test_interpolating_data_have_no_noise_at_k() -> None:
    m = data.interpolating(0.7)
    assert (m.beta1, m.alpha1, m.delta, m.label) == (1.0, 2.0, 0.0, "interpolating(k=0.7)")
    assert m.q(0.7) == pytest.approx(0.0, abs=1e-15) and m.q(1.7) == pytest.approx(2.0)
    assert m.law == data.DataLaw("gaussian", 0.7, 0.0)


def test_representation_of_a_point_is_short() -> None:
    assert repr(data.binary(1, 1)) == (
        "DataMoments(beta1=1.0, beta2=1.0, alpha1=0.0, alpha2=0.0, alpha3=1.0, ey2=2.0, "
        "label='binary(k=1, s=1)')"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.DataLaw("uniform"), "kind must be one of 'gaussian', 'binary', 'samples'"),
        (lambda: data.DataLaw("gaussian", 1.0, -1.0), "s must be at least 0, got -1"),
        (lambda: data.DataLaw("gaussian", 1.0, 1.0, [1, 2], [1, 2]), "x and y must be None"),
        (
            lambda: data.DataMoments(1, 1, 2, 2, 3.1, 2, law=data.DataLaw("gaussian", 1, 1)),
            "law must have the moments given, got alpha3",
        ),
        (
            lambda: data.DataMoments(1, 1, 2, 2, 3, 2, law=data.DataLaw("gaussian", 1, [1, 1])),
            "law must have the moments given",
        ),
    ],
)
def test_impossible_laws_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="law must be a DataLaw or None"):
        data.DataMoments(1, 1, 2, 2, 3, law="gaussian")  # type: ignore[arg-type]


# -- sweeps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [data.gaussian, data.binary])
def test_every_point_of_a_sweep_is_the_scalar_data_set(family: Callable[..., Any]) -> None:
    k, s = np.array([[0.3], [-1.0]]), np.linspace(0.0, 2.0, 3)
    m = family(k, s)
    assert m.shape == (2, 3) and family(1.0, 1.0).shape == ()
    for i in range(2):
        for j in range(3):
            assert m[i, j] == family(k[i, 0], s[j]) == m[i - 2, j - 3]
            assert m[i, j].label == family(k[i, 0], s[j]).label
            assert m.delta[i, j] == m[i, j].delta
            assert m.q(0.4)[i, j] == m[i, j].q(0.4)
    assert not m.beta1.flags.writeable and not m.law.k.flags.writeable
    assert m == family(k, s) and hash(m) == hash(family(k, s)) and m != family(k, s + 1)
    assert m.label == f"{family.__name__}(k=-1..0.3 (2, 3), s=0..2 (2, 3))"


def test_sweeps_of_the_other_data_sets() -> None:
    m = data.interpolating([0.5, 1.0])
    assert m[1] == data.interpolating(1.0) and np.array_equal(m.delta, [0.0, 0.0])
    plain = data.moments(1.0, [0.5, 1.0], 2.0, 1.0, 3.0)
    assert plain.shape == (2,) and plain[0].beta2 == 0.5 and plain[1].label == "moments[1]"
    assert plain.alpha3.shape == (2,) and plain[0].law is None
    assert [point.beta2 for point in plain] == [0.5, 1.0]  # the sequence protocol
    one = data.gaussian([1.0], 1.0)
    assert one.shape == (1,) and one != data.gaussian(1.0, 1.0) == one[0] == one[0][()]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: data.gaussian(np.ones(3), np.ones(4)),
            r"k of shape \(3,\) and s of shape \(4,\) do not broadcast",
        ),
        (lambda: data.gaussian(1.0, [1.0, -2.0]), r"s must be .*at least 0.*got -2\.0 at index 1"),
        (lambda: data.gaussian([[1.0, math.inf]], 1.0), r"k must be finite.*inf at index \(0, 1\)"),
        (lambda: data.gaussian([], 1.0), "k must hold at least one number"),
        (lambda: data.moments([1.0, 0.0], 1, 2, 2, 3), "beta1 must be .*greater than 0.*0.0 at"),
        (lambda: data.moments(1, 1, 2, [2.0, 2.5], 3), r"alpha2 = 2\.5"),
        (lambda: data.moments(1, 1, [2.0, 0.0], 2.0, 3), "alpha2"),
        (
            lambda: data.moments(np.ones(2), 1, 2, 2, np.full(3, 9.0)),
            "beta1 of shape .2,. and alpha3 of shape .3,. do not broadcast",
        ),
        (lambda: data.gaussian(1.0, [1.0, 2.0]).q([1.0, 2.0, 3.0]), "v of shape .3,. and data"),
        (lambda: data.gaussian([[1.0, 2.0]], 1.0)[0], "index must select one point"),
    ],
)
def test_bad_sweeps_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_bad_indices_are_refused() -> None:
    m = data.gaussian(1.0, [1.0, 2.0])
    for bad in (2, -3, (0, 0)):
        with pytest.raises(IndexError, match="sweep of shape"):
            m[bad]
    for junk in (slice(None), 1.0, "a", None, np.array([0, 1])):
        with pytest.raises(TypeError, match="index must be an integer"):
            m[junk]
    with pytest.raises(TypeError, match="a single point, not a sweep"):
        data.gaussian()[0]


@MODEST
@given(
    st.lists(
        st.tuples(st.floats(0.0, 1e3), st.floats(-1.0, 1.0), st.floats(0.0, 1e3)),
        min_size=1,
        max_size=5,
    )
)
def test_the_determinant_of_a_sweep_is_that_of_its_points(
    rows: list[tuple[float, float, float]],
) -> None:
    triples = [(a, c * math.sqrt(a) * math.sqrt(b), b) for a, c, b in rows]
    a1, a2, a3 = map(np.array, zip(*triples, strict=True))
    try:
        m = data.moments(1.0, 1.0, a1, a2, a3)
    except ValueError:
        with pytest.raises(ValueError, match="alpha2"):
            for triple in triples:
                data.moments(1.0, 1.0, *triple)
        return
    assert [data.moments(1.0, 1.0, *triple).delta for triple in triples] == list(m.delta)
