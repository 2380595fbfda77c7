"""UPDATE and DELETE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.execution.target import Target, fitting
from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.conditions import condition
from vdi_conformance.sqlserver.language.expressions import Computed, Frame, Place, Scope, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sources import plan_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.sqlserver.language.plans import SourcePlan
    from vdi_conformance.sqlserver.language.tree import Name
    from vdi_conformance.tds.answers import Answer, Value

    Values = tuple[Value, ...]


class _Candidates:
    """The rows of a table that UPDATE or DELETE may touch, and which of them it does."""

    def __init__(self, run: Run, name: Name, source: tree.Source | None, tested: tree.Expression | None) -> None:
        self._run = run
        self.target = Target(run, self._named(name, source))
        alias = name.last.lower()
        self._own = tuple(Place((alias,), column.name, column.type) for column in self.target.columns)
        # One table alone is the one that is changed, whatever it is called here.
        joined = None if isinstance(source, tree.Table) else source
        self._others = None if joined is None else plan_source(joined, run.environment, None)
        places = self._own if self._others is None else self._others.places
        self.scope = Scope(places, None, run.environment)
        self._test = None if tested is None else condition(tested, self.scope)
        self._alias = alias

    def _named(self, name: Name, source: tree.Source | None) -> Name:
        """Find the table that an alias stands for."""
        for node in tree.parts_of(source):
            if isinstance(node, tree.Table) and (node.alias or "").lower() == name.last.lower():
                return node.name
        return name

    def touched(self) -> list[tuple[Values, Frame | None]]:
        """Give every row of the table, with what expressions see of it, None where it stays."""
        rows = self._run.state.watched(self.target.rows())
        if self._others is None:
            return [(row, frame if self._is_meant(frame) else None) for row in rows for frame in [Frame(row)]]
        seen = self._seen_with(self._others)
        return [(row, seen.get(row)) for row in rows]

    def _seen_with(self, others: SourcePlan) -> dict[Values, Frame]:
        """Give the rows of the table that are meant, each with the first one beside which the others have it."""
        first = self._first_place(others)
        seen: dict[Values, Frame] = {}
        for frame in map(Frame, others.rows(None)):
            if self._is_meant(frame):
                seen.setdefault(frame.row[first : first + len(self._own)], frame)
        return seen

    def _is_meant(self, frame: Frame) -> bool:
        return self._test is None or bool(self._test(frame))

    def _first_place(self, others: SourcePlan) -> int:
        tables = [place.table for place in others.places]
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
                cells[place] = fitting(computed.run(frame), computed.type, target.columns[place].type)
        rows.append(tuple(cells))
    if count:
        target.replace(rows)
    yield run.end(count)


def _assignments(target: Target, scope: Scope, statement: does.Update) -> list[tuple[int, Computed]]:
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


HANDLERS: Final[dict[type, Handler]] = {does.Update: _update, does.Delete: _delete}
