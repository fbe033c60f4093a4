"""Observers of sweeps, of particles of several numbers, and of observables (of=)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import escapade as ea
from escapade import observables as ob
from escapade.observers import _view

DT = 0.05
START = ea.init.normal(1.0, 0.3)


class Net(ea.models.DiagonalNetwork):
    """A network with observables, one of which depends on a parameter that may be swept."""

    kernel = "DiagonalNetwork"

    def observables(self) -> dict[str, ea.models.Observable]:
        half = self.dim // 2
        return {
            "v": lambda x: (x[:, :half] * x[:, half:]).sum(axis=1),
            "heat": lambda x: float(self.T) * x[:, 0],
            "layers": lambda x: np.stack([x[:, :half].sum(1), x[:, half:].sum(1)], axis=1),
        }


def v_of(x: np.ndarray) -> np.ndarray:
    return x[:, 0] * x[:, 1]


def two_of(x: np.ndarray) -> np.ndarray:
    return np.stack([x[:, 0] * x[:, 1], x[:, 0] - x[:, 1]], axis=1)


def net(T: Any = 0.1, width: int = 1) -> Net:
    return Net(1, width, T=T)


def run(model: ea.models.Model, n: int, observe: Any, steps: int = 20, **kwargs: Any) -> Any:
    kwargs.setdefault("x0", START if model.vector else 0.3)
    kwargs.setdefault("seed", 3)
    return ea.Ensemble(model, n, **kwargs).run(steps=steps, dt=DT, observe=observe, on_bad="ignore")


def results(o: ea.Observer) -> list[np.ndarray]:
    """All results of an observer that have the axes of the sweep."""
    if isinstance(o, ea.Moments):
        found = [o.count, o.bad, o.mean, o.mean_stderr, o.var, o.var_stderr, o.moment(2)]
        found += [o.moment_stderr(1), o.central(2), o.skewness]
    elif isinstance(o, ea.Histogram):
        found = [o.counts, o.underflow, o.overflow, o.nonfinite, o.density]
    elif isinstance(o, ea.TimeAverage):
        found = [o.values, o.mean, o.stderr]
    elif isinstance(o, ea.Snapshots):
        found = [o.x]
    elif isinstance(o, ea.Autocorrelation):
        found = [o.values, o.stderr, o.covariance]
    elif isinstance(o, ea.LyapunovExponent):
        found = [o.values, o.value, o.stderr, o.lost]
    else:
        assert isinstance(o, ea.BalanceResidual)
        found = [o.residual, o.median, o.lost]
    return [np.asarray(f) for f in found]


def leading_axes(o: ea.Observer) -> int:
    """Axes in front of those of the sweep."""
    if isinstance(o, (ea.Snapshots, ea.Autocorrelation)):
        return 1
    return int(isinstance(o, ea.Moments) and o.every is not None)


def everything(of: Any, several: bool, balance: bool) -> list[ea.Observer]:
    found: list[ea.Observer] = [
        ea.Moments(3, of=of),
        ea.Moments(3, every=6, of=of),
        ea.Histogram(-2, 2, 40, of=of, component=1 if several else None),
        ea.Histogram(1e-2, 9, 7, "log", every=5, of=of, component=0 if several else None),
        ea.TimeAverage(3, of=of),
        ea.Snapshots([0.0, 10 * DT], of=of),
        ea.Autocorrelation([0.0, 5 * DT, 20 * DT], of=of),
        ea.LyapunovExponent(of=of, start=2.5 * DT),
    ]
    return [*found, ea.BalanceResidual()] if balance else found


CASES = {
    "a number": (ea.models.OrnsteinUhlenbeck(1.0, 0.5, np.array([[0.5, 1.0, 2.0]])), None, False),
    "log": (ea.models.BalancedNetwork(T=np.array([0.05, 0.1])), ob.log_abs(), False),
    "vector": (net(np.array([0.05, 0.2])), None, True),
    "function": (net(np.array([[0.05], [0.2]])), v_of, False),
    "functions": (net(np.array([0.05, 0.2])), two_of, True),
    "name": (net(np.array([0.05, 0.2]), width=2), "heat", False),
    "names": (net(np.array([0.05, 0.2]), width=2), "layers", True),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("threads", [1, 3])
def test_a_point_of_a_sweep_is_an_ensemble_of_its_own(case: str, threads: int) -> None:
    model, of, several = CASES[case]
    n, first = 5001, 17
    swept = everything(of, several, balance=model.vector)
    x0 = START if model.vector else 0.3
    whole = run(model, n, swept, first_id=first, threads=threads)
    for point, index in enumerate(np.ndindex(model.shape)):
        alone = everything(of, several, balance=model.vector)
        one = run(model[index], n, alone, x0=x0, first_id=first + point * n)
        assert np.array_equal(whole.x[index], one.x)
        for a, b in zip(swept, alone, strict=True):
            at = (slice(None),) * leading_axes(a) + index
            for mine, theirs in zip(results(a), results(b), strict=True):
                assert np.array_equal(mine[at], theirs, equal_nan=True), (case, a)
            if isinstance(a, ea.Histogram):
                assert np.array_equal(a[index].counts, b.counts)  # type: ignore[attr-defined]
                assert a[index].underflow == b.underflow  # type: ignore[attr-defined]


def test_the_comparison_with_single_ensembles_sees_a_wrong_particle() -> None:
    # negative control: particles numbered by one off
    model = net(np.array([0.05, 0.2]))
    a, b = ea.Moments(2), ea.Moments(2)
    run(model, 500, a)
    run(model[1], 500, b, first_id=501)
    assert not np.array_equal(a.mean[1], b.mean)  # type: ignore[index]


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    n=st.integers(2, 400),
    width=st.integers(1, 3),
    sweep=st.lists(st.integers(1, 3), max_size=2),
    k=st.sampled_from([None, 0, 1, 3]),  # None: the state; 0: a function without components
    every=st.sampled_from([None, 4]),
)
def test_shapes_and_values_are_those_of_numpy(
    n: int, width: int, sweep: list[int], k: int | None, every: int | None
) -> None:
    T = np.linspace(0.02, 0.1, int(np.prod(sweep))).reshape(sweep) if sweep else 0.05
    model = net(T, width)
    of: Any = None
    if k is not None:
        of = (lambda x: x[:, 0] ** 2) if k == 0 else (lambda x: np.stack([x[:, 0]] * k, axis=1))
    components = {None: (2 * width,), 0: ()}.get(k, (k,))
    m, s = ea.Moments(2, every=every, of=of), ea.Snapshots(np.array([4, 8]) * DT, of=of)
    a, c = ea.TimeAverage(4, of=of), ea.Autocorrelation([4 * DT], of=of)
    several = components != ()
    h = ea.Histogram(-1, 3, 11, every=every, of=of, component=0 if several else None)
    L = ea.LyapunovExponent(of=of)
    e = run(model, n, [m, s, a, c, h, L], steps=8)
    shape = (*sweep, *components)
    looks = (2,) if every else ()
    assert e.x.shape == (*sweep, n, 2 * width)
    assert s.x.shape == (2, *sweep, n, *components)
    assert a.values.shape == L.values.shape == (*sweep, n, *components)
    assert np.shape(m.mean) == np.shape(m.count) == (*looks, *shape)
    assert np.shape(a.mean) == np.shape(L.value) == np.shape(L.lost) == shape
    assert c.values.shape == (1, *shape)
    assert h.counts.shape == h.density.shape == (*sweep, 11)
    axis = 1 + len(sweep)
    seen = s.x if every else s.x[-1:]
    assert np.allclose(np.reshape(m.mean, (-1, *shape)), seen.mean(axis=axis), rtol=1e-11)
    assert np.allclose(np.reshape(m.var, (-1, *shape)), seen.var(axis=axis), rtol=1e-8)
    assert np.allclose(a.values, s.x.mean(axis=0), rtol=1e-13)
    flat = (seen[..., 0] if several else seen).reshape(len(seen), *sweep, n)
    for index in np.ndindex(*sweep):
        column = flat[(slice(None), *index)].ravel()
        assert np.array_equal(h.counts[index], np.histogram(column, h.edges)[0])


def test_functions_names_and_states_agree() -> None:
    model = net(0.1, width=1)
    by_name, by_function, states = (ea.Snapshots([10 * DT], of=o) for o in ("v", v_of, None))
    pair = [ea.Moments(2, of=o) for o in ("v", v_of)]
    bins = [ea.Histogram(0, 2, 30, "symlog", of=o) for o in ("v", v_of)]
    part = [
        ea.Histogram(0, 2, 30, component=1),
        ea.Histogram(0, 2, 30, of=ob.component(1)),
        ea.Histogram(0, 2, 30, of=lambda x: x, component=1),
    ]
    # more particles than are evaluated at a time
    run(model, _view.PIECE + 77, [by_name, by_function, states, *pair, *bins, *part], steps=10)
    assert np.array_equal(by_name.x, by_function.x)
    assert np.array_equal(by_name.x[0], v_of(states.x[0]))
    assert pair[0].mean == pair[1].mean and isinstance(pair[0].mean, float)
    assert pair[0].mean == pytest.approx(v_of(states.x[0]).mean(), rel=1e-12)
    assert np.array_equal(bins[0].counts, np.histogram(by_name.x, bins[0].edges)[0])
    for h in part[1:]:
        assert np.array_equal(h.counts, part[0].counts) and h.overflow == part[0].overflow


def test_results_do_not_depend_on_threads_or_splits() -> None:
    model = net(np.array([0.05, 0.2]), width=2)
    n, kept = 70_001, []
    for threads, parts in ((1, [20]), (3, [1, 4, 15])):
        looking = [
            ea.Moments(2, every=5, of="layers"),
            ea.Histogram(-2, 2, 40, every=5, of="v"),
            ea.TimeAverage(5, of="v"),
            ea.BalanceResidual(),
            ea.Snapshots([5 * DT], of="v"),
        ]
        e = ea.Ensemble(model, n, START, seed=1, threads=threads)
        for steps in parts:
            e.run(steps=steps, dt=DT, observe=looking, on_bad="ignore")
        kept.append(
            [r for o in looking for r in ([o.mean] if isinstance(o, ea.Moments) else results(o))]
        )
    for a, b in zip(*kept, strict=True):
        assert np.array_equal(a, b, equal_nan=True)


@pytest.mark.parametrize("case", CASES)
def test_merged_parts_are_the_whole(case: str) -> None:
    # particles 0 to n - 1 of a sweep are not a range of numbers, so one point at a time
    model, of, several = CASES[case]
    model = model[(0,) * len(model.shape)]
    whole, a, b = (everything(of, several, balance=model.vector) for _ in range(3))
    run(model, 900, whole)
    run(model, 400, a)
    run(model, 500, b, first_id=400)
    for x, y, z in zip(whole, a, b, strict=True):
        both = y.merge(z)  # type: ignore[attr-defined]
        # the standard error at lag 0 is the root of a rounding error
        atol = 1e-8 if isinstance(x, ea.Autocorrelation) else 1e-12
        for mine, theirs in zip(results(both), results(x), strict=True):
            assert np.allclose(mine, theirs, rtol=1e-7, atol=atol, equal_nan=True), (case, x)
        with pytest.raises(ValueError, match="another ensemble"):
            run(model, 900, both)


def test_merging_sweeps_and_what_cannot_be_merged() -> None:
    model = net(np.array([0.05, 0.2]))
    kinds: list[Any] = [
        lambda of: ea.Moments(2, of=of),
        lambda of: ea.Histogram(0, 1, of=of),
        lambda of: ea.TimeAverage(of=of),
        lambda of: ea.Snapshots([5 * DT], of=of),
        lambda of: ea.Autocorrelation([5 * DT], of=of),
        lambda of: ea.LyapunovExponent(of=of),
    ]
    for kind in kinds:
        a, b, c = kind(ob.component(0)), kind(ob.component(0)), kind(ob.component(1))
        d = kind(ob.component(0))
        run(model, 60, [a, c], steps=5)
        run(model, 50, b, steps=5, seed=4)
        run(model[0], 60, d, steps=5)
        both = a.merge(b)
        if isinstance(both, (ea.TimeAverage, ea.LyapunovExponent)):
            assert np.array_equal(both.values[:, :60], a.values)
            assert np.array_equal(both.values[:, 60:], b.values)
        if isinstance(both, ea.Snapshots):
            assert both.x.shape == (1, 2, 110) and np.array_equal(both.x[:, :, 60:], b.x)
        if isinstance(both, ea.Histogram):
            assert np.array_equal(both.counts, a.counts + b.counts)
        for other in (c, d):
            with pytest.raises(ValueError, match="other must have looked at the same"):
                a.merge(other)
        with pytest.raises(TypeError, match="other must be"):
            a.merge(1)
    x, y = ea.Histogram(0, 1, component=0), ea.Histogram(0, 1, component=1)
    run(model, 60, [x, y], steps=5)
    with pytest.raises(ValueError, match="component 0"):
        x.merge(y)


def test_observables_by_formula() -> None:
    x = np.random.default_rng(1).standard_normal((50, 3))
    A = np.array([[1.0, 0.5, 0.0], [0.5, -2.0, 3.0], [0.0, 3.0, 0.0]])
    assert np.allclose(ob.charge(A)(x), np.einsum("ni,ij,nj->n", x, A, x), rtol=1e-12, atol=1e-12)
    assert np.allclose(ob.difference_of_squares(0, 2)(x), x[:, 0] ** 2 - x[:, 2] ** 2)
    assert np.array_equal(ob.component(2)(x), x[:, 2])
    assert np.allclose(ob.norm()(x), np.linalg.norm(x, axis=1), rtol=1e-15)
    assert np.allclose(ob.norm()(x * 1e-300), np.linalg.norm(x, axis=1) * 1e-300, rtol=1e-15)
    assert np.allclose(ob.log_abs(ob.component(1))(x), np.log(np.abs(x[:, 1])))
    assert np.allclose(ob.log_abs()(x), np.log(np.abs(x)))
    assert ob.norm()(np.array([-2.0, 0.0, np.inf])).tolist() == [2.0, 0.0, np.inf]
    assert ob.charge(A) == ob.charge(A.tolist()) and ob.charge(A) != ob.charge(-A)
    assert ob.charge([[1, 0], [0, -1]])(x[:, :2]) == pytest.approx(
        ob.difference_of_squares(0, 1)(x), abs=1e-14
    )


@pytest.mark.parametrize(
    "of, error, match",
    [
        (3, TypeError, "of must be None"),
        ("w", ValueError, r"of must be one of 'v', 'heat', 'layers', got 'w'"),
        (lambda x: x.mean(), ValueError, r"of must return an array of shape \(n,\) or \(n, k\)"),
        (lambda x: x.mean(axis=0), ValueError, "of must return an array"),
        (lambda x: x[:, :, None], ValueError, "of must return an array"),
        (lambda x: x[:, :0], ValueError, "of must return an array"),
        (lambda x: x + 1j, TypeError, "of must return real numbers"),
        (lambda x: np.array(["a"] * len(x)), TypeError, "of must return real numbers"),
        (ob.component(2), ValueError, r"component\(2\) needs 3 numbers per particle, got 2"),
        (ob.charge(np.eye(3)), ValueError, "3 numbers per particle, got 2"),
        (ob.charge([[1.0]]), ValueError, "A must have the dimension 2"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_before_the_run(
    of: Any, error: Any, match: str
) -> None:
    e = ea.Ensemble(net(np.array([0.1, 0.2])), 5, START, seed=1)
    for kind in (
        lambda: ea.Moments(of=of),
        lambda: ea.Histogram(0, 1, of=of),
        lambda: ea.TimeAverage(of=of),
        lambda: ea.Snapshots([1.0], of=of),
        lambda: ea.Autocorrelation([1.0], of=of),
        lambda: ea.LyapunovExponent(of=of),
    ):
        with pytest.raises(error, match=match):
            e.run(t=1.0, dt=DT, observe=kind())
    assert e.step == 0


def test_errors_name_the_argument() -> None:
    e = ea.Ensemble(net(), 5, START, seed=1)
    for h, match in (
        (ea.Histogram(0, 1), "component must be given for 2 numbers per particle: 0 to 1"),
        (ea.Histogram(0, 1, of="layers"), "component must be given"),
        (ea.Histogram(0, 1, component=2), "component must be at most 1"),
        (ea.Histogram(0, 1, of="v", component=1), "component must be at most 0"),
    ):
        with pytest.raises(ValueError, match=match):
            e.run(t=1.0, dt=DT, observe=h)
    with pytest.raises(ValueError, match="OrnsteinUhlenbeck names no observables"):
        run(ea.models.OrnsteinUhlenbeck(), 5, ea.Moments(of="v"))
    for call, match in (
        (lambda: ob.charge([[1.0, 2.0], [0.0, 1.0]]), r"A must be symmetric, got A\[0, 1\] = 2"),
        (lambda: ob.charge([1.0]), "A must be a square matrix"),
        (lambda: ob.charge([[np.nan]]), "A must be finite"),
        (lambda: ob.difference_of_squares(1, 1), "i and j must differ"),
        (lambda: ob.component(-1), "i must be at least 0"),
        (lambda: ea.Histogram(0, 1, component=-1), "component must be at least 0"),
        (lambda: ea.LyapunovExponent(start=-1.0), "start must be at least 0"),
    ):
        with pytest.raises(ValueError, match=match):
            call()
    with pytest.raises(TypeError, match="of must be a function"):
        ob.log_abs(3)  # type: ignore[arg-type]
    swept = ea.Histogram(0, 1, component=0)
    run(net(np.array([0.1, 0.2])), 5, swept)
    with pytest.raises(IndexError, match="shape"):
        _ = swept[:]


def test_a_function_that_changes_its_shape_is_caught() -> None:
    def of(x: np.ndarray) -> np.ndarray:
        return x if len(x) < 10 else x[:, 0]

    with pytest.raises(ValueError, match="as it did before the run"):
        run(net(), 100, ea.Moments(of=of))


def test_lost_particles_are_counted_per_component() -> None:
    def of(x: np.ndarray) -> np.ndarray:
        return np.stack([x[:, 0], np.where(x[:, 0] > 1, np.nan, x[:, 0])], axis=1)

    m, h = ea.Moments(2, of=of), ea.Histogram(-9, 9, of=of, component=1)
    e = run(net(), 300, [m, h])
    beyond = int(np.count_nonzero(e.x[:, 0] > 1))
    assert 0 < beyond and m.bad.tolist() == [0, beyond] and h.nonfinite == beyond  # type: ignore[union-attr]
    assert m.count.tolist() == [300, 300 - beyond]  # type: ignore[union-attr]


def test_snapshots_of_a_sweep_that_do_not_fit_are_refused() -> None:
    e = ea.Ensemble(net(np.linspace(0.1, 0.2, 50)), 20_000, START, seed=1)
    with pytest.raises(ValueError, match=r"times.*n=1000000 particles.*GiB"):
        e.run(t=1e6, dt=DT, observe=ea.Snapshots(np.arange(1, 2_000_000) * DT, of=two_of))
    assert e.step == 0


def test_a_law_is_compared_with_one_point_of_a_sweep() -> None:
    # p-value of a right law below 1e-4 with probability 1e-4 per point; a wrong law is refused
    model = ea.models.OrnsteinUhlenbeck(1.0, 0.0, np.array([0.5, 1.0]))
    h = ea.Histogram(-5, 5, 200)
    ea.Ensemble(model, 20_000, "stationary", seed=5).run(steps=1, dt=1e-3, observe=h)
    for i in range(2):
        assert model[i].stationary().compare(h[i]).p_value > 1e-4
    assert model[0].stationary().compare(h[1]).p_value < 1e-6
