"""Expressions and queries, put together from what the parser has found: one method for each rule of tsql.lark."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import BOUNDS, FLOAT, INT, NULL, named_type
from vdi_conformance.sqlserver.language.tokens import name_of, string_of
from vdi_conformance.sqlserver.language.tree import CONDITIONS
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.language.tree import Expression

_LONGEST_PLAIN: Final = 8000
_LONGEST_NATIONAL: Final = 4000
_CONVERTED_LENGTH: Final = 30
_HINTS: Final = frozenset(
    {"NOLOCK", "HOLDLOCK", "UPDLOCK", "READPAST", "TABLOCK", "TABLOCKX", "ROWLOCK", "READUNCOMMITTED"}
)
_NILADIC: Final = {"CURRENT_TIMESTAMP": "GETDATE", "CURRENT_USER": "USER_NAME", "SESSION_USER": "USER_NAME"}
_NILADIC_OTHERS: Final = {"SYSTEM_USER": "SUSER_SNAME", "USER": "USER_NAME"}


class Order(NamedTuple):
    """ORDER BY as a query takes it."""

    items: tuple[tree.OrderItem, ...]
    offset: Any = None
    fetch: Any = None


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


def _keyword(token: Any) -> str:
    return str(token).upper()


class LiteralBuilder:
    """Literals and names."""

    def integer(self, parts: list[Any]) -> tree.Constant:
        """A whole number, which is numeric where an int cannot have it."""
        number = int(parts[0])
        if number <= BOUNDS["int"][1]:
            return tree.Constant(number, INT)
        return tree.Constant(Decimal(number), SqlType("numeric", 0, min(len(str(number)), 38), 0))

    def decimal(self, parts: list[Any]) -> tree.Constant:
        """A number with a point."""
        whole, _, fraction = str(parts[0]).partition(".")
        digits = len(whole.lstrip("0")) + len(fraction)
        if digits > 38:
            raise fault(102, str(parts[0])[:64], line=parts[0].line)
        return tree.Constant(Decimal(str(parts[0]) or "0"), SqlType("numeric", 0, max(digits, 1), len(fraction)))

    def float_(self, parts: list[Any]) -> tree.Constant:
        """A number with an exponent, which may be empty."""
        text = str(parts[0])
        return tree.Constant(float(text if text[-1].isdigit() else f"{text}0"), FLOAT)

    def money(self, parts: list[Any]) -> tree.Constant:
        """An amount of money."""
        text = str(parts[0])[1:]
        return tree.Constant(Decimal(text if any(map(str.isdigit, text)) else "0"), SqlType("numeric", 0, 19, 4))

    def string(self, parts: list[Any]) -> tree.Constant:
        """A string of one byte a character."""
        text = string_of(parts[0])
        return tree.Constant(text, SqlType("varchar", 0 if len(text) > _LONGEST_PLAIN else max(len(text), 1)))

    def national(self, parts: list[Any]) -> tree.Constant:
        """A Unicode string."""
        text = string_of(parts[0])
        return tree.Constant(text, SqlType("nvarchar", 0 if len(text) > _LONGEST_NATIONAL else max(len(text), 1)))

    def hexadecimal(self, parts: list[Any]) -> tree.Constant:
        """Bytes."""
        digits = str(parts[0])[2:]
        value = bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
        return tree.Constant(value, SqlType("varbinary", 0 if len(value) > _LONGEST_PLAIN else max(len(value), 1)))

    def null(self, parts: list[Any]) -> tree.Constant:
        """NULL, which is an int until something else is said."""
        return tree.Constant(None, NULL)

    def negative(self, parts: list[Any]) -> tree.Unary:
        """A number with a minus."""
        return tree.Unary("-", parts[-1])

    def positive(self, parts: list[Any]) -> Any:
        """A number with a plus."""
        return parts[-1]

    def variable(self, parts: list[Any]) -> tree.Variable:
        """A variable."""
        return tree.Variable(str(parts[0]), parts[0].line)

    def global_(self, parts: list[Any]) -> tree.Global:
        """A function such as @@VERSION."""
        return tree.Global(str(parts[0]), parts[0].line)

    def name(self, parts: list[Any]) -> tree.Name:
        """The first part of a name."""
        return tree.Name((name_of(parts[0]),), parts[0].line)

    def longer_name(self, parts: list[Any]) -> tree.Name:
        """A name with one part more."""
        return tree.Name((*parts[0].parts, name_of(parts[1])), parts[0].line)

    def longest_name(self, parts: list[Any]) -> tree.Name:
        """A name with one part more, and an empty one before."""
        return tree.Name((*parts[0].parts, "", name_of(parts[2])), parts[0].line)

    def type_name(self, parts: list[Any]) -> tree.Name:
        """The name of a type."""
        return parts[0] if isinstance(parts[0], tree.Name) else tree.Name(("float",), parts[0].line)

    def type(self, parts: list[Any]) -> tuple[tree.Name, int | None, int | None]:
        """A type, whose length without parentheses depends on where it stands."""
        name, size, scale = parts
        if size is not None and str(size).upper() != "MAX" and not str(size).isdigit():
            raise fault(102, str(size), line=size.line)
        length = None if size is None else 0 if str(size).upper() == "MAX" else int(size)
        return name, length, None if scale is None else int(scale)


def type_of(found: tuple[tree.Name, int | None, int | None], default_length: int = 1) -> SqlType:
    """Give the type that was found."""
    name, size, scale = found
    return named_type(name.last, size, scale, name.line, default_length)


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
        name, arguments = parts[0], parts[1] or ()
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
        word = _keyword(parts[0])
        name = _NILADIC.get(word) or _NILADIC_OTHERS[word]
        return tree.Call(tree.Name((name,), parts[0].line), ())


class QueryBuilder(ExpressionBuilder):
    """Queries."""

    def query(self, parts: list[Any]) -> tree.Query:
        """A query with its order."""
        body, order, _ = parts
        return tree.Query(body, *(order or ()))

    def order(self, parts: list[Any]) -> Order:
        """ORDER BY, with OFFSET and FETCH."""
        *items, offset = parts
        return Order(tuple(items), *(offset or (None, None)))

    def offset(self, parts: list[Any]) -> tuple[Any, Any]:
        """OFFSET and FETCH."""
        return scalar(parts[0]), parts[-1]

    def order_item(self, parts: list[Any]) -> tree.OrderItem:
        """What is ordered by."""
        return tree.OrderItem(scalar(parts[0]), parts[1] is not None and parts[1].type == "DESC")

    def common_table(self, parts: list[Any]) -> tree.CommonTable:
        """A query with a name."""
        return tree.CommonTable(name_of(parts[0]), parts[1] or (), parts[2])

    def set_operator(self, parts: list[Any]) -> str:
        """UNION and the like."""
        return " ".join(_keyword(part) for part in parts if part is not None)

    def combination(self, parts: list[Any]) -> tree.Combination:
        """Two queries put together."""
        return tree.Combination(parts[1], parts[0], parts[2])

    def select(self, parts: list[Any]) -> tree.Select:
        """One SELECT."""
        word, distinct, top, items, into, source, where, groups, having = parts
        line = word.line
        return tree.Select(
            items,
            line,
            distinct,
            top,
            into,
            source,
            None if where is None else condition(where, line, "WHERE"),
            groups or (),
            None if having is None else condition(having, line, "HAVING"),
        )

    def quantifier(self, parts: list[Any]) -> bool:
        """DISTINCT or not."""
        return bool(parts) and parts[0].type == "DISTINCT"

    def _nothing(self, parts: list[Any]) -> None:
        """What a statement leaves out."""

    maybe_top = maybe_into = maybe_from = maybe_where = maybe_group = maybe_having = maybe_alias = maybe_hints = (
        _nothing
    )

    def top(self, parts: list[Any]) -> tree.Top:
        """TOP."""
        return tree.Top(scalar(parts[0]), parts[1] is not None, parts[2] is not None)

    def items(self, parts: list[Any]) -> tuple[tree.SelectItem, ...]:
        """What a query selects."""
        return tuple(parts)

    def plain_item(self, parts: list[Any]) -> tree.SelectItem:
        """An item without an alias behind it; a comparison stands for an alias or a variable before it."""
        found = parts[0]
        if not isinstance(found, tree.Compare) or found.operator != "=":
            return tree.SelectItem(scalar(found))
        if isinstance(found.left, tree.Variable):
            return tree.SelectItem(found.right, variable=found.left.name)
        if isinstance(found.left, tree.Name) and len(found.left.parts) == 1:
            return tree.SelectItem(found.right, alias=found.left.last)
        if isinstance(found.left, tree.Constant) and isinstance(found.left.value, str):
            return tree.SelectItem(found.right, alias=found.left.value)
        return tree.SelectItem(scalar(found))

    def aliased_item(self, parts: list[Any]) -> tree.SelectItem:
        """An item with its alias."""
        return tree.SelectItem(scalar(parts[0]), alias=parts[1])

    def alias(self, parts: list[Any]) -> str:
        """An alias, which may be written as a string."""
        return name_of(parts[0]) if parts[0].type == "IDENT" else string_of(parts[0])

    def star(self, parts: list[Any]) -> tree.SelectItem:
        """All columns."""
        return tree.SelectItem(tree.Star())

    def star_of(self, parts: list[Any]) -> tree.SelectItem:
        """All columns of one table."""
        return tree.SelectItem(tree.Star(parts[0]))

    def accumulated(self, parts: list[Any]) -> tree.SelectItem:
        """A variable to which something is added and the like."""
        return tree.SelectItem(scalar(parts[2]), variable=str(parts[0]), operator=str(parts[1]))

    def grouping(self, parts: list[Any]) -> tuple[Any, ...]:
        """GROUP BY."""
        return tuple(scalar(part) for part in parts)

    def source_list(self, parts: list[Any]) -> Any:
        """Tables with commas between are a cross join."""
        found = parts[0]
        for part in parts[1:]:
            found = tree.Join("CROSS", found, part)
        return found

    def join(self, parts: list[Any]) -> tree.Join:
        """A join with its condition."""
        left, kind, right, word, on = parts
        return tree.Join(kind, left, right, condition(on, word.line, "ON"))

    def join_kind(self, parts: list[Any]) -> str:
        """The kind of a join."""
        return "INNER" if parts[0] is None else _keyword(parts[0])

    def cross_join(self, parts: list[Any]) -> tree.Join:
        """A join without a condition."""
        return tree.Join("CROSS", parts[0], parts[1])

    def cross_apply(self, parts: list[Any]) -> tree.Join:
        """CROSS APPLY."""
        return tree.Join("CROSS APPLY", parts[0], parts[1])

    def outer_apply(self, parts: list[Any]) -> tree.Join:
        """OUTER APPLY."""
        return tree.Join("OUTER APPLY", parts[0], parts[2])

    def table_alias(self, parts: list[Any]) -> str:
        """The alias of a table."""
        return name_of(parts[0])

    def named_table(self, parts: list[Any]) -> tree.Table:
        """A table by name."""
        return tree.Table(parts[0], parts[1])

    def table_function(self, parts: list[Any]) -> tree.Table | tree.TableFunction:
        """A function as a table, or a table with a hint in parentheses."""
        name, arguments, alias, _ = parts
        found = tuple(map(scalar, arguments or ()))
        if found and all(isinstance(part, tree.Name) and part.written.upper() in _HINTS for part in found):
            return tree.Table(name, alias)
        return tree.TableFunction(name, found, alias)

    def derived_table(self, parts: list[Any]) -> tree.Derived:
        """A query as a table."""
        return tree.Derived(parts[0], parts[1], parts[2] or ())

    def values_table(self, parts: list[Any]) -> tree.Constants:
        """VALUES as a table."""
        return tree.Constants(parts[0], parts[1], parts[2] or ())

    def joined_table(self, parts: list[Any]) -> Any:
        """A join in parentheses."""
        return parts[0]

    def target(self, parts: list[Any]) -> tree.Name:
        """A table or a table variable."""
        return parts[0] if isinstance(parts[0], tree.Name) else tree.Name((str(parts[0]),), parts[0].line)

    def column_list(self, parts: list[Any]) -> tuple[str, ...]:
        """Names of columns."""
        return tuple(map(name_of, parts))

    def rows(self, parts: list[Any]) -> tuple[Any, ...]:
        """Rows of VALUES."""
        return tuple(parts)

    def row(self, parts: list[Any]) -> tuple[Any, ...]:
        """A row of VALUES, in which None stands for DEFAULT."""
        return tuple(None if part is None else scalar(part) for part in parts)

    def default_value(self, parts: list[Any]) -> None:
        """DEFAULT."""


def first_line(query: tree.Query) -> int:
    """Tell on which line a query begins."""
    body = query.body
    while isinstance(body, tree.Combination):
        body = body.left
    return body.line
