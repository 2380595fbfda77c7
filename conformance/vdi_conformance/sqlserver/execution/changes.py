"""What changes tables: CREATE and DROP TABLE, INSERT, UPDATE, DELETE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.conditions import condition
from vdi_conformance.sqlserver.language.expressions import Computed, Frame, Place, Scope, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.plans import SourcePlan
from vdi_conformance.sqlserver.language.queries import plan_query
from vdi_conformance.sqlserver.language.sources import plan_source
from vdi_conformance.sqlserver.language.values import convert
from vdi_conformance.sqlserver.tables import MemoryTable, checked, unique
from vdi_conformance.tds.answers import Columns, Row, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.sqlserver.language.tree import Name
    from vdi_conformance.sqlserver.seam import TableDefinition
    from vdi_conformance.sqlserver.state import SessionState
    from vdi_conformance.tds.answers import Answer, Column, SqlType, Value

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


# A table, wherever it is kept


class _Target:
    """A table that is changed."""

    def __init__(self, run: Run, name: Name) -> None:
        self.name = name
        self._state = run.state
        self._memory = run.state.memory_table(name)
        self._located = run.state.located(name)
        found = self._memory.definition if self._memory else run.state.instance.table(self._located)
        if found is None:
            raise fault(208, name.written, line=name.line)
        self.definition = found

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        return self.definition.columns

    def rows(self) -> Iterable[Values]:
        """Its rows as they are."""
        return self._memory.rows if self._memory else self._state.instance.rows(self._located)

    def insert(self, rows: Iterable[Values]) -> int:
        """Add rows, all or none."""
        good = checked(self.definition, rows, self.name.last)
        if self.definition.key:
            good = unique(self.definition, self.rows(), good, self.name.last)
        self._remember()
        if self._memory is None:
            return self._state.instance.insert(self._located, good, self._state.asker())
        added = tuple(good)
        self._memory.rows = (*self._memory.rows, *added)
        return len(added)

    def replace(self, rows: Sequence[Values]) -> None:
        """Have these rows and no others."""
        good = tuple(unique(self.definition, (), checked(self.definition, rows, self.name.last), self.name.last))
        self._remember()
        self._store(good)

    def _store(self, rows: tuple[Values, ...]) -> None:
        if self._memory is None:
            self._state.instance.replace_rows(self._located, rows, self._state.asker())
        else:
            self._memory.rows = rows

    def _remember(self) -> None:
        """Keep the rows for a rollback; table variables have none."""
        if self._state.in_transaction and not self.name.last.startswith("@"):
            before = tuple(self.rows())
            self._state.undo.append(lambda: self._store(before))


# INSERT


def insert_rows(run: Run, name: Name, rows: Iterable[Values]) -> int:
    """Add rows that fit a table already."""
    return _Target(run, name).insert(rows)


def _insert(run: Run, statement: does.Insert) -> Iterator[Answer]:
    target = _Target(run, statement.table)
    chosen = _chosen(run, target, statement.columns)
    if statement.execute is not None:
        yield from _insert_executed(run, statement, target, chosen)
        return
    rows = _selected(run, statement, chosen) if statement.query is not None else _given(run, statement, target, chosen)
    yield run.end(target.insert(_completed(run, target, chosen, rows)))


def _chosen(run: Run, target: _Target, names: tuple[str, ...]) -> list[Column]:
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
        tuple(_stored(one, *pair) for one, pair in zip(row, pairs, strict=True))
        for row in run.state.watched(plan.rows(None))
    )
    # What is read must not be what is written at the same time.
    named = {node.name.last.lower() for node in tree.parts_of(tuple(statement.query)) if isinstance(node, tree.Table)}
    return list(rows) if statement.table.last.lower() in named else rows


def _stored(given: Value, source: SqlType, target: SqlType) -> Value:
    """Give a value as a column will have it; what is too long is not cut, so that it can be refused."""
    if isinstance(given, str | bytes) and target.length:
        wide = convert(given, source, target._replace(length=0))
        if not isinstance(wide, str | bytes) or len(wide.rstrip() if isinstance(wide, str) else wide) > target.length:
            return wide
    return convert(given, source, target)


def _given(run: Run, statement: does.Insert, target: _Target, chosen: Sequence[Column]) -> list[Values]:
    if not statement.rows:
        return [tuple(_default(run, target, column) for column in chosen)]
    found = []
    for row in statement.rows:
        _require_as_many(len(row), chosen, statement)
        found.append(tuple(_cell(run, target, one, column) for one, column in zip(row, chosen, strict=True)))
    return found


def _cell(run: Run, target: _Target, expression: Any, column: Column) -> Value:
    if expression is None:
        return _default(run, target, column)
    computed = value(expression, run.scope)
    return _stored(computed.run(Frame()), computed.type, column.type)


def _default(run: Run, target: _Target, column: Column) -> Value:
    default = run.state.defaults.get(target.name.last.lower(), {}).get(column.name.lower())
    return None if default is None else run.evaluate(default, column.type)


def _completed(run: Run, target: _Target, chosen: Sequence[Column], rows: Iterable[Values]) -> Iterator[Values]:
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


def _last_number(target: _Target) -> int:
    identity = (target.definition.identity or "").lower()
    place = [column.name.lower() for column in target.columns].index(identity)
    return max((int(str(row[place])) for row in target.rows()), default=0)


def _insert_executed(run: Run, statement: does.Insert, target: _Target, chosen: list[Column]) -> Iterator[Answer]:
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
            rows.append(tuple(_stored(one, given, column.type) for one, given, column in cells))
        elif not isinstance(answer, StatementEnd) or answer.failed:
            yield answer
    yield run.end(target.insert(_completed(run, target, chosen, rows)))


# UPDATE and DELETE


class _Candidates:
    """The rows of a table that UPDATE or DELETE may touch, and which of them it does."""

    def __init__(self, run: Run, name: Name, source: tree.Source | None, tested: tree.Expression | None) -> None:
        self._run = run
        self.target = _Target(run, self._named(name, source))
        alias = name.last.lower()
        self._own = tuple(Place((alias,), column.name, column.type) for column in self.target.columns)
        others = source if source is not None and not self._is_alone(source) else None
        self._others = SourcePlan((), lambda frame: [()])
        if others is not None:
            self._others = plan_source(others, run.environment, None)
        self._joined = others is not None
        places = self._others.places if self._joined else self._own
        self.scope = Scope(places, None, run.environment)
        self._test = None if tested is None else condition(tested, self.scope)
        self._alias = alias

    def _named(self, name: Name, source: tree.Source | None) -> Name:
        """Find the table that an alias stands for."""
        for node in tree.parts_of(source):
            if isinstance(node, tree.Table) and (node.alias or "").lower() == name.last.lower():
                return node.name
        return name

    def _is_alone(self, source: tree.Source) -> bool:
        return isinstance(source, tree.Table)

    def touched(self) -> list[tuple[Values, Frame | None]]:
        """Give every row of the table, with what expressions see of it, None where it stays."""
        joined = self._others.rows(None) if self._joined else ()
        first = self._first_place() if self._joined else 0
        width = len(self._own)
        found: dict[Values, Frame] = {}
        for row in joined:
            frame = Frame(row)
            if self._test is None or self._test(frame):
                found.setdefault(row[first : first + width], frame)
        result: list[tuple[Values, Frame | None]] = []
        for row in self._run.state.watched(self.target.rows()):
            if self._joined:
                result.append((row, found.get(row)))
                continue
            frame = Frame(row)
            result.append((row, frame if self._test is None or self._test(frame) else None))
        return result

    def _first_place(self) -> int:
        tables = [place.table for place in self._others.places]
        found = [index for index, table in enumerate(tables) if table and table[-1] == self._alias]
        if not found:
            raise fault(208, self._alias)
        return found[0]


def _update(run: Run, statement: does.Update) -> Iterator[Answer]:
    candidates = _Candidates(run, statement.table, statement.source, statement.condition)
    target = candidates.target
    changes = _assignments(target, candidates.scope, statement)
    count, rows = 0, []
    for row, frame in candidates.touched():
        cells = list(row)
        if frame is not None:
            count += 1
            for place, computed in changes:
                cells[place] = _stored(computed.run(frame), computed.type, target.columns[place].type)
        rows.append(tuple(cells))
    if count:
        target.replace(rows)
    yield run.end(count)


def _assignments(target: _Target, scope: Scope, statement: does.Update) -> list[tuple[int, Computed]]:
    names = [column.name.lower() for column in target.columns]
    found = []
    for name, operator, expression in statement.assignments:
        if name.lower() not in names:
            raise fault(207, name)
        whole = expression
        if operator != "=":
            whole = tree.Binary(operator[0], tree.Name((name,), statement.line), expression, statement.line)
        found.append((names.index(name.lower()), value(whole, scope)))
    return found


def _delete(run: Run, statement: does.Delete) -> Iterator[Answer]:
    candidates = _Candidates(run, statement.table, statement.source, statement.condition)
    touched = candidates.touched()
    kept = [row for row, frame in touched if frame is None]
    if len(kept) != len(touched):
        candidates.target.replace(kept)
    yield run.end(None if statement.truncates else len(touched) - len(kept))


HANDLERS: Final[dict[type, Handler]] = {
    does.CreateTable: _create,
    does.DropTables: _drop,
    does.Insert: _insert,
    does.Update: _update,
    does.Delete: _delete,
}
