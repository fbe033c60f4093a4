"""Ctrl-C during a run: noted at once, acted on where the ensemble is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["Interrupts"]


class Interrupts:
    """Holds back the interrupt signal inside a ``with`` block.

    Python delivers the signal between any two instructions, so also between the engine's return and
    the note of what it did. Here a first Ctrl-C only sets `caught`, which a run looks at between its
    slices; a second one goes through. Signals reach the main thread only, and a handler that is not
    Python's is left alone.
    """

    def __init__(self) -> None:
        self.caught = False
        self._previous: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGINT)
            if callable(previous):
                self._previous = previous
                signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.caught:
            self._previous(number, frame)
        self.caught = True

    def deliver(self) -> None:
        """Raise KeyboardInterrupt, or what the caller's own handler raises, if Ctrl-C has come."""
        if self.caught:
            self._previous(signal.SIGINT, None)
            raise KeyboardInterrupt
