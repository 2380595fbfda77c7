"""Secondaries, the deaths of processes, and buffers shared between them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from selftest.emulator.worlds import SIZE, Session, World, session
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_MEMORY,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import INFINITE, VDConfig


def attached(made: Session, process: int = 2) -> Session:
    """Give the set as a new secondary in another process has it."""
    secondary = made.world.client(process)
    assert secondary.attach() == NOERROR
    return Session(made.world, secondary, made.server, {})


def test_a_secondary_needs_a_set_that_its_primary_has_seen_configured() -> None:
    world = World()
    primary, secondary, server = world.client(1), world.client(2), world.server()
    assert secondary.attach() == VD_E_PROTOCOL
    primary.create()
    assert secondary.attach() == VD_E_PROTOCOL
    server.open()
    server.configure()
    assert secondary.attach() == VD_E_PROTOCOL
    assert primary.configuration().code == NOERROR
    assert secondary.attach("SET") == VD_E_PROTOCOL
    assert secondary.attach(instance="OTHER") == VD_E_PROTOCOL
    assert secondary.close() == VD_E_PROTOCOL
    assert secondary.attach() == NOERROR
    assert secondary.attach() == VD_E_PROTOCOL
    assert secondary.create("another") == VD_E_PROTOCOL
    assert primary.attach() == VD_E_PROTOCOL


def test_a_secondary_is_initializing_at_once() -> None:
    made = session(opened=False)
    secondary = attached(made).primary
    device = secondary.open("set").out[0]
    assert secondary.configuration().out == made.primary.configuration().out
    assert made.primary.open("set").code == VD_E_OPEN
    made.server.send()
    assert secondary.get(device).code == NOERROR


def test_nobody_joins_while_the_set_aborts() -> None:
    made = session()
    made.primary.abort()
    assert made.world.client(2).attach() == VD_E_ABORT


def test_a_clean_close_of_a_secondary_disturbs_nobody() -> None:
    made = session(("set", "two"), opened=False)
    secondary = attached(made).primary
    device = secondary.open("two").out[0]
    own = made.primary.open("set").out[0]
    made.server.close_device("two")
    assert secondary.get(device).code == VD_E_CLOSE
    assert secondary.close() == NOERROR
    assert secondary.close() == VD_E_PROTOCOL
    made.server.send()
    assert made.primary.get(own).code == NOERROR
    assert attached(made, 3).primary.close() == NOERROR


def test_a_secondary_that_closes_with_its_device_open_aborts_the_set() -> None:
    made = session(("set", "two"), opened=False)
    secondary = attached(made).primary
    secondary.open("two")
    waiting = made.primary.get(made.primary.open("set").out[0], INFINITE)
    assert secondary.close() == VD_E_OPEN
    assert waiting.code == VD_E_ABORT


def test_the_primary_that_closes_before_the_end_aborts_the_set() -> None:
    made = session(opened=False)
    secondary = attached(made).primary
    assert made.primary.close() == NOERROR
    assert secondary.open("set").code == VD_E_ABORT
    made = session(opened=False)
    secondary = attached(made).primary
    secondary.open("set")
    assert made.primary.close() == VD_E_OPEN
    assert made.server.send() == VD_E_ABORT


def test_a_late_secondary_finds_nothing_to_open() -> None:
    made = session()
    made.server.close_device()
    made.primary.get(made.device)
    secondary = attached(made).primary
    assert secondary.open("set").code == VD_E_PROTOCOL
    assert secondary.close() == NOERROR


@pytest.mark.parametrize("process", [1, 9])
def test_the_death_of_primary_or_server_aborts_for_everyone(process: int) -> None:
    made = session(("set", "two"), opened=False)
    secondary = attached(made).primary
    waiting = secondary.get(secondary.open("two").out[0], INFINITE)
    own = made.primary.get(made.primary.open("set").out[0], INFINITE)
    made.world.die(process)
    assert waiting.code == VD_E_ABORT
    assert own.waits if process == 1 else own.code == VD_E_ABORT


def test_a_dead_primary_frees_the_name() -> None:
    world = World()
    world.client(1).create()
    world.die(1)
    assert world.client(2).create() == NOERROR


def test_the_death_of_a_secondary_goes_unnoticed() -> None:
    made = session(("set", "two"), opened=False)
    secondary = attached(made).primary
    device = secondary.open("two").out[0]
    own = made.primary.open("set").out[0]
    made.server.write("two", tag=1)
    handle = handle_of(Session(made.world, secondary, made.server, {}), secondary.get(device).out)
    made.world.die(2)
    made.server.send(tag=2)
    assert made.primary.complete(own, made.primary.get(own).out[0]) == NOERROR
    assert made.primary.call("map_buffer_handle", handle, False).code == NOERROR
    assert made.primary.open("two").code == VD_E_OPEN
    assert made.server.tags() == [(2, 0)]
    made.primary.abort()
    assert made.server.tags() == [(1, 995)]


def test_a_death_after_the_end_is_no_abort() -> None:
    made = session()
    made.server.close_device()
    made.primary.get(made.device)
    made.world.die(1)
    assert made.server.close() == NOERROR
    made = session()
    made.server.close_device()
    made.world.die(9)
    assert made.primary.get(made.device).code == VD_E_CLOSE


def test_nothing_is_left_once_everybody_has_gone() -> None:
    made = session(("set", "two"), opened=False)
    attached(made)
    area, _ = made.server.buffer()
    made.primary.close()
    made.server.close()
    assert made.world.broker.garbage == []
    made.world.die(2)
    assert made.world.broker.garbage == [area]
    assert made.world.broker.next_deadline() is None


def handle_of(made: Session, command: tuple[int, ...]) -> int:
    """Ask for the handle of a fetched command's buffer."""
    return int(made.primary.call("get_buffer_handle", *command[4::2], False).out[0])


