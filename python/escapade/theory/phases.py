"""Phases, tails and moments of the stationary laws of diagonal linear networks.

Source: Ziyin, Li, Ueda, arXiv:2308.06671, Figs. 4 and 5, eqs. A.12 to A.16.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._checks import integer, number
from ..data import DataMoments
from ..data._sweep import Values
from . import _numbers
from ._inputs import one_point, over

__all__ = ["Phase", "moment_range", "phase", "tail_exponent"]

_TEXTS = {
    "Ia": "collapse: every path ends at 0",
    "Ib": "collapse: every path ends at 0, but the formal density keeps a peak away from 0",
    "IIa": "sparse: a law exists, its density diverges at 0 and has no other maximum",
    "IIb": "sparse: a law exists, its density diverges at 0 and has a second, interior maximum",
    "III": "learning: the density vanishes at 0 and has one interior maximum",
}


class Phase(NamedTuple):
    """A phase of the depth-1 network (arXiv:2308.06671, Fig. 4).

    Attributes
    ----------
    name : str
        ``"Ia"``, ``"Ib"``, ``"IIa"``, ``"IIb"`` or ``"III"``.
    text : str
        What happens there.
    """

    name: str
    text: str

    @property
    def roman(self) -> str:
        """``"I"``, ``"II"`` or ``"III"``."""
        return self.name.rstrip("ab")

    @property
    def has_peak(self) -> bool:
        """Whether the density has a maximum away from 0."""
        return not self.name.endswith("a")


def phase(data: DataMoments, T: float, gamma: float = 0.0, depth: int = 1) -> Phase:
    """Return the phase of the depth-1 network (arXiv:2308.06671, Fig. 4).

    I for ``T >= Tc``, II for ``Tc/3 <= T < Tc``, III for ``T < Tc/3``; in I and II suffix b if the
    (in I: formal) density has an interior maximum (eq. A.16), a if not.

    Parameters
    ----------
    data : DataMoments
        One data set.
    T, gamma : float
        Temperature and weight decay, >= 0.
    depth : int, default 1
        Must be 1.

    Raises
    ------
    ValueError
        For other depths, for a sweep, and for interpolated data without weight decay.
    """
    if integer("depth", depth, low=0) != 1:
        what = (
            "linear regression has a normalisable law at every T"
            if depth == 0
            else "deeper networks have a normalisable law at every T without weight decay, and "
            "collapse in the end at every T with it"
        )
        raise ValueError(f"depth must be 1, got {depth}: only depth 1 has phases; {what}")
    d = one_point(data)
    T, gamma = number("T", T, low=0.0), number("gamma", gamma, low=0.0)
    if (
        gamma == 0.0
        and _vanishing_noise(d)
        and math.isclose(d.alpha2 * d.beta1, d.alpha1 * d.beta2)
    ):
        raise ValueError(
            f"data must not be interpolated without weight decay, got {d.label}: there every path "
            "ends at k or at 0, with the probability absorption_probability gives"
        )
    t_c = _numbers.critical_temperature(d.beta2, d.alpha3, gamma)
    if T < t_c / 3.0:
        return Phase("III", _TEXTS["III"])
    mode = _numbers.depth1_mode(T, d.beta1, d.beta2, d.alpha1, d.alpha2, d.alpha3, gamma)
    name = ("I" if T >= t_c else "II") + ("a" if math.isnan(mode) else "b")
    return Phase(name, _TEXTS[name])


def _vanishing_noise(d: DataMoments) -> bool:
    """Whether the noise depends on the state and vanishes somewhere (``x y = k x^2 - c``)."""
    return bool(d.alpha1 > 0.0 and d.delta == 0.0)


def _check_law(depth: int, d: DataMoments, T: float, gamma: float) -> None:
    """Refuse where there is no density on an unbounded support."""
    if _vanishing_noise(d) and (depth > 0 or gamma == 0.0):
        raise ValueError(
            f"data must have noise everywhere (delta > 0), got {d.label}: on interpolated data the "
            "law is bounded by the point where the noise vanishes"
        )
    if depth == 1:
        t_c = _numbers.critical_temperature(d.beta2, d.alpha3, gamma)
        if T >= t_c:
            raise ValueError(
                f"T must be less than Tc = (beta2 - gamma)/alpha3 = {t_c:g}, got {T!r}: from Tc on "
                "the only law is the point mass at 0"
            )
    if depth >= 2 and (gamma > 0.0 or d.beta2 <= 0.0):
        raise ValueError(
            f"gamma must be 0 and beta2 positive for depth >= 2, got gamma = {gamma!r}, beta2 = "
            f"{d.beta2!r}: otherwise every path collapses to 0 in the end"
        )


def tail_exponent(
    depth: int, data: DataMoments | None = None, T: Values | None = None, gamma: Values = 0.0
) -> Values:
    """Return ``d ln p/d ln |v|`` at infinity.

    Depth 0: ``-2 - (beta1 + gamma)/(T alpha1)`` (eq. A.12); depth >= 1: ``-5 + 3/(D+1)`` at every
    temperature (eq. A.14). minus infinity for ``alpha1 = 0``, where tails are exponential.

    Parameters
    ----------
    depth : int
        Layers minus one, >= 0.
    data : DataMoments, optional
        Needed for depth 0; for other depths it only serves to check that there is such a law.
    T : float or array_like, optional
        Temperature, > 0; goes with ``data``.
    gamma : float or array_like, default 0
        Weight decay, >= 0.

    Raises
    ------
    ValueError
        Where there is no law with an unbounded support; the message says what happens instead.
    """
    depth = integer("depth", depth, low=0)
    if data is None or T is None:
        if depth == 0 or not (data is None and T is None):
            raise ValueError(
                "data and T must be given for depth 0, and both or neither for other depths"
            )
        return -5.0 + 3.0 / (depth + 1)

    def one(d: DataMoments, T: float, gamma: float) -> float:
        T, gamma = number("T", T, low=0.0, open_low=True), number("gamma", gamma, low=0.0)
        _check_law(depth, d, T, gamma)
        if d.alpha1 == 0.0:
            return -math.inf
        return -2.0 - (d.beta1 + gamma) / (T * d.alpha1) if depth == 0 else -5.0 + 3.0 / (depth + 1)

    return over(one, data, T=T, gamma=gamma)


def moment_range(
    depth: int, data: DataMoments, T: float, gamma: float = 0.0
) -> tuple[float, float]:
    """Return ``(low, high)``: ``E |v|^n`` of the stationary law is finite iff ``low < n < high``.

    Depth 0: ``(-1, 1 + (beta1 + gamma)/(T alpha1))``; depth 1: ``(1/2 - b2/(2 alpha3 T), 5/2)``;
    depth D >= 2: ``(-inf, 4 - 3/(D+1))`` (eqs. A.12, A.15, A.14). ``high`` is inf for
    ``alpha1 = 0``.

    Parameters
    ----------
    depth : int
        Layers minus one, >= 0.
    data : DataMoments
        One data set.
    T : float
        Temperature, > 0.
    gamma : float, default 0
        Weight decay, >= 0.

    Raises
    ------
    ValueError
        As :func:`tail_exponent`.
    """
    d = one_point(data)
    high = -float(tail_exponent(depth, d, T, gamma)) - 1.0
    if depth == 0:
        return -1.0, high
    return (0.5 - (d.beta2 - gamma) / (2.0 * d.alpha3 * T) if depth == 1 else -math.inf), high
