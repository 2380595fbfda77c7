"""Pages of this process on Windows: reserved, allocated, and copied in and out without ever raising an exception.

The kernel is asked what the pages permit, and then to copy: where a page has gone meanwhile, it refuses.
"""

import ctypes
import sys
from ctypes import wintypes
from typing import Final

assert sys.platform == "win32"

PAGE: Final = 4096
GRAIN: Final = 65536
"""Addresses of fresh maps are multiples of this many bytes."""

MEM_COMMIT: Final = 0x1000
_MEM_RESERVE: Final = 0x2000
_MEM_RELEASE: Final = 0x8000
_PAGE_NOACCESS: Final = 0x01
_PAGE_READWRITE: Final = 0x04
_PAGE_GUARD: Final = 0x100
_WRITABLE: Final = 0x04 | 0x08 | 0x40 | 0x80
_READABLE: Final = _WRITABLE | 0x02 | 0x20
_STACK_MARGIN: Final = 256

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.VirtualAlloc.restype = ctypes.c_void_p
_kernel.VirtualAlloc.argtypes = (ctypes.c_void_p, ctypes.c_size_t, wintypes.DWORD, wintypes.DWORD)
_kernel.VirtualFree.argtypes = (ctypes.c_void_p, ctypes.c_size_t, wintypes.DWORD)
_kernel.GetCurrentProcess.restype = wintypes.HANDLE
_COPY = (wintypes.HANDLE, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t))
_kernel.ReadProcessMemory.argtypes = _COPY
_kernel.WriteProcessMemory.argtypes = _COPY


class Region(ctypes.Structure):
    """MEMORY_BASIC_INFORMATION of a 64-bit or 32-bit process; the compiler's gaps follow from the types."""

    _fields_ = (
        ("BaseAddress", ctypes.c_void_p),
        ("AllocationBase", ctypes.c_void_p),
        ("AllocationProtect", wintypes.DWORD),
        ("PartitionId", wintypes.WORD),
        ("RegionSize", ctypes.c_size_t),
        ("State", wintypes.DWORD),
        ("Protect", wintypes.DWORD),
        ("Type", wintypes.DWORD),
    )


_kernel.VirtualQuery.restype = ctypes.c_size_t
_kernel.VirtualQuery.argtypes = (ctypes.c_void_p, ctypes.POINTER(Region), ctypes.c_size_t)


def reserve(size: int, address: int = 0) -> int | None:
    """Reserve address space without access, at `address` where that is free; None where there is no room."""
    for wanted in (address, 0) if address else (0,):
        found: int | None = _kernel.VirtualAlloc(wanted, size, _MEM_RESERVE, _PAGE_NOACCESS)
        if found:
            return found
    return None


def allocate(size: int) -> int | None:
    """Get fresh zeroed memory; None where there is none."""
    found: int | None = _kernel.VirtualAlloc(0, size, _MEM_RESERVE | MEM_COMMIT, _PAGE_READWRITE)
    return found


def free(address: int, size: int) -> None:  # noqa: ARG001 - the POSIX twin needs the size
    """Give back what `reserve` or `allocate` gave."""
    _kernel.VirtualFree(address, 0, _MEM_RELEASE)


def _permits(address: int, size: int, protections: int) -> bool:
    """Tell whether all pages of a span are there with one of these protections."""
    end = address + size
    if end > 1 << 64:
        return False
    region = Region()
    while address < end:
        if not _kernel.VirtualQuery(address, ctypes.byref(region), ctypes.sizeof(region)):
            return False
        if region.State != MEM_COMMIT or not region.Protect & protections or region.Protect & _PAGE_GUARD:
            return False
        address = (region.BaseAddress or 0) + region.RegionSize
    return True


def copy_out(address: int, size: int) -> bytes | None:
    """Copy `size` bytes from `address`; None where they cannot all be read."""
    if not _permits(address, size, _READABLE):
        return None
    buffer = ctypes.create_string_buffer(size)
    copied = ctypes.c_size_t()
    done = _kernel.ReadProcessMemory(_kernel.GetCurrentProcess(), address, buffer, size, ctypes.byref(copied))
    return buffer.raw if size == 0 or (done and copied.value == size) else None


def copy_in(address: int, data: bytes | bytearray | memoryview) -> bool:
    """Copy `data` to `address`; False where not all of it can be written (whole pages before that may have been)."""
    if not _permits(address, len(data), _WRITABLE):
        return False
    copied = ctypes.c_size_t()
    whole = bytes(data)
    done = _kernel.WriteProcessMemory(_kernel.GetCurrentProcess(), address, whole, len(whole), ctypes.byref(copied))
    return not whole or (bool(done) and copied.value == len(whole))


def stack_address() -> int:
    """Give an address within the stack of the calling thread."""
    low, high = ctypes.c_size_t(), ctypes.c_size_t()
    _kernel.GetCurrentThreadStackLimits(ctypes.byref(low), ctypes.byref(high))
    return high.value - _STACK_MARGIN
