"""Says in plain words why data cannot be read: what msgspec, tomllib and the decoder of UTF-8 have against it.

Each gives the middle of a sentence, such as "reason of entry 2 of known-failure must be text, not a whole number".
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

KINDS: Final[Mapping[str, str]] = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "nothing",
    "array": "a list",
    "object": "a table of keys and values",
    "date": "a date",
    "datetime": "a date with a time",
}
BLANK: Final = r"'\\S'"
_PLACE: Final = re.compile(r"(?P<problem>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>.*)`)?", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_FORMS: Final[tuple[tuple[str, Callable[[str, re.Match[str]], str]], ...]] = (
    (r"Object missing required field `(.*)`", lambda place, found: f"{_of(found[1], place)} is missing"),
    (r"Object contains unknown field `(.*)`", lambda place, found: f"{_of(found[1], place)} is not known"),
    (r"Invalid (?:enum )?value (.*)", lambda place, found: f"{place} cannot be {found[1]}"),
    (r"Invalid RFC3339 encoded date", lambda place, _: f"{place} must be a date such as 2027-06-30"),
    (r"Invalid RFC3339 encoded .*", lambda place, _: f"{place} must be a date with a time"),
    (r"Invalid UUID", lambda place, _: f"{place} must be a UUID"),
    (r"Expected `(?:.*)` with no timezone component", lambda place, _: f"{place} must be without a time zone"),
    (r"Expected `(?:.*)` with a timezone component", lambda place, _: f"{place} must have a time zone"),
    (r"Expected `str` matching regex (.*)", lambda place, found: f"{place} {_matching(found[1])}"),
    (
        r"Expected `(.*)` of (?:at most length|length <=) (\d+)(?:, got \d+)?",
        lambda place, found: _long(place, "at most ", found[1], found[2]),
    ),
    (
        r"Expected `(.*)` of length (\d+ to \d+)(?:, got \d+)?",
        lambda place, found: _long(place, "", found[1], found[2]),
    ),
    (r"Expected `(.*)` of (?:at least )?length (?:>= )?(\d+)(.*)", lambda place, found: _long_enough(place, found)),
    (r"Expected `(.*)`, got `(.*)`", lambda place, found: f"{place} must be {_kind(found[1])}, not {_kind(found[2])}"),
    (r"Expected `(.*)` >= (.*)", lambda place, found: f"{place} must be {_kind(found[1])} of at least {found[2]}"),
    (r"Expected `(.*)` <= (.*)", lambda place, found: f"{place} must be {_kind(found[1])} of at most {found[2]}"),
    (r"Expected `(.*)`", lambda place, found: f"{place} must be {_kind(found[1])}"),
    (r"(?:Integer value|Number) out of range", lambda place, _: f"{place} is too large a number"),
)
_JSON_PLACE: Final = re.compile(r"\(byte (\d+)\)")
_TOML_PLACE: Final = re.compile(r"\(?at line (\d+), column (\d+)\)?")


def plainly(error: Exception) -> str:
    """Say what is wrong with the data that could not be read, without the words of the library that read it."""
    match error:
        case msgspec.ValidationError():
            return _misfit(str(error))
        case msgspec.DecodeError():
            place = _JSON_PLACE.search(str(error))
            return f"byte {int(place[1]) + 1} is not JSON" if place else "it ends in the middle of JSON"
        case tomllib.TOMLDecodeError():
            place = _TOML_PLACE.search(str(error))
            return f"column {place[2]} of line {place[1]} is wrong" if place else "it ends in the middle of TOML"
        case UnicodeDecodeError():
            return "it holds bytes that are not UTF-8"
        case RecursionError():
            return "it is nested too deeply"
    return str(error)


def _misfit(said: str) -> str:
    found = _PLACE.fullmatch(said)
    assert found is not None, "any text has a place, if an empty one"
    place = _in_words(found["path"] or "")
    if found["key"]:
        place = _of("a key", place)
    for form, sentence in _FORMS:
        if (parts := re.fullmatch(form, found["problem"], re.DOTALL)) is not None:
            return sentence(place or "it", parts)
    return found["problem"]


def _in_words(path: str) -> str:
    """Turn a path such as .checks[2].cause into "cause of entry 3 of checks"."""
    words = ""
    for name, index in _STEP.findall(path):
        step = name or ("an entry" if index == "..." else f"entry {int(index) + 1}")
        words = _of(step, words)
    return words


def _of(step: str, whole: str) -> str:
    return f"{step} of {whole}" if whole and whole != "it" else step


def _kind(types: str) -> str:
    """Name kinds of values; that there may be none as well is of no interest where another one is wanted."""
    wanted = [one for one in types.split(" | ") if one != "null"] or ["null"]
    return " or ".join(KINDS.get(one, one) for one in wanted)


def _matching(pattern: str) -> str:
    return "must not be blank" if pattern == BLANK else f"must be text of the form {pattern}"


def _long_enough(place: str, found: re.Match[str]) -> str:
    kind, count, rest = found.groups()
    return _long(place, "" if rest else "at least ", kind, count)


def _long(place: str, bound: str, kind: str, count: str) -> str:
    unit = ("character", "characters") if kind == "str" else ("entry", "entries")
    return f"{place} must have {bound}{count} {unit[count != '1']}"
