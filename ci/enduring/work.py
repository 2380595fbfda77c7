"""What is done again and again with parts of the project that live for long, and which processes they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import pymssql

from emulated import emulator_session
from environment import tool
from vdi_conformance.harness.client import SET_THREAD, Client
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.scenario import USUAL, Placement, Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.transfers import Transfers
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.vdi.commands import VDC_READ, VDC_WRITE
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from vdi_conformance.harness.worker_session import WorkerSession
    from vdi_conformance.host.process import Host

WORKER: Final = "worker"
DEVICES: Final = 16
PROCESSES: Final = 8
OF_ONE_SET: Final = 100_000
"""After so many commands another set begins, since a worker keeps account of what a check does."""
DATABASE: Final = "Sales"
SECONDS_TO_START: Final = 60.0
NO_LIBRARY: Final = {"VDI_SQLVDI_LIBRARY": "none"}
"""A library that is named is not built, and nothing here needs one."""


class Work(Protocol):
    """Something to do: the processes that it goes on in, by their names, and the directory that they leave files in."""

    @property
    def processes(self) -> Mapping[str, int]:
        """Their ids."""
        ...

    @property
    def directory(self) -> Path:
        """The directory."""
        ...

    def do(self, pieces: int) -> None:
        """Do at least so many pieces of it."""
        ...


class Part(NamedTuple):
    """What one part of the project is put through: how a piece of the work is called, how many there are to be."""

    name: str
    pieces: str
    total: int
    begin: Callable[[], AbstractContextManager[Work]]


class _Hosted:
    """Work in hosts of one worker's session."""

    def __init__(self, session: WorkerSession) -> None:
        self._session = session
        self._numbers = count(1)
        self._hosts: list[Host] = []

    @property
    def directory(self) -> Path:
        """The private directory of the session."""
        return self._session.directory

    @property
    def processes(self) -> Mapping[str, int]:
        """The worker, which is this process; who starts hosts for it, the broker, and the hosts."""
        found = {host.name: host.initialized.process.pid for host in self._hosts}
        broker = self._session.broker(self._session.parties.client).initialized.process.pid
        starter = self._session.supervisor.starter.process
        return {WORKER: os.getpid(), **({} if starter is None else {"fork server": starter}), "broker": broker} | found

    def _placement(self, scenario: Scenario, server: Host, clients: Sequence[Client]) -> Placement:
        name = f"set-{next(self._numbers)}"
        return Placement(scenario, name, server, tuple(clients), self._session.supervisor)


class Sets(_Hosted):
    """Whole sets of one client process and one server: created, configured, used for a command, and closed."""

    def __init__(self, session: WorkerSession) -> None:
        super().__init__(session)
        self._hosts = [session.launch("server", "server"), session.launch("client", "client")]

    def do(self, pieces: int) -> None:
        """Run them, one after the other."""
        server, host = self._hosts
        client = _client(host)
        for _ in range(pieces):
            scripted = ScriptedSet(self._placement(USUAL, server, [client]), _ignored)
            scripted.start()
            if not scripted.passes(0, 1):
                raise ConformanceFailure("a set was aborted that nobody has aborted")
            scripted.close_device(0)
            scripted.device.get_command().expect(VD_E_CLOSE)
            _close(scripted)
        client.release()


class Hosts(_Hosted):
    """Hosts that are started, create and close a set, and end."""

    def do(self, pieces: int) -> None:
        """Start them, one after the other."""
        for _ in range(pieces):
            host = self._session.launch("client", "client")
            client = _client(host)
            client.create_ex(None, f"set-{next(self._numbers)}", VDConfig()).expect(NOERROR)
            client.close().expect(NOERROR)
            if host.finish().crashed:
                raise ConformanceFailure(f"a host {host.ended}")


class Commands(_Hosted):
    """Reads and Writes over 16 devices in 8 processes, digested at both ends."""

    def __init__(self, session: WorkerSession) -> None:
        super().__init__(session)
        clients = [session.launch("client", f"client {number}") for number in range(1, PROCESSES + 1)]
        self._hosts = [session.launch("server", "server"), *clients]
        self._codes = cycle((VDC_WRITE, VDC_READ))
        self._scripted: ScriptedSet | None = None
        self._passed = 0

    @property
    def processes(self) -> Mapping[str, int]:
        """All but the worker, which keeps account of each command of a set."""
        return {name: process for name, process in super().processes.items() if name != WORKER}

    def do(self, pieces: int) -> None:
        """Pass them, one of each device at once."""
        for _ in range(0, pieces, DEVICES):
            if self._scripted is None:
                self._begin()
            self._transfers.pass_round(next(self._codes))
            self._passed += DEVICES
            if self._passed >= OF_ONE_SET:
                self.end()

    def _begin(self) -> None:
        server, *hosts = self._hosts
        scenario = Scenario(devices=DEVICES, owners=tuple(range(PROCESSES)), buffer_count=DEVICES)
        clients = [_client(host) for host in hosts]
        for client in clients:
            client.most_commands = 2 * OF_ONE_SET
        self._scripted = ScriptedSet(self._placement(scenario, server, clients), _ignored)
        self._scripted.start()
        self._transfers = Transfers(self._scripted, seed=next(self._numbers))
        self._passed = 0

    def end(self) -> None:
        """Close the set, if one is open."""
        if self._scripted is not None:
            self._scripted.check_completions()
            for index in range(DEVICES):
                self._scripted.close_device(index)
            _close(self._scripted)
            for client in self._scripted.clients:
                client.release()
            self._scripted = None


