"""An emulated SQL Server without its language, and clients that give its devices what they ask for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from selftest.emulator.applications import PATIENCE, Site, Tape
from vdi_conformance.sqlserver.instance import EmulatedInstance, Offered
from vdi_conformance.sqlserver.seam import Asker, TableDefinition, TableName
from vdi_conformance.sqlserver.statements import BackupStatement, Medium, Option, RestoreStatement
from vdi_conformance.tds.answers import Answer, Column, Columns, Message, Row, SqlType
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.sqlserver.statements import BackupSubject, RestoreSubject
    from vdi_conformance.tds.answers import Value

Statement = BackupStatement | RestoreStatement
PUBS = 300_000
"""How many bytes the database pubs has beside its tables."""
TABLE = TableDefinition((Column("number", SqlType("int")), Column("content", SqlType("nvarchar", 4000))), ("number",))


@dataclass
class KnownSessions:
    """The sessions that the tests say there are (seam.Sessions)."""

    databases: dict[int, str] = field(default_factory=dict)

    def using(self, database: str) -> tuple[int, ...]:
        """Tell who is in a database."""
        return tuple(number for number, name in self.databases.items() if name == database)

    def end(self, session_id: int) -> None:
        """Forget a session."""
        del self.databases[session_id]


class Result(NamedTuple):
    """What a statement answered."""

    answers: list[Answer]

    @property
    def messages(self) -> list[Message]:
        """The messages."""
        return [one for one in self.answers if isinstance(one, Message)]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the messages."""
        return [one.number for one in self.messages]

    @property
    def rows(self) -> list[dict[str, Value]]:
        """The rows, each by the names of its columns."""
        (columns,) = [one for one in self.answers if isinstance(one, Columns)]
        names = [column.name for column in columns.columns]
        return [dict(zip(names, one.values, strict=True)) for one in self.answers if isinstance(one, Row)]


class Server:
    """An instance in a directory of its own; its client applications are threads."""

    def __init__(self, directory: Path, site: Site | None = None, instance: str | None = None) -> None:
        self.directory = directory
        self._site = site
        self.sessions = KnownSessions()
        self.cancelled = threading.Event()
        self.instance = EmulatedInstance(
            directory, self._endpoint, seed=3, instance=instance, offered=(Offered("pubs", PUBS),)
        )

    def _endpoint(self) -> EmulatorServer:
        assert self._site is not None
        return cast("EmulatorServer", self._site.emulator().scripted_server())

    def asker(self, **differs: Any) -> Asker:
        """Give a session in master."""
        told = {"session_id": 51, "login": "sa", "application": "selftest", "host": "here", "database": "master"}
        return Asker(**{**told, "in_transaction": False, **differs}, cancelled=self.cancelled, sessions=self.sessions)

    def run(self, statement: Statement, **asker: Any) -> Result:
        """Run a statement that needs no client."""
        start = self.instance.backup if isinstance(statement, BackupStatement) else self.instance.restore
        return Result(list(start(statement, self.asker(**asker))))  # type: ignore[arg-type]

    def serve(self, statement: Statement, tapes: Sequence[Tape], config: VDConfig | None = None) -> Result:
        """Run a statement over virtual devices with a tape for each, every one on its own thread."""
        assert self._site is not None
        primary = self._site.emulator().virtual_device_set()
        names = [one.name for one in statement.media]
        config = (config or VDConfig())._replace(device_count=len(names))
        assert primary.create_ex(self.instance.property("InstanceName"), names[0], config) == NOERROR  # type: ignore[arg-type]
        execution = self._site.threads.submit(self.run, statement)
        serving: list[Future[int]] = []
        if primary.get_configuration(PATIENCE).code == NOERROR:
            for name, tape in zip(names, tapes, strict=True):
                device = primary.open_device(name).value
                assert device is not None
                serving.append(self._site.threads.submit(tape.serve, device))
        result = execution.result(PATIENCE / 1000)
        for one in serving:
            one.result(PATIENCE / 1000)
        primary.close()
        return result

    def back_up(self, statement: BackupStatement) -> list[bytes]:
        """Run a BACKUP over virtual devices that has to succeed, and give its streams."""
        tapes = [Tape() for _ in statement.media]
        result = self.serve(statement, tapes)
        assert result.numbers[-1] == 3014, result.messages
        return [tape.stream for tape in tapes]

    def give_back(self, statement: RestoreStatement, streams: Sequence[bytes]) -> Result:
        """Run a RESTORE over virtual devices that have these streams."""
        return self.serve(statement, [Tape(stream) for stream in streams])

    @property
    def home(self) -> Path:
        """The directory that the server has for itself."""
        return self.directory / "sqlserver"

    def fill(self, database: str, *contents: str, table: str = "words") -> None:
        """Add rows to a table, which is made where it is missing."""
        name = TableName(database, "dbo", table)
        if self.instance.table(name) is None:
            self.instance.create_table(name, TABLE, self.asker())
        self.instance.insert(name, enumerate(contents), self.asker())

    def contents(self, database: str, table: str = "words") -> list[Value]:
        """Give the second column of a table."""
        return [row[1] for row in self.instance.rows(TableName(database, "dbo", table))]

    def logged(self, database: str = "") -> list[str]:
        """Give the texts of the error log that a database is named in."""
        return [line.text for line in self.instance.error_log() if database in line.text]

    def state(self, database: str) -> str | None:
        """Tell the state of a database, None where there is none."""
        found = self.instance.database(database)
        return None if found is None else found.state


def virtual(*names: str) -> tuple[Medium, ...]:
    """Name virtual devices."""
    return tuple(Medium("virtual", name) for name in names or ("set",))


def disk(*names: str) -> tuple[Medium, ...]:
    """Name files."""
    return tuple(Medium("disk", name) for name in names or ("pubs.bak",))


def options(told: dict[str, Any]) -> tuple[Option, ...]:
    """Give options: True stands for one without a value, MOVE has a path for each logical name."""
    moves = [Option("MOVE", pair) for pair in told.pop("MOVE", {}).items()]
    return (*(Option(name, () if value is True else (value,)) for name, value in told.items()), *moves)


def backup(
    database: str, media: tuple[Medium, ...], subject: BackupSubject = "database", **told: Any
) -> BackupStatement:
    """Give a BACKUP."""
    return BackupStatement(subject, database, media, options(told))


def restore(
    database: str | None, media: tuple[Medium, ...], subject: RestoreSubject = "database", **told: Any
) -> RestoreStatement:
    """Give a RESTORE."""
    return RestoreStatement(subject, database, media, options(told))


def elsewhere(database: str, source: str = "pubs") -> dict[str, str]:
    """Give the places to which the files of a copy move."""
    return {source: f"/data/{database}.mdf", f"{source}_log": f"/data/{database}.ldf"}
