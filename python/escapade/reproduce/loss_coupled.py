"""Escape by noise that depends on the loss, and by noise that depends on the place: formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..exact import log_mean_exit_time
from ..models import LossCoupledWell, LossCoupledWellND, MultiplicativeWell
from ..passage.regions import Interval
from ..theory import (
    kramers_time_from,
    loss_coupled_time,
    loss_coupled_time_nd,
    meng_time_nd_printed,
    meng_time_printed,
)
from . import _draw
from ._mean_time import mean_time
from ._planar_passage import planar_crossing_time
from .base import Figure, Result, Settings, Statistic, ratio

S_B = 5.0  # noise at the saddle over noise at the minimum
STEP = 0.004
CURVATURE, SADDLE, ACROSS = 8.0, 4.0, 8.0  # of (x^2 - 1)^2 at -1 and 0, and of what lies across
KAPPAS = np.geomspace(1.6, 80.0, 30)
PLANAR_KAPPAS = np.geomspace(1.6, 16.0, 14)
SIMULATED = np.array([2.0, 2.5, 3.0, 4.0])  # kappa
ETAS = np.geomspace(0.02, 1.0, 20)
LARGE_ETAS = np.array([0.6, 0.8, 1.0])
TICKS: tuple[list[float], ...] = [2, 5, 10, 20, 50], [2, 5, 10], [0.02, 0.1, 0.5]
#: Exact times over eq. (4) by kappa, over eq. (5) in two dimensions, and over Kramers' by eta.
KNOWN = {2.0: 0.837, 5.0: 0.955, 20.0: 0.989, 80.0: 0.9973}
KNOWN_PLANAR = {4.0: 0.952, 8.0: 0.972, 14.0: 0.984}
KNOWN_ETAS = {0.4: 1.0772, 0.1: 1.0155, 0.02: 1.0030}


def _noise(kappa: float) -> tuple[float, float]:
    """Return ``es``, ``eh`` of a given exponent and `S_B`."""
    eh = CURVATURE / (kappa - 1.0)
    return 2.0 * eh / (CURVATURE * (S_B - 1.0)), eh


def _line(kappa: float) -> list[float]:
    """Return exact crossing time over eq. (4), over that normalised, and over those printed."""
    es, eh = _noise(kappa)
    log_time = float(log_mean_exit_time(LossCoupledWell(1.0, es, eh), -1.0, b=1.0))
    given = (CURVATURE, SADDLE, 1.0, es, eh)
    formulas = [loss_coupled_time(*given), loss_coupled_time(*given, normalised=True)]
    formulas += [meng_time_printed(*given, kappa=reading) for reading in ("1+H/eh", "mixed")]
    return [math.exp(log_time - math.log(formula)) for formula in formulas]


def _planar(kappa: float) -> tuple[LossCoupledWellND, float, float]:
    """Return the model of two numbers, eq. (5), and the paper's formula."""
    es, eh = _noise(kappa)
    low, high = np.diag([CURVATURE, ACROSS]), np.diag([-SADDLE, ACROSS])
    model = LossCoupledWellND(2, 1.0, ACROSS, 0.0, es, eh)
    right = loss_coupled_time_nd(low, high, 1.0, es, kappa)
    return model, right, meng_time_nd_printed(low, high, 1.0, es, eh)


def _kramers(eta: float) -> tuple[MultiplicativeWell, float]:
    model = MultiplicativeWell(eta=eta)
    return model, kramers_time_from(model, -1.0, 0.0)


def _kramers_ratio(eta: float) -> float:
    model, time = _kramers(eta)
    return math.exp(float(log_mean_exit_time(model, -1.0, b=1.0)) - math.log(time))


def _simulated(settings: Settings) -> dict[str, _draw.Table]:
    """Return simulated and exact times over formulas."""
    n, well = settings.particles(1024), Interval(upper=1.0)
    rows: dict[str, list[list[float]]] = {"line": [], "plane": [], "place": []}
    for i, kappa in enumerate(SIMULATED.tolist()):
        es, eh = _noise(kappa)
        model, formula = LossCoupledWell(1.0, es, eh), _line(kappa)[0]
        right = loss_coupled_time(CURVATURE, SADDLE, 1.0, es, eh)
        mean, error = mean_time(settings, i, model, -1.0, well, n, STEP)
        rows["line"].append([kappa, mean / right, error / right, formula])
        planar, right, _ = _planar(kappa)
        exact = planar_crossing_time(planar)
        mean, error = mean_time(settings, 100 + i, planar, [-1.0, 0.0], well, n, STEP)
        rows["plane"].append([kappa, mean / right, error / right, exact / right])
    for i, eta in enumerate(LARGE_ETAS.tolist()):
        multiplicative, right = _kramers(eta)
        mean, error = mean_time(settings, 200 + i, multiplicative, -1.0, well, n, STEP)
        rows["place"].append([eta, mean / right, error / right, _kramers_ratio(eta)])
    names = ("parameter", "ratio", "stderr", "exact")
    tables = {k: dict(zip(names, np.array(v).T, strict=True)) for k, v in rows.items()}
    return {k: {**table, "runs": np.full(len(rows[k]), n)} for k, table in tables.items()}


