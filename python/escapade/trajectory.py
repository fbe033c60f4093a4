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
    """One particle's path: times ``t``, shape (k,), and states ``x``, shape (k,) or (k, dim)."""

    t: npt.NDArray[np.float64]
    x: npt.NDArray[Any]


def resimulate(ensemble: Ensemble, i: int, every: int | None, point: int = 0) -> Trajectory:
    """Make again what ``ensemble`` has done to its particle ``i`` at a point of the sweep.

    An engine of one particle whose number is that of particle ``i`` draws the same noise.
    """
    assert ensemble._initial is not None
    model, dtype = ensemble.model, ensemble.dtype
    name, parameters = model._call[0], model._call[1][point : point + 1]
    id = ensemble._first_id + point * ensemble.n + i
    engine = _core.Engine(1, dtype.name, ensemble.noise, ensemble.seed, 1, id, 1, model._planes)
    coordinate = ensemble._initial.fill(engine.state[0], ensemble.seed, point, i)
    engine.fill_padding()

    def look() -> list[float]:
        call = (name, parameters, coordinate, 0)
        return [float(engine.physical(*call, k, 0, 1)[0]) for k in range(model.dim)]

    times, states = [0.0], [look()]
    for leg in ensemble._legs:
        wanted = get_scheme(leg.scheme).coordinate
        if wanted != coordinate:
            engine.change_coordinate(name, parameters, coordinate, wanted)
            coordinate = wanted
        done = 0
        while done < leg.steps:
            rest = leg.steps - done
            length = min(rest, _SLICE if every is None else every - engine.step % every)
            engine.advance(name, leg.scheme, parameters, length, leg.dt, leg.coarsen)
            done += length
            if every is not None or engine.step == ensemble.step:
                times.append(leg.t0 + done * leg.dt)
                states.append(look())
    with np.errstate(over="ignore", under="ignore"):
        x = np.array(states).astype(dtype)
    return Trajectory(np.array(times), x if model.vector else x[:, 0])
