"""Functions that are written as variables, such as @@VERSION."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language.expressions import Computed
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import BIGINT, INT, SYSNAME
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.sqlserver.language import tree
    from vdi_conformance.sqlserver.language.expressions import Scope
    from vdi_conformance.sqlserver.language.surroundings import Surroundings
    from vdi_conformance.tds.answers import Value

_NUMBERS: Final = (
    "TRANCOUNT",
    "ERROR",
    "ROWCOUNT",
    "FETCH_STATUS",
    "NESTLEVEL",
    "TEXTSIZE",
    "LOCK_TIMEOUT",
    "DATEFIRST",
)
_YEARS: Final = {11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}


def banner(session: Surroundings) -> str:
    """Give what @@VERSION gives, of which clients read the year and the version."""
    major, minor, build = session.instance.version
    version: Any = session.instance.property("ProductVersion") or f"{major}.{minor}.{build}.0"
    edition: Any = session.instance.property("Edition") or "Developer Edition (64-bit)"
    return (
        f"Microsoft SQL Server {_YEARS.get(major, major)} (emulated by vdi-conformance) - {version} (X64)\n\t{edition}"
    )


def _service(session: Surroundings) -> str:
    return str(session.instance.property("InstanceName") or "MSSQLSERVER")


_OTHERS: Final[dict[str, tuple[SqlType, Callable[[Surroundings], Value]]]] = {
    "VERSION": (SqlType("nvarchar", 300), banner),
    "SERVERNAME": (SYSNAME, lambda session: session.instance.server_name),
    "SERVICENAME": (SYSNAME, _service),
    "SPID": (INT, lambda session: session.session_id),
    "LANGUAGE": (SYSNAME, lambda session: session.options.get("LANGUAGE", "us_english")),
    "LANGID": (INT, lambda session: 0),
    "IDENTITY": (BIGINT, lambda session: session.globals.get("IDENTITY")),
    "MAX_PRECISION": (INT, lambda session: 38),
    "MAX_CONNECTIONS": (INT, lambda session: 32767),
    "MICROSOFTVERSION": (INT, lambda session: (session.instance.version[0] << 24) + session.instance.version[2]),
    "OPTIONS": (INT, lambda session: 5432),
    "DBTS": (SqlType("varbinary", 8), lambda session: bytes(8)),
    "PROCID": (INT, lambda session: 0),
    "CURSOR_ROWS": (INT, lambda session: 0),
    "REMSERVER": (SYSNAME, lambda session: None),
}


def known(name: str) -> bool:
    """Tell whether there is a function of that name, with its @@."""
    return name[2:].upper() in _NUMBERS or name[2:].upper() in _OTHERS


def global_value(expression: tree.Global, scope: Scope) -> Computed:
    """Make a function such as @@SPID ready, or raise 137."""
    upper, session = expression.name[2:].upper(), scope.environment.session
    if upper in _NUMBERS:
        return Computed(INT, lambda frame: session.globals[upper])
    if upper not in _OTHERS:
        raise fault(137, expression.name, line=expression.line)
    result, told = _OTHERS[upper]
    return Computed(result, lambda frame: told(session))
