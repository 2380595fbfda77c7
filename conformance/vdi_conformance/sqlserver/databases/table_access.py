"""Tables of databases: made, dropped, read and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.databases.contents import (
    Change,
    StoredRows,
    StoredTable,
    defined,
    definition_of,
    types_of,
)
from vdi_conformance.sqlserver.databases.model import require_open, require_writable, with_changes
from vdi_conformance.sqlserver.databases.values import restored, stored
from vdi_conformance.sqlserver.messages import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from typing import Literal

    from vdi_conformance.sqlserver.databases.catalogue import Catalogue
    from vdi_conformance.sqlserver.databases.model import Database
    from vdi_conformance.sqlserver.seam import TableDefinition, TableName
    from vdi_conformance.tds.answers import Value


class TableAccess:
    """The tables of all databases; each change is a record of the log of its database."""

    def __init__(self, catalogue: Catalogue, now: Callable[[], datetime]) -> None:
        self._catalogue = catalogue
        self._now = now

    def create(self, table: TableName, definition: TableDefinition) -> None:
        """Make an empty table (or 2714)."""

        def how(database: Database) -> Database:
            if database.table(table.schema, table.name) is not None:
                raise refused(2714, table=table.name)
            return self._changed(database, table, "create", made=defined(table, definition))

        self._catalogue.change(table.database, how)

    def drop(self, table: TableName) -> None:
        """Drop a table (or 3701)."""

        def how(database: Database) -> Database:
            if database.table(table.schema, table.name) is None:
                raise refused(3701, kind="table", name=table.name)
            return self._changed(database, table, "drop")

        self._catalogue.change(table.database, how)

    def definition(self, table: TableName) -> TableDefinition | None:
        """Find a table."""
        found = self._find(table)
        return None if found is None else definition_of(found)

    def rows(self, table: TableName) -> Iterable[tuple[Value, ...]]:
        """Give the rows of a table that is there."""
        found = self._found(table)
        return restored(types_of(found), found.rows)

    def insert(self, table: TableName, rows: Iterable[tuple[Value, ...]]) -> int:
        """Add rows to a table that is there, and count them."""
        kept = stored(types_of(self._found(table)), rows)
        self._catalogue.change(table.database, lambda one: self._changed(one, table, "insert", rows=kept))
        return len(kept)

    def replace(self, table: TableName, rows: Iterable[tuple[Value, ...]]) -> None:
        """Let a table that is there have other rows."""
        kept = stored(types_of(self._found(table)), rows)
        self._catalogue.change(table.database, lambda one: self._changed(one, table, "replace", rows=kept))

    def _find(self, table: TableName) -> StoredTable | None:
        database = self._catalogue.find(table.database)
        return None if database is None else require_open(database).table(table.schema, table.name)

    def _found(self, table: TableName) -> StoredTable:
        found = self._find(table)
        if found is None:
            raise refused(208, table=f"{table.schema}.{table.name}")
        return found

    def _changed(
        self,
        database: Database,
        table: TableName,
        kind: Literal["create", "drop", "insert", "replace"],
        made: StoredTable | None = None,
        rows: StoredRows = (),
    ) -> Database:
        require_writable(database)
        change = Change(database.log.last, self._now(), kind, table.schema, table.name, made, rows)
        return with_changes(database, (change,))
