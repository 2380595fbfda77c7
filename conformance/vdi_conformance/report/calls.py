"""A call and its answer in one line: codes by their names, handles and addresses in hexadecimal; pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from vdi_conformance.contract import OUT_UNTOUCHED
from vdi_conformance.evidence.records import Call, CheckRecord, Unexpected
from vdi_conformance.untrusted.printable import shown
from vdi_conformance.vdi import commands, completion, hresult

MARKS: Final[Mapping[str, str]] = {
    "model": "the first call whose answer the documents do not permit",
    "check": "what the check did not accept",
}
"""What is said of a call that should have been answered otherwise, by who says so."""
UNTOUCHED: Final = "untouched"
VALUE: Final = 80
"""So many characters of a value are told."""
SENTENCE: Final = 500
"""So many of the sentence that a call was refused with."""
LINE: Final = 2000
DEPTH: Final = 4
"""So deep is told what lies in each other."""
WIDEST: Final = 64
_UNTOLD: Final = "null_out"
_UNTOUCHED_32: Final = OUT_UNTOUCHED & 0xFFFFFFFF
_LEFT_ALONE: Final = frozenset({_UNTOUCHED_32, hex(_UNTOUCHED_32), hex(OUT_UNTOUCHED)})
"""What an out variable holds that a call did not touch: one of 32 bits, and pointers of both widths."""
_PATTERN: Final = re.compile(rf"\b(?:{_UNTOUCHED_32}|{OUT_UNTOUCHED}|0x(?:c{{8}}){{1,2}})\b", re.IGNORECASE)
_OUT: Final = frozenset({"handle", "address", "buffer", "command", "count"})
"""What was found in an out variable, or is passed on from there; a configuration is one of many fields."""
_NAMES: Final[Mapping[tuple[str, str], Callable[[int], str]]] = {
    ("answer", "code"): hresult.name_of,
    ("answer", "refused"): hresult.name_of,
    ("answers", ""): hresult.name_of,
    ("command", "code"): commands.name_of,
    ("completion", "code"): completion.name_of,
    ("params", "code"): commands.name_of,
    ("params", "completion_code"): completion.name_of,
}
"""What numbers mean: by what they stand in, and by their own key."""
_HEXADECIMAL: Final = frozenset({"handle", "address", "buffer", "features", "function", "value"})


def naming_untouched(sentence: str) -> str:
    """Call what an out variable was set to before a call by its name wherever a sentence has it as a number."""
    return _PATTERN.sub(UNTOUCHED, sentence)


def call_line(call: Call) -> str:
    """Tell one call and its answer in one line."""
    told = ((key, value) for key, value in call.params.items() if key != _UNTOLD and value is not None)
    params = ", ".join(f"{shown(key, VALUE)}={value_of('params', key, value)}" for key, value in told)
    return f"{call.number:>7} {shown(f'{call.process:<12} {call.method}({params}) -> {answer_of(call)}', LINE)}"


def call_lines(calls: Iterable[Call], unexpected: Unexpected | None) -> Iterator[str]:
    """Tell calls in a line each, with one more below the call that should have been answered otherwise."""
    for call in calls:
        yield call_line(call)
        if mark := mark_of(unexpected, call.number):
            yield mark


def mark_of(unexpected: Unexpected | None, number: int) -> str:
    """Give the line that stands below a call that should have been answered otherwise; empty for every other call."""
    return f"{'^':>7} {mark_sentence(unexpected)}" if unexpected and unexpected.call == number else ""


def mark_of_check(check: CheckRecord) -> str:
    """Say which call of a check should have been answered otherwise; nothing where none is known."""
    return f"Call {check.unexpected.call} is {mark_sentence(check.unexpected)}." if check.unexpected else ""


def mark_sentence(unexpected: Unexpected) -> str:
    """Say what is wrong with a call, and what was permitted instead."""
    permitted = " or ".join(shown(one, VALUE) for one in unexpected.permitted)
    return shown(f"{MARKS[unexpected.judge]}{f'; permitted: {permitted}' if permitted else ''}")


def refusal(sentence: str) -> str:
    """Tell in one line why a call was refused, or came to no answer."""
    return shown(naming_untouched(sentence.partition("\n")[0]), SENTENCE)


def answer_of(call: Call) -> str:
    """Tell what a call gave, in one line."""
    match call.answer:
        case None:
            return "no answer"
        case str(sentence):
            return refusal(sentence)
        case answer:
            told = (f"{shown(key, VALUE)}={value_of('answer', key, value)}" for key, value in answer.items())
            return ", ".join(told) or "done"


def is_untouched(key: str, value: object) -> bool:
    """Whether an out variable still holds what it was set to before the call."""
    if key == "config" and isinstance(value, dict):
        return bool(value) and all(is_untouched("count", one) for one in value.values())
    return key in _OUT and isinstance(value, int | str) and value in _LEFT_ALONE


def value_of(place: str, key: str, value: Any, depth: int = 0) -> str:
    """Tell a value by its key, in the `params` of a call, in its `answer`, or in a structure of that name."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value)
        case _ if is_untouched(key, value):
            return UNTOUCHED
        case int():
            return _number(place, key, value)
        case dict() | list() if depth == DEPTH:
            return "…"
        case dict():
            told = (
                f"{shown(name, VALUE)}={value_of(key, name, one, depth + 1)}"
                for name, one in value.items()
                if one not in (0, "0x0", None)
            )
            return shown(f"({' '.join(told)})", SENTENCE)
        case list():
            return shown(f"[{', '.join(value_of(key or place, '', one, depth + 1) for one in value)}]", VALUE)
    return shown(str(value), VALUE)


def _number(place: str, key: str, value: int) -> str:
    if name := _NAMES.get((place, key)):
        return shown(name(value), VALUE)
    # Python refuses to write very long numbers in decimal digits.
    return shown(hex(value), VALUE) if key in _HEXADECIMAL or value.bit_length() > WIDEST else str(value)
