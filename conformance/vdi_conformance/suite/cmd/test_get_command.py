"""GetCommand: which commands it hands out, on which device, in which order, and what it says at the end."""

import struct

import pytest

from vdi_conformance.harness.device import Device, Fetched
from vdi_conformance.harness.expectations import Answer, PendingAnswer, Result
from vdi_conformance.harness.judging import ConformanceFailure, judging, not_applicable, vdi_requirement
from vdi_conformance.harness.memory import FileSlice
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import fetched_view, mark, require_unchanged
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.host.messages.client import CommandReply
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import INFINITE, VDC_COMMAND_OFFSETS

BARRIER = 20
"""So many commands show that something does not happen."""


@vdi_requirement("CMD-01")
def test_a_statement_asks_for_its_data(statement: StatementRun) -> None:
    """GetCommand gives Write in a BACKUP and Read in a RESTORE, each with a legal size and a buffer."""
    wanted = vdc.VDC_WRITE if statement.kind == "backup" else vdc.VDC_READ
    scenario, codes = statement.scenario, set()
    for command in statement.data_commands():
        codes.add(command.code)
        if not 0 < command.size <= scenario.max_transfer_size or command.size % scenario.block_size:
            raise ConformanceFailure(f"a command is for {command.size} bytes, in blocks of {scenario.block_size}")
        if not command.buffer:
            raise ConformanceFailure("a command for data has no buffer")
        statement.answer(command).expect(NOERROR)
    statement.close()
    statement.require_success(statement.outcome())
    assert wanted in codes, f"no command of a {statement.kind.upper()} moved its data"


@vdi_requirement("CMD-11")
def test_commands_come_in_the_order_in_which_they_were_sent(scripted: ScriptedSet) -> None:
    """GetCommand gives the commands for a device in the order in which the server sent them."""
    buffers = [scripted.allocate() for _ in range(2)]
    for turn in range(8):
        sizes = (512 * (2 * turn + 2), 512 * (2 * turn + 1))
        tags = [scripted.send(buffer, size=size) for buffer, size in zip(buffers, sizes, strict=True)]
        for tag, size in zip(tags, sizes, strict=True):
            command = scripted.device.next_command()
            if command.size != size:
                raise ConformanceFailure(f"a command of {command.size} bytes came where one of {size} was next")
            scripted.device.complete(command, 0, size).expect(NOERROR)
            scripted.completed(tag, 0, size)


@vdi_requirement("CMD-12")
def test_a_device_hands_out_its_own_commands(testbed: Testbed) -> None:
    """A command that the server sends to one device comes out of GetCommand there, and on no other device."""
    scripted = testbed.scripted(Scenario(devices=4, owners=(0, 0, 1, 1)))
    buffers = [scripted.allocate() for _ in scripted.devices]
    for turn in range(4):
        waiting = [device.send_get_command() for device in scripted.devices]
        order = (2, 0, 3, 1)
        tags = [scripted.send(buffers[one], size=512 * (1 + 4 * turn + one), device=one) for one in order]
        for number, later in enumerate(waiting):
            command = later.result().expect(NOERROR)
            if command.size != 512 * (1 + 4 * turn + number):
                raise ConformanceFailure("a device handed out a command that was sent to another one")
            command.device.complete(command, 0, command.size).expect(NOERROR)
        scripted.all_ended(tags, 0)


@vdi_requirement("CMD-13")
def test_several_commands_are_held_at_once(scripted: ScriptedSet) -> None:
    """GetCommand gives further commands before earlier ones are completed, where the server has several outstanding."""
    tags = _send_several(scripted)
    commands = [scripted.device.next_command()]
    with judging("CMD-13"):
        commands += [scripted.device.next_command() for _ in tags[1:]]
    for command in commands:
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
    scripted.all_ended(tags, 0)


def _send_several(scripted: ScriptedSet) -> list[int]:
    """Send up to four Writes of different sizes: how many may be outstanding is not stated, but more than one."""
    sent = [scripted.try_to_send(scripted.allocate(), size=512 * (1 + number)) for number in range(4)]
    return [one.expect(NOERROR) for number, one in enumerate(sent) if number < 2 or one.succeeded]


