"""Build the stand-in libsqlvdi.so from fixtures/native: `python3 ci/native.py [--sanitize]`.

It is built where sources, flags or compiler have changed, and its path is printed. `--sanitize` builds it with
AddressSanitizer and UndefinedBehaviorSanitizer, whose findings end a process.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from compiling import Library, NotBuilt
from environment import FAILED, ROOT, Unprepared, say
from vdi_conformance.standins import targets

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
    try:
        return Library.of(targets.for_linux(*flags))
    except NotBuilt as reason:
        raise Unprepared(str(reason)) from reason


def compiler() -> str:
    """Give the path of the C++ compiler."""
    try:
        return targets.compiler()
    except NotBuilt as reason:
        raise Unprepared(str(reason)) from reason


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
