"""Memory for VDC_Command records: real structures, at addresses that are never used twice."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any, Final

from vdi_conformance.vdi.structures import VDC_COMMAND_32, VDC_COMMAND_64, VDC_COMMAND_SIZE

_CHUNK: Final = 65536
_LAYOUT: Final = VDC_COMMAND_64 if ctypes.sizeof(ctypes.c_void_p) == 8 else VDC_COMMAND_32


class Records:
    """The records of one client object; they stay readable for as long as the object lives."""

    def __init__(self) -> None:
        self._chunks: list[Any] = []
        self._start = 0
        self._used = _CHUNK

    def add(self, code: int, size: int, position: int, buffer: int) -> int:
        """Write a record and give its address."""
        if self._used + VDC_COMMAND_SIZE > _CHUNK:
            self._chunks.append(self._fresh_chunk())
            self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._chunks[-1]))
            self._used = 0
        _LAYOUT.pack_into(
            self._chunks[-1], self._used, _signed(code, 32), _signed(size, 32), _signed(position, 64), buffer
        )
        self._used += VDC_COMMAND_SIZE
        return self._start + self._used - VDC_COMMAND_SIZE

    def _fresh_chunk(self) -> Any:
        """Give memory for more records (an object with a buffer that can be written)."""
        return mmap.mmap(-1, _CHUNK)


def contents_of(record: int) -> bytes:
    """Give what a record holds now."""
    return ctypes.string_at(record, VDC_COMMAND_SIZE)


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >> (bits - 1) else number
