"""Peer references for the speed of an Euler-Maruyama step, written as well as we can.

The dynamic is ``dx = -H x dt + sqrt(es + eh x^2) dW`` with ``es = eta sigma_g`` and
``eh = eta sigma_H``, at a fixed step, one thread, keeping the final state only. Every loop has the
signature ``loop(x, steps, dt, H, es, eh, seed)``, takes a 1-D float32 or float64 array of initial
states, leaves it alone, and returns the final states in the same precision.

==================  ==============================================================================
``numpy_naive``     what people write: one array expression per step
``numpy_tuned``     SFC64, in-place ufuncs, chunks that stay in the second-level cache
``numba_philox``    Philox4x32-10 (counter = particle, block of steps; key = seed) and polynomial
                    Box-Muller in loops that LLVM vectorises; float64 means 53-bit uniforms too
``numba_mixed``     the same, float64 state with normals made from 32-bit words in float32
``numba_xoshiro``   the same with xoshiro128+ / xoshiro256+ (cheaper, stateful, not splittable)
==================  ==============================================================================

What makes the numba loops fast, each point measured:

* particles go in blocks of ``BLOCK``, so that words and states stay in the first-level cache;
  ``order="particle"`` finishes a block before the next, ``order="step"`` sweeps all blocks per
  group of steps;
* Philox keeps its words in 64-bit lanes, where one multiply gives both halves and what lies above
  bit 31 does no harm; several independent chains are interleaved round by round;
* generator and step are separate loops without branches (together they run out of registers), and
  in float64 the logarithm has a loop of its own, with Estrin's order kept from reassociation;
* buffers start at a cache line;
* a square root is saved per pair: ``sqrt(-2 log u) sqrt(v) = sqrt(-2 v log u)``;
* the angle is cut to one eighth of a turn either side of zero, turned by another eighth with one
  addition and one subtraction, and mirrored with two random sign bits: no quadrant logic;
* everything small is inlined by force; without that LLVM leaves calls and vectorises nothing.

Run ``python bench/references.py`` to check every loop against the exact moments of the chain and
to time them. numba is optional (extra ``bench``) and imported on first use.

Philox: Salmon, Moraes, Dror and Shaw, SC11 (2011). xoshiro: Blackman and Vigna, ACM TOMS 47
(2021). Normals: Box and Muller, Ann. Math. Stat. 29 (1958), eq. (1).
"""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Loop = Callable[[Array, int, float, float, float, float, int], Array]

BLOCK = 1024
"""Particles per block of the numba loops."""

PHILOX_M = (0xD2511F53, 0xCD9E8D57)
PHILOX_W = (0x9E3779B9, 0xBB67AE85)
PHILOX_ZERO = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
"""Published output of Philox4x32-10 for counter 0 and key 0."""

# Minimax polynomials (relative error): log(1 + f) / f on [sqrt(1/2) - 1, sqrt(2) - 1], and with
# y = t^2, |t| <= 1: sin(pi t / 4) / t and cos(pi t / 4). Lowest power first.
LOG32 = (
    0.99999997419,
    -0.4999998798,
    0.33334185691,
    -0.25002072938,
    0.1995683013,
    -0.16562413323,
    0.1495231984,
    -0.14366738959,
    0.087220967203,
)  # 2.6e-8
SIN32 = (
    0.78539816085423409,
    -0.080745432530015429,
    0.0024900010249281142,
    -3.5950452296508e-05,
)  # 3e-9
COS32 = (
    0.99999996738720960,
    -0.30842416559614159,
    0.015849684171399530,
    -0.00031872783664525606,
)  # 3e-8
LOG64 = (
    1.0000000000000000467,
    -0.49999999999999961704,
    0.33333333333325603796,
    -0.25000000000014370153,
    0.20000000002115543458,
    -0.1666666666633099755,
    0.14285714062154829521,
    -0.12499999806887566561,
    0.11111122902258136792,
    -0.10000019558330083299,
    0.090905657832015299969,
    -0.083325143229039035696,
    0.076979007016428378068,
    -0.071608023277869454239,
    0.066206558467546406798,
    -0.060371791371802912055,
    0.059738773044397053617,
    -0.067985575315698398357,
    0.063350994163773529686,
    -0.028300257059879200567,
)  # 5e-17
SIN64 = (
    0.78539816339744830701,
    -0.080745512188280530208,
    0.0024903945701887363252,
    -0.000036576204158456671774,
    3.1336162166385651932e-7,
    -1.7571492944970684582e-9,
    6.8771009223099046453e-12,
)  # 3e-18
COS64 = (
    0.9999999999999999443,
    -0.30842513753403722986,
    0.015854344243734566865,
    -0.0003259918864540318537,
    3.5908591233415105078e-6,
    -2.460945714743812588e-8,
    1.1363812026242460679e-10,
)  # 6e-17


