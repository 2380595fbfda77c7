"""What a process has of the system, as it shows from outside: handles, threads, mappings, and memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple

SEGMENT: Final = "segment "
"""How the name of shared memory begins that is no file: a segment of System V with its number."""


class Resources(NamedTuple):
    """What one process holds at a moment.

    `handles` are open descriptors or handles, `mappings` the spans of its address space that were mapped by
    themselves; `mapped` and `shared` are bytes, of all of them and of those that other processes can have too;
    `private` are the bytes that it has filled and nobody else can have, also where they were swapped out. `files` are
    what lies behind shared memory, as names that can still be found.
    """

    handles: int
    threads: int
    mappings: int
    mapped: int
    shared: int
    private: int
    files: frozenset[str]


def lasting(files: frozenset[str]) -> int:
    """Count what is still there, where somebody looks who does not hold it."""
    segments = _segments() if any(file.startswith(SEGMENT) for file in files) else ()
    return sum(file in segments if file.startswith(SEGMENT) else Path(file).exists() for file in files)


def _segments() -> list[str]:
    """Name the segments of System V that there are: the second column of a table tells their numbers."""
    try:
        _, *lines = Path("/proc/sysvipc/shm").read_text("ascii").splitlines()
    except (OSError, ValueError):
        return []
    return [SEGMENT + line.split()[1] for line in lines]


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    from vdi_conformance.host.child.pages_windows import MEM_COMMIT, Region

    _QUERY_INFORMATION = 0x0400
    _VM_READ = 0x0010
    _MEM_FREE = 0x10000
    _MEM_MAPPED = 0x40000
    _SNAP_THREADS = 4
    _LONGEST_NAME = 1024
    _NO_SNAPSHOT = wintypes.HANDLE(-1).value

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS_EX."""

        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            ("PeakWorkingSetSize", ctypes.c_size_t),
            ("WorkingSetSize", ctypes.c_size_t),
            ("QuotaPeakPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPeakNonPagedPoolUsage", ctypes.c_size_t),
            ("QuotaNonPagedPoolUsage", ctypes.c_size_t),
            ("PagefileUsage", ctypes.c_size_t),
            ("PeakPagefileUsage", ctypes.c_size_t),
            ("PrivateUsage", ctypes.c_size_t),
        )

    class _Thread(ctypes.Structure):
        """THREADENTRY32."""

        _fields_ = (
            ("dwSize", wintypes.DWORD),
            ("cntUsage", wintypes.DWORD),
            ("th32ThreadID", wintypes.DWORD),
            ("th32OwnerProcessID", wintypes.DWORD),
            ("tpBasePri", wintypes.LONG),
            ("tpDeltaPri", wintypes.LONG),
            ("dwFlags", wintypes.DWORD),
        )

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    _kernel.OpenProcess.restype = wintypes.HANDLE
    _kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    _kernel.GetProcessHandleCount.argtypes = (wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD))
    _kernel.VirtualQueryEx.argtypes = (
        wintypes.HANDLE,
        ctypes.c_void_p,
        ctypes.POINTER(Region),
        ctypes.c_size_t,
    )
    _kernel.VirtualQueryEx.restype = ctypes.c_size_t
    _kernel.CreateToolhelp32Snapshot.argtypes = (wintypes.DWORD, wintypes.DWORD)
    _kernel.CreateToolhelp32Snapshot.restype = wintypes.HANDLE
    _kernel.Thread32First.argtypes = (wintypes.HANDLE, ctypes.POINTER(_Thread))
    _kernel.Thread32Next.argtypes = (wintypes.HANDLE, ctypes.POINTER(_Thread))
    _kernel.K32GetProcessMemoryInfo.argtypes = (wintypes.HANDLE, ctypes.POINTER(_Counters), wintypes.DWORD)
    _kernel.K32GetMappedFileNameW.argtypes = (wintypes.HANDLE, ctypes.c_void_p, wintypes.LPWSTR, wintypes.DWORD)

    def resources_of(pid: int) -> Resources | None:
        """Look into a process; None where that cannot be done."""
        process = _kernel.OpenProcess(_QUERY_INFORMATION | _VM_READ, False, pid)
        if not process:
            return None
        try:
            handles = wintypes.DWORD()
            if not _kernel.GetProcessHandleCount(process, ctypes.byref(handles)):
                return None
            mappings, mapped, shared, files = _memory_of(process)
            return Resources(handles.value, _threads_of(pid), mappings, mapped, shared, _private_of(process), files)
        finally:
            _kernel.CloseHandle(process)

    def _private_of(process: int) -> int:
        counters = _Counters(cb=ctypes.sizeof(_Counters))
        found = _kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb)
        return int(counters.PrivateUsage) if found else 0

    def _memory_of(process: int) -> tuple[int, int, int, frozenset[str]]:
        region, address, mapped, shared = Region(), 0, 0, 0
        spans: set[int] = set()
        files: set[str] = set()
        while _kernel.VirtualQueryEx(process, address, ctypes.byref(region), ctypes.sizeof(region)):
            if region.State != _MEM_FREE:
                start = region.AllocationBase or 0
                mapped += region.RegionSize if region.State == MEM_COMMIT else 0
                if region.Type == _MEM_MAPPED:
                    shared += region.RegionSize
                    if start not in spans and (file := _file_behind(process, start)):
                        files.add(file)
                spans.add(start)
            address += region.RegionSize
        return len(spans), mapped, shared, frozenset(files)

    def _file_behind(process: int, address: int) -> str:
        """Name the file behind a mapping, in a way that opens it; empty where there is none."""
        name = ctypes.create_unicode_buffer(_LONGEST_NAME)
        found = _kernel.K32GetMappedFileNameW(process, address, name, _LONGEST_NAME)
        return f"\\\\?\\GLOBALROOT{name.value}" if found else ""

    def _threads_of(pid: int) -> int:
        """Count its threads; the system can only tell those of all processes."""
        snapshot = _kernel.CreateToolhelp32Snapshot(_SNAP_THREADS, 0)
        if snapshot in (None, _NO_SNAPSHOT):
            return 0
        try:
            entry, number = _Thread(dwSize=ctypes.sizeof(_Thread)), 0
            found = _kernel.Thread32First(snapshot, ctypes.byref(entry))
            while found:
                number += entry.th32OwnerProcessID == pid
                found = _kernel.Thread32Next(snapshot, ctypes.byref(entry))
            return number
        finally:
            _kernel.CloseHandle(snapshot)

