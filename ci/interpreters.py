"""The CPythons of this machine: found by asking, never by a place that only some machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14")
"""The versions that the project is for."""

_QUESTION: Final = """
import ensurepip, platform, sys, venv
print(platform.python_implementation(), "%d.%d" % sys.version_info[:2], sys._base_executable, sep="\\n")
"""
_SECONDS: Final = 60


def find(version: str) -> Path | None:
    """Give a CPython of that version that can make environments, or None where this machine has none."""
    for command in _candidates(version):
        implementation, found, executable = _ask(command)
        if (implementation, found) == ("CPython", version):
            return Path(executable)
    return None


def _candidates(version: str) -> Iterator[list[str]]:
    """Give what may start that version: this one, pyenv's newest, whatever is on the path, Windows' launcher."""
    yield [sys.executable]
    root = _pyenv_root()
    if root is not None:
        found = (root / "versions").glob(f"{version}.*")
        for directory in sorted((path for path in found if _patch(path) is not None), key=_order, reverse=True):
            yield [str(directory / ("python.exe" if os.name == "nt" else "bin/python"))]
    if (named := shutil.which(f"python{version}")) is not None:
        yield [named]
    if (launcher := shutil.which("py")) is not None:
        yield [launcher, f"-{version}"]


def _patch(directory: Path) -> int | None:
    last = directory.name.rpartition(".")[2]
    return int(last) if last.isdecimal() else None


def _order(directory: Path) -> int:
    return _patch(directory) or 0


def _pyenv_root() -> Path | None:
    told = os.environ.get("PYENV_ROOT")
    if not told and (pyenv := shutil.which("pyenv")) is not None:
        told = _output([pyenv, "root"]).strip()
    return Path(told) if told else None


def _ask(command: list[str]) -> tuple[str, str, str]:
    """Give implementation, version and executable of an interpreter; empty where it does not answer."""
    lines = _output([*command, "-I", "-c", _QUESTION]).splitlines()
    return (lines[0], lines[1], lines[2]) if len(lines) == 3 else ("", "", "")


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
