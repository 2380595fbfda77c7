"""Where an ordinary client stands on what one device moves: a pipe, a tape with filemarks, or a disk.

Pure, but for the file that keeps where the filemarks lie: their places in the stream, whose bytes are without them.
"""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from typing import Final

from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import (
    ERROR_FILEMARK_DETECTED,
    ERROR_HANDLE_EOF,
    ERROR_NO_DATA_DETECTED,
    ERROR_NOT_SUPPORTED,
    ERROR_SUCCESS,
)

_DONE_BY_DOING_NOTHING: Final = frozenset(
    {
        vdc.VDC_CLEAR_ERROR,
        vdc.VDC_LOAD,
        vdc.VDC_DISCARD,
        vdc.VDC_FLUSH,
        vdc.VDC_SNAPSHOT,
        vdc.VDC_MOUNT_SNAPSHOT,
        vdc.VDC_PREPARE_TO_FREEZE,
        vdc.VDC_COMPLETE,
    }
)
_OF_A_TAPE: Final = frozenset(
    {
        vdc.VDC_REWIND,
        vdc.VDC_WRITE_MARK,
        vdc.VDC_SKIP_MARKS,
        vdc.VDC_SKIP_BLOCKS,
        vdc.VDC_GET_POSITION,
        vdc.VDC_SET_POSITION,
    }
)


class Medium:
    """A place in a stream, which the commands of its device move; `marks` are the offsets of filemarks, in order.

    A position on a tape counts the bytes and the filemarks before it. Media that follow one another are one stream.
    `end` is where a stream ends that was written to.
    """

    def __init__(self, features: int = 0, block_size: int = 512, offset: int = 0, marks: tuple[int, ...] = ()) -> None:
        self.offset = offset
        self.marks = list(marks)
        self.end: int | None = None
        self._passed = bisect_left(self.marks, offset)
        self._block_size = block_size
        self._is_tape = bool(features & vdc.VDF_FILE_MARKS)
        self._is_disk = bool(features & vdc.VDF_RANDOM_ACCESS)

    @property
    def is_pipe(self) -> bool:
        """Whether all that matters is the order of the transfers."""
        return not self._is_tape and not self._is_disk

    def begin(self, position: int) -> None:
        """Take the position of a Read or Write, which only a disk heeds."""
        if self._is_disk:
            self.offset = position

    def readable(self, size: int) -> int:
        """Tell how much of a Read lies before the next filemark."""
        return min(size, self._next_mark() - self.offset) if self._has_mark_ahead else size

    def has_read(self, size: int, count: int) -> int:
        """Account for a Read of `size` bytes that found `count` of them; give its completion code."""
        self.offset += count
        if count == size:
            return ERROR_SUCCESS
        if self._has_mark_ahead and self._next_mark() == self.offset:
            self._passed += 1
            return ERROR_FILEMARK_DETECTED
        return ERROR_HANDLE_EOF

    def has_written(self, count: int) -> None:
        """Account for a Write; what lay behind it on a tape is gone."""
        self.offset += count
        self.end = self.offset
        del self.marks[self._passed :]

    def perform(self, code: int, size: int, position: int, end: int) -> tuple[int, int]:
        """Do a command that moves no data, in a stream of `end` bytes; give its completion code and position."""
        if code not in _OF_A_TAPE:
            return (ERROR_SUCCESS if code in _DONE_BY_DOING_NOTHING else ERROR_NOT_SUPPORTED), 0
        if self._is_disk:
            return self._perform_on_disk(code, size, position, end)
        return self._perform_on_tape(code, size, position, end) if self._is_tape else (ERROR_SUCCESS, 0)

    def _perform_on_disk(self, code: int, size: int, position: int, end: int) -> tuple[int, int]:
        if code == vdc.VDC_SET_POSITION and size in (vdc.WHENCE_BEGINNING, vdc.WHENCE_CURRENT, vdc.WHENCE_END):
            origin = {vdc.WHENCE_CURRENT: self.offset, vdc.WHENCE_END: end}.get(size, 0)
            self.offset = (origin + position) % (1 << 64)
        elif code != vdc.VDC_GET_POSITION:
            return ERROR_NOT_SUPPORTED, 0
        return ERROR_SUCCESS, self.offset

    def _perform_on_tape(self, code: int, size: int, position: int, end: int) -> tuple[int, int]:
        if code == vdc.VDC_SET_POSITION:
            self._go_to(position)
        elif code == vdc.VDC_REWIND:
            self._go_to(0)
        elif code == vdc.VDC_WRITE_MARK:
            self.marks[self._passed :] = [self.offset]
            self._passed += 1
        elif code == vdc.VDC_SKIP_MARKS:
            return self._skip_marks(size), 0
        elif code == vdc.VDC_SKIP_BLOCKS:
            return self._skip(size * self._block_size, end), 0
        return ERROR_SUCCESS, self.offset + self._passed

    def _go_to(self, position: int) -> None:
        self._passed = sum(mark + number < position for number, mark in enumerate(self.marks))
        self.offset = position - self._passed

    def _skip_marks(self, count: int) -> int:
        if self._passed + count > len(self.marks):
            return ERROR_NO_DATA_DETECTED
        if count:
            self._passed += count
            self.offset = self.marks[self._passed - 1]
        return ERROR_SUCCESS

    def _skip(self, size: int, end: int) -> int:
        return self.has_read(size, min(self.readable(size), end - self.offset))

    @property
    def _has_mark_ahead(self) -> bool:
        return self._passed < len(self.marks)

    def _next_mark(self) -> int:
        return self.marks[self._passed]


def marks_beside(path: str) -> tuple[int, ...]:
    """Read where the filemarks of a stream lie that is kept in this file."""
    kept = _beside(path)
    return tuple(map(int, kept.read_text("utf-8").split())) if kept.exists() else ()


def keep_marks_beside(path: str, medium: Medium) -> None:
    """Write down where the filemarks of a stream lie that is kept in this file."""
    _beside(path).write_text(" ".join(map(str, medium.marks)), "utf-8")


def _beside(path: str) -> Path:
    return Path(f"{path}.marks")
