"""What an ensemble promises: its states, time, report, interruption, threads and checkpoints."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import escapade as ea
from escapade import checkpoint

MODEST = settings(derandomize=True, deadline=None, max_examples=150)
OU = ea.models.OrnsteinUhlenbeck(1.0, 0.5, 0.7)
NETWORK = ea.models.BalancedNetwork(1, 1, 0.2)


def make(n: int = 500, model: ea.models.Model = OU, **kwargs: Any) -> ea.Ensemble:
    kwargs.setdefault("x0", 0.3)
    kwargs.setdefault("seed", 11)
    kwargs.setdefault("threads", 2)
    return ea.Ensemble(model, n, **kwargs)


# -- states and time -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", np.float32, float, np.dtype("f4")])
def test_states_are_views(dtype: Any) -> None:
    ens = make(100, dtype=dtype)
    assert ens.x.shape == (100,) and ens.x.dtype == ens.dtype == np.dtype(dtype)
    before = ens.x  # a view for as long as the state is stored as x, see `coordinate`
    assert np.shares_memory(before, ens.state) and np.shares_memory(before, ens.x)
    assert np.all(before == np.dtype(dtype).type(0.3))
    ens.run(steps=3, dt=0.1, scheme="milstein")
    assert ens.coordinate == "physical"
    assert np.shares_memory(before, ens.x) and np.array_equal(before, ens.x)
    assert not np.any(before == np.dtype(dtype).type(0.3))
    for view in (ens.x, ens.state):
        assert not view.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1.0
    del ens  # a view keeps the memory alive
    assert np.isfinite(before).all()


def test_states_in_other_coordinates() -> None:
    ens = make(100, NETWORK, x0=0.8)
    ens.run(steps=5, dt=0.01, scheme="log-euler")
    assert ens.coordinate == "log"
    assert np.exp(ens.state) == pytest.approx(ens.x, rel=1e-12)
    assert ens.status.shape == (100,) and not ens.status.any()


@pytest.mark.parametrize("x0", [0.25, np.float32(0.25), 1, np.array(0.25), [0.25] * 7])
def test_starts(x0: Any) -> None:
    ens = make(7, x0=x0)
    assert np.array_equal(ens.x, np.broadcast_to(np.asarray(x0, dtype=float), 7))
    assert ens.t == 0.0 and ens.step == 0


def test_the_start_is_copied() -> None:
    x0 = np.arange(5.0)
    ens = make(5, x0=x0)
    x0[:] = -1.0
    assert np.array_equal(ens.x, np.arange(5.0))
    ens.run(steps=2, dt=0.1)
    assert ens.particle(4).x[0] == 4.0


def test_starts_from_a_distribution() -> None:
    """KS at n = 20000: rate 1e-6 each. Control: another mean is rejected."""
    ens = make(20_000, x0=stats.norm(1.0, 2.0))
    assert stats.kstest(ens.x, stats.norm(1.0, 2.0).cdf).pvalue > 1e-6
    assert stats.kstest(ens.x, stats.norm(1.1, 2.0).cdf).pvalue < 1e-6
    law = OU.stationary()
    assert stats.kstest(make(20_000, x0="stationary").x, law.cdf).pvalue > 1e-6
    assert stats.kstest(make(20_000, x0=law).x, law.cdf).pvalue > 1e-6


def test_time_is_whole_steps() -> None:
    """0.1 added 5000 times is not 500; step times dt is."""
    ens = make(1, threads=1)
    for _ in range(5000):
        ens.run(steps=1, dt=0.1)
    assert ens.step == 5000 and ens.t == 5000 * 0.1
    assert ens.t != math.fsum([0.0]) + sum(0.1 for _ in range(5000))  # what adding up would give
    ens.run(t=1.0, dt=0.05)
    assert ens.step == 5020 and ens.t == 5000 * 0.1 + 20 * 0.05


@pytest.mark.parametrize("t,dt", [(1.0, 0.3), (0.05, 0.1), (1.0, 0.1001), (1e-3, 1.0)])
def test_times_that_are_no_whole_steps_are_refused(t: float, dt: float) -> None:
    ens = make(10)
    with pytest.raises(ValueError, match=rf"t must be a whole number of steps, got t={t}"):
        ens.run(t=t, dt=dt)
    assert ens.step == 0 and np.all(ens.x == 0.3)


@pytest.mark.parametrize("t,dt,steps", [(0.3, 0.1, 3), (0.0, 0.1, 0), (7, 0.7, 10), (1e6, 1e5, 10)])
def test_times_that_are_whole_steps_but_for_rounding(t: float, dt: float, steps: int) -> None:
    assert make(10).run(t=t, dt=dt).step == steps


def test_no_steps_change_nothing() -> None:
    ens = make(10)
    assert ens.run(steps=0, dt=0.1) is ens
    assert ens.step == 0 and np.all(ens.x == 0.3) and ens.t == 0.0


# -- report ----------------------------------------------------------------------------------------


def test_report() -> None:
    ens = make(3000, dtype="float32", noise="float64")
    first = ens.report()
    assert first.scheme == "" and first.particle_steps_per_second == 0.0
    assert "not run yet" in str(first)
    start = time.perf_counter()
    ens.run(t=5.0, dt=0.01)
    wall = time.perf_counter() - start
    r = ens.report()
    assert (r.n, r.steps, r.seed, r.threads, r.device) == (3000, 500, 11, 2, "cpu")
    assert (r.dtype, r.noise, r.t, r.nonfinite) == ("float32", "float64", 500 * 0.01, 0)
    assert r.scheme == OU.auto_scheme() and r.isa == ea._core.isa()
    assert 0 < r.seconds <= wall
    assert r.particle_steps_per_second == pytest.approx(3000 * 500 / r.seconds)
    assert "OrnsteinUhlenbeck" in r.model
    assert json.loads(json.dumps(r.to_dict()))["steps"] == 500
    for part in ("3,000", "float32", "seed 11", "500 steps", OU.auto_scheme()):
        assert part in str(r)


def test_report_counts_substeps() -> None:
    ens = make(2000, NETWORK, x0=0.8).run(steps=50, dt=0.1, scheme="adaptive-log-euler")
    assert 0 < ens.report().substeps_per_step < 1000
    assert "substeps" in str(ens.report())
    assert make(10).run(steps=5, dt=0.1).report().substeps_per_step == 0.0


def test_seed_is_drawn_and_recorded() -> None:
    a, b = ea.Ensemble(OU, 50, 0.3), ea.Ensemble(OU, 50, 0.3)
    assert a.seed != b.seed and 0 <= a.seed < 2**64
    a.run(steps=3, dt=0.1), b.run(steps=3, dt=0.1)
    assert not np.array_equal(a.x, b.x)
    again = ea.Ensemble(OU, 50, 0.3, seed=a.report().seed).run(steps=3, dt=0.1)
    assert np.array_equal(again.x, a.x)


def test_repr_and_attributes() -> None:
    ens = make(50)
    assert "OrnsteinUhlenbeck" in repr(ens) and "n=50" in repr(ens) and "seed=11" in repr(ens)
    assert ens.model is OU and ens.n == 50 and ens.noise == "float32"
    ens.threads = 1
    assert ens.threads == 1
    with pytest.raises(ValueError, match="threads"):
        ens.threads = 0


def test_particle_records_its_path() -> None:
    ens = make(20).run(steps=10, dt=0.1)
    path = ens.particle(3, every=4)
    assert np.allclose(path.t, [0.0, 0.4, 0.8, 1.0]) and path.x.shape == (4,)
    assert path.x[0] == 0.3 and path.x[-1] == ens.x[3]
    assert len(make(20).particle(0).t) == 1


# -- particles that are lost -----------------------------------------------------------------------


def blow_up(on_bad: str) -> ea.Ensemble:
    ens = make(4000, NETWORK, x0=1.0)
    return ens.run(steps=60, dt=0.04, scheme="euler-maruyama", on_bad=on_bad)


def test_lost_particles_are_counted_and_warned_of() -> None:
    with pytest.warns(ea.EnsembleWarning, match=r"of 4,000 particles .* try .*scheme=") as caught:
        ens = blow_up("warn")
    bad = int((~np.isfinite(ens.state)).sum())
    assert 400 < bad < 4000
    assert ens.report().nonfinite == bad == int(ens.status.sum())
    assert f"{bad:,} of" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert f"{bad:,} of 4,000" in str(ens.report())
    with warnings.catch_warnings():  # those already reported are not reported again
        warnings.simplefilter("error")
        ens.run(steps=0, dt=0.1, scheme="euler-maruyama")


def test_lost_particles_can_be_an_error() -> None:
    with pytest.raises(ea.NonFiniteError, match="were lost"):
        blow_up("raise")


def test_lost_particles_can_be_ignored() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert blow_up("ignore").report().nonfinite > 400


def test_the_recommended_scheme_loses_none() -> None:
    ens = make(4000, NETWORK, x0=1.0).run(steps=100, dt=0.1, on_bad="raise")
    assert ens.report().nonfinite == 0


# -- interruption, threads, progress ---------------------------------------------------------------

_LONG = """
import os, signal, sys, time, threading
import numpy as np
import escapade as ea
n, scheme = int(sys.argv[1]), sys.argv[2]
model = ea.models.BalancedNetwork() if "adaptive" in scheme else ea.models.PowerLaw()
make = lambda: ea.Ensemble(model, n, 0.5, seed=5, dtype="float32", threads=2)
ens, sent = make(), []
def interrupt():
    time.sleep(1.0)
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
hist = ea.Histogram(-3, 3, 50)
try:
    ens.run(steps=10**8, dt=0.01, scheme=scheme, observe=hist)
