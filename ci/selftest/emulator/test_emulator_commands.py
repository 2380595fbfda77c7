"""Queues, completions, the IO-ERROR state, and what time does to calls that wait."""

from __future__ import annotations

import pytest

from selftest.emulator.worlds import SIZE, World, session
from vdi_conformance.emulator.devices import QUEUE_DEPTH
from vdi_conformance.vdi.commands import VDC_CLEAR_ERROR, VDC_GET_POSITION, VDC_READ
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import INFINITE, VDConfig

IO_DEVICE = 1117
ABORTED = 995


def test_commands_come_in_order_and_may_be_completed_in_any() -> None:
    made = session()
    for tag in (1, 2, 3):
        made.server.write(tag=tag)
    held = [made.primary.get(made.device).out[0] for _ in range(3)]
    assert made.primary.get(made.device).code == VD_E_TIMEOUT
    for command, code in ((held[2], 0), (held[0], 0), (held[1], 38)):
        assert made.primary.complete(made.device, command, code, 512) == NOERROR
    assert made.server.tags() == [(3, 0), (1, 0), (2, 38)]


def test_a_completion_carries_what_the_client_said() -> None:
    made = session()
    made.server.send(code=VDC_GET_POSITION, tag=7)
    command, code, *_ = made.primary.get(made.device).out
    assert code == VDC_GET_POSITION
    assert made.primary.complete(made.device, command, 12345, 777, 0x123456789ABCDEF0) == NOERROR
    assert made.server.completions() == [(7, "set", 12345, 777, 0x123456789ABCDEF0, False)]


def test_a_command_without_data_keeps_its_members_as_they_are() -> None:
    made = session()
    made.server.call("server_send_command", "set", 1, 999, 0xFFFFFFFF, 1 << 63, 0xDEADBEEF, 0, 0)
    assert made.primary.get(made.device).out[1:] == (999, 0xFFFFFFFF, 1 << 63, 0, 0, 0xDEADBEEF)


def test_only_who_fetched_a_command_can_complete_it_once_on_its_device() -> None:
    made = session(("set", "two", "three"), opened=False)
    secondary = made.world.client(2)
    assert secondary.attach() == NOERROR
    one, two = made.primary.open("set").out[0], made.primary.open("two").out[0]
    three = secondary.open("three").out[0]
    made.server.write()
    command = made.primary.get(one).out[0]
    assert made.primary.complete(two, command) == VD_E_INVALID
    assert secondary.complete(three, command) == VD_E_INVALID
    assert secondary.complete(one, command) == VD_E_PROTOCOL
    assert made.primary.complete(one, 0) == VD_E_INVALID
    assert made.server.tags() == []
    assert made.primary.complete(one, command) == NOERROR
    assert made.primary.complete(one, command) == VD_E_INVALID
    assert made.server.tags() == [(0, 0)]


def test_more_bytes_than_were_asked_for_are_refused() -> None:
    made = session()
    made.server.write()
    command = made.primary.get(made.device).out[0]
    assert made.primary.complete(made.device, command, 0, SIZE + 1) == VD_E_INVALID
    assert made.server.tags() == []
    assert made.primary.complete(made.device, command, 0, SIZE) == NOERROR


def test_a_buffer_serves_one_command_at_a_time() -> None:
    made = session()
    place = made.server.buffer()
    assert made.server.write(place=place) == NOERROR
    assert made.server.write(place=place) == VD_E_INVALID
    assert made.server.call("server_free_buffer", *place, SIZE).code == VD_E_INVALID
    made.primary.complete(made.device, made.primary.get(made.device).out[0])
    assert made.server.call("server_free_buffer", *place, SIZE).code == NOERROR
    assert made.server.write(place=place) == VD_E_INVALID


def test_a_full_queue_refuses() -> None:
    made = session()
    for tag in range(QUEUE_DEPTH):
        assert made.server.send(tag=tag) == NOERROR
    assert made.server.send(tag=99) != NOERROR
    assert made.server.completions() == [(99, "set", 1450, 0, 0, True)]


