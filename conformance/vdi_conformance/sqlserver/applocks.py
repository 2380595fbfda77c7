"""Application locks (sp_getapplock): names that sessions hold against each other, within a database."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPATIBLE: Final = {
    "IntentShared": frozenset({"IntentShared", "Shared", "Update", "IntentExclusive"}),
    "Shared": frozenset({"IntentShared", "Shared", "Update"}),
    "Update": frozenset({"IntentShared", "Shared"}),
    "IntentExclusive": frozenset({"IntentShared", "IntentExclusive"}),
    "Exclusive": frozenset[str](),
}
"""The modes of a lock, each with those that others may hold at the same time."""
_STRENGTH: Final = tuple(COMPATIBLE)
GRANTED: Final = 0
GRANTED_AFTER_WAITING: Final = 1
TIMED_OUT: Final = -1
CANCELLED: Final = -2


class Resource(NamedTuple):
    """What is locked: a name within a database; its case counts."""

    database: str
    name: str


class _Hold(NamedTuple):
    """One lock that was given: to which session, in which mode, and whether it ends with its transaction."""

    session_id: int
    mode: str
    with_transaction: bool


class AppLocks:
    """The application locks of a server; safe to use from every thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holds: dict[Resource, list[_Hold]] = {}

    def acquire(
        self,
        resource: Resource,
        session_id: int,
        mode: str,
        with_transaction: bool,
        seconds: float | None,
        cancelled: threading.Event,
    ) -> int:
        """Wait for a lock up to so many seconds (None: for ever), and tell how that ended."""
        end = None if seconds is None else time.monotonic() + seconds
        outcome = GRANTED
        with self._changed:
            while not self._is_free(resource, session_id, mode):
                left = None if end is None else end - time.monotonic()
                if cancelled.is_set():
                    return CANCELLED
                if left is not None and left <= 0:
                    return TIMED_OUT
                outcome = GRANTED_AFTER_WAITING
                self._changed.wait(left)
            self._holds.setdefault(resource, []).append(_Hold(session_id, mode, with_transaction))
        return outcome

    def release(self, resource: Resource, session_id: int, with_transaction: bool) -> bool:
        """Give back one lock of a session; false where it has none."""
        with self._changed:
            holds = self._holds.get(resource, [])
            for place in reversed(range(len(holds))):
                if (holds[place].session_id, holds[place].with_transaction) == (session_id, with_transaction):
                    del holds[place]
                    self._forget_empty((resource,))
                    self._changed.notify_all()
                    return True
        return False

    def release_all(self, session_id: int, only_of_transaction: bool = False) -> None:
        """Give back all locks of a session, or those that end with its transaction."""
        with self._changed:
            for holds in self._holds.values():
                holds[:] = [
                    hold
                    for hold in holds
                    if hold.session_id != session_id or (only_of_transaction and not hold.with_transaction)
                ]
            self._forget_empty(tuple(self._holds))
            self._changed.notify_all()

    def wake(self) -> None:
        """Let sessions that wait look whether they were cancelled."""
        with self._changed:
            self._changed.notify_all()

    def could_have(self, resource: Resource, session_id: int, mode: str) -> bool:
        """Tell whether a session would get a lock without waiting."""
        with self._changed:
            return self._is_free(resource, session_id, mode)

    def mode_of(self, resource: Resource, session_id: int) -> str:
        """Give the strongest mode in which a session has a lock, or NoLock."""
        with self._changed:
            modes = [hold.mode for hold in self._holds.get(resource, []) if hold.session_id == session_id]
        return max(modes, key=_STRENGTH.index, default="NoLock")

    def _is_free(self, resource: Resource, session_id: int, mode: str) -> bool:
        others = (hold.mode for hold in self._holds.get(resource, []) if hold.session_id != session_id)
        return all(other in COMPATIBLE[mode] for other in others)

    def _forget_empty(self, resources: Iterable[Resource]) -> None:
        for resource in resources:
            if not self._holds.get(resource):
                self._holds.pop(resource, None)
