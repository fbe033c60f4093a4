from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

version: str
max_moment: int
chunk: int
rows: int
stream_initial: int
most_boundaries: int
mean_overshoot: float

def isa() -> str: ...
def set_isa(isa: str) -> None: ...
def built_isas() -> list[str]: ...
def supported_isas() -> list[str]: ...
def compiler() -> str: ...
def models() -> list[dict[str, Any]]: ...
def schemes() -> list[dict[str, Any]]: ...
def check_scheme(model: str, scheme: str, parameters: FloatArray) -> str | None: ...
def check_model(model: str, parameters: FloatArray) -> str | None: ...
def shape(model: str, parameters: FloatArray) -> dict[str, Any]: ...
def normals(
    n: int,
    count: int,
    seed: int,
    stream: int = 0,
    first_id: int = 0,
    block: int = 0,
    noise: str = "float32",
) -> npt.NDArray[Any]: ...
def uniforms(
    n: int, seed: int, stream: int, first_id: int = 0, block: int = 0
) -> npt.NDArray[np.float64]: ...
def philox(counter: Sequence[int], key: Sequence[int]) -> list[int]: ...
def math(name: str, x: npt.NDArray[Any]) -> npt.NDArray[Any]: ...
def power_sums(
    x: npt.NDArray[np.float64], shift: float, highest: int, threads: int = 1
) -> npt.NDArray[np.float64]: ...
def map_coordinate(
    model: str, parameters: FloatArray, coordinate: str, out: bool, x: FloatArray
) -> FloatArray: ...
def evaluate(
    model: str, parameters: FloatArray, x: FloatArray
) -> tuple[FloatArray, FloatArray]: ...

class Passage:
    def __init__(
        self,
        model: str,
        scheme: str,
        parameters: FloatArray,
        x0: FloatArray,
        ids: npt.NDArray[np.uint64],
        boundaries: Sequence[dict[str, Any]],
        dtype: str,
        noise: str,
        seed: int,
        dt: float,
        threads: int,
        peak_of: int = -1,
    ) -> None: ...
    @property
    def n(self) -> int: ...
    @property
    def alive(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def particle_steps(self) -> int: ...
    @property
    def substeps(self) -> int: ...
    @property
    def floor_hits(self) -> int: ...
    def advance(self, steps: int) -> None: ...
    def retire(self, places: Sequence[int], side: int) -> None: ...
    @property
    def time(self) -> FloatArray: ...
    @property
    def side(self) -> npt.NDArray[np.int8]: ...
    @property
    def counts(self) -> npt.NDArray[np.uint32]: ...
    @property
    def highest(self) -> FloatArray: ...
    @property
    def states(self) -> FloatArray: ...
    @property
    def living(self) -> FloatArray: ...
    @property
    def slots(self) -> npt.NDArray[np.uint32]: ...

class Engine:
    def __init__(
        self,
        n: int,
        dtype: str,
        noise: str,
        seed: int,
        threads: int,
        first_id: int = 0,
        points: int = 1,
        planes: int = 1,
    ) -> None: ...
    @property
    def n(self) -> int: ...
    @property
    def points(self) -> int: ...
    @property
    def planes(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def draw(self) -> int: ...
    @property
    def substeps(self) -> int: ...
    @property
    def floor_hits(self) -> int: ...
    threads: int
    @property
    def state(self) -> npt.NDArray[Any]: ...
    def fill_padding(self) -> None: ...
    def restore(self, step: int, draw: int, substeps: int, floor_hits: int) -> None: ...
    def advance(
        self,
        model: str,
        scheme: str,
        parameters: FloatArray,
        steps: int,
        dt: float,
        coarsen: int = 1,
    ) -> None: ...
    def change_coordinate(self, model: str, parameters: FloatArray, old: str, new: str) -> None: ...
    def physical(
        self,
        model: str,
        parameters: FloatArray,
        coordinate: str,
        point: int,
        plane: int,
        first: int,
        count: int,
    ) -> FloatArray: ...
    def logarithm(
        self,
        model: str,
        parameters: FloatArray,
        coordinate: str,
        point: int,
        plane: int,
        first: int,
        count: int,
    ) -> FloatArray: ...
    def power_sums(
        self, model: str, parameters: FloatArray, coordinate: str, shifts: FloatArray, highest: int
    ) -> FloatArray: ...
    def histogram(
        self,
        model: str,
        parameters: FloatArray,
        coordinate: str,
        plane: int,
        scale: int,
        lo: float,
        inverse_width: float,
        threshold: float,
        counts: npt.NDArray[np.uint64],
    ) -> None: ...
    def count_nonfinite(self) -> int: ...
