"""Strong orders of the schemes for particles of several numbers, along common Wiener paths.

The slope of ln(error) against ln(dt) over three halvings must be the stated order to 0.12; slopes of
20000 paths scatter by about 0.03. Milstein's scheme without its correction (Euler-Maruyama) is the
negative control: its slope is 1/2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import escapade as ea

COARSE = (32, 16, 8, 4)
FINE = 1 / 16384
MODELS: dict[str, tuple[Any, Any]] = {
    "depth 1": (ea.models.DiagonalNetwork(1, 1, 0.1), [1.1, 0.7]),
    "depth 2, width 2": (ea.models.DiagonalNetwork(2, 2, 0.05), [0.8, 0.7, 0.9, 0.8, 0.7, 1.0]),
    "powers": (ea.models.GeneralizedRescaling((2, 1), 0.1), [0.9, 1.1]),
    "scale invariant": (ea.models.ScaleInvariant(1.0, 1.0, 0.2), [1.2, 0.4]),
}
STRONG = {"euler-maruyama": 0.5, "milstein": 1.0, "heun": 1.0, "platen": 1.0}


def typical(ens: ea.Ensemble, exact: ea.Ensemble) -> float:
    """The median over paths, the few that explicit schemes lose taken as far off: means of
    heavy-tailed errors do not settle."""
    error = np.abs(ens.x - exact.x).max(axis=1)
    return float(np.median(np.where(np.isnan(error), np.inf, error)))


def slope(model: Any, start: Any, scheme: str) -> float:
    n, t = 20_000, 0.25
    exact = ea.Ensemble(model, n, start, seed=41, noise="float64")
    exact.run(t, FINE, scheme="milstein", on_bad="ignore")
    errors = []
    for k in COARSE:
        ens = ea.Ensemble(model, n, start, seed=41, noise="float64")
        ens.run(t, k * FINE, scheme=scheme, coarsen=k, on_bad="ignore")
        errors.append(typical(ens, exact))
    return float(np.polyfit(np.log(COARSE), np.log(errors), 1)[0])


@pytest.mark.parametrize("scheme", STRONG)
@pytest.mark.parametrize("label", MODELS)
def test_strong_order(label: str, scheme: str) -> None:
    assert slope(*MODELS[label], scheme) == pytest.approx(STRONG[scheme], abs=0.12)


def test_euler_maruyama_of_several_noises() -> None:
    """Matrix factorisation: seven Wiener processes that do not commute; half an order."""
    model = ea.models.TwoLayerLinear(2, 2, 2, 0.05)
    rng = np.random.default_rng(0)
    start = rng.normal(0.8, 0.2, 8)
    n, t = 5000, 0.25
    exact = ea.Ensemble(model, n, start, seed=42, noise="float64")
    exact.run(t, FINE, on_bad="ignore")
    errors = []
    for k in COARSE:
        ens = ea.Ensemble(model, n, start, seed=42, noise="float64")
        ens.run(t, k * FINE, coarsen=k, on_bad="ignore")
        errors.append(typical(ens, exact))
    assert np.polyfit(np.log(COARSE), np.log(errors), 1)[0] == pytest.approx(0.5, abs=0.12)
