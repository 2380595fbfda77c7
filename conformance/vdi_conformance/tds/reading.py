"""Reads the fields of a message one after the other; what is missing is Malformed."""

from __future__ import annotations

from vdi_conformance.tds.malformed import Malformed

_NULL_LENGTH = 0xFFFFFFFFFFFFFFFF


class FieldReader:
    """A place within the bytes of a message."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self._position = position

    @property
    def has_more(self) -> bool:
        """Whether something is left."""
        return self._position < len(self._data)

    def take(self, count: int) -> bytes:
        """Give the next bytes."""
        end = self._position + count
        if end > len(self._data):
            raise Malformed(f"a message ends {end - len(self._data)} bytes before its last field does")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def number(self, size: int) -> int:
        """Give an unsigned number, its lowest byte first."""
        return int.from_bytes(self.take(size), "little")

    def signed(self, size: int) -> int:
        """Give a number with a sign, its lowest byte first."""
        return int.from_bytes(self.take(size), "little", signed=True)

    def byte(self) -> int:
        """Give the next byte."""
        return self.number(1)

    def short_text(self) -> str:
        """Give a text whose length is one byte (B_VARCHAR)."""
        return decoded(self.take(2 * self.byte()))

    def chunks(self) -> bytes | None:
        """Give a value that comes in parts (PLP), of which None is null."""
        if self.number(8) == _NULL_LENGTH:
            return None
        parts = []
        while length := self.number(4):
            parts.append(self.take(length))
        return b"".join(parts)

    def rest(self) -> bytes:
        """Give all that is left."""
        return self.take(len(self._data) - self._position)


def decoded(data: bytes) -> str:
    """Read UTF-16; halves of characters become question marks."""
    if len(data) % 2:
        raise Malformed("a text of 16-bit characters has an odd number of bytes")
    return data.decode("utf-16-le", "replace")


def after_headers(payload: bytes) -> FieldReader:
    """Give what follows the headers of a request (ALL_HEADERS), which tell this server nothing that it needs."""
    reader = FieldReader(payload)
    total = reader.number(4)
    if total < 4:
        raise Malformed(f"the headers of a request have at least 4 bytes, not {total}")
    reader.take(total - 4)
    return reader
