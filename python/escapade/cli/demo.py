"""``escapade demo``: two ensembles relax onto their exact laws, and particles escape from a well."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__, data
from ..models import BalancedNetwork, PowerLaw
from ..observers import Histogram
from . import _text
from ._demo_escape import escapes, table
from ._experiment import Experiment, Outcome, Stage, simulate
from ._options import add_common, check_common, progress, read_data

if TYPE_CHECKING:
    from ..data import DataMoments

_SHARE = 0.4  # of the critical temperature
_DESCRIPTION = f"""\
Simulate the power-law dynamic and the depth-1 balanced network, both from one point far from their
stationary laws, until they have relaxed; compare the final states with the exact laws in a table and
a figure (needs matplotlib). Then let particles of the power-law dynamic escape from their well, and
compare rates down to 6e-10 with the exact ones.

With --data the moments of the network come from a file with two columns x, y. x and y are rescaled so
that E x^2 = E x y = 1, which measures v in units of the least-squares slope E x y / E x^2; if that
slope is negative, the sign of y is turned. The model has no intercept: subtract the means first if
you want none. The temperature is {_SHARE:g} of the critical one, T_c = E x y / Var x y, above which v
collapses to 0."""


def add(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="a million particles of two models against their exact laws, and escape rates",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(parser, n=1_000_000, seed=1)
    parser.add_argument("--data", metavar="FILE", help="two columns x, y; header optional")
    parser.add_argument(
        "--output",
        metavar="FILE",
        default="escapade-demo.png",
        help="the figure: png, pdf or svg (default escapade-demo.png)",
    )
    parser.add_argument("--no-figure", action="store_true", help="do not draw the figure")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    check_common(arguments)
    output = None if arguments.no_figure else _check_output(arguments.output)
    source, notes = _network_data(arguments.data)
    experiments = [_power_law(arguments), _network(arguments, source)]
    if not arguments.json:
        print(f"{_text.machine()}, seed {arguments.seed}", *notes, "", sep="\n", flush=True)
    outcomes = []
    for experiment in experiments:
        outcome = simulate(experiment, progress=progress(arguments), hist=_histogram(experiment))
        outcomes.append(outcome)
        if not arguments.json:
            print(_text.outcome(outcome), end="\n\n", flush=True)
    found = escapes(arguments.n, arguments.seed, arguments.threads, progress(arguments))
    if not arguments.json:
        print(table(found), end="\n\n", flush=True)
    drawn = output is not None and _draw(outcomes, output)
    agree = all(outcome.agree for outcome in outcomes) and all(e.agree for e in found)
    if arguments.json:
        result = {
            "version": __version__,
            "seed": arguments.seed,
            "notes": notes,
            "results": [outcome.to_dict() for outcome in outcomes],
            "escapes": [e.to_dict() for e in found],
            "figure": str(output) if drawn else None,
            "agree": agree,
        }
        print(json.dumps(result, indent=2))
    elif drawn:
        print(f"figure: {output}")
    elif output is not None:
        print("no figure: matplotlib is missing; pip install matplotlib brings it")
    return 0 if agree else 1


def _power_law(arguments: argparse.Namespace) -> Experiment:
    """Student's t with 5 degrees of freedom, from 12 standard deviations away."""
    model = PowerLaw(H=1.0, sigma_g=0.1, sigma_H=0.5)
    return Experiment(
        model,
        model.stationary(),
        arguments.n,
        3.0,
        (Stage(800, 0.02),),
        seed=arguments.seed,
        threads=arguments.threads,
    )


