"""The numbers of data types [MS-TDS 2.2.5.4], and what both directions know of them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class TypeCode(IntEnum):
    """How a data type is told in TYPE_INFO."""

    NULL = 0x1F
    IMAGE = 0x22
    TEXT = 0x23
    GUID = 0x24
    LEGACY_VARBINARY = 0x25
    INT_N = 0x26
    LEGACY_VARCHAR = 0x27
    DATE_N = 0x28
    TIME_N = 0x29
    DATETIME2_N = 0x2A
    DATETIMEOFFSET_N = 0x2B
    LEGACY_BINARY = 0x2D
    LEGACY_CHAR = 0x2F
    INT1 = 0x30
    BIT = 0x32
    INT2 = 0x34
    LEGACY_DECIMAL = 0x37
    INT4 = 0x38
    SMALLDATETIME = 0x3A
    REAL = 0x3B
    MONEY = 0x3C
    DATETIME = 0x3D
    FLOAT = 0x3E
    LEGACY_NUMERIC = 0x3F
    NTEXT = 0x63
    BIT_N = 0x68
    DECIMAL_N = 0x6A
    NUMERIC_N = 0x6C
    FLOAT_N = 0x6D
    MONEY_N = 0x6E
    DATETIME_N = 0x6F
    SMALLMONEY = 0x7A
    INT8 = 0x7F
    VARBINARY = 0xA5
    VARCHAR = 0xA7
    BINARY = 0xAD
    CHAR = 0xAF
    NVARCHAR = 0xE7
    NCHAR = 0xEF
    XML = 0xF1


COLLATION: Final = bytes.fromhex("0904d00034")
"""SQL_Latin1_General_CP1_CI_AS, which is usual; what is not Unicode is in code page 1252."""
CODE_PAGE: Final = "cp1252"
UTF8_FLAG: Final = 0x04
"""Within the fourth byte of a collation."""
MAX: Final = 0xFFFF
"""The length of a type that has no bound, and whose values come in parts."""
MOST_BYTES: Final = 8000
"""Of a value whose type has a bound."""
MOST_DIGITS: Final = 38
