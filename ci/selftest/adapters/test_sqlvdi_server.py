"""The scripted server over COM: slots, the order of arguments, and completions on whichever thread reports them."""

from __future__ import annotations

import ctypes
import threading
from ctypes import POINTER, c_uint32, c_void_p
from typing import TYPE_CHECKING

import pytest

from selftest.adapters.fake_com import Fake, prototype
from vdi_conformance.adapters.sqlvdi_server import ServerDeviceSet, VDSCommand
from vdi_conformance.contract import Completion
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10_000


@pytest.mark.parametrize(
    ("slot", "call", "passed"),
    [
        (4, lambda server: server.get_configuration(), ()),
        (5, lambda server: server.begin_configuration(1, 2, 3, 4, 5), (1, 3, 2, 4, 5)),
        (7, lambda server: server.request_buffers(1, 2, 3), (1, 2, 3)),
        (8, lambda server: server.query_available_buffers(1, 2), (1, 2)),
        (11, lambda server: server.allocate_buffer(1, 2), ()),
        (12, lambda server: server.free_buffer(1, 2), (1, 2)),
        (14, lambda server: server.signal_abort(), ()),
        (15, lambda server: server.close(), ()),
    ],
)
def test_every_method_calls_its_slot_in_the_order_of_the_header(
    slot: int, call: Callable[[ServerDeviceSet], object], passed: tuple[int, ...]
) -> None:
    fake = Fake(VD_E_ABORT)
    call(ServerDeviceSet(fake.address))
    ((called, arguments),) = fake.called
    assert called == slot
    assert tuple(value & 0xFFFFFFFF for value in arguments[: len(passed)]) == passed


def test_the_completion_agent_works_from_the_end_of_configuration_on() -> None:
    fake = Fake()
    server = ServerDeviceSet(fake.address)
    assert server.end_configuration() == NOERROR
    assert server.next_completion(SECONDS) is None, "the agent of this library ends at once"
    assert [slot for slot, _ in fake.called] == [6, 9]


class FakeDevice(Fake):
    """A device that completes each command before SendCommand returns, on the sender's thread or another one."""

    def __init__(self, code: int, elsewhere: bool) -> None:
        super().__init__()
        self._answer = code
        self._elsewhere = elsewhere
        send = prototype(c_uint32, c_void_p, POINTER(VDSCommand))(self._send)
        self._vtable[3] = ctypes.cast(send, c_void_p).value
        self._functions.append(send)

    def _send(self, _this: int, command: ctypes._Pointer[VDSCommand]) -> int:
        record = command.contents
        assert (record.command_code, record.size, record.in_position, record.buffer) == (2, 512, 1 << 40, 0x10000)
        record.completion_code, record.bytes_transferred, record.out_position = 38, 100, 1 << 50
        routine = ctypes.CFUNCTYPE(None, POINTER(VDSCommand))(record.completion_routine or 0)
        if self._elsewhere:
            thread = threading.Thread(target=routine, args=(command,))
            thread.start()
            thread.join()
        else:
            routine(command)
        return self._answer


@pytest.mark.parametrize(("code", "elsewhere"), [(NOERROR, True), (VD_E_ABORT, False)])
def test_a_completion_tells_all_that_its_record_does(code: int, elsewhere: bool) -> None:
    device = FakeDevice(code, elsewhere)
    server = ServerDeviceSet(Fake(write=(1, device.address.to_bytes(8, "little"))).address)
    assert server.open_device("d") == NOERROR
    assert server.send_command("d", 2, 512, 1 << 40, 0x10000, 77) == code
    assert server.next_completion(0) == Completion(77, "d", 38, 100, 1 << 50, thread_of_sender=not elsewhere)
    assert server.next_completion(0) is None


def test_a_refusal_after_the_end_of_the_agent_is_reported() -> None:
    device = FakeDevice(VD_E_ABORT, elsewhere=False)
    fake = Fake(write=(1, device.address.to_bytes(8, "little")))
    server = ServerDeviceSet(fake.address)
    assert server.open_device("d") == NOERROR
    fake.write = None
    assert server.end_configuration() == NOERROR
    assert server.next_completion(SECONDS) is None, "the agent of this library ends at once"
    assert server.send_command("d", 2, 512, 1 << 40, 0x10000, 78) == VD_E_ABORT
    found = server.next_completion(SECONDS)
    assert found is not None
    assert found.tag == 78


def test_a_device_that_is_not_open_cannot_be_called() -> None:
    fake = Fake(VD_E_INVALID)
    server = ServerDeviceSet(fake.address)
    assert server.open_device("d") == VD_E_INVALID
    assert server.close_device("d") == VD_E_PROTOCOL
    assert [slot for slot, _ in fake.called] == [10]
