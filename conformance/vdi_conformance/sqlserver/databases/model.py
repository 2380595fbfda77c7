"""A database as it is kept: what it is called, where its log has come to, what it can be restored from; pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from uuid import UUID

from vdi_conformance.sqlserver.databases.contents import Change, LocalTime, StoredTable, after
from vdi_conformance.sqlserver.databases.lsn import FIRST, following
from vdi_conformance.sqlserver.messages import refused
from vdi_conformance.sqlserver.seam import DatabaseInfo, DatabaseState, RecoveryModel, UserAccess

PAGE: Final = 8192
"""Bytes."""
SYSTEM: Final = ("master", "tempdb", "model", "msdb")
"""The databases that every server has, in the order of their numbers."""
COLLATION: Final = "SQL_Latin1_General_CP1_CI_AS"


@dataclass(frozen=True)
class DatabaseFile:
    """A file: `size` in bytes is what sys.database_files tells, at least; nothing is at its path."""

    file_id: int
    kind: Literal["data", "log"]
    name: str
    path: str
    guid: UUID
    size: int
    create_lsn: int = 0


@dataclass(frozen=True)
class DifferentialBase:
    """The full backup that a differential one goes back to."""

    lsn: int
    guid: UUID
    when: LocalTime


@dataclass(frozen=True)
class Identity:
    """By what a database is told from others: itself, whom it descends from, and the recovery that it is of."""

    database: UUID
    family: UUID
    fork: UUID


@dataclass(frozen=True)
class LogState:
    """How far a log has come.

    `backed_up_to` is where the next log backup begins (None: there is no full backup to go with it), `began` where
    that chain began; `changes` are the records since, `redo` is how far a database has been restored.
    """

    last: int = FIRST
    checkpoint: int = FIRST
    last_full: int = 0
    backed_up_to: int | None = None
    began: int | None = None
    redo: int = 0
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Database:
    """One database. Beside its tables it holds `size` bytes that follow from `seed`."""

    name: str
    database_id: int
    seed: int
    size: int
    created: LocalTime
    identity: Identity
    files: tuple[DatabaseFile, ...]
    state: DatabaseState = "ONLINE"
    recovery: RecoveryModel = "SIMPLE"
    access: UserAccess = "MULTI_USER"
    is_read_only: bool = False
    is_in_standby: bool = False
    is_incomplete: bool = False
    """A restore failed before all of it was there."""
    collation: str = COLLATION
    base: DifferentialBase | None = None
    log: LogState = field(default_factory=LogState)
    tables: tuple[StoredTable, ...] = ()

    @property
    def info(self) -> DatabaseInfo:
        """Give what sessions ask for."""
        read_only = self.is_read_only or self.is_in_standby
        return DatabaseInfo(self.name, self.database_id, self.state, self.recovery, self.access, read_only)

    @property
    def is_system(self) -> bool:
        """Whether every server has it."""
        return self.name.casefold() in SYSTEM

    def table(self, schema: str, name: str) -> StoredTable | None:
        """Find a table."""
        return next((one for one in self.tables if one.is_named(schema, name)), None)

    def file(self, name: str) -> DatabaseFile | None:
        """Find a file by its logical name."""
        return next((one for one in self.files if one.name.casefold() == name.casefold()), None)


def require_open(database: Database) -> Database:
    """Give the database, or refuse to look into it (945, 927, 942)."""
    if database.is_incomplete:
        raise refused(945, database=database.name)
    if database.state == "RESTORING":
        raise refused(927, database=database.name)
    if database.state == "OFFLINE":
        raise refused(942, database=database.name)
    return database


def require_writable(database: Database) -> Database:
    """Give the database, or refuse to change what is in it (3906 too)."""
    if require_open(database).info.is_read_only:
        raise refused(3906, database=database.name)
    return database


def with_changes(database: Database, changes: Iterable[Change]) -> Database:
    """Give the database after changes of its tables, which its log keeps where its recovery model says so."""
    tables, log = database.tables, database.log
    for change in changes:
        tables = after(tables, change)
        log = replace(log, last=following(change.lsn))
        if database.recovery != "SIMPLE":
            log = replace(log, changes=(*log.changes, change))
    return replace(database, tables=tables, log=log)


def with_recovery(database: Database, recovery: RecoveryModel) -> Database:
    """Give the database with another recovery model; SIMPLE ends its chain of log backups."""
    if recovery != "SIMPLE":
        return replace(database, recovery=recovery)
    log = replace(database.log, backed_up_to=None, began=None, changes=())
    return replace(database, recovery=recovery, log=log)


def pages(size: int) -> int:
    """Say how many pages so many bytes take."""
    return -(-size // PAGE)
