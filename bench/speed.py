"""Speed of one Euler-Maruyama step of the power-law dynamic, beside numpy and numba in the same run.

    python bench/speed.py                          table on the screen
    python bench/speed.py --json bench/results/speed.json --readme
    python bench/speed.py --other clang=PATH       also time another build's _core*.so

Every contender runs once per round, rounds follow each other, and what is quoted is the median over
rounds of time (ns per particle-step) and of the ratio to a reference *of the same round*, which
survives the noise of a shared machine. One thread, pinned, except for the row on two threads.
Compilation and warm-up are left out; states are checked against the exact second moment.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import numpy as np
import references

import escapade as ea
from escapade import _core

H, SIGMA_G, SIGMA_H, ETA, DT = 1.0, 0.1, 0.2, 1.0, 0.01
PARAMETERS = (H, SIGMA_G, SIGMA_H, ETA, 0.0)
KINDS = (("float32", "float32"), ("float64", "float32"), ("float64", "float64"))
Contender = Callable[[], Any]


def load_core(label: str, path: str) -> Any:
    """Import another build's extension module beside ours."""
    spec = importlib.util.spec_from_file_location(f"{label}._core", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"--other: {path} is not an extension module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def engine_run(
    core: Any, dtype: str, noise: str, isa: str, n: int, steps: int, threads: int
) -> Contender:
    """Return a function that advances an ensemble of ours by ``steps``."""
    engine = core.Engine(n, dtype, noise, 7, threads)
    engine.state[:] = 0
    engine.fill_padding()

    def run() -> Any:
        core.set_isa(isa)
        engine.advance("PowerLaw", "euler-maruyama", PARAMETERS, steps, DT)
        return engine.state

    return run


def reference_run(loop: Any, kind: Any, n: int, steps: int) -> Contender:
    """Return a function that runs a peer's loop."""
    x = np.zeros(n, kind)
    return lambda: loop(x, steps, DT, H, ETA * SIGMA_G, ETA * SIGMA_H, 7)


def observed_run(n: int, every: int | None, dtype: str, steps: int) -> Contender:
    """Return a function that runs an ensemble with or without observers."""
    model = ea.models.PowerLaw(H, SIGMA_G, SIGMA_H, ETA)
    ensemble = ea.Ensemble(model, n, 0.0, seed=7, dtype=dtype, threads=1)
    if every is None:
        return lambda: ensemble.run(steps=steps, dt=DT, scheme="euler-maruyama").x

    def run() -> Any:
        watch = [ea.Histogram(-4, 4, 400, every=every), ea.Moments(4, every=every)]
        return ensemble.run(steps=steps, dt=DT, scheme="euler-maruyama", observe=watch).x

    return run


def contenders(n: int, steps: int, others: dict[str, Any], numba: bool) -> dict[str, Contender]:
    """Return everything that is timed on one thread, by name."""
    table: dict[str, Contender] = {}
    builds = {"escapade": _core, **others}
    for label, core in builds.items():
        for isa in core.supported_isas():
            if isa == "x86-64-v2":
                continue  # without fused multiply-add: tens of times slower, see the README
            for dtype, noise in KINDS:
                name = f"{label} {isa} {dtype}, {noise} noise"
                table[name] = engine_run(core, dtype, noise, isa, n, steps, 1)
    for kind in (np.float32, np.float64):
        table[f"numpy {kind.__name__}"] = reference_run(references.numpy_naive, kind, n, steps)
        table[f"numpy tuned {kind.__name__}"] = reference_run(
            references.numpy_tuned, kind, n, steps
        )
        if numba:
            table[f"numba {kind.__name__}"] = reference_run(references.numba_philox, kind, n, steps)
    if numba:
        table["numba float64 state, float32 noise"] = reference_run(
            references.numba_mixed, np.float64, n, steps
        )
    return table


def rounds(table: dict[str, Contender], runs: int, work: float) -> dict[str, list[float]]:
    """Run all contenders in turn; nanoseconds per particle-step, round by round."""
    for run in table.values():
        check(run())
    times: dict[str, list[float]] = {name: [] for name in table}
    for _ in range(runs):
        for name, run in table.items():
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) / work * 1e9)
    return times


def check(x: Any) -> None:
    """Refuse a contender whose second moment is off (transient or stationary alike)."""
    second = float(np.mean(np.asarray(x, np.float64) ** 2))
    limit = ETA * SIGMA_G / (2 * H - ETA * SIGMA_H - H**2 * DT)
    if not 0.5 * limit < second < 1.05 * limit:
        raise SystemExit(f"a contender is wrong: E x^2 = {second:g}, stationary value {limit:g}")


