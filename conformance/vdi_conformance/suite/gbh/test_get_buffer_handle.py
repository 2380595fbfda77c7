"""GetBufferHandle: who may ask, for which addresses, and what the handle names."""

from dataclasses import astuple

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.judging import not_applicable, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    mapped_view,
    require_distinct,
    require_inside,
    require_same_contents,
    require_same_memory,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_INVALID, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig


@OWNERS
@vdi_requirement("GBH-01", "GBH-08")
def test_every_data_command_has_a_handle(testbed: Testbed, kind: Kind, owner: int) -> None:
    statement = testbed.statement(kind, Scenario(owners=(owner,), transfers=6, buffer_count=3))
    for _ in range(6):
        command = statement.next_data_command()
        handle_of(command)
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@OWNERS
@vdi_requirement("GBH-02", "GBH-08", "MBH-01")
def test_the_handle_of_one_process_names_its_buffer_in_another(testbed: Testbed, kind: Kind, owner: int) -> None:
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    command = statement.next_data_command()
    other = statement.clients[1 - owner]
    view = mapped_view(other, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    statement.answer(command).expect(NOERROR)
    statement.finish()


@pytest.mark.parametrize(
    ("kind", "devices", "owners"),
    [
        ("backup", 4, (0,)),
        ("restore", 4, (1,)),
        ("backup", 4, (0, 1, 2)),
        ("restore", 4, (0, 1, 2)),
        ("backup", 20, (0,)),
    ],
    ids=["primary", "secondary", "backup-three processes", "restore-three processes", "20 devices"],
)
@vdi_requirement("GBH-02")
def test_buffers_held_at_once_have_handles_of_their_own(
    testbed: Testbed, kind: Kind, devices: int, owners: tuple[int, ...]
) -> None:
    statement = testbed.statement(kind, Scenario(devices, owners, secondaries=2, buffer_count=2 * devices))
    commands = statement.hold_all()
    handles = {command.device.name: handle_of(command) for command in commands}
    require_distinct(handles, "handle")
    for number, command in enumerate(commands):
        fetched = fetched_view(command)
        testbed.fill(fetched, command.size, number)
    for command in commands:
        views = [mapped_view(other, handles[command.device.name]) for other in statement.secondaries]
        require_same_contents(command.size, fetched_view(command), *views)
        statement.answer(command)
    statement.finish()


@OWNERS
@vdi_requirement("GBH-03")
def test_a_closed_set_gives_no_handles(testbed: Testbed, kind: Kind, owner: int) -> None:
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    command = statement.next_data_command()
    handle_of(command)
    statement.answer(command).expect(NOERROR)
    statement.succeed()
    statement.clients[owner].get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)


@vdi_requirement("GBH-03")
def test_a_secondary_that_left_gets_no_handles(testbed: Testbed) -> None:
    scripted = testbed.scripted(Scenario(devices=2, owners=(1, 0)))
    tag = scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    handle_of(command)
    scripted.device.complete(command, 0, command.size).expect(NOERROR)
    scripted.completed(tag, 0, command.size)
    scripted.close_device(0)
    scripted.device.get_command().expect(VD_E_CLOSE)
    leaver = scripted.secondaries[0]
    leaver.close().expect(NOERROR)
    leaver.get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)


@OWNERS
@vdi_requirement("GBH-04")
def test_memory_outside_the_set_has_no_handle(testbed: Testbed, owner: int) -> None:
    statement = testbed.backup(Scenario(owners=(owner,), secondaries=2 * owner))
    command = statement.next_data_command()
    for client in statement.clients:
        for address in (*astuple(client.outside_addresses()), 0):
            client.get_buffer_handle(address).expect(VD_E_INVALID)
    handle_of(command)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@OWNERS
