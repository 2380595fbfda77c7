"""Handles for as long as their command is held, the sets that grow meanwhile, and the objects that are not open."""

from collections.abc import Callable, Sequence

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.expectations import Result
from vdi_conformance.harness.judging import judging, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNER_NAMES, OWNERS, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import (
    fetched_view,
    handle_of,
    keep_free,
    mapped_view,
    mark,
    require_same_memory,
    require_unchanged,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_NOTSUPPORTED,
    VD_E_OPEN,
    VD_E_PROTOCOL,
)
from vdi_conformance.vdi.structures import VDConfig

OTHER_HANDLES = 280
"""So many handles are given while one is held: more than an octet counts."""
AREAS = 6
OUTLIVED = [
    *((owner, event) for owner in (0, 1) for event in ("a new area", "another device closes")),
    (1, "many other handles"),
]
"""Who holds a handle, and what that outlives."""


# While the command is held


@pytest.mark.parametrize(
    ("owner", "event"), OUTLIVED, ids=[f"{OWNER_NAMES[owner]}-{event}" for owner, event in OUTLIVED]
)
@vdi_requirement("GBH-20")
def test_a_held_handle_outlives(testbed: Testbed, owner: int, event: str) -> None:
    """A handle maps to its buffer for as long as the command is held, whatever happens on the set."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(owner,), secondaries=2, buffer_count=3))
    spare = scripted.allocate()
    scripted.send(scripted.allocate())
    held = scripted.device.next_command()
    handle, other = handle_of(held), scripted.clients[1 - owner]
    earlier = mapped_view(other, handle)
    require_same_memory(held.size, fetched_view(held), earlier, seed=testbed.seed)
    with judging("MBH-08"):
        mapped_view(other, handle)
    marked = mark(fetched_view(held), held.size, 1)
    match event:
        case "many other handles":
            _pass_with_handles(scripted, spare, device=1, count=OTHER_HANDLES)
        case "a new area":
            scripted.request_buffers(2)
            _pass_with_handles(scripted, scripted.allocate(), device=1, count=1)
        case _:
            scripted.close_device(2)
            scripted.devices[2].get_command().expect(VD_E_CLOSE)
    require_unchanged(marked)
    with judging("GBH-20"):
        again = mapped_view(other, handle)
    late = testbed.secondary(scripted)
    with judging("GBH-20"):
        views = [earlier, again, mapped_view(late, handle)]
        require_same_memory(held.size, fetched_view(held), *views, seed=testbed.seed)


@OWNERS
@vdi_requirement("GBH-20")
def test_a_held_handle_outlives_other_commands_of_its_device(testbed: Testbed, owner: int) -> None:
    """A handle maps to its held buffer while other commands of the same device come and are completed."""
    scripted = testbed.scripted(Scenario(owners=(owner,), secondaries=1, buffer_count=2))
    spare = scripted.allocate()
    tag = scripted.send(spare)
    scripted.send(scripted.allocate())
    first, held = scripted.device.next_command(), scripted.device.next_command()
    other = scripted.clients[1 - owner]
    handle, marked = handle_of(held), mark(fetched_view(held), held.size, 1)
    require_same_memory(first.size, fetched_view(first), mapped_view(other, handle_of(first)), seed=testbed.seed)
    scripted.device.complete(first, 0, first.size).expect(NOERROR, by="CMP-01")
    scripted.completed(tag, 0, first.size)
    with judging("GBH-20"):
        views = [mapped_view(other, handle)]
    scripted.send(spare)
    mapped_view(other, handle_of(scripted.device.next_command()))
    require_unchanged(marked)
    with judging("GBH-20"):
        require_same_memory(held.size, fetched_view(held), *views, mapped_view(other, handle), seed=testbed.seed)


def _pass_with_handles(scripted: ScriptedSet, buffer: int, device: int, count: int) -> None:
    """Pass so many commands over a device, and ask for the handle of each."""
    for _ in range(count):
        tag = scripted.send(buffer, device=device)
        command = scripted.devices[device].next_command()
        mapped_view(scripted.secondaries[-1], handle_of(command))
        command.device.complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


# Areas that come one after the other


@vdi_requirement("GBH-15", "MBH-06", "MBH-18")
def test_areas_that_come_between_mappings_are_shared(testbed: Testbed) -> None:
    """Buffers of areas that come one by one are shared with old participants, and with one that joins at last."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1), secondaries=2, buffer_count=1))
    buffers: list[int] = []
    for turn in range(AREAS):
        buffers.append(scripted.allocate())
        _share(testbed, scripted, buffers[-1], turn % 2, scripted.clients, "MBH-06")
        scripted.request_buffers(1)
    late = testbed.secondary(scripted)
    for buffer in buffers:
        _share(testbed, scripted, buffer, 0, [late], "MBH-18")


def _share(
    testbed: Testbed, scripted: ScriptedSet, buffer: int, device: int, mappers: Sequence[Client], mapping: str
) -> None:
    """Send a buffer and map it in every other process; in those of `mappers` that judges the requirement `mapping`."""
    tag = scripted.send(buffer, device=device)
    command = scripted.devices[device].next_command()
    with judging("GBH-15"):
        handle = handle_of(command)
    others = [one for one in scripted.clients if one is not command.device.client]
    with judging(mapping):
        views = [mapped_view(one, handle) for one in others if one in mappers]
    views += [mapped_view(one, handle) for one in others if one not in mappers]
    with judging(mapping):
        require_same_memory(512, fetched_view(command), *views, seed=testbed.seed + tag)
    command.device.complete(command, 0, command.size).expect(NOERROR)
    scripted.completed(tag, 0, command.size)


# Sets that are not open


