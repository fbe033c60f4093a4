"""What the formulas of escape share."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._checks import choice, number

__all__ = ["exp", "positive", "saddle_eigenvalues", "share"]


def positive(name: str, value: float) -> float:
    """Return a finite number > 0."""
    return number(name, value, low=0.0, open_low=True)


def exp(exponent: float) -> float:
    """Return ``exp(exponent)``, inf beyond the range of a float."""
    return math.exp(exponent) if exponent < 709.78 else math.inf


def share(to: str) -> float:
    """Return the part of the crossing time that passage ``to`` the saddle, or across, takes."""
    return 0.5 if choice("to", to, ("across", "saddle")) == "saddle" else 1.0


def saddle_eigenvalues(hessian: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ascending eigenvalues, of which exactly the first is negative."""
    eigenvalues = np.asarray(np.linalg.eigvalsh(hessian), dtype=np.float64)
    if int((eigenvalues < 0.0).sum()) != 1 or not np.all(eigenvalues):
        raise ValueError(
            "saddle_hessian must have exactly one negative eigenvalue and none that is 0, got "
            f"{eigenvalues.tolist()}"
        )
    return eigenvalues
