"""GetBufferHandle: who may ask, for which addresses, and what the handle names."""

from dataclasses import astuple

import pytest

from vdi_conformance.suite.judging import judges, not_applicable
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.sharing import (
    View,
    fetched_view,
    handle_of,
    mapped_view,
    require_distinct,
    require_inside,
    require_same_contents,
    require_same_memory,
)
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import OWNERS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_INVALID, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig


@OWNERS
@judges("GBH-01", "GBH-08")
def test_every_data_command_has_a_handle(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), transfers=6, buffer_count=3))
    for _ in range(6):
        command = operation.next_data_command()
        handle_of(command)
        operation.answer(command).expect(NOERROR)
    operation.succeed()


@OWNERS
@judges("GBH-02", "GBH-08", "MBH-01")
def test_the_handle_of_one_process_names_its_buffer_in_another(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=1))
    command = operation.next_data_command()
    other = operation.participants[1 - owner]
    view = mapped_view(other, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
    operation.answer(command).expect(NOERROR)
    operation.finish()


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
@judges("GBH-02")
def test_buffers_held_at_once_have_handles_of_their_own(
    stage: Stage, kind: Kind, devices: int, owners: tuple[int, ...]
) -> None:
    operation = stage.operation(kind, Geometry(devices, owners, secondaries=2, buffer_count=2 * devices))
    commands = operation.hold_all()
    handles = {command.device.name: handle_of(command) for command in commands}
    require_distinct(handles, "handle")
    for number, command in enumerate(commands):
        fetched = fetched_view(command)
        stage.fill(fetched, command.size, number)
    for command in commands:
        views = [mapped_view(other, handles[command.device.name]) for other in operation.secondaries]
        require_same_contents(command.size, fetched_view(command), *views)
        operation.answer(command)
    operation.finish()


@OWNERS
@judges("GBH-03")
def test_a_closed_set_gives_no_handles(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,)))
    command = operation.next_data_command()
    handle_of(command)
    operation.answer(command).expect(NOERROR)
    operation.succeed()
    operation.participants[owner].get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)


@judges("GBH-03")
def test_a_secondary_that_left_gets_no_handles(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=2, owners=(1, 0)))
    tag = scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    handle_of(command)
    scripted.device.complete(command, 0, command.size).expect(NOERROR)
    scripted.completed(tag, 0, command.size)
    scripted.close_device(0)
    scripted.device.get_command().require(VD_E_CLOSE)
    leaver = scripted.secondaries[0]
    leaver.close().expect(NOERROR)
    leaver.get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)


@OWNERS
@judges("GBH-04")
def test_memory_outside_the_set_has_no_handle(stage: Stage, owner: int) -> None:
    operation = stage.backup(Geometry(owners=(owner,), secondaries=2 * owner))
    command = operation.next_data_command()
    for participant in operation.participants:
        for address in (*astuple(participant.landmarks()), 0):
            participant.get_buffer_handle(address).expect(VD_E_INVALID)
    handle_of(command)
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@OWNERS
@judges("GBH-04")
def test_all_bits_of_an_address_count(stage: Stage, owner: int) -> None:
    operation = stage.backup(Geometry(owners=(owner,)))
    command = operation.next_data_command()
    if operation.participants[owner].host.initialized.process.pointer_bytes == 4:
        not_applicable("addresses of this process have no more than 32 bits")
    for bit in (32, 40, 46, 48, 63):
        operation.participants[owner].get_buffer_handle(command.buffer ^ 1 << bit).expect(VD_E_INVALID)
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("GBH-05")
def test_asking_twice_gives_handles_of_the_same_buffer(
    stage: Stage, operation: Operation, secondary: Participant
) -> None:
    command = operation.next_data_command()
    first, second = handle_of(command), handle_of(command)
    stage.observe("Q38", "handles of two calls for one buffer", "equal" if first == second else "different")
    views = [mapped_view(secondary, handle) for handle in (first, second)]
    require_same_memory(command.size, fetched_view(command), *views, seed=stage.seed)


