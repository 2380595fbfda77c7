"""The call of a check that should have been answered otherwise, by the reference model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.evidence.records import Unexpected
from vdi_conformance.explanation import client_calls, memory_calls, server_calls
from vdi_conformance.explanation.facts import Unknowable, facts_of
from vdi_conformance.explanation.search import Following, first_blocked
from vdi_conformance.explanation.statements import unseen
from vdi_conformance.explanation.trace import judgeable
from vdi_conformance.vdi.hresult import failed

if TYPE_CHECKING:
    from vdi_conformance.explanation.situation import Situation
    from vdi_conformance.explanation.trace import Operation
    from vdi_conformance.harness.traces import Trace
    from vdi_conformance.model.permits import PermittedAnswer


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
