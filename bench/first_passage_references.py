"""Peer references for first passage, written as well as we can.

Euler-Maruyama for ``dx = (x - x^3) dt + s dW`` until ``x >= 1`` after a step, or ``steps`` are made;
one thread. Every loop has the signature ``loop(n, steps, dt, noise2, start, level, seed)``, with
``noise2 = s^2``, and returns the number of the step in which each particle was found beyond the level,
0 where it was not, shape (n,).

The numba loops are made of the generators and polynomials of `references`. Besides what that module
says of speed, each point measured:

* states lie dense: after every leg of ``LEG`` steps those who have arrived are taken out in place, so
  that at most half a leg is spent on each of the dead;
* within a leg there are no branches: the step of arrival is the minimum of two lane-wide integers, as
  wide as the state, so that no lane changes its width;
* a block of particles makes a whole leg while it is in the first-level cache;
* the noise of ``philox`` is keyed by place and step, so that no number of a particle is loaded for it;
  that of ``keyed`` by particle and step, as ours is, so that no particle's path depends on the others.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import references
from references import BLOCK

Steps = npt.NDArray[np.int64]

LEG = 64
"""Steps between two removals of those who have arrived; a multiple of 4."""

_NEVER = 2**31 - 1

_EVENTS = f"""
@small
def advance(x, push, rise, dt):
    return x * (rise - dt * (x * x)) + push

