"""How far a statement is: a message for each so many percent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.tds.answers import Answer


class Progress:
    """Counts bytes of `total`, and tells 3211 every `stats` percent (None: never)."""

    def __init__(self, tell: Callable[[Answer], None], stats: int | None) -> None:
        self.total = 0
        self._tell = tell
        self._stats = stats
        self._done = 0
        self._told = 0

    def add(self, size: int) -> None:
        """Count so many bytes more."""
        self._done += size
        if self._stats is None or not self.total:
            return
        percent = min(100, self._done * 100 // self.total) // self._stats * self._stats
        if percent > self._told:
            self._told = percent
            self._tell(message(3211, percent=percent))
