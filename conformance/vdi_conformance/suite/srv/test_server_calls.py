"""The server's side of a set: what becomes of commands that it aborts, leaves behind, or cannot send."""

import pytest

from vdi_conformance.harness.device import begin_to_wait
from vdi_conformance.harness.expectations import Answer
from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.completion import (
    ERROR_INVALID_HANDLE,
    ERROR_IO_DEVICE,
    ERROR_NO_SYSTEM_RESOURCES,
    ERROR_OPERATION_ABORTED,
    ERROR_SUCCESS,
    ERROR_WRITE_FAULT,
)
from vdi_conformance.vdi.completion import name_of as completion_name
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL

LONG = 1000
"""A queue that takes so many commands is taken to have no end."""


@OWNERS
@vdi_requirement("SRV-06")
def test_an_abort_of_the_server_ends_every_command_once(testbed: Testbed, owner: int) -> None:
    """After SignalAbort of the server each command ends once, as aborted, and later completions are ignored."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(owner, 1 - owner)))
    tags = [scripted.send(scripted.allocate(), device=device) for device in (0, 0, 1)]
    held = [device.next_command() for device in scripted.devices]
    scripted.signal_abort()
    # A client may learn of the abort only by this call, or by the next GetCommand.
    held[0].device.complete(held[0], ERROR_SUCCESS, held[0].size).expect(NOERROR, VD_E_ABORT)
    scripted.all_aborted(tags)
    held[1].device.await_abort()
    held[1].device.complete(held[1], ERROR_SUCCESS, held[1].size).expect(VD_E_ABORT)
    assert scripted.completion(timeout=0) is None, "the server was told of commands once more that it had seen end"


@vdi_requirement("SRV-07")
def test_a_server_that_closes_with_devices_open_ends_everything(testbed: Testbed) -> None:
    """Close of the server with devices open gives VD_E_PROTOCOL, aborts the set, and releases its name."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    waiting = scripted.devices[1].send_get_command()
    scripted.aborted = True
    scripted.server.close().expect(VD_E_PROTOCOL)
    scripted.devices[1].await_abort(waiting)
    scripted.device.await_abort()
    scripted.device.complete(command, ERROR_SUCCESS, command.size).expect(VD_E_ABORT)
    for client in reversed(scripted.clients):
        client.close().permit("Q4", "Close after the server closed, devices open", NOERROR, VD_E_OPEN)
    scripted.create()


@pytest.mark.parametrize("opened", ["by the server alone", "with one closed"])
@vdi_requirement("SRV-07")
def test_a_server_that_closes_with_some_device_open_ends_everything(testbed: Testbed, opened: str) -> None:
    """Close of the server gives VD_E_PROTOCOL and aborts the set while it has one device open, whoever else has."""
    scripted = testbed.scripted_created(Scenario(devices=2))
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR, by="CFG-01")
    for name in scripted.device_names:
        scripted.server.open_device(name).expect(NOERROR)
    if opened == "with one closed":
        scripted.devices += [scripted.primary.open_device(name).expect(NOERROR) for name in scripted.device_names]
        scripted.close_device(0)
        scripted.device.get_command().expect(VD_E_CLOSE, by="CMD-05")
    scripted.aborted = True
    scripted.server.close().expect(VD_E_PROTOCOL)
    scripted.primary.await_abort()


@vdi_requirement("SRV-10")
def test_a_command_for_a_closed_device_is_completed_as_refused(testbed: Testbed) -> None:
    """SendCommand for a closed device is refused and completes the command with ERROR_INVALID_HANDLE."""
    scripted = testbed.scripted(Scenario(devices=2))
    scripted.close_device(0)
    _refused(scripted, ERROR_INVALID_HANDLE).expect(VD_E_PROTOCOL)
    assert scripted.passes(1, 2), "the set was aborted"


