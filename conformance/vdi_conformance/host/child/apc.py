"""Asynchronous procedure calls of Windows: queued to a thread, they run when it next waits alertably."""

import ctypes
import sys
import threading

from vdi_conformance.host.codes import INVALID_PARAMS, Refused

if sys.platform == "win32":
    from ctypes import wintypes
    from typing import Any, Final

    _THREAD_SET_CONTEXT: Final = 0x0010
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.OpenThread.restype = wintypes.HANDLE
    _kernel.OpenThread.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    _kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    _Routine = ctypes.WINFUNCTYPE(None, ctypes.c_void_p)
    _kernel.QueueUserAPC.argtypes = (_Routine, wintypes.HANDLE, ctypes.c_void_p)
    # Whatever was queued may run late, so that no routine is ever given up.
    _queued: list[Any] = []

    def runs_on(label: str, seconds: float) -> bool:
        """Queue a call to the thread of a label, and tell whether it ran within so many seconds."""
        ran = threading.Event()
        routine = _Routine(lambda _: ran.set())
        _queued.append(routine)
        handle = _kernel.OpenThread(_THREAD_SET_CONTEXT, False, _native(label))
        if not handle:
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            if not _kernel.QueueUserAPC(routine, handle, None):
                raise ctypes.WinError(ctypes.get_last_error())
        finally:
            _kernel.CloseHandle(handle)
        return ran.wait(seconds)
else:

    def runs_on(label: str, seconds: float) -> bool:
        """Refuse: there is no such thing here."""
        raise NotImplementedError


def _native(label: str) -> int:
    """Give the system's number of the thread that runs the calls of a label."""
    for thread in threading.enumerate():
        if thread.name == label and thread.native_id is not None:
            return thread.native_id
    raise Refused(INVALID_PARAMS, f"no thread has the label {label!r}: a call must have been sent to it first")
