"""What a result was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

import escapade
from escapade import _core

ROOT = Path(__file__).resolve().parent.parent


def processor() -> str:
    """Return the processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def family() -> str:
    """Return the processor's family and model numbers, which virtual machines do not hide."""
    found: dict[str, str] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    return f"family {found.get('cpu family', '?')}, model {found.get('model', '?')}"


def commit() -> str:
    """Return the commit of the working tree, with a mark if it has changes."""

    def git(*words: str) -> str:
        try:
            done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        except OSError:
            return ""
        return done.stdout.strip()

    changed = git(
        "status", "--porcelain", "--untracked-files=no", "--", "cpp", "python", "CMakeLists.txt"
    )
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+changes" if changed else "")


def describe() -> dict[str, Any]:
    """Return processor, instruction sets, compilers, versions and commit."""
    return {
        "processor": processor(),
        "processor_id": family(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "isas": _core.supported_isas(),
        "compiler": _core.compiler(),
        "escapade": escapade.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.system(),
    }
