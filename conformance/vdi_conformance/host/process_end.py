"""How a process ended, as a fact and in words."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Final

KILL: Final = 9
HALT: Final = int(getattr(signal, "SIGSTOP", 19))
RESUME: Final = int(getattr(signal, "SIGCONT", 18))
"""What lets a process stand still, and what lets it go on; Windows has its own way for both."""
ABORT: Final = 6
_CRASHES: Final = frozenset({"SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"})
_LEAST_NTSTATUS: Final = 0xC0000000
_NTSTATUS: Final = {
    0xC0000005: "access violation",
    0xC00000FD: "stack overflow",
    0xC0000374: "heap corruption",
    0xC0000409: "fast fail",
    0xC000001D: "illegal instruction",
}


@dataclass(frozen=True)
class Ended:
    """The end of a process: its exit code or the signal that killed it, and the end of its standard error."""

    exit_code: int | None
    signal: int | None
    stderr: str

    @property
    def crashed(self) -> bool:
        """Whether the process broke down by itself: by a signal of a fault, or an exception on Windows."""
        if self.signal is not None:
            return _signal_name(self.signal) in _CRASHES
        return self.exit_code is not None and self.exit_code >= _LEAST_NTSTATUS

    def __str__(self) -> str:
        if self.signal is not None:
            return f"was killed by {_signal_name(self.signal)}"
        code = self.exit_code or 0
        if code >= _LEAST_NTSTATUS:
            return f"exited with code 0x{code:08X} ({_NTSTATUS.get(code, 'an exception')})"
        return f"exited with code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
