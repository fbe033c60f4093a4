"""Signs that training conserves: the two sides of a balanced network, and the four of any other."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import init
from ..data import DataMoments, binary, gaussian
from ..ensemble import Ensemble
from ..models import DiagonalNetwork
from . import _draw
from .base import Figure, Result, Settings, Statistic, z_score

T, V0, DT = 0.1, 0.5, 0.005
DATA = binary(1.0, 1.0)
ROUNDING = 1e-12  # of |u| + |w|, below which the sign of a sum or difference says nothing
# of the paths may change sign on data whose noise grows with v: in an excursion to large v, a normal
# beyond 4 standard deviations overshoots
ALLOWED = 5e-4


def _side(v0: float, depth: int, settings: Settings) -> tuple[Any, Any]:
    """Return times and ``v`` of balanced networks that start at ``v0``."""
    n = settings.particles(2**13)
    model = DiagonalNetwork(depth, 1, T, DATA)
    seed = settings.seed + 2 * depth + (v0 > 0.0)
    some = Ensemble(model, n, init.balanced(v0), seed=seed, threads=settings.threads)
    # small v needs no adaptive steps but a weak order above 1: the slope of ln|v| is measured
    scheme = "auto" if v0 > 0.0 else "platen"
    v = [some.x.prod(axis=1)]
    v += [some.run(0.1, DT, scheme).x.prod(axis=1) for _ in range(100)]
    return 0.1 * np.arange(len(v)), np.array(v)


def _signs(x: Any) -> Any:
    """Return the signs of u + w and u - w, 0 where they are rounding; shape (n, 2)."""
    sums = np.stack([x.sum(axis=1), x[:, 0] - x[:, 1]], axis=1)
    return np.where(np.abs(sums) > ROUNDING * np.abs(x).sum(axis=1)[:, None], np.sign(sums), 0.0)


def _unbalanced(data: DataMoments, heat: float, seed: int, settings: Settings) -> Any:
    """Return the first and last states, and which paths ever changed a sign."""
    model = DiagonalNetwork(1, 1, heat, data)
    n = settings.particles(2**14)
    some = Ensemble(model, n, init.normal(0.0, 0.7), seed=seed, threads=settings.threads)
    start, changed = np.array(some.x), np.zeros(n, bool)
    first = _signs(start)
    for _ in range(48):
        changed |= np.any(_signs(some.run(0.25, DT).x) * first < 0.0, axis=1)
    return start, np.array(some.x), changed, model.stationary(), some.report().floor_hits


def _none(name: str, wrong: int, n: int, share: float = 0.0) -> Statistic:
    limit = f"{wrong} of {n}, at most {share * n:.3g}"
    return Statistic(name, float(wrong), 0.0, limit, wrong <= share * n)


def _make(settings: Settings) -> Result:
    statistics, quantiles = [], []
    sides = {(v0, depth): _side(v0, depth, settings) for v0 in (V0, -V0) for depth in (1, 2)}
    for (v0, depth), (t, v) in sides.items():
        what = f"depth {depth}, balanced, v0 = {v0:g}"
        wrong = int(np.count_nonzero(np.any(v * v0 <= 0.0, axis=0)))
        statistics.append(_none(f"{what}: paths whose v changes sign", wrong, v.shape[1]))
        low, middle, high = np.quantile(np.abs(v), [0.05, 0.5, 0.95], axis=1)
        row = {"depth": depth, "v0": v0, "t": t, "q05": low, "median": middle, "q95": high}
        quantiles.append(row)
        if v0 > 0.0:
            law = DiagonalNetwork(depth, 1, T, DATA).stationary()
            statistics.append(_draw.ks(f"{what}, t = {t[-1]:g}", v[-1], law))
    t, v = sides[-V0, 1]
    speed = np.log(v[-1] / v[40]) / (t[-1] - t[40])
    statistics.append(
        z_score(
            "depth 1, v < 0: slope of E ln|v|",
            float(speed.mean()),
            -4.0 * (DATA.beta2 + T * DATA.alpha3),
            float(speed.std()) / speed.size**0.5,
        )
    )
    start, end, changed, law, _ = _unbalanced(DATA, T, settings.seed + 10, settings)
    n, last = len(end), end.prod(axis=1)
    negative = float(np.mean(start.prod(axis=1) < 0.0))
    statistics += [
        _none("unbalanced, x = +-1: u + w or u - w changes sign", int(changed.sum()), n),
        _none("unbalanced, x = +-1: v <= 0 at the end", int(np.sum(last <= 0.0)), n),
        _draw.ks("unbalanced, x = +-1, t = 12", last, law),
    ]
    _, _, changed, _, hits = _unbalanced(gaussian(1.0, 1.0), 0.05, settings.seed + 11, settings)
    text = "unbalanced, x ~ N(0,1), T = 0.05: u + w or u - w changes sign"
    statistics.append(_none(text, int(changed.sum()), n, ALLOWED))
    some = slice(None, 400)
    plane = {k: x[some, i] for i in (0, 1) for k, x in ((f"start{i}", start), (f"end{i}", end))}
    hist = _draw.binned(last, law, np.linspace(0.0, 2.4, 41))
    tables = {"quantiles": _draw.stack(quantiles), "plane": plane, "density": hist}
    notes = [
        f"x ~ N(0,1): {hits} substeps were at the shortest there is, for {n} paths until t = 12"
    ]

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, 4)
        for v0, colour in ((V0, _draw.PALETTE[0]), (-V0, _draw.PALETTE[1])):
            t, v = sides[v0, 1]
            axes[0].plot(t, v[:, :6], color=colour, lw=0.9)
        axes[0].axhline(0.0, color="0.6", lw=0.8)
        axes[0].set(xlabel="time $t$", ylabel="end-to-end weight $v$")
        for depth, colour in ((1, _draw.PALETTE[1]), (2, _draw.PALETTE[2])):
            row = next(q for q in quantiles if q["depth"] == depth and q["v0"] < 0.0)
            t = row["t"]
            if depth == 1:
                fall = row["median"][40] * np.exp(-4.0 * (1.0 + T) * (t - t[40]))
            axes[1].fill_between(t, row["q05"], row["q95"], color=colour, alpha=0.25, lw=0)
            axes[1].plot(
                t[::5],
                row["median"][::5],
                "o",
                ms=3,
                mfc="white",
                color=colour,
                label=f"depth {depth}",
            )
        _draw.curve(
            axes[1],
            t,
            fall,
            "black",
            ls="--",
            lw=1.0,
            label=r"$e^{-4(\beta_2+T\alpha_3)t}$",
        )
        _draw.curve(
            axes[1],
            t,
            (V0 ** (-1 / 3) + 2.0 * t) ** -3.0,
            "black",
            ls=":",
            lw=1.2,
            label="depth 2, $T=0$, small $v$",
        )
        axes[1].set(yscale="log", xlabel="time $t$", ylabel="$|v|$ for $v(0)<0$: median, 5-95%")
        axes[1].legend(fontsize=8.5)
        reach = np.array([-2.2, 2.2])
        for sign in (1.0, -1.0):
            axes[2].plot(reach, sign * reach, color="0.7", lw=0.8, zorder=0)
        up = start.sum(axis=1) > 0.0
        for chosen, colour in ((up, _draw.PALETTE[0]), (~up, _draw.PALETTE[4])):
            side = "$u+w>0$" if colour == _draw.PALETTE[0] else "$u+w<0$"
            a, b = start[chosen][:200].T
            axes[2].plot(a, b, ".", ms=2.5, color=colour, alpha=0.6, label=f"start, {side}")
            a, b = end[chosen][:200].T
            axes[2].plot(a, b, "x", ms=4.5, mew=0.9, color=colour, label="end")
        axes[2].set(xlim=reach, ylim=(-2.2, 3.6), xlabel="$u$", ylabel="$w$", aspect="equal")
        axes[2].legend(
            fontsize=8, ncols=2, loc="upper center", columnspacing=0.8, handletextpad=0.2
        )
        _draw.density(axes[3], hist, law, _draw.PALETTE[0], "simulated")
        axes[3].lines[0].set(color=_draw.PALETTE[1], label="exact law")
        axes[3].set(xlabel="end-to-end weight $v$ at $t=12$", ylabel="density $p(v)$")
        axes[3].set(ylim=(0.0, 1.7))
        axes[3].legend(
            loc="upper right",
            title=f"$v<0$: {negative:.0%} at the\nstart, {np.mean(last <= 0.0):.2%} at the end",
            fontsize=8.5,
            title_fontsize=8.5,
        )
        titles = [
            "balanced, depth 1",
            "the negative side",
            "any start, depth 1",
            "... ends at $v>0$",
        ]
        _draw.label_panels(axes, titles)

    return Result(tables, statistics, draw, notes)


FIGURE = Figure(
    name="broken-ergodicity",
    title="Training conserves signs: a balanced network on the wrong side never learns",
    source="arXiv:2308.06671 (PRE 111, 065303), Theorem 4.1 and Fig. 3 right; eqs. A.67, A.93",
    chosen="All parameters (u, w) are simulated. Chosen: T = 0.1, x = +-1, y = x + e, where the noise "
    "does not depend on v; balanced starts v = +-0.5; unbalanced ones u, w ~ N(0, 0.49). The theorem's "
    "statement that v keeps its sign needs the balanced manifold. Elsewhere u + w and u - w keep "
    "theirs, u - w decays, and v > 0 in the end. For x ~ N(0,1) (T = 0.05) the noise grows with v, "
    "and up to 0.05% of the paths may change sign by overshooting in an excursion to large v.",
    make=_make,
    size=(13.0, 3.7),
)
