"""The catalogue that is shipped: its requirements have checks or reasons to have none, its changes their grounds."""

import re
from collections.abc import Iterator

import pytest

from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.requirements import Requirement, catalogue

TOPICS = tuple(
    dict.fromkeys(requirement.group for requirement in catalogue().requirements if requirement.binds == "library")
)
SOURCE = re.compile(r"\[([^\]]+)\]")
QUESTION = re.compile(r"Q\d+")
ROW = re.compile(r"\b[A-Z]{2,3}-\d\d\b")


def of(topic: str) -> Iterator[Requirement]:
    return (
        requirement
        for requirement in catalogue().requirements
        if requirement.group == topic and requirement.binds == "library"
    )


@pytest.mark.parametrize("topic", TOPICS)
def test_every_requirement_of_the_library_has_a_check_or_a_reason_to_have_none(topic: str) -> None:
    assert [
        requirement.id
        for requirement in of(topic)
        if requirement.id not in checks_by_requirement() and requirement.unchecked is None
    ] == []


def test_every_requirement_of_the_server_has_a_check_or_a_reason_to_have_none() -> None:
    requirements = [requirement for requirement in catalogue().requirements if requirement.binds == "server"]
    assert requirements
    assert [
        requirement.id
        for requirement in requirements
        if requirement.id not in checks_by_requirement() and requirement.unchecked is None
    ] == []


def test_it_is_told_of_every_must_and_should_of_the_library_how_much_of_it_is_judged() -> None:
    assert [one.id for one in catalogue().requirements if one.has_scope != (one.scope is not None)] == []


def test_no_requirement_has_both_a_check_and_a_reason_to_have_none() -> None:
    assert [
        requirement.id
        for requirement in catalogue().requirements
        if requirement.id in checks_by_requirement() and requirement.unchecked is not None
    ] == []


def test_checks_judge_the_library_and_the_server_alone() -> None:
    assert {
        requirement.binds for requirement in catalogue().requirements if requirement.id in checks_by_requirement()
    } == {"library", "server"}


def test_every_change_names_a_source_or_an_open_question() -> None:
    for requirement in catalogue().requirements:
        for change in requirement.changes:
            sources = set(SOURCE.findall(change.reason)) & catalogue().sources.keys()
            questions = set(QUESTION.findall(change.reason)) & catalogue().questions.keys()
            assert sources | questions, f"{requirement.id} {change.column}"


def test_requirements_refer_to_requirements_that_there_are() -> None:
    ids = {requirement.id for requirement in catalogue().requirements}
    for requirement in catalogue().requirements:
        texts = [requirement.statement, requirement.how_to_test, *(change.reason for change in requirement.changes)]
        texts += [requirement.unchecked.sentence] if requirement.unchecked else []
        assert {other for text in texts for other in ROW.findall(text)} <= ids, requirement.id


def test_every_open_question_is_observed_by_checks_or_says_why_not() -> None:
    assert [one.id for one in catalogue().questions.values() if not one.readings and not one.unobserved] == []


def test_readings_name_checks_that_there_are() -> None:
    known = {check.partition("[")[0] for checks in checks_by_requirement().values() for check in checks}
    named = {check for one in catalogue().questions.values() for reading in one.readings for check in reading.checks}
    assert named - known == set()


def test_what_is_said_of_questions_refers_to_requirements_that_there_are() -> None:
    ids = {requirement.id for requirement in catalogue().requirements}
    assert {requirement for one in catalogue().questions.values() for requirement in ROW.findall(one.unobserved)} <= ids
