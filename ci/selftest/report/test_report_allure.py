"""How checks look in an Allure report: ids of their own, statuses, labels, links, and the environment."""

import json
import re
from typing import cast

import msgspec
import pytest
from hypothesis import given

from selftest.evidence.samples import CHECK, HEADER
from selftest.report.generated import checks, headers
from vdi_conformance.evidence.records import VERDICTS, Cause, CheckRecord, Header, KnownFailure, Verdict
from vdi_conformance.report import allure
from vdi_conformance.report.wording import facts, headline


def _ended(verdict: str) -> CheckRecord:
    cause = Cause(kind="assertion", sentence="it is so")
    return msgspec.structs.replace(CHECK, verdict=cast("Verdict", verdict), cause=cause)


@given(one=checks(), other=checks())
def test_the_identity_follows_from_the_id_alone(one: CheckRecord, other: CheckRecord) -> None:
    renamed = msgspec.structs.replace(other, id=one.id)
    assert allure.identity(renamed) == allure.identity(one)
    assert (allure.identity(other) == allure.identity(one)) == (other.id == one.id)


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("passed", "passed"),
        ("warning", "passed"),
        ("failed", "failed"),
        ("known failure", "failed"),
        ("not applicable", "skipped"),
        ("not tested", "broken"),
        ("error", "broken"),
    ],
)
def test_verdicts_have_statuses_and_tags(verdict: str, status: str) -> None:
    assert allure.STATUSES[verdict] == status
    tags = [value for name, value in allure.labels(_ended(verdict)) if name == "tag"]
    assert tags == ["GBH-01", verdict] if verdict not in ("passed", "failed") else ["GBH-01"]


@pytest.mark.parametrize("verdict", sorted(set(VERDICTS) - {"passed", "warning"}))
def test_each_unusual_end_is_in_one_category(verdict: str) -> None:
    check = _ended(verdict)
    status, message = allure.STATUSES[verdict], headline(check)
    found = [
        category["name"]
        for category in json.loads(allure.categories())
        if status in category["matchedStatuses"] and re.fullmatch(category["messageRegex"], message)
    ]
    assert len(found) == 1


@given(check=checks())
def test_a_check_has_one_place_and_links_that_differ(check: CheckRecord) -> None:
    named = dict(allure.labels(check))
    assert [named["parentSuite"], named["suite"]] == allure.title_path(check)
    assert named["severity"] in ("critical", "normal", "minor", "trivial")
    urls = [url for kind, _, url in allure.links(check) if kind == "link"]
    assert len(set(urls)) == len(urls)
    assert all(url.startswith("https://") for url in urls)
    assert [name for kind, name, _ in allure.links(check) if kind == "requirement"] == check.requirements


def test_a_check_names_its_requirement_and_the_documents_behind_it() -> None:
    stories = [value for name, value in allure.labels(CHECK) if name == "story"]
    assert [story.partition(" ")[0] for story in stories] == ["GBH-01"]
    assert any("getbufferhandle" in url for _, _, url in allure.links(CHECK))
    text = allure.description(HEADER, CHECK)
    assert "**GBH-01** (MUST, documented)" in text
    assert "--check a/b" in text


def test_a_failure_is_tagged_with_what_it_broke_and_says_what_the_check_holds() -> None:
    failed = msgspec.structs.replace(_ended("failed"), broken=["GBH-04"], about="GetBufferHandle refuses it.")
    assert ("tag", "broken: GBH-04") in allure.labels(failed)
    assert "GetBufferHandle refuses it" in allure.description(HEADER, failed)


@pytest.mark.parametrize(("issue", "address"), [("https://x.example/1", "https://x.example/1"), ("X-1", "")])
def test_a_known_failure_links_its_issue(issue: str, address: str) -> None:
    known = KnownFailure(entry="GBH-01", reason="it is so", issue=issue, fault="adapter")
    links = allure.links(msgspec.structs.replace(_ended("known failure"), known=known))
    assert ("issue", issue, address) in links


@given(header=headers)
def test_the_environment_can_be_read_back(header: Header) -> None:
    assert _properties(allure.environment(header)) == {name: _well(value) for name, value in facts(header).items()}


def _properties(text: str) -> dict[str, str]:
    """Read Java's property files as far as they are written here: one line a property, every special escaped."""
    read = {}
    for line in text.split("\n")[:-1]:
        name, value = re.fullmatch(r"((?:\\.|[^\\ =:])+) = ((?:\\.|[^\\])*)", line, re.ASCII).groups()  # type: ignore[union-attr]
        read[_unescaped(name)] = _unescaped(value)
    return read


def _unescaped(text: str) -> str:
    assert text.isascii()
    plain = re.sub(r"\\(?:u([0-9a-f]{4})|(.))", lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    return _well(plain)


def _well(text: str) -> str:
    """Join surrogates that belong together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
