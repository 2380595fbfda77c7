"""Process groups: a host leads one of its own, in a session of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import subprocess

assert sys.platform != "win32"

OWN_GROUP: Final[dict[str, Any]] = {"start_new_session": True}
"""What to start a process with, so that it leads a group."""


class Group:
    """The group of a process that was started with OWN_GROUP."""

    def __init__(self, leader: subprocess.Popen[bytes]) -> None:
        self._pid = leader.pid

    def send(self, number: int) -> None:
        """Send a signal to the leader alone, which must not have been reaped."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self._pid, number)

    def end(self) -> None:
        """Kill whatever is left of the group; its leader must not have been reaped."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
