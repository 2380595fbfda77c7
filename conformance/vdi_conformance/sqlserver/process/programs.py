"""The programs sqlcmd and osql in a directory of a running emulator, which a command finds on its path."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.process import relay

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.sqlcmd.options import Program

PROGRAMS: Final[tuple[Program, ...]] = ("sqlcmd", "osql")
_EXECUTABLE: Final = 0o755


def write_programs(directory: Path, emulator: Path) -> None:
    """Write scripts that pass their command lines on to the emulator of a directory."""
    directory.mkdir(exist_ok=True)
    for program in PROGRAMS:
        # Neither variables nor packages of this Python are needed, and both take time.
        command = [sys.executable, "-I", "-S", str(Path(relay.__file__)), program, str(emulator)]
        if sys.platform == "win32":
            path, text = directory / f"{program}.cmd", f"@{subprocess.list2cmdline(command)} %*\n"
        else:
            path, text = directory / program, f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'
        path.write_text(text, encoding="utf-8")
        path.chmod(_EXECUTABLE)
