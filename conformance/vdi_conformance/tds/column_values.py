"""Writes columns and their values: TYPE_INFO, and how each type has its values [MS-TDS 2.2.5]."""

from __future__ import annotations

import struct
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.tds.moments import write_datetime
from vdi_conformance.tds.type_codes import CODE_PAGE, COLLATION, MAX, MOST_BYTES, MOST_DIGITS, TypeCode
from vdi_conformance.tds.writing import encoded

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from vdi_conformance.tds.answers import SqlType, Value

_NULL: Final = b"\0"
_NULL_OF_MANY: Final = b"\xff\xff"
_NULL_OF_PARTS: Final = b"\xff" * 8
_CHUNK: Final = 1 << 20
_INTEGERS: Final = {"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8}
_TEXTS: Final = {
    "char": TypeCode.CHAR,
    "varchar": TypeCode.VARCHAR,
    "nchar": TypeCode.NCHAR,
    "nvarchar": TypeCode.NVARCHAR,
}
_BYTES: Final = {"binary": TypeCode.BINARY, "varbinary": TypeCode.VARBINARY}


class WrittenType(NamedTuple):
    """A type as it is told, and how its values are written; a value that does not fit is a ValueError."""

    info: bytes
    write: Callable[[Any], bytes]


def written_type(told: SqlType) -> WrittenType:
    """Give a type in bytes; all are told in the way that permits nulls."""
    if told.name in _INTEGERS:
        return _integer(told.name)
    if told.name in _TEXTS:
        return _text(told)
    if told.name in _BYTES:
        return _binary(told)
    match told.name:
        case "bit":
            return WrittenType(bytes([TypeCode.BIT_N, 1]), lambda value: _short(value, lambda bit: bytes([bool(bit)])))
        case "float":
            return WrittenType(bytes([TypeCode.FLOAT_N, 8]), lambda value: _short(value, struct.Struct("<d").pack))
        case "datetime":
            return WrittenType(bytes([TypeCode.DATETIME_N, 8]), lambda value: _short(value, write_datetime))
        case "uniqueidentifier":
            return WrittenType(bytes([TypeCode.GUID, 16]), lambda value: _short(value, _guid))
    return _numeric(told)


def _short(value: Value, write: Callable[[Any], bytes]) -> bytes:
    """Write a value whose length has one byte."""
    if value is None:
        return _NULL
    data = write(value)
    return bytes([len(data)]) + data


def _guid(value: UUID) -> bytes:
    return value.bytes_le


def _integer(name: str) -> WrittenType:
    size = _INTEGERS[name]

    def write(value: int) -> bytes:
        try:
            return int(value).to_bytes(size, "little", signed=size > 1)
        except OverflowError:
            raise ValueError(f"{value} is no {name}") from None

    return WrittenType(bytes([TypeCode.INT_N, size]), lambda value: _short(value, write))


def _numeric(told: SqlType) -> WrittenType:
    size = _numeric_size(told.precision)

    def write(value: Decimal | int) -> bytes:
        with localcontext(prec=2 * told.precision + 1):
            digits = int(Decimal(value).scaleb(told.scale).to_integral_value(ROUND_HALF_UP))
        if abs(digits) >= 10**told.precision:
            raise ValueError(f"{value} has more digits than numeric({told.precision}, {told.scale})")
        return bytes([digits >= 0]) + abs(digits).to_bytes(size - 1, "little")

    info = bytes([TypeCode.NUMERIC_N, size, told.precision, told.scale])
    return WrittenType(info, lambda value: _short(value, write))


def _numeric_size(precision: int) -> int:
    """Give the bytes of a numeric value, its sign included."""
    for digits, size in ((9, 5), (19, 9), (28, 13), (MOST_DIGITS, 17)):
        if 1 <= precision <= digits:
            return size
    raise ValueError(f"a numeric type has 1 to {MOST_DIGITS} digits, not {precision}")


def _text(told: SqlType) -> WrittenType:
    is_wide = told.name.startswith("n")
    # A type of fixed length, of which "max" makes no sense, has one character where no length is told.
    is_padded = not told.name.endswith("varchar")
    length = told.length or is_padded
    most = length * (2 if is_wide else 1)

    def write(value: str) -> bytes:
        padded = value.ljust(length) if is_padded else value
        return encoded(padded) if is_wide else padded.encode(CODE_PAGE, "replace")

    return _of_length(_TEXTS[told.name], COLLATION, most, write)


def _binary(told: SqlType) -> WrittenType:
    is_padded = told.name == "binary"
    length = told.length or is_padded

    def write(value: bytes) -> bytes:
        return value.ljust(length, b"\0") if is_padded else bytes(value)

    return _of_length(_BYTES[told.name], b"", length, write)


def _of_length(code: TypeCode, collation: bytes, most: int, write: Callable[[Any], bytes]) -> WrittenType:
    """Give a type whose values have a length of two bytes, or come in parts where they may be longer."""
    if not 0 < most <= MOST_BYTES:
        return WrittenType(
            bytes([code]) + MAX.to_bytes(2, "little") + collation,
            lambda value: _NULL_OF_PARTS if value is None else _in_parts(write(value)),
        )

    def write_bounded(value: str | bytes | None) -> bytes:
        if value is None:
            return _NULL_OF_MANY
        data = write(value)
        if len(data) > most:
            raise ValueError(f"a value of {len(data)} bytes is longer than its column's {most}")
        return len(data).to_bytes(2, "little") + data

    return WrittenType(bytes([code]) + most.to_bytes(2, "little") + collation, write_bounded)


def _in_parts(data: bytes) -> bytes:
    parts = [len(data).to_bytes(8, "little")]
    for start in range(0, len(data), _CHUNK):
        part = data[start : start + _CHUNK]
        parts += [len(part).to_bytes(4, "little"), part]
    return b"".join([*parts, bytes(4)])
