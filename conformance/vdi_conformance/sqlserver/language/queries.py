"""Queries made ready: what is selected from where, in which order, and how many rows of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.combining import combined, ordered
from vdi_conformance.sqlserver.language.expressions import Frame, Scope, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.selecting import plan_select
from vdi_conformance.sqlserver.language.sqltypes import BIGINT
from vdi_conformance.sqlserver.language.xml_paths import as_xml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vdi_conformance.sqlserver.language.plans import Plan
    from vdi_conformance.sqlserver.language.surroundings import Environment
    from vdi_conformance.tds.answers import Column, Value

    Rows = Iterable[tuple[Value, ...]]


def plan_query(query: tree.Query, environment: Environment, outer: Scope | None = None) -> Plan:
    """Make a query ready; what cannot be is a SqlError before any row."""
    for table in query.common:
        plan = plan_query(table.query, environment, outer)
        named = plan._replace(columns=renamed(plan.columns, table.columns, table.name))
        environment = replace(environment, common={**environment.common, table.name.lower(): named})
    if isinstance(query.body, tree.Combination):
        plan = ordered(query, combined(query.body, environment, outer), environment)
    else:
        plan = plan_select(query.body, query.order, environment, outer)
    plan = _limited(query, plan, environment)
    return plan if query.element is None else as_xml(plan, query.element)


def renamed(columns: Sequence[Column], names: Sequence[str], table: str) -> tuple[Column, ...]:
    """Give columns the names that stand behind a table's; each must have one of its own (8155, 8156)."""
    if names and len(names) != len(columns):
        raise fault(8155 if len(names) < len(columns) else 213, len(names) + 1, table)
    found = tuple(column._replace(name=name) for column, name in zip(columns, names or _names(columns), strict=True))
    seen: set[str] = set()
    for place, column in enumerate(found, 1):
        if not column.name:
            raise fault(8155, place, table)
        if column.name.lower() in seen:
            raise fault(8156, column.name, table)
        seen.add(column.name.lower())
    return found


def _names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]


def _limited(query: tree.Query, plan: Plan, environment: Environment) -> Plan:
    """Obey OFFSET and FETCH."""
    if query.offset is None:
        return plan
    scope = Scope((), None, environment)
    skipped, taken = (None if one is None else value(one, scope).as_type(BIGINT) for one in (query.offset, query.fetch))
    assert skipped is not None

    def rows(frame: Frame | None) -> Rows:
        start = _count(skipped(Frame()))
        return islice(plan.rows(frame), start, None if taken is None else start + _count(taken(Frame())))

    return plan._replace(rows=rows)


def _count(number: Any) -> int:
    if number is None or number < 0:
        raise fault(127)
    return int(number)
