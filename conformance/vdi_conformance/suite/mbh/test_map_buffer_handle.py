"""MapBufferHandle: that what is mapped is the same memory, in every process that has the set open, and there alone."""

import random

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.memory import PAGE
from vdi_conformance.harness.parametrizations import OWNER_NAMES, OWNERS, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    is_inside,
    mapped_view,
    need_different_addresses,
    require_same_contents,
    require_same_memory,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import MAX_TRANSFER_SIZE, VDConfig

UNLIKELY_HANDLES = (0, 1, 0xFFFFFFFF)


@vdi_requirement("MBH-01", "CMP-15")
def test_bytes_stored_by_a_secondary_reach_the_server(restore: StatementRun, secondary: Client) -> None:
    command = restore.primary.next_data_command()
    handle = restore.primary.get_buffer_handle(command.buffer).expect(NOERROR)
    address = secondary.map_buffer_handle(handle).expect(NOERROR)
    secondary.fill(address, restore.content(command))
    restore.primary.complete(command, ERROR_SUCCESS, command.size).expect(NOERROR)
    restore.succeed()


@OWNERS
@vdi_requirement("MBH-02")
def test_processes_see_one_memory_at_their_own_addresses(testbed: Testbed, kind: Kind, owner: int) -> None:
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=2))
    mappers = [client for client in statement.clients if client is not statement.clients[owner]]
    for number in range(4):
        command = statement.next_data_command()
        handle = handle_of(command)
        views = [fetched_view(command), *(mapped_view(mapper, handle) for mapper in mappers)]
        require_same_memory(command.size, *views, seed=testbed.seed + number)
        need_different_addresses(*views)
        statement.answer(command).expect(NOERROR)


