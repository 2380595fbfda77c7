"""A service whose sessions answer by a script, and which remembers what it was asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from vdi_conformance.tds.answers import (
    Column,
    Columns,
    DatabaseChanged,
    LoginRefused,
    Message,
    OutputValue,
    ReturnStatus,
    Row,
    SqlType,
    StatementEnd,
    TransactionBegun,
    TransactionEnded,
)
from vdi_conformance.tds.certificate import self_signed
from vdi_conformance.tds.limits import LIMITS
from vdi_conformance.tds.server import TdsServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.tds.answers import Answer, Login, Parameter
    from vdi_conformance.tds.certificate import Certificate
    from vdi_conformance.tds.limits import TdsLimits

PATIENCE = 20.0
"""Seconds within which whatever is waited for has happened."""
PASSWORD = "pass{wörd}; 1"  # noqa: S105
SIMPLE = "simple"
"""User and password, for programs that do not pass every character on."""
TEXT = SqlType("nvarchar", 100)


class Asked(NamedTuple):
    """A batch or a call that has come."""

    text: str
    parameters: tuple[Parameter, ...] = ()


class ScriptedService:
    """Lets in whoever has the password; `master` and `vdi` are its databases."""

    server_name = "SCRIPTED"
    version = (16, 0, 4135)

    def __init__(self) -> None:
        self.logins: list[Login] = []
        self.asked: list[Asked] = []
        self.events: list[str] = []
        self.waits = threading.Event()
        """Set while a batch waits to be cancelled."""
        self.goes_on = threading.Event()
        """What a batch waits for between two messages."""
        self.ended = threading.Semaphore(0)
        """Released at the end of each session."""

    def log_in(self, login: Login) -> ScriptedSession:
        """Give a session."""
        self.logins.append(login)
        if login.user == "crash":
            raise RuntimeError("the service is out of order")
        if login.password != (SIMPLE if login.user == SIMPLE else PASSWORD):
            raise LoginRefused(Message(18456, f"Login failed for user '{login.user}'.", 14))
        if login.database not in ("", "master", "vdi"):
            told = f'Cannot open database "{login.database}" requested by the login. The login failed.'
            raise LoginRefused(Message(4060, told, 11), Message(18456, f"Login failed for user '{login.user}'.", 14))
        return ScriptedSession(self, login.database or "master")


class ScriptedSession:
    """Answers batches by their first word."""

    def __init__(self, service: ScriptedService, database: str) -> None:
        self._service = service
        self._login_database = database
        self._cancelled = threading.Event()
        self._transactions = 0
        self.database = database

    def batch(self, text: str, parameters: Sequence[Parameter] = ()) -> Iterator[Answer]:
        """Run what the first word stands for; what has no meaning does nothing."""
        self._cancelled.clear()
        self._service.asked.append(Asked(text, tuple(parameters)))
        word = text.split(maxsplit=1)[0].rstrip(";").lower() if text.split() else ""
        run: Callable[[str, Sequence[Parameter]], Iterator[Answer]] | None = getattr(self, f"_run_{word}", None)
        return run(text, parameters) if run is not None else iter((StatementEnd(),))

    def call(self, procedure: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Give rows with what was passed, 7 for the status, and in outputs their names."""
        self._service.asked.append(Asked(procedure, tuple(parameters)))
        if procedure == "missing":
            yield Message(2812, "Could not find stored procedure 'missing'.", 16, 62)
            yield ReturnStatus(2812)
            yield StatementEnd(failed=True)
            return
        yield from self._run_echo("", parameters)
        yield ReturnStatus(7)
        for parameter in parameters:
            if parameter.is_output:
                yield OutputValue(parameter.name, TEXT, f"out of {parameter.name}")
        yield StatementEnd()

    def begin(self) -> int:
        """Begin."""
        self._service.events.append("begin")
        self._transactions += 1
        return self._transactions

    def commit(self) -> None:
        """Commit."""
        self._service.events.append("commit")

    def roll_back(self) -> None:
        """Roll back."""
        self._service.events.append("roll back")

    def cancel(self) -> None:
        """Wake what waits."""
        self._service.events.append("cancel")
        self._cancelled.set()

    def reset(self) -> None:
        """Go back to the database of the login."""
        self._service.events.append("reset")
        self.database = self._login_database

    def close(self) -> None:
        """End."""
        self._service.events.append("close")
        self._service.ended.release()

    def _run_select(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Give two rows of three columns."""
        columns = (Column("number", SqlType("int")), Column("text", TEXT), Column("", SqlType("bit")))
        yield Columns(columns)
        yield Row((1, "Grüße", True))
        yield Row((2, None, None))
        yield StatementEnd(2)

    def _run_many(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Give as many rows as the second word says."""
        count = int(text.split()[1])
        yield Columns((Column("number", SqlType("int")), Column("text", SqlType("nvarchar"))))
        for number in range(count):
            yield Row((number, "x" * (number % 1000)))
        yield StatementEnd(count)

    def _run_echo(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Give the parameters back as a row."""
        yield Columns(tuple(Column(one.name.lstrip("@"), one.type) for one in parameters))
        yield Row(tuple(one.value for one in parameters))
        yield StatementEnd(1)
        for one in parameters:
            if one.is_output and text:
                yield OutputValue(one.name, TEXT, f"out of {one.name}")

    def _run_backup(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Tell of progress, and of the end when it may go on."""
        yield Message(3211, "10 percent processed.")
        self._service.goes_on.wait(PATIENCE)
        yield Message(4035, "Processed 328 pages for database 'vdi', file 'vdi' on file 1.")
        yield Message(3014, "BACKUP DATABASE successfully processed 328 pages in 0.1 seconds (25.6 MB/sec).")
        yield StatementEnd()

    def _run_fail(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Fail as a BACKUP does."""
        yield Message(3271, 'A nonrecoverable I/O error occurred on file "x".', 16, 1, 3)
        yield Message(3013, "BACKUP DATABASE is terminating abnormally.", 16, 1, 3)
        yield StatementEnd(failed=True)

    def _run_both(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Give rows, a message, a count and rows again."""
        yield from self._run_select(text, parameters)
        yield Message(0, "between")
        yield StatementEnd(5)
        yield Columns((Column("n", SqlType("numeric", 0, 20, 3)),))
        yield Row((Decimal("-12345.678"),))
        yield StatementEnd(1)

    def _run_use(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Change the database."""
        before, self.database = self.database, text.split()[1]
        yield DatabaseChanged(self.database, before)
        yield Message(5701, f"Changed database context to '{self.database}'.", 0, 2)
        yield StatementEnd()

    def _run_begin(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Begin a transaction by a statement."""
        yield TransactionBegun(self.begin())
        yield StatementEnd()

    def _run_commit(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Commit by a statement."""
        self.commit()
        yield TransactionEnded(self._transactions, is_committed=True)
        yield StatementEnd()

    def _run_rollback(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Roll back by a statement."""
        self.roll_back()
        yield TransactionEnded(self._transactions, is_committed=False)
        yield StatementEnd()

    def _run_wait(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Tell that it waits, and do so until somebody cancels."""
        yield Message(0, "waiting")
        self._wait()
        yield Message(0, "waited")
        yield StatementEnd()

    def _run_halt(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Wait in the midst of rows until somebody cancels."""
        yield Columns((Column("n", SqlType("int")),))
        yield Row((1,))
        yield Message(0, "waiting")
        self._wait()
        yield Row((2,))
        yield StatementEnd(2)

    def _wait(self) -> None:
        self._service.waits.set()
        self._cancelled.wait(PATIENCE)

    def _run_die(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Fail so badly that the connection ends."""
        yield Message(9001, "The log for database 'vdi' is not available.", 21)
        yield StatementEnd(failed=True)

    def _run_crash(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Be out of order."""
        yield Message(0, "before")
        raise RuntimeError("out of order")


@cache
def certificate() -> Certificate:
    """Make one certificate for all tests of a process."""
    return self_signed("127.0.0.1")


class Served(NamedTuple):
    """A server with its service."""

    service: ScriptedService
    server: TdsServer
    trouble: list[str]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.address[1]


@contextmanager
def served(*, encrypts: bool = True, requires_encryption: bool = False, limits: TdsLimits = LIMITS) -> Iterator[Served]:
    """Serve a scripted service on loopback for a while."""
    service = ScriptedService()
    trouble: list[str] = []
    server = TdsServer(
        service,
        "127.0.0.1",
        certificate=certificate() if encrypts else None,
        requires_encryption=requires_encryption,
        limits=limits,
        trouble=trouble.append,
    )
    server.start()
    try:
        yield Served(service, server, trouble)
    finally:
        server.close()
