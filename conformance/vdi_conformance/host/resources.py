"""What a process has of the system: its open handles, and how much of its address space is in use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple


class Resources(NamedTuple):
    """Open descriptors or handles, and mapped memory in bytes."""

    handles: int
    mapped: int


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    from vdi_conformance.host.child.pages_windows import MEM_COMMIT, Region

    _QUERY_INFORMATION = 0x0400

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

    def resources_of(pid: int) -> Resources | None:
        """Look into a process; None where that cannot be done."""
        process = _kernel.OpenProcess(_QUERY_INFORMATION, False, pid)
        if not process:
            return None
        try:
            handles = wintypes.DWORD()
            if not _kernel.GetProcessHandleCount(process, ctypes.byref(handles)):
                return None
            return Resources(handles.value, _committed(process))
        finally:
            _kernel.CloseHandle(process)

    def _committed(process: int) -> int:
        region, address, total = Region(), 0, 0
        while _kernel.VirtualQueryEx(process, address, ctypes.byref(region), ctypes.sizeof(region)):
            total += region.RegionSize if region.State == MEM_COMMIT else 0
            address += region.RegionSize
        return total

else:
    import resource

    def resources_of(pid: int) -> Resources | None:
        """Look into a process; None where that cannot be done."""
        directory = Path("/proc") / str(pid)
        try:
            handles = sum(1 for _ in (directory / "fd").iterdir())
            pages = int((directory / "statm").read_text("ascii").split()[0])
        except (OSError, ValueError):
            return None
        return Resources(handles, pages * resource.getpagesize())