@alternating_direction("transfer", [65536, 131072, 1048576, MAX_TRANSFER_SIZE, MAX_TRANSFER_SIZE])
@vdi_requirement("MBH-02")
def test_large_buffers_are_shared_to_their_last_byte(testbed: Testbed, kind: Kind, transfer: int) -> None:
    statement = testbed.statement(kind, Scenario(max_transfer_size=transfer, secondaries=1, buffer_count=3))
    for number in range(2):
        command = statement.next_data_command()
        view = mapped_view(statement.secondaries[0], handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed + number)
        statement.answer(command).expect(NOERROR)


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(owners=(1,), prefix_zone_size=24),
        Scenario(owners=(1,), alignment=65536),
        Scenario(owners=(1,), block_size=65536),
        Scenario(owners=(1,), prefix_zone_size=4096, alignment=8192, block_size=1024),
    ],
    ids=["zone", "alignment", "block size", "all three"],
)
@vdi_requirement("MBH-02")
def test_buffers_of_every_layout_are_shared(testbed: Testbed, kind: Kind, scenario: Scenario) -> None:
    statement = testbed.statement(kind, scenario)
    command = statement.next_data_command()
    view = mapped_view(statement.primary, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("MBH-02")
def test_single_bytes_show_at_once(testbed: Testbed, kind: Kind, owner: int) -> None:
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=2))
    for _ in range(2):
        command = statement.next_data_command()
        handle = handle_of(command)
        fetched = fetched_view(command)
        mapped = [mapped_view(one, handle) for one in statement.clients if one is not fetched.process]
        offsets = {0, 1, PAGE - 1, PAGE, command.size // 2, command.size - 1}
        for offset in sorted(one for one in offsets if one < command.size):
            _show_single_byte(offset, fetched, *mapped)
        statement.answer(command).expect(NOERROR)


def _show_single_byte(offset: int, *views: BufferView) -> None:
    for number, writer in enumerate(views):
        before = writer.process.read(writer.address + offset, 1)
        after = bytes([before[0] ^ (0x55 + number)])
        writer.process.write(writer.address + offset, after)
        for reader in views:
            if reader.process.read(reader.address + offset, 1) != after:
                raise ConformanceFailure(
                    f"byte {offset} that {writer.process.name} stored does not show in {reader.process.name}"
                )


@vdi_requirement("MBH-03")
def test_a_secondary_that_left_maps_nothing(statement: StatementRun, secondary: Client) -> None:
    command = statement.next_data_command()
    handle = handle_of(command)
    mapped_view(secondary, handle)
    secondary.close().expect(NOERROR)
    secondary.map_buffer_handle(handle).expect(VD_E_PROTOCOL)
    statement.forget(secondary)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("MBH-05")
def test_a_handle_of_one_set_never_reaches_its_buffer_through_another(testbed: Testbed, kind: Kind) -> None:
    one = testbed.statement(kind, Scenario(devices=3, secondaries=1, buffer_count=6))
    other = testbed.twin(one, kind, Scenario(secondaries=1))
    commands, of_other = one.hold_all(), other.device.next_data_command()
    for number, command in enumerate((of_other, *commands)):
        testbed.fill(fetched_view(command), command.size, number)
    for command in commands:
        handle = handle_of(command)
        right = mapped_view(one.secondaries[0], handle)
        result = other.secondaries[0].map_buffer_handle(handle)
        if result.permit("Q39", "MapBufferHandle of another set's handle", VD_E_INVALID, NOERROR) == NOERROR:
            view = BufferView(other.secondaries[0], result.expect(NOERROR))
            reached = is_inside(view, command.size, [right], testbed.seed)
            assert not reached, "a set mapped the buffer of another set"
    for running, held in (*((one, command) for command in commands), (other, of_other)):
        running.answer(held).expect(NOERROR)
    one.succeed()
    other.succeed()


@vdi_requirement("MBH-07")
def test_the_fetcher_maps_its_own_handle(testbed: Testbed, statement: StatementRun) -> None:
    command = statement.next_data_command()
    view = mapped_view(statement.primary, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    answer = "the fetched address" if view.address == command.buffer else "another address"
    testbed.observe("Q39", "MapBufferHandle in the fetching process", answer)


@vdi_requirement("MBH-08")
def test_mapping_again_spoils_no_earlier_address(testbed: Testbed, statement: StatementRun, secondary: Client) -> None:
    command = statement.next_data_command()
    handle = handle_of(command)
    first, second = mapped_view(secondary, handle), mapped_view(secondary, handle)
    require_same_memory(command.size, fetched_view(command), first, second, seed=testbed.seed)
    testbed.observe("Q39", "addresses of two mappings", "equal" if first.address == second.address else "different")


@pytest.mark.parametrize("zone", [513, 4096])
@vdi_requirement("MBH-09")
def test_the_prefix_zone_is_shared_too(testbed: Testbed, kind: Kind, zone: int) -> None:
    statement = testbed.statement(kind, Scenario(secondaries=1, prefix_zone_size=zone))
    for number in range(2):
        command = statement.next_data_command()
        mapped = mapped_view(statement.secondaries[0], handle_of(command))
        before = [BufferView(view.process, view.address - zone) for view in (fetched_view(command), mapped)]
        require_same_memory(zone, *before, seed=testbed.seed + number)
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@pytest.mark.parametrize(("alignment", "block_size"), [(0, 512), (1024, 512), (4096, 4096), (65536, 512), (0, 65536)])
@vdi_requirement("MBH-11")
def test_mapped_addresses_are_aligned(testbed: Testbed, alignment: int, block_size: int) -> None:
    statement = testbed.backup(
        Scenario(secondaries=1, alignment=alignment, block_size=block_size, prefix_zone_size=512)
    )
    wanted = max(alignment, block_size)
    for _ in range(3):
        command = statement.next_data_command()
        for view in (fetched_view(command), mapped_view(statement.secondaries[0], handle_of(command))):
            assert view.address % wanted == 0, f"{view.process.name} has the buffer at {view.address:#x}"
        statement.answer(command).expect(NOERROR)


@vdi_requirement("MBH-12")
def test_what_a_failure_leaves_in_the_out_variable_is_observed(testbed: Testbed, backup: StatementRun) -> None:
    command = backup.next_data_command()
    fresh = testbed.client("fresh")
    on_fresh = fresh.map_buffer_handle(1)
    testbed.observe("Q23", "MapBufferHandle's out-value on a fresh object", _out(on_fresh.value))
    wrong = backup.primary.map_buffer_handle(handle_of(command) ^ 0x40000000)
    testbed.observe("Q23", "MapBufferHandle's out-value for no handle", _out(wrong.value))


def _out(value: int | None) -> str:
    untouched = value is not None and value & 0xFFFFFFFF == 0xCCCCCCCC
    return "untouched" if untouched else "null" if not value else "something else"


@vdi_requirement("MBH-13")
def test_an_object_that_never_opened_a_set_maps_nothing(testbed: Testbed) -> None:
    fresh = testbed.client("fresh")
    for number in UNLIKELY_HANDLES:
        result = fresh.map_buffer_handle(number)
        result.permit("Q56", "MapBufferHandle of no handle on a fresh object", VD_E_PROTOCOL, VD_E_INVALID)
    fresh.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)


@OWNERS
@vdi_requirement("MBH-13")
def test_a_process_that_has_not_joined_maps_nothing(testbed: Testbed, kind: Kind, owner: int) -> None:
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    outsider = testbed.client("outsider")
    for _ in range(2):
        command = statement.next_data_command()
        result = outsider.map_buffer_handle(handle_of(command))
        result.permit("Q56", "MapBufferHandle of a good handle before joining", VD_E_PROTOCOL, VD_E_INVALID)
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("MBH-14")
def test_before_the_server_came_every_number_is_refused(testbed: Testbed) -> None:
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    draw = random.Random(testbed.seed)
    for number in (*UNLIKELY_HANDLES, *(draw.randrange(1 << 32) for _ in range(5))):
        result = primary.map_buffer_handle(number)
        result.permit("Q40", "MapBufferHandle in Configurable", VD_E_INVALID, VD_E_PROTOCOL)


@OWNERS
@vdi_requirement("MBH-15", "MBH-16")
def test_a_process_that_joined_late_maps_an_older_handle(testbed: Testbed, kind: Kind, owner: int) -> None:
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    statement.answer(statement.next_data_command()).expect(NOERROR)
    command = statement.next_data_command()
    handle = handle_of(command)
    testbed.fill(fetched_view(command), command.size, 3)
    view = mapped_view(testbed.secondary(statement), handle)
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("MBH-16")
def test_a_primary_without_a_device_maps(testbed: Testbed, kind: Kind) -> None:
    statement = testbed.statement(kind, Scenario(devices=2, owners=(1, 2)))
    commands = statement.hold_all()
    for number, command in enumerate(commands):
        view = mapped_view(statement.primary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed + number)
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@alternating_direction("secondaries", [2, 4, 8])
@vdi_requirement("MBH-17")
def test_many_processes_share_one_buffer(testbed: Testbed, kind: Kind, secondaries: int) -> None:
    statement = testbed.statement(kind, Scenario(owners=(1,), secondaries=secondaries))
    command = statement.next_data_command()
    handle = handle_of(command)
    others = [one for one in statement.clients if one is not command.device.client]
    views = [fetched_view(command), *(mapped_view(one, handle) for one in others)]
    part = command.size // len(views)
    for number, view in enumerate(views):
        testbed.fill(BufferView(view.process, view.address + number * part), part, testbed.seed + number)
    require_same_contents(command.size, *views)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("MBH-19")
def test_a_handle_whose_command_was_completed_is_observed(statement: StatementRun, secondary: Client) -> None:
    command = statement.next_data_command()
    handle = handle_of(command)
    statement.answer(command).expect(NOERROR)
    result = secondary.map_buffer_handle(handle)
    result.permit("Q39", "MapBufferHandle of a completed command's handle", NOERROR, VD_E_INVALID)


@vdi_requirement("MBH-20")
def test_who_leaves_takes_nothing_from_the_others(testbed: Testbed, kind: Kind) -> None:
    statement = testbed.statement(kind, Scenario(secondaries=2))
    command = statement.next_data_command()
    handle = handle_of(command)
    leaver, stayer = statement.secondaries
    mapped_view(leaver, handle)
    view = mapped_view(stayer, handle)
    testbed.fill(view, command.size, testbed.seed)
    stored = stayer.digest(view.address, command.size)
    leaver.close().expect(NOERROR)
    assert stayer.digest(view.address, command.size) == stored, "who left took what others had stored"
    again = mapped_view(stayer, handle)
    require_same_memory(command.size, fetched_view(command), view, again, seed=testbed.seed)


@vdi_requirement("MBH-23")
def test_who_left_and_joined_again_maps(testbed: Testbed, statement: StatementRun, secondary: Client) -> None:
    command = statement.next_data_command()
    handle = handle_of(command)
    mapped_view(secondary, handle)
    secondary.close().expect(NOERROR)
    new_object = testbed.beside(secondary)
    for joined in (secondary, new_object):
        statement.join(joined).expect(NOERROR)
        view = mapped_view(joined, handle)
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
        joined.close().expect(NOERROR)


@vdi_requirement("MBH-24")
def test_each_object_maps_the_handles_of_its_own_set(testbed: Testbed, kind: Kind) -> None:
    one = testbed.statement(kind, Scenario(devices=2, owners=(0, 1)))
    other = testbed.twin(one, kind, Scenario(devices=2, owners=(0, 1)))
    held = [(running, command) for running in (one, other) for command in running.hold_all()]
    for number, (_, command) in enumerate(held):
        testbed.fill(fetched_view(command), command.size, number)
    for running, command in held:
        mapper = next(p for p in running.clients if p is not command.device.client)
        require_same_contents(command.size, fetched_view(command), mapped_view(mapper, handle_of(command)))
    for running, command in held:
        running.answer(command).expect(NOERROR)
    one.succeed()
    other.succeed()


@vdi_requirement("MBH-26")
def test_threads_of_one_process_map_at_once(testbed: Testbed, kind: Kind) -> None:
    statement = testbed.statement(kind, Scenario(devices=8, secondaries=1, buffer_count=16))
    commands = statement.hold_all()
    for number, command in enumerate(commands):
        testbed.fill(fetched_view(command), command.size, number)
    handles = [handle_of(command) for command in commands]
    mapper = statement.secondaries[0]
    orders = [random.Random(turn).sample(range(8), 8) for turn in range(4)]
    asked = [
        (number, mapper.send_map_buffer_handle(handles[number], thread=f"mapper {turn}"))
        for step in range(8)
        for turn, order in enumerate(orders)
        for number in (order[step],)
    ]
    for number, pending in asked:
        view = BufferView(mapper, pending.result().expect(NOERROR))
        require_same_contents(commands[number].size, fetched_view(commands[number]), view)


@pytest.mark.parametrize("owners", [(0,), (1,), (0, 1)], ids=["primary", "secondary", "both"])
@vdi_requirement("MBH-27", "MBH-01")
def test_a_whole_stream_passes_through_mapped_addresses(testbed: Testbed, owners: tuple[int, ...]) -> None:
    scenario = Scenario(devices=2, owners=owners, secondaries=1)
    streams = testbed.directory("streams")
    _pass_through_mapped_addresses(testbed.backup(scenario, streams))
    _pass_through_mapped_addresses(testbed.restore(scenario, streams))


def _pass_through_mapped_addresses(statement: StatementRun) -> None:
    for command in statement.data_commands():
        mapper = next(one for one in statement.clients if one is not command.device.client)
        statement.answer(command, mapped_view(mapper, handle_of(command))).expect(NOERROR)
    statement.close()
    statement.require_success(statement.outcome())


@vdi_requirement("MBH-28")
def test_a_null_out_pointer_is_refused(testbed: Testbed, statement: StatementRun, secondary: Client) -> None:
    testbed.need("null_out_pointers", "it needs null out pointers")
    command = statement.next_data_command()
    handle = handle_of(command)
    secondary.map_buffer_handle(handle, null_out=True).expect_failure()
    mapped_view(secondary, handle)


@pytest.mark.parametrize("pool", [4, 32])
@vdi_requirement("MBH-02")
def test_turns_of_the_pool_stay_fresh(testbed: Testbed, pool: int) -> None:
    scripted = testbed.scripted(Scenario(secondaries=1, buffer_count=pool))
    secondary = scripted.secondaries[0]
    buffers = [scripted.allocate() for _ in range(pool)]
    for turn in range(40):
        buffer = buffers[turn % len(buffers)]
        scripted.server.write(buffer, turn.to_bytes(8, "little") * 64)
        tag = scripted.send(buffer)
        command = scripted.device.next_command()
        mapped = mapped_view(secondary, handle_of(command))
        assert secondary.read(mapped.address, 512) == turn.to_bytes(8, "little") * 64, "the mapped bytes are stale"
        scripted.device.complete(command, ERROR_SUCCESS, command.size).expect(NOERROR)
        scripted.completed(tag, ERROR_SUCCESS, command.size)
