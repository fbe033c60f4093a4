"""Speed of networks, of SGD on minibatches, and of sweeps, beside numba and numpy in the same run.

    python bench/networks.py                          table on the screen
    python bench/networks.py --json bench/results/networks.json --readme

Every contender runs once per round, and rounds follow each other. Times are of the processor, not
of the clock on the wall (``thread_time``), so that what else the machine does enters through
caches only; quoted is the median over rounds, in ns per particle-step. One thread, pinned.
Compilation and warm-up are left out. The references are checked by bench/network_references.py.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import machine
import network_references
import network_tables
import numpy as np
import references

import escapade as ea

DT, T, ETA = 0.002, 0.01, 0.002  # so small that no scheme loses a particle
KINDS = (("float32", "float32"), ("float64", "float32"), ("float64", "float64"))
SIZES = (
    *((1, w) for w in (1, 2, 4, 8, 16, 32, 64, 128)),
    *((2, 1), (2, 4), (2, 16), (3, 1), (3, 4), (3, 16), (4, 8), (5, 8), (6, 8), (7, 1), (7, 8)),
)
Run = Callable[[], Any]
Table = dict[str, tuple[Run, float]]  # what to run, and the particle-steps that it makes


def label(dtype: str, noise: str) -> str:
    """Name of a precision of state and noise, as the references have it."""
    return f"{dtype}, {noise} noise"


def engine(
    model: Any, n: int, steps: int, kind: tuple[str, str], scheme: str, x0: Any = 1.0
) -> tuple[Run, float]:
    """Return a function that advances an ensemble, and its particle-steps."""
    ensemble = ea.Ensemble(model, n, x0, seed=7, dtype=kind[0], noise=kind[1], threads=1)
    more: dict[str, Any] = {} if scheme == "sgd" else {"dt": DT, "scheme": scheme}

    def run() -> None:
        ensemble.run(steps=steps, **more)

    return run, float(steps * n * max(int(np.prod(model.shape)), 1))


def reference(loop: Any, real: Any, n: int, steps: int, p: Any) -> tuple[Run, float]:
    """Return a function that runs a peer's loop, and its particle-steps."""
    one = np.ones(n, real)
    return partial(loop, one, one, steps, p, 7), float(n * steps)


def rounds(table: Table, runs: int) -> dict[str, list[float]]:
    """Run all in turn; nanoseconds of processor time per particle-step, round by round."""
    times: dict[str, list[float]] = {name: [] for name in table}
    for run, _ in table.values():
        run()
    for _ in range(runs):
        for name, (run, work) in table.items():
            start = time.thread_time()
            run()
            times[name].append((time.thread_time() - start) / work * 1e9)
    return times


def ns(table: Table, runs: int) -> dict[str, float]:
    """Medians of `rounds`."""
    return {k: round(statistics.median(t), 4) for k, t in rounds(table, runs).items()}


def small_network(n: int, steps: int, runs: int, numba: bool) -> dict[str, float]:
    """Depth 1, width 1: two numbers and one noise."""
    model = ea.models.DiagonalNetwork(depth=1, width=1, T=T)
    table: Table = {}
    for scheme in ("euler-maruyama", "milstein"):
        for kind in KINDS:
            table[f"escapade {scheme} {label(*kind)}"] = engine(model, n, steps, kind, scheme)
    p = network_references.network_numbers(DT, T, 0.0, (1, 1), (2.0, 2.0, 3.0))
    for name, (loop, real) in network_references.loops("network", numba).items():
        table[name] = reference(loop, real, n, steps, p)
    return ns(table, runs)


