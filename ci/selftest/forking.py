"""Processes of the command, forked from one that has imported all that a run needs (not on Windows)."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Final

from selftest.commands import COMMAND, Asked

assert sys.platform != "win32"

NUMBER: Final = 8
"""So many bytes has a number between the two."""
MEDDLING: Final = ("VDI_", "PYTEST_", "PYTHONPATH")
"""What a test may have set for itself alone; what is run has it, and not what it is forked from."""
PROGRAM: Final = """
import sys
sys.path[:1] = [{ci!r}]
from selftest.forking import serve
sys.path.pop(0)
serve({descriptor})
"""


def run(asked: Asked, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run it to its end, or for so long; its output is text."""
    pipes = _Pipe(), _Pipe()
    try:
        code = _server().run(asked, seconds, [pipe.writing for pipe in pipes])
    finally:
        for pipe in pipes:
            os.close(pipe.writing)
    return subprocess.CompletedProcess([asked.module, *asked.arguments], code, *(pipe.text() for pipe in pipes))


class _Pipe:
    """What a process writes, read while it does."""

    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        self._data = b""
        self._thread = threading.Thread(target=self._read, args=(reading,))
        self._thread.start()

    def _read(self, reading: int) -> None:
        with open(reading, "rb") as stream:
            self._data = stream.read()

    def text(self) -> str:
        """Give all of it, to its end."""
        self._thread.join()
        return self._data.decode("utf-8")


class _Server:
    """A process that has imported what runs need, and forks for each."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair()
        program = PROGRAM.format(ci=str(Path(__file__).parents[1]), descriptor=other.fileno())
        kept = {name: value for name, value in os.environ.items() if not name.startswith(MEDDLING)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            env=kept | {"PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            pass_fds=[other.fileno()],
        )
        other.close()
        atexit.register(self._end)

    def run(self, asked: Asked, seconds: float, streams: list[int]) -> int:
        """Give the exit code; what takes too long is killed, and TimeoutExpired."""
        data = json.dumps(asked).encode()
        self._socket.settimeout(seconds)
        socket.send_fds(self._socket, [_number(len(data))], streams)
        self._socket.sendall(data)
        process = self._number()
        try:
            return self._number()
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            self._number()
            raise subprocess.TimeoutExpired(asked.arguments, seconds) from None

    def _number(self) -> int:
        return int.from_bytes(_received(self._socket, NUMBER), "little", signed=True)

    def _end(self) -> None:
        self._socket.close()
        self._process.wait()


_server = cache(_Server)


def _number(value: int) -> bytes:
    return value.to_bytes(NUMBER, "little", signed=True)


def serve(descriptor: int) -> None:
    """Import what runs need, then fork for each until nobody asks any more."""
    _import()
    with socket.socket(fileno=descriptor) as asked:
        while True:
            head, streams, _, _ = socket.recv_fds(asked, NUMBER, 2)
            if not head:
                return
            wanted = Asked(*json.loads(_received(asked, int.from_bytes(head, "little"))))
            if not (process := os.fork()):
                break
            for stream in streams:
                os.close(stream)
            asked.sendall(_number(process))
            asked.sendall(_number(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])))
    _become(wanted, streams)


def _received(stream: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        if not (part := stream.recv(size - len(data))):
            raise EOFError("the other side has ended")
        data += part
    return bytes(data)


def _import() -> None:
    """Collect the checks once, as a run does: that imports them, and what they and the plugin need."""
    from vdi_conformance.cli import main

    # Where workers look for modules is what pytest-xdist finds when it is imported.
    without = ("-p", "no:xdist", "-p", "no:xdist.looponfail")
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        code = main(["run", "--adapter", "emulator", "--", "--collect-only", "-qq", *without])
    assert code == 0
    from vdi_conformance.explanation import unexpected  # noqa: F401
    from vdi_conformance.pytest_plugin import evidence, report_files, session, terminal  # noqa: F401


def _become(wanted: Asked, streams: list[int]) -> None:
    """Be what was asked for, to the end of this process."""
    for target, stream in enumerate(streams, start=1):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(wanted.directory)
    os.environ.clear()
    os.environ.update(wanted.environment)
    tempfile.tempdir = None
    searched = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:0] = [*([wanted.directory] if wanted.looks_here else []), *searched]
    sys.argv = [wanted.module, *wanted.arguments]
    if wanted.module == COMMAND:
        from vdi_conformance.cli import main

        sys.exit(main())
    import pytest

    sys.exit(pytest.console_main())
