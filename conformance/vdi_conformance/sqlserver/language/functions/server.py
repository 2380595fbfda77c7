"""Functions that tell of the server, its databases, and who has logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language.expressions import Computed, Frame
from vdi_conformance.sqlserver.language.faults import SqlError
from vdi_conformance.sqlserver.language.functions.registry import function
from vdi_conformance.sqlserver.language.sqltypes import INT, NVARCHAR_MAX, SYSNAME
from vdi_conformance.sqlserver.language.tree import Name
from vdi_conformance.sqlserver.language.values import natural_type
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.language.surroundings import Surroundings
    from vdi_conformance.sqlserver.seam import DatabaseInfo
    from vdi_conformance.tds.answers import Value

_VARIANT: Final = SqlType("nvarchar", 4000)
_SID_OF_SA: Final = b"\x01"


def _texts(name: str, most: int, result: SqlType, told: Callable[..., Value], least: int | None = None) -> None:
    """Enter a function of the session and of up to so many arguments, each a text (NULL among them)."""

    @function(name, most if least is None else least, most)
    def make(arguments: Sequence[Computed], session: Surroundings) -> Computed:
        runs = [argument.as_type(NVARCHAR_MAX) for argument in arguments]
        return Computed(result, lambda frame: told(session, *(run(frame) for run in runs)))


def _database_id(session: Surroundings, name: str | None = "") -> int | None:
    if name is None:
        return None
    found = session.instance.database(name or session.database)
    return None if found is None else found.database_id


def _database_name(session: Surroundings, number: str | None = "") -> str | None:
    if number == "":
        return session.database
    wanted = number.strip() if number is not None else ""
    return next((one.name for one in session.instance.databases() if str(one.database_id) == wanted), None)


def _is_member(session: Surroundings, role: str | None, login: str | None = None) -> int | None:
    """Tell of a role; whoever has logged in here may do everything."""
    known = {
        "sysadmin",
        "serveradmin",
        "dbcreator",
        "diskadmin",
        "processadmin",
        "public",
        "securityadmin",
        "setupadmin",
        "bulkadmin",
    }
    if role is None or role.lower() not in known:
        return None
    return 1 if login is None or login.lower() == session.login.lower() else None


def _has_permission(session: Surroundings, *_: str | None) -> int:
    return 1


def _has_access(session: Surroundings, name: str | None) -> int | None:
    found = session.instance.database(name or "")
    return None if found is None else int(found.state == "ONLINE")


_PROPERTIES: Final[dict[str, Callable[[DatabaseInfo], Value]]] = {
    "status": lambda found: found.state,
    "recovery": lambda found: found.recovery,
    "useraccess": lambda found: found.access,
    "updateability": lambda found: "READ_ONLY" if found.is_read_only else "READ_WRITE",
    "collation": lambda found: "SQL_Latin1_General_CP1_CI_AS" if found.state == "ONLINE" else None,
    "isinstandby": lambda found: "0",
    "isautoclose": lambda found: "0",
    "isautoshrink": lambda found: "0",
    "version": lambda found: "957" if found.state == "ONLINE" else None,
}


def _database_property(session: Surroundings, name: str | None, what: str | None) -> Value:
    found = session.instance.database(name or "")
    told = _PROPERTIES.get((what or "").lower())
    return None if found is None or told is None else told(found)


def _sid(session: Surroundings, login: str | None = None) -> bytes | None:
    wanted = session.login if login is None else login
    return _SID_OF_SA if wanted.lower() == session.login.lower() else None


def _object_id(session: Surroundings, name: str | None, kind: str | None = None) -> int | None:
    """Give a number for a table or view that is there, which follows from its name."""
    if not name:
        return None
    parts = tuple(part.strip('[]"') for part in name.split("."))
    try:
        session.rows_of(Name(parts, 0))
    except SqlError:
        return None
    return sum(ord(sign) * 31**place for place, sign in enumerate(parts[-1].lower())) % (2**31 - 1) or 1


def _collation(session: Surroundings, name: str | None, what: str | None) -> Value:
    return {"codepage": "1252", "lcid": "1033"}.get((what or "").lower()) if name else None


def _option(session: Surroundings, name: str | None) -> str | None:
    found = session.options.get((name or "").upper())
    return None if found is None else {"ON": "1", "OFF": "0"}.get(found, found)


def _connection(session: Surroundings, what: str | None) -> Value:
    return {"net_transport": "TCP", "protocol_type": "TSQL", "auth_scheme": "SQL"}.get((what or "").lower())


_texts("DB_ID", 1, SqlType("smallint"), _database_id, least=0)
_texts("DB_NAME", 1, SYSNAME, _database_name, least=0)
_texts("SUSER_SNAME", 1, SYSNAME, lambda session, sid="": session.login if sid is not None else None, least=0)
_texts("SUSER_NAME", 1, SYSNAME, lambda session, number="": session.login if number is not None else None, least=0)
_texts("SUSER_ID", 1, INT, lambda session, login="": 1 if login is not None else None, least=0)
_texts("SUSER_SID", 1, SqlType("varbinary", 85), _sid, least=0)
_texts("ORIGINAL_LOGIN", 0, SYSNAME, lambda session: session.login)
_texts("USER_NAME", 1, SYSNAME, lambda session, number="": "dbo", least=0)
_texts("USER_ID", 1, INT, lambda session, name="": 1, least=0)
_texts("SCHEMA_NAME", 1, SYSNAME, lambda session, number="": "dbo", least=0)
_texts("SCHEMA_ID", 1, INT, lambda session, name="": 1 if (name or "dbo").lower() == "dbo" else 4, least=0)
_texts("HOST_NAME", 0, SYSNAME, lambda session: session.host)
_texts("HOST_ID", 0, SqlType("char", 10), lambda session: "0")
_texts("APP_NAME", 0, SYSNAME, lambda session: session.application)
_texts("PROGRAM_NAME", 0, SYSNAME, lambda session: session.application)
_texts("IS_SRVROLEMEMBER", 2, INT, _is_member, least=1)
_texts("IS_ROLEMEMBER", 2, INT, lambda session, role, name=None: 1 if role else None, least=1)
_texts("IS_MEMBER", 1, INT, lambda session, role: 1 if role else None)
_texts("HAS_PERMS_BY_NAME", 5, INT, _has_permission, least=3)
_texts("HAS_DBACCESS", 1, INT, _has_access)
_texts("DATABASEPROPERTYEX", 2, _VARIANT, _database_property)
_texts("OBJECT_ID", 2, INT, _object_id, least=1)
_texts("FN_HADR_BACKUP_IS_PREFERRED_REPLICA", 1, SqlType("bit"), lambda session, name: True)
_texts("COLLATIONPROPERTY", 2, _VARIANT, _collation)
_texts("SESSIONPROPERTY", 1, _VARIANT, _option)
_texts("CONNECTIONPROPERTY", 1, _VARIANT, _connection)
_texts(
    "APPLOCK_MODE", 3, SqlType("nvarchar", 32), lambda session, user, resource, owner: session.lock_mode(resource or "")
)
_texts(
    "APPLOCK_TEST",
    4,
    INT,
    lambda session, user, resource, mode, owner: int(session.may_lock(resource or "", mode or "")),
)


@function("SERVERPROPERTY", 1)
def _server_property(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    """A property has the type of its value; where its name is known beforehand, so is the type."""
    name = arguments[0].as_type(NVARCHAR_MAX)

    def found(frame: Frame) -> Value:
        wanted = name(frame)
        return None if wanted is None else session.instance.property(wanted)

    value = _beforehand(name, session)
    if isinstance(value, int) and not isinstance(value, bool):
        return Computed(natural_type(value), found)

    def run(frame: Frame) -> Value:
        told: Any = found(frame)
        return told if told is None else str(int(told) if isinstance(told, bool) else told)

    return Computed(_VARIANT, run)


def _beforehand(name: Callable[[Any], Any], session: Surroundings) -> Value:
    try:
        wanted = name(Frame())
    except (SqlError, IndexError):
        return None
    return None if wanted is None else session.instance.property(wanted)
