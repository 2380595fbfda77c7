"""The compiled code that a process has loaded, as the operating system shows it to another one."""

from __future__ import annotations

import sys
from typing import Final

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _QUERY_INFORMATION: Final = 0x0400
    _VM_READ: Final = 0x0010
    _LIST_MODULES_ALL: Final = 3
    _MOST_MODULES: Final = 4096
    _LONGEST_NAME: Final = 32768

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    _kernel.OpenProcess.restype = wintypes.HANDLE
    _kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    _kernel.K32EnumProcessModulesEx.argtypes = (
        wintypes.HANDLE,
        ctypes.POINTER(wintypes.HMODULE),
        wintypes.DWORD,
        ctypes.POINTER(wintypes.DWORD),
        wintypes.DWORD,
    )
    _kernel.K32GetModuleFileNameExW.argtypes = (wintypes.HANDLE, wintypes.HMODULE, wintypes.LPWSTR, wintypes.DWORD)

    def own_process(_started: int, told: int) -> int:
        """Choose the process of a host: the one that it tells, since what was started may only have started that."""
        return told

    def loaded_by(pid: int) -> frozenset[str]:
        """Name the files of its modules; none where it cannot be looked into."""
        process = _kernel.OpenProcess(_QUERY_INFORMATION | _VM_READ, False, pid)
        if not process:
            return frozenset()
        try:
            modules, needed = (wintypes.HMODULE * _MOST_MODULES)(), wintypes.DWORD()
            size = ctypes.sizeof(modules)
            if not _kernel.K32EnumProcessModulesEx(process, modules, size, ctypes.byref(needed), _LIST_MODULES_ALL):
                return frozenset()
            count = min(size, needed.value) // ctypes.sizeof(wintypes.HMODULE)
            return frozenset(_name_of(process, module) for module in modules[:count]) - {""}
        finally:
            _kernel.CloseHandle(process)

    def _name_of(process: int, module: int | None) -> str:
        name = ctypes.create_unicode_buffer(_LONGEST_NAME)
        return name.value if _kernel.K32GetModuleFileNameExW(process, module, name, _LONGEST_NAME) else ""

else:
    import os
    from pathlib import Path

    def own_process(started: int, told: int) -> int:
        """Choose the process of a host: the one that it tells, where that belongs to the one that was started."""
        try:
            return told if os.getsid(told) == os.getsid(started) else started
        except (OSError, OverflowError):
            return started

    def loaded_by(pid: int) -> frozenset[str]:
        """Name the files that it has mapped to execute them; none where it cannot be looked into."""
        try:
            # A path may be any bytes.
            maps = Path(f"/proc/{pid}/maps").read_text("utf-8", "surrogateescape")
        except (OSError, ValueError):
            return frozenset()
        # Addresses, permissions, offset, device, inode and path.
        regions = [line.split(maxsplit=5) for line in maps.splitlines()]
        return frozenset(path for _, permissions, *_, path in regions if "x" in permissions and path.startswith("/"))
