"""Queries."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.building.expressions import ExpressionBuilder, condition, keyword, scalar
from vdi_conformance.sqlserver.language.tokens import name_of, string_of

_HINTS: Final = frozenset(
    {"NOLOCK", "HOLDLOCK", "UPDLOCK", "READPAST", "TABLOCK", "TABLOCKX", "ROWLOCK", "READUNCOMMITTED"}
)


class Order(NamedTuple):
    """ORDER BY as a query takes it."""

    items: tuple[tree.OrderItem, ...]
    offset: Any = None
    fetch: Any = None


class QueryBuilder(ExpressionBuilder):
    """Queries."""

    def query(self, parts: list[Any]) -> tree.Query:
        """A query with its order."""
        body, order, element, *_ = parts
        found = order or Order(())
        return tree.Query(body, found.items, found.offset, found.fetch, element=element)

    def for_xml(self, parts: list[Any]) -> str:
        """FOR XML PATH with the name of its elements, which is row where none is given."""
        return "row" if parts[0] is None else string_of(parts[0])

    def for_reading(self, parts: list[Any]) -> None:
        """FOR READ ONLY and FOR UPDATE, which change nothing here."""

    def query_hint(self, parts: list[Any]) -> None:
        """A hint, which changes nothing here."""

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
        return " ".join(keyword(part) for part in parts if part is not None)

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
        return "INNER" if parts[0] is None else keyword(parts[0])

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
