"""An ordinary client application on one device, in the host process: what `device.serve` does."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO

from vdi_conformance.host.child import memory
from vdi_conformance.vdi.commands import VDC_READ, VDC_WRITE
from vdi_conformance.vdi.completion import ERROR_DISK_FULL, ERROR_HANDLE_EOF, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.contract import Command, VirtualDevice


class _Stream:
    """The bytes that Reads and Writes move: a file from some byte on, or nothing."""

    def __init__(self, path: str | None, offset: int, digest: bool) -> None:
        self.moved = 0
        self.digest = hashlib.sha256() if digest else None
        self._path = path
        self._offset = offset
        self._file: BinaryIO | None = None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def write(self, data: memoryview) -> tuple[int, int]:
        """Store the data of a Write; give the completion code and the number of bytes."""
        count = len(data)
        if self._path is not None:
            try:
                count = self._store(self._opened(writing=True), data)
            except OSError:
                return ERROR_DISK_FULL, 0
        self._account(data[:count])
        return (ERROR_SUCCESS if count == len(data) else ERROR_DISK_FULL), count

    def read(self, data: memoryview) -> tuple[int, int]:
        """Fetch the data of a Read; give the completion code and the number of bytes."""
        count = 0
        if self._path is not None:
            file = self._opened(writing=False)
            while count < len(data) and (more := file.readinto(data[count:])):  # type: ignore[attr-defined]
                count += more
        self._account(data[:count])
        return (ERROR_SUCCESS if count == len(data) else ERROR_HANDLE_EOF), count

    def _store(self, file: BinaryIO, data: memoryview) -> int:
        count = 0
        while count < len(data):
            count += file.write(data[count:])
        return count

    def _opened(self, writing: bool) -> BinaryIO:
        if self._file is None:
            opening = memory.open_for_writing if writing else memory.open_for_reading
            self._file = opening(self._path or "", buffering=0)
            self._file.seek(self._offset)
        return self._file

    def _account(self, data: memoryview) -> None:
        self.moved += len(data)
        if self.digest is not None:
            self.digest.update(data)


def serve(
    device: VirtualDevice, timeout: int, path: str | None, offset: int, limit: int | None, digest: bool
) -> dict[str, Any]:
    """Complete commands until GetCommand fails, CompleteCommand is refused, or `limit` commands are done."""
    stream = _Stream(path, offset, digest)
    commands = data_commands = 0
    refused = None
    code = NOERROR
    with contextlib.closing(stream):
        while limit is None or commands < limit:
            code, command = device.get_command(timeout)
            if code != NOERROR or command is None:
                break
            completion, transferred = _perform(command, stream)
            answer = device.complete_command(command.address, completion, transferred, 0)
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


def _perform(command: Command, stream: _Stream) -> tuple[int, int]:
    if command.code == VDC_WRITE:
        return stream.write(_span(command))
    if command.code == VDC_READ:
        return stream.read(_span(command))
    return ERROR_SUCCESS, 0


def _span(command: Command) -> memoryview:
    """The command's buffer itself, without a copy."""
    return memoryview((ctypes.c_char * command.size).from_address(command.buffer)).cast("B")
