"""``escapade bench``: results of record and what they cost, measured again."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from .._checks import integer, number
from ._options import count

if TYPE_CHECKING:
    from ..benchmarks.escape import Row

_DESCRIPTION = """\
Escape rates of known problems: direct simulation with lamperti-heun and the bridge test, splitting
for the rare ones, each beside the exact rate.

  off     rate over exact rate, less 1; s.e.: its standard error, by the scatter
  z       off in standard errors
  bias    that of the time step, known without simulation; '-' where it cannot be computed
  faster  how much sooner than Euler-Maruyama with end-point tests, at its best time step, the same
          error sqrt(s.e.^2 + bias^2) is reached

Exit code 1 if a rate is off by more than 4 standard errors and the bias of its time step (1 or 2 per
cent where that cannot be computed)."""


def add(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="benchmarks of record: rates beside exact ones, and what they cost",
        description="Measure again what is claimed of results and their cost.",
    )
    choices = parser.add_subparsers(title="benchmarks", metavar="NAME", required=True)
    escape = choices.add_parser(
        "escape",
        help="escape rates from 0.5 to 1e-28",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    escape.add_argument("--out", type=Path, metavar="FILE", help="write JSON to this file")
    escape.add_argument("--json", action="store_true", help="print JSON for scripts, no table")
    escape.add_argument("--seed", type=count, default=7, metavar="S", help="seed (default 7)")
    escape.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        metavar="T",
        help="time for all problems (default 60); those that are done earlier stop",
    )
    escape.add_argument(
        "--threads", type=count, metavar="N", help="threads (default: all processors)"
    )
    escape.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from ..benchmarks import escape as benchmark  # brings in parts of scipy
    from ..benchmarks.machine import describe

    seed = integer("--seed", arguments.seed, low=0, high=2**63)
    seconds = number("--seconds", arguments.seconds, low=0.0, open_low=True)
    threads = arguments.threads
    if threads is not None:
        threads = integer("--threads", threads, low=1, high=4096)
    out: Path | None = arguments.out
    if out is not None and not out.parent.is_dir():
        raise ValueError(f"--out must lie in a folder that exists, got {str(out)!r}")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    if not arguments.json:
        print(_head())
    rows = []
    for row in benchmark.run(seconds=seconds, seed=seed, threads=threads):
        rows.append(row)
        if not arguments.json:
            print(_line(row), flush=True)
    agrees = all(row.agrees for row in rows)
    record = {
        "benchmark": "escape",
        "version": __version__,
        "what": " ".join((benchmark.__doc__ or "").split()),
        "machine": {**describe(), "load_before": load},
        "seed": seed,
        "seconds": seconds,
        "threads": threads,
        "z_max": benchmark.Z_MAX,
        "agrees": agrees,
        "rows": [row.to_dict() for row in rows],
    }
    text = json.dumps(record, indent=1)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
    if arguments.json:
        print(text)
    else:
        wrong = [row.name for row in rows if not row.agrees]
        print("DISAGREEMENT: " + "; ".join(wrong) if wrong else "all rates agree")
    return 0 if agrees else 1


def _head() -> str:
    return (
        f"{'problem':<36}{'rate':>11}{'exact':>11}{'off %':>8}{'s.e. %':>8}{'z':>7}{'bias %':>8}"
        f"{'steps':>9}{'s':>7}{'faster':>9}"
    )


def _line(row: Row) -> str:
    bias = "-" if row.time_step_bias is None else f"{100.0 * row.time_step_bias:.3f}"
    verdict = "" if row.agrees else "  DISAGREES"
    return (
        f"{row.name:<36}{row.rate:>11.4g}{row.exact:>11.4g}{100.0 * row.off:>8.2f}"
        f"{100.0 * row.stderr:>8.2f}{row.z:>7.2f}{bias:>8}{row.particle_steps:>9.1e}"
        f"{row.seconds:>7.2f}{row.times_faster:>9.2g}{verdict}"
    )
