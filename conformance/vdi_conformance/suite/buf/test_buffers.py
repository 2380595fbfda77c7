"""Buffers: whose they are and for how long, where they start, and their prefix zones."""

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import ALONE_OR_NOT, OWNERS, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import (
    BufferView,
    Marked,
    fetched_view,
    handle_of,
    mapped_view,
    mark,
    require_same_contents,
    require_unchanged,
    zone_view,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN

BARRIER = 100
"""So many commands of others show that something does not happen."""

ALIGNMENTS = [512 << power for power in range(8)]
ALIGNMENT_NAMES = ["512 bytes", *(f"{alignment >> 10} KiB" for alignment in ALIGNMENTS[1:])]
BOTH_WAYS = vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA


@pytest.mark.parametrize(
    ("kind", "owners", "zone"),
    [("backup", (0,), 24), ("restore", (1,), 0), ("backup", (0, 1, 2), 512), ("restore", (0, 1, 2), 24)],
    ids=["backup-primary", "restore-secondary", "backup-three processes", "restore-three processes"],
)
@vdi_requirement("BUF-01")
def test_buffers_held_at_once_do_not_overlap(testbed: Testbed, kind: Kind, owners: tuple[int, ...], zone: int) -> None:
    """Buffers held at the same time share no bytes, and each mapping shows the bytes of its own."""
    scenario = Scenario(devices=4, owners=owners, secondaries=1, buffer_count=4, prefix_zone_size=zone)
    statement = testbed.statement(kind, scenario)
    commands = statement.hold_all()
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(commands)]
    require_unchanged(*marked)
    for one, command in zip(marked, commands, strict=True):
        mapper = statement.clients[1 if command.device.client is statement.primary else 0]
        require_same_contents(command.size, one.view, mapped_view(mapper, handle_of(command)))
    require_unchanged(*marked)


