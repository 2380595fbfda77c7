"""Texts of others are shown as they are as far as they are harmless, and spelled out and cut where they are not."""

import re
import unicodedata
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftest.report.harmless import require_harmless
from vdi_conformance.untrusted.printable import fence_around, in_markdown, keepable, shown, shown_end, shown_lines
from vdi_fixtures.hosts.hostile import NASTY

PIECES = ("::", ":", "#", "##[", "error", "group::", "a", " ", "\r\n", "\r", "\n", "\x1b", "\\x1b", "`", "\u202e", "\\")
ANY = st.text(st.characters(exclude_categories=[])) | st.lists(st.sampled_from(PIECES)).map("".join)
SHOW: dict[str, Callable[[str, int], str]] = {"line": shown, "lines": shown_lines}
BOTH = pytest.mark.parametrize("show", SHOW.values(), ids=SHOW)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("VD_E_PROTOCOL (0x8077000C)", "VD_E_PROTOCOL (0x8077000C)"),
        ("Größe, 名前, مرحبا, \U0001f600, std::string", "Größe, 名前, مرحبا, \U0001f600, std::string"),
        ("un\xa0espace, 全角\u3000", "un\xa0espace, 全角\u3000"),
        ("\x1b[2J\x9b1m\x07\x7f\0", r"\x1b[2J\x9b1m\x07\x7f\x00"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\u202etxt\u2066.\u200b\ufeff\u2028\u2029", r"\u202etxt\u2066.\u200b\ufeff\u2028\u2029"),
        ("\u3164\u034f\ufe0f\U000e0041\U000e0100", r"\u3164\u034f\ufe0f\U000e0041\U000e0100"),
        ("\ud800 \udc80", r"\ud800 \udc80"),
        ("::error::x", r"\x3a:error::x"),
        ("  ::add-mask::x", r"  \x3a:add-mask::x"),
        ("see ::stop-commands::x", r"see \x3a:stop-commands::x"),
        ("x::warning file=a::b", r"x\x3a:warning file=a::b"),
        ("##[group]a ##vso[task] ##teamcity[x", r"\x23#[group]a \x23#vso[task] \x23#teamcity[x"),
    ],
)
def test_what_is_harmless_stays_and_the_rest_is_spelled_out(text: str, line: str) -> None:
    assert shown(text) == line


def test_lines_stay_where_there_may_be_several() -> None:
    assert shown_lines("a\r\n::error::b\n\tc\rd\x1b") == "a\n\\x3a:error::b\n\tc\\rd\\x1b"


@BOTH
@given(text=ANY, limit=st.integers(40, 400))
def test_a_text_is_harmless_bounded_and_never_spelled_out_twice(
    show: Callable[[str, int], str], text: str, limit: int
) -> None:
    made = show(text, limit)
    assert len(made) <= limit
    assert show(made, limit) == made
    require_harmless(made)
    assert "\n" not in made or show is shown_lines


@BOTH
def test_what_is_left_out_is_counted(show: Callable[[str, int], str]) -> None:
    made = show("x" * 5000, 100)
    found = re.fullmatch(r"(x+)… \((\d+) more characters\)", made)
    assert found is not None
    assert len(found[1]) + int(found[2]) == 5000
    assert len(show("\x1b" * 10_000_000, 100)) <= 100
    assert show("x" * 100, 100) == "x" * 100


def test_the_end_of_a_text_is_its_last_lines() -> None:
    assert shown_end("a\nb", 10) == "a\nb"
    assert shown_end("x" * 90 + "\x1bend", 10) == "(84 characters before) … xxxxxx\\x1bend"


@given(text=ANY)
def test_markdown_shows_a_text_and_nothing_else(text: str) -> None:
    made = in_markdown(text)
    require_harmless(made)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|~&@!]", made)
    assert "://" not in made
    assert f"{fence_around(text)}" not in text


@given(text=ANY)
def test_what_is_kept_can_be_written_and_says_the_same(text: str) -> None:
    kept = keepable({"a": [text, {"b": text, "c": (1, None, True)}]})
    assert msgspec.json.decode(msgspec.json.encode(kept)) == kept
    assert kept["a"][0] == text.encode("utf-8", "backslashreplace").decode()
    assert len(keepable(text * 30, 100)) <= 100


def test_lists_are_bounded_where_that_is_asked_for() -> None:
    given = {"a": [[1, 2, 3], "x" * 200, 4]}
    assert keepable(given) == given
    assert keepable(given, 50, 2) == {"a": [[1, 2, "… (1 more)"], f"{'x' * 27}… (173 more characters)", "… (1 more)"]}


def test_the_samples_hold_every_kind_of_trouble() -> None:
    assert {unicodedata.category(letter) for letter in NASTY} >= {"Cc", "Cf", "Cs"}
