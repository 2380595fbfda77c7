"""CompleteCommand: what it delivers, whom it obeys, and which commands it refuses."""

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import Device, Fetched
from vdi_conformance.harness.judging import judging, not_applicable, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import handle_of, mapped_view
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_INVALID, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDC_COMMAND_SIZE

CODES = (0, 38, 112, 1100, 1101, 1104, 1129, 50, 995, 29, 12345, 0xFFFF)
GARBAGE = 0xFEDCBA9876543210


@OWNERS
@pytest.mark.parametrize("code", [vdc.VDC_READ, vdc.VDC_WRITE, vdc.VDC_FLUSH], ids=["Read", "Write", "Flush"])
@vdi_requirement("CMP-01")
def test_code_count_and_position_reach_the_server(testbed: Testbed, owner: int, code: int) -> None:
    """CompleteCommand answers NOERROR for an active command, and delivers its code and byte count to the server."""
    scripted = testbed.scripted(Scenario(owners=(owner,)), features=vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA)
    buffer = scripted.allocate() if code in vdc.DATA_COMMANDS else 0
    tag = scripted.send(buffer, code)
    command = scripted.device.next_command()
    assert (command.code, command.size) == (code, scripted.scenario.max_transfer_size if buffer else 0)
    count = 4096 if buffer else 0
    scripted.device.complete(command, win32.ERROR_SUCCESS, count).expect(NOERROR)
    scripted.completed(tag, win32.ERROR_SUCCESS, count)


@pytest.mark.parametrize("code", CODES, ids=win32.name_of)
@vdi_requirement("CMP-02")
def test_every_completion_code_passes_unchanged(scripted: ScriptedSet, code: int) -> None:
    """CompleteCommand passes any completion code to the server unchanged."""
    tag = scripted.send(code=vdc.VDC_FLUSH)
    scripted.device.complete(scripted.device.next_command(), code).expect(NOERROR)
    scripted.completed(tag, code, 0)


@OWNERS
@vdi_requirement("CMP-03")
def test_a_command_is_completed_once(testbed: Testbed, kind: Kind, owner: int) -> None:
    """CompleteCommand answers VD_E_INVALID for a command that was completed already."""
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    command = statement.next_data_command()
    statement.answer(command).expect(NOERROR)
    statement.device.complete(command.address, win32.ERROR_SUCCESS, command.size).expect(VD_E_INVALID)
    statement.succeed()


@OWNERS
@vdi_requirement("CMP-03", "CMP-20")
def test_a_second_completion_never_reaches_the_server(testbed: Testbed, owner: int) -> None:
    """A second CompleteCommand of a command is refused, and the server sees the first one alone."""
    scripted = testbed.scripted(Scenario(owners=(owner,)))
    tag = scripted.send(code=vdc.VDC_FLUSH)
    command = scripted.device.next_command()
    scripted.device.complete(command, win32.ERROR_SUCCESS).expect(NOERROR, by="CMP-01")
    scripted.device.complete(command.address, win32.ERROR_DISK_FULL).expect(VD_E_INVALID, by="CMP-03")
    with judging("CMP-20"):
        scripted.completed(tag, win32.ERROR_SUCCESS, 0)
    marker = scripted.send(code=vdc.VDC_FLUSH)
    scripted.device.complete(scripted.device.next_command(), win32.ERROR_SUCCESS).expect(NOERROR, by="CMP-01")
    with judging("CMP-20"):
        scripted.completed(marker, win32.ERROR_SUCCESS, 0)


@vdi_requirement("CMP-03")
def test_a_record_of_the_callers_own_is_no_command(statement: StatementRun) -> None:
    """CompleteCommand answers VD_E_INVALID for a record of the caller's own."""
    command = statement.next_data_command()
    own = statement.primary.allocate(VDC_COMMAND_SIZE)
    statement.device.complete(own, win32.ERROR_SUCCESS, command.size).expect(VD_E_INVALID)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("CMP-04")
