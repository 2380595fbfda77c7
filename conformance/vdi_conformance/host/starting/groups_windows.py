"""Job objects: a host and all its descendants are in one, which ends them when it is closed, even by our own death."""

import ctypes
import subprocess
import sys
from ctypes import wintypes
from typing import Any, Final

from vdi_conformance.host.process_end import HALT, RESUME

assert sys.platform == "win32"

OWN_GROUP: Final[dict[str, Any]] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
"""What to start a process with, so that a Ctrl-C of the console does not reach it."""

_EXTENDED_LIMIT_INFORMATION: Final = 9
_LIMIT_KILL_ON_JOB_CLOSE: Final = 0x2000
_FAIL_WITHOUT_DIALOGS: Final = 0x0001 | 0x0002 | 0x8000
_EXIT_CODE: Final = 1

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.CreateJobObjectW.restype = wintypes.HANDLE
_kernel.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
_kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD)
_kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
_kernel.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
_kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
_native = ctypes.WinDLL("ntdll")
_native.NtSuspendProcess.argtypes = _native.NtResumeProcess.argtypes = (wintypes.HANDLE,)
# Hosts inherit this: one that crashes must end, not wait for somebody to close a window.
_kernel.SetErrorMode(_FAIL_WITHOUT_DIALOGS)


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", wintypes.DWORD),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", wintypes.DWORD),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", wintypes.DWORD),
        ("SchedulingClass", wintypes.DWORD),
    )


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class Group:
    """The job of a process that has just been started."""

    def __init__(self, leader: "subprocess.Popen[bytes]") -> None:
        self._leader = leader
        self._job = _kernel.CreateJobObjectW(None, None)
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _LIMIT_KILL_ON_JOB_CLOSE
        _kernel.SetInformationJobObject(
            self._job, _EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), ctypes.sizeof(limits)
        )
        _kernel.AssignProcessToJobObject(self._job, int(leader._handle))  # type: ignore[attr-defined]

    def send(self, number: int) -> None:
        """Halt or resume the leader, or end it, whatever other signal it is."""
        if number == HALT:
            _native.NtSuspendProcess(int(self._leader._handle))  # type: ignore[attr-defined]
        elif number == RESUME:
            _native.NtResumeProcess(int(self._leader._handle))  # type: ignore[attr-defined]
        else:
            self._leader.kill()

    def end(self) -> None:
        """End whatever is left of the job."""
        _kernel.TerminateJobObject(self._job, _EXIT_CODE)
        _kernel.CloseHandle(self._job)
