"""What several test files share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from escapade import _core


@pytest.fixture(params=_core.supported_isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every instruction set that this machine runs, in turn; the one in use comes back afterwards."""
    before = _core.isa()
    _core.set_isa(request.param)
    yield request.param
    _core.set_isa(before)


@pytest.fixture
def restore_isa() -> Iterator[None]:
    """Let a test switch instruction sets as it likes."""
    before = _core.isa()
    yield
    _core.set_isa(before)
