"""Mean escape times for noise that is a function of the loss.

Sources: Mori, Ziyin, Liu, Ueda, arXiv:2105.09557; Meng, Gong, Chen, Ma, Liu, arXiv:2006.13719, whose
exponent and base are corrected here (`escape_papers` has them as printed). Conventions of `kramers`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from .._checks import boolean, number
from ._escape import exp, positive, saddle_eigenvalues, share
from ._inputs import positive_definite, symmetric

__all__ = ["loss_coupled_time", "loss_coupled_time_nd"]


def loss_coupled_time(
    curvature: float,
    saddle_curvature: float,
    barrier: float,
    es: float,
    eh: float,
    *,
    to: str = "across",
    normalised: bool = False,
) -> float:
    """Return the mean escape time for noise that is a function of the loss, in one dimension.

    ``2 pi/sqrt(Ha |Hb|) s^(kappa - 1/2)`` with ``kappa = 1 + Ha/eh``, ``s = 1 + 2 eh Delta L/(Ha es)``,
    for ``eta C = es + (2 eh/Ha)(L - L_a)``, which is ``es + eh u^2`` as long as ``L`` is quadratic. For
    ``es + eh u^2`` beyond the quadratic region it does not hold: use :func:`kramers_time_from`.

    Parameters
    ----------
    curvature, saddle_curvature : float
        ``Ha`` at the minimum and ``|Hb|`` at the saddle, > 0.
    barrier : float
        ``Delta L``, > 0.
    es, eh : float
        ``eta sigma_g`` and ``eta sigma_H``, > 0.
    to : {"across", "saddle"}
    normalised : bool, default False
        Multiply by ``R = Gamma(kappa - 1/2) sqrt(kappa - 1)/Gamma(kappa)``, which makes the
        normalisation of the well exact instead of Gaussian: better for ``kappa`` below about 10.
    """
    Ha, Hb = positive("curvature", curvature), positive("saddle_curvature", saddle_curvature)
    barrier = positive("barrier", barrier)
    es, eh = positive("es", es), positive("eh", eh)
    excess = Ha / eh  # kappa - 1
    # ln s / excess, without the cancellation of large kappa
    log_s = math.log1p(2.0 * barrier * eh / (Ha * es))
    exponent = (excess + 0.5) * log_s
    if boolean("normalised", normalised):
        exponent += 0.5 * math.log(excess) - math.log(special.poch(excess + 0.5, 0.5))
    return exp(exponent + math.log(share(to) * 2.0 * math.pi) - 0.5 * math.log(Ha * Hb))


def loss_coupled_time_nd(
    hessian: npt.ArrayLike,
    saddle_hessian: npt.ArrayLike,
    barrier: float,
    es: float,
    kappa: float,
    *,
    to: str = "across",
) -> float:
    """Return the mean escape time for isotropic noise that is a function of the loss, n dimensions.

    ``(2 pi/|h_e|) sqrt(|det Hb|/det Ha) s^(kappa - n/2)``, ``s = 1 + 2 Delta L/((kappa - 1) es)``, for
    ``eta C = es [1 + 2 (L - L_a)/((kappa - 1) es)]`` times the identity; stationary ``C^-kappa``.

    Parameters
    ----------
    hessian : array_like, shape (n, n)
        At the minimum, positive definite.
    saddle_hessian : array_like, shape (n, n)
        At the saddle, exactly one negative eigenvalue ``h_e``.
    barrier, es : float
        ``Delta L`` and ``eta sigma_g``, > 0.
    kappa : float
        Exponent of ``C`` in the stationary law, > 1 and > n/2 (it is integrable then).
    to : {"across", "saddle"}
    """
    Hb = symmetric("saddle_hessian", saddle_hessian)
    n = Hb.shape[0]
    Ha = positive_definite("hessian", hessian, n)
    barrier, es = positive("barrier", barrier), positive("es", es)
    kappa = number("kappa", kappa, low=max(1.0, 0.5 * n), open_low=True)
    eigenvalues = saddle_eigenvalues(Hb)
    logs = float(np.log(np.abs(eigenvalues)).sum()) - float(np.linalg.slogdet(Ha)[1])
    exponent = (kappa - 0.5 * n) * math.log1p(2.0 * barrier / ((kappa - 1.0) * es)) + 0.5 * logs
    return exp(exponent + math.log(share(to) * 2.0 * math.pi / -float(eigenvalues[0])))
