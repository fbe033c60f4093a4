"""How a run is carried out: checks before it, slices between which Ctrl-C and observers come in."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from . import _core
from ._checks import _show, integer, number
from ._interrupt import Interrupts
from .models import Model
from .observers import Observer
from .observers.base import Plan, step_tolerance
from .report import EnsembleWarning, NonFiniteError
from .schemes import get as get_scheme

if TYPE_CHECKING:
    from .ensemble import Ensemble

_SLICE_SECONDS = 0.05  # a run looks for Ctrl-C and moves the progress bar this often
_GUESS = 3e-9  # seconds per particle and draw before anything was measured
_LEAST_PARTICLES = 64  # what the engine works on at the least
_ROWS = _core.rows  # draws that the engine makes at a time: slices end on such a boundary


def count_steps(t: Any, steps: Any, dt: float) -> int:
    """Return the number of steps that ``run(t=..., steps=..., dt=...)`` asks for."""
    if (t is None) == (steps is None):
        raise TypeError(
            f"t or steps must be given, and not both, got t={_show(t)}, steps={_show(steps)}"
        )
    if steps is not None:
        return integer("steps", steps, low=0)
    t = number("t", t, low=0.0)
    ratio = t / dt
    if ratio >= 2**53:
        raise ValueError(f"t must be less than 2**53 steps, got t={t!r} with dt={dt!r}")
    whole: int = round(ratio)
    if abs(ratio - whole) > step_tolerance(ratio) or (t > 0 and whole == 0):
        raise ValueError(
            f"t must be a whole number of steps, got t={t!r} with dt={dt!r} ({ratio:.6g} steps); "
            f"t={max(whole, 1) * dt:.6g} or steps={max(whole, 1)} would do"
        )
    return whole


def resolve_scheme(model: Model, scheme: Any) -> str:
    """Return the name of the scheme to use, or refuse one that the model cannot use."""
    if isinstance(scheme, str) and scheme == "auto":
        return model.auto_scheme()
    name = get_scheme(scheme).name
    reason = model.scheme_objection(name)
    if reason is not None:
        # of processes in discrete time the reason says it
        usable = f"; it can use {', '.join(model.schemes)}" if model.time_step is None else ""
        raise ValueError(f"scheme {name!r} cannot step {model!r}: {reason}{usable}")
    return name


def check_observers(observe: Any) -> list[Observer]:
    """Return ``observe`` as a list."""
    if isinstance(observe, Observer):
        return [observe]
    if not isinstance(observe, (list, tuple)) or not all(isinstance(o, Observer) for o in observe):
        raise TypeError(f"observe must be an observer or a list of observers, got {_show(observe)}")
    if len({id(o) for o in observe}) != len(observe):
        raise ValueError("observe must not name one observer twice")
    return list(observe)


def execute(
    ensemble: Ensemble,
    plan: Plan,
    observers: list[Observer],
    progress: bool,
    on_bad: str,
    stop: Interrupts,
) -> None:
    """Advance ``ensemble`` to the end of ``plan``, or to where it is stopped."""
    bar = None
    if progress:
        from tqdm.auto import tqdm

        leg = ensemble._legs[-1]
        bar = tqdm(
            total=plan.end - plan.step, unit="step", desc=f"{ensemble.model.name} {leg.scheme}"
        )
    try:
        due = [o.next_step(plan.step, plan) for o in observers]
        _look(ensemble, plan, observers, due)
        if plan.step == plan.end:
            return
        draws = (
            max(ensemble.n, _LEAST_PARTICLES)
            * ensemble._points
            * ensemble._legs[-1].coarsen
            * max(ensemble.model._draws, ensemble.model._planes)
        )
        length = max(1, min(_ROWS, int(_SLICE_SECONDS / (_GUESS * draws))))
        while ensemble.step < plan.end and not stop.caught:
            target = min([plan.end, *(d for d in due if d is not None)])
            steps = min(target - ensemble.step, _aligned(ensemble.step, length))
            seconds = ensemble._advance(steps)
            # so that the next slice takes _SLICE_SECONDS, but growing by stages: clocks stutter
            length = max(1, int(steps * min(4.0, max(0.25, _SLICE_SECONDS / (seconds + 1e-9)))))
            if bar is not None:
                bar.update(steps)
            _look(ensemble, plan, observers, due)
            if on_bad == "raise" and ensemble._engine.count_nonfinite() > ensemble._bad:
                break
    finally:
        if bar is not None:
            bar.close()


def _aligned(step: int, length: int) -> int:
    """Return ``length``, shortened to end where the engine has used up the noise it made."""
    return length if length <= _ROWS else length - (step + length) % _ROWS


def _look(ensemble: Ensemble, plan: Plan, observers: list[Observer], due: list[int | None]) -> None:
    for i, observer in enumerate(observers):
        if due[i] == ensemble.step:
            observer.update(ensemble, ensemble.step, plan.time(ensemble.step))
            due[i] = observer.next_step(ensemble.step, plan)


def judge(ensemble: Ensemble, on_bad: str) -> None:
    """Count the particles that were lost since the last time, and say so."""
    bad = ensemble._engine.count_nonfinite()
    new, ensemble._bad = bad - ensemble._bad, bad
    if new <= 0 or on_bad == "ignore":
        return
    total = ensemble.n * ensemble._points
    leg, name = ensemble._legs[-1], ensemble.model.name
    best = ensemble.model.auto_scheme()
    if ensemble.model.time_step is not None:
        advice = "a smaller eta: the process itself may diverge"
    elif best != leg.scheme:
        advice = f"a smaller dt or scheme={best!r}"
    else:
        advice = "a smaller dt"
    message = (
        f"{new:,} of {total:,} particles ({new / total:.3g}) were lost (nan, infinite or "
        f"outside the domain of {name}) with scheme {leg.scheme!r} and dt={leg.dt:g}; try {advice}"
    )
    if on_bad == "raise":
        raise NonFiniteError(message)
    warnings.warn(message, EnsembleWarning, stacklevel=3)
