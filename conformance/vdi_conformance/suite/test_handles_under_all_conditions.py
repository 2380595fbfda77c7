"""Handles and mappings in every condition of a set: sizes, forms, numbers of buffers, and what went before."""

import pytest

from vdi_conformance.suite.device import Fetched
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry, Running
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.sharing import (
    View,
    fetched_view,
    handle_of,
    mapped_view,
    mark,
    require_same_memory,
    require_unchanged,
)
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import OWNER_NAMES, in_turn
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID
from vdi_conformance.vdi.structures import MAX_TRANSFER_SIZE, VDConfig

GEOMETRIES = {
    "large": Geometry(secondaries=1, max_transfer_size=MAX_TRANSFER_SIZE, buffer_count=1),
    "large of a secondary": Geometry(owners=(1,), max_transfer_size=MAX_TRANSFER_SIZE, buffer_count=1),
    "zone": Geometry(owners=(1,), prefix_zone_size=24),
    "three devices each": Geometry(devices=6, owners=(0, 1), buffer_count=6),
    "three secondaries": Geometry(devices=3, owners=(1, 2, 3), buffer_count=3),
}
ASKED_AGAIN = 300
"""So often a handle is asked for and mapped: more often than an octet counts."""
REFUSALS = 128
"""So many calls are refused in a row."""


@in_turn("condition", list(GEOMETRIES))
@judges("GBH-01", "GBH-08", "MBH-01", "MBH-02")
def test_buffers_of_every_kind_are_shared(stage: Stage, kind: Kind, condition: str) -> None:
    operation = stage.operation(kind, GEOMETRIES[condition])
    _share(stage, operation, *operation.hold_all())


def _share(stage: Stage, running: Running, *commands: Fetched) -> None:
    """Map each buffer in every other process, and then see that each is shared; all mappings live at once."""
    handles = [handle_of(command) for command in commands]
    mapped = [
        [mapped_view(one, handle) for one in running.participants if one is not command.device.participant]
        for command, handle in zip(commands, handles, strict=True)
    ]
    for command, views in zip(commands, mapped, strict=True):
        require_same_memory(command.size, fetched_view(command), *views, seed=stage.seed + command.buffer)


@pytest.mark.parametrize("owner", [0, 1], ids=OWNER_NAMES)
@judges("GBH-01", "MBH-01", "SEC-08")
def test_sets_of_the_older_forms_are_shared(stage: Stage, owner: int) -> None:
    stage.need_default_instance()
    operation = stage.backup(Geometry(devices=2, owners=(owner,), secondaries=2, older=True))
    _share(stage, operation, *operation.hold_all())
    wanted = operation.primary.get_configuration(0).expect(NOERROR)._replace(buffer_area_size=0)
    for secondary in operation.secondaries:
        assert secondary.get_configuration(0).expect(NOERROR)._replace(buffer_area_size=0) == wanted
    leaver = operation.secondaries[1]
    leaver.close().expect(NOERROR)
    operation.dismiss(leaver)
    operation.secondaries[0].signal_abort().expect(NOERROR)
    for device in operation.devices:
        device.await_abort()
    operation.require_failure()


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("GBH-01", "MBH-01", "SEC-01")
def test_a_further_set_of_the_same_objects_is_shared(stage: Stage, kind: Kind, owner: int) -> None:
    first = stage.operation(kind, Geometry(devices=2, owners=(owner,), secondaries=1))
    _share(stage, first, *first.hold_all())
    first.primary.signal_abort().expect(NOERROR)
    for participant in reversed(first.participants):
        participant.await_abort()
        participant.close()
    second = stage.again(first)
    _share(stage, second, *second.hold_all())


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("GBH-01", "GBH-04", "MBH-01", "MBH-04")
def test_what_was_refused_harms_no_later_call(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=1))
    command = operation.next_data_command()
    handle = handle_of(command)
    for participant in operation.participants:
        far = (handle + operation.pool_size + 1) % (1 << 32)
        for _ in range(REFUSALS):
            participant.get_buffer_handle(0).expect(VD_E_INVALID)
            participant.map_buffer_handle(far).expect(VD_E_INVALID)
        _share(stage, operation, command)
        participant.get_buffer_handle(0).expect(VD_E_INVALID)
        participant.map_buffer_handle(far).expect(VD_E_INVALID)
        _share(stage, operation, command)
        guest = stage.beside(participant)
        guest.create_ex(None, stage.name(), VDConfig()).expect(NOERROR)
        guest.close().expect(NOERROR)
    _share(stage, operation, command)


