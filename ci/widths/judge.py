"""A 32-bit client of the stand-in sqlvdi.dll beside 64-bit ones: what its raw calls did, and what memory they share.

`judge.py WINE PROGRAM DLL`, with the Python of `.venv`. The commands come from the emulator, whose broker and server are
64-bit processes of this system; a 64-bit secondary maps the handle that the 32-bit primary gives.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters import resolve
from vdi_conformance.host.messages.client import MapBufferHandle, NewSet, OpenInSecondaryEx
from vdi_conformance.host.messages.memory import WriteMemory
from vdi_conformance.host.messages.server import ExecuteStatement
from vdi_conformance.host.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

SET: Final = "widths"
MARK: Final = "c0ffee42"
LAYOUT: Final = ["44", "24", "8", "16"]
"""The sizes of VDConfig and VDC_Command, and where position and buffer are in the latter, on 32-bit Windows."""
COMPLETE: Final = 24
"""Bytes that CompleteCommand takes from the stack, `this` included."""
METHODS: Final = 20
LONG: Final = "a-path-that-is-too-long-for-a-socket-so-that-the-broker-listens-at-a-port-which-windows-can-reach-too"
SECONDS: Final = 300


@dataclass
class Seen:
    """What the 32-bit client said: its calls, the layout, and what came of the handle."""

    problems: list[str] = field(default_factory=list)
    methods: set[str] = field(default_factory=set)
    shared: str = "no handle was given"

    def take_call(self, name: str, code: str, popped: str, given: str) -> None:
        """Hold one call to account."""
        self.methods.add(name)
        if popped != given:
            self.problems.append(
                f"ABI-10: {name} (which gave 0x{code}) took {popped} bytes from the stack, not {given}"
            )
        if name == "CompleteCommand" and int(popped) != COMPLETE:
            self.problems.append(f"ABI-10: CompleteCommand took {popped} bytes from the stack, not {COMPLETE}")


def main(wine: str, program: str, library: str) -> int:
    """Run the client beside a server and a secondary; 0 where every call is a stdcall and the statement succeeds."""
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="vdi-") as parent, Supervisor("spawn") as supervisor:
        directory = Path(parent) / LONG
        directory.mkdir()
        emulator = resolve("emulator")
        _ = supervisor.launch(emulator, "broker", "broker", directory=str(directory)).initialized
        server = supervisor.launch(emulator, "server", "server", directory=str(directory))
        secondary = supervisor.launch(emulator, "client", "secondary", directory=str(directory))
        with _started(wine, program, library, directory) as client:
            statement = None
            for word, *values in _lines(client):
                if word == "layout" and values != LAYOUT:
                    seen.problems.append(f"ABI-11, ABI-12: the layout is {values}, not {LAYOUT}")
                if word == "call":
                    seen.take_call(*values)
                    if values[:2] == ["CreateEx", "00000000"]:
                        statement = server.send(_backup())
                if word == "handle":
                    secondary.call(NewSet(set="s"))
                    joined = secondary.call(OpenInSecondaryEx(set="s", instance=None, name=SET, thread="t")).code
                    mapped = secondary.call(MapBufferHandle(set="s", handle=int(values[0]), thread="t"))
                    seen.shared = f"OpenInSecondaryEx gave {joined:#x}, MapBufferHandle {mapped.code:#x}"
                    if mapped.address is not None and mapped.code == 0:
                        secondary.call(WriteMemory(address=mapped.address, data=MARK))
                    assert client.stdin is not None
                    client.stdin.write("\n")
                    client.stdin.flush()
                if word == "found":
                    seen.shared = (
                        "the same memory" if values == [MARK] else f"{seen.shared}, and other bytes were found"
                    )
            code = client.wait(SECONDS)
        ended = statement.result(SECONDS).succeeded if statement is not None and code == 0 else False
    return _told(seen, code, ended)


def _told(seen: Seen, code: int, succeeded: bool) -> int:
    if code or not succeeded:
        seen.problems.append(
            f"the 32-bit client ended with {code}, and its BACKUP {'succeeded' if succeeded else 'failed'}"
        )
    if len(seen.methods) < METHODS - 4:
        seen.problems.append(f"only these were called: {', '.join(sorted(seen.methods))}")
    sys.stdout.write(f"Q63: 32-bit and 64-bit clients of one set: {seen.shared}\n")
    for problem in seen.problems:
        sys.stdout.write(f"FAILED  {problem}\n")
    if not seen.problems:
        sys.stdout.write(f"ABI-10: {len(seen.methods)} methods took from the stack what they were given.\n")
    return 1 if seen.problems else 0


def _backup() -> ExecuteStatement:
    return ExecuteStatement(
        operation="backup",
        instance=None,
        devices=[SET],
        seed=0,
        size=1 << 18,
        block_size=512,
        max_transfer_size=65536,
        buffer_count=4,
        subject="database",
        snapshot=False,
        thread="statement",
    )


def _started(wine: str, program: str, library: str, directory: Path) -> subprocess.Popen[str]:
    variables = os.environ | {"VDI_EMULATOR_DIRECTORY": "Z:" + str(directory).replace("/", "\\")}
    command = [wine, program, "Z:" + library.replace("/", "\\"), SET]
    return subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _lines(client: subprocess.Popen[str]) -> Iterator[list[str]]:
    assert client.stdout is not None
    return (line.split() for line in client.stdout if line.strip())


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
