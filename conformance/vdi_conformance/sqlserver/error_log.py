"""The error log: lines of the server, in a file and to be asked for."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.seam import LogLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from vdi_conformance.tds.answers import Message

_KEPT: Final = 6
"""So many logs of earlier starts are kept."""
_NAME: Final = "ERRORLOG"
_IN_MEMORY: Final = 200
"""So many lines, the last ones, are kept with their exact times; those before are read from the file."""
_FIRST_LOGGED_ERROR: Final = 11
_LINE: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d\d) (\S+) +(.*)")


class ErrorLog:
    """The log of one server, which begins a new file when it starts; safe to use from every thread.

    `copy` is a further file that the lines are added to.
    """

    def __init__(self, directory: Path, now: Callable[[], datetime], copy: Path | None = None) -> None:
        self._directory = directory
        self._now = now
        self._copy = copy
        self._lock = threading.Lock()
        self._lines: deque[LogLine] = deque(maxlen=_IN_MEMORY)
        self._written = 0
        directory.mkdir(parents=True, exist_ok=True)
        for number in range(_KEPT - 1, -1, -1):
            with contextlib.suppress(FileNotFoundError):
                self._file(number).replace(self._file(number + 1))

    def _file(self, number: int) -> Path:
        return self._directory / (f"{_NAME}.{number}" if number else _NAME)

    def write(self, process: str, *texts: str) -> None:
        """Add lines, which stay beside each other."""
        with self._lock:
            lines = [LogLine(self._now(), process, " ".join(text.splitlines())) for text in texts]
            self._lines += lines
            self._written += len(lines)
            written = "".join(map(_written, lines))
            for path in (self._file(0), self._copy):
                if path is not None:
                    with path.open("a", encoding="utf-8", errors="replace") as file:
                        file.write(written)

    def tell(self, process: str, message: Message) -> None:
        """Add a message: an error has a line before it with its number, severity and state."""
        header = f"Error: {message.number}, Severity: {message.severity}, State: {message.state}."
        is_error = message.severity >= _FIRST_LOGGED_ERROR
        self.write(process, *((header, message.text) if is_error else (message.text,)))

    def lines(self, number: int) -> Sequence[LogLine]:
        """Give the lines of a log: 0 is the one that is written now, 1 that of the start before, and so on."""
        if number:
            return self._read(number)
        with self._lock:
            last, earlier = tuple(self._lines), self._written - len(self._lines)
            return (*self._read(0)[:earlier], *last) if earlier else last

    def _read(self, number: int) -> tuple[LogLine, ...]:
        """Read a file, whose times are of hundredths of a second."""
        try:
            text = self._file(number).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ()
        return tuple(line for written in text.split("\n") if (line := _read(written)) is not None)


def _read(written: str) -> LogLine | None:
    """Read a line; None where it is none, or is of a day that there was not."""
    if (found := _LINE.fullmatch(written)) is None:
        return None
    try:
        return LogLine(datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S.%f"), found[2], found[3])
    except ValueError:
        return None


def _written(line: LogLine) -> str:
    return f"{line.when:%Y-%m-%d %H:%M:%S}.{line.when.microsecond // 10_000:02d} {line.process:<11} {line.text}\n"
