"""Peer references for networks and for SGD, made of the parts of references.py.

``network``: depth 1, width 1, ``du = a w - 2 gamma u h``, ``dw = a u - 2 gamma w h`` with
``a = 2 sqrt(T q(v)) dW - 2 (beta1 v - beta2) h``, ``v = u w``, ``q(v) = alpha1 v^2 - 2 alpha2 v +
alpha3`` by Euler-Maruyama: two states that share one normal per step (theory: arXiv 2308.06671,
eq. A.67). ``sgd``: the same two parameters trained with learning rate eta on single samples
``x ~ N(0, 1)``, ``y = k x + s e``: two normals per step, but no square root, because only
``x^2`` and ``x e`` enter and Box-Muller knows the square of the radius.

Every loop has the signature ``loop(u, w, steps, p, seed)`` with p from `network_numbers` or
`sgd_numbers`, leaves its input alone and returns both arrays in the same precision.

Run ``python bench/network_references.py`` to check every loop against quadrature.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import references
from references import BLOCK, Array

Pair = tuple[Array, Array]
Loop = Callable[[Array, Array, int, "Numbers", int], Pair]
Numbers = tuple[float, ...]


def network_numbers(
    h: float, T: float, gamma: float, beta: Sequence[float], alpha: Sequence[float]
) -> Numbers:
    """Coefficients of one step: of v^2, v, 1 in the variance, of 1 and v in the drift, decay."""
    f = 4 * T * h
    return (
        *(f * alpha[0], -2 * f * alpha[1], f * alpha[2]),
        *(2 * h * beta[1], -2 * h * beta[0], 1 - 2 * gamma * h),
    )


def sgd_numbers(eta: float, gamma: float, k: float, s: float) -> Numbers:
    """Coefficients of one step of SGD: of x^2 (v - k) and of x e, k, and decay."""
    return -2 * eta, 2 * eta * s, k, 1 - 2 * eta * gamma


def network_numpy(u: Array, w: Array, steps: int, p: Numbers, seed: int) -> Pair:
    """Euler-Maruyama with SFC64, no allocation per step, chunks that stay in cache."""
    rng = np.random.Generator(np.random.SFC64(seed))
    a2, a1, a0, d0, d1, keep = p
    u, w, chunk = u.copy(), w.copy(), (1 << 16) // u.itemsize
    buffers = np.empty((3, chunk), u.dtype)
    for low in range(0, u.size, chunk):
        x, y = u[low : low + chunk], w[low : low + chunk]
        z, v, q = (b[: x.size] for b in buffers)
        for _ in range(steps):
            rng.standard_normal(dtype=u.dtype, out=z)
            np.multiply(x, y, out=v)
            np.multiply(v, a2, out=q)
            q += a1
            q *= v
            q += a0
            np.maximum(q, 0, out=q)
            np.sqrt(q, out=q)
            z *= q
            v *= d1
            v += d0
            z += v
            np.multiply(z, y, out=v)
            z *= x
            for old, move in ((x, v), (y, z)):
                old *= keep
                old += move
    return u, w


def sgd_numpy(u: Array, w: Array, steps: int, p: Numbers, seed: int) -> Pair:
    """SGD with SFC64, no allocation per step, chunks that stay in cache."""
    rng = np.random.Generator(np.random.SFC64(seed))
    along, noise, k, keep = p
    u, w, chunk = u.copy(), w.copy(), (1 << 16) // u.itemsize
    buffers = np.empty((3, chunk), u.dtype)
    for low in range(0, u.size, chunk):
        x, y = u[low : low + chunk], w[low : low + chunk]
        z, e, v = (b[: x.size] for b in buffers)
        for _ in range(steps):
            rng.standard_normal(dtype=u.dtype, out=z)
            rng.standard_normal(dtype=u.dtype, out=e)
            np.multiply(x, y, out=v)
            v -= k
            v *= along
            v *= z
            e *= noise
            v += e
            v *= z
            np.multiply(v, y, out=z)
            v *= x
            for old, move in ((x, z), (y, v)):
                old *= keep
                old += move
    return u, w


# Sources for the namespace of references.parts(): REAL is f32 or f64, of the state.
_STEP = """
@small
def network(u, w, l, a, a2, a1, a0, d0, d1, keep):
    v = u * w
    along = np.sqrt(max(l * ((a2 * v + a1) * v + a0), REAL(0))) * a + (d0 + d1 * v)
    return keep * u + along * w, keep * w + along * u