except KeyboardInterrupt:
    delay = time.perf_counter() - sent[0]
else:
    sys.exit("not interrupted")
assert 0 < ens.step < 10**8, ens.step
assert ens.t == ens.step * 0.01 and ens.report().steps == ens.step
at = ens.step
ens.run(steps=1, dt=0.01, scheme=scheme)
i = n - 5
assert ens.particle(i).x[-1].tobytes() == ens.x[i].tobytes()
if n <= 10**6:
    other = make().run(steps=at + 1, dt=0.01, scheme=scheme)
    assert other.state.tobytes() == ens.state.tobytes()
print(delay, at)
"""


def python(code: str, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    package = str(Path(ea.__file__).resolve().parents[1])
    path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize(
    "n,scheme",
    [
        (1000, "milstein"),
        (10**6, "milstein"),
        (10**7, "milstein"),
        (10**6, "adaptive-lamperti-heun"),
    ],
)
def test_interrupt(n: int, scheme: str) -> None:
    """SIGINT ends a long run within half a second; the ensemble runs on with the same bits."""
    best = math.inf
    for _ in range(3):  # a busy machine may be late now and then
        done = python(_LONG, str(n), scheme)
        assert done.returncode == 0, done.stderr
        best = min(best, float(done.stdout.split()[0]))
        if best < 0.5:
            break
    assert best < 0.5


def test_the_interpreter_lock_is_released() -> None:
    """Another Python thread goes on while the engine works: a call of tens of milliseconds."""
    ens = make(2_000_000, threads=1)
    ticks, stop = [0], threading.Event()

    def tick() -> None:
        while not stop.is_set():
            ticks[0] += 1
            time.sleep(0.001)

    helper = threading.Thread(target=tick)
    helper.start()
    try:
        ticks[0] = 0
        start = time.perf_counter()
        ens._engine.advance("OrnsteinUhlenbeck", "euler-maruyama", OU._matrix, 100, 0.01)
        elapsed, seen = time.perf_counter() - start, ticks[0]
    finally:
        stop.set()
        helper.join()
    assert elapsed > 0.05 and seen >= 5


def test_two_threads_cannot_run_one_ensemble() -> None:
    """Whoever comes second is told so; the first is not disturbed."""
    ens, errors = make(300_000, threads=1), []

    def second() -> None:
        for _ in range(200):
            try:
                ens.run(steps=1, dt=0.01)
            except RuntimeError as error:
                errors.append(str(error))
            except BaseException as error:
                errors.append(f"{type(error).__name__}: {error}")
                return
            time.sleep(0.001)
            if errors:
                return

    helper = threading.Thread(target=second)
    helper.start()
    try:
        for _ in range(20):
            try:
                ens.run(steps=100, dt=0.01)
            except RuntimeError as error:
                errors.append(str(error))
            if errors:
                break
    finally:
        helper.join()
    assert errors and all("run by another thread" in e for e in errors)
    assert ens.report().steps == ens.step and ens.t == ens.step * 0.01
    assert make(300_000).run(steps=ens.step, dt=0.01).x.tobytes() == ens.x.tobytes()


def test_a_refused_run_leaves_no_trace(tmp_path: Path) -> None:
    """A second thread with another scheme, a save and a re-simulation, all while a run goes on."""
    ens, errors, running = make(300_000, threads=1), [], threading.Event()

    class Start(ea.Observer):
        def update(self, ensemble: ea.Ensemble, step: int, time: float) -> None:
            running.set()

    def second() -> None:
        assert running.wait(30)
        for attempt in (
            lambda: ens.run(steps=3, dt=0.5, scheme="milstein"),
            lambda: ens.save(tmp_path / "torn.npz"),
            lambda: ens.particle(3),
        ):
            try:
                attempt()
            except RuntimeError as error:
                errors.append(str(error))

    helper = threading.Thread(target=second)
    helper.start()
    ens.run(steps=400, dt=0.01, scheme="euler-maruyama", observe=Start(every=1))
    helper.join()
    assert len(errors) == 3 and all("run by another thread" in e for e in errors)
    assert ens.step == 400 and ens.t == 400 * 0.01
    assert ens.particle(77).x[-1].tobytes() == ens.x[77].tobytes()
    assert not (tmp_path / "torn.npz").exists()


def test_an_observer_may_save_the_ensemble(tmp_path: Path) -> None:
    class Save(ea.Observer):
        def update(self, ensemble: ea.Ensemble, step: int, time: float) -> None:
            ensemble.save(tmp_path / "now.npz")

    ens = make().run(steps=10, dt=0.1, observe=Save(every=7))
    loaded = ea.Ensemble.load(tmp_path / "now.npz").run(steps=3, dt=0.1)
    assert loaded.step == 10 and loaded.x.tobytes() == ens.x.tobytes()


def test_two_ensembles_in_two_threads() -> None:
    alone = [make(50_000, seed=s, threads=1).run(steps=60, dt=0.01).x.tobytes() for s in (1, 2)]
    both = [make(50_000, seed=s, threads=1) for s in (1, 2)]
    workers = [threading.Thread(target=e.run, kwargs=dict(steps=60, dt=0.01)) for e in both]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert [e.x.tobytes() for e in both] == alone


def test_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    a = make(20_000).run(steps=50, dt=0.01, progress=True)
    err = capsys.readouterr().err
    assert "50/50" in err and "OrnsteinUhlenbeck" in err and "step" in err
    b = make(20_000).run(steps=50, dt=0.01)
    assert capsys.readouterr().err == ""
    assert np.array_equal(a.x, b.x)


# -- checkpoints -----------------------------------------------------------------------------------


def saved(tmp_path: Path, **kwargs: Any) -> Path:
    path = tmp_path / "state.npz"
    make(60, **kwargs).run(steps=7, dt=0.1).save(path)
    return path


def test_saving_keeps_everything(tmp_path: Path) -> None:
    ens = make(60, NETWORK, x0=0.7, dtype="float32", noise="float64", first_id=2**33)
    ens.run(steps=7, dt=0.1)
    ens.save(tmp_path / "a.npz")
    ens.save(str(tmp_path / "b"))
    for name in ("a.npz", "b"):
        got = ea.Ensemble.load(tmp_path / name, threads=1)
        assert got.state.tobytes() == ens.state.tobytes() and got.coordinate == ens.coordinate
        assert (got.t, got.step, got.seed, got.noise) == (ens.t, ens.step, ens.seed, ens.noise)
        assert got.model == ens.model and got.dtype == ens.dtype and got.threads == 1
        assert got.particle(5).x[-1] == ens.x[5]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b"]


@pytest.mark.parametrize(
    "source",
    [
        ea.data.moments(1.0, 1.0, 2.0, 2.0, 3.0),
        ea.data.gaussian(1.0, 0.7),
        ea.data.interpolating(0.5),
        ea.data.from_samples([1.0, -2.0, 0.1], [0.3, -1.0, 2.0]),
    ],
    ids=lambda m: m.label,
)
def test_a_checkpoint_keeps_the_data(tmp_path: Path, source: ea.data.DataMoments) -> None:
    path = tmp_path / "state.npz"
    ea.Ensemble(ea.models.BalancedNetwork(1, 1, 0.05, source), 3, 0.4, seed=1).save(path)
    got = ea.Ensemble.load(path).model.params["data"]
    assert got == source and hash(got) == hash(source) and got.law == source.law


def test_the_parameters_of_a_sweep_survive_a_checkpoint(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {}
    sweep = ea.data.gaussian([1.0, 0.1], [[0.5], [1.0 / 3.0]])
    encoded = json.loads(json.dumps(checkpoint._encode(sweep, arrays)))
    np.savez(tmp_path / "arrays.npz", **arrays)
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as file:
        assert checkpoint._decode(encoded, file) == sweep


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    before = path.read_bytes()
    ens = make(60).run(steps=1, dt=0.1)

    def fail(file: Any, **arrays: Any) -> None:
        file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoint.np, "savez", fail)
    with pytest.raises(OSError, match="no space"):
        ens.save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["state.npz"]
    ens.save(path)
    assert path.read_bytes() != before


def test_a_killed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = saved(tmp_path)
    before = path.read_bytes()
    code = """
