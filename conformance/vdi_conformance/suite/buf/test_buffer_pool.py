"""Buffers: the pool that all devices of a set share, the areas that it grows by, and its largest form."""

import pytest

from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    mapped_view,
    mark,
    require_same_contents,
    require_same_memory,
    require_unchanged,
    zone_view,
)
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_MEMORY, VD_E_OPEN, VD_E_TIMEOUT, name_of
from vdi_conformance.vdi.structures import MAX_DEVICES, MAX_TRANSFER_SIZE

BOTH_WAYS = vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA
OWNERS = pytest.mark.parametrize("owners", [(0,), (0, 1), (1, 2)], ids=["primary", "both", "secondaries"])


@OWNERS
@vdi_requirement("BUF-12")
def test_one_buffer_serves_all_devices(testbed: Testbed, owners: tuple[int, ...]) -> None:
    """The one buffer of a pool serves Reads and Writes of all devices of the set, with the right bytes each time."""
    scripted = testbed.scripted(Scenario(devices=2, owners=owners, buffer_count=1), BOTH_WAYS)
    buffer, size = scripted.allocate(), scripted.scenario.max_transfer_size
    for turn in range(6):
        device = scripted.devices[turn % 2]
        code = (vdc.VDC_WRITE, vdc.VDC_READ)[turn // 2 % 2]
        stored = mark(BufferView(scripted.server, buffer), size, testbed.seed + turn)
        tag = scripted.send(buffer, code, device=turn % 2)
        command = device.next_command()
        require_same_contents(size, stored.view, fetched_view(command))
        answered = mark(fetched_view(command), size, testbed.seed - turn)
        device.complete(command, 0, size).expect(NOERROR)
        scripted.completed(tag, 0, size)
        if code == vdc.VDC_READ and scripted.server.digest(buffer, size) != answered.digest:
            raise ConformanceFailure("the server sees other bytes than the client stored")


@vdi_requirement("BUF-12")
def test_buffers_change_places_between_devices(testbed: Testbed) -> None:
    """A buffer that comes up on one device after the other shows what the server stored for it each time."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1), buffer_count=2))
    buffers = [scripted.allocate() for _ in range(2)]
    for turn in range(4):
        for number, buffer in enumerate(buffers):
            scripted.server.write(buffer, bytes([turn * 2 + number + 1]) * 512)
            scripted.send(buffer, device=(turn + number) % 2)
        for number in range(2):
            device = scripted.devices[(turn + number) % 2]
            command = device.next_command()
            seen = device.client.read(command.buffer, 512)
            assert seen == bytes([turn * 2 + number + 1]) * 512, "a device shows the buffer of the other one"
            device.complete(command, 0, command.size).expect(NOERROR)


@pytest.mark.parametrize(
    ("owner", "zone"),
    [(0, 0), (0, 24), (1, 0), (1, 512)],
    ids=["primary-no zone", "primary-zone of 24 bytes", "secondary-no zone", "secondary-zone of 512 bytes"],
)
@vdi_requirement("BUF-14")
def test_areas_that_come_while_commands_run_are_good(testbed: Testbed, owner: int, zone: int) -> None:
    """Buffers of areas added while a command is held are aligned, shared and correct, and leave the held one alone."""
    scenario = Scenario(2, (owner,), secondaries=2, buffer_count=1, prefix_zone_size=zone, alignment=4096)
    scripted = testbed.scripted(scenario)
    held = _sent(scripted, scripted.allocate(), 0)
    kept = [mark(fetched_view(held), held.size, 0)]
    for number in (1, 3, 2):
        scripted.request_buffers(number)
        for _ in range(number):
            buffer = scripted.allocate()
            stored = mark(BufferView(scripted.server, buffer), scenario.max_transfer_size, buffer)
            command = _sent(scripted, buffer, 1)
            assert command.buffer % scenario.alignment == 0, f"a buffer lies at {command.buffer:#x}"
            with judging("BUF-14"):
                require_same_contents(command.size, stored.view, fetched_view(command))
                testbed.fill(zone_view(command, zone), zone, 1)
                view = mapped_view(scripted.secondaries[1], handle_of(command))
                require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
            command.device.complete(command, 0, command.size).expect(NOERROR)
    with judging("BUF-14"):
        require_unchanged(*kept)
    held.device.complete(held, 0, held.size).expect(NOERROR)


def _sent(scripted: ScriptedSet, buffer: int, device: int) -> Fetched:
    scripted.send(buffer, device=device)
    return scripted.devices[device].next_command()


@pytest.mark.parametrize("owners", [(0,), (1, 2)], ids=["primary", "secondaries"])
@vdi_requirement("BUF-19")
def test_the_largest_set_works_or_ends_in_configuration(testbed: Testbed, owners: tuple[int, ...]) -> None:
    """A set of 64 devices with transfers of 4 MiB works, or its configuration and its statement fail cleanly."""
    size = 4 * MAX_TRANSFER_SIZE
    scenario = Scenario(MAX_DEVICES, owners, max_transfer_size=MAX_TRANSFER_SIZE, buffer_count=3, database=size)
    statement = testbed.prepared(scenario)
    try:
        with judging("BUF-19"):
            statement.start()
    except ConformanceFailure as failure:
        if failure.observed not in [name_of(code) for code in (VD_E_ABORT, VD_E_MEMORY, VD_E_TIMEOUT)]:
            raise
        assert not statement.outcome().succeeded, "a statement succeeded whose set could not be configured"
        for client in statement.joined:
            client.close().permit("Q4", "Close after a failed configuration", NOERROR, VD_E_OPEN)
        return
    statement.succeed()
