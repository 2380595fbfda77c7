"""Makes whole runs under load, each in another order and with another seed, and compares their verdicts.

`.venv/bin/python ci/flake_budget.py [--runs 100] [--seed 1] [--minutes M]`. Every run adds to `build/flake-budget`, so
that the budget can be spent over several sittings: what is there already is not run again. `--minutes` begins no
further run after so many. The result lands in `reports/baseline/flake-budget.json`. Exit code 0 where all runs that
there are agree, 1 where they do not or one came to no verdict, 2 when interrupted.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from environment import INTERRUPTED, ROOT, clean_variables, say, tool
from flakes.load import kept_busy
from flakes.plan import PlannedRun, planned
from flakes.verdicts import Budget, Difference, RunResult, budget, observations_of, verdicts_of
from vdi_conformance.evidence.files import NotEvidence, read

if TYPE_CHECKING:
    from collections.abc import Sequence

MADE: Final = ROOT / "build" / "flake-budget"
RESULT: Final = ROOT / "reports" / "baseline" / "flake-budget.json"
WITH_VERDICT: Final = (0, 1, 6)
SHOWN: Final = 20
"""So many differences are shown."""


class Kept(NamedTuple):
    """Where what came of one plan is kept."""

    directory: Path

    def result(self, run: PlannedRun) -> Path:
        """Name the file of a run's verdicts."""
        return self.directory / f"{run.label}.json"

    def evidence(self, run: PlannedRun) -> Path:
        """Name the file of a run's evidence."""
        return self.directory / f"{run.label}.jsonl"

    def output(self, run: PlannedRun) -> Path:
        """Name the file of what a run printed."""
        return self.directory / f"{run.label}.txt"

    def read(self, runs: Sequence[PlannedRun]) -> list[RunResult]:
        """Read what there is of these runs."""
        paths = [self.result(run) for run in runs]
        return [msgspec.json.decode(path.read_bytes(), type=RunResult) for path in paths if path.is_file()]


def main(arguments: list[str]) -> int:
    """Run what is missing, and tell what all runs came to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100, metavar="N", help="so many runs in all (default 100)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the seed of the plan (default 1)")
    parser.add_argument("--minutes", type=float, default=float("inf"), metavar="M", help="begin none after so many")
    asked = parser.parse_args(arguments)
    runs, kept = planned(asked.seed, asked.runs), Kept(MADE / f"seed-{asked.seed}")
    kept.directory.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * asked.minutes
    with kept_busy():
        for run in runs:
            if kept.result(run).is_file():
                continue
            if time.monotonic() >= end:
                break
            say(f"run {run.number} of {len(runs)}: {run.workers} workers, seed {run.seed}, order {run.order}")
            made = _make(run, kept)
            kept.result(run).write_bytes(msgspec.json.encode(made))
            say(f"  exit code {made.exit_code} in {made.duration:.0f} s")
    found = budget(kept.read(runs), asked.runs, asked.seed, _now(), _machine())
    RESULT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return _tell(found, kept)


def _make(run: PlannedRun, kept: Kept) -> RunResult:
    """Make a whole run; its evidence is kept where it differs from the first one's."""
    evidence, started, began = kept.evidence(run), _now(), time.monotonic()
    command = [tool(Path(sys.executable), "vdi-conformance"), "run", "--adapter", "emulator", "-n", str(run.workers)]
    command += ["--seed", str(run.seed), "--evidence", str(evidence)]
    command += ["--", "-p", "flakes.reordering", "--order", str(run.order)]
    variables = clean_variables() | {"PYTHONPATH": str(ROOT / "ci")}
    with kept.output(run).open("wb") as output:
        ended = subprocess.run(
            command, cwd=kept.directory, env=variables, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if ended.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    try:
        checks = read(evidence).checks if ended.returncode in WITH_VERDICT else ()
    except NotEvidence as error:
        say(f"{error}.")
        checks = ()
    made = RunResult(
        **run._asdict(),
        revision=_revision(),
        started=started,
        duration=round(time.monotonic() - began, 1),
        exit_code=ended.returncode,
        verdicts=verdicts_of(checks),
        observations=observations_of(checks),
    )
    first = kept.read([run._replace(number=1)])
    if made.verdicts and first and (made.verdicts, made.observations) == (first[0].verdicts, first[0].observations):
        evidence.unlink()
        kept.output(run).unlink()
    return made


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _machine() -> str:
    return f"{platform.system()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"


def _revision() -> str:
    """Name the commit, and say so where there are changes that it lacks; unknown outside of a clone."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = subprocess.run(
        [git, "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or "unknown"


def _tell(found: Budget, kept: Kept) -> int:
    """Print the figures, and give the exit code."""
    say(f"{len(found.runs)} of {found.planned} whole runs under load, of {found.checks} checks; on {found.machine}")
    for verdict, count in found.verdicts.items():
        say(f"  {verdict}: {count}")
    _tell_differences("verdicts", found.differences)
    _tell_differences("answers to open questions", found.answers)
    if found.unfinished:
        say(f"without a verdict: runs {', '.join(map(str, found.unfinished))}")
    if differ := bool(found.differences or found.answers or found.unfinished):
        say(f"What differs from the first run is kept whole in {kept.directory}")
    else:
        say("All of them came to the same.")
    return 1 if differ else 0


def _tell_differences(what: str, differences: Sequence[Difference]) -> None:
    say(f"checks with different {what}: {len(differences)}")
    for one in differences[:SHOWN]:
        say(f"  {one.check}")
        for answer, numbers in one.runs.items():
            say(f"    {answer}: {_shown(numbers)}")


def _shown(numbers: Sequence[int]) -> str:
    some = ", ".join(map(str, numbers[:SHOWN]))
    return f"runs {some}" + (f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else "")


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise SystemExit(code)
