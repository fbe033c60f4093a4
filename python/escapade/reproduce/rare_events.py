"""Rates of rare escapes by splitting and AMS: against exact ones, their cost, and how they converge."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..exact import mean_exit_time
from ..models import DoubleWell, Model, PowerLaw
from ..passage import Interval
from ..passage.ams import ams
from ..passage.splitting import splitting
from . import _draw
from .base import Figure, Result, Settings, Statistic, z_score

FloatArray = npt.NDArray[np.float64]


class Case(NamedTuple):
    """An escape of a model from a start to an end, and the time step."""

    name: str
    model: Model
    start: float
    upper: float
    dt: float


def _heavy(upper: float) -> Case:
    return Case("power law", PowerLaw(1.0, 0.05, 0.2, 1.0), 0.0, upper, 0.1)


def _well(h: float) -> Case:
    return Case("double well", DoubleWell(h=h, T=1.0), -1.0, 0.8, 0.01 / h)


CASES = (
    *(_heavy(b) for b in (0.8, 2.0, 5.0, 20.0, 60.0)),
    *(_well(h) for h in (7.0, 20.0, 40.0, 55.0)),
)
METHODS: dict[str, Callable[..., Any]] = {"splitting": splitting, "AMS": ams}
N, REPLICATES = 1500, 10
SIZES, CONVERGING, MANY = (100, 300, 1000, 3000), _heavy(2.0), 40  # replicates
BIAS = 0.01  # allowed for the time step: -0.2 per cent for the power law by `chain_passage_time`
TARGET = 0.05  # relative error at which costs are compared


def _rate(case: Case) -> float:
    """Return one over the exact mean time from the minimum, which is what splitting measures."""
    return 1.0 / float(mean_exit_time(case.model, case.start, b=case.upper))


def _make(settings: Settings) -> Result:
    n = settings.particles(N, least=200)
    statistics: list[Statistic] = []
    rows = []
    for k, case in enumerate(CASES):
        rate = _rate(case)
        for j, (name, method) in enumerate(METHODS.items()):
            found = method(
                case.model,
                case.start,
                Interval(upper=case.upper),
                dt=case.dt,
                n=n,
                replicates=REPLICATES,
                seed=settings.seed + 2 * k + j,
                threads=settings.threads,
            )
            value, error = found.rate / rate, found.stderr / rate
            rows.append(
                {
                    "model": np.array([case.name]),
                    "method": np.array([name]),
                    "end": case.upper,
                    "rate": rate,
                    "rate_over_exact": value,
                    "stderr": error,
                    # of nine degrees of freedom; particle-steps for the same error as all the others
                    "steps_for_target": found.particle_steps * (error / TARGET) ** 2,
                    "direct_steps_for_target": 1.0 / (rate * case.dt * TARGET**2),
                }
            )
            # Student's t of nine degrees of freedom: beyond 6 in one of 5000
            statistics.append(
                z_score(
                    f"{name}, {case.name}, rate {rate:.2g}: over the exact rate",
                    value,
                    1.0,
                    error,
                    bias=BIAS,
                    most=6.0,
                )
            )
    rate = _rate(CONVERGING)
    converging = []
    for j, (name, method) in enumerate(METHODS.items()):
        spreads, costs, values = [], [], []
        for i, size in enumerate(SIZES):
            found = method(
                CONVERGING.model,
                CONVERGING.start,
                Interval(upper=CONVERGING.upper),
                dt=CONVERGING.dt,
                n=size,
                replicates=settings.particles(MANY, least=12),
                seed=settings.seed + 100 + len(SIZES) * j + i,
                threads=settings.threads,
            )
            spreads.append(float(np.std(found.rates, ddof=1)) / rate)
            costs.append(found.particle_steps / len(found.rates))
            values.append((found.rate / rate, found.stderr / rate))
        value, error = np.array(values).T
        # the logarithm of a spread of m normals has an error of 1/sqrt(2(m - 1)); rates of few
        # particles are skewed, which makes it half as large again
        m = settings.particles(MANY, least=12)
        log_error = 1.5 / math.sqrt(2.0 * (m - 1))
        x = np.log(np.array(SIZES) / SIZES[0])
        slope = float(np.polyfit(x, np.log(spreads), 1)[0])
        slope_error = log_error / math.sqrt(float(np.sum((x - x.mean()) ** 2)))
        statistics.append(
            z_score(f"{name}: spread against particles, exponent", slope, -0.5, slope_error)
        )
        converging.append(
            {
                "method": np.array([name] * len(SIZES)),
                "particles": np.array(SIZES),
                "steps_per_replicate": np.array(costs),
                "spread": np.array(spreads),
                "spread_stderr": np.array(spreads) * log_error,
                "rate_over_exact": value,
                "stderr": error,
            }
        )
    tables = {"rates": _draw.stack(rows), "convergence": _draw.stack(converging)}
    table = tables["rates"]
    rarest = int(np.argmin(table["rate"]))
    notes = [
        f"A rate of {table['rate'][rarest]:.1g} to {TARGET:.0%}: "
        f"{table['steps_for_target'][rarest]:.1g} particle-steps by {table['method'][rarest]}, "
        f"{table['direct_steps_for_target'][rarest]:.1g} by direct simulation."
    ]

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3)
        for i, name in enumerate(METHODS):
            for model, mark in (("power law", "o"), ("double well", "s")):
                these = (table["method"] == name) & (table["model"] == model)
                colour = _draw.PALETTE[i]
                shift = 10.0 ** (0.25 * (i - 0.5))
                _draw.points(
                    left,
                    table["rate"][these] * shift,
                    table["rate_over_exact"][these],
                    table["stderr"][these],
                    colour,
                    fmt=mark,
                    ms=4.5,
                    label=f"{name}, {model}",
                )
                middle.plot(
                    table["rate"][these],
                    table["steps_for_target"][these],
                    mark,
                    ms=4.5,
                    mfc="white",
                    color=colour,
                )
            part = converging[i]
            _draw.points(
                right,
                part["particles"],
                part["spread"],
                part["spread_stderr"],
                _draw.PALETTE[i],
                label=name,
                ms=4.5,
            )
        left.axhline(1.0, color="0.5", lw=1.0)
        left.set(xscale="log", xlabel="exact rate", ylabel="rate over exact rate", ylim=(0.6, 1.6))
        left.invert_xaxis()
        left.legend(fontsize=8, loc="upper left")
        for model, colour in (("power law", "0.3"), ("double well", "0.6")):
            these = table["model"] == model
            order = np.argsort(table["rate"][these])
            middle.plot(
                table["rate"][these][order],
                table["direct_steps_for_target"][these][order],
                color=colour,
                lw=1.3,
                label=f"direct, {model}",
            )
        middle.set(
            xscale="log",
            yscale="log",
            xlabel="exact rate",
            ylabel=f"particle-steps for {TARGET:.0%}",
        )
        middle.invert_xaxis()
        middle.legend(fontsize=8)
        sizes = np.array(SIZES, dtype=np.float64)
        mean = np.exp(np.mean([np.log(p["spread"][-1]) for p in converging]))
        right.plot(
            sizes,
            mean * (sizes / sizes[-1]) ** -0.5,
            color="0.5",
            lw=1.0,
            ls=":",
            label="$n^{-1/2}$",
        )
        right.set(
            xscale="log",
            yscale="log",
            xlabel="particles per replicate",
            ylabel="relative spread of replicates",
        )
        right.legend(title=f"rate {rate:.2g}", fontsize=8)
        right.set_yticks((0.05, 0.1, 0.2, 0.5), ("0.05", "0.1", "0.2", "0.5"))
        right.set_yticks([], minor=True)
        _draw.label_panels(
            [left, middle, right], ["against exact rates", "cost", "spread of replicates"]
        )

    return Result(tables, statistics, draw, notes)


FIGURE = Figure(
    name="rare-events",
    title="Rates of rare escapes: splitting and AMS against exact rates",
    source="power-law dynamic of arXiv:2006.13719; adaptive multilevel splitting: Brehier, Gazeau, "
    "Goudenege, Lelievre and Rousset, Ann. Appl. Probab. 26, 3559 (2016), arXiv:1505.02674",
    chosen="Power law with H = 1, eta sigma_g = 0.05, eta sigma_H = 0.2 from 0 to 0.8 ... 60 with dt = "
    "0.1; double well h (x^2 - 1)^2 at temperature 1 from -1 to 0.8 with h = 7 ... 55 and dt = 0.01/h. "
    "Heun with the bridge test; ten replicates, whose spread gives the error bars.",
    make=_make,
    size=(13.0, 4.0),
)
