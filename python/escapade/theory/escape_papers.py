"""Escape times as papers print them, for comparison only; not the answers.

`kramers` and `loss_coupled` have those that hold.

The papers' texts were not at hand in full: the formulas of Meng et al. are those of the theorems as
they are quoted. Each docstring says in what the formula errs.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._checks import choice, number
from ._escape import exp, positive, saddle_eigenvalues
from ._inputs import positive_definite, symmetric

__all__ = ["KAPPA_READINGS", "meng_time_nd_printed", "meng_time_printed", "xie_time_printed"]

KAPPA_READINGS = ("1+H/eh", "H/eh", "mixed")


def meng_time_printed(
    curvature: float,
    saddle_curvature: float,
    barrier: float,
    es: float,
    eh: float,
    *,
    kappa: str = "1+H/eh",
) -> float:
    """Return the mean escape time that Meng et al. (arXiv:2006.13719) print, in one dimension.

    ``2 pi/((1 - 1/(2 kappa)) sqrt(Ha |Hb|)) (1 + 2 Delta L/(kappa es))^(kappa - 1/2)``. **The paper's
    formula, not the answer**: use `loss_coupled_time`.

    Parameters
    ----------
    curvature, saddle_curvature, barrier, es, eh : float
        As in `loss_coupled_time`.
    kappa : {"1+H/eh", "H/eh", "mixed"}
        The text can be read in three ways.

        - ``"1+H/eh"``, the exponent of the stationary law, everywhere: wrong by a factor that does
          not go away at high barriers, about ``exp(O(1))``.
        - ``"H/eh"`` everywhere: wrong exponent.
        - ``"mixed"``: ``1 + H/eh`` in exponent and prefactor, ``H/eh`` in the base. Right in the
          limit of large ``kappa``; the factor ``1/(1 - 1/(2 kappa))`` makes it worse, not better.

    Raises
    ------
    ValueError
        If an argument is out of bounds, or ``kappa <= 1/2``, where the prefactor is not positive.
    """
    Ha, Hb = positive("curvature", curvature), positive("saddle_curvature", saddle_curvature)
    barrier, es, eh = positive("barrier", barrier), positive("es", es), positive("eh", eh)
    power, base = _kappas(kappa, Ha, eh, 1)
    s = 1.0 + 2.0 * barrier / (base * es)
    prefactor = 2.0 * math.pi / ((1.0 - 0.5 / power) * math.sqrt(Ha * Hb))
    return exp((power - 0.5) * math.log(s) + math.log(prefactor))


def _kappas(reading: str, H: float, eh: float, n: int) -> tuple[float, float]:
    """Return ``kappa`` of exponent and prefactor, and of the base."""
    reading = choice("kappa", reading, KAPPA_READINGS)
    low = H / eh
    power = low if reading == "H/eh" else 1.0 + low
    if power <= 0.5 * n:
        raise ValueError(f"kappa must be greater than {0.5 * n:g}, got {power:g}")
    return power, 1.0 + low if reading == "1+H/eh" else low


def meng_time_nd_printed(
    hessian: npt.ArrayLike,
    saddle_hessian: npt.ArrayLike,
    barrier: float,
    es: float,
    eh: float,
    *,
    kappa: str = "1+H/eh",
) -> float:
    """Return the mean escape time that Meng et al. print for ``n`` dimensions.

    ``2 pi sqrt(-det Hb)/((1 - n/(2 kappa)) sqrt(det Ha)) (1/|h_e|) s^(kappa - 1/2)`` with
    ``s = 1 + Delta L/(kappa es)``, ``H`` in ``kappa`` the curvature of the minimum along the way of
    escape, here the quadratic form of ``hessian`` with the unstable eigenvector. **The paper's
    formula, not the answer**: the exponent must be
    ``kappa - n/2`` and the barrier needs a factor 2, see `loss_coupled_time_nd`.

    Parameters
    ----------
    hessian, saddle_hessian, barrier, es : as in `loss_coupled_time_nd`
    eh : float
        ``eta sigma_H``, > 0.
    kappa : {"1+H/eh", "H/eh", "mixed"}
        As in `meng_time_printed`.
    """
    Hb = symmetric("saddle_hessian", saddle_hessian)
    n = Hb.shape[0]
    Ha = positive_definite("hessian", hessian, n)
    barrier, es, eh = positive("barrier", barrier), positive("es", es), positive("eh", eh)
    eigenvalues = saddle_eigenvalues(Hb)
    way = np.linalg.eigh(Hb)[1][:, 0]
    power, base = _kappas(kappa, float(way @ Ha @ way), eh, n)
    logs = float(np.log(np.abs(eigenvalues)).sum()) - float(np.linalg.slogdet(Ha)[1])
    prefactor = 2.0 * math.pi / ((1.0 - 0.5 * n / power) * -float(eigenvalues[0]))
    exponent = (power - 0.5) * math.log1p(barrier / (base * es)) + 0.5 * logs
    return exp(exponent + math.log(prefactor))


def xie_time_printed(
    curvature: float,
    saddle_curvature: float,
    barrier: float,
    eta: float,
    batch: float,
    path: float = 0.5,
) -> float:
    """Return the mean escape time of Xie, Sato, Sugiyama (arXiv:2002.03495) as printed.

    ``2 pi/|Hb| exp[(2 B/eta) Delta L (s/Ha + (1 - s)/|Hb|)]`` along the direction of escape.
    **The paper's formula**: Kramers with ``sigma_g`` taken as curvature over batch size, ``s`` an
    unknown parameter of the path.

    Parameters
    ----------
    curvature, saddle_curvature : float
        ``Ha`` and ``|Hb|`` along the direction of escape, > 0.
    barrier, eta, batch : float
        ``Delta L``, learning rate, batch size, > 0.
    path : float, default 0.5
        ``s``, strictly between 0 and 1.
    """
    Ha, Hb = positive("curvature", curvature), positive("saddle_curvature", saddle_curvature)
    barrier, eta, batch = (
        positive(n, v) for n, v in (("barrier", barrier), ("eta", eta), ("batch", batch))
    )
    s = number("path", path, low=0.0, high=1.0, open_low=True, open_high=True)
    exponent = 2.0 * batch / eta * barrier * (s / Ha + (1.0 - s) / Hb)
    return exp(exponent + math.log(2.0 * math.pi / Hb))