@judges("GBH-05")
def test_a_buffer_sent_again_on_another_device_has_a_good_handle(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=2, owners=(0, 1)))
    buffer = scripted.allocate()
    for index in (0, 0, 1):
        tag = scripted.send(buffer, device=index)
        command = scripted.devices[index].next_command()
        other = scripted.participants[1 - index]
        view = mapped_view(other, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
        scripted.devices[index].complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@pytest.mark.parametrize("place", ["second byte", "last byte"])
@judges("GBH-06")
def test_an_address_inside_a_buffer_stays_inside_it(
    stage: Stage, operation: Operation, secondary: Participant, place: str
) -> None:
    command = operation.next_data_command()
    offset = 1 if place == "second byte" else command.size - 1
    result = operation.primary.get_buffer_handle(command.buffer + offset)
    if result.permit("Q38", f"GetBufferHandle of the {place} of a buffer", NOERROR, VD_E_INVALID) == NOERROR:
        mapped = mapped_view(secondary, result.expect(NOERROR))
        require_inside(mapped, command.size, [fetched_view(command)], stage.seed)


@pytest.mark.parametrize("turn", range(3))
@judges("GBH-09")
def test_every_value_of_a_handle_is_as_good_as_another(stage: Stage, turn: int) -> None:
    operation = stage.backup(Geometry(devices=4, secondaries=1, buffer_count=32 + turn))
    for _ in range(3):
        commands = operation.hold_all()
        for command in commands:
            stage.fill(fetched_view(command), command.size, command.buffer)
        for command in commands:
            mapped = mapped_view(operation.secondaries[0], handle_of(command))
            require_same_contents(command.size, fetched_view(command), mapped)
        for command in commands:
            operation.answer(command).expect(NOERROR)


@judges("GBH-10")
def test_a_null_out_pointer_is_refused(stage: Stage, operation: Operation) -> None:
    stage.need("null_out_pointers", "it needs null out pointers")
    command = operation.next_data_command()
    operation.primary.get_buffer_handle(command.buffer, null_out=True).require_failure()
    handle_of(command)


@pytest.mark.parametrize("landmark", ["stack", "heap"])
@judges("GBH-11")
def test_before_the_server_came_there_is_no_handle(stage: Stage, landmark: str) -> None:
    primary = stage.participant("primary")
    primary.create_ex(None, stage.name(), VDConfig()).expect(NOERROR)
    result = primary.get_buffer_handle(getattr(primary.landmarks(), landmark))
    result.permit("Q40", "GetBufferHandle in Configurable", VD_E_INVALID, VD_E_PROTOCOL)


@judges("GBH-11")
def test_before_a_buffer_was_given_out_there_is_no_handle(stage: Stage) -> None:
    operation = stage.backup(Geometry(secondaries=1))
    for participant in operation.participants:
        result = participant.get_buffer_handle(participant.landmarks().heap)
        result.permit("Q40", "GetBufferHandle before any command", VD_E_INVALID, VD_E_PROTOCOL)
    operation.finish()


@pytest.mark.parametrize("landmark", ["stack", "null"])
@judges("GBH-12")
def test_an_object_that_never_opened_a_set_gives_no_handle(stage: Stage, landmark: str) -> None:
    fresh = stage.participant("fresh")
    address = 0 if landmark == "null" else fresh.landmarks().stack
    result = fresh.get_buffer_handle(address)
    result.permit("Q56", f"GetBufferHandle of {landmark} on a fresh object", VD_E_PROTOCOL, VD_E_INVALID)
    fresh.create_ex(None, stage.name(), VDConfig()).expect(NOERROR)


@judges("GBH-13")
def test_what_a_completed_command_leaves_is_observed(operation: Operation) -> None:
    command = operation.next_data_command()
    handle_of(command)
    operation.answer(command).expect(NOERROR)
    result = operation.primary.get_buffer_handle(command.buffer)
    result.permit("Q38", "GetBufferHandle of a completed command's buffer", NOERROR, VD_E_INVALID)


@pytest.mark.parametrize("distance", [1, 512])
@judges("GBH-14")
def test_an_address_in_the_prefix_zone_stays_with_its_buffer(stage: Stage, kind: Kind, distance: int) -> None:
    operation = stage.operation(kind, Geometry(secondaries=1, prefix_zone_size=512))
    command = operation.next_data_command()
    result = operation.primary.get_buffer_handle(command.buffer - distance)
    subject = f"GetBufferHandle {distance} bytes before a buffer with a prefix zone"
    if result.permit("Q38", subject, NOERROR, VD_E_INVALID) == NOERROR:
        zone_and_buffer = [View(operation.primary, command.buffer - 512), fetched_view(command)]
        mapped = mapped_view(operation.secondaries[0], result.expect(NOERROR))
        require_inside(mapped, command.size, zone_and_buffer, stage.seed)


@judges("GBH-15", "MBH-06", "MBH-18")
def test_buffers_of_areas_that_came_later_are_shared(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(owners=(1,), secondaries=2))
    buffers = [scripted.allocate()]
    for _ in range(2):
        scripted.request_buffers(scripted.geometry.buffer_count)
        buffers += [scripted.allocate() for _ in range(scripted.geometry.buffer_count)]
    attached_now = stage.secondary(scripted)
    mappers = (scripted.primary, scripted.secondaries[1], attached_now)
    for buffer in buffers:
        tag = scripted.send(buffer)
        command = scripted.device.next_command()
        handle = handle_of(command)
        views = [mapped_view(process, handle) for process in mappers]
        require_same_memory(command.size, fetched_view(command), *views, seed=stage.seed + tag)
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@pytest.mark.parametrize("by", ["fetcher", "another process"])
@judges("GBH-16")
def test_after_an_abort_a_held_buffer_fails_cleanly_at_worst(
    operation: Operation, secondary: Participant, by: str
) -> None:
    command = operation.next_data_command()
    handle_of(command)
    (operation.primary if by == "fetcher" else secondary).signal_abort().expect(NOERROR)
    result = operation.primary.get_buffer_handle(command.buffer)
    result.permit("Q38", "GetBufferHandle after an abort", NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
    operation.primary.close()


@judges("GBH-17")
def test_threads_of_one_process_ask_at_once(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=8, secondaries=1, buffer_count=16))
    commands = operation.hold_all()
    for command in commands:
        stage.fill(fetched_view(command), command.size, command.buffer)
    asked = [
        operation.primary.send_get_buffer_handle(command.buffer, thread=f"asker {turn}.{number}")
        for turn in range(3)
        for number, command in enumerate(commands)
    ]
    handles = [pending.result().expect(NOERROR) for pending in asked]
    for command, handle in zip(commands * 3, handles, strict=True):
        require_same_contents(command.size, fetched_view(command), mapped_view(operation.secondaries[0], handle))


@judges("GBH-18")
def test_a_buffer_of_another_set_has_no_handle_here(stage: Stage, kind: Kind) -> None:
    one = stage.operation(kind)
    other = stage.twin(one, kind)
    commands = [running.device.next_data_command() for running in (one, other)]
    one.primary.get_buffer_handle(commands[1].buffer).expect(VD_E_INVALID)
    other.primary.get_buffer_handle(commands[0].buffer).expect(VD_E_INVALID)
    for running, command in zip((one, other), commands, strict=True):
        handle_of(command)
        running.answer(command).expect(NOERROR)
        running.succeed()


@judges("GBH-19")
def test_an_address_of_a_closed_set_names_nothing_of_the_next(stage: Stage) -> None:
    first = stage.backup(Geometry(devices=2))
    old = first.hold_all()
    for command in old:
        handle_of(command)
        first.answer(command).expect(NOERROR)
    first.succeed()
    second = stage.again(first)
    held = second.next_data_command()
    secondary = stage.secondary(second)
    for command in old:
        result = second.primary.get_buffer_handle(command.buffer)
        if command.buffer == held.buffer:  # the system placed it there again
            view = mapped_view(secondary, result.expect(NOERROR))
            require_same_memory(held.size, fetched_view(held), view, seed=stage.seed)
        elif result.permit("Q56", "GetBufferHandle of a closed set's address", NOERROR, VD_E_INVALID) == NOERROR:
            view = mapped_view(secondary, result.expect(NOERROR))
            view.process.read(view.address, 1)


@judges("GBH-20")
def test_a_handle_stays_good_while_others_come_and_go(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, buffer_count=3, transfers=8))
    held, other = operation.hold_all()
    handle = handle_of(held)
    stage.fill(fetched_view(held), held.size, 1)
    stored = operation.primary.digest(held.buffer, held.size)
    operation.answer(other).expect(NOERROR)
    for _ in range(2):
        guest = stage.secondary(operation)
        mapped_view(guest, handle)
        guest.close().expect(NOERROR)
        operation.dismiss(guest)
        operation.answer_next(operation.devices[1], 3)
    view = mapped_view(stage.secondary(operation), handle)
    assert view.process.digest(view.address, held.size) == stored, "a held buffer has lost what was stored in it"
    require_same_memory(held.size, fetched_view(held), view, seed=stage.seed)
    operation.answer(held).expect(NOERROR)
    operation.finish()


@judges("GBH-21")
def test_the_handle_of_a_mapped_address_names_the_same_buffer(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(secondaries=2))
    command = operation.next_data_command()
    mapper, third = operation.secondaries
    mapped = mapped_view(mapper, handle_of(command))
    result = mapper.get_buffer_handle(mapped.address)
    if result.permit("Q38", "GetBufferHandle of a mapped address", NOERROR, VD_E_INVALID) == NOERROR:
        view = mapped_view(third, result.expect(NOERROR))
        require_same_memory(command.size, fetched_view(command), mapped, view, seed=stage.seed)


@judges("GBH-01", "GBH-02")
def test_commands_outstanding_on_one_device_have_handles_of_their_own(
    scripted: Scripted, secondary: Participant
) -> None:
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
