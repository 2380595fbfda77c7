"""What a statement does on one device: scripts that yield commands and are sent their completions; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.emulator.messages import (
    Message,
    flush_failed,
    not_performed,
    not_restorable,
    read_failed,
    write_failed,
)
from vdi_conformance.emulator.stream import StreamError
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import (
    ERROR_END_OF_MEDIA,
    ERROR_FILEMARK_DETECTED,
    ERROR_HANDLE_EOF,
    ERROR_NO_DATA_DETECTED,
    ERROR_SUCCESS,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from vdi_conformance.emulator.stream import Frame, FrameReader
    from vdi_conformance.vdi.structures import VDConfig

PATIENCE: Final = 64
"""How many empty Reads in a row count as the end of the stream."""


class StatementError(Exception):
    """A statement cannot go on; `cause` is the message that says why."""

    def __init__(self, cause: Message) -> None:
        super().__init__(cause[1])
        self.cause = cause


class Transfer(NamedTuple):
    """A command to send; a Read or Write takes its buffer from the pool, or the device's own one for metadata.

    A Write sends `frame` from its byte `offset` on.
    """

    code: int
    size: int = 0
    position: int = 0
    frame: Frame | None = None
    from_pool: bool = False
    offset: int = 0


class TransferResult(NamedTuple):
    """How a command was completed; `data` is its buffer, until the next command is asked for."""

    code: int
    bytes_transferred: int
    data: memoryview
    position: int = 0


if TYPE_CHECKING:
    Script = Generator[Transfer, TransferResult, None]
    Asking = Generator[Transfer, TransferResult, TransferResult]


def _do(name: str, code: int, size: int = 0, position: int = 0) -> Asking:
    """Send a command that moves no data and has to succeed."""
    result = yield Transfer(code, size, position)
    if result.code != ERROR_SUCCESS:
        raise StatementError(not_performed(name, vdc.name_of(code), result.code))
    return result


class _Medium:
    """The media of one device, as a BACKUP writes them: what one has no room for goes to the next.

    After a warning that a medium ends, what is written to it stays within the zone that the client configured.
    """

    def __init__(self, name: str, config: VDConfig) -> None:
        self._name = name
        self._config = config
        self._written = 0
        self._room: int | None = None

    def write(self, frame: Frame) -> Script:
        """Write one frame."""
        whole = self._config.max_transfer_size
        from_pool = frame.is_data or frame.size > self._config.block_size or frame.size == whole
        done = 0
        if self._room is not None and frame.size > self._room:
            yield from self._load()
        while done < frame.size:
            position = self._written if self._config.features & vdc.VDF_RANDOM_ACCESS else 0
            size = frame.size - done
            result = yield Transfer(vdc.VDC_WRITE, size, position, frame, from_pool, done)
            count = result.bytes_transferred
            if not self._accepts(result.code, count, size):
                raise StatementError(write_failed(self._name, result.code, count))
            done += count
            self._written += count
            if self._room is not None:
                self._room -= count
            elif result.code == ERROR_END_OF_MEDIA and self._config.eom_warning_size:
                self._room = self._config.eom_warning_size
            if done < frame.size:
                yield from self._load()

    def _accepts(self, code: int, count: int, size: int) -> bool:
        """Tell whether a Write may end so: wholly, or after whole blocks at the end of a medium."""
        if code == ERROR_END_OF_MEDIA and self._config.features & vdc.VDF_REMOVABLE:
            return count <= size and count % self._config.block_size == 0
        return code in (ERROR_SUCCESS, ERROR_END_OF_MEDIA) and count == size

    def _load(self) -> Script:
        self._room = None
        yield from _do(self._name, vdc.VDC_LOAD)


def backup(name: str, frames: Iterable[Frame], config: VDConfig, snapshot: bool = False) -> Script:
    """Write the frames of a stream, the first of which is the label of the medium, then Flush.

    WITH SNAPSHOT the frames say what the snapshot holds, and the client is asked for it at the end.
    """
    medium, features = _Medium(name, config), config.features
    if features & vdc.VDF_DISCARD:
        yield from _do(name, vdc.VDC_DISCARD)
    yield from _to_the_beginning(name, features)
    for number, frame in enumerate(frames):
        yield from medium.write(frame)
        if number == 0:
            yield from _after_the_label(name, features, snapshot)
    if features & vdc.VDF_FILE_MARKS:
        yield from _do(name, vdc.VDC_WRITE_MARK)
    result = yield Transfer(vdc.VDC_FLUSH)
    if result.code != ERROR_SUCCESS:
        raise StatementError(flush_failed(name, result.code))
    if snapshot:
        yield from _do(name, vdc.VDC_SNAPSHOT)


def _to_the_beginning(name: str, features: int) -> Script:
    if features & vdc.VDF_REWIND:
        yield from _do(name, vdc.VDC_REWIND)
    if features & vdc.VDF_RANDOM_ACCESS:
        yield from _do(name, vdc.VDC_SET_POSITION, vdc.WHENCE_BEGINNING, 0)


def _after_the_label(name: str, features: int, snapshot: bool) -> Script:
    """Divide the label from what follows, and note where that begins; then let a client prepare its snapshot."""
    if features & vdc.VDF_FILE_MARKS:
        yield from _do(name, vdc.VDC_WRITE_MARK)
    if features & vdc.VDF_POSITION:
        yield from _do(name, vdc.VDC_GET_POSITION)
    if snapshot and features & vdc.VDF_SNAPSHOT_PREPARE:
        yield from _do(name, vdc.VDC_PREPARE_TO_FREEZE)


def restore(name: str, reader: FrameReader, config: VDConfig, snapshot: bool = False) -> Script:
    """Read a stream to its end, its label first; WITH SNAPSHOT the client then brings the snapshot back."""
    features, source = config.features, _Source(name, reader, config)
    yield from _read_label(name, source, features)
    if features & vdc.VDF_FILE_MARKS and not source.at_a_mark:
        yield from _do(name, vdc.VDC_SKIP_MARKS, 1)
    if features & vdc.VDF_POSITION:
        begin = yield from _do(name, vdc.VDC_GET_POSITION)
        yield from _do(name, vdc.VDC_SET_POSITION, 0, begin.position)
    while not reader.finished:
        yield from source.read(config.max_transfer_size)
    if snapshot:
        yield from _do(name, vdc.VDC_MOUNT_SNAPSHOT)


def list_files(name: str, reader: FrameReader, config: VDConfig) -> Script:
    """Read the label of a stream, which is all that FILELISTONLY and its like need."""
    yield from _read_label(name, _Source(name, reader, config), config.features)


class _Source:
    """The stream of one device, as a RESTORE reads it."""

    def __init__(self, name: str, reader: FrameReader, config: VDConfig) -> None:
        self.reader = reader
        self.at_a_mark = False
        self.block_size = config.block_size
        self._name = name
        self._largest = config.max_transfer_size
        self._more_to_come = {ERROR_SUCCESS}
        if config.features & vdc.VDF_FILE_MARKS:
            self._more_to_come.add(ERROR_FILEMARK_DETECTED)
        self._random_access = bool(config.features & vdc.VDF_RANDOM_ACCESS)
        self._empty = 0

    def read(self, size: int) -> Script:
        """Read up to so many bytes."""
        position = self.reader.size if self._random_access else 0
        result = yield Transfer(vdc.VDC_READ, size, position, from_pool=size == self._largest)
        if result.code not in {*self._more_to_come, ERROR_HANDLE_EOF, ERROR_NO_DATA_DETECTED}:
            raise StatementError(read_failed(self._name, result.code))
        self.at_a_mark = result.code == ERROR_FILEMARK_DETECTED
        self._empty = 0 if result.bytes_transferred else self._empty + 1
        try:
            self.reader.feed(result.data[: result.bytes_transferred])
            if result.code not in self._more_to_come or self._empty == PATIENCE:
                self.reader.end()
        except StreamError as error:
            raise StatementError(not_restorable(error.number, self._name, str(error))) from error


def _read_label(name: str, source: _Source, features: int) -> Script:
    yield from _to_the_beginning(name, features)
    while not source.reader.labelled:
        yield from source.read(source.block_size)


def complete(name: str) -> Script:
    """Ask the client to accept the whole operation."""
    result = yield Transfer(vdc.VDC_COMPLETE)
    if result.code != ERROR_SUCCESS:
        raise StatementError(write_failed(name, result.code, 0))
