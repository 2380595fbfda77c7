"""A run as a web page: what came of it, why, what stands between it and a certificate, and all its checks; pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from markupsafe import Markup

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import VERDICTS, CheckRecord, Verdict
from vdi_conformance.judgement.charges import verdicts
from vdi_conformance.report import crash_points
from vdi_conformance.report.calls import call_lines, mark_of_check
from vdi_conformance.report.lanes import lanes_svg
from vdi_conformance.report.lanes.shortening import told_calls
from vdi_conformance.report.run_report import CauseReport, RequirementReport, RunReport, run_report
from vdi_conformance.report.series import HEIGHT, WIDTH, drawn_series
from vdi_conformance.report.web import rendered
from vdi_conformance.report.wording import NO_TOPIC, facts, program, topic, topic_of
from vdi_conformance.requirements import Question, Requirement, catalogue
from vdi_conformance.untrusted.printable import shown_lines

SECTIONS: Final[Mapping[str, tuple[Verdict, ...]]] = {
    "failures": ("failed", "error", "not tested"),
    "known": ("known failure",),
    "warnings": ("warning",),
}
"""Where a cause is told, by the verdict of its checks."""
OPENED: Final = 3
"""The pictures of so many causes are shown at once, those of the others when they are opened."""
PICTURE: Final = 2_000_000
"""No picture has more characters."""


class PageCause(NamedTuple):
    """A cause with what is drawn of it."""

    report: CauseReport
    check: CheckRecord
    requirements: tuple[tuple[str, Requirement | None], ...]
    sentence: str
    picture: Markup
    calls: str
    mark: str
    program: str


class Named(NamedTuple):
    """The checks of one name, which differ in what they are tried with, and how many of them ended how."""

    name: str
    about: str
    counts: Counter[str]


class PageRequirement(NamedTuple):
    """A requirement with what the catalogue says of it, where it knows it, and its checks."""

    report: RequirementReport
    known: Requirement | None
    checks: tuple[Named, ...]


class PageCheck(NamedTuple):
    """A check of the list of all, with the number of its cause."""

    record: CheckRecord
    cause: int | None


def run_page(evidence: Evidence) -> str:
    """Give the page, which needs nothing beside it."""
    report = run_report(evidence)
    causes = list(_causes(report, evidence))
    return rendered(
        "run.html.j2",
        report=report,
        sections={name: [one for one in causes if one.report.verdict in said] for name, said in SECTIONS.items()},
        topics=_topics(report, evidence),
        checks=_checks(report, evidence),
        questions=list(_questions(report)),
        heat_maps=crash_points.heat_maps(
            evidence.checks, {id_: one.number for one in report.causes for id_ in one.checks}
        ),
        crashes=crash_points.account(evidence.checks),
        signs=crash_points.SIGNS,
        facts=facts(evidence.header),
        header=evidence.header,
        opened=OPENED,
        counts=Counter(evidence.footer.counts),
        catalogue=catalogue(),
        targets={one.id for one in report.requirements if catalogue().get(one.id)}
        | {one.question for one in report.observations if one.question in catalogue().questions},
        series=list(drawn_series(evidence.checks)),
        chart_width=WIDTH,
        chart_height=HEIGHT,
        verdicts=VERDICTS,
    )


def _causes(report: RunReport, evidence: Evidence) -> Iterator[PageCause]:
    by_id = {check.id: check for check in evidence.checks}
    for cause in report.causes:
        check = by_id[cause.check]
        yield PageCause(
            report=cause,
            check=check,
            requirements=tuple((id_, catalogue().get(id_)) for id_ in cause.requirements),
            sentence=check.cause.sentence.strip() if check.cause else "",
            picture=_picture(check),
            calls="\n".join(call_lines(told_calls(check), check.unexpected)),
            mark=mark_of_check(check),
            program=program(check),
        )


def _picture(check: CheckRecord) -> Markup:
    """Give the picture, which is made of escaped texts; what is not printable in them is spelled out here."""
    return Markup(shown_lines(lanes_svg(check), PICTURE))  # noqa: S704


def _topics(report: RunReport, evidence: Evidence) -> list[tuple[str, str, list[PageRequirement]]]:
    """Divide the requirements by topic: its group, its title, and its requirements."""
    judging: dict[str, list[tuple[CheckRecord, Verdict]]] = {}
    for check in evidence.checks:
        for id_, verdict in verdicts(check):
            judging.setdefault(id_, []).append((check, verdict or check.verdict))
    drawn = [
        PageRequirement(one, catalogue().get(one.id), tuple(_named(judging.get(one.id, ()))))
        for one in report.requirements
    ]
    found = groupby(drawn, key=lambda one: one.known.group if one.known else "")
    return [(group or "other", topic(group) if group else "not in this catalogue", list(some)) for group, some in found]


def _named(judging: Sequence[tuple[CheckRecord, Verdict]]) -> Iterator[Named]:
    by_name: dict[str, list[tuple[CheckRecord, Verdict]]] = {}
    for check, verdict in judging:
        by_name.setdefault(check.id.partition("[")[0], []).append((check, verdict))
    for name, some in by_name.items():
        yield Named(name, some[0][0].about, Counter(verdict for _, verdict in some))


def _checks(report: RunReport, evidence: Evidence) -> list[tuple[str, list[PageCheck]]]:
    """Divide the checks by the topics that they are filed under."""
    causes = {id_: cause.number for cause in report.causes for id_ in cause.checks}
    filed: dict[str, list[PageCheck]] = {}
    for check in sorted(evidence.checks, key=lambda check: check.id):
        filed.setdefault(topic_of(check), []).append(PageCheck(check, causes.get(check.id)))
    lost = {NO_TOPIC: filed.pop(NO_TOPIC)} if NO_TOPIC in filed else {}
    return [*filed.items(), *lost.items()]


def _questions(report: RunReport) -> Iterator[tuple[str, Question | None, list[object]]]:
    for id_, some in groupby(report.observations, key=lambda one: one.question):
        yield id_, catalogue().questions.get(id_), list(some)
