"""Try the wheel as it is installed: `python3 ci/wheel.py [--whole] [lowest] [3.11] [3.12] [3.13] [3.14]`.

`lowest` is the oldest Python with the lowest version of each dependency that pyproject.toml allows; a number is that
CPython with the versions of the checkout. Without either, all of them are tried. What this machine has not is left out
by name. A short run is made with each; `--whole` makes it the whole suite and the selftests of what users see.

The environments are in `build/wheel`: made from a lock when they are missing or out of date, and reused.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from environment import OLDEST_PYTHON, ROOT, Unprepared, alone, clean_variables, main, say, tool, wait
from interpreters import VERSIONS, find

if TYPE_CHECKING:
    from collections.abc import Sequence

BUILD: Final = ROOT / "build" / "wheel"
LOWEST: Final = "lowest"
LOCKS: Final = {LOWEST: ROOT / "ci" / "lowest" / "requirements.lock"}
USUAL_LOCK: Final = ROOT / "ci" / "wine" / "requirements.lock"
"""What the project needs to run, in the versions of the checkout."""
SHORT: Final = (
    "--check=ST/every_call_gives_what_is_recommended",
    "--check=BUF/any_scenario_gives_good_buffers",
    "--check=GBH/sharing_holds_under_conditions[scripted-001]",
    "--check=MBH/bytes_stored_by_a_secondary_reach_the_server",
)
"""A walk, a scenario that is drawn, one that a table of the wheel gives, and a plain one."""
SELFTESTS: Final = tuple(f"ci/selftest/{part}" for part in ("cli", "evidence", "report", "requirements"))
AS_GENERATED: Final = (
    "--deselect=ci/selftest/evidence/test_evidence_schemas.py::test_the_committed_schemas_are_the_types_own"
)
"""Which order a schema has depends on the msgspec that wrote it: the committed ones are by that of the checkout."""
WRONG_USAGE: Final = 4


class Failed(Exception):
    """Something came out otherwise than it must; the text says what."""


class Environment(NamedTuple):
    """An environment of its own: its name, the Python that it is made from, and what it has beside the wheel."""

    name: str
    base: Path
    lock: Path

    @property
    def directory(self) -> Path:
        """Where it is."""
        return BUILD / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def prepare(self, wheel: Path) -> None:
        """Make it where it does not fit its lock, and install the wheel; Unprepared where that cannot be."""
        try:
            self._prepare(wheel)
        except Failed as reason:
            raise Unprepared(f"The environment {self.directory} cannot be made: {reason}") from reason

    def _prepare(self, wheel: Path) -> None:
        stamp = self.directory / "made-from.txt"
        wanted = hashlib.sha256(self.lock.read_bytes() + str(self.base).encode()).hexdigest()
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(self.directory, ignore_errors=True)
            _call([str(self.base), "-m", "venv", str(self.directory)])
            # The lock names whatever is needed, and what was forgotten in it is found below.
            self._install("--require-hashes", "--only-binary=:all:", "--no-deps", "-r", str(self.lock))
            stamp.write_text(wanted, encoding="utf-8")
        self._install("--no-deps", "--no-index", "--force-reinstall", str(wheel))
        _call([str(self.python), "-m", "pip", "check"])

    def _install(self, *arguments: str) -> None:
        _call([str(self.python), "-m", "pip", "install", "--quiet", "--no-input", *arguments])


def try_all(python: Path, arguments: list[str]) -> int:
    """Try the wheel in each environment that is asked for, and give 0 where all went well."""
    whole = "--whole" in arguments
    names = [name for name in arguments if name != "--whole"] or [LOWEST, *VERSIONS]
    unknown = [name for name in names if name not in (LOWEST, *VERSIONS)]
    if unknown:
        say(f"There is no {unknown[0]} to try the wheel on: say {LOWEST} or one of {', '.join(VERSIONS)}.")
        return WRONG_USAGE
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        with alone(BUILD / "lock"), tempfile.TemporaryDirectory() as directory:
            wheel = _build(python, Path(directory))
            for name in names:
                _try(name, wheel, whole, Path(directory))
    except Failed as reason:
        say(str(reason))
        return 1
    return 0


def _build(python: Path, directory: Path) -> Path:
    _call([str(python), "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory)], quietly=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def _try(name: str, wheel: Path, whole: bool, directory: Path) -> None:
    version = ".".join(map(str, OLDEST_PYTHON)) if name == LOWEST else name
    base = find(version)
    if base is None:
        say(f"{name}: left out, since this machine has no CPython {version}.")
        return
    environment = Environment(name, base, LOCKS.get(name, USUAL_LOCK))
    environment.prepare(wheel)
    python = environment.python
    empty = directory / name
    empty.mkdir()
    command = tool(python, "vdi-conformance")
    reports = ["--evidence=evidence.jsonl", "--junit=junit.xml", "--allure=allure"]
    _call([command, "run", "--adapter", "emulator", "-n", "2", *([] if whole else SHORT), *reports], empty)
    _call([command, "compare", "evidence.jsonl", "evidence.jsonl"], empty)
    _call([command, "run", "--no-such-option"], empty, WRONG_USAGE)
    if whole:
        further = [AS_GENERATED] if name == LOWEST else []
        _call([str(python), "-m", "pytest", *SELFTESTS, "-n", "2", "-p", "no:cacheprovider", *further])
    say(f"{name}: the wheel works.")


def _call(command: Sequence[str], directory: Path = ROOT, expected: int = 0, quietly: bool = False) -> None:
    """Run a command; Failed where it ends otherwise than expected."""
    output = subprocess.DEVNULL if quietly else None
    with subprocess.Popen(command, cwd=directory, env=clean_variables(), stdout=output) as process:
        code = wait(process)
    if code != expected:
        raise Failed(f"{' '.join(command)} ended with exit code {code}, not {expected}.")


if __name__ == "__main__":
    raise SystemExit(main(try_all, sys.argv[1:]))
