"""Between the sessions and the instance: what T-SQL is run on.

The language reads T-SQL and keeps what belongs to sessions; the instance keeps databases, media and the error log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from threading import Event

    from vdi_conformance.sqlserver.statements import BackupStatement, RestoreStatement
    from vdi_conformance.tds.answers import Answer, Column, Message, Value

DatabaseState = Literal["ONLINE", "RESTORING", "OFFLINE"]
RecoveryModel = Literal["SIMPLE", "FULL", "BULK_LOGGED"]
UserAccess = Literal["MULTI_USER", "SINGLE_USER", "RESTRICTED_USER"]


class Refused(Exception):
    """A statement came to nothing; these messages say why, the last of which is an error."""

    def __init__(self, *messages: Message) -> None:
        super().__init__(messages[-1].text)
        self.messages = messages


class Sessions(Protocol):
    """The sessions of the server, as the instance may need to know them; safe to ask from every thread."""

    def using(self, database: str) -> tuple[int, ...]:
        """Give the ids of the sessions that are in a database."""
        ...

    def end(self, session_id: int) -> None:
        """End a session with the error 596, its running statement first; nothing where there is none of that id."""
        ...


@dataclass(frozen=True)
class Asker:
    """The session that a statement comes from, as it is when the statement begins."""

    session_id: int
    login: str
    application: str
    host: str
    database: str
    """The database that the session is in."""
    in_transaction: bool
    cancelled: Event
    """Set when the statement is to end as soon as it can: the client asked for that, or went away."""
    sessions: Sessions


class DatabaseInfo(NamedTuple):
    """A database, as it is now."""

    name: str
    database_id: int
    state: DatabaseState = "ONLINE"
    recovery: RecoveryModel = "SIMPLE"
    access: UserAccess = "MULTI_USER"
    is_read_only: bool = False


class FileSpec(NamedTuple):
    """A file as CREATE DATABASE names it; `size` in bytes; what is not told is None."""

    kind: Literal["data", "log"]
    name: str
    path: str | None = None
    size: int | None = None


class SetOption(NamedTuple):
    """ALTER DATABASE ... SET: one option in capitals, what it is set to, and what becomes of other sessions.

    RECOVERY has SIMPLE, FULL or BULK_LOGGED as its value; the kinds of access, ONLINE and OFFLINE, READ_ONLY and
    READ_WRITE have none; the others have ON, OFF or whatever was written.
    """

    option: str
    value: str = ""
    rolls_back: bool = False
    """WITH ROLLBACK IMMEDIATE or AFTER: sessions that are in the way end."""


class ModifyFile(NamedTuple):
    """ALTER DATABASE ... MODIFY FILE: a logical name, and what is new; `size` in bytes."""

    name: str
    new_name: str | None = None
    path: str | None = None
    size: int | None = None


class ModifyName(NamedTuple):
    """ALTER DATABASE ... MODIFY NAME."""

    new_name: str


class SetCollation(NamedTuple):
    """ALTER DATABASE ... COLLATE."""

    collation: str


Change = SetOption | ModifyFile | ModifyName | SetCollation


class TableDefinition(NamedTuple):
    """A table: its columns, the names of those that are its primary key, and the one that counts by itself."""

    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    identity: str | None = None


class Rows(NamedTuple):
    """What a view or a table has: columns, and rows with a value for each; the rows are read once."""

    columns: tuple[Column, ...]
    rows: Iterable[tuple[Value, ...]]


class TableName(NamedTuple):
    """Where a table is, all three parts told; the schema is dbo where the statement names none."""

    database: str
    schema: str
    name: str


class LogLine(NamedTuple):
    """A line of the error log: when, by which process (Backup, Logon, spid51), and its text."""

    when: datetime
    process: str
    text: str


class Instance(Protocol):
    """The server behind the sessions. Names of databases and tables are compared without regard to case.

    Each method may be called from several threads at once. Those that take an `asker` raise Refused where they come
    to nothing; the lines of messages are filled in by the session, which also ends the statement.
    """

    @property
    def server_name(self) -> str:
        """What @@SERVERNAME gives."""
        ...

    @property
    def version(self) -> tuple[int, int, int]:
        """The version of the server: major, minor, build."""
        ...

    def property(self, name: str) -> Value:
        """Give what SERVERPROPERTY gives, the name in any case; None where there is none of that name."""
        ...

    def now(self) -> datetime:
        """Give the server's time, which is local and has no zone."""
        ...

    def databases(self) -> Sequence[DatabaseInfo]:
        """Give every database, by its id."""
        ...

    def database(self, name: str) -> DatabaseInfo | None:
        """Find a database."""
        ...

    def use(self, name: str, asker: Asker) -> DatabaseInfo:
        """Look whether the session may go to a database, such as not (911, 922, 924, 927, 942), and give it."""
        ...

    def create_database(
        self, name: str, files: Sequence[FileSpec], collation: str | None, asker: Asker
    ) -> Iterable[Message]:
        """Make a database (or 1801), and give what is told of it."""
        ...

    def alter_database(self, name: str, change: Change, asker: Asker) -> Iterable[Message]:
        """Change a database (or 911, 5041, 5064 ...), and give what is told of it."""
        ...

    def drop_database(self, name: str, asker: Asker) -> Iterable[Message]:
        """Drop a database (or 3701, 3702, 3708), and give what is told of it."""
        ...

    def create_table(self, table: TableName, definition: TableDefinition, asker: Asker) -> None:
        """Make an empty table (or 2714)."""
        ...

    def drop_table(self, table: TableName, asker: Asker) -> None:
        """Drop a table (or 3701)."""
        ...

    def table(self, table: TableName) -> TableDefinition | None:
        """Find a table."""
        ...

    def rows(self, table: TableName) -> Iterable[tuple[Value, ...]]:
        """Give the rows of a table that is there, in the order in which they came."""
        ...

    def insert(self, table: TableName, rows: Iterable[tuple[Value, ...]], asker: Asker) -> int:
        """Add rows to a table that is there, all or none, reading them as they come; give how many they were."""
        ...

    def replace_rows(self, table: TableName, rows: Iterable[tuple[Value, ...]], asker: Asker) -> None:
        """Let a table that is there have these rows and no others, as UPDATE and DELETE leave it."""
        ...

    def view(self, database: str, schema: str, name: str) -> Rows | None:
        """Find a view of the server's own as one in that database sees it: sys.databases, msdb's dbo.backupset ..."""
        ...

    def backup(self, statement: BackupStatement, asker: Asker) -> Iterator[Answer]:
        """Run BACKUP, giving messages as they come, errors among them; no StatementEnd."""
        ...

    def restore(self, statement: RestoreStatement, asker: Asker) -> Iterator[Answer]:
        """Run RESTORE, giving messages as they come, errors among them, and Columns and Rows; no StatementEnd."""
        ...

    def error_log(self, number: int = 0) -> Sequence[LogLine]:
        """Give the error log in its order; 0 is the one that is written now, empty where there is none."""
        ...

    def log(self, process: str, text: str) -> None:
        """Write a line to the error log."""
        ...

    def delete_file(self, path: str, asker: Asker) -> None:
        """Delete a backup on disk (xp_delete_file); one that is not there is none."""
        ...

    def forget_history(self, asker: Asker, database: str | None = None, before: datetime | None = None) -> None:
        """Delete what msdb has of backups: those of a database, those before a time, or both."""
        ...
