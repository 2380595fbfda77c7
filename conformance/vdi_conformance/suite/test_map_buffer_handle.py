"""MapBufferHandle: that what is mapped is the same memory, in every process that has the set open, and there alone."""

import random

import pytest

from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.memory import PAGE
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import (
    View,
    fetched_view,
    handle_of,
    is_inside,
    mapped_view,
    need_different_addresses,
    require_same_contents,
    require_same_memory,
)
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import OWNER_NAMES, OWNERS, in_turn
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import MAX_TRANSFER_SIZE, VDConfig

UNLIKELY_HANDLES = (0, 1, 0xFFFFFFFF)


@judges("MBH-01", "CMP-15")
def test_bytes_stored_by_a_secondary_reach_the_server(restore: Operation, secondary: Participant) -> None:
    command = restore.primary.next_data_command()
    handle = restore.primary.get_buffer_handle(command.buffer).expect(NOERROR)
    address = secondary.map_buffer_handle(handle).expect(NOERROR)
    secondary.fill(address, restore.content(command))
    restore.primary.complete(command, ERROR_SUCCESS, command.size).expect(NOERROR)
    restore.succeed()


@OWNERS
@judges("MBH-02")
def test_processes_see_one_memory_at_their_own_addresses(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=2))
    mappers = [
        participant for participant in operation.participants if participant is not operation.participants[owner]
    ]
    for number in range(4):
        command = operation.next_data_command()
        handle = handle_of(command)
        views = [fetched_view(command), *(mapped_view(mapper, handle) for mapper in mappers)]
        require_same_memory(command.size, *views, seed=stage.seed + number)
        need_different_addresses(*views)
        operation.answer(command).expect(NOERROR)


