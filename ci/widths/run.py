"""The stand-in sqlvdi.dll for 32-bit x86, called raw by a 32-bit program in Wine: `python3 ci/widths/run.py`.

It shows that every method takes from the stack what it was given (ABI-10), that structures lie as the header says, and
whether 32-bit and 64-bit clients of one set share memory (Q63), which is an observation. Stand-ins with another calling
convention must be found. What the machine does not have is named, and then nothing is shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from compiling import COMMON, SOURCES, Library
from environment import FAILED, ROOT, Unprepared, main, say
from faulty import Change, Fault, copy
from widths.debian import COMPILER, NotHere, Wine, provide

BUILD: Final = ROOT / "build" / "widths"
FLAGS: Final = (*COMMON, "-DUNICODE", "-D_UNICODE", "-D_WIN32_WINNT=0x0A00", "-O2")
LINKED: Final = ("-static", "-s", "-Wl,--enable-stdcall-fixup", "-lws2_32", "-lole32", "-luuid", "-ladvapi32")
_DECLARED: Final = "    virtual HRESULT STDMETHODCALLTYPE CompleteCommand("
_DEFINED: Final = "    HRESULT STDMETHODCALLTYPE CompleteCommand("
BROKEN: Final = (
    Fault(
        "the_caller_takes_its_arguments_back",
        ("com",),
        "ABI-10",
        False,
        (
            Change("windows/com.hpp", _DECLARED, _DECLARED.replace("STDMETHODCALLTYPE", "__cdecl")),
            Change("windows/sqlvdi.cpp", _DEFINED, _DEFINED.replace("STDMETHODCALLTYPE", "__cdecl")),
        ),
    ),
)
"""What only a 32-bit library can have wrong."""


def widths(python: Path, _arguments: list[str]) -> int:
    """Try the stand-in, and then those that are wrong."""
    try:
        wine = provide(BUILD)
    except NotHere as reason:
        say(f"Not applicable: 32-bit clients (ABI-10), since {reason}.")
        return 0
    program = _program()
    if code := _judged(python, wine, program, _library().build(BUILD / "plain")):
        return code
    for fault in BROKEN:
        with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
            sources, library = Path(scratch) / "sources", Path(scratch) / "sqlvdi.dll"
            copy(fault, sources)
            _library().make(sources, library)
            say(f"{fault.name} must be found:")
            if _judged(python, wine, program, library) != 1:
                say(f"{fault.name} was not found.")
                return FAILED
    return 0


def _library() -> Library:
    return Library("sqlvdi.dll", COMPILER, ("core", "windows"), FLAGS, LINKED)


def _program() -> Path:
    """Compile the program that makes the calls."""
    made = BUILD / "raw_calls.exe"
    command = [COMPILER, *FLAGS, "-municode", "-o", str(made), "widths/raw_calls.cpp", "-static", "-s"]
    if subprocess.run(command, cwd=SOURCES, check=False).returncode:
        raise Unprepared("The program that makes raw calls could not be compiled: the lines above say why.")
    return made


def _judged(python: Path, wine: Wine, program: Path, library: Path) -> int:
    command = [str(python), "ci/widths/judge.py", wine.program, str(program), str(library)]
    variables = {name: value for name, value in os.environ.items() if name != "DISPLAY"} | wine.variables
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(widths, sys.argv[1:]))
