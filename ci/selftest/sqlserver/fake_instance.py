# ruff: noqa: D102
"""An instance in memory, with what the language needs of one: databases, tables, views, a log, and noted backups."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.seam import (
    DatabaseInfo,
    LogLine,
    ModifyFile,
    ModifyName,
    Refused,
    Rows,
    SetOption,
)
from vdi_conformance.tds.answers import Column, Columns, Message, Row, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vdi_conformance.sqlserver.seam import Asker, Change, FileSpec, TableDefinition, TableName
    from vdi_conformance.sqlserver.statements import BackupStatement, RestoreStatement
    from vdi_conformance.tds.answers import Answer, Value

BEGINNING: Final = datetime(2026, 1, 2, 3, 4, 5)
_SYSNAME: Final = SqlType("nvarchar", 128)
_INT: Final = SqlType("int")
_PROPERTIES: Final[dict[str, Value]] = {
    "productversion": "16.0.4165.4",
    "edition": "Developer Edition (64-bit)",
    "engineedition": 3,
    "instancename": None,
    "instancedefaultdatapath": "/data/",
    "instancedefaultlogpath": "/data/",
    "instancedefaultbackuppath": "/backup/",
}


def _missing(name: str) -> Refused:
    return Refused(Message(911, f"Database '{name}' does not exist.", 16))


class FakeInstance:
    """An instance; each look at its clock is a second later."""

    def __init__(self) -> None:
        self.known: dict[str, DatabaseInfo] = {}
        self.files: dict[str, list[str]] = {}
        self.tables: dict[tuple[str, ...], tuple[TableDefinition, list[tuple[Value, ...]]]] = {}
        self.backups: list[BackupStatement] = []
        self.restores: list[RestoreStatement] = []
        self.answers: list[Answer] = [Message(3014, "processed 10 pages", 0)]
        self.lines: list[LogLine] = []
        self.forgotten: list[str | None] = []
        self.deleted: list[str] = []
        self._looks = 0
        for name in ("master", "tempdb", "model", "msdb"):
            self._add(name)

    @property
    def server_name(self) -> str:
        return "EMULATED"

    @property
    def version(self) -> tuple[int, int, int]:
        return 16, 0, 4165

    def property(self, name: str) -> Value:
        return _PROPERTIES.get(name.lower())

    def now(self) -> datetime:
        self._looks += 1
        return BEGINNING + timedelta(seconds=self._looks)

    def _add(self, name: str) -> None:
        number = max((one.database_id for one in self.known.values()), default=0) + 1
        self.known[name.lower()] = DatabaseInfo(name, number)
        self.files[name.lower()] = [name, f"{name}_log"]

    def databases(self) -> Sequence[DatabaseInfo]:
        return sorted(self.known.values(), key=lambda one: one.database_id)

    def database(self, name: str) -> DatabaseInfo | None:
        return self.known.get(name.lower())

    def use(self, name: str, asker: Asker) -> DatabaseInfo:
        if name.lower() not in self.known:
            raise _missing(name)
        return self.known[name.lower()]

    def create_database(
        self, name: str, files: Sequence[FileSpec], collation: str | None, asker: Asker
    ) -> Iterable[Message]:
        if name.lower() in self.known:
            raise Refused(Message(1801, f"Database '{name}' already exists.", 16))
        self._add(name)
        return ()

    def alter_database(self, name: str, change: Change, asker: Asker) -> Iterable[Message]:
        key = name.lower()
        if key not in self.known:
            raise _missing(name)
        if isinstance(change, SetOption) and change.option == "RECOVERY":
            self.known[key] = self.known[key]._replace(recovery=change.value)  # type: ignore[arg-type]
        elif isinstance(change, SetOption) and change.rolls_back:
            for number in asker.sessions.using(name):
                if number != asker.session_id:
                    asker.sessions.end(number)
        elif isinstance(change, ModifyFile):
            place = [one.lower() for one in self.files[key]].index(change.name.lower())
            self.files[key][place] = change.new_name or change.name
            return (Message(5701 + 9217, "renamed", 0),)
        elif isinstance(change, ModifyName):
            self.known[change.new_name.lower()] = self.known.pop(key)._replace(name=change.new_name)
        return ()

    def drop_database(self, name: str, asker: Asker) -> Iterable[Message]:
        if name.lower() not in self.known:
            raise Refused(Message(3701, f"Cannot drop the database '{name}'.", 11))
        if asker.sessions.using(name):
            raise Refused(Message(3702, f'Cannot drop database "{name}": it is in use.', 16))
        del self.known[name.lower()]
        return ()

    def _key(self, table: TableName) -> tuple[str, ...]:
        return tuple(part.lower() for part in table)

    def create_table(self, table: TableName, definition: TableDefinition, asker: Asker) -> None:
        if self._key(table) in self.tables:
            raise Refused(Message(2714, f"There is already an object named '{table.name}'.", 16))
        self.tables[self._key(table)] = (definition, [])

    def drop_table(self, table: TableName, asker: Asker) -> None:
        del self.tables[self._key(table)]

    def table(self, table: TableName) -> TableDefinition | None:
        found = self.tables.get(self._key(table))
        return None if found is None else found[0]

    def rows(self, table: TableName) -> Iterable[tuple[Value, ...]]:
        return tuple(self.tables[self._key(table)][1])

    def insert(self, table: TableName, rows: Iterable[tuple[Value, ...]], asker: Asker) -> int:
        added = list(rows)
        self.tables[self._key(table)][1].extend(added)
        return len(added)

    def replace_rows(self, table: TableName, rows: Iterable[tuple[Value, ...]], asker: Asker) -> None:
        self.tables[self._key(table)][1][:] = rows

    def view(self, database: str, schema: str, name: str) -> Rows | None:
        if schema.lower() != "sys":
            return None
        if name.lower() == "databases":
            columns = (
                Column("name", _SYSNAME, nullable=False),
                Column("database_id", _INT, nullable=False),
                Column("create_date", SqlType("datetime")),
                Column("state_desc", SqlType("nvarchar", 60)),
                Column("recovery_model_desc", SqlType("nvarchar", 60)),
            )
            rows = [(one.name, one.database_id, BEGINNING, one.state, one.recovery) for one in self.databases()]
            return Rows(columns, rows)
        if name.lower() == "master_files":
            named = (("database_id", _INT), ("file_id", _INT), ("name", _SYSNAME), ("size", _INT))
            found = [
                (self.known[key].database_id, number, file, 1024)
                for key, files in self.files.items()
                if key in self.known
                for number, file in enumerate(files, 1)
            ]
            return Rows(tuple(Column(*one) for one in named), found)
        if name.lower() == "all_columns":
            return Rows((Column("object_id", _INT),), ((number,) for number in range(64)))
        return None

    def backup(self, statement: BackupStatement, asker: Asker) -> Iterator[Answer]:
        self.backups.append(statement)
        if statement.database.lower() not in self.known:
            raise _missing(statement.database)
        yield from self.answers

    def restore(self, statement: RestoreStatement, asker: Asker) -> Iterator[Answer]:
        self.restores.append(statement)
        if statement.subject == "filelistonly":
            yield Columns((Column("LogicalName", _SYSNAME), Column("Size", SqlType("numeric", 0, 20, 0))))
            yield Row(("contents", None))
            return
        if statement.database and statement.database.lower() not in self.known:
            self._add(statement.database)
        yield from self.answers

    def error_log(self, number: int = 0) -> Sequence[LogLine]:
        return self.lines if number == 0 else ()

    def log(self, process: str, text: str) -> None:
        self.lines.append(LogLine(self.now(), process, text))

    def delete_file(self, path: str, asker: Asker) -> None:
        self.deleted.append(path)

    def forget_history(self, asker: Asker, database: str | None = None, before: datetime | None = None) -> None:
        self.forgotten.append(database)
