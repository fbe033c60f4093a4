"""Lyapunov exponents and the law of balance against theory."""

from __future__ import annotations

import numpy as np
import pytest

import escapade as ea
from escapade import observables as ob


def sum_and_difference(x: np.ndarray) -> np.ndarray:
    return np.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], axis=1)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_exponent_of_geometric_brownian_motion(sign: float) -> None:
    # exact: mu - sigma^2/2 (theory_symmetry C2). Two z-scores, |z| < 4.5 fails with 1.4e-5.
    sigma = np.array([0.5, 1.0])
    model = ea.models.GeometricBrownianMotion(0.3, sigma)
    whole, late = ea.LyapunovExponent(), ea.LyapunovExponent(start=1.0)
    scheme = "lamperti-heun" if sign > 0 else "platen"  # the first is exact here
    e = ea.Ensemble(model, 20_000, sign, seed=11)
    e.run(t=4.0, dt=0.01, scheme=scheme, observe=[whole, late])
    exact = 0.3 - sigma**2 / 2
    z = (whole.value - exact) / whole.stderr
    assert np.all(np.abs(z) < 4.5), z
    assert np.allclose(whole.stderr, sigma / np.sqrt(4.0 * 20_000), rtol=0.05)
    assert np.all(np.abs((late.value - exact) / late.stderr) < 4.5)
    assert whole.span == (0.0, 4.0) and late.span == (1.0, 4.0)
    assert np.array_equal(whole.lost, [0, 0])
    # negative control: the growth rate of the mean, mu, and a sigma 5% off
    assert np.all(np.abs((whole.value - 0.3) / whole.stderr) > 20)
    assert abs((whole.value[1] - (0.3 - 1.05**2 / 2)) / whole.stderr[1]) > 6  # type: ignore[index]


def test_the_log_of_a_state_that_underflows_is_exact() -> None:
    # ln v falls by 4 (T alpha3 - beta2) t = 8000 (theory_symmetry A4), far below the smallest float
    model = ea.models.BalancedNetwork(T=1.0)
    exact, seen = ea.LyapunovExponent(start=1.0), ea.LyapunovExponent(of=ob.component(0), start=1.0)
    e = ea.Ensemble(model, 2000, 1e-6, seed=2).run(t=1001.0, dt=0.05, observe=[exact, seen])
    assert np.all(e.x == 0.0) and exact.lost == 0 and seen.lost == 2000
    assert abs((exact.value + 8.0) / exact.stderr) < 4.5  # fails with probability 7e-6
    assert np.isnan(seen.value)


def test_looks_do_not_depend_on_splits() -> None:
    model = ea.models.GeometricBrownianMotion(0.1, 1.0)
    whole, parts = ea.LyapunovExponent(start=0.26), ea.LyapunovExponent(start=0.26)
    ea.Ensemble(model, 50, 1.0, seed=1).run(steps=20, dt=0.1, observe=whole)
    e = ea.Ensemble(model, 50, 1.0, seed=1)
    for steps in (2, 0, 1, 0, 10):
        e.run(steps=steps, dt=0.1, observe=parts)
        if e.step <= 3:
            with pytest.raises(ValueError, match="not looked twice"):
                _ = parts.value
    e.run(steps=7, dt=0.1, observe=parts)
    assert parts.span == whole.span == pytest.approx((0.3, 2.0))
    assert np.array_equal(parts.values, whole.values)
    at_start = ea.LyapunovExponent(start=0.3)
    ea.Ensemble(model, 50, 1.0, seed=1).run(steps=20, dt=0.1, observe=at_start)
    assert at_start.span == whole.span


def test_exponents_of_a_network_at_the_origin() -> None:
    # depth 1, above T_c = 1/3 (theory_symmetry A2, C1): u + w goes like 2 beta2 - 2 T alpha3 = -1,
    # u - w like -2 beta2 - 2 T alpha3 = -5. Two z-scores, |z| < 4.5 fails with probability 1.4e-5.
    network = ea.models.DiagonalNetwork(1, 1, T=0.5)
    L = ea.LyapunovExponent(of=sum_and_difference)
    e = ea.Ensemble(network, 20_000, ea.init.normal([1e-4, 2e-4], 1e-5), seed=5)
    e.run(t=2.0, dt=2.5e-4, observe=L)
    z = (L.value - np.array([-1.0, -5.0])) / L.stderr
    assert np.all(np.abs(z) < 4.5), z
    # negative control: T 5% higher
    assert np.all(np.abs((L.value - np.array([-1.15, -5.15])) / L.stderr) > 7)


def balance(dt: float, **kwargs: object) -> ea.BalanceResidual:
    residual = ea.BalanceResidual()
    network = ea.models.DiagonalNetwork(T=0.1, **kwargs)  # type: ignore[arg-type]
    e = ea.Ensemble(network, 4000, ea.init.normal(1.0, 0.3), seed=5)
    e.run(t=2.0, dt=dt, observe=residual, on_bad="ignore")
    return residual


