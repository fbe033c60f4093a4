"""Compare samples or a histogram with an exact law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from .._checks import array, integer
from ._panels import FloatArray
from .base import Law, PositiveLaw
from .point import PointMass

__all__ = ["Comparison", "Share", "compare"]

_TAIL = 0.01  # share beyond each tail mark
_MIN_EXPECTED = 10.0  # per cell of the chi-square test


@dataclass(frozen=True)
class Share:
    """A part of the line: the share of the sample found there and the share of the law.

    Attributes
    ----------
    low, high : float
        The interval ``(low, high]``.
    observed, expected : float
        Shares.
    z : float
        Deviation in binomial standard errors (of the independent samples); nan if undefined.
    """

    low: float
    high: float
    observed: float
    expected: float
    z: float


@dataclass(frozen=True)
class Comparison:
    """Outcome of :func:`compare`. ``str()`` is a small table.

    Attributes
    ----------
    law : str
        Name of the law.
    n : int
        Number of independent samples, which the p-values are based on.
    ks : float
        Kolmogorov-Smirnov distance. From a histogram it is the distance at the bin edges: a lower
        bound, so that its p-value is conservative (too large).
    p_value : float
        Probability of a larger distance under the law, exact for ``n`` independent samples from a
        continuous law.
    chi2, chi2_dof, chi2_p : float, int, float
        Pearson's chi-square over cells with at least 10 expected counts; nan, 0, nan if fewer than
        two such cells exist.
    bulk, lower_tail, upper_tail : Share
        Between the 5% and 95% quantiles, below the 1% and above the 99% quantile; for a histogram
        the marks are the nearest bin edges (the expected share tells).
    binned : bool
        Whether the data came as a histogram.
    lost : int
        Particles that the histogram found not finite; they are not compared.
    """

    law: str
    n: int
    ks: float
    p_value: float
    chi2: float
    chi2_dof: int
    chi2_p: float
    bulk: Share
    lower_tail: Share
    upper_tail: Share
    binned: bool
    lost: int = 0

    def __str__(self) -> str:
        bound = " (at bin edges, a lower bound)" if self.binned else ""
        rows = [
            f"{self.law}, n = {self.n}",
            f"  KS distance  {self.ks:.3e}   p = {self.p_value:.3g}{bound}",
            f"  chi2         {self.chi2:.4g} on {self.chi2_dof} dof   p = {self.chi2_p:.3g}",
            "  share        observed    expected      z",
        ]
        for label, s in (
            ("lower tail", self.lower_tail),
            ("bulk", self.bulk),
            ("upper tail", self.upper_tail),
        ):
            rows.append(f"  {label:<11}{s.observed:11.6f} {s.expected:11.6f} {s.z:+8.2f}")
        if self.lost:
            rows.append(
                f"  {self.lost} of {self.n + self.lost} particles were lost and are not compared: "
                "what is left is no fair sample"
            )
        return "\n".join(rows)


def compare(law: Law, data: Any) -> Comparison:
    """Compare samples or a histogram with a law.

    Parameters
    ----------
    law : Law
        The law.
    data : array_like or histogram
        A 1-D array of finite samples, taken as independent; or an object with ``edges`` (bins + 1
        increasing floats), ``counts`` (ints), ``underflow``, ``overflow`` (ints) and
        ``independent`` (number of independent samples among those counted).

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        If it is empty, of the wrong shape, or holds numbers that are not finite.
    """
    if not isinstance(law, Law):
        raise TypeError(f"law must be a Law, got {law!r}")
    with np.errstate(all="ignore"):
        if hasattr(data, "counts") and hasattr(data, "edges"):
            return _from_histogram(law, data)
        return _from_samples(law, data)


# exp(y) rounds to 0 below this: samples of a positive law that are 0 hold all that lies there.
_LOG_UNDERFLOW = -1075.0 * math.log(2.0)


def _cdf(law: Law, x: FloatArray) -> FloatArray:
    """Return the distribution function of the law rounded to floats."""
    value = law._cdf(x)
    if isinstance(law, PositiveLaw) and np.any(x == 0.0):
        value = np.where(x == 0.0, law._cdf_y(np.array(_LOG_UNDERFLOW)), value)
    return value


def _share(law: Law, low: float, high: float, observed: float, n: int) -> Share:
    ends = np.array([low, high])
    with np.errstate(invalid="ignore"):
        below, above = _cdf(law, ends), law._sf(ends)
    # Of the two differences take the one that does not cancel.
    expected = float(below[1] - below[0] if below[0] < 0.5 else above[0] - above[1])
    spread = math.sqrt(max(expected * (1.0 - expected), 0.0) / n)
    z = (observed - expected) / spread if spread > 0.0 else math.nan
    return Share(low, high, observed, expected, z)


def _chi2(observed: FloatArray, expected: FloatArray) -> tuple[float, int, float]:
    """Pearson's statistic after merging neighbours until every cell is expected often enough."""
    group = np.empty(expected.size, dtype=np.intp)
    running, label = 0.0, 0
    for i, value in enumerate(expected.tolist()):
        group[i] = label
        running += value
        if running >= _MIN_EXPECTED:
            running, label = 0.0, label + 1
    if label == 0:
        return math.nan, 0, math.nan
    group = np.minimum(group, label - 1)  # the remainder joins the last full cell
    obs = np.bincount(group, weights=observed)
    exp = np.bincount(group, weights=expected)
    if exp.size < 2:
        return math.nan, 0, math.nan
    value = float(np.sum((obs - exp) ** 2 / exp))
    return value, exp.size - 1, float(special.gammaincc(0.5 * (exp.size - 1), 0.5 * value))


