"""The same bits over threads, instruction sets, splits, checkpoints, and one particle alone."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_table import JUMP_MODELS, SCALAR_MODELS, SCALAR_SCHEMES
from scipy import stats

import escapade as ea
from escapade import _core

MODEST = settings(derandomize=True, deadline=None, max_examples=30)
MODELS: dict[str, tuple[ea.models.Model, float]] = {
    "ou": (ea.models.OrnsteinUhlenbeck(1.0, 0.2, 0.7), 0.3),
    "gbm": (ea.models.GeometricBrownianMotion(0.1, 0.5), 1.2),
    "power law": (ea.models.PowerLaw(1.0, 0.1, 0.2, 1.0), 0.1),
    "skew power law": (ea.models.PowerLaw(1.0, 0.1, 0.2, 1.0, 0.05), 0.1),
    "double well": (ea.models.DoubleWell(1.0, 0.5), -0.9),
    "multiplicative well": (ea.models.MultiplicativeWell(), -0.9),
    "loss-coupled well": (ea.models.LossCoupledWell(1.0, 0.2, 0.8, 1.0), -0.9),
    "two-parabola well": (ea.models.TwoParabolaWell(), -0.5),
    "mirrored well": (ea.models.TwoParabolaWell(rho=1.0, noise="mirror"), -0.5),
    "pitchfork": (ea.models.Pitchfork(1.0, 1.0, 0.5), 0.8),
    "stable ou": (ea.models.StableOrnsteinUhlenbeck(1.0, 0.3, 1.4), 0.5),
    "stable well": (ea.models.StableDoubleWell(1.0, 0.02, 1.4), -0.9),
    "network 0": (ea.models.BalancedNetwork(0, 1, 0.1), 0.8),
    "network 1": (ea.models.BalancedNetwork(1, 2, 0.15), 0.8),
    "network 1 binary": (ea.models.BalancedNetwork(1, 1, 0.1, ea.data.binary(1, 1)), 0.7),
    "network 2": (ea.models.BalancedNetwork(2, 1, 0.1, gamma=0.1), 0.8),
}
CASES = [(m, s) for m, (model, _) in MODELS.items() for s in model.schemes]
KINDS = list(itertools.product(("float64", "float32"), ("float32", "float64")))
DT = 0.02


@pytest.fixture(autouse=True)
def back_to_the_first_isa() -> Iterator[None]:
    before = _core.isa()
    yield
    _core.set_isa(before)


def make(case: str, n: int, **kwargs: Any) -> ea.Ensemble:
    model, x0 = MODELS[case]
    kwargs.setdefault("x0", x0)
    kwargs.setdefault("seed", 2**40 + 7)
    kwargs.setdefault("threads", 1)
    return ea.Ensemble(model, n, **kwargs)


def run(ensemble: ea.Ensemble, steps: int, scheme: str, **kwargs: Any) -> ea.Ensemble:
    return ensemble.run(steps=steps, dt=DT, scheme=scheme, on_bad="ignore", **kwargs)


def observers(every: int = 5) -> list[ea.Observer]:
    return [
        ea.Histogram(-3.0, 3.0, 37, every=every),
        ea.Histogram(1e-3, 30.0, 20, "log", every=every),
        ea.Histogram(-50.0, 50.0, 21, "symlog", every=every, threshold=0.1),
        ea.Moments(4, every=every),
        ea.TimeAverage(every=every),
        ea.Snapshots([0.0, 5 * DT, 20 * DT]),
        ea.Autocorrelation([0.0, 10 * DT, 20 * DT]),
    ]


def seen(looked: list[ea.Observer]) -> list[bytes]:
    """Everything that observers have seen, to the bit."""
    out: list[bytes] = []
    for o in looked:
        if isinstance(o, ea.Histogram):
            out += [o.counts.tobytes(), bytes(str((o.underflow, o.overflow, o.nonfinite)), "ascii")]
        elif isinstance(o, ea.Moments):
            with np.errstate(all="ignore"):
                out += [np.asarray(o.moment(k)).tobytes() for k in range(1, o.order + 1)]
                out += [
                    np.asarray(a).tobytes() for a in (o.mean_stderr, o.var, o.t, o.count, o.bad)
                ]
        elif isinstance(o, ea.TimeAverage):
            out += [o.values.tobytes(), np.array([o.mean, o.stderr]).tobytes()]
        elif isinstance(o, ea.Snapshots):
            out += [o.x.tobytes(), o.times.tobytes()]
        elif isinstance(o, ea.Autocorrelation):
            out += [o.values.tobytes(), o.stderr.tobytes(), o.covariance.tobytes()]
    return out


def test_the_cases_are_complete() -> None:
    """Every model and every scheme of the registry is among the cases."""
    assert {m.name for m, _ in MODELS.values()} == {*SCALAR_MODELS, *JUMP_MODELS}
    assert {s for _, s in CASES} == set(SCALAR_SCHEMES)
    for name in (*SCALAR_MODELS, *JUMP_MODELS):
        used = {s for m, s in CASES if MODELS[m][0].name == name}
        registered = next(m["schemes"] for m in _core.models() if m["name"] == name)
        assert used == set(registered)


@pytest.mark.parametrize("dtype,noise", KINDS)
@pytest.mark.parametrize("case,scheme", CASES)
def test_instruction_sets_and_splits(case: str, scheme: str, dtype: str, noise: str) -> None:
    """States after 40 steps, on every instruction set, in one go or in odd parts; seeds differ."""
    n, states = 203, []
    for isa, parts in itertools.product(_core.supported_isas(), ([40], [1, 6, 16, 17])):
        if isa == "x86-64-v2" and len(parts) > 1:
            continue  # without a fused multiply-add it is slow
        _core.set_isa(isa)
        ens = make(case, n, dtype=dtype, noise=noise)
        for part in parts:
            run(ens, part, scheme)
        assert ens.step == 40 and ens.report().isa == isa
        states.append((ens.state.tobytes(), ens.report().substeps_per_step))
    assert all(s == states[0] for s in states)
    assert np.isfinite(ens.state).sum() > n // 2
    other = run(make(case, n, dtype=dtype, noise=noise, seed=1), 40, scheme)  # control
    assert other.state.tobytes() != states[0][0]


@pytest.mark.parametrize("dtype,noise", KINDS)
@pytest.mark.parametrize("case,scheme", CASES)
def test_one_particle_alone_and_parts_of_an_ensemble(
    case: str, scheme: str, dtype: str, noise: str
) -> None:
    ens = run(make(case, 333, dtype=dtype, noise=noise), 13, scheme)
    run(ens, 20, scheme)
    for i in (0, 1, 63, 64, 255, 256, 332):
        alone = ens.particle(i)
        assert alone.x.dtype == ens.x.dtype
        assert alone.x[-1].tobytes() == ens.x[i].tobytes(), (i, alone.x[-1], ens.x[i])
        assert alone.t[-1] == ens.t
    parts = [
        run(make(case, stop - start, dtype=dtype, noise=noise, first_id=start), 33, scheme)
        for start, stop in itertools.pairwise((0, 1, 70, 256, 301, 333))
    ]
    assert np.concatenate([p.state for p in parts]).tobytes() == ens.state.tobytes()


@pytest.mark.parametrize("case", ["ou", "power law", "network 1"])
def test_threads_and_instruction_sets_see_the_same(case: str) -> None:
    """States and every observer, over 1, 2, 3, 7 threads and the fast instruction sets."""
    results = []
    isas = [i for i in _core.supported_isas() if i != "x86-64-v2"]
    for isa, threads in [*itertools.product(isas, (1, 2, 3, 7))]:
        _core.set_isa(isa)
        ens, looking = make(case, 70_001, threads=threads), observers()
        run(ens, 20, "auto", observe=looking)
        results.append([ens.state.tobytes(), *seen(looking)])
    assert all(r == results[0] for r in results)
    assert len(results) >= 4
    looking = observers()  # control: one particle more is seen
    run(make(case, 70_002), 20, "auto", observe=looking)
    different = [a != b for a, b in zip(results[0][1:], seen(looking), strict=True)]
    assert sum(different) > len(different) // 2


def test_observers_on_the_slow_instruction_set() -> None:
    results = []
    for isa in _core.supported_isas():
        _core.set_isa(isa)
        ens, looking = make("power law", 901), observers()
        run(ens, 20, "auto", observe=looking)
        results.append([ens.state.tobytes(), *seen(looking)])
    assert all(r == results[0] for r in results)


_CHILD = """
import hashlib, escapade as ea
h = hashlib.sha256()
for model in (ea.models.PowerLaw(), ea.models.BalancedNetwork()):
    for dtype in ("float32", "float64"):
        for noise in ("float32", "float64"):
            ens = ea.Ensemble(model, 500, 0.5, seed=3, dtype=dtype, noise=noise, threads=2)
            moments = ea.Moments(4)
            ens.run(steps=40, dt=0.02, observe=moments)
            h.update(ens.state.tobytes() + repr(moments.moment(3)).encode())
