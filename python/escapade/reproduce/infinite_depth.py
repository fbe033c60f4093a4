"""Deep networks at a temperature that falls with depth: their laws converge to a limit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..data import DataMoments, gaussian
from ..ensemble import Ensemble
from ..laws import NumericLaw
from ..laws.coordinates import LogCoordinate
from ..models import BalancedNetwork
from . import _draw
from .base import Figure, Result, Settings, Statistic, ratio

DATA, KAPPA = gaussian(1.0, 1.0), 5.0  # kappa = width/(depth T)
SIMULATED = {2: 2**15, 8: 2**15, 32: 2**14}  # depths and numbers of particles
DEPTHS = 2 ** np.arange(1, 10)
EDGES = np.linspace(0.0, 2.4, 41)
STEP, DURATION = 0.06, 20.0  # in units of the time in which the limit is finite, K t


def limit_law(data: DataMoments, kappa: float) -> NumericLaw:
    """Return the law of ``v`` for depth and width to infinity, ``width/(depth T) = kappa`` fixed.

    ``d ln p/dv = -3/v - q'/q - kappa (beta1 v - beta2)/(v^2 q)``: arXiv:2308.06671, eq. A.14 with
    ``m = 2``. Needs ``beta2 > 0`` and ``delta > 0``.
    """

    def score(y: Any) -> Any:  # of ln v
        v = np.exp(np.clip(y, -300.0, 300.0))
        pull = kappa * (data.beta1 - data.beta2 / v)
        return -2.0 - (2.0 * (data.alpha1 * v - data.alpha2) * v + pull) / data.q(v)

    knots = [0.0, math.log(data.alpha2 / data.alpha1)]
    return NumericLaw(f"D = inf, kappa = {kappa:g}", score, LogCoordinate(1.0), knots, right=4.0)


def closed_form(data: DataMoments, kappa: float, v: Any) -> Any:
    """Return ``ln p`` of the same law up to a constant, integrated by partial fractions."""
    root = math.sqrt(data.delta)
    k1 = kappa * (data.alpha3 * data.beta1 - 2.0 * data.alpha2 * data.beta2) / data.alpha3**2
    lean = data.alpha2 * data.alpha3 * data.beta1 - 2.0 * data.alpha2**2 * data.beta2
    lean = (lean + data.alpha1 * data.alpha3 * data.beta2) / (data.alpha3**2 * root)
    turn = data.beta2 / (data.alpha3 * v) + lean * np.arctan((data.alpha1 * v - data.alpha2) / root)
    return (0.5 * k1 - 1.0) * np.log(data.q(v)) - (3.0 + k1) * np.log(v) - kappa * turn


def _model(depth: int, width: int = 1) -> BalancedNetwork:
    return BalancedNetwork(depth, width, width / (KAPPA * depth), DATA)


def _make(settings: Settings) -> Result:
    limit, v = limit_law(DATA, KAPPA), np.geomspace(1e-2, 1e2, 4001)
    off = limit.logpdf(v) - closed_form(DATA, KAPPA, v)
    spread = float(np.ptp(off))
    within = f"largest difference {spread:.2g}, at most 1e-8"
    statistics = [
        Statistic("limit law against its closed form, ln p", spread, 0.0, within, spread < 1e-8)
    ]
    distances = {
        width: np.array(
            [
                np.max(np.abs(_model(int(D), width).stationary().cdf(v) - limit.cdf(v)))
                for D in DEPTHS
            ]
        )
        for width in (1, 4)
    }
    for width, distance in distances.items():
        rises = int(np.count_nonzero(np.diff(distance) >= 0.0))
        name = f"width {width}: depths at which the distance to the limit does not fall"
        statistics.append(Statistic(name, float(rises), 0.0, f"{rises}, at most 0", rises == 0))
        name = f"width {width}: distance at depth 256 over distance at depth 512"
        statistics.append(ratio(name, float(distance[-2] / distance[-1]), 2.0, 0.02))

    parts, laws, hits = [], {}, []
    for depth, n in SIMULATED.items():
        model = _model(depth)
        rate = 2.0 * (depth + 1)  # K
        laws[depth] = model.stationary()
        some = Ensemble(
            model, settings.particles(n), 1.0, seed=settings.seed + depth, threads=settings.threads
        )
        steps = round(DURATION / STEP)
        some.run(dt=STEP / rate, steps=steps, progress=settings.progress)
        statistics.append(_draw.ks(f"depth {depth}, T = {model.T:.4g}", some.x, laws[depth]))
        row = _draw.binned(some.x, laws[depth], EDGES)
        parts.append({"depth": depth, "T": model.T, **row, "limit": limit.pdf(row["v"])})
        hits.append(f"{some.report().floor_hits / (steps * some.n):.2g} at depth {depth}")

    kappas = np.geomspace(0.05, 200.0, 49)
    bands = np.array([limit_law(DATA, float(k)).ppf([0.05, 0.5, 0.95]) for k in kappas]).T
    tables = {
        "densities": _draw.stack(parts),
        "distances": {"depth": DEPTHS, **{f"width{w}": d for w, d in distances.items()}},
        "limit": {"kappa": kappas, **dict(zip(("q05", "median", "q95"), bands, strict=True))},
    }
    notes = ["substeps at the shortest there is, per particle and step: " + ", ".join(hits)]

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3)
        fine = np.linspace(1e-3, 2.4, 600)
        for part, colour in zip(parts, _draw.PALETTE, strict=False):
            depth = part["depth"]
            _draw.density(left, part, laws[depth], colour, f"depth {depth}", fine)
        _draw.curve(left, fine, limit.pdf(fine), "black", ls="--", label=r"$D\to\infty$")
        left.set(xlabel="end-to-end weight $v$", ylabel="density $p(v)$", ylim=(0.0, None))
        left.legend(title=r"$T=d/(\kappa D)$, $\kappa=5$")
        for (width, distance), colour, mark in zip(
            distances.items(), _draw.PALETTE[1:3], "os", strict=False
        ):
            label = f"width {width}"
            middle.plot(DEPTHS, distance, mark + "-", ms=4, lw=1.2, color=colour, label=label)
        middle.plot(DEPTHS, 0.25 / DEPTHS, ls=":", color="0.5", label="slope $-1$")
        middle.set(xscale="log", yscale="log", xlabel="depth $D$")
        middle.set(ylabel="largest difference of the exact cdfs")
        middle.legend()
        right.fill_between(kappas, bands[0], bands[2], color=_draw.PALETTE[1], alpha=0.25, lw=0)
        _draw.curve(right, kappas, bands[1], label=r"median, 5-95%, $D\to\infty$")
        right.axhline(1.0, color="0.7", lw=0.8, ls=":")
        right.set(xscale="log", xlabel=r"$\kappa=d/(DT)$", ylabel="end-to-end weight $v$")
        right.set_ylim(0.0, 1.65)
        right.legend(loc="upper left")
        titles = ["densities", "convergence in depth", r"the limit: one parameter, $\kappa$"]
        _draw.label_panels([left, middle, right], titles)

    return Result(tables, statistics, draw, notes)


FIGURE = Figure(
    name="infinite-depth",
    title="Networks of great depth: a limit if learning rate times depth over width stays fixed",
    source="arXiv:2308.06671 (PRE 111, 065303), section 4, infinite depth; eqs. A.14, A.93",
    chosen="x ~ N(0,1), y = x + e; kappa = (d/D)(S/eta) = 5; depths; simulation by adaptive-log-platen "
    "from v = 1 until K t = 20, K = 2 (D+1), with steps of 0.06/K. The paper has no such figure.",
    make=_make,
    size=(12.0, 4.0),
)
