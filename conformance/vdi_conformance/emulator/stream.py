"""What a BACKUP writes and a RESTORE accepts: streams of frames; pure.

A frame is a header of 64 bytes, a payload, and zeros up to a multiple of the block size. A device's stream is one
media frame (whose backup this is: its label), data frames, and one closing frame (how much there was). The data frames
of a backup are dealt to its devices in turn. Everything follows from the database, what is given beside it, the
geometry and the backup's id.
"""

from __future__ import annotations

import struct
import zlib
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.contract import Database

MEDIA: Final = 1
DATA: Final = 2
CLOSING: Final = 3

HEADER_SIZE: Final = 64
_MAGIC: Final = b"VDIFRAME"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<8sHH16sHHIIII12xI")
_MEDIA_PAYLOAD: Final = struct.Struct("<QQ??6x")
_IDENTITY: Final = struct.Struct("<QQ")
_CLOSING_PAYLOAD: Final = struct.Struct("<QQ")
_SHIFT: Final = 4099
_SHIFTS: Final = 16
_TILE: Final = 65537
_LARGEST_LABEL: Final = 1 << 20
"""Bytes."""
_METADATA: Final = 4096
"""The size of what a snapshot's stream says of the files, in bytes: the database itself is not in it."""


class StreamError(Exception):
    """A stream that this RESTORE cannot accept; `number` is that of the server's message."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


class StreamContents(NamedTuple):
    """What a backup holds: the log instead of the database, the metadata alone of a snapshot."""

    log: bool = False
    snapshot: bool = False


THE_DATABASE: Final = StreamContents()


class StreamHeader(NamedTuple):
    """What a frame says of itself; sizes in bytes, `frame_size` with header and padding."""

    kind: int
    backup_id: bytes
    device: int
    device_count: int
    sequence: int
    payload_size: int
    frame_size: int
    payload_crc: int

    def pack(self) -> bytes:
        """Give the bytes of the header, the last four of which are the CRC-32 of the others."""
        packed = _HEADER.pack(_MAGIC, _VERSION, *self, 0)
        return packed[:-4] + zlib.crc32(packed[:-4]).to_bytes(4, "little")

    @classmethod
    def unpack(cls, data: bytes) -> StreamHeader:
        """Read a header."""
        magic, version, *members, crc = _HEADER.unpack(data)
        if magic != _MAGIC or version != _VERSION or crc != zlib.crc32(data[:-4]):
            raise StreamError(3241, "a frame of the stream has no good header")
        header = cls(*members)
        if header.frame_size < HEADER_SIZE + header.payload_size:
            raise StreamError(3241, "a frame of the stream is shorter than what it holds")
        if header.kind != DATA and header.payload_size > _LARGEST_LABEL:
            raise StreamError(3241, "a frame of the stream says more than any label")
        return header


class Frame(NamedTuple):
    """One frame, to be written in one Write."""

    header: bytes
    payload: memoryview
    size: int
    is_data: bool

    def write_to(self, target: memoryview, offset: int = 0) -> None:
        """Lay the frame down at the start of a buffer, from its byte `offset` on."""
        if offset:
            whole = bytearray(self.size)
            self.write_to(memoryview(whole))
            target[: self.size - offset] = whole[offset:]
            return
        end = HEADER_SIZE + len(self.payload)
        target[:HEADER_SIZE] = self.header
        target[HEADER_SIZE:end] = self.payload
        target[end : self.size] = bytes(self.size - end)


class _Payload(NamedTuple):
    contents: memoryview
    crc: int


class Backup:
    """The streams of one backup over `device_count` devices, whose data frames hold `size` bytes all together.

    `label` says whose backup it is, instead of seed and size; `document` comes before the contents of the database.
    """

    def __init__(
        self,
        database: Database,
        device_count: int,
        block_size: int,
        max_transfer_size: int,
        backup_id: bytes,
        contents: StreamContents = THE_DATABASE,
        label: bytes | None = None,
        document: bytes = b"",
    ) -> None:
        self._label = label_of(database, contents) if label is None else label
        self._document = document
        self.size = len(document) + held(database, contents)
        self._device_count = device_count
        self._block_size = block_size
        self._backup_id = backup_id
        self._largest = largest_payload(max_transfer_size)
        extent = min(database.size, self._largest) + _SHIFT * (_SHIFTS - 1)
        tile = Random(f"database {database.seed}").randbytes(min(extent, _TILE))
        self._contents = memoryview(tile * -(-extent // _TILE))
        self._pieces: dict[tuple[int, int], _Payload] = {}

    def frames(self, device: int) -> Iterator[Frame]:
        """Give the frames of one device, in order."""
        yield self._frame(MEDIA, device, 0, _payload(self._label))
        sequence = total = 0
        for offset in range(device * self._largest, self.size, self._device_count * self._largest):
            sequence += 1
            size = min(self._largest, self.size - offset)
            total += size
            yield self._frame(DATA, device, sequence, self._data(offset, device + sequence, size))
        yield self._frame(CLOSING, device, sequence + 1, _payload(_CLOSING_PAYLOAD.pack(sequence, total)))

    def _data(self, offset: int, number: int, size: int) -> _Payload:
        """Give so many bytes from an offset on: of the document, and then of what the database holds."""
        if offset >= len(self._document):
            return self._piece(number, size)
        part = self._document[offset : offset + size]
        return _payload(part + bytes(self._piece(number, size - len(part)).contents))

    def _piece(self, number: int, size: int) -> _Payload:
        """Give contents that differ from those of the frames before, and of those beside on other devices."""
        start = number % _SHIFTS * _SHIFT
        if (start, size) not in self._pieces:
            contents = self._contents[start : start + size]
            self._pieces[start, size] = _Payload(contents, zlib.crc32(contents))
        return self._pieces[start, size]

    def _frame(self, kind: int, device: int, sequence: int, payload: _Payload) -> Frame:
        length = len(payload.contents)
        size = -(-(HEADER_SIZE + length) // self._block_size) * self._block_size
        header = StreamHeader(kind, self._backup_id, device, self._device_count, sequence, length, size, payload.crc)
        return Frame(header.pack(), payload.contents, size, is_data=kind == DATA)


def _payload(contents: bytes) -> _Payload:
    return _Payload(memoryview(contents), zlib.crc32(contents))


def label_of(database: Database, contents: StreamContents = THE_DATABASE) -> bytes:
    """Give the label of a backup that is known by seed and size."""
    return _MEDIA_PAYLOAD.pack(database.seed % (1 << 64), database.size, *contents)


def held(database: Database, contents: StreamContents) -> int:
    """Say how many bytes a backup has of what follows from the seed."""
    return min(database.size, _METADATA) if contents.snapshot else database.size


def largest_payload(max_transfer_size: int) -> int:
    """Say how many bytes a data frame holds that is written in one transfer of that size."""
    return max_transfer_size - HEADER_SIZE


class FrameReader:
    """Takes the frames of one device's stream in pieces of any size, and raises StreamError where one is not right.

    `labelled` means that the media frame has been read, `finished` that the closing frame has. What the label must
    say, and what becomes of the data, a derived class knows.
    """

    def __init__(self, device: int, device_count: int) -> None:
        self.backup_id: bytes | None = None
        self.labelled = False
        self.finished = False
        self.size = 0
        self._device = device
        self._device_count = device_count
        self._partial_header = b""
        self._header: StreamHeader | None = None
        self._payload_left = 0
        self._padding_left = 0
        self._crc = 0
        self._described = b""
        self._sequence = 0
        self._total = 0

    def take_label(self, label: bytes) -> None:
        """Judge what the media frame says."""

    def take_data(self, sequence: int, start: int, part: memoryview) -> None:
        """Take a part of the data frame of that number, which counts from 1; it begins at byte `start` of the frame."""

    def take_damage(self, sequence: int) -> None:
        """Refuse a data frame whose contents were altered."""
        raise StreamError(3241, f"the contents of frame {sequence} were altered")

    def feed(self, piece: memoryview) -> None:
        """Take the next bytes of the stream."""
        self.size += len(piece)
        while len(piece):
            if self.finished:
                raise StreamError(3241, "the stream goes on after its closing frame")
            if self._header is None:
                piece = self._feed_header(piece)
            elif self._payload_left:
                piece = self._feed_payload(piece)
            else:
                piece = self._feed_padding(piece)

    def end(self) -> None:
        """Take the end of the stream."""
        if not self.size:
            raise StreamError(3254, "the volume is empty")
        if not self.finished:
            raise StreamError(3256, "the backup set on the device is incomplete")

    def _feed_header(self, piece: memoryview) -> memoryview:
        taken = HEADER_SIZE - len(self._partial_header)
        self._partial_header += bytes(piece[:taken])
        if len(self._partial_header) == HEADER_SIZE:
            header = StreamHeader.unpack(self._partial_header)
            self._check_place(header)
            self._header = header
            self._partial_header = self._described = b""
            self._crc = 0
            self._payload_left = header.payload_size
            self._padding_left = header.frame_size - header.payload_size - HEADER_SIZE
        return piece[taken:]

    def _check_place(self, header: StreamHeader) -> None:
        """Refuse a frame that does not belong here."""
        if header.device_count != self._device_count:
            raise StreamError(3132, f"the media set has {header.device_count} families, not {self._device_count}")
        if header.device != self._device:
            raise StreamError(3241, f"family {header.device + 1} was offered as number {self._device + 1}")
        if header.sequence != self._sequence or (header.kind == MEDIA) != (self._sequence == 0):
            raise StreamError(3241, f"frame {header.sequence} came as number {self._sequence}")
        if self.backup_id is not None and header.backup_id != self.backup_id:
            raise StreamError(3241, "a frame belongs to another backup")
        self.backup_id = header.backup_id

    def _feed_payload(self, piece: memoryview) -> memoryview:
        part, rest = piece[: self._payload_left], piece[self._payload_left :]
        self._crc = zlib.crc32(part, self._crc)
        header = self._header
        if header is not None and header.kind == DATA:
            self.take_data(self._sequence, header.payload_size - self._payload_left, part)
        else:
            self._described += bytes(part)
        self._payload_left -= len(part)
        self._end_frame()
        return rest

    def _feed_padding(self, piece: memoryview) -> memoryview:
        part, rest = piece[: self._padding_left], piece[self._padding_left :]
        if bytes(part).count(0) != len(part):
            raise StreamError(3241, "the padding of a frame was altered")
        self._padding_left -= len(part)
        self._end_frame()
        return rest

    def _end_frame(self) -> None:
        """Judge a frame once its last byte is there."""
        header = self._header
        if header is None or self._payload_left or self._padding_left:
            return
        damaged = self._crc != header.payload_crc
        if header.kind == DATA:
            self._total += header.payload_size
            if damaged:
                self.take_damage(header.sequence)
        elif damaged:
            raise StreamError(3241, f"the contents of frame {header.sequence} were altered")
        elif header.kind == MEDIA:
            self.take_label(self._described)
            self.labelled = True
        else:
            self._check_totals()
        self._sequence += 1
        self._header = None

    def _check_totals(self) -> None:
        if self._described != _CLOSING_PAYLOAD.pack(self._sequence - 1, self._total):
            raise StreamError(3256, "the totals of the stream are not those of its frames")
        self.finished = True


class StreamReader(FrameReader):
    """Takes the stream of a backup of a database that is known.

    `contents` says what the backup must hold (None: anything).
    """

    def __init__(
        self, database: Database, device: int, device_count: int, contents: StreamContents | None = THE_DATABASE
    ) -> None:
        super().__init__(device, device_count)
        self._database = database
        self._contents = contents

    def take_label(self, label: bytes) -> None:
        """Refuse the backup of another database, and what is not of the kind that is asked for."""
        if label[: _IDENTITY.size] != label_of(self._database)[: _IDENTITY.size] or len(label) != _MEDIA_PAYLOAD.size:
            raise StreamError(3154, "the backup set holds the backup of another database")
        _, _, *found = _MEDIA_PAYLOAD.unpack(label)
        if self._contents is None or self._contents == StreamContents(*found):
            return
        if self._contents.snapshot and not StreamContents(*found).snapshot:
            raise StreamError(3276, "the backup set was not made WITH SNAPSHOT")
        raise StreamError(3143, "the backup set is of another kind")
