"""Switches for the developer of a client: a server of statements that is slow, aborts, dies, or reports failures."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from vdi_conformance.emulator.broker_connection import BrokerConnection
from vdi_conformance.emulator.server import EmulatorServer
from vdi_conformance.sqlserver.process.counts import Counts
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdi_conformance.contract import Completion

    ServerKind = Callable[[BrokerConnection], EmulatorServer]

_SECOND: Final = 1000
"""Milliseconds."""


@dataclass(frozen=True)
class Switches:
    """What the server of each set does on purpose; commands and completions are counted from 1 on within a set."""

    slow: int = 0
    """Milliseconds that pass before each command."""
    abort_after: int | None = None
    """The server aborts when it has sent so many commands."""
    die_after: int | None = None
    """The server dies when it has sent so many commands."""
    failing: Mapping[int, int] = field(default_factory=dict)
    """The completion of a number counts as if the client had completed with this code."""


class Lives:
    """How often the server has died; whoever looked at the number can tell that it died since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deaths = 0

    @property
    def deaths(self) -> int:
        """So many times it has died."""
        return self._deaths

    def die(self) -> None:
        """Count a death."""
        with self._lock:
            self._deaths += 1


class SwitchedServer(EmulatorServer):
    """A server of one set that obeys switches, and counts."""

    def __init__(self, link: BrokerConnection) -> None:
        super().__init__(link)
        self._switches = Switches()
        self._counts = Counts()
        self._lives = Lives()
        self._sent = 0
        self._completed = 0
        self._is_dead = False

    def set_switches(self, switches: Switches, counts: Counts, lives: Lives) -> None:
        """Obey these from here on."""
        self._switches, self._counts, self._lives = switches, counts, lives

    def _call(self, name: str, *arguments: int | str | None) -> list[Any]:
        """Make a call; who is dead makes none."""
        return [VD_E_ABORT] if self._is_dead else super()._call(name, *arguments)

    def open(self, instance: str | None, name: str) -> int:
        """Open, and count the set."""
        code = super().open(instance, name)
        if code == NOERROR:
            self._counts.add("sets")
        return code

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> int:
        """Send a command, late where the server is slow; abort or die after it where that is its turn."""
        if self._switches.slow:
            time.sleep(self._switches.slow / _SECOND)
        answer = super().send_command(device, code, size, position, buffer, tag)
        if answer == NOERROR:
            self._sent += 1
            self._counts.add("commands")
            if self._sent == self._switches.abort_after:
                self.signal_abort()
            if self._sent == self._switches.die_after:
                self._die()
        return answer

    def next_completion(self, timeout: int) -> Completion | None:
        """Wait for a completion, and take it for a failure where that is its turn."""
        completion = super().next_completion(timeout)
        if completion is None:
            return None
        self._completed += 1
        self._counts.add("transferred", completion.bytes_transferred)
        code = self._switches.failing.get(self._completed, completion.code)
        return completion._replace(code=code)

    def _die(self) -> None:
        self._is_dead = True
        self._lives.die()
        self._link.close()


class Servers:
    """Makes the servers that statements use; `kind` is what they are but for the switches.

    Each has a connection of its own where it is to die, and one is shared by all otherwise.
    """

    def __init__(self, directory: str, switches: Switches, kind: type[EmulatorServer] = EmulatorServer) -> None:
        self.counts = Counts()
        self.lives = Lives()
        self._directory = directory
        self._switches = switches
        self._kind = kind
        self._shared: BrokerConnection | None = None
        self._connecting = threading.Lock()

    def make(self, kind: Callable[..., EmulatorServer] | None = None, *further: Any) -> EmulatorServer:
        """Make one; `kind` may be another class of servers, which takes `further` arguments."""
        of = cast("type[EmulatorServer]", kind or self._kind)
        switched = of if issubclass(of, SwitchedServer) else type(of.__name__, (SwitchedServer, of), {})
        made: SwitchedServer = cast("Any", switched)(self._connection(), *further)
        made.set_switches(self._switches, self.counts, self.lives)
        return made

    def _connection(self) -> BrokerConnection:
        if self._switches.die_after is not None:
            return BrokerConnection(self._directory)
        with self._connecting:
            if self._shared is None:
                self._shared = BrokerConnection(self._directory)
        return self._shared
