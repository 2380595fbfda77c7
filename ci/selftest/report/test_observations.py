"""What a run observed of the open questions, and where it was answered in two ways."""

from io import StringIO

from rich.console import Console

from selftest.evidence.samples import FOOTER, HEADER
from selftest.report.made import check
from vdi_conformance.report.observations import answered, contradictions
from vdi_conformance.report.summary import summary


def test_answers_are_gathered_by_the_numbers_of_the_questions() -> None:
    found = answered([check("a", seen={"x": "1"}), check("b", seen={"x": "1", "y": "2"})])
    assert [(one.subject, one.answers) for one in found] == [("x", ["1"]), ("y", ["2"])]
    assert found[0].checks == {"1": ("a", "b")}


def test_two_answers_to_one_question_contradict_each_other() -> None:
    checks = [check("a", seen={"x": "1"}), check("b", seen={"x": "2"}), check("c", seen={"x": "2"})]
    assert list(contradictions(checks)) == ["Q38 x: 1 in a and 2 in b"]


def test_one_answer_from_many_checks_is_no_contradiction() -> None:
    assert list(contradictions([check("a", seen={"x": "1"}), check("b", seen={"x": "1"})])) == []


def test_the_summary_ends_with_the_answers_and_warns_of_contradictions() -> None:
    console = Console(file=StringIO(), record=True, width=200)
    for part in summary(HEADER, [check("a", seen={"x": "1", "y": "2"}), check("b", seen={"x": "3"})], FOOTER):
        console.print(part)
    lines = console.export_text().splitlines()
    assert [line.split() for line in lines if line.startswith("Q38")] == [
        ["Q38", "GetBufferHandle", "details", "1", "(1),", "3", "(1),", "2", "(1)"]
    ]
    assert "TWO ANSWERS  Q38 x: 1 in a and 3 in b" in lines
    assert "1 open question observed, 1 of them answered in two ways." in " ".join(lines)
