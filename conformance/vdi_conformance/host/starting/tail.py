"""The end of a stream of bytes: what a process wrote last."""

from typing import Final

KEPT: Final = 16384
"""How many bytes are kept."""


class Tail:
    """Takes any number of bytes and keeps the last ones."""

    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        """Take more bytes."""
        self._data += data
        if len(self._data) > 2 * KEPT:
            del self._data[:-KEPT]

    def text(self) -> str:
        """Give the last bytes as text."""
        return bytes(self._data[-KEPT:]).decode("utf-8", "replace")
