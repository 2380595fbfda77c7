"""Tables of data: what their reader makes of them, and the sentences for what does not fit."""

import re

import pytest

from vdi_conformance.data_tables import rows


def test_lines_are_told_by_the_names_of_their_columns() -> None:
    assert rows('name\tabout\na\t"so"\nb\t\n', "x.tsv", ("name", "about")) == [
        {"name": "a", "about": '"so"'},
        {"name": "b", "about": ""},
    ]


def test_a_first_line_may_say_how_a_file_was_made() -> None:
    assert rows("# Made by hand.\nname\na\n", "x.tsv") == [{"name": "a"}]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.tsv has no columns: name them name, about"),
        ("name\tremark\n", "x.tsv has the columns name, remark: name them name, about"),
        ("name\tabout\na\tb\na\n", "line 3 of x.tsv has 1 cells, not 2: correct its tabs"),
        ("# Made.\nname\tabout\na\n", "line 3 of x.tsv has 1 cells, not 2: correct its tabs"),
        ("name\tabout\na\rb\tc\n", "x.tsv is no table"),
    ],
)
def test_what_does_not_fit_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        rows(text, "x.tsv", ("name", "about"))
