"""An ordinary client application on one device, in the host process: what `device.serve` does."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from vdi_conformance.host.child import memory
from vdi_conformance.host.medium import Medium, keep_marks_beside, marks_beside
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_READ, VDC_WRITE, VDC_WRITE_MARK
from vdi_conformance.vdi.completion import ERROR_DISK_FULL, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.contract import Command, VirtualDevice


class Media(NamedTuple):
    """What an application keeps: a stream in the file `path` (None: nowhere) from byte `offset` on.

    `features` and `block_size` are those of the set; what is no pipe begins at the start of its file.
    """

    path: str | None = None
    offset: int = 0
    features: int = 0
    block_size: int = 512


class _Stream:
    """The bytes that Reads and Writes move."""

    def __init__(self, media: Media, digest: bool) -> None:
        self.moved = 0
        self.digest = hashlib.sha256() if digest else None
        self._path = media.path
        marks = marks_beside(media.path) if media.path is not None else ()
        self._medium = Medium(media.features, media.block_size, media.offset, marks)
        self._file: BinaryIO | None = None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def perform(self, command: Command) -> tuple[int, int, int]:
        """Do what a command asks for; give the completion code, the number of bytes and the position."""
        if command.code == VDC_WRITE:
            return *self._write(_span(command), command.position), 0
        if command.code == VDC_READ:
            return *self._read(_span(command), command.position), 0
        end = self._end()
        code, position = self._medium.perform(command.code, command.size, command.position, end)
        if self._path is not None and not self._medium.is_pipe:
            if command.code == VDC_WRITE_MARK:
                keep_marks_beside(self._path, self._medium)
            elif command.code == VDC_FLUSH and self._medium.end is not None:
                self._opened(writing=True).truncate(self._medium.end)
        return code, 0, position

    def _write(self, data: memoryview, position: int) -> tuple[int, int]:
        count = len(data)
        self._medium.begin(position)
        if self._path is not None:
            try:
                count = self._store(self._opened(writing=True), data)
            except OSError:
                return ERROR_DISK_FULL, 0
        self._medium.has_written(count)
        self._account(data[:count])
        return (ERROR_SUCCESS if count == len(data) else ERROR_DISK_FULL), count

    def _read(self, data: memoryview, position: int) -> tuple[int, int]:
        count = 0
        self._medium.begin(position)
        if self._path is not None:
            file = self._opened(writing=False)
            wanted = self._medium.readable(len(data))
            file.seek(self._medium.offset)
            while count < wanted and (more := file.readinto(data[count:wanted])):  # type: ignore[attr-defined]
                count += more
        self._account(data[:count])
        return self._medium.has_read(len(data), count), count

    def _store(self, file: BinaryIO, data: memoryview) -> int:
        count = 0
        file.seek(self._medium.offset)
        while count < len(data):
            count += file.write(data[count:])
        return count

    def _end(self) -> int:
        """Tell the size of the file, for those who may ask for places in it."""
        if self._path is None or self._medium.is_pipe or self._file is None:
            return self._medium.offset
        return self._file.seek(0, 2)

    def _opened(self, writing: bool) -> BinaryIO:
        if self._file is None:
            opening = memory.open_for_writing if writing else memory.open_for_reading
            self._file = opening(self._path or "", buffering=0)
        return self._file

    def _account(self, data: memoryview) -> None:
        self.moved += len(data)
        if self.digest is not None:
            self.digest.update(data)


def serve(device: VirtualDevice, timeout: int, media: Media, limit: int | None, digest: bool) -> dict[str, Any]:
    """Complete commands until GetCommand fails, CompleteCommand is refused, or `limit` commands are done."""
    stream = _Stream(media, digest)
    commands = data_commands = 0
    refused = None
    code = NOERROR
    with contextlib.closing(stream):
        while limit is None or commands < limit:
            code, command = device.get_command(timeout)
            if code != NOERROR or command is None:
                break
            answer = device.complete_command(command.address, *stream.perform(command))
            if answer != NOERROR:
                code = refused = answer
                break
            commands += 1
            data_commands += command.code in (VDC_READ, VDC_WRITE)
    return {
        "code": code,
        "commands": commands,
        "data_commands": data_commands,
        "bytes": stream.moved,
        "digest": stream.digest.hexdigest() if stream.digest else "",
        "refused": refused,
    }


def _span(command: Command) -> memoryview:
    """The command's buffer itself, without a copy."""
    return memoryview((ctypes.c_char * command.size).from_address(command.buffer)).cast("B")
