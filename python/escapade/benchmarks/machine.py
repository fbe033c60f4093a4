"""What a result was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core

__all__ = ["commit", "describe", "family", "processor"]


def _of_processor(*keys: str) -> str:
    """Return what Linux says of the first processor under the first of some keys, "" elsewhere."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() in keys:
                return value.strip()
    except OSError:
        pass
    return ""


def processor() -> str:
    """Return the processor's name."""
    return _of_processor("model name", "Model") or platform.processor() or platform.machine()


def family() -> str:
    """Return the processor's family and model numbers, which virtual machines do not hide."""
    return f"family {_of_processor('cpu family') or '?'}, model {_of_processor('model') or '?'}"


def commit() -> str:
    """Return the commit of the package's sources, "+changes" if they have any, else "unknown"."""

    def git(*words: str) -> str:
        try:
            done = subprocess.run(
                ["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True
            )
        except OSError:
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    # an installed package may lie within a repository that knows nothing of it
    if not git("ls-files", "--", Path(__file__).name):
        return "unknown"
    sources = (":/cpp", ":/python", ":/CMakeLists.txt")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", *sources)
    return git("rev-parse", "--short", "HEAD") + ("+changes" if changed else "")


def describe() -> dict[str, Any]:
    """Return processor, instruction sets, compilers, versions and commit."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor(),
        "processor_id": family(),
        "cores": usable,
        "isas": _core.supported_isas(),
        "compiler": _core.compiler(),
        "escapade": _core.version,
        "commit": commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.system(),
    }
