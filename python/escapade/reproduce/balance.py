"""The law of balance: the noise of SGD makes two layers equal, other noise and none do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import interpolate

from ..data import gaussian
from ..ensemble import Ensemble
from ..models import DiagonalNetwork
from ..observers import BalanceResidual, Moments, Snapshots, TimeAverage
from ..theory import symmetric_sum_exponents
from . import _draw
from .base import Figure, Result, Settings, Statistic, ratio, z_score

FloatArray = npt.NDArray[np.float64]
DATA = gaussian(1.0, 1.0)
ETA, NOISE, EVERY = 0.02, 0.1, 100  # every so many steps a point
DT = 0.01, 0.0025  # of the SDE
TIMES = 4.0, 14.0, 40.0  # of the scatter plot
DURATION = TIMES[-1]
START = np.array([1.5, 0.5])
CHARGE = float(START[0] ** 2 - START[1] ** 2)
PATHS = 5


def _slope(x: FloatArray) -> FloatArray:
    """Return the mean derivative of the sample loss in v."""
    out: FloatArray = 2.0 * (DATA.beta1 * x[:, 0] * x[:, 1] - DATA.beta2)
    return out


def _log_factors() -> Callable[[FloatArray], FloatArray]:
    """Return the function that is the mean logarithm of the charge's factor in a step of SGD.

    A step is ``(u, w) - a (w, u)`` with ``a = eta dl/dv``, which multiplies the charge by ``1 - a^2``.
    With ``y - v x`` in place of ``y`` the two factors ``1 + a`` and ``1 - a`` are those of the origin.
    """
    v = 1.0 + np.sinh(np.linspace(-4.0, 4.0, 65))
    exponents = [symmetric_sum_exponents(gaussian(1.0 - at, 1.0), eta=ETA) for at in v.tolist()]
    table = interpolate.CubicSpline(np.arcsinh(v - 1.0), [sum(pair) for pair in exponents])
    return lambda x: np.asarray(table(np.arcsinh(x[:, 0] * x[:, 1] - 1.0)))


def _rate(x: FloatArray) -> FloatArray:
    """Return ``4 T q(v)``, the rate of decay of the charge in the diffusion limit."""
    return np.asarray(4.0 * ETA * DATA.q(x[:, 0] * x[:, 1]))


def _compensators(x: FloatArray) -> FloatArray:
    """Return by how much a step of GD with noise changes the means of ``C`` and ``C^2``, exactly."""
    a, charge = ETA * _slope(x), _charge(x)
    u, w = x[:, 0] - a * x[:, 1], x[:, 1] - a * x[:, 0]
    variance = 4.0 * ETA * NOISE**2 * (u * u + w * w) + 4.0 * ETA**2 * NOISE**4
    return np.stack([-a * a * charge, variance - a * a * (2.0 - a * a) * charge**2], axis=1)


def _charge(x: FloatArray) -> FloatArray:
    out: FloatArray = (x[..., 0] - x[..., 1]) * (x[..., 0] + x[..., 1])
    return out


def _logs(x: FloatArray) -> FloatArray:
    return np.log(np.abs(_charge(x) / CHARGE))


def _path(kind: str, time: float, exponent: FloatArray, logs: FloatArray) -> _draw.Table:
    some = slice(None, 150)  # as many as the figure can show
    return {"kind": kind, "t": time, "exponent": exponent[some], "log_charge_ratio": logs[some]}


def _sum(average: TimeAverage, end: FloatArray, start: FloatArray) -> FloatArray:
    """Return the sum over steps of what held before each of them."""
    out: FloatArray = average.values * average.looks - end + start
    return out


def _mean(name: str, measured: FloatArray, expected: FloatArray) -> Statistic:
    """Judge that the differences, one for each particle, have mean 0."""
    off = measured - expected
    error = float(off.std()) / off.size**0.5
    return z_score(name, float(measured.mean()), float(expected.mean()), error)


def _make(settings: Settings) -> Result:
    n = settings.particles(4096, 512)
    common: dict[str, Any] = {"threads": settings.threads}
    model = DiagonalNetwork(1, 1, ETA, DATA)
    steps = round(DURATION / ETA)
    first = START[None, :]

    descent = Ensemble(model.gd(ETA), 1, START, seed=settings.seed, **common)
    kinds = {
        "SGD": Ensemble(model.sgd(ETA), n, START, seed=settings.seed, **common),
        "GD with noise": Ensemble(model.gd(ETA, NOISE), n, START, seed=settings.seed, **common),
    }
    log_factor = _log_factors()
    factor, rate, drift = (TimeAverage(1, f) for f in (log_factor, _rate, _compensators))
    observers: dict[str, list[Any]] = {"SGD": [factor, rate], "GD with noise": [drift]}
    rows, traces, flat, paths = [], {}, [CHARGE], []
    for _ in range(steps // EVERY):
        flat.append(float(_charge(descent.run(steps=EVERY).x)[0]))
    for name, some in kinds.items():
        moments = Moments(2, EVERY, "charge")
        times = ETA * np.arange(0, steps + 1, 20)
        seen = Snapshots(times, _charge)
        size = Moments(1, 1, lambda x: x[:, 0] ** 2 + x[:, 1] ** 2)
        for past, time in zip((0.0, *TIMES), TIMES, strict=False):
            some.run(time - past, observe=[moments, seen, size, *observers[name]])
            if name == "SGD":
                x = some.x
                exponent = ETA * _sum(rate, _rate(x), _rate(first))
                paths.append(_path("SGD", time, exponent, _logs(x)))
        traces[name] = seen.x[:, :PATHS]
        columns = (moments.mean, moments.mean_stderr, moments.var, moments.var_stderr)
        mean, error, var, var_error = (np.asarray(c).ravel() for c in columns)
        before = np.concatenate([[float(np.sum(START**2))], np.asarray(size.mean)[:-1]])
        growth = 4.0 * NOISE**2 * ETA * np.cumsum(before)[EVERY - 1 :: EVERY]
        rows.append(
            {
                "training": name,
                "t": moments.t,
                "charge": mean,
                "charge_stderr": error,
                "variance": var,
                "variance_stderr": var_error,
                "variance_gd_law": growth,
            }
        )
    x, y = kinds["SGD"].x, kinds["GD with noise"].x
    logs, expected_logs = _logs(x), _sum(factor, log_factor(x), log_factor(first))
    noisy = np.stack([_charge(y), _charge(y) ** 2], axis=1)
    expected = np.array([CHARGE, CHARGE**2]) + _sum(drift, _compensators(y), _compensators(first))

    few = settings.particles(2048, 1024)
    medians = []
    for dt in DT:
        residual = BalanceResidual()
        sde = Ensemble(model, few, START, seed=settings.seed + 1, **common)
        for past, time in zip((0.0, *TIMES), TIMES, strict=False):
            sde.run(time - past, dt, observe=residual, progress=settings.progress)
            if dt == DT[-1]:
                logs_sde = _logs(sde.x)
                paths.append(_path("SDE", time, residual.residual[:, 0] - logs_sde, logs_sde))
        medians.append(float(residual.median[0]))
    statistics = [
        ratio("GD: charge at the end over that at the start", flat[-1] / CHARGE, 1.0, 5e-3),
        _mean("SGD: mean of ln|C(t)/C(0)|, exact for the step", logs, expected_logs),
        ratio(
            "SGD: -ln|C(t)/C(0)| over 4 int T q ds, means (beyond O(eta))",
            float(-logs.mean() / exponent.mean()),
            1.0,
            0.1,
        ),
        ratio(
            "SDE: median |residual| at dt = 0.01 over that at 0.0025 (order 1)",
            medians[0] / medians[1],
            4.0,
            0.25,
        ),
        _mean("GD with noise: mean of the charge", noisy[:, 0], expected[:, 0]),
        _mean("GD with noise: mean square of the charge", noisy[:, 1], expected[:, 1]),
    ]
    tables = {
        "charge": _draw.stack(rows),
        "gd": {"t": ETA * EVERY * np.arange(len(flat)), "charge": np.array(flat)},
        "paths": _draw.stack(paths),
    }
    notes = [f"SDE: median |residual| {medians[0]:.2g} at dt = 0.01, {medians[1]:.2g} at 0.0025"]

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3)
        for (name, trace), colour in zip(traces.items(), _draw.PALETTE[::2], strict=False):
            t = np.linspace(0.0, DURATION, len(trace))
            lines = left.plot(t, trace, color=colour, lw=0.9)
            lines[0].set_label(name)
        left.plot(tables["gd"]["t"], flat, color="k", lw=1.6, label="GD")
        left.set(xlabel="time $t$ (steps $\\times\\,\\eta$)", ylabel="charge $C=u^2-w^2$")
        for line in left.legend(loc="upper left").get_lines():
            line.set_linewidth(1.8)
        for part in paths:
            colour = _draw.PALETTE[{"SGD": 5, "SDE": 2}[part["kind"]]]
            label = f"{part['kind']}, one path each" if part["t"] == TIMES[0] else None
            style = {
                "zorder": 3 if part["kind"] == "SDE" else 1,
                "ms": 2.5,
                "mew": 0.6,
                "mfc": "white",
                "color": colour,
                "label": label,
            }
            middle.plot(part["exponent"], part["log_charge_ratio"], "o", **style)
        ends = np.array([0.0, 4.0])
        _draw.curve(middle, ends, -ends, label="law of balance")
        middle.set(xlabel=r"$4\int_0^t T\,q(v_s)\,ds$", ylabel=r"$\ln|C(t)/C(0)|$")
        middle.legend(loc="upper right")
        for row, colour in zip(rows, _draw.PALETTE[::2], strict=False):
            columns = [row[k] for k in ("t", "variance", "variance_stderr")]
            _draw.points(
                right, columns[0], columns[1], columns[2], colour=colour, label=row["training"]
            )
        _draw.curve(
            right,
            rows[1]["t"],
            rows[1]["variance_gd_law"],
            label=r"$4s_0^2\int\!\!\;\;E[u^2+w^2]\,ds$",
        )
        right.set(xlabel="time $t$", ylabel="variance of the charge over runs")
        right.legend(loc="upper left")
        titles = ["paths", "path by path, $t=4$, 14, 40", "spread over runs"]
        _draw.label_panels([left, middle, right], titles)

    return Result(tables, statistics, draw, notes)


FIGURE = Figure(
    name="balance",
    title="The law of balance: SGD makes the norms of two layers equal, GD and isotropic noise do not",
    source="arXiv:2308.06671 (PRE 111, 065303), Fig. 1 and eq. A.2",
    chosen="Loss (u w x - y)^2, x ~ N(0,1), y = x + e, e ~ N(0,1), eta = 0.02, batches of one sample, "
    "start u = 1.5, w = 0.5, isotropic noise sqrt(eta) 0.1 per step and parameter. A step of SGD "
    "multiplies the charge C by 1 - (eta dl/dv)^2 exactly, by which its mean logarithm is judged.",
    make=_make,
    size=(12.0, 4.0),
)
