"""Histograms on their laws, and the residuals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import array, choice, integer, number
from ._axes import DATA_COLOUR, LAW_COLOUR, matplotlib_axes

if TYPE_CHECKING:
    from ..laws import Law

__all__ = ["density", "residuals"]

FloatArray = npt.NDArray[np.float64]


class _Binned(NamedTuple):
    edges: FloatArray
    counts: FloatArray
    total: float  # including what lies outside the edges
    independent: float


def _bin(data: Any, bins: int, scale: str) -> _Binned:
    """Return counts of a histogram or of samples."""
    if hasattr(data, "counts") and hasattr(data, "edges"):
        counts = np.asarray(data.counts, dtype=np.float64)
        total = float(counts.sum()) + float(data.underflow) + float(data.overflow)
        if total == 0.0:
            raise ValueError("data must not be an empty histogram: pass it to run(observe=...)")
        return _Binned(array("edges", data.edges), counts, total, float(data.independent))
    samples = array("data", data)
    if samples.ndim != 1 or samples.size < 2 or not np.all(np.isfinite(samples)):
        raise ValueError(
            f"data must be a histogram or at least two finite samples, got shape {samples.shape}"
        )
    bins = integer("bins", bins, low=1, high=2**20)
    lo, hi = float(samples.min()), float(samples.max())
    if scale == "log":
        if lo <= 0.0:
            raise ValueError(f"data must be positive for scale='log', got {lo!r}")
        edges = np.geomspace(lo, hi, bins + 1)
    else:
        edges = np.linspace(lo, hi, bins + 1)
    if not lo < hi:
        raise ValueError(f"data must not all be the same, got {lo!r}")
    counts = np.histogram(samples, edges)[0].astype(np.float64)
    return _Binned(edges, counts, float(samples.size), float(samples.size))


def _centres(edges: FloatArray, scale: str) -> FloatArray:
    if scale == "log":
        return np.asarray(np.sqrt(edges[:-1] * edges[1:]))
    return 0.5 * (edges[:-1] + edges[1:])


def _shares(law: Law, edges: FloatArray) -> FloatArray:
    """Return the law's probability of every bin, from whichever tail does not cancel."""
    below, above = np.asarray(law.cdf(edges)), np.asarray(law.sf(edges))
    return np.where(below[:-1] < 0.5, np.diff(below), -np.diff(above))


def _poisson_error(binned: _Binned) -> FloatArray:
    """Return lower and upper errors of the counts at one standard deviation, shape (2, bins).

    Gehrels, Astrophys. J. 303, 336 (1986), eqs. 7 and 9; of the independent samples.
    """
    scale = binned.total / binned.independent
    n = np.maximum(binned.counts / scale, 1e-300)
    lower = n * np.maximum(1.0 - 1.0 / (9.0 * n) - 1.0 / (3.0 * np.sqrt(n)), 0.0) ** 3
    return scale * np.array([n - lower, 1.0 + np.sqrt(n + 0.75)])


