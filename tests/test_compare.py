"""Comparison of samples and histograms with a law. Seeds are fixed: a test passes or fails for good.

Had the seeds been drawn afresh, each ``p > 0.001`` would fail once in a thousand runs.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import escapade as ea
from escapade import laws

MODEST = settings(derandomize=True, deadline=None, max_examples=60)


def histogram(x: np.ndarray, edges: np.ndarray, independent: int | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        edges=edges,
        counts=np.histogram(x, edges)[0],
        underflow=int(np.count_nonzero(x < edges[0])),
        overflow=int(np.count_nonzero(x > edges[-1])),
        independent=x.size if independent is None else independent,
    )


def test_ks_agrees_with_scipy() -> None:
    x = np.random.default_rng(1).normal(0.1, 1.0, 500)
    got = laws.Normal(0.0, 1.0).compare(x)
    want = stats.kstest(x, "norm")
    assert got.ks == pytest.approx(want.statistic, rel=1e-12)
    assert got.p_value == pytest.approx(want.pvalue, rel=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "law",
    [
        laws.PowerLaw(1.0, 0.1, 0.4, 1.0, 0.1),
        laws.DiagonalNetwork(1, 1, 0.2, 1.0, 1.0, 2.0, 2.0, 3.0),
        laws.DiagonalNetwork(1, 1, 0.33, 1.0, 1.0, 2.0, 2.0, 3.0),  # 2% of it below 1e-308
        laws.DiagonalNetwork(3, 2, 0.2, 1.0, 1.0, 2.0, 2.0, 3.0),
        laws.DoubleWell(2.0, 1.0),
        laws.Pitchfork(0.3, 1.0, 0.7),
    ],
    ids=lambda law: law.name,
)
def test_own_samples_pass(law: laws.Law, seed: int) -> None:
    result = law.compare(law.rvs(200_000, random_state=seed))
    assert result.p_value > 1e-3
    assert result.chi2_p > 1e-3
    assert max(abs(result.bulk.z), abs(result.lower_tail.z), abs(result.upper_tail.z)) < 4.0


def test_negative_control_two_percent_of_drift() -> None:
    """A drift wrong by 2% must be seen in a million samples, and is not noise."""
    right = laws.PowerLaw(1.0, 0.1, 0.4, 1.0)
    wrong = laws.PowerLaw(1.02, 0.1, 0.4, 1.0)
    x = right.rvs(1_000_000, random_state=5)
    assert right.compare(x).p_value > 1e-3
    rejected = wrong.compare(x)
    assert rejected.p_value < 1e-4
    assert rejected.chi2_p < 1e-4
    edges = np.linspace(-3, 3, 301)
    assert right.compare(histogram(x, edges)).p_value > 1e-3
    assert wrong.compare(histogram(x, edges)).p_value < 1e-4


def test_negative_control_other_calculus() -> None:
    """The Stratonovich reading has exponent kappa - 1/2, i.e. H replaced by H - eh/2."""
    x = laws.PowerLaw(1.0 - 0.2, 0.1, 0.4, 1.0).rvs(100_000, random_state=6)
    assert laws.PowerLaw(1.0, 0.1, 0.4, 1.0).compare(x).p_value < 1e-10


def test_p_values_are_uniform_under_the_law() -> None:
    """200 samples of 400: KS of the p-values themselves; by chance it fails in 0.1% of seeds."""
    law = laws.StudentT(3.0)
    x = law.rvs((200, 400), random_state=7)
    results = [law.compare(row) for row in x]
    for p in ([r.p_value for r in results], [r.chi2_p for r in results]):
        assert stats.kstest(p, "uniform").pvalue > 1e-3
    z = np.array([r.bulk.z for r in results])
    assert abs(z.std() - 1.0) < 4.0 / math.sqrt(2 * 200)


def test_histogram_distance_is_a_lower_bound_and_close() -> None:
    law = laws.DiagonalNetwork(1, 1, 0.1, 1.0, 1.0, 2.0, 2.0, 3.0)
    x = law.rvs(50_000, random_state=8)
    fine = law.compare(histogram(x, np.linspace(0.0, 6.0, 2001)))
    exact = law.compare(x)
    assert fine.binned
    assert not exact.binned
    assert fine.ks <= exact.ks + 1e-12
    assert fine.ks > 0.9 * exact.ks
    assert fine.bulk.observed == pytest.approx(exact.bulk.observed, abs=0.01)
    assert abs(fine.bulk.z) < 4.0
    assert abs(fine.lower_tail.z) < 4.0
    assert abs(fine.upper_tail.z) < 4.0


def test_p_value_of_a_histogram_uses_the_independent_number() -> None:
    law = laws.Normal(0.0, 1.0)
    x = np.repeat(np.random.default_rng(9).normal(size=2000), 50)  # 50 copies of each sample
    edges = np.linspace(-4, 4, 161)
    assert law.compare(histogram(x, edges)).p_value < 1e-6
    honest = law.compare(histogram(x, edges, independent=2000))
    assert honest.p_value > 1e-3
    assert honest.chi2_p > 1e-3
    assert honest.n == 2000


def test_tails_notice_what_ks_misses() -> None:
    law = laws.Normal(0.0, 1.0)
    x = law.rvs(100_000, random_state=10)
    x[x > 2.5] = 2.2  # moves 0.6% of the mass by very little
    result = law.compare(x)
    assert result.p_value > 1e-4
    assert result.upper_tail.z < -15.0
    assert abs(result.lower_tail.z) < 4.0
    assert result.upper_tail.expected == pytest.approx(0.01)


def test_point_mass_comparison() -> None:
    law = laws.PointMass(0.0, "collapsed")
    assert law.compare(np.zeros(10)).p_value == 1.0
    assert law.compare(np.array([0.0, 1.0])).ks == 0.5
    assert law.compare(np.array([0.0, 1.0])).p_value == 0.0


def test_few_samples_and_text() -> None:
    result = laws.Normal(0.0, 1.0).compare([0.3])
    assert result.n == 1
    assert math.isnan(result.chi2_p)
    assert result.ks == pytest.approx(stats.norm.cdf(0.3))
    text = str(laws.Normal(0.0, 1.0).compare(np.linspace(-2, 2, 200)))
    assert "KS distance" in text
    assert "upper tail" in text
    assert len(text.splitlines()) == 7


def test_bad_data_are_refused() -> None:
    law = laws.Normal(0.0, 1.0)
    with pytest.raises(ValueError, match="2 of 3"):
        law.compare([math.nan, 1.0, math.inf])
    with pytest.raises(ValueError, match="1-D"):
        law.compare([[1.0]])
    with pytest.raises(ValueError, match="1-D"):
        law.compare([])
    with pytest.raises(TypeError, match="samples"):
        law.compare("abc")
    good = histogram(np.array([0.1, 0.2]), np.array([0.0, 1.0, 2.0]))
    for key, value, error in (
        ("edges", [0.0, 0.0, 1.0], ValueError),
        ("edges", [0.0, 1.0], ValueError),
        ("counts", [0.5, 0.5], TypeError),
        ("counts", [-1, 5], ValueError),
        ("underflow", 1.5, TypeError),
        ("independent", 0, ValueError),
    ):
        with pytest.raises(error):
            law.compare(SimpleNamespace(**{**vars(good), key: value}))
    empty = SimpleNamespace(**{**vars(good), "counts": [0, 0]})
    with pytest.raises(ValueError, match="empty"):
        law.compare(empty)


@MODEST
@given(
    st.one_of(
        st.none(),
        st.text(max_size=3),
        st.lists(st.floats(), max_size=5),
        st.integers(),
        st.lists(st.lists(st.floats(), max_size=2), max_size=2),
        st.builds(
            SimpleNamespace,
            edges=st.lists(st.floats(), max_size=4),
            counts=st.lists(st.integers(-5, 10**30), max_size=4),
            underflow=st.integers(-2, 3),
            overflow=st.one_of(st.none(), st.integers(-2, 3)),
            independent=st.one_of(st.integers(-2, 100), st.floats()),
        ),
    )
)
def test_rubbish_raises_only_value_or_type_error(junk: object) -> None:
    try:
        laws.StudentT(3.0).compare(junk)
    except (ValueError, TypeError):
        pass


def test_lost_particles_are_no_samples() -> None:
    """Most particles of this run are lost: the p-value is that of the few that are left."""
    hist = ea.Histogram(0.0, 20.0, bins=200)
    model = ea.models.BalancedNetwork(T=0.2)
    ens = ea.Ensemble(model, 20_000, 1.0, seed=1)
    ens.run(5.0, 0.05, scheme="euler-maruyama", observe=hist, on_bad="ignore")
    found = model.stationary().compare(hist)
    lost = int(ens.status.sum())
    assert 0.5 * ens.n < lost == found.lost == hist.nonfinite
    assert found.n == ens.n - lost
    assert f"{lost} of 20000 particles were lost" in str(found)
    whole = ea.Histogram(0.0, 20.0, bins=200)
    ea.Ensemble(model, 2000, 1.0, seed=1).run(1.0, 0.01, observe=whole)
    assert model.stationary().compare(whole).lost == 0
