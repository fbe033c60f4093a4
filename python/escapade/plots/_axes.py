"""What all plots share: axes and colours."""

from __future__ import annotations

from typing import Any

__all__ = ["DATA_COLOUR", "LAW_COLOUR", "matplotlib_axes"]

#: Blue and vermilion of Okabe and Ito's palette, which colour-blind readers can tell apart.
DATA_COLOUR, LAW_COLOUR = "#0072B2", "#D55E00"


def matplotlib_axes(ax: Any) -> Any:
    """Return ``ax``, or the current axes of pyplot."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("escapade.plots needs matplotlib: pip install matplotlib") from None
    return plt.gca()