def density(
    data: Any,
    law: Law | None = None,
    ax: Any = None,
    *,
    bins: int = 100,
    scale: str = "linear",
    min_count: int = 3,
    label: str = "simulated",
    law_label: str = "exact law",
) -> Any:
    """Draw a measured density as points and the exact law as a line, on a logarithmic density axis.

    Parameters
    ----------
    data : Histogram or array_like, shape (n,)
        An `escapade.Histogram` that has seen a run, or samples.
    law : Law, optional
        Drawn over the range of the data.
    ax : matplotlib Axes, optional
        Default: the current axes of pyplot.
    bins : int, default 100
        Number of bins for samples.
    scale : {"linear", "log"}, default "linear"
        Of the horizontal axis.
    min_count : int, default 3
        Bins in which the law expects fewer counts are not drawn (or, without a law, bins that hold
        fewer): their scatter says nothing.
    label, law_label : str
        For the legend.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError, ValueError
        If the data are no data, or an argument is out of bounds.
    ImportError
        If matplotlib is missing.
    """
    scale = choice("scale", scale, ("linear", "log"))
    min_count = integer("min_count", min_count, low=1)
    binned = _bin(data, bins, scale)
    ax = matplotlib_axes(ax)
    edges = binned.edges
    x, widths = _centres(edges, scale), np.diff(edges)
    expected = binned.counts if law is None else _shares(law, edges) * binned.total
    shown = (expected >= min_count) & (binned.counts > 0.0)
    height = binned.counts / (binned.total * widths)
    error = _poisson_error(binned) / (binned.total * widths)
    if law is not None:
        lo, hi = float(edges[0]), float(edges[-1])
        grid = np.geomspace(lo, hi, 1000) if scale == "log" else np.linspace(lo, hi, 1001)
        with np.errstate(all="ignore"):
            ax.plot(grid, law.pdf(grid), color=LAW_COLOUR, lw=1.6, zorder=2, label=law_label)
            # where bins are wide the point belongs where the law takes its mean over the bin
            x = _place(law, edges, x)
    ax.errorbar(
        x[shown],
        height[shown],
        yerr=error[:, shown],
        fmt="o",
        ms=3.2,
        mfc="white",
        mew=0.9,
        elinewidth=0.8,
        color=DATA_COLOUR,
        zorder=3,
        label=label,
    )
    ax.set_yscale("log")
    ax.set_xscale(scale)
    return ax


def _place(law: Law, edges: FloatArray, centres: FloatArray) -> FloatArray:
    """Return the point of each bin at which the density equals its mean over the bin.

    Lafferty and Wyatt, Nucl. Instrum. Methods A 355, 541 (1995). Bisection between the centre of the
    bin and the end towards which the density rises; the centre itself where the density has an
    extremum in the bin.
    """
    mean = _shares(law, edges) / np.diff(edges)
    at_left, at_right = np.asarray(law.pdf(edges[:-1])), np.asarray(law.pdf(edges[1:]))
    monotone = (at_left - mean) * (at_right - mean) < 0.0
    low, high = edges[:-1].copy(), edges[1:].copy()
    rising = at_right > at_left
    for _ in range(40):
        middle = 0.5 * (low + high)
        up = (np.asarray(law.pdf(middle)) < mean) == rising
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return np.where(monotone, 0.5 * (low + high), centres)


def residuals(
    data: Any,
    law: Law,
    ax: Any = None,
    *,
    bins: int = 100,
    scale: str = "linear",
    min_expected: float = 10.0,
) -> Any:
    """Draw what is left between counts and law, per bin, in standard deviations.

    Parameters
    ----------
    data, bins, scale
        As in `density`.
    law : Law
        The law.
    ax : matplotlib Axes, optional
        Default: the current axes of pyplot.
    min_expected : float, default 10
        Bins in which the law expects fewer counts are left out.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError, ValueError, ImportError
        As in `density`.
    """
    scale = choice("scale", scale, ("linear", "log"))
    min_expected = number("min_expected", min_expected, low=0.0, open_low=True)
    binned = _bin(data, bins, scale)
    ax = matplotlib_axes(ax)
    share = _shares(law, binned.edges)
    expected = share * binned.independent
    observed = binned.counts / binned.total * binned.independent
    shown = expected >= min_expected
    spread = np.sqrt(np.maximum(expected * (1.0 - share), 1e-300))
    z = ((observed - expected) / spread)[shown]
    x = _centres(binned.edges, scale)[shown]
    ax.axhspan(-2.0, 2.0, color="0.92", lw=0, zorder=0)
    ax.axhline(0.0, color=LAW_COLOUR, lw=1.2, zorder=1)
    ax.plot(x, z, "o", ms=3.2, mfc="white", mew=0.9, color=DATA_COLOUR, zorder=2)
    reach = 4.5 if z.size == 0 else max(4.5, 1.1 * float(np.max(np.abs(z))))
    ax.set_ylim(-reach, reach)
    if math.isfinite(reach) and reach == 4.5:
        ax.set_yticks([-4, -2, 0, 2, 4])
    ax.set_xscale(scale)
    return ax
