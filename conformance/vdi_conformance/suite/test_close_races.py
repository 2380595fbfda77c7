"""Close that meets other calls: none of them hangs, and what was closed is closed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.meeting import A_WHILE, ROUNDS, SETS, meet
from vdi_conformance.suite.operation import Operation
from vdi_conformance.suite.outcomes import Answer, Code, Later
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import handle_of
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

CONFIG = VDConfig(device_count=1)


@pytest.mark.parametrize("other", ["GetConfiguration", "SignalAbort", "CreateEx"])
@judges("THR-05")
def test_a_close_meets_a_call_of_its_set(stage: Stage, other: str) -> None:
    primary = stage.participant("primary")
    calls: dict[str, Callable[[], Later[Any, Any]]] = {
        "GetConfiguration": lambda: primary.send_get_configuration(stage.scaled(A_WHILE)),
        "SignalAbort": primary.send_signal_abort,
        "CreateEx": lambda: primary.send_create_ex(None, stage.name(), CONFIG),
    }
    for turn in range(ROUNDS):
        primary.create_ex(None, stage.name(), CONFIG).expect(NOERROR)
        closed, answer = meet(turn, [primary], partial(primary.send_close, "closer"), calls[other])
        closed.expect(NOERROR)
        if other == "GetConfiguration":
            _require_end(answer)
        else:
            answer.require(NOERROR, VD_E_PROTOCOL)
        is_open = other == "CreateEx" and answer.code == NOERROR
        primary.close().expect(NOERROR if is_open else VD_E_PROTOCOL)


def _require_end(answer: Answer) -> None:
    """Fail the check unless a call that waited came to an end, but not by its time."""
    answer.require_failure()
    if answer.code == VD_E_TIMEOUT:
        raise ConformanceFailure(f"{answer.call} went on waiting on a set that another thread had closed")


@judges("THR-05")
def test_closes_of_two_threads_meet(stage: Stage) -> None:
    primary = stage.participant("primary")
    for turn in range(ROUNDS):
        primary.create_ex(None, stage.name(), CONFIG).expect(NOERROR)
        answers = meet(turn, [primary], *(partial(primary.send_close, f"closer {number}") for number in range(2)))
        codes = sorted(answer.code for answer in answers)
        if codes != [NOERROR, VD_E_PROTOCOL]:
            names = ", ".join(answer.name for answer in answers)
            raise ConformanceFailure(f"two threads that closed a set at the same moment got {names}")
        primary.close().expect(VD_E_PROTOCOL)


@pytest.mark.parametrize("other", ["GetCommand", "CompleteCommand", "MapBufferHandle"])
@judges("THR-05")
def test_a_close_meets_a_call_that_works_with_buffers(stage: Stage, other: str) -> None:
    for turn, operation in enumerate(stage.backups(Geometry(transfers=1), SETS)):
        operation.configure()
        operation.open_devices()
        call = _with_buffers(operation, other)
        others: list[Answer] = []
        attempt = partial(_close_meeting, operation.primary, turn, call, others)
        closed = stage.outside_contract("Q45", f"Close at the moment of a {other}", attempt, chance=True)
        if closed is None:
            return
        closed.require(NOERROR, VD_E_OPEN)
        if other == "GetCommand" and others[0].code != NOERROR:
            _require_end(others[0])
        operation.primary.close().expect(VD_E_PROTOCOL)
        operation.require_failure()


def _close_meeting(primary: Participant, turn: int, call: Callable[[], Later[Any, Any]], others: list[Answer]) -> Code:
    """Close at the moment of another call; its answer comes into `others`."""
    closed: Code
    closed, *answers = meet(turn, [primary], partial(primary.send_close, "closer"), call)
    others += answers
    return closed


def _with_buffers(operation: Operation, call: str) -> Callable[[], Later[Any, Any]]:
    """Hold a command, and give a call that has to do with it or with its device."""
    command = operation.next_data_command()
    handle = handle_of(command)
    calls: dict[str, Callable[[], Later[Any, Any]]] = {
        "GetCommand": partial(operation.device.send_get_command, operation.primary.scaled(A_WHILE)),
        "CompleteCommand": partial(operation.device.send_complete, command, ERROR_SUCCESS, command.size),
        "MapBufferHandle": partial(operation.primary.send_map_buffer_handle, handle),
    }
    return calls[call]


@pytest.mark.parametrize("other", ["GetCommand", "SignalAbort", "Close"])
@judges("CLS-17")
def test_the_primarys_close_meets_a_call_of_a_secondary(stage: Stage, other: str) -> None:
    for turn, operation in enumerate(stage.backups(Geometry(owners=(1,), transfers=1), SETS)):
        operation.configure()
        operation.join_all()
        operation.open_devices()
        primary, secondary = operation.participants
        calls: dict[str, Callable[[], Later[Any, Any]]] = {
            "GetCommand": partial(operation.device.send_get_command, stage.scaled(A_WHILE)),
            "SignalAbort": secondary.send_signal_abort,
            "Close": secondary.send_close,
        }
        closed, answer = meet(turn, operation.participants, primary.send_close, calls[other])
        closed.require(NOERROR, VD_E_OPEN)
        answer.require(NOERROR, {"GetCommand": VD_E_ABORT, "Close": VD_E_OPEN}.get(other, NOERROR))
        if other != "Close":
            operation.device.await_abort()
        operation.require_failure()