import os, signal, sys, numpy as np, escapade as ea
from escapade import checkpoint
def die(file, **arrays):
    file.write(b"half of it"); file.flush(); os.kill(os.getpid(), signal.SIGKILL)
checkpoint.np.savez = die
ea.Ensemble(ea.models.OrnsteinUhlenbeck(), 10, 0.0).save(sys.argv[1])
"""
    done = python(code, str(path))
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    ea.Ensemble.load(path)


def test_saving_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        make(5).save(tmp_path / "missing" / "state.npz")
    with pytest.raises(OSError):
        make(5).save(tmp_path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ea.Ensemble.load(tmp_path / "none.npz")


def unchanged(got: ea.Ensemble, original: ea.Ensemble) -> bool:
    same = (got.t, got.step, got.seed, got.noise, got.dtype, got.model, got.coordinate)
    other = original
    return got.state.tobytes() == original.state.tobytes() and same == (
        other.t, other.step, other.seed, other.noise, other.dtype, other.model, other.coordinate,
    )  # fmt: skip


_FILES: dict[str, bytes] = {}


def checkpoint_bytes(tmp: pytest.TempPathFactory) -> bytes:
    if "bytes" not in _FILES:
        _FILES["bytes"] = saved(tmp.mktemp("original"), x0=np.linspace(0, 1, 60)).read_bytes()
    return _FILES["bytes"]


def check_damaged(tmp: pytest.TempPathFactory, damaged: bytes) -> bool:
    """Load a damaged file: a ValueError naming it, or the original. Returns whether it loaded."""
    folder = tmp.mktemp("damaged")
    path, good = folder / "bad.npz", folder / "good.npz"
    path.write_bytes(damaged)
    good.write_bytes(checkpoint_bytes(tmp))
    try:
        got = ea.Ensemble.load(path)
    except ValueError as error:
        assert "bad.npz" in str(error)
        return False
    assert unchanged(got, ea.Ensemble.load(good))
    return True


@MODEST
@given(where=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255), rest=st.integers(0, 40))
def test_flipped_bytes(
    tmp_path_factory: pytest.TempPathFactory, where: float, value: int, rest: int
) -> None:
    """Any byte changed, and sometimes the next one: refused, unless it changes no content."""
    whole = bytearray(checkpoint_bytes(tmp_path_factory))
    at = int(where * len(whole))
    whole[at] ^= value
    if rest < 10 and at + 1 < len(whole):
        whole[at + 1] ^= rest
    check_damaged(tmp_path_factory, bytes(whole))


def test_every_structural_byte(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All of the central directory and the local headers, and the checksums."""
    whole = checkpoint_bytes(tmp_path_factory)
    ends = [i for i in range(len(whole) - 4) if whole[i : i + 2] == b"PK"]
    places = sorted({p for e in ends for p in range(e, min(e + 46, len(whole)))})
    loaded = 0
    for at in places:
        changed = bytearray(whole)
        changed[at] ^= 0x41
        loaded += check_damaged(tmp_path_factory, bytes(changed))
    assert len(places) > 150 and loaded < len(places)


