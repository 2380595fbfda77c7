"""Hosts that are started one by one, on every platform: with pipes, and with threads that wait on them."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.host.child.layout import Slots
from vdi_conformance.host.errors import NoProcess
from vdi_conformance.host.process_end import KILL, Ended
from vdi_conformance.host.starting.groups import OWN_GROUP, Group
from vdi_conformance.host.starting.interpreter import ENVIRONMENT, interpreter_command
from vdi_conformance.host.starting.starter import Event, Output, Started, Stopped
from vdi_conformance.host.starting.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.host.spec import AdapterSpec

_ENTRY: Final = "vdi_conformance.host.child.entry"
_CHUNK: Final = 1 << 16
_CANNOT_EXECUTE: Final = 127
_SECONDS_TO_END: Final = 5.0
_SECONDS_FOR_LAST_WORDS: Final = 1.0
_UNSIGNED: Final = 0xFFFFFFFF
_SECONDS_TO_BUNDLE: Final = 60.0
_SHORT_OF: Final = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What no program can be blamed for that could not be started."""


class _Process:
    """One host: a thread each for its input, its output, its standard error and its end."""

    def __init__(self, host: int, popen: subprocess.Popen[bytes], slot: int, events: queue.SimpleQueue[Event]) -> None:
        self._host = host
        self._popen = popen
        self.slot = slot
        self._lock = threading.Lock()
        self._events = events
        self._group = Group(popen)
        self._unsent: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._tail = Tail()
        self._readers = [self._thread(self._read_output), self._thread(self._read_errors)]
        self._thread(self._write_input)
        self._end = self._thread(self._watch)

    def send(self, data: bytes | None) -> None:
        """Queue bytes for standard input, or its end."""
        self._unsent.put(data)

    def kill(self, number: int) -> None:
        """Send a signal to a process that has not been reaped."""
        with self._lock:
            if self._popen.returncode is None:
                self._group.send(number)

    def join(self) -> None:
        """Wait until the end of a killed process is known."""
        self._end.join(_SECONDS_TO_END)

    def _thread(self, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, daemon=True, name=f"host {self._host} {target.__name__}")
        thread.start()
        return thread

    def _write_input(self) -> None:
        stdin = self._popen.stdin
        assert stdin is not None
        with contextlib.suppress(OSError, ValueError), stdin:
            while (data := self._unsent.get()) is not None:
                stdin.write(data)
                stdin.flush()

    def _read_output(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as stdout:
            while data := os.read(stdout.fileno(), _CHUNK):
                self._events.put(Output(self._host, data))

    def _read_errors(self) -> None:
        assert self._popen.stderr is not None
        with self._popen.stderr as stderr:
            while data := os.read(stderr.fileno(), _CHUNK):
                self._tail.add(data)

    def _watch(self) -> None:
        """Kill the process group before the process is reaped: afterwards its id may be another's."""
        if sys.platform != "win32" and hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._popen.wait()
        with self._lock:
            self._group.end()
            self._popen.wait()
        self.send(None)
        # A descendant that has left the group may hold the pipes for ever.
        for reader in self._readers:
            reader.join(_SECONDS_FOR_LAST_WORDS)
        code = self._popen.returncode
        if sys.platform == "win32":
            code &= _UNSIGNED
        ended = Ended(code, None, self._tail.text()) if code >= 0 else Ended(None, -code, self._tail.text())
        self._events.put(Stopped(self._host, ended))


def _account_of(spec: AdapterSpec) -> dict[str, Any]:
    """Give what has a program run under another account; our own host takes it when it has read its files."""
    if spec.credentials is None or spec.kind == "python":
        return {}
    user, group, groups = spec.credentials
    return {"user": user, "group": group, "extra_groups": list(groups)}


class PlainStarter:
    """Starts each host by itself; a parent that is killed leaves its directory behind.

    `archiving` has the hosts import from an archive, which pays where files are slow to open.
    """

    def __init__(self, archiving: bool = sys.platform == "win32") -> None:
        self.directory = tempfile.mkdtemp(prefix="vdi-")
        self._archiving = archiving
        self._archives: dict[tuple[str, ...], str] = {}
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._processes: dict[int, _Process] = {}
        self._slots = Slots()

    @property
    def process(self) -> None:
        """Nobody: this process starts them itself."""
        return

    def start(self, host: int, spec: AdapterSpec) -> None:
        """Start a process; a program that cannot be started has ended at once, as it would after a fork.

        Our own interpreter can be started, so where the system refuses that, the adapter is not at fault.
        """
        environment = os.environ | dict(spec.env)
        slot = 0
        if spec.kind == "python":
            archive = self._archive(spec.preload)
            slot = self._slots.take()
            environment |= ENVIRONMENT
            account = "" if spec.credentials is None else spec.credentials.packed()
            handed = (spec.target, str(slot), account, *(spec.preload if account else ()))
            argv = interpreter_command(_ENTRY, "spawned_main(a[0], int(a[1]), *a[2:])", *handed, archive=archive)
        else:
            argv = list(spec.argv)
        try:
            popen = subprocess.Popen(
                argv,
                cwd=spec.cwd,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                **OWN_GROUP,
                **_account_of(spec),
            )
        except OSError as error:
            self._slots.give_back(slot)
            if spec.kind == "python" or error.errno in _SHORT_OF:
                raise NoProcess(str(error)) from error
            words = f"the host could not be started: {type(error).__name__}: {error}\n"
            self._events.put(Stopped(host, Ended(_CANNOT_EXECUTE, None, words)))
            return
        self._events.put(Started(host, popen.pid))
        try:
            self._processes[host] = _Process(host, popen, slot, self._events)
        except RuntimeError as error:  # no thread can be started
            popen.kill()
            popen.wait()
            raise NoProcess(str(error)) from error

    def _archive(self, preload: tuple[str, ...]) -> str | None:
        """Give the archive for hosts of such an adapter, made when it is first needed; None where there is none."""
        if not self._archiving:
            return None
        if preload not in self._archives:
            path = str(Path(self.directory) / f"archive-{len(self._archives)}")
            command = interpreter_command(
                "vdi_conformance.host.starting.import_archive", "write(a[0], a[1:])", path, _ENTRY, *preload
            )
            try:
                subprocess.run(
                    command,
                    env=os.environ | ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    timeout=_SECONDS_TO_BUNDLE,
                    check=True,
                )
            except subprocess.CalledProcessError as error:
                raise NoProcess(error.stderr.decode("utf-8", "replace").strip()) from error
            except (OSError, subprocess.TimeoutExpired) as error:
                raise NoProcess(str(error)) from error
            self._archives[preload] = path
        return self._archives[preload]

    def write(self, host: int, data: bytes) -> None:
        """Hand bytes to the thread that writes to the host."""
        if host in self._processes:
            self._processes[host].send(data)

    def end_input(self, host: int) -> None:
        """End a host's standard input, after what was written before."""
        if host in self._processes:
            self._processes[host].send(None)

    def kill(self, host: int, signal: int) -> None:
        """Send a signal to a host; on Windows every signal ends it."""
        if host in self._processes:
            self._processes[host].kill(signal)

    def wait(self, seconds: float) -> list[Event]:
        """Wait for what the threads report."""
        events: list[Event] = []
        with contextlib.suppress(queue.Empty):
            events.append(self._events.get(timeout=seconds) if seconds > 0 else self._events.get_nowait())
            while True:
                events.append(self._events.get_nowait())
        for event in events:
            if isinstance(event, Stopped) and (process := self._processes.pop(event.host, None)) is not None:
                self._slots.give_back(process.slot)
        return events

    def close(self) -> None:
        """End every host with its group, and delete the directory."""
        for process in self._processes.values():
            process.kill(KILL)
        for process in self._processes.values():
            process.join()
        self._processes.clear()
        shutil.rmtree(self.directory, ignore_errors=True)
