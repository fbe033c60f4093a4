"""Elementary functions of cpp/core/math.hpp: within 2 ulp, IEEE edges, the same bits in every lane."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escapade import _core

Array = npt.NDArray[np.floating]
MODEST = settings(derandomize=True, deadline=None, max_examples=150)
ULPS = 2.0
QUARTER_PI = math.pi / 4
NAMES = (
    "log",
    "exp",
    "expm1",
    "log1p",
    "sinh",
    "tanh",
    "asinh",
    "sin_octant",
    "cos_octant",
    "sin_quarter",
)
DTYPES = (np.float32, np.float64)
EXACT: dict[str, Callable[[mpmath.mpf], mpmath.mpf]] = {
    name: getattr(mpmath, name.removesuffix("_octant")) for name in NAMES[:-1]
}
EXACT["sin_quarter"] = lambda q: mpmath.sinpi(q / 2)
HALF_PI = np.longdouble("1.57079632679489661923132169163975144")
NUMPY = {
    "log": np.log, "exp": np.exp, "expm1": np.expm1, "log1p": np.log1p, "sinh": np.sinh,
    "tanh": np.tanh, "asinh": np.arcsinh, "sin_octant": np.sin, "cos_octant": np.cos,
    "sin_quarter": lambda q: np.sin(HALF_PI * q),
}  # fmt: skip
# Where expm1 gives infinity early, as its comment in math.hpp says; sinh, made of it, does too.
EARLY = {np.float32: 87.9, np.float64: 708.9}


def ulp(y: npt.NDArray[np.longdouble], dtype: type) -> npt.NDArray[np.longdouble]:
    """Distance between neighbours of ``dtype`` at ``y``; that of the subnormals below them."""
    info = np.finfo(dtype)
    exponent = np.frexp(np.maximum(np.abs(y), np.longdouble(info.tiny)))[1]
    return np.ldexp(np.longdouble(1), exponent - 1 - info.nmant)


def exact(name: str, x: Array) -> npt.NDArray[np.longdouble]:
    """Values to (at least) eight bits more than the dtype of ``x`` has."""
    wide = np.longdouble if x.dtype == np.float64 else np.float64
    if np.finfo(wide).nmant < 62 and x.dtype == np.float64:
        pytest.skip("this platform has no extended precision to compare with")
    with np.errstate(all="ignore"):
        return NUMPY[name](x.astype(wide)).astype(np.longdouble)


def errors(name: str, x: Array) -> npt.NDArray[np.float64]:
    """Error in ulp of every element whose value is finite in the dtype of ``x``."""
    dtype = x.dtype.type
    want = exact(name, x)
    got = _core.math(name, x).astype(np.longdouble)
    limit = np.longdouble(np.finfo(dtype).max)
    regular = np.isfinite(want) & (abs(want) <= limit)
    if name in ("expm1", "sinh"):
        regular &= x < EARLY[dtype]
        regular &= x > -EARLY[dtype]
    out = np.zeros(x.shape)
    out[regular] = (abs(got - want) / ulp(want, dtype))[regular]
    return out


def spread(dtype: type, low: float, high: float, count: int, both: bool) -> Array:
    """Log-spaced magnitudes, with the last bits stirred so that they are not special."""
    rng = np.random.default_rng(3)
    x = np.exp(rng.uniform(math.log(low), math.log(high), count)).astype(dtype)
    return np.concatenate([x, -x]) if both else x


def near(dtype: type, centre: float, reach: int = 3000) -> Array:
    """Consecutive floating-point numbers around ``centre``."""
    integers = np.int32 if dtype is np.float32 else np.int64
    at = np.array([centre], dtype=dtype).view(integers)[0]
    return np.arange(at - reach, at + reach, dtype=integers).view(dtype)


def arguments(name: str, dtype: type, count: int = 200_000) -> Array:
    info = np.finfo(dtype)
    tiny, least, top = float(info.tiny), float(info.smallest_subnormal), float(info.max)
    big = math.log(top)
    parts: list[Array]
    if name == "log":
        parts = [spread(dtype, least, top, count, False), spread(dtype, 0.3, 3, count, False)]
        parts += [near(dtype, c) for c in (1, 0.5, 2, math.sqrt(0.5), math.sqrt(2), tiny)]
    elif name in ("exp", "expm1", "sinh"):
        parts = [spread(dtype, tiny, big, count, True), spread(dtype, 1e-3, big, count, True)]
        parts += [near(dtype, k * math.log(2) / 2) for k in (-21, -3, -1, 1, 3, 5, 101)]
        parts += [near(dtype, big), near(dtype, math.log(tiny)), near(dtype, math.log(least))]
        parts += [np.linspace(math.log(least) - 1, math.log(tiny) + 1, count, dtype=dtype)]
    elif name == "log1p":
        parts = [spread(dtype, tiny, top, count, False), -spread(dtype, tiny, 1, count, False)]
        parts += [spread(dtype, 1e-4, 4, count, False), near(dtype, -0.5), near(dtype, 1)]
        parts += [-np.nextafter(dtype(1), dtype(0)) * np.ones(1, dtype)]
        parts += [-1 + spread(dtype, 1e-6, 1, count, False)]
    elif name == "tanh":
        parts = [spread(dtype, tiny, 50, count, True), spread(dtype, 0.01, 12, count, True)]
        parts += [near(dtype, c) for c in (0.5, 1, 22)]
    elif name == "asinh":
        parts = [spread(dtype, tiny, top, count, True), spread(dtype, 1e-3, 1e3, count, True)]
        parts += [near(dtype, c) for c in (1, 1e9, 1e18)]
    elif name == "sin_quarter":
        parts = [spread(dtype, tiny, 1, count, False), np.linspace(0, 1, count, dtype=dtype)]
        parts += [near(dtype, 0.5)]
    else:
        quarter = np.nextafter(dtype(QUARTER_PI), dtype(0))
        parts = [spread(dtype, tiny, float(quarter), count, False)]
        parts += [np.linspace(0, quarter, count, dtype=dtype)]
    x = np.concatenate([p.astype(dtype) for p in parts])
    x = x[np.isfinite(x)]
    if name == "log1p":
        x = x[x > -1]
    return x[: len(x) - 1] if len(x) % 16 == 0 else x


def in_domain(name: str, x: Array) -> Array:
    if name.endswith("octant"):
        return x[(x >= 0) & (x <= QUARTER_PI)]
    if name == "sin_quarter":
        return x[(x >= 0) & (x <= 1)]
    return x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_two_ulp(name: str, dtype: type) -> None:
    x = arguments(name, dtype)
    e = errors(name, x)
    worst = int(np.argmax(e))
    assert len(x) > 50_000
    assert e[worst] <= ULPS, f"{name}({x[worst]!r}) is {e[worst]:.3f} ulp off"


@pytest.mark.parametrize("name", NAMES)
def test_the_ruler_itself(name: str) -> None:
    """The extended precision that errors are measured with, against mpmath; and a control.

    The control: one more bit of error than allowed must be seen.
    """
    rng = np.random.default_rng(4)
    x = rng.choice(arguments(name, np.float64), 200)
    size = abs(exact(name, x))
    x = x[(size >= 1e-280) & (size <= np.finfo(np.float64).max)]
    assert len(x) > 50
    with mpmath.workprec(120):
        got = exact(name, x)
        for v, y in zip(x, got, strict=True):
            truth = EXACT[name](mpmath.mpf(float(v)))
            high = mpmath.mpf(float(y)) + mpmath.mpf(float(y - np.longdouble(float(y))))
            unit = mpmath.mpf(float(ulp(np.array([y]), np.float64)[0]))
            assert abs(high - truth) <= unit / 256, (name, v)
    x = np.array([0.5])
    off = _core.math(name, x) * (1 + 6 * np.finfo(float).eps)
    assert abs(off - exact(name, x))[0] / ulp(exact(name, x), np.float64)[0] > ULPS


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
@MODEST
@given(data=st.data())
def test_two_ulp_anywhere(name: str, dtype: type, data: st.DataObject) -> None:
    """Against mpmath, at arguments that hypothesis picks: any bit pattern of a finite number."""
    width = 32 if dtype is np.float32 else 64
    low, high = None, None
    if name == "log":
        low = 0.0
    elif name == "log1p":
        low = -1.0
    elif name.endswith("octant"):
        low, high = 0.0, float(np.nextafter(dtype(QUARTER_PI), dtype(0)))
    elif name == "sin_quarter":
        low, high = 0.0, 1.0
    elif name in ("expm1", "sinh"):
        low, high = -87.5, 87.5
        if width == 64:
            low, high = -708.5, 708.5
    x = data.draw(
        st.floats(
            low,
            high,
            allow_nan=False,
            allow_infinity=False,
            width=width,
            exclude_min=name in ("log", "log1p"),
        )
    )
    y = _core.math(name, np.array([x], dtype=dtype))[0]
    with mpmath.workprec(160):
        if name in ("exp",) and not -1100 < x < 1100:
            assert y == (np.inf if x > 0 else 0)
            return
        if name == "tanh" and abs(x) > 1e4:
            truth = mpmath.sign(x)
        else:
            truth = EXACT[name](mpmath.mpf(x))
        if abs(truth) > float(np.finfo(dtype).max):
            assert np.isinf(y)
            return
        unit = mpmath.mpf(float(ulp(np.array([float(truth)], np.longdouble), dtype)[0]))
        assert abs(mpmath.mpf(float(y)) - truth) <= ULPS * unit


EDGES: dict[str, list[tuple[float, float]]] = {
    "log": [(0.0, -np.inf), (-0.0, -np.inf), (1.0, 0.0), (np.inf, np.inf), (-1.0, np.nan),
            (-np.inf, np.nan), (-1e-40, np.nan)],
    "exp": [(0.0, 1.0), (-0.0, 1.0), (np.inf, np.inf), (-np.inf, 0.0), (1e4, np.inf), (-1e4, 0.0),
            (1e38, np.inf), (-1e38, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (np.inf, np.inf), (-np.inf, -1.0), (1e4, np.inf),
              (-1e4, -1.0), (-1e38, -1.0)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (np.inf, np.inf), (-1.0, -np.inf), (-2.0, np.nan),
              (-np.inf, np.nan)],
    "sinh": [(0.0, 0.0), (-0.0, -0.0), (np.inf, np.inf), (-np.inf, -np.inf), (1e4, np.inf),
             (-1e4, -np.inf)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (1e30, 1.0), (-1e30, -1.0)],
    "asinh": [(0.0, 0.0), (-0.0, -0.0), (np.inf, np.inf), (-np.inf, -np.inf)],
    "sin_octant": [(0.0, 0.0)],
    "cos_octant": [(0.0, 1.0)],
    "sin_quarter": [(0.0, 0.0), (1.0, 1.0)],
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_edges(isa: str, name: str, dtype: type) -> None:
    for length in (1, 16, 19):  # scalar tail, full packs, both
        for x, y in EDGES[name]:
            got = _core.math(name, np.full(length, x, dtype=dtype))
            assert got.dtype == dtype and got.shape == (length,)
            if math.isnan(y):
                assert np.isnan(got).all(), (name, x, got)
            else:
                assert (got == y).all(), (name, x, got)
                assert (np.signbit(got) == (math.copysign(1, y) < 0)).all(), (name, x, got)
        assert np.isnan(_core.math(name, np.full(length, np.nan, dtype=dtype))).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["expm1", "log1p", "sinh", "tanh", "asinh", "sin_octant"])
def test_subnormals_go_through(isa: str, name: str, dtype: type) -> None:
    """f(x) = x to well within an ulp where x is subnormal, and signs are kept."""
    least = np.finfo(dtype).smallest_subnormal
    x = (least * np.array([1, 2, 3, 1000, 12345], dtype=dtype)).astype(dtype)
    x = x if name == "sin_octant" else np.concatenate([x, -x])
    assert np.array_equal(_core.math(name, x), x)


def everything(name: str, dtype: type) -> Array:
    special = np.array(
        [0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-42, -1e-42, 88.6, -103.5], dtype
    )
    rng = np.random.default_rng(8)
    integers = np.uint32 if dtype is np.float32 else np.uint64
    bits = rng.integers(0, np.iinfo(integers).max, 4000, dtype=integers).view(dtype)
    usual = arguments(name, dtype, 2000)
    return in_domain(name, np.concatenate([special, bits, usual]).astype(dtype))


def same_bits(a: Array, b: Array) -> bool:
    """Equal bits; a nan equals any nan."""
    both_nan = np.isnan(a) & np.isnan(b)
    integers = f"u{a.itemsize}"
    return bool(np.all(both_nan | (a.view(integers) == b.view(integers))))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_lanes_equal_the_scalar_code(isa: str, name: str, dtype: type) -> None:
    """Whatever is left over at the end of an array goes through scalar code: shift it around."""
    x = everything(name, dtype)
    whole = _core.math(name, x)
    one_by_one = np.array([_core.math(name, x[i : i + 1])[0] for i in range(len(x))], dtype=dtype)
    assert same_bits(whole, one_by_one)
    for length in (1, 2, 3, 5, 7, 8, 15, 17, 31, 33, 63):
        assert same_bits(_core.math(name, x[-length:].copy()), one_by_one[-length:])
    changed = one_by_one.copy()  # control: one bit of one lane is seen
    changed.view(np.uint8)[-8] ^= 1
    assert not same_bits(whole, changed)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_same_bits_on_every_instruction_set(restore_isa: None, name: str, dtype: type) -> None:
    x = everything(name, dtype)
    results = []
    for isa in _core.supported_isas():
        _core.set_isa(isa)
        results.append(_core.math(name, x))
    assert all(same_bits(r, results[0]) for r in results)


def test_unknown_function() -> None:
    with pytest.raises(ValueError, match="gamma"):
        _core.math("gamma", np.ones(3))
