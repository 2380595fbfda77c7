"""Writes what the checks of a run tried of the open questions into the catalogue: `python ci/readings.py EVIDENCE...`.

Run it after a change of the checks, with the evidence of whole runs; what only another adapter shows is kept.
"""

import sys
from pathlib import Path

from vdi_conformance.evidence.files import read
from vdi_conformance.report.observations import by_number
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.reading import TABLES

FILE = Path(__file__).parent.parent / "conformance" / "vdi_conformance" / "requirements" / "data" / "readings.tsv"


def renewed(evidence: list[str]) -> str:
    """Give the text of the file: what is tried, what is permitted, and by which checks it is seen."""
    permitted: dict[tuple[str, str], dict[str, None]] = {}
    checks: dict[tuple[str, str], set[str]] = {}
    for path in evidence:
        for check in read(Path(path)).checks:
            for seen in check.observations:
                if seen.question not in catalogue().questions:
                    continue
                key = (seen.question, seen.subject)
                permitted.setdefault(key, {}).update(dict.fromkeys(seen.permitted))
                checks.setdefault(key, set()).add(check.id.partition("[")[0])
    for question in catalogue().questions.values():
        for reading in question.readings:
            if (question.id, reading.subject) not in checks:
                permitted[question.id, reading.subject] = dict.fromkeys(reading.permitted)
                checks[question.id, reading.subject] = set(reading.checks)
    lines = [TABLES["readings.tsv"]]
    lines += [(*key, "|".join(permitted[key]), ",".join(sorted(checks[key]))) for key in sorted(checks, key=by_number)]
    return "".join("\t".join(line) + "\n" for line in lines)


if __name__ == "__main__":
    FILE.write_text(renewed(sys.argv[1:]), encoding="utf-8")
