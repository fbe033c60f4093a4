"""Observers: streaming statistics of a run, in physical coordinates."""

from __future__ import annotations

from .base import Observer
from .histogram import Histogram
from .moments import Moments
from .paths import Autocorrelation, Snapshots, TimeAverage

__all__ = ["Autocorrelation", "Histogram", "Moments", "Observer", "Snapshots", "TimeAverage"]