@small
def sgd(u, w, xx, xe, b2, b1, k, keep):
    along = b2 * xx * (u * w - k) + b1 * xe
    return keep * u + along * w, keep * w + along * u
"""
_ROWS = f"""
    for row in range(0, 4 * {BLOCK}, 2 * {BLOCK}):
        r = words[row:row + {BLOCK}]
        t = words[row + {BLOCK}:row + 2 * {BLOCK}]"""
_LOOPS = {
    "network float32": f"""{_ROWS}
        for i in range({BLOCK}):
            l = log32(r[i])
            a, b = circle32(t[i])
            x, y = network(u[i], w[i], l, a, ALL)
            u[i], w[i] = network(x, y, l, b, ALL)
""",
    "network mixed": f"""{_ROWS}
        for i in range({BLOCK}):
            a, b = circle32(t[i])
            normals[i], normals[i + {BLOCK}] = splat(f32(0), log32(r[i]), a, b)
        for i in range({BLOCK}):
            x, y = network(u[i], w[i], 1.0, f64(normals[i]), ALL)
            u[i], w[i] = network(x, y, 1.0, f64(normals[i + {BLOCK}]), ALL)
""",
    "network float64": f"""
    for i in range({BLOCK}):
        normals[i] = log64(words[i])
    for i in range({BLOCK}):
        a, b = circle64(words[i + {BLOCK}])
        x, y = network(u[i], w[i], normals[i], a, ALL)
        u[i], w[i] = network(x, y, normals[i], b, ALL)
""",
    "sgd float32": f"""{_ROWS}
        for i in range({BLOCK}):
            a, b = circle32(t[i])
            la = log32(r[i]) * a
            u[i], w[i] = sgd(u[i], w[i], la * a, la * b, ALL)
""",
    "sgd mixed": f"""{_ROWS}
        for i in range({BLOCK}):
            a, b = circle32(t[i])
            la = log32(r[i]) * a
            normals[i], normals[i + {BLOCK}] = la * a, la * b
        for i in range({BLOCK}):
            u[i], w[i] = sgd(u[i], w[i], f64(normals[i]), f64(normals[i + {BLOCK}]), ALL)
""",
    "sgd float64": f"""
    for i in range({BLOCK}):
        normals[i] = log64(words[i])
    for i in range({BLOCK}):
        a, b = circle64(words[i + {BLOCK}])
        la = normals[i] * a
        u[i], w[i] = sgd(u[i], w[i], la * a, la * b, ALL)
""",
}
_FRAME = """
@loop
def steps(u, w, words, normals, ALL):
BODY

@loop
def drive(u, w, groups, ALL, k0, k1, words, state, normals):
    for first in range(0, u.size, BLOCK):
        for g in range(groups):
            fill(words, state, first, g, k0, k1)
            steps(u[first:first + BLOCK], w[first:first + BLOCK], words, normals, ALL)
