"""Philox4x32-10: known answers, an independent implementation, and the counter layout of the package."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escapade import _core

MODEST = settings(derandomize=True, deadline=None, max_examples=60)
WORD = st.integers(0, 2**32 - 1)
SEED = st.integers(0, 2**64 - 1)
# beyond 32 bits, at the carries and at the ends
ID = st.one_of(
    st.integers(0, 2**64 - 200), st.sampled_from([0, 2**32 - 1, 2**32, 2**32 - 70, 2**63])
)
BLOCK = st.one_of(st.integers(0, 2**56 - 1), st.sampled_from([0, 2**32 - 1, 2**32, 2**56 - 1]))
STREAM = st.integers(0, 6)
LANES = 64  # more particles than any lane count


@contextlib.contextmanager
def on(isa: str) -> Iterator[None]:
    """An instruction set for a while (hypothesis does not go well with fixtures)."""
    before = _core.isa()
    _core.set_isa(isa)
    try:
        yield
    finally:
        _core.set_isa(before)


def philox(counter: tuple[int, ...], key: tuple[int, int], rounds: int = 10) -> list[int]:
    """Philox4x32 from its definition (Salmon, Moraes, Dror and Shaw 2011), in Python integers."""
    mask = 2**32 - 1
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & mask, (p0 >> 32) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    return [c0, c1, c2, c3]


def counter(particle: int, block: int, stream: int) -> tuple[int, int, int, int]:
    """The documented layout of cpp/core/stream.hpp."""
    low = 2**32 - 1
    return (particle & low, particle >> 32, block & low, (block >> 32) | stream << 24)


def key(seed: int) -> tuple[int, int]:
    return seed & (2**32 - 1), seed >> 32


def words(particle: int, block: int, stream: int, seed: int) -> list[int]:
    return philox(counter(particle, block, stream), key(seed))


def known_answers() -> list[list[int]]:
    lines = (Path(__file__).parent / "data" / "philox_kat.txt").read_text().splitlines()
    return [[int(w, 16) for w in line.split()] for line in lines if not line.startswith("#")]


def test_there_are_known_answers() -> None:
    answers = known_answers()
    assert len(answers) == 3 and all(len(row) == 10 for row in answers)


@pytest.mark.parametrize("row", known_answers(), ids=["zeros", "ones", "pi"])
def test_known_answer(isa: str, row: list[int]) -> None:
    assert list(_core.philox(row[:4], row[4:6])) == row[6:]


@pytest.mark.parametrize("rounds", [7, 9, 11])
def test_known_answers_need_ten_rounds(rounds: int) -> None:
    """Negative control: the reference with another number of rounds fails every known answer."""
    for row in known_answers():
        assert philox(tuple(row[:4]), (row[4], row[5]), rounds) != row[6:]


@MODEST
@given(st.tuples(WORD, WORD, WORD, WORD), st.tuples(WORD, WORD))
def test_equals_the_definition(c: tuple[int, int, int, int], k: tuple[int, int]) -> None:
    expected = philox(c, k)
    for name in _core.supported_isas():
        with on(name):
            assert list(_core.philox(c, k)) == expected


@MODEST
@given(SEED, STREAM, ID, BLOCK)
def test_uniforms_follow_the_layout(seed: int, stream: int, first: int, block: int) -> None:
    u = _core.uniforms(3, seed, stream, first, block)
    for i in range(3):
        w = words(first + i, block, stream, seed)
        expected = (2 * ((w[0] | w[1] << 32) >> 12) + 1) * 2.0**-53
        assert u[i] == expected and 0 < u[i] < 1


def radii32(particle: int, block: int, stream: int, seed: int) -> list[float]:
    """-2 ln u of both pairs of a block of 32-bit noise: u = (w + 1) 2^-32 from words 0 and 2."""
    w = words(particle, block, stream, seed)
    return [float(-2 * mpmath.log(mpmath.mpf(x + 1) / 2**32)) for x in (w[0], w[2])]


def radius64(particle: int, block: int, stream: int, seed: int) -> float:
    """-2 ln u of 53-bit noise: u = (2 (w >> 12) + 1) 2^-53 from the word x0 + 2^32 x1."""
    w = words(particle, block, stream, seed)
    return float(-2 * mpmath.log(mpmath.mpf(2 * ((w[0] | w[1] << 32) >> 12) + 1) / 2**53))


@pytest.mark.parametrize("name", _core.supported_isas())
@MODEST
@given(seed=SEED, stream=STREAM, first=ID, block=BLOCK, lane=st.integers(0, LANES - 1))
def test_normals32_follow_the_layout(
    name: str, seed: int, stream: int, first: int, block: int, lane: int
) -> None:
    """Draws 4 block .. 4 block + 3 are words (0, 1) and (2, 3) by Box-Muller, for every lane."""
    first = min(first, 2**64 - 1 - LANES)
    with on(name):
        z = _core.normals(LANES, 4, seed, stream, first, block).astype(float)
    assert z.shape == (4, LANES)
    for pair, squared in enumerate(radii32(first + lane, block, stream, seed)):
        a, b = z[2 * pair, lane], z[2 * pair + 1, lane]
        # u is rounded to float32, within 2^-24 of itself
        assert a * a + b * b == pytest.approx(squared, rel=1e-6, abs=2.0**-23)


@pytest.mark.parametrize("name", _core.supported_isas())
@MODEST
@given(seed=SEED, stream=STREAM, first=ID, block=BLOCK, lane=st.integers(0, LANES - 1))
def test_normals64_follow_the_layout(
    name: str, seed: int, stream: int, first: int, block: int, lane: int
) -> None:
    first = min(first, 2**64 - 1 - LANES)
    with on(name):
        z = _core.normals(LANES, 2, seed, stream, first, block, noise="float64")
    a, b = float(z[0, lane]), float(z[1, lane])
    squared = radius64(first + lane, block, stream, seed)
    assert a * a + b * b == pytest.approx(squared, rel=1e-14)


@pytest.mark.parametrize("change", ["particle", "block", "stream", "seed"])
def test_the_layout_test_sees_a_wrong_counter(change: str) -> None:
    """Negative control: with one coordinate off by one (or seed off by one bit) nothing matches."""
    at = dict(particle=2**32 + 5, block=2**32 + 7, stream=2, seed=2**40 + 1)
    z = _core.normals(1, 2, at["seed"], at["stream"], at["particle"], at["block"], noise="float64")
    squared = float(z[0, 0] ** 2 + z[1, 0] ** 2)
    assert squared == pytest.approx(radius64(**at), rel=1e-14)
    at[change] ^= 1
    assert squared != pytest.approx(radius64(**at), rel=1e-3)


@pytest.mark.parametrize("noise", ["float32", "float64"])
def test_every_octant_is_used_alike(noise: str) -> None:
    """Signs and order of |z0|, |z1|: eight octants, chi2 with 7 degrees of freedom.

    Expected to fail at a rate of 1e-6 over seeds.
    """
    z = _core.normals(100_000, 2, 11, noise=noise)
    octant = 4 * (z[0] < 0) + 2 * (z[1] < 0) + (abs(z[0]) < abs(z[1]))
    counts = np.bincount(octant, minlength=8)
    assert ((counts - 12500.0) ** 2 / 12500).sum() < 40.5  # isf(1e-6) of chi2(7)
    angle = np.arctan2(z[1], z[0])[z[0] > 0]  # control: half the plane fails the same test
    half = np.histogram(angle, bins=8, range=(-np.pi, np.pi))[0]
    assert ((half - half.mean()) ** 2 / half.mean()).sum() > 1e4


@pytest.mark.parametrize("noise,per_block", [("float32", 4), ("float64", 2)])
def test_draws_continue_over_blocks(isa: str, noise: str, per_block: int) -> None:
    whole = _core.normals(70, 12 * per_block, 5, 0, 3, 2**32 - 6, noise)
    for b in range(12):
        part = _core.normals(70, per_block, 5, 0, 3, 2**32 - 6 + b, noise)
        assert np.array_equal(whole[b * per_block : (b + 1) * per_block], part)


@pytest.mark.parametrize("noise", ["float32", "float64"])
@MODEST
@given(first=st.integers(0, 200), n=st.integers(1, 200))
def test_particles_do_not_depend_on_their_neighbours(noise: str, first: int, n: int) -> None:
    base = 2**32 - 100
    whole = _core.normals(400, 5, 9, 1, base, 3, noise)
    part = _core.normals(n, 5, 9, 1, base + first, 3, noise)
    assert np.array_equal(part, whole[:, first : first + n])


@pytest.mark.parametrize("noise", ["float32", "float64"])
def test_same_bits_on_every_instruction_set(restore_isa: None, noise: str) -> None:
    seen = []
    for name in _core.supported_isas():
        _core.set_isa(name)
        z = _core.normals(1000, 50, 77, 2, 2**33 - 17, 2**32 - 3, noise)
        seen.append((z.tobytes(), _core.uniforms(1000, 77, 1, 5, 2**40).tobytes()))
    assert all(s == seen[0] for s in seen)
    assert _core.normals(1000, 50, 78, 2, 2**33 - 17, 2**32 - 3, noise).tobytes() != seen[0][0]