def test_a_null_command_is_refused(statement: StatementRun) -> None:
    """CompleteCommand answers VD_E_INVALID for a NULL command pointer, without a crash."""
    command = statement.next_data_command()
    statement.device.complete(0, win32.ERROR_SUCCESS, command.size).expect(VD_E_INVALID)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@OWNERS
@alternating_direction("by", ["fetcher", "another process"])
@vdi_requirement("CMP-05")
def test_after_an_abort_no_result_is_taken(testbed: Testbed, kind: Kind, owner: int, by: str) -> None:
    """After an abort CompleteCommand answers VD_E_ABORT and the statement fails."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    command = statement.next_data_command()
    aborter = statement.clients[owner if by == "fetcher" else 1 - owner]
    aborter.signal_abort().expect(NOERROR)
    statement.device.await_abort()
    statement.answer(command).expect(VD_E_ABORT)
    assert not statement.outcome().succeeded, "the statement succeeded although it was aborted"


@pytest.mark.parametrize("by", ["client", "server"])
@vdi_requirement("CMP-05")
def test_after_an_abort_the_server_sees_the_abort_alone(scripted: ScriptedSet, by: str) -> None:
    """After an abort CompleteCommand answers VD_E_ABORT, and the server sees the command aborted."""
    tag = scripted.send(code=vdc.VDC_FLUSH)
    command = scripted.device.next_command()
    if by == "client":
        scripted.aborted = True
        scripted.primary.signal_abort().expect(NOERROR)
    else:
        scripted.signal_abort()
    scripted.device.await_abort()
    scripted.device.complete(command, win32.ERROR_SUCCESS).expect(VD_E_ABORT)
    scripted.aborted_command(tag)


@OWNERS
@vdi_requirement("CMP-06")
def test_a_closed_device_completes_nothing(testbed: Testbed, kind: Kind, owner: int) -> None:
    """CompleteCommand answers VD_E_PROTOCOL on a device that the server has closed."""
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    command = statement.next_data_command()
    statement.answer(command).expect(NOERROR)
    statement.run_out()
    statement.device.complete(command.address, win32.ERROR_SUCCESS, command.size).expect(VD_E_PROTOCOL)
    statement.close()


@vdi_requirement("CMP-06")
def test_a_device_closed_before_the_others_completes_nothing(testbed: Testbed) -> None:
    """CompleteCommand on a closed device is refused while others are active, and harms none of these."""
    scripted = testbed.scripted(Scenario(devices=2))
    first = scripted.send(code=vdc.VDC_FLUSH)
    command = scripted.device.next_command()
    scripted.device.complete(command).expect(NOERROR)
    scripted.completed(first, 0, 0)
    scripted.close_device(0)
    scripted.device.get_command().expect(VD_E_CLOSE)
    result = scripted.device.complete(command.address)
    result.permit("Q22", "CompleteCommand on a closed device, others active", VD_E_PROTOCOL, VD_E_INVALID)
    tag = scripted.send(code=vdc.VDC_FLUSH, device=1)
    scripted.devices[1].complete(scripted.devices[1].next_command()).expect(NOERROR)
    scripted.completed(tag, 0, 0)


@vdi_requirement("CMP-07")
def test_the_count_of_a_command_without_data_means_nothing(backup: StatementRun) -> None:
    """CompleteCommand accepts any byte count of a command without data, and the BACKUP succeeds."""
    _complete_each_non_data_command(backup, 777)


@vdi_requirement("CMP-08")
def test_the_size_of_a_command_without_data_is_accepted_as_its_count(backup: StatementRun) -> None:
    """A BACKUP succeeds whose commands without data are completed with their size as byte count."""
    _complete_each_non_data_command(backup, None)


def _complete_each_non_data_command(statement: StatementRun, count: int | None) -> None:
    """Run to the end; `count` None stands for the command's own size."""
    for command in statement.commands():
        if command.code in vdc.DATA_COMMANDS:
            statement.answer(command).expect(NOERROR)
        else:
            bytes_transferred = command.size if count is None else count
            command.device.complete(command, win32.ERROR_SUCCESS, bytes_transferred).expect(NOERROR)
    statement.close()
    statement.require_success(statement.outcome())


