"""The files of a reproduced figure."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core
from .base import Figure, Result, Settings

__all__ = ["draw", "write"]

DPI = 110  # of pictures
_STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "mathtext.fontset": "cm",
    "legend.frameon": False,
    "svg.hashsalt": "escapade",
}


def draw(figure: Figure, result: Result) -> Any:
    """Return the drawing, a ``matplotlib.figure.Figure``.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        raise ImportError("figures need matplotlib: pip install matplotlib") from None
    with matplotlib.rc_context(_STYLE):
        canvas = Canvas(figsize=figure.size, layout="constrained")
        FigureCanvasAgg(canvas)
        result.draw(canvas)
    return canvas


def _write_table(path: Path, columns: dict[str, Any]) -> None:
    arrays = [np.asarray(column) for column in columns.values()]
    if len({a.shape for a in arrays}) != 1 or arrays[0].ndim != 1:
        raise ValueError(f"{path.name}: columns must be of one length")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*arrays, strict=True):
            writer.writerow([f"{v:.10g}" if isinstance(v, np.floating) else v for v in row])


def _save_picture(canvas: Any, path: Path) -> None:
    """Write a PNG of at most 256 colours, a third of the size; the same picture gives the same file."""
    from PIL import Image  # matplotlib needs it too

    raw = io.BytesIO()
    canvas.savefig(raw, dpi=DPI, format="png")
    with Image.open(raw) as picture:
        picture.convert("RGB").quantize(256).save(path, optimize=True)


def write(figure: Figure, result: Result, folder: Path, settings: Settings) -> list[Path]:
    """Write tables, statistics and drawing of a figure into ``folder`` and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table, columns in result.tables.items():
        path = folder / f"{figure.name}-{table}.csv"
        _write_table(path, dict(columns))
        written.append(path)
    record = {
        "name": figure.name,
        "title": figure.title,
        "source": figure.source,
        "chosen": figure.chosen,
        "version": _core.version,
        "seed": settings.seed,
        "scale": settings.scale,
        "agrees": result.agrees,
        "statistics": [asdict(s) for s in result.statistics],
        "notes": result.notes,
    }
    path = folder / f"{figure.name}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    written.append(path)
    path = folder / f"{figure.name}.png"
    _save_picture(draw(figure, result), path)
    return [*written, path]
