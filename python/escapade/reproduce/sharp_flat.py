"""Escape from sharp and from flat minima of equal depth, by the kind of noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..exact import mean_exit_time
from ..models import StableOrnsteinUhlenbeck, TwoParabolaWell
from ..passage.regions import Interval
from ..theory import alpha_stable_exit_rate, kramers_time_from, langevin_time
from . import _draw
from ._mean_time import mean_time
from .base import Figure, Result, Settings, ratio, z_score

FloatArray = npt.NDArray[np.float64]
BARRIER, ETA, ALPHA, EPS = 1.0, 0.1, 1.5, 0.05
CURVATURES = np.array([1.0, 1.5, 2.0, 3.0, 4.5, 6.0])
FINE = np.geomspace(1.0, 6.0, 25)
NOISES = "equal", "by curvature"
DYNAMICS = "power-law", "Langevin", "alpha-stable"
SHARP, FLAT = 6.0, 1.0


def _strength(noise: str, H: float) -> tuple[float, float, float]:
    """Return ``es``, ``eh`` and the amplitude of jumps at a minimum of curvature ``H``."""
    if noise == "equal":  # in all minima that of curvature 2
        return 0.4, 0.4, EPS
    # of SGD, 2 L* H and H^2 per sample, L* = 1; the amplitude of jumps goes like their root
    return 2.0 * ETA * H, ETA * H * H, EPS * (0.5 * H) ** 0.5


def _half_width(H: float) -> float:
    return float((BARRIER / H) ** 0.5)


def _diffusion(dynamic: str, noise: str, H: float) -> TwoParabolaWell:
    es, eh, _ = _strength(noise, H)
    eh = eh if dynamic == "power-law" else 0.0
    return TwoParabolaWell(H, es / ETA, eh / ETA, ETA, _half_width(H))


def _formula(dynamic: str, noise: str, H: float) -> float:
    """Return the rate by formula: Kramers to the saddle, or a single jump."""
    es, _, eps = _strength(noise, H)
    a = _half_width(H)
    if dynamic == "alpha-stable":
        return alpha_stable_exit_rate(ALPHA, eps, right=2.0 * a)
    if dynamic == "Langevin":
        return 1.0 / langevin_time(H, H, BARRIER, es, to="saddle")
    return 1.0 / kramers_time_from(_diffusion(dynamic, noise, H), -a, a, to="saddle")


def _exact(dynamic: str, noise: str, H: float) -> float:
    """Return the inverse mean time; of jumps the limit of small noise, seen in steps."""
    if dynamic == "alpha-stable":
        # a jump is forgotten by the end of its step with the factor by which the drift takes it back
        seen = ALPHA * H * _step(dynamic, H)
        return _formula(dynamic, noise, H) * float(-np.expm1(-seen)) / seen
    model = _diffusion(dynamic, noise, H)
    return 1.0 / float(mean_exit_time(model, model.minimum, b=model.saddle))


def _step(dynamic: str, H: float) -> float:
    return (0.02 if dynamic == "alpha-stable" else 0.05) / H


def _simulated(settings: Settings, dynamic: str, noise: str, seed: int) -> _draw.Table:
    n, rows = settings.particles(1024), []
    for i, H in enumerate(CURVATURES.tolist()):
        a = _half_width(H)
        if dynamic == "alpha-stable":
            # a parabola without a top: jumps lead out, whatever lies between
            model: Any = StableOrnsteinUhlenbeck(H, _strength(noise, H)[2], ALPHA)
            start, end = 0.0, 2.0 * a
        else:
            model = _diffusion(dynamic, noise, H)
            start, end = -a, a
        time, error = mean_time(
            settings, seed + i, model, start, Interval(upper=end), n, _step(dynamic, H)
        )
        formula, exact = _formula(dynamic, noise, H), _exact(dynamic, noise, H)
        rows.append([H, 1.0 / time, error / time**2, exact, formula, n])
    names = ("curvature", "rate", "stderr", "exact", "formula", "runs")
    return {"dynamic": dynamic, "noise": noise, **dict(zip(names, np.array(rows).T, strict=True))}


def _judge(parts: list[_draw.Table]) -> Any:
    statistics = []
    for part in parts:
        name = f"{part['dynamic']}, noise {part['noise']}"
        z = (part["exact"] / part["rate"] - 1.0) * np.sqrt(part["runs"])
        if part["dynamic"] == "alpha-stable":
            x = np.log(part["curvature"])
            weight = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
            slope = float(weight @ np.log(part["rate"]))
            error = float(np.sqrt(np.sum((weight * part["stderr"] / part["rate"]) ** 2)))
            power = 0.5 * ALPHA * (1.0 if part["noise"] == "equal" else 2.0)
            title = f"{name}: power of the curvature in the rate"
            statistics.append(z_score(title, slope, power, error, 0.05))
            continue
        statistics.append(_draw.chi_square(f"{name}: mean times against exact ones, chi2", z))
    for noise in NOISES:
        over = _exact("Langevin", noise, FLAT) / _formula("Langevin", noise, FLAT)
        name = f"Langevin, noise {noise}: exact rate at H = {FLAT:g} over Kramers'"
        statistics.append(ratio(name, over, 1.0, 0.03))
    # equal noise at equal barriers: the prefactor alone
    sharp, flat = (_exact("Langevin", "equal", H) for H in (SHARP, FLAT))
    name = f"Langevin, noise equal: exact rate at H = {SHARP:g} over H = {FLAT:g}"
    statistics.append(ratio(name, sharp / flat, SHARP / FLAT, 1e-6))
    return statistics


def _make(settings: Settings) -> Result:
    parts = [
        _simulated(settings, dynamic, noise, 100 * i + 10 * j)
        for i, noise in enumerate(NOISES)
        for j, dynamic in enumerate(DYNAMICS)
    ]
    lines = []
    for noise in NOISES:
        for dynamic in DYNAMICS:
            exact = [_exact(dynamic, noise, H) for H in FINE.tolist()]
            formula = [_formula(dynamic, noise, H) for H in FINE.tolist()]
            row = {"curvature": FINE, "exact": np.array(exact), "formula": np.array(formula)}
            lines.append({"dynamic": dynamic, "noise": noise, **row})
    tables = {"rates": _draw.stack(parts), "theory": _draw.stack(lines)}

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, 2, sharey=True)
        for part, line in zip(parts, lines, strict=True):
            ax = axes[NOISES.index(part["noise"])]
            colour = _draw.PALETTE[DYNAMICS.index(part["dynamic"])]
            columns = [part[k] for k in ("curvature", "rate", "stderr")]
            if part["dynamic"] != "alpha-stable":
                _draw.curve(ax, FINE, line["exact"], colour)
            _draw.curve(ax, FINE, line["formula"], colour, ls="--", lw=1.1)
            _draw.points(ax, columns[0], columns[1], columns[2], colour, label=part["dynamic"])
        for ax in axes:
            ax.plot([], [], "-", color="0.4", lw=1.5, label="exact")
            ax.plot([], [], "--", color="0.4", lw=1.1, label="formula")
            ax.set(xscale="log", yscale="log", xlabel="curvature $H$ at the minimum")
            ax.set_xticks([1, 2, 3, 4, 6], ["1", "2", "3", "4", "6"])
            ax.minorticks_off()
        axes[0].set(ylabel="escape rate")
        axes[0].legend(fontsize=8.5)
        titles = ["equal noise in all minima", "noise of SGD, stronger where it is sharp"]
        _draw.label_panels(axes, titles)

    return Result(tables, _judge(parts), draw)


FIGURE = Figure(
    name="sharp-flat",
    title="Escape from sharp and flat minima behind barriers of equal height",
    source="arXiv:2006.13719, comparison of dynamics; alpha-stable noise as in arXiv:1901.06053",
    chosen="Two glued parabolas of curvature H and barrier 1, from the minimum to the saddle. (a) "
    "eta sigma_g = eta sigma_H = 0.4 in all. (b) eta sigma_g = 0.2 H, eta sigma_H = 0.1 H^2, as of "
    "SGD with one sample per step at L* = 1, eta = 0.1. Jumps: alpha = 1.5, amplitude 0.05, in (b) "
    "times sqrt(H/2), out of a parabola as wide as minimum and saddle are apart: their rate goes like "
    "H^(alpha/2) because sharp wells are narrow, that of Langevin like H, and noise that grows with "
    "curvature makes the difference exponential. Formulas: Kramers, and a single jump.",
    make=_make,
    size=(10.0, 4.4),
)
