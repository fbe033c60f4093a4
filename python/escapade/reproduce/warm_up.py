"""Warm-up: noise first takes the network from a sharp start to where a large learning rate holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import init
from ..ensemble import Ensemble
from ..models import TwoLayerLinear
from ..observers import Moments, TimeAverage
from ..theory import flattest_trace_hessian, matrix_balance_rate
from . import _draw
from .base import Figure, Result, Settings, Statistic, ratio, z_score

FloatArray = npt.NDArray[np.float64]
SIZE, SIGMA = 20, 0.5  # of inputs and outputs; of the label noise
TEACHER = np.zeros((SIZE, SIZE))
TEACHER[0, 0] = 1.0
MODEL = TwoLayerLinear(SIZE, 1, SIZE, V=TEACHER, Se=SIGMA**2 * np.eye(SIZE))
#: Standard deviations of the entries of U and of W.
KAIMING = np.repeat([2.0**0.5, (2.0 / SIZE) ** 0.5], SIZE)
XAVIER = np.repeat((2.0 / (1 + SIZE)) ** 0.5, 2 * SIZE)
ETA, SMALL, GD_ETA = 0.008, 0.0005, 0.002
RAMP, STAGES = 40_000, 40  # steps of the warm-up, in as many runs
SPAN = 20.0, 60.0  # times between which the rate at a small learning rate is measured
RATE = matrix_balance_rate(1.0, SIZE, SIGMA)  # per T


def _charge(x: FloatArray) -> FloatArray:
    u, w = x[:, :SIZE], x[:, SIZE:]
    return np.asarray(np.sum(u * u, axis=1) - np.sum(w * w, axis=1))


def _minimum(charge: FloatArray) -> FloatArray:
    """Return the trace of the Hessian at the minimum ``|u| |w| = 1`` with this charge."""
    return 2.0 * SIZE * np.sqrt(charge**2 + 4.0)


def _slow(charge: FloatArray, stages: list[tuple[float, int]]) -> FloatArray:
    """Follow the charge of SGD along the minima; return the trace of the Hessian, mean over starts.

    Weights with ``K = |u|^2 >> |w|^2 = 1/K`` regress ``u^T y/K`` with the step ``m = 2 eta K``. Their
    stationary excess loss ``s = m d sigma^2/(2 - m (d + 2))`` adds to the noise; they diverge for
    ``m > 2/(d + 2)``. Per step the charge loses ::

        4 eta^2 {[d sigma^2 + (d + 2) s] K - [d sigma^2 + (1 + 2/d) s]/K}

    Parameters
    ----------
    charge : ndarray, shape (n,)
        At the start.
    stages : list of tuple (eta, steps)
        Learning rates, and steps up to the next look.

    Returns
    -------
    ndarray, shape (looks,)
    """
    labels, out, c = SIZE * SIGMA**2, [], charge.copy()
    for eta, steps in stages:
        pieces = max(round(steps * eta**2 / 5e-5), 1)
        for _ in range(pieces):
            k = 0.5 * (c + np.sqrt(c * c + 4.0))
            m = 2.0 * eta * k
            excess = m * labels / np.maximum(2.0 - m * (SIZE + 2), 0.1)
            loss = (labels + (SIZE + 2) * excess) * k - (labels + (1.0 + 2.0 / SIZE) * excess) / k
            c = c - 4.0 * eta**2 * loss * steps / pieces
        out.append(float(_minimum(c).mean()))
    return np.array(out)


def _train(
    x: Any, stages: list[tuple[float, int, int]], n: int, seed: int, settings: Settings
) -> tuple[_draw.Table, FloatArray]:
    """Train in stages (learning rate, steps, looks); return the sharpness over steps, and the end.

    The learning rate belongs to a process: every stage is an ensemble that starts where the last
    one stands, with random numbers of its own.
    """
    rows: dict[str, list[FloatArray]] = {"step": [], "eta": [], "trace_hessian": [], "stderr": []}
    done = 0
    for i, (eta, steps, looks) in enumerate(stages):
        seen = Moments(2, max(steps // looks, 1), "trace_hessian")
        some = Ensemble(MODEL.sgd(eta), n, x, seed=seed + 1000 * i, threads=settings.threads)
        some.run(steps=steps, observe=seen, on_bad="ignore", progress=settings.progress)
        at = np.round(seen.t / eta)
        rows["step"].append(done + at)
        rows["eta"].append(np.full(at.size, eta))
        rows["trace_hessian"].append(np.asarray(seen.mean))
        rows["stderr"].append(np.asarray(seen.mean_stderr))
        x, done = np.array(some.x), done + steps
    return {key: np.concatenate(value) for key, value in rows.items()}, x


def _make(settings: Settings) -> Result:
    n, seed = settings.particles(64, 32), settings.seed
    kaiming, xavier = (
        np.array(Ensemble(MODEL, n, init.normal(0.0, std), seed=seed).x)
        for std in (KAIMING, XAVIER)
    )
    ramp = [(ETA * (i + 0.5) / STAGES, RAMP // STAGES, 1) for i in range(STAGES)]
    hold = [(ETA, 10_000, 10)]
    runs, ends, starts = {}, {}, {}
    for i, (name, x, stages) in enumerate(
        (
            ("Kaiming, warm-up", kaiming, ramp + hold),
            (f"Kaiming, eta = {ETA:g}", kaiming, [(ETA, 1000, 1)]),
            (f"Xavier, eta = {ETA:g}", xavier, [(ETA, 200, 10), (ETA, 2000, 10), *hold]),
        )
    ):
        runs[name], ends[name] = _train(x, stages, n, seed + i, settings)
        starts[name] = _charge(x)
    names = list(runs)
    statistics = []
    lost = {name: float(np.mean(~np.isfinite(ends[name]).all(axis=1))) for name in names}
    for name in (names[0], names[2]):
        label = f"{name}: share of runs that diverge"
        statistics.append(Statistic(label, lost[name], 0.0, "exactly", lost[name] == 0.0))
    label = f"{names[1]}: share of runs that diverge"
    statistics.append(Statistic(label, lost[names[1]], 1.0, "at least 0.6", lost[names[1]] >= 0.6))
    flat = flattest_trace_hessian(TEACHER, np.eye(SIZE))
    sharp = MODEL.observable("trace_hessian")
    for name in (names[0], names[2]):
        last = sharp(ends[name])
        error = float(last.std()) / n**0.5
        label = f"{name}: trace of the Hessian at the end, flattest minimum"
        statistics.append(z_score(label, float(last.mean()), flat, error, 0.03 * flat))

    # a small learning rate needs no warm-up, and is slow
    slow = Ensemble(MODEL.sgd(SMALL), n, kaiming, seed=seed + 10, threads=settings.threads)
    first, middle, after = (Moments(2, k, "trace_hessian") for k in (40, 1000, 3000))
    residual = TimeAverage(100, "noise_residual")
    slow.run(steps=200, observe=first)
    slow.run(SPAN[0] - slow.t, observe=middle, progress=settings.progress)
    before = _charge(slow.x)
    slow.run(SPAN[1] - SPAN[0], observe=[after, residual], progress=settings.progress)
    drop = _charge(slow.x) - before
    expected = -SMALL * (SPAN[1] - SPAN[0]) * residual.values[:, 0]
    off = drop - expected
    statistics.append(
        z_score(
            f"eta = {SMALL:g}: change of |u|^2 - |w|^2, by the noise on the way",
            float(drop.mean()),
            float(expected.mean()),
            float(off.std()) / n**0.5,
            0.02 * abs(float(expected.mean())),
        )
    )
    speed = float(np.mean(np.log(_charge(slow.x) / before))) / (SPAN[1] - SPAN[0])
    aside = (
        f"eta = {SMALL:g}: rate of ln(|u|^2 - |w|^2) {speed:.4g}, at a minimum {-RATE * SMALL:.4g}"
    )
    looks = [np.concatenate([getattr(m, k) for m in (first, middle, after)]) for k in ("t", "mean")]
    errors = np.concatenate([np.asarray(m.mean_stderr) for m in (first, middle, after)])
    name = f"Kaiming, eta = {SMALL:g}"
    runs[name] = {"step": np.round(looks[0] / SMALL), "trace_hessian": looks[1], "stderr": errors}
    runs[name]["eta"] = np.full(errors.size, SMALL)
    starts[name] = _charge(kaiming)

    descent = Ensemble(MODEL.gd(GD_ETA), n, kaiming, seed=seed, threads=settings.threads)
    seen = Moments(2, 500, "trace_hessian")
    descent.run(steps=8000, observe=seen)
    gd = f"Kaiming, GD, eta = {GD_ETA:g}"
    runs[gd] = {"step": np.round(seen.t / GD_ETA), "trace_hessian": np.asarray(seen.mean)}
    runs[gd] |= {"stderr": np.asarray(seen.mean_stderr), "eta": np.full(seen.t.size, GD_ETA)}
    starts[gd] = _charge(kaiming)
    label = f"{gd}: trace of the Hessian at the end, charge conserved"
    mean = float(np.asarray(seen.mean)[-1])
    statistics.append(ratio(label, mean, float(_minimum(_charge(kaiming)).mean()), 0.01))
    for name, run in runs.items():
        gaps = np.diff(run["step"], prepend=0.0).astype(np.int64)
        plan = list(zip(run["eta"].tolist(), gaps.tolist(), strict=True))
        run["slow_theory"] = _slow(starts[name], plan)
    runs[gd]["slow_theory"][:] = _minimum(starts[gd]).mean()  # the charge is conserved
    run = runs[names[0]]
    half = int(np.argmin(np.abs(run["slow_theory"] - 400.0)))
    label = f"{names[0]}: trace of the Hessian at step {run['step'][half]:g}, slow motion"
    values = float(run["trace_hessian"][half]), float(run["slow_theory"][half])
    statistics.append(ratio(label, *values, 0.05))
    kept = {name: run for name, run in runs.items() if name != names[1]}  # that run diverges
    tables = {"sharpness": _draw.stack([{"run": name, **run} for name, run in kept.items()])}
    sizes = [f"{sharp(x).mean():.4g}" for x in (kaiming, xavier)]
    notes = ["trace of the Hessian at the start: Kaiming {}, Xavier {}".format(*sizes), aside]

    def draw(figure: Any) -> None:
        ax = figure.subplots()
        for i, (name, run) in enumerate(runs.items()):
            colour = _draw.PALETTE[(0, 1, 2, 5, 6)[i]]
            label = name.replace("eta", r"$\eta$")
            if i == 1:  # a mean over the few that are left would mislead
                label = f"{label}: {lost[name]:.0%} diverge in 1000 steps"
                ax.plot([], [], "x", color=colour, label=label)
                continue
            if i != 2:  # started near 0, this one has the teacher yet to learn
                _draw.curve(ax, run["step"], run["slow_theory"], colour)
            columns = [run[k] for k in ("step", "trace_hessian", "stderr")]
            _draw.points(ax, columns[0], columns[1], columns[2], colour=colour, label=label)
        ax.axhline(flat, color="k", ls=":", lw=1.0)
        ax.set(xscale="log", yscale="log", ylim=(45.0, 1e4), xlabel="steps")
        ax.set_ylabel("trace of the Hessian, mean over starts")
        ax.legend(fontsize=8.5, ncols=2)

    return Result(tables, statistics, draw, notes)


FIGURE = Figure(
    name="warm-up",
    title="Warm-up lets noise flatten the minimum before the learning rate becomes large",
    source="arXiv:2402.07193, rank-one regression with 20 inputs and outputs",
    chosen="Loss |u (w x) - y|^2, y = (x1, 0, ...) + 0.5 e, batches of one sample. Kaiming: u ~ "
    "N(0, 2), w ~ N(0, 2/20); Xavier: N(0, 2/21). The warm-up raises the learning rate to "
    "0.008 in 40 stages over 40 000 steps. Lines: slow motion along the minima, driven by "
    "label noise and by the stationary excess loss, for |u| >> |w|; GD conserves |u|^2 - "
    "|w|^2. Dotted: the flattest minimum; before the teacher is learned the trace may be "
    "less.",
    make=_make,
    size=(8.0, 5.0),
)
