"""What a statement does on one device: scripts that yield commands and are sent their completions; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.emulator.messages import Message, flush_failed, not_restorable, read_failed, write_failed
from vdi_conformance.emulator.stream import StreamError
from vdi_conformance.vdi.commands import (
    VDC_COMPLETE,
    VDC_FLUSH,
    VDC_LOAD,
    VDC_READ,
    VDC_WRITE,
    VDF_RANDOM_ACCESS,
    VDF_REMOVABLE,
)
from vdi_conformance.vdi.completion import (
    ERROR_END_OF_MEDIA,
    ERROR_HANDLE_EOF,
    ERROR_NO_DATA_DETECTED,
    ERROR_SUCCESS,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from vdi_conformance.emulator.stream import Frame, StreamReader
    from vdi_conformance.vdi.structures import VDConfig

PATIENCE: Final = 64
"""How many empty Reads in a row count as the end of the stream."""


class StatementError(Exception):
    """A statement cannot go on; `cause` is the message that says why."""

    def __init__(self, cause: Message) -> None:
        super().__init__(cause[1])
        self.cause = cause


class Exchange(NamedTuple):
    """A command to send; a Read or Write takes its buffer from the pool, or the device's own one for metadata."""

    code: int
    size: int = 0
    position: int = 0
    frame: Frame | None = None
    from_pool: bool = False


class Result(NamedTuple):
    """How a command was completed; `data` is its buffer, until the next command is asked for."""

    code: int
    bytes_transferred: int
    data: memoryview


if TYPE_CHECKING:
    Script = Generator[Exchange, Result, None]


def backup(name: str, frames: Iterable[Frame], config: VDConfig) -> Script:
    """Write the frames of a stream, then Flush."""
    written = 0
    for frame in frames:
        position = written if config.features & VDF_RANDOM_ACCESS else 0
        from_pool = frame.is_data or frame.size == config.max_transfer_size
        yield from _write(name, Exchange(VDC_WRITE, frame.size, position, frame, from_pool), config.features)
        written += frame.size
    result = yield Exchange(VDC_FLUSH)
    if result.code != ERROR_SUCCESS:
        raise StatementError(flush_failed(name, result.code))


def _write(name: str, exchange: Exchange, features: int) -> Script:
    """Write one frame, on the next medium again where the first had no room for all of it."""
    while True:
        result = yield exchange
        whole = result.bytes_transferred == exchange.size
        if whole and result.code in (ERROR_SUCCESS, ERROR_END_OF_MEDIA):
            return
        if result.code != ERROR_END_OF_MEDIA or not features & VDF_REMOVABLE:
            raise StatementError(write_failed(name, result.code, result.bytes_transferred))
        loaded = yield Exchange(VDC_LOAD)
        if loaded.code != ERROR_SUCCESS:
            raise StatementError(write_failed(name, loaded.code, 0))


def restore(name: str, reader: StreamReader, config: VDConfig) -> Script:
    """Read a stream to its end: one block first, as much as is allowed from then on."""
    size = config.block_size
    empty = 0
    while not reader.finished:
        position = reader.size if config.features & VDF_RANDOM_ACCESS else 0
        result = yield Exchange(VDC_READ, size, position, from_pool=size == config.max_transfer_size)
        if result.code not in (ERROR_SUCCESS, ERROR_HANDLE_EOF, ERROR_NO_DATA_DETECTED):
            raise StatementError(read_failed(name, result.code))
        empty = 0 if result.bytes_transferred else empty + 1
        try:
            reader.feed(result.data[: result.bytes_transferred])
            if result.code != ERROR_SUCCESS or empty == PATIENCE:
                reader.end()
        except StreamError as error:
            raise StatementError(not_restorable(error.number, name, str(error))) from error
        size = config.max_transfer_size


def complete(name: str) -> Script:
    """Ask the client to accept the whole operation."""
    result = yield Exchange(VDC_COMPLETE)
    if result.code != ERROR_SUCCESS:
        raise StatementError(write_failed(name, result.code, 0))
