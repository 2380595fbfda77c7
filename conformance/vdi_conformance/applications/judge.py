"""Judges client applications: begins with a broker, hands out servers that look closely, and ends with evidence."""

from __future__ import annotations

import contextlib
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import vdi_conformance
from vdi_conformance.applications.evidence import checks
from vdi_conformance.applications.following import Follower
from vdi_conformance.applications.recording import Recording
from vdi_conformance.applications.server import judging
from vdi_conformance.emulator.broker_connection import BrokerConnection
from vdi_conformance.emulator.observing import WATCHED
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.records import APPLICATION, Header, Party
from vdi_conformance.judgement.footers import footer
from vdi_conformance.requirements import digest

if TYPE_CHECKING:
    from vdi_conformance.applications.findings import Ledger
    from vdi_conformance.emulator.broker import Broker
    from vdi_conformance.emulator.server import EmulatorServer

_ROUNDS: Final = 2
"""What was sent on any connection before one answer is taken before the next one."""
SELECTION: Final = "requirements of the client application"


class Judge:
    """Watches every client application that uses a broker, from its making until `stop`.

    The servers of statements have to be of the class `kind`. What these ask for besides follows from `seed`.
    """

    def __init__(self, broker: Broker, directory: str, seed: int) -> None:
        self._broker = broker
        self._directory = directory
        self._watched = Path(directory) / WATCHED
        self._seed = seed
        self._started = datetime.now(UTC)
        self._began = time.monotonic()
        self._follower = Follower()
        self._recording = Recording(self._follower.take)
        self.kind: type[EmulatorServer] = judging(self._recording, seed)
        self._watched.touch()
        broker.observe(self._recording)

    def stop(self) -> None:
        """Judge what has come until now, and nothing that comes later."""
        for _ in range(_ROUNDS):
            with contextlib.suppress(OSError):
                BrokerConnection(self._directory).close()
        self._broker.observe(None)
        self._recording.stop()
        self._watched.unlink(missing_ok=True)

    @property
    def ledger(self) -> Ledger:
        """What was found until now."""
        return self._follower.ledger

    def evidence(self, name: str) -> Evidence:
        """Give the evidence of what was judged; `name` is that of the application."""
        judged = checks(self.ledger, self._recording.trouble)
        header = Header(
            suite_version=vdi_conformance.__version__,
            catalogue_sha256=digest(),
            client=Party(reference=APPLICATION, name=name, version=""),
            server=Party(reference="emulator", name="emulator", version=vdi_conformance.__version__),
            platform=platform.platform(),
            python=platform.python_version(),
            tools={"msgspec": version("msgspec")},
            plugins={},
            seed=self._seed,
            timeout_scale=1.0,
            selection=[SELECTION],
            started=self._started.isoformat(timespec="seconds"),
        )
        return Evidence(header, judged, footer(header, judged, None, duration=time.monotonic() - self._began))

    @staticmethod
    def write(path: Path, evidence: Evidence) -> None:
        """Write evidence to a file; NotWritable where that cannot be."""
        writer = EvidenceWriter(path)
        for record in (evidence.header, *evidence.checks, evidence.footer):
            writer.write(record)
        writer.close()