def _network(arguments: argparse.Namespace, source: DataMoments) -> Experiment:
    """A network on normalised data (beta1 = beta2 = 1), from a small initial weight.

    The run lasts ten relaxation times (`laws.relaxation_rate`); the last part has a smaller step,
    which the upper tail of the law needs and the approach to it does not.
    """
    from ..laws import critical_temperature, relaxation_rate

    T = _SHARE * critical_temperature(source.beta2, source.alpha3)
    model = BalancedNetwork(depth=1, T=T, data=source)
    t = 10.0 / relaxation_rate(T, source.beta2, source.alpha3)
    coarse, fine, last = 0.02, 0.005, 4.0
    stages = (Stage(round((t - last) / coarse), coarse), Stage(round(last / fine), fine))
    return Experiment(
        model,
        model.stationary(),
        arguments.n,
        1e-3,
        stages,
        seed=arguments.seed,
        threads=arguments.threads,
    )


def _network_data(text: str | None) -> tuple[DataMoments, list[str]]:
    """Return normalised moments (beta1 = beta2 = 1), and what the user should know about them."""
    if text is None:
        return data.gaussian(1.0, 1.0), []
    raw = read_data(text)
    notes = [
        f"data {text}: {raw.label}, E x^2 = {raw.beta1:.6g}, E x y = {raw.beta2:.6g}, "
        f"Var x y = {raw.alpha3:.6g}"
    ]
    if raw.beta2 == 0.0:
        raise ValueError(f"{text}: E x y must not be 0: there is no slope to learn")
    if raw.beta2 < 0.0:
        notes.append("E x y is negative: the sign of y is turned, v stands for minus the slope")
    additive = raw.alpha1 == raw.alpha2 == 0.0 < raw.alpha3  # x^2 is constant: binary inputs
    if raw.delta == 0.0 and not additive:
        raise ValueError(
            f"{text}: the data are interpolated (x y = k x^2 - c on every sample), so the noise of "
            "SGD vanishes at the solution and there is no law to land on; use data with noise in y"
        )
    slope = raw.beta2 / raw.beta1
    notes.append(
        f"x and y are rescaled to E x^2 = E x y = 1: v is the slope over {slope:.6g}; "
        f"T = {_SHARE:g} T_c = {_SHARE * raw.beta2 / raw.alpha3 * (1 if slope > 0 else -1):.6g} "
        "in your units"
    )
    return _normalised(raw), notes


def _normalised(raw: DataMoments) -> DataMoments:
    """Return the moments of ``(a x, b y)`` with ``a`` and ``b`` such that beta1 = beta2 = 1."""
    ratio = raw.beta1 / raw.beta2  # b / a
    a4 = 1.0 / raw.beta1 / raw.beta1
    return data.DataMoments(
        1.0,
        1.0,
        a4 * raw.alpha1,
        a4 * ratio * raw.alpha2,
        a4 * ratio * ratio * raw.alpha3,
        label=f"{raw.label}, normalised",
    )


def _histogram(experiment: Experiment) -> Histogram:
    """Return the histogram behind the figure, wide enough for the last of ``n`` particles."""
    law, tail = experiment.law, 2.0 / max(experiment.n, 1000)
    if law.support()[0] >= 0.0:
        lo, hi = float(law.ppf(tail)), float(law.isf(0.4 * tail))
        return Histogram(lo, hi, bins=90, scale="log" if hi > 30.0 * lo else "linear")
    edge = float(law.isf(0.4 * tail))
    return Histogram(-edge, edge, bins=91, scale="symlog", threshold=float(law.isf(0.1)))


def _check_output(text: str) -> Path:
    """Return the path of the figure, or refuse one that could not be written."""
    path = Path(text)
    if not path.parent.is_dir():
        raise ValueError(f"--output must lie in an existing folder, got {text!r}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"--output must be a file that can be written, got {text!r}")
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise ValueError(f"--output must end in .png, .pdf or .svg, got {text!r}")
    return path


def _draw(outcomes: list[Outcome], path: Path) -> bool:
    """Write the figure; return False if matplotlib is missing."""
    try:
        found = importlib.util.find_spec("matplotlib") is not None
    except ValueError:  # blocked in sys.modules
        found = False
    if not found:
        return False
    from ._demo_figure import figure

    figure(outcomes).savefig(path, dpi=200)
    return True
