"""What backups are written to and read from, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vdi_conformance.sqlserver.backups.writing import Streams

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from vdi_conformance.emulator.statement import Sizes
    from vdi_conformance.sqlserver.backups.label import MediaSet
    from vdi_conformance.sqlserver.backups.reader import FamilyReader, Wish
    from vdi_conformance.tds.answers import Message

MakeStreams = Callable[[int, int], Streams]
"""Makes the streams of a backup for media with blocks and transfers of these sizes, in bytes."""


class MediaFailure(Exception):
    """The media did not do what was asked of them: messages for the client, and for the error log."""

    def __init__(self, told: tuple[Message, ...], logged: tuple[Message, ...] = ()) -> None:
        super().__init__(told[-1].text)
        self.told = told
        self.logged = logged


class Place(NamedTuple):
    """Where a backup set goes: to which media set (None: a new one), and as which set on it."""

    media: MediaSet | None = None
    position: int = 1


class Media(Protocol):
    """The devices of one statement, in their order. What goes wrong is a MediaFailure."""

    @property
    def type_name(self) -> str:
        """What stands before a name in T-SQL."""
        ...

    @property
    def device_type(self) -> int:
        """The number that msdb has for such devices."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """What the devices are called."""
        ...

    def held(self) -> AbstractContextManager[None]:
        """Keep other backups from the same media while this one is written."""
        ...

    def place(self, overwrites: bool, skips: bool) -> Place:
        """Say where the next backup goes; `skips` looks at no expiration."""
        ...

    def write(self, sizes: Sizes, snapshot: bool, make: MakeStreams) -> None:
        """Write a backup to its place, whose streams are made when it is known how they have to be."""
        ...

    def read(self, sizes: Sizes, snapshot: bool, wish: Wish, position: int) -> Sequence[FamilyReader]:
        """Read a backup set, and give what was read of each family."""
        ...

    def positions(self, sizes: Sizes, wish: Wish) -> Sequence[Sequence[FamilyReader]]:
        """Read the labels of every backup set that is there."""
        ...

    def cancel(self) -> None:
        """End what goes on, soon; called from another thread."""
        ...
