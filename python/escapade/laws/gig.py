"""The generalised inverse Gaussian law."""

from __future__ import annotations

import math

import numpy as np

from .._checks import number
from ._panels import FloatArray
from .coordinates import LogCoordinate
from .numeric import NumericLaw

__all__ = ["GIG"]


class GIG(NumericLaw):
    """Density ``x^(p-1) exp(-(chi/x + psi x)/2)`` up to a factor, on (0, inf).

    Parameters
    ----------
    p : float
        Index, any real number.
    chi, psi : float
        Both > 0. (``chi = 0`` is a gamma law, ``psi = 0`` an inverse-gamma law.)

    Notes
    -----
    ``scipy.stats.geninvgauss(p, sqrt(chi psi), scale=sqrt(chi/psi))`` is the same law; here it is
    tabulated, because distribution function and quantiles there are slow and lose the tails.
    """

    def __init__(self, p: float, chi: float, psi: float) -> None:
        self.p = number("p", p)
        self.chi = number("chi", chi, low=0.0, open_low=True)
        self.psi = number("psi", psi, low=0.0, open_low=True)
        index = self.p
        half = 0.5 * math.sqrt(self.chi) * math.sqrt(self.psi)

        def score(y: FloatArray) -> FloatArray:
            return index - 2.0 * half * np.sinh(y)

        # The peak in y: half (e^y - e^-y) = p.
        peak = math.asinh(0.5 * index / half)
        super().__init__(
            f"GIG(p={self.p:.6g}, chi={self.chi:.6g}, psi={self.psi:.6g})",
            score,
            LogCoordinate(math.sqrt(self.chi) / math.sqrt(self.psi)),
            (0.0, peak),
        )
