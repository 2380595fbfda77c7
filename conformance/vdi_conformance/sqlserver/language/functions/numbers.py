"""Functions of numbers."""

from __future__ import annotations

import math
import random
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vdi_conformance.sqlserver.language.expressions import Computed
from vdi_conformance.sqlserver.language.faults import SqlError, fault
from vdi_conformance.sqlserver.language.functions.registry import function, simple
from vdi_conformance.sqlserver.language.sqltypes import BOUNDS, CHARACTERS, FLOAT, GUID, INT, NUMBERS
from vdi_conformance.sqlserver.language.values import convert, finite
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.language.expressions import Frame
    from vdi_conformance.sqlserver.language.surroundings import Surroundings
    from vdi_conformance.tds.answers import Value


def _number_type(argument: Computed) -> SqlType:
    found = argument.type
    if found.name in ("numeric", "float", "int", "bigint"):
        return found
    return INT if found.name in BOUNDS else FLOAT


def _of_number(name: str, compute: Callable[[Any], Any]) -> None:
    """Enter a function that keeps the type of its number."""

    @function(name, 1)
    def make(arguments: Sequence[Computed], session: Surroundings) -> Computed:
        sql_type = _number_type(arguments[0])
        run_number = arguments[0].as_type(sql_type)

        def run(frame: Frame) -> Value:
            number = run_number(frame)
            return None if number is None else convert(compute(number), sql_type, sql_type)

        return Computed(sql_type, run)


_of_number("ABS", abs)
_of_number("CEILING", math.ceil)
_of_number("FLOOR", math.floor)
_of_number("SIGN", lambda number: (number > 0) - (number < 0))


@function("ROUND", 2, 3)
def _round(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    sql_type = _number_type(arguments[0])
    run_number, places = arguments[0].as_type(sql_type), arguments[1].as_type(INT)
    cuts = arguments[2].as_type(INT) if len(arguments) == 3 else None

    def run(frame: Frame) -> Value:
        number, digits = run_number(frame), places(frame)
        if number is None or digits is None:
            return None
        rounding = ROUND_DOWN if cuts is not None and cuts(frame) else ROUND_HALF_UP
        found = Decimal(str(number)).quantize(Decimal(1).scaleb(-min(digits, 30)), rounding)
        return convert(found, SqlType("numeric", 0, 38, 6), sql_type)

    return Computed(sql_type, run)


def _power(base: float, exponent: float) -> float:
    try:
        found: float | complex = base**exponent
    except (OverflowError, ZeroDivisionError):
        raise fault(8115, "expression", "float") from None
    if isinstance(found, complex):
        raise fault(8115, "expression", "float")
    return finite(found)


def _root(number: float) -> float:
    if number < 0:
        raise fault(8115, "expression", "float")
    return math.sqrt(number)


@function("POWER", 2)
def _power_of(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    sql_type = _number_type(arguments[0])
    base, exponent = (argument.as_type(FLOAT) for argument in arguments)

    def run(frame: Frame) -> Value:
        one, other = base(frame), exponent(frame)
        return None if one is None or other is None else convert(_power(one, other), FLOAT, sql_type)

    return Computed(sql_type, run)


@function("SCOPE_IDENTITY", 0)
def _last_identity(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    return Computed(SqlType("numeric", 0, 38, 0), lambda frame: session.globals.get("IDENTITY"))


simple("SQRT", "f", FLOAT, _root)
simple("EXP", "f", FLOAT, math.exp)
simple("PI", "", FLOAT, lambda: math.pi)
simple("NEWID", "", GUID, uuid4)
simple("RAND", "i", FLOAT, lambda seed=None: random.Random(seed).random(), least=0)


@function("ISNUMERIC", 1)
def _is_numeric(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    (argument,) = arguments

    def run(frame: Frame) -> Value:
        found = argument.run(frame)
        if found is None or argument.type.name not in (*CHARACTERS, *NUMBERS):
            return 0
        try:
            convert(found, argument.type, FLOAT)
        except SqlError:
            return 0
        return int(not isinstance(found, str) or bool(found.strip()))

    return Computed(INT, run)
