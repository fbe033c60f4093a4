"""Exit times and rates against tabulated ones, and against mpmath at 30 digits."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from escapade import exact

GOLDEN = json.loads((Path(__file__).parent / "data" / "escape_times.json").read_text())
ROOT2 = math.sqrt(2.0)


def problem(g: dict[str, Any], drift_error: float = 0.0) -> tuple[exact.Diffusion, float, Any, Any]:
    """Return process, start and ends of a row of the table."""
    c = 1.0 + drift_error
    if "es" in g:
        process = exact.Diffusion(
            lambda x: -c * g["H"] * x, lambda x: np.sqrt(g["es"] + g["eh"] * x**2)
        )
        return (process, 0.0, -g["R"], g["R"]) if "R" in g else (process, 0.0, None, g["b"])
    if "h" in g:
        process = exact.Diffusion(lambda x: -c * 4.0 * g["h"] * x * (x * x - 1.0), lambda x: ROOT2)
    else:
        process = exact.Diffusion(lambda x: -c * x, lambda x: ROOT2)
    return process, g["x0"], None, g["b"]


def name(g: dict[str, Any]) -> str:
    return "-".join(f"{v}" for k, v in g.items() if k in ("es", "eh", "b", "R", "h"))


def log_of(g: dict[str, Any], key: str) -> float:
    return math.log(g[key]) if key in g else math.log(10.0) * g[f"log10_{key}"]


@pytest.mark.parametrize("g", GOLDEN, ids=name)
def test_tabulated_times_and_rates(g: dict[str, Any]) -> None:
    process, x0, a, b = problem(g)
    assert abs(exact.log_mean_exit_time(process, x0, a, b) - log_of(g, "mfpt")) < 1e-11
    assert abs(exact.log_escape_rate(process, a, b) - log_of(g, "lambda1")) < 1e-11
    assert exact.mean_exit_time(process, x0, a, b) == pytest.approx(math.exp(log_of(g, "mfpt")))
    if g.get("sd"):
        assert exact.exit_time_std(process, x0, a, b) == pytest.approx(g["sd"], rel=1e-11)
        first, second = exact.exit_time_moments(process, x0, a, b, order=2)
        assert math.sqrt(second - first**2) == pytest.approx(g["sd"], rel=1e-6)


@pytest.mark.parametrize("g", GOLDEN, ids=name)
def test_a_wrong_drift_fails(g: dict[str, Any]) -> None:
    """Negative control: one per cent of drift shows; the mean time is not one over the rate."""
    process, x0, a, b = problem(g, drift_error=0.01)
    assert abs(exact.log_mean_exit_time(process, x0, a, b) - log_of(g, "mfpt")) > 1e-4
    assert abs(exact.log_escape_rate(process, a, b) - log_of(g, "lambda1")) > 1e-4
    if log_of(g, "mfpt") < 7.0:
        assert abs(log_of(g, "mfpt") + log_of(g, "lambda1")) > 1e-7


def double_well_time(h: float, b: float) -> Any:
    """Return the mean time from -1 to b by nested Gauss quadrature at 30 digits."""
    with mp.workdps(30):
        rule = mp.calculus.quadrature.GaussLegendre(mp.mp).calc_nodes(4, 120)
        height, end = mp.mpf(h), mp.mpf(round(10 * b)) / 10

        def potential(x: Any) -> Any:
            return height * (x * x - 1) ** 2

        def integral(f: Any, left: Any, right: Any) -> Any:
            middle, half = (left + right) / 2, (right - left) / 2
            return half * mp.fsum(w * f(middle + half * x) for x, w in rule)

        def weight(z: Any) -> Any:
            return mp.exp(-potential(z))

        grid = [mp.mpf(-24 + k) / 8 for k in range(25 + math.floor(8 * b))]
        grid += [end] if end > grid[-1] else []
        before, time = mp.mpf(0), mp.mpf(0)
        for left, right in itertools.pairwise(grid):
            if left >= -1:
                time += integral(
                    lambda y, left=left, before=before: (
                        mp.exp(potential(y)) * (before + integral(weight, left, y))
                    ),
                    left,
                    right,
                )
            before += integral(weight, left, right)
        return time


@pytest.mark.parametrize(("h", "b"), [(20.0, 0.0), (69.0, 0.8)])
def test_double_well_against_mpmath(h: float, b: float) -> None:
    """The table is right to 8e-12 here, and its row for h = 69 off by that much; this is tighter."""
    process = exact.Diffusion(lambda x: -4.0 * h * x * (x * x - 1.0), lambda x: ROOT2)
    assert exact.mean_exit_time(process, -1.0, None, b) == pytest.approx(
        float(double_well_time(h, b)), rel=2e-13
    )


def top_time(h: float) -> float:
    """Return ``ln`` of the mean time from -1 to the top 0: asymptotic series by mpmath.

    ``int_-1^0 e^V(y) int_-inf^y e^-V(z)``: by ``z = -1 + u``, ``y`` near 0, both by Gauss quadrature on
    the places where they are not negligible; the inner integral is complete to ``e^-h`` there.
    """
    with mp.workdps(25):
        inner = mp.quad(
            lambda z: mp.exp(-h * (z * z - 1) ** 2), mp.linspace(-1 - 12 / mp.sqrt(h), 0, 40)
        )
        outer = mp.quad(
            lambda y: mp.exp(h * ((y * y - 1) ** 2 - 1)), mp.linspace(-12 / mp.sqrt(h), 0, 40)
        )
        return float(h + mp.log(inner) + mp.log(outer))


@pytest.mark.parametrize("h", [100.0, 690.0, 3000.0])
def test_rates_to_1e_300_and_beyond(h: float) -> None:
    process = exact.Diffusion(lambda x: -4.0 * h * x * (x * x - 1.0), lambda x: ROOT2)
    reference = top_time(h)
    # ln is that large: what is left are a few roundings of it and of phi
    error = 1e-12 + 3e-15 * h
    assert exact.log_mean_exit_time(process, -1.0, None, 0.0) == pytest.approx(reference, abs=error)
    assert exact.log_escape_rate(process, None, 0.0) == pytest.approx(-reference, abs=error)
    rate = exact.escape_rate(process, None, 0.0)
    assert rate == pytest.approx(math.exp(-reference), rel=1e-11) and (rate > 0.0) == (h < 700.0)
