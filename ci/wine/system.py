"""The programs that the Windows leg needs: Wine, and a compiler for Windows; installed where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Final

from environment import Unprepared, say

assert sys.platform != "win32", "on Windows ci/run.py runs the suite"

PACKAGES: Final = ("wine", "wine64", "g++-mingw-w64-x86-64-win32")
_PROGRAMS: Final = ("wine", "wineserver", "x86_64-w64-mingw32-g++")


def provide() -> None:
    """See that the programs are there; an Unprepared where they cannot be had."""
    missing = _missing()
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unprepared(
            f"There is no {missing[0]} here, and it can only be installed as root and with apt-get: "
            f"install what gives {', '.join(_PROGRAMS)} (in Debian {' '.join(PACKAGES)}), then start again."
        )
    say(f"Installing {', '.join(PACKAGES)}.")
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(["apt-get", "-qq", *command], env=variables, stdout=subprocess.DEVNULL, check=False)  # noqa: S607
        if done.returncode:
            raise Unprepared(
                f"Wine could not be installed (apt-get {command[0]} ended with exit code {done.returncode}): "
                "see the lines above, then start again."
            )
    if missing := _missing():
        raise Unprepared(f"There is no {missing[0]} though its package is installed: add it to the PATH, start again.")


def _missing() -> list[str]:
    return [program for program in _PROGRAMS if shutil.which(program) is None]