@MODEST
@given(where=st.floats(0, 1, exclude_max=True), junk=st.binary(max_size=30))
def test_truncated_files(
    tmp_path_factory: pytest.TempPathFactory, where: float, junk: bytes
) -> None:
    whole = checkpoint_bytes(tmp_path_factory)
    assert not check_damaged(tmp_path_factory, whole[: int(where * len(whole))])
    check_damaged(tmp_path_factory, whole + junk)
    assert not check_damaged(tmp_path_factory, junk)


def rewrite(path: Path, change: Any) -> Path:
    """A well-formed archive whose header or state was changed by ``change(header, arrays)``."""
    with np.load(path) as file:
        arrays = {k: file[k] for k in file.files}
    header = json.loads(bytes(arrays["header"]))
    header = change(header, arrays) or header
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    target = path.with_name("changed.npz")
    np.savez(target, **arrays)
    return target


def drop(key: str) -> Any:
    return lambda header, arrays: header.pop(key) and None


def put(key: str, value: Any) -> Any:
    return lambda header, arrays: header.update({key: value})


@pytest.mark.parametrize(
    "key",
    ["format", "model", "params", "seed", "noise", "first_id", "coordinate", "counters", "legs",
     "initial", "bad"],
)  # fmt: skip
@pytest.mark.parametrize(
    "value", ["missing", None, "x", -1, 3.5, [], {}, [1], {"a": 1}, 2**70, True]
)
def test_headers_that_make_no_sense(tmp_path: Path, key: str, value: Any) -> None:
    """A checksum does not save these: the content must be checked, and a ValueError come of it."""
    path = rewrite(saved(tmp_path), drop(key) if value == "missing" else put(key, value))
    with pytest.raises(ValueError, match=r"changed\.npz"):
        ea.Ensemble.load(path)