def test_closing_delivers_what_was_sent_before() -> None:
    made = session()
    made.server.send(tag=1)
    made.server.send(tag=2)
    assert made.server.close_device() == NOERROR
    assert made.server.send(tag=3) == VD_E_PROTOCOL
    held = [made.primary.get(made.device).out[0] for _ in range(2)]
    assert made.primary.complete(made.device, held[0]) == NOERROR
    assert made.primary.get(made.device).code == VD_E_CLOSE
    assert made.server.tags() == [(3, 6), (1, 0)]


@pytest.mark.parametrize("code", [29, 112, 995, 1117])
def test_an_error_drops_what_is_queued_and_refuses_what_comes(code: int) -> None:
    made = session(("set", "two"))
    for tag in (1, 2, 3):
        made.server.send(tag=tag)
    failed = made.primary.get(made.device).out[0]
    assert made.primary.complete(made.device, failed, code) == NOERROR
    assert made.primary.get(made.device).code == VD_E_TIMEOUT
    assert made.server.send(tag=4) != NOERROR
    assert made.server.completions() == [
        (1, "set", code, 0, 0, False),
        (2, "set", IO_DEVICE, 0, 0, False),
        (3, "set", IO_DEVICE, 0, 0, False),
        (4, "set", IO_DEVICE, 0, 0, True),
    ]
    assert made.server.send("two", tag=5) == NOERROR
    assert made.primary.get(made.devices["two"]).code == NOERROR


@pytest.mark.parametrize("code", [0, 38, 1104, 1101, 1100])
def test_information_is_no_error(code: int) -> None:
    made = session()
    made.server.send()
    made.primary.complete(made.device, made.primary.get(made.device).out[0], code)
    assert made.server.send() == NOERROR


def test_clear_error_waits_for_the_commands_that_were_outstanding() -> None:
    made = session()
    for tag in (1, 2):
        made.server.send(tag=tag)
    first, second = (made.primary.get(made.device).out[0] for _ in range(2))
    made.primary.complete(made.device, first, 29)
    assert made.server.send(code=VDC_CLEAR_ERROR, tag=3) == NOERROR
    assert made.primary.get(made.device).code == VD_E_TIMEOUT
    waiting = made.primary.get(made.device, INFINITE)
    assert made.primary.complete(made.device, second, 0) == NOERROR
    assert waiting.out[1] == VDC_CLEAR_ERROR
    made.primary.complete(made.device, waiting.out[0], 0)
    assert made.server.send(tag=4) == NOERROR
    assert made.server.tags() == [(1, 29), (2, 0), (3, 0)]


def test_a_second_failure_does_not_drop_the_clear_error() -> None:
    made = session()
    for tag in (1, 2):
        made.server.send(tag=tag)
    first, second = (made.primary.get(made.device).out[0] for _ in range(2))
    made.primary.complete(made.device, first, 29)
    made.server.send(code=VDC_CLEAR_ERROR)
    made.primary.complete(made.device, second, 29)
    assert made.primary.get(made.device).out[1] == VDC_CLEAR_ERROR


def test_a_failed_clear_error_leaves_the_device_in_error() -> None:
    made = session()
    made.server.send()
    made.primary.complete(made.device, made.primary.get(made.device).out[0], 29)
    made.server.send(code=VDC_CLEAR_ERROR)
    made.primary.complete(made.device, made.primary.get(made.device).out[0], 50)
    assert made.server.send() != NOERROR
    assert made.server.close_device() == NOERROR
    assert made.primary.get(made.device).code == VD_E_CLOSE