@pytest.mark.parametrize(
    "code",
    [vdc.VDC_FLUSH, vdc.VDC_CLEAR_ERROR, vdc.VDC_SNAPSHOT, vdc.VDC_COMPLETE],
    ids=["Flush", "ClearError", "Snapshot", "Complete"],
)
@vdi_requirement("CMP-08")
def test_every_command_without_data_takes_its_size_as_count(scripted: ScriptedSet, code: int) -> None:
    """CompleteCommand accepts the size as byte count of every command without data."""
    sent = scripted.try_to_send(code=code, size=3)
    if not sent.succeeded and code != vdc.VDC_FLUSH:
        not_applicable("the server role does not send such a command out of place")
    sent.expect(NOERROR)
    command = scripted.device.next_command()
    scripted.device.complete(command, win32.ERROR_SUCCESS, command.size).expect(NOERROR)


@vdi_requirement("CMP-09")
def test_the_position_of_a_transfer_means_nothing(statement: StatementRun) -> None:
    """CompleteCommand accepts any position for a Read or Write, and the statement succeeds."""
    for number, command in enumerate(statement.data_commands()):
        position = (GARBAGE, 0, command.position, 4096)[number % 4]
        statement.answer(command, position=position).expect(NOERROR)
    statement.close()
    statement.require_success(statement.outcome())


@vdi_requirement("CMP-10")
def test_a_position_arrives_with_all_its_bits(testbed: Testbed) -> None:
    """The server sees all 64 bits of the position that a GetPosition was completed with."""
    scripted = testbed.scripted(Scenario(features=vdc.VDF_LIKE_TAPE))
    for position in (0, 0x123456789ABCDEF0, GARBAGE, 0xFFFFFFFF, 1 << 32):
        tag = scripted.send(code=vdc.VDC_GET_POSITION)
        scripted.device.complete(scripted.device.next_command(), 0, 0, position).expect(NOERROR)
        scripted.completed(tag, 0, 0, position)


@vdi_requirement("CMP-12")
def test_commands_of_one_device_are_completed_in_any_order(scripted: ScriptedSet) -> None:
    """Two commands of one device may be completed in reverse order, and each keeps its own byte count."""
    tags = [scripted.send(scripted.allocate()) for _ in range(2)]
    commands = [scripted.device.next_command() for _ in tags]
    counts = {tag: 512 * (index + 1) for index, tag in enumerate(tags)}
    for tag, command in reversed(list(zip(tags, commands, strict=True))):
        scripted.device.complete(command, win32.ERROR_SUCCESS, counts[tag]).expect(NOERROR)
    # The server may be told in the order in which it sent them.
    seen = [completion for _ in tags if (completion := scripted.completion()) is not None]
    assert {one.tag: one.bytes_transferred for one in seen} == counts, "commands were completed with other values"


@pytest.mark.parametrize("buffers", [1, 2], ids=["one buffer", "two buffers"])
@vdi_requirement("CMP-13")
def test_a_small_pool_carries_a_long_stream(testbed: Testbed, kind: Kind, buffers: int) -> None:
    """A statement with one or two buffers goes through many transfers, since completing hands the buffer back."""
    statement = testbed.statement(kind, Scenario(buffer_count=buffers, transfers=16, secondaries=1))
    command = statement.next_data_command()
    mapped_view(statement.secondaries[0], handle_of(command))
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("CMP-13")
def test_a_completed_buffer_is_the_servers_at_once(scripted: ScriptedSet, secondary: Client) -> None:
    """The server may use a completed command's buffer again at once, and its new bytes show."""
    buffer = scripted.allocate()
    for turn in range(8):
        scripted.server.write(buffer, bytes([turn + 1]) * 512)
        tag = scripted.send(buffer)
        command = scripted.device.next_command()
        view = mapped_view(secondary, handle_of(command))
        assert secondary.read(view.address, 512) == bytes([turn + 1]) * 512, "the buffer shows older bytes"
        scripted.device.complete(command, win32.ERROR_SUCCESS, command.size).expect(NOERROR)
        scripted.completed(tag, win32.ERROR_SUCCESS, command.size)


