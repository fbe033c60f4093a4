"""What a class says of itself: arguments of its constructor and sections of its docstring."""

from __future__ import annotations

import inspect
import re
from typing import Any


def text(markup: str) -> str:
    """Return markup on one line, without its backquotes and its marks of emphasis."""
    flat = " ".join(markup.split()).replace("`", "")
    return re.sub(r"(?<!\S)\*(\w[^*]*\S)\*(?=\W|$)", r"\1", flat)


def section(owner: Any, title: str) -> list[str]:
    """Return the lines of a section of a numpydoc docstring, [] if it has none."""
    lines = (inspect.getdoc(owner) or "").splitlines()
    for at in range(len(lines) - 1):
        if lines[at] == title and set(lines[at + 1]) == {"-"}:
            rest = lines[at + 2 :]
            ends = (k for k in range(1, len(rest)) if rest[k] and set(rest[k]) == {"-"})
            return rest[: next(ends, len(rest) + 1) - 1]
    return []


def summary(owner: Any) -> str:
    """Return the first paragraph of a docstring, which says what a function returns."""
    first = text((inspect.getdoc(owner) or "").split("\n\n")[0]).rstrip(":.")
    return first.removeprefix("Return ")


def arguments(owner: type) -> list[dict[str, Any]]:
    """Return name, type, default and meaning of the arguments of the constructor.

    ``default`` is a number, a string or a list of them, None where the signature has None; ``shown``
    says in words what is taken then.
    """
    described = _described(owner)
    out = []
    for name, parameter in inspect.signature(owner).parameters.items():
        kind, default, doc = described[name]
        value = parameter.default
        if value is not None:
            default = f"{value:g}" if isinstance(value, (int, float)) else str(value)
        out.append(
            {
                "name": name,
                "type": kind,
                "default": list(value) if isinstance(value, tuple) else value,
                "shown": default,
                "doc": doc,
            }
        )
    return out


def _described(owner: type) -> dict[str, tuple[str, str, str]]:
    """Return type, default and meaning of what the section "Parameters" describes, by name."""
    out: dict[str, tuple[str, str, str]] = {}
    names, head, body = "", "", list[str]()
    for line in [*section(owner, "Parameters"), " : "]:
        if line[:1].isspace() and line != " : ":
            body.append(line)
        elif " : " in line:
            kind, _, default = head.partition(", default ")
            described = (
                kind.removesuffix(", optional"),
                text(default) or "None",
                text("\n".join(body)),
            )
            out.update({name: described for name in names.split(", ") if name})
            (names, _, head), body = line.partition(" : "), []
    return out
