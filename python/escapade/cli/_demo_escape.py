"""The part of ``escapade demo`` that lets particles escape: rates beside exact ones."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from ..models import PowerLaw
from ..passage.errors import TooFewEscapesWarning
from ..passage.escape import escape
from ..passage.regions import Interval
from ._experiment import Z_MAX

__all__ = ["Escape", "escapes", "table"]

# (model, end of the region, time step, method): from escapes that are seen to ones that are not
_WELL = {"H": 1.0, "sigma_g": 0.05, "sigma_H": 0.2}
_PROBLEMS = (
    ({"H": 1.0, "sigma_g": 0.2, "sigma_H": 0.5}, 1.5, 0.05, "direct"),
    (_WELL, 2.0, 0.1, "splitting"),
    (_WELL, 3.5, 0.1, "splitting"),
)
_DIRECT, _STAGE = 0.1, 0.002  # particles over those of the demo
_REPLICATES = 20  # with fewer, five standard errors would be exceeded too often


@dataclass(frozen=True)
class Escape:
    """A rate of escape beside the exact one."""

    model: PowerLaw
    upper: float
    method: str
    rate: float
    low: float
    high: float
    stderr: float
    exact: float
    seconds: float

    @property
    def z(self) -> float:
        """Deviation in standard errors."""
        return (self.rate - self.exact) / self.stderr

    @property
    def agree(self) -> bool:
        """Whether rate and exact rate agree."""
        return abs(self.z) < Z_MAX

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "model": self.model.name,
            "parameters": dict(self.model.params),
            "region": [None, self.upper],
            "method": self.method,
            "rate": self.rate,
            "rate_interval": [self.low, self.high],
            "exact_rate": self.exact,
            "z": self.z,
            "seconds": self.seconds,
        }


def escapes(n: int, seed: int, threads: int | None, progress: bool) -> list[Escape]:
    """Let particles of the power-law dynamic escape upwards from u = 0."""
    found = []
    for parameters, upper, dt, method in _PROBLEMS:
        model = PowerLaw(**parameters)
        direct = method == "direct"
        share, least = (_DIRECT, 400) if direct else (_STAGE, 1000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TooFewEscapesWarning)  # judged here
            result = escape(
                model,
                0.0,
                Interval(upper=upper),
                n=max(least, round(share * n)),
                dt=dt,
                seed=seed,
                method=method,
                threads=threads,
                progress=progress,
                **({} if direct else {"replicates": _REPLICATES}),
            )
        low, high = result.rate_interval
        exact = result.exact.rate
        found.append(
            Escape(
                model,
                upper,
                method,
                result.rate,
                low,
                high,
                result.rate_stderr,
                exact,
                result.seconds,
            )
        )
    return found


def table(found: list[Escape]) -> str:
    """Return the table of rates."""
    lines = [
        "Escape from u = 0 over an upper end, PowerLaw with H = eta = 1: rates per unit of time",
        f"  {'sigma_g':>7} {'sigma_H':>7} {'end':>4}  {'method':<9} {'rate':>10}  "
        f"{'95 % interval':<24} {'exact':>10} {'z':>6} {'time':>7}",
    ]
    for e in found:
        p = e.model.params
        interval = f"[{e.low:.4g}, {e.high:.4g}]"
        lines.append(
            f"  {p['sigma_g']:>7g} {p['sigma_H']:>7g} {e.upper:>4g}  {e.method:<9} {e.rate:>10.4g}  "
            f"{interval:<24} {e.exact:>10.4g} {e.z:>+6.2f} {e.seconds:>5.1f} s"
        )
    worst = max(abs(e.z) for e in found)
    verdict = (
        f"agreement: every |z| < {Z_MAX:g}" if worst < Z_MAX else f"DISAGREEMENT: |z| = {worst:.1f}"
    )
    return "\n".join([*lines, f"  {verdict}"])
