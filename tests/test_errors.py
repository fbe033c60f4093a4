"""Bad input: a ValueError or TypeError that names the argument, before anything runs."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import escapade as ea

PL = ea.models.PowerLaw()
NET = ea.models.BalancedNetwork


def ens(n: int = 10, x0: Any = 0.0, **kwargs: Any) -> ea.Ensemble:
    kwargs.setdefault("seed", 1)
    return ea.Ensemble(PL, n, x0, **kwargs)


# (what is called, the argument that the message must name, what the message must show of the value)
BAD: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: ens(0), "n", "0"),
    (lambda: ens(-3), "n", "-3"),
    (lambda: ens(2.5), "n", "2.5"),
    (lambda: ens(True), "n", "True"),
    (lambda: ea.Ensemble("PowerLaw", 10, 0.0), "model", "str"),
    (lambda: ens(10, np.zeros(9)), "x0", "(9,)"),
    (lambda: ens(10, np.zeros((10, 1))), "x0", "(10, 1)"),
    (lambda: ens(10, float("nan")), "x0", "finite"),
    (lambda: ens(10, [0.0] * 9 + [float("inf")]), "x0", "finite"),
    (lambda: ens(10, "somewhere"), "x0", "somewhere"),
    (lambda: ens(10, None), "x0", "None"),
    (lambda: ens(10, 1j), "x0", "1j"),
    (lambda: ens(10, 1e300, dtype="float32"), "x0", "float32"),
    (lambda: ea.Ensemble(NET(), 10, 0.0), "x0", "0.0"),
    (lambda: ea.Ensemble(NET(), 2, [1e-50, 1.0], dtype="float32"), "x0", "1e-50"),
    (lambda: ea.Ensemble(NET(), 10, -1.0), "x0", "-1.0"),
    (lambda: ens(seed=-1), "seed", "-1"),
    (lambda: ens(seed=2**64), "seed", str(2**64)),
    (lambda: ens(seed=1.0), "seed", "1.0"),
    (lambda: ens(dtype="float16"), "dtype", "float16"),
    (lambda: ens(dtype=np.int32), "dtype", "int32"),
    (lambda: ens(dtype=object()), "dtype", "object"),
    (lambda: ens(noise="gaussian"), "noise", "gaussian"),
    (lambda: ens(device="tpu"), "device", "tpu"),
    (lambda: ens(device=7), "device", "7"),
    (lambda: ens(threads=0), "threads", "0"),
    (lambda: ens(first_id=-1), "first_id", "-1"),
    (lambda: ens().run(1.0), "dt", "given"),
    (lambda: ens().run(1.0, 0.0), "dt", "0.0"),
    (lambda: ens().run(1.0, -0.1), "dt", "-0.1"),
    (lambda: ens().run(1.0, float("nan")), "dt", "nan"),
    (lambda: ens().run(1.0, "0.1"), "dt", "'0.1'"),
    (lambda: ens().run(-1.0, 0.1), "t", "-1.0"),
    (lambda: ens().run(float("inf"), 0.1), "t", "inf"),
    (lambda: ens().run(1.0, 0.3), "t", "1.0"),
    (lambda: ens().run(0.01, 0.3), "t", "0.01"),
    (lambda: ens().run(1000000.4, 1.0), "t", "1000000.4"),
    (lambda: ens().run(1.0, 0.1, steps=3), "t", "steps"),
    (lambda: ens().run(dt=0.1), "t", "steps"),
    (lambda: ens().run(steps=-1, dt=0.1), "steps", "-1"),
    (lambda: ens().run(steps=1.5, dt=0.1), "steps", "1.5"),
    (lambda: ens().run(1.0, 0.1, "runge-kutta"), "scheme", "runge-kutta"),
    (lambda: ens().run(1.0, 0.1, 3), "scheme", "3"),
    (lambda: ens().run(1.0, 0.1, "log-euler"), "scheme", "log-euler"),
    (lambda: ens().run(1.0, 0.1, observe=[3]), "observe", "3"),
    (lambda: ens().run(1.0, 0.1, observe=[ea.Moments] * 2), "observe", "Moments"),
    (lambda: ens().run(1.0, 0.1, on_bad="explode"), "on_bad", "explode"),
    (lambda: ens().run(1.0, 0.1, coarsen=0), "coarsen", "0"),
    (lambda: ens().particle(10), "i", "10"),
    (lambda: ens().particle(-1), "i", "-1"),
    (lambda: ens().particle(0, every=0), "every", "0"),
    (lambda: ea.models.PowerLaw(H=0.0), "H", "0.0"),
    (lambda: ea.models.PowerLaw(H=-1.0), "H", "-1.0"),
    (lambda: ea.models.PowerLaw(H="one"), "H", "'one'"),
    (lambda: ea.models.PowerLaw(sigma_g=-0.1), "sigma_g", "-0.1"),
    (lambda: ea.models.PowerLaw(sigma_H=-0.1), "sigma_H", "-0.1"),
    (lambda: ea.models.PowerLaw(eta=0), "eta", "0"),
    (lambda: ea.models.PowerLaw(sigma_g=0.1, sigma_H=0.1, rho=0.2), "rho", "0.2"),
    (lambda: ea.models.OrnsteinUhlenbeck(sigma=-1), "sigma", "-1"),
    (lambda: ea.models.GeometricBrownianMotion(mu=float("nan")), "mu", "nan"),
    (lambda: ea.models.DoubleWell(h=0), "h", "0"),
    (lambda: ea.models.DoubleWell(T=-1), "T", "-1"),
    (lambda: ea.models.Pitchfork(b=0.0), "b", "0.0"),
    (lambda: NET(depth=-1), "depth", "-1"),
    (lambda: NET(depth=1.0), "depth", "1.0"),
    (lambda: NET(width=0), "width", "0"),
    (lambda: NET(T=-0.1), "T", "-0.1"),
    (lambda: NET(gamma=-0.1), "gamma", "-0.1"),
    (lambda: NET(data="mnist"), "data", "str"),
    (lambda: ea.data.gaussian(1, -1), "s", "-1"),
    (lambda: ea.data.moments(1, 1, 1, 2, 1), "alpha2", "2"),
    (lambda: ea.data.from_samples([1.0], [2.0]), "x", "1"),
    (lambda: ea.data.from_samples([1.0, 2.0], [2.0]), "y", "1"),
    (lambda: ea.data.from_samples([1.0, float("nan")], [2.0, 1.0]), "x", "finite"),
    (lambda: ea.Histogram(1, 1), "lo", "1"),
    (lambda: ea.Histogram(2, 1), "lo", "2"),
    (lambda: ea.Histogram(float("nan"), 1), "lo", "nan"),
    (lambda: ea.Histogram(0, 1, bins=0), "bins", "0"),
    (lambda: ea.Histogram(0, 1, scale="log"), "lo", "0"),
    (lambda: ea.Histogram(0, 1, scale="sqrt"), "scale", "sqrt"),
    (lambda: ea.Histogram(0, 1, scale="symlog", threshold=0), "threshold", "0"),
    (lambda: ea.Histogram(0, 1, every=0), "every", "0"),
    (lambda: ea.Moments(0), "order", "0"),
    (lambda: ea.Moments(9), "order", "9"),
    (lambda: ea.Snapshots([]), "times", "[]"),
    (lambda: ea.Snapshots([2.0, 1.0]), "times", "2.0"),
    (lambda: ea.Snapshots([-1.0]), "times", "-1.0"),
    (lambda: ens().run(1.0, 0.1, observe=ea.Snapshots([0.05])), "times", "0.05"),
    (lambda: ens().run(1.0, 0.1, observe=ea.Autocorrelation([0.05])), "lags", "0.05"),
    (lambda: ea.TimeAverage(every=0), "every", "0"),
    (lambda: ea.Histogram(0, 1).merge(ea.Histogram(0, 2)), "other", "2"),
    (lambda: ea.Histogram(0, 1).merge(3), "other", "int"),
    (lambda: ea.Moments(2).merge(ea.Moments(3)), "other", "3"),
    (lambda: ea.models.get("Brownian"), "model", "Brownian"),
    (lambda: ea.models.get(3), "model", "3"),
    (lambda: ea.schemes.get("euler"), "scheme", "euler"),
]


@pytest.mark.parametrize("call, argument, value", BAD)
def test_bad_input_is_named(call: Callable[[], Any], argument: str, value: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    text = str(caught.value)
    assert re.search(rf"\b{argument}\b", text) and value in text, text


def test_nothing_runs_before_an_error() -> None:
    e = ens(100)
    before = e.x.copy()
    for bad in (
        {"t": 1.0, "dt": 0.1, "observe": [ea.Moments(2), 5]},
        {"t": 1.0, "dt": 0.1, "scheme": "log-euler"},
        {"t": 1.0, "dt": 0.1, "observe": [ea.Moments(2), ea.Snapshots([0.55])]},
    ):
        with pytest.raises((ValueError, TypeError)):
            e.run(**bad)  # type: ignore[arg-type]
        assert (
            e.step == 0 and e.t == 0 and np.array_equal(e.x, before) and e.coordinate == "physical"
        )


def test_start_outside_the_coordinate_of_a_scheme() -> None:
    e = ea.Ensemble(ea.models.GeometricBrownianMotion(), 10, -1.0, seed=1)
    with pytest.raises(ValueError, match=r"x0.*lamperti"):
        e.run(1.0, 0.1, "lamperti-heun")
    assert np.array_equal(e.x, np.full(10, -1.0)) and e.coordinate == "physical"
    e.run(1.0, 0.1, "milstein")
    assert np.all(e.x < 0)


def test_documented_exceptions(tmp_path: Path) -> None:
    for device in ("cuda", "cuda:1"):
        with pytest.raises(NotImplementedError, match=device):
            ens(device=device)
    with pytest.raises(FileNotFoundError):
        ea.Ensemble.load(tmp_path / "missing.npz")
    with pytest.raises(MemoryError, match="GiB"):
        ens(2**40)
    with pytest.raises(ea.laws.NoStationaryLaw):
        ea.Ensemble(NET(depth=2, gamma=0.1), 10, "stationary")


def test_a_run_inside_a_run_is_refused() -> None:
    class Meddler(ea.Observer):  # and one that forgets its base class's __init__
        def __init__(self) -> None:
            self.error = ""

        def update(self, ensemble: ea.Ensemble, step: int, time: float) -> None:
            with pytest.raises(RuntimeError) as caught:
                ensemble.run(steps=1, dt=0.5, scheme="euler-maruyama")
            self.error = str(caught.value)

    meddler, e = Meddler(), ens(100)
    e.run(steps=20, dt=0.01, scheme="milstein", observe=meddler)
    assert "observer" in meddler.error
    assert np.array_equal(e.x, ens(100).run(steps=20, dt=0.01, scheme="milstein").x)


@pytest.mark.skipif(
    "san" in os.environ.get("LD_PRELOAD", ""), reason="sanitizers need address space without limits"
)
def test_out_of_memory_in_a_worker_is_an_exception() -> None:
    # 2**24 bins need 64 MiB per thread; the process may have 40 MiB more than it uses
    code = """
