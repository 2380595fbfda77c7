"""Aggregates over groups of rows, and functions with OVER: both are computed before what a query selects."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.expressions import Computed, Frame, Scope, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.functions.registry import AGGREGATES, RANKINGS
from vdi_conformance.sqlserver.language.sqltypes import BIGINT, BOUNDS, INT, NUMBERS, NVARCHAR_MAX
from vdi_conformance.sqlserver.language.values import convert, finite, need_room, sort_key
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vdi_conformance.tds.answers import Value

_COUNTS: Final = {"COUNT": INT, "COUNT_BIG": BIGINT}


class Aggregate(NamedTuple):
    """An aggregate made ready: its type, and how it is computed from the rows of a group."""

    type: SqlType
    over: Callable[[Sequence[Frame]], Value]


def is_aggregate(node: object) -> bool:
    """Tell whether this is a call of an aggregate."""
    return isinstance(node, tree.Call) and node.name.last.upper() in AGGREGATES


def aggregate(call: tree.Call, scope: Scope) -> Aggregate:
    """Make an aggregate ready."""
    name = call.name.last.upper()
    if len(call.arguments) != (2 if name == "STRING_AGG" else 1):
        raise fault(174, name, 2 if name == "STRING_AGG" else 1, line=call.name.line)
    argument: Any = call.arguments[0]
    if isinstance(argument, tree.Star):
        if name not in _COUNTS:
            raise fault(102, "*", line=call.name.line)
        return Aggregate(_COUNTS[name], len)
    found = value(argument, scope)
    if name == "STRING_AGG":
        return _texts(call, found, scope)
    return _over_values(name, found, call)


def _texts(call: tree.Call, found: Computed, scope: Scope) -> Aggregate:
    separator: Any = call.arguments[1]
    run, between = found.as_type(NVARCHAR_MAX), value(separator, scope).as_type(NVARCHAR_MAX)

    def over(frames: Sequence[Frame]) -> Value:
        texts = [text for frame in frames if (text := run(frame)) is not None]
        if not texts:
            return None
        joint = between(frames[0]) or ""
        need_room(sum(len(text) + len(joint) for text in texts))
        return joint.join(texts)

    return Aggregate(NVARCHAR_MAX, over)


def _over_values(name: str, found: Computed, call: tree.Call) -> Aggregate:
    result = _result(name, found.type, call)
    compute = _COMPUTE[name]
    run = found.as_type(result) if name in ("SUM", "AVG") else found.run

    def over(frames: Sequence[Frame]) -> Value:
        values = [one for frame in frames if (one := run(frame)) is not None]
        if call.distinct:
            values = list({sort_key(one): one for one in values}.values())
        if name in _COUNTS:
            return len(values)
        return convert(compute(values), result, result) if values else None

    return Aggregate(result, over)


def _result(name: str, given: SqlType, call: tree.Call) -> SqlType:
    if name in _COUNTS:
        return _COUNTS[name]
    if name in ("MIN", "MAX"):
        return given
    if given.name not in NUMBERS or given.name == "bit":
        raise fault(8117, given.name, name.lower(), line=call.name.line)
    if given.name == "numeric":
        return SqlType("numeric", 0, 38, given.scale if name == "SUM" else max(given.scale, 6))
    return INT if given.name in BOUNDS and given.name != "bigint" else given


def _sum(values: list[Any]) -> Any:
    total = sum(values)
    return finite(total) if isinstance(total, float) else total


def _average(values: list[Any]) -> Any:
    total = _sum(values)
    if isinstance(total, float | Decimal):
        return total / len(values)
    return abs(total) // len(values) * (1 if total >= 0 else -1)


_COMPUTE: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "COUNT": len,
    "COUNT_BIG": len,
    "MIN": lambda values: min(values, key=sort_key),
    "MAX": lambda values: max(values, key=sort_key),
    "SUM": _sum,
    "AVG": _average,
}


class Ordering(NamedTuple):
    """What rows are put in order by: how each key is computed, and whether it goes down."""

    keys: tuple[tuple[Callable[[Frame], Value], bool], ...]

    def key(self, frame: Frame) -> tuple[Any, ...]:
        """Compute all keys of a row."""
        return tuple(sort_key(run(frame)) for run, _ in self.keys)

    def compare(self, left: tuple[Any, ...], right: tuple[Any, ...]) -> int:
        """Tell which of two rows comes first."""
        for (_, down), one, other in zip(self.keys, left, right, strict=True):
            if one != other:
                return -1 if (one < other) != down else 1
        return 0

    def sorted(self, frames: Iterable[Frame]) -> list[Frame]:
        """Put rows in order; equal ones stay as they came."""
        return sorted(frames, key=lambda frame: cmp_to_key(self.compare)(self.key(frame)))


class WindowPlan(NamedTuple):
    """A function with OVER made ready."""

    type: SqlType
    streams: bool
    """Whether it only counts the rows as they come."""
    over: Callable[[Sequence[Frame]], list[Value]]


def window(node: tree.Window, scope: Scope) -> WindowPlan:
    """Make a function with OVER ready."""
    name = node.call.name.last.upper()
    if name not in RANKINGS and name not in AGGREGATES:
        raise fault(195, node.call.name.last, "built-in function name", line=node.call.name.line)
    if name in RANKINGS and not node.order:
        raise fault(8729, node.call.name.last, line=node.call.name.line)
    partition = Ordering(tuple((value(one, scope).run, False) for one in node.partition))
    order = Ordering(tuple((value(item.expression, scope).run, item.descending) for item in node.order))
    ranks = _ranking(name, order) if name in RANKINGS else _spread(aggregate(node.call, scope), bool(node.order), order)
    constant = not any(isinstance(part, tree.Name) for item in node.order for part in tree.parts_of(item.expression))
    sql_type = BIGINT if name in RANKINGS else aggregate(node.call, scope).type
    return WindowPlan(
        sql_type, name == "ROW_NUMBER" and not node.partition and constant, _partitioned(partition, ranks)
    )


def _partitioned(
    partition: Ordering, ranks: Callable[[Sequence[Frame]], list[Value]]
) -> Callable[[Sequence[Frame]], list[Value]]:
    def over(frames: Sequence[Frame]) -> list[Value]:
        found: list[Value] = [None] * len(frames)
        keys = [partition.key(frame) for frame in frames]
        places = sorted(range(len(frames)), key=keys.__getitem__)
        for _, group in groupby(places, key=keys.__getitem__):
            members = list(group)
            for place, one in zip(members, ranks([frames[place] for place in members]), strict=True):
                found[place] = one
        return found

    return over


def _ranking(name: str, order: Ordering) -> Callable[[Sequence[Frame]], list[Value]]:
    def ranks(frames: Sequence[Frame]) -> list[Value]:
        keys = [order.key(frame) for frame in frames]
        places = sorted(range(len(frames)), key=lambda place: cmp_to_key(order.compare)(keys[place]))
        found: list[Value] = [None] * len(frames)
        rank = dense = 0
        before: tuple[Any, ...] | None = None
        for number, place in enumerate(places, 1):
            if keys[place] != before:
                rank, dense, before = number, dense + 1, keys[place]
            found[place] = {"ROW_NUMBER": number, "RANK": rank}.get(name, dense)
        return found

    return ranks


def _spread(found: Aggregate, running: bool, order: Ordering) -> Callable[[Sequence[Frame]], list[Value]]:
    """Give each row the aggregate of its partition, up to itself and its equals where there is an order."""

    def ranks(frames: Sequence[Frame]) -> list[Value]:
        if not running:
            return [found.over(frames)] * len(frames)
        keys = [order.key(frame) for frame in frames]
        return [
            found.over([other for other, key in zip(frames, keys, strict=True) if order.compare(key, mine) <= 0])
            for mine in keys
        ]

    return ranks


def numbered(frames: Iterable[Frame], count: int) -> Iterator[Frame]:
    """Number rows as they come, once for each of so many functions."""
    for number, frame in enumerate(frames, 1):
        yield Frame(frame.row, frame.outer, (*frame.extra, *(number,) * count))
