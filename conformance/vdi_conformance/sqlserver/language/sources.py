"""What queries select from: tables, queries in their place, and joins of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.conditions import condition
from vdi_conformance.sqlserver.language.expressions import Frame, Place, Scope, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.plans import SourcePlan
from vdi_conformance.sqlserver.language.sqltypes import NVARCHAR_MAX, common

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.sqlserver.language.plans import Rows
    from vdi_conformance.sqlserver.language.surroundings import Environment
    from vdi_conformance.sqlserver.language.tree import Source
    from vdi_conformance.tds.answers import Column, Value

_DEFAULT_SCHEMA: Final = "dbo"


def plan_source(source: Source, environment: Environment, outer: Scope | None) -> SourcePlan:
    """Make ready what a query selects from."""
    return _MAKERS[type(source)](source, environment, outer)


def _places(columns: Sequence[Column], table: tuple[str, ...]) -> tuple[Place, ...]:
    return tuple(Place(table, column.name, column.type, column.nullable) for column in columns)


def _table(source: tree.Table, environment: Environment, outer: Scope | None) -> SourcePlan:
    name = source.name
    if len(name.parts) == 1 and (given := environment.common.get(name.last.lower())):
        return SourcePlan(_places(given.columns, ((source.alias or name.last).lower(),)), given.rows)
    session = environment.session
    columns = session.rows_of(name).columns
    return SourcePlan(_places(columns, _qualifiers(source)), lambda frame: session.rows_of(name).rows)


def _qualifiers(source: tree.Table) -> tuple[str, ...]:
    if source.alias:
        return (source.alias.lower(),)
    parts = [part.lower() or _DEFAULT_SCHEMA for part in source.name.parts]
    return tuple(parts if len(parts) > 1 else (_DEFAULT_SCHEMA, *parts))


def _derived(source: tree.Derived, environment: Environment, outer: Scope | None) -> SourcePlan:
    from vdi_conformance.sqlserver.language.queries import plan_query, renamed

    plan = plan_query(source.query, environment, outer)
    columns = renamed(plan.columns, source.columns, source.alias)
    return SourcePlan(_places(columns, (source.alias.lower(),)), plan.rows)


def _constants(source: tree.Constants, environment: Environment, outer: Scope | None) -> SourcePlan:
    scope = Scope((), outer, environment)
    rows = [[value(one, scope) for one in row] for row in source.rows]
    if len({len(row) for row in rows} | {len(source.columns)}) != 1:
        raise fault(213)
    types = [common(row[place].type for row in rows) for place in range(len(rows[0]))]
    runs = [[one.as_type(sql_type) for one, sql_type in zip(row, types, strict=True)] for row in rows]
    table = (source.alias.lower(),)
    places = tuple(Place(table, name, sql_type) for name, sql_type in zip(source.columns, types, strict=True))
    return SourcePlan(places, lambda frame: [tuple(run(Frame((), frame)) for run in row) for row in runs])


def _function(source: tree.TableFunction, environment: Environment, outer: Scope | None) -> SourcePlan:
    """Of functions that give rows there is STRING_SPLIT alone."""
    if source.name.written.upper() != "STRING_SPLIT" or len(source.arguments) != 2:
        raise fault(208, source.name.written, line=source.name.line)
    arguments: Any = source.arguments
    text, separator = (value(one, Scope((), outer, environment)).as_type(NVARCHAR_MAX) for one in arguments)

    def rows(frame: Frame | None) -> Rows:
        here = Frame((), frame)
        found, between = text(here), separator(here)
        return [] if found is None or not between else [(part,) for part in found.split(between)]

    return SourcePlan((Place(((source.alias or "string_split").lower(),), "value", NVARCHAR_MAX),), rows)


def _join(source: tree.Join, environment: Environment, outer: Scope | None) -> SourcePlan:
    left = plan_source(source.left, environment, outer)
    if source.kind in ("CROSS APPLY", "OUTER APPLY"):
        return _apply(source, left, environment, outer)
    right = plan_source(source.right, environment, outer)
    places = (*left.places, *right.places)
    if source.condition is None:
        return SourcePlan(places, lambda frame: _crossed(left, right, frame))
    test = condition(source.condition, Scope(places, outer, environment))

    def rows(frame: Frame | None) -> Rows:
        def fits(row: tuple[Value, ...]) -> bool:
            return bool(test(Frame(row, frame)))

        return _matched(source.kind, (left, right), fits, frame)

    return SourcePlan(places, rows)


def _crossed(left: SourcePlan, right: SourcePlan, frame: Frame | None) -> Iterator[tuple[Value, ...]]:
    others = list(right.rows(frame))
    return ((*row, *other) for row in left.rows(frame) for other in others)


def _matched(
    kind: str, sides: tuple[SourcePlan, SourcePlan], fits: Callable[[tuple[Value, ...]], bool], frame: Frame | None
) -> Iterator[tuple[Value, ...]]:
    left, right = sides
    others = list(right.rows(frame))
    met: set[int] = set()
    for row in left.rows(frame):
        alone = True
        for index, other in enumerate(others):
            if fits(both := (*row, *other)):
                alone = False
                met.add(index)
                yield both
        if alone and kind in ("LEFT", "FULL"):
            yield (*row, *(None,) * len(right.places))
    if kind in ("RIGHT", "FULL"):
        for index, other in enumerate(others):
            if index not in met:
                yield (*(None,) * len(left.places), *other)


def _apply(source: tree.Join, left: SourcePlan, environment: Environment, outer: Scope | None) -> SourcePlan:
    right = plan_source(source.right, environment, Scope(left.places, outer, environment))
    empty = (None,) * len(right.places)

    def rows(frame: Frame | None) -> Iterator[tuple[Value, ...]]:
        for row in left.rows(frame):
            others = list(right.rows(Frame(row, frame)))
            if not others and source.kind == "OUTER APPLY":
                others = [empty]
            yield from ((*row, *other) for other in others)

    return SourcePlan((*left.places, *right.places), rows)


_MAKERS: Final[dict[type, Callable[[Any, Environment, Scope | None], SourcePlan]]] = {
    tree.Table: _table,
    tree.Derived: _derived,
    tree.Constants: _constants,
    tree.TableFunction: _function,
    tree.Join: _join,
}
