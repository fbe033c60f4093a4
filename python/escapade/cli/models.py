"""``escapade models``: the models, their parameters and the schemes that fit them."""

from __future__ import annotations

import argparse
import inspect
import json
import math
from typing import Any

from .. import models, schemes
from ..models import Model
from . import _text


def add(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "models",
        help="the models: equation, parameters with bounds, schemes",
        description="List the models, or show one with its documentation.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this model in full")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    parser.set_defaults(run=run)


def describe(name: str) -> dict[str, Any]:
    """Return what the registry knows of a model, as JSON can hold it.

    Raises
    ------
    ValueError
        If there is no such model.
    """
    model: type[Model] = models.get(name)
    instance = model()
    entry = instance._entry  # of the compiled model, which several classes may share
    return {
        "name": name,
        "summary": (inspect.getdoc(model) or "").split("\n")[0].rstrip(":"),
        "equation": instance.equation,
        "calculus": entry["calculus"],
        "source": entry["source"],
        "parameters": [
            {
                "name": p["name"],
                "default": int(p["default"]) if p["integer"] else p["default"],
                "bounds": bounds(p),
                "low": p["low"] if math.isfinite(p["low"]) else None,
                "high": p["high"] if math.isfinite(p["high"]) else None,
                "integer": p["integer"],
                "unit": p["unit"],
                "doc": p["doc"],
            }
            for p in entry["parameters"]
        ],
        "auto_scheme": instance.auto_scheme(),
        "schemes": [
            {
                "name": scheme,
                "strong_order": schemes.get(scheme).strong_order,
                "strong_order_additive": schemes.get(scheme).strong_order_additive,
                "weak_order": schemes.get(scheme).weak_order,
            }
            for scheme in instance.schemes
        ],
    }


def bounds(parameter: dict[str, Any]) -> str:
    """Return the bounds of a parameter as text, "" if there are none."""
    low, high = parameter["low"], parameter["high"]
    parts = []
    if math.isfinite(low):
        parts.append(f"{'>' if parameter['low_open'] else '>='} {low:g}")
    if math.isfinite(high) and not parameter["integer"]:
        parts.append(f"{'<' if parameter['high_open'] else '<='} {high:g}")
    return ", ".join(parts)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    names = models.list() if arguments.name is None else [arguments.name]
    found = [describe(name) for name in names]
    if arguments.json:
        print(json.dumps(found if arguments.name is None else found[0], indent=2))
        return 0
    blocks = []
    for model in found:
        lines = [model["name"], _text.entry("equation", model["equation"])]
        lines.append(_text.entry("calculus", _text.calculus(model["calculus"])))
        if arguments.name is not None:
            lines.append(_text.entry("source", model["source"]))
        label = "parameters"
        for p in model["parameters"]:
            limits = f", {p['bounds']}" if p["bounds"] else ""
            text = f"{p['name']} = {p['default']:g}{limits} [{p['unit']}]: {p['doc']}"
            lines.append(_text.entry(label, text))
            label = ""
        shown = [
            f"{s['name']}{' (auto)' if s['name'] == model['auto_scheme'] else ''}"
            for s in model["schemes"]
        ]
        lines.append(_text.entry("schemes", ", ".join(shown)))
        if arguments.name is not None:
            doc = inspect.getdoc(models.get(model["name"])) or ""
            lines += ["", *(f"  {line}".rstrip() for line in doc.splitlines())]
        blocks.append("\n".join(lines))
    print("\n\n".join(blocks))
    return 0
