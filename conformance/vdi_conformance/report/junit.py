"""JUnit XML, which CI systems read: a suite for each topic, a case for each check."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from xml.etree import ElementTree as ET

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import CheckRecord, Header
from vdi_conformance.report.wording import NO_TOPIC, account, case_name, facts, headline, topic_of, topics

NAME: Final = "vdi-conformance"
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
_NOT_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(evidence: Evidence) -> bytes:
    """Make the document of a whole run."""
    by_topic: dict[str, list[CheckRecord]] = {f"{group} {title}": [] for group, title in topics().items()}
    for check in evidence.checks:
        by_topic.setdefault(topic_of(check), []).append(check)
    by_topic[NO_TOPIC] = by_topic.pop(NO_TOPIC, [])
    root = _element("testsuites", name=NAME, **_totals(evidence.checks), time=_seconds(evidence.footer.duration))
    for topic, checks in by_topic.items():
        if checks:
            root.append(_suite(topic, evidence, checks))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(topic: str, evidence: Evidence, checks: list[CheckRecord]) -> ET.Element:
    header = evidence.header
    time = _seconds(sum(check.duration for check in checks))
    suite = _element("testsuite", name=topic, **_totals(checks), time=time, timestamp=header.started)
    about = {**facts(header), "exit-code": str(evidence.footer.exit_code)}
    suite.append(_properties(about.items()))
    suite.extend(_case(header, check) for check in checks)
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
    yield from (("requirement", row) for row in check.rows)
    yield "level", check.level
    yield "verdict", check.verdict
    for seen in check.observations:
        yield f"observation {seen.question}", f"{seen.subject}: {seen.answer}"


def _properties(named: Iterable[tuple[str, str]]) -> ET.Element:
    properties = _element("properties")
    properties.extend(_element("property", name=name, value=value) for name, value in named)
    return properties


def _totals(checks: Iterable[CheckRecord]) -> dict[str, str]:
    ends = [ENDS[check.verdict] for check in checks]
    return {"tests": str(len(ends)), **{total: str(ends.count(end)) for total, end in _COUNTED.items()}}


def _seconds(duration: float) -> str:
    return f"{duration:.3f}"


def _element(tag: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.Element(tag, {name: _legal(value) for name, value in attributes.items()})
    element.text = _legal(text) or None
    return element


def _legal(text: str) -> str:
    """Spell out what no XML document may hold; ends of lines become the ones that XML keeps."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_XML.sub(lambda found: ascii(found.group())[1:-1], lines)
