"""Mean escape times from a well in the limit of high barriers, corrected; see also `escape_papers`.

All refer to the Ito equation ``dw = -L'(w) dt + sqrt(eta C(w)) dB`` and are means for full crossing of
the saddle; first passage to the saddle itself takes half as long. Rates are their inverses. Time is
that of the equation: one step of SGD lasts ``eta``.

Sources: Kramers, *Physica* 7, 284 (1940), with multiplicative noise by the Laplace expansion of the
exact double integral; for loss-coupled noise Mori, Ziyin, Liu, Ueda, arXiv:2105.09557, and Meng, Gong,
Chen, Ma, Liu, arXiv:2006.13719, whose exponent and base hold as corrected here.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import integrate, special

from .._checks import boolean, choice, integer, number
from ._inputs import positive_definite, symmetric

__all__ = [
    "kramers_rate",
    "kramers_time",
    "kramers_time_from",
    "langevin_time",
    "loss_coupled_time",
    "loss_coupled_time_nd",
    "mori_n_c",
    "mori_phi",
    "mori_rate",
    "mori_rate_nd",
]

_TARGETS = ("across", "saddle")


def _positive(name: str, value: float) -> float:
    return number(name, value, low=0.0, open_low=True)


def _exp(exponent: float) -> float:
    return math.exp(exponent) if exponent < 709.78 else math.inf


def _to(target: str) -> float:
    return 0.5 if choice("to", target, _TARGETS) == "saddle" else 1.0


def kramers_time(
    curvature: float,
    saddle_curvature: float,
    potential: float,
    noise_ratio: float = 1.0,
    *,
    to: str = "across",
) -> float:
    """Return ``2 pi/sqrt(L''(a)|L''(b)|) sqrt(C(b)/C(a)) exp(Phi(b) - Phi(a))``, mean escape time.

    With ``Phi' = 2 L'/(eta C)``. The relative error vanishes with ``1/(Phi(b) - Phi(a))``: for
    ``(x^2 - 1)^2`` and constant noise it is about ``(3/8)/(Phi(b) - Phi(a))``.

    Parameters
    ----------
    curvature : float
        ``L''`` at the minimum, > 0, 1/time.
    saddle_curvature : float
        ``|L''|`` at the saddle, > 0, 1/time.
    potential : float
        ``Phi(b) - Phi(a)``, > 0, dimensionless; ``2 Delta L/(eta C)`` for constant ``C``.
    noise_ratio : float, default 1
        ``C(b)/C(a)``, > 0.
    to : {"across", "saddle"}
        Where the passage ends: well beyond the saddle, or on it (half as long).

    Returns
    -------
    float
        In units of time; inf beyond the range of a float.
    """
    product = _positive("curvature", curvature), _positive("saddle_curvature", saddle_curvature)
    ratio, potential = _positive("noise_ratio", noise_ratio), _positive("potential", potential)
    prefactor = _to(to) * 2.0 * math.pi * math.sqrt(ratio)
    return _exp(potential + math.log(prefactor) - 0.5 * math.fsum(map(math.log, product)))


def kramers_rate(
    curvature: float,
    saddle_curvature: float,
    potential: float,
    noise_ratio: float = 1.0,
    *,
    to: str = "across",
) -> float:
    """Return the escape rate ``1/T`` of :func:`kramers_time`; 0 below the range of a float."""
    time = kramers_time(curvature, saddle_curvature, potential, noise_ratio, to=to)
    return 1.0 / time


def kramers_time_from(
    slope: Callable[[float], float],
    noise: Callable[[float], float],
    minimum: float,
    saddle: float,
    *,
    eta: float = 1.0,
    to: str = "across",
) -> float:
    """Return :func:`kramers_time` of a loss and a noise given as functions.

    ``Phi`` is found by quadrature, curvatures by central differences.

    Parameters
    ----------
    slope : callable
        ``L'(x)``, minus the drift; vanishes at both points.
    noise : callable
        ``C(x) > 0``; the variance per unit time is ``eta C``.
    minimum, saddle : float
        Where ``L`` has its minimum and its maximum.
    eta : float, default 1
        Learning rate, > 0.
    to : {"across", "saddle"}

    Raises
    ------
    ValueError
        If the points are equal or not a minimum and a maximum, the noise vanishes between them, or
        the saddle is not the higher one.
    """
    a, b, eta = number("minimum", minimum), number("saddle", saddle), _positive("eta", eta)
    if a == b:
        raise ValueError(f"saddle must differ from minimum, got {saddle!r}")
    step = 1e-4 * abs(b - a)
    bends = [(slope(x + step) - slope(x - step)) / (2.0 * step) for x in (a, b)]
    for name, x, bend, sign in (("minimum", a, bends[0], 1), ("saddle", b, bends[1], -1)):
        if not sign * bend > 0.0 or abs(slope(x)) > 1e-6 * abs(bend * (b - a)):
            raise ValueError(
                f"{name} must be a point where slope vanishes with {'positive' if sign > 0 else 'negative'}"
                f" derivative, got {x!r}: slope {slope(x):.3g}, derivative {bend:.3g}"
            )
    inside = np.linspace(a, b, 1001)
    if not all(noise(float(x)) > 0.0 for x in inside):
        raise ValueError("noise must be positive between minimum and saddle")
    parts = [
        integrate.quad(lambda x: 2.0 * slope(x) / (eta * noise(x)), lo, hi, epsabs=0, epsrel=1e-11)
        for lo, hi in zip(inside[:-1:125], inside[125::125], strict=True)
    ]
    potential = math.fsum(p[0] for p in parts)
    if potential <= 0.0:
        raise ValueError(f"saddle must be higher than minimum, got a potential of {potential:.6g}")
    return kramers_time(bends[0], -bends[1], potential, noise(b) / noise(a), to=to)


def langevin_time(
    curvature: float,
    saddle_curvature: float,
    barrier: float,
    es: float,
    *,
    to: str = "across",
) -> float:
    """Return Kramers' time of constant noise, ``2 pi/sqrt(Ha |Hb|) exp(2 Delta L/es)``.

    The limit of :func:`loss_coupled_time` for ``eh -> 0``.

    Parameters
    ----------
    curvature, saddle_curvature : float
        ``L''`` at the minimum and ``|L''|`` at the saddle, > 0.
    barrier : float
        ``Delta L``, > 0.
    es : float
        ``eta sigma_g``, variance per unit time, > 0.
    to : {"across", "saddle"}
    """
    barrier, es = _positive("barrier", barrier), _positive("es", es)
    return kramers_time(curvature, saddle_curvature, 2.0 * barrier / es, to=to)


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
    Ha, Hb = _positive("curvature", curvature), _positive("saddle_curvature", saddle_curvature)
    barrier = _positive("barrier", barrier)
    es, eh = _positive("es", es), _positive("eh", eh)
    excess = Ha / eh  # kappa - 1
    # ln s / excess, without the cancellation of large kappa
    log_s = math.log1p(2.0 * barrier * eh / (Ha * es))
    exponent = (excess + 0.5) * log_s
    if boolean("normalised", normalised):
        exponent += 0.5 * math.log(excess) - math.log(special.poch(excess + 0.5, 0.5))
    return _exp(exponent + math.log(_to(to) * 2.0 * math.pi) - 0.5 * math.log(Ha * Hb))


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
    barrier, es = _positive("barrier", barrier), _positive("es", es)
    kappa = number("kappa", kappa, low=max(1.0, 0.5 * n), open_low=True)
    eigenvalues = _saddle_eigenvalues(Hb)
    logs = float(np.log(np.abs(eigenvalues)).sum()) - float(np.linalg.slogdet(Ha)[1])
    exponent = (kappa - 0.5 * n) * math.log1p(2.0 * barrier / ((kappa - 1.0) * es)) + 0.5 * logs
    return _exp(exponent + math.log(_to(to) * 2.0 * math.pi / -float(eigenvalues[0])))


def _saddle_eigenvalues(hessian: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    eigenvalues: npt.NDArray[np.float64] = np.linalg.eigvalsh(hessian)
    if int((eigenvalues < 0.0).sum()) != 1 or not np.all(eigenvalues):
        raise ValueError(
            "saddle_hessian must have exactly one negative eigenvalue and none that is 0, got "
            f"{eigenvalues.tolist()}"
        )
    return eigenvalues


def mori_phi(h: float, eta: float, batch: float) -> float:
    """Return ``phi = 1 + B/(eta h)``, the exponent of the loss in the stationary law ``L^-phi``.

    Mori, Ziyin, Liu, Ueda, arXiv:2105.09557, whose noise is ``2 L h/B``: it holds for that equation.
    SGD on Gaussian linear regression has another tail, see `sgd_tail_index`.
    """
    return 1.0 + _positive("batch", batch) / (_positive("eta", eta) * _positive("h", h))


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
        _positive("h", h) * one,
        -_positive("saddle_curvature", saddle_curvature) * one,
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
        raise ValueError(f"hessian must have fewer than n_c = {mori_n_c(h, eta, batch):g} rows, got {n}")
    ratio = number("loss_ratio", loss_ratio, low=1.0, open_low=True)
    eigenvalues = _saddle_eigenvalues(Hb)
    logs = float(np.log(values).sum()) - float(np.log(np.abs(eigenvalues)).sum())
    speed = -float(eigenvalues[0]) / (2.0 * math.pi * _to(to))
    return speed * math.exp(0.5 * logs - exponent * math.log(ratio))
