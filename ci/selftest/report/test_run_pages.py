"""What a run is told as: the same on every page, closed to all that is not its own, and of a bounded length."""

import csv
import io
import json
import re
from collections import Counter
from typing import Final
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings

from schemas import DIRECTORY
from selftest.evidence.samples import FOOTER, HEADER, PARTY
from selftest.report.generated import evidence
from selftest.report.harmless import require_harmless
from selftest.report.html_reading import Page, require_closed
from selftest.report.made import check, run
from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import Call, KnownFailure, Series, Verdict
from vdi_conformance.judgement.scoring import version_of
from vdi_conformance.report.badge import badge, badge_svg
from vdi_conformance.report.formats import FORMATS
from vdi_conformance.report.run_csv import COLUMNS, run_csv
from vdi_conformance.report.run_markdown import WHOLE, run_markdown
from vdi_conformance.report.run_page import run_page
from vdi_conformance.report.run_report import Outcome, run_report
from vdi_conformance.requirements.profiles import profile
from vdi_fixtures.hosts.hostile import NASTY

CORE: Final = profile("core")
MANY: Final = 1300
"""So many checks has a long run, and so many of them fail, of as many causes."""
FAILED: Final = 50
CALLS: Final = [
    Call(
        number=number,
        process="primary",
        method="set.get_buffer_handle",
        params={"set": "set1", "address": "0x7f0000001000"},
        answer={"code": 0, "handle": "0x1"},
        begin=float(number),
        end=float(number) + 0.5,
    )
    for number in range(1, 11)
]


def ended(code: int, *verdicts: Verdict, complaints: tuple[str, ...] = ()) -> Evidence:
    """Make a run with this exit code, of checks that ended so."""
    counts: dict[str, int] = dict(Counter(verdicts))
    footer = msgspec.structs.replace(FOOTER, exit_code=code, counts=counts, complaints=list(complaints))
    return Evidence(HEADER, tuple(check(f"MBH/{at}", verdict) for at, verdict in enumerate(verdicts)), footer)


@settings(max_examples=20, deadline=None)
@given(run=evidence())
def test_every_run_has_a_page_that_is_closed_and_harmless(run: Evidence) -> None:
    page = require_closed(run_page(run))
    require_harmless("\n".join(page.text))
    assert page.tags["script"] == 1


@settings(max_examples=20, deadline=None)
@given(run=evidence())
def test_every_run_is_told_in_markdown_csv_and_json(run: Evidence) -> None:
    told = run_markdown(run)
    require_harmless(told)
    assert len(told) <= WHOLE
    lines = list(csv.reader(io.StringIO(run_csv(run).decode(), newline="")))
    assert lines[0] == list(COLUMNS)
    assert [line[2] for line in lines[1:]] == [check.verdict for check in run.checks]
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))]
    for name, schema in {"json": "run-report", "badge": "badge"}.items():
        document = json.loads(FORMATS[name](run))
        jsonschema.validate(document, json.loads((DIRECTORY / f"{schema}.json").read_text(encoding="utf-8")))


@settings(max_examples=20, deadline=None)
@given(run=evidence())
def test_a_badge_says_what_the_run_came_to(run: Evidence) -> None:
    root = ET.fromstring(badge_svg(run))  # noqa: S314, our own text
    assert root.attrib["aria-label"] == f"VDI conformance: {badge(run).message}"
    assert badge(run).message.startswith(run_report(run).outcome)
    assert badge(run).is_error == (run.footer.exit_code != 0)


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        (ended(0, "passed"), "conformant"),
        (ended(1, "failed", "passed"), "not conformant"),
        (ended(1, "passed", complaints=("MBH-04 passes, although it is listed",)), "baseline out of date"),
        (ended(1, "failed", complaints=("MBH-05 is unknown",)), "not conformant"),
        (ended(6, "error"), "incomplete"),
        (ended(6, "not tested", "passed"), "incomplete"),
        (ended(5, "not applicable"), "nothing executed"),
    ],
)
def test_the_outcome_is_told_first_everywhere(made: Evidence, outcome: Outcome) -> None:
    assert run_report(made).outcome == outcome
    assert outcome in run_markdown(made).splitlines()[0]
    page = "".join(Page(run_page(made)).text)
    assert page.index(outcome.capitalize()) < page.index("What stands between")
    assert badge(made).message == outcome


def test_a_failure_is_told_with_its_requirement_its_picture_and_the_way_to_it() -> None:
    broken = msgspec.structs.replace(check("MBH/a", "failed"), calls=CALLS, about="Handles of closed sets map nothing.")
    made = run(broken, check("MBH/b"))
    text = run_page(made)
    page = require_closed(text)
    assert {"cause-1", "MBH-04"} <= set(page.ids)
    assert page.links.count("#cause-1") >= 2
    assert page.links.count("#MBH-04") >= 1
    assert page.tags["svg"] == 1
    for told in ("Handles of closed sets map nothing.", "it gave NOERROR", "--check MBH/a"):
        assert told in text
        assert told in run_markdown(made)
    assert "```mermaid" in run_markdown(made)


def test_what_ended_most_checks_comes_first_after_the_worst_verdict() -> None:
    ends: list[tuple[str, Verdict]] = [("VD_E_INVALID", "warning")] * 4
    ends += [("VD_E_CLOSE", "failed"), ("VD_E_ABORT", "failed"), ("VD_E_ABORT", "failed")]
    made = run(*(check(f"MBH/{at}", verdict, cause) for at, (cause, verdict) in enumerate(ends)))
    causes = run_report(made).causes
    assert [(one.observed, len(one.checks)) for one in causes] == [
        ("VD_E_ABORT", 2),
        ("VD_E_CLOSE", 1),
        ("VD_E_INVALID", 4),
    ]
    assert [one.number for one in causes] == [1, 2, 3]