@vdi_requirement("GBH-04")
def test_all_bits_of_an_address_count(testbed: Testbed, owner: int) -> None:
    statement = testbed.backup(Scenario(owners=(owner,)))
    command = statement.next_data_command()
    if statement.clients[owner].host.initialized.process.pointer_bytes == 4:
        not_applicable("addresses of this process have no more than 32 bits")
    for bit in (32, 40, 46, 48, 63):
        statement.clients[owner].get_buffer_handle(command.buffer ^ 1 << bit).expect(VD_E_INVALID)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("GBH-05")
def test_asking_twice_gives_handles_of_the_same_buffer(
    testbed: Testbed, statement: StatementRun, secondary: Client
) -> None:
    command = statement.next_data_command()
    first, second = handle_of(command), handle_of(command)
    testbed.observe("Q38", "handles of two calls for one buffer", "equal" if first == second else "different")
    views = [mapped_view(secondary, handle) for handle in (first, second)]
    require_same_memory(command.size, fetched_view(command), *views, seed=testbed.seed)


@vdi_requirement("GBH-05")
def test_a_buffer_sent_again_on_another_device_has_a_good_handle(testbed: Testbed) -> None:
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    buffer = scripted.allocate()
    for index in (0, 0, 1):
        tag = scripted.send(buffer, device=index)
        command = scripted.devices[index].next_command()
        other = scripted.clients[1 - index]
        view = mapped_view(other, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
        scripted.devices[index].complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@pytest.mark.parametrize("place", ["second byte", "last byte"])
@vdi_requirement("GBH-06")
def test_an_address_inside_a_buffer_stays_inside_it(
    testbed: Testbed, statement: StatementRun, secondary: Client, place: str
) -> None:
    command = statement.next_data_command()
    offset = 1 if place == "second byte" else command.size - 1
    result = statement.primary.get_buffer_handle(command.buffer + offset)
    if result.permit("Q38", f"GetBufferHandle of the {place} of a buffer", NOERROR, VD_E_INVALID) == NOERROR:
        mapped = mapped_view(secondary, result.expect(NOERROR))
        require_inside(mapped, command.size, [fetched_view(command)], testbed.seed)


@pytest.mark.parametrize("turn", range(3))
@vdi_requirement("GBH-09")
def test_every_value_of_a_handle_is_as_good_as_another(testbed: Testbed, turn: int) -> None:
    statement = testbed.backup(Scenario(devices=4, secondaries=1, buffer_count=32 + turn))
    for _ in range(3):
        commands = statement.hold_all()
        for command in commands:
            testbed.fill(fetched_view(command), command.size, command.buffer)
        for command in commands:
            mapped = mapped_view(statement.secondaries[0], handle_of(command))
            require_same_contents(command.size, fetched_view(command), mapped)
        for command in commands:
            statement.answer(command).expect(NOERROR)


@vdi_requirement("GBH-10")
def test_a_null_out_pointer_is_refused(testbed: Testbed, statement: StatementRun) -> None:
    testbed.need("null_out_pointers", "it needs null out pointers")
    command = statement.next_data_command()
    statement.primary.get_buffer_handle(command.buffer, null_out=True).expect_failure()
    handle_of(command)


@pytest.mark.parametrize("landmark", ["stack", "heap"])
@vdi_requirement("GBH-11")
def test_before_the_server_came_there_is_no_handle(testbed: Testbed, landmark: str) -> None:
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    result = primary.get_buffer_handle(getattr(primary.outside_addresses(), landmark))
    result.permit("Q40", "GetBufferHandle in Configurable", VD_E_INVALID, VD_E_PROTOCOL)


@vdi_requirement("GBH-11")
def test_before_a_buffer_was_given_out_there_is_no_handle(testbed: Testbed) -> None:
    statement = testbed.backup(Scenario(secondaries=1))
    for client in statement.clients:
        result = client.get_buffer_handle(client.outside_addresses().heap)
        result.permit("Q40", "GetBufferHandle before any command", VD_E_INVALID, VD_E_PROTOCOL)
    statement.finish()


@pytest.mark.parametrize("landmark", ["stack", "null"])
@vdi_requirement("GBH-12")
def test_an_object_that_never_opened_a_set_gives_no_handle(testbed: Testbed, landmark: str) -> None:
    fresh = testbed.client("fresh")
    address = 0 if landmark == "null" else fresh.outside_addresses().stack
    result = fresh.get_buffer_handle(address)
    result.permit("Q56", f"GetBufferHandle of {landmark} on a fresh object", VD_E_PROTOCOL, VD_E_INVALID)
    fresh.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)


