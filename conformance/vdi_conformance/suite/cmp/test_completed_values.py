"""CompleteCommand: that what was given arrives whole, and what it does beside a waiting GetCommand or an abort."""

import pytest

from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.statement_run import Kind
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.suite.cmp.seen_by_server import require_seen
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_OPEN
from vdi_conformance.vdi.structures import MAX_TRANSFER_SIZE

CODES = (0, 38, 112, 1129, 50, 995, 12345, 0xFFFF)


@pytest.mark.parametrize("code", [vdc.VDC_READ, vdc.VDC_WRITE], ids=["Read", "Write"])
@vdi_requirement("CMP-01")
def test_a_count_arrives_as_it_was_given(testbed: Testbed, code: int) -> None:
    """The server sees the very byte count that a transfer was completed with."""
    scripted = testbed.scripted(features=vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA)
    buffer = scripted.allocate()
    for count in (0, 1, 511, 1000, 32768, 65535, 65536):
        tag = scripted.send(buffer, code)
        scripted.device.complete(scripted.device.next_command(), win32.ERROR_SUCCESS, count).expect(NOERROR)
        scripted.completed(tag, win32.ERROR_SUCCESS, count)


@vdi_requirement("CMP-01")
def test_the_largest_count_arrives_whole(testbed: Testbed) -> None:
    """The server sees a byte count of 4 MiB whole."""
    scripted = testbed.scripted(Scenario(max_transfer_size=MAX_TRANSFER_SIZE, buffer_count=1))
    buffer = scripted.allocate()
    for count in (MAX_TRANSFER_SIZE, MAX_TRANSFER_SIZE - 1):
        tag = scripted.send(buffer)
        scripted.device.complete(scripted.device.next_command(), win32.ERROR_SUCCESS, count).expect(NOERROR)
        scripted.completed(tag, win32.ERROR_SUCCESS, count)


@pytest.mark.parametrize("code", CODES, ids=win32.name_of)
@vdi_requirement("CMP-01", "CMP-02")
def test_a_transfer_ends_with_the_code_and_count_it_was_given(scripted: ScriptedSet, code: int) -> None:
    """The server sees the completion code and the byte count that a transfer was completed with."""
    tag = scripted.send(scripted.allocate())
    scripted.device.complete(scripted.device.next_command(), code, 512).expect(NOERROR, by="CMP-01")
    require_seen(scripted, tag, code, 512)


@pytest.mark.parametrize(
    ("code", "size", "count"),
    [
        (vdc.VDC_READ, 65536, 65537),
        (vdc.VDC_READ, 512, 1024),
        (vdc.VDC_READ, 65536, 0xFFFFFFFF),
        (vdc.VDC_WRITE, 65536, 65537),
    ],
    ids=["Read-a byte more", "Read-within the buffer", "Read-the largest number", "Write-a byte more"],
)
@vdi_requirement("CMP-11")
def test_more_bytes_than_asked_for_never_count_as_valid(testbed: Testbed, code: int, size: int, count: int) -> None:
    """A byte count above the requested size is refused, or does not reach the server as a valid one."""
    scripted = testbed.scripted(features=vdc.VDF_READ_MEDIA | vdc.VDF_WRITE_MEDIA)
    tag = scripted.send(scripted.allocate(), code, size)
    command = scripted.device.next_command()
    answer = scripted.device.complete(command.address, win32.ERROR_SUCCESS, count)
    answer.observe("Q16", "CompleteCommand with more bytes than asked for")
    if answer.code != NOERROR:
        # Nothing says whether a refused completion leaves the command active.
        again = scripted.device.complete(command, win32.ERROR_SUCCESS, command.size)
        if again.permit("Q16", "CompleteCommand after a refused count", NOERROR, VD_E_INVALID) == NOERROR:
            scripted.completed(tag, win32.ERROR_SUCCESS, command.size)
            return
    scripted.tolerated.add(tag)
    seen = scripted.completion()
    assert seen is not None, "the completion did not reach the server"
    assert seen.code != win32.ERROR_SUCCESS or seen.bytes_transferred <= command.size, (
        f"the server was told of {seen.bytes_transferred} valid bytes in a buffer of {command.size}"
    )


@OWNERS
@vdi_requirement("CMP-05")
def test_whoever_signalled_an_abort_completes_nothing_from_then_on(testbed: Testbed, kind: Kind, owner: int) -> None:
    """CompleteCommand answers VD_E_ABORT as soon as SignalAbort of the same process has returned."""
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    command = statement.next_data_command()
    statement.clients[owner].signal_abort().expect(NOERROR)
    statement.answer(command).expect(VD_E_ABORT)
    assert not statement.outcome().succeeded, "the statement succeeded although it was aborted"


@pytest.mark.parametrize("end", ["death of the primary", "close of the primary"])
@vdi_requirement("CMP-05")
def test_after_an_abort_that_nobody_signalled_no_result_is_taken(testbed: Testbed, kind: Kind, end: str) -> None:
    """CompleteCommand answers VD_E_ABORT after the primary has died or closed, and the statement fails."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, 1)))
    command = statement.hold_all()[1]
    if end == "death of the primary":
        statement.primary.kill()
    else:
        statement.primary.close().permit("Q3", "Close of the primary with open devices", VD_E_OPEN, NOERROR)
    command.device.await_abort()
    statement.answer(command).expect(VD_E_ABORT)
    assert not statement.outcome().succeeded, "the statement succeeded although it was aborted"


@vdi_requirement("CMP-20")
def test_threads_that_complete_at_once_keep_their_values(testbed: Testbed) -> None:
    """Completions by several threads at once each reach the server once, with their own values."""
    scripted = testbed.scripted(Scenario(devices=4, buffer_count=4))
    buffers = [scripted.allocate() for _ in scripted.devices]
    for turn in range(3):
        for number, buffer in enumerate(buffers):
            scripted.send(buffer, device=number)
        commands = [device.next_command() for device in scripted.devices]
        counts = [512 * (4 * turn + number + 1) for number in range(4)]
        completing = [
            command.device.send_complete(command, win32.ERROR_SUCCESS, count)
            for command, count in zip(commands, counts, strict=True)
        ]
        for completed in completing:
            completed.result().expect(NOERROR)
    scripted.check_completions()
