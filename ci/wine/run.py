"""Run the suite under a Windows Python in Wine: `python3 ci/wine/run.py [further options of run]`.

Everything that is needed is made in `build/wine` from nothing, once. Clients go through COM to the stand-in
sqlvdi.dll, which is registered for that, and the emulator is the server; `--adapter emulator` leaves the library out.
`--broken [NAME ...]` tries stand-ins instead that are wrong in one way, each of which must be found, and `--selftests
[PATH or option of pytest ...]` runs those of the suite's own tests that do not need many whole runs.
What this shows is that the suite, its adapter for Windows and the emulator work there as far as Wine is like Windows.
It shows nothing about Microsoft's library.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from environment import ROOT, Unprepared, alone, main, say
from wine import broken, standin, system, windows_python
from wine.prefix import Prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

assert sys.platform != "win32", "on Windows ci/run.py runs the suite"

MADE: Final = ROOT / "build" / "wine"
EVIDENCE: Final = Path("reports") / "wine-evidence.jsonl"
WHOLE_RUNS: Final = ("packaging", "suite", "cli/test_cli_certify.py", "cli/test_cli_prove.py")
"""Selftests of the checkout's packaging, and those that run the whole suite, which takes minutes here."""
SELFTESTS: Final = ("-n", "2", "-p", "no:cacheprovider", *(f"--ignore=ci/selftest/{name}" for name in WHOLE_RUNS))
THROUGH_COM: Final = ("--adapter", "sqlserver", "--server", "emulator")


def run(python: Path, further: list[str]) -> int:
    """Provide everything, run, and give the exit code of the run."""
    prefix, windows = Prefix(MADE / "prefix"), MADE / "python"
    with _timed("programs"):
        system.provide()
    MADE.mkdir(parents=True, exist_ok=True)
    with alone(MADE / "in-use.lock"):
        with _timed("prefix"):
            prefix.make()
        with _timed("Windows Python"):
            windows_python.make(windows, python)
        with _timed("project"):
            windows_python.install_project(windows, python)
        with _timed("stand-in"):
            library = standin.library().build(MADE / "stand-in")
        with _timed("run"), prefix:
            interpreter = windows / "python.exe"
            if further[:1] == ["--broken"]:
                return broken.run(prefix, interpreter, MADE / "broken", further[1:])
            _register(prefix, library)
            if further[:1] == ["--selftests"]:
                chosen = further[1:] or ["ci/selftest"]
                return prefix.run([interpreter, "-m", "pytest", *SELFTESTS, *chosen], ROOT)
            return prefix.run([interpreter, "-m", "vdi_conformance.cli", "run", *_options(further)], ROOT)


def _register(prefix: Prefix, library: Path) -> None:
    if code := prefix.run(["regsvr32", "/s", f"Z:{library}"], ROOT):
        raise Unprepared(
            f"The stand-in could not be registered (regsvr32 ended with exit code {code}): "
            f"delete {MADE}, then start again."
        )


def _options(further: list[str]) -> list[str]:
    chosen = () if any(option.partition("=")[0] == "--adapter" for option in further) else THROUGH_COM
    return [*chosen, "-n", "2", f"--evidence={EVIDENCE}", *further]


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        say(f"[{what}: {time.monotonic() - started:.1f} s]")


if __name__ == "__main__":
    raise SystemExit(main(run, sys.argv[1:]))
