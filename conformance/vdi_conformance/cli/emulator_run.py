"""What `emulator` does: it starts a SQL Server, tells how to reach it, waits or runs a command, and ends it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from vdi_conformance.cli.emulator_judge import Judging
from vdi_conformance.cli.refusal import UsageRefusal, refusing
from vdi_conformance.contract import Unavailable
from vdi_conformance.output.console import tell
from vdi_conformance.sqlserver.process.command import NotStarted, until_asked
from vdi_conformance.sqlserver.process.connections import Connections
from vdi_conformance.sqlserver.process.libraries import with_library
from vdi_conformance.sqlserver.process.process import EmulatedServer, Wanted
from vdi_conformance.sqlserver.process.readings import NotAsked

STDOUT: Final = "-"
_LOOPBACK: Final = ("127.", "::1", "localhost")


def serve(wanted: Wanted, command: Sequence[str], json: Path | None, evidence: Path | None = None) -> int:
    """Serve until the command or this process ends; client applications are judged where there is to be evidence."""
    judging = None if evidence is None else Judging(evidence)
    if judging is not None:
        wanted = replace(wanted, watch=judging.watch)
    if wanted.address is not None and not wanted.address[0].startswith(_LOOPBACK):
        tell(f"Warning: {wanted.address[0] or 'every address'} can be reached from other computers, too.")
    failures = Unavailable, NotAsked, NotStarted
    with until_asked() as ending, refusing(*failures), EmulatedServer(wanted) as server:
        connections = with_library(server.connections, wanted, tell)
        _announce(connections, json)
        if command:
            variables = dict(os.environ)
            code = ending.run(command, variables | connections.variables(variables))
        else:
            ending.wait()
            code = 0
        account = server.account
        tell(f"Done: {account.sentence()}.")
        if json is not None:
            _write(json, connections.as_json(account))
        return (judging.finish(command) if judging else 0) or code


def _announce(connections: Connections, json: Path | None) -> None:
    """Say how to connect: to people on standard error, to programs where they want it."""
    tell(connections.as_text().rstrip())
    if json is not None:
        _write(json, connections.as_json())


def _write(json: Path, text: str) -> None:
    if str(json) == STDOUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    unfinished = json.with_name(f"{json.name}.new")
    try:
        # Whoever waits for the file finds all of it. It holds the password: what lies there already is not written to.
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)
        unfinished.replace(json)
    except OSError as error:
        raise UsageRefusal(f"--json: {json} cannot be written ({error.strerror}): name another file.") from error
