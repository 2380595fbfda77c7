"""Becoming a process of another account (POSIX), which only root can.

A host takes its account when its adapter's class is there and before the adapter is made. So the account need not be
able to read this Python, and whatever the adapter does, it does under the account.
"""

import ctypes
import importlib
import os
import sys
from collections.abc import Iterable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_GET_PDEATHSIG: Final = 2
_PR_SET_DUMPABLE: Final = 4
_NEEDED_LATER: Final = ("encodings.idna", "fcntl", "hashlib", "json.decoder", "pwd", "socket", "traceback", "linecache")
"""What hosts import only when they need it, and could not read any more then."""


def unpacked(word: str) -> list[int]:
    """Read what `Credentials.packed` gave; an empty word is no account."""
    return [int(number) for number in word.split(",")] if word else []


def preload(modules: Iterable[str]) -> None:
    """Import what the account may not be able to read; what is not there fails where it is needed."""
    for name in (*_NEEDED_LATER, *modules):
        try:
            importlib.import_module(name)
        except Exception:  # noqa: S112 - whatever an import raises
            continue


if sys.platform == "win32":

    def take(user: int, group: int, *groups: int) -> None:
        """Refuse: accounts are told apart by numbers on POSIX systems alone."""
        raise OSError(f"there is no account {user}, {group}, {groups} here")

else:

    def take(user: int, group: int, *groups: int) -> None:
        """Become a process of that user, first group and further groups; an OSError where the system refuses it."""
        signal = ctypes.c_int()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_GET_PDEATHSIG, ctypes.byref(signal), 0, 0, 0)
        os.setgroups(groups)
        os.setregid(group, group)
        os.setreuid(user, user)
        os.environ["HOME"] = "/"
        if sys.platform == "linux":
            # The kernel forgets both, as it must where a program with more rights than its caller begins.
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.value, 0, 0, 0)