@OWNERS
@vdi_requirement("CMP-14")
def test_another_thread_of_the_fetcher_completes(testbed: Testbed, kind: Kind, owner: int) -> None:
    """A command may be completed by another thread than the one that fetched it."""
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    command = statement.next_data_command()
    statement.answer(command, thread="another thread").expect(NOERROR)
    statement.succeed()


@pytest.mark.parametrize("fetcher", [0, 1], ids=["primary fetched", "secondary fetched"])
@vdi_requirement("CMP-15")
def test_who_only_mapped_cannot_complete(testbed: Testbed, kind: Kind, fetcher: int) -> None:
    """CompleteCommand is refused in a process that only mapped the buffer, and leaves the command active."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(fetcher, 1 - fetcher), secondaries=1))
    command = statement.next_data_command()
    mapper = statement.devices[1]
    mapped_view(mapper.client, handle_of(command))
    # The death of a primary ends the set, and that of a secondary may (Q62).
    if _survives_foreign(testbed, mapper, command):
        statement.answer(command).expect(NOERROR)
        statement.succeed()


@vdi_requirement("CMP-15", "CMP-20")
def test_a_completion_by_the_mapper_never_reaches_the_server(testbed: Testbed) -> None:
    """The server sees no completion by a process that only mapped the buffer, but the fetcher's alone."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    fetcher, mapper = scripted.devices
    tags = [scripted.send(scripted.allocate(), device=device) for device in (0, 0, 1)]
    mine, held = [fetcher.next_command(), fetcher.next_command()], mapper.next_command()
    # Records may lie at equal numbers in both processes; two of one process never do.
    foreign = next(command for command in mine if command.address != held.address)
    mapped_view(mapper.client, handle_of(foreign))
    if not _survives_foreign(testbed, mapper, foreign):
        return
    for tag, command in zip(tags, mine, strict=False):
        fetcher.complete(command, win32.ERROR_SUCCESS, command.size).expect(NOERROR, by="CMP-15")
        with judging("CMP-20"):
            scripted.completed(tag, win32.ERROR_SUCCESS, command.size)
    mapper.complete(held, win32.ERROR_SUCCESS, 1024).expect(NOERROR, by="CMP-01")
    with judging("CMP-20"):
        scripted.completed(tags[2], win32.ERROR_SUCCESS, 1024)


def _survives_foreign(testbed: Testbed, mapper: Device, command: Fetched) -> bool:
    """Complete a command where it was not fetched; tell whether the process survived it."""
    answer = testbed.outside_contract(
        "Q61",
        "CompleteCommand of another process's command",
        lambda: mapper.complete(command.address, win32.ERROR_DISK_FULL, 512),
    )
    if answer is not None and answer.code == NOERROR:
        answer.expect(VD_E_INVALID, by="CMP-15")
    return answer is not None


@vdi_requirement("CMP-17")
def test_the_end_of_data_comes_with_its_last_bytes(testbed: Testbed) -> None:
    """A Read completed with ERROR_HANDLE_EOF and 1000 bytes reaches the server with both."""
    scripted = testbed.scripted(features=vdc.VDF_READ_MEDIA)
    tag = scripted.send(scripted.allocate(), vdc.VDC_READ)
    scripted.device.complete(scripted.device.next_command(), win32.ERROR_HANDLE_EOF, 1000).expect(NOERROR)
    scripted.completed(tag, win32.ERROR_HANDLE_EOF, 1000)


@vdi_requirement("CMP-18")
def test_a_completion_needs_no_further_call(scripted: ScriptedSet) -> None:
    """The server sees a completion without any further call of the client."""
    first = scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    scripted.device.complete(command, win32.ERROR_SUCCESS, command.size).expect(NOERROR)
    scripted.device.get_command(0).expect(VD_E_TIMEOUT, by="CMD-02")
    scripted.completed(first, win32.ERROR_SUCCESS, command.size)
    for _ in range(3):
        tag = scripted.send(scripted.allocate())
        # That it comes after a further call, which nobody makes here, breaks no more than this requirement.
        scripted.tolerated.add(tag)
        command = scripted.device.next_command()
        scripted.device.complete(command, win32.ERROR_SUCCESS, command.size).expect(NOERROR, by="CMP-01")
        with judging("CMP-18"):
            scripted.completed(tag, win32.ERROR_SUCCESS, command.size)


