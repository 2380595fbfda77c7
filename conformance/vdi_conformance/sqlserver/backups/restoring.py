"""What a RESTORE makes of a database: before its data come, when they have come, and when it is recovered; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from vdi_conformance.sqlserver.databases.contents import after
from vdi_conformance.sqlserver.databases.lsn import following
from vdi_conformance.sqlserver.databases.model import Database, DifferentialBase, Identity, LogState
from vdi_conformance.sqlserver.databases.values import are_sound
from vdi_conformance.sqlserver.messages import message, refused
from vdi_conformance.sqlserver.seam import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vdi_conformance.sqlserver.backups.label import Document, Kind, Label
    from vdi_conformance.sqlserver.databases.model import DatabaseFile

_MADE_BY: Final[Mapping[Kind, str]] = {
    "database": "BACKUP DATABASE",
    "differential": "BACKUP DATABASE WITH DIFFERENTIAL",
    "log": "BACKUP LOG",
}


@dataclass(frozen=True)
class Request:
    """What a RESTORE asks for: of which database, and how; `moves` has paths by logical names in lower case."""

    name: str
    of_log: bool
    device: str
    now: datetime
    moves: Mapping[str, str]
    with_snapshot: bool = False
    with_checksums: bool = False
    replaces: bool = False
    stops: bool = False
    user_of: Callable[[str], Database | None] = lambda _path: None
    """Finds the database that has a file at a path."""


def require_wanted(label: Label, request: Request) -> None:
    """Refuse a backup set of another kind than is asked for."""
    if request.with_checksums and not label.traits.has_checksums:
        raise refused(3187)
    if request.with_snapshot and not label.traits.is_snapshot:
        raise refused(3276, text=f"The backup set on '{request.device}' was not made WITH SNAPSHOT.")
    if request.of_log != (label.kind == "log") or label.traits.is_snapshot != request.with_snapshot:
        made_by = "BACKUP DATABASE WITH SNAPSHOT" if label.traits.is_snapshot else _MADE_BY[label.kind]
        raise refused(3135, device=request.device, made_by=made_by)


def planned(label: Label, request: Request, existing: Database | None) -> Database:
    """Give the database as it is while the data of a backup set come, or refuse the set."""
    require_wanted(label, request)
    if label.kind == "database":
        _require_replaceable(label, request, existing)
        return _overwritten(label, request, existing)
    if existing is None:
        raise refused(3118, database=request.name)
    if existing.is_incomplete or not (existing.state == "RESTORING" or existing.is_in_standby):
        raise refused(3117, database=existing.name)
    if existing.identity.family != label.source.identity.family:
        raise refused(4330, database=existing.name)
    _require_continuous(label, existing)
    return existing


def _require_continuous(label: Label, existing: Database) -> None:
    """Refuse what does not go on from where the database is."""
    redo = existing.log.redo
    if label.kind == "differential":
        if existing.base is None or label.base is None or existing.base.guid != label.base.guid:
            raise refused(3136, database=existing.name)
        return
    if existing.identity.fork != label.source.identity.fork:
        raise refused(4330, database=existing.name)
    if label.range.first > redo:
        raise refused(4305, first=label.range.first, wanted=redo)
    if label.range.last < redo:
        raise refused(4326, last=label.range.last, wanted=redo)


def _require_replaceable(label: Label, request: Request, existing: Database | None) -> None:
    if existing is None or request.replaces:
        return
    if existing.identity.family != label.source.identity.family:
        raise refused(3154, database=existing.name)
    has_tail = existing.state == "ONLINE" and not existing.is_in_standby and existing.log.backed_up_to is not None
    if has_tail and not request.stops:
        raise refused(3159, database=existing.name)


def _overwritten(label: Label, request: Request, existing: Database | None) -> Database:
    source = label.source
    return Database(
        name=request.name if existing is None else existing.name,
        database_id=0 if existing is None else existing.database_id,
        seed=source.seed,
        size=source.size,
        created=request.now if existing is None else existing.created,
        identity=Identity(uuid4(), source.identity.family, source.identity.fork),
        files=_moved(label, request),
        state="RESTORING",
        recovery=source.recovery,
        access=source.access,
        is_read_only=source.is_read_only,
        is_incomplete=True,
        collation=source.collation,
    )


def _moved(label: Label, request: Request) -> tuple[DatabaseFile, ...]:
    """Give the files where they go, or refuse places that cannot be."""
    files = [one.file for one in label.source.files]
    known = {file.name.casefold() for file in files}
    for logical in request.moves:
        if logical not in known:
            raise refused(3234, file=logical, database=request.name)
    moved = tuple(replace(file, path=request.moves.get(file.name.casefold(), file.path)) for file in files)
    problems = []
    for file in moved:
        owner = request.user_of(file.path)
        if owner is not None and owner.name.casefold() != request.name.casefold():
            problems.append(message(1834, path=file.path, database=owner.name))
            problems.append(message(3156, file=file.name, path=file.path))
    if problems:
        raise Refused(*problems, message(3119))
    return moved


def completed(database: Database, label: Label, document: Document, stop_at: datetime | None) -> Database:
    """Give the database when all of a backup set has come, or refuse tables that cannot be."""
    ended = _filled(database, label, document, stop_at)
    if not are_sound(ended.tables):
        raise refused(3241, text="The tables in the backup set have values that cannot be.")
    return ended


def _filled(database: Database, label: Label, document: Document, stop_at: datetime | None) -> Database:
    last = label.range.last
    if label.kind == "database":
        chain = None if database.recovery == "SIMPLE" else last
        log = LogState(following(last), label.range.checkpoint, label.range.checkpoint, chain, chain, last)
        base = DifferentialBase(label.range.first, label.guid, label.started)
        return replace(database, is_incomplete=False, tables=document.tables, log=log, base=base)
    log = replace(database.log, last=following(last), redo=last, backed_up_to=last)
    if label.kind == "differential":
        return replace(database, tables=document.tables, log=log)
    tables = database.tables
    for change in document.changes:
        if change.lsn >= database.log.redo and (stop_at is None or change.when <= stop_at):
            tables = after(tables, change)
    return replace(database, tables=tables, log=log)


def recovered(database: Database) -> Database:
    """Give the database as it goes on after a restore, or refuse to recover it (3153, 4333)."""
    if database.is_incomplete:
        raise refused(4333, database=database.name)
    if database.state != "RESTORING" and not database.is_in_standby:
        raise refused(3153, database=database.name)
    chain = None if database.recovery == "SIMPLE" else database.log.redo
    log = replace(database.log, last=following(database.log.last), backed_up_to=chain)
    identity = replace(database.identity, fork=uuid4())
    return replace(database, state="ONLINE", is_in_standby=False, identity=identity, log=log)


def left_restoring(database: Database) -> Database:
    """Give the database as it waits for a further restore."""
    return replace(database, state="RESTORING", is_in_standby=False)


def in_standby(database: Database) -> Database:
    """Give the database as it can be read between two restores."""
    return replace(database, state="ONLINE", is_in_standby=True)
