"""The call that a check did not accept, where the model permits what it gave, or cannot say: by what the check says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.evidence.records import Unexpected
from vdi_conformance.host.messages.schemas import requests
from vdi_conformance.vdi.hresult import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.evidence.records import Call, Cause
    from vdi_conformance.harness.traces import Trace

_ADDRESS: Final = re.compile(r"0x[0-9a-f]+")
_STATEMENT: Final = re.compile(r"\b(?:BACKUP|RESTORE) (?:failed|succeeded)\b")
_UNANSWERED: Final = ("died", "hung")


def not_accepted(trace: Trace, cause: Cause) -> Unexpected | None:
    """Give the last answered call that the cause of a failure is about; None where there is none."""
    found = next(_candidates(trace, cause), None)
    return None if found is None else Unexpected(call=found.number, judge="check", permitted=cause.expected)


def _candidates(trace: Trace, cause: Cause) -> Iterator[Call]:
    """Give the calls that it may be about, the likeliest first."""
    latest, sentence = trace.calls[::-1], cause.sentence.partition("\n")[0]
    if cause.kind in _UNANSWERED:
        yield from (call for call in latest if not isinstance(call.answer, dict) and f"'{call.process}'" in sentence)
    yield from (call for call in latest if _gave(call, cause) and _called(call) in sentence)
    if _STATEMENT.search(sentence):
        yield from (call for call in latest if call.method == "statement.execute" and call.answer is not None)
    addresses = [number_of(one) for one in _ADDRESS.findall(sentence)]
    yield from (
        call for address in addresses for call in latest if call.process in sentence and address in (_addresses(call))
    )
    yield from (call for call in latest if call.answer is not None)


def _called(call: Call) -> str:
    """Say how a sentence names a call."""
    kind = requests().get(call.method)
    called = call.method if kind is None else kind.called
    return f"{called} of the server" if call.method.startswith("server.") else f"{called} in {call.process}"


def _gave(call: Call, cause: Cause) -> bool:
    code = call.answer.get("code") if isinstance(call.answer, dict) else None
    return cause.observed is not None and isinstance(code, int) and name_of(code) == cause.observed


def _addresses(call: Call) -> set[int]:
    given = call.answer if isinstance(call.answer, dict) else {}
    return {number_of(call.params.get("address")), number_of(given.get("address"))} - {0}
