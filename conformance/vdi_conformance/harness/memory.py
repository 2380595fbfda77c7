"""Memory of a host process, as checks see it: addresses are numbers, contents are descriptions or digests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from msgspec.structs import replace

from vdi_conformance.harness.judging import ConformanceFailure, Needed
from vdi_conformance.host.errors import MemoryFault
from vdi_conformance.host.messages.base import Reply, Request
from vdi_conformance.host.messages.memory import (
    AllocateMemory,
    DigestMemory,
    FillMemory,
    FindOutsideAddresses,
    LoadMemory,
    ReadMemory,
    ReserveMemory,
    SaveMemory,
    WriteMemory,
)
from vdi_conformance.untrusted.bounds import MOST_SEED
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from vdi_conformance.host.process import Host, Pending

R = TypeVar("R", bound=Reply)
PAGE: Final = 4096
FAULT: Final = 300
"""So many characters are told of why memory cannot be used."""
NO_MEMORY: Final = "no memory"
"""What is observed where an address cannot be used."""
OWN: Final = 1 << 20
"""So many bytes at most a host is asked for, to show what it can do with memory of its own."""


@dataclass(frozen=True)
class Seeded:
    """Contents that follow from a seed and are expanded in the process that stores them."""

    seed: int


@dataclass(frozen=True)
class FileSlice:
    """Contents that lie in a file: `size` bytes from byte `offset` on."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True)
class OutsideAddresses:
    """Addresses of a process that belong to no set."""

    stack: int
    heap: int
    data: int
    unmapped: int


class ProcessMemory:
    """What a check can do with the memory of one process."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def host(self) -> Host:
        """The process."""
        return self._host

    @property
    def name(self) -> str:
        """The name of the process in reports."""
        return self._host.name

    def allocate(self, size: int) -> int:
        """Get `size` bytes of private, zeroed memory."""
        return int(self.host.call(AllocateMemory(size=size)).address, 16)

    def reserve(self, address: int, size: int) -> None:
        """Keep this span of address space free of anything, where nothing lies there yet."""
        self.host.call(ReserveMemory(size=size, address=hex(address)))

    def has_memory_at(self, address: int) -> bool:
        """Tell whether there is something to read."""
        request = ReadMemory(address=hex(address), size=1)
        try:
            self.host.call(request)
        except MemoryFault:
            self._do_with_own(request)
            return False
        return True

    def peek(self, addresses: Sequence[int]) -> list[int]:
        """Read single bytes."""
        reading = self.host.send_all(ReadMemory(address=hex(address), size=1) for address in addresses)
        return [int(self._result(one).data, 16) for one in reading]

    def poke(self, values: Mapping[int, int]) -> None:
        """Write single bytes, by their addresses."""
        requests = (WriteMemory(address=hex(address), data=f"{value:02x}") for address, value in values.items())
        for writing in self.host.send_all(requests):
            self._result(writing)

    def read(self, address: int, size: int) -> bytes:
        """Read up to 64 KiB."""
        return bytes.fromhex(self._use(ReadMemory(address=hex(address), size=size)).data)

    def write(self, address: int, data: bytes) -> None:
        """Write up to 64 KiB."""
        self._use(WriteMemory(address=hex(address), data=data.hex()))

    def fill(self, address: int, contents: Seeded | FileSlice, size: int = 0) -> None:
        """Store contents at an address; `size` bytes of seeded ones."""
        match contents:
            case Seeded():
                self.start_fill(address, contents, size)()
            case FileSlice(path, offset, length):
                self._use(LoadMemory(address=hex(address), size=length, path=path, offset=offset))

    def fill_and_digest(self, stretches: Sequence[Stretch], seed: int) -> list[str]:
        """Store seeded contents over stretches of this process's memory, each with the next seed, and digest them."""
        filling: list[Request[Any]] = [
            _filling(one.address, Seeded(seed + number), one.size) for number, one in enumerate(stretches)
        ]
        digesting = [DigestMemory(address=hex(one.address), size=one.size) for one in stretches]
        asked = self.host.send_all([*filling, *digesting])
        return [result.sha256 for result in [self._result(one) for one in asked][len(filling) :]]

    def start_fill(self, address: int, contents: Seeded, size: int) -> Callable[[], object]:
        """Start to store `size` bytes; what is given waits for it."""
        filling = self.host.send(_filling(address, contents, size))
        return lambda: self._result(filling)

    def digest(self, address: int, size: int) -> str:
        """Digest `size` bytes."""
        (digest,) = digests_of([Stretch(self, address, size)])
        return digest

    def start_digests(self, stretches: Iterable[Stretch]) -> Iterator[str]:
        """Start to digest stretches of this process's memory; each digest is waited for when it is asked for."""
        digesting = self.host.send_all(DigestMemory(address=hex(one.address), size=one.size) for one in stretches)
        return (self._result(one).sha256 for one in digesting)

    def save(self, address: int, size: int, path: str, offset: int) -> None:
        """Store `size` bytes into a file."""
        self._use(SaveMemory(address=hex(address), size=size, path=path, offset=offset))

    def outside_addresses(self) -> OutsideAddresses:
        """Find addresses of the process's own memory."""
        found = self.host.call(FindOutsideAddresses())
        return OutsideAddresses(int(found.stack, 16), int(found.heap, 16), int(found.data, 16), int(found.unmapped, 16))

    def _use(self, request: Request[R]) -> R:
        return self._result(self.host.send(request))

    def _result(self, pending: Pending[R]) -> R:
        """Use memory that the adapter handed out; to find none there is the adapter's failure.

        A host that cannot do the same with memory of its own says nothing about the adapter: its refusal stays one.
        """
        try:
            return pending.result()
        except MemoryFault as fault:
            self._do_with_own(pending.request)
            raise ConformanceFailure(
                f"{self.name} was given an address that it cannot use: {shown(fault.message, FAULT)}",
                ("usable memory",),
                NO_MEMORY,
                by=self.given_by(int(pending.request.address, 16)),  # type: ignore[attr-defined]
            ) from fault

    def given_by(self, address: int) -> Needed:
        """Name the requirement by which this process was given an address."""
        return Needed("CMD-17")

    def _do_with_own(self, request: Request[Any]) -> None:
        """Let the host do what it has refused with memory that it allocates; a HostError where it refuses that too."""
        self.host.call(_with_own(request, self.allocate(OWN)))


class Stretch(NamedTuple):
    """So many bytes from an address on, in the memory of a process."""

    process: ProcessMemory
    address: int
    size: int


def digests_of(stretches: Sequence[Stretch]) -> list[str]:
    """Digest stretches of memory, of any processes; all of these look at once."""
    by_process: dict[ProcessMemory, list[Stretch]] = {}
    for one in stretches:
        by_process.setdefault(one.process, []).append(one)
    digests = {process: process.start_digests(asked) for process, asked in by_process.items()}
    return [next(digests[one.process]) for one in stretches]


def _filling(address: int, contents: Seeded, size: int) -> FillMemory:
    return FillMemory(address=hex(address), size=size, seed=contents.seed % (MOST_SEED + 1))


def _with_own(request: Request[Any], address: int) -> Request[Any]:
    """Give the same request for another address, for no more bytes than there are, and for a file of its own."""
    changed: dict[str, Any] = {"address": hex(address)}
    if isinstance(request, FillMemory | DigestMemory | SaveMemory | LoadMemory):
        changed["size"] = max(0, min(request.size, OWN))
    if isinstance(request, SaveMemory):
        changed["path"] = f"{request.path}.own"
    return replace(request, **changed)
