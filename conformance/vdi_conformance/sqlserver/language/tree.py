"""Expressions and queries as values, as the parser gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from decimal import Decimal

    from vdi_conformance.tds.answers import SqlType


class Constant(NamedTuple):
    """A literal, NULL among them."""

    value: int | float | Decimal | str | bytes | None
    type: SqlType


class Name(NamedTuple):
    """The name of a column, a table or a procedure: one to four parts, of which the middle ones may be empty."""

    parts: tuple[str, ...]
    line: int

    @property
    def last(self) -> str:
        """The part that names the thing itself."""
        return self.parts[-1]

    @property
    def written(self) -> str:
        """The parts with dots between."""
        return ".".join(self.parts)


class Variable(NamedTuple):
    """A variable of the batch, with its @."""

    name: str
    line: int


class Global(NamedTuple):
    """A function that is written as a variable, such as @@VERSION."""

    name: str
    line: int


class Unary(NamedTuple):
    """A sign or ~ before an operand."""

    operator: str
    operand: Expression


class Binary(NamedTuple):
    """Two operands with one of + - * / % & ^ | between."""

    operator: str
    left: Expression
    right: Expression
    line: int


class Compare(NamedTuple):
    """Two operands with a comparison between."""

    operator: str
    left: Expression
    right: Expression
    line: int


class Logic(NamedTuple):
    """Conditions with AND or OR between."""

    operator: Literal["AND", "OR"]
    left: Expression
    right: Expression


class Negation(NamedTuple):
    """NOT before a condition."""

    operand: Expression


class IsNull(NamedTuple):
    """IS NULL or IS NOT NULL."""

    operand: Expression
    negated: bool


class Between(NamedTuple):
    """BETWEEN, with both bounds."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool


class Within(NamedTuple):
    """IN, with a list or a query."""

    operand: Expression
    choices: tuple[Expression, ...] | Query
    negated: bool


class Like(NamedTuple):
    """LIKE, with its pattern and escape character."""

    operand: Expression
    pattern: Expression
    escape: Expression | None
    negated: bool


class Exists(NamedTuple):
    """EXISTS with a query."""

    query: Query


class Case(NamedTuple):
    """CASE; with an operand that each WHEN is compared to, or none."""

    operand: Expression | None
    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None


class Conversion(NamedTuple):
    """CAST and CONVERT, and those that give NULL where they fail."""

    type: SqlType
    operand: Expression
    style: Expression | None = None
    tries: bool = False


class Call(NamedTuple):
    """A function with its arguments; COUNT(*) has a Star."""

    name: Name
    arguments: tuple[Expression | Star, ...]
    distinct: bool = False


class Window(NamedTuple):
    """A function with OVER."""

    call: Call
    partition: tuple[Expression, ...]
    order: tuple[OrderItem, ...]


class Scalar(NamedTuple):
    """A query in the place of a value."""

    query: Query
    line: int


class Collated(NamedTuple):
    """An expression with COLLATE."""

    operand: Expression
    collation: str
    line: int


class Star(NamedTuple):
    """All columns, or those of one table."""

    table: Name | None = None


Expression = (
    Constant
    | Name
    | Variable
    | Global
    | Unary
    | Binary
    | Compare
    | Logic
    | Negation
    | IsNull
    | Between
    | Within
    | Like
    | Exists
    | Case
    | Conversion
    | Call
    | Window
    | Scalar
    | Collated
)
CONDITIONS = (Compare, Logic, Negation, IsNull, Between, Within, Like, Exists)
"""Expressions that are true, false or unknown, and no values."""


class OrderItem(NamedTuple):
    """What rows are put in order by."""

    expression: Expression
    descending: bool


class SelectItem(NamedTuple):
    """One column of a query: an alias, or the variable that takes its value with the operator for that."""

    expression: Expression | Star
    alias: str | None = None
    variable: str | None = None
    operator: str = "="


class Table(NamedTuple):
    """A table, a view or a table variable, by name."""

    name: Name
    alias: str | None = None


class Derived(NamedTuple):
    """A query in the place of a table; its columns may have names of their own."""

    query: Query
    alias: str
    columns: tuple[str, ...] = ()


class Constants(NamedTuple):
    """VALUES in the place of a table."""

    rows: tuple[tuple[Expression, ...], ...]
    alias: str
    columns: tuple[str, ...] = ()


class TableFunction(NamedTuple):
    """A function in the place of a table."""

    name: Name
    arguments: tuple[Expression | Star, ...]
    alias: str | None = None


class Join(NamedTuple):
    """Two tables together; CROSS has no condition, APPLY lets the right one see columns of the left one."""

    kind: Literal["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "CROSS APPLY", "OUTER APPLY"]
    left: Source
    right: Source
    condition: Expression | None = None


Source = Table | Derived | Constants | TableFunction | Join


class Top(NamedTuple):
    """TOP, with its number of rows or per cents."""

    number: Expression
    percent: bool = False
    ties: bool = False


class Select(NamedTuple):
    """One SELECT without its ORDER BY."""

    items: tuple[SelectItem, ...]
    line: int
    distinct: bool = False
    top: Top | None = None
    into: Name | None = None
    source: Source | None = None
    condition: Expression | None = None
    groups: tuple[Expression, ...] = ()
    having: Expression | None = None


class Combination(NamedTuple):
    """Two queries with UNION, UNION ALL, EXCEPT or INTERSECT between."""

    operator: str
    left: Body
    right: Select


Body = Select | Combination


class CommonTable(NamedTuple):
    """A query that WITH gives a name to."""

    name: str
    columns: tuple[str, ...]
    query: Query


class Query(NamedTuple):
    """A whole query; `offset` and `fetch` are numbers of rows, `element` is the name of FOR XML PATH."""

    body: Body
    order: tuple[OrderItem, ...] = ()
    offset: Expression | None = None
    fetch: Expression | None = None
    common: tuple[CommonTable, ...] = ()
    element: str | None = None


def without_lines(node: Any) -> Any:
    """Give the same expression without the lines on which it stands, and names in small letters."""
    if isinstance(node, Name):
        return Name(tuple(part.lower() for part in node.parts), 0)
    if not isinstance(node, tuple):
        return node
    fields = getattr(node, "_fields", None)
    if fields is None:
        return tuple(map(without_lines, node))
    made: Any = type(node)
    return made(*(0 if name == "line" else without_lines(one) for name, one in zip(fields, node, strict=True)))


def parts_of(node: Any) -> list[Any]:
    """Give an expression and all that it is made of, but not the queries within."""
    found, left = [], [node]
    while left:
        one = left.pop()
        if isinstance(one, tuple) and not isinstance(one, Query):
            found.append(one)
            left.extend(reversed(one))
    return found
