"""IO-ERROR: what a completion with an error does to its device, and how the device becomes active again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vdi_conformance.harness.device import begin_to_wait
from vdi_conformance.harness.judging import ConformanceFailure, judging, needing, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_TIMEOUT

if TYPE_CHECKING:
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import Result
    from vdi_conformance.harness.scripted_set import ScriptedSet
    from vdi_conformance.harness.statement_run import Kind
    from vdi_conformance.harness.testbed import Testbed

BOTH_WAYS = vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA
BARRIER = 20
"""So many commands show that something does not happen."""

STATES = ("active", "in IO-ERROR")

TROUBLES = (
    *(win32.ERROR_READ_FAULT, win32.ERROR_WRITE_FAULT, win32.ERROR_IO_DEVICE, win32.ERROR_DISK_FULL),
    win32.ERROR_NOT_SUPPORTED,
)
# Codes that nobody takes for information.
ERRORS = pytest.mark.parametrize("code", [win32.ERROR_WRITE_FAULT, win32.ERROR_DISK_FULL], ids=win32.name_of)


@ERRORS
@vdi_requirement("IOE-01", "IOE-03")
def test_after_an_error_nothing_can_be_sent(scripted: ScriptedSet, code: int) -> None:
    """After a Write completed with an error, new commands are refused at once with ERROR_IO_DEVICE."""
    _fail(scripted, code)
    with judging("IOE-01"):
        first = scripted.try_to_send(scripted.allocate(), vdc.VDC_WRITE)
        first.expect_failure()
    with judging("IOE-03"):
        _require_completed_by_its_sender(scripted, first)
        _require_refusal(scripted, 0, vdc.VDC_FLUSH)


def _fail(scripted: ScriptedSet, code: int = win32.ERROR_WRITE_FAULT, device: int = 0) -> None:
    """Let a Write of a device end with an error."""
    tag = scripted.send(scripted.allocate(), device=device)
    with judging("CMP-01"):
        scripted.devices[device].complete(scripted.devices[device].next_command(), code).expect(NOERROR)
        scripted.completed(tag, code, 0)


def _require_refusal(scripted: ScriptedSet, buffer: int, code: int) -> None:
    """Fail the check unless SendCommand fails, and has completed the command before it returns."""
    refused = scripted.try_to_send(buffer, code)
    refused.expect_failure()
    _require_completed_by_its_sender(scripted, refused)


def _require_completed_by_its_sender(scripted: ScriptedSet, refused: Result[int]) -> None:
    """Fail the check unless SendCommand completed what it refused with ERROR_IO_DEVICE before it returned."""
    seen = scripted.completion()
    if seen is None or (seen.tag, seen.code, seen.thread_of_sender) != (refused.value, win32.ERROR_IO_DEVICE, True):
        raise ConformanceFailure("SendCommand refused a command and did not complete it with ERROR_IO_DEVICE itself")


@OWNERS
@vdi_requirement("IOE-01")
def test_an_error_of_a_transfer_in_either_direction_counts(testbed: Testbed, owner: int) -> None:
    """A Read or Write of either process completed with any of several errors puts its device into IO-ERROR."""
    scripted = testbed.scripted(Scenario(2, (1 - owner, owner)), BOTH_WAYS)
    buffer, device = scripted.allocate(), scripted.devices[1]
    for number, error in enumerate(TROUBLES):
        tag = scripted.send(buffer, (vdc.VDC_READ, vdc.VDC_WRITE)[number % 2], device=1)
        device.complete(device.next_command(), error).expect(NOERROR, by="CMP-01")
        with needing("CMP-02"):
            scripted.completed(tag, error, 0)
        refused = scripted.try_to_send(code=vdc.VDC_FLUSH, device=1)
        refused.expect_failure()
        with needing("IOE-03"):
            _require_completed_by_its_sender(scripted, refused)
        with needing("IOE-05"):
            _clear(scripted, 1)


@vdi_requirement("IOE-02")
def test_what_waits_behind_an_error_is_never_seen(scripted: ScriptedSet) -> None:
    """Commands queued behind a failed one end with ERROR_IO_DEVICE, and GetCommand never gives them."""
    first = scripted.send(code=vdc.VDC_FLUSH)
    buffers = [0, scripted.allocate(), 0, scripted.allocate()]
    sent = [scripted.try_to_send(buffer, vdc.VDC_WRITE if buffer else vdc.VDC_FLUSH) for buffer in buffers]
    # How many may wait is not stated, but one.
    behind = [one.expect(NOERROR) for number, one in enumerate(sent) if number == 0 or one.succeeded]
    scripted.device.complete(scripted.device.next_command(), win32.ERROR_WRITE_FAULT).expect(NOERROR)
    scripted.device.get_command(0).expect(VD_E_TIMEOUT)
    scripted.dropped(behind)
    scripted.all_ended([first], win32.ERROR_WRITE_FAULT)
    _clear(scripted)
    assert scripted.passes(0, BARRIER), "the set was aborted"


def _clear(scripted: ScriptedSet, device: int = 0) -> None:
    """Let the server send ClearError, and complete it with success."""
    tag = scripted.send(code=vdc.VDC_CLEAR_ERROR, device=device)
    _complete_clear_error(scripted, win32.ERROR_SUCCESS, device)
    scripted.completed(tag, win32.ERROR_SUCCESS, 0)


def _complete_clear_error(scripted: ScriptedSet, completion_code: int, device: int = 0) -> None:
    command = scripted.devices[device].next_command()
    if command.code != vdc.VDC_CLEAR_ERROR:
        raise ConformanceFailure(f"a device in IO-ERROR handed out {vdc.name_of(command.code)}, not VDC_CLEAR_ERROR")
    command.device.complete(command, completion_code).expect(NOERROR)


@pytest.mark.parametrize("count", [2, 3, 5], ids=["2 commands", "3 commands", "5 commands"])
@vdi_requirement("IOE-04")
def test_clear_error_waits_until_nothing_is_held(testbed: Testbed, count: int) -> None:
    """GetCommand gives ClearError only after every command that was held at the error has been completed."""
    scripted = testbed.scripted(Scenario(buffer_count=count))
    held: list[Fetched] = []
    for _ in range(count):
        # How many may be outstanding at once is not stated.
        if scripted.try_to_send(scripted.allocate()).succeeded:
            held.append(scripted.device.next_command())
    failing, *others = held
    scripted.device.complete(failing, win32.ERROR_WRITE_FAULT).expect(NOERROR)
    clearing = scripted.send(code=vdc.VDC_CLEAR_ERROR)
    for command in others:
        scripted.device.get_command(0).expect(VD_E_TIMEOUT)
        scripted.device.complete(command, win32.ERROR_SUCCESS, command.size)
    _complete_clear_error(scripted, win32.ERROR_SUCCESS)
    scripted.all_ended([clearing], win32.ERROR_SUCCESS)


@vdi_requirement("VDC-15")
def test_clear_error_can_be_supported(scripted: ScriptedSet) -> None:
    """A client that completes ClearError with success, as all must, gets the next command."""
    _fail(scripted)
    _clear(scripted)
    with judging("VDC-15"):
        assert scripted.passes(0, 1), "the set was aborted"


@vdi_requirement("IOE-05")
def test_a_device_that_was_cleared_is_active_again(scripted: ScriptedSet) -> None:
    """ClearError reaches a device in IO-ERROR, and its completion with success makes the device active again."""
    buffer = scripted.allocate()
    for _ in range(2):
        _fail(scripted)
        _clear(scripted)
        with judging("IOE-05"):
            tag = scripted.send(buffer)
            command = scripted.device.next_command()
            assert command.code == vdc.VDC_WRITE, "a Write was sent, another command came"
            scripted.device.complete(command, win32.ERROR_SUCCESS, command.size).expect(NOERROR)
            scripted.completed(tag, win32.ERROR_SUCCESS, command.size)


@vdi_requirement("IOE-09")
def test_clear_error_that_fails_clears_nothing(scripted: ScriptedSet) -> None:
    """A ClearError completed with an error leaves the device in IO-ERROR."""
    _fail(scripted)
    tag = scripted.send(code=vdc.VDC_CLEAR_ERROR)
    _complete_clear_error(scripted, win32.ERROR_NOT_SUPPORTED)
    scripted.completed(tag, win32.ERROR_NOT_SUPPORTED, 0)
    _require_refusal(scripted, 0, vdc.VDC_FLUSH)
    _clear(scripted)
    assert scripted.passes(0, 1), "the set was aborted"


@vdi_requirement("IOE-10")
def test_what_was_held_at_an_error_is_completed_as_usual(scripted: ScriptedSet) -> None:
    """A command that was held at the error may be completed normally, and its result reaches the server."""
    failed, tag = (scripted.send(scripted.allocate(), size=size) for size in (512, 1024))
    failing, held = scripted.device.next_command(), scripted.device.next_command()
    scripted.device.complete(failing, win32.ERROR_WRITE_FAULT).expect(NOERROR)
    scripted.completed(failed, win32.ERROR_WRITE_FAULT, 0)
    scripted.device.complete(held, win32.ERROR_SUCCESS, held.size).expect(NOERROR)
    scripted.completed(tag, win32.ERROR_SUCCESS, held.size)


@vdi_requirement("IOE-03")
def test_no_success_but_that_of_clear_error_ends_the_state(scripted: ScriptedSet) -> None:
    """In IO-ERROR commands are refused although one that was held at the error was completed with success."""
    for kind in (vdc.VDC_WRITE, vdc.VDC_FLUSH):
        failed = scripted.send(scripted.allocate())
        tag = scripted.send(scripted.allocate() if kind == vdc.VDC_WRITE else 0, kind)
        failing, held = scripted.device.next_command(), scripted.device.next_command()
        scripted.device.complete(failing, win32.ERROR_WRITE_FAULT).expect(NOERROR)
        scripted.completed(failed, win32.ERROR_WRITE_FAULT, 0)
        # What becomes of its result is IOE-10's matter.
        scripted.device.complete(held, win32.ERROR_SUCCESS, held.size)
        scripted.all_ended([tag], win32.ERROR_SUCCESS, win32.ERROR_IO_DEVICE)
        _require_refusal(scripted, 0, vdc.VDC_FLUSH)
        _clear(scripted)


@vdi_requirement("IOE-07")
def test_an_error_is_that_of_one_device(testbed: Testbed) -> None:
    """IO-ERROR of one device leaves the other devices going on."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 0, 1)))
    queued = scripted.send(code=vdc.VDC_FLUSH, device=1)
    _fail(scripted)
    scripted.devices[1].complete(scripted.devices[1].next_command()).expect(NOERROR)
    scripted.completed(queued, win32.ERROR_SUCCESS, 0)
    assert all(scripted.passes(device, BARRIER) for device in (1, 2)), "the set was aborted"