@pytest.mark.parametrize(
    "state",
    [np.zeros((2, 3)), np.zeros(0), np.array(3.0), np.array(["a"]), np.zeros(3, int),
     np.zeros(3, np.float16), np.zeros(3, complex)],
)  # fmt: skip
def test_states_that_make_no_sense(tmp_path: Path, state: Any) -> None:
    path = rewrite(saved(tmp_path), lambda header, arrays: arrays.update(state=state))
    with pytest.raises(ValueError, match=r"changed\.npz"):
        ea.Ensemble.load(path)


def test_a_rewritten_file_loads_when_nothing_is_changed(tmp_path: Path) -> None:
    """Control of the tests above."""
    path = saved(tmp_path)
    same = rewrite(path, lambda header, arrays: None)
    assert unchanged(ea.Ensemble.load(same), ea.Ensemble.load(path))


def test_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "foreign.npz"
    np.savez(path, a=np.arange(3))
    cases = [path.read_bytes(), b"", b"hello", b"\x93NUMPY garbage", os.urandom(4000)]
    np.save(tmp_path / "one.npy", np.arange(4.0))
    cases.append((tmp_path / "one.npy").read_bytes())
    np.savez(path, header=np.frombuffer(b'{"format": "other"}', dtype=np.uint8), state=np.ones(3))
    cases.append(path.read_bytes())
    np.savez(path, header=np.array([{"pickled": 1}], dtype=object), state=np.ones(3))
    cases.append(path.read_bytes())
    np.savez(path, header=np.frombuffer(b"[1, 2]", dtype=np.uint8), state=np.ones(3))
    cases.append(path.read_bytes())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", "not an array")
    cases.append(path.read_bytes())
    for content in cases:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"foreign\.npz"):
            ea.Ensemble.load(path)
    with pytest.raises(ValueError):
        ea.Ensemble.load(tmp_path)
