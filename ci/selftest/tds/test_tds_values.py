"""Values of all types: as parameters of calls, and in rows."""

from __future__ import annotations

import struct
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdi_conformance.tds.answering import AnswerEncoder
from vdi_conformance.tds.answers import Column, Columns, Row, SqlType
from vdi_conformance.tds.column_values import written_type
from vdi_conformance.tds.declarations import Declared, read_declarations
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.parameter_values import TypedValue, UnknownType, read_typed_value
from vdi_conformance.tds.reading import FieldReader

if TYPE_CHECKING:
    from vdi_conformance.tds.answers import Value

LATIN = st.text("az\0\t äß€ÿ?", max_size=50)
UNICODE = st.text("az\0 äß€漢\uffff𝄞", max_size=50)


def integers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    return st.integers(-most, most).map(
        lambda number: Decimal((int(number < 0), tuple(map(int, str(abs(number)))), -scale))
    )


VALUES: dict[SqlType, st.SearchStrategy[Value]] = {
    SqlType("bit"): st.booleans(),
    SqlType("tinyint"): st.integers(0, 255),
    SqlType("smallint"): integers(16),
    SqlType("int"): integers(32),
    SqlType("bigint"): integers(64),
    SqlType("numeric", 0, 1, 0): decimals(1, 0),
    SqlType("numeric", 0, 19, 4): decimals(19, 4),
    SqlType("numeric", 0, 25, 25): decimals(25, 25),
    SqlType("numeric", 0, 38, 10): decimals(38, 10),
    SqlType("float"): st.floats(allow_nan=False),
    SqlType("uniqueidentifier"): st.uuids(),
    SqlType("varchar", 50): LATIN,
    SqlType("varchar"): LATIN,
    SqlType("nvarchar", 100): UNICODE,
    SqlType("nvarchar"): UNICODE,
    SqlType("varbinary", 60): st.binary(max_size=60),
    SqlType("varbinary"): st.binary(max_size=60),
    SqlType("binary", 8): st.binary(min_size=8, max_size=8),
    SqlType("char", 5): st.text("abcäß", min_size=5, max_size=5),
    SqlType("nchar", 5): st.text("abc漢", min_size=5, max_size=5),
}


def read(data: bytes) -> TypedValue:
    """Read all of a parameter's type and value."""
    reader = FieldReader(data)
    typed = read_typed_value(reader)
    assert not reader.has_more
    return typed


@settings(max_examples=200)
@given(st.sampled_from(list(VALUES)).flatmap(lambda told: st.tuples(st.just(told), st.none() | VALUES[told])))
def test_what_is_written_is_read_as_the_same(case: tuple[SqlType, Value]) -> None:
    told, value = case
    written = written_type(told)
    assert read(written.info + written.write(value)) == (told, value)


@given(st.datetimes(datetime(1753, 1, 1), datetime(9999, 12, 31)))
def test_a_moment_is_kept_to_a_300th_of_a_second(moment: datetime) -> None:
    written = written_type(SqlType("datetime"))
    data = written.write(moment)
    found = read(written.info + data).value
    assert isinstance(found, datetime)
    assert abs((found - moment).total_seconds()) <= 0.0022
    assert written.write(found) == data


