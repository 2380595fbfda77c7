"""Runs the suite as its users do, in a process of its own, and reads the evidence that it leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selftest.commands import COMMAND, run_command
from vdi_conformance.cli.checks import checks, checks_by_requirement
from vdi_conformance.evidence.files import Evidence, read
from vdi_conformance.evidence.records import CheckRecord


@dataclass(frozen=True)
class Run:
    """A finished run: exit code, what it printed, and its evidence where it is whole."""

    exit_code: int
    output: str
    evidence_path: Path

    @property
    def evidence(self) -> Evidence:
        """The whole record."""
        return read(self.evidence_path)

    def judging(self, requirement: str) -> list[CheckRecord]:
        """The checks that judged a requirement."""
        return [check for check in self.evidence.checks if requirement in check.requirements]

    def verdicts(self) -> dict[str, str]:
        """The verdict of every check by its id."""
        return {check.id: check.verdict for check in self.evidence.checks}


RunSuite = Callable[..., Run]
UNDER_CONDITIONS: Final = "GBH/sharing_holds_under_conditions["


def judging(*requirements: str) -> list[str]:
    """Name the checks that judge these requirements, but for the many that judge all under conditions.

    A run reads the files of these alone, which is quicker.
    """
    judged = {check for requirement in requirements for check in checks_by_requirement()[requirement]}
    return [f"--check={check}" for check in sorted(judged) if not check.startswith(UNDER_CONDITIONS)]


def named(*names: str) -> list[str]:
    """Name the checks whose ids begin so, such as MBH/a_handle; a run reads the files of these alone."""
    return [f"--check={check}" for check in sorted(checks()) if check.startswith(names)]


def run_suite_in(directory: Path, *options: str, name: str = "evidence.jsonl") -> Run:
    """Run the suite with these options in a directory, and keep its evidence there."""
    evidence = directory / name
    return _run(directory, evidence, COMMAND, "run", "--evidence", str(evidence), *options)


def run_pytest_in(directory: Path, *options: str) -> Run:
    """Run the suite as a plugin of plain pytest, with these options and without evidence."""
    started = ("pytest", "--pyargs", "vdi_conformance.suite", "-p", "no:cacheprovider")
    return _run(directory, directory / "evidence.jsonl", *started, *options)


def _run(directory: Path, evidence: Path, module: str, *options: str) -> Run:
    done = run_command(directory, *options, module=module)
    return Run(done.returncode, done.stdout + done.stderr, evidence)
