"""Reads the parameters of calls: their types, and values of all types that drivers send [MS-TDS 2.2.5.5]."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from vdi_conformance.tds.answers import SqlType
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.moments import read_date, read_datetime, read_datetime2, read_offset, read_time, time_size
from vdi_conformance.tds.reading import decoded
from vdi_conformance.tds.type_codes import CODE_PAGE, MAX, MOST_DIGITS, UTF8_FLAG, TypeCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vdi_conformance.tds.answers import TypeName, Value
    from vdi_conformance.tds.reading import FieldReader

_NULL_LENGTH: Final = 0xFFFF
_LONG_NULL_LENGTH: Final = 0xFFFFFFFF
_MONEY_DIGITS: Final = 4
_DATETIME: Final = SqlType("datetime")
_INTEGERS: Final[dict[int, TypeName]] = {1: "tinyint", 2: "smallint", 4: "int", 8: "bigint"}
_FLOATS: Final = {4: struct.Struct("<f"), 8: struct.Struct("<d")}


class UnknownType(Exception):
    """A type of which this server reads no values, by its number."""

    def __init__(self, code: int) -> None:
        super().__init__(f"data type 0x{code:02X}")
        self.code = code


class TypedValue(NamedTuple):
    """A value with the type that was told of it; money is numeric, and all dates and times are datetime."""

    type: SqlType
    value: Value


def read_typed_value(reader: FieldReader) -> TypedValue:
    """Read TYPE_INFO and the value that follows it; UnknownType for tables, variants and types of a user's own."""
    code = reader.byte()
    try:
        read = _READERS[TypeCode(code)]
    except (KeyError, ValueError):
        raise UnknownType(code) from None
    return read(reader)


def _integer(size: int, data: bytes) -> int:
    # tinyint alone has no sign.
    return int.from_bytes(data, "little", signed=size > 1)


def _money(data: bytes) -> Decimal:
    # The upper half of 8 bytes comes first.
    number = int.from_bytes(data[-4:] if len(data) == 4 else data[4:] + data[:4], "little", signed=True)
    return Decimal(number).scaleb(-_MONEY_DIGITS)


def _float(data: bytes) -> float:
    found: float = _FLOATS[len(data)].unpack(data)[0]
    if not math.isfinite(found):
        raise Malformed("a float is no number")
    return found


def _fixed(name: TypeName, size: int, read: Callable[[bytes], Value]) -> Callable[[FieldReader], TypedValue]:
    """Give a reader of a type whose values have one size, and are never null."""
    return lambda reader: TypedValue(SqlType(name), read(reader.take(size)))


def _nullable(sizes: dict[int, tuple[SqlType, Callable[[bytes], Value]]]) -> Callable[[FieldReader], TypedValue]:
    """Give a reader of a type that tells the size of its values, each of which tells its own, 0 for null."""

    def read(reader: FieldReader) -> TypedValue:
        size, length = reader.byte(), reader.byte()
        if size not in sizes or length not in (0, size):
            raise Malformed(f"a value of {length} bytes is none of a type of {size}")
        told, convert = sizes[size]
        return TypedValue(told, convert(reader.take(length)) if length else None)

    return read


def _numeric(reader: FieldReader) -> TypedValue:
    _, precision, scale, length = reader.byte(), reader.byte(), reader.byte(), reader.byte()
    if not 0 <= scale <= precision <= MOST_DIGITS or not precision:
        raise Malformed(f"there is no numeric type of {precision} digits with {scale} after the point")
    told = SqlType("numeric", 0, precision, scale)
    if not length:
        return TypedValue(told, None)
    # Drivers send more bytes than so many digits need.
    sign, digits = reader.byte(), reader.number(length - 1)
    if digits >= 10**precision:
        raise Malformed(f"a numeric value has more than its {precision} digits")
    return TypedValue(told, Decimal((0 if sign else 1, tuple(map(int, str(digits))), -scale)))


def _date(reader: FieldReader) -> TypedValue:
    return TypedValue(_DATETIME, _sized(reader, 3, read_date))


def _moment(extra: int, read: Callable[[bytes, int], datetime]) -> Callable[[FieldReader], TypedValue]:
    """Give a reader of times with so many bytes after the time of day."""

    def read_moment(reader: FieldReader) -> TypedValue:
        scale = reader.byte()
        return TypedValue(_DATETIME, _sized(reader, time_size(scale) + extra, lambda data: read(data, scale)))

    return read_moment


def _sized(reader: FieldReader, size: int, read: Callable[[bytes], datetime]) -> datetime | None:
    if not (length := reader.byte()):
        return None
    if length != size:
        raise Malformed(f"a date or time of {size} bytes has no {length}")
    return read(reader.take(length))


def _guid(data: bytes) -> UUID:
    return UUID(bytes_le=data)


def _encoding(reader: FieldReader) -> str:
    """Read a collation, and give the encoding of what is not Unicode."""
    return "utf-8" if reader.take(5)[3] & UTF8_FLAG else CODE_PAGE


