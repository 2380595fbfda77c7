"""Runs the 32-bit client that makes raw calls, and holds them to ABI-10: `stack.py LIBRARY PROGRAM [WORDS OF ITS START]`.

To be run with the Python of `.venv` and the variables of the Wine. The commands come from the emulator, whose server is a
64-bit process of this system, as is the secondary that maps the handle of the 32-bit client (Q63).
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vdi_conformance.adapters import resolve
from vdi_conformance.adapters.sqlserver import DIRECTORY_VARIABLE
from vdi_conformance.vdi.methods import METHODS
from widths.machine import SET, THE_SAME, Machine, Sharing, machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from vdi_conformance.host.messages.server import StatementEnd
    from vdi_conformance.host.process import Pending

_UNKNOWN: Final = frozenset({"QueryInterface", "AddRef", "Release"})
_WANTED: Final = _UNKNOWN | METHODS.keys()
_COMPLETE: Final = ("CompleteCommand", 24)
"""The bytes that it takes from the stack, `this` included."""
_MARK: Final = "c0ffee42"
_SECONDS: Final = 120
_BEYOND_A_SOCKET: Final = "x" * 120
"""With so long a path a broker listens at a port, which a process in Wine can reach."""


@dataclass
class Heard:
    """What the client said, line by line, and what is to be held against it."""

    machine: Machine
    problems: list[str] = field(default_factory=list)
    methods: set[str] = field(default_factory=set)
    shared: str = "no handle was given"
    statement: Pending[StatementEnd] | None = None
    _sharing: Sharing | None = None

    def take(self, word: str, values: list[str], answers: IO[str]) -> None:
        """Take one line."""
        if word == "call":
            self._take_call(values[0], values[1], int(values[2]), int(values[3]))
        elif word == "handle":
            secondary = self.machine.client(resolve("emulator"), "64-bit secondary")
            self._sharing = Sharing(secondary, int(values[0]))
            self._sharing.write(_MARK)
            self.shared = self._sharing.seen
            answers.write("\n")
            answers.flush()
        elif word == "found":
            self.shared = THE_SAME if values == [_MARK] else f"{self.shared}, and then other bytes were found"

    def _take_call(self, name: str, code: str, taken: int, given: int) -> None:
        self.methods.add(name)
        method, size = _COMPLETE
        if taken != given or (name == method and taken != size):
            wanted = size if name == method else given
            self.problems.append(f"ABI-10: {name}, which gave 0x{code}, took {taken} bytes from the stack, not {wanted}")
        if name == "CreateEx" and int(code, 16) == 0:
            self.statement = self.machine.back_up()

    def end(self, code: int) -> None:
        """Hold the end of the client and of the statement to account."""
        succeeded = self.statement is not None and code == 0 and self.statement.result(_SECONDS).succeeded
        if not succeeded:
            self.problems.append(f"ABI-10: the client ended with {code}, and its BACKUP did not succeed")
        elif missing := _WANTED - self.methods:
            self.problems.append(f"ABI-10: nobody called {', '.join(sorted(missing))}")
        if self.shared != THE_SAME:
            self.problems.append(f"Q63: a 64-bit secondary of a 32-bit primary: {self.shared}")


def main(library: str, program: str, *starting: str) -> int:
    """Run the client beside a server and a secondary; 0 where every method took from the stack what it was given."""
    with machine(_BEYOND_A_SOCKET) as made:
        heard = Heard(made)
        command = [*starting, program, _in_wine(library), SET]
        with _started(command, made.directory) as client:
            stdin, stdout = cast("IO[str]", client.stdin), cast("IO[str]", client.stdout)
            for word, *values in (line.split() for line in stdout if line.strip()):
                heard.take(word, values, stdin)
            code = client.wait(_SECONDS)
        heard.end(code)
    for problem in heard.problems:
        sys.stdout.write(f"FAILED  {problem}\n")
    if not heard.problems:
        sys.stdout.write(f"ABI-10: each of {len(heard.methods)} functions took from the stack what it was given.\n")
        sys.stdout.write(f"Q63: a 64-bit secondary of a 32-bit primary: {heard.shared}\n")
    return 1 if heard.problems else 0


@contextmanager
def _started(command: list[str], directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the client, which is ended with whoever started it; what Wine says of fonts is of no interest."""
    variables = os.environ | {DIRECTORY_VARIABLE: _in_wine(str(directory))}
    client = subprocess.Popen(
        command,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with client:
        try:
            yield client
        finally:
            client.kill()


def _in_wine(path: str) -> str:
    return "Z:" + path.replace("/", "\\")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
