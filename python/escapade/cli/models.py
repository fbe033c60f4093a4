"""``escapade models``: the models, their parameters and the schemes that fit them."""

from __future__ import annotations

import argparse
import inspect
import json
import math
from collections.abc import Callable
from typing import Any

from .. import models, schemes
from ..models import Model
from ..models.sgd import Trainable
from . import _docs, _text


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
    return {
        "name": name,
        "summary": (inspect.getdoc(model) or "").split("\n")[0].rstrip(":"),
        "equation": instance.equation,
        "calculus": instance.calculus,
        "source": _docs.text("\n".join(_docs.section(model, "References"))),
        "parameters": _parameters(instance),
        "observables": [
            {"name": key, "doc": _docs.summary(function)}
            for key, function in instance.observables().items()
        ],
        "training": _training(instance),
        "auto_scheme": instance.auto_scheme(),
        "schemes": [
            {
                "name": scheme,
                **schemes.get(scheme).orders(),
            }
            for scheme in instance.schemes
        ],
    }


def _parameters(instance: Model) -> list[dict[str, Any]]:
    """Return the arguments of the class, with bounds and unit of those that the engine has too."""
    # an argument may share its name, but not its meaning, with a number derived from it
    own, compiled = instance.params, instance._parameters
    entries = {
        p["name"]: p
        for p in instance._entry["parameters"]
        if p["name"] in own and own[p["name"]] is compiled[p["name"]]
    }
    out = []
    for argument in _docs.arguments(type(instance)):
        p = entries.get(argument["name"])
        known = {"bounds": "", "low": None, "high": None, "integer": None, "unit": None}
        if p is not None:
            known = {
                "bounds": bounds(p),
                "low": p["low"] if math.isfinite(p["low"]) else None,
                "high": p["high"] if math.isfinite(p["high"]) else None,
                "integer": p["integer"],
                "unit": p["unit"],
            }
        out.append({**argument, **known})
    return out


def _training(instance: Model) -> list[dict[str, str]]:
    """Return the processes in discrete time that the model's methods make."""
    if not isinstance(instance, Trainable):
        return []
    makers: dict[str, Callable[..., Model]] = {"sgd": instance.sgd, "gd": instance.gd}
    return [
        {
            "name": name,
            "call": f"{name}({', '.join(_call(make))})",
            "equation": make(0.1).equation,
            "doc": _docs.summary(make),
        }
        for name, make in makers.items()
    ]


def _call(function: Callable[..., Model]) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [
        p.name if p.default is inspect.Parameter.empty else f"{p.name}={p.default:g}"
        for p in parameters
    ]


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
            # most docstrings state the bounds
            limits = f", {p['bounds']}" if p["bounds"] and p["bounds"] not in p["doc"] else ""
            unit = f" [{p['unit']}]" if p["unit"] else ""
            text = f"{p['name']} = {p['shown']}{limits}{unit} ({p['type']}): {p['doc']}"
            lines.append(_text.entry(label, text))
            label = ""
        label = "observables"
        for o in model["observables"]:
            lines.append(_text.entry(label, f"{o['name']}: {o['doc']}"))
            label = ""
        label = "training"
        for process in model["training"]:
            lines.append(_text.entry(label, f"{process['call']}: {process['doc']}"))
            label = ""
        if model["training"]:
            lines.append(_text.entry("", f"step: {model['training'][0]['equation']}"))
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
