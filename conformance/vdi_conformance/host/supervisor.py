"""The one who starts hosts, waits for them, and leaves nothing behind.

There are no threads in the parent where hosts come from the fork server: whoever waits pumps one poll set. A supervisor
and its hosts belong to the thread that made them.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import math
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from vdi_conformance.host import pace
from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_conformance.host.messages.base import HostEnvironment, Initialize
from vdi_conformance.host.process import PATIENCE, Host, Pending
from vdi_conformance.host.process_end import KILL, Ended
from vdi_conformance.host.spec import AdapterSpec, Role, RunEnvironment, RunSettings
from vdi_conformance.host.starting.spawned import PlainStarter
from vdi_conformance.host.starting.starter import Output, Started, Starter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

Start = Literal["forkserver", "spawn"]

_NAP: Final = 0.25
"""After so many seconds at the latest a wait looks at the clock."""
_MOST_EXTRA: Final = 120.0
"""So many seconds longer at most one request is waited for on a busy machine."""


def _can_fork() -> bool:
    """The fork server needs Linux, and a kernel that can watch processes by descriptors (5.3)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.close(os.pidfd_open(os.getpid()))
            return True
    return False


def _starter(start: Start | None) -> Starter:
    if start == "spawn" or (start is None and not _can_fork()):
        return PlainStarter()
    if sys.platform == "linux":
        from vdi_conformance.host.starting.fork_server_client import ForkedStarter

        return ForkedStarter()
    raise ValueError("hosts can be forked from a fork server on Linux only: use start='spawn'")


class Supervisor:
    """Starts hosts and looks after them until it is closed; then all of them and the private directory are gone.

    `start` chooses how: forked from a warm process (Linux, the default there) or each by itself. `cpu` keeps this
    process and all hosts on one CPU (Linux): several workers on one machine are quicker so, each on its own.
    """

    def __init__(self, start: Start | None = None, cpu: int | None = None) -> None:
        self._affinity: set[int] | None = None
        if cpu is not None and sys.platform == "linux":
            self._affinity = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {cpu})
        self._seconds = math.inf
        self._deadline = math.inf
        self._owner = os.getpid()
        self._starter: Starter | None = _starter(start)
        self._keys = itertools.count(1)
        self._numbers = itertools.count(1)
        self._hosts: dict[int, Host] = {}
        atexit.register(self.close)

    @property
    def starter(self) -> Starter:
        """The way to the processes."""
        if self._starter is None:
            raise RuntimeError("the supervisor is closed: make another one")
        return self._starter

    @property
    def directory(self) -> str:
        """The private directory, which exists until `close`."""
        return self.starter.directory

    def limit(self, seconds: float) -> None:
        """Let requests be sent and waited for so long from now, and longer where the machine is busy then."""
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether the time for all requests is over, so that nothing is sent any more."""
        if time.monotonic() <= self._deadline:
            return False
        # More of it is given once.
        self._deadline += self._seconds * (pace.stretch() - 1)
        self._seconds = 0
        return time.monotonic() > self._deadline

    @property
    def hosts(self) -> list[Host]:
        """The hosts that are not known to have ended."""
        return list(self._hosts.values())

    def launch(
        self,
        spec: AdapterSpec,
        role: Role = "client",
        name: str = "primary",
        environment: RunEnvironment | None = None,
        directory: str | None = None,
    ) -> Host:
        """Start a host and send its first request, without waiting for either.

        `directory` is the one that it shares with its like: by default the private one, else a part of that.
        """
        settings = environment or RunSettings()
        host = Host(self, next(self._keys), name, spec, role, settings.time_scale)
        told = HostEnvironment(
            directory=directory or self.directory, seed=settings.seed, time_scale=settings.time_scale
        )
        self.starter.start(host.key, spec)
        self._hosts[host.key] = host
        host.initialize(Initialize(protocol=str(PROTOCOL_VERSION), role=role, environment=told))
        return host

    def wait_any(self, pendings: Sequence[Pending[Any]], patience: float = PATIENCE) -> Pending[Any] | None:
        """Wait until one of these requests is settled and give it; None where none was in `patience` seconds.

        When the time for all requests is over a HostError, since who asks again and again would come to no end.
        """
        if pendings and self.over:
            raise pendings[0].no_end()
        self.wait_until(lambda: any(pending.settled for pending in pendings), patience)
        return next((pending for pending in pendings if pending.settled), None)

    def wait_for_one(self, pendings: Sequence[Pending[Any]], patience: float = PATIENCE) -> None:
        """Wait until one of these requests is settled; where none is in time, the first host is ended as hung."""
        if self.wait_any(pendings, patience) is None:
            pendings[0].wait(patience, lambda: any(pending.settled for pending in pendings))

    def wait_until(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Pump until something is so; tell whether it came to that in time.

        Time in which this process would have looked and could not does not count.
        """
        left = seconds
        while not happened():
            if left <= 0:
                return False
            began, nap = time.monotonic(), min(left, _NAP)
            self.pump(nap)
            left -= min(nap, time.monotonic() - began)
        return True

    def wait_patiently(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Pump until something is so, for longer where the machine is busy; tell whether it came to that in time."""
        if self.wait_until(happened, seconds):
            return True
        return self.wait_until(happened, min(seconds * (pace.stretch() - 1), _MOST_EXTRA))

    def pump(self, seconds: float) -> None:
        """Wait for something to happen to any host, at most so long, and pass it on."""
        for event in self.starter.wait(seconds):
            if (host := self._hosts.get(event.host)) is None:
                continue
            if isinstance(event, Output):
                host.take_output(event.data)
            elif isinstance(event, Started):
                host.pid = event.pid
            else:
                del self._hosts[event.host]
                host.take_end(event.ended)

    def next_number(self) -> int:
        """Count the requests of all hosts."""
        return next(self._numbers)

    def close(self) -> None:
        """End every host and whatever they started, and delete the private directory; a second time does nothing."""
        atexit.unregister(self.close)
        starter, self._starter = self._starter, None
        # A fork of this process has a copy of the supervisor, but the hosts are not its own.
        if starter is None or os.getpid() != self._owner:
            return
        starter.close()
        for host in self._hosts.values():
            host.take_end(Ended(None, KILL, ""))
        self._hosts.clear()
        if self._affinity is not None and sys.platform == "linux":
            os.sched_setaffinity(0, self._affinity)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