@vdi_requirement("GBH-13")
def test_what_a_completed_command_leaves_is_observed(statement: StatementRun) -> None:
    command = statement.next_data_command()
    handle_of(command)
    statement.answer(command).expect(NOERROR)
    result = statement.primary.get_buffer_handle(command.buffer)
    result.permit("Q38", "GetBufferHandle of a completed command's buffer", NOERROR, VD_E_INVALID)


@pytest.mark.parametrize("distance", [1, 512])
@vdi_requirement("GBH-14")
def test_an_address_in_the_prefix_zone_stays_with_its_buffer(testbed: Testbed, kind: Kind, distance: int) -> None:
    statement = testbed.statement(kind, Scenario(secondaries=1, prefix_zone_size=512))
    command = statement.next_data_command()
    result = statement.primary.get_buffer_handle(command.buffer - distance)
    subject = f"GetBufferHandle {distance} bytes before a buffer with a prefix zone"
    if result.permit("Q38", subject, NOERROR, VD_E_INVALID) == NOERROR:
        zone_and_buffer = [BufferView(statement.primary, command.buffer - 512), fetched_view(command)]
        mapped = mapped_view(statement.secondaries[0], result.expect(NOERROR))
        require_inside(mapped, command.size, zone_and_buffer, testbed.seed)


