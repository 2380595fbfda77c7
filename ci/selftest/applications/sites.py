"""Where applications of the table run: a broker that is judged, in this process, and links for theirs."""

from __future__ import annotations

import csv
import importlib
import itertools
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import vdi_fixtures.applications
from vdi_conformance.applications.judge import Judge
from vdi_conformance.emulator.broker import Broker
from vdi_conformance.emulator.broker_connection import BrokerConnection
from vdi_conformance.emulator.client import EmulatorDeviceSet
from vdi_conformance.emulator.server import EmulatorServer
from vdi_conformance.emulator.statement import EmulatorStatementServer

if TYPE_CHECKING:
    from vdi_conformance.contract import Statement, StatementOutcome
    from vdi_fixtures.applications.application import Application, Process

TABLE = Path(vdi_fixtures.applications.__file__).with_name("applications.tsv")
SEED = 7


class Listed(NamedTuple):
    """A line of the table: the application, what it breaks, and whether it leaves nothing untested."""

    application: str
    breaks: str
    whole: bool

    @property
    def needs_library(self) -> bool:
        """Whether only a library that protects pages sees what is wrong."""
        return self.application.startswith("touching:")


def application_named(text: str) -> type[Application]:
    """Find an application by its module and its name."""
    module, _, name = text.partition(":")
    made: type[Application] = getattr(importlib.import_module(f"vdi_fixtures.applications.{module}"), name)
    return made


def listed() -> list[Listed]:
    """Read the table."""
    with TABLE.open(encoding="utf-8") as file:
        return [
            Listed(row["application"], row["breaks"], row["whole"] == "yes")
            for row in csv.DictReader(file, delimiter="\t")
        ]


class LinkedProcess:
    """What the broker takes for a process: a link of its own."""

    def __init__(self, directory: str) -> None:
        self._link = BrokerConnection(directory)

    def device_set(self) -> EmulatorDeviceSet:
        """Make a client object."""
        return EmulatorDeviceSet(self._link)

    def die(self) -> None:
        """Let the lifeline go, which is all that the broker sees of the end of a process."""
        self._link.close()


class JudgedSite:
    """A broker with a judge, for one application after the other."""

    def __init__(self, directory: Path) -> None:
        self.directory = str(directory)
        self.broker = Broker(self.directory, SEED)
        self.broker.start()
        self.threads = ThreadPoolExecutor(max_workers=8)
        self.judge: Judge | None = None
        self.restart_names()

    def restart_names(self) -> None:
        """Give the next application the name of the first one."""
        self._names = itertools.count(1)

    def process(self) -> Process:
        """Make what stands for a process."""
        return LinkedProcess(self.directory)

    def execute(self, statement: Statement) -> Future[StatementOutcome]:
        """Run a statement by a server of the judge."""
        link = BrokerConnection(self.directory)
        kind = EmulatorServer if self.judge is None else self.judge.kind
        return self.threads.submit(EmulatorStatementServer(lambda: kind(link), SEED).execute, statement)

    def judged(self, application: type[Application]) -> Judge:
        """Run an application under a judge of its own."""
        self.judge = judge = Judge(self.broker, self.directory, SEED)
        application(self, f"set {next(self._names)}").run()
        judge.stop()
        return judge
