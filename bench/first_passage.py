"""Speed of first passage in a double well, beside our plain step, numba and numpy in the same run.

    python bench/first_passage.py                       table on the screen
    python bench/first_passage.py --json bench/results/first_passage.json

``dx = (x - x^3) dt + sqrt(0.2) dW`` from -1 until ``x >= 1`` or ``t = 50``, Euler-Maruyama with step
0.01. What is quoted is nanoseconds per step of a particle that has not arrived. Every contender runs
once per round and rounds follow each other; of the times of a contender the median over rounds is
given, and of two contenders the median of the ratios within rounds, which survives the noise of a
shared machine. One thread, pinned; CPU time and wall time. Compilation, warm-up and the making of
initial states are left out. Each contender's share of arrivals is checked against numpy's; what
bridge and shift find differs from it, and is checked against the exact survival probability.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import first_passage_references as references
import machine
import numpy as np

import escapade as ea
from escapade import _core
from escapade.passage import prepare

H, T, NOISE2, START, LEVEL, DT = 0.25, 0.1, 0.2, -1.0, 1.0, 0.01
KINDS = (("float32", "float32"), ("float64", "float32"), ("float64", "float64"))
TESTS = ("endpoint", "bridge", "shift")
GENERATORS = ("keyed", "philox", "xoshiro")
MODEL = ea.models.DoubleWell(h=H, T=T)
PEERS = {  # the loops in the same arithmetic
    "float32, float32 noise": "float32",
    "float64, float32 noise": "mixed",
    "float64, float64 noise": "float64",
}


class Outcome(NamedTuple):
    """Steps made by particles that had not arrived, and the share that has arrived."""

    particle_steps: int
    arrived: float


class Timing(NamedTuple):
    """Nanoseconds per live particle-step, by the processor's clock and by the wall's."""

    cpu: float
    wall: float


Contender = Callable[[], Callable[[], Outcome]]
"""Makes the initial states and returns what is timed."""


def passage(test: str, dtype: str, noise: str, n: int, seed: int = 7) -> Any:
    """Return a batch of ours, ready to run."""
    problem = prepare(
        MODEL,
        START,
        ea.Interval(upper=LEVEL),
        n=n,
        dt=DT,
        scheme="euler-maruyama",
        test=test,
        seed=seed,
        dtype=dtype,
        noise=noise,
        threads=1,
    )
    return problem.batch(problem.start(n), np.arange(n, dtype=np.uint64))


def ours(test: str, dtype: str, noise: str, n: int, steps: int) -> Callable[[], Outcome]:
    """First passage in the engine."""
    batch = passage(test, dtype, noise, n)

    def run() -> Outcome:
        batch.run(steps)
        return Outcome(batch.particle_steps, 1.0 - batch.alive / n)

    return run


def plain(dtype: str, noise: str, n: int, steps: int) -> Callable[[], Outcome]:
    """Return our Euler-Maruyama step without events, for as many particle-steps, roughly."""
    engine = _core.Engine(n, dtype, noise, 7, 1)
    engine.state[:] = START
    engine.fill_padding()

    def run() -> Outcome:
        engine.advance("DoubleWell", "euler-maruyama", MODEL._call[1], steps, DT)
        return Outcome(n * steps, math.nan)

    return run


def peer(name: str, n: int, steps: int) -> Callable[[], Outcome]:
    """Return a loop of numba or numpy."""
    arguments = (n, steps, DT, NOISE2, START, LEVEL, 12345)

    def run() -> Outcome:
        if name.startswith("numpy"):
            kind = np.float32 if name.endswith("32") else np.float64
            found = references.numpy_loop(*arguments, kind)
        else:
            found = references.numba_loop(name, *arguments)
        live = int(np.sum(np.where(found > 0, found, steps)))
        return Outcome(live, float(np.mean(found > 0)))

    return run


def contenders(n: int, steps: int, numba: bool) -> dict[str, Contender]:
    """Return everything that is timed, by name."""
    table: dict[str, Contender] = {}
    for dtype, noise in KINDS:
        kind = f"{dtype}, {noise} noise"
        for test in TESTS:
            table[f"{test} {kind}"] = partial(ours, test, dtype, noise, n, steps)
        table[f"plain {kind}"] = partial(plain, dtype, noise, n, steps // 2)
    if numba:
        for generator in GENERATORS:
            for kind in PEERS.values():
                name = f"{generator}_{kind}"
                table[f"numba {generator} {kind}"] = partial(peer, name, n, steps)
    return table


def timed(run: Callable[[], Outcome]) -> tuple[Timing, Outcome]:
    """Run once and take both times."""
    cpu, wall = time.thread_time(), time.perf_counter()
    outcome = run()
    cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    scale = 1e9 / outcome.particle_steps
    return Timing(cpu * scale, wall * scale), outcome


def check(table: dict[str, Contender], reference: float, n: int, steps: int) -> None:
    """Run everything once, and refuse a contender that finds another share of arrivals."""
    exact = 1.0 - float(ea.exact.survival(MODEL, START, steps * DT, b=LEVEL))
    for name, make in table.items():
        share = make()().arrived
        if math.isnan(share):
            continue
        bridge = name.startswith(("bridge", "shift"))
        # both miss the law of the diffusion by about 1 per cent of the mean time at this step
        off = abs(share - (exact if bridge else reference)) - (0.01 if bridge else 0.0)
        if off > 4.5 * math.sqrt(2.0 * reference * (1.0 - reference) / n):
            raise SystemExit(f"{name} is wrong: {share:.4f} have arrived, not {reference:.4f}")


def tenths(dtype: str, noise: str, test: str, n: int, steps: int) -> list[float]:
    """Return live particle-steps per nanosecond of processor time in each tenth of a run."""
    batch = passage(test, dtype, noise, n)
    speed = []
    for k in range(1, 11):
        before, start = batch.particle_steps, time.thread_time()
        batch.run(steps * k // 10)
        speed.append((batch.particle_steps - before) / (time.thread_time() - start) / 1e9)
    return speed


def ratio(times: dict[str, list[Timing]], name: str, reference: str) -> float:
    """Return the median over rounds of the reference's CPU time over that of ``name``."""
    pairs = zip(times[reference], times[name], strict=True)
    return statistics.median(r.cpu / t.cpu for r, t in pairs)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Take all measurements."""
    n, steps = args.particles, 5000
    try:
        references.references.check_philox()
        numba = True
    except ImportError as error:
        print(error)
        numba = False
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    load = os.getloadavg()[0]
    table = contenders(n, steps, numba)
    slow = {}
    for kind in ("float32", "float64"):
        slow[f"numpy {kind}"], outcome = timed(peer(f"numpy {kind}", n, steps))
    check(table, outcome.arrived, n, steps)
    times: dict[str, list[Timing]] = {name: [] for name in table}
    for _ in range(args.runs):
        for name, make in table.items():
            times[name].append(timed(make())[0])
    last = {}
    for dtype, noise in KINDS:
        for test in ("endpoint", "bridge"):
            for t_max in (50, 250):
                runs = [
                    tenths(dtype, noise, test, n, round(t_max / DT)) for _ in range(args.runs // 2)
                ]
                share = statistics.median(r[-1] / r[0] for r in runs)
                last[f"{test} {dtype}, {noise} noise, t_max {t_max}"] = round(share, 3)
    best = {}
    if numba:
        for kind, arithmetic in PEERS.items():
            best[kind] = {
                generator: round(
                    ratio(times, f"endpoint {kind}", f"numba {generator} {arithmetic}"), 3
                )
                for generator in GENERATORS
            }
    return {
        "what": "double well, first passage from -1 to 1, t_max 50, ns per live particle-step, "
        "one pinned thread, medians over rounds",
        "machine": {**machine.describe(), "load_at_start": round(load, 2)},
        "particles": n,
        "steps": steps,
        "rounds": args.runs,
        "ns_cpu": {k: round(statistics.median(t.cpu for t in v), 4) for k, v in times.items()}
        | {k: round(t.cpu, 4) for k, t in slow.items()},
        "ns_wall": {k: round(statistics.median(t.wall for t in v), 4) for k, v in times.items()}
        | {k: round(t.wall, 4) for k, t in slow.items()},
        "numba_registers": {
            f"{generator}_{kind}": references.registers(f"{generator}_{kind}")
            for generator in GENERATORS
            for kind in PEERS.values()
        }
        if numba
        else {},
        "endpoint_times_as_fast_as_numba": best,
        "time_over_plain_step": {
            f"{test} {dtype}, {noise} noise": round(
                ratio(times, f"plain {dtype}, {noise} noise", f"{test} {dtype}, {noise} noise"), 3
            )
            for test in TESTS
            for dtype, noise in KINDS
        },
        "speed_of_last_tenth_over_first": last,
    }


def show(result: dict[str, Any]) -> str:
    """Return the table that is printed."""
    m = result["machine"]
    lines = [
        f"{m['processor']} ({m['processor_id']}), {m['compiler']}, load {m['load_at_start']}",
        f"{'ns per live particle-step':<44}{'cpu':>8}{'wall':>8}",
    ]
    for name, ns in result["ns_cpu"].items():
        lines.append(f"{name:<44}{ns:>8.3f}{result['ns_wall'][name]:>8.3f}")
    lines.append("end-point test, times as fast as numba in the same arithmetic:")
    for kind, row in result["endpoint_times_as_fast_as_numba"].items():
        lines.append(f"  {kind:<42}" + ", ".join(f"{k} {v:.2f}" for k, v in row.items()))
    for title in ("time_over_plain_step", "speed_of_last_tenth_over_first"):
        lines.append(title.replace("_", " ") + ":")
        lines += [f"  {name:<46}{value:.2f}" for name, value in result[title].items()]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--particles", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    result = measure(args)
    print(show(result))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
