"""What the doctor says: one finding for each mistake, one result for each examination, and the report of them all."""

from __future__ import annotations

import functools
from typing import Any, Final, Literal, NamedTuple

import msgspec

from vdi_conformance.data_tables import shipped

FORMAT: Final = 1
"""The version of the report."""

Level = Literal["mistake", "advice"]
Outcome = Literal["fine", "found", "not tried", "not applicable"]

NOTHING_FOUND: Final = 0
FOUND: Final = 1
NOT_STARTED: Final = 4
NOT_TRIED: Final = 6
"""Exit codes; the others are those of every verb."""


class Remedy(NamedTuple):
    """How grave a mistake is, and what to do about it."""

    level: Level
    remedy: str


@functools.cache
def remedies() -> dict[str, Remedy]:
    """Give the remedy of every mistake that the doctor knows."""
    return {
        row["mistake"]: Remedy("advice" if row["level"] == "advice" else "mistake", row["remedy"])
        for row in shipped("vdi_conformance.doctor", "mistakes.tsv")
    }


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake: what was tried, what came instead of what, and its remedy. An advice changes no exit code."""

    mistake: str
    level: Level
    tried: str
    came: str
    remedy: str


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """How one examination ended.

    `reason` says why it was not tried or is not applicable; `facts` are what was learnt besides.
    """

    name: str
    about: str
    outcome: Outcome
    findings: list[Finding] = []
    reason: str = ""
    facts: list[str] = []


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a call of the host costs: the median of so many, in milliseconds."""

    what: str
    calls: int
    median_milliseconds: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the doctor found; `exit_code` is that of the command.

    `said` is the end of what a process of the host has written to standard error, where something was found.
    """

    format: int
    adapter: str
    server: str
    name: str
    version: str
    examinations: list[Examination]
    times: list[Call]
    exit_code: int
    said: str = ""

    @property
    def findings(self) -> list[Finding]:
        """All findings, in the order of the examinations."""
        return [finding for one in self.examinations for finding in one.findings]


def finding(mistake: str, tried: str, came: str) -> Finding:
    """Make a finding with the remedy of its mistake."""
    known = remedies()[mistake]
    return Finding(mistake=mistake, level=known.level, tried=tried, came=came, remedy=known.remedy)


def exit_code(examinations: list[Examination], has_started: bool) -> int:
    """Tell how the command ends."""
    levels = {one.level for examination in examinations for one in examination.findings}
    if not has_started:
        return NOT_STARTED
    if "mistake" in levels:
        return FOUND
    return NOT_TRIED if any(one.outcome == "not tried" for one in examinations) else NOTHING_FOUND


def report_schema() -> dict[str, Any]:
    """Give the published schema of a report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"What the doctor of vdi-conformance found, format {FORMAT}",
        **msgspec.json.schema(Report),
    }
