"""What readers say of data that does not fit: plain words, and none of the libraries that read it."""

import tomllib
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest

from vdi_conformance.untrusted.misfits import plainly


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """A part."""

    count: int


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    """What is read."""

    name: Annotated[str, msgspec.Meta(pattern=r"\S")]
    parts: list[Inner] = []
    by_name: dict[str, int] = {}
    kind: Literal["large", "small"] = "small"
    pair: tuple[int, int] = (0, 0)
    day: date | None = None
    names: Annotated[list[str], msgspec.Meta(min_length=1)] = []
    label: Annotated[str, msgspec.Meta(max_length=3)] = ""
    size: Annotated[int, msgspec.Meta(ge=0)] = 0
    either: str | list[str] = ""
    local: Annotated[datetime, msgspec.Meta(tz=False)] | None = None
    anywhere: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    guid: UUID | None = None
    several: Annotated[list[int], msgspec.Meta(min_length=1, max_length=2)] = []

    def __post_init__(self) -> None:
        if self.name == "twice":
            raise ValueError("it was named twice")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "name is missing"),
        ([], "it must be a table of keys and values, not a list"),
        ({"name": 1}, "name must be text, not a whole number"),
        ({"name": " "}, "name must not be blank"),
        ({"name": "a", "nme": 2}, "nme is not known"),
        (
            {"name": "a", "parts": [{"count": 1}, {"count": "b"}]},
            "count of entry 2 of parts must be a whole number, not text",
        ),
        ({"name": "a", "parts": [{}]}, "count of entry 1 of parts is missing"),
        ({"name": "a", "parts": [{"count": 1, "more": 2}]}, "more of entry 1 of parts is not known"),
        ({"name": "a", "by_name": {"b": "c"}}, "an entry of by_name must be a whole number, not text"),
        ({"name": "a", "by_name": {1: 2}}, "a key of by_name must be text, not a whole number"),
        ({"name": "a", "kind": "huge"}, "kind cannot be 'huge'"),
        ({"name": "a", "pair": [1]}, "pair must have 2 entries"),
        ({"name": "a", "day": "soon"}, "day must be a date such as 2027-06-30"),
        ({"name": "a", "day": True}, "day must be a date, not true or false"),
        ({"name": "a", "names": []}, "names must have at least 1 entry"),
        ({"name": "a", "label": "long"}, "label must have at most 3 characters"),
        ({"name": "a", "size": -1}, "size must be a whole number of at least 0"),
        ({"name": "a", "either": 1.5}, "either must be text or a list, not a number"),
        ({"name": "a", "local": "2026-01-01T00:00:00Z"}, "local must be without a time zone"),
        ({"name": "a", "anywhere": "2026-01-01T00:00:00"}, "anywhere must have a time zone"),
        ({"name": "a", "guid": "none"}, "guid must be a UUID"),
        ({"name": "a", "several": [1, 2, 3]}, "several must have at most 2 entries"),
        ({"name": "twice"}, "it was named twice"),
    ],
)
def test_values_that_do_not_fit(given: object, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(given, Outer)
    assert plainly(error.value) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "it ends in the middle of JSON"),
        (b'{"name":', "it ends in the middle of JSON"),
        (b'{"name": }', "byte 10 is not JSON"),
        (b'{"name": "\xff"}', "it holds bytes that are not UTF-8"),
        (b'{"name": "a", "size": 1' + b"0" * 5000 + b"}", "size is too large a number"),
    ],
)
def test_json_that_is_none(text: bytes, words: str) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as error:
        msgspec.json.decode(text, type=Outer)
    assert plainly(error.value) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\nb c", "column 3 of line 2 is wrong"),
        ("a = [", "it ends in the middle of TOML"),
    ],
)
def test_toml_that_is_none(text: str, words: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(text)
    assert plainly(error.value) == words


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(UnicodeDecodeError) as error:
        b"a\xff".decode()
    assert plainly(error.value) == "it holds bytes that are not UTF-8"
