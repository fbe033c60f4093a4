"""How ensembles leave a well: survival curves, the quasi-stationary exponential, and the rate."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from ..exact import escape_rate, mean_exit_time, survival
from ..models import PowerLaw
from ..passage import Interval, prepare
from ..passage.rates import exposure_of, poisson_interval
from . import _draw
from .base import Figure, Result, Settings, Statistic, ratio, test, z_score

FloatArray = npt.NDArray[np.float64]


class Case(NamedTuple):
    """An escape of the power-law dynamic, from two starts: the minimum, and near the boundary."""

    name: str
    label: str
    sigma_g: float
    sigma_H: float
    upper: float
    lower: float
    near: float
    dt: float


CASES = (
    Case("kappa = 3, to 1.5", "$\\kappa=3$, to 1.5", 0.2, 0.5, 1.5, -math.inf, 1.4, 0.02),
    Case("kappa = 3.5, to -1 or 1", "$\\kappa=3.5$, to $\\pm 1$", 0.05, 0.4, 1.0, -1.0, 0.9, 0.05),
    Case("kappa = 1.4, to 5", "$\\kappa=1.4$, to 5", 0.05, 2.5, 5.0, -math.inf, 4.5, 0.02),
)
END = 3.0  # mean times after which those still inside are censored
LEVELS = np.array([0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
BURN_INS = np.array([0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0])  # relaxation times 1/H
FORGOTTEN = 10.0  # relaxation times


def _escape_times(case: Case, start: float, end: float, n: int, seed: int, threads: Any) -> Any:
    """Return escape times, nan for those inside at ``end``, and until when each was followed."""
    model = PowerLaw(1.0, case.sigma_g, case.sigma_H, 1.0)
    region = Interval(case.lower, case.upper)
    problem = prepare(model, start, region, n=n, dt=case.dt, seed=seed, threads=threads)
    batch = problem.batch(problem.start(n), np.arange(n, dtype=np.uint64))
    batch.run(math.ceil(end / case.dt))
    time = batch.time
    return time, np.where(np.isnan(time), batch.t, time)


def _inside(time: FloatArray, at: FloatArray) -> FloatArray:
    """Return the share of particles that had not left at some times, all before the end."""
    escaped = np.sort(time[~np.isnan(time)])
    return 1.0 - np.searchsorted(escaped, at, side="right") / time.size


def _make(settings: Settings) -> Result:
    statistics: list[Statistic] = []
    curves: list[_draw.Table] = []
    rates: list[_draw.Table] = []
    for k, case in enumerate(CASES):
        model = PowerLaw(1.0, case.sigma_g, case.sigma_H, 1.0)
        ends: dict[str, Any] = (
            {"a": case.lower, "b": case.upper} if math.isfinite(case.lower) else {"b": case.upper}
        )
        rate = float(escape_rate(model, **ends))
        end = END / rate
        for j, start in enumerate((0.0, case.near)):
            # most of those that start near the boundary leave at once
            n = settings.particles(30_000 if start == 0.0 else 120_000)
            mean = float(mean_exit_time(model, start, **ends))
            time, last = _escape_times(
                case, start, end, n, settings.seed + 2 * k + j, settings.threads
            )
            at = np.concatenate([np.geomspace(0.02, 8.0, 24), np.linspace(10.0, 0.99 * end, 24)])
            exact = np.asarray(survival(model, start, at, **ends))
            tail = float(survival(model, start, end, **ends)) * math.exp(rate * end)
            inside = _inside(time, at)
            name = f"{case.name}, from {start:g}"
            curves.append(
                {
                    "case": name,
                    "rate": rate,
                    "t": at,
                    "inside": inside,
                    "stderr": np.sqrt(np.maximum(exact * (1.0 - exact), 1.0 / n) / n),
                    "exact": exact,
                    "exponential": tail * np.exp(-rate * at),
                }
            )
            # counts between the times at which exact survival has given values
            grid = np.interp(LEVELS, exact[::-1], at[::-1])
            marks = np.unique(grid)
            exact_marks = np.asarray(survival(model, start, marks, **ends))
            count = -np.diff(np.concatenate([[1.0], _inside(time, marks), [0.0]])) * n
            mass = -np.diff(np.concatenate([[1.0], exact_marks, [0.0]])) * n
            some = mass > 5.0
            square = float(np.sum((count[some] - mass[some]) ** 2 / mass[some]))
            statistics.append(
                test(
                    f"{name}: escapes between {marks.size} times, chi2",
                    square,
                    float(stats.chi2.sf(square, int(np.sum(some)) - 1)),
                )
            )
            found = []
            for burn in BURN_INS:
                events, risk, _ = exposure_of(time, last, float(burn))
                low, high = poisson_interval(events, risk, 0.6827)
                found.append((events / risk / rate, low / rate, high / rate))
            value, low, high = np.array(found).T
            rates.append(
                {
                    "case": name,
                    "burn_in": BURN_INS,
                    "rate_over_exact": value,
                    "low": low,
                    "high": high,
                    "of_mean_time": 1.0 / (mean * rate),
                }
            )
            late = int(np.searchsorted(BURN_INS, FORGOTTEN))
            error = 0.5 * float(high[late] - low[late])
            statistics.append(
                z_score(
                    f"{name}: rate after {FORGOTTEN:g}/H over lambda_1",
                    float(value[late]),
                    1.0,
                    error,
                )
            )
            if j:
                away = 1.0 / (mean * rate)
                statistics.append(
                    ratio(
                        f"{name}: lambda_1 times the mean time, and the height c of the exponential",
                        1.0 / away,
                        tail,
                        0.05,
                    )
                )
    tables = {"survival": _draw.stack(curves), "rates": _draw.stack(rates)}
    starts = [c for c in rates if not str(c["case"]).endswith("from 0")]
    worst = max(abs(float(c["rate_over_exact"][0]) - 1.0) for c in starts)
    notes = [
        f"Without a burn-in the rate from near the boundary is up to {worst:.0%} off: early "
        "escapes are not those of the well."
    ]

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3)
        for k in range(len(CASES)):
            colour = _draw.PALETTE[k]
            for j in range(2):
                row, found = curves[2 * k + j], rates[2 * k + j]
                scaled = row["t"] * row["rate"]
                full = {"mfc": colour} if j else {"mfc": "white"}
                label = None if j else CASES[k].label
                _draw.curve(left, scaled, row["exact"], colour, lw=1.1)
                _draw.curve(left, scaled, row["exponential"], "0.6", lw=0.9, ls=":")
                _draw.points(
                    left, scaled[24::2], row["inside"][24::2], row["stderr"][24::2], colour,
                    label=label, **full,
                )  # fmt: skip
                early = slice(0, 24)
                _draw.curve(middle, row["t"][early], row["exact"][early], colour, lw=1.1)
                _draw.curve(
                    middle, row["t"][early], row["exponential"][early], "0.6", lw=0.9, ls=":"
                )
                _draw.points(
                    middle,
                    row["t"][early],
                    row["inside"][early],
                    row["stderr"][early],
                    colour,
                    **full,
                )
                value, low, high = (found[c] for c in ("rate_over_exact", "low", "high"))
                at = np.maximum(found["burn_in"], 3e-3)
                _draw.points(
                    right, at, value, np.stack([value - low, high - value]), colour, **full
                )
        left.set(
            yscale="log", xlabel=r"$\lambda_1 t$", ylabel="share still inside", xlim=(0.0, END)
        )
        left.legend(title="open: from 0; full: near the edge", fontsize=8, title_fontsize=8)
        middle.set(xscale="log", xlabel="$t$", ylabel="share still inside")
        right.axhline(1.0, color=_draw.PALETTE[1], lw=1.2)
        right.set(
            xscale="log",
            yscale="log",
            xlabel="burn-in (leftmost: none)",
            ylabel=r"estimated rate$/\lambda_1$",
        )
        right.set_yticks((1.0, 2.0, 4.0), ("1", "2", "4"))
        right.set_yticks([], minor=True)
        _draw.label_panels(
            [left, middle, right],
            [
                "survival, and its exponential (dotted)",
                "the beginning",
                r"rate against $\lambda_1$",
            ],
        )

    return Result(tables, statistics, draw, notes)


FIGURE = Figure(
    name="survival",
    title="Survival in a well, its exponential end, and the escape rate",
    source="power-law dynamic of arXiv:2006.13719; leading eigenvalue of the killed generator and "
    "quasi-stationary law: Collet, Martinez and San Martin, Quasi-Stationary Distributions (2013)",
    chosen="H = 1 and (eta sigma_g, eta sigma_H) = (0.2, 0.5), (0.05, 0.4), (0.05, 2.5); from the "
    "minimum, and from near the boundary. Lines: exact survival; dotted: c exp(-lambda_1 t).",
    make=_make,
    size=(12.5, 4.0),
)
