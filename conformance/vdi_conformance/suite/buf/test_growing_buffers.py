"""Buffers while a set grows, while others come and go, and while several commands are outstanding on each device."""

from typing import TYPE_CHECKING

import pytest

from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import ConformanceFailure, Needed, judging, needing, vdi_requirement
from vdi_conformance.harness.parametrizations import ALONE_OR_NOT, OWNERS
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
from vdi_conformance.harness.statement_run import Kind
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_HANDLE_EOF, ERROR_SUCCESS, ERROR_WRITE_FAULT
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_OPEN
from vdi_conformance.vdi.structures import VDC_COMMAND_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

BOTH_WAYS = vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA
BOTH = pytest.mark.parametrize("owners", [(0,), (0, 1)], ids=["primary", "both"])


@BOTH
@vdi_requirement("BUF-01", "BUF-05", "BUF-06")
def test_buffers_of_later_areas_are_as_good(testbed: Testbed, owners: tuple[int, ...]) -> None:
    """Buffers of areas that the server adds are aligned, have their zone and share no bytes with held ones."""
    scenario = Scenario(6, owners, prefix_zone_size=24, alignment=4096, buffer_count=2)
    scripted = testbed.scripted(scenario)
    marked: list[Marked] = []
    zones: list[Marked] = []
    for area in range(3):
        if area:
            scripted.request_buffers(2)
        for device in (2 * area, 2 * area + 1):
            scripted.send(scripted.allocate(), device=device)
            command = scripted.devices[device].next_command()
            with judging("BUF-05"):
                assert command.buffer % scenario.alignment == 0, f"a buffer lies at {command.buffer:#x}"
            with judging("BUF-01"):
                require_unchanged(*marked)
                marked.append(mark(fetched_view(command), command.size, 2 * len(marked)))
                require_unchanged(*marked)
            with judging("BUF-06"):
                require_unchanged(*zones)
                zones.append(mark(zone_view(command, 24), 24, 2 * len(zones) + 1))
                require_unchanged(*marked, *zones)


def _mark_with_zone(command: Fetched, zone: int, seed: int) -> list[Marked]:
    return [mark(fetched_view(command), command.size, seed), mark(zone_view(command, zone), zone, seed + 1)]


@OWNERS
@vdi_requirement("BUF-01", "BUF-15")
def test_a_held_buffer_outlives_the_close_of_other_devices(testbed: Testbed, owner: int) -> None:
    """A held buffer keeps its bytes and stays mapped when other devices of the set are closed."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(owner, owner, 1 - owner), secondaries=1))
    scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    marked = mark(fetched_view(command), command.size, 1)
    for device in (1, 2):
        scripted.close_device(device)
        scripted.devices[device].get_command().expect(VD_E_CLOSE)
    with judging("BUF-15"):
        marked.view.process.read(marked.view.address, 1)
    with judging("BUF-01"):
        require_unchanged(marked)
    with judging("BUF-15"):
        require_unchanged(mark(marked.view, marked.size, 2))


@vdi_requirement("BUF-01")
def test_held_buffers_keep_their_bytes_whatever_else_goes_on(testbed: Testbed) -> None:
    """Nobody changes a byte of held buffers and their zones while others transfer, fail, come, go, or get more room."""
    scripted = testbed.scripted(Scenario(5, (0, 1), prefix_zone_size=24, buffer_count=4), BOTH_WAYS)
    marked: list[Marked] = []
    # The next buffers that are taken lie before those that are held, and behind them.
    before = scripted.allocate()
    for device, code in enumerate((vdc.VDC_WRITE, vdc.VDC_READ)):
        scripted.send(scripted.allocate(), code, device=device)
        marked += _mark_with_zone(scripted.devices[device].next_command(), 24, 2 * device)
    scripted.server.free_buffer(before, scripted.scenario.max_transfer_size).expect(NOERROR, by=Needed("CMP-01"))
    guest, own = testbed.client("guest"), scripted.primary.allocate(VDC_COMMAND_SIZE)
    events: list[Callable[[], object]] = [
        lambda: _transfer(scripted, 2, vdc.VDC_READ),
        lambda: _transfer(scripted, 3, vdc.VDC_WRITE),
        lambda: _fail_and_clear(scripted, 2),
        lambda: scripted.request_buffers(3),
        lambda: _transfer(scripted, 3, vdc.VDC_READ, ERROR_HANDLE_EOF),
        lambda: scripted.join(guest).expect(NOERROR, by=Needed("SEC-01")),
        lambda: guest.close().expect(NOERROR, by=Needed("CLS-20")),
        lambda: scripted.devices[2].complete(own).expect_failure(by=Needed("CMP-03")),
        lambda: scripted.close_device(4),
        lambda: scripted.devices[4].get_command().expect(VD_E_CLOSE, by=Needed("CMD-05")),
    ]
    for happens in events:
        with needing("CMP-01"):
            happens()
        require_unchanged(*marked)


def _transfer(scripted: ScriptedSet, device: int, code: int, completion_code: int = ERROR_SUCCESS) -> None:
    """Pass a full transfer over a device, stored anew on both sides, and give its buffer back to the pool."""
    size = scripted.scenario.max_transfer_size
    buffer = scripted.allocate()
    mark(BufferView(scripted.server, buffer), size, code)
    tag = scripted.send(buffer, code, device=device)
    command = scripted.devices[device].next_command()
    _mark_with_zone(command, 24, code)
    command.device.complete(command, completion_code, size).expect(NOERROR)
    scripted.completed(tag, completion_code, size)
    scripted.server.free_buffer(buffer, size).expect(NOERROR)


def _fail_and_clear(scripted: ScriptedSet, device: int) -> None:
    """Put a device into IO-ERROR and let it leave that."""
    _transfer(scripted, device, vdc.VDC_WRITE, ERROR_WRITE_FAULT)
    tag = scripted.send(code=vdc.VDC_CLEAR_ERROR, device=device)
    scripted.devices[device].complete(scripted.devices[device].next_command()).expect(NOERROR)
    scripted.completed(tag, ERROR_SUCCESS, 0)


@OWNERS
@vdi_requirement("ABT-08")
def test_every_held_buffer_keeps_its_contents_after_an_abort(testbed: Testbed, owner: int) -> None:
    """All held buffers and their zones are as they were when the holder learns of an abort."""
    scripted, marked = _hold_four_through_an_abort(testbed, owner)
    with judging("ABT-08"):
        require_unchanged(*marked)
    scripted.clients[owner].close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)


@OWNERS
@vdi_requirement("BUF-15")
def test_every_held_buffer_outlives_an_abort(testbed: Testbed, owner: int) -> None:
    """All held buffers and their zones stay readable and writable until the holder's Close after an abort."""
    scripted, marked = _hold_four_through_an_abort(testbed, owner)
    with judging("BUF-15"):
        require_unchanged(*marked)
        for one in marked:
            require_unchanged(mark(one.view, one.size, 7))
    scripted.clients[owner].close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)


