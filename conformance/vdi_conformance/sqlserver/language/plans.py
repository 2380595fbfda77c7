"""A query made ready: its columns are known before its rows are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vdi_conformance.sqlserver.language.expressions import Frame, Place
    from vdi_conformance.tds.answers import Column, Value

    Rows = Iterable[tuple[Value, ...]]


class Plan(NamedTuple):
    """A query: its columns, and what gives its rows each time anew, seen from a row of the query around."""

    columns: tuple[Column, ...]
    rows: Callable[[Frame | None], Rows]


class SourcePlan(NamedTuple):
    """Tables: what names may stand for, and what gives the rows."""

    places: tuple[Place, ...]
    rows: Callable[[Frame | None], Rows]
