"""Secondaries at work: they run devices as threads of the primary would, and leave one by one."""

import pytest

from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.operation import Kind
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import OWNER_NAMES, in_turn
from vdi_conformance.vdi.commands import VDC_FLUSH, VDF_REQUEST_COMPLETE
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import INFINITE, VDConfig

CASTS = {
    "one": Geometry(owners=(1,)),
    "two": Geometry(devices=2, owners=(1, 2)),
    "eight": Geometry(devices=8, owners=(1, 2, 3, 4, 5, 6, 7, 8), buffer_count=8),
    "two with three devices each": Geometry(devices=6, owners=(1, 2), buffer_count=6),
    "one and the primary": Geometry(devices=2, owners=(0, 1)),
}
SECONDARIES = in_turn("secondaries", [1, 2, 8])


# Running devices


@pytest.mark.parametrize("cast", ["eight", "two with three devices each", "one and the primary"])
@judges("SEC-09")
def test_secondaries_carry_whole_streams(stage: Stage, cast: str) -> None:
    streams = stage.directory("streams")
    stage.backup(CASTS[cast], streams).succeed()
    stage.restore(CASTS[cast], streams).succeed()


@in_turn("cast", list(CASTS))
@judges("SEC-09")
def test_secondaries_hold_commands_at_once(stage: Stage, kind: Kind, cast: str) -> None:
    operation = stage.operation(kind, CASTS[cast])
    for command in reversed(operation.hold_all()):
        operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("SEC-10")
def test_a_secondary_learns_the_configuration_at_once(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(1, 0), secondaries=2))
    operation.hold_all()
    for secondary in operation.secondaries:
        secondary.get_configuration(INFINITE).expect(NOERROR)
        secondary.get_configuration(0).expect(NOERROR)


@judges("SEC-10")
def test_a_secondary_learns_the_configuration_while_its_device_waits(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(owners=(1,)))
    waiting = scripted.device.send_get_command()
    scripted.secondaries[0].get_configuration(INFINITE).expect(NOERROR)
    tag = scripted.send(code=VDC_FLUSH)
    scripted.device.complete(waiting.result().expect(NOERROR)).expect(NOERROR)
    scripted.completed(tag, 0, 0)


@in_turn(
    "geometry",
    [
        Geometry(owners=(1,), secondaries=8),
        Geometry(
            devices=3,
            owners=(0, 1, 2),
            block_size=4096,
            max_transfer_size=131072,
            prefix_zone_size=24,
            alignment=8192,
            features=VDF_REQUEST_COMPLETE,
            server_time_out=3_600_000,
        ),
    ],
    ["plain", "everything asked for"],
)
@judges("SEC-11")
def test_all_processes_are_told_one_configuration(stage: Stage, kind: Kind, geometry: Geometry) -> None:
    operation = stage.operation(kind, geometry)
    wanted = _described(operation.primary)
    for turn in range(2):
        for secondary in operation.secondaries:
            found = _described(secondary)
            assert found == wanted, f"{secondary.name} was told {found}, the primary {wanted}"
        if turn == 0:
            operation.answer(operation.next_data_command()).expect(NOERROR)
    operation.succeed()


def _described(participant: Participant) -> VDConfig:
    """Ask for the configuration without bufferAreaSize, of which no document says what it is (CFG-22)."""
    return participant.get_configuration().expect(NOERROR)._replace(buffer_area_size=0)


@in_turn("opener", [0, 1], OWNER_NAMES)
@judges("SEC-21", "OPD-17")
def test_a_device_is_open_in_one_process_alone(stage: Stage, kind: Kind, opener: int) -> None:
    operation = stage.configured(kind, Geometry(devices=2, owners=(opener, 1 - opener), secondaries=2))
    operation.join_all()
    operation.open_device(0)
    others = [one for one in operation.participants if one is not operation.device.participant]
    for other in others:
        answer = other.open_device(operation.set_name)
        answer.permit("Q31", "OpenDevice of a device that another process opened", VD_E_PROTOCOL)
    operation.open_device(1)
    for other in others:
        answer = other.open_device(operation.set_name)
        answer.permit("Q2", "OpenDevice in another process, all devices open", VD_E_OPEN, VD_E_PROTOCOL)
    operation.succeed()


