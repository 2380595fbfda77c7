"""The catalogue that is shipped: its rows have checks or reasons to have none, its changes their grounds."""

import re
from collections.abc import Iterator

import pytest

from vdi_conformance.cli.checks import checks_by_row
from vdi_conformance.requirements import Requirement, catalogue

TOPICS = tuple(dict.fromkeys(row.group for row in catalogue().rows if row.binds == "library"))
SOURCE = re.compile(r"\[([^\]]+)\]")
QUESTION = re.compile(r"Q\d+")
ROW = re.compile(r"\b[A-Z]{2,3}-\d\d\b")


def of(topic: str) -> Iterator[Requirement]:
    return (row for row in catalogue().rows if row.group == topic and row.binds == "library")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_row_of_the_library_has_a_check_or_a_reason_to_have_none(topic: str) -> None:
    assert [row.id for row in of(topic) if row.id not in checks_by_row() and row.unchecked is None] == []


def test_every_row_of_the_server_has_a_check_or_a_reason_to_have_none() -> None:
    rows = [row for row in catalogue().rows if row.binds == "server"]
    assert rows
    assert [row.id for row in rows if row.id not in checks_by_row() and row.unchecked is None] == []


def test_no_row_has_both_a_check_and_a_reason_to_have_none() -> None:
    assert [row.id for row in catalogue().rows if row.id in checks_by_row() and row.unchecked is not None] == []


def test_checks_judge_the_library_and_the_server_alone() -> None:
    assert {row.binds for row in catalogue().rows if row.id in checks_by_row()} == {"library", "server"}


def test_every_change_names_a_source_or_an_open_question() -> None:
    for row in catalogue().rows:
        for change in row.changes:
            sources = set(SOURCE.findall(change.reason)) & catalogue().sources.keys()
            questions = set(QUESTION.findall(change.reason)) & catalogue().questions.keys()
            assert sources | questions, f"{row.id} {change.column}"


def test_rows_refer_to_rows_that_there_are() -> None:
    ids = {row.id for row in catalogue().rows}
    for row in catalogue().rows:
        texts = [row.statement, row.how_to_test, *(change.reason for change in row.changes)]
        texts += [row.unchecked.sentence] if row.unchecked else []
        assert {other for text in texts for other in ROW.findall(text)} <= ids, row.id


def test_every_open_question_is_observed_by_checks_or_says_why_not() -> None:
    assert [one.id for one in catalogue().questions.values() if not one.readings and not one.unobserved] == []


def test_readings_name_checks_that_there_are() -> None:
    known = {check.partition("[")[0] for checks in checks_by_row().values() for check in checks}
    named = {check for one in catalogue().questions.values() for reading in one.readings for check in reading.checks}
    assert named - known == set()


def test_what_is_said_of_questions_refers_to_rows_that_there_are() -> None:
    ids = {row.id for row in catalogue().rows}
    assert {row for one in catalogue().questions.values() for row in ROW.findall(one.unobserved)} <= ids
