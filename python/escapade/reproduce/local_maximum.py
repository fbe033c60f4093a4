"""SGD at a constant learning rate converges to a local maximum, in a window of learning rates."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from ..ensemble import Ensemble
from ..models import TwoPointSaddle
from ..observers import LyapunovExponent
from ..theory import local_maximum_window, two_point_log_law, two_point_lyapunov
from . import _draw
from .base import Figure, Result, Settings, test, z_score

DEPTHS = -0.1, -0.3, -0.9  # a
RATES = np.array([0.05, 0.12, 0.2, 0.3, 0.45, 0.65, 0.85, 1.15, 1.3, 1.45, 1.6])
STEPS = 200  # of the exponents
EXAMPLE = (-0.3, 0.25, 60)  # a, learning rate and steps of the binomial law
A, CONFINEMENT, LONG, NEAR = -0.3, 0.1, 20000, 1e-6
CONFINED = np.array([0.05, 0.1, 0.15, 0.175, 0.2, 0.21, 0.22, 0.23, 0.24, 0.25, 0.27, 0.3])
#: Share within NEAR of the maximum, simulated independently of this package.
KNOWN = {0.15: 0.001, 0.2: 0.102, 0.25: 0.975, 0.3: 1.0}
KNOWN_ERROR = 0.01


def _exponents(settings: Settings) -> list[_draw.Table]:
    n, parts = settings.particles(2000, 256), []
    for i, a in enumerate(DEPTHS):
        low, high = local_maximum_window(a)
        rates = np.sort(np.concatenate([RATES, [low, high]]))
        measured = []
        for j, lam in enumerate(rates.tolist()):
            seen = LyapunovExponent()
            model = TwoPointSaddle(a).sgd(lam)
            Ensemble(model, n, 1.0, seed=settings.seed + 20 * i + j, threads=settings.threads).run(
                steps=STEPS, observe=seen
            )
            measured.append([float(np.asarray(value) * lam) for value in (seen.value, seen.stderr)])
        value, error = np.array(measured).T
        theory = np.asarray(two_point_lyapunov(a, rates))
        parts.append({"a": a, "rate": rates, "exponent": value, "stderr": error, "theory": theory})
    return parts


def _make(settings: Settings) -> Result:
    parts, statistics = _exponents(settings), []
    for part in parts:
        z = (part["exponent"] - part["theory"]) / part["stderr"]
        low, high = local_maximum_window(part["a"])
        name = f"a = {part['a']:g}: exponents per step (window {low:.3f} to {high:.3f})"
        statistics.append(_draw.chi_square(name, z))

    a, lam, steps = EXAMPLE
    n = settings.particles(2**14, 1024)
    some = Ensemble(
        TwoPointSaddle(a).sgd(lam), n, 1.0, seed=settings.seed + 100, threads=settings.threads
    ).run(steps=steps)
    law = two_point_log_law(a, lam, steps)
    logs = np.log(np.abs(some.x))
    # steps of w fall within rounding of those of the law: compare between them
    marks = 0.5 * (law.values[1:] + law.values[:-1])
    share = np.searchsorted(np.sort(logs), marks) / n
    cdf = np.asarray(law.cdf(marks))
    counts = np.diff(np.concatenate([[0.0], share, [1.0]])) * n
    expected = law.probabilities * n
    many = expected >= 10.0
    z2 = float(np.sum((counts - expected)[many] ** 2 / expected[many]))
    cells = int(np.count_nonzero(many))
    # the cells left out hold almost nothing: their counts are not constrained to the rest's
    p_value = float(stats.chi2.sf(z2, cells - 1))
    statistics.append(test(f"law of ln|w| after {steps} steps, {cells} cells, chi2", z2, p_value))

    crowd = settings.particles(1000, 200)
    rows = []
    for j, rate in enumerate(CONFINED.tolist()):
        some = Ensemble(
            TwoPointSaddle(A, c=CONFINEMENT).sgd(rate),
            crowd,
            1.0,
            seed=settings.seed + 200 + j,
            threads=settings.threads,
        ).run(steps=LONG, progress=settings.progress)
        near = float(np.mean(np.abs(some.x) < NEAR))
        rows.append([rate, near, (near * (1.0 - near) / crowd) ** 0.5])
        if rate in KNOWN:
            known = KNOWN[rate]
            error = (max(known * (1.0 - known), 1.0 / crowd) / crowd) ** 0.5
            name = (
                f"c = {CONFINEMENT:g}, rate {rate:g}: share at the maximum, independent simulation"
            )
            statistics.append(z_score(name, near, known, error, KNOWN_ERROR))
    confined = dict(zip(("rate", "share", "stderr"), np.array(rows).T, strict=True))
    tables = {
        "exponents": _draw.stack(parts),
        "log-law": {"log_w": marks, "share_below": share, "theory": cdf},
        "confined": confined,
    }

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3)
        fine = np.unique(
            np.concatenate([np.linspace(0.001, 1.7, 500), 1.0 - np.geomspace(1e-4, 0.1, 60)])
        )
        for part, colour in zip(parts, _draw.PALETTE, strict=False):
            line = np.asarray(two_point_lyapunov(part["a"], fine))
            _draw.curve(left, fine, line, colour)
            columns = [part[k] for k in ("rate", "exponent", "stderr")]
            _draw.points(
                left, columns[0], columns[1], columns[2], colour=colour, label=f"$a={part['a']:g}$"
            )
            window = local_maximum_window(part["a"])
            left.plot([*window], [0.0, 0.0], "|", color=colour, ms=12, mew=1.8)
        left.axhline(0.0, color="0.6", lw=0.8, zorder=0)
        left.set(ylim=(-1.1, 0.6), xlabel=r"learning rate $\lambda$")
        left.set(ylabel="Lyapunov exponent per step")
        left.legend(loc="lower left", title="bars: window")
        middle.step(
            law.values,
            law.cdf(law.values),
            where="post",
            color=_draw.PALETTE[1],
            label="binomial law",
        )
        error = np.sqrt(cdf * (1.0 - cdf) / n)
        _draw.points(middle, marks, share, error, label=f"SGD, {n} runs")
        spread = float(np.std(logs))
        middle.set(xlim=(law.mean() - 4.0 * spread, law.mean() + 4.0 * spread))
        middle.set(xlabel=r"$\ln|w_t/w_0|$", ylabel="share of runs below")
        middle.legend(loc="upper left")
        _draw.points(right, confined["rate"], confined["share"], confined["stderr"], label="SGD")
        low, _ = local_maximum_window(A)
        right.axvline(
            low, color=_draw.PALETTE[1], lw=1.5, label=f"exponent 0, $\\lambda={low:.3f}$"
        )
        right.set(
            xlabel=r"learning rate $\lambda$", ylabel=f"share with $|w|<10^{{-6}}$, {LONG} steps"
        )
        right.legend(loc="upper left")
        titles = ["where the maximum attracts", f"$a={a:g}$, $\\lambda={lam:g}$, {steps} steps"]
        more = f"$a={A:g}$, minima at $\\pm{(-A / 2.0 / CONFINEMENT) ** 0.5:.3g}$"
        _draw.label_panels([left, middle, right], [*titles, more])

    return Result(tables, statistics, draw)


FIGURE = Figure(
    name="local-maximum",
    title="SGD converges to a local maximum in a window of learning rates",
    source="arXiv:2107.11774: two-point loss x w^2/2, x = 1 or a - 1",
    chosen="a = -0.1, -0.3, -0.9 and the learning rates. In the last panel c w^4/4 with c = 0.1 keeps w "
    "finite, and runs start at w = 1. Below the threshold the share near the maximum is what "
    "excursions from the minima leave there; the reference shares come from a simulation "
    "independent of this package.",
    make=_make,
    size=(12.0, 4.0),
)
