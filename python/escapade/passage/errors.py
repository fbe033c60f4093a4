"""What is raised and warned of where escapes are few."""

from __future__ import annotations

__all__ = ["NoEscapeError", "TooFewEscapesWarning"]


class NoEscapeError(ValueError):
    """Nothing escaped: there is a bound on the rate, and no rate."""


class TooFewEscapesWarning(UserWarning):
    """The run saw too few escapes, or not the kind of escapes, for what it was asked."""
