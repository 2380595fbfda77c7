"""The host's memory as checks see it: seeded contents, reading, writing, digests, files, outside_addresses."""

import ctypes
import functools
import hashlib
import os
import struct
from typing import BinaryIO, Final, cast

from vdi_conformance.host.child import pages
from vdi_conformance.host.codes import INVALID_PARAMS, MEMORY_FAULT, Refused

PATTERN: Final = 4096
_CHUNK: Final = 1 << 20
_FIRST = struct.Struct("<Q")
_WORD: Final = 0xFFFFFFFFFFFFFFFF
_heap: Final = ctypes.create_string_buffer(256)


@functools.lru_cache(maxsize=64)
def _pattern(seed: int) -> bytes:
    return b"".join(hashlib.sha256(b"%d:%d" % (seed, block)).digest() for block in range(PATTERN // 32))


def expand(seed: int, size: int) -> bytes:
    """Give the `size` bytes that follow from `seed`.

    Block i (of 32 bytes, i from 0 to 127) of a 4096-byte pattern is the SHA-256 of the ASCII text "seed:i" with both
    numbers in decimal. The contents are that pattern again and again; in repetition r its first 8 bytes, a
    little-endian number, are combined with r by exclusive or, so that no two pages of a buffer are equal.
    """
    return bytes(_stretch(seed, 0, size))


def _stretch(seed: int, first: int, size: int) -> bytearray:
    """Give `size` bytes of the contents, from repetition `first` on."""
    pattern = _pattern(seed)
    repetitions = -(-size // PATTERN)
    data = bytearray(pattern * repetitions)
    (start,) = _FIRST.unpack_from(pattern)
    for index in range(repetitions):
        _FIRST.pack_into(data, index * PATTERN, start ^ ((first + index) & _WORD))
    del data[size:]
    return data


def allocate(size: int) -> int:
    """Get fresh zeroed memory that lives as long as the process."""
    address = pages.allocate(size)
    if address is None:
        raise Refused(MEMORY_FAULT, f"no {size} bytes of memory are left in the host")
    return address


def reserve(size: int, address: int) -> int:
    """Reserve address space without access, at `address` where that is free."""
    found = pages.reserve(size, address)
    if found is None:
        raise Refused(MEMORY_FAULT, f"no {size} bytes of address space are left in the host")
    return found


def read(address: int, size: int) -> bytes:
    """Copy bytes out of the process's memory."""
    data = pages.copy_out(address, size)
    if data is None:
        raise Refused(MEMORY_FAULT, f"the {size} bytes at {address:#x} cannot all be read in this process")
    return data


def write(address: int, data: bytes | bytearray) -> None:
    """Copy bytes into the process's memory."""
    if not pages.copy_in(address, data):
        raise Refused(MEMORY_FAULT, f"the {len(data)} bytes at {address:#x} cannot all be written in this process")


def fill(address: int, size: int, seed: int) -> None:
    """Write the contents that follow from `seed`."""
    for offset in range(0, size, _CHUNK):
        write(address + offset, _stretch(seed, offset // PATTERN, min(_CHUNK, size - offset)))


def digest(address: int, size: int) -> str:
    """Give the SHA-256 of a span of memory."""
    running = hashlib.sha256()
    for offset in range(0, size, _CHUNK):
        running.update(read(address + offset, min(_CHUNK, size - offset)))
    return running.hexdigest()


def save(address: int, size: int, path: str, offset: int) -> str:
    """Write a span of memory into a file, which is made where it does not exist; give its SHA-256."""
    running = hashlib.sha256()
    with open_for_writing(path) as file:
        file.seek(offset)
        for start in range(0, size, _CHUNK):
            data = read(address + start, min(_CHUNK, size - start))
            running.update(data)
            file.write(data)
    return running.hexdigest()


def load(address: int, size: int, path: str, offset: int) -> str:
    """Read a span of a file into memory; give its SHA-256."""
    running = hashlib.sha256()
    with open_for_reading(path) as file:
        file.seek(offset)
        for start in range(0, size, _CHUNK):
            wanted = min(_CHUNK, size - start)
            data = file.read(wanted)
            if len(data) < wanted:
                raise Refused(INVALID_PARAMS, f"{path} ends before byte {offset + size}")
            running.update(data)
            write(address + start, data)
    return running.hexdigest()


def open_for_writing(path: str, buffering: int = -1) -> BinaryIO:
    """Open a file for writing at any place, without cutting what is there."""
    return _open(path, os.O_RDWR | os.O_CREAT, "r+b", buffering)


def open_for_reading(path: str, buffering: int = -1) -> BinaryIO:
    """Open a file for reading."""
    return _open(path, os.O_RDONLY, "rb", buffering)


def _open(path: str, flags: int, mode: str, buffering: int) -> BinaryIO:
    try:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as error:
        raise Refused(INVALID_PARAMS, f"{path} cannot be opened: {error.strerror}") from error
    return cast("BinaryIO", open(descriptor, mode, buffering=buffering))  # noqa: PTH123 - callers close it


@functools.cache
def outside_addresses() -> dict[str, int]:
    """Find an address in each kind of memory that belongs to no set: stack, heap, static data, reserved."""
    return {
        "stack": pages.stack_address(),
        "heap": ctypes.addressof(_heap),
        "data": ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "PyType_Type")),
        "unmapped": reserve(pages.GRAIN, 0),
    }