class Sessions:
    """Sessions of the emulated SQL Server: each logs in, asks, fails, and makes a BACKUP over a virtual device."""

    def __init__(self, session: WorkerSession, process: int, told: Mapping[str, Any], aside: Executor) -> None:
        self._told = told
        self._aside = aside
        self.directory = Path(told["directory"])
        spec = session.parties.client
        self._host = session.supervisor.launch(spec, "client", "client", RunSettings(), str(self.directory))
        self.processes = {"emulator": process, "client": self._host.initialized.process.pid}
        self._numbers = count(1)

    def do(self, pieces: int) -> None:
        """Be so many sessions, one after the other."""
        client = _client(self._host)
        for _ in range(pieces):
            with closing(self._connected()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT name FROM sys.databases")
                cursor.fetchall()
                _fail(cursor)
                self._back_up(cursor, client)
                cursor.execute(f"EXEC msdb.dbo.sp_delete_database_backuphistory N'{DATABASE}'")
        client.release()

    def _connected(self) -> Any:
        return pymssql.connect(**self._told["pymssql"], autocommit=True)

    def _back_up(self, cursor: Any, client: Client) -> None:
        name = f"set-{next(self._numbers)}"
        client.create_ex(None, name, VDConfig()).expect(NOERROR)
        running = self._aside.submit(cursor.execute, f"BACKUP DATABASE {DATABASE} TO VIRTUAL_DEVICE = N'{name}'")
        client.get_configuration().expect(NOERROR)
        device = client.open_device(name).expect(NOERROR)
        served = device.send_serve().result()
        running.result()
        if served.code != VD_E_CLOSE:
            raise ConformanceFailure("a BACKUP of the emulated SQL Server did not come to its end")
        client.close().expect(NOERROR)
        device.release()
        client.forget_devices()


def _client(host: Host) -> Client:
    """Make a client object in the place of the one before: a host keeps what has an id of its own."""
    client = Client(host, "client", _ignored, 1.0, lambda: None)
    client.device_thread = SET_THREAD
    return client


def _fail(cursor: Any) -> None:
    try:
        cursor.execute("SELECT * FROM there_is_no_such_table")
    except pymssql.Error:
        return
    raise ConformanceFailure("a statement succeeded that has to fail")


def _close(scripted: ScriptedSet) -> None:
    for client in reversed(scripted.clients):
        client.close().expect(NOERROR)
    for device in scripted.devices:
        device.release()
    for client in scripted.clients:
        client.forget_devices()
    scripted.server.close().expect(NOERROR)


def _ignored(question: str, subject: str, answer: str, permitted: Sequence[str] = ()) -> None:
    """Take what is no question here."""


@contextmanager
def _sets() -> Iterator[Work]:
    with closing(emulator_session()) as session:
        yield Sets(session)


@contextmanager
def _started_hosts() -> Iterator[Work]:
    with closing(emulator_session()) as session:
        yield Hosts(session)


@contextmanager
def _commands() -> Iterator[Work]:
    with closing(emulator_session()) as session:
        work = Commands(session)
        yield work
        work.end()


@contextmanager
def _sessions() -> Iterator[Work]:
    with ExitStack() as stack:
        session = stack.enter_context(closing(emulator_session()))
        directory = Path(stack.enter_context(TemporaryDirectory()))
        json_file = directory / "emulator.json"
        command = [tool(Path(sys.executable), "vdi-conformance"), "emulator", "--database", f"{DATABASE}=2M"]
        process = stack.enter_context(
            subprocess.Popen(
                [*command, "--json", str(json_file)],
                env=os.environ | NO_LIBRARY,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        stack.callback(process.terminate)
        aside = stack.enter_context(ThreadPoolExecutor(1))
        yield Sessions(session, process.pid, _told(process, json_file), aside)


def _told(process: subprocess.Popen[bytes], file: Path) -> Any:
    """Wait for the file that says how to connect."""
    end = time.monotonic() + SECONDS_TO_START
    while not file.is_file():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("the emulator did not start: run `vdi-conformance emulator` to see why")
        time.sleep(0.05)
    return json.loads(file.read_text(encoding="utf-8"))


PARTS: Final = (
    Part("sets of one broker and one client", "sets", 10_000, _sets),
    Part("hosts of one worker", "hosts", 2_000, _started_hosts),
    Part("commands over 16 devices of 8 processes", "commands", 100_000, _commands),
    Part("sessions of one emulated SQL Server", "sessions", 2_000, _sessions),
)
