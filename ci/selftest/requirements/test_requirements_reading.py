"""What the reader of the catalogue refuses, and what it makes of files that fit together."""

import re
from collections.abc import Mapping

import pytest

from vdi_conformance.requirements import Change, Question, Reading, Scope, Unchecked
from vdi_conformance.requirements.reading import TABLES, read
from vdi_conformance.requirements.values import OF_THE_APPLICATION, REASONS

TEXTS = {
    "requirements.tsv": [
        ["GBH-01", "handles", "MUST", "library", "documented", "none", "Q1,Q2", "New words.", "[hdr]", "Call."],
        ["GBH-02", "handles", "MAY", "server", "derived", "abi", "", 'Says "so".', "(derived)", ""],
    ],
    "changes.tsv": [["GBH-01", "statement", "Old words.", "New words.", "Q1 permits it."]],
    "unchecked.tsv": [["GBH-01", "outside the contract", "Nobody may."]],
    "optional.tsv": [["GBH-01", "named_instances"]],
    "challenged.tsv": [["GBH-01", "2027-01-31", "It is too strict."]],
    "judged.tsv": [["GBH-01", "Two calls.", "A third one.", "nobody can make it"]],
    "questions.tsv": [["Q1", "One?", ""], ["Q2", "Two?", "Nobody can see it."]],
    "readings.tsv": [["Q1", "Call", "0|VD_E_INVALID", "a/b,a/c"], ["Q1", "Call twice", "", "a/b"]],
    "sources.tsv": [["hdr", "The header", "https://example.org"]],
}


def texts(**replaced: list[list[str]]) -> Mapping[str, str]:
    """Lay out the files, some of them with other lines."""
    lines = {name: replaced.get(name.removesuffix(".tsv"), given) for name, given in TEXTS.items()}
    return {name: "".join("\t".join(line) + "\n" for line in ([*TABLES[name]], *lines[name])) for name in TABLES}


def requirement(**cells: str) -> list[list[str]]:
    """Give the first requirement with other cells."""
    return [list((dict(zip(TABLES["requirements.tsv"], TEXTS["requirements.tsv"][0], strict=True)) | cells).values())]


def change(**cells: str) -> list[list[str]]:
    """Give the change with other cells."""
    return [list((dict(zip(TABLES["changes.tsv"], TEXTS["changes.tsv"][0], strict=True)) | cells).values())]


def test_a_requirement_carries_its_changes_and_its_reason() -> None:
    first, second = read(texts()).requirements
    assert first.questions == ("Q1", "Q2")
    assert first.changes == (Change("statement", "Old words.", "New words.", "Q1 permits it."),)
    assert first.unchecked == Unchecked("outside the contract", "Nobody may.")
    assert first.scope == Scope("Two calls.", "A third one.", "nobody can make it")
    assert (second.changes, second.unchecked, second.statement) == ((), None, 'Says "so".')
    assert second.scope is None
    assert (first.optional, second.optional) == ("named_instances", "")


def test_a_question_carries_what_is_tried_to_answer_it() -> None:
    first, second = read(texts()).questions.values()
    assert first == Question(
        "Q1", "One?", (Reading("Call", ("0", "VD_E_INVALID"), ("a/b", "a/c")), Reading("Call twice", (), ("a/b",)))
    )
    assert second == Question("Q2", "Two?", (), "Nobody can see it.")


def test_what_binds_the_application_needs_no_reason_of_its_own() -> None:
    first, second = read(
        texts(requirements=[*requirement(binds="client application"), *requirement(id="GBH-02")], judged=[])
    ).requirements
    assert (first.unchecked, second.unchecked) == (Unchecked("outside the contract", "Nobody may."), None)
    (only,) = read(texts(requirements=requirement(binds="client application"), unchecked=[], judged=[])).requirements
    assert only.unchecked == OF_THE_APPLICATION


def test_several_columns_of_one_requirement_may_have_changed() -> None:
    lines = [*change(), *change(column="questions", before="Q1", after="Q1,Q2")]
    assert [one.column for one in read(texts(changes=lines)).requirements[0].changes] == ["statement", "questions"]


