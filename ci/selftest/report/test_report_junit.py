"""Every whole run makes a JUnit document that a CI system reads, and counts as the run did."""

from collections import Counter
from typing import Final
from xml.etree import ElementTree as ET

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from selftest.evidence.samples import CHECK, FOOTER, HEADER
from selftest.report.generated import TEXT, evidence
from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import Call, Cause, CheckRecord, KnownFailure, Observation, Verdict
from vdi_conformance.report.junit import junit
from vdi_conformance.report.wording import case_name, untested_lines
from vdi_conformance.requirements import catalogue

ENDS: Final = ("failure", "error", "skipped")
CHILDREN: Final = {
    "testsuites": ["testsuite*"],
    "testsuite": ["properties", "testcase+"],
    "testcase": ["properties", "failure?", "error?", "skipped?", "system-out?"],
    "properties": ["property*"],
}
"""What each element holds, in this order: once, at most once (?), any number of times (*), at least once (+)."""
COUNTS: Final = {"tests", "failures", "errors", "skipped"}
ATTRIBUTES: Final = {
    "testsuites": {"name", "time", *COUNTS},
    "testsuite": {"name", "time", "timestamp", *COUNTS},
    "testcase": {"classname", "name", "time"},
    "property": {"name", "value"},
    **{end: {"type", "message"} for end in ENDS},
}
FAILURE: Final = CheckRecord(
    id="GBH/asks[backup]",
    node="a::b",
    requirements=["GBH-01", "GBH-02"],
    level="MUST",
    verdict="failed",
    broken=["GBH-01"],
    about="GetBufferHandle gives a handle.",
    duration=0.25,
    cause=Cause(kind="code", sentence="it gave\r\nVD_E_BUSY", expected=["NOERROR"], observed="VD_E_BUSY"),
    observations=[Observation(question="Q56", subject="closed", answer="VD_E_PROTOCOL")],
    calls=[Call(number=7, process="primary", method="set.close", params={}, answer={"code": 0})],
    detail="test_x.py:1: x",
)


def _require_structure(element: ET.Element) -> None:
    assert set(element.attrib) == ATTRIBUTES.get(element.tag, set())
    tags = [child.tag for child in element]
    allowed = CHILDREN.get(element.tag, [])
    assert tags == [tag for rule in allowed for tag in [rule.rstrip("?*+")] * tags.count(rule.rstrip("?*+"))]
    for rule in allowed:
        count = tags.count(rule.rstrip("?*+"))
        assert {"?": count <= 1, "*": True, "+": count >= 1}.get(rule[-1], count == 1), (element.tag, rule)
    assert not allowed or not (element.text or "").strip()
    for child in element:
        _require_structure(child)


