"""Mean, variance and loss against temperature: fluctuations that shrink as noise grows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import gaussian
from ..ensemble import Ensemble
from ..models import BalancedNetwork
from ..theory import critical_temperature, exact_loss
from . import _draw
from .base import Figure, Result, Settings, z_score

DATA = gaussian(1.0, 1.0)
TEMPERATURES: dict[int, Any] = {
    1: np.array([0.01, 0.03, *np.arange(0.05, 0.301, 0.025), 0.315, 0.325]),
    2: np.arange(0.075, 0.601, 0.075),
}
CEILING = 3.0  # the variance of min(v, 3) has a central limit theorem, that of v has none
BLOCKS = 32


def _fraction(v: Any) -> Any:
    """Return q/(1 + q), a bounded measure of the noise."""
    q = DATA.q(v)
    return q / (1.0 + q)


def _top(table: _draw.Table) -> tuple[float, float, float]:
    """Return where Var min(v, c) is largest: measured, exact, and the former's standard error.

    The exact top is that of a parabola through the five largest exact values. The measured one is a
    Newton step from there: the slope of a parabola through the measured values, which is linear in
    them, over the exact curvature.
    """
    middle = int(np.argmax(table["capped_theory"]))
    five = slice(middle - 2, middle + 3)
    T, exact = table["T"][five], table["capped_theory"][five]
    a, b, _ = np.polyfit(T - T[2], exact, 2)
    top = float(T[2] - b / (2.0 * a))
    slopes = np.linalg.pinv(np.vander(T - top, 3))[1]  # of the slope at the top, on the values
    moved = top - float(slopes @ table["capped"][five]) / (2.0 * a)
    error = float(np.linalg.norm(slopes * table["capped_stderr"][five]) / abs(2.0 * a))
    return moved, top, error


def _exact(depth: int, temperatures: Any) -> _draw.Table:
    laws = [BalancedNetwork(depth, 1, float(T), DATA).stationary() for T in temperatures]
    mean, var = np.array([law.mean() for law in laws]), np.array([law.var() for law in laws])
    first, second = (  # E min(v, c)^k = int_0^c k v^k P(X > v) dv/v
        np.array([_draw.sf_integral(law, CEILING * 1e-9, 9.0, of) for law in laws])
        for of in (lambda v: v, lambda v: 2.0 * v**2)
    )
    return {
        "mean_theory": mean,
        "variance_theory": var,
        "capped_theory": second - first**2,
        "loss_theory": exact_loss(DATA, mean, var + mean**2),
        "fraction_theory": np.array([law.expectation(_fraction) for law in laws]),
    }


def _simulated(depth: int, settings: Settings) -> _draw.Table:
    temperatures = TEMPERATURES[depth]
    n = settings.particles(2**15, least=32 * BLOCKS) // BLOCKS * BLOCKS
    model = BalancedNetwork(depth, 1, temperatures, DATA)
    some = Ensemble(model, n, "stationary", seed=settings.seed + depth, threads=settings.threads)
    v = some.run(2.0, 0.005, progress=settings.progress).x
    parts = v.reshape(len(v), BLOCKS, -1)
    capped = np.minimum(v, CEILING)
    square = (capped - capped.mean(axis=1, keepdims=True)) ** 2
    fraction = _fraction(v)
    loss = DATA.beta1 * v**2 - 2.0 * DATA.beta2 * v + DATA.ey2
    return {
        "depth": depth,
        "T": temperatures,
        "mean": v.mean(axis=1),
        "mean_stderr": v.std(axis=1) / n**0.5,
        "variance": v.var(axis=1),
        "variance_scatter": parts.var(axis=2).std(axis=1) / BLOCKS**0.5,
        "capped": square.mean(axis=1),
        "capped_stderr": square.std(axis=1) / n**0.5,
        "loss": loss.mean(axis=1),
        "loss_scatter": loss.std(axis=1) / n**0.5,
        "fraction": fraction.mean(axis=1),
        "fraction_stderr": fraction.std(axis=1) / n**0.5,
    }


def _make(settings: Settings) -> Result:
    tables = [
        {**_simulated(depth, settings), **_exact(depth, TEMPERATURES[depth])} for depth in (1, 2)
    ]
    statistics = []
    for table in tables:
        judged = {"mean": "E v", "fraction": "E q/(1+q)", "capped": f"Var min(v, {CEILING:g})"}
        for name, text in judged.items():
            z = (table[name] - table[f"{name}_theory"]) / table[f"{name}_stderr"]
            text = f"depth {table['depth']}: {text} at {z.size} temperatures, mean square z"
            statistics.append(_draw.chi_square(text, z))
    text = f"depth 1: temperature at which Var min(v, {CEILING:g}) is largest"
    statistics.append(z_score(text, *_top(tables[0])))

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, 4)
        t_c = float(critical_temperature(DATA))
        shown = (
            ("mean", "mean_stderr", r"mean $\mathbb{E}\,v$"),
            ("variance", "variance_scatter", r"variance $\mathrm{Var}\,v$"),
            ("capped", "capped_stderr", rf"$\mathrm{{Var}}\,\min(v,{CEILING:g})$"),
            ("loss", "loss_scatter", r"mean loss $\mathbb{E}\,(vx-y)^2$"),
        )
        for table, colour in zip(tables, _draw.PALETTE[1:3], strict=True):
            depth = table["depth"]
            fine = np.linspace(0.002, t_c - 1e-3 if depth == 1 else 0.6, 40)
            exact = _exact(depth, fine)
            for ax, (name, error, label) in zip(axes, shown, strict=True):
                _draw.curve(ax, fine, exact[f"{name}_theory"], colour)
                _draw.points(
                    ax, table["T"], table[name], table[error], colour, label=f"depth {depth}"
                )
                ax.set(xlabel="temperature $T$", ylabel=label)
        for ax, beyond in zip(axes, (0.0, 0.0, 0.0, DATA.ey2), strict=True):
            ax.axvline(t_c, color="0.7", lw=0.8, zorder=0)
            _draw.curve(ax, [t_c, 0.6], [beyond, beyond], _draw.PALETTE[1])
        axes[0].text(t_c + 0.01, 0.8, "$T_c$ of\ndepth 1", color="0.4")
        axes[0].legend()
        titles = ["learned weight", "fluctuations", "the same, bounded", "loss"]
        _draw.label_panels(axes, titles)

    return Result({"temperatures": _draw.stack(tables)}, statistics, draw)


FIGURE = Figure(
    name="fluctuation-inversion",
    title="Fluctuations of a deep network grow, then shrink, as the noise of SGD grows",
    source="arXiv:2308.06671 (PRE 111, 065303), section 4 and Fig. 5 middle; eqs. A.14, A.15",
    chosen="x ~ N(0,1), y = x + e (the paper's figure is of a tanh network). Chosen: temperatures. Each "
    "ensemble starts from its exact law, which must be preserved for t = 2: from v = 1 the relaxation "
    "near Tc would take thousands of units of time. E v^4 is infinite at depth 1, so the sample "
    "variance obeys no central limit theorem (its error bars only show the scatter of 32 blocks, and "
    "so do those of the loss); judged are the mean, E q/(1+q), and the variance of min(v, 3).",
    make=_make,
    size=(13.0, 3.6),
)