@loop
def events32(y, when, words, normals, rise, dt, v, level, step):
    never = i32({_NEVER})
    for row in range(0, 4 * {BLOCK}, 2 * {BLOCK}):
        u = words[row:row + {BLOCK}]
        w = words[row + {BLOCK}:row + 2 * {BLOCK}]
        first = i32(step + row // {BLOCK} + 1)
        second = i32(step + row // {BLOCK} + 2)
        for i in range({BLOCK}):
            a, b = circle32(w[i])
            r = np.sqrt(log32(u[i]) * v)
            x = advance(y[i], r * a, rise, dt)
            t = min(when[i], first if x >= level else never)
            x = advance(x, r * b, rise, dt)
            when[i] = min(t, second if x >= level else never)
            y[i] = x

@loop
def events64(y, when, words, normals, rise, dt, v, level, step):
    never = i64({_NEVER})
    first, second = i64(step + 1), i64(step + 2)
    for i in range({BLOCK}):
        normals[i] = log64(words[i])
    for i in range({BLOCK}):
        a, b = circle64(words[i + {BLOCK}])
        r = np.sqrt(normals[i] * v)
        x = advance(y[i], r * a, rise, dt)
        t = min(when[i], first if x >= level else never)
        x = advance(x, r * b, rise, dt)
        when[i] = min(t, second if x >= level else never)
        y[i] = x

@loop
def events_mixed(y, when, words, normals, rise, dt, v, level, step):
    never = i64({_NEVER})
    root = f32(v)
    for row in range(0, 4 * {BLOCK}, 2 * {BLOCK}):
        u = words[row:row + {BLOCK}]
        w = words[row + {BLOCK}:row + 2 * {BLOCK}]
        first = i64(step + row // {BLOCK} + 1)
        second = i64(step + row // {BLOCK} + 2)
        for i in range({BLOCK}):
            a, b = circle32(w[i])
            r = np.sqrt(log32(u[i]) * root)
            normals[i] = r * a
            normals[i + {BLOCK}] = r * b
        for i in range({BLOCK}):
            x = advance(y[i], f64(normals[i]), rise, dt)
            t = min(when[i], first if x >= level else never)
            x = advance(x, f64(normals[i + {BLOCK}]), rise, dt)
            when[i] = min(t, second if x >= level else never)
            y[i] = x
"""

_PLACE = "words, state, first, (step + s) // per, k0, k1"
_PARTICLE = f"words, ids[first:first + {BLOCK}], 0, (step + s) // per, k0, k1"

_DRIVER = f"""
@loop
def passage(y, ids, when, out, steps, per, rise, dt, v, level, k0, k1, words, state, normals):
    n, step = out.size, 0
    while n > 0 and step < steps:
        leg = min({LEG}, steps - step)
        for first in range(0, n, {BLOCK}):
            for s in range(0, leg, per):
                fill({{arguments}})
                events(y[first:first + {BLOCK}], when[first:first + {BLOCK}], words, normals,
                       rise, dt, v, level, step + s)
        kept = 0
        for i in range(n):
            if when[i] == {_NEVER}:
                y[kept] = y[i]
                ids[kept] = ids[i]
                kept += 1
            else:
                out[ids[i]] = when[i]
        for i in range(y.size):
            when[i] = {_NEVER}
        n = kept
        step += leg
"""


def numpy_loop(
    n: int,
    steps: int,
    dt: float,
    noise2: float,
    start: float,
    level: float,
    seed: int,
    kind: Any = np.float64,
) -> Steps:
    """First passage as people write it in numpy: in-place ufuncs, those who arrive are dropped."""
    rng = np.random.Generator(np.random.SFC64(seed))
    out = np.zeros(n, np.int64)
    ids = np.arange(n)
    x = np.full(n, start, kind)
    root = kind(math.sqrt(noise2 * dt))
    for step in range(1, steps + 1):
        z = rng.standard_normal(x.size, dtype=kind)
        z *= root
        z += x * (kind(1.0 + dt) - kind(dt) * (x * x))
        x = z
        arrived = x >= level
        if arrived.any():
            out[ids[arrived]] = step
            stay = ~arrived
            x, ids = x[stay], ids[stay]
            if x.size == 0:
                break
    return out


@cache
def kernels() -> dict[str, Any]:
    """Compile (lazily) every loop; returns the namespace that holds them."""
    space = references.parts()
    exec(_EVENTS, space)
    for fill, chains, wide in (("keyed32", 2, False), ("keyed64", 4, True)):
        source = references._philox_source(fill, chains, wide)
        exec(re.sub(r"u64\(first \+ (i \+ \d+)\)", r"u64(state[\1])", source), space)
    for name, fill, events, arguments in (
        ("keyed_float32", "keyed32", "events32", _PARTICLE),
        ("keyed_float64", "keyed64", "events64", _PARTICLE),
        ("keyed_mixed", "keyed32", "events_mixed", _PARTICLE),
        ("philox_float32", "philox32", "events32", _PLACE),
        ("philox_float64", "philox64", "events64", _PLACE),
        ("philox_mixed", "philox32", "events_mixed", _PLACE),
        ("xoshiro_float32", "xoshiro32", "events32", _PLACE),
        ("xoshiro_float64", "xoshiro64", "events64", _PLACE),
        ("xoshiro_mixed", "xoshiro32", "events_mixed", _PLACE),
    ):
        local = {**space, "fill": space[fill], "events": space[events]}
        exec(_DRIVER.format(arguments=arguments), local)
        space[name] = local["passage"]
    return space


def numba_loop(
    name: str,
    n: int,
    steps: int,
    dt: float,
    noise2: float,
    start: float,
    level: float,
    seed: int,
) -> Steps:
    """Run a compiled loop: "keyed_float32", "keyed_float64", "keyed_mixed", or "philox_", "xoshiro_".

    Raises
    ------
    ImportError
        If numba is missing.
    ValueError
        If ``steps`` is no multiple of 4.
    """
    if steps % 4:
        raise ValueError(f"steps must be a multiple of 4, got {steps}")
    wide, narrow_state = name.endswith("float64"), name.endswith("float32")
    real = np.float32 if narrow_state else np.float64
    word = np.uint64 if wide else np.uint32
    size = -(-n // BLOCK) * BLOCK
    y = references._aligned(size, real)
    y[:] = start
    when = references._aligned(size, np.int32 if narrow_state else np.int64)
    when[:] = _NEVER
    state = references._aligned(4 * BLOCK, word)
    if name.startswith("xoshiro"):
        state[:] = references._seeds(seed, 4 * BLOCK) >> np.uint64(0 if wide else 32)
    words = references._aligned((2 if wide else 4) * BLOCK, word)
    normals = references._aligned(2 * BLOCK, np.float64 if wide else np.float32)
    out = np.zeros(n, np.int64)
    kernels()[name](
        y, np.arange(size, dtype=np.uint32), when, out, steps, 2 if wide else 4,
        real(1.0 + dt), real(dt), real(noise2 * dt), real(level),
        np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32 & 0xFFFFFFFF), words, state, normals,
    )  # fmt: skip
    return out


def registers(name: str) -> dict[str, int]:
    """Return how often a compiled loop names registers of 512, 256 and 128 bits."""
    text = "\n".join(kernels()[name].inspect_asm().values())
    return {kind: len(re.findall(rf"%{kind}\d", text)) for kind in ("zmm", "ymm", "xmm")}
