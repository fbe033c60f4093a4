"""What models of the loss ``(v x - y)^2`` with a product ``v`` of their parameters share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks import choice
from ..data import DataMoments, gaussian
from .base import FloatArray, Observable
from .sgd import Training


def check_data(data: Any) -> DataMoments:
    """Return the data set, ``gaussian(1, 1)`` for None."""
    if data is None:
        return gaussian(1.0, 1.0)
    if not isinstance(data, DataMoments):
        raise TypeError(
            "data must be DataMoments (escapade.data.gaussian, binary, moments or from_samples), "
            f"got {type(data).__name__}"
        )
    return data


def reading_of(calculus: Any) -> int:
    """Return how the compiled models number a calculus."""
    return ("ito", "stratonovich").index(choice("calculus", calculus, ("ito", "stratonovich")))


def check_reading(calculus: str) -> None:
    """Refuse to train a model that SGD has nothing to do with."""
    if calculus != "ito":
        raise ValueError(f"calculus must be 'ito', which SGD converges to, got {calculus!r}")


def training(kernel: str, data: DataMoments, full: bool, head: Any, **sizes: Any) -> Training:
    """Return how to train on ``data``; ``head`` are numbers in front of the samples."""
    parameters = {"k": 1.0, "s": 0.0, "beta1": data.beta1, "beta2": data.beta2, **sizes}
    law, tail = data.law, np.asarray(head, dtype=np.float64)
    if full:
        return Training(kernel, parameters, "full", 0, tail)
    if law is None:
        raise ValueError(
            "data must have a law (escapade.data.gaussian, binary, interpolating or from_samples): "
            f"moments alone do not say what a minibatch is, got {data!r}"
        )
    if law.kind == "samples":
        tail = np.concatenate([tail, law.x * law.x, law.x * law.y])
        return Training(kernel, parameters, "samples", law.x.size, tail)
    return Training(kernel, {**parameters, "k": law.k, "s": law.s}, law.kind, 0, tail)


def no_loss(data: DataMoments, name: str) -> str | None:
    """Return why ``name`` is no observable on this data set, if it is about the data."""
    if data.shape != () and name in ("loss", "trace_hessian", "noise_residual"):
        return f"of = {name!r} needs a single data set, got a sweep of shape {data.shape}"
    if name == "loss" and data.shape == () and math.isnan(data.ey2):
        return (
            f"of = 'loss' needs E y^2, which {data!r} does not know: give ey2 to "
            "escapade.data.moments, or use gaussian, binary or from_samples"
        )
    return None


def of_v(
    data: DataMoments, v: Observable, square: Observable, bend: Observable
) -> dict[str, Observable]:
    """Return observables that depend on v, |grad v|^2 and the trace of the Hessian of v.

    None for a sweep over data sets: an observable sees particles, not the point they belong to.
    """
    out: dict[str, Observable] = {"v": v}
    if data.shape != ():
        return out
    b1, b2 = data.beta1, data.beta2

    def loss(x: FloatArray) -> FloatArray:
        """Return the mean loss ``E (v x - y)^2``, without decay, shape (n,)."""
        at = v(x)
        out: FloatArray = (b1 * at - 2.0 * b2) * at + float(data.ey2)
        return out

    def trace_hessian(x: FloatArray) -> FloatArray:
        """Return the trace of the Hessian of the mean loss, without decay, shape (n,)."""
        out: FloatArray = 2.0 * b1 * square(x) + 2.0 * (b1 * v(x) - b2) * bend(x)
        return out

    if not math.isnan(data.ey2):
        out["loss"] = loss
    return {**out, "trace_hessian": trace_hessian}
