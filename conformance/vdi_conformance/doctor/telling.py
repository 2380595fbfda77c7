"""A report for a person: a table of the examinations, and each finding with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from vdi_conformance.doctor.findings import FOUND, NOT_STARTED, NOT_TRIED
from vdi_conformance.untrusted.printable import shown_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from vdi_conformance.doctor.findings import Examination, Finding, Report

_STYLES = {"fine": "green", "found": "bold red", "not tried": "yellow", "not applicable": "dim"}


def told(report: Report) -> Iterator[RenderableType]:
    """Give what is printed, one after the other: what is to be mended first, and what was tried after it."""
    for number, found in enumerate(report.findings, 1):
        yield from _finding(number, found)
        yield Text()
    if report.said and not any(report.said in found.came for found in report.findings):
        yield Text("Its standard error ends with:", "bold")
        yield from (Text(f"   {line}") for line in shown_lines(report.said).splitlines())
        yield Text()
    yield _table([one for one in report.examinations if one.outcome != "not tried"])
    yield from _untried([one for one in report.examinations if one.outcome == "not tried"])
    if report.times:
        yield Text()
        yield Text("Time of a call, median:")
        for call in report.times:
            yield Text(f"  {call.median_milliseconds:8.3f} ms  {call.what}")
    yield Text()
    yield Text(summary(report))


def _table(examinations: list[Examination]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=True)
    table.add_column("examination", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("what came")
    for one in examinations:
        table.add_row(one.name, Text(one.outcome, _STYLES[one.outcome]), Text(_what_came(one)))
    return table


def _untried(examinations: list[Examination]) -> Iterator[Text]:
    """Name what was not tried, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for one in examinations:
        reasons.setdefault(one.reason, []).append(one.name)
    for reason, names in reasons.items():
        yield Text(f"Not tried, since {reason}: {', '.join(names)}.", _STYLES["not tried"])


def _what_came(one: Examination) -> str:
    if one.findings:
        return ", ".join(finding.mistake for finding in one.findings)
    return one.reason or "; ".join(one.facts)


def _finding(number: int, found: Finding) -> Iterator[Text]:
    yield Text(f"{number}. {found.mistake}" + ("" if found.level == "mistake" else " (advice)"), "bold")
    yield Text(f"   tried   {found.tried}")
    came = shown_lines(found.came).replace("\n", "\n           ")
    yield Text(f"   came    {came}")
    yield Text(f"   remedy  {found.remedy}")


def summary(report: Report) -> str:
    """Give the last sentence."""
    mistakes = sum(found.level == "mistake" for found in report.findings)
    advice = len(report.findings) - mistakes
    untried = sum(one.outcome == "not tried" for one in report.examinations)
    who = f"{report.name} {report.version}".strip() or report.adapter
    if report.exit_code == NOT_STARTED:
        return f"{report.adapter} could not be started. Exit code {NOT_STARTED}."
    parts = [_counted(mistakes, "mistake"), _counted(advice, "piece") + " of advice" if advice else "no advice"]
    if report.exit_code == FOUND:
        parts.append(f"{untried} of {len(report.examinations)} examinations could not be made")
    elif report.exit_code == NOT_TRIED:
        parts.append(f"{untried} examinations could not be made, so that nothing is sure")
    return f"{who}: {', '.join(parts)}. Exit code {report.exit_code}."


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
