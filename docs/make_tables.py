"""Write the tables of models and schemes in README.md from the registry of the compiled engine.

python docs/make_tables.py            # update README.md
python docs/make_tables.py --check    # exit code 1 if it is out of date
"""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path

import escapade as ea

README = Path(__file__).resolve().parent.parent / "README.md"
CALCULUS = {"ito": "Ito", "stratonovich": "Stratonovich", "discrete": "discrete time"}


def replace_block(text: str, name: str, body: str) -> str:
    """Return ``text`` with what stands between the markers ``name`` replaced by ``body``."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(f"{README} must hold {begin} and {end} once each")
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    return f"{head}{begin}\n{body}\n{end}{tail}"


def cell(text: str) -> str:
    """Return ``text`` fit for a cell of a table: one line, no bars, code marks as in Markdown."""
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")


def law(model: type[ea.models.Model]) -> str:
    """Return the law of a model: first sentence of the docstring of ``stationary``."""
    if model.stationary is ea.models.Model.stationary:
        return "none known"
    first = (inspect.getdoc(model.stationary) or "").split("\n\n")[0]
    return first.removeprefix("Return ").strip().rstrip(".")


def models() -> str:
    """Return the table of models."""
    lines = ['| model | equation | exact stationary law | `scheme="auto"` |', "|---|---|---|---|"]
    for name in ea.models.list():
        model = ea.models.get(name)
        equation = f"`{model().equation}`"
        auto = f"`{model().auto_scheme()}`"
        lines.append(f"| `{name}` | {cell(equation)} | {cell(law(model))} | {auto} |")
    return "\n".join(lines)


def schemes() -> str:
    """Return the table of schemes."""
    lines = [
        "| scheme | steps in | converges to | strong order (additive noise) | weak order (additive) "
        "| normals per step and Wiener process | |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ea.schemes.list():
        s = ea.schemes.get(name)
        strong = f"{s.strong_order:g} ({s.strong_order_additive:g})"
        weak = f"{s.weak_order:g} ({s.weak_order_additive:g})"
        if s.calculus == "discrete":
            strong = weak = "exact"
        elif s.exact:
            strong, weak = "none", "exact"
        lines.append(
            f"| `{name}` | {s.coordinate} | {CALCULUS[s.calculus]} | {strong} | {weak} "
            f"| {s.draws} | {cell(s.summary)} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, compare")
    arguments = parser.parse_args()
    old = README.read_text(encoding="utf-8")
    new = replace_block(replace_block(old, "models", models()), "schemes", schemes())
    if arguments.check:
        if new != old:
            print("README.md is out of date: run python docs/make_tables.py", file=sys.stderr)
        return int(new != old)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
