"""Shared memory: files that several processes map, each at a multiple of 64 KiB."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
import threading
from pathlib import Path
from typing import Final

from vdi_conformance.vdi.structures import MAX_ALIGNMENT

if sys.platform == "win32":
    import msvcrt
    from ctypes import wintypes

    _PAGE_READWRITE: Final = 4
    _FILE_MAP_WRITE: Final = 2
    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel32.CreateFileMappingW.restype = wintypes.HANDLE
    _kernel32.CreateFileMappingW.argtypes = (
        wintypes.HANDLE,
        ctypes.c_void_p,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.LPCWSTR,
    )
    _kernel32.MapViewOfFile.restype = ctypes.c_void_p
    _kernel32.MapViewOfFile.argtypes = (
        wintypes.HANDLE,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.DWORD,
        ctypes.c_size_t,
    )
    _kernel32.UnmapViewOfFile.argtypes = (ctypes.c_void_p,)
    _kernel32.CloseHandle.argtypes = (wintypes.HANDLE,)

    def _map(descriptor: int, length: int) -> int:
        """Map a file; Windows places every view at a multiple of 64 KiB."""
        file = msvcrt.get_osfhandle(descriptor)
        mapping = _kernel32.CreateFileMappingW(file, None, _PAGE_READWRITE, length >> 32, length & 0xFFFFFFFF, None)
        if not mapping:
            raise ctypes.WinError(ctypes.get_last_error())
        address: int | None = _kernel32.MapViewOfFile(mapping, _FILE_MAP_WRITE, 0, 0, length)
        error = ctypes.get_last_error()
        _kernel32.CloseHandle(mapping)
        if address is None:
            raise ctypes.WinError(error)
        return address

    def _unmap(address: int, _length: int) -> None:
        _kernel32.UnmapViewOfFile(address)

    def _allocate(descriptor: int, length: int) -> None:
        os.ftruncate(descriptor, length)

else:
    _MAP_FIXED: Final = 0x10
    _FAILED: Final = ctypes.c_void_p(-1).value
    _libc = ctypes.CDLL(None, use_errno=True)
    _libc.mmap.restype = ctypes.c_void_p
    _libc.mmap.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_long,
    )
    _libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)

    def _mmap(address: int | None, length: int, protection: int, flags: int, descriptor: int) -> int:
        mapped: int | None = _libc.mmap(address, length, protection, flags, descriptor, 0)
        if mapped is None or mapped == _FAILED:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return mapped

    def _map(descriptor: int, length: int) -> int:
        """Map a file: reserve 64 KiB more than needed, put the file at the multiple within, give the rest back."""
        reserved = _mmap(None, length + MAX_ALIGNMENT, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1)
        address = -(-reserved // MAX_ALIGNMENT) * MAX_ALIGNMENT
        _mmap(address, length, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | _MAP_FIXED, descriptor)
        if address > reserved:
            _libc.munmap(reserved, address - reserved)
        tail = reserved + MAX_ALIGNMENT - address
        if tail:
            _libc.munmap(address + length, tail)
        return address

    def _unmap(address: int, length: int) -> None:
        _libc.munmap(address, length)

    def _allocate(descriptor: int, length: int) -> None:
        """Take the space now: a sparse file on a full disk would end in a signal later."""
        if sys.platform == "darwin":
            os.ftruncate(descriptor, length)
        else:
            os.posix_fallocate(descriptor, 0, length)


_OWN: Final = 0o600
"""Who may use an area until it is given to the account of its set: the broker's own."""
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.ENOMEM, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""What the system says where there is no room; whatever else it says is no answer of VDI's."""


def area_file(directory: str, area: int) -> Path:
    """Give the file of an area."""
    return Path(directory) / f"area-{area}"


def area_of(path: Path) -> int | None:
    """Give the number of the area that a file is, or None."""
    prefix, _, number = path.name.partition("-")
    return int(number) if prefix == "area" and number.isascii() and number.isdecimal() else None


def make_area(directory: str, area: int, length: int) -> bool:
    """Make the file of an area; False where there is no room for it, an OSError where it cannot be made at all."""
    path = area_file(directory, area)
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, _OWN)) as file:
            _allocate(file.fileno(), length)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        path.unlink(missing_ok=True)
        return False
    return True


class Mappings:
    """The areas of one set as one object has mapped them; safe to use from several threads."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._addresses: dict[int, tuple[int, int]] = {}
        self._is_open = True

    def address_of(self, area: int, length: int, offset: int) -> int | None:
        """Give the address of a place in an area, which is mapped if need be; None once all is released."""
        with self._lock:
            if not self._is_open:
                return None
            if area not in self._addresses:
                try:
                    self._addresses[area] = self._map(area, length), length
                except (FileNotFoundError, PermissionError):
                    # A Close in another thread has ended the set, and its memory is gone before its mappings are. Or
                    # the account may not use it.
                    return None
            return self._addresses[area][0] + offset

    def _map(self, area: int, length: int) -> int:
        """Map an area; FileNotFoundError where it is gone."""
        with area_file(self._directory, area).open("r+b") as file:
            return _map(file.fileno(), length)

    def place_of(self, address: int) -> tuple[int, int]:
        """Give the area and offset of an address; area 0 where it lies in none."""
        with self._lock:
            for area, (start, length) in self._addresses.items():
                if start <= address < start + length:
                    return area, address - start
        return 0, 0

    def release(self) -> None:
        """Unmap everything for good."""
        with self._lock:
            self._is_open = False
            for start, length in self._addresses.values():
                _unmap(start, length)
            self._addresses.clear()
