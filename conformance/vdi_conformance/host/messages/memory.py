"""Memory of the host: reserved, allocated, read, written, filled, digested; bulk data never crosses the pipe."""

from typing import Annotated

import msgspec

from vdi_conformance.host.messages.base import Done, Hex, Reply, Request, Seed


class Memory(Reply, frozen=True):
    """An address in the host."""

    address: Hex


class Bytes(Reply, frozen=True):
    """Bytes in hexadecimal, two digits each, without separators."""

    data: str


class Digest(Reply, frozen=True):
    """The SHA-256 of a span of memory: 64 hexadecimal digits in lower case."""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class AddressesOutside(Reply, frozen=True):
    """Addresses of this process that belong to no set, one in each kind of memory.

    `stack` lies in the stack of a thread that lives as long as the process, `heap` in an allocated block that is never
    freed, `data` in a static variable, and `unmapped` in address space that is reserved without access.
    """

    stack: Hex
    heap: Hex
    data: Hex
    unmapped: Hex


class AllocateMemory(Request[Memory], frozen=True, kw_only=True):
    """Allocate `size` bytes of private memory, which begin at a page, are zero, and live as long as the host.

    Where there is no room, the answer is the error -32003.
    """

    method = "memory.allocate"
    size: Annotated[int, msgspec.Meta(gt=0, le=1 << 30)]


class ReserveMemory(Request[Memory], frozen=True, kw_only=True):
    """Reserve `size` bytes of address space without access, for as long as the host lives.

    It lies at `address` where that is given and free, and elsewhere otherwise: the reply says where. Where there is no
    room, the answer is the error -32003. mmap with PROT_NONE and VirtualAlloc with MEM_RESERVE do this.
    """

    method = "memory.reserve"
    size: Annotated[int, msgspec.Meta(gt=0)]
    address: Hex | None = None


class ReadMemory(Request[Bytes], frozen=True, kw_only=True):
    """Read up to 64 KiB.

    Where not all of it can be read the answer is the error -32003, and the process goes on: copy by a call of the
    system that reports a fault, such as process_vm_readv, write into a pipe, or ReadProcessMemory.
    """

    method = "memory.read"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0, le=65536)]


class WriteMemory(Request[Done], frozen=True, kw_only=True):
    """Write up to 64 KiB, given in hexadecimal, two digits a byte.

    Where not all of it can be written the answer is the error -32003, and the process goes on.
    """

    method = "memory.write"
    address: Hex
    data: Annotated[str, msgspec.Meta(max_length=131072)]


class FillMemory(Request[Done], frozen=True, kw_only=True):
    """Write `size` bytes that follow from `seed`.

    They are a page of 4096 bytes again and again, cut off after `size` bytes. Bytes 32*i to 32*i+31 of the page, for i
    from 0 to 127, are the SHA-256 of the ASCII text "SEED:I", where SEED is the seed and I is i, both in decimal. In
    repetition r, counted from 0, the first 8 bytes of the page, taken as one little-endian number, are combined with r
    by exclusive or. For the seed 7 the contents begin with f5ff61d7b533cd73 at offset 0, with f4ff61d7b533cd73 at
    offset 4096 and with f7ff61d7b533cd73 at offset 8192. Memory that cannot be written is the error -32003. Seeds
    are below 2**53, so that every reader of JSON keeps them as they are.
    """

    method = "memory.fill"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0)]
    seed: Seed


class DigestMemory(Request[Digest], frozen=True, kw_only=True):
    """Digest `size` bytes, of which there may be many; memory that cannot be read is the error -32003."""

    method = "memory.digest"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0)]


class SaveMemory(Request[Digest], frozen=True, kw_only=True):
    """Write `size` bytes from `address` into the file `path` at byte `offset`, and digest them.

    The file is made where there is none, and what it holds elsewhere stays. One that cannot be opened is the error
    -32602, memory that cannot be read is -32003; then the file may have been made, and a part of it written.
    """

    method = "memory.save"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0)]
    path: str
    offset: int


class LoadMemory(Request[Digest], frozen=True, kw_only=True):
    """Read `size` bytes of the file `path` from byte `offset` to `address`, and digest them.

    A file that cannot be opened or ends before is the error -32602, memory that cannot be written is -32003.
    """

    method = "memory.load"
    address: Hex
    size: Annotated[int, msgspec.Meta(ge=0)]
    path: str
    offset: int


class FindOutsideAddresses(Request[AddressesOutside], frozen=True, kw_only=True):
    """Ask for addresses of this process that belong to no set: the same ones each time."""

    method = "memory.outside_addresses"
