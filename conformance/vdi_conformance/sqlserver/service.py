"""Whom sessions are asked of: logins, and all sessions of the server."""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.applocks import AppLocks
from vdi_conformance.sqlserver.language.parsing import grammar
from vdi_conformance.sqlserver.language.sqltypes import DATETIME, INT, SYSNAME
from vdi_conformance.sqlserver.seam import Refused, Rows
from vdi_conformance.sqlserver.session import SqlSession
from vdi_conformance.sqlserver.state import DEFAULT_DATABASE, SessionState
from vdi_conformance.tds.answers import Column, LoginRefused, Message, SqlType
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vdi_conformance.sqlserver.seam import Instance, Sessions
    from vdi_conformance.sqlserver.tables import MemoryTable
    from vdi_conformance.tds.answers import Login, Session, Value

_FIRST_ID: Final = 51
"""Lower ids are those of the server itself."""
_SLEEPING: Final = "AWAITING COMMAND"


@dataclass
class _Entry:
    """A session, as the server knows it."""

    session: SqlSession
    state: SessionState
    since: datetime


@dataclass
class _Shared:
    """What all sessions share; it is also what the instance knows of them."""

    instance: Instance
    locks: AppLocks = field(default_factory=AppLocks)
    global_tables: dict[str, MemoryTable] = field(default_factory=dict)
    entries: dict[int, _Entry] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def sessions(self) -> Sessions:
        """All sessions."""
        return self

    def using(self, database: str) -> tuple[int, ...]:
        """Give the ids of the sessions that are in a database."""
        with self.guard:
            return tuple(
                number for number, one in self.entries.items() if one.state.database.lower() == database.lower()
            )

    def end(self, session_id: int) -> None:
        """End a session."""
        self.end_session(session_id)

    def end_session(self, session_id: int) -> bool:
        """End a session; false where there is none of that id. Its locks and its database are free at once."""
        with self.guard:
            found = self.entries.pop(session_id, None)
        if found is None:
            return False
        found.session.end()
        self.locks.release_all(session_id)
        return True

    def enter(self, user: Login, database: str) -> SqlSession:
        """Make a session with the lowest id that is free."""
        with self.guard:
            number = next(one for one in range(_FIRST_ID, _FIRST_ID + len(self.entries) + 1) if one not in self.entries)
            state = SessionState(self, number, user, database)
            session = SqlSession(state, lambda: self.leave(number, session))
            self.entries[number] = _Entry(session, state, self.instance.now())
        return session

    def leave(self, number: int, session: SqlSession) -> None:
        """Forget a session that was closed; its id may be another's by now."""
        with self.guard:
            if (found := self.entries.get(number)) is not None and found.session is session:
                del self.entries[number]

    def activity(self, name: str) -> Rows | None:
        """Give a view of the sessions."""
        view = _VIEWS.get(name)
        if view is None:
            return None
        with self.guard:
            entries = sorted(self.entries.items())
        columns, told = view
        return Rows(columns, [row for _, entry in entries if (row := told(entry)) is not None])


_SMALL: Final = SqlType("smallint")
_PROCESSES: Final = (
    Column("spid", _SMALL),
    Column("kpid", _SMALL),
    Column("blocked", _SMALL),
    Column("dbid", _SMALL),
    Column("login_time", DATETIME),
    Column("status", SqlType("nchar", 30)),
    Column("hostname", SYSNAME),
    Column("program_name", SYSNAME),
    Column("cmd", SqlType("nvarchar", 32)),
    Column("loginame", SYSNAME),
    Column("dbname", SYSNAME),
)
_SESSIONS: Final = (
    Column("session_id", _SMALL),
    Column("login_time", DATETIME),
    Column("host_name", SYSNAME),
    Column("program_name", SYSNAME),
    Column("login_name", SYSNAME),
    Column("status", SqlType("nvarchar", 30)),
    Column("database_id", _SMALL),
    Column("is_user_process", SqlType("bit")),
    Column("open_transaction_count", INT),
)
_REQUESTS: Final = (
    Column("session_id", _SMALL),
    Column("request_id", INT),
    Column("status", SqlType("nvarchar", 30)),
    Column("command", SqlType("nvarchar", 32)),
    Column("database_id", _SMALL),
    Column("blocking_session_id", _SMALL),
    Column("percent_complete", SqlType("float")),
)
_CONNECTIONS: Final = (
    Column("session_id", INT),
    Column("connect_time", DATETIME),
    Column("net_transport", SqlType("nvarchar", 40)),
    Column("protocol_type", SqlType("nvarchar", 40)),
    Column("auth_scheme", SqlType("nvarchar", 40)),
)