"""


@cache
def _kernel(process: str, kind: str, generator: str) -> Any:
    """Compile (lazily) one loop."""
    space = references.parts()
    space["fill"] = space[generator + ("64" if kind == "float64" else "32")]
    count = 6 if process == "network" else 4
    names = ("a2, a1, a0, d0, d1, keep", "b2, b1, k, keep")[count == 4]
    text = _STEP + _FRAME.replace("BODY", _LOOPS[f"{process} {kind}"])
    real = "f32" if kind == "float32" else "f64"
    exec(text.replace("ALL", names).replace("REAL", real).replace("BLOCK", str(BLOCK)), space)
    return space["drive"]


def _run(
    process: str, kind: str, generator: str, u: Array, w: Array, steps: int, p: Numbers, seed: int
) -> Pair:
    """Pad the states to whole blocks, run a compiled loop, return the states asked for."""
    wide = kind == "float64"
    word, real, rows = (np.uint64 if wide else np.uint32), u.dtype.type, 2 if wide else 4
    per_group = rows if process == "network" else rows // 2
    if steps % per_group:
        raise ValueError(f"steps must be a multiple of {per_group}, got {steps}")
    states = []
    for x in (u, w):
        y = references._aligned(-(-x.size // BLOCK) * BLOCK, real)
        y[: x.size], y[x.size :] = x, 1
        states.append(y)
    state = references._aligned(4 * BLOCK, word)
    if generator == "xoshiro":
        state[:] = references._seeds(seed, 4 * BLOCK) >> np.uint64(0 if wide else 32)
    words = references._aligned(rows * BLOCK, word)
    normals = references._aligned(2 * BLOCK, np.float64 if wide else np.float32)
    _kernel(process, kind, generator)(
        *states, steps // per_group, *(real(c) for c in p),
        np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32 & 0xFFFFFFFF), words, state, normals,
    )  # fmt: skip
    return states[0][: u.size], states[1][: u.size]


def loops(process: str, with_numba: bool = True) -> dict[str, tuple[Loop, Any]]:
    """Name to (loop, type of the state), for ``"network"`` or ``"sgd"``."""
    table: dict[str, tuple[Loop, Any]] = {}
    for kind in ("float32", "float64", "mixed") if with_numba else ():
        state = np.float32 if kind == "float32" else np.float64
        noise = "float32" if kind == "mixed" else kind
        for generator in ("philox", "xoshiro"):
            name = f"numba {generator} {state.__name__}, {noise} noise"
            table[name] = (partial(_run, process, kind, generator), state)
    plain: Loop = network_numpy if process == "network" else sgd_numpy
    for real in (np.float32, np.float64):
        table[f"numpy {real.__name__}"] = (plain, real)
    return table


# ---------------------------------------------------------------------------------- checks


def moments(process: str, steps: int, p: Numbers, u: float, w: float) -> npt.NDArray[np.float64]:
    """E of u, w, u^2, u w, w^2 after a few steps from one point, by Gauss-Hermite quadrature."""
    count = steps if process == "network" else 2 * steps
    nodes, weights = np.polynomial.hermite_e.hermegauss(16 if process == "network" else 10)
    z = np.array(list(itertools.product(nodes, repeat=count))).T
    mass = np.array(
        [math.prod(c) for c in itertools.product(weights / weights.sum(), repeat=count)]
    )
    x, y = np.full(mass.size, u), np.full(mass.size, w)
    for step in range(steps):
        v = x * y
        if process == "network":
            a2, a1, a0, d0, d1, keep = p
            along = np.sqrt(a2 * v**2 + a1 * v + a0) * z[step] + d0 + d1 * v
        else:
            b2, b1, k, keep = p
            along = b2 * (v - k) * z[2 * step] ** 2 + b1 * z[2 * step] * z[2 * step + 1]
        x, y = keep * x + along * y, keep * y + along * x
    return np.array([mass @ f for f in (x, y, x * x, x * y, y * y)])


def z_scores(states: Pair, exact: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Distances of the five averages from their expectations in standard errors."""
    x, y = (s.astype(np.float64) for s in states)
    parts = [f - m for f, m in zip((x, y, x * x, x * y, y * y), exact, strict=True)]
    return np.array([p.mean() / (p.std() / math.sqrt(p.size)) for p in parts])


def check(process: str, loop: Loop, real: Any, p: Numbers, n: int = 1_000_001) -> float:
    """Return the largest |z| over five moments; of a right loop it exceeds 5 once in 3e5 checks."""
    steps = 4 if process == "network" else 2
    exact = moments(process, steps, p, 1.1, 0.6)
    states = loop(np.full(n, 1.1, real), np.full(n, 0.6, real), steps, p, 20240607)
    return float(np.abs(z_scores(states, exact)).max())


def main() -> int:
    """Check every loop; returns 1 if one is wrong or if a wrong one is not found out."""
    cases = {
        # small steps: the law of a few large ones has tails that no sample reaches
        "network": network_numbers(0.005, 0.3, 0.1, (1.2, 0.9), (2.0, 1.7, 2.5)),
        "sgd": sgd_numbers(0.1, 0.1, 0.9, 0.8),
    }
    failed = False
    references.check_philox()
    for process, p in cases.items():
        for name, (loop, real) in loops(process).items():
            off = (*p[:-1], p[-1] - 5e-3)  # a wrong decay
            z = check(process, loop, real, p)
            bad = check(process, lambda *a, f=loop, q=off: f(*a[:3], q, a[4]), real, p)
            wrong = not z < 5 or bad < 5
            failed |= wrong
            print(f"{process:8s} {name:38s} |z| <= {z:.2f}, control {bad:.0f}", "WRONG" * wrong)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
