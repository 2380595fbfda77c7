"""One virtual device: its queue of commands, and the IO-ERROR state."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from vdi_conformance.vdi.commands import DATA_COMMANDS, VDC_CLEAR_ERROR
from vdi_conformance.vdi.completion import (
    ERROR_END_OF_MEDIA,
    ERROR_FILEMARK_DETECTED,
    ERROR_HANDLE_EOF,
    ERROR_NO_DATA_DETECTED,
    ERROR_SUCCESS,
)

if TYPE_CHECKING:
    from vdi_conformance.emulator.buffers import Slot

QUEUE_DEPTH: Final = 64
"""How many commands of one device may be outstanding."""

INFORMATIVE: Final = frozenset(
    {ERROR_SUCCESS, ERROR_HANDLE_EOF, ERROR_NO_DATA_DETECTED, ERROR_FILEMARK_DETECTED, ERROR_END_OF_MEDIA}
)
"""Completion codes that do not put a device into IO-ERROR."""


class EmulatedCommand:
    """A command that the server sent: a Read or Write has a slot, any other the raw value `buffer`."""

    __slots__ = ("buffer", "code", "holder", "number", "position", "size", "slot", "tag")

    def __init__(self, number: int, tag: int, code: int, size: int, position: int, buffer: int) -> None:
        self.number = number
        self.tag = tag
        self.code = code
        self.size = size
        self.position = position
        self.slot: Slot | None = None
        self.buffer = buffer
        self.holder: object = None

    @property
    def moves_data(self) -> bool:
        """Whether it is a Read or a Write."""
        return self.code in DATA_COMMANDS


class EmulatedDevice:
    """A device of a set, as both sides see it.

    `opened` means that a client opened it, `served` that the server opened it, `closed` that the server closed it,
    `close_delivered` that the client was told so.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.opened = False
        self.served = False
        self.closed = False
        self.close_delivered = False
        self.io_error = False
        self.queue: deque[EmulatedCommand] = deque()
        self.fetched: dict[int, EmulatedCommand] = {}

    @property
    def open_for_client(self) -> bool:
        """Whether a client opened it and the server has not closed it."""
        return self.opened and not self.closed

    @property
    def is_full(self) -> bool:
        """Whether no further command can be outstanding."""
        return len(self.queue) + len(self.fetched) >= QUEUE_DEPTH

    def refuses(self, code: int) -> bool:
        """Tell whether the IO-ERROR state forbids to send this command."""
        return self.io_error and code != VDC_CLEAR_ERROR

    def fetch(self, holder: object) -> EmulatedCommand | None:
        """Hand out the next command, if there is one that may be handed out now."""
        if not self.queue or (self.io_error and self.fetched):
            return None
        command = self.queue.popleft()
        command.holder = holder
        self.fetched[command.number] = command
        if command.slot is not None:
            command.slot.holder = holder
        return command

    def complete(self, command: EmulatedCommand, completion_code: int) -> list[EmulatedCommand]:
        """Take a fetched command back; give the queued ones that an error drops."""
        del self.fetched[command.number]
        if command.slot is not None:
            command.slot.holder = None
        if command.code == VDC_CLEAR_ERROR and completion_code == ERROR_SUCCESS:
            self.io_error = False
            return []
        if completion_code in INFORMATIVE or self.io_error:
            return []
        self.io_error = True
        return self.take_queue()

    def take_queue(self) -> list[EmulatedCommand]:
        """Empty the queue."""
        dropped = list(self.queue)
        self.queue.clear()
        return dropped