@pytest.mark.parametrize(
    ("replaced", "sentence"),
    [
        ({"changes": change(id="GBH-03")}, "changes.tsv lists GBH-03, which is no requirement"),
        ({"changes": change(column="id")}, "the column 'id' for GBH-01: known are topic, level"),
        ({"changes": change(after="Other words.")}, "now 'Other words.', but requirements.tsv has 'New words.'"),
        (
            {"requirements": requirement(statement="Newer words.")},
            "now 'New words.', but requirements.tsv has 'Newer words.'",
        ),
        ({"changes": change(column="questions", before="", after="Q1")}, "now 'Q1', but requirements.tsv has 'Q1,Q2'"),
        ({"changes": change(before="New words.")}, "statement of GBH-01, which did not change"),
        ({"changes": change(reason="")}, "gives no reason for statement of GBH-01"),
        ({"changes": [*change(), *change(before="Older.")]}, "changes.tsv has GBH-01 statement more than once"),
        ({"unchecked": [["GBH-03", REASONS[0], "So."]]}, "unchecked.tsv lists GBH-03, which is no requirement"),
        ({"unchecked": [["GBH-01", "too hard", "So."]]}, "the reason 'too hard' for GBH-01: known are not visible"),
        ({"unchecked": [["GBH-01", REASONS[0], ""]]}, "does not say what its reason for GBH-01 means"),
        ({"unchecked": 2 * [["GBH-01", REASONS[0], "So."]]}, "unchecked.tsv has GBH-01 more than once"),
        ({"optional": [["GBH-03", "named_instances"]]}, "optional.tsv lists GBH-03, which is no requirement"),
        ({"optional": [["GBH-01", "handles"]]}, "the capability 'handles' for GBH-01: known are named_instances"),
        ({"challenged": [["GBH-03", "2027-01-31", "So."]]}, "challenged.tsv lists GBH-03, which is no requirement"),
        ({"challenged": [["GBH-01", "soon", "So."]]}, "no date such as 2027-01-31 for GBH-01"),
        ({"challenged": [["GBH-01", "2027-01-31", ""]]}, "does not say what is disputed of GBH-01"),
        ({"judged": [["GBH-03", "So.", "nothing", ""]]}, "judged.tsv lists GBH-03, which is no requirement"),
        ({"judged": [["GBH-02", "So.", "nothing", ""]]}, "GBH-02, which is no MUST or SHOULD of the library"),
        ({"judged": [["GBH-01", "", "nothing", ""]]}, "does not say what is judged of GBH-01"),
        ({"judged": [["GBH-01", "So.", "", ""]]}, "does not say what is judged of GBH-01"),
        ({"judged": [["GBH-01", "So.", "nothing", "it is hard"]]}, "has a reason for GBH-01 where nothing is left"),
        ({"judged": [["GBH-01", "So.", "More.", ""]]}, "or none where something is"),
        ({"judged": 2 * [["GBH-01", "So.", "nothing", ""]]}, "judged.tsv has GBH-01 more than once"),
        ({"unchecked": [["GBH-01", REASONS[0]]]}, "line 2 of unchecked.tsv has 2 cells, not 3"),
        ({"requirements": 2 * requirement()}, "requirements.tsv has GBH-01 more than once"),
        ({"requirements": requirement(level="must")}, "the level 'must' for GBH-01: known are MUST, SHOULD, MAY, INFO"),
        ({"requirements": requirement(binds="client")}, "the binds 'client' for GBH-01"),
        ({"requirements": requirement(source_class="seen")}, "the source_class 'seen' for GBH-01"),
        ({"requirements": requirement(reach="all")}, "the reach 'all' for GBH-01"),
        ({"requirements": requirement(questions="Q1,Q9")}, "the question 'Q9' for GBH-01: known are Q1, Q2"),
        ({"requirements": requirement(statement="")}, "says nothing of GBH-01"),
        ({"readings": [["Q3", "Call", "", "a/b"]]}, "readings.tsv lists Q3, which is no question"),
        ({"readings": [["Q2", "Call", "", "a/b"]]}, "questions.tsv says why Q2 is not observed"),
        ({"readings": 2 * [["Q1", "Call", "", "a/b"]]}, "readings.tsv has Q1 Call more than once"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(replaced: dict[str, list[list[str]]], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        read(texts(**replaced))


@pytest.mark.parametrize("name", TABLES)
def test_other_columns_are_refused(name: str) -> None:
    given = dict(texts())
    given[name] = given[name].replace(TABLES[name][-1], "remark", 1)
    with pytest.raises(ValueError, match=f"{name} has the columns .*remark"):
        read(given)
