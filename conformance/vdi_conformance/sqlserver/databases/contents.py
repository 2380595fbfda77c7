"""What is in a database: tables, and the changes of them that its log has; pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from vdi_conformance.sqlserver.seam import TableDefinition, TableName
from vdi_conformance.tds.answers import Column, SqlType, TypeName

LocalTime = Annotated[datetime, msgspec.Meta(tz=False)]
"""A time of a server, which has no zone."""
Stored = bool | int | float | str | None
"""A value as JSON can have it; what it stands for follows from the type of its column."""
StoredRows = tuple[tuple[Stored, ...], ...]


@dataclass(frozen=True)
class StoredColumn:
    """A column of a table."""

    name: str
    type: TypeName
    length: int
    precision: int
    scale: int
    nullable: bool


@dataclass(frozen=True)
class StoredTable:
    """A table with its rows, in the order in which they came."""

    schema: str
    name: str
    columns: tuple[StoredColumn, ...]
    key: tuple[str, ...] = ()
    identity: str | None = None
    rows: StoredRows = ()

    def is_named(self, schema: str, name: str) -> bool:
        """Tell whether it is meant, in whatever case."""
        return (self.schema.casefold(), self.name.casefold()) == (schema.casefold(), name.casefold())


@dataclass(frozen=True)
class Change:
    """What one record of a log did: a table that was made, dropped, added to, or given other rows.

    `lsn` is the number of the record, `when` the server's time.
    """

    lsn: int
    when: LocalTime
    kind: Literal["create", "drop", "insert", "replace"]
    schema: str
    table: str
    made: StoredTable | None = None
    rows: StoredRows = ()


def after(tables: tuple[StoredTable, ...], change: Change) -> tuple[StoredTable, ...]:
    """Give the tables as a change leaves them."""
    if change.kind == "create":
        return tables if change.made is None else (*tables, change.made)
    if change.kind == "drop":
        return tuple(one for one in tables if not one.is_named(change.schema, change.table))
    return tuple(_changed(one, change) if one.is_named(change.schema, change.table) else one for one in tables)


def _changed(table: StoredTable, change: Change) -> StoredTable:
    return replace(table, rows=(*table.rows, *change.rows) if change.kind == "insert" else change.rows)


def defined(name: TableName, definition: TableDefinition) -> StoredTable:
    """Give an empty table."""
    columns = tuple(StoredColumn(one.name, *one.type, one.nullable) for one in definition.columns)
    return StoredTable(name.schema, name.name, columns, definition.key, definition.identity)


def types_of(table: StoredTable) -> tuple[str, ...]:
    """Give the types of its columns by their names."""
    return tuple(column.type for column in table.columns)


def definition_of(table: StoredTable) -> TableDefinition:
    """Give the definition that a table was made by."""
    columns = tuple(
        Column(one.name, SqlType(one.type, one.length, one.precision, one.scale), one.nullable) for one in table.columns
    )
    return TableDefinition(columns, table.key, table.identity)