def _p_value(law: Law, distance: float, n: int) -> float:
    if isinstance(law, PointMass):
        return 1.0 if distance == 0.0 else 0.0
    return float(stats.kstwo.sf(min(max(distance, 0.0), 1.0), n))


def _from_samples(law: Law, data: Any) -> Comparison:
    samples = array("samples", data)
    if samples.ndim > 1 and samples.size:
        raise ValueError(
            f"samples must be 1-D, one number per particle, got shape {samples.shape}: take "
            "an observable of the states, such as model.observable('v')(ens.x)"
        )
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"samples must be 1-D and not empty, got shape {samples.shape}")
    bad = int(np.count_nonzero(~np.isfinite(samples)))
    if bad:
        raise ValueError(f"samples must be finite, got {bad} of {samples.size} that are not")
    x = np.sort(samples)
    n = x.size
    # A positive law near its collapse has mass below the smallest float: one lump of zeros.
    zeros = int(np.count_nonzero(x == 0.0)) if isinstance(law, PositiveLaw) else 0
    below = _cdf(law, x)
    if isinstance(law, PointMass):
        ks = max(float(np.mean(x < law.at)), float(np.mean(x > law.at)))
    else:
        rank = np.arange(1, n + 1) / n
        gaps = np.maximum(rank - below, below - rank + 1.0 / n)
        if zeros:
            gaps[:zeros] = abs(zeros / n - below[0])
        ks = float(np.max(gaps))

    def observed(low: float, high: float) -> float:
        first, last = np.searchsorted(x, [low, high], side="right")
        return float(last - first) / n

    lo, hi = -math.inf, math.inf
    marks = [float(law.ppf(q)) for q in (_TAIL, 0.05)] + [float(law.isf(q)) for q in (0.05, _TAIL)]
    bulk, lower, upper = (
        _share(law, a, b, observed(a, b), n)
        for a, b in ((marks[1], marks[2]), (lo, marks[0]), (marks[3], hi))
    )
    chi2, dof, chi2_p = math.nan, 0, math.nan
    if not isinstance(law, PointMass):
        cells = min(100, n // 20)
        if cells >= 2:
            lump = float(below[0]) if zeros else 0.0
            place = (below[zeros:] - lump) / max(1.0 - lump, 1e-300) * cells
            index = np.clip(place.astype(np.intp), 0, cells - 1)
            counts = np.append(np.bincount(index, minlength=cells), zeros).astype(np.float64)
            shares = np.append(np.full(cells, (1.0 - lump) / cells), lump)
            chi2, dof, chi2_p = _chi2(counts, n * shares)
    p_value = _p_value(law, ks, n)
    return Comparison(law.name, n, ks, p_value, chi2, dof, chi2_p, bulk, lower, upper, False)


def _from_histogram(law: Law, hist: Any) -> Comparison:
    edges = array("edges", hist.edges)
    raw = np.asarray(hist.counts)
    if raw.dtype.kind not in "iu":
        raise TypeError(f"counts must be integers, got an array of {raw.dtype}")
    if edges.ndim != 1 or edges.size < 2 or raw.shape != (edges.size - 1,):
        raise ValueError(
            f"edges and counts must be 1-D with one more edge than counts, "
            f"got shapes {edges.shape} and {raw.shape}"
        )
    if not np.all(np.isfinite(edges)) or not np.all(np.diff(edges) > 0.0):
        raise ValueError("edges must be finite and increasing")
    if np.any(raw < 0):
        raise ValueError("counts must be at least 0")
    under = integer("underflow", hist.underflow, low=0)
    over = integer("overflow", hist.overflow, low=0)
    counts = np.concatenate([[under], raw, [over]]).astype(np.float64)
    total = float(counts.sum())
    if total == 0.0:
        raise ValueError("the histogram is empty")
    n = integer("independent", hist.independent, low=1)
    # of particles times looks; the share that was lost takes that share of the independent ones
    bad = integer("nonfinite", getattr(hist, "nonfinite", 0), low=0)
    lost = round(n * bad / (total + bad))
    n = max(n - lost, 1)

    below, above = law._cdf(edges), law._sf(edges)
    observed = counts / total
    cumulative = np.cumsum(observed)[:-1]
    ks = float(np.max(np.abs(cumulative - below)))
    left = below < 0.5
    inner = np.where(left[:-1], np.diff(below), -np.diff(above))
    expected = np.concatenate([[below[0]], inner, [above[-1]]])
    # Correlated samples carry less information than their number: test n of them.
    chi2, dof, chi2_p = _chi2(observed * n, expected * n)

    def nearest(values: npt.NDArray[np.float64], target: float) -> int:
        return int(np.argmin(np.abs(values - target)))

    def between(first: int, last: int) -> float:
        return float(observed[first + 1 : last + 1].sum())

    a, b = nearest(below, 0.05), nearest(above, 0.05)
    c, d = nearest(below, _TAIL), nearest(above, _TAIL)
    bulk = _share(law, float(edges[a]), float(edges[b]), between(a, b), n)
    lower = _share(law, -math.inf, float(edges[c]), between(-1, c), n)
    upper = _share(law, float(edges[d]), math.inf, between(d, counts.size - 1), n)
    p_value = _p_value(law, ks, n)
    return Comparison(law.name, n, ks, p_value, chi2, dof, chi2_p, bulk, lower, upper, True, lost)
