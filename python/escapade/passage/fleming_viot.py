"""Quasi-stationary laws and leading eigenvalues by Fleming-Viot particles (cloning).

N particles move independently; one that escapes is replaced by a copy of another. Their law tends to
the law of the process given that it has not escaped, and the share that survives decays as
``exp(-lambda_1 t)``, with errors ``O(1/N)`` (Burdzy, Holyst and March, Comm. Math. Phys. 214, 679
(2000); Villemonais, ESAIM P&S 18, 1 (2014)). It does not make escapes more frequent: for
``lambda_1 t_relax`` below 1e-4 use splitting.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from .._checks import boolean, integer, number
from .._interrupt import Interrupts
from ..models import Model
from .clock import Clock, Stopped
from .cycles import Replicas
from .first_passage import LOST
from .ladder import FloatArray, legs
from .problem import Problem, prepare
from .quasi_stationary import FlemingViot
from .regions import Region
from .settling import relax

__all__ = ["fleming_viot", "fleming_viot_rate"]

_BLOCKS = 20  # means over so many blocks of time give the standard error
_MOST_DRAWS = 2**23  # states kept of the quasi-stationary law, at most
_RELAXATIONS = 10.0  # burn-in by default


def fleming_viot(
    model: Model,
    x0: Any,
    region: Region,
    t: float,
    *,
    dt: float | None = None,
    n: int = 10_000,
    every: int = 16,
    burn_in: float | None = None,
    max_seconds: float | None = None,
    scheme: str = "auto",
    test: str = "auto",
    seed: int | None = None,
    dtype: str = "float64",
    noise: str = "float32",
    threads: int | None = None,
    progress: bool = False,
) -> FlemingViot:
    """Return the leading eigenvalue and the quasi-stationary law; see `fleming_viot_rate`.

    Parameters
    ----------
    model, x0, region, dt, scheme, test, seed, dtype, noise, threads
        As for `escapade.escape`.

    Other parameters, result and errors are those of `fleming_viot_rate`.
    """
    problem = prepare(
        model,
        x0,
        region,
        n=integer("n", n, low=1),
        dt=dt,
        scheme=scheme,
        test=test,
        seed=seed,
        dtype=dtype,
        noise=noise,
        threads=threads,
    )
    return fleming_viot_rate(
        problem, t, n=n, every=every, burn_in=burn_in, max_seconds=max_seconds, progress=progress
    )


def fleming_viot_rate(
    problem: Problem,
    t: float,
    *,
    n: int = 10_000,
    every: int = 16,
    burn_in: float | None = None,
    max_seconds: float | None = None,
    progress: bool = False,
) -> FlemingViot:
    """Return the leading eigenvalue and the quasi-stationary law of a problem.

    Parameters
    ----------
    t : float
        Time after the burn-in, > 0; rounded up to 20 blocks of slices.
    n : int, default 10000
        Particles, >= 2. The bias is a share of the order of 1/n.
    every : int, default 16
        Steps of a slice, after which those who escaped in it are replaced, >= 1.
    burn_in : float, optional
        Time before, >= 0; by default ten times the relaxation time of a pilot run.
    max_seconds : float, optional
        Stop after so long, with the blocks that are done.
    progress : bool, default False
        Show a tqdm progress bar.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, its value and what is allowed; if a slice leaves nobody.
    TimeoutError
        If ``max_seconds`` ended before two blocks were done.
    KeyboardInterrupt
        On Ctrl-C.
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem, got {type(problem).__name__}")
    t = number("t", t, low=0.0, open_low=True)
    n = integer("n", n, low=2, high=2**28 - 1)
    every = integer("every", every, low=1, high=2**20)
    burn = None if burn_in is None else number("burn_in", burn_in, low=0.0)
    seconds = math.inf
    if max_seconds is not None:
        seconds = number("max_seconds", max_seconds, low=0.0, open_low=True)
    boolean("progress", progress)
    bar = None
    if progress:
        from tqdm.auto import tqdm

        bar = tqdm(unit="slice", desc=f"{problem.model.name} fleming-viot")
    with Interrupts() as stop:
        clock = Clock(stop, time.monotonic() + seconds, None if bar is None else bar.update)
        cloning = _Cloning(problem, clock, n, every)
        try:
            cloning.run(t, burn)
        except Stopped:
            pass
        finally:
            if bar is not None:
                bar.close()
        stop.deliver()
    return cloning.result(seconds)


