"""A Wine prefix of our own, and programs that run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from environment import INTERRUPTED, Unprepared, clean_variables, say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import IO, Self

_STAMP: Final = "made-by-ci.txt"
_MADE_FROM: Final = "win10"
_FIXED: Final = ("setarch", "--addr-no-randomize")
_SECONDS_TO_MAKE: Final = 300
_CHUNK: Final = 1 << 16


class Prefix:
    """The Windows of one directory, which runs for as long as it is entered."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # Neither .NET nor a browser is asked for, and nobody looks at windows.
        self._variables = {name: value for name, value in clean_variables().items() if name != "DISPLAY"} | {
            "WINEPREFIX": str(directory),
            "WINEARCH": "win64",
            "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
        }
        self._wine = (*_starter(), "wine")

    def make(self) -> None:
        """Make the prefix, unless it was made by this very Wine."""
        wanted = (
            f"{_MADE_FROM} {subprocess.run(['wine', '--version'], capture_output=True, text=True, check=True).stdout}"  # noqa: S607
        )
        stamp = self._directory / _STAMP
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        if self._directory.exists():
            shutil.rmtree(self._directory)
        # A prefix begins as Windows 7, which no Python that is supported runs on.
        steps = (*self._wine, "wineboot", "--init"), (*self._wine, "winecfg", "-v", "win10"), ("wineserver", "--wait")
        for command in steps:
            if code := self._quietly(*command):
                raise Unprepared(
                    f"The Wine prefix could not be made ({' '.join(command)} ended with exit code {code}): "
                    f"try that with WINEPREFIX={self._directory} to see why."
                )
        stamp.write_text(wanted, encoding="utf-8")

    def __enter__(self) -> Self:
        """Start the services of Windows first: they would hold the pipes of the first program for seconds."""
        self._quietly("wineserver", "--persistent")
        self._quietly(*self._wine, "cmd", "/c", "ver")
        return self

    def __exit__(self, *_: object) -> None:
        self._quietly("wineserver", "--kill")
        self._quietly("wineserver", "--wait")

    def run(self, command: Iterable[str | Path], directory: Path) -> int:
        """Run a Windows program with its output shown here, and give its exit code."""
        with self._started(command, directory) as process:
            assert process.stdout is not None
            try:
                _show(process.stdout)
                return process.wait()
            except KeyboardInterrupt:
                self._quietly("wineserver", "--kill")
                return INTERRUPTED

    def _started(self, command: Iterable[str | Path], directory: Path) -> subprocess.Popen[bytes]:
        # Windows Python does not start where a standard stream is a file.
        return subprocess.Popen(
            [*self._wine, *map(str, command)],
            cwd=directory,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _quietly(self, *command: str) -> int:
        try:
            return subprocess.run(
                command,
                env=self._variables,
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