import re, resource, escapade as ea
e = ea.Ensemble(ea.models.PowerLaw(), 200_000, 0.0, seed=1, threads=2)
h = ea.Histogram(-4, 4, 2**24)
e.run(steps=1, dt=0.1)
used = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read()).group(1)) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + 40 * 2**20,) * 2)
try:
    e.run(steps=1, dt=0.1, observe=h)
except MemoryError:
    print("caught", e.step)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("caught"), done


# -- rubbish ---------------------------------------------------------------------------------------

RUBBISH = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([2**31, 2**63, 2**64, 10**400, -(2**70)]),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.lists(st.floats(), max_size=4),
    st.sampled_from(
        [
            object(),
            [],
            {},
            (),
            int,
            np.nan,
            np.zeros(3),
            np.array([[1.0]]),
            np.array("x"),
            lambda: 0,
        ]
    ),
    st.sampled_from(
        [np.float32(1), np.int8(3), np.bool_(True), np.datetime64("2020-01-01"), range(3)]
    ),
)
ALLOWED = (ValueError, TypeError, NotImplementedError)


class Rude:
    """An object whose every method fails in its own way."""

    def __float__(self) -> float:
        raise RuntimeError("no")

    def __index__(self) -> int:
        raise RuntimeError("no")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")


CALLS: dict[str, tuple[Callable[..., Any], int]] = {
    **{name: (ea.models.get(name), 4) for name in ea.models.list()},
    "gaussian": (ea.data.gaussian, 2),
    "binary": (ea.data.binary, 2),
    "moments": (ea.data.moments, 5),
    "from_samples": (ea.data.from_samples, 2),
    "Histogram": (ea.Histogram, 6),
    "Moments": (ea.Moments, 2),
    "Snapshots": (ea.Snapshots, 1),
    "TimeAverage": (ea.TimeAverage, 1),
    "Autocorrelation": (ea.Autocorrelation, 1),
    "models.get": (ea.models.get, 1),
    "schemes.get": (ea.schemes.get, 1),
    "merge": (lambda x: ea.Histogram(0, 1).merge(x), 1),
    "merge moments": (lambda x: ea.Moments().merge(x), 1),
    "moment": (lambda x: ea.Moments().moment(x), 1),
    "x0": (lambda x: ens(3, x), 1),
    "seed": (lambda x: ens(3, seed=x), 1),
    "dtype": (lambda x: ens(3, dtype=x), 1),
    "noise": (lambda x: ens(3, noise=x), 1),
    "device": (lambda x: ens(3, device=x), 1),
    "threads": (lambda x: ens(3, threads=x), 1),
    "model": (lambda x: ea.Ensemble(x, 3, 0.0), 1),
    "particle": (lambda x, y: ens(3).particle(x, y), 2),
    "scheme": (lambda x: ens(3).run(steps=2, dt=0.1, scheme=x), 1),
    "dt": (lambda x: ens(3).run(steps=2, dt=x, on_bad="ignore"), 1),
    "observe": (lambda x: ens(3).run(steps=2, dt=0.1, observe=x), 1),
    "on_bad": (lambda x: ens(3).run(steps=2, dt=0.1, on_bad=x), 1),
    "stationary compare": (lambda x: PL.stationary().compare(x), 1),
    "transition_moments": (lambda x, y: PL.transition_moments(x, y), 2),
}


