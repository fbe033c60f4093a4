"""The figures of the papers, each made again from simulation and compared with theory.

``escapade reproduce NAME`` on the command line; ``escapade.reproduce.run("balance", "figures")`` here.
A figure is one module of this package with a `Figure` called ``FIGURE``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from pathlib import Path
from typing import Any

from .._checks import choice
from .base import Figure, Result, Settings, Statistic
from .files import write

__all__ = ["Figure", "Result", "Settings", "Statistic", "get", "names", "run"]

_HELPERS = ("base", "files")


@functools.cache
def _figures() -> dict[str, Figure]:
    found = (m.name for m in pkgutil.iter_modules(__path__) if m.name not in _HELPERS)
    modules = (importlib.import_module(f".{name}", __name__) for name in found if name[0] != "_")
    figures: list[Figure] = [module.FIGURE for module in modules]
    return {figure.name: figure for figure in sorted(figures, key=lambda f: f.name)}


def names() -> tuple[str, ...]:
    """Return the names of all figures."""
    return tuple(_figures())


def get(name: str) -> Figure:
    """Return the figure called ``name``.

    Raises
    ------
    TypeError, ValueError
        If there is none of that name.
    """
    return _figures()[choice("name", name, names())]


def run(name: str, folder: Any = None, settings: Settings | None = None) -> Result:
    """Make a figure's data again, judge it, and write its files.

    Parameters
    ----------
    name : str
        One of `names`.
    folder : path, optional
        Where to write NAME.png (needs matplotlib), NAME-TABLE.csv and NAME.json; made if it is not
        there. By default nothing is written.
    settings : Settings, optional
        Seed and size.

    Returns
    -------
    Result
        Tables, statistics, and a function that draws.

    Raises
    ------
    TypeError, ValueError
        If there is no such figure.
    ImportError
        If files are wanted and matplotlib is missing; CSV and JSON are written all the same.
    """
    figure = get(name)
    result = figure.make(settings or Settings())
    if folder is not None:
        write(figure, result, Path(folder), settings or Settings())
    return result
