"""Queries: their rows go to the client, to variables, or to a new table."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.execution.inserts import insert_rows
from vdi_conformance.sqlserver.execution.settings import combined
from vdi_conformance.sqlserver.execution.table_definitions import create_table
from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.queries import plan_query, renamed
from vdi_conformance.sqlserver.seam import TableDefinition
from vdi_conformance.tds.answers import Columns, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.sqlserver.language.plans import Plan
    from vdi_conformance.tds.answers import Answer, Value


def _select(run: Run, statement: does.Select) -> Iterator[Answer]:
    body = statement.query.body
    assigned = [item.variable for item in body.items] if isinstance(body, tree.Select) else []
    if any(assigned) and not all(assigned):
        raise fault(141)
    plan = plan_query(statement.query, run.environment)
    if any(assigned) and isinstance(body, tree.Select):
        yield from _into_variables(run, body, plan)
    elif isinstance(body, tree.Select) and body.into is not None:
        yield from _into_table(run, body.into, plan)
    else:
        yield from _to_client(run, plan)


def _rows(run: Run, plan: Plan) -> Iterator[tuple[Value, ...]]:
    """Give the rows of a query, as many as SET ROWCOUNT lets through, until it is cancelled."""
    limit = run.state.globals["LIMIT"]
    rows = run.state.watched(plan.rows(None))
    return islice(rows, limit) if limit else rows


def _to_client(run: Run, plan: Plan) -> Iterator[Answer]:
    yield Columns(plan.columns)
    count = 0
    if not run.state.is_on("FMTONLY"):
        for row in _rows(run, plan):
            count += 1
            yield Row(row)
    yield run.end(count)


def _into_variables(run: Run, body: tree.Select, plan: Plan) -> Iterator[Answer]:
    """Assign the values of each row as it comes, so that a variable may go on from the row before."""
    targets: list[Any] = [(run.cell(str(item.variable), body.line), item.operator) for item in body.items]
    count = 0
    for row in _rows(run, plan):
        count += 1
        for (cell, operator), given, column in zip(targets, row, plan.columns, strict=True):
            cell.value = combined(operator, cell, given, column.type)
    yield run.end(count)._replace(rows=None)


def _into_table(run: Run, name: tree.Name, plan: Plan) -> Iterator[Answer]:
    columns = renamed(plan.columns, (), name.last)
    create_table(run, name, TableDefinition(columns))
    yield run.end(insert_rows(run, name, _rows(run, plan)))


HANDLERS: Final[dict[type, Handler]] = {does.Select: _select}