def _text(name: TypeName) -> Callable[[FieldReader], TypedValue]:
    """Give a reader of a type of text, with its collation."""
    is_wide = name.startswith("n")

    def read(reader: FieldReader) -> TypedValue:
        most, encoding = reader.number(2), _encoding(reader)
        data = reader.chunks() if most == MAX else _bounded(reader)
        told = SqlType(name, 0 if most == MAX else most // 2 if is_wide else most)
        return TypedValue(told, _decoded(data, is_wide, encoding))

    return read


def _decoded(data: bytes | None, is_wide: bool, encoding: str) -> str | None:
    if data is None:
        return None
    return decoded(data) if is_wide else data.decode(encoding, "replace")


def _bytes(name: TypeName) -> Callable[[FieldReader], TypedValue]:
    def read(reader: FieldReader) -> TypedValue:
        most = reader.number(2)
        data = reader.chunks() if most == MAX else _bounded(reader)
        return TypedValue(SqlType(name, 0 if most == MAX else most), data)

    return read


def _bounded(reader: FieldReader) -> bytes | None:
    length = reader.number(2)
    return None if length == _NULL_LENGTH else reader.take(length)


def _long(name: TypeName, has_collation: bool) -> Callable[[FieldReader], TypedValue]:
    """Give a reader of text, ntext or image, whose lengths have four bytes."""

    def read(reader: FieldReader) -> TypedValue:
        reader.number(4)
        encoding = _encoding(reader) if has_collation else ""
        length = reader.number(4)
        data = None if length == _LONG_NULL_LENGTH else reader.take(length)
        return TypedValue(SqlType(name), _decoded(data, name == "nvarchar", encoding) if has_collation else data)

    return read


def _legacy_text(name: TypeName) -> Callable[[FieldReader], TypedValue]:
    return lambda reader: _legacy(reader, name, lambda data: data.decode(CODE_PAGE, "replace"))


def _legacy_bytes(name: TypeName) -> Callable[[FieldReader], TypedValue]:
    return lambda reader: _legacy(reader, name, bytes)


def _legacy(reader: FieldReader, name: TypeName, read: Callable[[bytes], Value]) -> TypedValue:
    """Read a value of a type whose lengths have one byte."""
    most, length = reader.byte(), reader.byte()
    return TypedValue(SqlType(name, most), read(reader.take(length)) if length else None)


def _xml(reader: FieldReader) -> TypedValue:
    if reader.byte():
        raise Malformed("a value of XML comes with a schema")
    return TypedValue(SqlType("nvarchar"), _decoded(reader.chunks(), True, ""))


def _whole(size: int) -> tuple[SqlType, Callable[[bytes], Value]]:
    return SqlType(_INTEGERS[size]), lambda data: _integer(size, data)


def _integer_reader(size: int) -> Callable[[FieldReader], TypedValue]:
    return _fixed(_INTEGERS[size], size, lambda data: _integer(size, data))


def _bit(data: bytes) -> bool:
    return data != b"\0"


_SMALLMONEY: Final = SqlType("numeric", 0, 10, _MONEY_DIGITS)
_MONEY: Final = SqlType("numeric", 0, 19, _MONEY_DIGITS)
_READERS: Final[dict[TypeCode, Callable[[FieldReader], TypedValue]]] = {
    TypeCode.NULL: lambda _: TypedValue(SqlType("int"), None),
    TypeCode.INT1: _integer_reader(1),
    TypeCode.INT2: _integer_reader(2),
    TypeCode.INT4: _integer_reader(4),
    TypeCode.INT8: _integer_reader(8),
    TypeCode.BIT: _fixed("bit", 1, _bit),
    TypeCode.REAL: _fixed("float", 4, _float),
    TypeCode.FLOAT: _fixed("float", 8, _float),
    TypeCode.SMALLMONEY: lambda reader: TypedValue(_SMALLMONEY, _money(reader.take(4))),
    TypeCode.MONEY: lambda reader: TypedValue(_MONEY, _money(reader.take(8))),
    TypeCode.SMALLDATETIME: _fixed("datetime", 4, read_datetime),
    TypeCode.DATETIME: _fixed("datetime", 8, read_datetime),
    TypeCode.INT_N: _nullable({size: _whole(size) for size in _INTEGERS}),
    TypeCode.BIT_N: _nullable({1: (SqlType("bit"), _bit)}),
    TypeCode.FLOAT_N: _nullable({size: (SqlType("float"), _float) for size in _FLOATS}),
    TypeCode.MONEY_N: _nullable({4: (_SMALLMONEY, _money), 8: (_MONEY, _money)}),
    TypeCode.DATETIME_N: _nullable({4: (_DATETIME, read_datetime), 8: (_DATETIME, read_datetime)}),
    TypeCode.GUID: _nullable({16: (SqlType("uniqueidentifier"), _guid)}),
    TypeCode.DECIMAL_N: _numeric,
    TypeCode.NUMERIC_N: _numeric,
    TypeCode.LEGACY_DECIMAL: _numeric,
    TypeCode.LEGACY_NUMERIC: _numeric,
    TypeCode.DATE_N: _date,
    TypeCode.TIME_N: _moment(0, read_time),
    TypeCode.DATETIME2_N: _moment(3, read_datetime2),
    TypeCode.DATETIMEOFFSET_N: _moment(5, read_offset),
    TypeCode.VARCHAR: _text("varchar"),
    TypeCode.CHAR: _text("char"),
    TypeCode.NVARCHAR: _text("nvarchar"),
    TypeCode.NCHAR: _text("nchar"),
    TypeCode.VARBINARY: _bytes("varbinary"),
    TypeCode.BINARY: _bytes("binary"),
    TypeCode.TEXT: _long("varchar", has_collation=True),
    TypeCode.NTEXT: _long("nvarchar", has_collation=True),
    TypeCode.IMAGE: _long("varbinary", has_collation=False),
    TypeCode.LEGACY_VARCHAR: _legacy_text("varchar"),
    TypeCode.LEGACY_CHAR: _legacy_text("char"),
    TypeCode.LEGACY_VARBINARY: _legacy_bytes("varbinary"),
    TypeCode.LEGACY_BINARY: _legacy_bytes("binary"),
    TypeCode.XML: _xml,
}
