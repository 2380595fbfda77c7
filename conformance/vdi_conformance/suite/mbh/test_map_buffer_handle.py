"""MapBufferHandle: that what is mapped is the same memory, in every process that has the set open, and there alone."""

import random

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.judging import judging, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS, alternating_direction
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
LARGE_TRANSFERS = (64 << 10, 128 << 10, 1 << 20, MAX_TRANSFER_SIZE, MAX_TRANSFER_SIZE)


@vdi_requirement("MBH-01", "CMP-15")
def test_bytes_stored_by_a_secondary_reach_the_server(restore: StatementRun, secondary: Client) -> None:
    """A RESTORE succeeds whose first Read is filled by a secondary that maps it and completed by its fetcher."""
    command = restore.primary.next_data_command()
    handle = restore.primary.get_buffer_handle(command.buffer).expect(NOERROR)
    address = secondary.map_buffer_handle(handle).expect(NOERROR, by="MBH-01")
    with judging("MBH-01"):
        secondary.fill(address, restore.content(command))
    restore.primary.complete(command, ERROR_SUCCESS, command.size).expect(NOERROR, by="CMP-15")
    end = restore.finish()
    with judging("MBH-01"):
        restore.require_success(end)


@OWNERS
@vdi_requirement("MBH-02")
def test_processes_see_one_memory_at_their_own_addresses(testbed: Testbed, kind: Kind, owner: int) -> None:
    """What any process stores in a buffer shows in every other one, though they see it at different addresses."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=2))
    mappers = [client for client in statement.clients if client is not statement.clients[owner]]
    for number in range(4):
        command = statement.next_data_command()
        handle = handle_of(command)
        views = [fetched_view(command), *(mapped_view(mapper, handle) for mapper in mappers)]
        require_same_memory(command.size, *views, seed=testbed.seed + number)
        need_different_addresses(*views)
        statement.answer(command).expect(NOERROR)


@alternating_direction("transfer", LARGE_TRANSFERS, ["64 KiB", "128 KiB", "1 MiB", "4 MiB", "4 MiB"])
@vdi_requirement("MBH-02")
def test_large_buffers_are_shared_to_their_last_byte(testbed: Testbed, kind: Kind, transfer: int) -> None:
    """A mapped buffer of up to 4 MiB is the fetcher's memory over its full size."""
    statement = testbed.statement(kind, Scenario(max_transfer_size=transfer, secondaries=1, buffer_count=3))
    for number in range(2):
        command = statement.next_data_command()
        view = mapped_view(statement.secondaries[0], handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed + number)
        statement.answer(command).expect(NOERROR)


@vdi_requirement("MBH-05")
def test_a_handle_of_one_set_never_reaches_its_buffer_through_another(testbed: Testbed, kind: Kind) -> None:
    """A handle given to another set of the process never maps the buffer it names, and harms neither set."""
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
    """MapBufferHandle in the fetching process gives an address of the same memory."""
    command = statement.next_data_command()
    handle = handle_of(command)
    with judging("MBH-07"):
        view = mapped_view(statement.primary, handle)
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    answer = "the fetched address" if view.address == command.buffer else "another address"
    testbed.observe("Q39", "MapBufferHandle in the fetching process", answer)


@vdi_requirement("MBH-08")
def test_mapping_again_spoils_no_earlier_address(testbed: Testbed, statement: StatementRun, secondary: Client) -> None:
    """MapBufferHandle called twice for one handle succeeds twice, and both addresses show the same memory."""
    command = statement.next_data_command()
    handle = handle_of(command)
    first = mapped_view(secondary, handle)
    require_same_memory(command.size, fetched_view(command), first, seed=testbed.seed)
    with judging("MBH-08"):
        second = mapped_view(secondary, handle)
        require_same_memory(command.size, fetched_view(command), first, second, seed=testbed.seed)
    testbed.observe("Q39", "addresses of two mappings", "equal" if first.address == second.address else "different")


