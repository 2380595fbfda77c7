"""Expressions made ready to be computed: names become places in rows, and each has its type before it runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.sqlserver.language import operators, tree
from vdi_conformance.sqlserver.language.faults import SqlError, fault
from vdi_conformance.sqlserver.language.sqltypes import INT, NULL, NUMBERS, common
from vdi_conformance.sqlserver.language.values import convert
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.language.surroundings import Environment
    from vdi_conformance.sqlserver.language.tree import Expression
    from vdi_conformance.tds.answers import Value

    Test = Callable[["Frame"], bool | None]
    """A condition made ready: true, false, or None where it is unknown."""

_COLLATION: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)+")
_EXACT: Final = re.compile(r"_(CS|BIN2?)(_|$)", re.IGNORECASE)


class Frame:
    """One row, what was computed for it beforehand, and the row of the query around."""

    __slots__ = ("extra", "outer", "row")

    def __init__(self, row: tuple[Value, ...] = (), outer: Frame | None = None, extra: tuple[Value, ...] = ()) -> None:
        self.row = row
        self.outer = outer
        self.extra = extra


class Place(NamedTuple):
    """A column that an expression can name: the names of its table that may stand before its own, in small letters."""

    table: tuple[str, ...]
    name: str
    type: SqlType
    nullable: bool = True


class Computed(NamedTuple):
    """An expression: its type, how it is computed, and whether comparisons of it regard case."""

    type: SqlType
    run: Callable[[Frame], Value]
    exact: bool = False

    def as_type(self, target: SqlType) -> Callable[[Frame], Any]:
        """Compute it as another type."""
        if self.type == target:
            return self.run
        run, source = self.run, self.type
        return lambda frame: convert(run(frame), source, target)


class Scope:
    """The columns that names may stand for, and those of the query around."""

    def __init__(self, places: Sequence[Place], outer: Scope | None, environment: Environment) -> None:
        self.places = tuple(places)
        self.outer = outer
        self.environment = environment
        self.extra: dict[Expression, tuple[int, SqlType]] = {}
        """What is computed beforehand, its lines left out, with its place in Frame.extra."""
        self.grouped: frozenset[int] | None = None
        """The columns that each group has one value of; None where there are no groups."""

    def find(self, name: tree.Name) -> tuple[int, int]:
        """Find a column: how many queries outwards, and its place there; 207, 209 or 4104 where there is none."""
        scope: Scope | None = self
        depth = 0
        while scope is not None:
            found = scope.matches(name)
            if len(found) > 1:
                raise fault(209, name.last, line=name.line)
            if found:
                scope.require_grouped(found[0], name)
                return depth, found[0]
            scope, depth = scope.outer, depth + 1
        raise (
            fault(4104, name.written, line=name.line) if len(name.parts) > 1 else fault(207, name.last, line=name.line)
        )

    def matches(self, name: tree.Name) -> list[int]:
        """Give the places of columns that a name fits."""
        last = name.last.lower()
        before = tuple(part.lower() for part in name.parts[:-1] if part)
        return [
            index
            for index, place in enumerate(self.places)
            if place.name.lower() == last and (not before or place.table[-len(before) :] == before)
        ]

    def require_grouped(self, index: int, name: tree.Name) -> None:
        """Refuse a column that a group has several values of (8120)."""
        if self.grouped is not None and index not in self.grouped:
            raise fault(8120, name.written, line=name.line)


def value(expression: Expression, scope: Scope) -> Computed:
    """Make an expression ready."""
    if scope.extra and (found := scope.extra.get(tree.without_lines(expression))):
        index, sql_type = found
        return Computed(sql_type, lambda frame: frame.extra[index])
    return _MAKERS[type(expression)](expression, scope)


def _constant(expression: tree.Constant, scope: Scope) -> Computed:
    given = expression.value
    return Computed(expression.type, lambda frame: given)


def _name(expression: tree.Name, scope: Scope) -> Computed:
    depth, index = scope.find(expression)
    owner: Scope | None = scope
    for _ in range(depth):
        assert owner is not None
        owner = owner.outer
    assert owner is not None
    sql_type = owner.places[index].type
    if depth == 0:
        return Computed(sql_type, lambda frame: frame.row[index])

    def outwards(frame: Frame) -> Value:
        found: Frame | None = frame
        for _ in range(depth):
            assert found is not None
            found = found.outer
        assert found is not None
        return found.row[index]

    return Computed(sql_type, outwards)


def _variable(expression: tree.Variable, scope: Scope) -> Computed:
    cell = scope.environment.variables.get(expression.name.lower())
    if cell is None:
        raise fault(137, expression.name, line=expression.line)
    return Computed(cell.type, lambda frame: cell.value)


def _unary(expression: tree.Unary, scope: Scope) -> Computed:
    found = value(expression.operand, scope)
    sql_type = found.type if found.type.name in NUMBERS else SqlType("float")
    run = found.as_type(sql_type)
    if expression.operator == "+":
        return Computed(sql_type, run)
    change = operators.inverted if expression.operator == "~" else operators.negated

    def changed(frame: Frame) -> Value:
        operand = run(frame)
        result: Value = None if operand is None else change(operand, sql_type)
        return result

    return Computed(INT if sql_type.name in ("bit", "tinyint") and change is operators.negated else sql_type, changed)


def _binary(expression: tree.Binary, scope: Scope) -> Computed:
    # Long texts are put together from hundreds of parts, each of them the left operand of the next.
    operands = [expression.right]
    signs = [expression.operator]
    first: Expression = expression.left
    while isinstance(first, tree.Binary):
        operands.append(first.right)
        signs.append(first.operator)
        first = first.left
    found = value(first, scope)
    for sign, operand in zip(reversed(signs), reversed(operands), strict=True):
        found = _with_operator(sign, found, value(operand, scope), expression.line)
    return found


def _with_operator(sign: str, left: Computed, right: Computed, line: int) -> Computed:
    result = operators.result_type(sign, left.type, right.type)
    run_left = left.as_type(operators.operand_type(sign, left.type, result))
    run_right = right.as_type(operators.operand_type(sign, right.type, result))
    compute = operators.compute

    def computed(frame: Frame) -> Value:
        first, second = run_left(frame), run_right(frame)
        found: Value = None if first is None or second is None else compute(sign, first, second, result)
        return found

    return Computed(result, computed, left.exact or right.exact)


def _case(expression: tree.Case, scope: Scope) -> Computed:
    from vdi_conformance.sqlserver.language.conditions import condition

    tests: list[Test] = []
    for when, _ in expression.branches:
        asked = when if expression.operand is None else tree.Compare("=", expression.operand, when, 0)
        tests.append(condition(asked, scope))
    results = [value(then, scope) for _, then in expression.branches]
    otherwise = value(expression.otherwise or tree.Constant(None, NULL), scope)
    result = common(found.type for found in (*results, otherwise))
    runs = [(test, found.as_type(result)) for test, found in zip(tests, results, strict=True)]
    last = otherwise.as_type(result)

    def chosen(frame: Frame) -> Value:
        for test, run in runs:
            if test(frame):
                found: Value = run(frame)
                return found
        final: Value = last(frame)
        return final

    return Computed(result, chosen)


def _conversion(expression: tree.Conversion, scope: Scope) -> Computed:
    found = value(expression.operand, scope)
    style = None if expression.style is None else value(expression.style, scope).as_type(INT)
    run, source, target = found.run, found.type, expression.type

    def converted(frame: Frame) -> Value:
        number = 0 if style is None else style(frame)
        return None if number is None else convert(run(frame), source, target, number)

    if not expression.tries:
        return Computed(target, converted, found.exact)

    def tried(frame: Frame) -> Value:
        try:
            return converted(frame)
        except SqlError:
            return None

    return Computed(target, tried)


def _call(expression: tree.Call, scope: Scope) -> Computed:
    from vdi_conformance.sqlserver.language.functions.registry import call

    return call(expression, scope)


def _window(expression: tree.Window, scope: Scope) -> Computed:
    raise fault(102, "OVER", line=expression.call.name.line)


def _global(expression: tree.Global, scope: Scope) -> Computed:
    from vdi_conformance.sqlserver.language.functions.globals import global_value

    return global_value(expression, scope)


def _scalar(expression: tree.Scalar, scope: Scope) -> Computed:
    from vdi_conformance.sqlserver.language.queries import plan_query

    plan = plan_query(expression.query, scope.environment, scope)
    if len(plan.columns) != 1:
        raise fault(116, line=expression.line)

    def only(frame: Frame) -> Value:
        rows = iter(plan.rows(frame))
        found = next(rows, (None,))[0]
        if next(rows, None) is not None:
            raise fault(512)
        return found

    return Computed(plan.columns[0].type, only)


def _collated(expression: tree.Collated, scope: Scope) -> Computed:
    name = expression.collation
    if name.lower() != "database_default" and not _COLLATION.fullmatch(name):
        raise fault(448, name, line=expression.line)
    return value(expression.operand, scope)._replace(exact=bool(_EXACT.search(name)))


_MAKERS: Final[dict[type, Callable[[Any, Scope], Computed]]] = {
    tree.Constant: _constant,
    tree.Name: _name,
    tree.Variable: _variable,
    tree.Global: _global,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Case: _case,
    tree.Conversion: _conversion,
    tree.Call: _call,
    tree.Window: _window,
    tree.Scalar: _scalar,
    tree.Collated: _collated,
}
