"""Checkpoints: one .npz file with the state, the initial array if there was one, and a JSON header."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core, models, schemes
from ._checks import integer, number
from .data import DataLaw, DataMoments
from .initial import Initial

if TYPE_CHECKING:
    from .ensemble import Ensemble, _Leg

__all__ = ["load", "save"]

_FORMAT = "escapade-checkpoint-2"


def _encode(value: Any, arrays: dict[str, Any]) -> Any:
    """Return ``value`` as JSON can hold it; arrays go into ``arrays`` and leave their name behind."""
    if isinstance(value, (DataMoments, DataLaw)):
        kind = "data" if isinstance(value, DataMoments) else "law"
        return {kind: {f.name: _encode(getattr(value, f.name), arrays) for f in fields(value)}}
    if isinstance(value, models.Model):
        return {"model": [value.name, {k: _encode(v, arrays) for k, v in value.params.items()}]}
    if isinstance(value, np.ndarray):
        name = f"parameter{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    return value


def _decode(value: Any, arrays: Mapping[str, Any]) -> Any:
    """Undo :func:`_encode`."""
    if not isinstance(value, dict):
        return value
    match list(value):
        case ["array"]:
            return arrays[value["array"]]
        case ["data"]:
            return DataMoments(**{k: _decode(v, arrays) for k, v in value["data"].items()})
        case ["model"]:
            name, params = value["model"]
            return _model(name, {k: _decode(v, arrays) for k, v in params.items()})
        case ["law"]:
            return DataLaw(**{k: _decode(v, arrays) for k, v in value["law"].items()})
    raise ValueError(f"its parameters hold {list(value)}")


def _model(name: str, params: dict[str, Any]) -> models.Model:
    trained = {"SGD": models.SGD, "GD": models.GD}
    model: models.Model = (trained[name] if name in trained else models.get(name))(**params)
    if set(params) != set(model.params):
        raise ValueError(f"its parameters are {sorted(params)}")
    return model


def save(ensemble: Ensemble, path: str | os.PathLike[str]) -> None:
    """Write ``ensemble`` to ``path``: to a file beside it first, which then takes its name."""
    initial, engine = ensemble._initial, ensemble._engine
    parameters: dict[str, Any] = {}
    header = {
        "format": _FORMAT,
        "version": _core.version,
        "model": ensemble.model.name,
        "params": {k: _encode(v, parameters) for k, v in ensemble.model.params.items()},
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
        **parameters,
    }
    if initial is not None and initial.array is not None:
        arrays["x0"] = initial.array
    target = os.path.abspath(os.fspath(path))
    handle, temporary = tempfile.mkstemp(
        dir=os.path.dirname(target), prefix=".escapade-", suffix=".npz"
    )
    umask = os.umask(0)
    os.umask(umask)
    try:
        os.fchmod(handle, 0o666 & ~umask)  # as open() would have made it
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
        with open(name, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            header = json.loads(bytes(file["header"]))
            if header["format"] != _FORMAT:
                raise ValueError(
                    f"its format is {header['format']!r}, this version reads {_FORMAT!r}"
                )
            state = file["state"]
            x0 = file["x0"] if "x0" in file else None
            header["params"] = {k: _decode(v, file) for k, v in header["params"].items()}
        return _rebuild(cls, header, state, x0, threads)
    except FileNotFoundError:
        raise
    except MemoryError as error:
        raise ValueError(
            f"path = {name!r} is damaged, or holds more than fits in memory: {error}"
        ) from error
    except Exception as error:  # whatever numpy, zipfile, json and the checks below find wrong
        raise ValueError(
            f"path = {name!r} is not an escapade checkpoint, or is damaged: {error}"
        ) from error


def _whole(header: dict[str, Any], key: str, high: int = 2**64 - 1) -> int:
    return integer(f"{key} of the header", header[key], low=0, high=high)


def _legs(entries: Any, steps: int) -> list[_Leg]:
    """Return the legs that a header lists, if they are consecutive and make up ``steps``."""
    from .ensemble import _Leg

    legs = [_Leg(**entry) for entry in entries]
    end = 0.0
    for leg in legs:
        scheme = schemes.get(leg.scheme).name
        dt = number("dt", leg.dt, low=0.0, open_low=True)
        coarsen = integer("coarsen", leg.coarsen, low=1)
        done, t0 = integer("steps", leg.steps, low=0), number("t0", leg.t0)
        if (scheme, t0) != (leg.scheme, end):
            raise ValueError(f"its runs are not consecutive at t = {t0:g}")
        end = _Leg(scheme, dt, coarsen, done, t0).end
    if sum(leg.steps for leg in legs) != steps:
        raise ValueError(f"its runs do not add up to its {steps} steps")
    return legs


def _rebuild(
    cls: type[Ensemble], header: dict[str, Any], state: Any, x0: Any, threads: int | None
) -> Ensemble:
    model = _model(header["model"], header["params"])
    if state.ndim != 3 or state.shape[::2] != (model._points, model._planes):
        raise ValueError(f"its state has shape {state.shape}")
    step, draw, substeps, floor_hits = header["counters"]
    counters = {"step": step, "draw": draw, "substeps": substeps, "floor_hits": floor_hits}
    legs = _legs(header["legs"], _whole(counters, "step", 2**39))
    coordinate = str(header["coordinate"])
    if coordinate not in {"physical", *(schemes.get(s).coordinate for s in model.schemes)}:
        raise ValueError(f"{model.name} has no coordinate {coordinate!r}")
    start = Initial.described(header["initial"], x0)
    n = int(state.shape[1])
    ensemble = cls(
        model,
        n,
        1.0,  # any valid number will do: the state is replaced below
        seed=_whole(header, "seed"),
        dtype=state.dtype,
        noise=header["noise"],
        threads=threads,
        first_id=header["first_id"],
    )
    ensemble._initial = (
        None if start is None else Initial(start, model, n, ensemble.dtype, header["first_id"])
    )
    ensemble._engine.state[:] = state
    ensemble._engine.fill_padding()
    ensemble._engine.restore(*(_whole(counters, key) for key in counters))
    ensemble._coordinate = coordinate
    ensemble._legs = legs
    ensemble._bad = _whole(header, "bad", ensemble.n * model._points)
    return ensemble
