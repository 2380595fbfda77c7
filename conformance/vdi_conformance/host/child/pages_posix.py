"""Pages of this process on POSIX: reserved, allocated, and copied in and out without ever raising a signal.

A copy goes through a pipe: the kernel answers EFAULT for an address that this process may not touch, where a direct
access would end the process.
"""

import contextlib
import ctypes
import mmap
import os
import sys
import threading
from typing import Final

assert sys.platform != "win32"

PAGE: Final = mmap.PAGESIZE
GRAIN: Final = PAGE
"""Addresses of fresh maps are multiples of this many bytes."""

_NO_ACCESS: Final = 0
_FLAGS: Final = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_MAP_NORESERVE: Final = 0x4000 if sys.platform == "linux" else 0x40
_MAP_FAILED: Final = ctypes.c_void_p(-1).value
_STACK_MARGIN: Final = 256

_libc = ctypes.CDLL(None, use_errno=True)
_mmap = _libc.mmap
_mmap.restype = ctypes.c_void_p
_mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_munmap = _libc.munmap
_munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_write = _libc.write
_write.restype = ctypes.c_ssize_t
_write.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
_read = _libc.read
_read.restype = ctypes.c_ssize_t
_read.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)


def reserve(size: int, address: int = 0) -> int | None:
    """Reserve address space without access, at `address` where that is free; None where there is no room."""
    return _map(address, size, _NO_ACCESS, _FLAGS | _MAP_NORESERVE)


def allocate(size: int) -> int | None:
    """Get fresh zeroed memory; None where there is none."""
    return _map(0, size, mmap.PROT_READ | mmap.PROT_WRITE, _FLAGS)


def free(address: int, size: int) -> None:
    """Give back what `reserve` or `allocate` gave."""
    _munmap(address, size)


def _map(address: int, size: int, protection: int, flags: int) -> int | None:
    found: int | None = _mmap(address, size, protection, flags, -1, 0)
    return None if found == _MAP_FAILED else found


class _Pipe:
    """The pipe of the copies, made on first use so that a forked process never shares it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._ends: tuple[int, int, int] | None = None

    def open(self) -> tuple[int, int, int]:
        """Give the end to read, the end to write and how many bytes fit."""
        if self._ends is None:
            source, sink = os.pipe()
            self._ends = source, sink, _capacity(source)
        return self._ends


def _capacity(pipe: int) -> int:
    """A pipe's size can be cut to one page by a system-wide limit, and a bigger write would block for ever."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
    return PAGE


_pipe = _Pipe()


def copy_out(address: int, size: int) -> bytes | None:
    """Copy `size` bytes from `address`; None where they cannot all be read."""
    if address + size > 1 << 64:
        return None
    with _pipe.lock:
        source, sink, step = _pipe.open()
        parts = []
        for offset in range(0, size, step):
            wanted = min(step, size - offset)
            copied = _write(sink, address + offset, wanted)
            parts.append(os.read(source, copied) if copied > 0 else b"")
            if copied != wanted:
                return None
    return b"".join(parts)


def copy_in(address: int, data: bytes | bytearray | memoryview) -> bool:
    """Copy `data` to `address`; False where not all of it can be written (whole pages before that may have been)."""
    if address + len(data) > 1 << 64:
        return False
    view = memoryview(data)
    with _pipe.lock:
        source, sink, step = _pipe.open()
        for offset in range(0, len(view), step):
            part = view[offset : offset + step]
            os.write(sink, part)
            copied = max(0, _read(source, address + offset, len(part)))
            if copied != len(part):
                _drain(source, len(part) - copied)
                return False
    return True


def _drain(source: int, left: int) -> None:
    while left > 0:
        left -= len(os.read(source, left))


def stack_address() -> int:
    """Give an address within the stack of this process's main thread."""
    if sys.platform == "linux":
        with open("/proc/self/maps") as maps:  # noqa: PTH123 - a host imports no pathlib: it is slow to start
            span = next(line.split()[0] for line in maps if line.rstrip().endswith("[stack]"))
        top: int = int(span.partition("-")[2], 16)
    else:
        _libc.pthread_self.restype = ctypes.c_void_p
        _libc.pthread_get_stackaddr_np.restype = ctypes.c_void_p
        _libc.pthread_get_stackaddr_np.argtypes = (ctypes.c_void_p,)
        top = int(_libc.pthread_get_stackaddr_np(_libc.pthread_self()))
    return top - _STACK_MARGIN