@in_turn("transfer", [65536, 131072, 1048576, MAX_TRANSFER_SIZE, MAX_TRANSFER_SIZE])
@judges("MBH-02")
def test_large_buffers_are_shared_to_their_last_byte(stage: Stage, kind: Kind, transfer: int) -> None:
    operation = stage.operation(kind, Geometry(max_transfer_size=transfer, secondaries=1, buffer_count=3))
    for number in range(2):
        command = operation.next_data_command()
        view = mapped_view(operation.secondaries[0], handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=stage.seed + number)
        operation.answer(command).expect(NOERROR)


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry(owners=(1,), prefix_zone_size=24),
        Geometry(owners=(1,), alignment=65536),
        Geometry(owners=(1,), block_size=65536),
        Geometry(owners=(1,), prefix_zone_size=4096, alignment=8192, block_size=1024),
    ],
    ids=["zone", "alignment", "block size", "all three"],
)
@judges("MBH-02")
def test_buffers_of_every_layout_are_shared(stage: Stage, kind: Kind, geometry: Geometry) -> None:
    operation = stage.operation(kind, geometry)
    command = operation.next_data_command()
    view = mapped_view(operation.primary, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("MBH-02")
def test_single_bytes_show_at_once(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=2))
    for _ in range(2):
        command = operation.next_data_command()
        handle = handle_of(command)
        fetched = fetched_view(command)
        mapped = [mapped_view(one, handle) for one in operation.participants if one is not fetched.process]
        offsets = {0, 1, PAGE - 1, PAGE, command.size // 2, command.size - 1}
        for offset in sorted(one for one in offsets if one < command.size):
            _show_single_byte(offset, fetched, *mapped)
        operation.answer(command).expect(NOERROR)


def _show_single_byte(offset: int, *views: View) -> None:
    for number, writer in enumerate(views):
        before = writer.process.read(writer.address + offset, 1)
        after = bytes([before[0] ^ (0x55 + number)])
        writer.process.write(writer.address + offset, after)
        for reader in views:
            if reader.process.read(reader.address + offset, 1) != after:
                raise ConformanceFailure(
                    f"byte {offset} that {writer.process.name} stored does not show in {reader.process.name}"
                )


@judges("MBH-03")
def test_a_secondary_that_left_maps_nothing(operation: Operation, secondary: Participant) -> None:
    command = operation.next_data_command()
    handle = handle_of(command)
    mapped_view(secondary, handle)
    secondary.close().expect(NOERROR)
    secondary.map_buffer_handle(handle).expect(VD_E_PROTOCOL)
    operation.dismiss(secondary)
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("MBH-05")
def test_a_handle_of_one_set_never_reaches_its_buffer_through_another(stage: Stage, kind: Kind) -> None:
    one = stage.operation(kind, Geometry(devices=3, secondaries=1, buffer_count=6))
    other = stage.twin(one, kind, Geometry(secondaries=1))
    commands, of_other = one.hold_all(), other.device.next_data_command()
    for number, command in enumerate((of_other, *commands)):
        stage.fill(fetched_view(command), command.size, number)
    for command in commands:
        handle = handle_of(command)
        right = mapped_view(one.secondaries[0], handle)
        result = other.secondaries[0].map_buffer_handle(handle)
        if result.permit("Q39", "MapBufferHandle of another set's handle", VD_E_INVALID, NOERROR) == NOERROR:
            view = View(other.secondaries[0], result.expect(NOERROR))
            reached = is_inside(view, command.size, [right], stage.seed)
            assert not reached, "a set mapped the buffer of another set"
    for running, held in (*((one, command) for command in commands), (other, of_other)):
        running.answer(held).expect(NOERROR)
    one.succeed()
    other.succeed()


@judges("MBH-07")
def test_the_fetcher_maps_its_own_handle(stage: Stage, operation: Operation) -> None:
    command = operation.next_data_command()
    view = mapped_view(operation.primary, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
    answer = "the fetched address" if view.address == command.buffer else "another address"
    stage.observe("Q39", "MapBufferHandle in the fetching process", answer)


@judges("MBH-08")
def test_mapping_again_spoils_no_earlier_address(stage: Stage, operation: Operation, secondary: Participant) -> None:
    command = operation.next_data_command()
    handle = handle_of(command)
    first, second = mapped_view(secondary, handle), mapped_view(secondary, handle)
    require_same_memory(command.size, fetched_view(command), first, second, seed=stage.seed)
    stage.observe("Q39", "addresses of two mappings", "equal" if first.address == second.address else "different")


@pytest.mark.parametrize("zone", [513, 4096])
@judges("MBH-09")
def test_the_prefix_zone_is_shared_too(stage: Stage, kind: Kind, zone: int) -> None:
    operation = stage.operation(kind, Geometry(secondaries=1, prefix_zone_size=zone))
    for number in range(2):
        command = operation.next_data_command()
        mapped = mapped_view(operation.secondaries[0], handle_of(command))
        before = [View(view.process, view.address - zone) for view in (fetched_view(command), mapped)]
        require_same_memory(zone, *before, seed=stage.seed + number)
        operation.answer(command).expect(NOERROR)
    operation.succeed()


@pytest.mark.parametrize(("alignment", "block_size"), [(0, 512), (1024, 512), (4096, 4096), (65536, 512), (0, 65536)])
@judges("MBH-11")
def test_mapped_addresses_are_aligned(stage: Stage, alignment: int, block_size: int) -> None:
    operation = stage.backup(Geometry(secondaries=1, alignment=alignment, block_size=block_size, prefix_zone_size=512))
    wanted = max(alignment, block_size)
    for _ in range(3):
        command = operation.next_data_command()
        for view in (fetched_view(command), mapped_view(operation.secondaries[0], handle_of(command))):
            assert view.address % wanted == 0, f"{view.process.name} has the buffer at {view.address:#x}"
        operation.answer(command).expect(NOERROR)


@judges("MBH-12")
def test_what_a_failure_leaves_in_the_out_variable_is_observed(stage: Stage, backup: Operation) -> None:
    command = backup.next_data_command()
    fresh = stage.participant("fresh")
    on_fresh = fresh.map_buffer_handle(1)
    stage.observe("Q23", "MapBufferHandle's out-value on a fresh object", _out(on_fresh.value))
    wrong = backup.primary.map_buffer_handle(handle_of(command) ^ 0x40000000)
    stage.observe("Q23", "MapBufferHandle's out-value for no handle", _out(wrong.value))


def _out(value: int | None) -> str:
    untouched = value is not None and value & 0xFFFFFFFF == 0xCCCCCCCC
    return "untouched" if untouched else "null" if not value else "something else"


@judges("MBH-13")
def test_an_object_that_never_opened_a_set_maps_nothing(stage: Stage) -> None:
    fresh = stage.participant("fresh")
    for number in UNLIKELY_HANDLES:
        result = fresh.map_buffer_handle(number)
        result.permit("Q56", "MapBufferHandle of no handle on a fresh object", VD_E_PROTOCOL, VD_E_INVALID)
    fresh.create_ex(None, stage.name(), VDConfig()).expect(NOERROR)


@OWNERS
@judges("MBH-13")
def test_a_process_that_has_not_joined_maps_nothing(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,)))
    outsider = stage.participant("outsider")
    for _ in range(2):
        command = operation.next_data_command()
        result = outsider.map_buffer_handle(handle_of(command))
        result.permit("Q56", "MapBufferHandle of a good handle before joining", VD_E_PROTOCOL, VD_E_INVALID)
        operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("MBH-14")