# Leaving


@SECONDARIES
@judges("SEC-12", "SEC-18")
def test_secondaries_do_all_the_work_and_leave_before_the_primary(stage: Stage, kind: Kind, secondaries: int) -> None:
    owners = tuple(range(1, secondaries + 1))
    operation = stage.operation(kind, Geometry(devices=secondaries, owners=owners, buffer_count=8))
    for command in operation.data_commands():
        operation.answer(command).expect(NOERROR)
    for secondary in reversed(operation.secondaries):
        secondary.close().expect(NOERROR)
        secondary.leave()
    operation.primary.close().expect(NOERROR)
    operation.require_success(operation.outcome())


@pytest.mark.parametrize("owner", [0, 2], ids=["primary", "secondary"])
@judges("CLS-15")
def test_who_leaves_after_its_devices_closed_disturbs_nobody(stage: Stage, owner: int) -> None:
    scripted = stage.scripted(Geometry(devices=3, owners=(1, owner, 1), secondaries=2))
    leaver = scripted.secondaries[0]
    assert all(scripted.passes(device, 2) for device in range(3)), "the set was aborted"
    for device in (0, 2):
        scripted.close_device(device)
        scripted.devices[device].get_command().require(VD_E_CLOSE)
    leaver.close().expect(NOERROR)
    tag = scripted.send(scripted.allocate(), device=1)
    held = scripted.devices[1].next_command()
    view = mapped_view(scripted.participants[2 - owner], handle_of(held))
    require_same_memory(held.size, fetched_view(held), view, seed=stage.seed)
    held.device.complete(held, 0, held.size).expect(NOERROR)
    scripted.completed(tag, 0, held.size)
    assert scripted.passes(1, 100), "the set was aborted"
    scripted.close_device(1)
    scripted.devices[1].get_command().require(VD_E_CLOSE)
    scripted.secondaries[1].close().expect(NOERROR)
    scripted.primary.close().expect(NOERROR)


@pytest.mark.parametrize("owner", [0, 2], ids=["primary", "secondary"])
@judges("GBH-20")
def test_who_leaves_takes_no_buffer_from_others(stage: Stage, owner: int) -> None:
    scripted = stage.scripted(Geometry(devices=2, owners=(1, owner), secondaries=3))
    holder, mapper = scripted.devices[1].participant, scripted.secondaries[2]
    tags = [scripted.send(scripted.allocate(), device=1) for _ in range(2)]
    commands = [scripted.devices[1].next_command() for _ in tags]
    earlier = handle_of(commands[0])
    scripted.close_device(0)
    scripted.device.get_command().require(VD_E_CLOSE)
    for leaver in scripted.secondaries[:1] + scripted.secondaries[1:2] * (owner == 0):
        leaver.close().expect(NOERROR)
        for command in commands:
            view = mapped_view(mapper, handle_of(command))
            require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
        require_same_memory(commands[0].size, fetched_view(commands[0]), mapped_view(holder, earlier), seed=stage.seed)
    for tag, command in zip(tags, commands, strict=True):
        command.device.complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("CLS-20")
def test_who_only_mapped_leaves_unnoticed(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=3, transfers=12))
    *_, stayer, leaver = operation.secondaries
    command = operation.next_data_command()
    handle = handle_of(command)
    mapped_view(leaver, handle)
    leaver.close().expect(NOERROR)
    _require_not_open(leaver, operation.set_name)
    require_same_memory(command.size, fetched_view(command), mapped_view(stayer, handle), seed=stage.seed)
    operation.answer(command).expect(NOERROR)
    operation.dismiss(leaver)
    operation.succeed()


def _require_not_open(left: Participant, device: str) -> None:
    for answer in (left.get_configuration(0), left.open_device(device), left.signal_abort(), left.close()):
        answer.require(VD_E_PROTOCOL)