def _hold_four_through_an_abort(testbed: Testbed, owner: int) -> tuple[ScriptedSet, list[Marked]]:
    """Hold four buffers on two devices of a client, mark them and their zones, and let it learn of an abort."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(owner,), secondaries=1, prefix_zone_size=24))
    marked: list[Marked] = []
    for number in range(4):
        scripted.send(scripted.allocate(), device=number % 2)
        marked += _mark_with_zone(scripted.devices[number % 2].next_command(), 24, number)
    scripted.aborted = True
    scripted.clients[1 - owner].signal_abort().expect(NOERROR)
    for device in scripted.devices:
        device.await_abort()
    return scripted, marked


@BOTH
@vdi_requirement("BUF-03", "BUF-04")
def test_commands_outstanding_at_once_have_their_own_bytes(testbed: Testbed, owners: tuple[int, ...]) -> None:
    """Commands outstanding at the same time each carry their own bytes, from the server and to it."""
    scripted = testbed.scripted(Scenario(3, owners, buffer_count=6), BOTH_WAYS)
    buffers = [scripted.allocate() for _ in range(6)]
    for code in (vdc.VDC_WRITE, vdc.VDC_READ):
        # The sizes tell commands apart, in whatever order they are handed out.
        sent = {512 * number: buffer for number, buffer in enumerate(buffers, 1)}
        stored = {size: mark(BufferView(scripted.server, buffer), size, size) for size, buffer in sent.items()}
        for size, buffer in sent.items():
            scripted.send(buffer, code, size, device=size // 512 % 3)
        commands = [scripted.devices[number % 3].next_command() for number in range(6)]
        with judging("BUF-03"):
            for command in commands:
                require_same_contents(command.size, stored[command.size].view, fetched_view(command))
        answered = {command.size: mark(fetched_view(command), command.size, -command.size) for command in commands}
        for command in commands:
            command.device.complete(command, 0, command.size).expect(NOERROR)
        ended = [completion for _ in commands if (completion := scripted.completion()) is not None]
        with judging("CMP-01"):
            assert len(ended) == len(commands), "a command that was completed did not end for the server"
        with judging("BUF-04"):
            for size, buffer in sent.items():
                if scripted.server.digest(buffer, size) != answered[size].digest:
                    raise ConformanceFailure(f"the server sees other bytes than the {size} that the client stored")


@vdi_requirement("BUF-01", "BUF-06")
def test_handles_and_mappings_leave_buffer_and_zone_alone(testbed: Testbed, kind: Kind) -> None:
    """GetBufferHandle and MapBufferHandle change no byte of held buffers and their prefix zones."""
    statement = testbed.statement(kind, Scenario(2, ALONE_OR_NOT[kind], prefix_zone_size=24))
    commands = statement.hold_all()
    marked = [mark(fetched_view(command), command.size, command.buffer) for command in commands]
    with judging("BUF-06"):
        zones = [mark(zone_view(command, 24), 24, command.buffer + 1) for command in commands]
    for command in commands:
        handle = handle_of(command)
        _require_both_unchanged(marked, zones)
        for client in statement.clients:
            mapped_view(client, handle)
            _require_both_unchanged(marked, zones)


def _require_both_unchanged(marked: list[Marked], zones: list[Marked]) -> None:
    with judging("BUF-01"):
        require_unchanged(*marked)
    with judging("BUF-06"):
        require_unchanged(*zones)
