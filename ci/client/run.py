"""The client in C++ of fixtures/native/client, judged: `python3 ci/client/run.py [SIZE]`.

It backs up SIZE bytes (1 GiB) over 4 devices, a worker process moving what the primary fetches, and restores them. It
needs g++ and the headers of FreeTDS (freetds-dev). Its statements are run by the emulated SQL Server of this process.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import native
from environment import FAILED, ROOT, Unprepared, prepare, say

if TYPE_CHECKING:
    from vdi_conformance.applications.judge import Judge
    from vdi_conformance.contract import Statement

SIZE: Final = 1 << 30
DEVICES: Final = 4
TRANSFER: Final = 1 << 20
SEED: Final = 11
SOURCES: Final = ROOT / "fixtures" / "native"
FLAGS: Final = (
    *("-std=c++17", "-I.", "-O2", "-pthread", "-Werror", "-Wall", "-Wextra", "-Wpedantic"),
    *("-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wold-style-cast"),
)
NAME: Final = re.compile(r"VIRTUAL_DEVICE = N'((?:[^']|'')*)'")


def build(directory: Path) -> Path:
    """Build the client; Unprepared says in one sentence why that cannot be."""
    library = native.build()
    made = directory / "vdi-client"
    sources = [str(path.relative_to(SOURCES)) for path in sorted((SOURCES / "client").glob("*.cpp"))]
    linked = (f"-L{library.parent}", "-l:libsqlvdi.so", "-lsybdb", f"-Wl,-rpath,{library.parent}")
    command = [native.compiler(), *FLAGS, *sources, "-o", str(made), *linked]
    if subprocess.run(command, cwd=SOURCES, check=False).returncode:
        raise Unprepared("The client could not be built: the lines above say why (it needs freetds-dev).")
    return made


class Served:
    """The client by hand: a broker with a judge, and a server for the statements that the client prints."""

    def __init__(self, directory: Path, client: Path, size: int) -> None:
        from vdi_conformance.applications.judge import Judge
        from vdi_conformance.contract import Database
        from vdi_conformance.emulator.broker import Broker

        self._directory = str(directory)
        self._client = client
        self._database = Database(SEED, size)
        broker = Broker(self._directory, SEED)
        broker.start()
        self.judge: Judge = Judge(broker, self._directory, SEED)

    def run(self, operation: str, media: Path) -> bool:
        """Run the client once; whether it says that all went well."""
        command = [str(self._client), operation, "big", str(media), str(DEVICES), str(TRANSFER)]
        told = {"VDI_EMULATOR_DIRECTORY": self._directory}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=told, text=True, encoding="utf-8"
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            went_well = self._execute(process.stdout.readline())
            process.stdin.write("done\n" if went_well else "failed\n")
            process.stdin.close()
        return process.returncode == 0

    def _execute(self, batch: str) -> bool:
        from vdi_conformance.emulator.broker_connection import BrokerConnection
        from vdi_conformance.emulator.statement import EmulatorStatementServer

        link = BrokerConnection(self._directory)
        outcome = EmulatorStatementServer(lambda: self.judge.kind(link), SEED).execute(self._statement(batch))
        for number, text in outcome.messages:
            say(f"Msg {number}: {text}")
        link.close()
        return outcome.succeeded

    def _statement(self, batch: str) -> Statement:
        from vdi_conformance.contract import Statement

        names = tuple(name.replace("''", "'") for name in NAME.findall(batch))
        is_backup = batch.startswith("BACKUP")
        return Statement("backup" if is_backup else "restore", None, names, self._database, max_transfer_size=TRANSFER)


def start(arguments: list[str]) -> int:
    """Obey the command line; the exit code is that of the verdicts."""
    size = int(arguments[0]) if arguments else SIZE
    try:
        prepare()
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch)
            (place / "run").mkdir()
            (place / "media").mkdir()
            return _judged(Served(place / "run", build(place), size), place / "media", size)
    except Unprepared as reason:
        say(str(reason))
        return FAILED


def _judged(served: Served, media: Path, size: int) -> int:
    for operation in ("backup", "restore"):
        began = time.monotonic()
        if not served.run(operation, media):
            say(f"The client could not {operation}.")
        seconds = time.monotonic() - began
        say(f"{operation}: {size} bytes over {DEVICES} devices in {seconds:.1f} s, {size / seconds / 1e6:.0f} MB/s")
    served.judge.stop()
    evidence = served.judge.evidence("vdi-client")
    for check in evidence.checks:
        if check.cause is not None:
            say(f"{check.verdict}: {', '.join(check.requirements)}: {check.cause.sentence}")
    say(f"{evidence.footer.counts}, exit code {evidence.footer.exit_code}")
    return evidence.footer.exit_code


if __name__ == "__main__":
    raise SystemExit(start(sys.argv[1:]))
