"""``escapade validate MODEL``: simulate one model and compare it with its exact law."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from .. import __version__, models, schemes
from .._checks import number
from .._run import count_steps, resolve_scheme
from ..models import Model
from ..models.base import _BUNDLES, registry
from . import _text
from ._experiment import Experiment, Stage, simulate
from ._options import add_common, check_common, count, progress, read_data
from .models import bounds

NO_LAW = 3
_DESCRIPTION = """\
Simulate {name} and compare the final states with its exact law.

  {equation}

By default {default}.
With --x0 NUMBER they start there, and {law}."""


def add(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "validate",
        help="simulate a model with your parameters and compare it with its exact law",
        description="Simulate a model and compare the final states with its exact law. "
        "'escapade validate MODEL --help' shows the options of a model.",
        epilog="exit codes: 0 agreement, 1 disagreement, 2 bad arguments, 3 there is no law",
    )
    choices = parser.add_subparsers(title="models", metavar="MODEL", required=True)
    for name in models.list():
        if name in validated():
            _add_model(choices, name)
        else:
            # without prefixes options are words too: whatever follows the name, it gets its answer
            refused = choices.add_parser(name, prefix_chars="\0", add_help=False)
            refused.add_argument("rest", nargs="*")
            refused.set_defaults(run=_refuse, model=name)


def validated() -> tuple[str, ...]:
    """Return the models that can be validated: one number, a law in parameters of their own."""
    classes = {name: models.get(name) for name in models.list()}
    return tuple(
        name
        for name, m in classes.items()
        if m.confining and not (m.vector or m.kernel or _lawless(m))
    )


def _lawless(model: type[Model]) -> bool:
    return model.stationary is Model.stationary


def _refuse(arguments: argparse.Namespace) -> int:
    """Say why a model cannot be validated, and which can."""
    name = arguments.model
    if models.get(name).vector:
        reason = (
            "a particle of it is an array, and exact laws here are of one number; "
            "in Python, law.compare(model.observable(name)(ens.x)) compares one"
        )
    elif not models.get(name).confining:
        reason = "particles run off once they have escaped, so there is no stationary law"
    elif _lawless(models.get(name)):
        reason = "no exact law of it is known"
    else:
        reason = (
            "its stationary law is a point, none, or that of "
            f"{models.get(name).kernel} in other parameters"
        )
    raise ValueError(
        f"{name} cannot be validated: {reason}; models that can: {', '.join(validated())}"
    )


def _add_model(choices: argparse._SubParsersAction[Any], name: str) -> None:
    entry = registry()[name]
    default = (
        "all particles start from the exact stationary law, which the run must preserve\n"
        "(a wrong drift, noise or scheme, or too large a step, drives them off it)"
    )
    exact = "the run (--t) must be long enough to forget it"
    if _has_transition(models.get(name)):
        default = "all particles start at 1"
        exact = "the exact law at the end of the run is compared"
    parser = choices.add_parser(
        name,
        help=entry["equation"],
        description=_DESCRIPTION.format(
            name=name, equation=entry["equation"], law=exact, default=default
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_argument_group("parameters")
    bundled = set()
    for bundle, members in _BUNDLES.items():
        if set(members) <= {p["name"] for p in entry["parameters"]}:
            bundled |= set(members)
            group.add_argument(
                f"--{bundle}",
                dest=f"parameter_{bundle}",
                metavar="DATA",
                help="gaussian:k,s or binary:k,s (see escapade.data), or a file with two columns x, y "
                "(default gaussian:1,1)",
            )
    for p in entry["parameters"]:
        if p["name"] not in bundled:
            limits = f", {bounds(p)}" if bounds(p) else ""
            group.add_argument(
                f"--{p['name']}",
                dest=f"parameter_{p['name']}",
                type=count if p["integer"] else float,
                metavar="VALUE",
                help=f"{p['doc']} [{p['unit']}]{limits} (default {p['default']:g})",
            )
    parser.add_argument("--scheme", default="auto", metavar="NAME", help=", ".join(schemes.list()))
    parser.add_argument("--dt", type=float, default=0.01, help="time step (default 0.01)")
    parser.add_argument("--t", type=float, default=5.0, help="length of the run (default 5)")
    parser.add_argument("--x0", default=None, help="'stationary' or a number")
    parser.add_argument(
        "--dtype", default="float64", help="float64 or float32, of the state (default float64)"
    )
    parser.add_argument(
        "--noise", default="float32", help="float32 or float64, see the README (default float32)"
    )
    add_common(parser, n=100_000, seed=1)
    parser.set_defaults(run=run, model=name)


def _has_transition(model: type[Model]) -> bool:
    return callable(getattr(model, "transition", None))


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from ..laws import NoStationaryLaw, PointMass

    check_common(arguments)
    model = _model(arguments)
    dt = number("--dt", arguments.dt, low=0.0, open_low=True)
    steps = count_steps(arguments.t, None, dt)
    resolve_scheme(model, arguments.scheme)
    x0 = _start(model, arguments.x0)
    try:
        if _has_transition(type(model)) and not isinstance(x0, str):
            law = model.transition(x0, steps * dt)
        else:
            law = model.stationary()
    except NoStationaryLaw as error:
        return _no_law(arguments, model, str(error))
    if isinstance(law, PointMass):
        return _no_law(arguments, model, f"the law is the point {law.at:g}: {law.reason}")
    experiment = Experiment(
        model,
        law,
        arguments.n,
        x0,
        (Stage(steps, dt),),
        scheme=arguments.scheme,
        dtype=arguments.dtype,
        noise=arguments.noise,
        seed=arguments.seed,
        threads=arguments.threads,
    )
    outcome = simulate(experiment, progress=progress(arguments))
    if arguments.json:
        result = {"version": __version__, "seed": arguments.seed, **outcome.to_dict()}
        print(json.dumps(result, indent=2))
    else:
        print(f"{_text.machine()}, seed {arguments.seed}\n\n{_text.outcome(outcome)}")
    return 0 if outcome.agree else 1


def _model(arguments: argparse.Namespace) -> Model:
    """Return the model with the parameters that were given; the others keep their defaults."""
    prefix = "parameter_"
    given = {
        key.removeprefix(prefix): value
        for key, value in vars(arguments).items()
        if key.startswith(prefix) and value is not None
    }
    for bundle in _BUNDLES:
        if bundle in given:
            given[bundle] = read_data(given[bundle])
    return models.get(arguments.model)(**given)


def _start(model: Model, text: str | None) -> float | str:
    """Return the start: a number, or "stationary"."""
    if text is None:
        return 1.0 if _has_transition(type(model)) else "stationary"
    if text == "stationary":
        return text
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"--x0 must be a number or 'stationary', got {text!r}") from None
    return number("--x0", value)


def _no_law(arguments: argparse.Namespace, model: Model, reason: str) -> int:
    """Say why there is nothing to compare with."""
    if arguments.json:
        print(
            json.dumps({"version": __version__, "model": repr(model), "no_law": reason}, indent=2)
        )
    else:
        print(f"escapade: no law to compare {model.name} with: {reason}", file=sys.stderr)
    return NO_LAW
