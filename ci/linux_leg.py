"""Run the whole suite through the stand-in libsqlvdi.so and ctypes: `python3 ci/linux_leg.py [--sanitize] [options]`.

The commands come from the emulator, which is judged alone first, unless `ci/run.py` did that since the last change.
Both ABIs must come to the same verdicts, apart from what `ci/compare_abis.py` explains. Further options go to `run`.
`--sanitize` takes the library that is built with sanitizers instead, and leaves the comparison out: a finding ends a
process, which fails the check.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from environment import ROOT, call, clean_variables, is_newer_than_the_sources, main, tool, wait
from native import build, compiler

if TYPE_CHECKING:
    from pathlib import Path

REPORTS: Final = ROOT / "reports"
ALONE: Final = REPORTS / "evidence.jsonl"
EMULATOR: Final = REPORTS / "abi-emulator.jsonl"
LIBRARY: Final = REPORTS / "abi-libsqlvdi.jsonl"


def leg(python: Path, further: list[str]) -> int:
    """Run both ABIs and hold them against each other; the first exit code that is not 0 counts."""
    library = build()
    if not further and is_newer_than_the_sources(ALONE):
        shutil.copyfile(ALONE, EMULATOR)
        code = 0
    else:
        code = _run(python, EMULATOR, {}, "emulator", *further)
    code = code or _run(python, LIBRARY, {}, f"sqlserver:{library}", *further)
    return code or call([str(python), "ci/compare_abis.py", str(EMULATOR), str(LIBRARY)])


def sanitized(python: Path, further: list[str]) -> int:
    """Run the suite through the library with sanitizers; these must be there before Python is."""
    library = build(sanitized=True)
    asked = [compiler(), "-print-file-name=libasan.so"]
    preloaded = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    # Python leaves memory to the end of its process, and hosts end without ceremony: nothing can be said of leaks.
    variables = {"LD_PRELOAD": preloaded, "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    return _run(python, REPORTS / "abi-sanitized.jsonl", variables, f"sqlserver:{library}", *further)


def _run(python: Path, evidence: Path, variables: dict[str, str], adapter: str, *further: str) -> int:
    chosen = ["--adapter", adapter, "--server", "emulator", "--evidence", str(evidence), "-n", "2", *further]
    command = [tool(python, "vdi-conformance"), "run", *chosen]
    with subprocess.Popen(command, cwd=ROOT, env=clean_variables() | variables) as process:
        return wait(process)


if __name__ == "__main__":
    chosen = [argument for argument in sys.argv[1:] if argument != "--sanitize"]
    raise SystemExit(main(leg if chosen == sys.argv[1:] else sanitized, chosen))
