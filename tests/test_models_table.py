"""Completeness: what the registry holds, the tests of the solver cover."""

from __future__ import annotations

import numpy as np
import pytest
from models_table import (
    BY_REJECTION,
    CASES,
    JUMP_MODELS,
    PAIRS,
    SCALAR_MODELS,
    SCALAR_SCHEMES,
    STEPS,
    Case,
)

import escapade as ea


def test_every_model_has_a_case() -> None:
    assert {case.model.name for case in CASES.values()} == set(SCALAR_MODELS)


def test_models_with_jumps_are_those_that_normal_schemes_refuse() -> None:
    jumps = {
        n
        for n in ea.models.list()
        if "normal" in str(ea.models.get(n)().scheme_objection("milstein"))
    }
    assert jumps == set(JUMP_MODELS)


def test_every_scheme_is_written_in_numpy_and_used() -> None:
    assert set(STEPS) == set(SCALAR_SCHEMES)
    assert {scheme for _, scheme in PAIRS} == set(SCALAR_SCHEMES)


def test_every_model_meets_every_scheme_it_can_use() -> None:
    registry = {entry["name"]: set(entry["schemes"]) for entry in ea._core.models()}
    for name in SCALAR_MODELS:
        schemes = registry[name] - {s for model, s in [BY_REJECTION] if model == name}
        used = {s for label, s in PAIRS if CASES[label].model.name == name}
        assert used == schemes, name


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_equations_of_the_table_agree_with_themselves(case: Case) -> None:
    """b b' is half the slope of b^2, and the Lamperti map has slope 1/b: else the table is wrong."""
    x = np.array(case.starts) + 0.01
    d = 1e-5
    slope = (case.b(x + d) ** 2 - case.b(x - d) ** 2) / (4 * d)
    np.testing.assert_allclose(case.bb(x), slope, rtol=1e-7, atol=1e-8)
    low, high = case.model.domain
    assert all(low < start < high for start in case.starts)
    if case.lamperti is not None:
        to, back, sign = case.lamperti
        np.testing.assert_allclose(back(to(x)), x, rtol=1e-12)
        np.testing.assert_allclose((to(x + d) - to(x - d)) / (2 * d), sign / case.b(x), rtol=1e-7)
