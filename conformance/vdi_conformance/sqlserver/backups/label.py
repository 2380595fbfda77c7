"""The label of a backup set: what a medium says of itself before the data come; pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from vdi_conformance.emulator.rules import server_half_is_valid
from vdi_conformance.emulator.stream import StreamError
from vdi_conformance.sqlserver.databases.contents import Change, StoredTable
from vdi_conformance.sqlserver.databases.model import PAGE, DatabaseFile, DifferentialBase, Identity
from vdi_conformance.sqlserver.seam import RecoveryModel, UserAccess
from vdi_conformance.untrusted import decoding

Kind = Literal["database", "differential", "log"]
_LONGEST: Final = 1 << 40


@dataclass(frozen=True)
class MediaSet:
    """The media that belong together; each of its families is on a device of its own."""

    guid: UUID
    family_count: int
    written: datetime
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
    created: datetime
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
    started: datetime
    document: int
    size: int
    block_size: int
    max_transfer_size: int
    traits: Traits = Traits()
    name: str | None = None
    description: str | None = None
    expires: datetime | None = None
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
    sizes = (label.document, label.size, label.source.size, *(one.backed_up for one in label.source.files))
    sound = (
        server_half_is_valid(0, label.block_size, label.max_transfer_size)
        and all(0 <= size <= _LONGEST for size in sizes)
        and label.document <= label.size
        and {"data", "log"} <= {one.file.kind for one in label.source.files}
    )
    if not sound:
        raise StreamError(3241, "its label cannot be true")
    return label


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
