"""What several figures share: binned densities, tables, and the look of points and lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ..plots import DATA_COLOUR, LAW_COLOUR
from .base import Statistic, test

if TYPE_CHECKING:
    from ..laws import Law

__all__ = [
    "PALETTE",
    "Table",
    "binned",
    "chi_square",
    "curve",
    "ks",
    "label_panels",
    "points",
    "stack",
]

FloatArray = npt.NDArray[np.float64]
Table = dict[str, Any]

#: Okabe and Ito's palette, which colour-blind readers can tell apart; data and law colours first.
PALETTE = (DATA_COLOUR, LAW_COLOUR, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def binned(x: FloatArray, law: Law, edges: FloatArray) -> Table:
    """Return measured and exact density, both averaged over bins.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Samples; those outside the edges count for the normalisation.
    law : Law
    edges : ndarray, shape (bins + 1,)
        Increasing.

    Returns
    -------
    dict
        ``v`` (middle of the bin), ``density``, ``stderr`` (Poisson), ``law``; each shape (bins,).
    """
    counts = np.histogram(x, edges)[0]
    weight = x.size * np.diff(edges)
    below, above = np.asarray(law.cdf(edges)), np.asarray(law.sf(edges))
    share = np.where(below[:-1] < 0.5, np.diff(below), -np.diff(above))
    return {
        "v": 0.5 * (edges[1:] + edges[:-1]),
        "density": counts / weight,
        "stderr": np.sqrt(np.maximum(counts, 1)) / weight,
        "law": share / np.diff(edges),
    }


def stack(parts: Sequence[Table]) -> Table:
    """Return one table of several with the same columns; numbers are repeated down their part."""
    columns: Table = {}
    for name in parts[0]:
        pieces = []
        for part in parts:
            length = max(np.size(column) for column in part.values())
            pieces.append(np.broadcast_to(np.asarray(part[name]), (length,)))
        columns[name] = np.concatenate(pieces)
    return columns


def ks(name: str, x: FloatArray, law: Law) -> Statistic:
    """Judge samples by the Kolmogorov-Smirnov test against a law."""
    comparison = law.compare(x)
    return test(f"KS distance, {name}", comparison.ks, comparison.p_value)


def chi_square(name: str, z: FloatArray) -> Statistic:
    """Judge independent deviations in standard errors together, by their mean square."""
    deviations = np.asarray(z, dtype=np.float64)
    total = float(np.sum(deviations**2))
    statistic = test(name, total / z.size, float(stats.chi2.sf(total, z.size)))
    return Statistic(statistic.name, statistic.measured, 1.0, statistic.limit, statistic.agrees)


def points(ax: Any, x: Any, y: Any, error: Any, colour: str = DATA_COLOUR, **style: Any) -> None:
    """Draw simulated values as open circles with error bars of one standard error."""
    look: dict[str, Any] = {"ms": 3.2, "mew": 0.9, "elinewidth": 0.8, "mfc": "white", "fmt": "o"}
    ax.errorbar(x, y, yerr=error, color=colour, zorder=3, **{**look, **style})


def curve(ax: Any, x: Any, y: Any, colour: str = LAW_COLOUR, **style: Any) -> None:
    """Draw a theoretical curve."""
    ax.plot(x, y, color=colour, zorder=2, **{"lw": 1.5, **style})


def density(
    ax: Any, table: Table, law: Law, colour: str, label: str, grid: FloatArray | None = None
) -> None:
    """Draw one binned density as points and its law as a line of the same colour."""
    seen = table["density"] > 1.5 * table["stderr"]  # at least three counts
    at = np.linspace(table["v"][0], table["v"][-1], 800) if grid is None else grid
    with np.errstate(all="ignore"):
        curve(ax, at, law.pdf(at), colour)
    points(ax, table["v"][seen], table["density"][seen], table["stderr"][seen], colour, label=label)


def label_panels(axes: Sequence[Any], titles: Sequence[str]) -> None:
    """Give panels letters and titles."""
    for ax, letter, title in zip(axes, "abcdefgh", titles, strict=False):
        ax.set_title(f"({letter}) {title}", loc="left")


def sf_integral(law: Law, start: float, span: float, of: Callable[[FloatArray], Any]) -> float:
    """Return ``int of(v) P(X > v) dv/v`` from ``start`` over ``span`` decades, by trapezoids."""
    y = np.log(start) + np.linspace(0.0, span * np.log(10.0), 20001)
    v = np.exp(y)
    values = np.asarray(of(v) * law.sf(v))
    return float(np.sum(0.5 * (values[1:] + values[:-1]) * np.diff(y)))
