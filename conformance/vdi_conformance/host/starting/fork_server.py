"""The fork server (Linux): a warm process without threads that forks the hosts, collects how they end, and cleans up.

It imports what every host needs, never a vendor's adapter. It lives in a session of its own, so that a Ctrl-C of the
terminal does not reach it, and obeys the parent over a socket of packets: `spawn`, `kill`, `quit`. It is the janitor
too: told to quit, or left alone by a parent that is gone, it ends every host and deletes the private directory.
"""

import contextlib
import errno
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

from vdi_conformance.host.child import entry
from vdi_conformance.host.child.layout import Slots, plug_holes
from vdi_conformance.host.lifeline import inherit_orphans
from vdi_conformance.host.starting import forked_child
from vdi_conformance.host.starting.tail import Tail

assert sys.platform == "linux"

_PIPE: Final = 1 << 16
"""What a pipe holds. Big blocks that a host frees after its fork would leave holes in its own address layout."""
_SECONDS_TO_END: Final = 5.0
_PAUSE: Final = 0.001


@dataclass
class _Host:
    """One live host: its key in the parent, its process, its slot, and the pipe of its standard error."""

    key: int
    pid: int
    slot: int
    process: int
    errors: int
    tail: Tail = field(default_factory=Tail)


class Zygote:
    """Serves one parent; `parent` is a pidfd of it."""

    def __init__(self, control: socket.socket, parent: int, directory: str) -> None:
        self._control = control
        self._parent = parent
        self._directory = directory
        self._hosts: dict[int, _Host] = {}
        self._by_descriptor: dict[int, _Host] = {}
        self._slots = Slots()
        self._unsent: list[bytes] = []
        self._poll = select.poll()
        self._poll.register(control.fileno(), select.POLLIN)
        self._poll.register(parent, select.POLLIN)

    def run(self) -> None:
        """Serve until told to quit, or until the parent is gone."""
        self._say(event="ready", directory=self._directory)
        try:
            while self._serve():
                pass
        finally:
            self._end_everything()

    def _serve(self) -> bool:
        for descriptor, _ in self._poll.poll():
            if descriptor == self._parent:
                return False
            if descriptor == self._control.fileno():
                if not self._obey():
                    return False
            elif (host := self._by_descriptor.get(descriptor)) is not None and descriptor == host.errors:
                self._read_errors(host)
        self._collect()
        return True

    def _obey(self) -> bool:
        """Obey one packet of the parent; tell whether to go on."""
        self._flush()
        try:
            size = self._control.recv_into(bytearray(1), 1, socket.MSG_PEEK | socket.MSG_TRUNC)
            packet, streams, _, _ = socket.recv_fds(self._control, size, 2)
        except BlockingIOError:
            return True
        if not packet:
            return False
        order = json.loads(packet)
        if order["do"] == "spawn":
            self._spawn(order, streams)
        elif order["do"] == "kill":
            host = next((host for host in self._hosts.values() if host.key == order["host"]), None)
            if host is not None:
                _send_signal(host.pid, order["signal"])
        return bool(order["do"] != "quit")

    def _spawn(self, order: dict[str, Any], streams: list[int]) -> None:
        _preload(order["preload"])
        try:
            host = self._fork(order, streams)
        except OSError as error:
            self._say(event="refused", cause=str(error))
            return
        finally:
            for descriptor in streams:
                os.close(descriptor)
        self._hosts[host.pid] = host
        for descriptor in (host.process, host.errors):
            self._by_descriptor[descriptor] = host
            self._poll.register(descriptor, select.POLLIN)
        self._say(event="started", host=host.key, pid=host.pid)

    def _fork(self, order: dict[str, Any], streams: list[int]) -> _Host:
        """Make a host; an OSError where the system refuses it, of which nothing is left."""
        if len(streams) != len(("stdin", "stdout")):
            # Descriptors that cannot be received are dropped without a word.
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        errors, sink = os.pipe()
        slot = self._slots.take()
        stdin, stdout = streams
        fork_server = os.getpid()
        try:
            pid = os.fork()
            if pid == 0:
                inherited = [*self._by_descriptor, self._control.detach(), self._parent, *streams, errors, sink]
                forked_child.become_host(order, slot, fork_server, (stdin, stdout, sink), inherited)
            try:
                process = os.pidfd_open(pid)
            except OSError:
                _send_signal(pid, signal.SIGKILL)
                raise
        except OSError:
            os.close(errors)
            self._slots.give_back(slot)
            raise
        finally:
            os.close(sink)
        os.set_blocking(errors, False)
        return _Host(order["host"], pid, slot, process, errors)

    def _read_errors(self, host: _Host) -> bool:
        """Keep the end of what a host wrote; tell whether there may be more."""
        try:
            data = os.read(host.errors, _PIPE)
        except BlockingIOError:
            return False
        host.tail.add(data)
        if not data and self._by_descriptor.pop(host.errors, None) is not None:
            self._poll.unregister(host.errors)
        return bool(data)

    def _collect(self) -> None:
        """Collect whoever has ended: hosts, and orphans among their descendants.

        It is a look without reaping, so that no host's status is lost and its id is not given to another process
        before its group is killed.
        """
        while (pid := _ended_child()) is not None:
            host = self._hosts.pop(pid, None)
            if host is None:
                os.waitpid(pid, 0)
            else:
                self._bury(host)

    def _bury(self, host: _Host) -> None:
        _kill_group(host.pid)
        while self._read_errors(host):
            pass
        _, status = os.waitpid(host.pid, 0)
        for descriptor in (host.process, host.errors):
            if self._by_descriptor.pop(descriptor, None) is not None:
                self._poll.unregister(descriptor)
            os.close(descriptor)
        self._slots.give_back(host.slot)
        self._say(event="ended", host=host.key, status=status, stderr=host.tail.text())

    def _say(self, **message: object) -> None:
        self._unsent.append(json.dumps(message).encode())
        self._flush()

    def _flush(self) -> None:
        """Send what is waiting; a parent that does not listen must not stop the janitor."""
        while self._unsent:
            try:
                self._control.send(self._unsent[0])
            except BlockingIOError:
                self._poll.modify(self._control.fileno(), select.POLLIN | select.POLLOUT)
                return
            except OSError:
                self._unsent.clear()
                return
            del self._unsent[0]
        self._poll.modify(self._control.fileno(), select.POLLIN)

    def _end_everything(self) -> None:
        for pid in self._hosts:
            _kill_group(pid)
            _send_signal(pid, signal.SIGKILL)
        deadline = time.monotonic() + _SECONDS_TO_END
        with contextlib.suppress(ChildProcessError):
            while time.monotonic() < deadline:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    for pid in _children():
                        _send_signal(pid, signal.SIGKILL)
                    time.sleep(_PAUSE)
        import shutil  # not before: every fork would copy what it brings along

        shutil.rmtree(self._directory, ignore_errors=True)


def _preload(modules: list[str]) -> None:
    """Import what hosts would otherwise import one by one; what cannot be imported fails in the host that needs it."""
    missing = [module for module in modules if module not in sys.modules]
    for module in missing:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    if missing:
        _prepare_forks()


def _prepare_forks() -> None:
    """Do once what each host would do: its collector must not visit, and so copy, what is there; holes are plugged."""
    gc.collect()
    gc.freeze()
    plug_holes()


def _ended_child() -> int | None:
    """Find a child that has ended, without reaping it."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if ended is None else ended.si_pid


def _send_signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _children() -> list[int]:
    """Find the children of this process: orphans that have left their host's group are among them."""
    parent = os.getpid()
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and _parent_of(name) == parent]  # noqa: PTH208
    return []


def _parent_of(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def main(control: int, parent: int, directory: str) -> None:
    """Be the server: the ends of the socket and of the parent's pidfd are inherited, the directory is made here."""
    inherit_orphans()
    os.mkdir(directory, 0o700)  # noqa: PTH102
    connection = socket.socket(fileno=control)
    connection.setblocking(False)
    entry.prepare()
    _prepare_forks()
    Zygote(connection, parent, directory).run()