@vdi_requirement("GBH-15", "MBH-06", "MBH-18")
def test_buffers_of_areas_that_came_later_are_shared(testbed: Testbed) -> None:
    scripted = testbed.scripted(Scenario(owners=(1,), secondaries=2))
    buffers = [scripted.allocate()]
    for _ in range(2):
        scripted.request_buffers(scripted.scenario.buffer_count)
        buffers += [scripted.allocate() for _ in range(scripted.scenario.buffer_count)]
    attached_now = testbed.secondary(scripted)
    mappers = (scripted.primary, scripted.secondaries[1], attached_now)
    for buffer in buffers:
        tag = scripted.send(buffer)
        command = scripted.device.next_command()
        handle = handle_of(command)
        views = [mapped_view(process, handle) for process in mappers]
        require_same_memory(command.size, fetched_view(command), *views, seed=testbed.seed + tag)
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@pytest.mark.parametrize("by", ["fetcher", "another process"])
@vdi_requirement("GBH-16")
def test_after_an_abort_a_held_buffer_fails_cleanly_at_worst(
    statement: StatementRun, secondary: Client, by: str
) -> None:
    command = statement.next_data_command()
    handle_of(command)
    (statement.primary if by == "fetcher" else secondary).signal_abort().expect(NOERROR)
    result = statement.primary.get_buffer_handle(command.buffer)
    result.permit("Q38", "GetBufferHandle after an abort", NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
    statement.primary.close()


@vdi_requirement("GBH-17")
def test_threads_of_one_process_ask_at_once(testbed: Testbed, kind: Kind) -> None:
    statement = testbed.statement(kind, Scenario(devices=8, secondaries=1, buffer_count=16))
    commands = statement.hold_all()
    for command in commands:
        testbed.fill(fetched_view(command), command.size, command.buffer)
    asked = [
        statement.primary.send_get_buffer_handle(command.buffer, thread=f"asker {turn}.{number}")
        for turn in range(3)
        for number, command in enumerate(commands)
    ]
    handles = [pending.result().expect(NOERROR) for pending in asked]
    for command, handle in zip(commands * 3, handles, strict=True):
        require_same_contents(command.size, fetched_view(command), mapped_view(statement.secondaries[0], handle))


@vdi_requirement("GBH-18")
def test_a_buffer_of_another_set_has_no_handle_here(testbed: Testbed, kind: Kind) -> None:
    one = testbed.statement(kind)
    other = testbed.twin(one, kind)
    commands = [running.device.next_data_command() for running in (one, other)]
    one.primary.get_buffer_handle(commands[1].buffer).expect(VD_E_INVALID)
    other.primary.get_buffer_handle(commands[0].buffer).expect(VD_E_INVALID)
    for running, command in zip((one, other), commands, strict=True):
        handle_of(command)
        running.answer(command).expect(NOERROR)
        running.succeed()


@vdi_requirement("GBH-19")
def test_an_address_of_a_closed_set_names_nothing_of_the_next(testbed: Testbed) -> None:
    first = testbed.backup(Scenario(devices=2))
    old = first.hold_all()
    for command in old:
        handle_of(command)
        first.answer(command).expect(NOERROR)
    first.succeed()
    second = testbed.again(first)
    held = second.next_data_command()
    secondary = testbed.secondary(second)
    for command in old:
        result = second.primary.get_buffer_handle(command.buffer)
        if command.buffer == held.buffer:  # the system placed it there again
            view = mapped_view(secondary, result.expect(NOERROR))
            require_same_memory(held.size, fetched_view(held), view, seed=testbed.seed)
        elif result.permit("Q56", "GetBufferHandle of a closed set's address", NOERROR, VD_E_INVALID) == NOERROR:
            view = mapped_view(secondary, result.expect(NOERROR))
            view.process.read(view.address, 1)


@vdi_requirement("GBH-20")
def test_a_handle_stays_good_while_others_come_and_go(testbed: Testbed, kind: Kind) -> None:
    statement = testbed.statement(kind, Scenario(devices=2, buffer_count=3, transfers=8))
    held, other = statement.hold_all()
    handle = handle_of(held)
    testbed.fill(fetched_view(held), held.size, 1)
    stored = statement.primary.digest(held.buffer, held.size)
    statement.answer(other).expect(NOERROR)
    for _ in range(2):
        guest = testbed.secondary(statement)
        mapped_view(guest, handle)
        guest.close().expect(NOERROR)
        statement.forget(guest)
        statement.answer_next(statement.devices[1], 3)
    view = mapped_view(testbed.secondary(statement), handle)
    assert view.process.digest(view.address, held.size) == stored, "a held buffer has lost what was stored in it"
    require_same_memory(held.size, fetched_view(held), view, seed=testbed.seed)
    statement.answer(held).expect(NOERROR)
    statement.finish()


@vdi_requirement("GBH-21")
def test_the_handle_of_a_mapped_address_names_the_same_buffer(testbed: Testbed, kind: Kind) -> None:
    statement = testbed.statement(kind, Scenario(secondaries=2))
    command = statement.next_data_command()
    mapper, third = statement.secondaries
    mapped = mapped_view(mapper, handle_of(command))
    result = mapper.get_buffer_handle(mapped.address)
    if result.permit("Q38", "GetBufferHandle of a mapped address", NOERROR, VD_E_INVALID) == NOERROR:
        view = mapped_view(third, result.expect(NOERROR))
        require_same_memory(command.size, fetched_view(command), mapped, view, seed=testbed.seed)


@vdi_requirement("GBH-01", "GBH-02")
def test_commands_outstanding_on_one_device_have_handles_of_their_own(scripted: ScriptedSet, secondary: Client) -> None:
    buffers = [scripted.allocate() for _ in range(2)]
    for buffer in buffers:
        scripted.send(buffer)
    commands = [scripted.device.next_command() for _ in buffers]
    handles = {f"command {command.ordinal}": handle_of(command) for command in commands}
    require_distinct(handles, "handle")
    for command, handle in zip(commands, handles.values(), strict=True):
        require_same_memory(command.size, fetched_view(command), mapped_view(secondary, handle), seed=command.ordinal)
    for command in commands:
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
