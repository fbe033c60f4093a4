"""escapade: fast, exactly validated integration of large ensembles of SDEs with state-dependent noise.

import escapade as ea

model = ea.models.PowerLaw(H=1.0, sigma_g=0.1, sigma_H=0.2, eta=1.0)
ens = ea.Ensemble(model, n=1_000_000, x0=0.0, seed=7)
hist = ea.Histogram(-4, 4, bins=400)
ens.run(t=10.0, dt=0.01, observe=hist)
print(model.stationary().compare(hist))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _core, data, init, models, observables, schemes
from .ensemble import Ensemble, Trajectory
from .observers import (
    Autocorrelation,
    BalanceResidual,
    Histogram,
    LyapunovExponent,
    Moments,
    Observer,
    Snapshots,
    TimeAverage,
)
from .passage.regions import Ball, HalfSpace, Interval
from .report import EnsembleWarning, NonFiniteError, Report

if TYPE_CHECKING:
    from . import estimate, exact, laws, passage, plots, reproduce, theory
    from .passage.crossings import crossings
    from .passage.escape import TargetError, escape

__version__: str = _core.version

__all__ = [
    "Autocorrelation",
    "BalanceResidual",
    "Ball",
    "Ensemble",
    "EnsembleWarning",
    "HalfSpace",
    "Histogram",
    "Interval",
    "LyapunovExponent",
    "Moments",
    "NonFiniteError",
    "Observer",
    "Report",
    "Snapshots",
    "TargetError",
    "TimeAverage",
    "Trajectory",
    "__version__",
    "crossings",
    "data",
    "escape",
    "estimate",
    "exact",
    "init",
    "laws",
    "models",
    "observables",
    "passage",
    "plots",
    "reproduce",
    "schemes",
    "theory",
]


_LAZY = ("estimate", "exact", "laws", "passage", "plots", "reproduce", "theory")
_FROM_PASSAGE = {"TargetError": "escape", "crossings": "crossings", "escape": "escape"}


def __getattr__(name: str) -> Any:
    # these bring in parts of scipy and matplotlib that take a while to import
    if name in _LAZY:
        return importlib.import_module(f".{name}", __name__)
    if name in _FROM_PASSAGE:
        return getattr(importlib.import_module(f".passage.{_FROM_PASSAGE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
