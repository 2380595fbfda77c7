"""Buffers: whose they are and for how long, where they start, and their prefix zones."""

import pytest

from vdi_conformance.suite.device import Fetched
from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.sharing import (
    Marked,
    View,
    fetched_view,
    handle_of,
    mapped_view,
    mark,
    require_same_contents,
    require_unchanged,
    zone_view,
)
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import ALONE_OR_NOT, OWNERS
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN

BARRIER = 100
"""So many commands of others show that something does not happen."""

ALIGNMENTS = [512 << power for power in range(8)]
BOTH_WAYS = vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA


@pytest.mark.parametrize(
    ("kind", "owners", "zone"),
    [("backup", (0,), 24), ("restore", (1,), 0), ("backup", (0, 1, 2), 512), ("restore", (0, 1, 2), 24)],
    ids=["backup-primary", "restore-secondary", "backup-three processes", "restore-three processes"],
)
@judges("BUF-01")
def test_buffers_held_at_once_do_not_overlap(stage: Stage, kind: Kind, owners: tuple[int, ...], zone: int) -> None:
    geometry = Geometry(devices=4, owners=owners, secondaries=1, buffer_count=4, prefix_zone_size=zone)
    operation = stage.operation(kind, geometry)
    commands = operation.hold_all()
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(commands)]
    require_unchanged(*marked)
    for one, command in zip(marked, commands, strict=True):
        mapper = operation.participants[1 if command.device.participant is operation.primary else 0]
        require_same_contents(command.size, one.view, mapped_view(mapper, handle_of(command)))
    require_unchanged(*marked)


@pytest.mark.parametrize(
    ("kind", "owners"),
    [("backup", (0,)), ("restore", (0, 1)), ("backup", (1, 2)), ("restore", (1,))],
    ids=["backup-primary", "restore-both", "backup-secondaries", "restore-secondary"],
)
@judges("BUF-01")
def test_a_held_buffer_keeps_its_bytes_while_others_work(stage: Stage, kind: Kind, owners: tuple[int, ...]) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=owners, buffer_count=3, transfers=BARRIER + 10))
    held, other = operation.hold_all()
    marked = mark(fetched_view(held), held.size, stage.seed)
    operation.answer(other).expect(NOERROR)
    operation.pass_commands(other.device, BARRIER)
    require_unchanged(marked)
    operation.answer(held).expect(NOERROR)
    operation.succeed()


@pytest.mark.parametrize("zone", [0, 24])
@judges("BUF-01")
def test_the_buffers_of_a_pool_are_distinct(stage: Stage, zone: int) -> None:
    scripted = _pool_outstanding(stage, zone)
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(_fetch_all(scripted))]
    require_unchanged(*marked)


def _pool_outstanding(stage: Stage, zone: int) -> Scripted:
    """Send every buffer of a pool, two to a device, to devices of two processes."""
    scripted = stage.scripted(Geometry(devices=4, owners=(0, 1), buffer_count=8, prefix_zone_size=zone))
    for number in range(scripted.geometry.buffer_count):
        scripted.send(scripted.allocate(), device=number % len(scripted.devices))
    return scripted


def _fetch_all(scripted: Scripted) -> list[Fetched]:
    return [device.next_command() for _ in range(2) for device in scripted.devices]


@pytest.mark.parametrize(("kind", "alignment"), list(zip(4 * ("backup", "restore"), ALIGNMENTS, strict=True)))
@judges("BUF-05")
def test_every_buffer_is_aligned(stage: Stage, kind: Kind, alignment: int) -> None:
    _require_aligned(stage.operation(kind, Geometry(3, ALONE_OR_NOT[kind], alignment=alignment, transfers=1)))


@pytest.mark.parametrize(("block_size", "alignment"), [(4096, 0), (65536, 0), (8192, 1024)])
@judges("BUF-05")
def test_no_alignment_is_below_the_block_size(stage: Stage, block_size: int, alignment: int) -> None:
    geometry = Geometry(2, (0, 1), block_size=block_size, alignment=alignment, prefix_zone_size=24)
    _require_aligned(stage.backup(geometry))


@pytest.mark.parametrize(
    ("kind", "zone", "alignment"),
    [
        ("backup", 24, 4096),
        ("restore", 24, 4096),
        ("restore", 1, 512),
        ("backup", 513, 65536),
        ("restore", 4097, 1024),
        ("backup", 65536, 16384),
    ],
)
@judges("BUF-05", "BUF-06", "BUF-09")
def test_the_data_is_aligned_and_not_the_zone(stage: Stage, kind: Kind, zone: int, alignment: int) -> None:
    geometry = Geometry(devices=2, owners=ALONE_OR_NOT[kind], prefix_zone_size=zone, alignment=alignment)
    _require_aligned(stage.operation(kind, geometry))


def _require_aligned(operation: Operation) -> None:
    """Run to the end; every buffer starts at a multiple, and the zone lies directly before it."""
    geometry = operation.geometry
    configured = operation.primary.get_configuration(0).expect(NOERROR)
    wanted = max(configured.alignment, geometry.alignment, geometry.block_size)
    for command in operation.data_commands():
        name = command.device.participant.name
        assert command.buffer % wanted == 0, f"{name} has a buffer at {command.buffer:#x}, no multiple of {wanted}"
        if zone := geometry.prefix_zone_size:
            require_unchanged(mark(zone_view(command, zone), zone, command.buffer))
        operation.answer(command).expect(NOERROR)
    operation.close()
    operation.require_success(operation.outcome())


