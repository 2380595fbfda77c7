"""Tables that live in memory: temporary ones, and table variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.values import as_text, sort_key, truncated
from vdi_conformance.sqlserver.seam import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vdi_conformance.sqlserver.seam import TableDefinition
    from vdi_conformance.tds.answers import Value

    Row = tuple[Value, ...]

_LONGEST_SHOWN: Final = 100


class MemoryTable:
    """A table that no other session sees; `rows` is replaced as a whole, so that who reads it is not disturbed."""

    def __init__(self, definition: TableDefinition, rows: Iterable[Row] = ()) -> None:
        self.definition = definition
        self.rows = tuple(rows)

    def as_rows(self) -> Rows:
        """Give it as what a query reads."""
        return Rows(self.definition.columns, self.rows)


def checked(definition: TableDefinition, rows: Iterable[Row], table: str) -> Iterator[Row]:
    """Give rows that may be in a table, up to the first one that may not (515, 2628)."""
    columns = definition.columns
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            if value is None and not column.nullable:
                raise fault(515, column.name, table)
            if truncated(value, column.type):
                raise fault(2628, table, column.name, as_text(value)[:_LONGEST_SHOWN])
        yield row


def unique(definition: TableDefinition, before: Iterable[Row], rows: Iterable[Row], table: str) -> Iterator[Row]:
    """Give rows whose keys no other row has, up to the first whose key is there already (2627)."""
    names = [column.name.lower() for column in definition.columns]
    places = [names.index(name.lower()) for name in definition.key]
    seen = {tuple(sort_key(row[place]) for place in places) for row in before} if places else set()
    for row in rows:
        if places:
            key = tuple(sort_key(row[place]) for place in places)
            if key in seen:
                raise fault(2627, f"PK_{table}", table, ", ".join(as_text(row[place]) for place in places))
            seen.add(key)
        yield row
