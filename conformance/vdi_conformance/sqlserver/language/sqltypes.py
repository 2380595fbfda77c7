"""Types of SQL Server: their names as T-SQL writes them, and which of two goes before the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.tds.answers import TypeName

BIT: Final = SqlType("bit")
INT: Final = SqlType("int")
BIGINT: Final = SqlType("bigint")
NULL: Final = SqlType("int", 0, 0, -1)
"""The type of the literal NULL, which takes on that of whatever it meets and is an int at last."""
FLOAT: Final = SqlType("float")
DATETIME: Final = SqlType("datetime")
GUID: Final = SqlType("uniqueidentifier")
SYSNAME: Final = SqlType("nvarchar", 128)
NVARCHAR_MAX: Final = SqlType("nvarchar")
VARCHAR_MAX: Final = SqlType("varchar")
LONGEST_NUMBER: Final = 38
"""So many digits has a number at the most."""
CHARACTERS: Final = ("char", "varchar", "nchar", "nvarchar")
UNICODE: Final = ("nchar", "nvarchar")
BINARIES: Final = ("binary", "varbinary")
INTEGERS: Final = {"bit": 1, "tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
"""Types of whole numbers, and how many digits each may have."""
BOUNDS: Final = {
    "bit": (0, 1),
    "tinyint": (0, 255),
    "smallint": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
NUMBERS: Final = (*INTEGERS, "numeric", "float")
_PRECEDENCE: Final[tuple[TypeName, ...]] = (
    "binary",
    "varbinary",
    "char",
    "varchar",
    "nchar",
    "nvarchar",
    "uniqueidentifier",
    "bit",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "numeric",
    "float",
    "datetime",
)
_SYNONYMS: Final[dict[str, SqlType]] = {
    "integer": INT,
    "real": FLOAT,
    "double": FLOAT,
    "money": SqlType("numeric", 0, 19, 4),
    "smallmoney": SqlType("numeric", 0, 10, 4),
    "sysname": SYSNAME,
    "text": VARCHAR_MAX,
    "ntext": NVARCHAR_MAX,
    "xml": NVARCHAR_MAX,
    "image": SqlType("varbinary"),
    "sql_variant": SqlType("nvarchar", 4000),
    "timestamp": SqlType("binary", 8),
    "rowversion": SqlType("binary", 8),
    "date": DATETIME,
    "time": DATETIME,
    "datetime2": DATETIME,
    "datetimeoffset": DATETIME,
    "smalldatetime": DATETIME,
}
_LONGEST: Final = {"nchar": 4000, "nvarchar": 4000}
_LONGEST_OTHERS: Final = 8000
_BY_NAME: Final[dict[str, TypeName]] = {name: name for name in _PRECEDENCE}
_BY_NAME.update({"character": "char", "decimal": "numeric", "dec": "numeric"})


def named_type(name: str, size: int | None, scale: int | None, line: int, default_length: int = 1) -> SqlType:
    """Give the type of a name with what stands in its parentheses, 0 being max; 243 and 2715-like where there is none.

    `default_length` is what a type of texts has without: 1 in a declaration, 30 in CONVERT.
    """
    lower = name.lower()
    if lower in _SYNONYMS:
        return _SYNONYMS[lower]
    known = _BY_NAME.get(lower)
    if known is None:
        raise fault(243, name, line=line)
    if known == "numeric":
        return SqlType("numeric", 0, min(size or 18, LONGEST_NUMBER), scale or 0)
    if known in CHARACTERS or known in BINARIES:
        length = default_length if size is None else size
        return SqlType(known, 0 if length > _LONGEST.get(known, _LONGEST_OTHERS) else length)
    return SqlType(known)


def written(sql_type: SqlType) -> str:
    """Write a type as T-SQL does, such as nvarchar(128)."""
    if sql_type.name == "numeric":
        return f"numeric({sql_type.precision},{sql_type.scale})"
    if sql_type.name in CHARACTERS or sql_type.name in BINARIES:
        return f"{sql_type.name}({sql_type.length or 'max'})"
    return sql_type.name


def common(types: Iterable[SqlType]) -> SqlType:
    """Give the type that values of all these types have together, and NULL where none has one."""
    found: SqlType | None = None
    for sql_type in types:
        if sql_type != NULL:
            found = sql_type if found is None else _common_of_two(found, sql_type)
    return found or NULL


def _common_of_two(left: SqlType, right: SqlType) -> SqlType:
    if _PRECEDENCE.index(left.name) < _PRECEDENCE.index(right.name):
        left, right = right, left
    if left.name == "numeric":
        return _wider(left, as_numeric(right))
    if left.name in CHARACTERS or left.name in BINARIES:
        # Texts of two lengths are no longer of a fixed one.
        name: TypeName = left.name
        if left.name != right.name or left.length != right.length:
            name = {"char": "varchar", "nchar": "nvarchar", "binary": "varbinary"}.get(name, name)  # type: ignore[assignment]
        return SqlType(name, longest(left, right))
    return left


def longest(*types: SqlType) -> int:
    """Give the length that fits each of these types of texts; 0 is max."""
    lengths = [length_as_text(sql_type) for sql_type in types]
    return 0 if 0 in lengths else max(lengths)


def length_as_text(sql_type: SqlType) -> int:
    """Tell how many characters a value of a type needs; 0 is max."""
    if sql_type.name in CHARACTERS or sql_type.name in BINARIES:
        return sql_type.length
    return {"uniqueidentifier": 36, "numeric": 41}.get(sql_type.name, 30)


def _wider(left: SqlType, right: SqlType) -> SqlType:
    scale = max(left.scale, right.scale)
    whole = max(left.precision - left.scale, right.precision - right.scale)
    return SqlType("numeric", 0, min(whole + scale, LONGEST_NUMBER), scale)


def as_numeric(sql_type: SqlType) -> SqlType:
    """Give the numeric type that has every value of a type of numbers."""
    if sql_type.name == "numeric":
        return sql_type
    return SqlType("numeric", 0, INTEGERS.get(sql_type.name, 18), 0)
