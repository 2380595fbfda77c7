"""GetCommand on several devices at once: long queues, and waits that others must neither end nor keep."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from vdi_conformance.harness.concurrency import A_WHILE
from vdi_conformance.harness.device import BOUND_TO_COME, begin_to_wait
from vdi_conformance.harness.judging import ConformanceFailure, judging, needing, vdi_requirement
from vdi_conformance.harness.parametrizations import ALONE_OR_NOT
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_SKIP_BLOCKS, VDC_SKIP_MARKS, VDC_WRITE, VDF_LIKE_TAPE
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE

if TYPE_CHECKING:
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import PendingAnswer, Result
    from vdi_conformance.harness.scripted_set import ScriptedSet
    from vdi_conformance.harness.statement_run import Kind
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.host.messages.client import CommandReply

    Waiting = PendingAnswer[CommandReply, Result[Fetched]]

SOON: Final = 25
"""A time-out that nobody waits long for, in milliseconds before scaling."""
LONG: Final = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, INFINITE)
"""Time-outs of weeks, in milliseconds, some of them negative where they are taken for signed numbers."""
MANY: Final = 48
"""More than any small queue holds; a server may refuse to queue as many."""
NUMBERED: Final = 150
"""So many commands and time-outs, more than an octet counts of both together."""
MORE: Final = 100
"""So many commands show that devices go on."""
SPREAD: Final = Scenario(devices=5, owners=(0, 1, 2, 2, 0))
"""Five devices in three processes."""


@vdi_requirement("CMD-11")
def test_a_long_queue_of_mixed_commands_keeps_its_order(testbed: Testbed) -> None:
    """GetCommand gives a long queue of different commands in the order in which the server sent them."""
    scripted = testbed.scripted(Scenario(buffer_count=MANY // 4, features=VDF_LIKE_TAPE))
    buffers = [scripted.allocate() for _ in range(MANY // 4)]
    tags: list[int] = []
    for number in range(MANY):
        buffer = buffers.pop() if number % 2 and buffers else 0
        code = VDC_WRITE if buffer else (VDC_SKIP_BLOCKS, VDC_SKIP_MARKS)[number % 4 // 2]
        answer = scripted.try_to_send(buffer, code, 512 * (1 + number))
        if answer.code != NOERROR:
            break
        tags.append(answer.expect(NOERROR))
    for number in range(len(tags)):
        command = scripted.device.next_command()
        if command.size != 512 * (1 + number):
            raise ConformanceFailure(f"command {command.size // 512 - 1} came where command {number} was the next")
        scripted.device.complete(command, 0, command.size if command.code == VDC_WRITE else 0).expect(NOERROR)
    scripted.all_ended(tags, 0)


@vdi_requirement("CMD-02")
def test_what_comes_for_one_device_ends_no_wait_on_another(testbed: Testbed) -> None:
    """A GetCommand with nothing queued for its device waits on while commands pass over another one."""
    scripted = testbed.scripted(Scenario(devices=2))
    limit = testbed.scaled(BOUND_TO_COME)
    began = time.monotonic()
    waiting = scripted.devices[1].send_get_command(limit)
    assert scripted.passes(0, 20), "the set was aborted"
    if waiting.done and (took := (time.monotonic() - began) * 1000) < limit:
        raise ConformanceFailure(f"GetCommand({limit}) came to its end within {took:.0f} ms, and nothing came for it")
    scripted.close_device(1)
    waiting.result().expect(VD_E_CLOSE)


@vdi_requirement("CMD-03")
def test_time_outs_of_weeks_are_not_over_at_once(testbed: Testbed) -> None:
    """GetCommand with a time-out of weeks, or INFINITE, still waits when commands have passed over another device."""
    scripted = testbed.scripted(Scenario(devices=1 + len(LONG)))
    waiting = [device.send_get_command(timeout) for device, timeout in zip(scripted.devices[1:], LONG, strict=True)]
    assert scripted.passes(0, 20), "the set was aborted"
    for timeout, later in zip(LONG, waiting, strict=True):
        assert not later.done, f"GetCommand({timeout:#x}) came to its end"
    for index, later in enumerate(waiting, 1):
        scripted.close_device(index)
        later.result().expect(VD_E_CLOSE)


@vdi_requirement("CMD-04")
def test_no_command_is_lost_after_many_time_outs(testbed: Testbed) -> None:
    """After many time-outs GetCommand gives every command that the server sends then."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1), features=VDF_LIKE_TAPE))
    for index, device in enumerate(scripted.devices):
        for timeout in (0, testbed.scaled(SOON), 0, 0, testbed.scaled(SOON)):
            device.get_command(timeout).expect(VD_E_TIMEOUT)
        tags = [scripted.send(code=VDC_SKIP_BLOCKS, size=1 + number, device=index) for number in range(2)]
        for number in range(len(tags)):
            command = device.get_command(0).expect(NOERROR)
            assert command.size == 1 + number, f"command {number} is lost"
            device.complete(command).expect(NOERROR)
        scripted.all_ended(tags, 0)