# ------------------------------------------------------------------------------------- numpy


def numpy_naive(
    x: Array, steps: int, dt: float, H: float, es: float, eh: float, seed: int
) -> Array:
    """Euler-Maruyama as people write it: one numpy expression per step (default generator)."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        dw = math.sqrt(dt) * rng.standard_normal(x.size, dtype=x.dtype)
        x = x - H * x * dt + np.sqrt(es + eh * x**2) * dw
    return x


def numpy_tuned(
    x: Array, steps: int, dt: float, H: float, es: float, eh: float, seed: int
) -> Array:
    """Euler-Maruyama with SFC64, no allocation per step, and chunks of 128 KiB per buffer."""
    rng = np.random.Generator(np.random.SFC64(seed))
    out: Array = x.copy()
    chunk = (1 << 17) // x.itemsize
    normals = np.empty(chunk, x.dtype)
    spread = np.empty(chunk, x.dtype)
    for low in range(0, x.size, chunk):
        y = out[low : low + chunk]
        z = normals[: y.size]
        v = spread[: y.size]
        for _ in range(steps):
            rng.standard_normal(dtype=x.dtype, out=z)
            np.multiply(y, y, out=v)
            v *= eh * dt
            v += es * dt
            np.sqrt(v, out=v)
            v *= z
            y *= 1.0 - H * dt
            y += v
    return out


# ------------------------------------------------------------------------------------- numba


def _numba() -> Any:
    """Import numba with 512-bit vectors allowed; ImportError says how to get it."""
    if "numba" not in sys.modules and "NUMBA_CPU_FEATURES" not in os.environ:
        try:
            import llvmlite.binding as llvm  # type: ignore[import-untyped]

            features = llvm.get_host_cpu_features()
            if features.get("avx512f"):  # LLVM shies away from them on several Intel cores
                os.environ["NUMBA_CPU_FEATURES"] = features.flatten() + ",-prefer-256-bit"
        except (ImportError, RuntimeError):
            pass
    try:
        import numba
    except ImportError as error:
        raise ImportError(
            "this reference needs numba: pip install 'escapade[bench]' (or pip install numba)"
        ) from error
    return numba


def _horner(coefficients: tuple[float, ...], variable: str, cast: str = "") -> str:
    """Source text of a polynomial, lowest power first, by Horner's rule."""
    text = f"{cast}({coefficients[-1]!r})"
    for c in coefficients[-2::-1]:
        text = f"({text} * {variable} + {cast}({c!r}))"
    return text


def _estrin(coefficients: tuple[float, ...]) -> str:
    """Source text of a polynomial in f, with g = f^2 and h = f^4: a shorter chain than Horner's."""
    pairs = [
        f"({coefficients[i + 1]!r} * f + {coefficients[i]!r})"
        for i in range(0, len(coefficients), 2)
    ]
    text = ""
    for i in range(len(pairs) - 2, -1, -2):
        quad = f"({pairs[i]} + {pairs[i + 1]} * g)"
        text = f"({text} * h + {quad})" if text else quad
    return text


