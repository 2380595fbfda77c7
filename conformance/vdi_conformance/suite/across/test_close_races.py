"""Close that meets calls of a set in use, on the threads of its process or in other processes: none of them hangs."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.concurrency import A_WHILE, SETS, concurrently
from vdi_conformance.harness.expectations import Answer, Code, PendingAnswer
from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import handle_of
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT


@pytest.mark.parametrize("other", ["GetCommand", "CompleteCommand", "MapBufferHandle"])
@vdi_requirement("THR-05")
def test_a_close_meets_a_call_that_works_with_buffers(testbed: Testbed, other: str) -> None:
    """Close and a call that works with a held buffer both return, and the set is closed."""
    for turn, statement in enumerate(testbed.backups(Scenario(transfers=1), SETS)):
        statement.configure()
        statement.open_devices()
        call = _with_buffers(statement, other)
        others: list[Answer] = []
        attempt = partial(_close_meeting, statement.primary, turn, call, others)
        closed = testbed.outside_contract("Q45", f"Close at the moment of a {other}", attempt, chance=True)
        if closed is None:
            return
        closed.expect(NOERROR, VD_E_OPEN)
        if other == "GetCommand" and others[0].code != NOERROR:
            _require_end(others[0])
        statement.primary.close().expect(VD_E_PROTOCOL)
        statement.require_failure()


def _require_end(answer: Answer) -> None:
    """Fail the check unless a call that waited came to an end, but not by its time."""
    answer.expect_failure()
    if answer.code == VD_E_TIMEOUT:
        raise ConformanceFailure(f"{answer.call} went on waiting on a set that another thread had closed")


def _close_meeting(
    primary: Client, turn: int, call: Callable[[], PendingAnswer[Any, Any]], others: list[Answer]
) -> Code:
    """Close at the moment of another call; its answer comes into `others`."""
    closed: Code
    closed, *answers = concurrently(turn, [primary], partial(primary.send_close, "closer"), call)
    others += answers
    return closed


def _with_buffers(statement: StatementRun, call: str) -> Callable[[], PendingAnswer[Any, Any]]:
    """Hold a command, and give a call that has to do with it or with its device."""
    command = statement.next_data_command()
    handle = handle_of(command)
    calls: dict[str, Callable[[], PendingAnswer[Any, Any]]] = {
        "GetCommand": partial(statement.device.send_get_command, statement.primary.scaled(A_WHILE)),
        "CompleteCommand": partial(statement.device.send_complete, command, ERROR_SUCCESS, command.size),
        "MapBufferHandle": partial(statement.primary.send_map_buffer_handle, handle),
    }
    return calls[call]


@pytest.mark.parametrize("other", ["GetCommand", "SignalAbort", "Close"])
@vdi_requirement("CLS-17")
def test_the_primarys_close_meets_a_call_of_a_secondary(testbed: Testbed, other: str) -> None:
    """Close by the primary ends the set by an abort, whatever a secondary calls at the same moment."""
    for turn, statement in enumerate(testbed.backups(Scenario(owners=(1,), transfers=1), SETS)):
        statement.configure()
        statement.join_all()
        statement.open_devices()
        primary, secondary = statement.clients
        calls: dict[str, Callable[[], PendingAnswer[Any, Any]]] = {
            "GetCommand": partial(statement.device.send_get_command, testbed.scaled(A_WHILE)),
            "SignalAbort": secondary.send_signal_abort,
            "Close": secondary.send_close,
        }
        closed, answer = concurrently(turn, statement.clients, primary.send_close, calls[other])
        closed.expect(NOERROR, VD_E_OPEN)
        answer.expect(NOERROR, {"GetCommand": VD_E_ABORT, "Close": VD_E_OPEN}.get(other, NOERROR))
        if other != "Close":
            statement.device.await_abort()
        statement.require_failure()
