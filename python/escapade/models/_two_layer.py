"""Observables of two-layer linear networks, for any state and exact: no expansion about a minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._products import FloatArray, matmul, square, total, trace, transpose
from .base import Observable

if TYPE_CHECKING:
    from .two_layer_linear import TwoLayerLinear


def observables(model: TwoLayerLinear) -> dict[str, Observable]:
    """Return named functions of states, shape (n, dim): see `TwoLayerLinear.observables`."""
    n, d, m = model.d_in, model.d_hidden, model.d_out
    moments = _Samples(model.samples, n) if model.samples is not None else _Normal(model)

    def layers(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return x[:, : m * d].reshape(-1, m, d), x[:, m * d :].reshape(-1, d, n)

    def loss(x: FloatArray) -> FloatArray:
        """Return the mean loss ``E |U W x - y|^2``, without decay, shape (n,)."""
        return moments.loss(matmul(*layers(x)))

    def charge(x: FloatArray) -> FloatArray:
        """Return ``U^T U - W W^T``, conserved by gradient flow, shape (n, d_hidden**2)."""
        u, w = layers(x)
        return (matmul(transpose(u), u) - matmul(w, transpose(w))).reshape(len(x), -1)

    def noise(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        u, w = layers(x)
        gam_u, gam_w = moments.noise(matmul(u, w))
        return matmul(transpose(u), matmul(gam_u, u)), matmul(w, matmul(gam_w, transpose(w)))

    def noise_residual(x: FloatArray) -> FloatArray:
        """Return ``U^T Gam_U U - W Gam_W W^T``, minus the rate of ``charge`` per ``T``."""
        first, second = noise(x)
        return (first - second).reshape(len(x), -1)

    def noise_mismatch(x: FloatArray) -> FloatArray:
        """Return the norm of ``noise_residual`` over the sum of the norms of its terms, shape (n,)."""
        first, second = noise(x)
        size = np.sqrt(square(first)) + np.sqrt(square(second))
        return np.sqrt(square(first - second)) / np.where(size > 0.0, size, 1.0)

    def trace_hessian(x: FloatArray) -> FloatArray:
        """Return the trace of the Hessian of the mean loss, without decay, shape (n,)."""
        u, w = layers(x)
        inner = trace(matmul(w, matmul(moments.Sx, transpose(w))))
        out: FloatArray = 2.0 * (m * inner + square(u) * trace(moments.Sx))
        return out

    def norm_u(x: FloatArray) -> FloatArray:
        """Return the Frobenius norm of ``U``, shape (n,)."""
        return np.sqrt(square(layers(x)[0]))

    def norm_w(x: FloatArray) -> FloatArray:
        """Return the Frobenius norm of ``W``, shape (n,)."""
        return np.sqrt(square(layers(x)[1]))

    return {
        "loss": loss,
        "charge": charge,
        "noise_residual": noise_residual,
        "noise_mismatch": noise_mismatch,
        "trace_hessian": trace_hessian,
        "norm_u": norm_u,
        "norm_w": norm_w,
    }


class _Normal:
    """Normal data: fourth moments by Isserlis' theorem."""

    def __init__(self, model: TwoLayerLinear) -> None:
        self.V, self.Sx, self.Se = model.V, model.Sx, model.Se

    def loss(self, a: FloatArray) -> FloatArray:
        e = a - self.V
        return trace(matmul(e, matmul(self.Sx, transpose(e)))) + trace(self.Se)

    def noise(self, a: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return E[dG dG^T] and E[dG^T dG] of the noise dG of one sample's gradient."""
        e = a - self.V
        es = matmul(e, self.Sx)
        residual = matmul(es, transpose(e)) + self.Se  # covariance of A x - y
        gam_u = trace(self.Sx) * residual + matmul(es, transpose(es))
        gam_w = trace(residual)[:, None, None] * self.Sx + matmul(transpose(es), es)
        return 4.0 * gam_u, 4.0 * gam_w


class _Samples:
    """A finite data set: sums over its samples."""

    def __init__(self, rows: FloatArray, n: int) -> None:
        self.x, self.y = rows[:, :n], rows[:, n:]
        self.Sx = matmul(transpose(self.x), self.x) / len(rows)

    def _residual(self, a: FloatArray, k: int) -> FloatArray:
        out: FloatArray = total(a * self.x[k]) - self.y[k]
        return out

    def loss(self, a: FloatArray) -> FloatArray:
        out = np.zeros(len(a))
        for k in range(len(self.x)):
            r = self._residual(a, k)
            out = out + total(r * r)
        return out / len(self.x)

    def noise(self, a: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return E[dG dG^T] and E[dG^T dG] of the noise dG of one sample's gradient."""
        samples, (m, n) = len(self.x), a.shape[1:]
        mean, gam_u, gam_w = np.zeros_like(a), np.zeros((len(a), m, m)), np.zeros((len(a), n, n))
        for k in range(samples):
            r, x = self._residual(a, k), self.x[k]
            mean = mean + 2.0 * r[:, :, None] * x
            gam_u = gam_u + 4.0 * total(x * x) * r[:, :, None] * r[:, None, :]
            gam_w = gam_w + 4.0 * total(r * r)[:, None, None] * (x[:, None] * x)
        mean = mean / samples
        gam_u = gam_u / samples - matmul(mean, transpose(mean))
        return gam_u, gam_w / samples - matmul(transpose(mean), mean)
