"""The figure of ``escapade demo``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import plots
from ._experiment import Outcome

_STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "mathtext.fontset": "cm",
    "legend.frameon": False,
    "xtick.direction": "out",
    "svg.hashsalt": "escapade",
}
_GREY = "0.45"


def figure(outcomes: list[Outcome]) -> Any:
    """Return a matplotlib figure of the power-law dynamic (left) and the network (right)."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with matplotlib.rc_context(_STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.04)
        fig = Figure(figsize=(11.0, 5.6), layout=layout)
        FigureCanvasAgg(fig)
        axes = fig.subplots(2, 2, sharex="col", height_ratios=(3.2, 1.0))
        _power_law(outcomes[0], axes[0][0], axes[1][0])
        _network(outcomes[1], axes[0][1], axes[1][1])
        axes[1][0].set_ylabel(r"residual / $\sigma$")
        axes[0][0].set_ylabel("probability density")
        fig.align_ylabels([axes[0][0], axes[1][0]])
    return fig


def _panel(outcome: Outcome, top: Any, bottom: Any, scale: str) -> None:
    e = outcome.experiment
    many = f"{e.n:,}".replace(",", r"\,")
    plots.density(
        outcome.hist,
        e.law,
        top,
        scale=scale,
        label=f"${many}$ particles, $t={e.t:.3g}$",
        law_label="exact stationary law",
    )
    plots.residuals(outcome.hist, e.law, bottom, scale=scale)
    if outcome.comparison is not None:
        c = outcome.comparison
        bottom.set_title(
            f"KS distance {_power_of_ten(c.ks)},  $p={c.p_value:.2g}$",
            fontsize=9,
            loc="right",
            pad=3,
        )


def _power_of_ten(value: float) -> str:
    exponent = math.floor(math.log10(value)) if value > 0.0 else 0
    return rf"${value / 10.0**exponent:.1f}\times10^{{{exponent}}}$"


def _start(ax: Any, x: float, text: str) -> None:
    """Mark on the horizontal axis where all particles started."""
    lo, hi = ax.get_xlim()
    if not lo < x < hi:
        outside = f"{text}, {'left' if x <= lo else 'right'} of the frame"
        ax.text(0.02, 0.03, outside, transform=ax.transAxes, fontsize=9.5, color=_GREY)
        return
    ax.annotate(
        text,
        xy=(x, 0.0),
        xytext=(x, 0.085),
        xycoords=("data", "axes fraction"),
        textcoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
        fontsize=9.5,
        color=_GREY,
        arrowprops={"arrowstyle": "-|>", "color": _GREY, "lw": 1.0, "shrinkA": 1, "shrinkB": 0},
    ).set_in_layout(False)


def _power_law(outcome: Outcome, top: Any, bottom: Any) -> None:
    e, hist = outcome.experiment, outcome.hist
    assert hist is not None
    p = e.model.params
    _panel(outcome, top, bottom, "linear")
    edge = float(hist.edges[-1])
    std = e.law.std()
    grid = np.linspace(-edge, edge, 801)
    gauss = np.exp(-0.5 * (grid / std) ** 2) / (std * math.sqrt(2.0 * math.pi))
    top.plot(grid, gauss, color=_GREY, lw=1.1, ls=(0, (4, 2.5)), label="Gaussian, same variance")
    top.set_ylim(float(e.law.pdf(max(edge, 1.2 * e.x0))) / 8.0, 30.0 * float(e.law.pdf(0.0)))
    top.set_xlim(-edge, edge)
    bottom.set_xlabel(r"distance from the minimum, $u$")
    top.set_title(
        "Power-law dynamic of SGD\n"
        r"$\mathrm{d}u=-Hu\,\mathrm{d}t+\sqrt{\eta(\sigma_g+\sigma_H u^2)}\;\mathrm{d}W$"
    )
    nu = 1.0 + 2.0 * p["H"] / (p["eta"] * p["sigma_H"])
    note = (
        rf"Student's $t$, $\nu=1+2H/\eta\sigma_H={nu:g}$" + "\n" + rf"tails $|u|^{{-{nu + 1:g}}}$"
    )
    top.text(0.985, 0.97, note, transform=top.transAxes, ha="right", va="top", fontsize=9.5)
    top.legend(loc="upper left", fontsize=9, handlelength=1.8, borderaxespad=0.1)
    _start(top, e.x0, f"all start at $u={e.x0:g}$")


def _network(outcome: Outcome, top: Any, bottom: Any) -> None:
    e, hist = outcome.experiment, outcome.hist
    assert hist is not None
    p = e.model.params
    wide = hist.scale == "log"
    _panel(outcome, top, bottom, hist.scale)
    peak = float(np.max(hist.density))
    low = float(min(e.law.pdf(hist.edges[0]), e.law.pdf(hist.edges[-1])))
    top.set_ylim(max(low, 1e-9 * peak) / 8.0, 30.0 * peak)
    top.set_xlim(float(hist.edges[0]), float(hist.edges[-1]))
    bottom.set_xlabel(r"end-to-end weight, $v$")
    top.set_title(
        "Two-layer linear network trained by SGD\n"
        r"$\mathrm{d}v=[-4v(\beta_1 v-\beta_2)+4Tv\,q(v)]\,\mathrm{d}t+4v\sqrt{T q(v)}\;\mathrm{d}W$"
    )
    data, temperature = p["data"], p["T"]
    power = data.beta2 / (2.0 * data.alpha3 * temperature) - 1.5
    top.text(
        0.985,
        0.97,
        rf"$T={temperature * data.alpha3 / data.beta2:.2g}\,T_c$",
        transform=top.transAxes,
        ha="right",
        va="top",
        fontsize=9.5,
    )
    if wide:
        _slope(top, e.law, float(e.law.ppf(3e-4)), power, rf"$v^{{{power:.3g}}}$")
        if data.alpha1 > 0.0:
            _slope(top, e.law, float(e.law.isf(2e-5)), -3.5, r"$v^{-7/2}$")
        top.legend(loc="lower left", bbox_to_anchor=(0.0, 0.22), fontsize=9, handlelength=1.8)
    else:
        top.legend(loc="upper left", fontsize=9, handlelength=1.8, borderaxespad=0.1)
    _start(top, e.x0, f"all start at $v=10^{{{math.log10(e.x0):.0f}}}$")


def _slope(ax: Any, law: Any, x: float, power: float, text: str) -> None:
    """Draw a short line of slope ``power`` a little above the law, if the law has that slope there."""
    lo, hi = x / 2.0, x * 2.0
    local = (float(law.logpdf(hi)) - float(law.logpdf(lo))) / math.log(4.0)
    if abs(local - power) > 0.1 * max(abs(power), 1.0):
        return
    ends = np.array([lo, hi])
    y = 3.0 * float(law.pdf(x)) * (ends / x) ** power
    ax.plot(ends, y, color="0.2", lw=1.0)
    label = ax.text(x * 1.15, 1.6 * 3.0 * float(law.pdf(x)), text, fontsize=10.5, color="0.2")
    label.set_in_layout(False)
