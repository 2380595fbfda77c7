"""The call of a check that should have been answered otherwise, by the reference model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.evidence.records import Unexpected
from vdi_conformance.explanation import client_calls, memory_calls, server_calls
from vdi_conformance.explanation.facts import Unknowable, facts_of
from vdi_conformance.explanation.not_accepted import not_accepted
from vdi_conformance.explanation.search import Following, first_blocked
from vdi_conformance.explanation.statements import unseen
from vdi_conformance.explanation.trace import judgeable
from vdi_conformance.model.permits import nothing
from vdi_conformance.report.lanes.shortening import shortened
from vdi_conformance.vdi.hresult import failed

if TYPE_CHECKING:
    from vdi_conformance.evidence.records import Call, Cause
    from vdi_conformance.explanation.situation import Situation
    from vdi_conformance.explanation.trace import Operation
    from vdi_conformance.harness.traces import Trace
    from vdi_conformance.model.permits import PermittedAnswer

WHOLE: Final = 300
"""A check with no more calls keeps them all, so that a program can make them again."""
LAST: Final = 8
"""So many calls of each process are kept at least."""


def unexpected(trace: Trace, cause: Cause) -> Unexpected | None:
    """Give the call that should have been answered otherwise, in a check that failed for this cause.

    Where the model permits all, or cannot say, it is the one that the check did not accept.
    """
    try:
        found = first_unexpected(trace)
    except Exception:  # What explains a failure must not become another one.
        found = None
    return found or not_accepted(trace, cause)


def first_unexpected(trace: Trace) -> Unexpected | None:
    """Give the first call that the model does not permit; None where it permits all, or cannot say."""
    if not judgeable(trace):
        return None
    facts = facts_of(trace)
    try:
        found = first_blocked(facts.first(), facts.operations, _follow)
    except Unknowable:
        return None
    if found is None or found.operation.call is None:
        return None
    return Unexpected(call=found.operation.call.number, judge="model", permitted=list(found.permitted))


def telling(trace: Trace, found: Unexpected | None) -> list[Call]:
    """Give the calls of a check; of very many those that tell how it ended, the last of each process among them."""
    if len(trace.calls) <= WHOLE:
        return list(trace.calls)
    last: dict[str, list[Call]] = {}
    for call in trace.calls:
        last.setdefault(call.process, []).append(call)
    about = found.call if found else trace.calls[-1].number if trace.calls else 0
    kept = [*shortened(trace.calls, about), *(call for calls in last.values() for call in calls[-LAST:])]
    return sorted({call.number: call for call in kept}.values(), key=lambda call: call.number)


def _follow(before: Situation, operation: Operation) -> Following:
    if operation.method in client_calls.METHODS:
        return _follow_a_client(before, operation)
    if operation.method.startswith("memory."):
        shown = memory_calls.look_or_store(before, operation)
        return ([], (shown,)) if isinstance(shown, str) else ([shown], ())
    after = before.copied()
    complaint = server_calls.take(after, operation)
    return ([after], ()) if complaint is None else ([], (complaint,))


def _follow_a_client(before: Situation, operation: Operation) -> Following:
    found: list[Situation] = []
    names: dict[str, None] = {}
    for situation in unseen(before, operation):
        asked = client_calls.asked(situation, operation)
        if asked is None:
            found.append(situation)
            continue
        for place, outcome in enumerate(asked.outcomes):
            if not _may_be(outcome, operation):
                names[outcome.name] = None
                continue
            if outcome.effect is nothing and operation.code is not None and failed(operation.code):
                found.append(situation)
                continue
            after = situation.copied()
            again = client_calls.asked(after, operation)
            assert again is not None, "a copy permits the same"
            again.outcomes[place].effect()
            complaint = None if operation.answer is None else client_calls.learnt(after, operation)
            if complaint is None:
                found.append(after)
            else:
                names[complaint] = None
    return found, tuple(names)


def _may_be(outcome: PermittedAnswer, operation: Operation) -> bool:
    if operation.answer is None or operation.code is None:
        return True
    return outcome.code == operation.code or (outcome.code is None and failed(operation.code))
