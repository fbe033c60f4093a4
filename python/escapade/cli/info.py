"""``escapade info``: what this installation is and what it runs on."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

from .. import __version__, _core
from . import _text

_OPTIONAL = ("matplotlib", "numba", "hypothesis", "pytest", "mpmath")


def add(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "info",
        help="version, instruction sets, processor, optional packages",
        description="Show what this installation of escapade is and what it runs on.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    parser.set_defaults(run=run)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model"):
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def collect() -> dict[str, Any]:
    """Return everything that the command shows."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "version": __version__,
        "compiler": _core.compiler(),
        "isa": {
            "active": _core.isa(),
            "supported": _core.supported_isas(),
            "built": _core.built_isas(),
            "forced": os.environ.get("ESCAPADE_ISA"),
        },
        "processor": _processor(),
        "cores": {"usable": usable, "machine": os.cpu_count()},
        "devices": ["cpu"],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in ("numpy", "scipy", "tqdm")},
        "optional": {name: _version(name) for name in _OPTIONAL},
    }


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    info = collect()
    if arguments.json:
        print(json.dumps(info, indent=2))
        return 0
    isa, cores = info["isa"], info["cores"]
    forced = f" (forced by ESCAPADE_ISA={isa['forced']})" if isa["forced"] else ""
    found = [f"{name} {version}" for name, version in info["optional"].items() if version]
    missing = [name for name, version in info["optional"].items() if not version]
    rows = [
        ("version", f"{info['version']}, compiled by {info['compiler']}"),
        (
            "instructions",
            f"{isa['active']}{forced}; usable here: {', '.join(isa['supported'])}; "
            f"built: {', '.join(isa['built'])}",
        ),
        (
            "",
            "ESCAPADE_ISA=NAME in the environment forces one of them; results are the same bits",
        ),
        ("processor", f"{info['processor']}; {cores['usable']} of {cores['machine']} cores usable"),
        ("GPU", "none: this version has no CUDA engine"),
        ("python", f"{info['python']} on {info['system']}"),
        ("packages", ", ".join(f"{k} {v}" for k, v in info["packages"].items())),
        ("optional", ", ".join(found) or "none"),
    ]
    if missing:
        rows.append(("not found", f"{', '.join(missing)} (matplotlib: pip install matplotlib)"))
    print("escapade")
    for label, text in rows:
        print(_text.entry(label, text, width=14))
    return 0
