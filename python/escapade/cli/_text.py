"""Tables for the terminal."""

from __future__ import annotations

import textwrap
from typing import Any

from .. import _core
from ._experiment import P_MIN, Z_MAX, Outcome

WIDTH = 96


def parameters(values: dict[str, Any]) -> str:
    """Return the parameters of a model on one line."""
    parts = []
    for name, value in values.items():
        shown = value.label if hasattr(value, "beta1") else f"{value:.6g}"
        parts.append(f"{name}={shown}")
    return ", ".join(parts)


def entry(label: str, text: str, indent: int = 2, width: int = 12) -> str:
    """Return ``label  text`` with the text wrapped in its own column."""
    pad = " " * (indent + width)
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * indent + f"{label:<{width}}",
        subsequent_indent=pad,
        break_long_words=False,
        break_on_hyphens=False,
    )


def calculus(name: str) -> str:
    """Return the calculus as people write it."""
    return {"ito": "Ito", "stratonovich": "Stratonovich"}.get(name, name)


def outcome(result: Outcome) -> str:
    """Return a table of what was simulated and how it compares with the law."""
    e, report, c = result.experiment, result.report, result.comparison
    start = "its exact law" if isinstance(e.x0, str) else f"{e.symbol} = {e.x0:g}"
    legs = ", then ".join(f"{s.steps:,} steps of {s.dt:.4g}" for s in e.stages)
    lost = f"{report.nonfinite:,} of {report.n:,} particles lost"
    lines = [
        entry(f"{e.model.name}:", e.model.equation, indent=0, width=len(e.model.name) + 2),
        entry(
            "parameters",
            f"{parameters(e.model.params)} ({calculus(e.model.calculus)})",
            width=14,
        ),
        entry("started from", f"{start}, {report.n:,} particles of {report.dtype}", width=14),
        entry("simulated", f"t = {e.t:.6g}: {legs}; scheme {report.scheme}", width=14),
        entry("exact law", e.law.name, width=14),
        entry(
            "speed",
            f"{report.particle_steps_per_second:.2e} particle-steps/s "
            f"({report.seconds:.1f} s, {report.isa}, {report.threads} threads); {lost}",
            width=14,
        ),
    ]
    if c is None:
        lines.append("  nothing to compare: every particle was lost")
    else:
        bound = " (at bin edges)" if c.binned else ""
        lines.append(f"  KS distance   {c.ks:.2e}   p = {c.p_value:.3g}{bound}")
        lines.append(f"  {'':<22}{'simulated':>13}{'exact':>13}{'z':>8}")
        for row in result.rows:
            lines.append(f"  {row.name:<22}{row.observed:>13.6g}{row.exact:>13.6g}{_z(row.z):>8}")
    lines.append(f"  {verdict(result)}")
    return "\n".join(lines)


def verdict(result: Outcome) -> str:
    """Return in words whether simulation and law agree."""
    if result.agree:
        return f"agreement: p > {P_MIN:g} and every |z| < {Z_MAX:g}"
    reasons = []
    if result.report.nonfinite:
        reasons.append("particles were lost")
    if result.comparison is not None and not result.comparison.p_value > P_MIN:
        reasons.append(f"p = {result.comparison.p_value:.2g}")
    worst = max(result.rows, key=lambda row: abs(row.z), default=None)
    if worst is not None and not abs(worst.z) < Z_MAX:
        reasons.append(f"z = {_z(worst.z)} for {worst.name}")
    advice = "a smaller dt" if not result.report.nonfinite else "a smaller dt or another scheme"
    return f"DISAGREEMENT: {'; '.join(reasons)} (does {advice} cure it?)"


def _z(value: float) -> str:
    return f"{value:+.2f}" if abs(value) < 1e4 else f"{value:+.0e}"


def machine() -> str:
    """Return version and instruction set in use."""
    return f"escapade {_core.version}, {_core.isa()}"
