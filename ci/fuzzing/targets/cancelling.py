"""Ends what runs for longer than a moment, as a user does who loses patience: what loops for ever must end then."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOMENT: Final = 0.2
"""Seconds."""


class Canceller:
    """A thread that cancels again and again what has run for a moment, until it ends."""

    def __init__(self) -> None:
        self._cancel: Callable[[], None] | None = None
        self._turn = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        seen = -1
        while not self._is_over.wait(MOMENT):
            cancel, turn = self._cancel, self._turn
            if cancel is not None and turn == seen:
                cancel()
            seen = turn

    @contextmanager
    def ending(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Have this called while something runs that lasts."""
        self._turn += 1
        self._cancel = cancel
        try:
            yield
        finally:
            self._cancel = None

    def close(self) -> None:
        """End the thread."""
        self._is_over.set()
        self._thread.join()
