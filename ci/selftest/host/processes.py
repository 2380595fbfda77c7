"""What the tests ask of processes."""

from __future__ import annotations

import ctypes
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vdi_conformance.host.messages.client import NewSet

if TYPE_CHECKING:
    from vdi_conformance.host.process import Host


def call_for_ever(host: Host, patience: float = 10.0) -> NoReturn:
    """Call until that fails: what has been done to a host may take a moment to be felt."""
    while True:
        host.call(NewSet(set="again"), patience=patience)


def gone(pid: int, within: float = 0.0) -> bool:
    """Tell whether a process has ended, waiting for that as long as is said; one that is not reaped yet has ended."""
    deadline = time.monotonic() + within
    while _runs(pid):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0)
    return True


if sys.platform == "win32":
    _QUERY = 0x1000
    _STILL_ACTIVE = 259

    def _runs(pid: int) -> bool:
        kernel = ctypes.WinDLL("kernel32")
        code = ctypes.c_ulong()
        process = kernel.OpenProcess(_QUERY, False, pid)
        known = process and kernel.GetExitCodeProcess(process, ctypes.byref(code))
        kernel.CloseHandle(process)
        return bool(known) and code.value == _STILL_ACTIVE

else:

    def _runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
        except OSError:
            return False
