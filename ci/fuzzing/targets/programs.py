"""sqlcmd and osql: command lines and scripts, and the channel by which the programs reach the emulator."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, cast

from fuzzing.mutation import linewise
from fuzzing.target import Broken, Target
from fuzzing.targets.cancelling import Canceller
from selftest.sqlcmd.sessions import Played, Screen
from vdi_conformance.emulator.broker_protocol import Endpoint, connect, decode
from vdi_conformance.sqlserver.process.channel import ENDPOINT, ToolChannel
from vdi_conformance.sqlserver.sqlcmd.program import Tool
from vdi_conformance.tds.answers import Column, Columns, Login, Message, Row, SqlType, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fuzzing.target import Read
    from vdi_conformance.sqlserver.sqlcmd.terminal import Terminal
    from vdi_conformance.tds.answers import Answer

_BETWEEN: Final = "\x1f"
_PATIENCE: Final = 30.0
_TRACEBACK: Final = b"the emulator failed to run it".hex().encode()
_ANSWERS: Final[tuple[Answer, ...]] = (
    Message(3271, "An error.", 16, 1, 1),
    Columns((Column("a", SqlType("int")), Column("name", SqlType("nvarchar", 8)))),
    Row((1, "one")),
    StatementEnd(1),
)


class _Endless(Played):
    """A session whose batches end as soon as they are cancelled."""

    def batch(self, text: str) -> Iterator[Answer]:
        """Give the answers, unless nobody wants them any more."""
        if not self.cancelled:
            yield from self.answers


def _tool(terminal: Any) -> Tool:
    service = _Endless(_ANSWERS)
    return Tool(cast("Any", service), lambda database, *_: Login("trusted", "", database), terminal)


def _starts() -> Sequence[bytes]:
    """Give the words of a command line in the first line of each, and after it what is typed."""
    lines: Sequence[tuple[list[str], list[str]]] = (
        (["-Q", "SELECT 1"], []),
        (
            ["-S", "tcp:HERE,1433", "-U", "sa", "-P", "right", "-d", "master", "-W", "-s", ",", "-h", "-1"],
            ["SELECT 1", "GO 3"],
        ),
        (
            ["-E", "-b", "-V", "16", "-m", "1", "-r1"],
            [":setvar a 1", "SELECT $(a)", "GO", ":on error exit", "exit(SELECT 1)"],
        ),
        (
            ["-v", "a=b", "c=d", "-y", "30", "-Y", "5", "-w", "80", "-t", "5", "-l", "3"],
            ["/* a", "*/ 'b''", "'", "go -- x", "quit"],
        ),
        (["-i", "file", "-o", "out", "-c", ";", "-e", "-x", "-I"], [":r file", ":reset", "SELECT 'x"]),
        (["-q", "PRINT 1", "-H", "h", "-C", "-N", "-k2", "-p1", "-?"], []),
    )
    return ["\n".join([_BETWEEN.join(words), *typed]).encode() for words, typed in lines]


@contextmanager
def _typed(_: Path) -> Iterator[Read]:
    canceller = Canceller()

    def read(data: bytes) -> bool:
        first, *lines = data.decode("utf-8", "surrogateescape").split("\n")
        screen = Screen({"file": "SELECT 1\nGO\n:r file\n"}, lines)
        tool = _tool(screen)
        program: Any = "osql" if len(first) % 3 == 2 else "sqlcmd"
        words, environment = first.split(_BETWEEN), {"SQLCMDCOLWIDTH": lines[-1]} if lines else {}
        with canceller.ending(tool.interrupt):
            code = tool.obey(program, words, environment)
        return code == 0

    try:
        yield read
    finally:
        canceller.close()


def _words(*words: str) -> bytes:
    return b" ".join(b"x" + word.encode().hex().encode() for word in words)


def _dialogues() -> Sequence[bytes]:
    run = b"run x %s 0 " % _words("sqlcmd")
    line = b"content " + _words("SELECT 1\n")
    return [
        run + b"2 0 " + _words("-Q", "SELECT 1") + b"\n",
        run + b"0 1 " + _words("SQLCMDUSER", "sa") + b"\n" + line + b"\ncontent x474f0a\ncontent x\n",
        run + b"2 0 " + _words("-i", "file") + b"\ncontent " + _words("SELECT 1\nGO\n") + b"\ncancel\n",
        run + b"2 0 " + _words("-o", "file") + b"\nfailed " + _words("no") + b"\n",
        b"run x %s 1 0 0\n" % _words("osql") + line + b"\n" + line + b"\ncancel\n",
    ]


@contextmanager
def _listening(directory: Path) -> Iterator[Read]:
    """Listen for programs, and be one of them for each input."""
    channel = ToolChannel(directory, _made, on_port=sys.platform == "win32")
    channel.start()
    place, secret = decode((directory / ENDPOINT).read_bytes())
    endpoint = Endpoint(str(directory), place, secret)

    def read(data: bytes) -> bool:
        heard = b""
        with connect(endpoint) as connection, suppress(ConnectionError):
            connection.settimeout(_PATIENCE)
            connection.sendall(data.replace(b"run x ", b"run x" + secret.encode().hex().encode() + b" ", 1))
            connection.shutdown(socket.SHUT_WR)
            while received := connection.recv(65536):
                heard += received
        if _TRACEBACK in heard:
            raise Broken("the emulator failed to run a program")
        return heard.endswith(b"exit 0\n")

    try:
        yield read
    finally:
        channel.close()


def _made(terminal: Terminal) -> Tool:
    return _tool(terminal)


TARGETS: Final = (
    Target("sqlcmd", "command lines, variables and scripts of sqlcmd and osql", _starts, linewise(), _typed),
    Target("sqlcmd-channel", "what the programs send to the emulator", _dialogues, linewise(), _listening),
)