@vdi_requirement("SRV-10")
def test_a_command_after_an_error_is_completed_as_refused(testbed: Testbed) -> None:
    """SendCommand in IO-ERROR is refused and completes the command with ERROR_IO_DEVICE."""
    scripted = testbed.scripted()
    tag = scripted.send(scripted.allocate())
    scripted.device.complete(scripted.device.next_command(), ERROR_WRITE_FAULT, 0).expect(NOERROR)
    scripted.completed(tag, ERROR_WRITE_FAULT, 0)
    _refused(scripted, ERROR_IO_DEVICE).expect_failure()


@pytest.mark.parametrize("by", ["server", "client", "secondary", "death of the primary"])
@vdi_requirement("SRV-10")
def test_a_command_after_an_abort_is_completed_as_refused(testbed: Testbed, by: str) -> None:
    """SendCommand after an abort is refused and completes the command with ERROR_OPERATION_ABORTED."""
    scripted = testbed.scripted(Scenario(secondaries=1) if by == "secondary" else Scenario())
    tag = scripted.send(scripted.allocate())
    scripted.device.next_command()
    scripted.aborted = True
    match by:
        case "server":
            scripted.signal_abort()
        case "death of the primary":
            scripted.primary.kill()
        case _:
            scripted.clients[by == "secondary"].signal_abort().expect(NOERROR)
    scripted.all_aborted([tag])
    _refused(scripted, ERROR_OPERATION_ABORTED).expect(VD_E_ABORT)


@vdi_requirement("SRV-10")
def test_a_command_for_a_full_queue_is_completed_as_refused(testbed: Testbed) -> None:
    """SendCommand to a full queue is refused and completes the command with ERROR_NO_SYSTEM_RESOURCES."""
    scripted = testbed.scripted()
    taken = 0
    while taken < LONG and (sent := scripted.try_to_send(code=VDC_FLUSH)).succeeded:
        taken += 1
    answer = "takes more" if taken == LONG else "is full"
    testbed.observe("Q19", f"the queue of a device after {LONG} commands", answer, ("is full", "takes more"))
    if taken < LONG:
        sent.expect_failure()
        _require_completion(scripted, sent.value, ERROR_NO_SYSTEM_RESOURCES)


def _refused(scripted: ScriptedSet, completion_code: int) -> Answer:
    """Send a command that must be refused, and see it completed with this code all the same."""
    sent = scripted.try_to_send(code=VDC_FLUSH)
    sent.expect_failure()
    _require_completion(scripted, sent.value, completion_code)
    return sent


def _require_completion(scripted: ScriptedSet, tag: int | None, code: int) -> None:
    seen = scripted.completion()
    if seen is None:
        raise ConformanceFailure(f"the refused command {tag} was never completed")
    if (seen.tag, seen.code) != (tag, code):
        wanted, found = completion_name(code), completion_name(seen.code)
        sentence = (
            f"the refused command {tag} was to be completed with {wanted}, and command {seen.tag} was with {found}"
        )
        raise ConformanceFailure(sentence, (wanted,), found)


@vdi_requirement("SRV-07")
def test_a_server_that_closes_with_devices_open_and_nothing_to_do_ends_everything(testbed: Testbed) -> None:
    """Close of an idle server with devices open gives VD_E_PROTOCOL, and every waiting GetCommand VD_E_ABORT."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    waiting = begin_to_wait(*scripted.devices)
    scripted.aborted = True
    scripted.server.close().expect(VD_E_PROTOCOL)
    for later in waiting:
        later.result().expect(VD_E_ABORT)


@vdi_requirement("SRV-10")
def test_a_command_after_the_end_of_every_device_is_completed_as_refused(testbed: Testbed) -> None:
    """SendCommand after the end of all devices is refused and completes the command with ERROR_INVALID_HANDLE."""
    scripted = testbed.scripted(Scenario(devices=2))
    for device in range(2):
        scripted.close_device(device)
        scripted.devices[device].get_command().expect(VD_E_CLOSE)
    for device in range(2):
        refused = scripted.try_to_send(code=VDC_FLUSH, device=device)
        refused.expect(VD_E_PROTOCOL)
        seen = scripted.completion()
        if seen is None or (seen.tag, seen.code) != (refused.value, ERROR_INVALID_HANDLE):
            raise ConformanceFailure("a command that was refused after the end did not end with ERROR_INVALID_HANDLE")
