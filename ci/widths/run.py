"""The stand-ins for 32-bit x86: `python3 ci/widths/run.py [further options of run]`.

A 32-bit program in Wine makes the calls of a client of sqlvdi.dll by itself: every method must take from the stack what
it was given (ABI-10), and libraries that are wrong in one way must be found. The whole suite runs through libsqlvdi.so
in 32-bit hosts, and comes to what it comes to in 64-bit ones. In both, 32-bit and 64-bit clients of one set share a
buffer (Q63). Everything is made in `build/widths` from nothing, once; what this machine cannot offer is named as not
applicable. Further options go to `run`.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import linux_leg
import native
from environment import FAILED, ROOT, alone, call, is_newer_than_the_sources, main, say, tool
from faulty import Fault, copy, faults
from widths import python32, standins, wine32
from widths.packages import NotHere

if TYPE_CHECKING:
    from wine.prefix import Prefix

BUILD: Final = ROOT / "build" / "widths"
EVIDENCE: Final = ROOT / "reports" / "widths-evidence.jsonl"
ABI: Final = "x86"
"""Faults of this ABI are those that only 32-bit libraries of Windows can have."""


def run(python: Path, further: list[str]) -> int:
    """Try what there is on this machine; the first exit code that is not 0 counts."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with alone(BUILD / "in-use.lock"):
        return in_wine(python) or on_linux(python, further)


def in_wine(python: Path) -> int:
    """Let the calls of a 32-bit client be heard, with the stand-in and with those that are wrong."""
    try:
        _need_x86()
        prefix = wine32.provide(BUILD / "wine")
    except NotHere as reason:
        say(f"Not applicable: 32-bit clients of sqlvdi.dll (ABI-10), since {reason}.")
        return 0
    program = standins.raw_calls(BUILD / "windows")
    library = standins.for_windows().build(BUILD / "windows")
    with prefix:
        code, heard = _heard(python, prefix, program, library)
        say(heard)
        return code or _all_found(python, prefix, program)


def _all_found(python: Path, prefix: Prefix, program: Path) -> int:
    here = [fault for fault in faults() if ABI in fault.abis]
    for fault in here:
        code, heard = _heard(python, prefix, program, _broken(fault))
        if code != 1 or f"FAILED  {fault.requirement}:" not in heard:
            say(f"{fault.name}, which breaks {fault.requirement}, was NOT found:\n{heard}")
            return FAILED
    say(f"Each of {len(here)} libraries that are wrong in one way was found.")
    return 0


def _broken(fault: Fault) -> Path:
    place = BUILD / "broken" / fault.name
    shutil.rmtree(place, ignore_errors=True)
    copy(fault, place / "sources")
    library = place / "sqlvdi.dll"
    standins.for_windows("-O0").make(place / "sources", library)
    return library


def _heard(python: Path, prefix: Prefix, program: Path, library: Path) -> tuple[int, str]:
    command = [str(python), "ci/widths/stack.py", str(library), str(program), *prefix.starting]
    done = subprocess.run(command, cwd=ROOT, env=prefix.variables, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout.strip()


def on_linux(python: Path, further: list[str]) -> int:
    """Run the suite in 32-bit hosts, and mix these with 64-bit ones."""
    try:
        _need_x86()
        python32.install_compiler()
        library = standins.for_linux().build(BUILD / "linux")
        manifest = python32.provide(BUILD / "python", library).relative_to(ROOT)
    except NotHere as reason:
        say(f"Not applicable: 32-bit hosts beside 64-bit ones (Q63), since {reason}.")
        return 0
    chosen = ["--adapter", str(manifest), "--server", "emulator", "--evidence", str(EVIDENCE), "-n", "2", *further]
    code = call([str(python), "ci/widths/mixed.py", str(manifest), f"sqlserver:{native.build()}"])
    code = code or call([tool(python, "vdi-conformance"), "run", *chosen])
    return code if code or further else _compared(python)


def _compared(python: Path) -> int:
    """Hold 32-bit hosts against 64-bit ones, which the Linux leg has run or runs now."""
    if not is_newer_than_the_sources(linux_leg.LIBRARY) and (code := linux_leg.leg(python, [])):
        return code
    return call([str(python), "ci/compare_abis.py", str(linux_leg.LIBRARY), str(EVIDENCE)])


def _need_x86() -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotHere("they are made on Linux on 64-bit x86 alone")


if __name__ == "__main__":
    raise SystemExit(main(run, sys.argv[1:]))
