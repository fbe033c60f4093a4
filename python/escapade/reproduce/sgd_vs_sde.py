"""How far SGD with real minibatches is from its diffusion limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import interpolate

from .. import init
from ..data import DataMoments, gaussian
from ..ensemble import Ensemble
from ..models import BalancedNetwork, DiagonalNetwork
from ..observers import LyapunovExponent
from ..theory import critical_temperature, symmetric_sum_exponents
from . import _draw
from .base import Figure, Result, Settings, Statistic, z_score

FloatArray = npt.NDArray[np.float64]
STRONG, WEAK, FAINT = gaussian(1.0, 1.0), gaussian(0.3, 1.0), gaussian(0.1, 1.0)
ETAS = np.array([0.005, 0.01, 0.02, 0.03, 0.05, 0.08])  # of the distances
DURATION = {STRONG: 20.0, WEAK: 30.0}
#: KS distances and a median, simulated independently of this package (k, eta, value).
KNOWN = ((STRONG, 0.02, 0.020), (STRONG, 0.05, 0.056), (WEAK, 0.05, 0.023))
MEDIAN = 0.886  # k = 1, eta = 0.05
#: Runs of SGD for these comparisons, whatever the scale: of fewer runs the KS distance is too noisy to
#: tell the reference from the law of the SDE itself (4 standard errors of 2048 runs are 0.044).
FULL = 2**15
WIDE = np.geomspace(0.01, 3.0, 16)  # of the Lyapunov exponents
LONG = 20000  # steps, of the share that diverges
LONG_ETAS = np.array([0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3])


def _exponents(data: DataMoments, settings: Settings) -> dict[str, Any]:
    """Return measured and exact exponents of ``u + w`` at the origin, per step."""
    n, steps, rows = settings.particles(4096, 256), 100, []
    for i, eta in enumerate(WIDE):
        measured = LyapunovExponent("sum")
        # so near the origin that v is nothing, and far enough from the smallest float
        some = Ensemble(
            DiagonalNetwork(1, 1, eta, data).sgd(eta),
            n,
            np.array([1e-100, 0.0]),
            seed=settings.seed + 100 + i,
            threads=settings.threads,
        )
        some.run(steps=steps, observe=measured)
        exact = symmetric_sum_exponents(data, eta=float(eta)).plus
        rows.append(
            [
                eta,
                float(np.asarray(measured.value).item()) * eta,
                float(np.asarray(measured.stderr).item()) * eta,
                exact,
            ]
        )
    names = ("eta", "exponent", "stderr", "theory")
    table: dict[str, Any] = dict(zip(names, np.array(rows).T, strict=True))
    table["sde"] = np.array([symmetric_sum_exponents(data, T=e).plus * e for e in WIDE])
    return table


def _make(settings: Settings) -> Result:
    n = settings.particles(FULL, 2**11)
    compared = [(data, eta) for data, eta, _ in KNOWN]
    common: dict[str, Any] = {"threads": settings.threads}
    rows, statistics, shown = [], [], {}
    for data in (STRONG, WEAK):
        for i, eta in enumerate(ETAS):
            network = DiagonalNetwork(1, 1, eta, data)
            law = network.stationary()
            seed = settings.seed + 10 * int(data is WEAK) + i
            steps = round(DURATION[data] / eta)
            runs = FULL if (data, eta) in compared else n
            sgd = Ensemble(network.sgd(eta), runs, init.balanced(1.0), seed=seed, **common)
            x = sgd.run(steps=steps, on_bad="ignore").x
            kept = x[np.isfinite(x).all(axis=1) & (np.abs(x).max(axis=1) < 1e100)].prod(axis=1)
            flow = BalancedNetwork(1, 1, eta, data)
            sde = Ensemble(flow, n, "stationary", seed=seed, **common).run(5.0, 0.01)
            row = {
                "k": data.beta2,
                "eta": float(eta),
                "ks_sgd": law.compare(kept).ks,
                "ks_sde": law.compare(sde.x).ks,
                "ks_noise": 0.87 / runs**0.5,
                "median_sgd": float(np.median(kept)),
                "median_law": law.median(),
                "diverged": 1.0 - kept.size / runs,
            }
            rows.append(row)
            if data is STRONG and eta in (0.02, 0.05):
                shown[float(eta)] = kept, sde.x, law
            statistics.append(_draw.ks(f"SDE, k = {data.beta2:g}, T = {eta:g}", sde.x, law))
    for data, eta, known in KNOWN:
        row = next(r for r in rows if r["k"] == data.beta2 and r["eta"] == eta)
        name = f"SGD, k = {data.beta2:g}, eta = {eta:g}: KS distance of the runs that have not diverged"
        name += ", independent simulation"
        # at most the standard error of the share of runs below a point; the reference is rounded
        statistics.append(z_score(name, row["ks_sgd"], known, 0.5 / FULL**0.5, 5e-4))
    at = next(r for r in rows if r["k"] == 1.0 and r["eta"] == 0.05)
    density = float(np.mean(np.abs(shown[0.05][0] - MEDIAN) < 0.05)) / 0.1
    statistics.append(
        z_score(
            "SGD, k = 1, eta = 0.05: median of the runs that have not diverged, "
            "independent simulation",
            at["median_sgd"],
            MEDIAN,
            0.5 / FULL**0.5 / density,
            1e-3,
        )
    )
    tables: dict[str, Any] = {"distance": {k: [r[k] for r in rows] for k in rows[0]}}
    for data, name in ((STRONG, "exponent-k1"), (FAINT, "exponent-k01")):
        table = tables[name] = _exponents(data, settings)
        z = (table["exponent"] - table["theory"]) / table["stderr"]
        statistics.append(_draw.chi_square(f"k = {data.beta2:g}: Lyapunov exponents of SGD", z))
    many, lost = settings.particles(1024, 256), []
    for data in (STRONG, WEAK):
        for i, eta in enumerate(LONG_ETAS):
            sgd = Ensemble(
                DiagonalNetwork(1, 1, eta, data).sgd(eta),
                many,
                init.balanced(1.0),
                seed=settings.seed + 200 + i,
                **common,
            ).run(steps=LONG, on_bad="ignore", progress=settings.progress)
            share = float(np.mean(sgd.status))
            error = max(share * (1.0 - share), 1.0 / many) ** 0.5 / many**0.5
            lost.append({"k": data.beta2, "eta": eta, "diverged": share, "stderr": error})
    tables["diverged"] = {k: [r[k] for r in lost] for k in lost[0]}
    gone = min(r["diverged"] for r in lost if r["k"] == 1.0 and r["eta"] >= 0.15)
    name = f"k = 1, eta >= 0.15: share of runs that diverge in {LONG} steps"
    statistics.append(Statistic(name, gone, 1.0, "all of them", gone == 1.0))

    def draw(figure: Any) -> None:
        axes = figure.subplots(2, 2).ravel()
        fine = np.geomspace(WIDE[0], WIDE[-1], 200)
        edges = np.linspace(0.0, 2.2, 56)
        for (eta, (kept, _, law)), colour in zip(shown.items(), _draw.PALETTE, strict=False):
            table = _draw.binned(kept, law, edges)
            grid = np.linspace(0.005, 2.2, 500)
            _draw.density(axes[0], table, law, colour, f"SGD, $\\eta={eta:g}$", grid)
        axes[0].plot([], [], "-", color="0.4", label=r"law of the SDE, $T=\eta$")
        axes[0].set(xlabel="end-to-end weight $v$", ylabel="density $p(v)$", ylim=(0.0, None))
        distance = {k: np.asarray(v) for k, v in tables["distance"].items()}
        for k, colour in ((1.0, _draw.PALETTE[0]), (0.3, _draw.PALETTE[1])):
            mine = distance["k"] == k
            eta, error = distance["eta"][mine], 0.5 / 0.87 * distance["ks_noise"][mine]
            look = {"ls": "-", "lw": 0.8}
            _draw.points(
                axes[1],
                eta,
                distance["ks_sgd"][mine],
                error,
                colour,
                label=f"SGD, $k={k:g}$",
                **look,
            )
            look = {"ls": ":", "lw": 0.8, "fmt": "s"}
            _draw.points(
                axes[1],
                eta,
                distance["ks_sde"][mine],
                None,
                colour,
                label=f"SDE, $k={k:g}$",
                **look,
            )
            mine = np.asarray(tables["diverged"]["k"]) == k
            columns = [
                np.asarray(tables["diverged"][c])[mine] for c in ("eta", "diverged", "stderr")
            ]
            _draw.points(
                axes[3],
                columns[0],
                columns[1],
                columns[2],
                colour=colour,
                label=f"$k={k:g}$",
                ls="-",
                lw=0.8,
            )
        axes[1].axhline(0.87 / n**0.5, color="0.6", lw=0.9, label="mean for exact samples")
        axes[1].set(
            yscale="log", ylim=(1e-3, 0.3), xlim=(0.0, None), xlabel=r"learning rate $\eta$"
        )
        axes[1].set(ylabel="KS distance to the law of the SDE")
        axes[1].legend(fontsize=8.5, loc="upper left", ncols=2)
        for data, name, colour in (
            (STRONG, "exponent-k1", _draw.PALETTE[0]),
            (FAINT, "exponent-k01", _draw.PALETTE[2]),
        ):
            table = tables[name]
            columns = [
                table["eta"],
                table["exponent"] / table["eta"],
                table["stderr"] / table["eta"],
            ]
            _draw.points(
                axes[2],
                columns[0],
                columns[1],
                columns[2],
                colour=colour,
                label=f"SGD, $k={data.beta2:g}$",
            )
            # exact where the points are, and smooth in between
            exact = interpolate.CubicSpline(np.log(WIDE), table["theory"] / WIDE)
            _draw.curve(axes[2], fine, exact(np.log(fine)), colour)
            line = [symmetric_sum_exponents(data, T=e).plus for e in fine]
            _draw.curve(axes[2], fine, line, colour, ls="--", lw=1.0)
            axes[2].plot(float(critical_temperature(data)), 0.0, "v", color=colour, ms=6)
        axes[2].plot([], [], "--", color="0.4", lw=1.0, label=r"SDE, $T=\eta$ ($T_c$: triangles)")
        axes[2].axhline(0.0, color="0.6", lw=0.8, zorder=0)
        axes[2].set(xscale="log", ylim=(-0.6, 2.2), xlabel=r"learning rate $\eta$")
        axes[2].set(ylabel="exponent of $u+w$ at 0, per time")
        axes[2].legend(fontsize=8.5)
        axes[3].set(xlabel=r"learning rate $\eta$", ylabel=f"share diverged in {LONG} steps")
        axes[3].legend(fontsize=8.5)
        titles = ["density, $k=s=1$", "distance to the diffusion limit"]
        _draw.label_panels(axes, [*titles, "is the origin stable?", "divergence"])
        axes[0].legend(fontsize=8.5)

    return Result(tables, statistics, draw)


FIGURE = Figure(
    name="sgd-vs-sde",
    title="SGD with batches of one sample against its diffusion limit",
    source="arXiv:2308.06671 (PRE 111, 065303), eq. A.15; exponents: arXiv:2303.13093",
    chosen="x ~ N(0,1), y = kx + e, e ~ N(0,1) with k = 1, 0.3, 0.1; depth 1, batches of one sample, "
    "T = eta, start at v = 1 with equal layers. Distances after t = 20 (k = 1) and 30 (k = 0.3); the "
    "SDE starts from its law, which must be preserved for t = 5. "
    "Reference distances and the reference median come from a simulation independent of this package.",
    make=_make,
    size=(10.0, 7.2),
)
