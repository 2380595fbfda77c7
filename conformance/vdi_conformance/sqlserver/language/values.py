"""Values of SQL Server: from one type to another, and which of two comes first."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from vdi_conformance.sqlserver.language import dates
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import (
    BINARIES,
    BOUNDS,
    CHARACTERS,
    DATETIME,
    LONGEST_NUMBER,
    UNICODE,
    length_as_text,
)
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.tds.answers import Value

LARGEST: Final = 16 << 20
"""So many characters or bytes may a value have here; a SQL Server's may have 2 GiB."""
_CODE_PAGE: Final = "cp1252"
_SECONDS_IN_A_DAY: Final = 86400
_TRUTHS: Final = {"true": 1, "false": 0}


def convert(value: Value, source: SqlType, target: SqlType, style: int = 0) -> Value:
    """Give a value as one of another type; NULL stays NULL, and what cannot be is a SqlError."""
    if value is None:
        return None
    return _converters()[_family(target)](value, source, target, style)


def finite(number: float) -> float:
    """Give a number that a float can be, or raise 8115: none of SQL Server's is infinite."""
    if not math.isfinite(number):
        raise fault(8115, "expression", "float")
    return number


def need_room(length: int) -> None:
    """Raise 7119 where a value would have more characters or bytes than there may be."""
    if length > LARGEST:
        raise fault(7119, LARGEST)


def _family(sql_type: SqlType) -> str:
    if sql_type.name in CHARACTERS:
        return "text"
    if sql_type.name in BINARIES:
        return "bytes"
    return "whole" if sql_type.name in BOUNDS else sql_type.name


def _converters() -> dict[str, Callable[[Any, SqlType, SqlType, int], Value]]:
    return _BY_FAMILY


def _to_text(value: Any, source: SqlType, target: SqlType, style: int) -> str:
    """Write a value as a text, cut to its length; what is no text must fit."""
    text = as_text(value, style, target.name in UNICODE)
    if target.length and len(text) > target.length:
        if source.name in ("uniqueidentifier", "numeric", "float") or source.name in BOUNDS:
            if source.name in BOUNDS and source.name != "bit":
                return "*"
            raise fault(8115, source.name, target.name)
        text = text[: target.length]
    return text.ljust(target.length) if target.name in ("char", "nchar") else text


def as_text(value: Any, style: int = 0, national: bool = True) -> str:
    """Write a value as a text, bytes in hexadecimal digits where the style says so (1 with 0x, 2 without)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, bytes):
        if style in (1, 2):
            return ("0x" if style == 1 else "") + value.hex().upper()
        return value.decode("utf-16-le" if national else _CODE_PAGE, "replace")
    if isinstance(value, datetime):
        return dates.write(value, style)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value).upper() if isinstance(value, UUID) else str(value)


def _float_text(value: float) -> str:
    text = f"{value:.6g}"
    if "e" not in text:
        return text
    digits, _, exponent = text.partition("e")
    return f"{digits}e{int(exponent):+04}"


def _to_bytes(value: Any, source: SqlType, target: SqlType, style: int) -> bytes:
    found = _as_bytes(value, source, style)
    if target.length:
        whole_number = source.name in BOUNDS
        found = found[-target.length :] if whole_number else found[: target.length]
        if target.name == "binary":
            found = found.rjust(target.length, b"\0") if whole_number else found.ljust(target.length, b"\0")
    return found


def _as_bytes(value: Any, source: SqlType, style: int) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        if style in (1, 2):
            return _from_digits(value, style)
        return value.encode("utf-16-le" if source.name in UNICODE else _CODE_PAGE, "replace")
    if isinstance(value, UUID):
        return value.bytes_le
    if isinstance(value, int):
        widths = {"bit": 1, "tinyint": 1, "smallint": 2, "int": 4}
        width = widths.get(source.name, 8)
        return (value % (1 << (8 * width))).to_bytes(width, "big")
    raise fault(529, source.name, "varbinary")


def _from_digits(text: str, style: int) -> bytes:
    digits = text.removeprefix("0x").removeprefix("0X") if style == 1 else text
    try:
        if len(digits) % 2 or digits != digits.strip() or (style == 1 and digits == text):
            raise ValueError(text)
        return bytes.fromhex(digits)
    except ValueError:
        raise fault(8114, "varchar", "varbinary") from None


def _to_whole(value: Any, source: SqlType, target: SqlType, style: int) -> int | bool:
    number = _as_whole(value, source, target)
    if target.name == "bit":
        return number != 0
    low, high = BOUNDS[target.name]
    if not low <= number <= high:
        if source.name in CHARACTERS and target.name == "int":
            raise fault(248, source.name, value)
        raise fault(8115, "expression" if source.name not in CHARACTERS else source.name, target.name)
    return number


def _as_whole(value: Any, source: SqlType, target: SqlType) -> int:
    if isinstance(value, str):
        text = value.strip()
        if target.name == "bit" and text.lower() in _TRUTHS:
            return _TRUTHS[text.lower()]
        try:
            return int(text.replace("+", "", 1)) if text and text.isascii() and "_" not in text else _no_number(text)
        except ValueError:
            raise fault(245, source.name, value[:128], target.name) from None
    if isinstance(value, bytes):
        return int.from_bytes(value[-8:], "big", signed=len(value) >= 8)
    if isinstance(value, datetime):
        return round((value - dates.BEGINNING).total_seconds() / _SECONDS_IN_A_DAY)
    if isinstance(value, UUID):
        raise fault(529, source.name, target.name)
    return int(value)


def _no_number(text: str) -> int:
    if text:
        raise ValueError(text)
    return 0


def _to_numeric(value: Any, source: SqlType, target: SqlType, style: int) -> Decimal:
    try:
        number = Decimal(value.strip() if isinstance(value, str) else str(_plain_number(value, source)))
    except InvalidOperation:
        raise fault(8114, source.name, "numeric") from None
    if not number.is_finite():
        raise fault(8114, source.name, "numeric")
    return fitted(number, target)


def fitted(number: Decimal, target: SqlType) -> Decimal:
    """Round a number to the digits of its type, or raise 8115."""
    with localcontext() as context:
        context.prec = 2 * LONGEST_NUMBER + 2
        context.rounding = ROUND_HALF_UP
        try:
            found = number.quantize(Decimal(1).scaleb(-target.scale))
        except InvalidOperation:
            raise fault(8115, "numeric", "numeric") from None
        if found.adjusted() >= target.precision - target.scale and found:
            raise fault(8115, "numeric", "numeric")
        return found


def _plain_number(value: Any, source: SqlType) -> Any:
    if isinstance(value, bytes | UUID):
        raise fault(529, source.name, "numeric")
    if isinstance(value, datetime):
        return (value - dates.BEGINNING).total_seconds() / _SECONDS_IN_A_DAY
    return int(value) if isinstance(value, bool) else value


def _to_float(value: Any, source: SqlType, target: SqlType, style: int) -> float:
    if isinstance(value, str):
        return _read_float(value.strip() or "0", source)
    return float(_plain_number(value, source))


def _read_float(text: str, source: SqlType) -> float:
    """Read a float; Python's own spellings, such as nan and 1_000, are none."""
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise fault(8114, source.name, "float")
    return number


