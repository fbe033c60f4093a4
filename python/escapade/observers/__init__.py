"""Observers: streaming statistics of a run, in physical coordinates."""

from __future__ import annotations

from .autocorrelation import Autocorrelation
from .balance import BalanceResidual
from .base import Observer
from .histogram import Histogram
from .lyapunov import LyapunovExponent
from .moments import Moments
from .paths import Snapshots, TimeAverage

__all__ = [
    "Autocorrelation",
    "BalanceResidual",
    "Histogram",
    "LyapunovExponent",
    "Moments",
    "Observer",
    "Snapshots",
    "TimeAverage",
]