def ratio(times: dict[str, list[float]], name: str, reference: str) -> float:
    """Return the median over rounds of reference time over time: how many times as fast."""
    return statistics.median(r / t for r, t in zip(times[reference], times[name], strict=True))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Take all measurements."""
    n, steps, runs = args.particles, args.steps, args.runs
    others = {}
    for entry in args.other:
        label, _, path = entry.partition("=")
        others[label] = load_core(label, path)
    try:
        references.check_philox()
        numba = True
    except ImportError as error:
        print(error)
        numba = False
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    single = rounds(contenders(n, steps, others, numba), runs, n * steps)
    best = _core.supported_isas()[0]
    _core.set_isa(best)
    watched: dict[str, Any] = {}
    for dtype in ("float32", "float64"):
        pair = {
            "plain": observed_run(n, None, dtype, steps),
            "observed": observed_run(n, 100, dtype, steps),
        }
        t = rounds(pair, runs, n * steps)
        watched[dtype] = statistics.median(
            b / a - 1 for a, b in zip(t["plain"], t["observed"], strict=True)
        )
    os.sched_setaffinity(0, cores)
    scaling = {}
    if len(cores) > 1:
        for dtype, noise in KINDS:
            pair = {str(k): engine_run(_core, dtype, noise, best, n, 5 * steps, k) for k in (1, 2)}
            scaling[f"{dtype}, {noise} noise"] = ratio(rounds(pair, runs, 5 * n * steps), "2", "1")
    os.sched_setaffinity(0, cores)
    return {
        "what": "PowerLaw, euler-maruyama, ns per particle-step, one pinned thread, medians",
        "machine": machine.describe(),
        "particles": n,
        "steps": steps,
        "rounds": runs,
        "ns": {name: round(statistics.median(t), 4) for name, t in single.items()},
        "times_as_fast_as": {
            name: {
                reference: round(ratio(single, name, reference), 3)
                for reference in single
                if reference.startswith("num")
            }
            for name in single
            if not name.startswith("num")
        },
        "observers_every_100_steps": {k: round(v, 4) for k, v in watched.items()},
        "two_threads_over_one": {k: round(v, 3) for k, v in scaling.items()},
        "overhead_microseconds": round(overhead(), 2),
    }


def overhead() -> float:
    """Return the time of a run of one step of 64 particles: what Python costs."""
    ensemble = ea.Ensemble(ea.models.PowerLaw(), 64, 0.0, seed=1, threads=1)
    times = []
    for _ in range(2000):
        start = time.perf_counter()
        ensemble.run(steps=1, dt=DT)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def markdown(result: dict[str, Any]) -> str:
    """Return the README's table."""
    m = result["machine"]
    fast = result["times_as_fast_as"]
    lines = [
        f"Measured on {m['processor']} ({m['processor_id']}), {m['compiler']}, one pinned thread, median of "
        f"{result['rounds']} alternating rounds of {result['particles']:,} particles x {result['steps']} steps, "
        f"with `python bench/speed.py`:",
        "",
        "| power-law dynamic, Euler-Maruyama | ns per particle-step | times as fast as numpy | as numba* |",
        "|---|---|---|---|",
    ]
    for name, ns in result["ns"].items():
        wide = "float64" if "float64," in name or name.endswith("float64") else "float32"
        peer, naive = f"numba {wide}", f"numpy {wide}"
        row = fast.get(name, {})
        lines.append(
            f"| {name} | {ns:.3f} | {row[naive]:.1f} | {row.get(peer, float('nan')):.2f} |"
            if row
            else f"| {name} | {ns:.3f} | | |"
        )
    lines += [
        "",
        "*numba: our own hand-vectorised loop with Philox and polynomial Box-Muller in the state's precision "
        "(`bench/references.py`), the best we could write.",
        "",
        "Observers (a histogram of 400 bins and four moments) every 100 steps cost "
        + ", ".join(f"{v:+.1%} ({k})" for k, v in result["observers_every_100_steps"].items())
        + "; two threads are "
        + ", ".join(f"{v:.2f} ({k})" for k, v in result["two_threads_over_one"].items())
        + f" times as fast as one; a run costs {result['overhead_microseconds']:.0f} microseconds of Python.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--particles", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--other", action="append", default=[], metavar="LABEL=PATH")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--readme", action="store_true", help="rewrite the README's speed section")
    args = parser.parse_args()
    result = measure(args)
    text = markdown(result)
    print(text)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if args.readme:
        path = machine.ROOT / "README.md"
        head, rest = path.read_text().split("<!-- speed:begin -->")
        _, tail = rest.split("<!-- speed:end -->")
        path.write_text(f"{head}<!-- speed:begin -->\n{text}\n<!-- speed:end -->{tail}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
