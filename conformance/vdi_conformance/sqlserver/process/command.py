"""A command that is run with an emulator: it gets the signals of this process, and gives its exit code."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

_SIGNALLED: Final = 128
_NAP: Final = 0.5
"""Seconds: Windows tells whoever waits of no signal, so that it has to look."""
_ENDING: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)


class NotStarted(Exception):
    """The command cannot be started; the text is one sentence with the remedy."""


class Ending:
    """Whether this process was asked to end."""

    def __init__(self) -> None:
        # A lock could be held by the very thread that a signal interrupts.
        self._asked, self._asking = socket.socketpair()
        self._asked.settimeout(_NAP if sys.platform == "win32" else None)
        self._last: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, number: int, _: FrameType | None = None) -> None:
        """Take a signal, which goes on to the command where one runs."""
        self._last = number
        self._asking.send(b"!")
        if self._process is not None:
            _pass_on(self._process, number)

    def _signal(self) -> int | None:
        """Give the signal that came last, which may come between any two steps."""
        return self._last

    def wait(self) -> None:
        """Wait for a signal."""
        while True:
            with suppress(TimeoutError):
                self._asked.recv(1)
                return

    def run(self, command: Sequence[str], variables: Mapping[str, str]) -> int:
        """Run a command, and give its exit code as a shell would."""
        if (number := self._signal()) is not None:
            return _SIGNALLED + number
        # Windows looks for programs alone by itself, not for scripts, and on the path of this process.
        program = shutil.which(command[0], path=variables.get("PATH")) or command[0]
        try:
            self._process = subprocess.Popen([program, *command[1:]], env=dict(variables))
        except OSError as error:
            reason = f"{command[0]} cannot be started ({error.strerror})"
            raise NotStarted(f"{reason}: name a program that there is") from error
        if (number := self._signal()) is not None:
            _pass_on(self._process, number)
        code = self._process.wait()
        self._process = None
        return code if code >= 0 else _SIGNALLED - code

    def close(self) -> None:
        """Take no more signals."""
        self._asked.close()
        self._asking.close()


def _pass_on(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal on, unless it is one that a terminal or a console has sent to both."""
    if sys.platform == "win32":
        if number == signal.SIGTERM:
            process.terminate()
    elif number != signal.SIGINT or sys.stdin is None or not sys.stdin.isatty():
        process.send_signal(number)


@contextmanager
def until_asked() -> Iterator[Ending]:
    """Take every signal that ends programs, for as long as this lasts."""
    ending = Ending()
    before = {number: signal.signal(number, ending.ask) for number in _ENDING}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        ending.close()
