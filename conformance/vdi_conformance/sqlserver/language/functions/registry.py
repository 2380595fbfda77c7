"""Functions by name: how many arguments each takes, and how it is made ready."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.expressions import Computed, value
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import DATETIME, FLOAT, INT, NVARCHAR_MAX
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.language.expressions import Frame, Scope
    from vdi_conformance.sqlserver.language.surroundings import Surroundings
    from vdi_conformance.tds.answers import Value

    Maker: TypeAlias = "Callable[[Sequence[Computed], Surroundings], Computed]"

_ROOMS: Final = ("text", "numbers", "moments", "choices", "server", "caught")
_KINDS: Final = {"s": NVARCHAR_MAX, "i": INT, "f": FLOAT, "d": DATETIME, "b": SqlType("varbinary")}
DATE_PARTS: Final = frozenset({"DATEADD", "DATEDIFF", "DATEDIFF_BIG", "DATEPART", "DATENAME"})
"""Functions whose first argument is a word for a part of a date."""
AGGREGATES: Final = frozenset({"COUNT", "COUNT_BIG", "MIN", "MAX", "SUM", "AVG", "STRING_AGG"})
"""Functions over the rows of a group."""
RANKINGS: Final = frozenset({"ROW_NUMBER", "RANK", "DENSE_RANK"})
"""Functions that need OVER."""
UNLIMITED: Final = 254
_SCHEMAS: Final = ((), ("sys",), ("dbo",), ("master", "sys"), ("master", "dbo"))
"""What may stand before the name of a function."""


class Function(NamedTuple):
    """A function: how many arguments it takes, and what makes it ready from them."""

    least: int
    most: int
    make: Maker


REGISTRY: Final[dict[str, Function]] = {}


def function(name: str, least: int, most: int | None = None) -> Callable[[Maker], Maker]:
    """Enter what follows under a name."""

    def enter(make: Maker) -> Maker:
        REGISTRY[name] = Function(least, least if most is None else most, make)
        return make

    return enter


def simple(
    name: str,
    kinds: str,
    result: SqlType | Callable[[Sequence[Computed]], SqlType],
    python: Callable[..., Any],
    least: int | None = None,
) -> None:
    """Enter a function that is computed from its arguments alone, and gives NULL where one of them is NULL.

    `kinds` has a letter for each argument: s text, i int, f float, d datetime, b bytes, x as it is.
    """

    def make(arguments: Sequence[Computed], session: Surroundings) -> Computed:
        runs = [
            argument.run if kind == "x" else argument.as_type(_KINDS[kind])
            for kind, argument in zip(kinds, arguments, strict=False)
        ]

        def run(frame: Frame) -> Value:
            values = [run(frame) for run in runs]
            try:
                found: Value = None if any(one is None for one in values) else python(*values)
            except OverflowError:
                raise fault(8115, "expression", given.name) from None
            return found

        given = result(arguments) if callable(result) else result
        return Computed(given, run)

    REGISTRY[name] = Function(len(kinds) if least is None else least, len(kinds), make)


@cache
def functions() -> dict[str, Function]:
    """Give every function that there is."""
    for room in _ROOMS:
        import_module(f"{__package__}.{room}")
    return REGISTRY


def look_up(name: tree.Name, given: int) -> Function:
    """Find a function for so many arguments, or raise 195, 174 and 189."""
    found = functions().get(name.last.upper())
    before = tuple(part.lower() for part in name.parts[:-1])
    if found is None or before not in _SCHEMAS:
        raise fault(195, name.last, "built-in function name", line=name.line)
    if not found.least <= given <= found.most:
        lower = name.last.lower()
        if found.least == found.most:
            raise fault(174, lower, found.least, line=name.line)
        raise fault(189, lower, found.least, found.most, line=name.line)
    return found


def call(expression: tree.Call, scope: Scope) -> Computed:
    """Make a call ready."""
    arguments: Any = expression.arguments
    upper = expression.name.last.upper()
    if upper in AGGREGATES:
        raise fault(156, expression.name.last, line=expression.name.line)
    if upper in RANKINGS:
        raise fault(10753, expression.name.last, line=expression.name.line)
    found = look_up(expression.name, len(arguments))
    if upper in DATE_PARTS and isinstance(arguments[0], tree.Name):
        arguments = (tree.Constant(arguments[0].last, NVARCHAR_MAX), *arguments[1:])
    return found.make([value(argument, scope) for argument in arguments], scope.environment.session)
