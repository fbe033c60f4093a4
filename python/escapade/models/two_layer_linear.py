from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import array, integer
from ..data._sweep import frozen
from . import _two_layer
from ._products import factor, matmul, transpose
from .base import Observable
from .sgd import Trainable, Training

FloatArray = npt.NDArray[np.float64]

_ARRAYS = ("V", "Sx", "Se", "samples")


class TwoLayerLinear(Trainable):
    """Two-layer linear network, matrix factorisation, trained by SGD (Ito); the noise does not commute.

    Sample loss ``|U W x - y|^2 + gamma (|U|^2 + |W|^2)``. With normal data, ``x ~ N(0, Sx)`` and
    ``y = V x + e``, ``e ~ N(0, Se)``, and ``E = U W - V``::

        dU = -dG W^T - 2 gamma U dt,  dW = -U^T dG - 2 gamma W dt
        dG = 2 E Sx dt + 2 sqrt(T) [E Lx dS - Le dZ] Lx^T,  Sx = Lx Lx^T,  Se = Le Le^T

    with independent Wiener processes in ``Z`` and in the symmetric ``S`` (of variance 2 t on its
    diagonal): the exact covariance of the gradient of normal data. For a finite data set of N samples
    ``dG = grad L dt + sqrt(T/N) sum_n (grad l_n - grad L) dW_n``, all with respect to ``U W``.

    SGD does not balance the layers, ``U^T U = W W^T``, but their noise, ``U^T Gam_U U = W Gam_W W^T``.
    A particle is an array: U (``d_out x d_hidden``), then W (``d_hidden x d_in``), row by row. `sgd` and
    `gd` train it step by step.

    Parameters
    ----------
    d_in, d_hidden, d_out : int, default 2
        Sizes of the layers, 1 to 1000; normal data have at most 262144 sources of noise.
    T : float or array_like, default 0.1
        Temperature, learning rate over batch size, >= 0.
    V : array_like, shape (d_out, d_in), optional
        The teacher; ones on the diagonal by default.
    Sx, Se : array_like, shape (d_in, d_in) and (d_out, d_out), optional
        Covariances of inputs and label noise, positive semidefinite; the identity by default.
    samples : array_like, shape (N, d_in + d_out), or pair of x and y, optional
        A finite data set, a row ``(x, y)`` for each sample, instead of V, Sx and Se; 2 <= N <= 262144.
    gamma : float or array_like, default 0
        Weight decay, >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or shape or is out of bounds, if a covariance is none, or if
        samples and a normal law are given.

    References
    ----------
    Ziyin, Wang, Li and Wu, *Parameter symmetry and noise equilibrium of stochastic gradient descent*,
    NeurIPS 2024, arXiv:2402.07193 (double rotation symmetry); the factor of the covariance follows
    from Isserlis' theorem.
    """

    preferred_schemes = ("euler-maruyama",)
    vector = True
    structural = ("d_in", "d_hidden", "d_out", "samples")

    def __init__(
        self,
        d_in: int = 2,
        d_hidden: int = 2,
        d_out: int = 2,
        T: Any = 0.1,
        V: Any = None,
        Sx: Any = None,
        Se: Any = None,
        samples: Any = None,
        gamma: Any = 0.0,
    ) -> None:
        sizes = {"d_in": d_in, "d_hidden": d_hidden, "d_out": d_out}
        n, _, m = (integer(name, size, low=1, high=1000) for name, size in sizes.items())
        given: dict[str, Any] = {"V": None, "Sx": None, "Se": None, "samples": None}
        if samples is None:
            given["V"] = _matrix("V", np.eye(m, n) if V is None else V, (m, n))
            given["Sx"] = _matrix("Sx", np.eye(n) if Sx is None else Sx, (n, n))
            given["Se"] = _matrix("Se", np.eye(m) if Se is None else Se, (m, m))
            factors = factor("Sx", given["Sx"]), factor("Se", given["Se"])
            tail = np.concatenate([*(f.reshape(-1) for f in factors), given["V"].reshape(-1)])
        else:
            for name, value in (("V", V), ("Sx", Sx), ("Se", Se)):
                if value is not None:
                    raise ValueError(f"{name} must be None where samples are given")
            given["samples"] = _samples(samples, n, m)
            x, y = given["samples"][:, :n], given["samples"][:, n:]
            tail = np.concatenate([x.reshape(-1), y.reshape(-1)])
        count = 0 if samples is None else len(given["samples"])
        object.__setattr__(self, "_numbers", tail)
        super().__init__(
            **sizes, T=T, **given, gamma=gamma, _derived={"samples": count}, _tail=tail
        )

    def _pick(self, value: Any, point: int) -> Any:
        if any(value is self._arguments[name] for name in _ARRAYS):
            return value  # common to all points of a sweep
        return super()._pick(value, point)

    def _training(self, full: bool) -> Training:
        parameters = {k: self._arguments[k] for k in ("d_in", "d_hidden", "d_out", "gamma")}
        kernel, rows = "TwoLayerLinearSGD", self.samples
        if full:
            if rows is None:
                second, cross = self.Sx, matmul(self.V, self.Sx)
            else:
                x, y = rows[:, : self.d_in], rows[:, self.d_in :]
                second = matmul(transpose(x), x) / len(rows)
                cross = matmul(transpose(y), x) / len(rows)
            parts = second, np.zeros(self.d_out**2), cross
            tail = np.concatenate([part.reshape(-1) for part in parts])
            return Training(kernel, parameters, "full", 0, tail)
        law = "gaussian" if rows is None else "samples"
        count = 0 if rows is None else len(rows)
        return Training(kernel, parameters, law, count, self._numbers)

    def observables(self) -> dict[str, Observable]:
        """Return named functions of states, shape (n, dim).

        ``loss`` and ``trace_hessian`` of the mean loss without decay; ``charge``, the entries of
        ``U^T U - W W^T``, which gradient flow conserves; ``noise_residual``, the entries of
        ``U^T Gam_U U - W Gam_W W^T`` with the noise ``Gam_U = E[dG dG^T]``, ``Gam_W = E[dG^T dG]`` per
        ``T``: minus the rate of ``charge``; ``noise_mismatch``, the Frobenius norm of that difference
        over the sum of the norms of its two terms; ``norm_u`` and ``norm_w``, Frobenius norms.

        ``charge`` and ``noise_residual`` have shape (n, d_hidden**2), row by row and with a trailing
        axis even for ``d_hidden = 1``; all others have shape (n,).
        """
        return _two_layer.observables(self)


def _matrix(name: str, value: Any, shape: tuple[int, int]) -> FloatArray:
    matrix = array(name, value)
    if matrix.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {matrix.shape}")
    if not np.all(np.isfinite(matrix)):
        raise ValueError(f"{name} must be finite, got {matrix.tolist()}")
    out: FloatArray = frozen(matrix)
    return out


def _samples(value: Any, n: int, m: int) -> FloatArray:
    if isinstance(value, tuple) and len(value) == 2:
        x, y = array("samples[0]", value[0]), array("samples[1]", value[1])
        if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
            raise ValueError(
                f"samples must be arrays of shape (N, {n}) and (N, {m}), got {x.shape} and {y.shape}"
            )
        value = np.concatenate([x, y], axis=1)
    rows = array("samples", value)
    if rows.ndim != 2 or rows.shape[1] != n + m or not 2 <= len(rows) <= 262144:
        raise ValueError(
            f"samples must have shape (N, {n + m}) with N from 2 to 262144, got {rows.shape}"
        )
    if not np.all(np.isfinite(rows)):
        raise ValueError("samples must be finite")
    out: FloatArray = frozen(rows)
    return out
