"""Queries that are put together: UNION, EXCEPT and INTERSECT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.expressions import Frame, Place, Scope, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.grouping import (
    Ordering,
)
from vdi_conformance.sqlserver.language.plans import Plan
from vdi_conformance.sqlserver.language.selecting import distinct, ordinal, plan_select, row_key
from vdi_conformance.sqlserver.language.sqltypes import common
from vdi_conformance.sqlserver.language.values import convert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vdi_conformance.sqlserver.language.surroundings import Environment
    from vdi_conformance.sqlserver.language.tree import Expression
    from vdi_conformance.tds.answers import Column, Value

    Rows = Iterable[tuple[Value, ...]]


def combined(body: tree.Body, environment: Environment, outer: Scope | None) -> Plan:
    """Make queries ready that are put together, or one that stands alone; their columns get common types (205)."""
    if isinstance(body, tree.Select):
        return plan_select(body, (), environment, outer)
    left, right = combined(body.left, environment, outer), combined(body.right, environment, outer)
    if len(left.columns) != len(right.columns):
        raise fault(205)
    types = [common((one.type, other.type)) for one, other in zip(left.columns, right.columns, strict=True)]
    columns = tuple(column._replace(type=sql_type) for column, sql_type in zip(left.columns, types, strict=True))
    combine = _COMBINE[body.operator]
    first, second = _as_types(left, columns), _as_types(right, columns)
    return Plan(columns, lambda frame: combine(first(frame), second(frame)))


def _as_types(plan: Plan, columns: Sequence[Column]) -> Callable[[Frame | None], Rows]:
    pairs = [(column.type, target.type) for column, target in zip(plan.columns, columns, strict=True)]
    return lambda frame: (
        tuple(convert(one, *pair) for one, pair in zip(row, pairs, strict=True)) for row in plan.rows(frame)
    )


def _chosen(left: Rows, right: Rows, wanted: bool) -> Rows:
    others = set(map(row_key, right))
    return (row for row in distinct(left) if (row_key(row) in others) is wanted)


def _after(left: Rows, right: Rows) -> Rows:
    yield from left
    yield from right


_COMBINE: Final[dict[str, Callable[[Rows, Rows], Rows]]] = {
    "UNION ALL": _after,
    "UNION": lambda left, right: distinct(_after(left, right)),
    "EXCEPT": lambda left, right: _chosen(left, right, wanted=False),
    "INTERSECT": lambda left, right: _chosen(left, right, wanted=True),
}


def ordered(query: tree.Query, plan: Plan, environment: Environment) -> Plan:
    """Put the rows of queries that were put together in order."""
    if not query.order:
        return plan
    scope = Scope([Place((), column.name, column.type) for column in plan.columns], None, environment)
    keys = [(_output_key(item.expression, scope), item.descending) for item in query.order]
    ordering = Ordering(tuple(keys))
    return plan._replace(rows=lambda frame: [one.row for one in ordering.sorted(map(Frame, plan.rows(frame)))])


def _output_key(expression: Expression, scope: Scope) -> Callable[[Frame], Value]:
    place = ordinal(expression, len(scope.places))
    return value(expression, scope).run if place is None else lambda frame: frame.row[place]
