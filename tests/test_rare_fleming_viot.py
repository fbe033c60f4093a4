"""Fleming-Viot particles: leading eigenvalue and quasi-stationary law."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import escapade as ea
from escapade import passage
from escapade.passage import Interval

POWER_LAW = ea.models.PowerLaw(H=1.0, sigma_g=0.05, sigma_H=0.2, eta=1.0)
REGION = Interval(upper=2.0)
LAMBDA = 0.0806364447431832  # of WIDE in |u| < 1
WIDE = ea.models.PowerLaw(H=1.0, sigma_g=0.2, sigma_H=0.5, eta=1.0)


def test_fleming_viot_against_the_eigenvalue() -> None:
    """Within 4 standard errors of 20 blocks (8e-4) and the bias O(1/n); dt makes 0.1 per cent."""
    how: dict[str, Any] = {"dt": 0.0125, "seed": 5}
    r = passage.fleming_viot(WIDE, 0.0, Interval(-1, 1), 40.0, n=4000, **how)
    assert abs(r.rate - LAMBDA) < 4.0 * r.stderr + 0.001 * LAMBDA, (r.rate, r.stderr)
    assert r.stderr < 0.02 * LAMBDA
    one = passage.fleming_viot(WIDE, 0.0, Interval(-1, 1), 40.0, n=4000, threads=3, **how)
    assert np.array_equal(r.block_rates, one.block_rates)
    assert np.array_equal(r.states, one.states)
    # it is not the rate from the centre, 1 / 12.98, which is a negative control of the test above
    few = passage.fleming_viot(WIDE, 0.0, Interval(-1, 1), 40.0, n=4000, test="endpoint", **how)
    assert few.rate < LAMBDA - 4.0 * few.stderr
    # the law: symmetric, and a start from which escapes are exponential from the first moment on
    law = r.law
    assert abs(law.cdf(0.0) - 0.5) < 0.02 and np.all(np.abs(law.ppf([0.0, 1.0])) < 1.0)
    density, edges = law.histogram(20)
    assert np.sum(density * np.diff(edges)) == pytest.approx(1.0)
    p = passage.prepare(WIDE, law, Interval(-1, 1), n=20_000, dt=0.0125, seed=9)
    batch = p.batch(p.start(20_000), np.arange(20_000, dtype=np.uint64)).run()
    assert abs(np.mean(batch.time) * LAMBDA - 1.0) < 4.0 / math.sqrt(20_000) + 0.01


@pytest.mark.slow
def test_bias_is_of_order_1_over_n() -> None:
    """Five particles: a share of at most 1/n, and the sum of logarithms of slices would add 1/(2n)."""
    r = passage.fleming_viot(
        WIDE, 0.0, Interval(-1, 1), 10_000.0, n=5, dt=0.0125, seed=5, burn_in=20.0
    )
    assert abs(r.rate - LAMBDA) < 4.0 * r.stderr + 0.05 * LAMBDA, (r.rate, r.stderr)


def test_fleming_viot_bounds_and_errors() -> None:
    none = passage.fleming_viot(POWER_LAW, 0.0, REGION, 20.0, dt=0.1, n=100, seed=1)
    assert none.bound is not None and none.interval() == (0.0, none.bound)
    with pytest.raises(ValueError, match="only an upper bound"):
        _ = none.rate
    for more, words in (
        ({"t": -1.0}, "t must be greater than 0"),
        ({"n": 1}, "n must be at least 2"),
        ({"every": 0}, "every must be at least 1"),
        ({"burn_in": -1.0}, "burn_in must be at least 0"),
    ):
        how = {"t": 1.0, "n": 100, **more}
        with pytest.raises(ValueError, match=words):
            passage.fleming_viot(POWER_LAW, 0.0, REGION, dt=0.1, seed=1, **how)
    with pytest.raises(ValueError, match="every must be smaller"):
        passage.fleming_viot(
            WIDE, 0.0, Interval(-0.1, 0.1), 100.0, dt=0.01, n=20, every=4096, burn_in=0.0, seed=1
        )
