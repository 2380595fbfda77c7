"""What a run may hold against implementations that are right: a part of what their readings say, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from vdi_conformance.evidence.files import read
from vdi_conformance.report.observations import contradictions
from vdi_conformance.requirements import catalogue
from vdi_fixtures.drawing import DRAWN
from vdi_fixtures.together import TOGETHER, module_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from vdi_conformance.evidence.records import CheckRecord


class Alarm(NamedTuple):
    """Something held against an implementation; `check` is empty where it is what the whole run observed."""

    check: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.check or 'observed'}: {self.sentence}"


def named(readings: Iterable[str], constant: str) -> set[object]:
    """Give what any of these readings lists under a constant."""
    return {one for name in readings for one in getattr(module_of(name), constant, ())}


def alarms(checks: Sequence[CheckRecord], readings: Sequence[str]) -> list[Alarm]:
    """Give all that was held against readings together; those that leave something untested say where at least."""
    untested = bool(named(readings, "NOT_TESTED"))
    warned = named(readings, "WARNS")
    fine = {"passed", "not applicable", *(("not tested",) if untested else ())}
    found = [
        Alarm(check.id, f"{check.verdict}: {check.cause.sentence if check.cause else ''}")
        for check in checks
        if check.verdict not in fine and not (check.verdict == "warning" and set(check.rows) <= warned)
    ]
    return found + [Alarm("", sentence) for sentence in surprises(checks)]


def observed(checks: Iterable[CheckRecord]) -> set[tuple[str, str, str]]:
    """Give every question, what was tried, and the answer."""
    return {(one.question, one.subject, one.answer) for check in checks for one in check.observations}


def surprises(checks: Sequence[CheckRecord]) -> list[str]:
    """What was observed and is not in the catalogue, or is not permitted there, or was answered in two ways."""
    known = {(one.id, reading.subject): reading for one in catalogue().questions.values() for reading in one.readings}
    found = list(contradictions(checks))
    for question, subject, answer in sorted(observed(checks)):
        if question in catalogue().questions:
            reading = known.get((question, subject))
            if reading is None or (reading.permitted and answer not in reading.permitted):
                found.append(f"{question} {subject}: {answer}")
    return found


def run(adapter: str, evidence: Path, variables: Mapping[str, str], options: Sequence[str]) -> tuple[CheckRecord, ...]:
    """Run the suite in a process of its own, and give how its checks ended."""
    command = [sys.executable, "-m", "vdi_conformance.cli", "run", "--adapter", adapter, "--evidence", str(evidence)]
    subprocess.run([*command, *options], env={**os.environ, **variables}, stdout=subprocess.DEVNULL, check=False)
    return read(evidence).checks


def run_together(readings: Sequence[str], seed: object, evidence: Path, *options: str) -> tuple[CheckRecord, ...]:
    """Run the suite on readings put together, which draw what they draw from this seed."""
    variables = {TOGETHER: ",".join(readings), DRAWN: str(seed)}
    return run("vdi_fixtures.together:Reading", evidence, variables, options)
