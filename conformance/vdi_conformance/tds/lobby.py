"""Who is connected to a server: clients that have logged in, and strangers, of whom little is borne."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vdi_conformance.tds.limits import TdsLimits


class Guest(Protocol):
    """Whoever is connected."""

    def end(self) -> None:
        """Have the connection end soon."""
        ...


class Lobby:
    """Counts guests by their numbers; each is a stranger until it is admitted."""

    def __init__(self, limits: TdsLimits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._strangers: dict[int, Guest] = {}
        self._sessions: dict[int, Guest] = {}
        self._is_closed = False

    def enter(self, number: int, guest: Guest) -> None:
        """Let a stranger in; where there are too many, the one that came first has to go."""
        with self._changed:
            if len(self._strangers) >= self._limits.strangers:
                self._strangers.pop(next(iter(self._strangers))).end()
            self._strangers[number] = guest
            if self._is_closed:
                guest.end()

    def admit(self, number: int) -> bool:
        """Make a stranger a session; False where there are too many, or the stranger has had to go."""
        with self._changed:
            if len(self._sessions) >= self._limits.sessions or number not in self._strangers:
                return False
            self._sessions[number] = self._strangers.pop(number)
            return True

    def leave(self, number: int) -> None:
        """Forget a guest."""
        with self._changed:
            self._strangers.pop(number, None)
            self._sessions.pop(number, None)
            self._changed.notify_all()

    def close(self) -> None:
        """End the connections of all, and wait for them to go, but not for ever."""
        with self._changed:
            self._is_closed = True
            for guest in (*self._strangers.values(), *self._sessions.values()):
                guest.end()
            self._changed.wait_for(lambda: not self._strangers and not self._sessions, self._limits.seconds_to_close)
