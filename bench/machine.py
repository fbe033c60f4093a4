"""Where the repository is, and what a result was measured on."""

from __future__ import annotations

from pathlib import Path

from escapade.benchmarks.machine import describe

__all__ = ["ROOT", "describe"]

ROOT = Path(__file__).resolve().parent.parent