@pytest.mark.parametrize("name", CALLS)
@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.data())
def test_rubbish_raises_nothing_else(name: str, data: st.DataObject) -> None:
    call, count = CALLS[name]
    arguments = [data.draw(RUBBISH) for _ in range(data.draw(st.integers(1, count)))]
    with contextlib.suppress(*ALLOWED), np.errstate(all="ignore"):
        call(*arguments)


@pytest.mark.parametrize("name", CALLS)
def test_rude_objects_raise_nothing_else(name: str) -> None:
    call, _ = CALLS[name]
    with pytest.raises(ALLOWED):
        call(*[Rude()] * CALLS[name][1])


@settings(derandomize=True, deadline=None, max_examples=60)
@given(n=RUBBISH)
def test_rubbish_numbers_of_particles(n: Any) -> None:
    if isinstance(n, int) and n == 2**31:
        n = -n  # 16 GiB: a valid wish
    with contextlib.suppress(*ALLOWED, MemoryError):
        ens(n)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(t=RUBBISH, steps=st.one_of(st.none(), st.floats(), st.text(), st.integers(-9, 9)))
def test_rubbish_durations(t: Any, steps: Any) -> None:
    if isinstance(t, (int, float)) and not isinstance(t, bool) and 1e4 < t < 1e30:
        t = -t  # a long run is a valid wish
    with contextlib.suppress(*ALLOWED):
        ens(3).run(t, 0.5, steps=steps)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    path=st.one_of(
        st.text(max_size=6), st.integers(), st.none(), st.floats(), st.binary(max_size=4)
    )
)
def test_rubbish_paths(path: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    if isinstance(path, int) and not isinstance(path, bool) and path < 3:
        path = -7  # a small integer could be one of the test runner's own file descriptors
    where = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("rubbish"))
    try:
        with contextlib.suppress(*ALLOWED, OSError):
            ea.Ensemble.load(path)
        with contextlib.suppress(*ALLOWED, OSError):
            ens(3).save(path)
    finally:
        os.chdir(where)
