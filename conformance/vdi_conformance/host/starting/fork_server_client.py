"""Hosts from the fork server, as the parent sees them (Linux): one poll set, no threads, nothing that blocks."""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.host.errors import NoProcess, NotStarted
from vdi_conformance.host.process_end import Ended
from vdi_conformance.host.starting.interpreter import interpreter_command
from vdi_conformance.host.starting.starter import Event, Output, Started, Stopped

if TYPE_CHECKING:
    from vdi_conformance.host.spec import AdapterSpec

assert sys.platform == "linux"

_CHUNK: Final = 1 << 16
_PACKET: Final = 1 << 20
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - a directory of our own is made in it
_LEAST_FREE: Final = 256 << 20
_SECONDS_TO_START: Final = 30.0
_SECONDS_TO_END: Final = 10.0


@dataclass
class _Pipes:
    """The parent's ends of one host's standard input and output; -1 once closed."""

    host: int
    stdin: int
    stdout: int
    unsent: bytearray = field(default_factory=bytearray)
    ending: bool = False


class ForkedStarter:
    """Starts hosts through the fork server."""

    def __init__(self) -> None:
        self._directory = _private_directory()
        self._ready = False
        self._last_words = ""
        self._pipes: dict[int, _Pipes] = {}
        self._by_descriptor: dict[int, _Pipes] = {}
        self._events: list[Event] = []
        self._poll = select.poll()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.pidfd_open(os.getpid())
        arguments = str(theirs.fileno()), str(parent), self._directory
        self._fork_server = subprocess.Popen(
            interpreter_command(
                "vdi_conformance.host.starting.fork_server", "main(int(a[0]), int(a[1]), a[2])", *arguments
            ),
            pass_fds=(theirs.fileno(), parent),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        os.close(parent)
        theirs.close()
        self._control.setblocking(False)
        self._poll.register(self._control.fileno(), select.POLLIN)

    @property
    def directory(self) -> str:
        """The private directory, which the fork server makes and deletes; waits until it is there."""
        if not self._ready:
            self._control.settimeout(_SECONDS_TO_START)
            try:
                self._hear(self._control.recv(_PACKET))
            except TimeoutError:
                raise self._gone() from None
            self._control.setblocking(False)
        return self._directory

    @property
    def process(self) -> int:
        """The fork server."""
        return self._fork_server.pid

    def start(self, host: int, spec: AdapterSpec) -> None:
        """Order a host and hand its ends of the pipes over."""
        theirs_in, stdin, stdout, theirs_out = _two_pipes()
        os.set_blocking(stdin, False)
        os.set_blocking(stdout, False)
        pipes = self._pipes[host] = _Pipes(host, stdin, stdout)
        self._by_descriptor |= {stdin: pipes, stdout: pipes}
        self._poll.register(stdout, select.POLLIN)
        order = {
            "do": "spawn",
            "host": host,
            "kind": spec.kind,
            "target": spec.target,
            "argv": spec.argv,
            "cwd": spec.cwd,
            "env": dict(spec.env),
            "preload": spec.preload,
            "credentials": [] if spec.credentials is None else spec.credentials.numbers(),
        }
        try:
            self._order(order, (theirs_in, theirs_out))
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def write(self, host: int, data: bytes) -> None:
        """Send what fits now; the rest goes when the host reads on."""
        if (pipes := self._pipes.get(host)) is None or pipes.stdin < 0:
            return
        pipes.unsent += data
        self._send(pipes)

    def end_input(self, host: int) -> None:
        """End a host's standard input, after what is still unsent."""
        if (pipes := self._pipes.get(host)) is not None and pipes.stdin >= 0:
            pipes.ending = True
            self._send(pipes)

    def kill(self, host: int, signal: int) -> None:
        """Have the fork server send a signal: only who reaps a process knows that its id is still its own."""
        if host in self._pipes:
            self._order({"do": "kill", "host": host, "signal": signal})

    def wait(self, seconds: float) -> list[Event]:
        """Wait on everything at once, and give what happened."""
        for descriptor, _ in self._poll.poll(_milliseconds(seconds)):
            if descriptor == self._control.fileno():
                self._listen()
            elif (pipes := self._by_descriptor.get(descriptor)) is not None:
                if descriptor == pipes.stdout:
                    self._receive(pipes)
                else:
                    self._send(pipes)
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Tell the fork server to quit and wait for it; without it, delete the directory ourselves."""
        try:
            self._order({"do": "quit"})
            self._fork_server.wait(_SECONDS_TO_END)
        except (NotStarted, subprocess.TimeoutExpired):
            self._fork_server.kill()
            self._fork_server.wait()
        for pipes in self._pipes.values():
            self._close_stdin(pipes)
            self._close_stdout(pipes)
        self._pipes.clear()
        self._control.close()
        if self._fork_server.stderr is not None:
            self._fork_server.stderr.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _order(self, order: dict[str, Any], streams: tuple[int, ...] = ()) -> None:
        packet = json.dumps(order).encode()
        self._control.settimeout(_SECONDS_TO_START)
        try:
            socket.send_fds(self._control, [packet], streams)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            raise self._gone() from None
        finally:
            self._control.setblocking(False)

    def _listen(self) -> None:
        while True:
            try:
                packet = self._control.recv(_PACKET)
            except BlockingIOError:
                return
            except ConnectionResetError:
                packet = b""
            self._hear(packet)

    def _hear(self, packet: bytes) -> None:
        if not packet:
            raise self._gone()
        message = json.loads(packet)
        if message["event"] == "ready":
            self._ready = True
        elif message["event"] == "refused":
            raise NoProcess(message["cause"])
        elif message["event"] == "started":
            self._events.append(Started(message["host"], message["pid"]))
        else:
            self._bury(self._pipes.pop(message["host"]), message)

    def _bury(self, pipes: _Pipes, message: dict[str, Any]) -> None:
        """What the host wrote before it ended comes first."""
        while pipes.stdout >= 0 and self._receive(pipes):
            pass
        self._close_stdin(pipes)
        self._close_stdout(pipes)
        code = os.waitstatus_to_exitcode(message["status"])
        exit_code, number = (code, None) if code >= 0 else (None, -code)
        self._events.append(Stopped(pipes.host, Ended(exit_code, number, message["stderr"])))

    def _receive(self, pipes: _Pipes) -> bool:
        """Read once; tell whether there may be more."""
        try:
            data = os.read(pipes.stdout, _CHUNK)
        except BlockingIOError:
            return False
        if data:
            self._events.append(Output(pipes.host, data))
        else:
            self._close_stdout(pipes)
        return bool(data)

    def _send(self, pipes: _Pipes) -> None:
        try:
            while pipes.unsent:
                del pipes.unsent[: os.write(pipes.stdin, pipes.unsent)]
        except BlockingIOError:
            self._poll.register(pipes.stdin, select.POLLOUT)
            return
        except BrokenPipeError:
            pipes.unsent.clear()  # its end will be reported
            pipes.ending = True
        if pipes.ending:
            self._close_stdin(pipes)
        else:
            self._forget(pipes.stdin)

    def _close_stdin(self, pipes: _Pipes) -> None:
        if pipes.stdin >= 0:
            self._forget(pipes.stdin)
            del self._by_descriptor[pipes.stdin]
            os.close(pipes.stdin)
            pipes.stdin = -1

    def _close_stdout(self, pipes: _Pipes) -> None:
        if pipes.stdout >= 0:
            self._forget(pipes.stdout)
            del self._by_descriptor[pipes.stdout]
            os.close(pipes.stdout)
            pipes.stdout = -1

    def _forget(self, descriptor: int) -> None:
        try:
            self._poll.unregister(descriptor)
        except KeyError:
            return

    def _gone(self) -> NotStarted:
        self._fork_server.kill()
        if self._fork_server.stderr is not None and not self._fork_server.stderr.closed:
            self._last_words = self._fork_server.communicate()[1].decode("utf-8", "replace")
        return NotStarted(self._last_words)


def _two_pipes() -> tuple[int, int, int, int]:
    """Make a pipe each way: its reading end first."""
    made: list[int] = []
    try:
        made += os.pipe()
        made += os.pipe()
    except OSError as error:
        for descriptor in made:
            os.close(descriptor)
        raise NoProcess(str(error)) from error
    one, two, three, four = made
    return one, two, three, four


def _private_directory() -> str:
    """Choose a new directory: in shared memory where there is room, since the buffers of a run lie in it."""
    base = tempfile.gettempdir()
    try:
        room = os.statvfs(_SHARED_MEMORY)
        if room.f_bavail * room.f_frsize >= _LEAST_FREE and os.access(_SHARED_MEMORY, os.W_OK | os.X_OK):
            base = _SHARED_MEMORY
    except OSError:
        pass
    return f"{base}/vdi-{secrets.token_hex(8)}"


def _milliseconds(seconds: float) -> int:
    """Round up: a wait must not end just before its time."""
    return int(seconds * 1000 + 0.999)