@vdi_requirement("IOE-07")
def test_what_others_hold_keeps_no_device_in_io_error(testbed: Testbed) -> None:
    """A device gets its ClearError, and goes on, while other devices hold and wait for commands."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 0, 1)))
    tags = [scripted.send(scripted.allocate(), device=device) for device in (1, 2)]
    held = [device.next_command() for device in scripted.devices[1:]]
    _fail(scripted)
    with judging("IOE-07"):
        _clear(scripted)
    assert scripted.passes(0, BARRIER), "the set was aborted"
    for tag, command in zip(tags, held, strict=True):
        command.device.complete(command, win32.ERROR_SUCCESS, command.size).expect(NOERROR)
        scripted.completed(tag, win32.ERROR_SUCCESS, command.size)


@vdi_requirement("IOE-08")
def test_codes_that_inform_may_count_as_errors(testbed: Testbed) -> None:
    """Whether ERROR_END_OF_MEDIA and other informative codes lead to IO-ERROR is recorded."""
    codes = (
        win32.ERROR_HANDLE_EOF,
        win32.ERROR_NO_DATA_DETECTED,
        win32.ERROR_FILEMARK_DETECTED,
        win32.ERROR_END_OF_MEDIA,
    )
    scripted = testbed.scripted(Scenario(devices=len(codes), features=vdc.VDF_LIKE_TAPE), BOTH_WAYS)
    for number, code in enumerate(codes):
        kind = vdc.VDC_WRITE if code == win32.ERROR_END_OF_MEDIA else vdc.VDC_READ
        tag = scripted.send(scripted.allocate(), kind, device=number)
        scripted.devices[number].complete(scripted.devices[number].next_command(), code).expect(NOERROR)
        scripted.all_ended([tag], code)
        goes_on = scripted.try_to_send(code=vdc.VDC_FLUSH, device=number).succeeded
        testbed.observe(
            "Q14", f"the device after {win32.name_of(code)}", "active" if goes_on else "in IO-ERROR", STATES
        )


# The end of a device in IO-ERROR


@alternating_direction("code", [win32.ERROR_DISK_FULL, win32.ERROR_READ_FAULT], ["ERROR_DISK_FULL", "ERROR_READ_FAULT"])
@vdi_requirement("IOE-06")
def test_a_statement_comes_to_its_end_after_an_error(testbed: Testbed, kind: Kind, code: int) -> None:
    """After a transfer with an error GetCommand ends with VD_E_CLOSE or VD_E_ABORT, and the statement fails."""
    statement = testbed.statement(kind)
    statement.device.complete(statement.next_data_command(), code).expect(NOERROR)
    codes = set()
    while (result := statement.device.get_command()).succeeded:
        command = result.expect(NOERROR)
        codes.add(command.code)
        statement.answer_any(command).expect(NOERROR, VD_E_ABORT)
    result.expect(VD_E_CLOSE, VD_E_ABORT)
    answers = ("comes", "does not come")
    came = answers[vdc.VDC_CLEAR_ERROR not in codes]
    testbed.observe("Q50", "ClearError after a transfer that ended with an error", came, answers)
    assert not statement.outcome().succeeded, "the statement succeeded although a transfer had failed"


@pytest.mark.parametrize("waits", [False, True], ids=["before", "while it waits"])
@pytest.mark.parametrize("end", ["a close", "an abort"])
@vdi_requirement("IOE-06")
def test_the_server_may_end_a_device_in_io_error(scripted: ScriptedSet, end: str, waits: bool) -> None:
    """In IO-ERROR GetCommand gives VD_E_CLOSE when the server closes the device, and VD_E_ABORT when it aborts."""
    _fail(scripted)
    waiting = begin_to_wait(scripted.device) if waits else []
    if end == "a close":
        scripted.close_device(0)
    else:
        scripted.signal_abort()
    result = waiting[0].result() if waiting else scripted.device.get_command()
    result.expect(VD_E_CLOSE if end == "a close" else VD_E_ABORT)


@pytest.mark.parametrize("command", [vdc.VDC_FLUSH, vdc.VDC_REWIND], ids=vdc.name_of)
@vdi_requirement("IOE-01")
def test_an_error_of_a_command_without_data_counts(testbed: Testbed, command: int) -> None:
    """Completing a command without data with an error puts the device into IO-ERROR too."""
    scripted = testbed.scripted(Scenario(features=vdc.VDF_LIKE_TAPE))
    tag = scripted.send(code=command)
    scripted.device.complete(scripted.device.next_command(), win32.ERROR_WRITE_FAULT).expect(NOERROR)
    scripted.completed(tag, win32.ERROR_WRITE_FAULT, 0)
    _require_refusal(scripted, 0, vdc.VDC_FLUSH)


@vdi_requirement("IOE-01")
def test_an_error_after_a_clear_error_counts_again(scripted: ScriptedSet) -> None:
    """Each error after a ClearError puts the device into IO-ERROR again."""
    for _ in range(3):
        _fail(scripted)
        _require_refusal(scripted, 0, vdc.VDC_FLUSH)
        tag = scripted.send(code=vdc.VDC_CLEAR_ERROR)
        scripted.device.complete(scripted.device.next_command()).expect(NOERROR)
        scripted.completed(tag, 0, 0)


@vdi_requirement("IOE-07")
def test_an_error_of_any_device_is_that_of_no_other(testbed: Testbed) -> None:
    """IO-ERROR of a device in either process leaves the devices of both processes going on."""
    scripted = testbed.scripted(Scenario(devices=4, owners=(0, 0, 1, 1), buffer_count=8))
    for failing in (1, 3):
        _fail(scripted, device=failing)
        for other in range(4):
            if other not in (failing, 1):
                assert scripted.passes(other, 2), "the set was aborted"