class _Cloning:
    """The particles, and what has been counted."""

    def __init__(self, problem: Problem, clock: Clock, n: int, every: int) -> None:
        self.problem, self.clock, self.n, self.every = problem, clock, n, every
        start = problem.start(min(n, problem.initial.n))
        self.x = start[np.arange(n) % len(start)]
        self.slices = Replicas(problem, [1], n)
        self.blocks: list[float] = []
        self.draws: list[FloatArray] = []
        self.escapes = self.lost = 0
        self.block_time = self.burn_in = self.relaxation = math.nan

    def run(self, t: float, burn_in: float | None) -> None:
        """Run the burn-in and the blocks."""
        problem, length = self.problem, self.every * self.problem.dt
        pilot = Replicas(problem, [0], max(1000, min(self.n, 10_000)))
        self.relaxation = relax(legs(problem, None)[0], self.clock, pilot).time
        burn = math.ceil((_RELAXATIONS * self.relaxation if burn_in is None else burn_in) / length)
        per_block = max(math.ceil(t / length / _BLOCKS), 1)
        self.burn_in, self.block_time = burn * length, per_block * length
        apart = max(math.ceil(self.relaxation / length), 1)
        most = max(_MOST_DRAWS // self.x.size, 1)
        apart = max(apart, math.ceil(_BLOCKS * per_block / most))
        for _ in range(burn):
            self._slice()
        died = 0
        for at in range(_BLOCKS * per_block):
            if at % per_block == 0:
                died = 0
            died += self._slice()
            if (at + 1) % per_block == 0:
                # not the mean of logarithms of slices, which is too large by a share of 1 / (2 n)
                self.blocks.append(-math.log1p(-died / (self.n * per_block)) / length)
                self.escapes += died
            if (at + 1) % apart == 0:
                self.draws.append(self.x.copy())

    def _slice(self) -> int:
        """Make the steps of a slice and replace who escaped or was lost; return how many escaped."""
        batch = self.problem.batch(self.x, self.slices.ids())
        self.clock.run(batch, self.every)
        alive, x = batch.slots.astype(np.intp), batch.x
        dead = np.setdiff1d(np.arange(self.n), alive, assume_unique=True)
        lost = int(np.count_nonzero(batch.side == LOST))  # a failure of the scheme, no escape
        self.lost += lost
        if len(alive) == 0:
            raise ValueError(
                f"every must be smaller, or n larger: all {self.n:,} particles escaped within "
                f"{self.every} steps"
                + (f", or were lost ({lost:,}, not finite): dt may be too large" if lost else "")
            )
        if len(dead):
            u = self.slices.uniforms(0, len(dead))
            x[dead] = x[alive[(u * len(alive)).astype(np.intp)]]
        self.x = x
        return len(dead) - lost

    def result(self, seconds: float) -> FlemingViot:
        """Put together what is known."""
        if len(self.blocks) < 2:
            raise TimeoutError(
                f"max_seconds={seconds:g} was over before two blocks of time were done; allow more "
                "time, or a smaller n or t"
            )
        t = len(self.blocks) * self.block_time
        warnings = []
        if self.lost:
            warnings.append(
                f"{self.lost:,} particles were lost (not finite) and replaced: use a smaller dt or "
                "another scheme"
            )
        if self.escapes == 0:
            warnings.append("nobody escaped: there is only an upper bound of the rate")
        elif self.escapes < 100:
            warnings.append(f"only {self.escapes} particles escaped: use splitting, or a larger n")
        if len(self.blocks) < _BLOCKS:
            warnings.append(f"time was up after {len(self.blocks)} of {_BLOCKS} blocks")
        if self.block_time < 2.0 * self.relaxation:
            warnings.append("blocks of less than two relaxation times: a larger t is needed")
        return FlemingViot(
            np.asarray(self.blocks),
            self.x,
            np.concatenate(self.draws or [self.x]),
            self.escapes,
            self.lost,
            self.burn_in,
            t,
            self.relaxation,
            self.n,
            self.problem.seed,
            self.clock.particle_steps,
            self.clock.seconds,
            tuple(warnings),
        )
