"""A simulation and its comparison with an exact law: what `demo` and `validate` have in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from ..ensemble import Ensemble
from ..observers import Histogram

if TYPE_CHECKING:
    from ..laws import Comparison, Law, PositiveLaw
    from ..models import Model
    from ..report import Report

P_MIN = 1e-4  # agreement: the KS p-value is above this,
Z_MAX = 5.0  # and every |z| below that
_SAMPLES = 10_000_000  # beyond, the KS distance is taken from a histogram
_CHUNK = 1 << 20
_POWERS = ((-1.0, "1/{}"), (0.5, "{}^(1/2)"), (1.0, "{}"), (2.0, "{}^2"), (4.0, "{}^4"))

FloatArray = npt.NDArray[np.float64]


class Stage(NamedTuple):
    """A part of the run: so many steps of size ``dt``."""

    steps: int
    dt: float


class Row(NamedTuple):
    """One statistic: observed, exact, and their difference in standard errors of the exact law."""

    name: str
    observed: float
    exact: float
    z: float


@dataclass(frozen=True)
class Experiment:
    """What to simulate, and the law that the final states should follow."""

    model: Model
    law: Law
    n: int
    x0: Any
    stages: tuple[Stage, ...]
    scheme: str = "auto"
    dtype: str = "float64"
    noise: str = "float32"
    seed: int | None = None
    threads: int | None = None

    @property
    def symbol(self) -> str:
        """Name of the state in the model's equation."""
        return self.model.equation[1]

    @property
    def t(self) -> float:
        """Length of the run."""
        return sum(stage.steps * stage.dt for stage in self.stages)


