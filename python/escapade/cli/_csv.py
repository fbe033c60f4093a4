"""Two columns of numbers from a text file, with errors that name file and line."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_DELIMITERS = (",", ";", "\t")  # else white space


def _split(line: str, delimiter: str | None) -> list[str]:
    return [field.strip().strip('"') for field in line.split(delimiter)]


def _numbers(fields: list[str]) -> list[float] | None:
    try:
        return [float(field) for field in fields]
    except ValueError:
        return None


def read_columns(path: Path) -> tuple[FloatArray, FloatArray]:
    """Read columns ``x`` and ``y`` of a text file.

    Fields are separated by commas, semicolons, tabs or white space, whichever the first line shows.
    The first line may be a header. Empty lines and lines that start with ``#`` are skipped.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    x, y : ndarray, shape (n,)

    Raises
    ------
    ValueError
        If a line does not hold two finite numbers, or there are fewer than two of them.
    OSError
        If the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not a text file (UTF-8)") from None
    delimiter: str | None = None
    rows: list[list[float]] = []
    first = True
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if first:
            delimiter = next((d for d in _DELIMITERS if d in line), None)
        fields = _split(line, delimiter)
        values = _numbers(fields)
        header = first and values is None and all(_numbers([f]) is None for f in fields)
        first = False
        if len(fields) != 2:
            raise ValueError(
                f"{path}, line {number}: expected two columns x, y; got {len(fields)}: {line[:60]!r}"
            )
        if header:
            continue
        if values is None or not all(math.isfinite(value) for value in values):
            raise ValueError(
                f"{path}, line {number}: expected two finite numbers, got {line[:60]!r}"
            )
        rows.append(values)
    if len(rows) < 2:
        raise ValueError(f"{path}: expected at least two lines of numbers, got {len(rows)}")
    columns = np.array(rows)
    return columns[:, 0].copy(), columns[:, 1].copy()
