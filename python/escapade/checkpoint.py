"""Checkpoints: one .npz file with the state, the initial array if there was one, and a JSON header."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
import zlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core, models
from .data import DataMoments
from .initial import Initial

if TYPE_CHECKING:
    from .ensemble import Ensemble

__all__ = ["load", "save"]

_FORMAT = "escapade-checkpoint-1"


def _encode(params: dict[str, Any]) -> dict[str, Any]:
    return {k: {"data": asdict(v)} if isinstance(v, DataMoments) else v for k, v in params.items()}


def _decode(params: dict[str, Any]) -> dict[str, Any]:
    return {k: DataMoments(**v["data"]) if isinstance(v, dict) else v for k, v in params.items()}


def save(ensemble: Ensemble, path: str | os.PathLike[str]) -> None:
    """Write ``ensemble`` to ``path``: to a file beside it first, which then takes its name."""
    initial, engine = ensemble._initial, ensemble._engine
    header = {
        "format": _FORMAT,
        "version": _core.version,
        "model": ensemble.model.name,
        "params": _encode(ensemble.model.params),
        "seed": ensemble.seed,
        "noise": ensemble.noise,
        "first_id": ensemble._first_id,
        "coordinate": ensemble.coordinate,
        "counters": [engine.step, engine.draw, engine.substeps, engine.floor_hits],
        "legs": [asdict(leg) for leg in ensemble._legs],
        "initial": {"kind": "lost"} if initial is None else initial.describe(),
        "bad": ensemble._bad,
    }
    arrays: dict[str, Any] = {
        "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
        "state": engine.state,
    }
    if initial is not None and initial.array is not None:
        arrays["x0"] = initial.array
    target = os.path.abspath(os.fspath(path))
    handle, temporary = tempfile.mkstemp(
        dir=os.path.dirname(target), prefix=".escapade-", suffix=".npz"
    )
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def load(cls: type[Ensemble], path: str | os.PathLike[str], threads: int | None) -> Ensemble:
    """Read an ensemble from ``path``."""
    name = os.fspath(path)
    try:
        with np.load(name, allow_pickle=False) as file:
            header = json.loads(bytes(file["header"]))
            if header["format"] != _FORMAT:
                raise ValueError(
                    f"its format is {header['format']!r}, this version reads {_FORMAT!r}"
                )
            state = file["state"]
            x0 = file["x0"] if "x0" in file else None
        return _rebuild(cls, header, state, x0, threads)
    except FileNotFoundError:
        raise
    except (
        ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OSError, OverflowError,
        NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise ValueError(
            f"path = {name!r} is not an escapade checkpoint, or is damaged: {error}"
        ) from error


def _rebuild(
    cls: type[Ensemble], header: dict[str, Any], state: Any, x0: Any, threads: int | None
) -> Ensemble:
    from .ensemble import _Leg

    model = models.get(header["model"])(**_decode(header["params"]))
    kind = header["initial"]["kind"]
    start: Any = {
        "value": header["initial"].get("value"),
        "array": x0,
        "stationary": "stationary",
    }.get(kind)
    ensemble = cls(
        model,
        int(state.size),
        # any valid number will do where the true start was not kept: the state is replaced below
        1.0 if start is None or kind == "stationary" else start,
        seed=header["seed"],
        dtype=state.dtype,
        noise=header["noise"],
        threads=threads,
        first_id=header["first_id"],
    )
    if kind == "stationary":
        ensemble._initial = Initial(
            "stationary", model, ensemble.n, ensemble.dtype, header["first_id"]
        )
    elif start is None:
        ensemble._initial = None
    ensemble._engine.state[:] = state
    ensemble._engine.fill_padding()
    ensemble._engine.restore(*(int(c) for c in header["counters"]))
    ensemble._coordinate = str(header["coordinate"])
    ensemble._legs = [_Leg(**leg) for leg in header["legs"]]
    ensemble._bad = int(header["bad"])
    return ensemble