print(ea._core.isa(), h.hexdigest())
"""


def child(isa: str) -> subprocess.CompletedProcess[str]:
    package = str(Path(ea.__file__).resolve().parents[1])
    path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "ESCAPADE_ISA": isa, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", _CHILD], env=env, capture_output=True, text=True, timeout=120
    )


def test_instruction_set_from_the_environment() -> None:
    hashes = set()
    for isa in _core.supported_isas():
        done = child(isa)
        assert done.returncode == 0, done.stderr
        name, digest = done.stdout.split()
        assert name == isa
        hashes.add(digest)
    assert len(hashes) == 1


def test_impossible_instruction_set_in_the_environment() -> None:
    done = child("x86-64-v9")
    assert done.returncode != 0 and "x86-64-v9" in done.stderr
    with pytest.raises(ValueError, match="x86-64-v9"):
        _core.set_isa("x86-64-v9")


LENGTHS = st.lists(st.integers(0, 23), min_size=1, max_size=6)


@pytest.mark.parametrize("case", ["ou", "power law", "network 1", "double well"])
@MODEST
@given(
    parts=LENGTHS, n=st.integers(1, 700), threads=st.integers(1, 3), every=st.integers(1, 9),
    kind=st.sampled_from(KINDS), coarsen=st.integers(1, 5),
)  # fmt: skip
def test_any_split(
    case: str, parts: list[int], n: int, threads: int, every: int, kind: Any, coarsen: int
) -> None:
    """A run of any length equals its parts, whoever looks on; observers with every= pool alike."""
    dtype, noise = kind
    whole = make(case, n, dtype=dtype, noise=noise)
    looking = [ea.Histogram(-2, 2, 11, every=every), ea.Moments(2, every=every)]
    run(whole, sum(parts), "auto", coarsen=coarsen, observe=looking)
    split = make(case, n, dtype=dtype, noise=noise, threads=threads)
    again = [ea.Histogram(-2, 2, 11, every=every), ea.Moments(2, every=every)]
    for i, part in enumerate(parts):
        extra = [ea.Moments(1), ea.TimeAverage(2)] if i % 2 else []
        run(split, part, "auto", coarsen=coarsen, observe=[*again, *extra])
    assert split.state.tobytes() == whole.state.tobytes()
    assert split.step == whole.step and split.t == whole.t
    if sum(parts) >= every:
        assert seen(again) == seen(looking)


@MODEST
@given(
    parts=st.lists(
        st.tuples(
            st.integers(0, 20),
            st.sampled_from(["auto", "milstein", "heun"]),
            st.sampled_from([0.01, 0.02]),
            st.sampled_from([1, 3]),
        ),
        min_size=1,
        max_size=5,
    ),
    where=st.integers(0, 4),
    kind=st.sampled_from(KINDS),
)
def test_any_history_survives_a_checkpoint(
    tmp_path_factory: pytest.TempPathFactory, parts: list[Any], where: int, kind: Any
) -> None:
    """Schemes, steps and coarsening may change on the way: saved, loaded and re-simulated alike."""
    path = tmp_path_factory.mktemp("bits") / "state.npz"
    dtype, noise = kind
    through = make("power law", 150, dtype=dtype, noise=noise)
    stopped = make("power law", 150, dtype=dtype, noise=noise)
    for i, (steps, scheme, dt, coarsen) in enumerate(parts):
        through.run(steps=steps, dt=dt, scheme=scheme, coarsen=coarsen)
        stopped.run(steps=steps, dt=dt, scheme=scheme, coarsen=coarsen)
        if i == where:
            stopped.save(path)
            stopped = ea.Ensemble.load(path)
    assert stopped.state.tobytes() == through.state.tobytes()
    assert (stopped.t, stopped.step, stopped.seed) == (through.t, through.step, through.seed)
    assert stopped.particle(77).x[-1].tobytes() == through.x[77].tobytes()
    assert through.particle(149).x[-1].tobytes() == through.x[149].tobytes()


@pytest.mark.parametrize("dtype,noise", KINDS)
@pytest.mark.parametrize("case,scheme", CASES)
def test_save_and_load_in_the_middle(
    tmp_path: Path, case: str, scheme: str, dtype: str, noise: str
) -> None:
    path = tmp_path / "middle.npz"
    ens = run(make(case, 100, dtype=dtype, noise=noise), 11, scheme)
    ens.save(path)
    run(ens, 13, scheme)
    loaded = ea.Ensemble.load(path, threads=2)
    assert loaded.step == 11 and loaded.model == ens.model and loaded.noise == noise
    run(loaded, 13, scheme)
    assert loaded.state.tobytes() == ens.state.tobytes()
    a, b = loaded.report(), ens.report()
    assert (a.substeps_per_step, a.floor_hits, a.t) == (b.substeps_per_step, b.floor_hits, b.t)


STARTS: dict[str, Any] = {
    "scalar": 0.4,
    "integer": 1,
    "array": np.linspace(0.1, 2.0, 300),
    "list": list(np.linspace(0.1, 2.0, 300)),
    "scipy": stats.lognorm(0.5),
    "law": ea.models.BalancedNetwork(1, 1, 0.1).stationary(),
    "stationary": "stationary",
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("case", ["ou", "power law", "network 0", "network 1", "network 1 binary"])
def test_particle_for_every_kind_of_start(case: str, start: str, tmp_path: Path) -> None:
    for dtype, noise in KINDS:
        ens = make(case, 300, x0=STARTS[start], dtype=dtype, noise=noise)
        begin = ens.x.copy()
        run(ens, 21, "auto")
        for i in (0, 7, 299):
            path = ens.particle(i, every=4)
            assert path.x[0].tobytes() == begin[i].tobytes()
            assert path.x[-1].tobytes() == ens.x[i].tobytes()
            assert np.allclose(path.t, [*range(0, 21, 4), 21] * np.array(DT), rtol=1e-14)
        ens.save(tmp_path / "start.npz")
        loaded = ea.Ensemble.load(tmp_path / "start.npz")
        if start in ("scipy", "law"):
            with pytest.raises(ValueError, match="initial condition"):
                loaded.particle(3)
        else:
            assert loaded.particle(3).x.tobytes() == ens.particle(3).x.tobytes()


@MODEST
@given(i=st.integers(0, 199_999))
def test_any_particle_of_a_large_ensemble(i: int) -> None:
    key = "large"
    if key not in _KEPT:
        _KEPT[key] = run(make("network 1", 200_000, x0="stationary", threads=2), 30, "auto")
    ens = _KEPT[key]
    assert ens.particle(i).x[-1].tobytes() == ens.x[i].tobytes()


_KEPT: dict[str, ea.Ensemble] = {}


@pytest.mark.parametrize("start", ["scipy", "stationary"])
def test_random_starts_of_parts_are_those_of_the_whole(start: str) -> None:
    """Ids beyond 32 bits, on chunks' borders and off them."""
    base = 2**32 - 100
    whole = make("power law", 400, x0=STARTS[start], first_id=base)
    parts = [
        make("power law", stop - begin, x0=STARTS[start], first_id=base + begin)
        for begin, stop in itertools.pairwise((0, 33, 100, 400))
    ]
    joined = np.concatenate([p.x for p in parts])
    assert np.array_equal(joined, whole.x)
    for e in (whole, *parts):
        run(e, 10, "auto")
    joined = np.concatenate([p.x for p in parts])
    assert joined.tobytes() == whole.x.tobytes()
    assert make("power law", 400, x0=STARTS[start], first_id=0).x.tobytes() != joined.tobytes()


