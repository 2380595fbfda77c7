"""Holds what a 32-bit client says of its raw calls to ABI-10 and ABI-12: `stack.py LIBRARY PROGRAM [WORDS BEFORE IT]`.

To be run with the Python of `.venv` and the variables of the Wine. The server is a 64-bit process of the emulator, as
is the secondary that maps the handle of the client (Q63).
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vdi_conformance.adapters import resolve
from vdi_conformance.adapters.sqlserver import DIRECTORY_VARIABLE
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, name_of
from vdi_conformance.vdi.methods import METHODS
from widths.machine import SET, THE_SAME, Machine, Sharing, machine
from widths.serving import COMMANDS, Refused, Sent, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_WANTED: Final = frozenset({"QueryInterface", "AddRef", "Release"}) | METHODS.keys()
_SIZES: Final = {"CompleteCommand": 24}
"""The bytes that a method takes from the stack, `this` included, where a document says that."""
_MARK: Final = "c0ffee42"
_SECONDS: Final = 60
_BEYOND_A_SOCKET: Final = "x" * 120
"""With so long a path a broker listens at a port, which a process in Wine can reach."""


class Heard:
    """What the client says, line by line, and what is to be held against the library."""

    def __init__(self, made: Machine) -> None:
        self.problems: list[str] = []
        self.methods: set[str] = set()
        self.shared = "no handle was given"
        self._machine = made
        self._server = Server(made.server)
        self._commands = list(COMMANDS)
        self._last = ("", NOERROR)

    def take(self, word: str, values: list[str]) -> bool:
        """Take one line; tell whether the client waits for an answer."""
        match word:
            case "call":
                self._take_call(values[0], int(values[1], 16), int(values[2]), int(values[3]))
            case "command":
                self._take_command(Sent(*(int(value, 16) for value in values)))
            case "handle":
                sharing = Sharing(self._machine.client(resolve("emulator"), "64-bit secondary"), int(values[0]))
                sharing.write(_MARK)
                self.shared = sharing.seen
            case "found":
                self.shared = THE_SAME if values == [_MARK] else f"{self.shared}, and then other bytes were found"
        return word == "handle"

    def _take_call(self, name: str, code: int, taken: int, given: int) -> None:
        self.methods.add(name)
        if taken != (wanted := _SIZES.get(name, given)):
            told = f"{name}, which gave {name_of(code)}, took {taken} bytes from the stack, not {wanted}"
            self.problems.append(f"ABI-10: {told}")
        if name in {"CreateEx", "OpenDevice", "CompleteCommand"} and code == NOERROR:
            self._go_on(name)
        if name == "GetCommand":
            self._last = (name, code)

    def _go_on(self, name: str) -> None:
        """Let the server take its next step."""
        if name == "CreateEx":
            self._server.configure()
        elif name == "OpenDevice":
            self._server.send()
        elif self._commands:
            if complaint := self._server.complaint(self._commands.pop(0)):
                self.problems.append(f"ABI-10: {complaint}")
            if not self._commands:
                self._server.close()

    def _take_command(self, command: Sent) -> None:
        """Hold what the client read at the offsets of the header to what was sent."""
        wanted = self._commands[0] if self._commands else None
        if command != wanted:
            self.problems.append(f"ABI-12: the client reads {command}, and {wanted} was sent")

    def end(self, code: int) -> None:
        """Hold the end of the client to account."""
        if code or self._commands or self._last != ("GetCommand", VD_E_CLOSE):
            method, last = self._last
            told = f"{method} gave {name_of(last)} last" if method else "it fetched no command"
            self.problems.append(f"ABI-10: the client ended with {code}, and {told}")
        elif missing := _WANTED - self.methods:
            self.problems.append(f"ABI-10: nobody called {', '.join(sorted(missing))}")
        elif self.shared != THE_SAME:
            self.problems.append(f"Q63: a 64-bit secondary of a 32-bit primary: {self.shared}")


def main(library: str, program: str, *before: str) -> int:
    """Run the client beside a server and a secondary; 0 where every method took from the stack what it was given."""
    with machine(_BEYOND_A_SOCKET) as made:
        heard = Heard(made)
        with _started([*before, program, _in_wine(library), SET], made.directory) as client:
            try:
                _listen(client, heard)
            except Refused as reason:
                heard.problems.append(f"ABI-10: {reason}")
                client.kill()
            code = client.wait(_SECONDS)
        heard.end(code)
    for problem in heard.problems:
        sys.stdout.write(f"FAILED  {problem}\n")
    if not heard.problems:
        sys.stdout.write(f"ABI-10: each of {len(heard.methods)} functions took from the stack what it was given.\n")
        sys.stdout.write("ABI-12: every member of a command was where it must be.\n")
        sys.stdout.write(f"Q63: a 64-bit secondary of a 32-bit primary: {heard.shared}\n")
    return 1 if heard.problems else 0


def _listen(client: subprocess.Popen[str], heard: Heard) -> None:
    answers = cast("IO[str]", client.stdin)
    for word, *values in (line.split() for line in cast("IO[str]", client.stdout) if line.strip()):
        if heard.take(word, values):
            answers.write("\n")
            answers.flush()


@contextmanager
def _started(command: list[str], directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the client, which ends with this; what Wine says of fonts is of no interest."""
    client = subprocess.Popen(
        command,
        env=os.environ | {DIRECTORY_VARIABLE: _in_wine(str(directory))},
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
