"""How a program tells whether a failure has come again: by the code of one call, or by the rest of its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.report.calls import is_untouched
from vdi_conformance.report.reproduction.program import ANY_FAILURE, Fact, Judged, Known, NotReproducible
from vdi_conformance.untrusted.printable import shown
from vdi_conformance.vdi.hresult import NAMES, VD_E_TIMEOUT, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vdi_conformance.evidence.records import Call, CheckRecord
    from vdi_conformance.report.reproduction.numbers import Numbers

EXPECTED: Final = 500
PAGE: Final = 4096
EARLY: Final = 0.9
"""A wait that is over after less than this share of its time is over early."""
_CODES: Final = {name: code for code, name in NAMES.items()}
_WIN32: Final = re.compile(r"HRESULT_FROM_WIN32\((\d{1,5})\)")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,16}")
_DATA: Final = re.compile(r"(?:[0-9a-f]{2})*")
_NIBBLES: Final = 16
_DIFFER: Final = frozenset({"address", "buffer", "record", "stack", "heap", "unmapped"})
"""Members of an answer whose values are the run's own."""
REFUSED: Final = Fact("refused", "true")
"""What is known of memory that cannot be looked at, or stored to."""
_REST: Final = "run the check again with the suite"


def flattened(answer: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give the members of an answer, those of its structures by both names; lists are left out."""
    for key, value in answer.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            yield f"{prefix}{key}", value


def plain(value: object) -> str:
    """Write a value as programs compare it: numbers in decimal, bytes as they are."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str) and _HEX.fullmatch(value):
        return str(int(value, 16))
    return str(value)


def judged(check: CheckRecord, call: Call, numbers: Numbers, gives: Mapping[str, str]) -> Judged:
    """Say how to judge the call that should have been answered otherwise."""
    expected = list(check.unexpected.permitted) if check.unexpected else []
    told = shown(" or ".join(expected), EXPECTED) or _first_line(check)
    if _is_refused(call) and not (check.cause and check.cause.kind in ("died", "hung")):
        return Judged(call.number, {}, False, (REFUSED,), "", told)
    if not isinstance(call.answer, dict):
        return Judged(call.number, {}, False, (), _unanswered(check, call), told)
    codes = {shown(name): code for name in expected if (code := _code_of(name)) is not None}
    any_failure = ANY_FAILURE in expected
    code = call.answer.get("code")
    if isinstance(code, int) and len(codes) + any_failure == len(expected) > 0 and name_of(code) not in codes:
        return Judged(call.number, codes, any_failure, (), "", told)
    facts = facts_of(call, numbers, gives)
    if call.method == "memory.read" and not any(fact.key == "data" for fact in facts):
        raise NotReproducible(f"the record keeps only the first of the bytes that the failure is about: {_REST}")
    observed = check.cause.observed if check.cause else None
    if all(fact.key == "code" for fact in facts) and (not isinstance(code, int) or name_of(code) != observed):
        raise NotReproducible(
            f"the failure shows in no answer of a call ({_first_line(check)}): {_REST}, and see what it says"
        )
    return Judged(call.number, {}, False, facts, "", told)


def _first_line(check: CheckRecord) -> str:
    sentence = check.cause.sentence if check.cause else ""
    return shown(numberless(sentence.strip().partition("\n")[0]), EXPECTED)


def numberless(sentence: str) -> str:
    """Tell a sentence without the addresses of the run."""
    return re.sub(r"0x[0-9a-f]{9,}", "...", sentence)


def _unanswered(check: CheckRecord, call: Call) -> Literal["died", "hung"]:
    kind = check.cause.kind if check.cause else ""
    if kind == "died":
        return "died"
    if kind == "hung":
        return "hung"
    raise NotReproducible(f"call {call.number}, which the failure is about, has no answer in the record: {_REST}")


def _code_of(name: str) -> int | None:
    if name in _CODES:
        return _CODES[name]
    if found := _WIN32.fullmatch(name):
        return 0x80070000 | int(found[1]) & 0xFFFF
    if _HEX.fullmatch(name):
        return int(name, 16) & 0xFFFFFFFF
    return None


def facts_of(call: Call, numbers: Numbers, gives: Mapping[str, str]) -> tuple[Fact, ...]:
    """Describe the answer of a call by what does not differ from run to run."""
    if _is_refused(call):
        return (REFUSED,)
    if not isinstance(call.answer, dict):
        return ()
    return (*_facts(call, call.answer, numbers, gives), *_placed(call, call.answer), *_timed(call, call.answer))


def _is_refused(call: Call) -> bool:
    """Tell whether memory could not be looked at or stored to."""
    is_memory = call.method.startswith("memory.")
    return is_memory and isinstance(call.answer, str) and f" refused {call.method} " in call.answer


def _placed(call: Call, answer: Mapping[str, Any]) -> Iterator[Fact]:
    """Say where in its page a buffer lies, which is no matter of the run."""
    for key, value in flattened(answer):
        is_buffer = key == "command.buffer" or (key == "address" and call.method == "set.map_buffer_handle")
        if is_buffer and number_of(value) and not is_untouched("address", value):
            yield Fact(f"{key}%{PAGE}", str(number_of(value) % PAGE))


def _timed(call: Call, answer: Mapping[str, Any]) -> Iterator[Fact]:
    """Say whether a wait in vain was over before its time."""
    timeout = call.params.get("timeout")
    if answer.get("code") == VD_E_TIMEOUT and isinstance(timeout, int) and call.end is not None:
        yield Fact("early", plain(call.end - call.begin < timeout * EARLY))


def _facts(call: Call, answer: Mapping[str, Any], numbers: Numbers, gives: Mapping[str, str]) -> Iterator[Fact]:
    for key, value in flattened(answer):
        last = key.rpartition(".")[2]
        if last == "handle" and isinstance(value, int) and not is_untouched("handle", value):
            known = numbers.handle(value)
            if isinstance(known, Known) and known.name not in gives and not known.distance and not known.flipped:
                yield Fact(key, name=known.name)
        elif last in _DIFFER and not is_untouched("address", value) and number_of(value):
            known = numbers.address(call.process, value)
            if isinstance(known, Known) and known.name not in gives and not known.distance:
                yield Fact(key, name=known.name)
        elif last == "data" and isinstance(value, str) and call.method == "memory.read":
            if _DATA.fullmatch(value):
                yield Fact(key, _masked(value, [word for word in gives.values() if word.startswith("data@")]))
        elif last not in ("device", "text"):
            yield Fact(key, plain(value))


def _masked(data: str, words: Sequence[str]) -> str:
    """Give bytes with dots where the numbers of the run are."""
    masked = list(data)
    for word in words:
        start = 2 * int(word.partition("@")[2])
        masked[start : start + _NIBBLES] = "." * len(masked[start : start + _NIBBLES])
    return "".join(masked)
