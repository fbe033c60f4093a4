"""The README's table from what bench/networks.py has measured."""

from __future__ import annotations

from typing import Any

import machine

KINDS = ("float32, float32 noise", "float64, float32 noise", "float64, float64 noise")
BEGIN, END = "<!-- networks:begin -->", "<!-- networks:end -->"


def cells(*values: float | None) -> str:
    """Return numbers as cells of a row; None is an empty one."""
    return " | ".join("" if v is None else f"{v:.2f}" for v in values)


def processes(result: dict[str, Any]) -> list[str]:
    """Rows of the network and of SGD, a column for each precision."""
    net, sgd = result["network"], result["sgd"]
    rows = []
    for title, table, key in (
        ("network, Euler-Maruyama", net, "escapade euler-maruyama {}"),
        ("network, Milstein", net, "escapade milstein {}"),
        ("network, numba with Philox*", net, "numba philox {}"),
        ("network, numba with xoshiro*", net, "numba xoshiro {}"),
        ("SGD, Gaussian data, batch 1", sgd, "escapade gaussian batch 1 {}"),
        ("the same with momentum", sgd, "escapade gaussian batch 1 momentum 0.9 {}"),
        ("SGD, binary data, batch 1", sgd, "escapade binary batch 1 {}"),
        ("SGD, 1000 samples, batch 1", sgd, "escapade 1000 samples batch 1 {}"),
        ("SGD, Gaussian, numba with Philox*", sgd, "numba philox {}"),
        ("SGD, Gaussian, numba with xoshiro*", sgd, "numba xoshiro {}"),
    ):
        found = [table.get(key.format(kind)) for kind in KINDS]
        if any(v is not None for v in found):
            rows.append(f"| {title} | {cells(*found)} |")
    for title, table in (("network", net), ("SGD", sgd)):
        narrow, wide = table["numpy float32"], table["numpy float64"]
        rows.append(f"| {title}, tuned numpy | {cells(narrow, None, wide)} |")
    return rows


def markdown(result: dict[str, Any]) -> str:
    """Return the README's table."""
    m, sizes = result["machine"], result["per_parameter"]
    narrow = sizes[f"euler-maruyama {KINDS[0]}"]
    wide = sizes[f"euler-maruyama {KINDS[1]}"]
    milstein = sizes[f"milstein {KINDS[0]}"]
    shown = [
        f"depth {d}, width {w}" for d, w in ((1, 1), (1, 8), (1, 32), (1, 128), (3, 16), (7, 8))
    ]
    thousand, many = (
        [t[f"{points} x {10**6 // points}"] / t["1 x 1000000"] for t in result["sweeps"].values()]
        for points in (1000, 10_000)
    )
    seen = result["observers_every_100_steps"]
    memory = result["memory"]
    lines = [
        f"Networks and SGD, processor time in ns per particle-step on {m['processor']} "
        f"({m['processor_id']}), {m['compiler']}, {m['isas'][0]}, one pinned thread, medians of "
        f"{result['rounds']} alternating rounds, with `python bench/networks.py`:",
        "",
        "| depth 1, width 1: two parameters | float32 | float64, 32-bit noise | float64, 53-bit noise |",
        "|---|---|---|---|",
        *processes(result),
        "",
        "*numba: hand-vectorised loops (`bench/network_references.py`). Those with Philox draw "
        "noise that is a function of seed, particle and step, as ours; xoshiro is cheaper, but its "
        "noise depends on the history of a thread.",
        "",
        "| ns per particle-step and parameter | " + " | ".join(shown) + " |",
        "|---|" + "---|" * len(shown),
        "| Euler-Maruyama, float32 | " + cells(*(narrow[k] for k in shown)) + " |",
        "| Euler-Maruyama, float64 | " + cells(*(wide[k] for k in shown)) + " |",
        "| Milstein, float32 | " + cells(*(milstein[k] for k in shown)) + " |",
        "",
        "A sweep of 1,000 temperatures with 1,000 particles each takes "
        + " and ".join(f"{r:.2f}" for r in thousand)
        + " times (float32, float64) as long as a million particles at one temperature; 10,000 with "
        "100 each, which are padded to 128, "
        + " and ".join(f"{r:.2f}" for r in many)
        + " times. Moments of `v` every 100 steps add "
        + " and ".join(f"{t['moments of v']:.0%}" for t in seen.values())
        + f". 10^4 temperatures times 10^4 particles of `BalancedNetwork` in float32, "
        f"{memory['MiB_of_state']} MiB of state, peak at {memory['MiB_peak']} MiB.",
    ]
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table into README.md."""
    path = machine.ROOT / "README.md"
    head, rest = path.read_text(encoding="utf-8").split(BEGIN)
    _, tail = rest.split(END)
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