def test_lost_particles_are_the_same_everywhere() -> None:
    """Euler-Maruyama on a network loses particles: which ones does not depend on anything."""
    lost = []
    for threads, isa in itertools.product((1, 3), _core.supported_isas()[:2]):
        _core.set_isa(isa)
        ens = ea.Ensemble(ea.models.BalancedNetwork(1, 1, 0.2), 5001, 1.0, seed=3, threads=threads)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ea.EnsembleWarning)
            ens.run(steps=100, dt=0.1, scheme="euler-maruyama")
        lost.append(ens.status.tobytes())
    assert all(s == lost[0] for s in lost)
    assert 0 < np.frombuffer(lost[0], dtype=np.uint8).sum() < 5001


@pytest.mark.parametrize("scheme", ["adaptive-log-euler", "adaptive-log-platen"])
@pytest.mark.parametrize("noise", ["float32", "float64"])
def test_particles_that_wait_do_not_see_each_other(scheme: str, noise: str) -> None:
    """Up to thousands of substeps, packed with others, few or none; in one run or in several."""
    model = ea.models.BalancedNetwork(3, 1, 0.2, ea.data.gaussian(1.0, 1.0))
    x = np.geomspace(0.5, 20.0, 3000)
    whole = ea.Ensemble(model, x.size, x, seed=5, noise=noise).run(steps=37, dt=0.01, scheme=scheme)
    assert whole.report().substeps_per_step > 1  # 1.2 to 1.8
    for first, n in ((0, 1), (2999, 1), (2990, 10), (700, 900)):
        apart = ea.Ensemble(model, n, x[first : first + n], seed=5, noise=noise, first_id=first)
        for steps in (1, 1, 5, 30):
            apart.run(steps=steps, dt=0.01, scheme=scheme)
        assert np.array_equal(apart.x, whole.x[first : first + n])
