"""The version stands in three files, and they agree."""

from __future__ import annotations

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
