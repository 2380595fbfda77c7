"""Memory of a host process, as checks see it: addresses are numbers, contents are descriptions or digests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from vdi_conformance.host.errors import MemoryFault
from vdi_conformance.host.messages.base import Reply, Request
from vdi_conformance.host.messages.memory import (
    AllocateMemory,
    DigestMemory,
    FillMemory,
    FindLandmarks,
    LoadMemory,
    ReadMemory,
    ReserveMemory,
    SaveMemory,
    WriteMemory,
)
from vdi_conformance.host.process import Host, Pending
from vdi_conformance.printable import shown
from vdi_conformance.suite.judging import ConformanceFailure

R = TypeVar("R", bound=Reply)
PAGE: Final = 4096
FAULT: Final = 300
"""So many characters are told of why memory cannot be used."""


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
class Landmarks:
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
        try:
            self.host.call(ReadMemory(address=hex(address), size=1))
        except MemoryFault:
            return False
        return True

    def peek(self, addresses: Sequence[int]) -> list[int]:
        """Read single bytes."""
        reading = [self.host.send(ReadMemory(address=hex(address), size=1)) for address in addresses]
        return [int(self._result(one).data, 16) for one in reading]

    def poke(self, values: Mapping[int, int]) -> None:
        """Write single bytes, by their addresses."""
        requests = [WriteMemory(address=hex(address), data=f"{value:02x}") for address, value in values.items()]
        for writing in [self.host.send(request) for request in requests]:
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
            case Seeded(seed):
                self._use(FillMemory(address=hex(address), size=size, seed=seed))
            case FileSlice(path, offset, length):
                self._use(LoadMemory(address=hex(address), size=length, path=path, offset=offset))

    def digest(self, address: int, size: int) -> str:
        """Digest `size` bytes."""
        return self.start_digest(address, size)()

    def start_digest(self, address: int, size: int) -> Callable[[], str]:
        """Start to digest `size` bytes; what is given waits for it."""
        digesting = self.host.send(DigestMemory(address=hex(address), size=size))
        return lambda: self._result(digesting).sha256

    def save(self, address: int, size: int, path: str, offset: int) -> None:
        """Store `size` bytes into a file."""
        self._use(SaveMemory(address=hex(address), size=size, path=path, offset=offset))

    def landmarks(self) -> Landmarks:
        """Find addresses of the process's own memory."""
        found = self.host.call(FindLandmarks())
        return Landmarks(int(found.stack, 16), int(found.heap, 16), int(found.data, 16), int(found.unmapped, 16))

    def _use(self, request: Request[R]) -> R:
        return self._result(self.host.send(request))

    def _result(self, pending: Pending[R]) -> R:
        """Use memory that the adapter handed out; to find none there is the adapter's failure."""
        try:
            return pending.result()
        except MemoryFault as fault:
            raise ConformanceFailure(
                f"{self.name} was given an address that it cannot use: {shown(fault.message, FAULT)}",
                ("usable memory",),
                "no memory",
            ) from fault
