"""Test the suite itself from a checkout: style, types, who may import whom, and the selftests.

Where `ci/run.py` has run since the last change, the proof takes that run for the emulator without a fault.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

from environment import ROOT, clean_variables, is_newer_than_the_sources, main, say, tool, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

REPORTS: Final = ROOT / "reports"
SPREAD: Final = ("-n", "2", "--dist", "worksteal")
"""Each worker begins with half of them, in their order: what the tests of a module share is made once."""


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
    results = [*side_by_side(of_one_process), *(take(step) for step in of_many)]
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


def side_by_side(steps: Iterable[Step]) -> Iterator[Result]:
    """Run as many steps at once as there are processors, each shown whole once it has ended."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for shown, result in pool.map(_take_quietly, steps):
            for line in shown:
                say(line)
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def _take_quietly(step: Step) -> tuple[list[str], Result]:
    shown: list[str] = []
    return shown, take(step, shown.append)


def take(step: Step, show: Callable[[str], None] = say) -> Result:
    """Run one step, its output shown as it comes."""
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
    ) as process:
        assert process.stdout is not None
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