ENDS = pytest.mark.parametrize(
    "end", ["an abort", "a Close with open devices", "a second set", "beside another set", "a refused beginning"]
)


@ENDS
@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("GBH-03")
def test_a_closed_set_gives_no_handles_after(testbed: Testbed, kind: Kind, owner: int, end: str) -> None:
    """After its Close an object answers VD_E_PROTOCOL for what was an address of its buffer, however the set ended."""
    statement, command, _ = _closed(testbed, kind, owner, end)
    statement.clients[owner].get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)


@ENDS
@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("MBH-03")
def test_a_closed_set_maps_nothing_after(testbed: Testbed, kind: Kind, owner: int, end: str) -> None:
    """After its Close an object answers VD_E_PROTOCOL for what was a handle of its set, however the set ended."""
    statement, _, handle = _closed(testbed, kind, owner, end)
    for client in statement.clients:
        client.map_buffer_handle(handle).expect(VD_E_PROTOCOL)


def _closed(testbed: Testbed, kind: Kind, owner: int, end: str) -> tuple[StatementRun, Fetched, int]:
    """End and close a set in that way; give it with a command that was held and the handle of its buffer."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    if end == "a second set":
        handle_of(statement.next_data_command())
        statement.primary.signal_abort().expect(NOERROR)
        _close_all(statement)
        statement = testbed.again(statement)
    command = statement.next_data_command()
    handle = handle_of(command)
    for client in statement.clients:
        mapped_view(client, handle)  # what was never good there may be looked at first (Q56)
    if end == "beside another set":
        testbed.twin(statement, "backup", Scenario(secondaries=1)).device.next_data_command()
    if end != "a Close with open devices":
        statement.primary.signal_abort().expect(NOERROR)
        statement.device.await_abort()
    _close_all(statement)
    if end == "a refused beginning":
        statement.clients[owner].create_ex(None, testbed.name(), VDConfig(device_count=0)).expect(VD_E_NOTSUPPORTED)
    return statement, command, handle


def _close_all(statement: StatementRun) -> None:
    for client in reversed(statement.clients):
        client.close().expect(NOERROR, VD_E_OPEN)


@vdi_requirement("GBH-12")
def test_a_fresh_object_shares_no_buffer_of_another_in_its_process(testbed: Testbed, kind: Kind) -> None:
    """An object that opened no set refuses the buffer of another one in its process, and can create a set."""
    _keep_apart(testbed, kind, lambda fresh, command, _: fresh.get_buffer_handle(command.buffer))


@vdi_requirement("MBH-13")
def test_a_fresh_object_shares_no_handle_of_another_in_its_process(testbed: Testbed, kind: Kind) -> None:
    """An object that opened no set refuses the handle of another one in its process, and can create a set."""
    _keep_apart(testbed, kind, lambda fresh, _, handle: fresh.map_buffer_handle(handle))


def _keep_apart(testbed: Testbed, kind: Kind, call: Callable[[Client, Fetched, int], Result[int]]) -> None:
    """Make a call that a fresh object must refuse, beside each object of a set that is in use."""
    statement = testbed.statement(kind, Scenario(secondaries=1))
    command = statement.next_data_command()
    handle = handle_of(command)
    for client in statement.clients:
        fresh = testbed.beside(client)
        call(fresh, command, handle).expect(VD_E_PROTOCOL, VD_E_INVALID)
        mapped_view(client, handle)
        call(fresh, command, handle).expect(VD_E_PROTOCOL, VD_E_INVALID)
        fresh.create_ex(None, testbed.name(), VDConfig(device_count=0)).expect(VD_E_NOTSUPPORTED)
        call(fresh, command, handle).expect(VD_E_PROTOCOL, VD_E_INVALID)
        fresh.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


# Addresses and handles of elsewhere


@OWNERS
@vdi_requirement("GBH-04")
def test_the_fetchers_address_means_nothing_in_another_process(testbed: Testbed, kind: Kind, owner: int) -> None:
    """GetBufferHandle answers VD_E_INVALID for the fetcher's address in a process that has nothing there."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    command = statement.next_data_command()
    other = statement.clients[1 - owner]
    keep_free(other, command)
    handle = handle_of(command)
    other.get_buffer_handle(command.buffer).expect(VD_E_INVALID)
    mapped_view(other, handle)
    other.get_buffer_handle(command.buffer).expect(VD_E_INVALID)


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("MBH-04")
def test_handles_of_a_closed_set_name_nothing_in_the_next(testbed: Testbed, kind: Kind, owner: int) -> None:
    """MapBufferHandle answers VD_E_INVALID for a closed set's handle, far from any of the set open now."""
    first = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    old: set[int] = set()
    for _ in range(3):
        command = first.next_data_command()
        old.add(_mapped_everywhere(first, command))
        first.answer(command).expect(NOERROR)
    first.succeed()
    second = testbed.again(first)
    new = _mapped_everywhere(second, second.next_data_command())
    for handle in old:
        if second.pool_size < (handle - new) % (1 << 32) < (1 << 32) - second.pool_size:
            for client in second.clients:
                client.map_buffer_handle(handle).expect(VD_E_INVALID)


def _mapped_everywhere(statement: StatementRun, command: Fetched) -> int:
    handle = handle_of(command)
    for client in statement.clients:
        mapped_view(client, handle)
    return handle


@OWNERS
@vdi_requirement("MBH-02")
def test_who_has_an_idle_device_maps(testbed: Testbed, kind: Kind, owner: int) -> None:
    """MapBufferHandle gives the same memory to a process whose own device holds no command."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(owner, 1 - owner)))
    held, other = statement.hold_all()
    statement.answer(other).expect(NOERROR)
    view = mapped_view(other.device.client, handle_of(held))
    require_same_memory(held.size, fetched_view(held), view, seed=testbed.seed)