else:
    _DELETED = " (deleted)"
    _OF_ITS_OWN = ("RssAnon", "VmSwap")
    _OF_SYSTEM_V = "/SYSV"

    def resources_of(pid: int) -> Resources | None:
        """Look into a process; None where that cannot be done."""
        directory = Path("/proc") / str(pid)
        try:
            handles = sum(1 for _ in (directory / "fd").iterdir())
            threads = sum(1 for _ in (directory / "task").iterdir())
            # A path may be any bytes.
            maps = (directory / "maps").read_text("utf-8", "surrogateescape")
            private = _private_in((directory / "status").read_text("utf-8", "surrogateescape"))
        except (OSError, ValueError):
            return None
        mappings, mapped, shared, files = _memory_in(maps)
        return Resources(handles, threads, mappings, mapped, shared, private, files)

    def _private_in(status: str) -> int:
        """Add up the lines of /proc/PID/status that tell of it, in KiB."""
        lines = (line.partition(":") for line in status.splitlines())
        return sum(int(value.split()[0]) << 10 for name, _, value in lines if name in _OF_ITS_OWN)

    def _memory_in(maps: str) -> tuple[int, int, int, frozenset[str]]:
        """Add up the lines of /proc/PID/maps: addresses, permissions, offset, device, inode and path."""
        mapped = shared = 0
        files: set[str] = set()
        lines = maps.splitlines()
        for line in lines:
            span, permissions, _offset, _device, inode, *path = line.split(maxsplit=5)
            start, _, end = span.partition("-")
            size = int(end, 16) - int(start, 16)
            mapped += size
            if permissions.endswith("s"):
                shared += size
                files |= _name_of(inode, *path)
        return len(lines), mapped, shared, frozenset(files)

    def _name_of(inode: str, path: str = "") -> set[str]:
        """Name what lies behind a shared mapping; nothing where nobody else can find it."""
        if path.startswith(_OF_SYSTEM_V):
            return {SEGMENT + inode}
        return {path} if path and not path.endswith(_DELETED) else set()
