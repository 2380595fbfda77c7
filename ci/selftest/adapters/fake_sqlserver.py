"""A driver in place of mssql-python, and a server behind it that keeps a list of databases and does as it is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from selftest.adapters.tsql_reading import strings

if TYPE_CHECKING:
    from collections.abc import Callable

Diagnosis = tuple[str, str]
_NAMED = r"DATABASE \[((?:[^]]|\]\])*)\]"
_FROM_SERVER = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"


class FakeError(Exception):
    """What the driver raises."""


class Answer(NamedTuple):
    """Return codes and diagnostic records of the parts of a batch, or what is raised in their place."""

    parts: tuple[tuple[int, tuple[Diagnosis, ...]], ...] = ((0, ()),)
    raises: BaseException | None = None


def told(number: int, text: str, state: str = "01000") -> Diagnosis:
    """Give a message as the driver's records have it."""
    return f"[{state}] ({number})", f"{_FROM_SERVER}{text}"


def failing(*numbers: int, state: str = "42000") -> Answer:
    """Fail with errors of these numbers."""
    return Answer(((-1, tuple(told(number, f"error {number}", state) for number in numbers)),))


def succeeding(*numbers: int) -> Answer:
    """Succeed with messages of these numbers."""
    return Answer(((1, tuple(told(number, f"message {number}") for number in numbers)),))


@dataclass
class FakeServer:
    """What the server has and does; `answers` has patterns of batches, the first that is found in one counts."""

    databases: set[str] = field(default_factory=lambda: {"theirs"})
    answers: dict[str, Answer] = field(default_factory=dict)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=lambda: ["theirs", "theirs_log"])
    batches: list[str] = field(default_factory=list)
    sessions: list[FakeConnection] = field(default_factory=list)
    version: str = "16.0.4165.4 Developer Edition (64-bit)"
    refuses: Callable[[], Exception | None] = lambda: None

    def load(self, module: str) -> Any:
        """Import in place of importlib."""
        if module == "mssql_python":
            return SimpleNamespace(Error=FakeError, pooling=_pooling, connect=self._connect, __version__="fake")
        return SimpleNamespace(
            DDBCSQLExecDirect=lambda handle, text: handle.execute(text),
            DDBCSQLMoreResults=lambda handle: handle.more(),
            DDBCSQLGetAllDiagRecords=lambda handle: list(handle.records),
        )

    @property
    def statement(self) -> str:
        """The batch that has the virtual devices."""
        (found,) = (batch for batch in self.batches if "VIRTUAL_DEVICE" in batch)
        return found

    def answer(self, text: str) -> Answer:
        """Run a batch: what makes or drops a database does so, unless it is told to fail."""
        self.batches.append(text)
        found = next((answer for pattern, answer in self.answers.items() if re.search(pattern, text)), Answer())
        if found.raises is not None:
            raise found.raises
        if found.parts[-1][0] >= 0 or "CREATE" in text:
            made = re.findall(rf"(?:CREATE|RESTORE) {_NAMED}", text)
            self.databases |= set(made)
            self.databases -= {name.replace("]]", "]") for name in re.findall(rf"DROP {_NAMED}", text)}
        return found

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        """Answer a query."""
        if "xp_readerrorlog" in text:
            return list(self.log)
        if "ProductVersion" in text:
            return [(self.version,)]
        (name,) = strings(text)
        return [(file,) for file in self.files] if name in self.databases else []

    def _connect(self, connection: str, *, autocommit: bool, timeout: int) -> FakeConnection:
        if (refused := self.refuses()) is not None:
            raise refused
        self.sessions.append(FakeConnection(self, connection, autocommit))
        return self.sessions[-1]


def _pooling(*, enabled: bool) -> None:
    assert not enabled, "a pool keeps sessions that hold names"


class FakeConnection:
    """A connection, which knows whether it was closed."""

    def __init__(self, server: FakeServer, connection: str, autocommit: bool) -> None:
        self.server = server
        self.connection = connection
        self.autocommit = autocommit
        self.closed = False

    def cursor(self) -> FakeCursor:
        """Make a cursor."""
        return FakeCursor(self.server)

    def close(self) -> None:
        """Close it."""
        self.closed = True


class FakeCursor:
    """A cursor; its handle is what the calls beneath take."""

    def __init__(self, server: FakeServer) -> None:
        self.hstmt = FakeHandle(server)
        self.description: object = None
        self._server = server
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, text: str) -> None:
        """Run a query."""
        self._server.answer(text)
        self._rows = self._server.rows(text)

    def nextset(self) -> bool:
        """Go to the rows, which come after a part that has none."""
        self.description = ("rows",)
        return True

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Give the rows."""
        return self._rows

    def close(self) -> None:
        """Close it."""


class FakeHandle:
    """A statement handle: it goes through the parts of one answer."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._parts: list[tuple[int, tuple[Diagnosis, ...]]] = []
        self._lost = False
        self.records: tuple[Diagnosis, ...] = ()

    def execute(self, text: str) -> int:
        """Run a batch and give the code of its first part."""
        self._parts = list(self._server.answer(text).parts)
        return self.more()

    def more(self) -> int:
        """Go to the next part; 100 is the end, which a connection that is lost never comes to."""
        assert not self._lost, "it goes on asking"
        code, self.records = self._parts.pop(0) if self._parts else (100, ())
        self._lost = code < 0 and all("[08" in state for state, _ in self.records)
        return code
