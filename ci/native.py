"""Build the stand-in libsqlvdi.so from fixtures/native: `python3 ci/native.py [--sanitize]`.

It is built where sources, flags or compiler have changed, and its path is printed. `--sanitize` builds it with
AddressSanitizer and UndefinedBehaviorSanitizer, whose findings end a process.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from typing import TYPE_CHECKING, Final

from compiling import COMMON, Library
from environment import FAILED, ROOT, Unprepared, say

if TYPE_CHECKING:
    from pathlib import Path

PLAIN: Final = ("-O2",)
SANITIZED: Final = (
    *("-O1", "-g", "-fno-omit-frame-pointer"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
)


def build(sanitized: bool = False) -> Path:
    """Give the library, built where it is not up to date; Unprepared says in one sentence why that cannot be."""
    made = library(*(SANITIZED if sanitized else PLAIN))
    return made.build(ROOT / "build" / "native" / ("sanitized" if sanitized else "plain"))


def library(*flags: str) -> Library:
    """Give the library with these flags besides; Unprepared where it cannot be built."""
    if platform.system() != "Linux":
        raise Unprepared("The stand-in libsqlvdi.so is built on Linux alone: run this there.")
    told = (*COMMON, "-fPIC", "-fvisibility=hidden", "-pthread", *flags)
    return Library("libsqlvdi.so", compiler(), ("core", "posix", "linux"), told, ("-Wl,--no-undefined",))


def compiler() -> str:
    """Give the path of the C++ compiler."""
    named = os.environ.get("CXX", "g++")
    found = shutil.which(named)
    if found is None:
        raise Unprepared(f"There is no C++ compiler {named} here: install it, or name another in the variable CXX.")
    return found


def start(arguments: list[str]) -> int:
    """Obey the command line."""
    try:
        say(str(build("--sanitize" in arguments).relative_to(ROOT)))
    except Unprepared as reason:
        say(str(reason))
        return FAILED
    return 0


if __name__ == "__main__":
    raise SystemExit(start(sys.argv[1:]))
