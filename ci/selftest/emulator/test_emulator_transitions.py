"""The client transition matrix, cell by cell, with the method pages where they differ from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selftest.emulator.worlds import Client, Session, World, session
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable

NO_DEVICE = 999


class Situation:
    """A client object in one state of the matrix, with a device and a command where the state has them."""

    def __init__(self, client: Client, device: int = NO_DEVICE, command: int = 0) -> None:
        self.client = client
        self.device = device
        self.command = command


def does_not_exist() -> Situation:
    return Situation(World().client())


def closed() -> Situation:
    held = active()
    held.client.abort()
    held.client.close()
    return held


def configurable() -> Situation:
    client = World().client()
    client.create()
    return Situation(client)


def initializing() -> Situation:
    return Situation(session(opened=False).primary)


def active() -> Situation:
    made = session()
    made.server.write()
    command, *_ = made.primary.get(made.device).out
    return Situation(made.primary, made.device, command)


def normally_terminated() -> Situation:
    made = session()
    made.server.write()
    command, *_ = made.primary.get(made.device).out
    made.primary.complete(made.device, command)
    made.server.close_device()
    assert made.primary.get(made.device).code == VD_E_CLOSE
    return Situation(made.primary, made.device, command)


def aborted() -> Situation:
    held = active()
    held.client.abort()
    return held


CALLS: dict[str, Callable[[Situation], int]] = {
    "create": lambda s: s.client.create("another"),
    "get_configuration": lambda s: s.client.configuration().code,
    "open_device": lambda s: s.client.open().code,
    "get_command": lambda s: s.client.get(s.device).code,
    "complete_command": lambda s: s.client.complete(s.device, s.command),
    "signal_abort": lambda s: s.client.abort(),
    "close": lambda s: s.client.close(),
}
MATRIX: dict[Callable[[], Situation], tuple[int, ...]] = {
    does_not_exist: (NOERROR, *[VD_E_PROTOCOL] * 6),
    closed: (NOERROR, *[VD_E_PROTOCOL] * 6),
    configurable: (VD_E_PROTOCOL, VD_E_TIMEOUT, VD_E_PROTOCOL, VD_E_PROTOCOL, VD_E_PROTOCOL, NOERROR, NOERROR),
    initializing: (VD_E_PROTOCOL, NOERROR, NOERROR, VD_E_PROTOCOL, VD_E_PROTOCOL, NOERROR, NOERROR),
    active: (VD_E_PROTOCOL, NOERROR, VD_E_OPEN, VD_E_TIMEOUT, NOERROR, NOERROR, VD_E_OPEN),
    normally_terminated: (VD_E_PROTOCOL, NOERROR, *[VD_E_PROTOCOL] * 3, NOERROR, NOERROR),
    aborted: (VD_E_PROTOCOL, *[VD_E_ABORT] * 4, NOERROR, NOERROR),
}


@pytest.mark.parametrize(
    ("state", "call", "code"),
    [
        pytest.param(state, call, code, id=f"{state.__name__}-{call}")
        for state, codes in MATRIX.items()
        for call, code in zip(CALLS, codes, strict=True)
    ],
)
def test_each_cell_of_the_matrix(state: Callable[[], Situation], call: str, code: int) -> None:
    assert CALLS[call](state()) == code


@pytest.mark.parametrize("state", [configurable, initializing, active, normally_terminated, aborted])
def test_after_close_the_object_is_as_new(state: Callable[[], Situation]) -> None:
    situation = state()
    situation.client.close()
    assert situation.client.close() == VD_E_PROTOCOL
    assert situation.client.create() == NOERROR
    assert situation.client.configuration().code == VD_E_TIMEOUT


@pytest.mark.parametrize("state", [configurable, initializing, active, normally_terminated])
def test_an_abort_is_not_undone(state: Callable[[], Situation]) -> None:
    situation = state()
    assert situation.client.abort() == NOERROR
    assert situation.client.abort() == NOERROR
    assert situation.client.configuration().code == VD_E_ABORT
    assert situation.client.create("another") == VD_E_PROTOCOL


def test_devices_open_one_by_one() -> None:
    made = session(("set", "two", "three"), opened=False)
    first = made.primary.open("set").out[0]
    assert made.primary.open("set").code == VD_E_PROTOCOL
    assert made.primary.open("four").code == VD_E_INVALID
    assert made.primary.open(None).code == VD_E_INVALID
    second, third = made.primary.open("three").out[0], made.primary.open("two").out[0]
    assert len({first, second, third}) == 3
    assert made.primary.open("two").code == VD_E_OPEN
    assert made.primary.open("four").code == VD_E_OPEN


def test_a_device_may_be_opened_before_the_server_names_it() -> None:
    world = World()
    primary, server = world.client(), world.server()
    primary.create(config=VDConfig(device_count=2))
    server.open()
    server.configure(devices=())
    assert primary.configuration().code == NOERROR
    device = primary.open("two").out[0]
    waiting = primary.get(device, 1000)
    assert server.call("server_open_device", "two").code == NOERROR
    server.send("two")
    assert waiting.code == NOERROR


def test_names_told_before_the_end_of_configuration_are_the_only_ones() -> None:
    world = World()
    primary, server = world.client(), world.server()
    primary.create(config=VDConfig(device_count=2))
    server.open()
    for name in ("set", "two"):
        assert server.call("server_name_device", name).code == NOERROR
    server.configure(devices=())
    assert primary.configuration().code == NOERROR
    assert primary.open("three").code == VD_E_INVALID
    assert primary.open("two").code == NOERROR


def test_the_set_is_active_until_its_last_device_is_closed() -> None:
    made = session(("set", "two"))
    made.server.close_device("set")
    assert made.primary.get(made.device).code == VD_E_CLOSE
    assert made.primary.get(made.device).code == VD_E_CLOSE
    assert made.primary.complete(made.device, NO_DEVICE) == VD_E_INVALID
    made.server.send("two")
    assert made.primary.get(made.devices["two"]).code == NOERROR
    made.server.close_device("two")
    assert made.primary.get(made.devices["two"]).code == VD_E_CLOSE
    assert made.primary.get(made.device).code == VD_E_PROTOCOL
    assert made.primary.close() == NOERROR


def test_a_device_counts_as_open_until_the_server_closed_it() -> None:
    made = session()
    made.server.close_device()
    assert made.primary.close() == NOERROR
    assert made.server.close() == NOERROR


@pytest.mark.parametrize("call", ["get_configuration", "open_device", "get_command", "handle", "map"])
def test_a_null_out_pointer_is_refused_and_changes_nothing(call: str) -> None:
    made: Session = session(("set", "two"), opened=False)
    primary = made.primary
    device = primary.open("set").out[0]
    made.server.write()
    held = primary.get(device).out
    made.server.send()
    place, handle = held[4::2], primary.call("get_buffer_handle", *held[4::2], False).out[0]
    refused, proper = {
        "get_configuration": (("get_configuration", 0, True), ("get_configuration", 0, False)),
        "open_device": (("open_device", "two", True), ("open_device", "two", False)),
        "get_command": (("get_command", 0, device, True), ("get_command", 0, device, False)),
        "handle": (("get_buffer_handle", *place, True), ("get_buffer_handle", *place, False)),
        "map": (("map_buffer_handle", handle, True), ("map_buffer_handle", handle, False)),
    }[call]
    assert primary.call(*refused).code == VD_E_INVALID
    assert primary.call(*proper).code == NOERROR