@vdi_requirement("CMD-14")
def test_a_record_stays_as_it_is_while_another_device_works(testbed: Testbed) -> None:
    """The record of a held command stays unchanged while another device fetches and completes others."""
    statement = testbed.backup(Scenario(devices=2, transfers=BARRIER))
    held, other = statement.hold_all()
    record = _record_of(held)
    statement.answer(other).expect(NOERROR)
    statement.answer_next(other.device, BARRIER // 2)
    _require_records([(held, record)])
    statement.answer(held).expect(NOERROR)
    statement.succeed()


@vdi_requirement("CMD-14")
def test_records_stay_as_they_are_while_others_of_their_device_come_and_go(scripted: ScriptedSet) -> None:
    """The records of held commands stay unchanged while others of the same device are fetched and completed."""
    held: list[tuple[Fetched, bytes]] = []
    for _ in _send_several(scripted):
        command = scripted.device.next_command()
        held.append((command, _record_of(command)))
        _require_records(held)
    while held:
        command, _ = held.pop(0)
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
        _require_records(held)


@OWNERS
@vdi_requirement("CMD-14")
def test_a_record_outlives_many_others(testbed: Testbed, owner: int) -> None:
    """The record of a held command stays unchanged while many others pass over another device of its process."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(owner,)))
    scripted.send(scripted.allocate())
    held = scripted.device.next_command()
    record = _record_of(held)
    for _ in range(BARRIER):
        tag = scripted.send(code=vdc.VDC_FLUSH, device=1)
        scripted.devices[1].complete(scripted.devices[1].next_command()).expect(NOERROR)
        scripted.completed(tag, 0, 0)
        _require_records([(held, record)])
    scripted.device.complete(held, 0, held.size).expect(NOERROR)


@OWNERS
@vdi_requirement("CMD-17")
def test_a_fetched_buffer_is_memory_for_reading_and_writing(testbed: Testbed, kind: Kind, owner: int) -> None:
    """Every byte of the buffer of a held command can be read and written by its fetcher until CompleteCommand."""
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    command = statement.next_data_command()
    if command.size < statement.scenario.max_transfer_size:
        statement.answer(command).expect(NOERROR)
        command = statement.next_data_command()
    process, kept = command.device.client, str(testbed.directory("kept") / "buffer")
    process.save(command.buffer, command.size, kept, 0)
    before = process.digest(command.buffer, command.size)
    require_unchanged(mark(fetched_view(command), command.size, testbed.seed))
    process.fill(command.buffer, FileSlice(kept, 0, command.size))
    assert process.digest(command.buffer, command.size) == before, "the buffer does not hold what was stored in it"
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("CMD-19")
def test_a_null_out_pointer_loses_no_command(testbed: Testbed, restore: StatementRun) -> None:
    """GetCommand with a NULL out pointer fails and loses no command of a RESTORE, which succeeds."""
    testbed.need("null_out_pointers", "it needs null out pointers")
    answer = restore.device.get_command(null_out=True)
    answer.expect_failure()
    answer.observe("Q11", "GetCommand with a null out pointer")
    restore.succeed()


# The end of a device


@vdi_requirement("CMD-05")
def test_every_device_comes_to_its_end(testbed: Testbed) -> None:
    """GetCommand answers VD_E_CLOSE on each of three devices at the end of a RESTORE."""
    statement = testbed.restore(Scenario(devices=3))
    for command in statement.commands():
        statement.answer_any(command).expect(NOERROR)
    statement.close()
    statement.require_success(statement.outcome())


@pytest.mark.parametrize("waits", [False, True], ids=["before", "while it waits"])
@vdi_requirement("CMD-05")
def test_a_device_that_the_server_closes_is_at_its_end(scripted: ScriptedSet, waits: bool) -> None:
    """GetCommand answers VD_E_CLOSE when the server has closed the device, before the call or while it waits."""
    waiting = scripted.device.send_get_command(INFINITE) if waits else None
    scripted.primary.get_configuration().expect(NOERROR)
    scripted.close_device(0)
    result = scripted.device.get_command(INFINITE) if waiting is None else waiting.result()
    result.expect(VD_E_CLOSE)


@vdi_requirement("CMD-06")
def test_what_was_sent_before_a_close_is_handed_out_before_it(scripted: ScriptedSet) -> None:
    """GetCommand gives the commands, one of them a Write, that were queued before the close, and then VD_E_CLOSE."""
    assert scripted.passes(0, 1), "the set was aborted"
    tags = [scripted.send(code=vdc.VDC_FLUSH), scripted.send(scripted.allocate())]
    if scripted.server.close_device(scripted.set_name).code != NOERROR:
        not_applicable("the server role closes no device with commands outstanding")
    # What becomes of such commands is left open.
    scripted.tolerated.update(tags)
    for _ in tags:
        with judging("CMD-06"):
            command = scripted.device.next_command()
        scripted.device.complete(command).observe("Q22", "CompleteCommand of a command that a close left outstanding")
    scripted.device.get_command().expect(VD_E_CLOSE, by="CMD-05")


@vdi_requirement("CMD-07")
def test_the_end_of_one_device_is_not_that_of_another(testbed: Testbed) -> None:
    """When the server has closed one device, a wait on another goes on, and commands still pass over the others."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 0, 1)))
    waiting = scripted.devices[1].send_get_command()
    scripted.close_device(0)
    scripted.devices[0].get_command().expect(VD_E_CLOSE)
    scripted.send(code=vdc.VDC_FLUSH, device=1)
    scripted.devices[1].complete(waiting.result().expect(NOERROR)).expect(NOERROR)
    scripted.check_completions()
    assert all(scripted.passes(device, BARRIER) for device in (1, 2)), "the close of a device aborted the set"


@vdi_requirement("CMD-10")
def test_nothing_comes_after_the_end(testbed: Testbed) -> None:
    """GetCommand, called again after VD_E_CLOSE on all devices, answers VD_E_CLOSE or VD_E_PROTOCOL."""
    statement = testbed.backup(Scenario(devices=2))
    statement.run_out()
    for device in statement.devices:
        _require_end(device, "GetCommand again after VD_E_CLOSE, all devices closed")
    statement.close()


@vdi_requirement("CMD-10")
def test_nothing_comes_after_the_end_while_others_go_on(testbed: Testbed) -> None:
    """GetCommand, called again after VD_E_CLOSE while another device is open, answers VD_E_CLOSE or VD_E_PROTOCOL."""
    scripted = testbed.scripted(Scenario(devices=2))
    scripted.close_device(0)
    scripted.devices[0].get_command().expect(VD_E_CLOSE)
    _require_end(scripted.devices[0], "GetCommand again after VD_E_CLOSE, others active")
    assert scripted.passes(1, BARRIER), "the set was aborted"


def _require_end(device: Device, subject: str) -> None:
    for timeout in (INFINITE, 0):
        device.get_command(timeout).permit("Q5", subject, VD_E_CLOSE, VD_E_PROTOCOL)


# Threads


@vdi_requirement("CMD-20")
def test_a_device_goes_from_thread_to_thread(testbed: Testbed) -> None:
    """A RESTORE succeeds where GetCommand and CompleteCommand are called in several threads, one after the other."""
    statement = testbed.restore(Scenario(transfers=8))
    device, turn = statement.device, 0
    while (result := device.get_command(thread=f"thread {turn % 3}")).code == NOERROR:
        command = result.expect(NOERROR)
        thread = f"thread {(turn + turn // 3) % 3}"
        if command.code in vdc.DATA_COMMANDS:
            statement.answer(command, thread=thread).expect(NOERROR)
        else:
            device.complete(command, thread=thread).expect(NOERROR)
        turn += 1
    result.expect(VD_E_CLOSE)
    statement.close()
    statement.require_success(statement.outcome())


@vdi_requirement("CMD-21")
def test_threads_that_fetch_at_once_share_the_commands(testbed: Testbed) -> None:
    """How GetCommand calls of two threads at once on one device end is recorded; they are outside the contract."""
    backup = testbed.backup(Scenario(transfers=8))
    testbed.outside_contract(
        "Q45", "the end of GetCommand calls at once", lambda: _fetch_in_two_threads(testbed, backup)
    )


def _fetch_in_two_threads(testbed: Testbed, backup: StatementRun) -> Answer:
    """Let both fetch and complete to the end; give what the first one that came to it was told."""

    def fetch(thread: str) -> PendingAnswer[CommandReply, Result[Fetched]]:
        return backup.device.send_get_command(testbed.scaled(1000), thread=thread)

    calls = {thread: fetch(thread) for thread in ("one thread", "another thread")}
    ends = []
    while calls:
        testbed.session.supervisor.wait_for_one([call.pending for call in calls.values()])
        for thread in [thread for thread, call in calls.items() if call.done]:
            result = calls.pop(thread).result()
            if result.succeeded:
                backup.answer_any(result.expect(NOERROR)).expect(NOERROR)
                calls[thread] = fetch(thread)
            else:
                ends.append(result)
    return ends[0]


def _members_of(command: Fetched) -> bytes:
    """Read a command's record as far as it has members: a short pointer leaves room behind it that nobody keeps."""
    client = command.device.client
    pointer = client.host.initialized.process.pointer_bytes
    return client.read(command.address, VDC_COMMAND_OFFSETS["buffer"] + pointer)


def _record_of(command: Fetched) -> bytes:
    """Read a command's record, which must say what was handed out."""
    record = _members_of(command)
    # These members lie at the same places everywhere.
    if struct.unpack_from("<IIQ", record) != (command.code, command.size, command.position):
        raise ConformanceFailure("a record says otherwise than GetCommand told")
    return record


def _require_records(held: list[tuple[Fetched, bytes]]) -> None:
    for command, record in held:
        if _members_of(command) != record:
            raise ConformanceFailure("the record of a command changed before it was completed")
