"""What others wrote is read, or refused in a few words, whatever it is."""

import contextlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.decoding import DEEPEST, Unreadable

ANYTHING = msgspec.json.Decoder()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**19) + 1, 10**19 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(JSON)
def test_what_is_json_is_read(value: object) -> None:
    assert decoding.json(msgspec.json.encode(value), ANYTHING) == value


@given(
    st.integers(0, DEEPEST), st.sampled_from(["[]", '{"[[":{}}', '"[[[[{{{{"', '"\\"[["', "12345678901234567890.5e1"])
)
def test_depth_counts_levels_and_not_brackets(depth: int, within: str) -> None:
    data = b"[" + b"[]," * 200 + b"[" * depth + within.encode() + b"]" * depth + b"]"
    if depth + within.startswith("[") + 2 * within.startswith("{") < DEEPEST:
        decoding.json(data, ANYTHING)
    else:
        assert_refused(data)


def assert_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decoding.json(data, ANYTHING)


@given(st.binary() | st.text('[]{}"\\:,.09eE-').map(str.encode))
def test_whatever_is_no_json_is_refused_in_words(data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        decoding.json(data, ANYTHING)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'["", ' + b"[" * 101 + b"]" * 102,
        b"9" * 5000,
        b'{"a":-18446744073709551616}',
        b"1e999",
        b'"\xff"',
        b'"\\ud800"',
        b'["' + b'\\"' * 100_000 + b"[" * 101,
    ],
)
def test_json_that_could_not_be_written_again_is_refused(data: bytes) -> None:
    assert_refused(data)


@pytest.mark.parametrize(
    "source",
    [
        "a = " + "[" * 5000,
        "a = " + "{a = " * 5000,
        "a = " + "[" * 101 + "]" * 101,
        "a." * 100_000 + "a = 1",
        '"a" . ' * 101 + "a = 1",
        "'a'." * 101 + "a = 1",
        f"[{'.'.join('a' * 101)}]",
        "[a" + "]\n[a.b" * 2,
        "a = " + "9" * 5000,
        "a = 0x" + "f" * 5000,
        "a = 9223372036854775808",
        "a = [{b = -9223372036854775809}]",
        "#" * (decoding.LARGEST_TOML + 1),
        '"' * 1000,
        'a = "\\ud800"',
        "\0",
    ],
)
def test_toml_that_nobody_writes_is_refused(source: str) -> None:
    with pytest.raises(Unreadable):
        decoding.toml(source)


@pytest.mark.parametrize(
    "source",
    [
        'reason = "' + "and so on. " * 200 + '"',
        "a = 9223372036854775807",
        "a = '" + "[" * 500 + "'",
        "a = 0.12345678901234567890",
    ],
)
def test_toml_that_people_write_is_read(source: str) -> None:
    assert len(decoding.toml(source)) == 1


@pytest.mark.parametrize("name", ["", "none", "n" * 5000, "a\0b", "\udcff", "none/none", "d" * 300 + "/x"])
def test_a_path_that_leads_to_no_file_is_none(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(Unreadable):
        decoding.file_bytes(path)
    assert not decoding.is_file(path)
    assert decoding.is_directory(path) == decoding.exists(path) == (name == "")


def test_a_file_that_has_no_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert decoding.file_bytes(path, 5) == b"12345"
    with pytest.raises(Unreadable, match="more than 4 bytes"):
        decoding.file_bytes(path, 4)
