"""Build Microsoft's published samples of VDI clients, and run them unchanged: `python3 ci/samples.py PATH [NAME ...]`.

PATH is a directory that has them somewhere below it, as the repository sql-server-samples of Microsoft does; nothing is
fetched, and nothing of them is kept here. vdipipesample is for Linux; simple, mthread, mprocess, osimple and snapshot
are for Windows, and run in Wine, beside an emulator that runs outside of it. Each backs up a database and restores it
from its own files: both statements must succeed, and move as many bytes as the files have. A RESTORE succeeds only
where it reads what the BACKUP wrote. What this machine cannot offer is named as not applicable. osimple and snapshot
send statements by ODBC, for which they are linked to a few calls of ours.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from compiling import SOURCES
from environment import ROOT, Unprepared, alone, clean_variables, main, say, tool
from widths.packages import NotHere, install
from wine import system
from wine.prefix import Prefix

assert sys.platform != "win32", "on Windows the samples need no Wine"

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

BUILD: Final = ROOT / "build" / "samples"
DATABASE: Final = "pubs=20M"
STREAMS: Final = 4
SECONDS: Final = 120
_LINUX: Final = "Linux"
_PASSWORD: Final = "VDI_EMULATOR_PASSWORD"  # noqa: S105 - the name of a variable
_FOR_WINDOWS: Final = ("x86_64-w64-mingw32-g++", "-std=c++17", "-w", "-DUNICODE", "-D_UNICODE", "-static")
_LIBRARIES: Final = ("-lole32", "-luuid")
_ODBC: Final = ("odbc/odbc.cpp", "windows/text.cpp")
"""In place of ODBC, of which Wine has no driver for SQL Server."""
_YES: Final = b"y\n" * 2
"""What is typed for the sample that asks whether its snapshot is made."""


class Sample(NamedTuple):
    """A sample: its name, which is its source's too, what it is told, and the files that it moves bytes to and from."""

    name: str
    is_for_windows: bool
    backup: tuple[str, ...]
    restore: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def source(self) -> str:
        """The name of its source file."""
        return f"{self.name}.cpp"


_STRIPES: Final = tuple(f"multi.{number}.dmp" for number in range(STREAMS))
SAMPLES: Final = (
    Sample(
        "vdipipesample",
        False,
        ("b", "d", "pubs", "sa", "{password}", "pipe.bak"),
        ("r", "d", "pubs", "sa", "{password}", "pipe.bak"),
        ("pipe.bak",),
    ),
    Sample("simple", True, ("b",), ("r",), ("superbak.dmp",)),
    Sample("mthread", True, ("b", str(STREAMS)), ("r", str(STREAMS)), _STRIPES),
    Sample("mprocess", True, ("b", str(STREAMS)), ("r", str(STREAMS)), _STRIPES),
    Sample("osimple", True, ("b",), ("r",), ("superbak.dmp",)),
    Sample("snapshot", True, ("b", "pubs"), ("r", "pubs"), ("snapshot.dmp",)),
)


def run(python: Path, arguments: list[str]) -> int:
    """Try each sample that is asked for; 0 where none failed."""
    parser = argparse.ArgumentParser(prog="ci/samples.py", allow_abbrev=False)
    parser.add_argument("path", type=Path, help="a directory with the samples below it")
    parser.add_argument("name", nargs="*", choices=[[], *(sample.name for sample in SAMPLES)], help="only these")
    chosen = parser.parse_args(arguments)
    BUILD.mkdir(parents=True, exist_ok=True)
    failed = []
    with alone(BUILD / "in-use.lock"):
        for sample in SAMPLES:
            if sample.name in (chosen.name or [sample.name]) and not tried(python, chosen.path, sample):
                failed.append(sample.name)
    if failed:
        say(f"Samples that failed: {', '.join(failed)}.")
    return 1 if failed else 0


def tried(python: Path, path: Path, sample: Sample) -> bool:
    """Build a sample and run it; False where it failed, True where it did not or is not applicable."""
    try:
        source = next(path.rglob(sample.source), None)
        if source is None:
            raise NotHere(f"{path} has no {sample.source}")
        program = _built_for_windows(source) if sample.is_for_windows else _built(python, source)
        with TemporaryDirectory() as directory:
            return _run(python, sample, program, Path(directory))
    except (NotHere, Unprepared) as reason:
        say(f"Not applicable: {sample.name}, since {reason}.")
        return True


