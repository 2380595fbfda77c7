"""Cursors: a query whose rows are fetched one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.queries import plan_query
from vdi_conformance.sqlserver.state import Cursor
from vdi_conformance.tds.answers import Columns, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.tds.answers import Answer

_FETCHED: Final = 0
_NO_MORE: Final = -1


def _declare(run: Run, statement: does.DeclareCursor) -> Iterator[Answer]:
    key = statement.name.lower()
    if key in run.state.cursors:
        raise fault(16915, statement.name)
    plan = plan_query(statement.query, run.environment)
    run.state.cursors[key] = Cursor(plan)
    yield run.end()


def _act(run: Run, statement: does.CursorAction) -> Iterator[Answer]:
    cursor = run.state.cursors.get(statement.name.lower())
    if cursor is None:
        raise fault(16916, statement.name)
    yield from _ACTIONS[statement.action](run, statement, cursor)


def _open(run: Run, statement: does.CursorAction, cursor: Cursor) -> Iterator[Answer]:
    if cursor.rows is not None:
        raise fault(16905)
    # What changes while a cursor is open does not show in it.
    cursor.rows = iter(list(run.state.watched(cursor.plan.rows(None))))
    yield run.end()


def _close(run: Run, statement: does.CursorAction, cursor: Cursor) -> Iterator[Answer]:
    if cursor.rows is None:
        raise fault(16917)
    cursor.rows = None
    yield run.end()


def _deallocate(run: Run, statement: does.CursorAction, cursor: Cursor) -> Iterator[Answer]:
    del run.state.cursors[statement.name.lower()]
    yield run.end()


def _fetch(run: Run, statement: does.CursorAction, cursor: Cursor) -> Iterator[Answer]:
    if cursor.rows is None:
        raise fault(16917)
    columns = cursor.plan.columns
    if statement.variables and len(statement.variables) != len(columns):
        raise fault(16924)
    row = next(cursor.rows, None)
    run.state.globals["FETCH_STATUS"] = _NO_MORE if row is None else _FETCHED
    if not statement.variables:
        yield Columns(columns)
        if row is not None:
            yield Row(row)
    elif row is not None:
        for name, given, column in zip(statement.variables, row, columns, strict=True):
            run.assign(name, given, column.type, statement.line)
    yield run.end(0 if row is None else 1)


_ACTIONS: Final[dict[str, Callable[[Run, does.CursorAction, Cursor], Iterator[Answer]]]] = {
    "OPEN": _open,
    "FETCH": _fetch,
    "CLOSE": _close,
    "DEALLOCATE": _deallocate,
}
HANDLERS: Final[dict[type, Handler]] = {does.DeclareCursor: _declare, does.CursorAction: _act}