@pytest.mark.parametrize("depth, gamma", [(1, 0.0), (1, 0.2), (2, 0.1)])
def test_residual_of_the_law_of_balance_halves_with_the_step(depth: int, gamma: float) -> None:
    # medians of 4000 residuals scatter by 2%: a ratio off by 0.25 is beyond 8 standard deviations
    # small steps: of large ones the adaptive scheme cuts so many that the order does not show
    h = 0.003125 if depth == 1 else 0.001
    coarse, fine = (balance(step, depth=depth, gamma=gamma) for step in (h, h / 2))
    assert np.all(coarse.lost <= 40)
    assert np.all(np.abs(coarse.median / fine.median - 2.0) < 0.25), coarse.median / fine.median
    if (depth, gamma) == (1, 0.0):
        assert 2e-3 < fine.median[0] < 5e-3  # a third of A1's 1.3e-2 at 0.005


def test_residual_of_the_law_of_balance_is_that_of_its_formula() -> None:
    # and, as the negative control, the Stratonovich reading conserves C: what is left is the
    # integral, for these data (q constant) exactly 4 T s^2 t. The first is 1% of its integral, 2.6.
    data = ea.data.binary(1.0, 1.5)
    ito = balance(0.005, data=data, width=2, gamma=0.1)
    assert ito.pairs == [(0, 0, 1), (1, 0, 1)] and ito.residual.shape == (4000, 2)
    assert np.all(ito.median < 0.03)
    other = balance(0.005, data=data, calculus="stratonovich")
    assert other.median == pytest.approx([4 * 0.1 * 1.5**2 * 2.0], rel=0.01)


def test_a_sample_of_residuals_computed_by_hand() -> None:
    network = ea.models.DiagonalNetwork(2, 2, T=np.array([0.1, 0.2]), gamma=0.3)
    residual, s = ea.BalanceResidual(), ea.Snapshots(np.arange(11) * 0.02)
    ea.Ensemble(network, 30, ea.init.normal(1.0, 0.1), seed=1).run(
        steps=10, dt=0.02, observe=[residual, s]
    )
    assert len(residual.pairs) == 6 and residual.t == pytest.approx(0.2)
    u = s.x.reshape(11, 2, 30, 3, 2)
    v = u.prod(axis=3).sum(axis=3)
    q = 2 * v**2 - 4 * v + 3  # gaussian(1, 1)
    T = np.array([0.1, 0.2])[:, None]
    for j, (i, k, m) in enumerate(residual.pairs):
        rest = u[..., 3 - k - m, i]
        rate = T * q * rest**2 + 0.3
        C = u[..., k, i] ** 2 - u[..., m, i] ** 2
        by_hand = np.log(np.abs(C[-1] / C[0])) + 4 * 0.02 * rate[:-1].sum(axis=0)
        assert np.allclose(residual.residual[..., j], by_hand, rtol=1e-8, atol=1e-10)
    assert np.allclose(residual.median, np.median(np.abs(residual.residual), axis=1), rtol=1e-15)


def test_balance_refuses_what_has_no_such_law() -> None:
    for model in (ea.models.BalancedNetwork(), ea.models.DiagonalNetwork(depth=0)):
        e = ea.Ensemble(model, 5, 1.0, seed=1)
        with pytest.raises(ValueError, match=f"DiagonalNetwork of depth.*got {model.name}"):
            e.run(t=1.0, dt=0.1, observe=ea.BalanceResidual())
        assert e.step == 0
    e = ea.Ensemble(ea.models.DiagonalNetwork(), 5, 1.0, seed=1)
    with pytest.raises(ValueError, match="layers that differ"):
        e.run(t=1.0, dt=0.1, observe=ea.BalanceResidual())
    e = ea.Ensemble(ea.models.DiagonalNetwork(), 5, ea.init.normal(1.0, 0.1), seed=1)
    residual = ea.BalanceResidual()
    e.run(steps=3, dt=0.1, observe=residual).run(steps=2, dt=0.1)
    with pytest.raises(ValueError, match="missed"):
        e.run(steps=1, dt=0.1, observe=residual)
    with pytest.raises(ValueError, match="not looked yet"):
        _ = ea.BalanceResidual().median


def test_half_balanced_starts_leave_the_others() -> None:
    x0 = np.array([[1.0, 1.0], [1.0, 1.2], [1.3, 1.0]])
    residual = ea.BalanceResidual()
    ea.Ensemble(ea.models.DiagonalNetwork(), 3, x0, seed=1).run(steps=4, dt=0.01, observe=residual)
    assert residual.lost.tolist() == [1] and np.isnan(residual.residual[0, 0])
    assert residual.median[0] == pytest.approx(np.abs(residual.residual[1:, 0]).mean())
