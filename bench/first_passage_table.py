"""The table of README.md on first passages, from bench/results/first_passage.json.

python bench/first_passage_table.py
"""

from __future__ import annotations

import json

import machine

BEGIN, END = "<!-- passage:begin -->", "<!-- passage:end -->"
OURS = ("float32, float32 noise", "float64, float32 noise", "float64, float64 noise")
THEIRS = ("float32", "mixed", "float64")


def table() -> str:
    """Return the table, in Markdown."""
    path = machine.ROOT / "bench" / "results" / "first_passage.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    m, ns = result["machine"], result["ns_cpu"]

    def row(name: str, keys: list[str]) -> str:
        return f"| {name} | " + " | ".join(f"{ns[k]:.2f}" for k in keys) + " |"

    return "\n".join(
        [
            "First passage in a double well, processor time in ns per step of a particle on its way, on "
            f"{m['processor']} ({m['processor_id']}), {m['compiler']}, {m['isas'][0]}, one pinned "
            f"thread, medians of {result['rounds']} alternating rounds, with "
            "`python bench/first_passage.py`:",
            "",
            "| Euler-Maruyama | float32 | float64, 32-bit noise | float64, 53-bit noise |",
            "|---|---|---|---|",
            *(row(f"{t} test", [f"{t} {k}" for k in OURS]) for t in ("bridge", "endpoint")),
            row("the same steps without boundaries", [f"plain {k}" for k in OURS]),
            row("endpoint, numba with Philox*", [f"numba keyed {k}" for k in THEIRS]),
            row("endpoint, numba with xoshiro*", [f"numba xoshiro {k}" for k in THEIRS]),
            "",
            "*as above; loops that compact the particles still on their way in place "
            "(`bench/first_passage_references.py`).",
        ]
    )


def main() -> None:
    """Put the table into README.md."""
    path = machine.ROOT / "README.md"
    head, rest = path.read_text(encoding="utf-8").split(BEGIN)
    _, tail = rest.split(END)
    path.write_text(f"{head}{BEGIN}\n{table()}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
