"""Densities, residuals and survival curves drawn with matplotlib (extra ``plot``).

Functions take ``ax=`` and return it, as in matplotlib's own habit. Nothing here is imported, and
matplotlib neither, before it is asked for.
"""

from __future__ import annotations

from ._axes import DATA_COLOUR, LAW_COLOUR
from .density import density, residuals
from .survival import survival

__all__ = ["DATA_COLOUR", "LAW_COLOUR", "density", "residuals", "survival"]