@vdi_requirement("CMP-19")
def test_a_copy_of_a_command_counts_once_at_most(scripted: ScriptedSet) -> None:
    """A copy of a command's record is refused or accepted, and the server sees one completion of the command."""
    tag = scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    copy = scripted.primary.allocate(VDC_COMMAND_SIZE)
    scripted.primary.write(copy, scripted.primary.read(command.address, VDC_COMMAND_SIZE))
    answer = scripted.device.complete(copy, win32.ERROR_SUCCESS, 512)
    accepted = answer.permit("Q59", "CompleteCommand of a copy", VD_E_INVALID, NOERROR) == NOERROR
    if accepted:
        scripted.tolerated.add(tag)
    scripted.device.complete(command, win32.ERROR_SUCCESS, 1024).expect(VD_E_INVALID if accepted else NOERROR)
    scripted.completed(tag, win32.ERROR_SUCCESS, 512 if accepted else 1024)


@vdi_requirement("CMP-19")
def test_a_command_of_another_device_counts_once_at_most(testbed: Testbed) -> None:
    """Another device's command is refused or accepted, and the server sees one completion of it."""
    scripted = testbed.scripted(Scenario(devices=2))
    tag = scripted.send(scripted.allocate())
    scripted.send(scripted.allocate(), device=1)
    command, other = scripted.devices[0].next_command(), scripted.devices[1].next_command()
    answer = scripted.devices[1].complete(command.address, win32.ERROR_SUCCESS, 512)
    accepted = answer.permit("Q59", "CompleteCommand on another device", VD_E_INVALID, NOERROR) == NOERROR
    if accepted:
        scripted.tolerated.add(tag)
    scripted.devices[0].complete(command, win32.ERROR_SUCCESS, 1024).expect(VD_E_INVALID if accepted else NOERROR)
    scripted.completed(tag, win32.ERROR_SUCCESS, 512 if accepted else 1024)
    scripted.devices[1].complete(other, win32.ERROR_SUCCESS, 2048).expect(NOERROR)


@vdi_requirement("CMP-20")
def test_many_commands_of_many_processes_are_completed_once_each(testbed: Testbed) -> None:
    """The server sees each accepted completion of three processes once, with the values it was given."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 1, 2), buffer_count=6))
    buffers = [scripted.allocate() for _ in range(6)]
    for turn in range(12):
        held = []
        for number, buffer in enumerate(buffers):
            scripted.send(buffer, device=number % 3)
            held.append(scripted.devices[number % 3].next_command())
        for number, command in enumerate(held):
            command.device.complete(command, win32.ERROR_SUCCESS, 512 * (1 + (turn + number) % 64)).expect(NOERROR)
    scripted.check_completions()


@vdi_requirement("CMP-20")
def test_an_abort_leaves_no_command_unanswered(testbed: Testbed) -> None:
    """At an abort the server sees every command end, whether completed, fetched or still queued."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1), buffer_count=6))
    tags = {scripted.send(scripted.allocate(), device=number % 2) for number in range(4)}
    first, second = scripted.devices[0].next_command(), scripted.devices[1].next_command()
    second.device.complete(second, win32.ERROR_SUCCESS, 512).expect(NOERROR)
    scripted.aborted = True
    scripted.secondaries[0].signal_abort().expect(NOERROR, by="ABT-01")
    with judging("CMD-08"):
        first.device.await_abort()
    first.device.complete(first, win32.ERROR_SUCCESS, 512).expect(VD_E_ABORT, by="CMP-05")
    seen = {completion.tag for _ in tags if (completion := scripted.completion()) is not None}
    assert seen == tags, f"commands {sorted(tags - seen)} were never completed for the server"
