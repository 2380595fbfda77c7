"""Operators between values: which type they give, and what."""

from __future__ import annotations

import operator
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language import dates
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import (
    BINARIES,
    BOUNDS,
    CHARACTERS,
    DATETIME,
    INT,
    LONGEST_NUMBER,
    NULL,
    NUMBERS,
    UNICODE,
    as_numeric,
    common,
    length_as_text,
)
from vdi_conformance.sqlserver.language.values import finite, fitted, need_room
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_WORDS: Final = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
_BITS: Final[dict[str, Callable[[int, int], int]]] = {"&": operator.and_, "|": operator.or_, "^": operator.xor}
_LONGEST: Final = {"nvarchar": 4000, "varchar": 8000, "varbinary": 8000}


def result_type(sign: str, left: SqlType, right: SqlType) -> SqlType:
    """Give the type of two operands with an operator between, or raise 402 and 8117."""
    both = common((left, right))
    left, right = (both if one == NULL else one for one in (left, right))
    if both.name in CHARACTERS or both.name in BINARIES:
        if sign != "+":
            raise fault(8117, both.name, _WORDS.get(sign, sign))
        return _joined(left, right, both)
    if both.name == "uniqueidentifier" or (both.name == "datetime" and sign not in "+-"):
        raise fault(402, left.name, right.name, sign)
    if both.name == "datetime":
        return DATETIME
    return _number_type(sign, left, right, both)


def _joined(left: SqlType, right: SqlType, both: SqlType) -> SqlType:
    name: Any = "nvarchar" if both.name in UNICODE else "varchar" if both.name in CHARACTERS else "varbinary"
    lengths = length_as_text(left), length_as_text(right)
    return SqlType(name, 0 if 0 in lengths else min(sum(lengths), _LONGEST[name]))


def _number_type(sign: str, left: SqlType, right: SqlType, both: SqlType) -> SqlType:
    if sign in _BITS:
        if both.name not in BOUNDS:
            raise fault(402, left.name, right.name, sign)
        return both
    if both.name == "numeric":
        return _numeric_type(sign, _number(left, both), _number(right, both))
    return INT if both.name == "bit" or both == NULL else both


def _number(given: SqlType, both: SqlType) -> SqlType:
    return as_numeric(given) if given.name in NUMBERS else both


def _numeric_type(sign: str, left: SqlType, right: SqlType) -> SqlType:
    """Give the digits of a result, cut to 38 at the cost of those behind the point."""
    whole = max(left.precision - left.scale, right.precision - right.scale)
    scale = max(left.scale, right.scale)
    precision = whole + scale + 1
    if sign == "*":
        precision, scale = left.precision + right.precision + 1, left.scale + right.scale
    elif sign == "/":
        scale = max(6, left.scale + right.precision + 1)
        precision = left.precision - left.scale + right.scale + scale
    elif sign == "%":
        precision = min(left.precision - left.scale, right.precision - right.scale) + scale
    if precision > LONGEST_NUMBER:
        scale = max(min(scale, 6), scale - (precision - LONGEST_NUMBER))
        precision = LONGEST_NUMBER
    return SqlType("numeric", 0, precision, scale)


def compute(sign: str, left: Any, right: Any, result: SqlType) -> Any:
    """Compute; both operands are of the type of the result by now, and none is NULL."""
    if result.name in CHARACTERS or result.name in BINARIES:
        need_room(len(left) + len(right))
        joined = left + right
        return joined[: result.length] if result.length else joined
    if result.name == "datetime":
        return _moved(sign, left, right)
    if sign in "/%" and right == 0:
        raise fault(8134)
    if result.name == "float":
        return finite(_ARITHMETIC[sign](left, right))
    if result.name == "numeric":
        return _numeric(sign, left, right, result)
    return _whole(sign, int(left), int(right), result)


def _moved(sign: str, left: datetime, right: datetime) -> datetime:
    span = right - dates.BEGINNING
    try:
        return dates.rounded(left + span if sign == "+" else left - span)
    except OverflowError:
        raise fault(8115, "expression", "datetime") from None


def _remainder(left: Any, right: Any) -> Any:
    """Give what is left of a division, with the sign of what is divided."""
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _quotient(left: int, right: int) -> int:
    """Divide whole numbers towards zero."""
    found = abs(left) // abs(right)
    return found if (left < 0) == (right < 0) else -found


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": _remainder,
}


def _whole(sign: str, left: int, right: int, result: SqlType) -> int | bool:
    found = (
        _BITS[sign](left, right) if sign in _BITS else (_quotient if sign == "/" else _ARITHMETIC[sign])(left, right)
    )
    if result.name == "bit":
        return bool(found)
    low, high = BOUNDS[result.name]
    if not low <= found <= high:
        raise fault(8115, "expression", result.name)
    return found


def _numeric(sign: str, left: Decimal, right: Decimal, result: SqlType) -> Decimal:
    with localcontext() as context:
        context.prec = 2 * LONGEST_NUMBER + 4
        found = _ARITHMETIC[sign](left, right)
        if sign == "/":
            context.rounding = ROUND_DOWN
            found = found.quantize(Decimal(1).scaleb(-result.scale))
    return fitted(found, result)


def operand_type(sign: str, given: SqlType, result: SqlType) -> SqlType:
    """Give the type that an operand is brought to before the operator works on it."""
    if result.name == "numeric":
        return SqlType("numeric", 0, LONGEST_NUMBER, given.scale if given.name == "numeric" else min(result.scale, 6))
    if result.name in ("char", "varchar", "nchar", "nvarchar", "varbinary"):
        return given if given.name in (*CHARACTERS, *BINARIES) else result._replace(length=0)
    return result


def negated(value: Any, given: SqlType) -> Any:
    """Give a number with the other sign."""
    if given.name in ("numeric", "float"):
        return -value
    return _whole("-", 0, int(value), INT if given.name in ("bit", "tinyint") else given)


def inverted(value: Any, given: SqlType) -> Any:
    """Give a whole number with its bits turned over."""
    if given.name not in BOUNDS:
        raise fault(8117, given.name, "~")
    if given.name == "bit":
        return not value
    return value ^ 0xFF if given.name == "tinyint" else ~value
