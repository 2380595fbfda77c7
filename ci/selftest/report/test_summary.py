"""The summary: what must hold before what is recommended, each check in one topic, and no text that does anything."""

import re
from collections import Counter
from io import StringIO
from xml.etree import ElementTree as ET

import msgspec
from hypothesis import given, settings
from rich.console import Console
from rich.text import Text

from selftest.evidence.samples import FOOTER, HEADER
from selftest.report.generated import evidence
from selftest.report.harmless import require_harmless
from selftest.report.made import check
from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import Cause, CheckRecord, Verdict
from vdi_conformance.report.junit import junit
from vdi_conformance.report.summary import summary
from vdi_conformance.requirements import catalogue

WORST_FIRST: tuple[Verdict, ...] = ("failed", "error", "not tested", "warning")


def _drawn(run: Evidence, width: int = 200) -> list[str]:
    """Draw a summary as a terminal without colours would show it."""
    file = StringIO()
    console = Console(file=file, width=width, highlight=False)
    for part in summary(run.header, run.checks, run.footer):
        console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))
    return file.getvalue().split("\n")


def _run(*checks: CheckRecord, complaints: tuple[str, ...] = ()) -> Evidence:
    counts = Counter[str](one.verdict for one in checks)
    return Evidence(HEADER, checks, msgspec.structs.replace(FOOTER, counts=dict(counts), complaints=list(complaints)))


def _topics(lines: list[str]) -> dict[str, tuple[int, int]]:
    """Read requirements and checks of each topic out of the table; what is nothing is a dash."""
    start = next(number for number, line in enumerate(lines) if line.startswith("topic "))
    told = lines[start + 1 : lines.index("", start)]
    columns = len(re.split(" {2,}", lines[start].partition("requirements")[2].strip()))
    cells = [line.rsplit(maxsplit=columns + 1) for line in told]
    return {cell[0].strip(): (int(cell[1].replace("-", "0")), int(cell[2].replace("-", "0"))) for cell in cells}


def test_what_must_hold_comes_before_what_is_recommended() -> None:
    ended: list[Verdict] = ["warning", "passed", "not tested", "failed", "error", "warning", "failed"]
    made = [check(f"map/{n}", verdict, f"E{n}", (f"MBH-0{n + 1}",)) for n, verdict in enumerate(ended)]
    lines = _drawn(_run(*made))
    heads = [line.split("  ")[0] for line in lines if "  it gave E" in line and not line.startswith(" ")]
    assert heads == ["FAILED", "FAILED", "ERROR", "NOT TESTED", "WARNING", "WARNING"]
    table = [line for line in lines if line.startswith("MBH-")]
    order = [next(verdict for verdict in WORST_FIRST if f" {verdict} " in line) for line in table]
    assert order == sorted(order, key=WORST_FIRST.index)
    assert len(table) == 6
    assert lines.index(next(line for line in lines if line.startswith("emulator 1 against"))) > lines.index(
        next(line for line in lines if line.startswith("WARNING"))
    )


def test_a_check_counts_in_the_topic_of_its_first_requirement_as_in_junit() -> None:
    checks = [
        check("map/a", requirements=("MBH-01", "GBH-02", "CMP-01")),
        check("map/b", "failed", requirements=("GBH-01", "MBH-01")),
        check("map/c", "warning", requirements=("GBH-02",)),
        check("map/lost", "error", requirements=()),
        check("map/odd", "failed", requirements=("NIX-01",)),
    ]
    run = _run(*checks)
    told = _topics(_drawn(run))
    assert {topic.split(" ")[0]: counts for topic, counts in told.items()} == {
        "CMP": (1, 0),
        "GBH": (2, 2),
        "MBH": (1, 1),
        "NIX": (1, 1),
        "without": (0, 1),
    }
    assert _suites(run) == {topic: count for topic, (_, count) in told.items() if count}


@settings(max_examples=40, deadline=None)
@given(run=evidence())
def test_the_terminal_counts_as_junit_does_and_every_check_once(run: Evidence) -> None:
    told = _topics(_drawn(run, width=1000))
    suites = _suites(run)
    for about_the_whole in ("baseline", "requirements"):
        suites.pop(about_the_whole, None)
    assert suites == {topic: count for topic, (_, count) in told.items() if count}
    assert sum(count for _, count in told.values()) == len(run.checks)
    assert sum(count for count, _ in told.values()) == len(
        {requirement for one in run.checks for requirement in one.requirements}
    )


def _suites(run: Evidence) -> dict[str, int]:
    root = ET.fromstring(junit(run))  # noqa: S314, our own text
    return {suite.attrib["name"]: int(suite.attrib["tests"]) for suite in root.iter("testsuite")}


@settings(max_examples=40, deadline=None)
@given(run=evidence())
def test_no_text_of_a_run_does_anything_to_a_terminal(run: Evidence) -> None:
    require_harmless("\n".join(_drawn(run, width=40)))


def test_every_requirement_of_the_catalogue_has_a_topic() -> None:
    checks = [
        check(f"map/{requirement.id}", requirements=(requirement.id,)) for requirement in catalogue().requirements
    ]
    assert sum(count for _, count in _topics(_drawn(_run(*checks))).values()) == len(checks)


def test_a_complaint_is_one_line_whatever_it_names() -> None:
    lines = _drawn(_run(check("map/a"), complaints=("it lists x\nBASELINE  all is well", "second")))
    assert [line for line in lines if line.startswith("BASELINE")] == [
        "BASELINE  it lists x\\nBASELINE  all is well",
        "BASELINE  second",
    ]


def test_a_picture_is_shown_whole_below_what_it_belongs_to() -> None:
    made = check("map/a", "failed", "VD_E_OPEN")
    bars = [f"|{'#' * number:{90}}| client {number}: OpenDevice of device 3 = VD_E_OPEN" for number in range(1, 5)]
    sentence = "\n".join(["it gave VD_E_OPEN", *bars, "and a line more", "and another one"])
    lines = _drawn(_run(msgspec.structs.replace(made, cause=Cause(kind="assertion", sentence=sentence))), width=60)
    first = lines.index(f"  {bars[0]}")
    assert lines[first : first + len(bars)] == [f"  {bar}" for bar in bars]
    assert any("(1 more lines in the evidence)" in line for line in lines)