@vdi_requirement("CMD-04")
def test_each_of_many_commands_is_seen_once_among_as_many_time_outs(testbed: Testbed) -> None:
    """Of more than a hundred commands that come as GetCommand times out, before and after, each comes out once."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1), features=VDF_LIKE_TAPE))
    limit = testbed.scaled(A_WHILE)
    for number in range(1, NUMBERED + 1):
        device = scripted.devices[number % 2]
        device.get_command(0).expect(VD_E_TIMEOUT)
        waiting = device.send_get_command(number % 3)
        tag = scripted.send(code=VDC_SKIP_BLOCKS, size=number, device=number % 2)
        result = waiting.result()
        result.expect(NOERROR, VD_E_TIMEOUT)
        command = (result if result.succeeded else device.get_command(limit)).expect(NOERROR)
        assert command.size == number, f"command {command.size} came where command {number} was the next"
        device.get_command(0).expect(VD_E_TIMEOUT)
        device.complete(command).expect(NOERROR, by="CMP-01")
        with needing("CMP-01"):
            scripted.completed(tag, 0, 0)


@vdi_requirement("CMD-05")
def test_a_close_that_nobody_waits_for_is_told_later(testbed: Testbed) -> None:
    """GetCommand answers VD_E_CLOSE on each device that the server closed while nobody waited there."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 1, 0)))
    for index in (1, 2, 0):
        scripted.close_device(index)
    for device in scripted.devices:
        device.get_command(testbed.scaled(A_WHILE)).expect(VD_E_CLOSE)


@vdi_requirement("CMD-07")
def test_a_close_of_one_device_leaves_others_what_they_hold_and_wait_for(testbed: Testbed) -> None:
    """Closing one device leaves other devices the command that they hold, the one queued and the one waited for."""
    scripted = testbed.scripted(Scenario(devices=3))
    holding, waiting_one = scripted.devices[1:]
    tags = [scripted.send(scripted.allocate(), device=1), scripted.send(code=VDC_FLUSH, device=1)]
    held = holding.next_command()
    (waiting,) = begin_to_wait(waiting_one)
    scripted.close_device(0)
    scripted.devices[0].get_command().expect(VD_E_CLOSE)
    holding.complete(held, 0, held.size).expect(NOERROR)
    holding.complete(holding.next_command()).expect(NOERROR)
    scripted.all_ended(tags, 0)
    tag = scripted.send(code=VDC_FLUSH, device=2)
    waiting_one.complete(waiting.result().expect(NOERROR)).expect(NOERROR)
    scripted.completed(tag, 0, 0)