def _require_counts(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    ends = Counter(child.tag for case in cases for child in case)
    said = {name: int(element.attrib[name]) for name in COUNTS}
    counted = {"tests": len(cases), "failures": ends["failure"], "errors": ends["error"], "skipped": ends["skipped"]}
    assert said == counted


def _read(run: Evidence) -> ET.Element:
    return ET.fromstring(junit(run))  # noqa: S314, our own text


def _case(check: CheckRecord) -> ET.Element:
    found = _read(Evidence(HEADER, (check,), FOOTER)).find("testsuite/testcase")
    assert found is not None
    return found


def _with_verdict(verdict: Verdict) -> CheckRecord:
    return msgspec.structs.replace(FAILURE, verdict=verdict)


@given(run=evidence())
def test_every_run_makes_a_document_that_counts_as_the_run_did(run: Evidence) -> None:
    root = _read(run)
    _require_structure(root)
    for element in (root, *root):
        _require_counts(element)
    counts, complains = run.footer.counts, bool(run.footer.complaints)
    left_untested = bool(untested_lines(run.header, run.checks))
    assert int(root.attrib["tests"]) == len(run.checks) + complains + left_untested
    assert int(root.attrib["failures"]) == counts.get("failed", 0) + complains
    assert int(root.attrib["errors"]) == counts.get("error", 0) + counts.get("not tested", 0) + left_untested
    assert int(root.attrib["skipped"]) == counts.get("not applicable", 0) + counts.get("known failure", 0)


@given(ids=st.lists(TEXT, unique=True))
def test_different_checks_have_different_names(ids: list[str]) -> None:
    assert len({case_name(id) for id in ids}) == len(ids)


@given(run=evidence())
def test_a_document_is_red_where_the_exit_code_is(run: Evidence) -> None:
    red = any(one.tag in ("failure", "error") for one in _read(run).iter())
    assert red == (run.footer.exit_code in (1, 6))


def test_a_known_failure_is_skipped_and_says_why() -> None:
    known = KnownFailure(entry="GBH-01", reason="slow", issue="X-1", fault="platform")
    case = _case(msgspec.structs.replace(_with_verdict("known failure"), known=known))
    assert [child.tag for child in case] == ["properties", "skipped"]
    assert case[1].attrib == {"type": "known failure", "message": "known failure: it gave"}
    assert "known failure: slow (X-1; fault of the platform)" in (case[1].text or "").split("\n")


def test_a_failure_tells_everything() -> None:
    case = _case(FAILURE)
    assert case.attrib == {"classname": "vdi_conformance.GBH", "name": "asks[backup]", "time": "0.250"}
    failure = case[1]
    assert failure.attrib == {"type": "code", "message": "it gave"}
    assert failure.text is not None
    lines = failure.text.split("\n")
    requirement = catalogue().get("GBH-01")
    assert requirement is not None
    for line in (
        f"GBH-01 MUST: {requirement.statement}",
        "VD_E_BUSY",
        "expected NOERROR, observed VD_E_BUSY",
        "      7 primary      set.close() -> code=NOERROR",
        "again: vdi-conformance run --adapter emulator --check 'GBH/asks[backup]'",
    ):
        assert line in lines


def test_properties_name_requirements_and_observations() -> None:
    found = [(one.attrib["name"], one.attrib["value"]) for one in _case(FAILURE).iter("property")]
    assert [value for name, value in found if name == "requirement"] == ["GBH-01", "GBH-02"]
    assert [value for name, value in found if name == "broken"] == ["GBH-01"]
    assert ("observation Q56", "closed: VD_E_PROTOCOL") in found


def test_complaints_about_the_baseline_are_a_failure_of_their_own() -> None:
    footer = msgspec.structs.replace(FOOTER, complaints=["one", "two"], exit_code=1)
    suites = _read(Evidence(HEADER, (CHECK,), footer)).findall("testsuite")
    assert [suite.attrib["name"] for suite in suites] == ["GBH GetBufferHandle", "baseline"]
    failure = suites[1].find("testcase/failure")
    assert failure is not None
    assert (failure.attrib["message"], failure.text) == ("one (and 1 more)", "one\ntwo")


def test_a_warning_passes_and_says_that_it_warns() -> None:
    case = _case(_with_verdict("warning"))
    assert [child.tag for child in case] == ["properties", "system-out"]
    assert (case[1].text or "").startswith("warning: it gave\n")


def test_suites_are_topics_in_the_order_of_the_catalogue() -> None:
    ids = ["MBH-01", "CMP-01", "GBH-01"]
    made = [msgspec.structs.replace(CHECK, id=f"a/{id}", requirements=[id, "GBH-02"]) for id in ids]
    lost = msgspec.structs.replace(CHECK, id="lost", requirements=[])
    root = _read(Evidence(HEADER, (lost, *made), FOOTER))
    names = [suite.attrib["name"] for suite in root]
    assert names == ["CMP CompleteCommand", "GBH GetBufferHandle", "MBH MapBufferHandle", "without a requirement"]


def test_what_no_document_may_hold_is_spelled_out() -> None:
    check = msgspec.structs.replace(FAILURE, id="a/\0\x1b[31m\ud800\ufffe\U0001f600", verdict="failed")
    assert _case(check).attrib["name"] == "\\x00\\x1b[31m\\ud800\\ufffe\U0001f600"