def test_a_handle_names_its_buffer_for_everyone() -> None:
    made = session()
    made.server.write()
    command = made.primary.get(made.device).out
    handle = handle_of(made, command)
    for member in (made, attached(made), attached(made, 3)):
        assert member.primary.call("map_buffer_handle", handle, False).out == command[4:]
        assert handle_of(member, command) == handle


@pytest.mark.parametrize("shift", [1, -1, SIZE - 1, SIZE, -24])
def test_only_the_start_of_a_held_buffer_has_a_handle(shift: int) -> None:
    made = session(config=VDConfig(prefix_zone_size=24))
    made.server.buffer()
    made.server.write()
    _, _, _, _, area, _, offset = made.primary.get(made.device).out
    assert made.primary.call("get_buffer_handle", area, offset + shift, False).code == VD_E_INVALID
    assert made.primary.call("get_buffer_handle", 0, 0, False).code == VD_E_INVALID


def test_a_handle_is_good_for_as_long_as_its_buffer_is_held() -> None:
    made = session()
    secondary = attached(made).primary
    made.server.write()
    command = made.primary.get(made.device).out
    handle = handle_of(made, command)
    assert secondary.call("map_buffer_handle", handle, False).code == NOERROR
    assert secondary.call("map_buffer_handle", (handle + 1) % (1 << 32), False).code == VD_E_INVALID
    assert secondary.call("map_buffer_handle", handle ^ 0x40000000, False).code == VD_E_INVALID
    made.primary.complete(made.device, command[0], 0, SIZE)
    assert secondary.call("map_buffer_handle", handle, False).code == VD_E_INVALID
    assert made.primary.call("get_buffer_handle", *command[4::2], False).code == VD_E_INVALID


def test_after_an_abort_held_buffers_stay_until_their_holder_closes() -> None:
    made = session(("set", "two"))
    secondary = attached(made).primary
    made.server.write("set")
    made.server.write("two")
    command = made.primary.get(made.device).out
    handle = handle_of(made, command)
    secondary.abort()
    made.server.close()
    assert secondary.call("map_buffer_handle", handle, False).out == command[4:]
    assert handle_of(made, command) == handle
    assert made.primary.close() == NOERROR
    assert secondary.call("map_buffer_handle", handle, False).code == VD_E_INVALID
    assert made.primary.call("get_buffer_handle", *command[4::2], False).code == VD_E_PROTOCOL
    assert made.primary.call("map_buffer_handle", handle, False).code == VD_E_PROTOCOL


def test_buffers_of_a_later_area_have_handles_too() -> None:
    made = session(buffers=1)
    secondary = attached(made).primary
    first = made.server.buffer()
    assert made.server.call("server_allocate_buffer", SIZE, 0).code == VD_E_MEMORY
    made.server.make_area(made.server.call("server_request_buffers", SIZE, 0, 1))
    second = made.server.buffer()
    assert first[0] != second[0]
    made.server.write(place=first)
    made.server.write(place=second)
    commands = [made.primary.get(made.device).out for _ in range(2)]
    handles = [handle_of(made, command) for command in commands]
    assert len(set(handles)) == 2
    for handle, command in zip(handles, commands, strict=True):
        assert secondary.call("map_buffer_handle", handle, False).out == command[4:]


def test_handles_run_through_the_values_that_are_easily_taken_for_something_else() -> None:
    def handles(seed: int) -> set[int]:
        world = World(seed)
        client, server = world.client(), world.server()
        client.create()
        server.open()
        server.configure(buffers=4)
        client.configuration()
        device = client.open("set").out[0]
        for _ in range(4):
            server.write()
        commands = [client.get(device).out for _ in range(4)]
        return {int(client.call("get_buffer_handle", *command[4::2], False).out[0]) for command in commands}

    drawn = [handles(seed) for seed in range(40)]
    assert drawn[:10] == [handles(seed) for seed in range(10)]
    assert any(0 in four for four in drawn)
    assert any({0x7FFFFFFF, 0x80000000} <= four for four in drawn)
    assert len(set().union(*drawn)) > 40


def test_the_requested_number_of_buffers_always_fits() -> None:
    world = World()
    client, server = world.client(), world.server()
    client.create(config=VDConfig(prefix_zone_size=24))
    server.open()
    server.begin()
    server.call("server_request_buffers", SIZE, 4096, 3)
    server.call("server_request_buffers", 512, 0, 5)
    assert server.call("server_query_available_buffers", SIZE, 4096).out == (3,)
    server.make_area(server.call("server_end_configuration"))
    assert server.call("server_query_available_buffers", SIZE, 4096).out == (3,)
    small = [server.buffer(512) for _ in range(5)]
    large = [server.buffer(SIZE, 4096) for _ in range(3)]
    assert server.call("server_query_available_buffers", 512, 0).out == (0,)
    extents = sorted([(offset - 24, offset + 512) for _, offset in small] + [(o - 24, o + SIZE) for _, o in large])
    assert all(end <= start for (_, end), (start, _) in pairwise(extents))
    server.call("server_free_buffer", *large[1], SIZE)
    assert server.buffer(SIZE) == large[1]
    assert client.configuration().code != VD_E_TIMEOUT
