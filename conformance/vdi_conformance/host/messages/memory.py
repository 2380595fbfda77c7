"""Memory of the host: reserved, allocated, read, written, filled, digested; bulk data never crosses the pipe."""

from typing import Annotated

import msgspec

from vdi_conformance.host.messages.base import Done, Hex, Reply, Request


class Memory(Reply, frozen=True):
    """An address in the host."""

    address: Hex


class Bytes(Reply, frozen=True):
    """Bytes in hexadecimal."""

    data: str


class Digest(Reply, frozen=True):
    """The SHA-256 of a span of memory, in hexadecimal."""

    sha256: str


class AddressesOutside(Reply, frozen=True):
    """Addresses of this process that belong to no set: one in each kind of memory."""

    stack: Hex
    heap: Hex
    data: Hex
    unmapped: Hex


class AllocateMemory(Request[Memory], frozen=True, kw_only=True):
    """Allocate `size` bytes of private, zeroed, readable memory that lives as long as the host."""

    method = "memory.allocate"
    size: Annotated[int, msgspec.Meta(gt=0, le=1 << 30)]


class ReserveMemory(Request[Memory], frozen=True, kw_only=True):
    """Reserve address space without access, at `address` if it is given and free."""

    method = "memory.reserve"
    size: Annotated[int, msgspec.Meta(gt=0)]
    address: Hex | None = None


class ReadMemory(Request[Bytes], frozen=True, kw_only=True):
    """Read up to 64 KiB; memory that cannot be read is the error MEMORY_FAULT, never a signal."""

    method = "memory.read"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0, le=65536)]


class WriteMemory(Request[Done], frozen=True, kw_only=True):
    """Write up to 64 KiB; memory that cannot be written is the error MEMORY_FAULT, never a signal."""

    method = "memory.write"
    address: Hex
    data: Annotated[str, msgspec.Meta(max_length=131072)]


class FillMemory(Request[Done], frozen=True, kw_only=True):
    """Write `size` bytes that follow from `seed` (see host/child/memory.py: SHA-256 in counter mode, repeated)."""

    method = "memory.fill"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0)]
    seed: int


class DigestMemory(Request[Digest], frozen=True, kw_only=True):
    """Digest `size` bytes."""

    method = "memory.digest"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0)]


class SaveMemory(Request[Digest], frozen=True, kw_only=True):
    """Write `size` bytes from `address` into a file at byte `offset`, and digest them."""

    method = "memory.save"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0)]
    path: str
    offset: int


class LoadMemory(Request[Digest], frozen=True, kw_only=True):
    """Read `size` bytes of a file from byte `offset` to `address`, and digest them; a shorter file is an error."""

    method = "memory.load"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0)]
    path: str
    offset: int


class FindOutsideAddresses(Request[AddressesOutside], frozen=True, kw_only=True):
    """Ask for addresses of this process that belong to no set."""

    method = "memory.outside_addresses"
