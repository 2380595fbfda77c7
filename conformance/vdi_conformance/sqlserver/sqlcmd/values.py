"""How sqlcmd and osql show a value, and how wide the column of a type is; pure."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vdi_conformance.tds.answers import SqlType, Value

NULL: Final = "NULL"
NUMBERS: Final = frozenset({"bit", "tinyint", "smallint", "int", "bigint", "numeric", "float"})
"""The types whose values stand to the right."""
_WIDTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "bit": 1,
        "tinyint": 3,
        "smallint": 6,
        "int": 11,
        "bigint": 20,
        "float": 24,
        "datetime": 23,
        "uniqueidentifier": 36,
    }
)
_BINARY: Final = frozenset({"binary", "varbinary"})


def width_of(of: SqlType, longest_variable: int, longest_fixed: int) -> int:
    """Give how wide a column is shown, at least; `longest_variable` goes for lengths of max. 0 is no bound."""
    if of.name == "numeric":
        return of.precision + 2
    if of.name in _WIDTHS:
        return _WIDTHS[of.name]
    if not of.length:
        return longest_variable
    width = 2 * of.length + 2 if of.name in _BINARY else of.length
    return min(width, longest_fixed) if longest_fixed else width


def text_of(value: Value, of: SqlType) -> str:
    """Give the text of a value, not yet as wide as its column."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, bytes):
        return f"0x{value.hex().upper()}"
    if isinstance(value, Decimal):
        return _decimal(value, of.scale)
    if isinstance(value, float):
        return _float(value)
    if of.name == "datetime":
        return _moment(value)  # type: ignore[arg-type]
    if of.name == "uniqueidentifier":
        return str(value).upper()
    return str(value)


def _decimal(value: Decimal, scale: int) -> str:
    """Show a number with its scale; there is no 0 before the point."""
    text = f"{value:.{scale}f}"
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (digits[1:] if digits.startswith("0.") else digits)


def _float(value: float) -> str:
    text = f"{value:.15g}"
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}E{int(exponent):+d}"
    return text if "." in text else f"{text}.0"


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
