"""Tails of the densities at large v: their exponents by depth, and what a simulation can see of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from ..data import gaussian
from ..ensemble import Ensemble
from ..models import BalancedNetwork
from ..theory import tail_exponent
from . import _draw
from .base import Figure, Result, Settings, ratio, test, z_score

DATA, T = gaussian(1.0, 1.0), 0.1
DEPTHS = (1, 2, 4)  # simulated
FAR = 1e3  # where the exact local slope is compared with the exponent
TAIL = 0.02  # share of the samples in Hill's estimator
LEVELS = np.array([0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4])  # of P(X > v)


def _slope(law: Any, v: Any) -> Any:
    """Return d ln p/d ln v of a law, by a central difference."""
    y, step = np.log(v), 1e-4
    rise = law.logpdf(np.exp(y + step)) - law.logpdf(np.exp(y - step))
    return rise / (2.0 * step)


def _make(settings: Settings) -> Result:
    n = settings.particles(2**17)
    statistics, rows, curves, hills = [], [], [], []
    for depth in DEPTHS:
        model = BalancedNetwork(depth, 1, T, DATA)
        law = model.stationary()
        statistics.append(
            ratio(
                f"depth {depth}: exact local slope at v = {FAR:g}",
                float(_slope(law, FAR)),
                float(tail_exponent(depth)),
                5e-3,
            )
        )
        # large v is forgotten at once; that the bulk keeps its law is part of the test
        some = Ensemble(
            model, n, "stationary", seed=settings.seed + depth, threads=settings.threads
        )
        x = np.sort(some.run(1.0, 0.0025, progress=settings.progress).x)
        v = law.isf(LEVELS)
        above = n - np.searchsorted(x, v, side="right")
        rows.append(
            {
                "depth": depth,
                "v": v,
                "share_above": above / n,
                "stderr": np.sqrt(LEVELS * (1.0 - LEVELS) / n),
                "theory": LEVELS,
            }
        )
        seen = LEVELS * n >= 10.0
        counts = -np.diff(np.concatenate([[n], above[seen], [0]]))
        expected = -n * np.diff(np.concatenate([[1.0], LEVELS[seen], [0.0]]))
        square = float(np.sum((counts - expected) ** 2 / expected))
        statistics.append(
            test(
                f"depth {depth}: counts between {seen.sum()} levels of P(X > v), chi2",
                square,
                float(stats.chi2.sf(square, counts.size - 1)),
            )
        )
        # Hill's estimator above a fixed mark: its mean is int P(X > v) dv/v over P(X > mark)
        mark = float(law.isf(TAIL))
        excess = np.log(x[x > mark] / mark)
        mean = _draw.sf_integral(law, mark, 12.0, np.ones_like) / TAIL
        hill = float(excess.mean())
        error = float(excess.std()) / excess.size**0.5
        statistics.append(
            z_score(f"depth {depth}: mean of ln(v/mark), top {TAIL:.0%}", hill, mean, error)
        )
        hills.append(
            {
                "depth": depth,
                "asymptotic": [tail_exponent(depth)],
                "hill_exponent": [-1.0 - 1.0 / hill],
                "hill_stderr": [error / hill**2],
                "hill_theory": [-1.0 - 1.0 / mean],
            }
        )
        at = np.geomspace(0.3, 1e4, 91)
        curves.append({"depth": depth, "v": at, "slope": _slope(law, at), "P_above": law.sf(at)})
    tables: dict[str, _draw.Table] = {
        "counts": _draw.stack(rows),
        "slopes": _draw.stack(curves),
        "hill": _draw.stack(hills),
    }

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3)
        for i, (row, line) in enumerate(zip(rows, curves, strict=True)):
            colour = _draw.PALETTE[i]
            counted = row["share_above"] > 0.0
            at, share, error = (row[k][counted] for k in ("v", "share_above", "stderr"))
            _draw.points(left, at, share, error, colour, label=f"depth {row['depth']}")
            _draw.curve(left, line["v"], line["P_above"], colour)
            _draw.curve(middle, line["v"], line["slope"], colour, label=f"depth {row['depth']}")
            middle.axhline(tail_exponent(row["depth"]), color=colour, lw=1.0, ls=":")
            reach = float(row["v"][-1])
            middle.plot(reach, np.interp(reach, line["v"], line["slope"]), "s", ms=5, color=colour)
        left.set(xscale="log", yscale="log", xlim=(0.3, 40.0), ylim=(2e-6, 2.0))
        left.set(xlabel="end-to-end weight $v$", ylabel="$P(X>v)$")
        left.legend(title=f"$T={T:g}$")
        middle.set(xscale="log", ylim=(-8.0, 0.5))
        middle.set(xlabel="end-to-end weight $v$", ylabel=r"local slope $d\ln p/d\ln v$")
        middle.legend(title="squares: $P(X>v)=10^{-4}$")

        depths = np.arange(1, 13)
        exact = [tail_exponent(int(depth)) for depth in depths]
        right.plot(depths, exact, "-", color=_draw.PALETTE[1], marker=".", label="$-5+3/(D+1)$")
        table = tables["hill"]
        right.plot(
            table["depth"], table["hill_theory"], "x", color="0.35", label="Hill, by the exact law"
        )
        _draw.points(
            right,
            table["depth"],
            table["hill_exponent"],
            table["hill_stderr"],
            label=f"Hill, simulated (top {TAIL:.0%})",
        )
        right.axhline(-5.0, color="0.7", lw=0.8, ls=":")
        right.set(xlabel="depth $D$", ylabel="exponent of $p(v)$ at large $v$")
        right.set(ylim=(-6.8, -3.0), xlim=(0.5, 12.5))
        right.legend(loc="lower right")
        _draw.label_panels([left, middle, right], ["tails", "exact local slopes", "exponents"])

    return Result(tables, statistics, draw)


FIGURE = Figure(
    name="tail-exponents",
    title="Power-law tails of the densities, by depth",
    source="arXiv:2308.06671 (PRE 111, 065303), Fig. 5 left; eq. A.14",
    chosen="x ~ N(0,1), y = x + e, T = 0.1. The density approaches its exponent only where less than a "
    "10^-5 part of the mass is left, so no fit to samples can find it: Hill's estimator is shown with "
    "the value that the exact law gives for it, and judged by that, not by the exponent. Ensembles "
    "start from the exact law, which must be preserved for t = 1.",
    make=_make,
    size=(12.0, 4.0),
)
