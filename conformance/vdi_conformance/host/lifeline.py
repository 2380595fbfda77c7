"""Processes that must not outlive the one that made them."""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36

if sys.platform == "linux":
    _prctl = ctypes.CDLL(None).prctl


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent, the process `parent`, ends (Linux; elsewhere nothing happens).

    The kernel watches the *thread* that made this process, so the parent must start it from a thread that stays.
    """
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def inherit_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
