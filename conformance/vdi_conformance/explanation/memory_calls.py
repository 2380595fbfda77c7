"""Bytes that processes store and look at: a buffer that is held shows the same to all who see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.explanation.contents import Stretch, forgotten, seen, stored, stretch
from vdi_conformance.explanation.facts import STORING
from vdi_conformance.explanation.situation import SERVER
from vdi_conformance.host.child.memory import expand

if TYPE_CHECKING:
    from vdi_conformance.explanation.situation import Situation, View
    from vdi_conformance.explanation.trace import Operation


def touches(situation: Situation, operation: Operation) -> tuple[int, View] | None:
    """Give the view that a call looks at or stores through, and the offset there; None where nothing is known of it."""
    address, size = number_of(operation.params.get("address")), _size(operation)
    found = situation.view_at(operation.process, address, size, max(situation.facts.zones.values(), default=0))
    if found is None:
        return None
    start, view = found
    of = situation.model.sets[view.of]
    zone = situation.facts.zones.get(of.name, 0)
    if not of.sound or address < start - zone or not (view.owner == SERVER or situation.held(view.tag)):
        return None
    return address - start, view


def look_or_store(before: Situation, operation: Operation) -> Situation | str:
    """Take in what was stored or seen; where something else should have been seen, say what."""
    touched = touches(before, operation)
    if touched is None:
        # Where an address belongs to that the model cannot place, as that of a handle it does not know, is not known.
        return before.without_contents() if operation.method in STORING and before.contents else before
    offset, view = touched
    if not isinstance(operation.answer, dict):
        return "memory that can be used"
    known, size = before.contents.get(view.buffer, ()), _size(operation)
    found = _stretch(operation, offset, size)
    racing = operation.place in before.facts.racing
    if operation.method in STORING:
        left = forgotten(known, offset, offset + size) if racing or found is None else stored(known, found)
        return before.with_contents(view.buffer, left)
    if racing or found is None:
        return before
    shown = seen(known, found)
    if isinstance(shown, str):
        return f"the bytes {shown}"
    return before if shown is known else before.with_contents(view.buffer, shown)


def _size(operation: Operation) -> int:
    if operation.method == "memory.write":
        return len(str(operation.params.get("data"))) // 2
    return int(operation.params.get("size") or 0)


def _stretch(operation: Operation, offset: int, size: int) -> Stretch | None:
    """Give the bytes of a call; None where they are too many to have been kept."""
    assert operation.call is not None, "a process that ends stores nothing"
    answer = operation.answer if isinstance(operation.answer, dict) else {}
    by = f"that call {operation.call.number} {'stored' if operation.method in STORING else 'saw'}"
    if operation.method == "memory.fill":
        return stretch(offset, expand(int(operation.params["seed"]), size), by)
    if "sha256" in answer:
        return Stretch(offset, size, None, str(answer["sha256"]), by)
    data = operation.params.get("data") if operation.method == "memory.write" else answer.get("data")
    try:
        return stretch(offset, bytes.fromhex(str(data)), by)
    except ValueError:
        return None