_SCALAR = f"""
@small
def log32(w):
    # -log of the uniform (w | 1) / 2^32
    bits = i32(bits_of32(f32(w | u32(1))) - i32({0x3F3504F3 + (32 << 23)}))
    e = f32(i32(bits >> i32(23)))
    f = float_of32(i32(i32(bits & i32(0x7FFFFF)) + i32(0x3F3504F3))) - f32(1)
    return {_horner(tuple(-c for c in LOG32), "f", "f32")} * f - e * f32({math.log(2)!r})

@small
def circle32(w):
    # sqrt(2) times a point of the unit circle: 30 bits of angle, two sign bits
    t = f32(i32(w << u32(2))) * f32({2.0**-31!r})
    y = t * t
    s = {_horner(SIN32, "y", "f32")} * t
    c = {_horner(COS32, "y", "f32")}
    sign = i32(-0x80000000)
    return (float_of32(bits_of32(c - s) ^ (i32(w) & sign)),
            float_of32(bits_of32(c + s) ^ (i32(w << u32(1)) & sign)))

@firm
def poly64(f):
    g = f * f
    h = g * g
    return {_estrin(tuple(-c for c in LOG64))}

@small
def log64(w):
    # -log of the uniform (k + 1) / 2^53, k the upper 53 bits
    bits = bits_of64(f64(i64((w >> u64(11)) + u64(1)))) - i64({0x3FE6A09E667F3BCD + (53 << 52)})
    e = f64(bits >> i64(52))
    f = float_of64((bits & i64({(1 << 52) - 1})) + i64({0x3FE6A09E667F3BCD})) - 1.0
    return poly64(f) * f - e * {math.log(2)!r}

@small
def circle64(w):
    t = f64(i64(w << u64(2))) * {2.0**-63!r}
    y = t * t
    s = {_horner(SIN64, "y")} * t
    c = {_horner(COS64, "y")}
    sign = i64({-(1 << 63)})
    return (float_of64(bits_of64(c - s) ^ (i64(w) & sign)),
            float_of64(bits_of64(c + s) ^ (i64(w << u64(1)) & sign)))

@small
def philox_round(c0, c1, c2, c3, k0, k1):
    p = u64({PHILOX_M[0]}) * (c0 & low)
    q = u64({PHILOX_M[1]}) * (c2 & low)
    return (q >> u64(32)) ^ c1 ^ k0, q, (p >> u64(32)) ^ c3 ^ k1, p

@small
def pair(x, l, a, b, decay, va, vb):
    va, vb = l * va, l * vb
    x = x * decay + np.sqrt(va + vb * (x * x)) * a
    return x * decay + np.sqrt(va + vb * (x * x)) * b

@small
def splat(x, l, a, b):
    r = np.sqrt(l)
    return r * a, r * b
"""


def _philox_source(name: str, chains: int, wide: bool) -> str:
    """Source text of the loop that fills ``words`` with Philox output for one block.

    Parameters
    ----------
    name : str
        Name of the function.
    chains : int
        Independent counters in flight, interleaved round by round.
    wide : bool
        Write two uint64 rows instead of four uint32 rows.
    """
    span = BLOCK // chains
    lines = [
        "@loop",
        f"def {name}(words, state, first, group, k0, k1):",
        "    block = u64(group)",
        f"    for i in range({span}):",
    ]
    for j in range(chains):
        lines += [
            f"        n{j} = u64(first + i + {j * span})",
            f"        a{j}, b{j}, c{j}, d{j} = n{j}, n{j} >> u64(32), block, u64(0)",
        ]
    for r in range(10):
        w0, w1 = (r * w & 0xFFFFFFFF for w in PHILOX_W)
        key = f"(k0 + u64({w0})) & low, (k1 + u64({w1})) & low"
        for j in range(chains):
            v = f"a{j}, b{j}, c{j}, d{j}"
            lines.append(f"        {v} = philox_round({v}, {key})")
    for j in range(chains):
        at = f"i + {j * span}"
        if wide:
            lines.append(f"        words[{at}] = (a{j} << u64(32)) | (b{j} & low)")
            lines.append(f"        words[{at} + {BLOCK}] = (c{j} << u64(32)) | (d{j} & low)")
        else:
            for row, v in enumerate("abcd"):
                lines.append(f"        words[{at} + {row * BLOCK}] = u32({v}{j})")
    return "\n".join(lines) + "\n"


def _xoshiro_source(name: str, wide: bool) -> str:
    """Source text of the loop that fills ``words`` from BLOCK independent xoshiro generators."""
    cast, bits, shift, turn, rows = ("u64", 64, 17, 45, 2) if wide else ("u32", 32, 9, 11, 4)
    lines = [
        "@loop",
        f"def {name}(words, state, first, group, k0, k1):",
        f"    for i in range({BLOCK}):",
    ]
    lines += [f"        s{r} = state[i + {r * BLOCK}]" for r in range(4)]
    for row in range(rows):
        lines += [
            f"        words[i + {row * BLOCK}] = {cast}(s0 + s3)",
            f"        t = {cast}(s1 << {cast}({shift}))",
            "        s2 ^= s0; s3 ^= s1; s1 ^= s2; s0 ^= s3; s2 ^= t",
            f"        s3 = {cast}({cast}(s3 << {cast}({turn})) | (s3 >> {cast}({bits - turn})))",
        ]
    lines += [f"        state[i + {r * BLOCK}] = s{r}" for r in range(4)]
    return "\n".join(lines) + "\n"