def _database_id(state: SessionState) -> int:
    found = state.instance.database(state.database)
    return 0 if found is None else found.database_id


def _status(state: SessionState) -> str:
    return "sleeping" if state.command == _SLEEPING else "running"


def _process(entry: _Entry) -> tuple[Value, ...]:
    state = entry.state
    status = _status(state).ljust(30)
    return (
        state.session_id,
        0,
        0,
        _database_id(state),
        entry.since,
        status,
        state.host,
        state.application,
        state.command,
        state.login,
        state.database,
    )


def _session(entry: _Entry) -> tuple[Value, ...]:
    state = entry.state
    return (
        state.session_id,
        entry.since,
        state.host,
        state.application,
        state.login,
        _status(state),
        _database_id(state),
        True,
        state.globals["TRANCOUNT"],
    )


def _request(entry: _Entry) -> tuple[Value, ...] | None:
    state = entry.state
    if state.command == _SLEEPING:
        return None
    return (state.session_id, 0, "running", state.command, _database_id(state), 0, 0.0)


def _connection(entry: _Entry) -> tuple[Value, ...]:
    return (entry.state.session_id, entry.since, "TCP", "TSQL", "SQL")


_VIEWS: Final[dict[str, tuple[tuple[Column, ...], Callable[[_Entry], tuple[Value, ...] | None]]]] = {
    "sysprocesses": (_PROCESSES, _process),
    "dm_exec_sessions": (_SESSIONS, _session),
    "dm_exec_requests": (_REQUESTS, _request),
    "dm_exec_connections": (_CONNECTIONS, _connection),
}


class EmulatedSqlService:
    """The sessions in front of an instance; `passwords` has that of each login. Raises LarkMissing."""

    def __init__(self, instance: Instance, passwords: Mapping[str, str]) -> None:
        # Whoever lacks the parser learns it here, and no session waits for it.
        grammar()
        self._shared = _Shared(instance)
        self._passwords = {login.lower(): password for login, password in passwords.items()}

    @property
    def server_name(self) -> str:
        """What @@SERVERNAME gives."""
        return self._shared.instance.server_name

    @property
    def version(self) -> tuple[int, int, int]:
        """The version of the server."""
        return self._shared.instance.version

    def log_in(self, login: Login) -> Session:
        """Give a session, or raise LoginRefused; a refusal is in the error log."""
        if not self._is_right(login):
            raise self._refused(login, "Password did not match that for the login provided.", 8)
        return self._entered(login)

    def trusted(self, login: Login) -> Session:
        """Give a session to somebody who is known already, such as a program on the same computer."""
        return self._entered(login)

    def _entered(self, login: Login) -> Session:
        session = self._shared.enter(login, DEFAULT_DATABASE)
        if login.database:
            try:
                state = self._shared.entries[session.session_id].state
                state.database = self._shared.instance.use(login.database, state.asker()).name
            except Refused:
                session.close()
                opening = Message(
                    4060,
                    f'Cannot open database "{shown(login.database, 128)}" requested by the login. The login failed.',
                    11,
                )
                raise LoginRefused(
                    opening, *self._refused(login, "The database cannot be opened.", 38).messages
                ) from None
        return session

    def _is_right(self, login: Login) -> bool:
        known = self._passwords.get(login.user.lower())
        given = login.password.encode("utf-8", "surrogatepass")
        return hmac.compare_digest((known or "").encode("utf-8", "surrogatepass"), given) and known is not None

    def _refused(self, login: Login, reason: str, state: int) -> LoginRefused:
        """Refuse a login; only the error log has the reason."""
        text = f"Login failed for user '{shown(login.user, 128)}'."
        self._shared.instance.log("Logon", f"Error: 18456, Severity: 14, State: {state}.")
        self._shared.instance.log("Logon", f"{text} Reason: {reason}")
        return LoginRefused(Message(18456, text, 14, 1))

    def close(self) -> None:
        """End all sessions."""
        for number in list(self._shared.entries):
            self._shared.end_session(number)
