"""Escape by jumps: the time goes by the width of the well, not by the height of its barrier."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..models import StableDoubleWell, StableOrnsteinUhlenbeck
from ..passage.regions import Interval
from ..theory import alpha_stable_exit_rate
from . import _draw
from ._mean_time import mean_time
from .base import Figure, Result, Settings, z_score

ALPHAS = 1.2, 1.5, 1.8
EPS = np.array([0.4, 0.2, 0.1, 0.05, 0.03])
WIDTHS = np.array([1.0, 1.5, 2.1, 3.0, 4.2])  # of the left side, at NARROW
SKEW = 1.5  # right side over left side
NARROW = 0.07  # amplitude at which widths are compared
HEIGHTS = np.array([0.25, 0.5, 1.0, 2.0, 4.0])  # of the barrier, at LOW
LOW, MIDDLE = 0.05, 1.5  # amplitude and alpha at which heights are compared
STEP = 0.05


def _seen(alpha: float, theta: float, dt: float) -> float:
    """Return the share of the jumps out of a parabola that are still out at the end of their step."""
    return float(-np.expm1(-alpha * theta * dt)) / (alpha * theta * dt)


def _parabola(
    settings: Settings, seed: int, alpha: float, eps: float, width: float, theta: float, n: int
) -> list[float]:
    """Return the mean time out of ``(-width, SKEW width)``, its error and the rate for small noise."""
    model, dt = StableOrnsteinUhlenbeck(theta, eps, alpha), STEP / theta
    well = Interval(-width, SKEW * width)
    time, error = mean_time(settings, seed, model, 0.0, well, n, dt)
    rate = alpha_stable_exit_rate(alpha, eps, width, SKEW * width)
    return [time, error, rate, _seen(alpha, theta, dt)]


def _table(of: str, alpha: float, x: Any, rows: list[list[float]], n: int) -> _draw.Table:
    time, error, rate, seen = np.array(rows).T
    columns = {"x": np.asarray(x), "time": time, "stderr": error, "rate": rate, "seen": seen}
    return {"of": of, "alpha": alpha, **columns, "runs": np.full(time.size, n)}


def _simulated(settings: Settings) -> list[_draw.Table]:
    n, few, parts = settings.particles(1024), settings.particles(512), []
    for i, alpha in enumerate(ALPHAS):
        rows = [
            _parabola(settings, 10 * i + j, alpha, eps, 1.0, 1.0, n)
            for j, eps in enumerate(EPS.tolist())
        ]
        parts.append(_table("amplitude", alpha, EPS, rows, n))
        rows = [
            _parabola(settings, 100 + 10 * i + j, alpha, NARROW, width, 1.0, few)
            for j, width in enumerate(WIDTHS.tolist())
        ]
        parts.append(_table("width", alpha, WIDTHS, rows, few))
    # V = theta x^2/2 at x = -1, where the nearer end is; and the double well, out over its top
    rows = [
        _parabola(settings, 200 + j, MIDDLE, LOW, 1.0, 2.0 * height, n)
        for j, height in enumerate(HEIGHTS.tolist())
    ]
    parts.append(_table("parabola", MIDDLE, HEIGHTS, rows, n))
    rows = []
    for j, height in enumerate(HEIGHTS.tolist()):
        model = StableDoubleWell(height, LOW, MIDDLE)
        well, dt = Interval(upper=0.0), STEP / (8.0 * height)
        time, error = mean_time(settings, 300 + j, model, -1.0, well, few, dt)
        rows.append([time, error, alpha_stable_exit_rate(MIDDLE, LOW, right=1.0), 1.0])
    parts.append(_table("double well", MIDDLE, HEIGHTS, rows, few))
    return parts


def _judge(parts: list[_draw.Table]) -> Any:
    statistics = []
    for part in parts:
        ratio = part["time"] * part["rate"] * part["seen"]
        error = 1.0 / np.sqrt(part["runs"])
        of, alpha = part["of"], part["alpha"]
        if of == "amplitude":
            name = f"alpha = {alpha:g}: T times rate at eps = {EPS[-1]:g}"
            statistics.append(z_score(name, ratio[-1], 1.0, float(error[-1]), 0.02))
            continue
        x = np.log(part["x"])
        weight = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
        slope, spread = float(weight @ np.log(part["time"])), float(np.sqrt(weight**2 @ error**2))
        if of == "width":
            name = f"alpha = {alpha:g}: power of the width in T"
            statistics.append(z_score(name, slope, alpha, spread, 0.03))
        else:
            name = f"{of}: power of the height of the barrier in T"
            statistics.append(z_score(name, slope, 0.0, spread, 0.03))
            name = f"{of}: mean of T times rate over heights"
            total = float(np.sqrt(np.mean(error**2) / x.size))
            statistics.append(z_score(name, float(ratio.mean()), 1.0, total, 0.05))
    return statistics


def _make(settings: Settings) -> Result:
    parts = _simulated(settings)

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, 3)
        for part in parts:
            of, alpha, x = part["of"], part["alpha"], part["x"]
            factor = part["rate"] * part["seen"]
            colour = _draw.PALETTE[ALPHAS.index(alpha)]
            if of == "width":
                _draw.curve(axes[1], x, 1.0 / factor, colour)
                label = rf"$\alpha={alpha:g}$"
                _draw.points(axes[1], x, part["time"], part["stderr"], colour, label=label)
                continue
            ax = axes[0] if of == "amplitude" else axes[2]
            style = {"label": rf"$\alpha={alpha:g}$" if of == "amplitude" else of}
            if of == "double well":
                style |= {"fmt": "s"}
                colour = _draw.PALETTE[4]
            ax.plot(x, part["time"] * factor, color=colour, lw=0.7, alpha=0.6)
            _draw.points(ax, x, part["time"] * factor, part["stderr"] * factor, colour, **style)
        for ax, ticks in ((axes[0], EPS), (axes[1], WIDTHS), (axes[2], HEIGHTS)):
            ax.set(xscale="log")
            ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
            ax.legend(fontsize=8.5)
            ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        for ax in (axes[0], axes[2]):
            ax.axhline(1.0, color=_draw.PALETTE[6], lw=0.8, zorder=0)
            ax.set(ylim=(0.4, 1.2), ylabel="$T$ times rate of a single jump")
        axes[0].set(xlabel=r"amplitude $\varepsilon$ of the jumps")
        axes[1].set(yscale="log", xlabel="width $l$ of the left side")
        axes[1].set(ylabel="mean escape time $T$")
        axes[2].set(xlabel=r"height of the barrier $\Delta L$")
        titles = ["small jumps", r"$T\sim l^\alpha$", "independent of the barrier"]
        _draw.label_panels(axes, titles)

    return Result({"times": _draw.stack(parts)}, _judge(parts), draw)


FIGURE = Figure(
    name="levy-width",
    title="Escape by alpha-stable noise: width of the well to the power alpha, no matter how high",
    source="arXiv:1901.06053, escape by jumps; rates of Imkeller and Pavlyukevich (2006)",
    chosen="(a, b) dx = -x dt + eps dL, out of (-l, 1.5 l); l = 1 in (a), eps = 0.07 in (b). (c) alpha "
    "= 1.5, eps = 0.05; the parabola out of (-1, 1.5), the double well from its minimum over the top. "
    "Steps of 0.05 relaxation times without error in the law; that some jumps are taken back before "
    "the end of their step, by the factor (1 - exp(-a))/a, a = 0.05 alpha, is allowed for. Rate: "
    "eps^alpha C/alpha (l^-alpha + r^-alpha), C = Gamma(1 + alpha) sin(pi alpha/2)/pi.",
    make=_make,
    size=(12.0, 4.2),
)
