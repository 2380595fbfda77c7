"""Conditions made ready to be tested: true, false or unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.expressions import Computed, Frame, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.patterns import fits
from vdi_conformance.sqlserver.language.sqltypes import CHARACTERS, NVARCHAR_MAX, common
from vdi_conformance.sqlserver.language.values import exact_key, sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vdi_conformance.sqlserver.language.expressions import Scope, Test
    from vdi_conformance.sqlserver.language.tree import Expression


def condition(expression: Expression, scope: Scope) -> Test:
    """Make a condition ready; it gives None where it is unknown."""
    return _TESTS[type(expression)](expression, scope)


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda left, right: bool(left == right),
    "<>": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    ">": lambda left, right: bool(left > right),
    "<=": lambda left, right: bool(left <= right),
    ">=": lambda left, right: bool(left >= right),
}


def _comparable(found: Iterable[Computed]) -> tuple[list[Callable[[Frame], Any]], Callable[[Any], Any]]:
    """Bring expressions to one type, and give them with the key that values are compared by."""
    both = list(found)
    together = common(one.type for one in both)
    if together.name in CHARACTERS:
        together = NVARCHAR_MAX
    key = exact_key if any(one.exact for one in both) else sort_key
    return [one.as_type(together) for one in both], key


def _compare(expression: tree.Compare, scope: Scope) -> Test:
    return _comparison(expression.operator, expression.left, expression.right, scope)


def _comparison(sign: str, left: Expression, right: Expression, scope: Scope) -> Test:
    sides = value(left, scope), value(right, scope)
    (first, second), key = _comparable(sides)
    compare = _COMPARISONS[sign]

    def test(frame: Frame) -> bool | None:
        one, other = first(frame), second(frame)
        return None if one is None or other is None else compare(key(one), key(other))

    return test


def _logic(expression: tree.Logic, scope: Scope) -> Test:
    left, right = condition(expression.left, scope), condition(expression.right, scope)
    decides = expression.operator == "OR"

    def test(frame: Frame) -> bool | None:
        first = left(frame)
        if first is decides:
            return decides
        second = right(frame)
        if second is decides:
            return decides
        return None if first is None or second is None else not decides

    return test


def _turned(test: Test) -> Test:
    def turned(frame: Frame) -> bool | None:
        found = test(frame)
        return None if found is None else not found

    return turned


def _negation(expression: tree.Negation, scope: Scope) -> Test:
    return _turned(condition(expression.operand, scope))


def _null_test(expression: tree.IsNull, scope: Scope) -> Test:
    run, wanted = value(expression.operand, scope).run, not expression.negated
    return lambda frame: (run(frame) is None) is wanted


def _between(expression: tree.Between, scope: Scope) -> Test:
    low = tree.Compare(">=", expression.operand, expression.low, 0)
    high = tree.Compare("<=", expression.operand, expression.high, 0)
    test = condition(tree.Logic("AND", low, high), scope)
    return _turned(test) if expression.negated else test


def _within(expression: tree.Within, scope: Scope) -> Test:
    test = (
        _within_query(expression, scope)
        if isinstance(expression.choices, tree.Query)
        else _within_list(expression, scope)
    )
    return _turned(test) if expression.negated else test


def _within_list(expression: tree.Within, scope: Scope) -> Test:
    choices: Any = expression.choices
    tests = [_comparison("=", expression.operand, choice, scope) for choice in choices]
    return lambda frame: _any_of(test(frame) for test in tests)


def _any_of(outcomes: Iterable[bool | None]) -> bool | None:
    unknown = False
    for outcome in outcomes:
        if outcome:
            return True
        unknown = unknown or outcome is None
    return None if unknown else False


def _within_query(expression: tree.Within, scope: Scope) -> Test:
    from vdi_conformance.sqlserver.language.queries import plan_query

    query: Any = expression.choices
    plan = plan_query(query, scope.environment, scope)
    if len(plan.columns) != 1:
        raise fault(116)
    found = value(expression.operand, scope)
    choice = Computed(plan.columns[0].type, lambda frame: frame.row[0])
    (operand, member), key = _comparable((found, choice))

    def test(frame: Frame) -> bool | None:
        wanted = operand(frame)
        members = (member(Frame(row)) for row in plan.rows(frame))
        return _any_of(None if wanted is None or one is None else key(wanted) == key(one) for one in members)

    return test


def _like(expression: tree.Like, scope: Scope) -> Test:
    operand, pattern = value(expression.operand, scope), value(expression.pattern, scope)
    exact = operand.exact or pattern.exact
    text, like = operand.as_type(NVARCHAR_MAX), pattern.as_type(NVARCHAR_MAX)
    escape = None if expression.escape is None else value(expression.escape, scope).as_type(NVARCHAR_MAX)

    def test(frame: Frame) -> bool | None:
        found, wanted = text(frame), like(frame)
        if found is None or wanted is None:
            return None
        return fits(found, wanted, None if escape is None else escape(frame), exact)

    return _turned(test) if expression.negated else test


def _exists(expression: tree.Exists, scope: Scope) -> Test:
    from vdi_conformance.sqlserver.language.queries import plan_query

    plan = plan_query(expression.query, scope.environment, scope)
    return lambda frame: next(iter(plan.rows(frame)), None) is not None


_TESTS: Final[dict[type, Callable[[Any, Scope], Test]]] = {
    tree.Compare: _compare,
    tree.Logic: _logic,
    tree.Negation: _negation,
    tree.IsNull: _null_test,
    tree.Between: _between,
    tree.Within: _within,
    tree.Like: _like,
    tree.Exists: _exists,
}
