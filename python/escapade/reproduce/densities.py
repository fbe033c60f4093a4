"""Stationary densities by depth and temperature."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import init
from ..data import DataMoments, gaussian
from ..ensemble import Ensemble
from ..models import BalancedNetwork, DiagonalNetwork
from ..theory import log_drift_slope
from . import _draw
from .base import Figure, Result, Settings, z_score

STEADY, WEAK = gaussian(1.0, 1.0), gaussian(0.5, 0.5)
# panel, data, T, depths, edges of the bins
PANELS: list[tuple[str, DataMoments, float, tuple[int, ...], Any]] = [
    ("a", STEADY, 0.05, (0, 1), 0.06 * np.arange(-5, 41)),
    ("b", STEADY, 0.5, (0,), 0.06 * np.arange(-10, 36)),
    ("c", WEAK, 0.5, (0, 1), 0.06 * np.arange(-10, 26)),
    ("d", STEADY, 0.2, (0, 1, 2, 3), 0.06 * np.arange(-8, 43)),
]
LOGARITHMIC = np.geomspace(1e-4, 10.0, 41)
BOX = np.linspace(0.0, 2.4, 41)
TIMES = 60.0, 10.0  # of the collapse: before its slope is measured, and while it is


def _make(settings: Settings) -> Result:
    n, threads = settings.particles(2**16), settings.threads
    parts, laws, statistics = [], {}, []
    for i, (panel, data, T, depths, edges) in enumerate(PANELS):
        for depth in depths:
            model = BalancedNetwork(depth, 1, T, data)
            law = laws[panel, depth] = model.stationary()
            # at this time all memory of the start is lost at T <= 0.05 and at depth 0; elsewhere
            # ln v relaxes slowly, and the law has to be preserved instead
            start: Any = 1.0 if depth == 0 or T < 0.1 else "stationary"
            some = Ensemble(model, n, start, seed=settings.seed + 10 * i + depth, threads=threads)
            some.run(10.0 if depth < 2 else 4.0, 0.01 if depth < 2 else 0.005)
            statistics.append(_draw.ks(f"({panel}) depth {depth}, T = {T:g}", some.x, law))
            row = {"panel": panel, "depth": depth, "T": T}
            parts.append({**row, **_draw.binned(some.x, law, edges[edges >= law.support()[0]])})
            if panel == "d" and depth > 0:
                laws["e", depth] = law
                table = _draw.binned(some.x, law, LOGARITHMIC)
                table["v"] = np.sqrt(LOGARITHMIC[1:] * LOGARITHMIC[:-1])
                parts.append({"panel": "e", "depth": depth, "T": T, **table})

    hot = BalancedNetwork(1, 1, 0.5, STEADY)
    many = settings.particles(2**13)
    falling = Ensemble(hot, many, 1.0, seed=settings.seed + 50, threads=threads).run(TIMES[0], 0.02)
    before = falling.log_x
    speed = (falling.run(TIMES[1], 0.02).log_x - before) / TIMES[1]
    gone = float(np.mean(falling.log_x < np.log(1e-6)))
    statistics.append(
        z_score(
            "(b) depth 1, T = 0.5 > Tc = 1/3: slope of E ln v",
            float(speed.mean()),
            float(log_drift_slope(STEADY, 0.5)),
            float(speed.std()) / many**0.5,
        )
    )

    full = DiagonalNetwork(1, 1, 0.1, STEADY)
    law = laws["f", 1] = full.stationary()
    crowd = Ensemble(
        full,
        settings.particles(2**14),
        init.normal(0.0, 1.0),
        seed=settings.seed + 60,
        threads=threads,
    )
    first = crowd.x.prod(axis=1)
    v = crowd.run(20.0, 0.005).x.prod(axis=1)
    statistics.append(_draw.ks("(f) all parameters, unbalanced start", v, law))
    parts.append({"panel": "f", "depth": 1, "T": 0.1, **_draw.binned(v, law, BOX)})
    tables = {"densities": _draw.stack(parts)}

    def draw(figure: Any) -> None:
        axes = figure.subplots(2, 3).ravel()
        for ax, panel in zip(axes, "abcdef", strict=True):
            for part in (p for p in parts if p["panel"] == panel):
                depth, v = part["depth"], part["v"]
                grid = np.linspace(v[0], v[-1], 1500)
                if depth > 0:  # a density may diverge at 0
                    small = np.geomspace(1e-4, 0.05, 300)
                    grid = np.concatenate([small, np.geomspace(0.05, v[-1], 800)])
                colour, name = _draw.PALETTE[depth], f"depth {depth}"
                _draw.density(ax, part, laws[panel, depth], colour, name, grid)
            ax.set(xlabel="end-to-end weight $v$", ylabel="density $p(v)$", ylim=(0.0, None))
        axes[0].plot([], [], "-", color="0.4", label="lines: exact laws")
        axes[0].plot([], [], "o", ms=3.2, mfc="white", color="0.4", label="points: simulation")
        axes[0].set_xlim(-0.3, 3.4)
        collapsed = f"depth 1: collapse\n({gone:.1%} below\n$10^{{-6}}$ at $t={sum(TIMES):g}$)"
        axes[1].axvline(0.0, color=_draw.PALETTE[1], lw=2.5, label=collapsed)
        axes[1].set_ylim(0.0, 1.15)
        for ax in axes[2:4]:
            ax.set_ylim(0.0, 4.0)
        axes[4].set(xscale="log", yscale="log", ylim=(3e-5, 1e2), xlim=(1e-5, 20.0))
        axes[5].hist(
            first,
            np.linspace(-1.2, 2.4, 61),
            density=True,
            color="0.85",
            zorder=0,
            label="at the start",
        )
        axes[5].set_ylim(0.0, 1.75)
        titles = [
            f"$T={T:g}$, $k={data.beta2:g}$, $s={1 if data is STEADY else 0.5:g}$"
            for _, data, T, _, _ in PANELS
        ]
        more = ["as (d), logarithmic axes", "$T=0.1$, parameters $u$, $w$ from $N(0,1)$"]
        _draw.label_panels(axes, [*titles, *more])
        for ax, place in zip(
            axes, ["upper right"] * 4 + ["lower left", "upper right"], strict=True
        ):
            ax.legend(fontsize=8.5, loc=place)

    return Result(tables, statistics, draw)


FIGURE = Figure(
    name="densities",
    title="Stationary densities of the end-to-end weight, by depth and temperature",
    source="arXiv:2308.06671 (PRE 111, 065303), Fig. 3 left and middle; eqs. A.12, A.14, A.15",
    chosen="The paper states depths 0 and 1 and T = 0.05 and 0.5, but not the data. Chosen: x ~ N(0,1), "
    "y = kx + e with k = s = 1, where T = 0.5 is above Tc = 1/3 and depth 1 has collapsed; panel (c) "
    "therefore has k = s = 0.5 (Tc = 2/3). Panels (d) to (f) are additions. Depth 0, and depth 1 at "
    "T = 0.05, start at v = 1; other balanced networks start from their law, which must be preserved.",
    make=_make,
    size=(11.0, 6.4),
)