def _judge(simulated: dict[str, _draw.Table]) -> list[Statistic]:
    titles = {"line": "eq. (4)", "plane": "eq. (5)", "place": "Kramers' formula"}
    statistics = []
    for key, table in simulated.items():
        # escape times vary as much as their mean, or a little less
        z = (table["ratio"] / table["exact"] - 1.0) * np.sqrt(table["runs"])
        statistics.append(_draw.chi_square(f"simulated over exact times, {titles[key]}, chi2", z))
    for kappa, known in KNOWN.items():
        name = f"exact time over eq. (4), kappa = {kappa:g}"
        statistics.append(ratio(name, _line(kappa)[0], known, 2e-3))
    for kappa, known in KNOWN_PLANAR.items():
        model, right, _ = _planar(kappa)
        name = f"exact time over eq. (5) in two dimensions, kappa = {kappa:g}"
        statistics.append(ratio(name, planar_crossing_time(model) / right, known, 4e-3))
    for eta, known in KNOWN_ETAS.items():
        name = f"exact time over Kramers', multiplicative noise, eta = {eta:g}"
        statistics.append(ratio(name, _kramers_ratio(eta), known, 5e-4))
    off = _line(float(KAPPAS[-1]))[2]
    limit = math.exp(1.0 - 1.0 / S_B)
    name = f"exact time over the paper's printed formula, kappa = {KAPPAS[-1]:g}: not 1 but exp(1 - 1/s)"
    statistics.append(ratio(name, off, limit, 0.02))
    return statistics


def _make(settings: Settings) -> Result:
    simulated = _simulated(settings)
    one = dict(
        zip(
            ("eq_4", "normalised", "printed", "mixed"),
            zip(*map(_line, KAPPAS.tolist()), strict=True),
            strict=True,
        )
    )
    line: _draw.Table = {"kappa": KAPPAS, **{k: np.array(v) for k, v in one.items()}}
    rows = []
    for kappa in PLANAR_KAPPAS.tolist():
        model, right, printed = _planar(kappa)
        time = planar_crossing_time(model)
        rows.append([kappa, time / right, time / (right * S_B**0.5), time / printed])
    names = ("kappa", "eq_5", "exponent_of_1d", "printed")
    plane: _draw.Table = dict(zip(names, np.array(rows).T, strict=True))
    place = {"eta": ETAS, "kramers": np.array([_kramers_ratio(eta) for eta in ETAS.tolist()])}
    points = _draw.stack([{"of": key, **table} for key, table in simulated.items()])
    tables = {"one-dimension": line, "two-dimensions": plane, "place": place, "simulated": points}

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, 3)
        blue, red, green, pink = _draw.PALETTE[:4]
        looks = (
            (axes[0], line, "eq_4", "eq. (4)", "-", blue),
            (axes[0], line, "normalised", "eq. (4), exact normalisation", "-", green),
            (axes[0], line, "printed", r"as printed, $\kappa=1+H/e_h$", "--", red),
            (axes[0], line, "mixed", r"as printed, $H/e_h$ in the base", ":", red),
            (axes[1], plane, "eq_5", r"eq. (5), exponent $\kappa-n/2$", "-", blue),
            (axes[1], plane, "exponent_of_1d", r"exponent $\kappa-1/2$", "--", pink),
            (axes[1], plane, "printed", r"as printed, $\kappa=1+H/e_h$", "--", red),
        )
        for ax, table, key, label, style, colour in looks:
            _draw.curve(ax, table["kappa"], table[key], colour, ls=style, label=label)
        _draw.curve(axes[2], ETAS, place["kramers"], blue, label="exact over Kramers' formula")
        for ax, table in zip(axes, simulated.values(), strict=True):
            columns = [table[k] for k in ("parameter", "ratio", "stderr")]
            _draw.points(ax, columns[0], columns[1], columns[2], blue, label="simulated")
            ax.axhline(1.0, color="0.6", lw=0.8, zorder=0)
            ax.set(xscale="log", ylabel="time over formula")
        limit = math.exp(1.0 - 1.0 / S_B)
        axes[0].axhline(limit, color=red, lw=0.8, ls="-.", label=r"$e^{1-1/s_b}$")
        axes[0].set(ylim=(0.4, 3.4))
        axes[1].set(yscale="log", ylim=(0.25, 12.0))
        axes[1].set_yticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
        axes[2].set(xlabel=r"learning rate $\eta$", ylim=(0.95, 1.3))
        for ax, ticks in zip(axes, TICKS, strict=True):
            ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
            ax.minorticks_off()
            ax.legend(fontsize=8, loc="upper left")
        for ax in axes[:2]:
            ax.set(xlabel=r"$\kappa=1+H/(\eta\sigma_H)$")
        titles = ["noise by the loss, $n=1$", "noise by the loss, $n=2$", "noise by the place"]
        _draw.label_panels(axes, titles)

    return Result(tables, _judge(simulated), draw)


FIGURE = Figure(
    name="loss-coupled",
    title="Exact escape times over their formulas, for noise that depends on the loss or the place",
    source="arXiv:2105.09557, eqs. 16 and 17; arXiv:2006.13719, theorems on escape times, as printed",
    chosen="(a, b) (x^2 - 1)^2, in two dimensions with curvature 8 across; noise at the saddle 5 times "
    "that at the minimum, larger learning rates to the left; times from -1 to 1. (c) The same well, "
    "C = 1 + sin(2x)/2. Exact times by quadrature, in two dimensions by finite volumes. Eq. (4): "
    "2 pi/sqrt(Ha |Hb|) s^(kappa - 1/2); eq. (5) has kappa - n/2 and the determinants. 1024 runs at "
    "dt = 0.004 per point.",
    make=_make,
    size=(12.0, 4.2),
)
