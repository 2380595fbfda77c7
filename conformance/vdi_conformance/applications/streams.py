"""The stream of one device as the server saw it, in digests; and what became of it between BACKUP and RESTORE; pure."""

from __future__ import annotations

import hashlib
import struct
from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from vdi_conformance.emulator.stream import HEADER_SIZE, StreamError, StreamHeader

if TYPE_CHECKING:
    from collections.abc import Sequence

PIECE: Final = 4096
"""A stream is compared in pieces of so many bytes at the most."""
FINE: Final = 512
FIRST: Final = 2 << 20
"""So much of a stream is compared in finer pieces: most of what goes wrong does so soon, and is then cut short."""
HEAD: Final = 512
"""By so many bytes at its beginning, the least block, the stream of one device of one BACKUP is told from others."""
_DIGEST: Final = 8


class Transfer(NamedTuple):
    """One Read or Write of a stream: where it began, how many bytes it moved, whether its position meant nothing."""

    begin: int
    size: int
    junk_position: bool

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.begin + self.size


def _piece_from(place: int) -> int:
    """Tell where a piece ends at the latest that begins there."""
    return place + (FINE if place < FIRST else PIECE)


class StreamTrace:
    """All that one device moved; 17 bytes a transfer and 16 bytes a piece are kept of it.

    What a BACKUP writes is cut where its Writes begin; what a RESTORE reads is cut like the stream that it should be,
    whatever the sizes of its Reads.
    """

    def __init__(self, device: str, is_read: bool = False) -> None:
        self.device = device
        self.size = 0
        self.head = b""
        self.is_read = is_read
        self.ends = array("Q")
        self._wanted: Sequence[int] = ()
        self._awaited = -1
        self._digests = bytearray()
        self._rest = b""
        self._begins = array("Q")
        self._sizes = array("Q")
        self._junk = bytearray()

    def cut_like(self, written: StreamTrace) -> None:
        """Cut what is to come like a stream that was written."""
        self._wanted = written.ends
        self._awaited = written.size

    @property
    def at_the_end(self) -> bool:
        """Whether as much was read as the stream has that it should be."""
        return self.size == self._awaited

    def add(self, data: bytes, junk_position: bool = False) -> None:
        """Take what one Read or Write moved."""
        self._begins.append(self.size)
        self._sizes.append(len(data))
        self._junk.append(junk_position)
        self.head += data[: max(0, HEAD - self.size)]
        self.size += len(data)
        whole = memoryview(self._rest + data)
        cut = self.ends[-1] if self.ends else 0
        start = 0
        while (length := self._next_end(cut + start) - cut - start) <= len(whole) - start and length:
            self._cut(whole[start : start + length], cut + start + length)
            start += length
        self._rest = bytes(whole[start:])

    def _next_end(self, place: int) -> int:
        """Tell where the piece that begins at this place ends."""
        if not self.is_read:
            return min(_piece_from(place), self.size)
        at = bisect_right(self._wanted, place)
        return self._wanted[at] if at < len(self._wanted) else _piece_from(place)

    def _cut(self, piece: memoryview, end: int) -> None:
        self._digests += hashlib.blake2b(piece, digest_size=_DIGEST).digest()
        self.ends.append(end)

    @property
    def pieces(self) -> list[bytes]:
        """The digests of all pieces that are whole."""
        return [bytes(self._digests[at : at + _DIGEST]) for at in range(0, len(self._digests), _DIGEST)]

    @property
    def sizes(self) -> frozenset[int]:
        """The sizes of its transfers."""
        return frozenset(self._sizes)

    @property
    def has_junk(self) -> bool:
        """Whether a transfer had a position that means nothing."""
        return any(self._junk)

    def transfers(self, begin: int, end: int) -> tuple[Transfer, ...]:
        """Give the transfers that moved what lies between two places, and the one that ended where these begin."""
        first = max(0, bisect_right(self._begins, begin) - 2)
        last = bisect_right(self._begins, end - 1)
        found = (Transfer(self._begins[at], self._sizes[at], bool(self._junk[at])) for at in range(first, last))
        return tuple(one for one in found if one.end >= begin)


Kind = Literal["other device", "left out", "repeated", "altered", "too short", "too long"]


class Difference(NamedTuple):
    """Where a stream that a RESTORE read differs from the one that a BACKUP wrote, from `begin` to `end`, and how.

    `lasting` says that nothing after it is in its place either; `distance` is how many bytes away in what was written
    lies what came instead; `other` is the device whose stream that is.
    """

    begin: int
    end: int
    kind: Kind
    lasting: bool
    distance: int = 0
    other: str = ""


def is_label(head: bytes) -> bool:
    """Tell whether a stream begins as one that some BACKUP has written."""
    try:
        StreamHeader.unpack(head[:HEADER_SIZE])
    except (StreamError, struct.error):
        return False
    return True


def first_difference(
    written: Sequence[StreamTrace], index: int, read: StreamTrace, to_the_end: bool
) -> Difference | None:
    """Compare what a RESTORE read from the device of that index with the streams of a BACKUP; None where it is right.

    `to_the_end` says that the RESTORE should have come to the end of the stream.
    """
    mine, expected = written[index], written[index].pieces
    got = read.pieces
    for at, (piece, right) in enumerate(zip(got, expected, strict=False)):
        if piece != right:
            return _classified(written, index, got, at)
    if read.size > mine.size:
        return Difference(mine.size, read.size, "too long", lasting=True)
    if to_the_end and read.size < mine.size:
        return Difference(read.size, mine.size, "too short", lasting=True)
    return None


def _classified(written: Sequence[StreamTrace], index: int, got: Sequence[bytes], at: int) -> Difference:
    mine, expected = written[index], written[index].pieces
    begin, end = mine.ends[at - 1] if at else 0, mine.ends[at]
    lasting = all(one != other for one, other in zip(got[at + 1 :], expected[at + 1 :], strict=False))
    if got[at] in expected:
        places = (found for found, piece in enumerate(expected) if piece == got[at])
        nearest = min(places, key=lambda one: abs(one - at))
        distance = abs(mine.ends[nearest] - end)
        return Difference(begin, end, "left out" if nearest > at else "repeated", lasting, distance)
    for number, trace in enumerate(written):
        if number != index and got[at] in trace.pieces:
            return Difference(begin, end, "other device", lasting, other=trace.device)
    return Difference(begin, end, "altered", lasting)
