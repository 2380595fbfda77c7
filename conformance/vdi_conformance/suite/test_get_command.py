"""GetCommand: which commands it hands out, on which device, in which order, and what it says at the end."""

import struct

import pytest

from vdi_conformance.host.messages.client import CommandReply
from vdi_conformance.suite.device import Device, Fetched
from vdi_conformance.suite.judging import ConformanceFailure, judges, not_applicable
from vdi_conformance.suite.memory import FileSlice
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.outcomes import Answer, Later, Result
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.sharing import fetched_view, mark, require_unchanged
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import INFINITE, VDC_COMMAND_SIZE

BARRIER = 20
"""So many commands show that something does not happen."""


@judges("CMD-01")
def test_a_statement_asks_for_its_data(operation: Operation) -> None:
    wanted = vdc.VDC_WRITE if operation.kind == "backup" else vdc.VDC_READ
    geometry, codes = operation.geometry, set()
    for command in operation.data_commands():
        codes.add(command.code)
        if not 0 < command.size <= geometry.max_transfer_size or command.size % geometry.block_size:
            raise ConformanceFailure(f"a command is for {command.size} bytes, in blocks of {geometry.block_size}")
        if not command.buffer:
            raise ConformanceFailure("a command for data has no buffer")
        operation.answer(command).expect(NOERROR)
    operation.close()
    operation.require_success(operation.outcome())
    assert wanted in codes, f"no command of a {operation.kind.upper()} moved its data"


@judges("CMD-11")
def test_commands_come_in_the_order_in_which_they_were_sent(scripted: Scripted) -> None:
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


@judges("CMD-12")
def test_a_device_hands_out_its_own_commands(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=4, owners=(0, 0, 1, 1)))
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


@judges("CMD-13")
def test_several_commands_are_held_at_once(scripted: Scripted) -> None:
    tags = _send_several(scripted)
    for command in [scripted.device.next_command() for _ in tags]:
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
    scripted.all_ended(tags, 0)


def _send_several(scripted: Scripted) -> list[int]:
    """Send up to four Writes of different sizes: how many may be outstanding is not stated, but more than one."""
    sent = [scripted.try_to_send(scripted.allocate(), size=512 * (1 + number)) for number in range(4)]
    return [one.expect(NOERROR) for number, one in enumerate(sent) if number < 2 or one.succeeded]


@judges("CMD-14")
def test_a_record_stays_as_it_is_while_another_device_works(stage: Stage) -> None:
    operation = stage.backup(Geometry(devices=2, transfers=BARRIER))
    held, other = operation.hold_all()
    record = _record_of(held)
    operation.answer(other).expect(NOERROR)
    operation.answer_next(other.device, BARRIER // 2)
    _require_records([(held, record)])
    operation.answer(held).expect(NOERROR)
    operation.succeed()


@judges("CMD-14")
def test_records_stay_as_they_are_while_others_of_their_device_come_and_go(scripted: Scripted) -> None:
    held: list[tuple[Fetched, bytes]] = []
    for _ in _send_several(scripted):
        command = scripted.device.next_command()
        held.append((command, _record_of(command)))
        _require_records(held)
    while held:
        command, _ = held.pop(0)
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
        _require_records(held)


@judges("CMD-14")
def test_a_record_outlives_many_others(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=2))
    scripted.send(scripted.allocate())
    held = scripted.device.next_command()
    record = _record_of(held)
    for _ in range(BARRIER):
        tag = scripted.send(code=vdc.VDC_FLUSH, device=1)
        scripted.devices[1].complete(scripted.devices[1].next_command()).expect(NOERROR)
        scripted.completed(tag, 0, 0)
        _require_records([(held, record)])
    scripted.device.complete(held, 0, held.size).expect(NOERROR)


@judges("CMD-17")
def test_a_fetched_buffer_is_memory_for_reading_and_writing(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind)
    command = operation.next_data_command()
    if command.size < operation.geometry.max_transfer_size:
        operation.answer(command).expect(NOERROR)
        command = operation.next_data_command()
    process, kept = operation.primary, str(stage.directory("kept") / "buffer")
    process.save(command.buffer, command.size, kept, 0)
    before = process.digest(command.buffer, command.size)
    require_unchanged(mark(fetched_view(command), command.size, stage.seed))
    process.fill(command.buffer, FileSlice(kept, 0, command.size))
    assert process.digest(command.buffer, command.size) == before, "the buffer does not hold what was stored in it"
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("CMD-19")
def test_a_null_out_pointer_loses_no_command(stage: Stage, restore: Operation) -> None:
    stage.need("null_out_pointers", "it needs null out pointers")
    answer = restore.device.get_command(null_out=True)
    answer.require_failure()
    answer.record("Q11", "GetCommand with a null out pointer")
    restore.succeed()


# The end of a device


@judges("CMD-05")
def test_every_device_comes_to_its_end(stage: Stage) -> None:
    operation = stage.restore(Geometry(devices=3))
    for command in operation.commands():
        operation.answer_any(command).expect(NOERROR)
    operation.close()
    operation.require_success(operation.outcome())


