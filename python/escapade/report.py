"""What an ensemble says of itself after it has run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["EnsembleWarning", "NonFiniteError", "Report"]


class EnsembleWarning(UserWarning):
    """Some particles of a run are no longer usable; the message says how many and what to do."""


class NonFiniteError(ArithmeticError):
    """Particles became non-finite in a run with ``on_bad="raise"``."""


@dataclass(frozen=True)
class Report:
    """What ran, on what, how fast, and how many particles went bad.

    Attributes
    ----------
    model, scheme, dtype, noise, device, isa : str
        ``scheme`` is that of the last run, "" before the first.
    n, threads, seed, steps : int
    t : float
        Time reached.
    seconds : float
        Wall time spent in the engine.
    particle_steps_per_second : float
        Over all runs; 0 before the first.
    nonfinite : int
        Particles that are nan or infinite: thrown by the scheme or out of the model's domain.
    substeps_per_step : float
        Further substeps that adaptive schemes took, or proposals that ``exact`` rejected, per
        particle and step.
    floor_hits : int
        How often a particle asked for a smaller substep than there is (see the scheme's docs).
    """

    model: str
    scheme: str
    n: int
    dtype: str
    noise: str
    device: str
    isa: str
    threads: int
    seed: int
    steps: int
    t: float
    seconds: float
    particle_steps_per_second: float
    nonfinite: int
    substeps_per_step: float
    floor_hits: int

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary that JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        speed = self.particle_steps_per_second
        rows = [
            ("model", self.model),
            ("scheme", self.scheme or "(not run yet)"),
            ("particles", f"{self.n:,} x {self.dtype}, {self.noise} noise, seed {self.seed}"),
            ("device", f"{self.device}, {self.isa}, {self.threads} threads"),
            ("time", f"t = {self.t:g} after {self.steps:,} steps"),
            ("speed", f"{speed:.3g} particle-steps/s ({self.seconds:.3g} s)" if speed else "-"),
            ("non-finite", f"{self.nonfinite:,} of {self.n:,}"),
        ]
        if self.substeps_per_step:
            rows.append(
                (
                    "substeps",
                    f"{self.substeps_per_step:.3g} per step, {self.floor_hits:,} at the floor",
                )
            )
        return "\n".join(f"{name:<11}{text}" for name, text in rows)
