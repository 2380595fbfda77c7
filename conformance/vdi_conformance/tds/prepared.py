"""Statements that a client has prepared, each with a handle of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vdi_conformance.tds.declarations import Declared
    from vdi_conformance.tds.limits import TdsLimits


class Prepared(NamedTuple):
    """A text with its parameters, or the name of a procedure, which has no text."""

    text: str
    declared: tuple[Declared, ...] = ()
    is_procedure: bool = False


class NoRoom(Exception):
    """A session has prepared as much as it may."""


class PreparedStatements:
    """The prepared statements of one session."""

    def __init__(self, limits: TdsLimits) -> None:
        self._limits = limits
        self._statements: dict[int, Prepared] = {}
        self._characters = 0
        self._last = 0

    def add(self, prepared: Prepared) -> int:
        """Keep a statement, and give its handle; NoRoom where there are too many."""
        characters = self._characters + len(prepared.text)
        if len(self._statements) >= self._limits.statements or characters > self._limits.prepared:
            raise NoRoom
        self._characters = characters
        self._last += 1
        self._statements[self._last] = prepared
        return self._last

    def find(self, handle: object) -> Prepared | None:
        """Give the statement of a handle."""
        return self._statements.get(handle) if isinstance(handle, int) else None

    def discard(self, handle: object) -> bool:
        """Forget a statement; False where there is none of this handle."""
        if (prepared := self.find(handle)) is None or not isinstance(handle, int):
            return False
        self._characters -= len(prepared.text)
        del self._statements[handle]
        return True

    def clear(self) -> None:
        """Forget all, since the session begins anew."""
        self._statements.clear()
        self._characters = 0
