"""The command in processes of its own: forked, where that can be, from one that has imported all that a run needs.

What a fresh interpreter does before a run begins takes longer than most runs here. It is the subject of few tests,
which start one; the others come here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COMMAND: Final = "vdi_conformance.cli"
SECONDS: Final = 600.0
"""For what hangs: many times what the longest run takes."""


def run_command(
    directory: Path, *arguments: str, module: str = COMMAND, looks_here: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENTS` in a directory, with these environment variables besides those of now.

    Without `looks_here` it finds no modules in the directory, as a console script does not. Its output is UTF-8.
    """
    return _run(Asked(str(directory), module, arguments, os.environ | {"PYTHONUTF8": "1"} | variables, looks_here))


class Asked(NamedTuple):
    """What is to be run: a module, where and with what."""

    directory: str
    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    looks_here: bool


if sys.platform == "win32":

    def _run(asked: Asked) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *(() if asked.looks_here else ("-P",)), "-m", asked.module, *asked.arguments],
            cwd=asked.directory,
            env=asked.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
else:

    def _run(asked: Asked) -> subprocess.CompletedProcess[str]:
        from selftest import forking

        return forking.run(asked, SECONDS)
