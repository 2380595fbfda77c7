"""The stand-ins of fixtures/native for 32-bit x86, and the program that makes raw calls."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import native
from compiling import SOURCES, Library
from environment import Unprepared
from vdi_conformance.standins import targets

if TYPE_CHECKING:
    from pathlib import Path

NARROW: Final = "-m32"
_COMPLETE: Final = "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandim"
# The published name says that a position is a long, which has 64 bits in the only library that there is.
_ALIAS: Final = f"-Wl,--defsym={_COMPLETE}l={_COMPLETE}x"


def for_windows(optimized: str = targets.OPTIMIZED) -> Library:
    """Give sqlvdi.dll."""
    return Library.of(targets.for_windows(32, optimized))


def for_linux() -> Library:
    """Give libsqlvdi.so."""
    wide = native.library(*native.PLAIN, NARROW)
    return replace(wide, linked=(*wide.linked, _ALIAS))


def raw_calls(directory: Path) -> Path:
    """Compile the program that makes the calls of a client by itself."""
    made = directory / "raw_calls.exe"
    directory.mkdir(parents=True, exist_ok=True)
    command = [
        targets.COMPILERS[32],
        *targets.WINDOWS,
        "-O2",
        "-municode",
        "-static",
        "-s",
        "-o",
        str(made),
        "widths/raw_calls.cpp",
    ]
    if subprocess.run(command, cwd=SOURCES, check=False).returncode:
        raise Unprepared("The program that makes raw calls could not be compiled: the lines above say why.")
    return made
