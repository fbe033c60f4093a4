"""``escapade reproduce``: the papers' figures, made again and judged."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import reproduce
from .._checks import integer, number
from ..reproduce.files import write
from ._options import count


def add(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "reproduce",
        help="make a paper's figure again: PNG, CSV, and whether theory holds",
        description="Simulate what a figure of the papers shows, compare with theory, and write "
        "NAME.png, NAME-TABLE.csv and NAME.json. Without names: list the figures.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures; see the list")
    parser.add_argument("--all", action="store_true", help="every figure")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("escapade-figures"),
        metavar="DIR",
        help="folder to write to (default escapade-figures)",
    )
    parser.add_argument("--seed", type=count, default=7, metavar="S", help="seed, >= 0 (default 7)")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        metavar="F",
        help="factor on the number of particles (default 1)",
    )
    parser.add_argument(
        "--threads", type=count, metavar="N", help="threads (default: all processors); same results"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for scripts, no table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.all and arguments.names:
        raise ValueError(f"--all must not come with names, got {' '.join(arguments.names)}")
    names = reproduce.names() if arguments.all else tuple(arguments.names)
    figures = [reproduce.get(name) for name in names]
    settings = reproduce.Settings(
        seed=integer("--seed", arguments.seed, low=0, high=2**63),
        scale=number("--scale", arguments.scale, low=1e-4, high=1e4),
        threads=None
        if arguments.threads is None
        else integer("--threads", arguments.threads, low=1, high=4096),
        progress=sys.stderr.isatty() and not arguments.json,
    )
    if not figures:
        for name in reproduce.names():
            print(f"{name:<24}{reproduce.get(name).title}")
        return 0
    agrees, missing, records = True, False, []
    for figure in figures:
        start = time.perf_counter()
        result = figure.make(settings)
        seconds = time.perf_counter() - start
        try:
            write(figure, result, arguments.out, settings)
        except ImportError as error:  # tables and statistics are written; the picture is not
            missing = True
            print(f"escapade: {figure.name}: no picture: {error}", file=sys.stderr)
        agrees = agrees and result.agrees
        if arguments.json:
            records.append(
                {"name": figure.name, "statistics": [asdict(s) for s in result.statistics]}
            )
        else:
            _show(figure, result, seconds)
    if arguments.json:
        print(json.dumps({"agrees": agrees, "figures": records}, indent=2))
    else:
        print(f"written to {arguments.out}{' (tables only)' if missing else ''}")
    return 0 if agrees else 1


def _show(figure: reproduce.Figure, result: reproduce.Result, seconds: float) -> None:
    print(f"{figure.name}: {figure.title} ({seconds:.1f} s)")
    print(f"  {figure.source}")
    for s in result.statistics:
        verdict = "agrees" if s.agrees else "DISAGREES"
        print(f"  {verdict:<10}{s.name}: {s.measured:.5g}, theory {s.expected:.5g}; {s.limit}")
    for note in result.notes:
        print(f"  {note}")
    print()
