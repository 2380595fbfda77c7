"""Procedures that tell of sessions and databases: sp_who, sp_who2, sp_databases, sp_helpdb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import INT, SYSNAME
from vdi_conformance.sqlserver.language.tree import Name
from vdi_conformance.sqlserver.procedures import Parameter, procedure
from vdi_conformance.tds.answers import Column, Columns, Row, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.procedures import Call
    from vdi_conformance.tds.answers import Answer

_SMALL: Final = SqlType("smallint")
_WHO: Final = (
    Column("spid", _SMALL),
    Column("ecid", _SMALL),
    Column("status", SqlType("nchar", 30)),
    Column("loginame", SYSNAME),
    Column("hostname", SYSNAME),
    Column("blk", SqlType("char", 5)),
    Column("dbname", SYSNAME),
    Column("cmd", SqlType("nvarchar", 32)),
    Column("request_id", INT),
)
_DATABASES: Final = (
    Column("DATABASE_NAME", SYSNAME),
    Column("DATABASE_SIZE", INT),
    Column("REMARKS", SqlType("varchar", 254)),
)
_KIBIBYTE_PAGES: Final = 8
_LOGIN: Final = Parameter("@loginame", SYSNAME)


@procedure("sp_who", "sp_who2", parameters=(_LOGIN,))
def _who(call: Call) -> Iterator[Answer]:
    found: Any = call.state.rows_of(Name(("sys", "sysprocesses"), 0))
    names = [column.name.lower() for column in found.columns]
    wanted = str(call["@loginame"] or "").lower()
    yield Columns(_WHO)
    for row in found.rows:
        told = dict(zip(names, row, strict=True))
        if wanted in ("", "active", str(told["spid"]), str(told["loginame"]).lower()):
            yield Row(
                (
                    told["spid"],
                    0,
                    str(told["status"]).ljust(30),
                    told["loginame"],
                    told["hostname"],
                    "0    ",
                    told["dbname"],
                    told["cmd"],
                    0,
                )
            )


@procedure("sp_databases")
def _databases(call: Call) -> Iterator[Answer]:
    yield Columns(_DATABASES)
    sizes = _sizes(call)
    for database in sorted(call.state.instance.databases(), key=lambda one: one.name.lower()):
        yield Row((database.name, sizes.get(database.database_id, 0), None))


def _sizes(call: Call) -> dict[int, int]:
    """Give the size of each database in KiB, as its files say."""
    found = call.state.instance.view("master", "sys", "master_files")
    sizes: dict[int, int] = {}
    if found is not None:
        names = [column.name.lower() for column in found.columns]
        for row in found.rows:
            told: dict[str, Any] = dict(zip(names, row, strict=True))
            number = int(told["database_id"])
            sizes[number] = sizes.get(number, 0) + int(told.get("size") or 0) * _KIBIBYTE_PAGES
    return sizes


@procedure("sp_helpdb", parameters=(Parameter("@dbname", SYSNAME),))
def _help(call: Call) -> Iterator[Answer]:
    wanted = call["@dbname"]
    if wanted is not None and call.state.instance.database(wanted) is None:
        raise fault(15010, wanted)
    sizes = _sizes(call)
    yield Columns(
        (
            Column("name", SYSNAME),
            Column("db_size", SqlType("nvarchar", 13)),
            Column("owner", SYSNAME),
            Column("dbid", _SMALL),
            Column("status", SqlType("nvarchar", 600)),
        )
    )
    for one in call.state.instance.databases():
        if wanted is None or one.name.lower() == wanted.lower():
            size = f"{sizes.get(one.database_id, 0) / 1024:.2f} MB".rjust(13)
            status = f"Status={one.state}, Updateability=READ_WRITE, UserAccess={one.access}, Recovery={one.recovery}"
            yield Row((one.name, size, call.state.login, one.database_id, status))
