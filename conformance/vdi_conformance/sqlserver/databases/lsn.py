"""Log sequence numbers: virtual log file, block and slot in one number, as numeric(25,0) shows them; pure."""

from __future__ import annotations

from typing import Final

_BLOCK: Final = 100_000
_FILE: Final = 10_000_000_000 * _BLOCK
FIRST: Final = 34 * _FILE + 64 * _BLOCK + 37
"""Where the log of a new database begins."""
_STEP: Final = 8
_BLOCKS: Final = 1 << 20
"""So many blocks of 512 bytes has a virtual log file."""


def following(lsn: int, blocks: int = _STEP) -> int:
    """Give the first number so many blocks of the log later."""
    file, rest = divmod(lsn, _FILE)
    block = rest // _BLOCK + blocks
    return (file + block // _BLOCKS) * _FILE + block % _BLOCKS * _BLOCK + 1


def with_colons(lsn: int) -> str:
    """Write a number as the error log does, such as 34:64:37."""
    file, rest = divmod(lsn, _FILE)
    return f"{file}:{rest // _BLOCK}:{rest % _BLOCK}"
