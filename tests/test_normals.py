"""Normals: moments, law, tails of the generator's own exact law, and independence in every direction."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import special, stats

from escapade import _core

NOISES = ("float32", "float64")
N = 1 << 20  # particles per batch
DRAWS = 12  # 12.6 million normals
# Two-sided z beyond which a test fails: rate 6e-7 per comparison, so below 1e-4 for this whole file.
LIMIT = 5.0
Array = npt.NDArray[np.floating]
_CACHE: dict[str, Array] = {}


def sample(noise: str) -> Array:
    """Twelve million normals, float64, shape (DRAWS, N)."""
    if noise not in _CACHE:
        _CACHE[noise] = _core.normals(N, DRAWS, 20240229, noise=noise).astype(float)
    return _CACHE[noise]


def moment_scores(x: Array) -> list[float]:
    """z-scores of the raw moments 1 to 8 with the exact standard errors of a normal sample."""

    def exact(k: int) -> float:
        return float(special.factorial2(k - 1)) if k % 2 == 0 and k > 0 else float(k == 0)

    scores, power = [], np.ones_like(x)
    for k in range(1, 9):
        power = power * x
        spread = math.sqrt((exact(2 * k) - exact(k) ** 2) / x.size)
        scores.append((float(power.mean()) - exact(k)) / spread)
    return scores


@pytest.mark.parametrize("noise", NOISES)
def test_moments_to_order_eight(noise: str) -> None:
    """Rate 8 x 6e-7 per noise. Cutting |z| at 6.66 moves the 8th moment by 0.001 standard errors."""
    assert max(map(abs, moment_scores(sample(noise).ravel()))) < LIMIT


def test_moments_see_wrong_normals() -> None:
    """Negative controls: a clipped normal, a uniform, a sum of twelve uniforms, a Student t."""
    z = sample("float64").ravel()[: 4 * N]
    u = _core.uniforms(N, 3, 6)
    assert max(map(abs, moment_scores(np.clip(z, -3.5, 3.5)))) > LIMIT
    assert max(map(abs, moment_scores((u - 0.5) * math.sqrt(12)))) > LIMIT
    twelve = sum(_core.uniforms(N, 3, 6, 0, b) for b in range(12)) - 6.0
    assert max(map(abs, moment_scores(twelve))) > LIMIT
    assert max(map(abs, moment_scores(z * 1.002))) > LIMIT
    assert max(map(abs, moment_scores(z + 0.003))) > LIMIT


def ks(x: Array) -> float:
    """Probability of a larger Kolmogorov distance, from the asymptotic law (n > 1e7)."""
    ordered = np.sort(x, axis=None)
    n = ordered.size
    p = special.ndtr(ordered)
    grid = np.arange(n + 1) / n
    distance = max(float((grid[1:] - p).max()), float((p - grid[:-1]).max()))
    return float(special.kolmogorov(distance * math.sqrt(n)))


@pytest.mark.parametrize("noise", NOISES)
def test_kolmogorov_smirnov(noise: str) -> None:
    """More than 1e7 normals. Rate 1e-6."""
    x = sample(noise)
    assert x.size >= 10_000_000
    assert ks(x) > 1e-6


def test_kolmogorov_smirnov_sees_wrong_normals() -> None:
    """Negative controls: scaled by 0.5%, shifted by 0.002, rounded to a grid of 0.005."""
    x = sample("float64")
    assert ks(x * 1.005) < 1e-6
    assert ks(x + 0.002) < 1e-6
    assert ks(np.round(x / 0.005) * 0.005) < 1e-6


def exact_tail(a: Array, noise: str) -> Array:
    """P(|z| > a) of Box-Muller from the discrete uniforms of the generator (exact angle).

    |z| > a where r |cos t| > a with r^2 = -2 ln u, so P = E[(2/pi) arccos(a/r); r > a]. For 32-bit
    noise u runs over (w + 1) 2^-32: summed over all words with r > a. 53-bit noise is as good as
    continuous but for its largest value.
    """
    out = []
    for threshold in np.atleast_1d(a):
        if noise == "float32":
            last = math.floor(2.0**32 * math.exp(-0.5 * threshold**2)) + 1
            k = np.arange(1, last + 1, dtype=float)
            squared = -2.0 * np.log(k * 2.0**-32)
            squared = squared[squared > threshold**2]
            out.append(float((2 / math.pi * np.arccos(threshold / np.sqrt(squared))).sum()) / 2**32)
        else:
            out.append(float(2 * special.ndtr(-threshold)))
    return np.array(out)


def test_the_tail_formula() -> None:
    """It is normal where the words are many, and ends at sqrt(64 ln 2) = 6.66."""
    a = np.array([4.0, 4.5, 5.0])
    assert exact_tail(a, "float32") == pytest.approx(2 * special.ndtr(-a), rel=2e-3)
    far = exact_tail(np.array([6.6, 6.67]), "float32")
    assert far[0] < 0.6 * 2 * special.ndtr(-6.6) and far[1] == 0.0


def poisson_score(count: int, mean: float) -> float:
    """Two-sided probability of a Poisson count."""
    law = stats.poisson(mean)
    return float(min(1.0, 2 * min(law.cdf(count), law.sf(count - 1))))


def tail_counts(
    noise: str, thresholds: Array, batches: int, scale: float = 1.0
) -> tuple[Array, int]:
    counts, total = np.zeros(len(thresholds), dtype=np.int64), 0
    for batch in range(batches):
        z = np.abs(_core.normals(N, 16, 4711, first_id=batch << 33, noise=noise))
        beyond = z[z > 4.4].astype(float) * scale
        counts += (beyond[:, None] > thresholds).sum(axis=0)
        total += z.size
    return counts, total


@pytest.mark.parametrize("noise", NOISES)
def test_tails_beyond_five_sigma(noise: str) -> None:
    """Poisson counts beyond 4.5, 5, 5.25 and 5.5 in 1.3e8 normals (77 expected beyond 5). Rate 4e-6.

    Control: normals that are 2% too large fail.
    """
    thresholds = np.array([4.5, 5.0, 5.25, 5.5])
    counts, total = tail_counts(noise, thresholds, 8)
    expected = exact_tail(thresholds, noise) * total
    assert expected[1] > 50
    for count, mean in zip(counts, expected, strict=True):
        assert poisson_score(int(count), float(mean)) > 1e-6
    wide, total = tail_counts(noise, thresholds, 8, 1.03)
    assert poisson_score(int(wide[0]), float(expected[0])) < 1e-6


def invert_philox(words: list[int], seed: int) -> list[int]:
    """The counter whose Philox output is ``words``: rounds undone one by one."""
    mask, m0, m1 = 2**32 - 1, 0xD2511F53, 0xCD9E8D57
    i0, i1 = pow(m0, -1, 2**32), pow(m1, -1, 2**32)
    y0, y1, y2, y3 = words
    for r in range(9, -1, -1):
        k0 = ((seed & mask) + r * 0x9E3779B9) & mask
        k1 = ((seed >> 32) + r * 0xBB67AE85) & mask
        x0, x2 = y3 * i0 & mask, y1 * i1 & mask
        y0, y1, y2, y3 = x0, (m1 * x2 >> 32) ^ y0 ^ k0, x2, (m0 * x0 >> 32) ^ y2 ^ k1
    return [y0, y1, y2, y3]


@pytest.mark.parametrize("noise,cap,word", [("float32", 6.66, 0), ("float64", 8.57, 0)])
def test_the_largest_normal(isa: str, noise: str, cap: float, word: int) -> None:
    """Philox is a bijection: find counters whose radius word is 0, and look at |z| there."""
    seed, found = 12345, 0
    for angle in range(0, 2**32, 2**20 + 12345):
        counter = invert_philox(
            [0, angle, 0, angle] if noise == "float32" else [0, 0, 5, angle], seed
        )
        assert _core.philox(counter, [seed, 0])[0] == word
        stream, block = counter[3] >> 24, counter[2] | (counter[3] & 0xFFFFFF) << 32
        particle = counter[0] | counter[1] << 32
        if particle > 2**64 - 200:
            continue
        z = _core.normals(1, 2, seed, stream, particle, block, noise).astype(float)[:, 0]
        r = math.sqrt(64 * math.log(2)) if noise == "float32" else math.sqrt(106 * math.log(2))
        assert math.hypot(*z) == pytest.approx(r, rel=1e-6) and r == pytest.approx(cap, abs=0.01)
        assert np.isfinite(z).all()
        found += 1
    assert found > 1000


@pytest.mark.parametrize("noise", NOISES)
def test_the_smallest_radius_is_finite(isa: str, noise: str) -> None:
    """u = 1 (all ones in the radius word) gives 0 or nearly so, never nan."""
    seed, ones = 99, 2**32 - 1
    counter = invert_philox([ones, ones if noise == "float64" else 7, ones, 7], seed)
    z = _core.normals(
        1, 2, seed, counter[3] >> 24, counter[0] | counter[1] << 32,
        counter[2] | (counter[3] & 0xFFFFFF) << 32, noise,
    )  # fmt: skip
    assert np.isfinite(z).all() and np.abs(z).max() < 1e-7


@pytest.mark.parametrize("noise", NOISES)
def test_the_angle_is_a_function_of_its_word(isa: str, noise: str) -> None:
    """Two counters with the same angle word and other radius words: the same direction."""
    seed, rng = 6, np.random.default_rng(2)
    for angle in rng.integers(0, 2**32, 50):
        turns = []
        for radius in (1000, 2**31 + 17, 3 * 2**30 + 5):
            words = [radius, int(angle)] if noise == "float32" else [1, radius]
            counter = invert_philox([*words, 77, int(angle)], seed)
            z = _core.normals(
                1, 2, seed, counter[3] >> 24, counter[0] | counter[1] << 32,
                counter[2] | (counter[3] & 0xFFFFFF) << 32, noise,
            ).astype(float)[:, 0]  # fmt: skip
            turns.append(math.atan2(z[1], z[0]))
        assert turns[1:] == pytest.approx([turns[0]] * 2, abs=3e-7)


# -- independence ----------------------------------------------------------------------------------


def correlation_score(a: Array, b: Array) -> float:
    """Largest |z| of the correlations of (a, b), (a^2, b^2), (a, b^2), (a^2, b) for normal a, b."""
    a, b = a.ravel().astype(float), b.ravel().astype(float)
    scores = []
    for f, g in ((a, b), (a * a - 1, b * b - 1), (a, b * b - 1), (a * a - 1, b)):
        product = f * g
        scale = math.sqrt(float(np.mean(f * f) * np.mean(g * g)))
        scores.append(abs(float(product.mean())) / scale * math.sqrt(product.size))
    return max(scores)


def block(noise: str, seed: int = 5, **where: int) -> Array:
    return _core.normals(1 << 16, 16, seed, noise=noise, **where)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("distance", [1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 1000])
def test_particles_are_independent(noise: str, distance: int) -> None:
    """Rate 4 x 6e-7. Distances at which lanes, packs and tiles repeat."""
    x = sample(noise)[:, : 1 << 17]
    assert correlation_score(x[:, distance:], x[:, :-distance]) < LIMIT


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("distance", range(1, 10))
def test_steps_are_independent(noise: str, distance: int) -> None:
    """Rate 4 x 6e-7. Distance 1 and 2 hold the pairs of one block, in squares too."""
    x = sample(noise)[:, : 1 << 17]
    assert correlation_score(x[distance:], x[:-distance]) < LIMIT


@pytest.mark.parametrize("noise", NOISES)
def test_pairs_of_a_block(noise: str) -> None:
    """(z0, z1) share a radius: only with a right angle are they independent. Rate 4 x 6e-7.

    Control: an angle that keeps to half of the circle shows in the correlations.
    """
    x = sample(noise)
    a, b = x[0::2], x[1::2]
    assert correlation_score(a, b) < LIMIT
    assert abs(np.corrcoef(np.abs(a.ravel()), np.abs(b.ravel()))[0, 1]) * math.sqrt(a.size) < LIMIT
    keep = a + b > 0
    assert correlation_score(a[keep], b[keep]) > LIMIT
    radius = np.hypot(a, b)
    assert correlation_score(a, radius * np.sign(b)) > LIMIT


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("streams", [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)])
def test_streams_are_independent(noise: str, streams: tuple[int, int]) -> None:
    """Rate 4 x 6e-7."""
    a, b = (block(noise, stream=s) for s in streams)
    assert correlation_score(a, b) < LIMIT


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("bit", [0, 1, 7, 31, 32, 33, 63])
def test_seeds_that_differ_in_one_bit(noise: str, bit: int) -> None:
    """Rate 4 x 6e-7."""
    assert correlation_score(block(noise), block(noise, seed=5 ^ 1 << bit)) < LIMIT


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("bit", [16, 31, 32, 33, 40, 63])
def test_ids_beyond_32_bits(noise: str, bit: int) -> None:
    """Rate 4 x 6e-7."""
    assert correlation_score(block(noise), block(noise, first_id=1 << bit)) < LIMIT


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("bit", [8, 31, 32, 33, 40, 55])
def test_blocks_beyond_32_bits(noise: str, bit: int) -> None:
    """Rate 4 x 6e-7."""
    assert correlation_score(block(noise), block(noise, block=1 << bit)) < LIMIT


@pytest.mark.parametrize("noise", NOISES)
def test_coordinates_do_not_trade_places(noise: str) -> None:
    """Particle and block, or seed halves, exchanged: other numbers. Rate 12 x 6e-7."""
    a = _core.normals(1 << 16, 4, 3, first_id=1 << 32, noise=noise)
    assert correlation_score(a, _core.normals(1 << 16, 4, 3, block=1 << 32, noise=noise)) < LIMIT
    assert correlation_score(a, _core.normals(1 << 16, 4, 3 << 32, noise=noise)) < LIMIT


@pytest.mark.parametrize("noise", NOISES)
def test_shared_noise_is_found(noise: str) -> None:
    """Negative controls: a shared stream, seed or particle; 1% of it shared; shared squares."""
    a = block(noise)
    b = block(noise, seed=6)
    assert correlation_score(a, block(noise)) > LIMIT
    assert correlation_score(a[4:], block(noise, block=1 if noise == "float32" else 2)[:-4]) > LIMIT
    assert correlation_score(a[:, 1:], block(noise, first_id=1)[:, :-1]) > LIMIT
    assert correlation_score(a, math.sqrt(1 - 0.01**2) * b + 0.01 * a) > LIMIT
    assert correlation_score(a, np.abs(a) * np.sign(b)) > LIMIT
