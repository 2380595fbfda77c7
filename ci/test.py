"""Test the suite itself from a checkout: style, types, who may import whom, and the selftests.

Checks, hosts and tests wait for each other now and then: what needs one processor alone is done meanwhile. Where
`ci/run.py` has run since the last change, the proof takes that run for the emulator without a fault.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from environment import ROOT, clean_variables, is_newer_than_the_sources, main, say, tool, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

REPORTS: Final = ROOT / "reports"
SPREAD: Final = ("-n", "2", "--dist", "worksteal")
"""Each worker begins with half of them, in their order: what the tests of a module share is made once."""

NICE: Final = 10
if sys.platform == "win32":
    LOWER: Final = subprocess.BELOW_NORMAL_PRIORITY_CLASS
else:
    LOWER: Final = 0


class Step(NamedTuple):
    """One thing that must pass."""

    name: str
    command: list[str]


class Result(NamedTuple):
    """How a step ended, in the words of the tool's own last line."""

    step: Step
    exit_code: int
    seconds: float
    last_line: str


def test(python: Path, further: list[str]) -> int:
    """Run every step, and give 0 only where all passed; `further` goes to pytest."""
    module = [str(python), "-m"]
    written = [f"--{kind}={REPORTS / f'proof.{kind}'}" for kind in ("json", "html")]
    run = REPORTS / "evidence.jsonl"
    control = ["--control", str(run)] if is_newer_than_the_sources(run) else []
    of_one_process = (
        Step("the wheel with the lowest versions", [sys.executable, "ci/wheel.py", "lowest"]),
        Step("mypy", [*module, "mypy", "conformance", "fixtures", "ci"]),
        # Two at once must not write into one cache.
        Step(
            "mypy as on Windows",
            [*module, "mypy", "--platform=win32", "--cache-dir=.mypy_cache/win32", "conformance", "fixtures", "ci"],
        ),
        Step("ruff check", [*module, "ruff", "check", "."]),
        Step("ruff format", [*module, "ruff", "format", "--check", "."]),
        Step("import-linter", [tool(python, "lint-imports")]),
    )
    of_many = (
        Step("prove", [tool(python, "vdi-conformance"), "prove", "--further", "0", *control, *written]),
        *linux_leg(),
        Step("pytest", [*module, "pytest", "ci/selftest", *SPREAD, "-m", "not long", *further]),
    )
    with beside(of_one_process) as others:
        results = [take(step) for step in of_many]
        results += others()
    say("")
    for result in results:
        outcome = "passed" if result.exit_code == 0 else f"FAILED (exit code {result.exit_code})"
        say(f"{result.step.name}: {outcome} in {result.seconds:.1f} s: {result.last_line}")
    failed = [result.step.name for result in results if result.exit_code]
    say(f"FAILED: {', '.join(failed)}" if failed else f"All {len(results)} steps passed.")
    return 1 if failed else 0


def linux_leg() -> tuple[Step, ...]:
    """Give the steps through libsqlvdi.so, which is a library of Linux."""
    if platform.system() != "Linux":
        say(f"The Linux leg is left out: this is {platform.system()}.")
        return ()
    return (
        Step("the Linux leg", [sys.executable, "ci/linux_leg.py"]),
        Step("the leg by the driver", [sys.executable, "ci/sqlserver_leg.py", "shared-buffers"]),
    )


@contextmanager
def beside(steps: Iterable[Step]) -> Iterator[Callable[[], list[Result]]]:
    """Run steps in the time that others leave idle; what is given waits for them, and shows each whole."""
    pool = ThreadPoolExecutor(os.cpu_count())
    taken = [pool.submit(_take_quietly, step) for step in steps]

    def ended() -> list[Result]:
        results = []
        for shown, result in (one.result() for one in taken):
            for line in shown:
                say(line)
            results.append(result)
        return results

    try:
        yield ended
    finally:
        pool.shutdown(cancel_futures=True)


def _take_quietly(step: Step) -> tuple[list[str], Result]:
    shown: list[str] = []
    return shown, take(step, shown.append, modestly=True)


def take(step: Step, show: Callable[[str], None] = say, modestly: bool = False) -> Result:
    """Run one step, its output shown as it comes; `modestly` leaves the processors to others that want them."""
    show(f"\n== {step.name}: {' '.join(step.command[1:]) or step.command[0]}")
    started = time.monotonic()
    last_line = ""
    with subprocess.Popen(
        step.command,
        cwd=ROOT,
        env=clean_variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        creationflags=LOWER if modestly else 0,
    ) as process:
        assert process.stdout is not None
        if sys.platform != "win32" and modestly:
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        try:
            for line in process.stdout:
                show(line.rstrip("\n"))
                last_line = line.strip(" =\n") or last_line
        except KeyboardInterrupt:
            show(process.stdout.read())
            wait(process)
            raise
        exit_code = wait(process)
    return Result(step, exit_code, time.monotonic() - started, last_line)


if __name__ == "__main__":
    raise SystemExit(main(test, sys.argv[1:]))
