"""INSERT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.execution.target import Target, fitting
from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.expressions import Frame, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.queries import plan_query
from vdi_conformance.tds.answers import Columns, Row, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.sqlserver.language.tree import Name
    from vdi_conformance.tds.answers import Answer, Column, SqlType, Value

    Values = tuple[Value, ...]


def insert_rows(run: Run, name: Name, rows: Iterable[Values]) -> int:
    """Add rows that fit a table already."""
    return Target(run, name).insert(rows)


def _insert(run: Run, statement: does.Insert) -> Iterator[Answer]:
    target = Target(run, statement.table)
    chosen = _chosen(run, target, statement.columns)
    if statement.execute is not None:
        yield from _insert_executed(run, statement, target, chosen)
        return
    rows = _selected(run, statement, chosen) if statement.query is not None else _given(run, statement, target, chosen)
    yield run.end(target.insert(_completed(run, target, chosen, rows)))


def _chosen(run: Run, target: Target, names: tuple[str, ...]) -> list[Column]:
    """Give the columns that INSERT has values for (207, 264, 544)."""
    identity = (target.definition.identity or "").lower()
    allowed = run.state.identity_insert == target.name.last.lower()
    if not names:
        return [column for column in target.columns if allowed or column.name.lower() != identity]
    by_name = {column.name.lower(): column for column in target.columns}
    for name in names:
        if name.lower() not in by_name:
            raise fault(207, name)
    if len({name.lower() for name in names}) != len(names):
        raise fault(264, next(name for name in names if sum(name.lower() == one.lower() for one in names) > 1))
    if identity and not allowed and identity in (name.lower() for name in names):
        raise fault(544, target.name.last)
    return [by_name[name.lower()] for name in names]


def _require_as_many(given: int, chosen: Sequence[Column], statement: does.Insert) -> None:
    if given == len(chosen):
        return
    if not statement.columns:
        raise fault(213)
    few, many = (120, 121) if statement.query is not None else (109, 110)
    raise fault(few if given < len(chosen) else many)


def _selected(run: Run, statement: does.Insert, chosen: Sequence[Column]) -> Iterable[Values]:
    assert statement.query is not None
    plan = plan_query(statement.query, run.environment)
    _require_as_many(len(plan.columns), chosen, statement)
    pairs = [(column.type, one.type) for column, one in zip(plan.columns, chosen, strict=True)]
    rows = (
        tuple(fitting(one, *pair) for one, pair in zip(row, pairs, strict=True))
        for row in run.state.watched(plan.rows(None))
    )
    # What is read must not be what is written at the same time.
    named = {node.name.last.lower() for node in tree.parts_of(tuple(statement.query)) if isinstance(node, tree.Table)}
    return list(rows) if statement.table.last.lower() in named else rows


def _given(run: Run, statement: does.Insert, target: Target, chosen: Sequence[Column]) -> list[Values]:
    if not statement.rows:
        return [tuple(_default(run, target, column) for column in chosen)]
    found = []
    for row in statement.rows:
        _require_as_many(len(row), chosen, statement)
        found.append(tuple(_cell(run, target, one, column) for one, column in zip(row, chosen, strict=True)))
    return found


def _cell(run: Run, target: Target, expression: Any, column: Column) -> Value:
    if expression is None:
        return _default(run, target, column)
    computed = value(expression, run.scope)
    return fitting(computed.run(Frame()), computed.type, column.type)


def _default(run: Run, target: Target, column: Column) -> Value:
    default = run.state.defaults.get(target.name.last.lower(), {}).get(column.name.lower())
    return None if default is None else run.evaluate(default, column.type)


def _completed(run: Run, target: Target, chosen: Sequence[Column], rows: Iterable[Values]) -> Iterator[Values]:
    """Put values in the order of the table, with defaults and numbers where none is given."""
    given = {column.name.lower(): place for place, column in enumerate(chosen)}
    identity = (target.definition.identity or "").lower()
    number = _last_number(target) if identity and identity not in given else 0
    for row in rows:
        number += 1
        if identity and identity not in given:
            run.state.globals["IDENTITY"] = number
        yield tuple(
            row[given[name]]
            if (name := column.name.lower()) in given
            else number
            if name == identity
            else _default(run, target, column)
            for column in target.columns
        )


def _last_number(target: Target) -> int:
    identity = (target.definition.identity or "").lower()
    place = [column.name.lower() for column in target.columns].index(identity)
    return max((int(str(row[place])) for row in target.rows()), default=0)


def _insert_executed(run: Run, statement: does.Insert, target: Target, chosen: list[Column]) -> Iterator[Answer]:
    """Take the rows that EXEC gives, and tell its messages."""
    assert statement.execute is not None
    rows: list[Values] = []
    types: list[SqlType] = []
    for answer in run.statement(statement.execute):
        if isinstance(answer, Columns):
            types = [column.type for column in answer.columns]
            _require_as_many(len(types), chosen, statement)
        elif isinstance(answer, Row):
            cells = zip(answer.values, types, chosen, strict=True)
            rows.append(tuple(fitting(one, given, column.type) for one, given, column in cells))
        elif not isinstance(answer, StatementEnd) or answer.failed:
            yield answer
    yield run.end(target.insert(_completed(run, target, chosen, rows)))


HANDLERS: Final[dict[type, Handler]] = {does.Insert: _insert}
