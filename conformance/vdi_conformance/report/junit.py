"""JUnit XML, which CI systems read: a suite for each topic, a case for each check."""

from collections.abc import Iterable, Mapping
from typing import Final
from xml.etree import ElementTree as ET

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import CheckRecord, Header
from vdi_conformance.report.wording import (
    NO_TOPIC,
    PACKAGE,
    account,
    case_name,
    facts,
    headline,
    topic_of,
    topics,
    untested_lines,
)
from vdi_conformance.untrusted.printable import shown, shown_lines

NAME: Final = "vdi-conformance"
DECLARATION: Final = "<?xml version='1.0' encoding='utf-8'?>"
ENDS: Final[Mapping[str, str]] = {
    "passed": "",
    "warning": "",
    "failed": "failure",
    "error": "error",
    "not tested": "error",
    "not applicable": "skipped",
    "known failure": "skipped",
}
"""What each verdict is to a CI system: what gives a run the exit code 0 must not be red there, nor the reverse."""
_COUNTED: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}
ATTRIBUTE: Final = 10_000
BODY: Final = 120_000
"""So many characters have an attribute and the text of an element at the most."""


def junit(evidence: Evidence) -> bytes:
    """Make the document of a whole run."""
    by_topic: dict[str, list[CheckRecord]] = {f"{group} {title}": [] for group, title in topics().items()}
    for check in evidence.checks:
        by_topic.setdefault(topic_of(check), []).append(check)
    by_topic[NO_TOPIC] = by_topic.pop(NO_TOPIC, [])
    suites = [_suite(topic, evidence, checks) for topic, checks in by_topic.items() if checks]
    if evidence.footer.complaints:
        suites.append(_baseline(evidence))
    if untested := untested_lines(evidence.header, evidence.checks):
        suites.append(_untested(evidence, untested))
    cases = [case for suite in suites for case in suite.iter("testcase")]
    root = _element("testsuites", name=NAME, **_totals(cases), time=_seconds(evidence.footer.duration))
    root.extend(suites)
    ET.indent(root)
    # By itself ElementTree encodes piece by piece, which takes as long as all the rest.
    return f"{DECLARATION}\n{ET.tostring(root, encoding='unicode')}\n".encode()


def _suite(topic: str, evidence: Evidence, checks: list[CheckRecord]) -> ET.Element:
    cases = [_case(evidence.header, check) for check in checks]
    return _suite_of(topic, evidence, cases, sum(check.duration for check in checks))


def _baseline(evidence: Evidence) -> ET.Element:
    """Make a case of the complaints: they are about no check, and the run failed for them."""
    first, *more = (shown(one, ATTRIBUTE) for one in evidence.footer.complaints)
    case = _element("testcase", classname=f"{PACKAGE}.baseline", name="lists what the run showed", time=_seconds(0))
    case.append(_element("properties"))
    message = f"{first} (and {len(more)} more)" if more else first
    case.append(_element("failure", "\n".join([first, *more]), type="baseline", message=message))
    return _suite_of("baseline", evidence, [case], 0)


def _untested(evidence: Evidence, lines: list[str]) -> ET.Element:
    """Make a case of what is required and no check tried: it gave the run its exit code."""
    case = _element("testcase", classname=f"{PACKAGE}.requirements", name="are tried", time=_seconds(0))
    case.append(_element("properties"))
    case.append(_element("error", "\n".join(lines), type="not tested", message=lines[-1]))
    return _suite_of("requirements", evidence, [case], 0)


def _suite_of(name: str, evidence: Evidence, cases: list[ET.Element], seconds: float) -> ET.Element:
    header = evidence.header
    suite = _element("testsuite", name=name, **_totals(cases), time=_seconds(seconds), timestamp=header.started)
    about = {**facts(header), "exit-code": str(evidence.footer.exit_code)}
    suite.append(_properties(about.items()))
    suite.extend(cases)
    return suite


def _case(header: Header, check: CheckRecord) -> ET.Element:
    classname, name = case_name(check.id)
    case = _element("testcase", classname=classname, name=name, time=_seconds(check.duration))
    case.append(_properties(_about(check)))
    if end := ENDS[check.verdict]:
        kind = check.cause.kind if check.cause and check.verdict in ("failed", "error") else check.verdict
        case.append(_element(end, account(header, check), type=kind, message=headline(check)))
    elif check.verdict == "warning":
        case.append(_element("system-out", f"{headline(check)}\n{account(header, check)}"))
    return case


def _about(check: CheckRecord) -> Iterable[tuple[str, str]]:
    yield "check", check.id
    yield from (("requirement", requirement) for requirement in check.requirements)
    yield from (("broken", requirement) for requirement in check.broken)
    yield "level", check.level
    yield "verdict", check.verdict
    for seen in check.observations:
        yield f"observation {seen.question}", f"{seen.subject}: {seen.answer}"


def _properties(named: Iterable[tuple[str, str]]) -> ET.Element:
    properties = _element("properties")
    properties.extend(_element("property", name=name, value=value) for name, value in named)
    return properties


def _totals(cases: list[ET.Element]) -> dict[str, str]:
    ends = [child.tag for case in cases for child in case]
    return {"tests": str(len(cases)), **{total: str(ends.count(end)) for total, end in _COUNTED.items()}}


def _seconds(duration: float) -> str:
    return f"{duration:.3f}"


def _element(tag: str, text: str = "", **attributes: str) -> ET.Element:
    """Make an element; what no document may hold is not printable, and so it is spelled out."""
    element = ET.Element(tag, {name: shown(value, ATTRIBUTE) for name, value in attributes.items()})
    element.text = shown_lines(text, BODY) or None
    return element
