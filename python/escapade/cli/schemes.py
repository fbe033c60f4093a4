"""``escapade schemes``: the time-stepping schemes and their orders."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from .. import schemes
from . import _text


def add(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "schemes",
        help="the schemes: calculus, coordinate, orders",
        description="List the time-stepping schemes.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    found = [schemes.get(name) for name in schemes.list()]
    if arguments.json:
        print(json.dumps([{**asdict(s), **s.orders(), "exact": s.exact} for s in found], indent=2))
        return 0
    print(f"{'scheme':<24}{'calculus':<14}{'steps in':<10}{'strong':>7}{'weak':>6}{'normals':>9}")
    for s in found:
        calculus = _text.calculus(s.calculus)
        strong, weak = ("-", "exact") if s.exact else (f"{s.strong_order:g}", f"{s.weak_order:g}")
        marks = [word for word in ("adaptive", "jumps") if getattr(s, word)]
        print(
            f"{s.name:<24}{calculus:<14}{s.coordinate:<10}{strong:>7}{weak:>6}{s.draws:>9}"
            f"{'  ' if marks else ''}{', '.join(marks)}"
        )
        print(f"  {s.summary}")
    print("orders: for noise that depends on the state; exact: the law of a step of any length")
    print("jumps: steps models driven by alpha-stable noise too")
    print("normals: per step and Wiener process; batch: those of the samples of a minibatch")
    return 0