@vdi_requirement("CMD-07")
def test_whichever_device_is_closed_the_others_go_on(testbed: Testbed) -> None:
    """Each time the server closes a device of a secondary or of the primary, the others pass 100 commands more."""
    scripted = testbed.scripted(Scenario(devices=4, owners=(0, 1, 2, 1)))
    others = {0, 1, 2, 3}
    for closed in (2, 0):
        scripted.close_device(closed)
        scripted.devices[closed].get_command().expect(VD_E_CLOSE, by="CMD-05")
        others.remove(closed)
        assert all(scripted.passes(other, MORE // len(others)) for other in others), "a close aborted the set"


@pytest.mark.parametrize("by", ["the primary", "the first secondary", "the second secondary", "the server"])
@vdi_requirement("ABT-03", "ABT-04", "CMD-08")
def test_an_abort_reaches_who_waits_in_every_process(testbed: Testbed, by: str) -> None:
    """An abort by any process or the server wakes every waiting GetCommand of every process with VD_E_ABORT."""
    scripted, tag, waiting = _everybody_waits(testbed)
    with judging(_charged("ABT-04", by)):
        _abort(scripted, by)
        ended = [later.result() for later in waiting]
    for answer in ended:
        # A call that nobody woke ends with its time-out.
        answer.expect(VD_E_ABORT, by=_charged("ABT-04", by) if answer.code == VD_E_TIMEOUT else "CMD-08")
    with judging(_charged("ABT-03", by)):
        for client in scripted.clients:
            client.get_configuration(0).expect(VD_E_ABORT)
    with judging(_charged("ABT-05", by)):
        scripted.all_aborted([tag])


@pytest.mark.parametrize("by", ["the first secondary", "the second secondary"])
@vdi_requirement("ABT-18")
def test_an_abort_of_a_secondary_reaches_who_waits_in_every_process(testbed: Testbed, by: str) -> None:
    """SignalAbort in a secondary ends every waiting GetCommand of every process with VD_E_ABORT."""
    _abort_everybody(testbed, by)


@vdi_requirement("ABT-17")
def test_an_abort_of_the_server_reaches_who_waits_in_every_process(testbed: Testbed) -> None:
    """An abort by the server ends every waiting GetCommand of every process with VD_E_ABORT."""
    _abort_everybody(testbed, "the server")


def _abort_everybody(testbed: Testbed, by: str) -> None:
    """Fail the check unless an abort ends what every process waits for and what one holds."""
    scripted, tag, waiting = _everybody_waits(testbed)
    _abort(scripted, by)
    for later in waiting:
        later.result().expect(VD_E_ABORT)
    scripted.all_aborted([tag])


def _everybody_waits(testbed: Testbed) -> tuple[ScriptedSet, int, list[Waiting]]:
    """Let all devices but the first wait, and the primary hold a command as well; give its tag, and the calls."""
    scripted = testbed.scripted(SPREAD)
    tag = scripted.send(code=VDC_FLUSH)
    scripted.devices[0].next_command()
    limit = testbed.scaled(A_WHILE)
    waiting = [device.send_get_command(limit) for device in scripted.devices[1:]]
    for device in scripted.devices:
        device.client.get_configuration().expect(NOERROR, by="CFG-09")
    return scripted, tag, waiting


def _charged(requirement: str, by: str) -> str:
    """Name what an abort breaks: a requirement of SignalAbort, or that an abort of the server has the same effects."""
    return "ABT-17" if by == "the server" else requirement


def _abort(scripted: ScriptedSet, by: str) -> None:
    scripted.aborted = True
    if by == "the server":
        scripted.signal_abort()
    else:
        names = ("the primary", "the first secondary", "the second secondary")
        scripted.clients[names.index(by)].signal_abort().expect(NOERROR)


@pytest.mark.parametrize("by", ["the primary", "the second secondary", "the server"])
@vdi_requirement("CMD-09")
def test_no_queued_command_comes_once_an_abort_was_seen(testbed: Testbed, by: str) -> None:
    """After an abort GetCommand hands out no queued command: it answers VD_E_ABORT on every device."""
    _abort_with_queued_commands(testbed, by, "CMD-09")


@vdi_requirement("ABT-17")
def test_no_queued_command_comes_after_an_abort_of_the_server(testbed: Testbed) -> None:
    """After an abort of the server, as after one of a client, GetCommand hands out no queued command."""
    _abort_with_queued_commands(testbed, "the server", "ABT-17")


def _abort_with_queued_commands(testbed: Testbed, by: str, judged: str) -> None:
    """Abort a set with commands queued, and charge one that still comes to the requirement that is judged."""
    scripted = testbed.scripted(SPREAD)
    tags = [scripted.send(code=VDC_FLUSH, device=device) for device in (3, 4) for _ in range(2)]
    _abort(scripted, by)
    # Each process sees the abort first on a device for which nothing is queued.
    for index in (0, 1, 2, 3, 4, 3, 4):
        answer = scripted.devices[index].get_command()
        answer.expect(VD_E_ABORT, by=judged if answer.succeeded else _charged("CMD-08", by))
    with judging(_charged("ABT-05", by)):
        scripted.all_aborted(tags)


@vdi_requirement("ABT-05", "ABT-18")
def test_an_abort_of_a_secondary_ends_what_each_process_holds_or_has_queued(testbed: Testbed) -> None:
    """SignalAbort in a secondary completes every command to the server with ERROR_OPERATION_ABORTED, fetched or not."""
    scripted = testbed.scripted(SPREAD)
    tags = [scripted.send(code=VDC_FLUSH, device=device) for device in range(5) for _ in range(2)]
    for device in scripted.devices[:4]:
        device.next_command()
    with judging("ABT-18"):
        _abort(scripted, "the first secondary")
        for client in scripted.clients:
            client.await_abort()
    with judging("ABT-05"):
        scripted.all_aborted(tags)


@vdi_requirement("ABT-06")
def test_no_device_takes_commands_after_an_abort(testbed: Testbed) -> None:
    """After an abort the server's SendCommand answers VD_E_ABORT, and its command ends as ERROR_OPERATION_ABORTED."""
    scripted = testbed.scripted(Scenario(devices=3))
    _abort(scripted, "the primary")
    for index in range(3):
        refused = scripted.try_to_send(code=VDC_FLUSH, device=index)
        refused.expect(VD_E_ABORT)
        seen = scripted.completion()
        if seen is None or (seen.tag, seen.code) != (refused.value, ERROR_OPERATION_ABORTED):
            raise ConformanceFailure(f"a command that device {index} refused did not end with ERROR_OPERATION_ABORTED")


@vdi_requirement("ABT-10")
def test_an_abort_lasts_however_often_it_is_asked_about(testbed: Testbed, kind: Kind) -> None:
    """After SignalAbort GetConfiguration, OpenDevice, GetCommand and CompleteCommand go on answering VD_E_ABORT."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=ALONE_OR_NOT[kind]))
    held = statement.next_data_command()
    statement.primary.signal_abort().expect(NOERROR)
    for client in statement.clients:
        client.await_abort()
        for _ in range(5):
            client.get_configuration(0).expect(VD_E_ABORT)
            client.open_device(statement.set_name).expect(VD_E_ABORT)
            client.create_ex(None, testbed.name(), statement.scenario.config).expect(VD_E_PROTOCOL)
    statement.require_failure()
    for device in statement.devices:
        device.await_abort()
    for _ in range(5):
        for device in statement.devices:
            device.get_command(0).expect(VD_E_ABORT)
        held.device.complete(held).expect(VD_E_ABORT)


@vdi_requirement("ABT-10")
def test_an_abort_lasts_in_every_process_that_it_woke(testbed: Testbed) -> None:
    """Where an abort ended a wait, GetConfiguration, OpenDevice and GetCommand keep answering VD_E_ABORT."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    waiting = begin_to_wait(*scripted.devices)
    _abort(scripted, "the primary")
    for device, later in zip(scripted.devices, waiting, strict=True):
        later.result().expect(VD_E_ABORT)
        for _ in range(3):
            device.client.get_configuration(0).expect(VD_E_ABORT)
            device.client.open_device(scripted.set_name).expect(VD_E_ABORT)
            device.get_command(0).expect(VD_E_ABORT)


@vdi_requirement("CMD-19")
def test_a_null_out_pointer_leaves_a_queue_as_it_is(testbed: Testbed) -> None:
    """GetCommand with a NULL out pointer fails, and all queued commands then come in their order."""
    testbed.need("null_out_pointers", "it needs null out pointers")
    scripted = testbed.scripted(Scenario(features=VDF_LIKE_TAPE))
    tags = [scripted.send(code=VDC_SKIP_BLOCKS, size=1 + number) for number in range(2)]
    for timeout in (0, SOON, 0):
        scripted.device.get_command(timeout, null_out=True).expect_failure()
    for number in range(len(tags)):
        command = scripted.device.next_command()
        assert command.size == 1 + number, f"command {command.size - 1} came where command {number} was the next"
        scripted.device.complete(command).expect(NOERROR)
    scripted.all_ended(tags, 0)


@vdi_requirement("CMD-22")
def test_the_death_of_a_server_ends_the_wait_on_every_device(testbed: Testbed) -> None:
    """A waiting GetCommand answers VD_E_ABORT on every device, in every process, when the server dies."""
    scripted = testbed.scripted(SPREAD)
    limit = testbed.scaled(A_WHILE)
    waiting = [device.send_get_command(limit) for device in scripted.devices]
    for device in scripted.devices:
        device.client.let_others_wait()
    scripted.kill()
    for later in waiting:
        later.result().expect(VD_E_ABORT)
