"""What a session has: its database, options, transaction, temporary tables and cursors."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final, Protocol

from vdi_conformance.sqlserver.applocks import COMPATIBLE, Resource
from vdi_conformance.sqlserver.language.faults import Cancelled, fault
from vdi_conformance.sqlserver.seam import Asker, Rows, TableName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vdi_conformance.sqlserver.applocks import AppLocks
    from vdi_conformance.sqlserver.language import tree
    from vdi_conformance.sqlserver.language.plans import Plan
    from vdi_conformance.sqlserver.language.tree import Name
    from vdi_conformance.sqlserver.seam import Instance, Sessions
    from vdi_conformance.sqlserver.tables import MemoryTable
    from vdi_conformance.tds.answers import Login, Message, Value

DEFAULT_DATABASE: Final = "master"
DEFAULT_SCHEMA: Final = "dbo"
_TEMPORARY: Final = "#"
_SYSTEM_SCHEMA: Final = "sys"
_OPTIONS: Final = {
    "ANSI_NULLS": "ON",
    "ANSI_PADDING": "ON",
    "ANSI_WARNINGS": "ON",
    "ARITHABORT": "OFF",
    "CONCAT_NULL_YIELDS_NULL": "ON",
    "IMPLICIT_TRANSACTIONS": "OFF",
    "LANGUAGE": "us_english",
    "NOCOUNT": "OFF",
    "QUOTED_IDENTIFIER": "ON",
    "XACT_ABORT": "OFF",
}
_transaction_numbers = count(1)


class Shared(Protocol):
    """What all sessions of a server share."""

    @property
    def instance(self) -> Instance:
        """The instance."""
        ...

    @property
    def locks(self) -> AppLocks:
        """The application locks."""
        ...

    @property
    def sessions(self) -> Sessions:
        """All sessions."""
        ...

    @property
    def global_tables(self) -> dict[str, MemoryTable]:
        """Temporary tables that every session sees, by their names in small letters."""
        ...

    def end_session(self, session_id: int) -> bool:
        """End a session; false where there is none of that id."""
        ...

    def activity(self, name: str) -> Rows | None:
        """Give a view of the sessions, such as dm_exec_sessions."""
        ...


@dataclass
class Cursor:
    """A cursor: its query made ready, and its rows while it is open."""

    plan: Plan
    rows: Iterator[tuple[Value, ...]] | None = None


@dataclass
class SessionState:
    """A session as statements see it and change it; only `cancelled` and `ended` are for other threads."""

    shared: Shared
    session_id: int
    user: Login
    database: str = DEFAULT_DATABASE
    options: dict[str, str] = field(default_factory=lambda: dict(_OPTIONS))
    globals: dict[str, int] = field(default_factory=dict)
    caught: Message | None = None
    temporary: dict[str, MemoryTable] = field(default_factory=dict)
    table_variables: dict[str, MemoryTable] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    defaults: dict[str, dict[str, tree.Expression]] = field(default_factory=dict)
    """What columns of tables that this session made have by default, both names in small letters."""
    identity_insert: str = ""
    """The table that values of the identity column may be given for, in small letters."""
    undo: list[Callable[[], None]] = field(default_factory=list)
    """What takes back the changes of the transaction, the last one last."""
    transaction: int = 0
    """The number of the transaction; 0 is none."""
    command: str = "AWAITING COMMAND"
    """What it does, as sp_who tells it."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the session is to end for good."""

    def __post_init__(self) -> None:
        self.globals.update(
            TRANCOUNT=0,
            ERROR=0,
            ROWCOUNT=0,
            LIMIT=0,
            FETCH_STATUS=0,
            NESTLEVEL=0,
            TEXTSIZE=2**31 - 1,
            LOCK_TIMEOUT=-1,
            DATEFIRST=7,
        )

    # What expressions ask for

    @property
    def instance(self) -> Instance:
        """The server."""
        return self.shared.instance

    @property
    def login(self) -> str:
        """Who has logged in."""
        return self.user.user

    @property
    def application(self) -> str:
        """The program that has logged in."""
        return self.user.application

    @property
    def host(self) -> str:
        """Its computer."""
        return self.user.host

    def lock_mode(self, resource: str) -> str:
        """Give the mode in which this session has an application lock."""
        return self.shared.locks.mode_of(Resource(self.database.lower(), resource), self.session_id)

    def may_lock(self, resource: str, mode: str) -> bool:
        """Tell whether this session could get an application lock now."""
        found = next((known for known in COMPATIBLE if known.lower() == mode.lower()), None)
        if found is None:
            raise fault(1023, 3, "APPLOCK_TEST")
        return self.shared.locks.could_have(Resource(self.database.lower(), resource), self.session_id, found)

    def rows_of(self, name: Name) -> Rows:
        """Give a table or a view, or raise 208 and 1087."""
        if (table := self.memory_table(name)) is not None:
            return table.as_rows()
        if len(name.parts) <= 3:
            located = self.located(name)
            for schema in _schemas(name):
                found = self._rows(located._replace(schema=schema))
                if found is not None:
                    return found
        raise fault(208, name.written, line=name.line)

    def _rows(self, table: TableName) -> Rows | None:
        if (definition := self.instance.table(table)) is not None:
            return Rows(definition.columns, self.instance.rows(table))
        found = self.instance.view(*table)
        if found is None and table.schema.lower() == _SYSTEM_SCHEMA:
            found = self.shared.activity(table.name.lower())
        return found

    # Tables

    def memory_table(self, name: Name) -> MemoryTable | None:
        """Find a temporary table or a table variable; None where the name is one of another kind."""
        last = name.last.lower()
        if last.startswith("@"):
            if last not in self.table_variables:
                raise fault(1087, name.last, line=name.line)
            return self.table_variables[last]
        if not last.startswith(_TEMPORARY):
            return None
        found = self.tables_for(last).get(last)
        if found is None:
            raise fault(208, name.last, line=name.line)
        return found

    def tables_for(self, name: str) -> dict[str, MemoryTable]:
        """Give where temporary tables of such a name are kept."""
        return self.shared.global_tables if name.startswith(_TEMPORARY * 2) else self.temporary

    def located(self, name: Name) -> TableName:
        """Say where a table is that no memory has."""
        parts = ("", "", *name.parts)[-3:]
        return TableName(parts[0] or self.database, parts[1] or DEFAULT_SCHEMA, parts[2])

    # Running

    def asker(self) -> Asker:
        """Say to the instance who asks."""
        return Asker(
            self.session_id,
            self.login,
            self.application,
            self.host,
            self.database,
            self.in_transaction,
            self.cancelled,
            self.shared.sessions,
        )

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.globals["TRANCOUNT"] > 0

    def is_on(self, option: str) -> bool:
        """Tell whether an option is ON."""
        return self.options.get(option) == "ON"

    def look_up(self) -> None:
        """End what runs where that is wanted."""
        if self.cancelled.is_set():
            raise Cancelled

    def watched(self, rows: Iterable[tuple[Value, ...]]) -> Iterator[tuple[Value, ...]]:
        """Give rows until what runs is to end."""
        for row in rows:
            self.look_up()
            yield row

    # Transactions

    def begin(self) -> int:
        """Begin a transaction, or one within it; give the number of the outermost."""
        if not self.in_transaction:
            self.transaction = next(_transaction_numbers)
        self.globals["TRANCOUNT"] += 1
        return self.transaction

    def commit(self) -> None:
        """End the innermost transaction, or raise 3902."""
        if not self.in_transaction:
            raise fault(3902)
        self.globals["TRANCOUNT"] -= 1
        if self.globals["TRANCOUNT"] == 0:
            self._end_transaction()

    def roll_back(self) -> None:
        """End all transactions and take back what they have changed, or raise 3903."""
        if not self.in_transaction:
            raise fault(3903)
        self.globals["TRANCOUNT"] = 0
        for take_back in reversed(self.undo):
            take_back()
        self._end_transaction()

    def _end_transaction(self) -> None:
        self.undo.clear()
        self.transaction = 0
        self.shared.locks.release_all(self.session_id, only_of_transaction=True)

    def reset(self) -> None:
        """Go back to what the session was after its login; options and all that it holds are gone."""
        if self.in_transaction:
            self.roll_back()
        self.shared.locks.release_all(self.session_id)
        self.temporary.clear()
        self.cursors.clear()
        self.options = dict(_OPTIONS)
        self.identity_insert = ""
        self.caught = None
        self.globals.update(ERROR=0, ROWCOUNT=0, FETCH_STATUS=0, LIMIT=0, LOCK_TIMEOUT=-1)
        if self.instance.database(self.first_database) is not None:
            self.database = self.first_database

    @property
    def first_database(self) -> str:
        """The database that the session began in."""
        return self.user.database or DEFAULT_DATABASE


def _schemas(name: Name) -> tuple[str, ...]:
    """Give the schemas in which a table may be; those of the system need not be named."""
    given = name.parts[-2] if len(name.parts) > 1 else ""
    return (given,) if given else (DEFAULT_SCHEMA, _SYSTEM_SCHEMA)