_STEPS = f"""
@loop
def steps32(y, words, normals, decay, va, vb):
    for row in range(0, 4 * {BLOCK}, 2 * {BLOCK}):
        u = words[row:row + {BLOCK}]
        w = words[row + {BLOCK}:row + 2 * {BLOCK}]
        for i in range({BLOCK}):
            a, b = circle32(w[i])
            y[i] = pair(y[i], log32(u[i]), a, b, decay, va, vb)

@loop
def steps64(y, words, normals, decay, va, vb):
    for i in range({BLOCK}):
        normals[i] = log64(words[i])
    for i in range({BLOCK}):
        a, b = circle64(words[i + {BLOCK}])
        y[i] = pair(y[i], normals[i], a, b, decay, va, vb)

@loop
def steps_mixed(y, words, normals, decay, va, vb):
    for row in range(0, 4 * {BLOCK}, 2 * {BLOCK}):
        u = words[row:row + {BLOCK}]
        w = words[row + {BLOCK}:row + 2 * {BLOCK}]
        for i in range({BLOCK}):
            a, b = circle32(w[i])
            a, b = splat(f32(0), log32(u[i]), a, b)
            normals[i] = a
            normals[i + {BLOCK}] = b
        for i in range({BLOCK}):
            y[i] = pair(y[i], 1.0, f64(normals[i]), f64(normals[i + {BLOCK}]), decay, va, vb)
"""

_DRIVER = f"""
@loop
def drive(x, groups, decay, va, vb, k0, k1, words, state, normals, step_major):
    if step_major:
        for g in range(groups):
            for first in range(0, x.size, {BLOCK}):
                fill(words, state, first, g, k0, k1)
                steps(x[first:first + {BLOCK}], words, normals, decay, va, vb)
    else:
        for first in range(0, x.size, {BLOCK}):
            for g in range(groups):
                fill(words, state, first, g, k0, k1)
                steps(x[first:first + {BLOCK}], words, normals, decay, va, vb)
"""


def parts() -> dict[str, Any]:
    """Return a new namespace of what loops are made of: generators, logarithm, circle, decorators."""
    numba = _numba()
    from numba.core import types
    from numba.extending import intrinsic

    def reinterpret(source: Any, target: Any) -> Any:
        def bitcast(typing_context: Any, value: Any) -> Any:
            def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
                return builder.bitcast(args[0], context.get_value_type(target))

            return target(source), codegen

        return intrinsic(bitcast)

    # without "reassoc" LLVM leaves the order of a polynomial alone
    firm = {"contract", "nsz", "arcp", "afn", "nnan", "ninf"}
    options = {"fastmath": True, "error_model": "numpy", "nogil": True}
    space: dict[str, Any] = {
        "np": np,
        "f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64,
        "u32": np.uint32, "u64": np.uint64, "low": np.uint64(0xFFFFFFFF),
        "bits_of32": reinterpret(types.float32, types.int32),
        "float_of32": reinterpret(types.int32, types.float32),
        "bits_of64": reinterpret(types.float64, types.int64),
        "float_of64": reinterpret(types.int64, types.float64),
        "small": numba.njit(forceinline=True, **options),
        "firm": numba.njit(forceinline=True, **{**options, "fastmath": firm}),
        "loop": numba.njit(**options),
    }  # fmt: skip
    exec(_SCALAR, space)
    exec(_philox_source("philox32", 2, wide=False), space)
    exec(_philox_source("philox64", 4, wide=True), space)
    exec(_xoshiro_source("xoshiro32", wide=False), space)
    exec(_xoshiro_source("xoshiro64", wide=True), space)
    return space


@cache
def _kernels() -> dict[str, Any]:
    """Compile (lazily) every loop; returns the namespace that holds them."""
    space = parts()
    exec(_STEPS, space)
    for name, fill, steps in (
        ("philox_float32", "philox32", "steps32"),
        ("philox_float64", "philox64", "steps64"),
        ("philox_mixed", "philox32", "steps_mixed"),
        ("xoshiro_float32", "xoshiro32", "steps32"),
        ("xoshiro_float64", "xoshiro64", "steps64"),
    ):
        local = {**space, "fill": space[fill], "steps": space[steps]}
        exec(_DRIVER, local)
        space[name] = local["drive"]
    return space