@pytest.mark.parametrize("zone", [513, 4096], ids=["513 bytes", "4 KiB"])
@vdi_requirement("MBH-09")
def test_the_prefix_zone_is_shared_too(testbed: Testbed, kind: Kind, zone: int) -> None:
    """The prefix zone before a mapped address is the memory of the fetcher's prefix zone."""
    statement = testbed.statement(kind, Scenario(secondaries=1, prefix_zone_size=zone))
    for number in range(2):
        command = statement.next_data_command()
        mapped = mapped_view(statement.secondaries[0], handle_of(command))
        require_same_memory(command.size, fetched_view(command), mapped, seed=testbed.seed)
        before = [BufferView(view.process, view.address - zone) for view in (fetched_view(command), mapped)]
        with judging("MBH-09"):
            require_same_memory(zone, *before, seed=testbed.seed + number)
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@pytest.mark.parametrize(
    ("alignment", "block_size"),
    [(0, 512), (1024, 512), (4096, 4096), (65536, 512), (0, 65536)],
    ids=[
        "blocks of 512 bytes",
        "alignment of 1 KiB",
        "alignment and blocks of 4 KiB",
        "alignment of 64 KiB",
        "blocks of 64 KiB",
    ],
)
@vdi_requirement("MBH-11")
def test_mapped_addresses_are_aligned(testbed: Testbed, alignment: int, block_size: int) -> None:
    """A buffer starts at a multiple of alignment and block size, as fetched and as mapped elsewhere."""
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
    """What a failed MapBufferHandle leaves in its out variable is unstated, and is recorded."""
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
    """MapBufferHandle fails on an object that never opened a set, which can still create one afterwards."""
    fresh = testbed.client("fresh")
    for number in UNLIKELY_HANDLES:
        result = fresh.map_buffer_handle(number)
        result.permit("Q56", "MapBufferHandle of no handle on a fresh object", VD_E_PROTOCOL, VD_E_INVALID)
    fresh.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)


@OWNERS
@vdi_requirement("MBH-13")
def test_a_process_that_has_not_joined_maps_nothing(testbed: Testbed, kind: Kind, owner: int) -> None:
    """MapBufferHandle fails in a process that has not joined, even for a handle that is good in the set."""
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
    """MapBufferHandle refuses every number while the set waits for the server and has no buffers."""
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    draw = random.Random(testbed.seed)
    for number in (*UNLIKELY_HANDLES, *(draw.randrange(1 << 32) for _ in range(5))):
        result = primary.map_buffer_handle(number)
        result.permit("Q40", "MapBufferHandle in Configurable", VD_E_INVALID, VD_E_PROTOCOL)


@OWNERS
@vdi_requirement("MBH-15", "MBH-16")
def test_a_process_that_joined_late_maps_an_older_handle(testbed: Testbed, kind: Kind, owner: int) -> None:
    """A secondary that joins after a handle was made, and opens no device, maps it to the same memory."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(owner,), buffer_count=4))
    older, newer = statement.hold_all()
    handle = handle_of(older)
    testbed.fill(fetched_view(older), older.size, 3)
    late = testbed.secondary(statement)
    with judging("MBH-15"):
        mapped = late.map_buffer_handle(handle)
    with judging("MBH-16"):
        view = mapped_view(late, handle_of(newer))
        require_same_memory(newer.size, fetched_view(newer), view, seed=testbed.seed)
    with judging("MBH-15"):
        view = BufferView(late, mapped.expect(NOERROR))
        require_same_memory(older.size, fetched_view(older), view, seed=testbed.seed)
    for command in (older, newer):
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("MBH-16")
def test_a_primary_without_a_device_maps(testbed: Testbed, kind: Kind) -> None:
    """A primary that opened no device maps the buffers of its secondaries to the same memory."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(1, 2)))
    commands = statement.hold_all()
    for number, (command, other) in enumerate(zip(commands, reversed(statement.secondaries), strict=True)):
        handle = handle_of(command)
        testbed.fill(fetched_view(command), command.size, testbed.seed - number)
        require_same_contents(command.size, fetched_view(command), mapped_view(other, handle))
        with judging("MBH-16"):
            view = mapped_view(statement.primary, handle)
            require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed + number)
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("MBH-19")
def test_a_handle_whose_command_was_completed_is_observed(statement: StatementRun, secondary: Client) -> None:
    """MapBufferHandle of a completed command's handle succeeds or answers VD_E_INVALID."""
    command = statement.next_data_command()
    handle = handle_of(command)
    statement.answer(command).expect(NOERROR)
    result = secondary.map_buffer_handle(handle)
    result.permit("Q39", "MapBufferHandle of a completed command's handle", NOERROR, VD_E_INVALID)


