"""Observers: streaming statistics of a run, in physical coordinates."""

from __future__ import annotations

from .autocorrelation import Autocorrelation
from .base import Observer
from .histogram import Histogram
from .moments import Moments
from .paths import Snapshots, TimeAverage

__all__ = ["Autocorrelation", "Histogram", "Moments", "Observer", "Snapshots", "TimeAverage"]
