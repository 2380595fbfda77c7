"""What a BACKUP takes of a database, and what the database is afterwards; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vdi_conformance.contract import Database as Contents
from vdi_conformance.emulator.stream import StreamContents, held, largest_payload
from vdi_conformance.sqlserver.backups.label import Document, FileBackup, Label, Range, Source, packed, written
from vdi_conformance.sqlserver.databases.lsn import following
from vdi_conformance.sqlserver.databases.model import PAGE, DifferentialBase, require_open
from vdi_conformance.sqlserver.messages import refused

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from vdi_conformance.sqlserver.backups.label import Kind, MediaSet, Traits, Writer
    from vdi_conformance.sqlserver.databases.contents import Change
    from vdi_conformance.sqlserver.databases.model import Database


@dataclass(frozen=True)
class Wanted:
    """What a statement says of the backup that it asks for."""

    kind: Kind
    media: MediaSet
    guid: UUID
    writer: Writer
    started: datetime
    traits: Traits
    name: str | None = None
    description: str | None = None
    expires: datetime | None = None


def ready(database: Database, kind: Kind) -> Database:
    """Give the database with a checkpoint in its log, or refuse a backup that there cannot be."""
    require_open(database)
    if kind == "log" and database.recovery == "SIMPLE":
        raise refused(4208, database=database.name)
    if kind != "database" and database.name.casefold() == "master":
        raise refused(3024)
    if kind == "log" and database.log.backed_up_to is None:
        raise refused(4214, database=database.name)
    if kind == "differential" and database.base is None:
        raise refused(3035, database=database.name)
    last = database.log.last
    return replace(database, log=replace(database.log, checkpoint=last, last=following(last)))


def taken(database: Database, wanted: Wanted, block_size: int, max_transfer_size: int) -> tuple[Label, bytes]:
    """Give the label and the document of a backup of a database that is ready for it."""
    covered = _range(database, wanted.kind)
    document = packed(_document(database, wanted.kind, covered))
    contents = Contents(database.seed, database.size if wanted.kind == "database" else 0)
    size = len(document) + held(contents, StreamContents(snapshot=wanted.traits.is_snapshot))
    label = Label(
        media=wanted.media,
        guid=wanted.guid,
        kind=wanted.kind,
        source=_source(database, wanted.kind, size),
        range=covered,
        writer=wanted.writer,
        started=wanted.started,
        document=len(document),
        size=size,
        block_size=block_size,
        max_transfer_size=max_transfer_size,
        traits=wanted.traits,
        name=wanted.name,
        description=wanted.description,
        expires=wanted.expires,
        base=database.base if wanted.kind == "differential" else None,
    )
    if len(written(label)) > largest_payload(max_transfer_size):
        raise refused(40514, option="A database with so many files, or such long names of them,")
    return label, document


def _range(database: Database, kind: Kind) -> Range:
    log = database.log
    first = log.backed_up_to if kind == "log" and log.backed_up_to is not None else log.checkpoint
    return Range(first, log.last, log.checkpoint, log.last_full, kind == "log" and first == log.began)


def _document(database: Database, kind: Kind, covered: Range) -> Document:
    if kind == "log":
        return Document(changes=_from(database.log.changes, covered.first))
    return Document(tables=database.tables)


def _source(database: Database, kind: Kind, size: int) -> Source:
    """Describe the database; one page of a backup of data is its log, all pages of a backup of the log are."""
    of_log = size if kind == "log" else PAGE
    amounts = {1: size - of_log, 2: of_log}
    return Source(
        database.name,
        database.seed,
        database.size,
        database.created,
        database.identity,
        database.recovery,
        database.access,
        database.collation,
        database.is_read_only,
        tuple(FileBackup(file, amounts.get(file.file_id, 0)) for file in database.files),
    )


def after_backup(database: Database, label: Label) -> Database:
    """Give the database after a backup that succeeded; one with COPY_ONLY leaves no trace."""
    log = database.log
    if label.traits.leaves_restoring:
        database = replace(database, state="RESTORING")
        log = replace(log, redo=label.range.last)
    if label.traits.is_copy_only or label.kind == "differential":
        return replace(database, log=log)
    if label.kind == "log":
        last = label.range.last
        return replace(database, log=replace(log, backed_up_to=last, changes=_from(log.changes, last)))
    first = label.range.first
    log = replace(log, last_full=label.range.checkpoint)
    if database.recovery != "SIMPLE" and log.backed_up_to is None:
        log = replace(log, backed_up_to=first, began=first, changes=_from(log.changes, first))
    return replace(database, base=DifferentialBase(first, label.guid, label.started), log=log)


def _from(changes: tuple[Change, ...], lsn: int) -> tuple[Change, ...]:
    return tuple(change for change in changes if change.lsn >= lsn)
