"""Writes what the checks of a run tried of the open questions into the catalogue: `python ci/readings.py EVIDENCE...`.

Run it after a change of the checks, with the evidence of whole runs; what only another adapter shows is kept, as long
as its checks are there.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.evidence.files import read
from vdi_conformance.evidence.records import CheckRecord
from vdi_conformance.report.observations import by_number
from vdi_conformance.requirements import Question, Reading, catalogue
from vdi_conformance.requirements.reading import TABLES

FILE = Path(__file__).parent.parent / "conformance" / "vdi_conformance" / "requirements" / "data" / "readings.tsv"
Key = tuple[str, str]


def observed(checks: Iterable[CheckRecord]) -> dict[Key, Reading]:
    """Gather what was tried, what is permitted, and which checks saw it."""
    found: dict[Key, Reading] = {}
    for check in checks:
        for seen in check.observations:
            before = found.get((seen.question, seen.subject), Reading(seen.subject, (), ()))
            permitted = dict.fromkeys((*before.permitted, *seen.permitted))
            by = {*before.checks, check.id.partition("[")[0]}
            found[seen.question, seen.subject] = Reading(seen.subject, tuple(permitted), tuple(sorted(by)))
    return found


def kept(questions: Iterable[Question], checks: set[str]) -> dict[Key, Reading]:
    """Give what the catalogue has, without checks that are gone."""
    still = {
        (question.id, one.subject): Reading(one.subject, one.permitted, tuple(set(one.checks) & checks))
        for question in questions
        for one in question.readings
    }
    return {key: one for key, one in still.items() if one.checks}


def text(readings: dict[Key, Reading]) -> str:
    """Lay out the file."""
    lines = [TABLES["readings.tsv"]]
    for key in sorted(readings, key=by_number):
        one = readings[key]
        lines.append((*key, "|".join(one.permitted), ",".join(one.checks)))
    return "".join("\t".join(line) + "\n" for line in lines)


if __name__ == "__main__":
    known = {check.partition("[")[0] for checks in checks_by_requirement().values() for check in checks}
    seen = observed(check for path in sys.argv[1:] for check in read(Path(path)).checks)
    here = {key: one for key, one in seen.items() if key[0] in catalogue().questions}
    FILE.write_text(text(kept(catalogue().questions.values(), known) | here), encoding="utf-8")