def _seeds(seed: int, count: int) -> npt.NDArray[np.uint64]:
    """``count`` 64-bit words from the splitmix64 sequence of a seed."""
    with np.errstate(over="ignore"):
        z: npt.NDArray[np.uint64]
        z = np.uint64(seed & (2**64 - 1)) + np.uint64(0x9E3779B97F4A7C15) * np.arange(
            1, count + 1, dtype=np.uint64
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        return z


def _aligned(size: int, kind: Any) -> Array:
    """An uninitialised array that starts at a cache line, so that no vector crosses one."""
    width = np.dtype(kind).itemsize
    raw = np.empty(size * width + 64, np.uint8)
    shift = -raw.ctypes.data % 64
    return raw[shift : shift + size * width].view(kind)


def _run(
    kernel: str,
    x: Array,
    steps: int,
    dt: float,
    H: float,
    es: float,
    eh: float,
    seed: int,
    order: str,
) -> Array:
    """Pad the states to whole blocks, run a compiled loop, return the states asked for."""
    if order not in ("particle", "step"):
        raise ValueError(f"order must be 'particle' or 'step', got {order!r}")
    if steps % 4:
        raise ValueError(f"steps must be a multiple of 4, got {steps}")
    wide = kernel.endswith("float64")
    word = np.uint64 if wide else np.uint32
    real = x.dtype.type
    y = _aligned(-(-x.size // BLOCK) * BLOCK, real)
    y[: x.size] = x
    y[x.size :] = 0.0
    state = _aligned(4 * BLOCK, word)
    if kernel.startswith("xoshiro"):
        state[:] = _seeds(seed, 4 * BLOCK) >> np.uint64(0 if wide else 32)
    words = _aligned((2 if wide else 4) * BLOCK, word)
    normals = _aligned(2 * BLOCK, np.float64 if wide else np.float32)
    _kernels()[kernel](
        y, steps // (2 if wide else 4), real(1.0 - H * dt), real(es * dt), real(eh * dt),
        np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32 & 0xFFFFFFFF),
        words, state, normals, order == "step",
    )  # fmt: skip
    return y[: x.size]


def numba_philox(
    x: Array,
    steps: int,
    dt: float,
    H: float,
    es: float,
    eh: float,
    seed: int,
    order: str = "particle",
) -> Array:
    """Vectorised Philox and Box-Muller; float32 throughout or float64 throughout, as ``x`` is.

    Raises
    ------
    ImportError
        If numba is missing.
    ValueError
        If ``steps`` is no multiple of 4 or ``order`` is neither "particle" nor "step".
    """
    return _run(f"philox_{x.dtype}", x, steps, dt, H, es, eh, seed, order)


def numba_mixed(
    x: Array,
    steps: int,
    dt: float,
    H: float,
    es: float,
    eh: float,
    seed: int,
    order: str = "particle",
) -> Array:
    """As `numba_philox`, with float64 states and normals of 32-bit words in float32."""
    return _run("philox_mixed", x, steps, dt, H, es, eh, seed, order)


def numba_xoshiro(
    x: Array,
    steps: int,
    dt: float,
    H: float,
    es: float,
    eh: float,
    seed: int,
    order: str = "particle",
) -> Array:
    """As `numba_philox`, with one xoshiro generator per particle of a block."""
    return _run(f"xoshiro_{x.dtype}", x, steps, dt, H, es, eh, seed, order)


# ------------------------------------------------------------------------- checks and timing


def exact_moments(
    x0: float, steps: int, dt: float, H: float, es: float, eh: float
) -> tuple[float, float, float]:
    """First, second and fourth raw moments of the Euler-Maruyama chain started at ``x0``."""
    decay, va, vb = 1.0 - H * dt, es * dt, eh * dt
    m1, m2, m4 = x0, x0**2, x0**4
    for _ in range(steps):
        m4 = (
            decay**4 * m4
            + 6.0 * decay**2 * (va * m2 + vb * m4)
            + 3.0 * (va * va + 2.0 * va * vb * m2 + vb * vb * m4)
        )
        m2 = decay**2 * m2 + va + vb * m2
        m1 *= decay
    return m1, m2, m4


def z_scores(x: Array, moments: tuple[float, float, float]) -> dict[str, float]:
    """Distances in standard errors: moments 1, 2, 4, and products of particles some way apart."""
    x = x.astype(np.float64)
    parts = {f"m{k}": x**k - m for k, m in zip((1, 2, 4), moments, strict=True)}
    for lag in (1, BLOCK // 2, BLOCK):
        parts[f"lag {lag}"] = (x[lag:] - moments[0]) * (x[:-lag] - moments[0])
    return {k: float(p.mean() / (p.std() / math.sqrt(p.size))) for k, p in parts.items()}


def check_philox() -> None:
    """Compare both Philox loops with the published answer and with each other."""
    space = _kernels()
    zero = np.uint64(0)
    narrow, wide = np.empty(4 * BLOCK, np.uint32), np.empty(2 * BLOCK, np.uint64)
    space["philox32"](narrow, narrow, 0, 0, zero, zero)
    space["philox64"](wide, wide, 0, 0, zero, zero)
    rows = narrow.reshape(4, BLOCK)
    if tuple(int(v) for v in rows[:, 0]) != PHILOX_ZERO:
        raise AssertionError("Philox4x32-10 differs from its published output")
    joined = (rows[0::2].astype(np.uint64) << np.uint64(32)) | rows[1::2]
    if not np.array_equal(joined, wide.reshape(2, BLOCK)):
        raise AssertionError("the two Philox loops differ")


def assembly(kernel: str) -> str:
    """Count the telling instructions of a compiled loop on 512/256/128-bit registers."""
    text = "\n".join(_kernels()[kernel].inspect_asm().values())
    counts = []
    for label, name in (
        ("vpmuludq", "vpmuludq"),
        ("fma", r"vfn?m(?:add|sub)\w+p[sd]"),
        ("sqrt", "vsqrtp[sd]"),
        ("ternlog", r"vpternlog\w"),
    ):
        found = [len(re.findall(rf"\t{name}\t.*%{r}", text)) for r in ("zmm", "ymm", "xmm")]
        counts.append(f"{label} {'/'.join(map(str, found))}")
    return ", ".join(counts)


def contenders(with_numba: bool = True) -> dict[str, tuple[Loop, Any, str]]:
    """Name to (loop, dtype, kernel whose assembly tells)."""
    table: dict[str, tuple[Loop, Any, str]] = {}
    for kind in (np.float32, np.float64):
        tag = kind.__name__
        table[f"numpy naive {tag}"] = (numpy_naive, kind, "")
        table[f"numpy tuned {tag}"] = (numpy_tuned, kind, "")
        if with_numba:
            for name, loop in (("philox", numba_philox), ("xoshiro", numba_xoshiro)):
                kernel = f"{name}_{tag}"
                table[f"numba {name} {tag}"] = (loop, kind, kernel)
                table[f"numba {name} {tag}, step-major"] = (
                    lambda *a, loop=loop: loop(*a, order="step"), kind, "",
                )  # fmt: skip
    if with_numba:
        table["numba philox float64, 32-bit noise"] = (numba_mixed, np.float64, "philox_mixed")
    return table


def main(argv: list[str] | None = None) -> int:
    """Check every loop, then time them in turn; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--particles", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--only", default="", help="a regular expression on the names")
    args = parser.parse_args(argv)
    if hasattr(os, "sched_setaffinity"):
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {args.core if args.core in cores else min(cores)})
    try:
        check_philox()
        table = contenders()
    except ImportError as error:
        print(error)
        table = contenders(with_numba=False)
    table = {k: v for k, v in table.items() if re.search(args.only, k)}

    dt, H, es, eh, x0 = 0.01, 1.0, 0.5, 0.4, 1.0
    moments = exact_moments(x0, args.steps, dt, H, es, eh)
    failed = False
    print(f"z-scores after {args.steps} steps, {args.particles} particles")
    for name, (loop, kind, kernel) in table.items():
        # an odd size, so that a last incomplete block is checked as well
        start = np.full(args.particles - 1, x0, kind)
        scores = z_scores(loop(start, args.steps, dt, H, es, eh, 12345), moments)
        wrong = any(not abs(z) < 4.5 for z in scores.values())
        failed |= wrong
        line = "  ".join(f"{k} {z:+.2f}" for k, z in scores.items())
        print(f"  {name:36s} {line}{'  WRONG' if wrong else ''}")
        if kernel:
            print(f"      on zmm/ymm/xmm: {assembly(kernel)}")

    times: dict[str, list[float]] = {name: [] for name in table}
    for run in range(args.runs):
        for name, (loop, kind, _) in table.items():
            start = np.full(args.particles, x0, kind)
            begin = time.perf_counter()
            loop(start, args.steps, dt, H, es, eh, run)
            times[name].append(time.perf_counter() - begin)
    scale = 1e9 / (args.particles * args.steps)
    print(f"\n{'ns per particle-step':38s} median     min   ratio to the first")
    base = statistics.median(next(iter(times.values())))
    for name, t in times.items():
        middle = statistics.median(t)
        print(f"  {name:36s} {middle * scale:6.3f}  {min(t) * scale:6.3f}  {middle / base:6.3f}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
