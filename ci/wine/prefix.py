"""A Wine prefix of our own, and programs that run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from environment import INTERRUPTED, Unprepared, clean_variables, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import IO, Self

_STAMP: Final = "made-by-ci.txt"
_MADE_FROM: Final = "win10"
_FIXED: Final = ("setarch", "--addr-no-randomize")
_SECONDS_TO_MAKE: Final = 300
_CHUNK: Final = 1 << 16


class Wine(NamedTuple):
    """A Wine: its programs, and the variables by which it is told what to be."""

    program: str = "wine"
    server: str = "wineserver"
    # Neither .NET nor a browser is asked for.
    variables: Mapping[str, str] = MappingProxyType({"WINEARCH": "win64", "WINEDLLOVERRIDES": "mscoree,mshtml="})


INSTALLED: Final = Wine()
"""That of the machine."""


class Prefix:
    """The Windows of one directory, which runs for as long as it is entered.

    `starting` stands before the command line of a program, and `variables` are its environment.
    """

    def __init__(self, directory: Path, wine: Wine = INSTALLED) -> None:
        self._directory = directory
        self._wine = wine
        # Nobody looks at windows.
        self.variables = {name: value for name, value in clean_variables().items() if name != "DISPLAY"} | {
            "WINEPREFIX": str(directory),
            "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
            **wine.variables,
        }
        self.starting = (*_starter(), wine.program)

    def make(self) -> None:
        """Make the prefix, unless it was made by this very Wine."""
        asked = (self._wine.program, "--version")
        version = subprocess.run(asked, env=self.variables, capture_output=True, text=True, check=True).stdout
        wanted = f"{_MADE_FROM} {version}"
        stamp = self._directory / _STAMP
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        if self._directory.exists():
            shutil.rmtree(self._directory)
        # A prefix begins as Windows 7, which no Python that is supported runs on.
        programs = (("wineboot", "--init"), ("winecfg", "-v", "win10"))
        for command in (*((*self.starting, *program) for program in programs), (self._wine.server, "--wait")):
            if code := self._quietly(*command):
                raise Unprepared(
                    f"The Wine prefix could not be made ({' '.join(command)} ended with exit code {code}): "
                    f"try that with WINEPREFIX={self._directory} to see why."
                )
        stamp.write_text(wanted, encoding="utf-8")

    def __enter__(self) -> Self:
        """Start the services of Windows first: they would hold the pipes of the first program for seconds."""
        self._quietly(self._wine.server, "--persistent")
        self._quietly(*self.starting, "cmd", "/c", "ver")
        return self

    def __exit__(self, *_: object) -> None:
        self._quietly(self._wine.server, "--kill")
        self._quietly(self._wine.server, "--wait")

    def run(self, command: Iterable[str | Path], directory: Path, given: bytes = b"") -> int:
        """Run a Windows program, given so much input, with its output shown here, and give its exit code."""
        with self._started(command, directory) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError):
                process.stdin.write(given)
                process.stdin.close()
            try:
                _show(process.stdout)
                return process.wait()
            except KeyboardInterrupt:
                self._quietly(self._wine.server, "--kill")
                return INTERRUPTED

    def _started(self, command: Iterable[str | Path], directory: Path) -> subprocess.Popen[bytes]:
        # Windows Python does not start where a standard stream is a file.
        return subprocess.Popen(
            [*self.starting, *map(str, command)],
            cwd=directory,
            env=self.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _quietly(self, *command: str) -> int:
        try:
            return subprocess.run(
                command,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS_TO_MAKE,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise Unprepared(
                f"Wine hangs ({' '.join(command)} took more than {_SECONDS_TO_MAKE} s): "
                f"delete {self._directory}, then start again."
            ) from None


def _starter() -> tuple[str, ...]:
    """Give what starts programs without random addresses, where that is permitted.

    A heap that lies anywhere meets, once in some 7000 starts, the page at 0x7ffe0000 that every process of Windows has;
    Wine then starts nothing.
    """
    try:
        subprocess.run([*_FIXED, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        say("Addresses stay random, since setarch is not permitted here: one process in some 7000 will not start.")
        return ()
    return _FIXED


def _show(stream: IO[bytes]) -> None:
    """Show what comes as it comes, lines ended as here."""
    descriptor = stream.fileno()
    while data := os.read(descriptor, _CHUNK):
        sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
        sys.stdout.buffer.flush()