@judges("GBH-05", "MBH-08")
def test_a_buffer_is_asked_for_and_mapped_very_often(
    stage: Stage, operation: Operation, secondary: Participant
) -> None:
    command = operation.next_data_command()
    first = mapped_view(secondary, handle_of(command))
    for number in range(ASKED_AGAIN):
        asked = operation.primary.send_get_buffer_handle(command.buffer, thread=f"asker {number % 3}").result()
        mapped = secondary.send_map_buffer_handle(asked.expect(NOERROR), thread=f"mapper {number % 3}").result()
        last = View(secondary, mapped.expect(NOERROR))
    require_same_memory(command.size, fetched_view(command), first, last, seed=stage.seed)


@judges("GBH-01", "GBH-02", "MBH-02")
def test_handles_tell_hundreds_of_buffers_apart(stage: Stage) -> None:
    _require_told_apart(stage.scripted(Geometry(24, (0, 1), secondaries=2, buffer_count=11 * 24)), 11)


@judges("GBH-01", "GBH-02", "MBH-02")
def test_handles_tell_large_buffers_apart(stage: Stage) -> None:
    geometry = Geometry(3, (0, 1), secondaries=2, max_transfer_size=MAX_TRANSFER_SIZE, buffer_count=12)
    _require_told_apart(stage.scripted(geometry), 4)


def _require_told_apart(scripted: Scripted, each: int) -> None:
    """Have up to so many commands outstanding on each device, and map every buffer in one further process."""
    held: dict[int, Fetched] = {}
    for index, device in enumerate(scripted.devices):
        for _ in range(each):
            buffer = scripted.allocate()
            scripted.server.write(buffer, buffer.to_bytes(8, "little"))
            if scripted.try_to_send(buffer, device=index).succeeded:
                held[buffer] = device.next_command()
    handles = {f"buffer {buffer:#x}": handle_of(command) for buffer, command in held.items()}
    assert len(set(handles.values())) == len(handles), "two buffers that are held at once have the same handle"
    mapper = scripted.secondaries[-1]
    for buffer, handle in zip(held, handles.values(), strict=True):
        view = mapped_view(mapper, handle)
        if mapper.read(view.address, 8) != buffer.to_bytes(8, "little"):
            raise ConformanceFailure(f"handle {handle:#x} names another buffer than the one that it was given for")


@judges("MBH-05", "MBH-24")
def test_many_sets_of_the_same_processes_stay_apart(stage: Stage) -> None:
    # Where handles count from near one number, eight sets have equal ones.
    geometry = Geometry(devices=2, secondaries=1, buffer_count=2)
    first = stage.backup(geometry)
    sets = [first, *(stage.twin(first, "backup", geometry) for _ in range(7))]
    held = [(one, command) for one in sets for command in one.hold_all()]
    marked = [mark(fetched_view(command), command.size, number) for number, (_, command) in enumerate(held)]
    handles = [handle_of(command) for _, command in held]
    for _ in range(2):
        for (one, command), handle, stored in zip(held, handles, marked, strict=True):
            view = mapped_view(one.secondaries[0], handle)
            if view.process.digest(view.address, command.size) != stored.digest:
                raise ConformanceFailure("an object mapped a handle of its own set to other memory than that set's")
        _map_in_the_wrong_sets([one for one, _ in held], handles)
    require_unchanged(*marked)
    for one, command in held:
        one.answer(command).expect(NOERROR)
    for one in sets:
        one.succeed()


def _map_in_the_wrong_sets(sets: list[Operation], handles: list[int]) -> None:
    for one, handle in zip(sets, [*handles[2:], *handles[:2]], strict=True):
        one.secondaries[0].map_buffer_handle(handle).require(VD_E_INVALID, NOERROR)


@judges("MBH-17", "SEC-01")
def test_one_buffer_is_shared_by_twenty_processes(stage: Stage) -> None:
    operation = stage.backup(Geometry(owners=(1,), secondaries=20))
    command = operation.next_data_command()
    handle = handle_of(command)
    others = [mapped_view(one, handle) for one in operation.participants if one is not command.device.participant]
    for number, view in enumerate(others, 1):
        view.process.write(view.address + number, bytes([number]))
    wanted = bytes(range(1, len(others) + 1))
    for view in (fetched_view(command), *others):
        if view.process.read(view.address + 1, len(others)) != wanted:
            raise ConformanceFailure(f"{view.process.name} does not see what each of {len(others)} processes stored")
