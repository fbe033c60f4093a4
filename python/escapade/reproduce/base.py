"""What a reproduced figure is: data, a drawing, and the statistics that say whether theory holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Figure", "Result", "Settings", "Statistic", "ratio", "test", "z_score"]


@dataclass(frozen=True)
class Settings:
    """How large a reproduction is.

    Attributes
    ----------
    seed : int
        Of all ensembles; each figure adds small numbers to it.
    scale : float
        Factor on the number of particles; 1 makes what the gallery shows. With less, statistics are
        judged against the larger errors that fewer particles have.
    threads : int or None
    progress : bool
    """

    seed: int = 7
    scale: float = 1.0
    threads: int | None = None
    progress: bool = False

    def particles(self, n: int, least: int = 64) -> int:
        """Return the number of particles to take where a full-size figure takes ``n``."""
        return max(least, round(n * self.scale))


@dataclass(frozen=True)
class Statistic:
    """One comparison of simulation and theory.

    Attributes
    ----------
    name : str
        What is compared, in words.
    measured, expected : float
        By simulation and by theory.
    limit : str
        How it was judged, in words that name the bound.
    agrees : bool
    """

    name: str
    measured: float
    expected: float
    limit: str
    agrees: bool


def z_score(
    name: str,
    measured: float,
    expected: float,
    stderr: float,
    bias: float = 0.0,
    most: float = 4.0,
) -> Statistic:
    """Judge by the distance in standard errors, after an allowed ``bias`` (of a scheme, say)."""
    excess = max(abs(measured - expected) - bias, 0.0)
    z = excess / stderr if stderr > 0.0 else (0.0 if excess == 0.0 else math.inf)
    if bias:
        raw = (measured - expected) / stderr if stderr > 0.0 else math.inf
        limit = (
            f"z = {raw:.1f}, {z:.1f} beyond the {bias:.2g} allowed for what is of first order in the "
            f"step, at most {most:g} (standard error {stderr:.2g})"
        )
    else:
        limit = f"|z| = {z:.2f}, at most {most:g} (standard error {stderr:.2g})"
    return Statistic(name, float(measured), float(expected), limit, bool(z <= most))


def ratio(name: str, measured: float, expected: float, within: float) -> Statistic:
    """Judge by the relative difference."""
    off = abs(measured / expected - 1.0) if expected else abs(measured)
    limit = f"off by {off:.2%}, at most {within:.2%}"
    return Statistic(name, float(measured), float(expected), limit, bool(off <= within))


def test(name: str, statistic: float, p_value: float, least: float = 1e-3) -> Statistic:
    """Judge by the p-value of a test whose statistic is 0 for perfect agreement."""
    limit = f"p = {p_value:.3g}, at least {least:g}"
    return Statistic(name, float(statistic), 0.0, limit, bool(p_value >= least))


@dataclass
class Result:
    """What a figure's simulation gave.

    Attributes
    ----------
    tables : mapping of str to mapping of str to array_like
        Columns of equal length by name; each table becomes a CSV file.
    statistics : list of Statistic
    draw : callable
        Draws on an empty ``matplotlib.figure.Figure``.
    """

    tables: Mapping[str, Mapping[str, Any]]
    statistics: list[Statistic]
    draw: Callable[[Any], None]
    notes: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether all statistics agree with theory."""
        return all(s.agrees for s in self.statistics)

    def columns(self, table: str) -> dict[str, np.ndarray[Any, Any]]:
        """Return a table's columns as arrays."""
        return {k: np.asarray(v) for k, v in self.tables[table].items()}


@dataclass(frozen=True)
class Figure:
    """A figure that can be made again.

    Attributes
    ----------
    name : str
        What ``escapade reproduce`` calls it.
    title : str
        What it shows, in one line.
    source : str
        Paper, figure and equations.
    chosen : str
        Parameters that the paper does not state, and what was chosen.
    make : callable
        Simulates; takes `Settings`.
    size : tuple of float
        Inches.
    """

    name: str
    title: str
    source: str
    chosen: str
    make: Callable[[Settings], Result]
    size: tuple[float, float] = (9.0, 4.0)