def plain(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        ("1f", "int", None),
        ("30ff", "tinyint", 255),
        ("34ffff", "smallint", -1),
        ("3800000080", "int", -(2**31)),
        ("7f0000000000000080", "bigint", -(2**63)),
        ("3201", "bit", True),
        ("680100", "bit", None),
        ("3b0000c03f", "float", 1.5),
        ("6d04040000c03f", "float", 1.5),
        ("3e000000000000f83f", "float", 1.5),
        ("7a10270000", "numeric", Decimal("1.0000")),
        ("3c0000000010270000", "numeric", Decimal("1.0000")),
        ("6e0808ffffffffffffffff", "numeric", Decimal("-0.0001")),
        ("6e0404ffffffff", "numeric", Decimal("-0.0001")),
        ("6c11 05 03 11 00 39300000000000000000000000000000", "numeric", Decimal("-12.345")),
        ("37 05 05 00 05 01 07000000", "numeric", Decimal(7)),
        ("3a 0100 0100", "datetime", plain("1900-01-02T00:01")),
        ("6f 04 04 0100 0100", "datetime", plain("1900-01-02T00:01")),
        ("6f 08 08 00000000 2c010000", "datetime", plain("1900-01-01T00:00:01")),
        ("6f 08 00", "datetime", None),
        ("28 03 000000", "datetime", plain("0001-01-01")),
        ("28 03 dab937", "datetime", plain("9999-12-31")),
        ("28 00", "datetime", None),
        ("29 07 05 87e6bed153", "datetime", plain("1900-01-01T10:00:00.123456")),
        ("29 00 03 010000", "datetime", plain("1900-01-01T00:00:01")),
        ("2a 03 07 e8030000 010000", "datetime", plain("0001-01-02T00:00:01")),
        ("2b 00 08 100e00 010000 3c00", "datetime", plain("0001-01-02T02:00")),
        ("24 10 10 00112233445566778899aabbccddeeff", "uniqueidentifier", UUID("33221100-5544-7766-8899-aabbccddeeff")),
        ("24 10 00", "uniqueidentifier", None),
        ("27 08 03 61e463", "varchar", "aäc"),
        ("2f 08 00", "char", None),
        ("25 08 02 00ff", "varbinary", b"\0\xff"),
        ("2d 08 02 00ff", "binary", b"\0\xff"),
        ("a7 0800 0904d00034 0100 80", "varchar", "€"),
        ("a7 0800 0904000400 0300 e282ac", "varchar", "€"),
        ("a7 0800 0904d00034 ffff", "varchar", None),
        ("a7 ffff 0904d00034 feffffffffffffff 01000000 61 01000000 62 00000000", "varchar", "ab"),
        ("e7 ffff 0904d00034 ffffffffffffffff", "nvarchar", None),
        ("e7 0400 0904d00034 0200 00d8", "nvarchar", "\ufffd"),
        ("23 ffffff7f 0904d00034 02000000 6162", "varchar", "ab"),
        ("63 ffffff7f 0904d00034 02000000 6100", "nvarchar", "a"),
        ("63 ffffff7f 0904d00034 ffffffff", "nvarchar", None),
        ("22 ffffff7f 02000000 00ff", "varbinary", b"\0\xff"),
        ("f1 00 0400000000000000 04000000 3c003e00 00000000", "nvarchar", "<>"),
    ],
)
def test_a_parameter_of_each_type_is_read(data: str, name: str, value: Value) -> None:
    typed = read(bytes.fromhex(data))
    assert (typed.type.name, typed.value) == (name, value)


@pytest.mark.parametrize("code", [0x00, 0x62, 0xF0, 0xF3, 0xF4, 0xFF])
def test_a_type_that_no_value_can_be_read_of_is_told_by_its_number(code: int) -> None:
    with pytest.raises(UnknownType, match=f"0x{code:02X}"):
        read(bytes([code]) + bytes(20))


@pytest.mark.parametrize(
    "data",
    ["", "26 03 03 000000", "26 04 02 0000", "6c 05 00 00 00", "6c 05 05 06 00", "6c 05 01 00 02 01 0a", "28 02 0000"],
)
def test_a_value_that_its_type_does_not_have_is_malformed(data: str) -> None:
    with pytest.raises(Malformed):
        read(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("told", "value"),
    [
        (SqlType("tinyint"), 256),
        (SqlType("int"), 2**31),
        (SqlType("numeric", 0, 3, 1), Decimal(100)),
        (SqlType("varchar", 2), "abc"),
        (SqlType("nvarchar", 2), "a𝄞"),
        (SqlType("binary", 1), b"ab"),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_an_error_of_the_service(told: SqlType, value: Value) -> None:
    with pytest.raises(ValueError, match=r"is no|digits|longer"):
        written_type(told).write(value)


def test_a_row_has_a_value_for_each_column() -> None:
    encoder = AnswerEncoder("server")
    encoder.encode(Columns((Column("a", SqlType("int")),)))
    with pytest.raises(ValueError, match="2 values for 1 columns"):
        encoder.encode(Row((1, 2)))


def test_a_long_value_comes_in_parts() -> None:
    value = "x" * 3_000_000
    written = written_type(SqlType("nvarchar"))
    data = written.write(value)
    assert struct.unpack_from("<Q", data)[0] == 6_000_000
    assert read(written.info + data).value == value


def test_what_code_page_1252_lacks_becomes_a_question_mark() -> None:
    assert written_type(SqlType("varchar", 3)).write("a漢€") == b"\3\0a?\x80"


def test_texts_of_fixed_length_are_padded() -> None:
    assert written_type(SqlType("char", 4)).write("ab") == b"\4\0ab  "
    assert written_type(SqlType("nchar", 2)).write("a") == b"\4\0a\0 \0"
    assert written_type(SqlType("binary", 3)).write(b"a") == b"\3\0a\0\0"


def test_declarations_without_end_take_no_longer_than_they_are_long() -> None:
    long = "x" * 300_000
    assert read_declarations(f"@a {long}, @b ({long}, @c int") == (Declared("@a"), Declared("@b"))
