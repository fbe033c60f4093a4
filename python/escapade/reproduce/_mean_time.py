"""Simulated mean escape times of figures."""

from __future__ import annotations

import warnings
from typing import Any

from ..passage.errors import TooFewEscapesWarning
from ..passage.escape import escape
from ..passage.regions import Region
from .base import Settings

__all__ = ["mean_time"]


def mean_time(
    settings: Settings, seed: int, model: Any, x0: Any, region: Region, n: int, dt: float
) -> tuple[float, float]:
    """Return the mean time to leave ``region``, all followed until they leave, and its error.

    ``n`` is taken as it is, and ``seed`` is added to that of ``settings``.
    """
    with warnings.catch_warnings():
        # that there is no one rate, because some escape at once, is no matter here
        warnings.simplefilter("ignore", TooFewEscapesWarning)
        found = escape(
            model,
            x0,
            region,
            n,
            dt=dt,
            burn_in=0.0,
            seed=settings.seed + seed,
            threads=settings.threads,
            progress=settings.progress,
        )
    return found.mean_time, found.mean_time_stderr
