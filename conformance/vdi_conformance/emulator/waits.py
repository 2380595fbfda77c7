"""Calls that wait: for something to be stirred, or for their time to be over; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.emulator.state import CallAnswer, EmulatedSet

Ticket = TypeVar("Ticket")


class Owner(NamedTuple):
    """A client object or a server: its process, and its number there."""

    process: int
    number: int


class Wait(NamedTuple, Generic[Ticket]):
    """A call that waits until something of a set is stirred or `deadline` has come (None: for ever)."""

    ticket: Ticket
    owner: Owner
    place: tuple[EmulatedSet, object]
    deadline: float | None
    retry: Callable[[], CallAnswer | None]


class Waits(Generic[Ticket]):
    """All calls that wait, in the order in which they came to where they wait."""

    def __init__(self) -> None:
        self._places: dict[tuple[EmulatedSet, object], list[Wait[Ticket]]] = {}

    def add(self, wait: Wait[Ticket]) -> None:
        """Let a call wait."""
        self._places.setdefault(wait.place, []).append(wait)

    def take(self, device_set: EmulatedSet, stirred: object) -> list[Wait[Ticket]]:
        """Take out everything that waits for this."""
        return self._places.pop((device_set, stirred), [])

    def take_if(self, condition: Callable[[Wait[Ticket]], bool]) -> list[Wait[Ticket]]:
        """Take out every call that fulfils a condition."""
        taken = [wait for waits in self._places.values() for wait in waits if condition(wait)]
        for wait in taken:
            self._places[wait.place].remove(wait)
        self._places = {place: waits for place, waits in self._places.items() if waits}
        return taken

    def next_deadline(self) -> float | None:
        """Tell when the first of them is over, if ever."""
        waits = (wait for waits in self._places.values() for wait in waits)
        return min((wait.deadline for wait in waits if wait.deadline is not None), default=None)