def test_an_abort_completes_everything_for_the_server_and_ends_every_wait() -> None:
    made = session(("set", "two"))
    for tag in (1, 2, 3):
        made.server.send(tag=tag)
    held = made.primary.get(made.device).out[0]
    waits = [made.primary.get(made.devices["two"], INFINITE) for _ in range(2)]
    assert made.primary.abort() == NOERROR
    assert [call.code for call in waits] == [VD_E_ABORT, VD_E_ABORT]
    assert made.primary.complete(made.device, held) == VD_E_ABORT
    assert made.server.send(tag=4) == VD_E_ABORT
    assert made.server.completions() == [
        (1, "set", ABORTED, 0, 0, False),
        (2, "set", ABORTED, 0, 0, False),
        (3, "set", ABORTED, 0, 0, False),
        (4, "set", ABORTED, 0, 0, True),
    ]
    assert made.server.call("server_next_completion", INFINITE).code == VD_E_ABORT
    assert made.server.call("server_allocate_buffer", SIZE, 0).code == VD_E_ABORT
    assert made.server.close() == NOERROR


def test_an_idle_completion_agent_learns_of_an_abort() -> None:
    made = session()
    agent = made.server.call("server_next_completion", INFINITE)
    made.primary.abort()
    assert agent.code == VD_E_ABORT


def test_a_wait_ends_at_its_time_and_changes_nothing() -> None:
    made = session()
    waiting = made.primary.get(made.device, 300)
    made.world.wait(299)
    assert waiting.waits
    made.world.wait(1)
    assert waiting.code == VD_E_TIMEOUT
    made.server.send()
    assert made.primary.get(made.device).code == NOERROR


def test_an_infinite_wait_outlives_all_others() -> None:
    world = World()
    client = world.client()
    client.create()
    waiting, short = client.configuration(INFINITE), client.configuration(1000)
    world.wait(0xFFFFFFFF)
    assert short.code == VD_E_TIMEOUT
    assert waiting.waits
    client.abort()
    assert waiting.code == VD_E_ABORT


def test_calls_that_wait_for_one_device_are_served_in_turn() -> None:
    made = session()
    first, second = (made.primary.get(made.device, INFINITE) for _ in range(2))
    made.server.send(size=1)
    assert first.out[2] == 1
    assert second.waits
    made.server.send(size=2)
    assert second.out[2] == 2


def test_close_ends_the_objects_own_waits() -> None:
    world = World()
    client = world.client()
    client.create()
    waiting = client.configuration(INFINITE)
    assert client.close() == NOERROR
    assert waiting.code == VD_E_ABORT


def test_the_server_loses_its_patience_after_two_intervals_without_a_completion() -> None:
    made = session(config=VDConfig(server_time_out=1000))
    made.world.wait(10_000)
    made.server.send(tag=1)
    made.server.send(tag=2)
    held = made.primary.get(made.device).out[0]
    made.world.wait(1900)
    assert made.primary.complete(made.device, held) == NOERROR
    held = made.primary.get(made.device).out[0]
    made.world.wait(1999)
    assert made.primary.configuration().code == NOERROR
    made.world.wait(1)
    assert made.primary.complete(made.device, held) == VD_E_ABORT
    assert made.server.tags() == [(1, 0), (2, ABORTED)]


def test_without_a_server_time_out_it_never_does() -> None:
    made = session()
    made.server.send()
    made.world.wait(0xFFFFFFFF)
    assert made.primary.get(made.device).code == NOERROR


@pytest.mark.parametrize("code", [VDC_READ])
def test_a_data_command_needs_a_buffer_of_the_set(code: int) -> None:
    made = session()
    area, offset = made.server.buffer()
    send = ("server_send_command", "set", 1, code)
    assert made.server.call(*send, SIZE, 0, 0, 0, 0).code == VD_E_INVALID
    assert made.server.call(*send, SIZE, 0, 0, area, offset + 1).code == VD_E_INVALID
    assert made.server.call(*send, SIZE + 1, 0, 0, area, offset).code == VD_E_INVALID
    assert made.server.call(*send, SIZE, 0, 0, area, offset).code == NOERROR
