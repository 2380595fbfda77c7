"""What buffers are filled with while no client has them: a pattern that says where it was, should it turn up again."""

from __future__ import annotations

import struct
from typing import Final

MAGIC: Final = b"\xf1judge\xa7\xd3"
_UNIT: Final = struct.Struct("<8sQ")


def fill(serial: int, size: int) -> bytes:
    """Give so many bytes of the pattern of one filling."""
    return (_UNIT.pack(MAGIC, serial) * (size // _UNIT.size + 1))[:size]


def serial_in(data: bytes) -> int | None:
    """Tell of which filling there is a whole unit in the data, if of any."""
    at = data.find(MAGIC)
    if at < 0 or at + _UNIT.size > len(data):
        return None
    _, serial = _UNIT.unpack_from(data, at)
    return int(serial)


def untouched_tail(data: bytes, serial: int) -> int:
    """Count the bytes at the end that still are as the filling left them."""
    left = fill(serial, len(data))
    if data[-1:] != left[-1:]:
        return 0
    low, high = 0, len(data)
    while low < high:  # how many bytes of the end are alike, by halving
        middle = (low + high + 1) // 2
        if data[-middle:] == left[-middle:]:
            low = middle
        else:
            high = middle - 1
    return low
