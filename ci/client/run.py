"""The client in C++ of fixtures/native/client, judged: `python3 ci/client/run.py [SIZE [EVIDENCE]]`.

It sends T-SQL by FreeTDS, backs up a database of SIZE bytes (1 GiB) over 4 devices, a worker process moving the bytes
of what the primary fetches, and restores it. It needs g++ and the headers of FreeTDS (freetds-dev). The exit code is
that of `emulator --judge`, which runs it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import native
from environment import ROOT, Unprepared, main, say, tool

SIZE: Final = 1 << 30
DATABASE: Final = "big"
DEVICES: Final = 4
TRANSFER: Final = 1 << 20
SOURCES: Final = ROOT / "fixtures" / "native"
FLAGS: Final = (
    *("-std=c++17", "-I.", "-O2", "-pthread", "-Werror", "-Wall", "-Wextra", "-Wpedantic"),
    *("-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wold-style-cast"),
)


def build(directory: Path) -> Path:
    """Build the client; Unprepared says in one sentence why that cannot be."""
    library = native.build()
    made = directory / "vdi-client"
    sources = [str(path.relative_to(SOURCES)) for path in sorted((SOURCES / "client").glob("*.cpp"))]
    linked = (f"-L{library.parent}", "-l:libsqlvdi.so", "-lsybdb", f"-Wl,-rpath,{library.parent}")
    command = [native.compiler(), *FLAGS, *sources, "-o", str(made), *linked]
    if subprocess.run(command, cwd=SOURCES, check=False).returncode:
        raise Unprepared("The client could not be built: the lines above say why (it needs freetds-dev).")
    return made


def judged(python: Path, size: int, evidence: Path, scratch: Path) -> int:
    """Let the client go there and back, and give the exit code of the verdicts."""
    media = scratch / "media"
    media.mkdir()
    client = [str(build(scratch)), "roundtrip", DATABASE, str(media), str(DEVICES), str(TRANSFER)]
    command = [
        tool(python, "vdi-conformance"),
        "emulator",
        "--database",
        f"{DATABASE}={size}",
        "--judge",
        str(evidence),
        "--",
        *client,
    ]
    began = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    say(f"{size} bytes over {DEVICES} devices, there and back, in {time.monotonic() - began:.1f} s.")
    return code


def start(python: Path, arguments: list[str]) -> int:
    """Obey the command line."""
    size = int(arguments[0]) if arguments else SIZE
    with tempfile.TemporaryDirectory() as scratch:
        evidence = Path(arguments[1]) if len(arguments) > 1 else Path(scratch) / "evidence.jsonl"
        return judged(python, size, evidence, Path(scratch))


if __name__ == "__main__":
    raise SystemExit(main(start, sys.argv[1:]))
