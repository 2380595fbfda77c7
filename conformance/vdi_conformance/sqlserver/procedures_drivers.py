"""Procedures that drivers call by themselves: which types the server has, and what it is."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.data_tables import shipped
from vdi_conformance.sqlserver.language.sqltypes import INT, SYSNAME
from vdi_conformance.sqlserver.procedures import Parameter, procedure
from vdi_conformance.tds.answers import Column, Columns, Row, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.procedures import Call
    from vdi_conformance.tds.answers import Answer, Value

_SMALL: Final = SqlType("smallint")
_WORD: Final = SqlType("nvarchar", 32)
_TYPE_COLUMNS: Final = (
    Column("TYPE_NAME", SYSNAME),
    Column("DATA_TYPE", _SMALL),
    Column("PRECISION", INT),
    Column("LITERAL_PREFIX", _WORD),
    Column("LITERAL_SUFFIX", _WORD),
    Column("CREATE_PARAMS", _WORD),
    Column("NULLABLE", _SMALL),
    Column("CASE_SENSITIVE", _SMALL),
    Column("SEARCHABLE", _SMALL),
    Column("UNSIGNED_ATTRIBUTE", _SMALL),
    Column("MONEY", _SMALL),
    Column("AUTO_INCREMENT", _SMALL),
    Column("LOCAL_TYPE_NAME", SYSNAME),
    Column("MINIMUM_SCALE", _SMALL),
    Column("MAXIMUM_SCALE", _SMALL),
    Column("SQL_DATA_TYPE", _SMALL),
    Column("SQL_DATETIME_SUB", _SMALL),
    Column("NUM_PREC_RADIX", INT),
    Column("INTERVAL_PRECISION", _SMALL),
    Column("USERTYPE", _SMALL),
)
_INFO_COLUMNS: Final = (
    Column("attribute_id", INT),
    Column("attribute_name", SqlType("varchar", 60)),
    Column("attribute_value", SqlType("varchar", 255)),
)


@cache
def _types() -> tuple[tuple[Value, ...], ...]:
    """Read the types that the server tells of; an empty cell is NULL."""
    lines = shipped("vdi_conformance.sqlserver.language", "datatypes.tsv")
    return tuple(tuple(_cell(line[column.name], column) for column in _TYPE_COLUMNS) for line in lines)


def _cell(cell: str, column: Column) -> Value:
    if not cell:
        return None
    return cell if column.type.name == "nvarchar" else int(cell)


@procedure(
    "sp_datatype_info",
    "sp_datatype_info_90",
    "sp_datatype_info_100",
    parameters=(Parameter("@data_type", INT, 0), Parameter("@ODBCVer", SqlType("tinyint"), 2)),
)
def _datatype_info(call: Call) -> Iterator[Answer]:
    wanted = call["@data_type"] or 0
    yield Columns(_TYPE_COLUMNS)
    for row in _types():
        if wanted in (0, row[1]):
            yield Row(row)


@procedure("sp_server_info", parameters=(Parameter("@attribute_id", INT),))
def _server_info(call: Call) -> Iterator[Answer]:
    version: Any = call.state.instance.property("ProductVersion")
    told = ((1, "DBMS_NAME", "Microsoft SQL Server"), (2, "DBMS_VER", f"Microsoft SQL Server - {version}"),
            (10, "OWNER_TERM", "owner"), (18, "IDENTIFIER_CASE", "MIXED"))  # fmt: skip
    wanted = call["@attribute_id"]
    yield Columns(_INFO_COLUMNS)
    for row in told:
        if wanted in (None, row[0]):
            yield Row(row)


@procedure("sp_reset_connection")
def _reset(call: Call) -> Iterator[Answer]:
    call.state.reset()
    yield from ()
