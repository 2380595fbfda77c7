"""What a way of starting hosts offers to the supervisor: bytes in, bytes out, and how each host ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from vdi_conformance.host.process_end import Ended
    from vdi_conformance.host.spec import AdapterSpec


class Started(NamedTuple):
    """A host's process exists."""

    host: int
    pid: int


class Output(NamedTuple):
    """A host wrote to its standard output."""

    host: int
    data: bytes


class Stopped(NamedTuple):
    """A host's process has ended; all of its output came before."""

    host: int
    ended: Ended


Event = Started | Output | Stopped


class Starter(Protocol):
    """Starts hosts, each under a number that the supervisor chose, and reports what happens to them."""

    @property
    def directory(self) -> str:
        """The private directory: it exists, and goes with the starter."""
        ...

    @property
    def process(self) -> int | None:
        """The process that starts hosts and outlives them, where it is another one than this."""
        ...

    def start(self, host: int, spec: AdapterSpec) -> None:
        """Start a host, without waiting for it."""
        ...

    def write(self, host: int, data: bytes) -> None:
        """Send bytes to a host's standard input, without waiting for it."""
        ...

    def end_input(self, host: int) -> None:
        """End a host's standard input, after what was written before."""
        ...

    def kill(self, host: int, signal: int) -> None:
        """Send a signal to a host's process; the rest of its process group is killed when it has ended."""
        ...

    def wait(self, seconds: float) -> list[Event]:
        """Wait for something to happen, at most so long, and give what did."""
        ...

    def close(self) -> None:
        """End every host and everything they started, and delete the private directory."""
        ...