def training(n: int, steps: int, runs: int, numba: bool) -> dict[str, float]:
    """SGD of two parameters."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal(1000)
    sets = {
        "gaussian": ea.data.gaussian(1.0, 1.0),
        "binary": ea.data.binary(1.0, 1.0),
        "1000 samples": ea.data.from_samples(x, x + rng.standard_normal(1000)),
    }
    cases = [
        *(("gaussian", 1, 0.0, kind) for kind in KINDS),
        *((law, 16, 0.0, KINDS[0]) for law in sets),
        *(("binary", 1, 0.0, kind) for kind in KINDS[:2]),
        *(("1000 samples", 1, 0.0, kind) for kind in KINDS[:2]),
        *(("gaussian", 1, 0.9, kind) for kind in KINDS[:2]),
    ]
    table: Table = {}
    for law, batch, momentum, kind in cases:
        model = ea.models.DiagonalNetwork(depth=1, width=1, data=sets[law])
        trained = model.sgd(ETA * (1 - momentum), batch=batch, momentum=momentum)
        name = f"escapade {law} batch {batch}" + (f" momentum {momentum:g}" if momentum else "")
        table[f"{name} {label(*kind)}"] = engine(trained, n, steps, kind, "sgd")
    p = network_references.sgd_numbers(ETA, 0.0, 1.0, 1.0)
    for name, (loop, real) in network_references.loops("sgd", numba).items():
        table[name] = reference(loop, real, n, steps, p)
    return ns(table, runs)


def sizes(n: int, steps: int, runs: int) -> dict[str, dict[str, float]]:
    """Networks of 2 to 256 parameters: ns per particle-step and parameter."""
    result: dict[str, dict[str, float]] = {}
    for scheme, kind in (
        ("euler-maruyama", KINDS[0]),
        ("euler-maruyama", KINDS[1]),
        ("milstein", KINDS[0]),
    ):
        table: Table = {}
        for depth, width in SIZES:
            model = ea.models.DiagonalNetwork(depth=depth, width=width, T=T / 10)
            few = max(n * 2 // ((depth + 1) * width), 2048)
            x0 = model.balanced(np.ones(1))[0]
            run, work = engine(model, few, steps, kind, scheme, x0)
            table[f"depth {depth}, width {width}"] = run, work * (depth + 1) * width
        result[f"{scheme} {label(*kind)}"] = ns(table, runs)
    return result


def others(n: int, steps: int, runs: int) -> dict[str, float]:
    """Two-layer linear networks and the scale-invariant loss."""
    models = ea.models
    table: Table = {}
    for kind in KINDS[:2]:
        for d in (2, 4):
            eye = np.eye(d)
            model = models.TwoLayerLinear(d, d, d, V=eye, T=T / 4)
            name = f"TwoLayerLinear {d} x {d} x {d}"
            x0 = np.tile(eye.ravel(), 2)  # U = W = 1, the minimum
            for train, scheme in ((model, "euler-maruyama"), (model.sgd(ETA / 4), "sgd")):
                run = engine(train, n // d, steps, kind, scheme, x0)
                table[f"{name} {scheme} {label(*kind)}"] = run
        run = engine(models.ScaleInvariant(T=T), n, steps, kind, "euler-maruyama", [1.0, 0.0])
        table[f"ScaleInvariant euler-maruyama {label(*kind)}"] = run
    return ns(table, runs)


def sweeps(steps: int, runs: int) -> dict[str, dict[str, float]]:
    """10^6 particles at one temperature, or at many; ns per particle-step."""
    result = {}
    for kind in KINDS[:2]:
        table: Table = {}
        for points in (1, 1000, 10_000):
            low = T if points == 1 else np.linspace(T / 2, T, points)
            model = ea.models.DiagonalNetwork(depth=1, width=1, T=low)
            run = engine(model, 1_000_000 // points, steps, kind, "euler-maruyama")
            table[f"{points} x {1_000_000 // points}"] = run
        result[label(*kind)] = ns(table, runs)
    return result


def observed(n: int, steps: int, runs: int) -> dict[str, dict[str, float]]:
    """What looking every 100 steps at both numbers, or at functions of them, adds to a run."""
    watch: dict[str, Callable[[], list[Any]]] = {
        "nothing": list,
        "moments of both numbers": lambda: [ea.Moments(4, every=100)],
        "moments of v": lambda: [ea.Moments(4, every=100, of="v")],
        "histogram of v": lambda: [ea.Histogram(-4, 4, 400, every=100, of="v")],
    }
    result = {}
    model = ea.models.DiagonalNetwork(depth=1, width=1, T=T)
    for kind in KINDS[:2]:
        table: Table = {}
        for name, observers in watch.items():
            ensemble = ea.Ensemble(model, n, 1.0, seed=7, dtype=kind[0], threads=1)

            def run(e: Any = ensemble, make: Any = observers) -> None:
                e.run(steps=steps, dt=DT, scheme="euler-maruyama", observe=make())

            table[name] = run, float(n * steps)
        times = rounds(table, runs)
        base = times.pop("nothing")
        result[label(*kind)] = {
            k: round(statistics.median(b / a - 1 for a, b in zip(base, t, strict=True)), 4)
            for k, t in times.items()
        }
    return result


_MEMORY = """
import resource, time, numpy as np, escapade as ea
model = ea.models.BalancedNetwork(T=np.linspace(0.05, 0.25, 10_000))
ensemble = ea.Ensemble(model, 10_000, 1.0, seed=7, dtype="float32", threads=1)
start = time.process_time()
ensemble.run(steps=10, dt=0.01)
spent = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak / 1024, spent)
"""


def memory() -> dict[str, float]:
    """10^4 temperatures times 10^4 particles of BalancedNetwork in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY], capture_output=True, text=True, check=True
    )
    peak, spent = (float(word) for word in done.stdout.split())
    return {
        "particles": 1e8,
        "MiB_peak": round(peak),
        "MiB_of_state": round(4e8 / 2**20),
        "ns_per_particle_step": round(spent, 2),  # 10^9 of them, adaptive
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Take all measurements."""
    n, steps, runs = args.particles, args.steps, args.runs
    try:
        references.check_philox()
        numba = True
    except ImportError as error:
        print(error)
        numba = False
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    warnings.simplefilter("error", ea.EnsembleWarning)  # a lost particle spoils a measurement
    few = max(runs // 3, 3)
    return {
        "what": "ns of processor time per particle-step, one pinned thread, medians over rounds",
        "machine": machine.describe(),
        "particles": n,
        "steps": steps,
        "rounds": runs,
        "network": small_network(n, steps, runs, numba),
        "sgd": training(n, steps // 2, runs, numba),
        "per_parameter": sizes(n, steps // 2, few),
        "others": others(n, steps // 2, few),
        "sweeps": sweeps(64, few),
        "observers_every_100_steps": observed(n, steps, few),
        "memory": memory(),
    }


def main() -> int:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--particles", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--readme", action="store_true", help="rewrite the README's table")
    args = parser.parse_args()
    result = measure(args)
    print(json.dumps(result, indent=1))
    text = network_tables.markdown(result)
    print(text)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if args.readme:
        network_tables.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
