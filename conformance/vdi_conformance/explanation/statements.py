"""What a server may have done unseen: each way in which a call may have found the set."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.model.state import AbortState, ModelCommand, SetPhase
from vdi_conformance.vdi import commands as vdc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.explanation.situation import Situation
    from vdi_conformance.explanation.trace import Operation
    from vdi_conformance.model.state import ModelDevice, ModelSet


def unseen(before: Situation, operation: Operation) -> Iterator[Situation]:
    """Give the situation as it is, and as it may be after what the server did since."""
    yield before
    index = _set_of(before, operation)
    if index is None:
        return
    configured = _configured(before, operation, index)
    if configured is not None:
        yield configured
    for situation in (before,) if configured is None else (before, configured):
        if operation.method == "device.get_command":
            yield from _served(situation, operation)
        of = situation.model.sets[index]
        if of.abort_state is not AbortState.ABORTED and may_have_aborted(situation, of, operation):
            aborted = situation.copied()
            aborted.model.sets[index].worsen(AbortState.ABORTED)
            yield aborted


def _set_of(situation: Situation, operation: Operation) -> int | None:
    if operation.method.startswith("device."):
        opened = situation.devices.get((operation.process, str(operation.params.get("device"))))
        return None if opened is None else opened.of
    number = situation.facts.client_of(operation)
    of = None if number is None else situation.client(number).of
    if of is None and operation.method.startswith("set.open_in"):
        of = situation.latest(str(operation.params.get("name")))
    return None if of is None else of.index


def _configured(situation: Situation, operation: Operation, index: int) -> Situation | None:
    of = situation.model.sets[index]
    if of.phase is SetPhase.CONFIGURED or situation.facts.statement_on(of, operation) is None:
        return None
    after = situation.copied()
    after.model.sets[index].phase = SetPhase.CONFIGURED
    return after


def may_have_aborted(situation: Situation, of: ModelSet, operation: Operation) -> bool:
    """Tell whether the server may have ended the set by itself: its time-out has passed, or a command ended badly."""
    late = situation.facts.late.get(of.name, math.inf)
    return of.index in situation.excused or late <= operation.end < math.inf


def _served(situation: Situation, operation: Operation) -> Iterator[Situation]:
    """A command was sent, or the device was closed, in time for this GetCommand."""
    opened = situation.devices.get((operation.process, str(operation.params.get("device"))))
    device = None if opened is None else situation.device_of(opened)
    statement = None if device is None else situation.facts.statement_on(device.of, operation)
    if opened is None or device is None or statement is None or device.server_closed:
        return
    sent = situation.copied()
    _send(sent.device_of(opened), operation)
    yield sent
    if not (device.queue or device.held):
        closed = situation.copied()
        found = closed.device_of(opened)
        assert found is not None, "a copy has all devices"
        found.server_closed = True
        yield closed


def _send(device: ModelDevice | None, operation: Operation) -> None:
    """The server has sent what came, whatever that is."""
    assert device is not None, "a command goes to a device"
    assert operation.call is not None, "a process that ends fetches nothing"
    answer = operation.answer if isinstance(operation.answer, dict) else {}
    record = answer.get("command")
    found = record if isinstance(record, dict) else {}
    code, size, number = int(found.get("code", vdc.VDC_FLUSH)), int(found.get("size", 0)), operation.call.number
    command = ModelCommand(number, code, size, buffer=number, data=bool(number_of(found.get("buffer"))))
    device.queue.append(command)
    device.sent.append(command)
