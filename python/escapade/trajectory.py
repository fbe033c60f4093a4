"""One particle of an ensemble, simulated again and alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from .schemes import get as get_scheme

if TYPE_CHECKING:
    from .ensemble import Ensemble

__all__ = ["Trajectory", "resimulate"]

_SLICE = 2**16  # steps between which Ctrl-C can come in


class Trajectory(NamedTuple):
    """One particle's path: times ``t`` and states ``x``, both of shape (k,)."""

    t: npt.NDArray[np.float64]
    x: npt.NDArray[Any]


def resimulate(ensemble: Ensemble, i: int, every: int | None) -> Trajectory:
    """Make again what ``ensemble`` has done to its particle ``i``.

    An engine of one particle whose number is that of particle ``i`` draws the same noise.
    """
    assert ensemble._initial is not None
    model, dtype = ensemble.model, ensemble.dtype
    call = (model.name, model._values)
    engine = _core.Engine(1, dtype.name, ensemble.noise, ensemble.seed, 1, ensemble._first_id + i)
    coordinate = ensemble._initial.fill(engine.state, ensemble.seed, i)
    engine.fill_padding()
    times, states = [0.0], [engine.physical(*call, coordinate, 0, 1)[0]]
    for leg in ensemble._legs:
        wanted = get_scheme(leg.scheme).coordinate
        if wanted != coordinate:
            engine.change_coordinate(*call, coordinate, wanted)
            coordinate = wanted
        done = 0
        while done < leg.steps:
            rest = leg.steps - done
            length = min(rest, _SLICE if every is None else every - engine.step % every)
            engine.advance(model.name, leg.scheme, model._values, length, leg.dt, leg.coarsen)
            done += length
            if every is not None or engine.step == ensemble.step:
                times.append(leg.t0 + done * leg.dt)
                states.append(engine.physical(*call, coordinate, 0, 1)[0])
    with np.errstate(over="ignore", under="ignore"):
        return Trajectory(np.array(times), np.array(states).astype(dtype))