def test_before_the_server_came_every_number_is_refused(stage: Stage) -> None:
    primary = stage.participant("primary")
    primary.create_ex(None, stage.name(), VDConfig()).expect(NOERROR)
    draw = random.Random(stage.seed)
    for number in (*UNLIKELY_HANDLES, *(draw.randrange(1 << 32) for _ in range(5))):
        result = primary.map_buffer_handle(number)
        result.permit("Q40", "MapBufferHandle in Configurable", VD_E_INVALID, VD_E_PROTOCOL)


@OWNERS
@judges("MBH-15", "MBH-16")
def test_a_process_that_joined_late_maps_an_older_handle(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,)))
    operation.answer(operation.next_data_command()).expect(NOERROR)
    command = operation.next_data_command()
    handle = handle_of(command)
    stage.fill(fetched_view(command), command.size, 3)
    view = mapped_view(stage.secondary(operation), handle)
    require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("MBH-16")
def test_a_primary_without_a_device_maps(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(1, 2)))
    commands = operation.hold_all()
    for number, command in enumerate(commands):
        view = mapped_view(operation.primary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=stage.seed + number)
        operation.answer(command).expect(NOERROR)
    operation.succeed()


@in_turn("secondaries", [2, 4, 8])
@judges("MBH-17")
def test_many_processes_share_one_buffer(stage: Stage, kind: Kind, secondaries: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(1,), secondaries=secondaries))
    command = operation.next_data_command()
    handle = handle_of(command)
    others = [one for one in operation.participants if one is not command.device.participant]
    views = [fetched_view(command), *(mapped_view(one, handle) for one in others)]
    part = command.size // len(views)
    for number, view in enumerate(views):
        stage.fill(View(view.process, view.address + number * part), part, stage.seed + number)
    require_same_contents(command.size, *views)
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("MBH-19")
def test_a_handle_whose_command_was_completed_is_observed(operation: Operation, secondary: Participant) -> None:
    command = operation.next_data_command()
    handle = handle_of(command)
    operation.answer(command).expect(NOERROR)
    result = secondary.map_buffer_handle(handle)
    result.permit("Q39", "MapBufferHandle of a completed command's handle", NOERROR, VD_E_INVALID)