@vdi_requirement("MBH-20")
def test_who_leaves_takes_nothing_from_the_others(testbed: Testbed, kind: Kind) -> None:
    """A secondary that closes leaves the others their mapped addresses and the handles of held commands."""
    statement = testbed.statement(kind, Scenario(secondaries=2))
    command = statement.next_data_command()
    handle = handle_of(command)
    leaver, stayer = statement.secondaries
    mapped_view(leaver, handle)
    view = mapped_view(stayer, handle)
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    with judging("MBH-08"):
        mapped_view(stayer, handle)
    testbed.fill(view, command.size, testbed.seed)
    stored = stayer.digest(view.address, command.size)
    leaver.close().expect(NOERROR, by="CLS-20")
    with judging("MBH-20"):
        assert stayer.digest(view.address, command.size) == stored, "who left took what others had stored"
        again = mapped_view(stayer, handle)
        require_same_memory(command.size, fetched_view(command), view, again, seed=testbed.seed)


@vdi_requirement("MBH-23")
def test_who_left_and_joined_again_maps(testbed: Testbed, statement: StatementRun, secondary: Client) -> None:
    """A process that closed and joined again, with the same or a new object, maps a handle that is still held."""
    command = statement.next_data_command()
    handle = handle_of(command)
    require_same_memory(command.size, fetched_view(command), mapped_view(secondary, handle), seed=testbed.seed)
    secondary.close().expect(NOERROR, by="CLS-20")
    new_object = testbed.beside(secondary)
    for joined in (secondary, new_object):
        with judging("MBH-23"):
            statement.join(joined).expect(NOERROR)
            view = mapped_view(joined, handle)
            require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
        joined.close().expect(NOERROR, by="CLS-20")


@vdi_requirement("MBH-26")
def test_threads_of_one_process_map_at_once(testbed: Testbed, kind: Kind) -> None:
    """Threads of one process that map the same handles at once each get the memory that the handle names."""
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
    mapped = [(commands[number], pending.result()) for number, pending in asked]
    # Mapped alone a handle shows what is wrong without any thread.
    require_same_contents(commands[0].size, fetched_view(commands[0]), mapped_view(mapper, handles[0]))
    with judging("MBH-26"):
        for command, result in mapped:
            view = BufferView(mapper, result.expect(NOERROR))
            require_same_contents(command.size, fetched_view(command), view)


@pytest.mark.parametrize("owners", [(0,), (1,), (0, 1)], ids=["primary", "secondary", "both"])
@vdi_requirement("MBH-27", "MBH-01")
def test_a_whole_stream_passes_through_mapped_addresses(testbed: Testbed, owners: tuple[int, ...]) -> None:
    """A BACKUP read by way of mapped addresses alone, and restored by way of them, succeeds."""
    scenario = Scenario(devices=2, owners=owners, secondaries=1)
    streams = testbed.directory("streams")
    _pass_through_mapped_addresses(testbed.backup(scenario, streams))
    _pass_through_mapped_addresses(testbed.restore(scenario, streams))


def _pass_through_mapped_addresses(statement: StatementRun) -> None:
    for command in statement.data_commands():
        mapper = next(one for one in statement.clients if one is not command.device.client)
        handle = handle_of(command)
        with judging("MBH-01"):
            view = mapped_view(mapper, handle)
            mapper.read(view.address, 1)
        statement.answer(command, view).expect(NOERROR)
    statement.close()
    end = statement.outcome()
    with judging("MBH-27"):
        statement.require_success(end)


@vdi_requirement("MBH-28")
def test_a_null_out_pointer_is_refused(testbed: Testbed, statement: StatementRun, secondary: Client) -> None:
    """MapBufferHandle fails for a NULL out pointer without a crash, and works when it is asked properly."""
    testbed.need("null_out_pointers", "it needs null out pointers")
    command = statement.next_data_command()
    handle = handle_of(command)
    secondary.map_buffer_handle(handle, null_out=True).expect_failure()
    mapped_view(secondary, handle)


@pytest.mark.parametrize("pool", [4, 32], ids=["4 buffers", "32 buffers"])
@vdi_requirement("MBH-02")
def test_turns_of_the_pool_stay_fresh(testbed: Testbed, pool: int) -> None:
    """A buffer mapped anew for each command shows the current bytes, however often the pool has come round."""
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
