"""Observers against numpy on the same states, their schedules, and their merging."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import escapade as ea

OU = ea.models.OrnsteinUhlenbeck(theta=1.0, mu=0.5, sigma=1.2)
DT = 0.1


def ensemble(n: int = 5000, seed: int = 1, **kwargs: object) -> ea.Ensemble:
    kwargs.setdefault("x0", 0.3)
    return ea.Ensemble(OU, n, seed=seed, threads=2, **kwargs)  # type: ignore[arg-type]


def standing(x: np.ndarray, **kwargs: object) -> ea.Ensemble:
    """An ensemble whose states are x; a run of no steps lets observers look."""
    return ea.Ensemble(OU, x.size, x, seed=0, **kwargs)  # type: ignore[arg-type]


def look(x: np.ndarray, observer: ea.Observer) -> None:
    """Let an observer see exactly x, through its every-step schedule over a motionless step."""
    still = ea.models.OrnsteinUhlenbeck(theta=0.0, mu=0.0, sigma=0.0)
    ea.Ensemble(still, x.size, x, seed=0).run(
        steps=1, dt=1.0, scheme="euler-maruyama", observe=observer, on_bad="ignore"
    )


# -- Moments ---------------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    n=st.integers(2, 9000),
    order=st.integers(1, 8),
    location=st.sampled_from([0.0, 1.0, -50.0, 1e3]),
    scale=st.sampled_from([1.0, 1e-3, 1e4]),
)
def test_moments_equal_numpy(n: int, order: int, location: float, scale: float) -> None:
    x = location + scale * np.random.default_rng(n).standard_normal(n)
    tight = 1e-9 + 1e-14 * abs(location) / scale  # what rounding of x itself leaves
    m = ea.Moments(order)
    look(x, m)
    assert m.count == n and m.bad == 0
    assert m.mean == pytest.approx(x.mean(), rel=1e-12, abs=1e-12 * scale)
    assert m.var == pytest.approx(x.var(), rel=tight)
    assert m.std == pytest.approx(x.std(), rel=tight)
    assert m.mean_stderr == pytest.approx(x.std() / math.sqrt(n), rel=tight)
    if order >= 2:
        spread = np.mean((x - x.mean()) ** 4) - x.var() ** 2
        error = math.sqrt(max(spread, 0.0) / n)
        assert m.var_stderr == pytest.approx(error, rel=1e-6, abs=math.sqrt(tight) * x.var())
    for k in range(1, order + 1):
        size = np.mean(np.abs(x) ** k)
        assert m.moment(k) == pytest.approx(np.mean(x**k), rel=1e-9, abs=1e-11 * size)
        if k >= 2:
            c = x - x.mean()
            assert m.central(k) == pytest.approx(
                np.mean(c**k), abs=10 * tight * np.mean(np.abs(c) ** k)
            )
        if location == 0.0:
            expected = math.sqrt(max(np.mean(x ** (2 * k)) - np.mean(x**k) ** 2, 0.0) / n)
            assert m.moment_stderr(k) == pytest.approx(expected, rel=1e-6)


def test_skewness_and_kurtosis_equal_scipy() -> None:
    x = np.random.default_rng(5).gamma(2.0, size=20_000)
    m = ea.Moments(4)
    look(x, m)
    assert m.skewness == pytest.approx(stats.skew(x), rel=1e-10)
    assert m.kurtosis == pytest.approx(stats.kurtosis(x), rel=1e-10)


def test_standard_errors_are_those_of_repetitions() -> None:
    # 200 independent ensembles; the spread of their means against the mean of the errors they
    # state: the ratio of variances is chi2_199/199, outside (0.70, 1.35) with probability 1e-3.
    means, errors, variances, var_errors = [], [], [], []
    for k in range(200):
        m = ea.Moments(2)
        ensemble(500, seed=k).run(steps=30, dt=DT, observe=m)
        means.append(m.mean)
        errors.append(m.mean_stderr)
        variances.append(m.var)
        var_errors.append(m.var_stderr)
    for values, stated in ((means, errors), (variances, var_errors)):
        assert 0.70 < np.var(values) / np.mean(np.square(stated)) < 1.35


def test_nonfinite_particles_are_left_out_and_counted() -> None:
    network = ea.models.BalancedNetwork(T=0.5)
    lost = ea.Ensemble(network, 9001, 1.0, seed=3)
    m, h, t = ea.Moments(2), ea.Histogram(0, 10, 50), ea.TimeAverage()
    lost.run(steps=20, dt=0.05, scheme="euler-maruyama", observe=[m, h, t], on_bad="ignore")
    good = np.isfinite(lost.x)
    assert 0 < good.sum() < lost.n
    assert m.count == good.sum() and m.bad == lost.n - good.sum()
    assert m.mean == pytest.approx(lost.x[good].mean(), rel=1e-12)
    assert h.nonfinite == lost.n - good.sum()
    assert int(h.counts.sum()) + h.underflow + h.overflow == good.sum()
    assert np.array_equal(np.isfinite(t.values), good)
    assert lost.report().nonfinite == np.count_nonzero(lost.status) == lost.n - good.sum()


@settings(derandomize=True, deadline=None, max_examples=20)
@given(n=st.integers(2, 9000), cut=st.floats(0.01, 0.99))
def test_merged_moments_are_those_of_the_whole(n: int, cut: float) -> None:
    x = 3.0 + np.random.default_rng(n).standard_normal(n)
    first = min(max(int(cut * n), 1), n - 1)
    whole, a, b = ea.Moments(4), ea.Moments(4), ea.Moments(4)
    look(x, whole)
    look(x[:first], a)
    look(x[first:], b)
    both = a.merge(b)
    assert both.count == n
    for k in range(1, 5):
        assert both.moment(k) == pytest.approx(whole.moment(k), rel=1e-11)
    assert both.var == pytest.approx(whole.var, rel=1e-10)
    assert both.mean_stderr == pytest.approx(whole.mean_stderr, rel=1e-10)


def test_moments_over_time() -> None:
    m = ea.Moments(2, every=7)
    s = ea.Snapshots(np.arange(7, 50, 7) * DT)
    ensemble().run(steps=50, dt=DT, observe=[m, s])
    assert np.allclose(m.t, np.arange(7, 50, 7) * DT)
    assert np.allclose(m.mean, s.x.mean(axis=1), rtol=1e-12)
    assert np.allclose(m.var, s.x.var(axis=1), rtol=1e-10)


# -- Histogram -------------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    n=st.integers(1, 9000),
    bins=st.integers(1, 700),
    lo=st.floats(-3, 1),
    width=st.floats(0.1, 5),
    scale=st.sampled_from(["linear", "log", "symlog"]),
    seed=st.integers(0, 99),
)
def test_histogram_equals_numpy(
    n: int, bins: int, lo: float, width: float, scale: str, seed: int
) -> None:
    x = np.random.default_rng(seed).standard_t(2, size=n)
    lo = 0.01 * 10**lo if scale == "log" else lo
    h = ea.Histogram(lo, lo + width, bins, scale=scale, threshold=0.3)
    look(x, h)
    expected, _ = np.histogram(x, h.edges)
    assert np.array_equal(h.counts, expected)
    assert h.underflow == np.count_nonzero(x < lo)
    assert h.overflow == np.count_nonzero(x > h.hi)
    assert h.independent == n and h.looks == 1 and h.nonfinite == 0
    assert np.sum(h.density * np.diff(h.edges)) == pytest.approx(h.counts.sum() / n)


def test_histogram_edges_follow_numpy() -> None:
    h = ea.Histogram(0, 4, 4)
    look(np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nextafter(0, -1), np.nextafter(4, 5)]), h)
    assert h.counts.tolist() == [1, 1, 1, 2] and h.underflow == 1 and h.overflow == 1


def test_large_and_small_numbers_of_bins() -> None:
    x = np.random.default_rng(1).random(200_000)
    for bins in (1, 65_536, 65_537, 1_000_000):
        h = ea.Histogram(0, 1, bins)
        look(x, h)
        assert h.counts.sum() == x.size
        assert np.array_equal(h.counts, np.histogram(x, h.edges)[0])


def test_pooled_histogram_counts_looks_but_not_samples() -> None:
    h = ea.Histogram(-5, 5, 20, every=10)
    ensemble(3000).run(steps=50, dt=DT, observe=h)
    assert h.looks == 5 and h.independent == 3000
    assert int(h.counts.sum()) + h.underflow + h.overflow == 15_000


def test_merged_histogram_is_that_of_the_whole() -> None:
    whole, a, b = (ea.Histogram(-4, 4, 80) for _ in range(3))
    ensemble(4000).run(steps=9, dt=DT, observe=whole)
    ensemble(1500).run(steps=9, dt=DT, observe=a)
    ensemble(2500, first_id=1500).run(steps=9, dt=DT, observe=b)
    both = a.merge(b)
    assert np.array_equal(both.counts, whole.counts) and both.independent == 4000
    assert (both.underflow, both.overflow) == (whole.underflow, whole.overflow)


# -- Snapshots, TimeAverage, Autocorrelation -------------------------------------------------------


def test_snapshots_are_the_states() -> None:
    s = ea.Snapshots([0.0, 0.5, 2.0, 7.0])
    e = ensemble(300)
    e.run(t=2.0, dt=DT, observe=s)
    assert s.times.tolist() == [0.0, 0.5, 2.0] and s.x.shape == (3, 300)
    assert np.array_equal(s.x[0], np.full(300, 0.3)) and np.array_equal(s.x[2], e.x)
    fresh = ensemble(300)
    assert np.array_equal(fresh.run(t=0.5, dt=DT).x, s.x[1])
    e.run(t=5.0, dt=DT, observe=s)
    assert s.times.tolist() == [0.0, 0.5, 2.0, 7.0] and np.array_equal(s.x[3], e.x)


def test_time_average_is_the_mean_of_snapshots() -> None:
    average, s = ea.TimeAverage(every=3), ea.Snapshots(np.arange(3, 31, 3) * DT)
    ensemble(400).run(steps=31, dt=DT, observe=[average, s])
    assert average.looks == 10
    assert np.allclose(average.values, s.x.mean(axis=0), rtol=1e-13)
    assert average.mean == pytest.approx(average.values.mean(), rel=1e-12)
    assert average.stderr == pytest.approx(average.values.std() / math.sqrt(400), rel=1e-10)


def test_autocorrelation_of_ornstein_uhlenbeck() -> None:
    # exact: exp(-theta lag). Five z-scores, |z| < 4.5 fails with probability 3e-5.
    lags = np.array([0.0, 0.5, 1.0, 2.0, 4.0])
    c = ea.Autocorrelation(lags)
    e = ea.Ensemble(OU, 200_000, "stationary", seed=4, noise="float64")
    e.run(t=4.0, dt=0.02, observe=c)
    assert np.array_equal(c.lags, lags)
    assert c.values[0] == pytest.approx(1.0, abs=1e-12)
    z = (c.values[1:] - np.exp(-lags[1:])) / c.stderr[1:]
    assert np.all(np.abs(z) < 4.5), z
    # negative control: a law that decays 5% faster is seen
    wrong = (c.values[1:] - np.exp(-1.05 * lags[1:])) / c.stderr[1:]
    assert np.max(np.abs(wrong)) > 6
    assert c.covariance == pytest.approx(c.values * 0.72, rel=0.03)


def test_autocorrelation_standard_error_is_that_of_repetitions() -> None:
    # 150 repetitions: the ratio of variances is outside (0.65, 1.45) with probability 1e-3
    values, stated = [], []
    for k in range(150):
        c = ea.Autocorrelation([0.5])
        ea.Ensemble(OU, 400, "stationary", seed=k).run(t=0.5, dt=0.05, observe=c)
        values.append(c.values[0])
        stated.append(c.stderr[0])
    assert 0.65 < np.var(values) / np.mean(np.square(stated)) < 1.45


def test_merged_autocorrelation_is_that_of_the_whole() -> None:
    lags = [0.0, 0.4, 1.0]
    whole, a, b = (ea.Autocorrelation(lags) for _ in range(3))
    for observer, n, first in ((whole, 3000, 0), (a, 1300, 0), (b, 1700, 1300)):
        e = ea.Ensemble(OU, n, "stationary", seed=6, first_id=first)
        e.run(t=1.0, dt=DT, observe=observer)
    both = a.merge(b)
    assert np.array_equal(both.lags, whole.lags)
    for name in ("values", "stderr", "covariance"):
        assert np.allclose(getattr(both, name), getattr(whole, name), rtol=1e-9), name


def test_autocorrelation_equals_numpy() -> None:
    c, s = ea.Autocorrelation([0.5]), ea.Snapshots([0.0, 0.5])
    ea.Ensemble(OU, 5000, "stationary", seed=2).run(t=0.5, dt=DT, observe=[c, s])
    assert c.values[0] == pytest.approx(np.corrcoef(s.x)[0, 1], rel=1e-11)
    u, v = ((x - x.mean()) / x.std() for x in s.x)
    spread = u * v - 0.5 * c.values[0] * (u * u + v * v)
    assert c.stderr[0] == pytest.approx(np.sqrt(np.mean(spread**2) / 5000), rel=1e-9)
    assert c.covariance[0] == pytest.approx(np.cov(s.x, bias=True)[0, 1], rel=1e-11)


def test_an_observer_belongs_to_one_ensemble() -> None:
    for observer in (
        ea.Moments(2),
        ea.Histogram(-1, 1),
        ea.TimeAverage(),
        ea.Snapshots([1.0, 9.0]),
    ):
        ensemble(100, seed=1).run(t=1.0, dt=DT, observe=observer)
        with pytest.raises(ValueError, match="another ensemble"):
            ensemble(100, seed=2).run(t=9.0, dt=DT, observe=observer)


def test_a_refused_autocorrelation_keeps_nothing() -> None:
    c = ea.Autocorrelation([0.55])
    with pytest.raises(ValueError, match="lags"):
        ensemble(50, seed=1).run(t=1.0, dt=DT, observe=c)
    ensemble(60, seed=2).run(t=0.55, dt=0.05, observe=c)
    assert c.lags.tolist() == [0.55]


# -- schedules -------------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=25)
@given(parts=st.lists(st.integers(0, 40), min_size=1, max_size=6), every=st.integers(1, 17))
def test_what_is_seen_does_not_depend_on_splits(parts: list[int], every: int) -> None:
    def seen(pieces: list[int]) -> list[object]:
        m, h = ea.Moments(2, every=every), ea.Histogram(-4, 4, 30, every=every)
        a = ea.TimeAverage(every=every)
        e = ensemble(700)
        for steps in pieces:
            e.run(steps=steps, dt=DT, observe=[m, h, a])
        if not m.t.size:
            return [[]]
        return [m.t.tolist(), np.asarray(m.mean).tolist(), h.counts.tolist(), a.values.tolist()]

    assert seen(parts) == seen([sum(parts)])


def test_observers_do_not_disturb() -> None:
    plain = ensemble(1000).run(steps=37, dt=DT).x
    watched = ensemble(1000).run(
        steps=37, dt=DT, observe=[ea.Moments(2, every=1), ea.Histogram(-1, 1, every=5)]
    )
    assert np.array_equal(plain, watched.x)


def test_observers_see_physical_coordinates() -> None:
    network = ea.models.BalancedNetwork(T=0.1)
    h, m = ea.Histogram(1e-3, 10, 60, scale="log"), ea.Moments(2)
    e = ea.Ensemble(network, 5000, 1.0, seed=8)
    e.run(t=1.0, dt=0.01, observe=[h, m])
    assert e.coordinate == "lamperti" and not np.allclose(e.state, e.x)
    assert np.array_equal(h.counts, np.histogram(e.x, h.edges)[0])
    assert m.mean == pytest.approx(e.x.mean(), rel=1e-12)
    assert np.allclose(e.log_x, np.log(e.x), rtol=1e-12, atol=1e-14)


def test_snapshots_that_do_not_fit_are_refused_before_the_run() -> None:
    e = ensemble(1_000_000)
    with pytest.raises(ValueError, match=r"times.*GiB"):
        e.run(t=1e6, dt=DT, observe=ea.Snapshots(np.arange(1, 10_000_000) * DT))
    assert e.step == 0


@pytest.mark.parametrize("kind", [ea.Moments, ea.TimeAverage])
def test_asking_before_looking(kind: type) -> None:
    with pytest.raises(ValueError, match="run"):
        _ = kind().mean