def test_a_requirement_whose_checks_all_broke_another_one_is_not_called_broken() -> None:
    both = msgspec.structs.replace(check("MBH/a", "failed", requirements=("MBH-04", "MBH-05")), broken=["MBH-05"])
    report = run_report(run(both))
    assert {one.id: (one.verdict, one.hidden) for one in report.requirements} == {
        "MBH-04": ("not tested", True),
        "MBH-05": ("failed", False),
    }
    assert report.reasons == [
        "1 requirement is broken: MBH-05",
        "1 requirement could not be judged, since checks broke another one first",
    ]


def test_a_whole_run_says_what_each_profile_would_say_and_a_selected_one_nothing() -> None:
    checks = [check(f"made/{id_}", requirements=(id_,)) for id_ in sorted(CORE.scored)]
    (first, *_) = run_report(run(*checks)).prospects
    assert (first.profile, first.scored, first.clear) == (CORE.label, len(CORE.scored), True)
    known = msgspec.structs.replace(checks[0], verdict="known failure", broken=checks[0].requirements)
    (first, *_) = run_report(run(known, *checks[1:])).prospects
    assert first.in_the_way == {"known failure": [min(CORE.scored)]}
    assert run_report(run(*checks, selection=["topic GBH"])).prospects == []


def test_a_run_of_a_profile_is_told_by_its_requirements() -> None:
    made = run(profile=version_of(CORE), selection=[f"profile {CORE.label}"])
    report = run_report(made)
    assert report.scope == f"the profile {CORE.label}"
    assert {one.id for one in report.requirements if one.standing == "scored"} == CORE.scored
    assert report.again == f"vdi-conformance run --adapter emulator --profile {CORE.label}"


def test_what_a_spreadsheet_takes_for_a_formula_is_text() -> None:
    made = run(check("=cmd|'/c calc'!A1"), check("+1"), check("-1"), check("@SUM(A1)"))
    cells = [line[0] for line in csv.reader(io.StringIO(run_csv(made).decode(), newline=""))]
    assert cells[1:] == ["'=cmd|'/c calc'!A1", "'+1", "'-1", "'@SUM(A1)"]


def test_observations_stand_beside_what_else_is_permitted() -> None:
    made = run(check("MBH/a", seen={"made up": "NOERROR"}), check("MBH/b", seen={"made up": "VD_E_INVALID"}))
    (seen,) = run_report(made).observations
    assert (seen.question, seen.answers, seen.permitted) == ("Q38", ["NOERROR", "VD_E_INVALID"], [])
    assert "two answers" in run_page(made)


def test_a_known_failure_says_why_it_is_known() -> None:
    known = KnownFailure(entry="MBH-04", reason="slow handles", issue="X-17", fault="platform")
    made = run(msgspec.structs.replace(check("MBH/a", "known failure"), known=known))
    assert "slow handles (X-17; fault of the platform)" in run_page(made)


def test_nothing_that_an_adapter_says_is_markup() -> None:
    text = f'{NASTY} <script>alert(1)</script> "><img src=x onerror=alert(1)> </pre></article> javascript:alert(1)'
    party = msgspec.structs.replace(
        PARTY, name=text, version=text, vendor=text, reference=text, capabilities={text: text}
    )
    nasty = msgspec.structs.replace(
        check(f"MBH/{text}", "failed", text, seen={text: text}), about=text, detail=text, requirements=[text, "MBH-04"]
    )
    made = run(nasty, check("MBH/b"), client=party, server=party, started=text, selection=[f"topic {text}"])
    usual = msgspec.structs.replace(check("MBH/a", "failed", seen={"x": "y"}), about="x", detail="x")
    plain = Page(run_page(run(usual, check("MBH/b"), selection=["topic x"])))
    page = require_closed(run_page(made))
    require_harmless("\n".join(page.text))
    assert page.tags.keys() <= plain.tags.keys()
    told = run_markdown(made)
    plainly = re.sub(r"\\[!-/:-@\[-`{-~]", "", told)
    outside = re.sub(r"(?s)(`+)(?!`).*?(?<!`)\1(?!`)", "", plainly)
    assert not [one for one in ("<script", "<img", "</article", "<b>x") if one in outside]
    require_harmless(told)


def test_a_comment_takes_the_markdown_of_however_many_failures() -> None:
    made = run(
        *(
            msgspec.structs.replace(
                check(f"MBH/{at}", "failed" if at < FAILED else "passed", f"CODE_{at}x"),
                calls=CALLS,
                about="About. " * 9,
            )
            for at in range(MANY)
        )
    )
    told = run_markdown(made)
    assert len(run_report(made).causes) == FAILED
    assert len(told) <= WHOLE
    assert f"There is no room for {FAILED - told.count('<b>failed</b>')} more" in told


def test_the_page_shows_what_processes_had_while_a_check_went_on() -> None:
    counted = [
        Series(process="primary", kind="threads", numbers=[3, 5, 4]),
        Series(process=NASTY, kind="open handles", numbers=[1] * 100_000),
        Series(process="broker", kind="threads", numbers=[]),
    ]
    text = run_page(run(msgspec.structs.replace(check(), series=counted)))
    require_closed(text)
    assert re.search(r"primary</td><td>threads</td>(<td class=\"number\">\d</td>){3}", text)
    assert re.findall(r'points="([^"]*)"', text)[0] == "0.0,24.0 80.0,0.0 160.0,12.0"
    assert len(text) < len(run_page(run(check()))) + 10_000
    assert 'id="endurance"' not in run_page(run(check()))