@dataclass(frozen=True)
class Outcome:
    """The result: agreement, and what it rests on."""

    experiment: Experiment
    report: Report
    comparison: Comparison | None
    rows: tuple[Row, ...]
    hist: Histogram | None = field(default=None, repr=False)

    @property
    def agree(self) -> bool:
        """Whether no particle was lost and simulation and law agree."""
        if self.comparison is None or self.report.nonfinite > 0:
            return False
        # written so that nan counts as disagreement
        return self.comparison.p_value > P_MIN and all(abs(row.z) < Z_MAX for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as a dictionary that JSON can hold."""
        e, c = self.experiment, self.comparison
        return {
            "model": e.model.name,
            "equation": e.model.equation,
            "calculus": e.model.calculus,
            "parameters": {k: jsonable(v) for k, v in e.model.params.items()},
            "law": e.law.name,
            "x0": e.x0 if isinstance(e.x0, (int, float, str)) else repr(e.x0),
            "stages": [{"steps": s.steps, "dt": s.dt} for s in e.stages],
            "t": e.t,
            "ks": None if c is None else c.ks,
            "p_value": None if c is None else c.p_value,
            "chi2_p": None if c is None else finite(c.chi2_p),
            "statistics": [
                {
                    "name": r.name,
                    "observed": finite(r.observed),
                    "exact": finite(r.exact),
                    "z": finite(r.z),
                }
                for r in self.rows
            ],
            "lost": self.report.nonfinite,
            "particle_steps_per_second": self.report.particle_steps_per_second,
            "report": self.report.to_dict(),
            "agree": self.agree,
        }


def finite(value: float) -> float | None:
    """Return ``value``, or None where JSON has no number for it."""
    return value if math.isfinite(value) else None


def jsonable(value: Any) -> Any:
    """Return a parameter of a model as something that JSON can hold."""
    if hasattr(value, "beta1"):
        names = ("beta1", "beta2", "alpha1", "alpha2", "alpha3", "label")
        return {name: getattr(value, name) for name in names}
    return value


def quantities(
    law: Law, symbol: str, n: int
) -> list[tuple[str, Callable[[FloatArray], FloatArray], float, float]]:
    """Return name, function, exact mean and exact variance of what is averaged over particles.

    Only functions whose variance under the law is finite, and small enough for ``n`` particles to
    show it: the standard error of a mean needs that.
    """
    from ..laws import PointMass, PositiveLaw

    if isinstance(law, PointMass):
        return []
    found: list[tuple[str, Callable[[FloatArray], FloatArray], float, float]] = []
    positive = isinstance(law, PositiveLaw)
    if isinstance(law, PositiveLaw):
        found.append((f"E ln {symbol}", np.log, law.mean_log(), _log_variance(law)))
    else:
        centre = law.median()
        label = f"|{symbol}|" if centre == 0.0 else f"|{symbol} - median|"

        def root(x: FloatArray) -> FloatArray:
            return np.asarray(np.sqrt(np.abs(x - centre)))

        mean = law.expectation(root)
        spread = law.expectation(lambda x: (root(x) - mean) ** 2)
        found.append((f"E {label}^(1/2)", root, mean, spread))
    for power, label in _POWERS:
        if not positive and power in (-1.0, 0.5):
            continue
        mean, second = law.moment(power), law.moment(2.0 * power)
        if not (math.isfinite(mean) and math.isfinite(second) and second > mean * mean):
            continue
        if power != 1.0 and second > 0.1 * n * mean * mean:  # ruled by events rarer than 1/n
            continue
        name = f"E {label.format(symbol)}"
        found.append((name, _power(power), mean, second - mean * mean))
    return [entry for entry in found if math.isfinite(entry[3]) and entry[3] > 0.0]


def _log_variance(law: PositiveLaw) -> float:
    """Return ``Var ln X``, also where ``X`` underflows: trapezoidal rule over the logit of the rank."""
    logit = np.linspace(-40.0, 40.0, 1601)
    q = special.expit(-np.abs(logit))
    y = np.where(logit < 0.0, law.ppf_log(q), law.isf_log(q))
    weights = q * (1.0 - q)
    weights /= weights.sum()
    mean = float(np.sum(weights * y))
    return float(np.sum(weights * (y - mean) ** 2))


def _power(power: float) -> Callable[[FloatArray], FloatArray]:
    return lambda x: np.asarray(x**power)


def simulate(
    experiment: Experiment, *, progress: bool = False, hist: Histogram | None = None
) -> Outcome:
    """Run the experiment and compare its final states with the law.

    Parameters
    ----------
    experiment : Experiment
    progress : bool, default False
        Show progress bars.
    hist : Histogram, optional
        Looks at the final states.

    Returns
    -------
    Outcome
    """
    e = experiment
    ensemble = Ensemble(
        e.model, e.n, e.x0, seed=e.seed, dtype=e.dtype, noise=e.noise, threads=e.threads
    )
    observers = [hist] if hist is not None else []
    binned = _fine_histogram(e.law) if e.n > _SAMPLES else None
    if binned is not None:
        observers.append(binned)
    for i, stage in enumerate(e.stages):
        ensemble.run(
            steps=stage.steps,
            dt=stage.dt,
            scheme=e.scheme,
            observe=observers if i == len(e.stages) - 1 else [],
            progress=progress,
            on_bad="ignore",
        )
    report = ensemble.report()
    x = ensemble.x
    x = x[np.isfinite(x)] if report.nonfinite else x
    if x.size == 0:
        return Outcome(e, report, None, (), hist)
    comparison = e.law.compare(x if binned is None else binned)
    return Outcome(e, report, comparison, tuple(_rows(e, x, comparison)), hist)


def _fine_histogram(law: Law) -> Histogram:
    lo, hi = float(law.ppf(1e-9)), float(law.isf(1e-9))
    if lo > 0.0:
        return Histogram(lo, hi, bins=20_000, scale="log")
    spread = float(law.isf(0.25)) - float(law.ppf(0.25))
    return Histogram(lo, hi, bins=20_000, scale="symlog", threshold=spread)


def _rows(e: Experiment, x: npt.NDArray[Any], comparison: Comparison) -> list[Row]:
    rows = []
    lumped = bool(np.any(x == 0.0))  # values below the smallest float: no logarithm, no inverse
    for name, function, exact, variance in quantities(e.law, e.symbol, x.size):
        if lumped and (name.startswith("E ln") or name.startswith("E 1/")):
            continue
        with np.errstate(all="ignore"):
            parts = [
                float(np.sum(function(x[i : i + _CHUNK].astype(np.float64))))
                for i in range(0, x.size, _CHUNK)
            ]
        observed = math.fsum(parts) / x.size
        z = (observed - exact) / math.sqrt(variance / x.size)
        rows.append(Row(name, observed, exact, z))
    for share, label in ((comparison.lower_tail, "<"), (comparison.upper_tail, ">")):
        edge = share.high if label == "<" else share.low
        if math.isfinite(share.z):
            name = f"P({e.symbol} {label} {edge:.3g})"
            rows.append(Row(name, share.observed, share.expected, share.z))
    return rows
