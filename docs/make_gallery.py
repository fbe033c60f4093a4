"""Make the figures of docs/gallery again, and the page that shows them.

    python docs/make_gallery.py [--only NAME ...]

Runs every figure of ``escapade reproduce`` at full size into docs/gallery (PNG, CSV, JSON) and writes
docs/gallery/README.md from the JSON files there. Needs matplotlib. Numbers do not depend on the
number of threads or on the instruction set.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from escapade import reproduce

GALLERY = Path(__file__).resolve().parent / "gallery"
PNG_LIMIT, CSV_LIMIT = 150_000, 200_000  # bytes, of one file

HEAD = """# Gallery

Figures of the papers, made again by simulation and compared with exact results. This page and the
files in this folder are written by `python docs/make_gallery.py`; `escapade reproduce NAME` makes one
figure again. Points are simulated and carry one standard error, lines are theory.

A statistic agrees if it passes the bound in its last column: p-values of at least 0.001 and deviations
of at most 4 standard errors, unless another bound is given. With a new seed about one test in a
thousand fails although nothing is wrong.
"""


def number(value: float) -> str:
    """Return a number as a reader wants it."""
    return f"{value:.4g}"


def cell(text: str) -> str:
    """Return text that does not break a Markdown table."""
    return text.replace("|", "\\|")


def section(record: dict[str, Any], tables: list[str]) -> str:
    """Return the part of the page about one figure."""
    name = record["name"]
    lines = [f"## {record['title']}", "", f"![{name}]({name}.png)", ""]
    lines += [f"**Source.** {record['source']}.", "", f"**Chosen here.** {record['chosen']}", ""]
    lines += ["| statistic | simulated | theory | verdict | how judged |", "|---|---|---|---|---|"]
    for s in record["statistics"]:
        verdict = "agrees" if s["agrees"] else "**disagrees**"
        numbers = f"{number(s['measured'])} | {number(s['expected'])}"
        lines.append(f"| {cell(s['name'])} | {numbers} | {verdict} | {cell(s['limit'])} |")
    lines += ["", *(f"Note: {note}.\n" for note in record["notes"])]
    data = ", ".join(f"[{table}]({table})" for table in tables)
    command = f"escapade reproduce {name} --seed {record['seed']}"
    lines.append(f"Data: {data}; statistics: [{name}.json]({name}.json). Command: `{command}`.")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page, from the files in the gallery."""
    parts = [HEAD]
    for name in reproduce.names():
        path = GALLERY / f"{name}.json"
        if not path.exists():
            continue
        tables = sorted(p.name for p in GALLERY.glob(f"{name}-*.csv"))
        parts.append(section(json.loads(path.read_text(encoding="utf-8")), tables))
    return "\n".join(parts)


def main() -> int:
    """Run and return the exit code: 1 if a statistic disagrees or a file is too large."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", default=list(reproduce.names()))
    good = True
    for name in parser.parse_args().only:
        start = time.perf_counter()
        result = reproduce.run(name, GALLERY)
        verdict = "agrees" if result.agrees else "DISAGREES"
        print(f"{name}: {verdict}, {time.perf_counter() - start:.1f} s", flush=True)
        good = good and result.agrees
    for path in sorted(GALLERY.iterdir()):
        limit = {".png": PNG_LIMIT, ".csv": CSV_LIMIT}.get(path.suffix)
        if limit is not None and path.stat().st_size > limit:
            print(f"{path.name}: {path.stat().st_size} bytes, at most {limit}", file=sys.stderr)
            good = False
    (GALLERY / "README.md").write_text(page(), encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
