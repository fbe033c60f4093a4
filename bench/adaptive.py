"""What a state-dependent step costs: adaptive schemes beside the same schemes with a fixed step.

    python bench/adaptive.py                       table on the screen
    python bench/adaptive.py --json bench/results/adaptive.json

Networks at their stationary law are run by both, in turn, in one process on one pinned thread. Time is
divided by the steps made, further substeps included; the ratio is the median over rounds of adaptive
to fixed *of the same round*. A fixed step loses or throws particles that an adaptive one does not:
each round starts from the same states, and is short enough that both stay near the law.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import machine
import numpy as np

import escapade as ea
from escapade import _core

# adaptive-log-platen has no counterpart of its own with a fixed step: `log-platen` is the control
PAIRS = {
    "adaptive-log-euler": "log-euler",
    "adaptive-lamperti-heun": "lamperti-heun",
    "adaptive-log-platen": "log-platen",
    "adaptive-milstein": "milstein",  # in the space of all parameters
}
KINDS = (("float32", "float32"), ("float64", "float32"), ("float64", "float64"))


class Timed:
    """One scheme of one model, from the same states every time."""

    def __init__(self, model: Any, scheme: str, x: np.ndarray, dtype: str, noise: str) -> None:
        self.scheme, self.values = scheme, model._matrix
        coordinate = ea.schemes.get(scheme).coordinate
        self.engine = _core.Engine(x.size, dtype, noise, 7, 1, planes=model._planes)
        self.engine.state[0] = model.balanced(x) if model.vector else x[:, np.newaxis]
        if coordinate != "physical":
            self.engine.change_coordinate(model.name, model._matrix, "physical", coordinate)
        self.start = self.engine.state.copy()
        self.name = model.name

    def run(self, steps: int, dt: float) -> tuple[float, float]:
        """Return nanoseconds per step or substep, and substeps per step."""
        self.engine.state[:] = self.start
        self.engine.fill_padding()
        before = self.engine.substeps
        begin = time.perf_counter()
        self.engine.advance(self.name, self.scheme, self.values, steps, dt)
        spent = time.perf_counter() - begin
        made, further = self.start.size * steps, self.engine.substeps - before
        return spent / (made + further) * 1e9, further / made


def compare(
    model: Any, adaptive: str, kind: tuple[str, str], dt: float, args: Any
) -> dict[str, Any]:
    """Time an adaptive scheme and its fixed counterpart in turn."""
    x = model.stationary().rvs(args.particles, random_state=1)
    both = [Timed(model, scheme, x, *kind) for scheme in (adaptive, PAIRS[adaptive])]
    for timed in both:
        timed.run(args.steps, dt)
    rounds = [[timed.run(args.steps, dt) for timed in both] for _ in range(args.runs)]
    ratios = sorted(a[0] / b[0] for a, b in rounds)
    return {
        "scheme": adaptive,
        "control": PAIRS[adaptive],
        "depth": model.depth,
        "T": model.T,
        "dt": dt,
        "state": kind[0],
        "noise": kind[1],
        "ns": round(statistics.median(a[0] for a, _ in rounds), 3),
        "ns_control": round(statistics.median(b[0] for _, b in rounds), 3),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_quartiles": [round(float(q), 3) for q in np.quantile(ratios, [0.25, 0.75])],
        "substeps_per_step": round(statistics.median(a[1] for a, _ in rounds), 4),
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Take all measurements."""
    gauss = ea.data.gaussian(1.0, 1.0)
    cases = [(1, T, dt) for T in (0.1, 0.2) for dt in (0.01, 0.005)]
    cases += [(depth, 0.1, 0.0025) for depth in (2, 3)]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    table: list[dict[str, Any]] = []
    for depth, T, dt in cases:
        models = [
            m(depth, 1, T, gauss) for m in (ea.models.BalancedNetwork, ea.models.DiagonalNetwork)
        ]
        for model, scheme in itertools.product(models, PAIRS):
            if scheme in model.schemes and PAIRS[scheme] in model.schemes:
                for kind in KINDS[: args.kinds]:
                    table.append(compare(model, scheme, kind, dt, args))
                    print(line(table[-1]), flush=True)
    return {
        "what": "nanoseconds per step or substep, adaptive and fixed schemes, one pinned thread",
        "machine": machine.describe(),
        "particles": args.particles,
        "steps": args.steps,
        "rounds": args.runs,
        "table": table,
    }


def line(row: dict[str, Any]) -> str:
    """Return a row for the screen."""
    kind = f"{row['state']}/{row['noise']}"
    return (
        f"{row['scheme']:23} depth {row['depth']}  T {row['T']:<4} dt {row['dt']:<6} {kind:16} "
        f"{row['ns']:7.3f} ns / {row['ns_control']:7.3f} = {row['ratio']:5.3f} "
        f"({row['substeps_per_step']:.4f} substeps per step)"
    )


def main() -> int:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--particles", type=int, default=200_000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--kinds", type=int, default=3, help="1: float32 only, 2, 3: all")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    result = measure(args)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
