"""One SELECT made ready: what is selected of which rows, in which groups, and in which order."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.conditions import condition
from vdi_conformance.sqlserver.language.expressions import Computed, Frame, Scope, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.grouping import (
    Ordering,
    aggregate,
    is_aggregate,
    numbered,
    window,
)
from vdi_conformance.sqlserver.language.plans import Plan, SourcePlan
from vdi_conformance.sqlserver.language.sources import plan_source
from vdi_conformance.sqlserver.language.sqltypes import BIGINT, FLOAT, INT, NULL
from vdi_conformance.sqlserver.language.values import sort_key
from vdi_conformance.tds.answers import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vdi_conformance.sqlserver.language.expressions import Test
    from vdi_conformance.sqlserver.language.grouping import Aggregate, WindowPlan
    from vdi_conformance.sqlserver.language.surroundings import Environment
    from vdi_conformance.sqlserver.language.tree import Expression
    from vdi_conformance.tds.answers import Value

    Rows = Iterable[tuple[Value, ...]]


_NOTHING: Final = SourcePlan((), lambda frame: [()])


def plan_select(
    select: tree.Select, order: Sequence[tree.OrderItem], environment: Environment, outer: Scope | None
) -> Plan:
    """Make one ready; what cannot be is a SqlError before any row."""
    return _SelectPlanner(select, order, environment, outer).plan()


def row_key(row: tuple[Value, ...]) -> tuple[Any, ...]:
    """Give what rows are compared by."""
    return tuple(map(sort_key, row))


def distinct(rows: Rows) -> Iterator[tuple[Value, ...]]:
    """Leave out rows that came before."""
    seen = set()
    for row in rows:
        if (key := row_key(row)) not in seen:
            seen.add(key)
            yield row


def ordinal(expression: Expression, count: int) -> int | None:
    """Give the place of a column that ORDER BY names by its number."""
    if not isinstance(expression, tree.Constant) or not isinstance(expression.value, int):
        return None
    if not 1 <= expression.value <= count:
        raise fault(207, str(expression.value))
    return expression.value - 1


class _Output(NamedTuple):
    """One column of a query, and the expression that it comes from."""

    column: Column
    expression: Expression
    computed: Computed


class _Beforehand(NamedTuple):
    """What is computed before what is selected: groups and aggregates, then functions with OVER."""

    keys: tuple[Computed, ...] | None
    aggregates: tuple[Aggregate, ...]
    windows: tuple[WindowPlan, ...]


class _SelectPlanner:
    """Makes one SELECT ready."""

    def __init__(
        self, select: tree.Select, order: Sequence[tree.OrderItem], environment: Environment, outer: Scope | None
    ) -> None:
        self._select = select
        self._order = order
        self._source = _NOTHING if select.source is None else plan_source(select.source, environment, outer)
        self._plain = Scope(self._source.places, outer, environment)
        self._scope = Scope(self._source.places, outer, environment)
        self._entries = 0

    def plan(self) -> Plan:
        """Give the query made ready."""
        select = self._select
        where = None if select.condition is None else condition(select.condition, self._plain)
        items = [found for item in select.items for found in self._expanded(item)]
        before = self._beforehand([item.expression for item in items])
        outputs = [self._output(item) for item in items]
        having = None if select.having is None else condition(select.having, self._scope)
        frames = _Frames(self._source, where, before, having)
        top = None if select.top is None else (select.top, value(select.top.number, self._plain))
        ordering = self._ordering(outputs)
        finish = _finish_distinct if select.distinct else _finish
        return Plan(
            tuple(output.column for output in outputs),
            lambda frame: finish(frames.of(frame), outputs, ordering, _limit(top, frame)),
        )

    def _expanded(self, item: tree.SelectItem) -> Iterator[tree.SelectItem]:
        if not isinstance(item.expression, tree.Star):
            yield item
            return
        table = item.expression.table
        wanted = None if table is None else tuple(part.lower() for part in table.parts if part)
        found = [place for place in self._source.places if wanted is None or place.table[-len(wanted) :] == wanted]
        if not found:
            raise fault(263) if table is None else fault(107, table.written, line=table.line)
        for place in found:
            yield tree.SelectItem(tree.Name((*place.table, place.name), 0), place.name)

    def _output(self, item: tree.SelectItem) -> _Output:
        expression: Any = item.expression
        name = item.alias
        if name is None:
            name = expression.last if isinstance(expression, tree.Name) else ""
        computed = value(expression, self._scope)
        computed = computed._replace(type=INT) if computed.type == NULL else computed
        return _Output(Column(name, computed.type, self._nullable(expression)), expression, computed)

    def _nullable(self, expression: Expression) -> bool:
        if isinstance(expression, tree.Constant):
            return expression.value is None
        if isinstance(expression, tree.Name) and len(places := self._plain.matches(expression)) == 1:
            return self._source.places[places[0]].nullable
        return True

    def _beforehand(self, expressions: list[Any]) -> _Beforehand:
        select = self._select
        nodes = tree.parts_of((*expressions, select.having, *(item.expression for item in self._order)))
        windows = [node for node in nodes if isinstance(node, tree.Window)]
        within = {id(window.call) for window in windows}
        calls: list[Any] = [node for node in nodes if is_aggregate(node) and id(node) not in within]
        keys = self._keys(bool(calls) or select.having is not None)
        aggregates = tuple(self._entered(call, aggregate(call, self._plain)) for call in calls)
        found = tuple(window(node, self._scope if keys is not None else self._plain) for node in windows)
        for node, made in zip(windows, found, strict=True):
            self._entered(node, made)
        return _Beforehand(keys, aggregates, found)

    def _keys(self, aggregated: bool) -> tuple[Computed, ...] | None:
        """Make groups ready, where there are any; what each has one value of may be selected."""
        groups = self._select.groups
        if not groups and not aggregated:
            return None
        keys = tuple(value(group, self._plain) for group in groups)
        places = {self._plain.find(group) for group in groups if isinstance(group, tree.Name)}
        self._scope.grouped = frozenset(place for depth, place in places if depth == 0)
        for group, key in zip(groups, keys, strict=True):
            self._entered(group, key)
        return keys

    def _entered(self, node: Any, made: Any) -> Any:
        """Keep where what is computed beforehand will be found."""
        self._scope.extra.setdefault(tree.without_lines(node), (self._entries, made.type))
        self._entries += 1
        return made

    def _ordering(self, outputs: Sequence[_Output]) -> Ordering:
        keys = []
        for item in self._order:
            place = ordinal(item.expression, len(outputs))
            if place is None:
                place = self._aliased(item.expression, outputs)
            keys.append((self._key(item.expression, place, outputs), item.descending))
        return Ordering(tuple(keys))

    def _key(self, expression: Expression, place: int | None, outputs: Sequence[_Output]) -> Callable[[Frame], Value]:
        """Give the key of a row; with DISTINCT it comes from what is selected, else from the tables as well."""
        if not self._select.distinct:
            return value(expression, self._scope).run if place is None else outputs[place].computed.run
        wanted = tree.without_lines(expression)
        for index, output in enumerate(outputs):
            if index == place or tree.without_lines(output.expression) == wanted:
                return lambda frame: frame.row[index]
        raise fault(8120, "ORDER BY")

    def _aliased(self, expression: Expression, outputs: Sequence[_Output]) -> int | None:
        if not isinstance(expression, tree.Name) or len(expression.parts) > 1:
            return None
        found = [place for place, output in enumerate(outputs) if output.column.name.lower() == expression.last.lower()]
        return found[0] if found else None


class _Frames:
    """The rows that a SELECT is about, filtered and grouped, with what is computed beforehand."""

    def __init__(self, source: SourcePlan, where: Test | None, before: _Beforehand, having: Test | None) -> None:
        self._source = source
        self._where = where
        self._before = before
        self._having = having

    def of(self, outer: Frame | None) -> Iterable[Frame]:
        """Give them, seen from a row of the query around."""
        where, having = self._where, self._having
        frames: Iterable[Frame] = (Frame(row, outer) for row in self._source.rows(outer))
        if where is not None:
            frames = (frame for frame in frames if where(frame))
        if self._before.keys is not None:
            frames = self._grouped(frames, self._before.keys, outer)
            if having is not None:
                frames = (frame for frame in frames if having(frame))
        return self._with_windows(frames) if self._before.windows else frames

    def _grouped(self, frames: Iterable[Frame], keys: tuple[Computed, ...], outer: Frame | None) -> Iterator[Frame]:
        groups: dict[tuple[Any, ...], list[Frame]] = {} if keys else {(): []}
        for frame in frames:
            groups.setdefault(tuple(sort_key(key.run(frame)) for key in keys), []).append(frame)
        for members in groups.values():
            first = members[0] if members else Frame((), outer)
            told = (key.run(first) for key in keys)
            yield Frame(first.row, outer, (*told, *(one.over(members) for one in self._before.aggregates)))

    def _with_windows(self, frames: Iterable[Frame]) -> Iterable[Frame]:
        windows = self._before.windows
        if all(one.streams for one in windows):
            return numbered(frames, len(windows))
        found = list(frames)
        columns = [one.over(found) for one in windows]
        return [
            Frame(frame.row, frame.outer, (*frame.extra, *values))
            for frame, values in zip(found, zip(*columns, strict=True), strict=True)
        ]


class _Limit(NamedTuple):
    """TOP as it is for one run."""

    number: float
    percent: bool
    ties: bool

    def rows(self, total: int) -> int:
        """Tell how many rows of so many there are to be."""
        return -int(-(total * self.number) // 100) if self.percent else int(self.number)


def _limit(top: tuple[tree.Top, Computed] | None, outer: Frame | None) -> _Limit | None:
    if top is None:
        return None
    node, count = top
    number: Any = count.as_type(FLOAT if node.percent else BIGINT)(Frame((), outer))
    if number is None or number < 0:
        raise fault(127)
    return _Limit(number, node.percent, node.ties)


def _finish(
    frames: Iterable[Frame], outputs: Sequence[_Output], ordering: Ordering, limit: _Limit | None
) -> Iterator[tuple[Value, ...]]:
    """Put rows in order, take as many as wanted, and compute what is selected of each."""
    chosen = ordering.sorted(frames) if ordering.keys else frames
    if limit is not None:
        chosen = _taken(chosen, ordering, limit)
    runs = [output.computed.run for output in outputs]
    return (tuple(run(frame) for run in runs) for frame in chosen)


def _taken(frames: Iterable[Frame], ordering: Ordering, limit: _Limit) -> Iterable[Frame]:
    if not limit.percent and not limit.ties:
        return islice(frames, int(limit.number))
    found = list(frames)
    count = limit.rows(len(found))
    while limit.ties and 0 < count < len(found) and ordering.key(found[count]) == ordering.key(found[count - 1]):
        count += 1
    return found[:count]


def _finish_distinct(
    frames: Iterable[Frame], outputs: Sequence[_Output], ordering: Ordering, limit: _Limit | None
) -> Iterable[tuple[Value, ...]]:
    """Leave out rows that are there already, before they are put in order and counted."""
    runs = [output.computed.run for output in outputs]
    rows = map(Frame, distinct(tuple(run(frame) for run in runs) for frame in frames))
    chosen: Iterable[Frame] = ordering.sorted(rows) if ordering.keys else rows
    return (frame.row for frame in (chosen if limit is None else _taken(chosen, ordering, limit)))
