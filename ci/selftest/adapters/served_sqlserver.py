"""An emulated SQL Server that real drivers connect to, and that can be told what single batches come to."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.adapters.tsql.driver import Driver
from vdi_conformance.sqlserver.instance import EmulatedInstance, Offered
from vdi_conformance.sqlserver.service import EmulatedSqlService
from vdi_conformance.tds.answers import Login, LoginRefused, Message, StatementEnd
from vdi_conformance.tds.certificate import self_signed
from vdi_conformance.tds.server import TdsServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.tds.answers import Answer, Parameter, Session

    Told = Callable[[], tuple[Answer, ...]]

USER: Final = "sa"
SECRET: Final = "sec;ret}9"  # noqa: S105
THEIRS: Final = "theirs"
SYSTEM: Final = frozenset({"master", "model", "msdb", "tempdb"})
PATIENCE: Final = 20.0
"""Seconds within which whatever is waited for has happened."""
_SEVERITY: Final = 16
_FATAL: Final = 20


def failing(*numbers: int) -> Told:
    """Fail with errors of these numbers."""
    return saying(*(Message(number, f"error {number}", _SEVERITY) for number in numbers), StatementEnd(failed=True))


def succeeding(*numbers: int) -> Told:
    """Succeed with messages of these numbers."""
    return saying(*(Message(number, f"message {number}") for number in numbers), StatementEnd())


def hanging_up() -> tuple[Answer, ...]:
    """End the connection."""
    return (Message(596, "The session is ended.", _FATAL), StatementEnd(failed=True))


def saying(*answers: Answer) -> Told:
    """Give these answers."""
    return lambda: answers


class ServedSqlServer:
    """One server; `answers` has patterns of batches that are not run, the first that is found in one counts."""

    def __init__(self) -> None:
        self.answers: dict[str, Told] = {}
        self.batches: list[str] = []
        self.logins: list[str] = []
        self.refusals: list[LoginRefused | None] = []
        self.transactions = 0
        self._changed = threading.Condition()
        self._open = 0
        self._listener = TdsServer(self, "127.0.0.1", certificate=self_signed("127.0.0.1"))
        self._listener.start()

    def renew(self, directory: Path) -> None:
        """Be a new server, with nothing but one database of the user's."""
        self.answers, self.batches, self.logins, self.refusals, self.transactions = {}, [], [], [], 0
        self.instance = EmulatedInstance(directory, _no_sets, offered=[Offered(THEIRS, 1)])
        self._service = EmulatedSqlService(self.instance, {USER: SECRET})

    def close(self) -> None:
        """End."""
        self._listener.close()

    @property
    def connection(self) -> str:
        """The connection string."""
        host, port = self._listener.address
        password = SECRET.replace("}", "}}")
        return f"Server={host},{port};UID={USER};PWD={{{password}}};Encrypt=yes;TrustServerCertificate=yes"

    def driver(self, load: Callable[[str], Any] | None = None) -> Driver:
        """Give what connects to it; `load` imports in place of importlib."""
        return Driver(self.connection, *([] if load is None else [load]))

    def perform(self, text: str) -> list[Answer]:
        """Run a batch that has to succeed, not by any driver."""
        with closing(self._service.log_in(Login(USER, SECRET))) as session:
            answers = list(session.batch(text))
        assert not [one for one in answers if isinstance(one, Message) and one.is_error]
        return answers

    @property
    def databases(self) -> set[str]:
        """The databases that are not the system's own."""
        return {found.name for found in self.instance.databases()} - SYSTEM

    @property
    def statement(self) -> str:
        """The batch that has the virtual devices."""
        (found,) = (batch for batch in self.batches if "VIRTUAL_DEVICE" in batch)
        return found

    def all_are_closed(self) -> bool:
        """Wait until no session is open."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, PATIENCE)

    # What the listener asks

    @property
    def server_name(self) -> str:
        """The name of the server."""
        return self._service.server_name

    @property
    def version(self) -> tuple[int, int, int]:
        """Its version."""
        return self._service.version

    def log_in(self, login: Login) -> Session:
        """Give a session, unless this one is to be refused."""
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        session = self._service.log_in(login)
        self.logins.append(login.user)
        self.count(1)
        return _Watched(session, self)

    def count(self, more: int) -> None:
        """Count the sessions that are open."""
        with self._changed:
            self._open += more
            self._changed.notify_all()


class _Watched:
    """A session whose batches are noted, and perhaps answered otherwise."""

    def __init__(self, inner: Session, server: ServedSqlServer) -> None:
        self._inner = inner
        self._server = server

    def __getattr__(self, name: str) -> Any:
        """Leave everything else to the session."""
        return getattr(self._inner, name)

    def batch(self, text: str, parameters: Sequence[Parameter] = ()) -> Iterator[Answer]:
        """Run a batch, or say what was told."""
        self._server.batches.append(text)
        told = next((answer for pattern, answer in self._server.answers.items() if re.search(pattern, text)), None)
        return self._inner.batch(text, parameters) if told is None else iter(told())

    def begin(self) -> int:
        """Note that a transaction begins."""
        self._server.transactions += 1
        return self._inner.begin()

    def close(self) -> None:
        """Note the end."""
        self._inner.close()
        self._server.count(-1)


def _no_sets() -> EmulatorServer:
    raise AssertionError("no statement of these tests comes as far as a set")
