"""Run the examples and the demos of README.md and write what they print into it.

    python docs/make_outputs.py

Writes docs/escapade-demo.png too. Needs matplotlib, and scikit-learn for the data set. Results are the
same on every machine but for the speed, which the README gives for the machine this ran on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from make_tables import README, replace_block

DOCS = Path(__file__).resolve().parent


def fenced(text: str, language: str = "") -> str:
    """Return ``text`` as a block of code."""
    return f"```{language}\n{text.strip()}\n```"


def code_after(text: str, marker: str) -> str:
    """Return the first Python block after a marker."""
    found = re.search(re.escape(marker) + r"\s*```python\n(.*?)```", text, re.DOTALL)
    if found is None:
        raise SystemExit(f"README.md must hold a Python block after {marker}")
    return found.group(1)


def run(*command: str, folder: str) -> str:
    """Return what a Python command prints."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout


def main() -> None:
    text = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("example", "training", "sweep", "escape"):
            printed = run("-c", code_after(text, f"<!-- {name} -->"), folder=folder)
            text = replace_block(text, f"{name}-output", fenced(printed))
        figure = str(DOCS / "escapade-demo.png")
        demo = run("-m", "escapade", "demo", "--output", figure, folder=folder)
        demo = demo.replace(f"figure: {figure}", "figure: escapade-demo.png")
        run("-c", code_after(text, "<!-- data -->"), folder=folder)
        options = ("--data", "diabetes.csv", "--output", "diabetes.png")
        data = run("-m", "escapade", "demo", *options, folder=folder)
    # the power-law part is that of the demo above
    head, _, network = data.partition("PowerLaw:")
    network = network[network.index("BalancedNetwork:") :]
    text = replace_block(text, "demo-output", fenced(demo))
    text = replace_block(text, "data-output", fenced(f"{head}[...]\n\n{network}"))
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