def _built(python: Path, source: Path) -> Path:
    """Build a sample for Linux, linked to the stand-in."""
    if platform.system() != _LINUX:
        raise NotHere("it is a program for Linux")
    install("uuid-dev")
    made = BUILD / source.stem
    _call([tool(python, "vdi-conformance"), "emulator", "library", str(BUILD)])
    _call(["g++", "-std=c++11", "-w", "-o", str(made), str(source), f"-L{BUILD}", "-lsqlvdi", "-luuid", "-lpthread"])
    return made


def _built_for_windows(source: Path) -> Path:
    if (platform.system(), platform.machine()) != (_LINUX, "x86_64"):
        raise NotHere("programs of Windows are built and run in Wine, on Linux on 64-bit x86")
    system.provide()
    made = BUILD / f"{source.stem}.exe"
    headers = f"-I{source.parents[1] / 'include'}"
    own = [f"-I{SOURCES}", *(str(SOURCES / path) for path in _ODBC)]
    _call([*_FOR_WINDOWS, headers, *own, "-o", str(made), str(source), *_LIBRARIES])
    return made


def _call(command: Sequence[str]) -> None:
    done = subprocess.run(command, env=clean_variables(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unprepared(f"{command[0]} failed: {done.stderr or done.stdout}")


def _run(python: Path, sample: Sample, program: Path, directory: Path) -> bool:
    """Back up and restore, each by a start of the sample, and look at what was moved."""
    told = directory / "told.json"
    options = ["--windows"] if sample.is_for_windows else ["--seconds"]
    with _emulator(python, told, options) as connections, _starting(sample, connections) as start:
        codes = [
            start([str(program), *(word.format(**connections) for word in words)], directory)
            for words in (sample.backup, sample.restore)
        ]
    account = json.loads(told.read_text("utf-8"))["account"]
    held = sum((directory / name).stat().st_size for name in sample.files if (directory / name).exists())
    moved, ends = account["transferred"], (account["statements"], account["failed"])
    is_right = ends == (2, 0) and held > 0 and moved == 2 * held
    say(f"{sample.name}: exit codes {codes}, {held} bytes in its files, {moved} moved, {ends[1]} of {ends[0]} failed")
    return is_right


@contextmanager
def _emulator(python: Path, told: Path, options: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run an emulator until this is left, and give what it says of how to connect."""
    chosen = ["--database", DATABASE, "--json", str(told), *options]
    command = [tool(python, "vdi-conformance"), "emulator", *chosen]
    with subprocess.Popen(command, env=clean_variables(), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            for line in iter(process.stderr.readline, ""):
                if line.startswith("Programs:"):
                    break
            while not told.exists() and process.poll() is None:
                pass
            if process.poll() is not None:
                raise Unprepared(f"the emulator did not start: {process.stderr.read()}")
            yield json.loads(told.read_text("utf-8"))
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)


@contextmanager
def _starting(sample: Sample, connections: Mapping[str, Any]) -> Iterator[Callable[[Sequence[str], Path], int]]:
    """Give what starts a program with the variables of an emulator."""
    variables: dict[str, str] = connections["variables"]
    if not sample.is_for_windows:
        yield lambda command, directory: _started(command, directory, variables)
        return
    with _windows(variables, connections["library"]) as prefix:
        yield lambda command, directory: prefix.run(command, directory, _YES)


def _started(command: Sequence[str], directory: Path, variables: Mapping[str, str]) -> int:
    own = clean_variables()
    told = {**own, **variables} | {"PATH": f"{variables['PATH']}:{own['PATH']}"}
    return subprocess.run(command, cwd=directory, env=told, timeout=SECONDS, check=False).returncode


@contextmanager
def _windows(variables: Mapping[str, str], library: str) -> Iterator[Prefix]:
    """Give a Windows in which the stand-in is registered."""
    (ROOT / "build" / "wine").mkdir(parents=True, exist_ok=True)
    with alone(ROOT / "build" / "wine" / "in-use.lock"):
        prefix = Prefix(ROOT / "build" / "wine" / "prefix")
        prefix.make()
        prefix.variables.update({name: value for name, value in variables.items() if name != "PATH"})
        with prefix:
            if code := prefix.run(["regsvr32", "/s", f"Z:{library}"], ROOT):
                raise Unprepared(f"the stand-in could not be registered (regsvr32 ended with exit code {code})")
            yield prefix


if __name__ == "__main__":
    raise SystemExit(main(run, sys.argv[1:]))
