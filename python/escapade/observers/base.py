"""What an observer is: something that looks at an ensemble at chosen steps and keeps little."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._checks import integer

if TYPE_CHECKING:
    from ..ensemble import Ensemble

__all__ = ["Observer", "Plan"]


@dataclass(frozen=True)
class Plan:
    """The run that an observer is about to see, from ``step`` to ``end``.

    Times are counted from ``origin``, the step at which the ensemble took up this way of stepping
    (at time ``t_origin``), so that they do not depend on how a run is split.
    """

    step: int
    end: int
    origin: int
    t_origin: float
    dt: float

    @property
    def t(self) -> float:
        """Time at the start of the run."""
        return self.time(self.step)

    def time(self, step: int) -> float:
        """Return the time at ``step``."""
        return self.t_origin + (step - self.origin) * self.dt

    def step_at(self, name: str, time: float) -> int:
        """Return the step at ``time``; a ValueError if it is not a whole number of steps away."""
        offset = (time - self.t) / self.dt
        whole = round(offset)
        if abs(offset - whole) > step_tolerance(abs(offset)):
            raise ValueError(
                f"{name} = {time:g} is not a whole number of steps of dt = {self.dt:g} "
                f"from t = {self.t:g}"
            )
        return self.step + whole


def step_tolerance(steps: float) -> float:
    """Return how far from a whole number a quotient of times may be and still count as one."""
    return min(0.01, 1e-6 + 1e-12 * steps)


class Observer(abc.ABC):
    """Base of all observers.

    An observer without ``every`` looks once, at the end of each run it is given to. With ``every=k``
    it looks at every step of the ensemble that is a multiple of ``k``, so that it sees the same
    whether a run is made in one go or in parts. Observers see physical coordinates.
    """

    every: int | None = None
    _seen_ensemble: tuple[object, ...] | None = None

    def __init__(self, every: int | None = None) -> None:
        self.every = None if every is None else integer("every", every, low=1)

    def bind(self, ensemble: Ensemble) -> None:
        """Refuse a second ensemble: what would come out belongs to neither.

        Raises
        ------
        ValueError
            If the observer has been used with another ensemble.
        """
        self._refuse_another(ensemble)
        self._seen_ensemble = _key(ensemble)

    def _complete(self) -> None:
        """Let nothing be added to what was merged or picked out: it belongs to no ensemble."""
        self._seen_ensemble = ("complete",)

    def _refuse_another(self, ensemble: Ensemble) -> None:
        if self._seen_ensemble is not None and self._seen_ensemble != _key(ensemble):
            raise ValueError(
                f"observe: this {type(self).__name__} has looked at another ensemble; take a new one, "
                "and merge() the two if both are parts of one"
            )

    def begin(self, ensemble: Ensemble, plan: Plan) -> None:
        """Check, before anything runs, that the run can be observed.

        `bind` is called after this has been done for all observers of the run.
        """
        self._refuse_another(ensemble)

    def next_step(self, step: int, plan: Plan) -> int | None:
        """Return the first step after ``step`` at which to look, None if there is none."""
        if self.every is None:
            return plan.end if step < plan.end else None
        return (step // self.every + 1) * self.every

    @abc.abstractmethod
    def update(self, ensemble: Ensemble, step: int, time: float) -> None:
        """Look at ``ensemble``, which stands at ``step``."""


def _key(ensemble: Ensemble) -> tuple[object, ...]:
    return (ensemble.model, ensemble.n, ensemble.seed, ensemble.first_id, ensemble.dtype)