@pytest.mark.parametrize(
    ("kind", "owners"),
    [("backup", (0,)), ("restore", (0, 1)), ("backup", (1, 2)), ("restore", (1,))],
    ids=["backup-primary", "restore-both", "backup-secondaries", "restore-secondary"],
)
@vdi_requirement("BUF-01")
def test_a_held_buffer_keeps_its_bytes_while_others_work(testbed: Testbed, kind: Kind, owners: tuple[int, ...]) -> None:
    """Nobody changes the bytes of a held buffer while commands pass over another device."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=owners, buffer_count=3, transfers=BARRIER + 10))
    held, other = statement.hold_all()
    marked = mark(fetched_view(held), held.size, testbed.seed)
    statement.answer(other).expect(NOERROR)
    statement.pass_commands(other.device, BARRIER)
    require_unchanged(marked)
    statement.answer(held).expect(NOERROR)
    statement.succeed()


@pytest.mark.parametrize("zone", [0, 24], ids=["no zone", "zone of 24 bytes"])
@vdi_requirement("BUF-01")
def test_the_buffers_of_a_pool_are_distinct(testbed: Testbed, zone: int) -> None:
    """Of the commands outstanding at one time no two have the same buffer."""
    scripted = _pool_outstanding(testbed, zone)
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(_fetch_all(scripted))]
    require_unchanged(*marked)


def _pool_outstanding(testbed: Testbed, zone: int) -> ScriptedSet:
    """Send every buffer of a pool, two to a device, to devices of two processes."""
    scripted = testbed.scripted(Scenario(devices=4, owners=(0, 1), buffer_count=8, prefix_zone_size=zone))
    for number in range(scripted.scenario.buffer_count):
        scripted.send(scripted.allocate(), device=number % len(scripted.devices))
    return scripted


def _fetch_all(scripted: ScriptedSet) -> list[Fetched]:
    return [device.next_command() for _ in range(2) for device in scripted.devices]


@alternating_direction("alignment", ALIGNMENTS, ALIGNMENT_NAMES)
@vdi_requirement("BUF-05")
def test_every_buffer_is_aligned(testbed: Testbed, kind: Kind, alignment: int) -> None:
    """Every data buffer starts at a multiple of the configured alignment."""
    _require_aligned(testbed.statement(kind, Scenario(3, ALONE_OR_NOT[kind], alignment=alignment, transfers=1)))


@pytest.mark.parametrize(
    ("block_size", "alignment"),
    [(4096, 0), (65536, 0), (8192, 1024)],
    ids=["blocks of 4 KiB", "blocks of 64 KiB", "blocks of 8 KiB-alignment of 1 KiB"],
)
@vdi_requirement("BUF-05")
def test_no_alignment_is_below_the_block_size(testbed: Testbed, block_size: int, alignment: int) -> None:
    """Every data buffer starts at a multiple of the block size, whatever smaller alignment was asked for."""
    scenario = Scenario(2, (0, 1), block_size=block_size, alignment=alignment, prefix_zone_size=24)
    _require_aligned(testbed.backup(scenario))


@pytest.mark.parametrize(
    ("owner", "zone", "alignment"),
    [(0, 24, 4096), (1, 0, 65536)],
    ids=["primary-zone of 24 bytes-alignment of 4 KiB", "secondary-no zone-alignment of 64 KiB"],
)
@vdi_requirement("BUF-05")
def test_small_buffers_are_aligned_as_large_ones(testbed: Testbed, owner: int, zone: int, alignment: int) -> None:
    """Buffers that are smaller than the configured alignment, or no multiple of it, start at a multiple of it."""
    scripted = testbed.scripted(Scenario(1, (owner,), prefix_zone_size=zone, alignment=alignment, buffer_count=1))
    sizes = {512: 3, 1536: 2, 8704: 2}
    for size, number in sizes.items():
        scripted.server.request_buffers(size, alignment, number).expect(NOERROR)
    for size, number in sizes.items():
        for _ in range(number):
            scripted.send(scripted.allocate(size), size=size)
            command = scripted.device.next_command()
            if command.buffer % alignment:
                raise ConformanceFailure(
                    f"a buffer of {size} bytes is at {command.buffer:#x}, no multiple of {alignment}"
                )
            scripted.device.complete(command, 0, size).expect(NOERROR, by="CMP-01")


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
    ids=[
        "backup-zone of 24 bytes-alignment of 4 KiB",
        "restore-zone of 24 bytes-alignment of 4 KiB",
        "restore-zone of 1 byte-alignment of 512 bytes",
        "backup-zone of 513 bytes-alignment of 64 KiB",
        "restore-zone of 4097 bytes-alignment of 1 KiB",
        "backup-zone of 64 KiB-alignment of 16 KiB",
    ],
)
@vdi_requirement("BUF-05", "BUF-06", "BUF-09")
def test_the_data_is_aligned_and_not_the_zone(testbed: Testbed, kind: Kind, zone: int, alignment: int) -> None:
    """The data starts at a multiple of the alignment, and the whole prefix zone lies directly before it."""
    scenario = Scenario(devices=2, owners=ALONE_OR_NOT[kind], prefix_zone_size=zone, alignment=alignment)
    _require_aligned(testbed.statement(kind, scenario), judges_zones=True)


def _require_aligned(statement: StatementRun, judges_zones: bool = False) -> None:
    """Run to the end; every buffer starts at a multiple, and the zone lies directly before it.

    Where zones are judged too, aligning their start instead of the data's is charged to the requirement about that.
    """
    scenario = statement.scenario
    configured = statement.primary.get_configuration(0).expect(NOERROR)
    wanted = max(configured.alignment, scenario.alignment, scenario.block_size)
    for command in statement.data_commands():
        name = command.device.client.name
        zone = scenario.prefix_zone_size
        if command.buffer % wanted:
            zone_is_aligned = judges_zones and (command.buffer - zone) % wanted == 0
            sentence = f"{name} has a buffer at {command.buffer:#x}, no multiple of {wanted}"
            raise ConformanceFailure(sentence, by="BUF-09" if zone_is_aligned else "BUF-05")
        if zone:
            with judging("BUF-06"):
                require_unchanged(mark(zone_view(command, zone), zone, command.buffer))
        statement.answer(command).expect(NOERROR)
    statement.close()
    statement.require_success(statement.outcome())


@pytest.mark.parametrize(
    ("zone", "owner"),
    [(24, 1), (4096, 1), (65536, 0)],
    ids=["zone of 24 bytes-both", "zone of 4 KiB-both", "zone of 64 KiB-primary"],
)
@vdi_requirement("BUF-06", "BUF-07")
def test_what_is_in_the_zone_concerns_the_client_alone(testbed: Testbed, zone: int, owner: int) -> None:
    """BACKUP and RESTORE succeed though the client fills every prefix zone, and transfers stay within their maximum."""
    scenario = Scenario(devices=2, owners=(0, owner), prefix_zone_size=zone, buffer_count=3)
    streams = testbed.directory("streams")
    _overwrite_zones(testbed, testbed.backup(scenario, streams))
    _overwrite_zones(testbed, testbed.restore(scenario, streams))


def _overwrite_zones(testbed: Testbed, statement: StatementRun) -> None:
    zone = statement.scenario.prefix_zone_size
    largest = statement.primary.get_configuration(0).expect(NOERROR).max_transfer_size
    for command in statement.data_commands():
        with judging("BUF-07"):
            assert command.size <= largest, f"a command of {command.size} bytes came, {largest} are the most"
        with judging("BUF-06"):
            testbed.fill(zone_view(command, zone), zone, command.ordinal)
        statement.answer(command).expect(NOERROR, by="BUF-07")
    statement.close()
    end = statement.outcome()
    with judging("BUF-07"):
        statement.require_success(end)


@OWNERS
@pytest.mark.parametrize("zone", [24, 4096], ids=["zone of 24 bytes", "zone of 4 KiB"])
@vdi_requirement("BUF-07")
def test_the_server_sees_nothing_of_the_zone(testbed: Testbed, owner: int, zone: int) -> None:
    """The server's data and sizes leave the prefix zone out, and stay as they are when the client fills it."""
    scripted = testbed.scripted(Scenario(owners=(owner,), prefix_zone_size=zone), features=BOTH_WAYS)
    buffer, size = scripted.allocate(), scripted.scenario.max_transfer_size
    for code in (vdc.VDC_WRITE, vdc.VDC_READ):
        data = mark(BufferView(scripted.server, buffer), size, code)
        tag = scripted.send(buffer, code)
        command = scripted.device.next_command()
        assert command.size == size, f"a command of {size} bytes came as one of {command.size}"
        require_same_contents(size, data.view, fetched_view(command))
        testbed.fill(zone_view(command, zone), zone, testbed.seed)
        scripted.device.complete(command, 0, size).expect(NOERROR)
        scripted.completed(tag, 0, size)
        require_unchanged(data)


