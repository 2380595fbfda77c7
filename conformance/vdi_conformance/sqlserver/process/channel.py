"""The way from the programs sqlcmd and osql to the emulator that runs them.

Lines of fields as the broker's, over a connection of its own for each start of a program. The program sends
`run SECRET PROGRAM INTERACTIVE ARGUMENTS VARIABLES WORDS...`, the numbers of its arguments and of its variables before
them (a name and a value each), and later `cancel` for Ctrl-C. The emulator sends `out` and `err` with bytes to write,
and asks by `input` for a line of standard input, by `read PATH` for a file, by `redirect PATH` for a file that takes
the place of standard output; each of these is answered by `content BYTES`, empty at the end of the input, or by
`failed SENTENCE`. `exit CODE` ends it. Files are the program's business, which knows its directory and its system.
"""

from __future__ import annotations

import codecs
import contextlib
import queue
import secrets
import socket
import threading
import traceback
from typing import TYPE_CHECKING, Final

from vdi_conformance.emulator.directory import AREA_MODE, PRIVATE, hand_to, publish
from vdi_conformance.emulator.listening import listening
from vdi_conformance.sqlserver.sqlcmd.running import FAILED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from vdi_conformance.sqlserver.sqlcmd.options import Program
    from vdi_conformance.sqlserver.sqlcmd.program import Tool
    from vdi_conformance.sqlserver.sqlcmd.terminal import Terminal

ENDPOINT: Final = "sqlcmd.endpoint"
_SOCKET: Final = "sqlcmd.socket"
_LONGEST: Final = 64 << 20
"""Bytes of a line: a script has at most half as many."""
_MOST_REPLIES: Final = 4
"""A program that sends more than it was asked for is not listened to any more."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class _Misunderstood(Exception):
    """The other side does not speak this protocol."""


class ToolChannel:
    """Listens for programs in a directory, and runs each on a thread of its own; `group` may use it too."""

    def __init__(
        self, directory: Path, make_tool: Callable[[Terminal], Tool], on_port: bool = False, group: int | None = None
    ) -> None:
        self._directory = directory
        self._make_tool = make_tool
        self._on_port = on_port
        self._group = group
        self._listener: socket.socket | None = None
        self._secret = ""

    def start(self) -> None:
        """Listen, tell where, and serve in the background."""
        path = self._directory / _SOCKET
        path.unlink(missing_ok=True)
        self._listener, place, self._secret = listening(str(path), self._on_port)
        if not self._secret:
            path.chmod(PRIVATE)
            if self._group is not None:
                hand_to(self._group, path, AREA_MODE)
        self._listener.listen()
        publish(self._directory / ENDPOINT, place, self._secret, PRIVATE, self._group)
        threading.Thread(target=self._accept, name="sqlcmd", daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more, and delete what tells where to knock."""
        if self._listener is not None:
            self._listener.close()
        for name in (ENDPOINT, _SOCKET):
            (self._directory / name).unlink(missing_ok=True)

    def _accept(self) -> None:
        assert self._listener is not None
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, _Misunderstood):
            start = _Start(connection, self._secret, self._make_tool)
            try:
                start.run()
            finally:
                start.close()


class _Start:
    """One start of a program; a terminal, as its tool sees it."""

    def __init__(self, connection: socket.socket, secret: str, make_tool: Callable[[Terminal], Tool]) -> None:
        self._connection = connection
        self._secret = secret
        self._make_tool = make_tool
        self._reader = connection.makefile("rb")
        self._replies: queue.Queue[bytes | OSError] = queue.Queue()
        self._sending = threading.Lock()
        self._is_interactive = False
        self._listener: threading.Thread | None = None

    def close(self) -> None:
        """End the connection; the thread that listens holds it too, and learns by this that it is over."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        if self._listener is not None:
            self._listener.join()
        self._reader.close()

    def run(self) -> None:
        """Run the program to its end."""
        name, *fields = self._next() or ["nothing"]
        if name != "run" or len(fields) < 5 or not secrets.compare_digest(_bytes(fields[0]), self._secret.encode()):
            raise _Misunderstood
        program, arguments, variables = self._command_line(fields[1:])
        tool = self._make_tool(self)
        self._listener = threading.Thread(target=self._listen, args=(tool,), daemon=True)
        self._listener.start()
        try:
            code = tool.obey(program, arguments, variables)
        except OSError:
            raise
        except Exception:
            traceback.print_exc()
            self.write(f"{program}: the emulator failed to run it: its standard error has the traceback\n", True)
            code = FAILED
        self._send("exit", str(code))

    def _command_line(self, fields: list[str]) -> tuple[Program, list[str], Mapping[str, str]]:
        program = _text(_bytes(fields[0]))
        try:
            interactive, arguments, variables = (int(field) for field in fields[1:4])
        except ValueError:
            raise _Misunderstood from None
        words = [_text(_bytes(field)) for field in fields[4:]]
        if len(words) != arguments + 2 * variables or arguments < 0 or program not in ("sqlcmd", "osql"):
            raise _Misunderstood
        self._is_interactive = bool(interactive)
        pairs = words[arguments:]
        named = dict(zip([name.upper() for name in pairs[::2]], pairs[1::2], strict=True))
        return "osql" if program == "osql" else "sqlcmd", words[:arguments], named

    # What the program sends

    def _next(self) -> list[str]:
        """Give the words of the next line; none at the end."""
        line = self._reader.readline(_LONGEST)
        if line and not line.endswith(b"\n"):
            raise _Misunderstood
        try:
            return line.decode("ascii").split()
        except UnicodeDecodeError:
            raise _Misunderstood from None

    def _listen(self, tool: Tool) -> None:
        """Take replies and Ctrl-C; the end of the program is one too, and so are replies that nobody asked for."""
        with contextlib.suppress(OSError, ValueError, _Misunderstood):
            while (words := self._next()) and self._replies.qsize() < _MOST_REPLIES:
                if words[0] == "content":
                    self._replies.put(_bytes(words[1] if len(words) > 1 else "x"))
                elif words[0] == "failed":
                    self._replies.put(OSError(_text(_bytes(words[-1]))))
                elif words[0] == "cancel":
                    tool.interrupt()
        tool.interrupt()
        self._replies.put(OSError("the program has ended"))

    # The terminal

    @property
    def is_interactive(self) -> bool:
        """Whether a person types the input."""
        return self._is_interactive

    def write(self, text: str, is_error: bool = False) -> None:
        """Have something written."""
        self._send("err" if is_error else "out", _field(text))

    def redirect(self, path: str) -> None:
        """Have standard output go to a file."""
        self._asked("redirect", _field(path))

    def read(self, path: str) -> str:
        """Have a file read."""
        return _text(self._asked("read", _field(path)))

    def lines(self) -> Iterator[str]:
        """Ask for line after line."""
        while line := self._asked("input"):
            yield _text(line).rstrip("\r\n")

    def _asked(self, *words: str) -> bytes:
        self._send(*words)
        reply = self._replies.get()
        if isinstance(reply, OSError):
            raise reply
        return reply

    def _send(self, *words: str) -> None:
        with self._sending:
            self._connection.sendall(" ".join(words).encode("ascii") + b"\n")


def _field(text: str) -> str:
    return f"x{text.encode('utf-8', 'surrogateescape').hex()}"


def _bytes(field: str) -> bytes:
    try:
        return bytes.fromhex(field[1:]) if field[:1] == "x" else b""
    except ValueError:
        raise _Misunderstood from None


def _text(data: bytes) -> str:
    """Read a text in the encoding that its first bytes name, or UTF-8."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    return data.decode("utf-8", "surrogateescape")
