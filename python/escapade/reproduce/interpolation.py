"""Data without label noise: absorption at the solution or at 0, and the law under weight decay."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ..data import interpolating
from ..ensemble import Ensemble
from ..models import BalancedNetwork
from ..theory import absorption_probability, critical_temperature
from . import _draw
from .base import Figure, Result, Settings, Statistic

K = 1.0
DATA = interpolating(K)
HOT, COLD = np.array([0.65, 0.75, 0.9, 1.1, 1.4, 1.8]), np.array([0.1, 0.2])
STARTS = np.array([0.1, 0.3, 0.6])
DECAYS = ((0.1, 0.3), (0.2, 0.1), (0.3, 0.2))  # T, gamma
SCHEME, STEP, DURATION = "adaptive-log-platen", 0.01, 40.0
EDGES = np.linspace(0.0, K, 41)


def tricomi_density(T: float, gamma: float, v: Any) -> Any:
    """Return the density of ``v = k z/(1+z)`` on (0, k) under weight decay, in closed form.

    ``p_z = z^(t - 3/2) (1 + z)^(3/2) exp(-X z)/Z``, ``t = (beta1 - gamma/k)/(2 T alpha1 k)``,
    ``X = gamma/(2 T alpha1 k^2)``, ``Z = Gamma(t - 1/2) U(t - 1/2, t + 2, X)`` with Tricomi's U.
    From arXiv:2308.06671, eq. A.107, whose exponent has a factor beta1 too many.
    """
    t = (DATA.beta1 - gamma / K) / (2.0 * T * DATA.alpha1 * K)
    x = gamma / (2.0 * T * DATA.alpha1 * K**2)
    norm = special.gamma(t - 0.5) * special.hyperu(t - 0.5, t + 2.0, x)
    z = v / (K - v)
    return z ** (t - 1.5) * (1.0 + z) ** 3.5 * np.exp(-x * z) / (norm * K)


def _make(settings: Settings) -> Result:
    n, threads = settings.particles(5000), settings.threads
    heat = np.concatenate([COLD, HOT])[:, None]
    model = BalancedNetwork(1, 1, heat * np.ones_like(STARTS), DATA)
    some = Ensemble(model, n, STARTS[:, None], seed=settings.seed, threads=threads)
    traces = [np.array(some.x[-4, 1, :12])]
    for _ in range(60):
        traces.append(some.run(0.1, STEP, SCHEME).x[-4, 1, :12])
    some.run(DURATION - 6.0, STEP, SCHEME, progress=settings.progress)
    share = np.mean(some.x > 0.5 * K, axis=-1)
    middle = np.abs(some.x - 0.5 * K) < 0.49 * K  # neither at k nor at 0 yet
    expected = np.asarray(absorption_probability(DATA, heat, STARTS))
    error = np.sqrt(expected * (1.0 - expected) / n)
    hot = slice(COLD.size, None)
    lost = int(np.count_nonzero(some.x[: COLD.size] < 0.5 * K))
    total = n * COLD.size * STARTS.size
    statistics = [
        _draw.chi_square(
            f"share absorbed at k above Tc, {HOT.size} T and {STARTS.size} starts, mean square z",
            (share - expected)[hot] / error[hot],
        ),
        Statistic(
            "paths that do not end at k below Tc",
            float(lost),
            0.0,
            f"{lost} of {total}, at most 0",
            lost == 0,
        ),
    ]
    parts, laws = [], []
    for i, (T, gamma) in enumerate(DECAYS):
        model = BalancedNetwork(1, 1, T, DATA, gamma)
        law = model.stationary()
        inside = np.linspace(0.02, 0.98, 97)
        off = float(np.max(np.abs(law.pdf(inside) / tricomi_density(T, gamma, inside) - 1.0)))
        limit = f"largest relative difference {off:.2g}, at most 1e-8"
        name = f"T = {T:g}, gamma = {gamma:g}"
        statistics.append(
            Statistic(f"{name}: law against Tricomi's U", off, 0.0, limit, off < 1e-8)
        )
        start: Any = "stationary" if T == 0.3 else 0.5 * K  # there, relaxation takes too long
        many = Ensemble(
            model, settings.particles(2**15), start, seed=settings.seed + 1 + i, threads=threads
        ).run(20.0, STEP, SCHEME)
        statistics.append(_draw.ks(name, many.x, law))
        parts.append({"T": T, "gamma": gamma, **_draw.binned(many.x, law, EDGES)})
        laws.append(law)
    grid_t, grid_v = np.broadcast_arrays(heat, STARTS)
    absorption = {
        "T": grid_t.ravel(),
        "v0": grid_v.ravel(),
        "share_at_k": share.ravel(),
        "stderr": error.ravel(),
        "theory": expected.ravel(),
    }
    tables = {"absorption": absorption, "densities": _draw.stack(parts)}
    notes = [f"share of paths above Tc still between 0.01 k and 0.99 k: {middle[hot].mean():.2g}"]

    def draw(figure: Any) -> None:
        left, centre, right = figure.subplots(1, 3)
        t = 0.1 * np.arange(len(traces))
        paths = np.array(traces)
        ends = paths[-1] > 0.5 * K
        left.plot(t, paths[:, ends], color=_draw.PALETTE[0], lw=0.9)
        left.plot(t, paths[:, ~ends], color=_draw.PALETTE[1], lw=0.9)
        left.set(yscale="log", ylim=(1e-8, 3.0), xlabel="time $t$")
        left.set(ylabel="end-to-end weight $v$")
        left.text(3.4, 0.35, "absorbed at $k=1$", color=_draw.PALETTE[0])
        left.text(3.4, 1e-4, "absorbed at 0", color=_draw.PALETTE[1])
        fine = np.linspace(0.02, 2.0, 300)
        for j, (v0, colour) in enumerate(zip(STARTS, _draw.PALETTE, strict=False)):
            _draw.curve(centre, fine, absorption_probability(DATA, fine, float(v0)), colour)
            _draw.points(
                centre, heat[:, 0], share[:, j], error[:, j], colour, label=f"$v_0={v0:g}\\,k$"
            )
        centre.axvline(float(critical_temperature(DATA)), color="0.7", lw=0.8, zorder=0)
        centre.text(0.52, 0.03, "$T_c$", color="0.4")
        centre.set(xlabel="temperature $T$", ylabel="probability to learn $v=k$", ylim=(0.0, 1.05))
        centre.legend(title="lines: incomplete beta", fontsize=8.5, title_fontsize=8.5)
        inside = np.linspace(1e-3, K - 1e-3, 600)
        for part, law, colour in zip(parts, laws, _draw.PALETTE, strict=False):
            label = f"$T={part['T']:g}$, $\\gamma={part['gamma']:g}$"
            _draw.density(right, part, law, colour, label, inside)
        right.set(xlabel="end-to-end weight $v$", ylabel="density $p(v)$", ylim=(0.0, 12.0))
        right.legend(loc="upper left")
        titles = [f"paths at $T={HOT[-4]:g}$, $v_0=0.3$", "absorption", "with weight decay"]
        _draw.label_panels([left, centre, right], titles)

    return Result(tables, statistics, draw, notes)


FIGURE = Figure(
    name="interpolation",
    title="Data that a network can interpolate: where training ends",
    source="arXiv:2308.06671 (PRE 111, 065303), Table 1 and eqs. A.106, A.107; the absorption "
    "probability replaces A.106, which is not normalisable at v = k",
    chosen="x ~ N(0,1), y = x (k = 1), depth 1, scheme adaptive-log-platen in ln v with steps of 0.01. "
    "Above Tc = 0.5 paths end at k or at 0; those with v > k/2 at t = 40 count as learned. "
    "Temperatures nearer to Tc are left out: there paths take longer. With weight decay ensembles "
    "start at v = k/2 and run for t = 20; at T = 0.3, where relaxation is slow, from the law.",
    make=_make,
    size=(12.0, 4.0),
)
