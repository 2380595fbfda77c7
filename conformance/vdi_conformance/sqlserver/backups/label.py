"""The label of a backup set: what a medium says of itself before the data come; pure."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import msgspec

from vdi_conformance.emulator.rules import server_half_is_valid
from vdi_conformance.emulator.stream import StreamError
from vdi_conformance.sqlserver.databases.contents import Change, LocalTime, StoredTable
from vdi_conformance.sqlserver.databases.model import PAGE, DatabaseFile, DifferentialBase, Identity
from vdi_conformance.sqlserver.seam import RecoveryModel, UserAccess
from vdi_conformance.untrusted import decoding
from vdi_conformance.vdi.structures import MAX_DEVICES, MIN_DEVICES

Kind = Literal["database", "differential", "log"]
_LONGEST: Final = 1 << 40
_MOST: Final = 1 << 62
_FIRST_YEAR: Final = 1753
"""No datetime is earlier."""
_LARGEST_VERSION: Final = 255
_LARGEST_BUILD: Final = 32767


@dataclass(frozen=True)
class MediaSet:
    """The media that belong together; each of its families is on a device of its own."""

    guid: UUID
    family_count: int
    written: LocalTime
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class FileBackup:
    """A file of the database, and how many bytes of it are in the backup."""

    file: DatabaseFile
    backed_up: int


@dataclass(frozen=True)
class Source:
    """The database that was backed up, as it was then."""

    name: str
    seed: int
    size: int
    created: LocalTime
    identity: Identity
    recovery: RecoveryModel
    access: UserAccess
    collation: str
    is_read_only: bool
    files: tuple[FileBackup, ...]


@dataclass(frozen=True)
class Range:
    """The part of the log that a backup covers: from `first` up to, and without, `last`."""

    first: int
    last: int
    checkpoint: int
    last_full: int
    begins_chain: bool = False


@dataclass(frozen=True)
class Writer:
    """Who made the backup."""

    user: str
    server: str
    machine: str
    version: tuple[int, int, int]


@dataclass(frozen=True)
class Traits:
    """What a backup is beyond its kind."""

    is_snapshot: bool = False
    is_copy_only: bool = False
    has_checksums: bool = False
    leaves_restoring: bool = False


@dataclass(frozen=True)
class Label:
    """A backup set. Sizes are bytes: `document` of the tables or changes, `size` of everything in its data frames."""

    media: MediaSet
    guid: UUID
    kind: Kind
    source: Source
    range: Range
    writer: Writer
    started: LocalTime
    document: int
    size: int
    block_size: int
    max_transfer_size: int
    traits: Traits = Traits()
    name: str | None = None
    description: str | None = None
    expires: LocalTime | None = None
    base: DifferentialBase | None = None


@dataclass(frozen=True)
class Document:
    """What a backup has of a database beside what follows from its seed: all tables, or changes of them."""

    tables: tuple[StoredTable, ...] = ()
    changes: tuple[Change, ...] = ()


_LABELS: Final = msgspec.json.Decoder(Label)
_DOCUMENTS: Final = msgspec.json.Decoder(Document)


def written(label: Label) -> bytes:
    """Give the bytes of a label."""
    return msgspec.json.encode(label)


def read(data: bytes) -> Label:
    """Read a label, or raise StreamError."""
    try:
        label = decoding.json(data, _LABELS)
    except decoding.Unreadable as error:
        raise StreamError(3241, f"its label cannot be read ({error})") from error
    if not (_has_sound_sizes(label) and _has_sound_numbers(label)):
        raise StreamError(3241, "its label cannot be true")
    return label


def _has_sound_sizes(label: Label) -> bool:
    files = label.source.files
    sizes = (label.document, label.size, label.source.size, *(one.backed_up for one in files))
    return (
        server_half_is_valid(0, label.block_size, label.max_transfer_size)
        and all(0 <= size <= _LONGEST for size in (*sizes, *(one.file.size for one in files)))
        and label.document <= label.size
        and {"data", "log"} <= {one.file.kind for one in files}
    )


def _has_sound_numbers(label: Label) -> bool:
    """Tell whether every number and time is one that its column can have."""
    covered, base = label.range, label.base
    lsns = [covered.first, covered.last, covered.checkpoint, covered.last_full]
    lsns += [one.file.create_lsn for one in label.source.files]
    times = [label.media.written, label.source.created, label.started]
    times += [one for one in (label.expires, None if base is None else base.when) if one is not None]
    major, minor, build = label.writer.version
    return (
        all(0 <= lsn < _MOST for lsn in (*lsns, 0 if base is None else base.lsn))
        and all(when.year >= _FIRST_YEAR for when in times)
        and MIN_DEVICES <= label.media.family_count <= MAX_DEVICES
        and all(0 <= part <= _LARGEST_VERSION for part in (major, minor))
        and 0 <= build <= _LARGEST_BUILD
        and all(1 <= one.file.file_id <= _LARGEST_BUILD for one in label.source.files)
    )


def packed(document: Document) -> bytes:
    """Give the bytes of a document, which fill whole pages."""
    data = msgspec.json.encode(document)
    return data + b" " * (-len(data) % PAGE)


def unpacked(data: bytes) -> Document:
    """Read a document, or raise StreamError."""
    try:
        return decoding.json(data, _DOCUMENTS)
    except decoding.Unreadable as error:
        raise StreamError(3241, f"its tables cannot be read ({error})") from error
