"""CREATE and DROP TABLE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.tables import MemoryTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.sqlserver.language.tree import Name
    from vdi_conformance.sqlserver.seam import TableDefinition
    from vdi_conformance.sqlserver.state import SessionState
    from vdi_conformance.tds.answers import Answer, Value

    Values = tuple[Value, ...]


_TEMPORARY: Final = "#"


def create_table(run: Run, name: Name, definition: TableDefinition) -> None:
    """Make an empty table, a temporary one or one of a database (2705, 2714)."""
    seen: set[str] = set()
    for column in definition.columns:
        if column.name.lower() in seen:
            raise fault(2705, column.name, name.last)
        seen.add(column.name.lower())
    state, last = run.state, name.last.lower()
    if not last.startswith(_TEMPORARY):
        located = state.located(name)
        state.instance.create_table(located, definition, state.asker())
        _on_rollback(state, lambda: state.instance.drop_table(located, state.asker()))
        return
    tables = state.tables_for(last)
    if last in tables:
        raise fault(2714, name.last)
    tables[last] = MemoryTable(definition)
    _on_rollback(state, lambda: _forget(tables, last))


def _forget(tables: dict[str, MemoryTable], name: str) -> None:
    tables.pop(name, None)


def _on_rollback(state: SessionState, take_back: Callable[[], None]) -> None:
    if state.in_transaction:
        state.undo.append(take_back)


def _create(run: Run, statement: does.CreateTable) -> Iterator[Answer]:
    create_table(run, statement.name, statement.columns.definition)
    key = statement.name.last.lower()
    run.state.defaults[key] = {column.lower(): default for column, default in statement.columns.defaults}
    yield run.end()


def _drop(run: Run, statement: does.DropTables) -> Iterator[Answer]:
    for name in statement.names:
        _drop_one(run, name, statement.if_exists)
    yield run.end()


def _drop_one(run: Run, name: Name, if_exists: bool) -> None:
    state, last = run.state, name.last.lower()
    if last.startswith(_TEMPORARY):
        missing = state.tables_for(last).pop(last, None) is None
    else:
        located = state.located(name)
        missing = state.instance.table(located) is None
        if not missing:
            state.instance.drop_table(located, state.asker())
    if missing and not if_exists:
        raise fault(3701, name.last)


HANDLERS: Final[dict[type, Handler]] = {
    does.CreateTable: _create,
    does.DropTables: _drop,
}
