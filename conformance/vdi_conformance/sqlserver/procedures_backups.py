"""Procedures around backups: their history, their files, and the error log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language.sqltypes import DATETIME, INT, NVARCHAR_MAX, SYSNAME
from vdi_conformance.sqlserver.procedures import Parameter, procedure
from vdi_conformance.tds.answers import Column, Columns, Row, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.procedures import Call
    from vdi_conformance.sqlserver.seam import LogLine
    from vdi_conformance.tds.answers import Answer

_LOG_COLUMNS: Final = (
    Column("LogDate", DATETIME),
    Column("ProcessInfo", SqlType("nvarchar", 50)),
    Column("Text", SqlType("nvarchar", 4000)),
)
_SQL_SERVER: Final = 1
"""The log of the server, where 2 is that of its agent, which is none here."""


@procedure(
    "xp_readerrorlog",
    "sp_readerrorlog",
    parameters=(
        Parameter("@p1", INT, 0),
        Parameter("@p2", INT, _SQL_SERVER),
        Parameter("@p3", SqlType("nvarchar", 255)),
        Parameter("@p4", SqlType("nvarchar", 255)),
        Parameter("@p5", DATETIME),
        Parameter("@p6", DATETIME),
        Parameter("@p7", SqlType("nvarchar", 30), "asc"),
    ),
)
def _read_log(call: Call) -> Iterator[Answer]:
    number, kind = call["@p1"] or 0, _SQL_SERVER if call["@p2"] is None else call["@p2"]
    lines = [line for line in call.state.instance.error_log(number) if _is_wanted(line, call)]
    if str(call["@p7"] or "asc").lower().startswith("desc"):
        lines.reverse()
    yield Columns(_LOG_COLUMNS)
    for line in lines if kind == _SQL_SERVER else ():
        call.state.look_up()
        yield Row((line.when, line.process, line.text))


def _is_wanted(line: LogLine, call: Call) -> bool:
    texts = [str(call[name]).lower() for name in ("@p3", "@p4") if call[name]]
    after, before = call["@p5"], call["@p6"]
    return (
        all(text in line.text.lower() for text in texts)
        and (after is None or line.when >= after)
        and (before is None or line.when <= before)
    )


@procedure(
    "xp_delete_file",
    parameters=(
        Parameter("@type", INT, 0),
        Parameter("@path", NVARCHAR_MAX, is_required=True),
        Parameter("@extension", SqlType("nvarchar", 255)),
        Parameter("@date", SqlType("nvarchar", 50)),
        Parameter("@subfolders", INT, 0),
    ),
)
def _delete_file(call: Call) -> Iterator[Answer]:
    call.state.instance.delete_file(str(call["@path"] or ""), call.state.asker())
    yield from ()


@procedure("sp_delete_database_backuphistory", parameters=(Parameter("@database_name", SYSNAME, is_required=True),))
def _forget_database(call: Call) -> Iterator[Answer]:
    call.state.instance.forget_history(call.state.asker(), database=str(call["@database_name"] or ""))
    yield from ()


@procedure("sp_delete_backuphistory", parameters=(Parameter("@oldest_date", DATETIME, is_required=True),))
def _forget_old(call: Call) -> Iterator[Answer]:
    call.state.instance.forget_history(call.state.asker(), before=call["@oldest_date"])
    yield from ()
