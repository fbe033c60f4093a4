"""Noise equilibrium of a two-layer linear network: SGD comes to it, gradient descent does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import init
from ..ensemble import Ensemble
from ..models import TwoLayerLinear
from ..observers import Snapshots
from ..theory import matrix_equilibrium, matrix_stationary, noise_mismatch, trace_hessian
from . import _draw
from .base import Figure, Result, Settings, Statistic, z_score

FloatArray = npt.NDArray[np.float64]
SX, SE = np.diag([1.0, 0.25]), np.diag([0.09, 0.81])
ANGLE = 79.0  # degrees by which the teacher turns
ANGLES = np.array([0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0])
ETA, STEPS = 0.002, 1_500_000
GD_ETA, GD_STEPS = 0.02, 5_000
#: Standard deviations of the entries of U and of W at the start.
STARTS = {"small": (0.4, 0.4), "unbalanced": (1.5, 0.2)}


def _teacher(degrees: float) -> FloatArray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def _model(degrees: float) -> TwoLayerLinear:
    return TwoLayerLinear(2, 2, 2, V=_teacher(degrees), Sx=SX, Se=SE)


def _expected(degrees: float) -> dict[str, float]:
    best = matrix_equilibrium(_teacher(degrees), SX, SE)
    sharp = trace_hessian(best.U, best.W, SX)
    return {"|U|^2": float(np.sum(best.U**2)), "|W|^2": float(np.sum(best.W**2)), "Tr H": sharp}


def _turning(degrees: float) -> tuple[float, float, float]:
    """Return where SGD comes to: |U|^2, mismatch, and degrees turned per unit of T t."""
    end = matrix_stationary(_teacher(degrees), SX, SE)
    turn = float(np.degrees(abs(end.rotation[0, 1])))
    return float(np.sum(end.U**2)), noise_mismatch(end.U, end.W, SX, SE), turn


def _final(model: TwoLayerLinear, x: FloatArray) -> dict[str, FloatArray]:
    """Return squared norms and sharpness of particles, shape (n,)."""
    watch = model.observables()
    u, w = watch["norm_u"](x) ** 2, watch["norm_w"](x) ** 2
    return {"|U|^2": u, "|W|^2": w, "Tr H": watch["trace_hessian"](x)}


def _make(settings: Settings) -> Result:
    n = settings.particles(96, 32)
    common: dict[str, Any] = {"threads": settings.threads}
    model, theory = _model(ANGLE), _expected(ANGLE)
    rows, ends, statistics = [], [], []
    middle = {}
    for i, (name, std) in enumerate(STARTS.items()):
        x0 = init.normal(0.0, np.repeat(std, 4))
        for method in ("SGD", "GD"):
            sgd = method == "SGD"
            eta, steps = (ETA, STEPS) if sgd else (GD_ETA, GD_STEPS)
            process = model.sgd(ETA) if sgd else model.gd(GD_ETA)
            some = Ensemble(process, n, x0, seed=settings.seed + i, **common)
            looks = np.unique(np.geomspace(10, steps, 50).astype(np.int64))
            seen = Snapshots(eta * looks, "noise_mismatch")
            some.run(steps=steps, observe=seen, progress=settings.progress)
            low, median, high = np.quantile(seen.x, [0.1, 0.5, 0.9], axis=1)
            row = {"start": name, "method": method, "t": eta * looks, "mismatch": median}
            rows.append({**row, "mismatch_q10": low, "mismatch_q90": high})
            middle[method, name] = float(median[-1])
            for key, values in _final(model, some.x).items():
                mean, error = float(values.mean()), float(values.std()) / n**0.5
                row = {"start": name, "method": method, "quantity": key, "mean": mean}
                ends.append({**row, "stderr": error, "theory": theory[key]})
                if sgd:
                    bias = 0.02 * theory[key]  # learning rate and what is left of the start
                    label = f"SGD, {name} start: {key}"
                    statistics.append(z_score(label, mean, theory[key], error, bias))
    for name in STARTS:
        sgd_left, gd_left = middle["SGD", name], middle["GD", name]
        limit = "GD at least 10 times as much"
        label = f"{name} start: median mismatch under SGD and under GD"
        statistics.append(
            Statistic(label, sgd_left, gd_left, limit, bool(gd_left >= 10.0 * sgd_left))
        )

    # a teacher that does not commute with the noise: the symmetric balance is not quite reached
    few, turned = settings.particles(32, 16), []
    for i, degrees in enumerate(ANGLES.tolist()):
        model = _model(degrees)
        x0 = init.normal(0.0, STARTS["small"][0])
        some = Ensemble(model.sgd(2 * ETA), few, x0, seed=settings.seed + 10 + i, **common)
        some.run(steps=STEPS // 4, progress=settings.progress)
        watch = model.observables()
        start = watch["charge"](some.x)
        traces, mismatch = [], []
        for _ in range(20):
            some.run(steps=2000)
            traces.append(watch["noise_residual"](some.x)[:, [0, 3]].sum(axis=1))
            mismatch.append(watch["noise_mismatch"](some.x))
        rate = np.degrees(np.abs(_turn(start, watch["charge"](some.x)))) / (
            20 * 2000 * (2 * ETA) ** 2
        )
        left, trace = np.mean(mismatch, axis=0), np.mean(traces, axis=0)
        row = {"angle": degrees, "mismatch": left.mean(), "stderr": left.std() / few**0.5}
        row |= {"turn": rate.mean(), "turn_stderr": rate.std() / few**0.5}
        row["norm"] = float(watch["norm_u"](some.x).mean() ** 2)
        turned.append({**row, "trace": trace.mean(), "trace_stderr": trace.std() / few**0.5})
    angle = {key: np.array([row[key] for row in turned]) for key in turned[0]}
    at = int(np.argmax(angle["turn"]))
    size, left_over, speed = _turning(ANGLES[at])
    where = f"teacher at {ANGLES[at]:g} degrees"
    for label, key, exact, bias in (
        ("trace of the noise residual", "trace", 0.0, 0.03),
        ("degrees turned per unit of T t", "turn", speed, 0.05 * speed),
    ):
        found, error = float(angle[key][at]), float(angle[f"{key}_stderr"][at])
        statistics.append(z_score(f"{where}: {label}", found, exact, error, bias))
    balanced = _expected(ANGLES[at])["|U|^2"]
    limit = f"within 2%; the noise equilibrium has {balanced:.3f}"
    measured = float(angle["norm"][at])
    agrees = abs(measured / size - 1.0) < 0.02 < abs(balanced / size - 1.0)
    statistics.append(Statistic(f"{where}: |U|^2 under SGD", measured, size, limit, agrees))
    tables = {"mismatch": _draw.stack(rows), "teacher": angle}
    tables["ends"] = {key: [row[key] for row in ends] for key in ends[0]}
    notes = [
        f"teacher at {ANGLES[at]:g} degrees: U^T U - W W^T turns by {angle['turn'][at]:.2g} degrees "
        f"while T t grows by 1, and a mismatch of {angle['mismatch'][at]:.2g} remains, of which "
        f"{left_over:.2g} for ever smaller learning rates"
    ]

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3)
        for row in rows:
            sgd, small = row["method"] == "SGD", row["start"] == "small"
            colour = _draw.PALETTE[0 if sgd else 1]
            label = f"{row['method']}, {row['start']} start"
            look: dict[str, Any] = {
                "fmt": "o" if small else "s",
                "ls": "-",
                "lw": 0.7,
                "label": label,
            }
            if sgd:
                bounds = row["mismatch_q10"], row["mismatch_q90"]
                left.fill_between(row["t"], *bounds, color=colour, alpha=0.13, lw=0)
            _draw.points(left, row["t"], row["mismatch"], None, colour, **look)
        left.set(
            xscale="log",
            yscale="log",
            ylim=(5e-3, 1.5),
            xlabel="time $t$ (steps $\\times\\,\\eta$)",
        )
        left.set(ylabel="relative mismatch of the noise")
        left.legend(fontsize=8.5, loc="lower left")
        for j, key in enumerate(theory):
            line = {"color": "k", "lw": 1.5}
            middle.plot(
                [j - 0.35, j + 0.35],
                [theory[key]] * 2,
                **line,
                label=None if j else "noise equilibrium",
            )
            for k, (method, start) in enumerate((r["method"], r["start"]) for r in rows):
                one = next(
                    r
                    for r in ends
                    if (r["method"], r["start"], r["quantity"]) == (method, start, key)
                )
                colour, fmt = (
                    _draw.PALETTE[0 if method == "SGD" else 1],
                    "o" if start == "small" else "s",
                )
                look = {"fmt": fmt, "ms": 5.0, "label": None if j else f"{method}, {start} start"}
                _draw.points(
                    middle, j - 0.225 + 0.15 * k, one["mean"], one["stderr"], colour, **look
                )
        middle.set(yscale="log", ylabel="value at the end", ylim=(0.7, 60.0))
        middle.set_xticks(range(3), ["$|U|^2$", "$|W|^2$", "trace of Hessian"])
        middle.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        middle.legend(fontsize=8.5, loc="upper left")
        columns = [angle[key] for key in ("angle", "mismatch", "stderr")]
        _draw.points(right, columns[0], columns[1], columns[2])
        fine = np.linspace(0.0, 90.0, 16)
        lines = np.array([_turning(float(degrees)) for degrees in fine])
        right.plot(fine, lines[:, 1], color=_draw.PALETTE[0], lw=1.2)
        right.set(xlabel="teacher's angle (degrees)", ylim=(0.0, 0.1), xticks=ANGLES[::2])
        right.set_ylabel("mismatch left under SGD", color=_draw.PALETTE[0])
        twin = right.twinx()
        twin.spines["right"].set_visible(True)
        columns = [angle[key] for key in ("angle", "turn", "turn_stderr")]
        _draw.points(
            twin,
            columns[0],
            columns[1],
            columns[2],
            colour=_draw.PALETTE[2],
            fmt="D",
        )
        twin.plot(fine, lines[:, 2], color=_draw.PALETTE[2], lw=1.2)
        twin.set_ylabel("degrees turned per unit of $T\\,t$", color=_draw.PALETTE[2])
        twin.set_ylim(0.0, 7.0)
        titles = [
            f"approach, teacher at ${ANGLE:g}$°",
            "where training ends",
            "axes of the charge turn",
        ]
        _draw.label_panels([left, middle, right], titles)

    return Result(tables, statistics, draw, notes)


def _turn(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return by which angle the axes of the charge ``U^T U - W W^T`` have turned, shape (n,)."""

    def axis(q: FloatArray) -> FloatArray:
        return np.arctan2(q[:, 1] + q[:, 2], q[:, 0] - q[:, 3])

    out: FloatArray = 0.5 * np.angle(np.exp(1j * (axis(after) - axis(before))))
    return out


FIGURE = Figure(
    name="matrix-equilibrium",
    title="Noise equilibrium of matrix factorisation: SGD comes to it from any start, GD does not",
    source="arXiv:2402.07193, matrix factorisation",
    chosen="Two layers of 2 units, Sx = diag(1, 0.25), Se = diag(0.09, 0.81), teacher a rotation by 79 "
    "degrees, SGD with batches of one sample at 0.002 for 1.5e6 steps; entries of U and W N(0, 0.16), "
    "or N(0, 2.25) and N(0, 0.04). Points of panel (a) are medians, bands 10% to 90% of the runs. "
    "The closed form holds where the teacher commutes with the noise (0 and 90 degrees). Elsewhere "
    "fluctuations about the minimum circulate, which turns the axes of U^T U - W W^T at a rate of "
    "order T, and a mismatch remains however small T is; its trace vanishes all the same. Panel (c), at "
    "0.004: means of sizes, which fluctuations keep from 0 at 0 and 90 degrees; the lines are "
    "escapade.theory.matrix_stationary, for small T.",
    make=_make,
    size=(13.0, 4.2),
)