@pytest.mark.parametrize("waits", [False, True], ids=["before", "while it waits"])
@judges("CMD-05")
def test_a_device_that_the_server_closes_is_at_its_end(scripted: Scripted, waits: bool) -> None:
    waiting = scripted.device.send_get_command(INFINITE) if waits else None
    scripted.primary.get_configuration().expect(NOERROR)
    scripted.close_device(0)
    result = scripted.device.get_command(INFINITE) if waiting is None else waiting.result()
    result.require(VD_E_CLOSE)


@judges("CMD-06")
def test_what_was_sent_before_a_close_is_handed_out_before_it(scripted: Scripted) -> None:
    tags = [scripted.send(code=vdc.VDC_FLUSH) for _ in range(2)]
    if scripted.server.close_device(scripted.set_name).code != NOERROR:
        not_applicable("the server role closes no device with commands outstanding")
    # What becomes of such commands is left open.
    scripted.tolerated.update(tags)
    for _ in tags:
        command = scripted.device.next_command()
        scripted.device.complete(command).record("Q22", "CompleteCommand of a command that a close left outstanding")
    scripted.device.get_command().require(VD_E_CLOSE)


@judges("CMD-07")
def test_the_end_of_one_device_is_not_that_of_another(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=3, owners=(0, 0, 1)))
    waiting = scripted.devices[1].send_get_command()
    scripted.close_device(0)
    scripted.devices[0].get_command().require(VD_E_CLOSE)
    scripted.send(code=vdc.VDC_FLUSH, device=1)
    scripted.devices[1].complete(waiting.result().expect(NOERROR)).expect(NOERROR)
    scripted.check_completions()
    assert all(scripted.passes(device, BARRIER) for device in (1, 2)), "the close of a device aborted the set"


@judges("CMD-10")
def test_nothing_comes_after_the_end(stage: Stage) -> None:
    operation = stage.backup(Geometry(devices=2))
    operation.run_out()
    for device in operation.devices:
        _require_end(device, "GetCommand again after VD_E_CLOSE, all devices closed")
    operation.close()


@judges("CMD-10")
def test_nothing_comes_after_the_end_while_others_go_on(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=2))
    scripted.close_device(0)
    scripted.devices[0].get_command().require(VD_E_CLOSE)
    _require_end(scripted.devices[0], "GetCommand again after VD_E_CLOSE, others active")
    assert scripted.passes(1, BARRIER), "the set was aborted"


def _require_end(device: Device, subject: str) -> None:
    for timeout in (INFINITE, 0):
        device.get_command(timeout).permit("Q5", subject, VD_E_CLOSE, VD_E_PROTOCOL)


# Threads


@judges("CMD-20")
def test_a_device_goes_from_thread_to_thread(stage: Stage) -> None:
    operation = stage.restore(Geometry(transfers=8))
    device, turn = operation.device, 0
    while (result := device.get_command(thread=f"thread {turn % 3}")).code == NOERROR:
        command = result.expect(NOERROR)
        thread = f"thread {(turn + turn // 3) % 3}"
        if command.code in vdc.DATA_COMMANDS:
            operation.answer(command, thread=thread).expect(NOERROR)
        else:
            device.complete(command, thread=thread).expect(NOERROR)
        turn += 1
    result.require(VD_E_CLOSE)
    operation.close()
    operation.require_success(operation.outcome())


@judges("CMD-21")
def test_threads_that_fetch_at_once_share_the_commands(stage: Stage) -> None:
    backup = stage.backup(Geometry(transfers=8))
    stage.outside_contract("Q45", "the end of GetCommand calls at once", lambda: _fetch_in_two_threads(stage, backup))


def _fetch_in_two_threads(stage: Stage, backup: Operation) -> Answer:
    """Let both fetch and complete to the end; give what the first one that came to it was told."""

    def fetch(thread: str) -> Later[CommandReply, Result[Fetched]]:
        return backup.device.send_get_command(stage.scaled(1000), thread=thread)

    calls = {thread: fetch(thread) for thread in ("one thread", "another thread")}
    ends = []
    while calls:
        stage.bench.supervisor.wait_for_one([call.pending for call in calls.values()])
        for thread in [thread for thread, call in calls.items() if call.done]:
            result = calls.pop(thread).result()
            if result.succeeded:
                backup.answer_any(result.expect(NOERROR)).expect(NOERROR)
                calls[thread] = fetch(thread)
            else:
                ends.append(result)
    return ends[0]


def _record_of(command: Fetched) -> bytes:
    """Read a command's record, which must say what was handed out."""
    record = command.device.participant.read(command.address, VDC_COMMAND_SIZE)
    # These members lie at the same places everywhere.
    if struct.unpack_from("<IIQ", record) != (command.code, command.size, command.position):
        raise ConformanceFailure("a record says otherwise than GetCommand told")
    return record


def _require_records(held: list[tuple[Fetched, bytes]]) -> None:
    for command, record in held:
        if command.device.participant.read(command.address, VDC_COMMAND_SIZE) != record:
            raise ConformanceFailure("the record of a command changed before it was completed")
