"""The version stands in three files, and they agree."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import escapade as ea

ROOT = Path(__file__).resolve().parent.parent


def test_versions_agree() -> None:
    found = {
        "pyproject.toml": r'^version = "(.+)"',
        "CMakeLists.txt": r"project\(escapade VERSION (\S+)",
        "CITATION.cff": r"^version: \"?([^\"\s]+)",
    }
    for name, pattern in found.items():
        match = re.search(pattern, (ROOT / name).read_text(), re.MULTILINE)
        assert match is not None and match.group(1) == ea.__version__, name


def test_dir_shows_public_names_only() -> None:
    assert dir(ea) == sorted(ea.__all__)
    assert {"laws", "plots", "reproduce", "theory"} < set(dir(ea))
    assert all(hasattr(ea, name) for name in dir(ea))


def test_theory_lists_its_functions() -> None:
    text = ea.theory.__doc__ or ""
    listed = set(re.findall(r"`(\w+)`", text))
    functions = {n for n in ea.theory.__all__ if inspect.isfunction(getattr(ea.theory, n))}
    assert functions - listed == set()
    assert {name for name in listed if not hasattr(ea.theory, name)} <= {"eta", "ValueError"}


def test_functions_of_theory_explain_themselves() -> None:
    for name in ea.theory.__all__:
        assert "this module" not in (getattr(ea.theory, name).__doc__ or ""), name


def test_exponents_per_step_and_per_time_refer_to_each_other() -> None:
    per_step = "lyapunov_sgd", "lyapunov_sgd_samples", "two_point_lyapunov"
    for name in (*per_step, "symmetric_sum_exponents"):
        assert f"`{name}`" in (ea.LyapunovExponent.__doc__ or ""), name
        assert "`escapade.LyapunovExponent`" in (getattr(ea.theory, name).__doc__ or ""), name
