"""Starts the verb `emulator` as a process of its own, and talks to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from selftest.emulator_process import faked

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60
CI = Path(faked.__file__).parents[2]
DIRECTORY = "VDI_EMULATOR_DIRECTORY"


def environment() -> dict[str, str]:
    """Give the variables of such a process: nothing of an emulator that runs already."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VDI_", "SQLCMD", "OSQL"))}
    # A library that is named is not built.
    return kept | {"PYTHONPATH": str(CI), "VDI_SQLVDI_LIBRARY": str(CI / "named" / "libsqlvdi.so")}


def command(*arguments: str) -> list[str]:
    """Give the command line of the verb, with a small SQL Server."""
    return [sys.executable, str(Path(faked.__file__)), "emulator", *arguments]


def ran(*arguments: str, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the verb to its end."""
    return subprocess.run(
        command(*arguments),
        env=environment() | variables,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Running(NamedTuple):
    """A running emulator: its process, and what it said of how to connect."""

    process: subprocess.Popen[str]
    told: dict[str, Any]

    def tool(self, program: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run sqlcmd or osql as a client does."""
        variables = environment()
        variables["PATH"] = os.pathsep.join((self.told["programs"], variables["PATH"]))
        name = f"{program}.cmd" if os.name == "nt" else program
        return subprocess.run(
            [str(Path(self.told["programs"]) / name), *arguments],
            env=variables,
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@contextmanager
def running(*arguments: str) -> Iterator[Running]:
    """Run the verb until this is left; a signal then ends it, unless it has ended already."""
    with (
        TemporaryDirectory() as temporary,
        subprocess.Popen(
            command("--json", "-", *arguments),
            env=environment() | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            yield Running(process, _told(process))
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read what it says of how to connect, when it has started."""
    assert process.stdout is not None
    assert process.stderr is not None
    text = ""
    for line in iter(process.stdout.readline, ""):
        text += line
        if line == "}\n":
            break
    assert text, process.stderr.read()
    told: dict[str, Any] = json.loads(text)
    return told
