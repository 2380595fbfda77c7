"""The instance behind the sessions: databases, their tables and backups, and the error log (seam.Instance)."""

from __future__ import annotations

import socket
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.sqlserver.backups.backup import BackupJob
from vdi_conformance.sqlserver.backups.history import History
from vdi_conformance.sqlserver.backups.listing import ListingJob
from vdi_conformance.sqlserver.backups.restore import RestoreJob
from vdi_conformance.sqlserver.backups.running import answers
from vdi_conformance.sqlserver.databases.activities import Activities
from vdi_conformance.sqlserver.databases.administration import Administration
from vdi_conformance.sqlserver.databases.catalogue import Catalogue
from vdi_conformance.sqlserver.databases.store import Unusable
from vdi_conformance.sqlserver.databases.table_access import TableAccess
from vdi_conformance.sqlserver.error_log import ErrorLog
from vdi_conformance.sqlserver.parts import Identification, ServerParts
from vdi_conformance.sqlserver.places import Places
from vdi_conformance.sqlserver.properties import properties
from vdi_conformance.sqlserver.views import view
from vdi_conformance.sqlserver.wellformed import wellformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.sqlserver.seam import (
        Asker,
        Change,
        DatabaseInfo,
        FileSpec,
        LogLine,
        Rows,
        TableDefinition,
        TableName,
    )
    from vdi_conformance.sqlserver.statements import BackupStatement, RestoreStatement
    from vdi_conformance.tds.answers import Answer, Message, Value

VERSION: Final = (16, 0, 1000)
"""The one that the messages, columns and options are like: SQL Server 2022."""


class Offered(NamedTuple):
    """A database that a server has from its start; `size` in bytes."""

    name: str
    size: int


class EmulatedInstance:
    """A server that keeps what it has in a directory below another one, which only one process uses at a time.

    `make_server` makes the server's side of one virtual device set, `instance` is the name of a named instance. What
    databases hold follows from `seed`; those of `offered` are made where an earlier start has not made them. The error
    log is also written to `log`. A directory that cannot be read is databases.store.Unusable.
    """

    def __init__(
        self,
        directory: Path,
        make_server: Callable[[], EmulatorServer],
        *,
        seed: int = 0,
        instance: str | None = None,
        offered: Sequence[Offered] = (),
        log: Path | None = None,
    ) -> None:
        name = "sqlserver" if instance is None else f"sqlserver-{instance.upper()}"
        identification = Identification(socket.gethostname().partition(".")[0].upper(), instance, VERSION)
        try:
            places = Places(directory / name)
            self._parts = ServerParts(
                identification,
                Catalogue(places.state / "databases"),
                Activities(),
                Activities(),
                History(places.state / "history.jsonl"),
                ErrorLog(places.log, self.now, log),
                places,
                make_server,
                self.now,
            )
        except OSError as error:
            raise Unusable(f"{directory} cannot be used ({error.strerror}): take another directory") from error
        self._administration = Administration(self._parts, seed)
        self._administration.begin([(one.name, one.size) for one in offered])
        self._tables = TableAccess(self._parts.catalogue, self.now)
        self._properties = properties(identification, places)
        self.log(
            "Server", f"This is an emulated SQL Server {'.'.join(map(str, VERSION))}; it is ready for connections."
        )

    @property
    def server_name(self) -> str:
        """What @@SERVERNAME gives."""
        return self._parts.identification.server_name

    @property
    def version(self) -> tuple[int, int, int]:
        """The version of the server: major, minor, build."""
        return self._parts.identification.version

    def property(self, name: str) -> Value:
        """Give what SERVERPROPERTY gives."""
        return self._properties.get(name.casefold())

    def now(self) -> datetime:
        """Give the local time, in milliseconds."""
        now = datetime.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def databases(self) -> Sequence[DatabaseInfo]:
        """Give every database."""
        return [one.info for one in self._parts.catalogue.all()]

    def database(self, name: str) -> DatabaseInfo | None:
        """Find a database."""
        found = self._parts.catalogue.find(name)
        return None if found is None else found.info

    def use(self, name: str, asker: Asker) -> DatabaseInfo:
        """Look whether the session may go to a database."""
        return self._administration.use(name, asker)

    def create_database(
        self, name: str, files: Sequence[FileSpec], collation: str | None, asker: Asker
    ) -> Iterable[Message]:
        """Make a database."""
        return self._administration.create(wellformed(name), wellformed(tuple(files)), collation)

    def alter_database(self, name: str, change: Change, asker: Asker) -> Iterable[Message]:
        """Change a database."""
        return self._administration.alter(name, wellformed(change), asker)

    def drop_database(self, name: str, asker: Asker) -> Iterable[Message]:
        """Drop a database."""
        return self._administration.drop(name, asker)

    def create_table(self, table: TableName, definition: TableDefinition, asker: Asker) -> None:
        """Make an empty table."""
        self._tables.create(wellformed(table), wellformed(definition))

    def drop_table(self, table: TableName, asker: Asker) -> None:
        """Drop a table."""
        self._tables.drop(table)

    def table(self, table: TableName) -> TableDefinition | None:
        """Find a table."""
        return self._tables.definition(table)

    def rows(self, table: TableName) -> Iterable[tuple[Value, ...]]:
        """Give the rows of a table."""
        return self._tables.rows(table)

    def insert(self, table: TableName, rows: Iterable[tuple[Value, ...]], asker: Asker) -> int:
        """Add rows to a table."""
        return self._tables.insert(table, rows)

    def replace_rows(self, table: TableName, rows: Iterable[tuple[Value, ...]], asker: Asker) -> None:
        """Let a table have these rows and no others."""
        self._tables.replace(table, rows)

    def view(self, database: str, schema: str, name: str) -> Rows | None:
        """Find a view of the server's own."""
        return view(self._parts, database, schema, name)

    def backup(self, statement: BackupStatement, asker: Asker) -> Iterator[Answer]:
        """Run BACKUP."""
        return answers(BackupJob(self._parts, wellformed(statement), asker), asker.cancelled)

    def restore(self, statement: RestoreStatement, asker: Asker) -> Iterator[Answer]:
        """Run RESTORE."""
        job = RestoreJob if statement.subject in ("database", "log") else ListingJob
        return answers(job(self._parts, wellformed(statement), asker), asker.cancelled)

    def error_log(self, number: int = 0) -> Sequence[LogLine]:
        """Give an error log."""
        return self._parts.error_log.lines(number)

    def log(self, process: str, text: str) -> None:
        """Write to the error log."""
        self._parts.error_log.write(process, text)

    def delete_file(self, path: str, asker: Asker) -> None:
        """Delete a backup on disk."""
        file = self._parts.places.on_disk(path)
        if file.is_file():
            file.unlink()

    def forget_history(self, asker: Asker, database: str | None = None, before: datetime | None = None) -> None:
        """Delete what msdb has of backups."""
        self._parts.history.forget(database, before)
