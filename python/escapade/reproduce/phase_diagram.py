"""Phases of the depth-1 network in the plane of label noise and temperature."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import gaussian
from ..ensemble import Ensemble
from ..models import BalancedNetwork
from ..theory import critical_temperature, phase, t_star
from . import _draw
from .base import Figure, Result, Settings, Statistic, z_score

NOISE = np.linspace(0.0, 2.0, 19)[1:]  # s
HEAT: Any = np.linspace(0.0, 0.6, 17)[1:]  # T
TIMES = 16.0, 16.0  # before the slope of E ln v is measured, and while it is
HALF = -0.4  # half of the theoretical slope at T = 1.2 Tc
MARGIN = 0.3  # |T/Tc - 1| of the points that are judged: nearer, relaxation is too slow
SMALL = 0.01
CUTS = {"III": 0.07, "IIb": 0.15, "IIa": 0.26}  # temperatures of panel (c), s = 1
EDGES = np.linspace(0.0, 2.5, 51)


def _make(settings: Settings) -> Result:
    data = gaussian(1.0, NOISE)
    t_c = np.asarray(critical_temperature(data))
    sweep = BalancedNetwork(1, 1, HEAT[:, None], data)
    n = settings.particles(2**10)
    ensemble = Ensemble(sweep, n, 1.0, seed=settings.seed, threads=settings.threads)
    before = ensemble.run(TIMES[0], 0.025, progress=settings.progress).log_x
    after = ensemble.run(TIMES[1], 0.025, progress=settings.progress).log_x
    speed = (after - before) / TIMES[1]
    slope, error = speed.mean(axis=-1), speed.std(axis=-1) / n**0.5
    small = np.mean(after < np.log(SMALL), axis=-1)
    heat = HEAT[:, None] / t_c  # T/Tc
    expected = np.minimum(4.0 * (1.0 - heat), 0.0)

    judged = np.abs(heat - 1.0) > MARGIN
    wrong = int(np.count_nonzero(judged & ((slope < HALF) != (heat > 1.0))))
    hot = heat > 2.0  # where nothing of the transient is left
    judgement = f"{wrong} of {judged.sum()} points with |T/Tc - 1| > {MARGIN:g}, at most 0"
    statistics = [
        Statistic(
            "points that collapse below Tc or learn above it", wrong, 0.0, judgement, not wrong
        ),
        z_score(
            "slope of E ln v less 4 (beta2 - T alpha3), mean over T > 2 Tc",
            float(np.mean((slope - expected)[hot])),
            0.0,
            float(np.sqrt(np.sum(error[hot] ** 2)) / hot.sum()),
        ),
    ]
    parts, laws = [], {}
    for i, (name, T) in enumerate(CUTS.items()):
        model = BalancedNetwork(1, 1, T, gaussian(1.0, 1.0))
        assert phase(model.data, T).name == name
        laws[name] = model.stationary()
        some = Ensemble(
            model,
            settings.particles(2**16),
            1.0 if name == "III" else "stationary",
            seed=settings.seed + 1 + i,
            threads=settings.threads,
        ).run(10.0, 0.01)
        statistics.append(_draw.ks(f"phase {name}, s = 1, T = {T:g}", some.x, laws[name]))
        row = _draw.binned(some.x, laws[name], EDGES)
        parts.append({"phase": name, "s": 1.0, "T": T, **row})
    grid_s, grid_t = np.broadcast_arrays(NOISE, HEAT[:, None])
    names = [phase(data[j], float(T)).name for T in HEAT for j in range(len(NOISE))]
    plane = {
        "s": grid_s.ravel(),
        "T": grid_t.ravel(),
        "phase": np.array(names),
        "slope": slope.ravel(),
        "stderr": error.ravel(),
        "slope_theory": expected.ravel(),
        "share_small": small.ravel(),
    }

    def draw(figure: Any) -> None:
        from matplotlib.patheffects import withStroke

        left, middle, right = figure.subplots(1, 3, width_ratios=[1.25, 1.0, 1.0])
        mesh = left.pcolormesh(NOISE, HEAT, small, cmap="cividis", vmin=0.0, vmax=1.0)
        figure.colorbar(mesh, ax=left, label=f"simulated share of paths with $v<{SMALL}$")
        s = np.linspace(0.05, 2.0, 400)
        line: Any = critical_temperature(gaussian(1.0, s))
        thin = [withStroke(linewidth=1.8, foreground="black")]
        rim = [withStroke(linewidth=3.5, foreground="black")]
        left.plot(s, line, color="white", lw=2.0, path_effects=rim)
        left.plot(s, line / 3.0, color="white", lw=2.0, ls="--", path_effects=rim)
        # the formal density keeps its maximum beyond Tc, where no law exists any more
        far = s[21.0 * s**2 > 8.4]
        ends: Any = (4.0 + 42.0**0.5 * far) / (4.0 * (21.0 * far**2 - 8.0))
        capped, beyond = (np.asarray(f(gaussian(1.0, far))) for f in (t_star, critical_temperature))
        ends = np.where(capped < beyond, capped, ends)
        left.plot(far, ends, color="white", lw=2.0, ls=":", path_effects=rim)
        for x, y, text in [(0.2, 0.46, "$T_c$"), (0.24, 0.135, "$T_c/3$"), (0.65, 0.57, "$T^*$")]:
            left.text(x, y, text, color="white", ha="center", va="center", path_effects=thin)

        texts = [(1.4, 0.47, "Ia"), (0.28, 0.53, "Ib"), (1.42, 0.17, "IIa")]
        for x, y, text in [*texts, (0.45, 0.28, "IIb"), (0.5, 0.07, "III")]:
            colour = "black" if text[:2] in ("Ia", "Ib") else "white"
            left.text(x, y, text, color=colour, weight="bold", ha="center", va="center")
        left.set(xlabel="label noise $s$", ylabel="temperature $T$")
        left.set(xlim=(NOISE[0], NOISE[-1]), ylim=(HEAT[0], HEAT[-1]))

        heats = np.linspace(0.0, heat.max(), 200)
        _draw.curve(
            middle, heats, np.minimum(4.0 * (1.0 - heats), 0.0), label=r"$\min[4(1-T/T_c),0]$"
        )
        at = np.argsort(heat, axis=None)[::3]
        _draw.points(
            middle, heat.ravel()[at], slope.ravel()[at], error.ravel()[at], label="simulated"
        )
        middle.set(xlabel="$T/T_c$", ylabel=r"slope of $\mathbb{E}\,\ln v$ per unit of time")
        middle.legend()

        fine = np.concatenate([np.geomspace(1e-4, 0.05, 200), np.linspace(0.05, 2.5, 500)])
        for part, colour in zip(parts, _draw.PALETTE, strict=False):
            label = f"{part['phase']}, $T={part['T']:g}$"
            _draw.density(right, part, laws[part["phase"]], colour, label, fine)
        right.set(xlabel="end-to-end weight $v$", ylabel="density $p(v)$", ylim=(0.0, 3.0))
        right.legend()
        _draw.label_panels([left, middle, right], ["phases", "collapse", "densities, $s=1$"])

    return Result({"plane": plane, "densities": _draw.stack(parts)}, statistics, draw)


FIGURE = Figure(
    name="phase-diagram",
    title="Phases of the depth-1 network: label noise against temperature",
    source="arXiv:2308.06671 (PRE 111, 065303), Fig. 4; eqs. A.15, A.16",
    chosen="x ~ N(0,1), y = x + s e. Chosen: the grid, v = 1 at the start, times 16 and 32 between "
    "which the slope of E ln v is measured (near Tc they are too short to relax: points with "
    "|T/Tc - 1| <= 0.3 are not judged), and the temperatures of the densities. Solid line Tc, "
    "dashed Tc/3, dotted the end T* of the interior maximum, above Tc that of the formal density.",
    make=_make,
    size=(12.0, 4.0),
)
