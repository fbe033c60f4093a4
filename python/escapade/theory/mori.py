"""Escape of SGD with noise in proportion to the loss, ``2 L H*/B``; stationary law ``L^-phi``.

Source: Mori, Ziyin, Liu, Ueda, arXiv:2105.09557 (ICLR 2022 submission). Loss with the factor 1/2.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._checks import integer, number
from ._escape import positive, saddle_eigenvalues, share
from ._inputs import positive_definite, symmetric

__all__ = ["mori_n_c", "mori_phi", "mori_rate", "mori_rate_nd"]


def mori_phi(h: float, eta: float, batch: float) -> float:
    """Return ``phi = 1 + B/(eta h)``, the exponent of the loss in the stationary law ``L^-phi``.

    Mori, Ziyin, Liu, Ueda, arXiv:2105.09557, whose noise is ``2 L h/B``: it holds for that equation.
    SGD on Gaussian linear regression has another tail, see `sgd_tail_index`.
    """
    return 1.0 + positive("batch", batch) / (positive("eta", eta) * positive("h", h))


def mori_n_c(h: float, eta: float, batch: float) -> float:
    """Return ``n_c = 2 (B/(eta h) + 1)``: a minimum is stable in fewer than ``n_c`` directions.

    Below it ``L^-phi`` can be normalised (arXiv:2105.09557).
    """
    return 2.0 * mori_phi(h, eta, batch)


def mori_rate(
    h: float,
    saddle_curvature: float,
    loss_ratio: float,
    eta: float,
    batch: float,
    *,
    to: str = "across",
) -> float:
    """Return ``sqrt(h |h_s|)/(2 pi) (L_s/L*)^-(1/2 + B/(eta h))``, escape rate (arXiv:2105.09557, 16).

    Parameters
    ----------
    h, saddle_curvature : float
        Curvature at the minimum, and its size at the saddle, > 0.
    loss_ratio : float
        ``L_s/L*``, loss at the saddle over loss at the minimum, > 1.
    eta : float
        Learning rate, > 0.
    batch : float
        Batch size, > 0.
    to : {"across", "saddle"}
        As the paper, or first passage to the saddle (twice as fast).
    """
    one = np.eye(1)
    return mori_rate_nd(
        positive("h", h) * one,
        -positive("saddle_curvature", saddle_curvature) * one,
        loss_ratio,
        eta,
        batch,
        to=to,
    )


def mori_rate_nd(
    hessian: npt.ArrayLike,
    saddle_hessian: npt.ArrayLike,
    loss_ratio: float,
    eta: float,
    batch: float,
    *,
    h: float | None = None,
    n: int | None = None,
    to: str = "across",
) -> float:
    """Return the escape rate in ``n`` outlier directions (arXiv:2105.09557, 17).

    ``(|h_e|/2 pi) sqrt(det H*/|det H_s|) (L_s/L*)^-(B/(eta h) + 1 - n/2)``; for equal eigenvalues of
    ``H*`` it is exact in the limit of high barriers. Equal to `loss_coupled_time_nd` with
    ``kappa = mori_phi`` and ``es = 2 eta L* h/B``.

    Parameters
    ----------
    hessian, saddle_hessian : array_like, shape (n, n)
        At the minimum, positive definite; at the saddle, one negative eigenvalue.
    loss_ratio : float
        ``L_s/L*`` > 1.
    eta, batch : float
        Learning rate and batch size, > 0.
    h : float, optional
        Eigenvalue of ``H*`` along the way of escape; by default they must all agree.
    n : int, optional
        Outlier directions, if not all.
    to : {"across", "saddle"}

    Raises
    ------
    ValueError
        For ``n >= n_c``, where nothing is bound, and for bad arguments.
    """
    Hb = symmetric("saddle_hessian", saddle_hessian)
    Ha = positive_definite("hessian", hessian, Hb.shape[0])
    values = np.linalg.eigvalsh(Ha)
    if h is None:
        if values[-1] - values[0] > 1e-9 * values[-1]:
            raise ValueError("h must be given where the eigenvalues of hessian differ")
        h = float(values.mean())
    n = Hb.shape[0] if n is None else integer("n", n, low=1, high=Hb.shape[0])
    exponent = mori_phi(h, eta, batch) - 0.5 * n
    if exponent <= 0.0:
        raise ValueError(
            f"hessian must have fewer than n_c = {mori_n_c(h, eta, batch):g} rows, got {n}"
        )
    ratio = number("loss_ratio", loss_ratio, low=1.0, open_low=True)
    eigenvalues = saddle_eigenvalues(Hb)
    logs = float(np.log(values).sum()) - float(np.log(np.abs(eigenvalues)).sum())
    speed = -float(eigenvalues[0]) / (2.0 * math.pi * share(to))
    return speed * math.exp(0.5 * logs - exponent * math.log(ratio))
