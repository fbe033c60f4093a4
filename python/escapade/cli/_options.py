"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .. import data
from .._checks import integer
from ._csv import read_columns

if TYPE_CHECKING:
    from ..data import DataMoments

_FAMILIES = {"gaussian": ("k", "s"), "binary": ("k", "s")}


def count(text: str) -> int:
    """Read a whole number; ``1e6`` and ``1_000_000`` are fine."""
    try:
        return int(text)
    except ValueError:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if value != value or value in (float("inf"), float("-inf")) or value != int(value):
            raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None
        return int(value)


def add_common(parser: argparse.ArgumentParser, *, n: int, seed: int) -> None:
    """Add the options of every command that simulates."""
    parser.add_argument(
        "--n", type=count, default=n, metavar="N", help=f"number of particles (default {n:,})"
    )
    parser.add_argument(
        "--threads", type=count, metavar="N", help="threads (default: all processors); same results"
    )
    parser.add_argument(
        "--seed", type=count, default=seed, metavar="S", help=f"seed, >= 0 (default {seed})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for scripts, no table")


def check_common(arguments: argparse.Namespace) -> None:
    """Check the options of `add_common`, so that errors come before anything runs."""
    integer("--n", arguments.n, low=1, high=2**40)
    integer("--seed", arguments.seed, low=0, high=2**64 - 1)
    if arguments.threads is not None:
        integer("--threads", arguments.threads, low=1, high=4096)


def progress(arguments: argparse.Namespace) -> bool:
    """Return whether to show progress bars: on a terminal, unless JSON is wanted."""
    return sys.stderr.isatty() and not arguments.json


def read_data(text: str) -> DataMoments:
    """Return the moments that ``--data`` asks for.

    Parameters
    ----------
    text : str
        ``gaussian:k,s``, ``binary:k,s`` (see `escapade.data`) or the name of a file with two columns.

    Raises
    ------
    ValueError
        If the text or the contents of the file are malformed.
    OSError
        If the file cannot be read.
    """
    family, colon, rest = text.partition(":")
    if colon and family in _FAMILIES:
        names = _FAMILIES[family]
        try:
            values = [float(part) for part in rest.split(",")]
        except ValueError:
            values = []
        if len(values) != len(names):
            raise ValueError(f"--data must be {family}:{','.join(names)}, got {text!r}")
        moments: DataMoments = getattr(data, family)(*values)
        return moments
    x, y = read_columns(Path(text))
    try:
        return data.from_samples(x, y)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None