def _to_datetime(value: Any, source: SqlType, target: SqlType, style: int) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return dates.read(value, style)
    if isinstance(value, bytes | UUID):
        raise fault(529, source.name, "datetime")
    try:
        return dates.rounded(dates.BEGINNING + timedelta(days=float(value)))
    except OverflowError:
        raise fault(8115, "expression", "datetime") from None


def _to_guid(value: Any, source: SqlType, target: SqlType, style: int) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        if isinstance(value, str):
            return UUID(value.strip()[:38])
        if isinstance(value, bytes):
            return UUID(bytes_le=value[:16].ljust(16, b"\0"))
    except ValueError:
        raise fault(8169) from None
    raise fault(529, source.name, "uniqueidentifier")


_BY_FAMILY: Final[dict[str, Callable[[Any, SqlType, SqlType, int], Value]]] = {
    "text": _to_text,
    "bytes": _to_bytes,
    "whole": _to_whole,
    "numeric": _to_numeric,
    "float": _to_float,
    "datetime": _to_datetime,
    "uniqueidentifier": _to_guid,
}


def natural_type(value: Value) -> SqlType:
    """Give the type that a value has by itself, such as one that a property of the server gives."""
    if isinstance(value, bool):
        return SqlType("bit")
    if isinstance(value, int):
        return SqlType("int" if BOUNDS["int"][0] <= value <= BOUNDS["int"][1] else "bigint")
    if isinstance(value, Decimal):
        return SqlType("numeric", 0, LONGEST_NUMBER, max(0, -int(value.as_tuple().exponent)))
    if isinstance(value, bytes):
        return SqlType("varbinary", max(1, len(value)) if len(value) <= 8000 else 0)
    if isinstance(value, str):
        return SqlType("nvarchar", max(1, len(value)) if len(value) <= 4000 else 0)
    simple = {float: SqlType("float"), datetime: DATETIME, UUID: SqlType("uniqueidentifier")}
    return simple.get(type(value), SqlType("nvarchar", 1))


def truncated(value: Value, target: SqlType) -> bool:
    """Tell whether a text or bytes would lose something in a column of that type."""
    if not target.length or not isinstance(value, str | bytes):
        return False
    kept = value.rstrip(" ") if isinstance(value, str) else value.rstrip(b"\0")
    return len(kept) > length_as_text(target)


def sort_key(value: Value) -> tuple[int, Any]:
    """Give what values of one type are put in order and compared by: NULL first, texts without case."""
    if value is None:
        return (0, 0)
    if isinstance(value, str):
        return (1, value.rstrip(" ").casefold())
    return (1, value.rstrip(b"\0") if isinstance(value, bytes) else value)


def exact_key(value: Value) -> tuple[int, Any]:
    """Give what texts are compared by where their case counts."""
    return (1, value.rstrip(" ")) if isinstance(value, str) else sort_key(value)
