"""The command ``escapade``; one module per subcommand, each with ``add`` and ``run``.

Exit codes: 0 simulation and law agree (or the command had nothing to compare), 1 they disagree,
2 bad arguments, 3 there is no law to compare with, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from . import bench, demo, info, models, reproduce, schemes, validate

__all__ = ["main"]

_EXIT_CODES = (
    "exit codes: 0 agreement, 1 simulation and law disagree, 2 bad arguments, "
    "3 no law to compare with, 130 interrupted"
)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors read like all others, and which does not guess at abbreviations."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs["allow_abbrev"] = False
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"escapade: error: {message}; see '{self.prog} --help'\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="escapade",
        description="Large ensembles of stochastic differential equations with state-dependent noise, "
        "checked against exact laws.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"escapade {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (demo, validate, reproduce, bench, models, schemes, info):
        module.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``escapade`` and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the name of the program; by default those of the process.

    Returns
    -------
    int
        0 agreement, 1 disagreement, 2 bad arguments, 3 no law to compare with, 130 interrupted.
    """
    try:
        arguments = _parser().parse_args(argv)
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except SystemExit as end:  # argparse: --help, --version and its errors
        return end.code if isinstance(end.code, int) else 2
    except BrokenPipeError:  # `escapade models | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("escapade: interrupted", file=sys.stderr)
        return 130
    except (ValueError, TypeError, OSError, NotImplementedError, MemoryError) as error:
        print(f"escapade: error: {error or 'out of memory'}", file=sys.stderr)
        return 2
