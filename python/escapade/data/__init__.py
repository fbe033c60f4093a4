"""Data sets that a diagonal linear network is trained on, by the moments that its dynamics needs.

With inputs ``x`` and targets ``y`` (both scalar) the reduced dynamics of the network depends on the
data only through five numbers (Ziyin, Li, Ueda, *Law of balance and stationary distribution of
stochastic gradient descent*, arXiv:2308.06671, eqs. A.8 and A.10); see :class:`DataMoments`. The
distribution itself, :class:`DataLaw`, is kept where it is known, for SGD on real minibatches.

Arguments may be arrays: ``gaussian(k=1.0, s=np.linspace(0.5, 2, 7))`` is a sweep over seven data
sets, of which ``[i]`` is one.
"""

from __future__ import annotations

from typing import Any

from ._law import DataLaw, label
from ._moments import DataMoments, discriminant
from ._sweep import Values

__all__ = [
    "DataLaw",
    "DataMoments",
    "binary",
    "discriminant",
    "from_samples",
    "gaussian",
    "interpolating",
    "moments",
]


def _of(family: str, law: DataLaw) -> DataMoments:
    return DataMoments(**law.moments(), label=label(family, law), law=law)


def gaussian(k: Values = 1.0, s: Values = 1.0) -> DataMoments:
    """Moments for ``x ~ N(0, 1)``, ``y = k x + s e`` with independent ``e ~ N(0, 1)``.

    Parameters
    ----------
    k : float or array_like, default 1
        Slope of the teacher.
    s : float or array_like, default 1
        Standard deviation of the label noise, >= 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a finite number, ``s`` is negative, or arrays do not broadcast.
    """
    return _of("gaussian", DataLaw("gaussian", k, s))


def binary(k: Values = 1.0, s: Values = 1.0) -> DataMoments:
    """Moments for ``x = +-1``, ``y = k x + s e`` with independent ``e ~ N(0, 1)``.

    Here ``alpha1 = alpha2 = 0``: the noise does not depend on the state, and every law is
    elementary. Arguments and errors are those of :func:`gaussian`.
    """
    return _of("binary", DataLaw("binary", k, s))


def interpolating(k: Values = 1.0) -> DataMoments:
    """Moments for ``x ~ N(0, 1)`` and ``y = k x`` exactly: no noise is left at ``v = k``.

    Here ``q(v) = 2 (v - k)^2`` and ``delta`` is exactly 0 (arXiv:2308.06671, section A.106 ff.).

    Parameters
    ----------
    k : float or array_like, default 1
        Slope of the teacher.
    """
    return _of("interpolating", DataLaw("gaussian", k, 0.0))


def moments(
    beta1: Values, beta2: Values, alpha1: Values, alpha2: Values, alpha3: Values
) -> DataMoments:
    """Moments given directly; see :class:`DataMoments` for their meaning and bounds."""
    return DataMoments(beta1, beta2, alpha1, alpha2, alpha3)


def from_samples(x: Any, y: Any) -> DataMoments:
    """Moments of a finite data set, each sample with the same weight.

    The data set *is* the distribution that SGD draws from, so variances are divided by the number
    of samples, not by one less.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Inputs and targets, finite, n >= 2, ``x`` not identically zero. A copy is kept in ``law``.

    Raises
    ------
    TypeError, ValueError
        If the arrays are not numeric, not 1-D, of different length, too short or not finite.
    """
    return _of("from_samples", DataLaw("samples", x=x, y=y))
