"""The words that several reports share: a call in one line, what was expected, how to run a check again."""

from collections.abc import Iterator
from shlex import quote
from typing import Final

from vdi_conformance.evidence.records import Call, Cause, CheckRecord, Header
from vdi_conformance.requirements import catalogue
from vdi_conformance.vdi import completion, hresult

_UNTOLD: Final = frozenset({"thread", "null_out"})


def topics() -> Iterator[tuple[str, str]]:
    """Give each topic's group, such as GBH, and title, in their order."""
    rows = catalogue().rows
    for group in catalogue().topics:
        yield group, next(row.topic for row in rows if row.group == group)


def expectation(cause: Cause) -> str:
    """Set what was expected beside what was observed."""
    return f"expected {' or '.join(cause.expected)}, observed {cause.observed}"


def call_line(call: Call) -> str:
    """Tell one call and its answer in one line."""
    told = ((key, value) for key, value in call.params.items() if key not in _UNTOLD and value is not None)
    params = ", ".join(f"{key}={_shown(key, value)}" for key, value in told)
    return f"{call.number:>7} {call.process:<12} {call.method}({params}) -> {_answer(call)}"


def _answer(call: Call) -> str:
    match call.answer:
        case None:
            return "no answer"
        case str(sentence):
            return sentence.partition("\n")[0]
        case answer:
            return ", ".join(f"{key}={_shown(key, value)}" for key, value in answer.items()) or "done"


def _shown(key: str, value: object) -> str:
    if key == "code" and isinstance(value, int) and (value == 0 or value & 0x80000000):
        return hresult.name_of(value)
    if key == "completion_code" and isinstance(value, int):
        return completion.name_of(value)
    if isinstance(value, dict):
        told = (f"{name}={_shown(name, one)}" for name, one in value.items() if one not in (0, "0x0", None))
        return f"({' '.join(told)})"
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def rerun(header: Header, check: CheckRecord) -> str:
    """Give the command that runs one check again as it was run."""
    parts = ["vdi-conformance", "run", "--adapter", header.client.reference]
    if header.server.reference not in (header.client.reference, "emulator"):
        parts += ["--server", header.server.reference]
    if header.seed:
        parts += ["--seed", str(header.seed)]
    if header.timeout_scale != 1:
        parts += ["--timeout-scale", f"{header.timeout_scale:g}"]
    return " ".join(quote(part) for part in [*parts, "--check", check.id])
