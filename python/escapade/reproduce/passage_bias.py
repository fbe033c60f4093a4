"""What a time step does to mean first-passage times: all detectors and schemes, against exact chains."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..exact import mean_exit_time
from ..models import DoubleWell, Model, PowerLaw
from ..passage import Interval, prepare
from ..theory import chain_passage_time, endpoint_bias
from . import _draw
from .base import Figure, Result, Settings, Statistic, ratio, z_score

FloatArray = npt.NDArray[np.float64]

POWER_LAW, TO = PowerLaw(H=1.0, sigma_g=0.2, sigma_H=0.5, eta=1.0), 1.0  # from 0
STEPS = np.array([0.2, 0.1, 0.05, 0.025, 0.0125])
DOUBLE_WELL, BEYOND = DoubleWell(h=2.0, T=1.0), 0.8  # from -1, past the saddle at 0
WELL_STEPS = np.array([0.02, 0.01, 0.005, 0.0025])
SCHEMES = {
    "euler-maruyama": "Euler-Maruyama",
    "lamperti-euler": "Lamperti-Euler",
    "lamperti-heun": "Lamperti-Heun",
}
SIMULATED = (
    "euler-maruyama",
    "lamperti-heun",
)  # of the engine; the third is shown as its exact chain
TESTS = ("endpoint", "shift", "bridge")
MARKS = {"endpoint": "o", "shift": "^", "bridge": "s"}
ORDERS = {("euler-maruyama", "endpoint"): 0.5, ("euler-maruyama", "bridge"): 1.0}
ORDERS |= {("euler-maruyama", "shift"): 1.0, ("lamperti-heun", "bridge"): 2.0}
ORDER_WITHIN = 0.1  # relative, of what the exact chain shows between these steps
ONE = 2**18  # particles of a batch


def _simulated(
    model: Model, start: float, end: float, scheme: str, test: str, dt: float, n: int, seed: int,
    threads: int | None,
) -> tuple[float, float]:  # fmt: skip
    """Return the mean first-passage time and its standard error; nobody is censored."""
    problem = prepare(
        model,
        start,
        Interval(upper=end),
        n=n,
        dt=dt,
        scheme=scheme,
        test=test,
        seed=seed,
        noise="float32",
        threads=threads,
    )
    times = []
    for first in range(0, n, ONE):
        count = min(ONE, n - first)
        ids = np.arange(first, first + count, dtype=np.uint64)
        times.append(problem.batch(problem.start(count, first), ids).run().time)
    found = np.concatenate(times)
    return float(np.mean(found)), float(np.std(found)) / math.sqrt(n)


def _slope(dt: FloatArray, bias: FloatArray, exact: FloatArray, error: FloatArray) -> Any:
    """Return the order of exact biases, that of simulated ones, and its standard error.

    Regression of ``A dt^p`` linearised about its fit to the exact biases, so that it stays a linear one
    with normal errors, also where a bias is lost in the noise.
    """
    weight = 1.0 / error
    order, log_scale = np.polyfit(np.log(dt), np.log(np.abs(exact)), 1)
    model = np.sign(exact[0]) * np.exp(log_scale) * dt**order
    matrix = np.stack([model, model * np.log(dt)], axis=1) * weight[:, None]
    covariance = np.linalg.inv(matrix.T @ matrix)
    change = covariance @ matrix.T @ ((bias - exact) * weight)
    return float(order), float(order + change[1]), math.sqrt(covariance[1, 1])


def _rows(
    settings: Settings,
    model: Model,
    start: float,
    end: float,
    steps: FloatArray,
    pairs: list[tuple[str, str]],
    n: int,
    more: int,
    seed: int,
) -> list[_draw.Table]:
    """Return a table of biases by step for each pair of scheme and test."""
    mean = float(mean_exit_time(model, start, b=end))
    rows = []
    for k, (scheme, test) in enumerate(pairs):
        # Heun with the bridge is so good that it takes ``more`` particles to see what is left
        count = n * (more if (scheme, test) == ("lamperti-heun", "bridge") else 1)
        found, error = [], []
        for j, dt in enumerate(steps):
            some = count if dt > 0.3 * steps[0] else n
            where = seed + 16 * k + j
            value, spread = _simulated(
                model, start, end, scheme, test, float(dt), some, where, settings.threads
            )
            found.append(value / mean - 1.0)
            error.append(spread / mean)
        rows.append(
            {
                "scheme": np.array([scheme] * len(steps)),
                "test": np.array([test] * len(steps)),
                "dt": steps,
                "bias": np.array(found),
                "stderr": np.array(error),
                "exact": _exact(model, start, end, steps, scheme, test, mean),
            }
        )
    return rows


def _exact(
    model: Model, start: float, end: float, steps: FloatArray, scheme: str, test: str, mean: float
) -> FloatArray:
    """Return the relative biases that the chain of a scheme has, without simulation."""
    chain = [
        chain_passage_time(model, float(dt), start=start, upper=end, scheme=scheme, test=test)
        for dt in steps
    ]
    return np.array(chain) / mean - 1.0


def _ticks(ax: Any, steps: FloatArray) -> None:
    """Mark the time steps themselves."""
    ax.set_xticks(steps, [f"{dt:g}" for dt in steps])
    ax.set_xticks([], minor=True)


def _make(settings: Settings) -> Result:
    pairs = [(scheme, test) for scheme in SIMULATED for test in TESTS]
    n = settings.particles(40_000)
    rows = _rows(settings, POWER_LAW, 0.0, TO, STEPS, pairs, n, 24, settings.seed)
    well_pairs = [
        ("euler-maruyama", "endpoint"),
        ("euler-maruyama", "bridge"),
        ("lamperti-heun", "bridge"),
    ]
    wells = _rows(
        settings, DOUBLE_WELL, -1.0, BEYOND, WELL_STEPS, well_pairs, n, 4, settings.seed + 1000
    )
    statistics: list[Statistic] = []
    for (scheme, test), row in zip(pairs, rows, strict=True):
        name = f"{SCHEMES[scheme]}, {test}"
        z = (row["bias"] - row["exact"]) / row["stderr"]
        statistics.append(_draw.chi_square(f"{name}: biases against the exact chain, chi2", z))
        order = ORDERS.get((scheme, test))
        if order is not None:
            exact, slope, error = _slope(row["dt"], row["bias"], row["exact"], row["stderr"])
            statistics.append(z_score(f"{name}: order by regression", slope, exact, error))
            statistics.append(
                ratio(f"{name}: order of the exact chain", exact, order, ORDER_WITHIN)
            )
    for (scheme, test), row in zip(well_pairs, wells, strict=True):
        z = (row["bias"] - row["exact"]) / row["stderr"]
        name = f"double well, {SCHEMES[scheme]}, {test}: biases against the exact chain, chi2"
        statistics.append(_draw.chi_square(name, z))
    mean = float(mean_exit_time(POWER_LAW, 0.0, b=TO))
    chains = [
        {
            "scheme": np.array(["lamperti-euler"] * len(STEPS)),
            "test": np.array([test] * len(STEPS)),
            "dt": STEPS,
            "exact": _exact(POWER_LAW, 0.0, TO, STEPS, "lamperti-euler", test, mean),
        }
        for test in TESTS
    ]
    near = 1e-6
    slope = float(mean_exit_time(POWER_LAW, TO - near, b=TO)) / near
    noise = float(POWER_LAW.diffusion(np.array(TO)))
    rule = np.array([endpoint_bias(float(dt), noise, slope, mean) for dt in STEPS])
    naive = rows[pairs.index(("euler-maruyama", "endpoint"))]
    smallest = int(np.argmin(STEPS))
    statistics.append(
        ratio(
            f"end points alone, dt = {STEPS[smallest]:g}: bias of the exact chain, and the rule "
            r"0.5826 sigma sqrt(dt) T'/T",
            float(naive["exact"][smallest]),
            float(rule[smallest]),
            0.03,
        )
    )
    good = rows[pairs.index(("lamperti-heun", "bridge"))]
    k = len(STEPS) // 2
    notes = [
        f"At dt = {STEPS[k]:g} end points alone are {naive['bias'][k]:+.1%} off, Heun with the bridge "
        f"{good['bias'][k]:+.2%} +- {good['stderr'][k]:.2%}. Past the saddle of the double well the "
        "bias of end points changes sign: agreement at one step says nothing."
    ]
    tables = {
        "power_law": _draw.stack(rows),
        "chains": _draw.stack(chains),
        "double_well": _draw.stack(wells),
    }

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3, width_ratios=[1.2, 1.0, 0.9])
        for ax, wanted in ((left, ("endpoint",)), (middle, ("shift", "bridge"))):
            for (scheme, test), row in zip(pairs, rows, strict=True):
                if test not in wanted:
                    continue
                colour = _draw.PALETTE[SIMULATED.index(scheme)]
                line = "-" if test != "shift" else "--"
                _draw.curve(ax, row["dt"], np.abs(row["exact"]), colour, ls=line, lw=1.1)
                seen = np.abs(row["bias"]) > 2.0 * row["stderr"]
                _draw.points(
                    ax,
                    row["dt"][seen],
                    np.abs(row["bias"][seen]),
                    row["stderr"][seen],
                    colour,
                    fmt=MARKS[test],
                    ms=4.5,
                    label=SCHEMES[scheme] + (f", {test}" if ax is middle else ""),
                )
            for test, chain in zip(TESTS, chains, strict=True):
                if test in wanted:
                    look = "-" if test != "shift" else "--"
                    name = SCHEMES["lamperti-euler"] + (f", {test}" if ax is middle else "")
                    colour = _draw.PALETTE[2]
                    _draw.curve(
                        ax, STEPS, np.abs(chain["exact"]), colour, ls=look, lw=1.1, label=name
                    )
            ax.set(xscale="log", yscale="log", xlabel="time step")
            _ticks(ax, STEPS)
        _draw.curve(left, STEPS, rule, "0.4", ls=":", label=r"$0.5826\,\sigma\sqrt{dt}\,T'/T$")
        left.set(ylabel="|relative bias| of the mean time", ylim=(0.1, 1.6))
        left.set_yticks((0.1, 0.2, 0.5, 1.0), ("0.1", "0.2", "0.5", "1"))
        left.set_yticks([], minor=True)
        left.legend()
        ends = np.array([0.012, 0.22])
        for order, at in ((1, 3e-2), (2, 1.2e-5)):
            middle.plot(ends, at * (ends / ends[0]) ** order, color="0.7", lw=0.8, ls=":")
            middle.annotate(
                f"order {order}", (ends[0] * 1.6, at * 1.6**order), color="0.4", fontsize=8
            )
        middle.set(ylim=(1e-5, 8.0))
        middle.legend(fontsize=7.5, loc="upper left", ncols=1)
        for i, ((scheme, test), row) in enumerate(zip(well_pairs, wells, strict=True)):
            colour = _draw.PALETTE[(0, 3, 1)[i]]
            _draw.curve(right, row["dt"], row["exact"], colour, lw=1.1)
            _draw.points(
                right,
                row["dt"],
                row["bias"],
                row["stderr"],
                colour,
                fmt=MARKS[test],
                ms=4.5,
                label=f"{SCHEMES[scheme]}, {test}",
            )
        right.axhline(0.0, color="0.7", lw=0.8)
        right.set(xscale="log", xlabel="time step", ylabel="relative bias of the mean time")
        _ticks(right, WELL_STEPS)
        right.legend(fontsize=7.5, loc="lower left")
        _draw.label_panels(
            [left, middle, right],
            [
                "power law: end points alone",
                "power law: shift, bridge",
                "double well: bias with sign",
            ],
        )

    return Result(tables, statistics, draw, notes)


FIGURE = Figure(
    name="passage-bias",
    title="Bias of mean first-passage times against the time step",
    source="power-law dynamic of arXiv:2006.13719; Broadie, Glasserman and Kou, Math. Finance 7, 325 "
    "(1997); Gobet, Stoch. Proc. Appl. 87, 167 (2000); Mannella, Phys. Lett. A 254, 257 (1999)",
    chosen="Power law with H = 1, eta sigma_g = 0.2, eta sigma_H = 0.5 from 0 to 1; double well "
    "2 (x^2 - 1)^2 at temperature 1 from -1 to 0.8. Lines are exact mean times of the chains that the "
    "schemes make, from an integral equation; points are simulated. Points within two standard errors "
    "of no bias are left out of logarithmic panels.",
    make=_make,
    size=(13.0, 4.2),
)
