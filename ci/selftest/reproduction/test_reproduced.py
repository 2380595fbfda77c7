"""Programs made of failures say REPRODUCED on what failed, and NOT REPRODUCED on what is sound."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

import native
from faulty import copy, faults
from selftest.suite.runs import Run, judging, run_suite_in
from vdi_conformance.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")

AGAIN: Final = "REPRODUCED: "
NOT_AGAIN: Final = "NOT REPRODUCED: "
CODES: Final = {AGAIN: 0, NOT_AGAIN: 1}
SUFFIXES: Final = {"python": ".py", "cpp": ".cpp"}


class Side(NamedTuple):
    """A library, and the adapter whose server and broker it is served by."""

    library: Path
    server: str


def programs(run: Run, directory: Path, lang: str) -> list[list[str]]:
    """Make the programs of all failures of a run, ready to be started."""
    made = directory / lang
    main(["reproduce", str(run.evidence_path), "--lang", lang, "-o", str(made)])
    sources = sorted(made.glob(f"*{SUFFIXES[lang]}"))
    if lang == "python":
        return [[sys.executable, str(source)] for source in sources]
    return [[compiled(source)] for source in sources]


def compiled(source: Path) -> str:
    """Compile a program as its first lines say."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++")
    built = source.with_suffix("")
    done = subprocess.run(
        [compiler, "-std=c++17", "-pthread", str(source), "-o", str(built), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return str(built)


def verdict(program: list[str], side: Side, directory: Path) -> str:
    """Start a program; give how it begins to say what it saw, in agreement with its exit code."""
    host = f"'{sys.executable}' -m vdi_conformance.cli adapter host {side.server}"
    command = [*program, "--library", str(side.library), "--server-host", host]
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=150, check=False, stdin=subprocess.DEVNULL
    )
    last = (done.stdout.splitlines() or [done.stderr])[-1]
    for begins, code in CODES.items():
        if last.startswith(begins):
            assert done.returncode == code
            return begins
    return last + done.stderr


def require_reproduced(run: Run, broken: Side, directory: Path, *langs: str) -> None:
    """Fail unless a program of each language tells what failed from what is sound."""
    sound = Side(native.build(), "emulator")
    for lang in langs:
        tried = [
            [verdict(program, side, directory) for side in (broken, sound)] for program in programs(run, directory, lang)
        ]
        assert [AGAIN, NOT_AGAIN] in tried, (lang, tried)


def served_by(fault: str, directory: Path, *checks: str) -> tuple[Run, Side]:
    """Run checks on the stand-in with a server and a broker that are wrong in one way."""
    broken = Side(native.build(), f"vdi_fixtures.broken.{fault}:Broken")
    chosen = ("--adapter", f"sqlserver:{broken.library}", "--server", broken.server)
    return run_suite_in(directory, *chosen, *(f"--check={check}" for check in checks)), broken


def test_a_failure_comes_again_where_it_was_seen_alone(tmp_path: Path) -> None:
    run, broken = served_by("gbh.a_new_area_ends_all_handles", tmp_path, "GBH/a_held_handle_outlives[primary-a new area]")
    assert run.exit_code == 1, run.output
    require_reproduced(run, broken, tmp_path, "python", "cpp")
