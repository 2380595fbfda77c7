"""The stand-ins of fixtures/native for 32-bit x86, and the program that makes raw calls."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import native
from compiling import SOURCES, Library
from environment import Unprepared
from widths.wine32 import COMPILER
from wine.standin import LINKED, WINDOWS

if TYPE_CHECKING:
    from pathlib import Path

NARROW: Final = "-m32"
_COMPLETE: Final = "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandim"
# The published name says that a position is a long, which has 64 bits in the only library that there is.
_ALIAS: Final = f"-Wl,--defsym={_COMPLETE}l={_COMPLETE}x"


def for_windows(optimized: str = "-O2") -> Library:
    """Give sqlvdi.dll."""
    # What is exported has the size of its arguments in its name there, which the list of exports leaves out.
    linked = (*LINKED, "-Wl,--enable-stdcall-fixup")
    return Library("sqlvdi.dll", COMPILER, ("core", "windows"), (*WINDOWS, optimized), linked)


def for_linux() -> Library:
    """Give libsqlvdi.so."""
    wide = native.library(*native.PLAIN, NARROW)
    return wide._replace(linked=(*wide.linked, _ALIAS))


def raw_calls(directory: Path) -> Path:
    """Compile the program that makes the calls of a client by itself."""
    made = directory / "raw_calls.exe"
    directory.mkdir(parents=True, exist_ok=True)
    command = [COMPILER, *WINDOWS, "-O2", "-municode", "-static", "-s", "-o", str(made), "widths/raw_calls.cpp"]
    if subprocess.run(command, cwd=SOURCES, check=False).returncode:
        raise Unprepared("The program that makes raw calls could not be compiled: the lines above say why.")
    return made