@pytest.mark.parametrize(("zone", "owner"), [(24, 1), (4096, 1), (65536, 0)])
@judges("BUF-06", "BUF-07")
def test_what_is_in_the_zone_concerns_the_client_alone(stage: Stage, zone: int, owner: int) -> None:
    geometry = Geometry(devices=2, owners=(0, owner), prefix_zone_size=zone, buffer_count=3)
    streams = stage.directory("streams")
    _overwrite_zones(stage, stage.backup(geometry, streams))
    _overwrite_zones(stage, stage.restore(geometry, streams))


def _overwrite_zones(stage: Stage, operation: Operation) -> None:
    zone = operation.geometry.prefix_zone_size
    largest = operation.primary.get_configuration(0).expect(NOERROR).max_transfer_size
    for command in operation.data_commands():
        assert command.size <= largest, f"a command of {command.size} bytes came, {largest} are the most"
        stage.fill(zone_view(command, zone), zone, command.ordinal)
        operation.answer(command).expect(NOERROR)
    operation.close()
    operation.require_success(operation.outcome())


@OWNERS
@pytest.mark.parametrize("zone", [24, 4096])
@judges("BUF-07")
def test_the_server_sees_nothing_of_the_zone(stage: Stage, owner: int, zone: int) -> None:
    scripted = stage.scripted(Geometry(owners=(owner,), prefix_zone_size=zone), features=BOTH_WAYS)
    buffer, size = scripted.allocate(), scripted.geometry.max_transfer_size
    for code in (vdc.VDC_WRITE, vdc.VDC_READ):
        data = mark(View(scripted.server, buffer), size, code)
        tag = scripted.send(buffer, code)
        command = scripted.device.next_command()
        assert command.size == size, f"a command of {size} bytes came as one of {command.size}"
        require_same_contents(size, data.view, fetched_view(command))
        stage.fill(zone_view(command, zone), zone, stage.seed)
        scripted.device.complete(command, 0, size).expect(NOERROR)
        scripted.completed(tag, 0, size)
        require_unchanged(data)


@pytest.mark.parametrize(("kind", "zone"), [("backup", 24), ("restore", 512), ("restore", 24), ("backup", 4096)])
@judges("BUF-08")
def test_zones_spoil_no_data_of_others(stage: Stage, kind: Kind, zone: int) -> None:
    operation = stage.operation(kind, Geometry(4, ALONE_OR_NOT[kind], buffer_count=4, prefix_zone_size=zone))
    commands = operation.hold_all()
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(commands)]
    marked += [mark(zone_view(command, zone), zone, -number) for number, command in enumerate(commands, 1)]
    require_unchanged(*marked)


@pytest.mark.parametrize("zone", [1, 24, 4096])
@judges("BUF-08")
def test_zones_of_a_whole_pool_spoil_no_data(stage: Stage, zone: int) -> None:
    commands = _fetch_all(_pool_outstanding(stage, zone))
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(commands)]
    marked += [mark(zone_view(command, zone), zone, -number) for number, command in enumerate(commands, 1)]
    require_unchanged(*marked)


@pytest.mark.parametrize(
    ("kind", "owner", "end"),
    [
        ("backup", 0, "the holder aborts"),
        ("restore", 0, "another aborts"),
        ("restore", 1, "the holder aborts"),
        ("backup", 1, "another aborts"),
        ("restore", 1, "the primary closes"),
        ("backup", 1, "the primary closes"),
        ("restore", 1, "the primary dies"),
        ("backup", 1, "the primary dies"),
    ],
)
@judges("BUF-15", "ABT-08")
def test_a_held_buffer_stays_until_its_holder_closes(stage: Stage, kind: Kind, owner: int, end: str) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(owner, 1 - owner), prefix_zone_size=24))
    command = operation.next_data_command()
    held = View(command.device.participant, command.buffer - 24)
    marked = mark(held, command.size + 24, 1)
    match end:
        case "the holder aborts":
            command.device.participant.signal_abort().expect(NOERROR)
        case "another aborts":
            operation.participants[1 - owner].signal_abort().expect(NOERROR)
        case "the primary closes":
            operation.primary.close().permit("Q3", "Close of the primary with open devices", VD_E_OPEN, NOERROR)
        case _:
            operation.primary.kill()
    command.device.await_abort()
    operation.outcome()
    _use_until_close(marked, command.device.participant)


@OWNERS
@pytest.mark.parametrize("end", ["the server aborts", "the server closes"])
@judges("BUF-15")
def test_the_end_of_the_server_takes_no_held_buffer(stage: Stage, owner: int, end: str) -> None:
    scripted = stage.scripted(Geometry(owners=(owner,)))
    scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    marked = mark(fetched_view(command), command.size, 1)
    scripted.signal_abort()
    scripted.device.await_abort()
    if end == "the server closes":
        scripted.server.close()
    _use_until_close(marked, command.device.participant)


def _use_until_close(marked: Marked, holder: Participant) -> None:
    require_unchanged(marked)
    require_unchanged(mark(marked.view, marked.size, 2))
    holder.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
