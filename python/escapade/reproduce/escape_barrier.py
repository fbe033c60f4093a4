"""Mean escape time against the height of the barrier: SGD, power-law and constant noise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..exact import mean_exit_time
from ..models import RegressionWell, TwoParabolaWell
from ..passage.regions import Interval
from ..theory import kramers_time_from, loss_coupled_time, meng_time_printed
from . import _draw
from ._mean_time import mean_time
from ._regression_chain import sgd_escape_time
from .base import Figure, Result, Settings, Statistic, ratio, z_score

FloatArray = npt.NDArray[np.float64]
ETA, H = 0.1, 2.0
ES, EH = 4.0 * ETA, 8.0 * ETA  # of the regression on independent standard normal x and y
BARRIERS = np.linspace(0.5, 2.0, 16)
KAPPAS = np.geomspace(2.0, 80.0, 25)
HEIGHT, BEYOND = 1.0, 3.0  # barrier at which formulas are compared, and where it is crossed
DYNAMICS = "SGD", "power-law", "Langevin", "mirrored"
#: Exact slopes against ln dL and dL, to the digits of the theory they were first found by.
KNOWN = {"power-law": 1.97, "Langevin": 4.98}
READINGS = "1+H/eh", "H/eh"


class Line(NamedTuple):
    """A straight line through logarithms of times, and its coefficient of determination."""

    slope: float
    offset: float
    r2: float
    stderr: float


def _fit(x: FloatArray, y: FloatArray, error: FloatArray) -> Line:
    centred = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    slope = float(centred @ y)
    offset = float(y.mean() - slope * x.mean())
    rest = y - slope * x - offset
    r2 = 1.0 - float(np.var(rest) / np.var(y))
    return Line(slope, offset, r2, float(np.sqrt(np.sum((centred * error) ** 2))))


def _model(dynamic: str, a: float) -> Any:
    if dynamic == "SGD":
        return RegressionWell(a=a).sgd(ETA)
    kind = "mirror" if dynamic == "mirrored" else "distance"
    sigma_H = 0.0 if dynamic == "Langevin" else EH / ETA
    return TwoParabolaWell(H, ES / ETA, sigma_H, ETA, a, noise=kind)


def _exact(dynamic: str, a: float) -> float:
    if dynamic == "SGD":
        return sgd_escape_time(a, ETA)
    return float(mean_exit_time(_model(dynamic, a), -a, b=a)) / ETA


def _times(settings: Settings, dynamic: str, seed: int) -> _draw.Table:
    """Return mean numbers of iterations to the saddle, simulated and exact."""
    n = settings.particles({"Langevin": 300, "mirrored": 512}.get(dynamic, 2048))
    means, errors, exact = [], [], []
    for i, a in enumerate(np.sqrt(BARRIERS / H).tolist()):
        dt = {"SGD": ETA, "mirrored": ETA / 10.0}.get(dynamic, ETA / 2.0)
        model, well = _model(dynamic, a), Interval(upper=a)
        mean, error = mean_time(settings, seed + i, model, -a, well, n, dt)
        means.append(mean / ETA)
        errors.append(error / ETA)
        exact.append(_exact(dynamic, a))
    table = {"barrier": BARRIERS, "iterations": np.array(means), "stderr": np.array(errors)}
    table["runs"] = np.full(BARRIERS.size, n)
    return {"dynamic": dynamic, **table, "exact": np.array(exact)}


def _formulas() -> _draw.Table:
    """Return exact times across the saddle over formulas, by learning rate."""
    rows = []
    a = (HEIGHT / H) ** 0.5
    for kappa in KAPPAS.tolist():
        eh = H / (kappa - 1.0)
        eta = eh / (EH / ETA)
        es = eta * ES / ETA
        model = TwoParabolaWell(H, ES / ETA, EH / ETA, eta, a)
        time = float(mean_exit_time(model, -a, b=BEYOND * a))
        kramers = kramers_time_from(model, -a, a)
        row = [kappa, time / kramers]
        row.append(time / loss_coupled_time(H, H, HEIGHT, es, eh))
        for reading in READINGS:
            row.append(time / meng_time_printed(H, H, HEIGHT, es, eh, kappa=reading))
        rows.append(row)
    names = ("kappa", "kramers", "loss_coupled", *(f"printed_{k}" for k in READINGS))
    return dict(zip(names, np.array(rows).T, strict=True))


def _judge(times: list[_draw.Table], lines: list[_draw.Table], formulas: _draw.Table) -> Any:
    statistics = []
    for table in times:
        # escape times vary as much as their mean, or a little less: better known than by few runs
        z = (table["iterations"] / table["exact"] - 1.0) * np.sqrt(table["runs"])
        statistics.append(_draw.chi_square(f"{table['dynamic']}: mean times, chi2 per height", z))
    for row in lines:
        name = f"{row['dynamic']}: slope of ln T against {row['against']}"
        statistics.append(z_score(name, row["slope"], row["exact_slope"], row["stderr"]))
        if row["dynamic"] in KNOWN:
            name = f"{row['dynamic']}: slope of the exact times"
            statistics.append(ratio(name, row["exact_slope"], KNOWN[row["dynamic"]], 0.005))
    kappa, value = float(formulas["kappa"][-1]), float(formulas["kramers"][-1])
    statistics.append(ratio(f"exact time over Kramers', kappa = {kappa:g}", value, 1.0, 0.02))
    off = float(formulas[f"printed_{READINGS[0]}"][-1])
    name = f"exact time over the paper's printed formula, kappa = {kappa:g}: not 1"
    limit = f"off by a factor {off:.2g}, as it must: at least 1.5 either way"
    statistics.append(Statistic(name, off, 1.0, limit, not 1.0 / 1.5 < off < 1.5))
    return statistics


def _make(settings: Settings) -> Result:
    times = [_times(settings, name, 100 * i) for i, name in enumerate(DYNAMICS)]
    lines = []
    for table in times[:3]:
        semilog = table["dynamic"] == "Langevin"
        x = BARRIERS if semilog else np.log(BARRIERS)
        seen = _fit(x, np.log(table["iterations"]), table["stderr"] / table["iterations"])
        exact = _fit(x, np.log(table["exact"]), 0.0 * x)
        row = {"dynamic": table["dynamic"], "against": "dL" if semilog else "ln dL"}
        row |= {"slope": seen.slope, "stderr": seen.stderr, "r2": seen.r2, "offset": seen.offset}
        lines.append({**row, "exact_slope": exact.slope, "exact_r2": exact.r2})
    formulas = _formulas()
    columns = {k: np.array([row[k] for row in lines]) for k in lines[0]}
    tables = {"times": _draw.stack(times), "regressions": columns, "formulas": formulas}

    def draw(figure: Any) -> None:
        axes = figure.subplots(2, 2).ravel()
        colours = dict(zip(DYNAMICS, _draw.PALETTE, strict=False))
        for table in times[:3]:
            name = table["dynamic"]
            for ax in axes[:2]:
                _draw.curve(ax, BARRIERS, table["exact"], colours[name])
                _draw.points(
                    ax, BARRIERS, table["iterations"], table["stderr"], colours[name], label=name
                )
        for row in lines:
            ax = axes[1] if row["against"] == "dL" else axes[0]
            x = BARRIERS if row["against"] == "dL" else np.log(BARRIERS)
            label = f"{row['dynamic']}: slope {row['slope']:.2f}, $R^2={row['r2']:.4f}$"
            fit = np.exp(row["slope"] * x + row["offset"])
            ax.plot(BARRIERS, fit, "--", color=colours[row["dynamic"]], lw=1.0, label=label)
        axes[0].set(xscale="log", yscale="log", ylim=(70.0, 1e6))
        axes[0].set_xticks([0.5, 1.0, 2.0], ["0.5", "1", "2"])
        axes[0].minorticks_off()
        axes[1].set(yscale="log", ylim=(70.0, 1e6))
        for ax in axes[:2]:
            ax.set(
                xlabel=r"height of the barrier $\Delta L$", ylabel="mean escape time (iterations)"
            )
            ax.legend(fontsize=8, loc="upper left")
        for table in (times[0], times[3], times[1]):
            name, norm = table["dynamic"], times[1]["exact"]
            _draw.curve(axes[2], BARRIERS, table["exact"] / norm, colours[name])
            label = {"SGD": "SGD", "mirrored": "its diffusion limit: mirrored noise"}.get(
                name, "power-law: noise by distance"
            )
            _draw.points(
                axes[2],
                BARRIERS,
                table["iterations"] / norm,
                table["stderr"] / norm,
                colours[name],
                label=label,
            )
        axes[2].set(
            xlabel=r"height of the barrier $\Delta L$", ylabel="time over that of power-law"
        )
        axes[2].set(yscale="log", ylim=(0.8, 16.0))
        axes[2].set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
        axes[2].minorticks_off()
        axes[2].legend(fontsize=8, loc="upper left")
        looks = (
            ("kramers", "Kramers, noise as it is", "-", _draw.PALETTE[0]),
            ("loss_coupled", "noise by the loss, eq. (4)", "-", _draw.PALETTE[2]),
            (f"printed_{READINGS[0]}", r"as printed, $\kappa=1+H/e_h$", "--", _draw.PALETTE[1]),
            (f"printed_{READINGS[1]}", r"as printed, $\kappa=H/e_h$", ":", _draw.PALETTE[1]),
        )
        for key, label, style, colour in looks:
            _draw.curve(axes[3], formulas["kappa"], formulas[key], colour, ls=style, label=label)
        axes[3].axhline(1.0, color="0.6", lw=0.8, zorder=0)
        axes[3].set(xscale="log", yscale="log", xlabel=r"$\kappa=1+H/(\eta\sigma_H)$")
        axes[3].set(ylabel="exact time over formula", ylim=(0.07, 6.0))
        axes[3].set_xticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
        axes[3].set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"])
        axes[3].minorticks_off()
        axes[3].legend(fontsize=8, loc="lower left")
        titles = ["log-log", "semi-log: the same times", "SGD mirrors its noise at the top"]
        _draw.label_panels(axes, [*titles, r"formulas for power-law noise, $\Delta L=1$"])

    return Result(tables, _judge(times, lines, formulas), draw)


FIGURE = Figure(
    name="escape-barrier",
    title="Escape time against the height of the barrier: SGD, power-law noise, Langevin",
    source="arXiv:2006.13719, one-dimensional escape experiment",
    chosen="Infinite data (independent standard normal x and y) and the mean loss: H = 2, sigma_g = 4, "
    "sigma_H = 8; eta = 0.1, batches of one, from the minimum to the saddle; 300 runs per height for "
    "Langevin, as in the paper, 512 for mirrored noise, 2048 for the others. Lines are exact: "
    "quadrature, and for SGD the equation of its Markov chain. The gradient of each sample is mirrored "
    "at w = 0, so that the diffusion limit of this SGD has the noise of the minimum again at the "
    "saddle, and not the power-law noise that grows with the distance; its steps are too long for "
    "either. (d) Crossing to three times the distance of the saddle, smaller learning rates to the "
    "right; kappa = 3.5 above.",
    make=_make,
    size=(11.0, 8.0),
)
