"""The checks of a run as a table for spreadsheets: a line for each check (CSV by RFC 4180); pure."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any, Final

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import CheckRecord
from vdi_conformance.report.wording import group_of
from vdi_conformance.untrusted.printable import shown

COLUMNS: Final[Mapping[str, tuple[str, str, Callable[[CheckRecord], object]]]] = {
    "check": ("string", "the id, stable over versions", lambda check: check.id),
    "topic": ("string", "the topic that it is filed under, such as GBH", group_of),
    "verdict": ("string", "how it ended", lambda check: check.verdict),
    "level": ("string", "MUST, SHOULD, MAY or INFO", lambda check: check.level),
    "requirements": ("string", "what it judges, separated by blanks", lambda check: " ".join(check.requirements)),
    "broken": ("string", "what its failure is charged to, separated by blanks", lambda check: " ".join(check.broken)),
    "cause": ("string", "the code that was observed, or the kind of cause", lambda check: _cause(check, "name")),
    "sentence": ("string", "the cause in one line", lambda check: _cause(check, "sentence").partition("\n")[0]),
    "issue": (
        "string",
        "where the baseline says that it is known",
        lambda check: check.known.issue if check.known else "",
    ),
    "seconds": ("number", "how long it took", lambda check: f"{check.duration:.3f}"),
    "about": ("string", "what it holds, in a sentence", lambda check: check.about),
}
"""The type, the meaning and the value of each column."""
_FORMULA: Final = tuple("=+-@\t\r")
"""With these a spreadsheet takes a cell for a formula."""


def run_csv(evidence: Evidence) -> bytes:
    """Give the table, in UTF-8; what a spreadsheet would take for a formula has an apostrophe before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value(check)) for _, _, value in COLUMNS.values()] for check in evidence.checks)
    return text.getvalue().encode()


def table_schema() -> dict[str, Any]:
    """Give the Table Schema (Frictionless Data) of the columns."""
    fields = [{"name": name, "type": kind, "description": about} for name, (kind, about, _) in COLUMNS.items()]
    return {"fields": fields, "primaryKey": ["check"]}


def _cell(value: object) -> str:
    told = shown(str(value))
    return f"'{told}" if told.startswith(_FORMULA) else told


def _cause(check: CheckRecord, attribute: str) -> str:
    return str(getattr(check.cause, attribute)) if check.cause else ""