@pytest.mark.parametrize(
    ("kind", "zone"),
    [("backup", 24), ("restore", 512), ("restore", 24), ("backup", 4096)],
    ids=[
        "backup-zone of 24 bytes",
        "restore-zone of 512 bytes",
        "restore-zone of 24 bytes",
        "backup-zone of 4 KiB",
    ],
)
@vdi_requirement("BUF-08")
def test_zones_spoil_no_data_of_others(testbed: Testbed, kind: Kind, zone: int) -> None:
    """Writing the prefix zone of one held buffer changes neither the data nor the zone of another."""
    statement = testbed.statement(kind, Scenario(4, ALONE_OR_NOT[kind], buffer_count=4, prefix_zone_size=zone))
    commands = statement.hold_all()
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(commands)]
    marked += [mark(zone_view(command, zone), zone, -number) for number, command in enumerate(commands, 1)]
    with judging("BUF-08"):
        require_unchanged(*marked)


@pytest.mark.parametrize("zone", [1, 24, 4096], ids=["zone of 1 byte", "zone of 24 bytes", "zone of 4 KiB"])
@vdi_requirement("BUF-08")
def test_zones_of_a_whole_pool_spoil_no_data(testbed: Testbed, zone: int) -> None:
    """Writing the prefix zones of a whole pool changes none of its data."""
    commands = _fetch_all(_pool_outstanding(testbed, zone))
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(commands)]
    marked += [mark(zone_view(command, zone), zone, -number) for number, command in enumerate(commands, 1)]
    with judging("BUF-08"):
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
    ids=[
        "backup-primary holds-the holder aborts",
        "restore-primary holds-another aborts",
        "restore-secondary holds-the holder aborts",
        "backup-secondary holds-another aborts",
        "restore-secondary holds-the primary closes",
        "backup-secondary holds-the primary closes",
        "restore-secondary holds-the primary dies",
        "backup-secondary holds-the primary dies",
    ],
)
@vdi_requirement("BUF-15", "ABT-08")
def test_a_held_buffer_stays_until_its_holder_closes(testbed: Testbed, kind: Kind, owner: int, end: str) -> None:
    """A held buffer and its zone stay readable and writable until the holder's Close, whatever ended the set."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(owner, 1 - owner), prefix_zone_size=24))
    command = statement.next_data_command()
    held = BufferView(command.device.client, command.buffer - 24)
    marked = mark(held, command.size + 24, 1)
    match end:
        case "the holder aborts":
            command.device.client.signal_abort().expect(NOERROR)
        case "another aborts":
            statement.clients[1 - owner].signal_abort().expect(NOERROR)
        case "the primary closes":
            statement.primary.close().permit("Q3", "Close of the primary with open devices", VD_E_OPEN, NOERROR)
        case _:
            statement.primary.kill()
    command.device.await_abort()
    statement.outcome()
    with judging("ABT-08" if end in ("the holder aborts", "another aborts") else "BUF-15"):
        _use_until_close(marked, command.device.client)


@OWNERS
@pytest.mark.parametrize("end", ["the server aborts", "the server closes", "the server dies"])
@vdi_requirement("BUF-15")
def test_the_end_of_the_server_takes_no_held_buffer(testbed: Testbed, owner: int, end: str) -> None:
    """A held buffer and its zone stay readable and writable until the holder's Close, however the server ended."""
    scripted = testbed.scripted(Scenario(owners=(owner,), prefix_zone_size=24))
    scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    marked = mark(BufferView(command.device.client, command.buffer - 24), command.size + 24, 1)
    if end == "the server dies":
        scripted.kill()
    else:
        scripted.signal_abort()
    scripted.device.await_abort()
    if end == "the server closes":
        scripted.server.close()
    with judging("BUF-15"):
        _use_until_close(marked, command.device.client)


def _use_until_close(marked: Marked, holder: Client) -> None:
    require_unchanged(marked)
    require_unchanged(mark(marked.view, marked.size, 2))
    holder.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