@judges("MBH-20")
def test_who_leaves_takes_nothing_from_the_others(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(secondaries=2))
    command = operation.next_data_command()
    handle = handle_of(command)
    leaver, stayer = operation.secondaries
    mapped_view(leaver, handle)
    view = mapped_view(stayer, handle)
    stage.fill(view, command.size, stage.seed)
    stored = stayer.digest(view.address, command.size)
    leaver.close().expect(NOERROR)
    assert stayer.digest(view.address, command.size) == stored, "who left took what others had stored"
    again = mapped_view(stayer, handle)
    require_same_memory(command.size, fetched_view(command), view, again, seed=stage.seed)


@judges("MBH-23")
def test_who_left_and_joined_again_maps(stage: Stage, operation: Operation, secondary: Participant) -> None:
    command = operation.next_data_command()
    handle = handle_of(command)
    mapped_view(secondary, handle)
    secondary.close().expect(NOERROR)
    new_object = stage.beside(secondary)
    for joined in (secondary, new_object):
        operation.join(joined).expect(NOERROR)
        view = mapped_view(joined, handle)
        require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
        joined.close().expect(NOERROR)


@judges("MBH-24")
def test_each_object_maps_the_handles_of_its_own_set(stage: Stage, kind: Kind) -> None:
    one = stage.operation(kind, Geometry(devices=2, owners=(0, 1)))
    other = stage.twin(one, kind, Geometry(devices=2, owners=(0, 1)))
    held = [(running, command) for running in (one, other) for command in running.hold_all()]
    for number, (_, command) in enumerate(held):
        stage.fill(fetched_view(command), command.size, number)
    for running, command in held:
        mapper = next(p for p in running.participants if p is not command.device.participant)
        require_same_contents(command.size, fetched_view(command), mapped_view(mapper, handle_of(command)))
    for running, command in held:
        running.answer(command).expect(NOERROR)
    one.succeed()
    other.succeed()


@judges("MBH-26")
def test_threads_of_one_process_map_at_once(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=8, secondaries=1, buffer_count=16))
    commands = operation.hold_all()
    for number, command in enumerate(commands):
        stage.fill(fetched_view(command), command.size, number)
    handles = [handle_of(command) for command in commands]
    mapper = operation.secondaries[0]
    orders = [random.Random(turn).sample(range(8), 8) for turn in range(4)]
    asked = [
        (number, mapper.send_map_buffer_handle(handles[number], thread=f"mapper {turn}"))
        for step in range(8)
        for turn, order in enumerate(orders)
        for number in (order[step],)
    ]
    for number, pending in asked:
        view = View(mapper, pending.result().expect(NOERROR))
        require_same_contents(commands[number].size, fetched_view(commands[number]), view)


@pytest.mark.parametrize("owners", [(0,), (1,), (0, 1)], ids=["primary", "secondary", "both"])
@judges("MBH-27", "MBH-01")
def test_a_whole_stream_passes_through_mapped_addresses(stage: Stage, owners: tuple[int, ...]) -> None:
    geometry = Geometry(devices=2, owners=owners, secondaries=1)
    streams = stage.directory("streams")
    _pass_through_mapped_addresses(stage.backup(geometry, streams))
    _pass_through_mapped_addresses(stage.restore(geometry, streams))


def _pass_through_mapped_addresses(operation: Operation) -> None:
    for command in operation.data_commands():
        mapper = next(one for one in operation.participants if one is not command.device.participant)
        operation.answer(command, mapped_view(mapper, handle_of(command))).expect(NOERROR)
    operation.close()
    operation.require_success(operation.outcome())


@judges("MBH-28")
def test_a_null_out_pointer_is_refused(stage: Stage, operation: Operation, secondary: Participant) -> None:
    stage.need("null_out_pointers", "it needs null out pointers")
    command = operation.next_data_command()
    handle = handle_of(command)
    secondary.map_buffer_handle(handle, null_out=True).require_failure()
    mapped_view(secondary, handle)


@pytest.mark.parametrize("pool", [4, 32])
@judges("MBH-02")
def test_turns_of_the_pool_stay_fresh(stage: Stage, pool: int) -> None:
    scripted = stage.scripted(Geometry(secondaries=1, buffer_count=pool))
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
