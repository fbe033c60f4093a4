"""The power-law dynamic in several dimensions, with its closed second moments and laws."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from .._checks import array, integer, number
from ._matrices import square_matrices
from ._products import factor
from ._second_moments import SecondMoments
from .base import FloatArray, Model

if TYPE_CHECKING:
    from ..laws import Law

_ARRAYS = ("H", "Sigma_g", "B", "A")


class MultivariatePowerLaw(Model):
    """Power-law dynamic of SGD near a minimum in several dimensions (Ito), ``u = w - w*``::

        du = -H u dt + sqrt(eta) (Sigma_g^(1/2) dW_0 + sum_k B_k u dW_k)

    with independent Wiener processes: the noise of gradients that are linear in ``u``, of covariance
    ``C(u) = Sigma_g + sum_k B_k u u^T B_k^T``. Given ``A`` in the place of matrices ``B_k``, one factor
    modulates all noise, ``C(u) = Sigma_g (1 + u^T A u)``.

    Second moments are closed: `second_moment`. The law is known (a) where noise is separable, ``H`` and
    ``Sigma_g`` diagonal and each ``B_k`` with one entry, on its diagonal: a product of Student laws; (b)
    for ``C = Sigma_g (1 + u^T A u)`` with ``eta (kappa - 1) Sigma_g A = H`` for some ``kappa``: the
    multivariate t law ``(1 + u^T A u)^-kappa`` of ``2 kappa - dim`` degrees of freedom; (c) for constant
    noise: normal. `stationary` refuses otherwise.

    Parameters
    ----------
    H : array_like, shape (dim, dim), optional
        Curvature of the loss at the minimum, 1/time, positive definite (its symmetric part, if it has
        another one); the identity of two dimensions by default.
    Sigma_g : array_like, shape (dim, dim), optional
        Covariance of the minibatch gradient at the minimum, u^2/time^2, positive semidefinite; 0.1 times
        the identity by default.
    B : array_like, shape (K, dim, dim), optional
        Matrices of noise linear in ``u``, 1/time, K <= 10000; none by default.
    A : array_like, shape (dim, dim), optional
        Modulation of the noise, 1/u^2, positive semidefinite, in the place of B; none by default.
    eta : float or array_like, default 1
        Learning rate, which is the time of one SGD iteration, > 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or shape, or is out of bounds.

    References
    ----------
    Meng, Gong, Chen, Ma and Liu, *Dynamic of stochastic gradient descent with state-dependent
    noise*, arXiv:2006.13719.
    """

    preferred_schemes = ("euler-maruyama",)
    vector = True
    structural = ("dim", "factors", "modulated")

    def __init__(
        self, H: Any = None, Sigma_g: Any = None, B: Any = None, A: Any = None, eta: Any = 1.0
    ) -> None:
        curvature = square_matrices("H", np.eye(2) if H is None else H, None)
        n = len(curvature)
        if np.min(np.linalg.eigvalsh(curvature + curvature.T)) <= 0.0:
            raise ValueError(f"H must be positive definite, got {curvature.tolist()}")
        start = square_matrices("Sigma_g", 0.1 * np.eye(n) if Sigma_g is None else Sigma_g, n)
        if B is not None and A is not None:
            raise ValueError("B must be None where A is given")
        many = None if B is None else square_matrices("B", B, n, stacked=True)
        bend = None if A is None else square_matrices("A", A, n)
        root = factor("Sigma_g", start)
        if bend is not None:
            factor("A", bend)  # or a refusal
        rest = [m.reshape(-1) for m in (many, bend) if m is not None]
        super().__init__(
            H=curvature,
            Sigma_g=start,
            B=many,
            A=bend,
            eta=eta,
            _derived={
                "dim": n,
                "factors": 0 if many is None else len(many),
                "modulated": int(bend is not None),
            },
            _tail=np.concatenate([curvature.reshape(-1), root.reshape(-1), *rest]),
        )

    @classmethod
    def separable(cls, H: Any, sigma_g: Any, sigma_H: Any, eta: Any = 1.0) -> MultivariatePowerLaw:
        """Return independent `PowerLaw` dynamics, ``C = diag(sigma_g + sigma_H u^2)``.

        Parameters
        ----------
        H, sigma_g, sigma_H : array_like, shape (dim,)
            As of `PowerLaw`, for each number: > 0, >= 0 and >= 0.
        eta : float or array_like, default 1
            Learning rate, > 0.

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type or shape, or is out of bounds.
        """
        h, g, s = (array(k, v) for k, v in (("H", H), ("sigma_g", sigma_g), ("sigma_H", sigma_H)))
        if h.ndim != 1 or h.size == 0 or g.shape != h.shape or s.shape != h.shape:
            raise ValueError(
                "H, sigma_g and sigma_H must be of one shape (dim,), got "
                f"{h.shape}, {g.shape} and {s.shape}"
            )
        if not np.all(s >= 0.0):
            raise ValueError(f"sigma_H must be >= 0, got {s.tolist()}")
        B = [np.diag(np.where(np.arange(h.size) == i, np.sqrt(s), 0.0)) for i in range(h.size)]
        return cls(np.diag(h), np.diag(g), B, None, eta)

    def _pick(self, value: Any, point: int) -> Any:
        if any(value is self._arguments[name] for name in _ARRAYS):
            return value  # common to all points of a sweep
        return super()._pick(value, point)

    # -- what is closed ----------------------------------------------------------------------------

    @functools.cached_property
    def _moments(self) -> SecondMoments:
        p, n = self._single(), self.dim
        A = np.zeros((n, n)) if self.A is None else self.A
        return SecondMoments(self.H, self.Sigma_g, self._linear, A, p["eta"])

    @property
    def margin(self) -> float:
        """The least of ``2 u^T H u - eta tr C_2(u)`` over ``|u| = 1``, C_2 the quadratic part of C.

        If it is > 0, ``|u|^2`` falls far out in the mean: the process is ergodic and has a finite
        variance. Sufficient, not necessary.
        """
        eta = self._single()["eta"]
        form = self.H + self.H.T
        if self.A is not None:
            form = form - eta * np.trace(self.Sigma_g) * self.A
        for b in self._linear:
            form = form - eta * (b.T @ b)
        return float(np.min(np.linalg.eigvalsh(form)))

    def second_moment(self, t: float | None = None, x0: Any = None) -> FloatArray:
        """Return ``E u u^T``, exactly, shape (dim, dim).

        Parameters
        ----------
        t : float, optional
            Time, >= 0; stationary if not given.
        x0 : array_like, shape (dim,), optional
            Start, for a time; the minimum by default.

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type or shape or is out of bounds, for a sweep, for more than
            40 dimensions, or if the stationary second moment is infinite.
        """
        moments = self._moments
        if t is None:
            if x0 is not None:
                raise ValueError("x0 must be None for the stationary second moment")
            return self._finite(moments.stationary())
        return moments.at(self._outer(x0), number("t", t, low=0.0))

    def euler_maruyama_second_moment(
        self, dt: float, steps: int | None = None, x0: Any = None
    ) -> FloatArray:
        """Return ``E u u^T`` of Euler and Maruyama's scheme, exactly, shape (dim, dim).

        Parameters
        ----------
        dt : float
            Time step, > 0.
        steps : int, optional
            Number of steps, >= 0; stationary if not given.
        x0 : array_like, shape (dim,), optional
            Start, for a number of steps; the minimum by default.

        Raises
        ------
        TypeError, ValueError
            As `second_moment`.
        """
        moments, h = self._moments, number("dt", dt, low=0.0, open_low=True)
        if steps is None:
            if x0 is not None:
                raise ValueError("x0 must be None for the stationary second moment")
            return self._finite(moments.euler_maruyama(h), f" at dt = {h:g}")
        count = integer("steps", steps, low=0)
        return self._finite(moments.euler_maruyama(h, count, self._outer(x0)))

    def _outer(self, x0: Any) -> FloatArray:
        x = np.zeros(self.dim) if x0 is None else array("x0", x0)
        if x.shape != (self.dim,) or not np.all(np.isfinite(x)):
            raise ValueError(f"x0 must be finite, of shape ({self.dim},), got {x.tolist()}")
        return np.outer(x, x)

    def _finite(self, moment: FloatArray | None, where: str = "") -> FloatArray:
        if moment is None:
            raise ValueError(
                f"{self!r} has no finite stationary second moment{where}: noise linear in u feeds it "
                "faster than H takes from it"
            )
        return moment

    def joint(self) -> Any:
        """Return the joint law as a frozen scipy.stats distribution: multivariate t or normal.

        Raises
        ------
        escapade.laws.NoStationaryLaw
            If the density cannot be normalised.
        NotImplementedError
            If no joint law is known in that form.
        """
        if self._constant:
            return stats.multivariate_normal(np.zeros(self.dim), self.second_moment(), True)
        nu, shape = self._t_law()
        freedom: Any = nu  # any number, whatever the stubs say
        return stats.multivariate_t(np.zeros(self.dim), shape, freedom)

    def stationary(self, direction: Any = 0) -> Law:
        """Return the law of one number, or of ``e . u`` for a vector ``e``.

        Parameters
        ----------
        direction : int or array_like, shape (dim,), default 0
            Number of the coordinate, or ``e``, not 0; in the separable case along an axis.

        Raises
        ------
        escapade.laws.NoStationaryLaw
            If the density cannot be normalised.
        NotImplementedError
            If no law is known.
        TypeError, ValueError
            If ``direction`` has the wrong type or shape, or for a sweep.
        """
        from .. import laws

        p, e = self._single(), self._direction(direction)
        if self._constant:
            return laws.Normal(0.0, math.sqrt(float(e @ self.second_moment() @ e)))
        strengths = laws.separable_strengths(self.H, self.Sigma_g, self._linear)
        if self.A is None and strengths is not None:
            along = np.flatnonzero(e)
            if along.size > 1:
                raise NotImplementedError(
                    "no law is known for sums of independent Student variables: direction must be "
                    f"along an axis, got {e.tolist()}"
                )
            i = int(along[0])
            rate, start = float(self.H[i, i]), float(self.Sigma_g[i, i])
            own = laws.PowerLaw(rate, start, float(strengths[i]), p["eta"])
            return own if e[i] == 1.0 else laws.Affine(own, 0.0, float(e[i]))
        nu, shape = self._t_law()
        return laws.StudentT(nu, 0.0, math.sqrt(float(e @ shape @ e)))

    def _direction(self, direction: Any) -> FloatArray:
        if np.ndim(direction) == 0:
            axis = np.zeros(self.dim)
            axis[integer("direction", direction, low=0, high=self.dim - 1)] = 1.0
            return axis
        e = array("direction", direction)
        if e.shape != (self.dim,) or not np.all(np.isfinite(e)) or not np.any(e):
            raise ValueError(
                f"direction must be a number or a vector of shape ({self.dim},), finite and not 0, "
                f"got {e.tolist()}"
            )
        return e

    @property
    def _linear(self) -> FloatArray:
        """The matrices B, shape (K, dim, dim)."""
        return np.zeros((0, self.dim, self.dim)) if self.B is None else np.asarray(self.B)

    @property
    def _constant(self) -> bool:
        return not (np.any(self._linear) or (self.A is not None and np.any(self.A)))

    def _t_law(self) -> tuple[float, FloatArray]:
        from ..laws import multivariate_t

        eta = self._single()["eta"]
        if self.A is None:
            raise NotImplementedError(
                f"no law is known for {self!r}: it is where noise is separable (H and Sigma_g "
                "diagonal, each B_k with one entry, on its diagonal), or C = Sigma_g (1 + u^T A u); "
                "second_moment() is exact"
            )
        return multivariate_t(self.H, self.Sigma_g, self.A, eta, repr(self))
