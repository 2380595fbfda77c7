"""Expressions and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.building.literals import LiteralBuilder, type_of
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.tokens import name_of
from vdi_conformance.sqlserver.language.tree import CONDITIONS

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.language.tree import Expression

_CONVERTED_LENGTH: Final = 30
_NILADIC: Final = {"CURRENT_TIMESTAMP": "GETDATE", "CURRENT_USER": "USER_NAME", "SESSION_USER": "USER_NAME"}
_NILADIC_OTHERS: Final = {"SYSTEM_USER": "SUSER_SNAME", "USER": "USER_NAME"}


def condition(found: Any, line: int, near: str = "") -> Expression:
    """Give what was found as a condition, or 4145."""
    if not isinstance(found, CONDITIONS):
        raise fault(4145, near, line=line)
    return found


def scalar(found: Any) -> Any:
    """Give what was found as a value; a condition is none (102 at its operator)."""
    if isinstance(found, CONDITIONS):
        if isinstance(found, tree.Compare):
            raise fault(102, found.operator, line=found.line)
        raise fault(156, _word_of(found), line=0)
    return found


def _word_of(found: Any) -> str:
    words = {tree.Negation: "NOT", tree.IsNull: "IS", tree.Between: "BETWEEN", tree.Within: "IN", tree.Like: "LIKE"}
    return found.operator if isinstance(found, tree.Logic) else words.get(type(found), "EXISTS")


def keyword(token: Any) -> str:
    """Give a word in capitals."""
    return str(token).upper()


class ExpressionBuilder(LiteralBuilder):
    """Expressions and conditions."""

    def expr_list(self, parts: list[Any]) -> tuple[Any, ...]:
        """Expressions with commas between."""
        return tuple(scalar(part) for part in parts)

    def disjunction(self, parts: list[Any]) -> tree.Logic:
        """OR."""
        return tree.Logic("OR", condition(parts[0], 0, "OR"), condition(parts[1], 0, "OR"))

    def conjunction(self, parts: list[Any]) -> tree.Logic:
        """AND."""
        return tree.Logic("AND", condition(parts[0], 0, "AND"), condition(parts[1], 0, "AND"))

    def negation(self, parts: list[Any]) -> tree.Negation:
        """NOT."""
        return tree.Negation(condition(parts[1], parts[0].line, "NOT"))

    def comparison(self, parts: list[Any]) -> tree.Compare:
        """A comparison."""
        left, operator, right = parts
        return tree.Compare(
            {"!=": "<>", "!<": ">=", "!>": "<="}.get(str(operator), str(operator)),
            scalar(left),
            scalar(right),
            operator.line,
        )

    def is_null(self, parts: list[Any]) -> tree.IsNull:
        """IS NULL."""
        return tree.IsNull(scalar(parts[0]), parts[1] is not None)

    def between(self, parts: list[Any]) -> tree.Between:
        """BETWEEN."""
        return tree.Between(scalar(parts[0]), scalar(parts[2]), scalar(parts[3]), parts[1] is not None)

    def within(self, parts: list[Any]) -> tree.Within:
        """IN."""
        return tree.Within(scalar(parts[0]), parts[2], parts[1] is not None)

    def like(self, parts: list[Any]) -> tree.Like:
        """LIKE."""
        escape = None if parts[3] is None else scalar(parts[3])
        return tree.Like(scalar(parts[0]), scalar(parts[2]), escape, parts[1] is not None)

    def exists(self, parts: list[Any]) -> tree.Exists:
        """EXISTS."""
        return tree.Exists(parts[0])

    def binary(self, parts: list[Any]) -> tree.Binary:
        """An operator between two operands."""
        left, operator, right = parts
        return tree.Binary(str(operator), scalar(left), scalar(right), operator.line)

    def unary(self, parts: list[Any]) -> tree.Unary:
        """An operator before its operand."""
        return tree.Unary(str(parts[0]), scalar(parts[1]))

    def collated(self, parts: list[Any]) -> tree.Collated:
        """COLLATE."""
        return tree.Collated(scalar(parts[0]), name_of(parts[1]), parts[1].line)

    def parenthesized(self, parts: list[Any]) -> Any:
        """Parentheses say nothing that the tree does not."""
        return parts[0]

    def scalar(self, parts: list[Any]) -> tree.Scalar:
        """A query in the place of a value."""
        return tree.Scalar(parts[0], first_line(parts[0]))

    def function(self, parts: list[Any]) -> tree.Name:
        """The name of a function, which may be a keyword."""
        found = parts[0]
        return found if isinstance(found, tree.Name) else tree.Name((str(found),), found.line)

    def arguments(self, parts: list[Any]) -> tuple[Any, ...]:
        """Arguments of a function, one of which may be a condition."""
        return tuple(parts)

    def star_argument(self, parts: list[Any]) -> tree.Star:
        """The argument of COUNT(*)."""
        return tree.Star()

    def call(self, parts: list[Any]) -> tree.Call | tree.Case:
        """A function with its arguments; IIF is a CASE whose condition is an argument."""
        name: tree.Name = parts[0]
        arguments: tuple[Any, ...] = parts[1] or ()
        if name.last.upper() == "IIF" and len(arguments) == 3:
            chosen = condition(arguments[0], name.line, ","), scalar(arguments[1])
            return tree.Case(None, (chosen,), scalar(arguments[2]))
        return tree.Call(name, tuple(map(scalar, arguments)))

    def distinct_call(self, parts: list[Any]) -> tree.Call:
        """A function over distinct values."""
        return tree.Call(parts[0], (scalar(parts[2]),), distinct=True)

    def window(self, parts: list[Any]) -> tree.Window:
        """A function with OVER."""
        call, partition, order = parts
        return tree.Window(call, partition or (), order.items if order else ())

    def case(self, parts: list[Any]) -> tree.Case:
        """CASE; where it has an operand each WHEN has a value, else a condition."""
        operand, *branches, otherwise = parts
        for when, _ in branches:
            if operand is None:
                condition(when, 0, "THEN")
            else:
                scalar(when)
        return tree.Case(operand, tuple(branches), otherwise)

    def branch(self, parts: list[Any]) -> tuple[Any, Any]:
        """WHEN and THEN."""
        return parts[0], scalar(parts[1])

    def cast(self, parts: list[Any]) -> tree.Conversion:
        """CAST and TRY_CAST."""
        function, operand, sql_type = parts
        if function.last.upper() not in ("CAST", "TRY_CAST"):
            raise fault(156, "AS", line=function.line)
        tries = function.last.upper() == "TRY_CAST"
        return tree.Conversion(type_of(sql_type, _CONVERTED_LENGTH), scalar(operand), tries=tries)

    def convert(self, parts: list[Any]) -> tree.Conversion:
        """CONVERT and TRY_CONVERT."""
        word, sql_type, operand, style = parts
        tries = word.type == "TRY_CONVERT"
        return tree.Conversion(type_of(sql_type, _CONVERTED_LENGTH), scalar(operand), style, tries)

    def niladic(self, parts: list[Any]) -> tree.Call:
        """A function without parentheses."""
        word = keyword(parts[0])
        name = _NILADIC.get(word) or _NILADIC_OTHERS[word]
        return tree.Call(tree.Name((name,), parts[0].line), ())


def first_line(query: tree.Query) -> int:
    """Tell on which line a query begins."""
    body = query.body
    while isinstance(body, tree.Combination):
        body = body.left
    return body.line
