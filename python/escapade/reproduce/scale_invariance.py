"""A loss of the direction alone: the norm grows as the fourth root of time, or settles by decay."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ..ensemble import Ensemble
from ..models import ScaleInvariant
from ..observers import Moments, Snapshots
from ..theory import (
    equilibrium_radius,
    phase_concentration,
    phase_law,
    phase_variance,
    scale_radius,
)
from . import _draw
from .base import Figure, Result, Settings, Statistic, test, z_score

FloatArray = npt.NDArray[np.float64]
T, NOISE, KAPPA = 0.5, 1.0, 1.0
GROWTH = np.unique(np.round(np.geomspace(1, 10000, 25)).astype(np.int64))  # steps of 0.01
STEP = 0.01
DECAY = 0.05
STARTS = 0.5, 3.0  # radii, of which one is below and one above that of equilibrium
STEPS = np.array([0.08, 0.04, 0.02, 0.01, 0.005])  # of the strong orders
SCHEMES = {"euler-maruyama": 0.5, "milstein": 1.0}
ORDER_TIME = 4.8
PHASE = 0.5, 0.25  # temperature and weight decay of the stationary angle


def _radius_rows(
    name: str, some: Ensemble, steps: Any, dt: float, r0: float, gamma: float
) -> tuple[dict[str, Any], FloatArray]:
    """Run; return the mean of r^4 over time and the fourth powers at the end."""
    seen = Snapshots(dt * steps, "r4")
    some.run(steps=int(steps[-1]), dt=dt, observe=seen)
    mean, spread = seen.x.mean(axis=1), seen.x.std(axis=1)
    row = {"run": name, "gamma": gamma, "r0": r0, "t": dt * steps, "r4": mean, "r4_sd": spread}
    row["stderr"] = spread / some.n**0.5
    row["theory"] = np.asarray(scale_radius(row["t"], r0, T, NOISE, gamma)) ** 4
    return row, np.asarray(seen.x[-1])


def _make(settings: Settings) -> Result:
    n = settings.particles(2048, 256)
    common: dict[str, Any] = {"threads": settings.threads}
    rows, statistics = [], []
    east = np.array([1.0, 0.0])
    for gamma, r0 in ((0.0, 1.0), *((DECAY, r) for r in STARTS)):
        model = ScaleInvariant(KAPPA, NOISE, T, gamma)
        some = Ensemble(model, n, r0 * east, seed=settings.seed, **common)
        row, end = _radius_rows("SDE", some, GROWTH, STEP, r0, gamma)
        rows.append(row)
        bias = 0.5 * STEP * row["theory"][-1]  # Milstein's weak order is 1
        statistics.append(
            z_score(
                f"SDE: r^4 at t = {row['t'][-1]:g}, gamma = {gamma:g}, r0 = {r0:g}",
                float(row["r4"][-1]),
                float(row["theory"][-1]),
                float(row["stderr"][-1]),
                bias,
            )
        )
    # SGD without decay: a step adds 2 eta^2 xi^2 + eta^4 xi^4/r^4 to r^4, xi ~ N(0, s^2)
    eta = 0.5
    sgd = Ensemble(ScaleInvariant(0.0, NOISE).sgd(eta), n, 2.0 * east, seed=settings.seed, **common)
    row, end = _radius_rows("SGD", sgd, np.unique(GROWTH // 5)[1:], eta, 2.0, 0.0)
    rows.append(row)
    statistics.append(
        z_score(
            f"SGD (eta = {eta:g}): E r^4 at t = {row['t'][-1]:g}",
            float(end.mean()),
            float(row["theory"][-1]) + 1.5 * eta**2 * np.log(row["theory"][-1] / 2.0**4),
            float(row["stderr"][-1]),
            0.05,
        )
    )

    # angles: diffusion without a mean gradient, and the stationary law under decay
    free = Ensemble(
        ScaleInvariant(0.0, NOISE, T),
        settings.particles(2**14, 1024),
        east,
        seed=settings.seed + 1,
        **common,
    )
    looks = 0.05 * np.arange(1, 401)
    angles = Snapshots(looks, "angle")
    free.run(20.0, STEP, observe=angles, progress=settings.progress)
    turned = np.unwrap(angles.x, axis=0)[np.array([1, 4, 9, 19, 39, 79, 159, 279, 399])]
    t = looks[np.array([1, 4, 9, 19, 39, 79, 159, 279, 399])]
    variance = np.mean(turned**2, axis=1)
    spread = np.std(turned**2, axis=1) / free.n**0.5
    diffusion = {
        "t": t,
        "variance": variance,
        "stderr": spread,
        "theory": np.asarray(phase_variance(t, 1.0, T, NOISE)),
    }
    statistics.append(
        z_score(
            f"variance of the angle at t = {t[-1]:g}",
            float(variance[-1]),
            float(diffusion["theory"][-1]),
            float(spread[-1]),
            STEP,
        )
    )
    hot = ScaleInvariant(KAPPA, NOISE, *PHASE)
    radius = float(equilibrium_radius(PHASE[0], NOISE, PHASE[1]))
    many = Ensemble(
        hot, settings.particles(2**14, 1024), radius * east, seed=settings.seed + 2, **common
    )
    many.run(20.0, 0.5 * STEP, progress=settings.progress)
    angle = hot.observable("angle")(many.x)
    law = phase_law(KAPPA, PHASE[0], NOISE, PHASE[1])
    outcome = stats.kstest(angle, law.cdf)
    concentration = phase_concentration(KAPPA, PHASE[0], NOISE, PHASE[1])
    statistics.append(
        test(
            f"KS distance, von Mises of concentration {concentration:.3g}",
            float(outcome.statistic),
            float(outcome.pvalue),
        )
    )
    edges = np.linspace(-np.pi, np.pi, 49)
    counts = np.histogram(angle, edges)[0]
    weight = many.n * np.diff(edges)
    phase = {
        "angle": 0.5 * (edges[1:] + edges[:-1]),
        "density": counts / weight,
        "stderr": np.sqrt(np.maximum(counts, 1)) / weight,
        "law": np.diff(law.cdf(edges)) / np.diff(edges),
    }

    orders: list[_draw.Table] = []
    for scheme, order in SCHEMES.items():
        errors = []
        for dt in STEPS:
            some = Ensemble(
                ScaleInvariant(KAPPA, NOISE, T), n, east, seed=settings.seed + 3, **common
            )
            r4 = Moments(2, of="r4")
            some.run(ORDER_TIME, float(dt), scheme, observe=r4)
            exact = 1.0 + 2.0 * T * NOISE**2 * ORDER_TIME
            errors.append(float(r4.moment(2) - 2.0 * exact * r4.mean + exact**2) ** 0.5)
        slope = float(np.polyfit(np.log(STEPS), np.log(errors), 1)[0])
        limit = f"off by {abs(slope - order):.3f}, at most 0.1"
        agrees = abs(slope - order) <= 0.1
        statistics.append(Statistic(f"strong order of {scheme}", slope, order, limit, agrees))
        orders.append(
            {"scheme": scheme, "dt": STEPS, "rms_error": np.array(errors), "slope": slope}
        )
    tables = {
        "radius": _draw.stack(rows),
        "angle-variance": diffusion,
        "angle": phase,
        "orders": _draw.stack(orders),
    }

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, 4)
        labels = [
            "SDE, $\\gamma=0$",
            f"SDE, $\\gamma={DECAY:g}$",
            None,
            f"SGD, $\\eta={eta:g}$, $\\gamma=0$",
        ]
        for row, label, colour in zip(rows, labels, (0, 2, 2, 3), strict=True):
            fine = np.geomspace(row["t"][0], row["t"][-1], 200)
            line = scale_radius(fine, row["r0"], row.get("T", T), NOISE, row["gamma"])
            _draw.curve(axes[0], fine, line, _draw.PALETTE[colour])
            _draw.points(
                axes[0], row["t"], row["r4"] ** 0.25, None, _draw.PALETTE[colour], label=label
            )
        axes[0].set(xscale="log", yscale="log", xlabel="time $t$", ylabel="norm $r$")
        axes[0].set_yticks([0.5, 1.0, 2.0, 5.0], ["0.5", "1", "2", "5"])
        for ax in (axes[0], axes[3]):
            ax.tick_params(which="minor", labelbottom=False, labelleft=False)
        axes[0].legend(fontsize=8.5)
        columns = [diffusion[k] for k in ("t", "variance", "stderr")]
        _draw.points(axes[1], columns[0], columns[1], columns[2], label="SDE, $\\kappa=\\gamma=0$")
        fine = np.linspace(0.0, t[-1], 200)
        _draw.curve(
            axes[1],
            fine,
            phase_variance(fine, 1.0, T, NOISE),
            label=r"$\frac{1}{2}\ln(1+2Ts^2t/r_0^4)$",
        )
        axes[1].set(xlabel="time $t$", ylabel="variance of the angle")
        axes[1].legend(fontsize=8.5)
        _draw.points(axes[2], phase["angle"], phase["density"], phase["stderr"], label="SDE")
        fine = np.linspace(-np.pi, np.pi, 300)
        _draw.curve(axes[2], fine, law.pdf(fine), label="von Mises")
        axes[2].set(xlabel=r"angle $\phi$", ylabel=r"density $p(\phi)$", ylim=(0.0, None))
        axes[2].legend(fontsize=8.5)
        for part, hue in zip(orders, _draw.PALETTE[::2], strict=False):
            _draw.points(axes[3], part["dt"], part["rms_error"], None, hue, label=part["scheme"])
            order = SCHEMES[part["scheme"]]
            guide = part["rms_error"][-1] * (STEPS / STEPS[-1]) ** order
            _draw.curve(axes[3], STEPS, guide, hue, lw=1.0, label=f"order {order:g}")
        axes[3].set(xscale="log", yscale="log", xlabel="time step", ylabel="rms error of $r^4$")
        axes[3].set_xticks(STEPS, [f"{dt:g}" for dt in STEPS])
        axes[3].legend(fontsize=8.5)
        titles = [
            "growth of the norm",
            "angular diffusion",
            f"angle, $T={PHASE[0]:g}$, $\\gamma={PHASE[1]:g}$",
        ]
        _draw.label_panels(axes, [*titles, "strong orders"])

    return Result(tables, statistics, draw)


FIGURE = Figure(
    name="scale-invariance",
    title="Scale invariance: SGD makes the norm grow as t^(1/4) unless weight decay balances it",
    source="arXiv:2402.07193, scale symmetry; exact laws by Ito's formula for r^4",
    chosen="A loss in the plane that depends on the polar angle only, -kappa cos(phi), kappa = s = 1; "
    "T = 0.5, weight decay 0 or 0.05 (0.25 in the density of the angle), Milstein's scheme, "
    "steps of 0.01. The radius is deterministic: what it scatters is the error of the scheme.",
    make=_make,
    size=(14.0, 3.7),
)
