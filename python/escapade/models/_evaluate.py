"""Drift, noise and coordinates of a model, by the compiled code that also steps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .. import _core

if TYPE_CHECKING:
    from .base import Model

__all__ = ["evaluate", "into_coordinate", "out_of_coordinate"]

FloatArray = npt.NDArray[np.float64]


def evaluate(model: Model, x: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return drift and noise at states, in the shapes that `Model.drift` and `.diffusion` promise."""
    model._single()
    if model.calculus == "discrete":
        raise NotImplementedError(
            f"{model.name} is a process in discrete time: it has no drift and diffusion"
        )
    states = np.asarray(x, dtype=np.float64)
    if model.vector and (states.ndim == 0 or states.shape[-1] != model.dim):
        raise ValueError(
            f"x must have {model.dim} numbers in its last axis, those of a particle of {model.name}, "
            f"got shape {states.shape}"
        )
    if not model.vector:
        states = states[..., None]
    n = states.size // model.dim
    rows = np.zeros((model._planes, n))
    rows[: model.dim] = states.reshape(n, model.dim).T
    drift, noise = _core.evaluate(*model._call, rows)
    shape = states.shape[:-1]
    if not model.vector:
        return drift.reshape(shape), noise.reshape(shape)
    noise = np.moveaxis(noise[:, : model.dim], (0, 1, 2), (2, 1, 0))
    return (
        drift[: model.dim].T.reshape(*shape, model.dim),
        noise.reshape(*shape, model.dim, noise.shape[-1]),
    )


def into_coordinate(model: Model, coordinate: str, x: npt.ArrayLike) -> FloatArray:
    """Return physical states of a model of one number in a coordinate of its schemes."""
    values = np.asarray(x, dtype=np.float64)
    if coordinate == "physical":
        return values
    with np.errstate(all="ignore"):
        return _core.map_coordinate(*model._call, coordinate, False, values).reshape(values.shape)


def out_of_coordinate(model: Model, coordinate: str, y: npt.ArrayLike) -> FloatArray:
    """Return the physical states that belong to states in a coordinate."""
    values = np.asarray(y, dtype=np.float64)
    if coordinate == "physical":
        return values
    with np.errstate(all="ignore"):
        return _core.map_coordinate(*model._call, coordinate, True, values).reshape(values.shape)
