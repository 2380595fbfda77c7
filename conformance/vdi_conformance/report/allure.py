"""How a run looks in an Allure report: statuses, labels, links and texts, from evidence alone."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Final

from vdi_conformance.evidence.records import CheckRecord, Header
from vdi_conformance.report.wording import case_name, facts, rerun, topic_of
from vdi_conformance.requirements import Requirement, catalogue
from vdi_conformance.untrusted.printable import fence_around, in_markdown, shown

EPIC: Final = "VDI conformance"
STATUSES: Final[Mapping[str, str]] = {
    "passed": "passed",
    "warning": "passed",
    "failed": "failed",
    "known failure": "failed",
    "not applicable": "skipped",
    "not tested": "broken",
    "error": "broken",
}
KNOWN: Final = frozenset({"known failure"})
"""The verdicts that are flagged as known: Allure shows such a failure, and its quality gate lets it pass."""
SEVERITIES: Final[Mapping[str, str]] = {"MUST": "critical", "SHOULD": "normal", "MAY": "minor", "INFO": "trivial"}
_UNTAGGED: Final = ("passed", "failed")
_CATEGORIES: Final = (
    ("Not conformant", "failed", "(?!known failure).*"),
    ("Known failures", "failed", "known failure.*"),
    ("Not tested", "broken", "not tested.*"),
    ("Errors of hosts or of the suite", "broken", "error.*"),
    ("Not applicable", "skipped", "not applicable.*"),
)


def identity(check: CheckRecord) -> str:
    """Give the id under which Allure keeps the history of a check."""
    return hashlib.sha256(check.id.encode("utf-8", "surrogatepass")).hexdigest()


def title_path(check: CheckRecord) -> list[str]:
    """Say where a check stands in the tree of suites."""
    return [EPIC, shown(topic_of(check))]


def labels(check: CheckRecord) -> list[tuple[str, str]]:
    """Give the labels by which Allure groups and filters."""
    parent, suite = title_path(check)
    return [
        ("epic", EPIC),
        ("feature", suite),
        *(("story", f"{requirement.id} {requirement.statement}") for requirement in _requirements(check)),
        ("severity", SEVERITIES[check.level]),
        ("parentSuite", parent),
        ("suite", suite),
        ("package", shown(case_name(check.id)[0])),
        *(("tag", shown(requirement)) for requirement in check.requirements),
        *[("tag", check.verdict)] * (check.verdict not in _UNTAGGED),
        *(("tag", f"broken: {shown(requirement)}") for requirement in check.broken),
    ]


def links(check: CheckRecord) -> list[tuple[str, str, str]]:
    """Give types, names and addresses: requirements, the issue of a known failure, each document behind them once.

    An address may be empty: then only --allure-link-pattern can lead anywhere.
    """
    sources = [source for requirement in _requirements(check) for source in catalogue().sources_of(requirement)]
    issues = [shown(check.known.issue)] if check.known else []
    return [
        *(("requirement", shown(requirement), "") for requirement in check.requirements),
        *(
            ("issue", shown(issue), shown(issue) if issue.startswith(("https://", "http://")) else "")
            for issue in issues
        ),
        *{source.address: ("link", source.title, source.address) for source in sources if source.address}.values(),
    ]


def description(header: Header, check: CheckRecord) -> str:
    """Say in Markdown what is required, which choices were seen, and how to run the check again."""
    parts = [in_markdown(check.about)] if check.about else []
    parts += [
        f"**{requirement.id}** ({requirement.level}, {requirement.source_class}): {requirement.statement}"
        for requirement in _requirements(check)
    ]
    parts += [
        f"{in_markdown(seen.question)}, {in_markdown(seen.subject)}: **{in_markdown(seen.answer)}**"
        for seen in check.observations
    ]
    if check.requirements:
        command = rerun(header, check)
        fence = fence_around(command, least=3)
        parts.append(f"{fence}\n{command}\n{fence}")
    return "\n\n".join(parts)


def environment(header: Header) -> str:
    """Give the text of environment.properties, in the format of Java's property files."""
    return "".join(f"{_escaped(name)} = {_escaped(value)}\n" for name, value in facts(header).items())


def categories() -> str:
    """Give the text of categories.json."""
    named = [
        {"name": name, "matchedStatuses": [status], "messageRegex": message} for name, status, message in _CATEGORIES
    ]
    return json.dumps(named, indent=2) + "\n"


def _requirements(check: CheckRecord) -> Iterator[Requirement]:
    return (requirement for id in check.requirements if (requirement := catalogue().get(id)))


def _escaped(text: str) -> str:
    units = memoryview(text.encode("utf-16-be", "surrogatepass")).cast("B")
    codes = (units[index] << 8 | units[index + 1] for index in range(0, len(units), 2))
    return "".join(_unit(code) for code in codes)


def _unit(code: int) -> str:
    char = chr(code)
    if not 0x20 <= code < 0x7F:
        return f"\\u{code:04x}"
    return f"\\{char}" if char in "\\ :=#!" else char
